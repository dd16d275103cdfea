/**
 * Repositories by the host's git: fetched into a bare directory of their own and read as a tar. Nothing of them is checked out here, so no hook,
 * filter or link of theirs plays a part; submodules are not followed.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BuildError } from '../../build/index.ts';
import type { GitAddress, RepositoryReader } from '../../build/index.ts';

const MOST_MESSAGE = 2000;
/** Transports that are no programs (gitprotocol.allow in git-config(1)); `file` and `ext` are. */
const TRANSPORTS = ['https', 'http', 'git', 'ssh'];
const SETTINGS = [
  'core.hooksPath=/dev/null', 'protocol.allow=never', ...TRANSPORTS.map((name) => `protocol.${name}.allow=always`), 'fetch.recurseSubmodules=false', 'tar.umask=0022',
  'http.lowSpeedLimit=1', 'http.lowSpeedTime=60',
].flatMap((setting) => ['-c', setting]);
/** All files with the bytes that were committed: nothing left out or put in, no filter, no other ends of lines. The highest in precedence (gitattributes(5)). */
const ATTRIBUTES = '* -export-ignore -export-subst -filter -ident -text -working-tree-encoding\n';

function environment(): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !/^GIT_(?:DIR|WORK_TREE|INDEX_FILE|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|NAMESPACE|COMMON_DIR)$/.test(name));
  return { GIT_SSH_COMMAND: 'ssh -oBatchMode=yes', ...Object.fromEntries(own), GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' };
}

/** What git writes to its standard output. @throws BuildError with what it says */
async function* git(directory: string, words: readonly string[], what: string): AsyncIterable<Uint8Array> {
  const child = spawn('git', [...SETTINGS, '-C', directory, ...words], { stdio: ['ignore', 'pipe', 'pipe'], env: environment() });
  let message = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (message = (message + text).slice(-MOST_MESSAGE)));
  const ended = new Promise<number | Error>((resolve) => {
    child.on('error', resolve);
    child.on('close', (status) => resolve(status ?? 1));
  });
  try {
    for await (const chunk of child.stdout) yield chunk as Uint8Array;
    const status = await ended;
    if (status === 0) return;
    if (typeof status !== 'number') throw new BuildError(`${what}: there is no git on this machine`, { advice: 'install it, or use RUN git clone in a stage of its own', cause: status });
    throw new BuildError(`${what}: ${message.trim().split('\n').slice(-3).join('; ').replace(/[\p{Cc}]/gu, ' ')}`, { advice: 'check the address, the branch and your access' });
  } finally {
    child.kill();
  }
}

async function textOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  let text = '';
  for await (const chunk of chunks) text += Buffer.from(chunk).toString('latin1');
  return text.trim();
}

export const readRepository: RepositoryReader = async ({ remote, ref, directory: part }: GitAddress, use) => {
  const what = `cannot get the repository "${remote}"`;
  const directory = mkdtempSync(join(tmpdir(), 'caisson-git-'));
  try {
    await textOf(git(directory, ['init', '-q', '--bare', '.'], what));
    writeFileSync(join(directory, 'info/attributes'), ATTRIBUTES);
    await textOf(git(directory, ['fetch', '-q', '--depth', '1', '--no-tags', '--', remote, ref ?? 'HEAD'], what));
    const commit = await textOf(git(directory, ['rev-parse', '--verify', 'FETCH_HEAD^{commit}'], what));
    return await use({ commit, tar: git(directory, ['archive', '--format=tar', commit, ...(part === undefined ? [] : ['--', part])], what) });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
};
