/** The public API, as built. The examples of its docstrings are run by test/package. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import type * as Api from '../../src/sandbox/index.ts';

const { Sandbox } = (await import(new URL('../../dist/sandbox.mjs', import.meta.url).href)) as typeof Api;

async function withSandbox(options: Api.SandboxOptions, body: (sandbox: Api.Sandbox) => Promise<void>): Promise<void> {
  const sandbox = await Sandbox.create(options);
  try {
    await body(sandbox);
  } finally {
    await sandbox.kill();
  }
}

test('commands.run() gives output and exit code', () =>
  withSandbox({}, async ({ commands }) => {
    assert.deepEqual(await commands.run('echo $((6 * 7)); echo no >&2; exit 3'), { exitCode: 3, stdout: '42\n', stderr: 'no\n', timedOut: false });
    assert.equal((await commands.run(['/bin/cat'], { stdin: 'text äöü' })).stdout, 'text äöü');
    assert.equal((await commands.run('echo $X; pwd', { env: { X: 'y' }, cwd: '/usr' })).stdout, 'y\n/usr\n');
    assert.equal((await commands.run('id -u', { user: { uid: 7, gid: 8, groups: [8] } })).stdout, '7\n');
    assert.equal((await commands.run('kill -TERM $$')).signal, 'SIGTERM');
    const texts: string[] = [];
    await commands.run('echo one; sleep 0.1; echo two', { onStdout: (text) => texts.push(text) });
    assert.equal(texts.join(''), 'one\ntwo\n');
  }));

test('commands.run() ends by time and by signal', () =>
  withSandbox({}, async ({ commands }) => {
    const late = await commands.run('sleep 20', { timeoutMs: 200 });
    assert.equal(late.timedOut, true);
    const controller = new AbortController();
    const running = commands.run('sleep 20', { signal: controller.signal });
    setTimeout(() => controller.abort(), 200);
    assert.equal((await running).signal, 'SIGKILL');
  }));

test('ports lead in, and one that is taken is said', () =>
  withSandbox({ ports: [{ port: 7000 }, { port: 7001, address: '127.0.0.1', protocol: 'udp' }] }, async ({ commands, ports }) => {
    const place = ports.find(({ port, address }) => port === 7000 && address === '127.0.0.1');
    assert.ok(place !== undefined && place.hostPort > 0);
    assert.deepEqual(ports.filter(({ port }) => port === 7001).map(({ protocol, address }) => [protocol, address]), [['udp', '127.0.0.1']]);
    await commands.start(['/usr/bin/socat', 'TCP-LISTEN:7000,fork', 'EXEC:cat']);
    const echoed = (): Promise<string> => new Promise((resolve) => {
      const socket = connect({ host: '127.0.0.1', port: place.hostPort });
      socket.on('data', (data) => {
        socket.destroy();
        resolve(data.toString());
      });
      socket.on('error', () => resolve(''));
      socket.write('hello');
    });
    let answer = '';
    for (let attempt = 0; answer === '' && attempt < 600; attempt++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      answer = await echoed();
    }
    assert.equal(answer, 'hello');
    await assert.rejects(Sandbox.create({ ports: [{ port: 80, hostPort: place.hostPort }] }), { name: 'SandboxError', code: 'EADDRINUSE', message: `cannot make the sandbox: port ${place.hostPort} of 127.0.0.1: EADDRINUSE` });
    await assert.rejects(Sandbox.create({ ports: [{ port: 0 }] }), { name: 'RangeError', message: 'the port 0 is not a number from 1 to 65535' });
  }));

test('commands.start() runs beside others, and can be written to', () =>
  withSandbox({}, async ({ commands }) => {
    const cat = await commands.start('cat');
    const other = await commands.run('echo meanwhile');
    assert.equal(other.stdout, 'meanwhile\n');
    await cat.write('hello');
    await cat.closeStdin();
    assert.equal((await cat.wait()).stdout, 'hello');
    const sleeper = await commands.start('sleep 20');
    await sleeper.kill(15);
    assert.equal((await sleeper.wait()).signal, 'SIGTERM');
  }));

test('commands.run() with a terminal', () =>
  withSandbox({}, async ({ commands }) => {
    const { stdout } = await commands.run('test -t 1 && stty size', { pty: { rows: 33, columns: 101 } });
    assert.equal(stdout, '33 101\r\n');
  }));

test('a command that cannot be started is an error with a code', () =>
  withSandbox({}, async ({ commands }) => {
    await assert.rejects(commands.run(['/no/such/program']), { name: 'SandboxError', code: 'ENOENT' });
    await assert.rejects(commands.run([]), { name: 'SandboxError', code: 'EINVAL' });
  }));

test('files can be read, written, listed, moved and removed', () =>
  withSandbox({}, async ({ files, commands }) => {
    await files.makeDirectory('/tmp/d');
    await files.write('/tmp/d/a', 'text', { mode: 0o755 });
    assert.equal(await files.read('/tmp/d/a'), 'text');
    assert.equal((await files.stat('/tmp/d/a')).mode, 0o755);
    await files.rename('/tmp/d/a', '/tmp/d/b');
    assert.deepEqual((await files.list('/tmp/d')).map(({ name, type, size }) => ({ name, type, size })), [{ name: 'b', type: 'file', size: 4 }]);
    assert.equal((await commands.run('cat /tmp/d/b')).stdout, 'text');
    await files.remove('/tmp/d');
    await assert.rejects(files.read('/tmp/d/b'), { code: 'ENOENT' });
  }));

test('files.watch() tells of entries that come and go', () =>
  withSandbox({}, async ({ files, commands }) => {
    const controller = new AbortController();
    const seen: string[] = [];
    await files.makeDirectory('/tmp/watched');
    await files.watch('/tmp/watched', ({ kind, path }) => seen.push(`${kind} ${path}`), { signal: controller.signal });
    await commands.run('echo x > /tmp/watched/f; sleep 0.6; rm /tmp/watched/f; sleep 0.6', { user: { uid: 0, gid: 0, groups: [] } });
    controller.abort();
    assert.deepEqual(seen, ['added /tmp/watched/f', 'removed /tmp/watched/f']);
  }));

test('changes() lists what differs from the root', () =>
  withSandbox({}, async (sandbox) => {
    await sandbox.commands.run('echo x > /tmp/caisson-made');
    assert.ok((await sandbox.changes()).some(({ kind, path }) => kind === 'A' && path === '/tmp/caisson-made'));
  }));

test('several sandboxes run side by side and do not see each other', async () => {
  const sandboxes = await Promise.all([1, 2, 3].map(() => Sandbox.create()));
  try {
    const outputs = await Promise.all(sandboxes.map(({ commands }, index) => commands.run(`echo ${index} > /tmp/caisson-mine; sleep 0.2; cat /tmp/caisson-mine; ls /proc | grep -c '^[0-9]'`)));
    outputs.forEach(({ stdout }, index) => assert.match(stdout, new RegExp(`^${index}\\n[1-5]\\n$`)));
  } finally {
    await Promise.all(sandboxes.map((sandbox) => sandbox.kill()));
  }
});

test('a killed sandbox says so, and running commands count as killed', async () => {
  const sandbox = await Sandbox.create();
  const running = await sandbox.commands.start('sleep 20');
  await sandbox.kill();
  assert.equal((await running.wait()).signal, 'SIGKILL');
  await assert.rejects(sandbox.commands.run('true'), { name: 'SandboxError', message: /was killed/ });
});

test('a root that does not exist is an error with a code', async () => {
  await assert.rejects(Sandbox.create({ root: '/no/such/root' }), { name: 'SandboxError', code: 'ENOENT' });
});
