/** Repositories as contexts and in ADD: what comes is what `git clone` checks out, and nothing of a repository acts on this machine. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { commandIn, peer } from '../images/fixtures.ts';
import { freePort } from '../registry/servers.ts';
import { baseLayout, makeContext, openStore } from './harness.ts';

const scratch = mkdtempSync(join(tmpdir(), 'caisson-git-test-'));
const home = join(scratch, 'store');
const temporary = join(scratch, 'tmp');
const { run, mustRun } = commandIn({ CAISSON_HOME: home, TMPDIR: temporary, HOME: scratch });
const work = join(scratch, 'work');
let daemon: ReturnType<typeof spawn>;
let url: string;

const git = (words: readonly string[], cwd = work): string => peer('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', '-c', 'init.defaultBranch=main', ...words], { cwd, env: { HOME: scratch } }).stdout.trim();

function commit(files: Readonly<Record<string, string>>, message: string): string {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(work, name, '..'), { recursive: true });
    writeFileSync(join(work, name), text);
  }
  git(['add', '-A']);
  git(['commit', '-q', '-m', message]);
  return git(['rev-parse', 'HEAD']);
}

before(async () => {
  for (const directory of [work, temporary]) mkdirSync(directory);
  git(['init', '-q', '.']);
  symlinkSync('/etc/passwd', join(work, 'outside'));
  symlinkSync('sub/file', join(work, 'inside'));
  commit({
    Dockerfile: 'FROM busybox:1\nCOPY . /all\nCMD ["cat", "/all/sub/file"]\n', 'sub/file': 'first\n', 'sub/Dockerfile': 'FROM busybox:1\nCOPY file /only\nCMD ["cat", "/only"]\n', tool: '#!/bin/sh\n',
    '.gitattributes': 'sub export-ignore\nsubst export-subst\nfiltered filter=evil\n', subst: '$Format:%H$\n', filtered: 'as it is\n', '.dockerignore': '.dockerignore\nDockerfile\n',
  }, 'one');
  chmodSync(join(work, 'tool'), 0o755);
  commit({}, 'mode');
  git(['tag', 'v1']);
  commit({ 'sub/file': 'second\n' }, 'two');
  const port = await freePort();
  daemon = spawn('git', ['daemon', '--listen=127.0.0.1', `--port=${port}`, `--base-path=${scratch}`, '--export-all', '--reuseaddr'], { stdio: 'ignore', env: { PATH: process.env['PATH'] ?? '', HOME: scratch } });
  url = `git://127.0.0.1:${port}/work/.git`;
  for (let attempt = 0; attempt < 200 && spawnSync('git', ['ls-remote', url], { stdio: 'ignore' }).status !== 0; attempt++) await new Promise((resolve) => setTimeout(resolve, 50));
  await mustRun(['load', '-q', '-i', baseLayout()]);
});

after(() => {
  daemon.kill();
  rmSync(scratch, { recursive: true, force: true });
});

test('a repository as the context: a branch, a tag, a commit, a directory of it', async () => {
  const first = git(['rev-parse', 'v1']);
  for (const [place, text] of [[url, 'second\n'], [`${url}#main`, 'second\n'], [`${url}#v1`, 'first\n'], [`${url}#${git(['rev-parse', 'HEAD'])}`, 'second\n'], [`${url}#v1:sub`, 'first\n'], [`${url}#:sub`, 'second\n']] as const) {
    await mustRun(['build', '-t', 'git:1', place]);
    assert.equal(await mustRun(['run', 'git:1']), text, place);
  }
  await mustRun(['build', '--provenance', '-t', 'git:2', `${url}#v1`]);
  const { record } = openStore(home).find('git:2');
  const layer = (JSON.parse(readFileSync(join(home, 'blobs/sha256', record.referrers[0]?.digest.slice(7) ?? ''), 'utf8')) as { layers: { digest: string }[] }).layers[0]?.digest ?? '';
  const statement = JSON.parse(readFileSync(join(home, 'blobs/sha256', layer.slice(7)), 'utf8')) as { predicate: { buildDefinition: { resolvedDependencies: unknown[] } } };
  assert.deepEqual(statement.predicate.buildDefinition.resolvedDependencies.slice(0, 1), [{ uri: `git+${url}@v1`, digest: { gitCommit: first } }]);
});

test('ADD brings the files that git checks out, in every build the same bytes', async () => {
  const directory = makeContext(scratch, { dockerfile: `FROM scratch\nADD ${url}#v1 /\n` });
  await mustRun(['build', '--verify', '-t', 'added:1', directory]);
  await mustRun(['build', '-o', join(scratch, 'out'), directory]);
  git(['clone', '-q', '-b', 'v1', url, join(scratch, 'clone')], scratch);
  rmSync(join(scratch, 'clone/.git'), { recursive: true });
  const difference = spawnSync('diff', ['-r', '--no-dereference', join(scratch, 'clone'), join(scratch, 'out')], { encoding: 'utf8' });
  assert.equal(difference.status, 0, difference.stdout);
  assert.equal(peer('stat', ['-c', '%a', join(scratch, 'out/tool'), join(scratch, 'out/subst')]).stdout, '755\n644\n');
  await mustRun(['build', '-t', 'part:1', makeContext(scratch, { dockerfile: `FROM busybox:1\nADD ${url}#main:sub /part/\nCMD ["cat", "/part/file"]\n` })]);
  assert.equal(await mustRun(['run', 'part:1']), 'second\n');
});

test('what git does not find, or may not do, is said and leaves nothing', async () => {
  const marker = join(scratch, 'ran');
  writeFileSync(join(scratch, '.gitconfig'), `[filter "evil"]\n\tsmudge = touch ${marker}\n[core]\n\thooksPath = ${scratch}/hooks\n`);
  mkdirSync(join(scratch, 'hooks'));
  for (const name of ['reference-transaction', 'post-checkout']) writeFileSync(join(scratch, 'hooks', name), `#!/bin/sh\ntouch ${marker}\n`, { mode: 0o755 });
  const cases: readonly (readonly [string, RegExp])[] = [
    [`${url}#none`, /cannot get the repository .*none/], [`${url}#main:nowhere`, /nowhere/], [url.replace('/work/', '/absent/'), /cannot get the repository/], ['git://127.0.0.1:1/x.git', /cannot get the repository/], [`${url}#main:outside`, /it has no directory "outside"/],
  ];
  for (const [place, message] of cases) {
    const { stderr, status } = await run(['build', place]);
    assert.equal(status === 0, false, place);
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /\n {4}at /);
  }
  await mustRun(['build', '-t', 'filtered:1', url]);
  assert.equal(await mustRun(['run', 'filtered:1', 'cat', '/all/filtered']), 'as it is\n');
  assert.equal(existsSync(marker), false, 'neither a hook nor a filter ran');
  assert.deepEqual(readdirSync(temporary), []);
  assert.deepEqual(readdirSync(join(home, 'tmp')), []);
});
