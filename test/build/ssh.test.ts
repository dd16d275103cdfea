/** `build --ssh`, against a real ssh-agent: what `ssh-add` sees inside is what it sees on the host, and nothing of it stays. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { commandIn, peer } from '../images/fixtures.ts';
import { makeContext, openStore, treeOf } from './harness.ts';

const scratch = mkdtempSync(join(tmpdir(), 'caisson-ssh-'));
const home = join(scratch, 'store');
const temporary = join(scratch, 'tmp');
const socket = join(scratch, 'agent');
const { run, mustRun } = commandIn({ CAISSON_HOME: home, TMPDIR: temporary, SSH_AUTH_SOCK: socket });
const context = (dockerfile: string, files: Readonly<Record<string, string>> = {}): string => makeContext(scratch, { dockerfile, files });
const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });

/** What ssh-add needs, with busybox as the shell. */
function writeBase(file: string): void {
  const root = join(scratch, 'root');
  for (const name of ['bin', 'etc', 'usr/bin', 'run']) mkdirSync(join(root, name), { recursive: true });
  cpSync('/usr/bin/ssh-add', join(root, 'usr/bin/ssh-add'));
  for (const [, library = ''] of peer('ldd', ['/usr/bin/ssh-add']).stdout.matchAll(/(\/\S+\.so\S*) \(/g)) {
    mkdirSync(join(root, dirname(library)), { recursive: true });
    cpSync(realpathSync(library), join(root, library));
  }
  cpSync('/bin/busybox', join(root, 'bin/busybox'));
  for (const name of ['sh', 'cat', 'echo', 'ls', 'stat', 'test', 'true']) symlinkSync('busybox', join(root, 'bin', name));
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001:App:/:/bin/sh\n');
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\napp:x:1001:\n');
  peer('tar', ['-C', root, '--owner=0', '--group=0', '-cf', file, '.']);
}

const keyOf = (name: string): string => readFileSync(join(scratch, `${name}.pub`), 'utf8');

before(async () => {
  mkdirSync(temporary);
  for (const name of ['one', 'two']) peer('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', `${name}@test`, '-f', join(scratch, name)]);
  peer('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'a passphrase', '-f', join(scratch, 'locked')]);
  for (let attempt = 0; attempt < 100 && spawnSync('ssh-add', ['-q', join(scratch, 'one')], { env: { ...process.env, SSH_AUTH_SOCK: socket } }).status !== 0; attempt++) await new Promise((resolve) => setTimeout(resolve, 50));
  writeBase(join(scratch, 'base.tar'));
  await mustRun(['import', join(scratch, 'base.tar'), 'ssh-base:1']);
});

after(() => {
  agent.kill();
  rmSync(scratch, { recursive: true, force: true });
});

test('--ssh default shows the agent of SSH_AUTH_SOCK to a RUN that mounts it, and no layer has anything of it', async () => {
  const text = 'FROM ssh-base:1\nRUN --mount=type=ssh ssh-add -L > /keys && echo $SSH_AUTH_SOCK > /place && stat -c "%F %a %u" $SSH_AUTH_SOCK > /mode\nRUN echo "<$SSH_AUTH_SOCK>" > /later; ls /run > /left\nCMD ["cat", "/keys", "/place", "/mode", "/later", "/left"]\n';
  const directory = context(text);
  await mustRun(['build', '--ssh', 'default', '--network', 'none', '-t', 'keys:1', directory]);
  const host = peer('ssh-add', ['-L'], { env: { SSH_AUTH_SOCK: socket } }).stdout;
  assert.equal(host, keyOf('one'));
  assert.equal(await mustRun(['run', 'keys:1']), `${host}/run/buildkit/ssh_agent.0\nsocket 600 0\n<>\n`);
  const store = openStore(home);
  const base = new Set(treeOf(store, store.find('ssh-base:1')));
  assert.deepEqual(treeOf(store, store.find('keys:1'), base).map((line) => line.split(' ')[3]), ['/keys', '/later', '/left', '/mode', '/place']);
  // What the agent is, is no part of what the step is.
  const { stderr } = await run(['build', '--progress', 'plain', '--network', 'none', '-t', 'keys:2', directory]);
  assert.equal(stderr.match(/CACHED/g)?.length, 2, stderr);
});

test('--ssh ID=SOCKET and ID=KEY give agents of other names, for users of the image as well, and keys sign', async () => {
  const text = `FROM ssh-base:1\nCOPY two.pub /\nRUN --mount=type=ssh,id=theirs --mount=type=ssh,id=mine,target=/tmp/mine.sock,uid=1000,mode=400 echo $SSH_AUTH_SOCK && ssh-add -L && SSH_AUTH_SOCK=/tmp/mine.sock ssh-add -L && SSH_AUTH_SOCK=/tmp/mine.sock ssh-add -T /two.pub && echo signed
USER app\nRUN --mount=type=ssh,id=mine,uid=1000 ssh-add -L && echo as $(busybox id -un)\nRUN --mount=type=ssh,id=mine ssh-add -L 2>&1 || echo refused\n`;
  const { stderr, status } = await run(['build', '--progress', 'plain', '--no-cache', '--ssh', `theirs=${socket}`, '--ssh', `mine=${join(scratch, 'two')}`, context(text, { 'two.pub': keyOf('two') })]);
  assert.equal(status, 0, stderr);
  const shown = stderr.split('\n').flatMap((line) => /^#\d+ [\d.]+ (.*)$/.exec(line)?.[1] ?? []).join('\n');
  assert.match(shown, new RegExp(`^/run/buildkit/ssh_agent\\.0\n${keyOf('one')}${keyOf('two')}signed\n${keyOf('two')}as app\n[^]*Permission denied\nrefused$`.replaceAll('+', '\\+')));
  assert.deepEqual(readdirSync(temporary), []);
});

test('stages that run at once reach the agent from threads of their own', async () => {
  const stage = (name: string): string => `FROM ssh-base:1 AS ${name}\nRUN --mount=type=ssh,required ssh-add -L > /${name}\n`;
  await mustRun(['build', '--jobs', '3', '--ssh', 'default', '-t', 'stages:1', context(`${stage('a')}${stage('b')}${stage('c')}FROM ssh-base:1\nCOPY --from=a /a /\nCOPY --from=b /b /\nCOPY --from=c /c /\nCMD ["cat", "/a", "/b", "/c"]\n`)]);
  assert.equal(await mustRun(['run', 'stages:1']), keyOf('one').repeat(3));
});

test('an agent that is not given is not there, or is said to be missing where it is required', async () => {
  await mustRun(['build', '-t', 'none:1', context('FROM ssh-base:1\nRUN --mount=type=ssh echo "<$SSH_AUTH_SOCK>" > /place; test -e /run/buildkit || echo none >> /place\nCMD ["cat", "/place"]\n')]);
  assert.equal(await mustRun(['run', 'none:1']), '<>\nnone\n');
  const { stderr, status } = await run(['build', '--progress', 'quiet', '--ssh', 'default', context('FROM ssh-base:1\nRUN --mount=type=ssh,id=deploy,required=true true\n')]);
  assert.equal(status, 1);
  assert.match(stderr, /Dockerfile:2: cannot mount the agent "deploy": it was not given \(give it with --ssh deploy=SOCKET\)/);
});

test('--ssh says what is wrong', async () => {
  const directory = context('FROM ssh-base:1\nRUN --mount=type=ssh true\n');
  const cases: readonly (readonly [flags: readonly string[], message: RegExp, env?: Readonly<Record<string, string>>])[] = [
    [['default'], /SSH_AUTH_SOCK is not set \(start an agent/, { SSH_AUTH_SOCK: '' }], [['default'], /there is no "\/no\/agent"/, { SSH_AUTH_SOCK: '/no/agent' }], [['default'], /is no socket/, { SSH_AUTH_SOCK: '/etc/passwd' }],
    [['=x'], /it has no id/], [['default', 'default'], /"default" is given twice/], [['a=/no/key'], /there is no "\/no\/key"/], [[`a=${scratch}`], /is neither a socket nor a file/], [[`a=${socket},${join(scratch, 'one')}`], /one agent has one socket/],
    [[`a=${join(scratch, 'base.tar')}`], /ssh-add does not take/], [[`a=${join(scratch, 'locked')}`], /ssh-add does not take "[^"]*\/locked"/],
  ];
  for (const [flags, message, env = {}] of cases) {
    const { stderr, status } = await run(['build', ...flags.flatMap((flag) => ['--ssh', flag]), directory], { env });
    assert.equal(status, 125, stderr);
    assert.match(stderr, /^caisson: cannot use --ssh /, flags.join(' '));
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, /\n {4}at /);
  }
  assert.deepEqual(readdirSync(temporary), []);
});
