/**
 * Runs a line of programs.tsv on the host and in the sandbox, each in a fresh copy of files/ at the same
 * path, and tells what differs: standard output, standard error, exit status, and the files left behind.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { extract } from 'tar-stream';

export interface Line {
  readonly number: number;
  readonly program: string;
  readonly command: string;
}

export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: string;
  /** Path below the working directory to a description of the file. */
  readonly files: ReadonlyMap<string, string>;
  readonly milliseconds: number;
}

const here = fileURLToPath(new URL('.', import.meta.url));
/** Another build than dist/'s can be tried. */
const caisson = process.env['CAISSON_JS'] ?? fileURLToPath(new URL('../../dist/caisson.js', import.meta.url));
const NATIVE_TIMEOUT_MS = 60_000;
const SANDBOX_TIMEOUT_MS = Number(process.env['CAISSON_TIMEOUT_MS'] ?? 240_000);
const OUTPUT_LIMIT = 1 << 22;

export function readLines(): readonly Line[] {
  return fs
    .readFileSync(join(here, 'programs.tsv'), 'utf8')
    .split('\n')
    .map((text, index) => ({ number: index + 1, fields: text.split('\t') }))
    .filter(({ fields }) => fields.length >= 2 && !fields[0]?.startsWith('#'))
    .map(({ number, fields }) => ({ number, program: fields[0] ?? '', command: fields.slice(1).join('\t') }));
}

function environment(): Record<string, string> {
  const home = process.env['HOME'] ?? '/';
  return { PATH: '/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin', HOME: home, LANG: 'C.UTF-8', TERM: 'dumb', USER: process.env['USER'] ?? 'root', SHELL: '/bin/bash' };
}

interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: string;
}

/** bash names the process whose end it reports. */
function withoutPids(text: string): string {
  return text.replace(/(line \d+: )[ \d]*\d /g, '$1PID ');
}

function runProcess(argv: readonly string[], cwd: string, timeoutMs: number): Promise<Ended> {
  const [file = '', ...args] = argv;
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd, env: environment(), stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('latin1');
      child[name].on('data', (text: string) => {
        if (output[name].length < OUTPUT_LIMIT) output[name] += text;
      });
    }
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      process.kill(-(child.pid ?? 0), 'SIGKILL');
    }, timeoutMs);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ stdout: output.stdout, stderr: withoutPids(output.stderr), status: timedOut ? 'timed out' : String(signal === null ? code : 128 + constants.signals[signal]) });
    });
  });
}

function describe(type: string, mode: number, content: string): string {
  return `${type} ${(mode & 0o7777).toString(8)} ${content}`;
}

const digest = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex').slice(0, 16);

function readTree(directory: string): Map<string, string> {
  const tree = new Map<string, string>();
  for (const entry of fs.readdirSync(directory, { withFileTypes: true, recursive: true })) {
    const full = join(entry.parentPath ?? entry.path, entry.name);
    const name = full.slice(directory.length + 1);
    const { mode } = fs.lstatSync(full);
    if (entry.isFile()) tree.set(name, describe('file', mode, digest(fs.readFileSync(full))));
    else if (entry.isSymbolicLink()) tree.set(name, describe('link', 0, fs.readlinkSync(full)));
    else tree.set(name, describe(entry.isDirectory() ? 'directory' : 'other', mode, ''));
  }
  return tree;
}

/** Applies an exported layer to what was there before: OCI image-spec layer.md, "Whiteouts". */
async function applyLayer(tree: Map<string, string>, tarFile: string, directory: string): Promise<void> {
  const prefix = `${directory.slice(1)}/`;
  const reader = extract();
  fs.createReadStream(tarFile).pipe(reader);
  for await (const entry of reader) {
    const { header } = entry;
    const chunks: Uint8Array[] = [];
    for await (const chunk of entry) chunks.push(chunk as Uint8Array);
    const path = header.name.replace(/^\.?\//, '').replace(/\/$/, '');
    if (!path.startsWith(prefix)) continue;
    const name = path.slice(prefix.length);
    const mode = header.mode ?? 0;
    const base = name.split('/').at(-1) ?? '';
    if (base.startsWith('.wh.')) {
      const gone = name.slice(0, name.length - base.length) + base.slice(4);
      for (const other of [...tree.keys()]) if (other === gone || other.startsWith(`${gone}/`)) tree.delete(other);
    } else if (header.type === 'symlink') tree.set(name, describe('link', 0, header.linkname ?? ''));
    else if (header.type === 'directory') tree.set(name, describe('directory', mode, ''));
    else if (header.type === 'file') tree.set(name, describe('file', mode, digest(Buffer.concat(chunks))));
    else if (header.type === 'link') tree.set(name, tree.get((header.linkname ?? '').replace(/^\.?\//, '').slice(prefix.length)) ?? 'hard link to nothing');
    else tree.set(name, describe('other', mode, ''));
  }
}

function freshDirectory(directory: string): void {
  fs.rmSync(directory, { recursive: true, force: true });
  fs.cpSync(join(here, 'files'), directory, { recursive: true });
}

/** A scratch directory for one line. */
export function makeScratch(): string {
  return fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'caisson-programs-')));
}

export async function runNative(line: Line, scratch: string): Promise<Outcome> {
  const directory = join(scratch, 'work');
  freshDirectory(directory);
  const started = performance.now();
  const ended = await runProcess(['/bin/bash', '-c', line.command], directory, NATIVE_TIMEOUT_MS);
  return { ...ended, files: readTree(directory), milliseconds: performance.now() - started };
}

export async function runInSandbox(line: Line, scratch: string): Promise<Outcome> {
  const directory = join(scratch, 'work');
  const layer = join(scratch, 'layer.tar');
  fs.rmSync(layer, { force: true });
  freshDirectory(directory);
  const started = performance.now();
  const argv = [process.execPath, caisson, 'do', '--export-changes', layer, '--', '/bin/bash', '-c', line.command];
  const ended = await runProcess(argv, directory, SANDBOX_TIMEOUT_MS);
  const milliseconds = performance.now() - started;
  const files = readTree(directory);
  if (fs.existsSync(layer)) await applyLayer(files, layer, directory);
  return { ...ended, files, milliseconds };
}

/** What differs, in words; empty if nothing does. */
export function compare(native: Outcome, sandbox: Outcome): string {
  const differences: string[] = [];
  const clip = (text: string): string => JSON.stringify(text.length > 600 ? `${text.slice(0, 600)}...` : text);
  if (native.status !== sandbox.status) differences.push(`status: native ${native.status}, sandbox ${sandbox.status}`);
  for (const name of ['stdout', 'stderr'] as const) {
    if (native[name] !== sandbox[name]) differences.push(`${name}:\n  native  ${clip(native[name])}\n  sandbox ${clip(sandbox[name])}`);
  }
  for (const path of new Set([...native.files.keys(), ...sandbox.files.keys()])) {
    const [left, right] = [native.files.get(path), sandbox.files.get(path)];
    if (left !== right) differences.push(`file ${path}: native ${left ?? 'absent'}, sandbox ${right ?? 'absent'}`);
  }
  return differences.join('\n');
}
