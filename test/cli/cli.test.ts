/** The command line: exit statuses, streams, flags. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { caisson, caissonPath, inSandbox, spawnCaisson } from './caisson.ts';

const scratch = (): string => fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'caisson-cli-')));

test('help and version', async () => {
  const help = await caisson(['--help']);
  assert.equal(help.status, 0);
  assert.match(help.stdout, /caisson do/);
  const doHelp = await caisson(['do', '--help']);
  assert.match(doHelp.stdout, /--allow-net HOST/);
  assert.match(doHelp.stdout, /Examples:/);
  assert.match((await caisson(['--version'])).stdout, /^caisson \d+\.\d+\.\d+\n$/);
});

test('exit statuses are the command\'s own, or Docker\'s', async () => {
  assert.equal((await inSandbox('exit 0')).status, 0);
  assert.equal((await inSandbox('exit 42')).status, 42);
  assert.equal((await inSandbox('kill -TERM $$')).status, 143);
  assert.equal((await inSandbox('kill -KILL $$')).status, 137);
  const notFound = await caisson(['do', '--', 'no-such-program']);
  assert.equal(notFound.status, 127);
  assert.match(notFound.stderr, /^caisson: cannot run "no-such-program": no such program \(.*\)\n$/);
  const notExecutable = await caisson(['do', '--', '/etc/passwd']);
  assert.equal(notExecutable.status, 126);
  assert.match(notExecutable.stderr, /^caisson: cannot run "\/etc\/passwd": permission denied/);
  assert.equal((await caisson(['do', '--no-such-flag', '--', 'true'])).status, 125);
  assert.equal((await caisson(['do'])).status, 125);
  assert.equal((await caisson(['nonsense'])).status, 125);
});

test('a slow reader of a pipe gets all of a long output', () => {
  const directory = scratch();
  for (let index = 0; index < 1500; index++) {
    fs.mkdirSync(join(directory, 'node_modules', `p${index}`), { recursive: true });
    fs.writeFileSync(join(directory, 'node_modules', `p${index}`, 'package.json'), `{"name":"p${index}","version":"1.0.0"}`);
  }
  // It reads late: what is more than a pipe holds has to wait for it.
  const { stdout } = spawnSync('sh', ['-c', '"$0" "$1" scan --scanners vuln --packages --no-cache -q -f json "$2" | { sleep 1; cat; }', process.execPath, caissonPath, directory], { encoding: 'utf8', maxBuffer: 1 << 26 });
  assert.ok(stdout.length > 1 << 17);
  assert.equal((JSON.parse(stdout) as { packages: unknown[] }).packages.length, 1500);
  fs.rmSync(directory, { recursive: true });
});

test('no error shows a JavaScript stack', async () => {
  for (const args of [['do', '--root', '/nope', '--', 'true'], ['do', '-v', '/nope:/x', 'true'], ['do', '--rw', '/etc/passwd', 'true'], ['do', '--strace=nope', 'true'], ['debug', 'disassemble', '/etc/passwd'], ['do', '-w', '/nope', 'true'], ['do', '--allow-net', ':::', 'true']]) {
    const { stderr, status } = await caisson(args);
    assert.ok(status === 125 || status === 127, `${args.join(' ')}: ${status}`);
    assert.match(stderr, /^caisson: cannot [^\n]*\n$/);
  }
});

test('standard streams go through, both ways', async () => {
  const { stdout, stderr } = await inSandbox('cat; echo problem >&2', [], { input: 'one\ntwo\n' });
  assert.equal(stdout, 'one\ntwo\n');
  assert.equal(stderr, 'problem\n');
  const big = 'x'.repeat(3_000_000);
  assert.equal((await inSandbox('cat', [], { input: big })).stdout.length, big.length);
});

test('a reader that goes away ends the writer', async () => {
  const child = spawnCaisson(['do', '--', 'yes']);
  child.stdin.end();
  await new Promise((resolve) => child.stdout.once('data', resolve));
  child.stdout.destroy();
  const status = await new Promise((resolve) => child.on('exit', (code, signal) => resolve(code ?? signal)));
  assert.equal(status, 141);
});

test('signals are forwarded', async () => {
  for (const [signal, expected] of [['SIGTERM', 15], ['SIGINT', 2], ['SIGHUP', 1], ['SIGUSR1', 10]] as const) {
    const child = spawnCaisson(['do', '--', 'sh', '-c', `trap "echo got ${expected}; exit 7" ${expected}; echo ready; while :; do sleep 0.05; done`]);
    let text = '';
    await new Promise<void>((resolve) => {
      child.stdout.on('data', (bytes: Buffer) => {
        text += bytes.toString();
        if (text.includes('ready')) resolve();
      });
    });
    child.kill(signal);
    const code = await new Promise((resolve) => child.on('close', resolve));
    assert.equal(code, 7, signal);
    assert.match(text, new RegExp(`got ${expected}`));
  }
});

test('the parent of the command is outside, that of an orphan process 1', async () => {
  const { stdout } = await inSandbox(`echo $PPID; (sh -c 'sleep 0.2; grep PPid /proc/$$/status' &); sleep 0.6`);
  assert.equal(stdout, '0\nPPid:\t1\n');
});

test('a command that nothing will wake is waited for', async () => {
  const child = spawnCaisson(['do', '--', 'sh', '-c', 'kill -STOP $$']);
  child.stdin.end();
  const ended = new Promise((resolve) => child.on('close', (_code, signal) => resolve(signal)));
  await new Promise((resolve) => setTimeout(resolve, 1500));
  child.kill('SIGKILL');
  assert.equal(await ended, 'SIGKILL');
});

test('--timeout ends the command, gently first', async () => {
  const gentle = await inSandbox('trap "echo bye; exit 3" TERM; while :; do sleep 0.05; done', ['--timeout', '500ms']);
  assert.equal(gentle.status, 124);
  assert.equal(gentle.stdout, 'bye\n');
  assert.equal((await inSandbox('trap "" TERM; while :; do :; done', ['--timeout', '300ms'])).status, 124);
});

test('-e, --env-file, -w, -u and --hostname say what the command sees', async () => {
  const directory = scratch();
  fs.writeFileSync(join(directory, 'env'), '# a comment\nFROM_FILE=yes\n');
  const { stdout } = await inSandbox('echo $A $FROM_FILE [$SECRET_TOKEN] $(pwd) $(id -u):$(id -g) $(hostname)', ['-e', 'A=1', '--env-file', join(directory, 'env'), '-w', '/usr', '-u', '1234:1235', '--hostname', 'box'], { env: { SECRET_TOKEN: 'x' } });
  assert.equal(stdout, '1 yes [] /usr 1234:1235 box\n');
  const kept = await inSandbox('pwd; id -u; hostname', [], { cwd: directory });
  assert.equal(kept.stdout, `${directory}\n${process.getuid?.()}\n${hostname()}\n`);
  fs.rmSync(directory, { recursive: true });
});

test('-v, --rw, --tmpfs and --read-only decide what can be written', async () => {
  const directory = scratch();
  fs.writeFileSync(join(directory, 'file'), 'here\n');
  const ro = await inSandbox('cat /data/file; echo x > /data/file || echo refused', ['-v', `${directory}:/data`]);
  assert.equal(ro.stdout, 'here\nrefused\n');
  const rw = await inSandbox('echo new > /data/made; mkdir /data/d; mv /data/made /data/d/', ['-v', `${directory}:/data:rw`]);
  assert.equal(rw.status, 0, rw.stderr);
  assert.equal(fs.readFileSync(join(directory, 'd/made'), 'utf8'), 'new\n');
  const same = await inSandbox('echo again > here', ['--rw', directory], { cwd: directory });
  assert.equal(same.status, 0, same.stderr);
  assert.equal(fs.readFileSync(join(directory, 'here'), 'utf8'), 'again\n');
  const tmpfs = await inSandbox('ls -A /usr; echo x > /usr/y && cat /usr/y; head -c 3000000 /dev/zero > /usr/big || echo full', ['--tmpfs', '/usr/share:size=1m', '--tmpfs', '/opt:size=1m']);
  assert.equal(tmpfs.status, 0);
  const readOnly = await inSandbox('echo x > /tmp/y || echo refused', ['--read-only']);
  assert.equal(readOnly.stdout, 'refused\n');
  fs.rmSync(directory, { recursive: true });
});

test('--hide makes a path look absent, and --show gives one back', async () => {
  const home = scratch();
  fs.mkdirSync(join(home, '.ssh'));
  fs.writeFileSync(join(home, '.ssh/id'), 'key');
  fs.writeFileSync(join(home, 'plain'), 'text');
  // A code cache for the running Node version shall not appear in it.
  const settings = { env: { HOME: home, XDG_CACHE_HOME: '/dev/null' } };
  assert.equal((await inSandbox('ls -A "$HOME"', [], settings)).stdout, 'plain\n');
  assert.equal((await inSandbox('cat "$HOME/.ssh/id" || echo gone', [], settings)).stdout, 'gone\n');
  assert.equal((await inSandbox('cat "$HOME/.ssh/id"', ['--show', join(home, '.ssh')], settings)).stdout, 'key');
  assert.equal((await inSandbox('ls -A "$HOME"', ['--hide', join(home, 'plain')], settings)).stdout, '');
  fs.rmSync(home, { recursive: true });
});

test('limits hold', async () => {
  const tasks = await inSandbox('for i in 1 2 3 4 5 6 7 8 9; do sleep 5 & done 2>&1; echo; kill $(jobs -p)', ['--pids-limit', '4']);
  assert.match(tasks.stdout + tasks.stderr, /[Cc]annot fork|Resource temporarily unavailable/);
  assert.equal((await inSandbox('ulimit -n', ['--ulimit', 'nofile=77'])).stdout, '77\n');
  const memory = await caisson(['do', '-m', '64m', '--', '/usr/bin/python3', '-c', 'x = b"x" * (200 << 20)']);
  assert.equal(memory.status, 137, memory.stderr);
});

test('--cap-add and --cap-drop change what root may do', async (context) => {
  const settings = ['-u', '0'];
  context.diagnostic('as uid 0 inside');
  const plain = await inSandbox('grep CapEff /proc/self/status; chown 5 /tmp && echo may', settings);
  assert.match(plain.stdout, /may/);
  const dropped = await inSandbox('touch /tmp/x; chown 5 /tmp/x || echo refused', [...settings, '--cap-drop', 'ALL']);
  assert.match(dropped.stdout, /refused/);
});

test('--strace shows system calls on standard error, and filters them', async () => {
  const command = ['/bin/cat', '/etc/hostname'];
  const { stderr, stdout } = await caisson(['do', '--strace=%file', '--', ...command]);
  const native = spawnSync('strace', ['-e', 'trace=openat', ...command], { encoding: 'utf8', env: { LANG: 'C.UTF-8' } });
  const line = native.stderr.split('\n').find((text) => text.includes('hostname'));
  assert.match(line ?? '', /^openat\(AT_FDCWD, "\/etc\/hostname", O_RDONLY\) += 3$/);
  assert.ok(stderr.split('\n').includes(line ?? ''), stderr);
  assert.doesNotMatch(stderr, /^mmap/m);
  assert.ok(stdout.length > 0);
});

test('--strace shows signals and the end of each process as strace does', async () => {
  const script = 'trap : USR1; kill -USR1 $$; (exit 3); kill -SEGV $$';
  const lines = (text: string): string[] => text.replaceAll(/\[pid +\d+\] |si_utime=.*stime=\d+/g, '').replaceAll(/(si_pid=)\d+/g, '$1N').split('\n').filter((line) => /^(---|\+\+\+)/.test(line));
  const { stderr } = await caisson(['do', '--strace=kill', '--', '/bin/sh', '-c', script]);
  const native = spawnSync('strace', ['-f', '-e', 'trace=kill', '/bin/sh', '-c', script], { encoding: 'utf8', env: { LANG: 'C.UTF-8' } });
  assert.deepEqual(lines(stderr), lines(native.stderr).map((line) => line.replace(' (core dumped)', '')));
});

test('--stats says what it cost', async () => {
  const { stderr } = await caisson(['do', '--stats', '--', '/bin/true']);
  assert.match(stderr, /system calls +\d+/);
});

test('--root uses another directory as /', async () => {
  const root = scratch();
  fs.mkdirSync(join(root, 'bin'));
  fs.copyFileSync('/bin/busybox', join(root, 'bin/busybox'));
  const { stdout, stderr } = await caisson(['do', '--root', root, '--', '/bin/busybox', 'sh', '-c', '/bin/busybox ls /; echo > /made']);
  assert.equal(stdout, 'bin\ndev\nproc\nsys\n', stderr);
  assert.deepEqual(fs.readdirSync(root), ['bin']);
  fs.rmSync(root, { recursive: true });
});

test('debug disassemble shows a function', async () => {
  const { stdout } = await caisson(['debug', 'disassemble', '/bin/busybox']);
  assert.match(stdout, /\bsyscall\b/);
});
