/** Nothing of the host is changed, and what is hidden is not seen: promises I1 and I2. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { inSandbox } from '../cli/caisson.ts';

const scratch = (): string => fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'caisson-host-')));

/** Everything that a tree is, except access times. */
function fingerprint(directory: string): string {
  const hash = createHash('sha256');
  const visit = (path: string): void => {
    const stats = fs.lstatSync(path, { bigint: true });
    hash.update(`${path} ${stats.mode} ${stats.uid} ${stats.gid} ${stats.size} ${stats.mtimeNs} ${stats.ino}\n`);
    if (stats.isSymbolicLink()) hash.update(fs.readlinkSync(path));
    else if (stats.isFile()) hash.update(fs.readFileSync(path));
    else if (stats.isDirectory()) for (const name of fs.readdirSync(path).sort()) visit(join(path, name));
  };
  visit(directory);
  return hash.digest('hex');
}

test('a command that does its worst to files leaves them as they were', async () => {
  const cwd = scratch();
  fs.mkdirSync(join(cwd, 'd/e'), { recursive: true });
  for (const name of ['a', 'd/b', 'd/e/c']) fs.writeFileSync(join(cwd, name), `${name} content\n`);
  fs.symlinkSync('a', join(cwd, 'l'));
  const before = fingerprint(cwd);
  const result = await inSandbox(
    'echo x >> a; rm d/b; mv d/e moved; ln -sf /etc/passwd l; echo y > l; chmod 0 a; touch -d 2001-01-01 d; truncate -s 0 moved/c; mkdir new; mkfifo p; cp /bin/true t; chown 5:5 a; dd if=/dev/zero of=a bs=1 count=3 conv=notrunc 2>/dev/null; rm -rf d; ls',
    [],
    { cwd },
  );
  assert.equal(result.status, 0, result.stderr);
  assert.equal(result.stdout, 'a\nl\nmoved\nnew\np\nt\n');
  assert.equal(fingerprint(cwd), before);
  fs.rmSync(cwd, { recursive: true });
});

test('rm -rf of everything removes nothing', async () => {
  const cwd = scratch();
  fs.writeFileSync(join(cwd, 'keep'), 'x');
  await inSandbox(`rm -rf ${cwd} /etc/apt /opt`, [], { cwd });
  assert.ok(fs.existsSync(join(cwd, 'keep')) && fs.existsSync('/etc/apt'));
  fs.rmSync(cwd, { recursive: true });
});

test('processes of the host are not seen and cannot be signalled', async () => {
  const { stdout } = await inSandbox(`ls /proc | grep -c '^[0-9]'; test -e /proc/${process.pid}/environ && echo seen; kill -0 ${process.pid} 2>/dev/null && echo reached; cat /proc/1/environ 2>/dev/null | tr '\\0' '\\n' | grep CAISSON_HOST; true`, [], { env: { CAISSON_HOST: 'secret' } });
  assert.match(stdout, /^[1-5]\n$/);
});

test('loopback of the host is not the loopback inside', async () => {
  const server = createServer((socket) => socket.end('host'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  for (const flags of [[], ['--net', 'outbound']]) {
    const { stdout, stderr } = await inSandbox(`/usr/bin/python3 -c 'import socket
try:
    print(socket.create_connection(("127.0.0.1", ${port}), 3).recv(9))
except OSError as e:
    print("refused")'`, flags);
    assert.equal(stdout, 'refused\n', stderr);
  }
  await new Promise((resolve) => server.close(resolve));
});

test('sockets and devices of the host cannot be opened', async () => {
  const cwd = scratch();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(join(cwd, 'sock'), resolve));
  const { stdout } = await inSandbox(`/usr/bin/python3 -c 'import socket
s = socket.socket(socket.AF_UNIX)
try:
    s.connect("${cwd}/sock"); print("connected")
except OSError as e:
    print("refused")'; for d in /dev/sda /dev/vda /dev/mem /dev/kmsg /dev/kvm; do test -r $d && echo $d; done; true`, [], { cwd });
  assert.equal(stdout, 'refused\n');
  await new Promise((resolve) => server.close(resolve));
  fs.rmSync(cwd, { recursive: true });
});

test('a writable directory cannot be left through a link', async () => {
  const granted = scratch();
  const outside = scratch();
  fs.writeFileSync(join(outside, 'secret'), 'before');
  fs.symlinkSync(outside, join(granted, 'way'));
  fs.symlinkSync(join(outside, 'secret'), join(granted, 'file'));
  await inSandbox(`cd ${granted}; echo x > way/secret; echo x > file; echo x > way/new; ln ${outside}/secret hard; ln -s ${outside} other; echo y > other/secret; mv way/secret . ; true`, ['--rw', granted]);
  assert.equal(fs.readFileSync(join(outside, 'secret'), 'utf8'), 'before');
  assert.deepEqual(fs.readdirSync(outside), ['secret']);
  fs.rmSync(granted, { recursive: true });
  fs.rmSync(outside, { recursive: true });
});

test('a directory that is swapped for a link while it is written does not lead out', async () => {
  const granted = scratch();
  const outside = scratch();
  fs.mkdirSync(join(granted, 'd'));
  let stop = false;
  const swap = (async () => {
    while (!stop) {
      try {
        fs.renameSync(join(granted, 'd'), join(granted, 'away'));
        fs.symlinkSync(outside, join(granted, 'd'));
        await new Promise((resolve) => setTimeout(resolve, 1));
        fs.unlinkSync(join(granted, 'd'));
        fs.renameSync(join(granted, 'away'), join(granted, 'd'));
      } catch {
        // The command inside was quicker.
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  })();
  await inSandbox(`cd ${granted}; i=0; while [ $i -lt 3000 ]; do echo x > d/f$i; i=$((i+1)); done 2>/dev/null; true`, ['--rw', granted]);
  stop = true;
  await swap;
  assert.deepEqual(fs.readdirSync(outside), []);
  fs.rmSync(granted, { recursive: true });
  fs.rmSync(outside, { recursive: true });
});

test('what is kept for the next run is neither seen nor written, whatever is granted', async () => {
  const home = scratch();
  const cache = join(home, '.cache/caisson');
  fs.mkdirSync(cache, { recursive: true });
  fs.writeFileSync(join(cache, 'units-x.parts'), 'before');
  const env = { HOME: home };
  const script = `ls -A ${home}/.cache; echo x > ${cache}/units-x.parts; mv ${home}/.cache ${home}/moved; mkdir -p ${cache}; echo x > ${cache}/new; ls -A /elsewhere; true`;
  const { stdout } = await inSandbox(script, ['--rw', home, '-v', `${home}/.cache:/elsewhere:rw`, '--show', cache], { env });
  assert.equal(stdout, '');
  assert.equal(fs.readFileSync(join(cache, 'units-x.parts'), 'utf8'), 'before');
  assert.ok(!fs.existsSync(join(cache, 'new')));
  fs.rmSync(home, { recursive: true });
});

test('temporary files and caches of ours are not left behind', async () => {
  const own = fs.mkdtempSync(join(tmpdir(), 'caisson-untouched-'));
  try {
    assert.equal((await inSandbox('echo x > /tmp/inside-only', [], { env: { TMPDIR: own } })).status, 0);
    assert.deepEqual(fs.readdirSync(own), []);
    assert.ok(!fs.existsSync('/tmp/inside-only'));
  } finally {
    fs.rmSync(own, { recursive: true });
  }
});
