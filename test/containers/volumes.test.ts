/** Volumes: what containers keep in them, what they begin with, when they go, and what hostile ones can do in them. By the built command. */
import assert from 'node:assert/strict';
import { existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { testStore, until } from './testing.ts';

const { scratch, home, run, mustRun, load, remove } = testStore();
const dataOf = (name: string): string => join(home, 'volumes', name, '_data');
const volumes = async (...flags: readonly string[]): Promise<string[]> => (await mustRun(['volume', 'ls', '-q', ...flags])).split('\n').filter((line) => line !== '');
const inside = (flags: readonly string[], script: string): Promise<string> => mustRun(['run', '--rm', ...flags, 'busybox:1', 'sh', '-c', script]);
const LIST = 'busybox find /v -exec busybox stat -c "%n %F %u:%g %a" {} + | busybox sort';

before(load);
after(remove);

test('a volume outlives containers, is seen by several at once, and by who looks from outside; a killed process loses nothing of it', async () => {
  await mustRun(['run', '-d', '--name', 'writer', '-v', 'shared:/v', 'busybox:1', 'sh', '-c', 'echo one > /v/one; echo ready; sleep 1000']);
  await until(async () => (await mustRun(['logs', 'writer'])).includes('ready'), 'it has written');
  assert.equal(await inside(['-v', 'shared:/other'], 'cat /other/one; echo two > /other/two'), 'one\n');
  assert.equal(await mustRun(['exec', 'writer', 'cat', '/v/two']), 'two\n');
  assert.equal(readFileSync(join(dataOf('shared'), 'two'), 'utf8'), 'two\n');
  await mustRun(['exec', 'writer', 'sh', '-c', 'echo three > /v/three; echo lost > /lost']);
  process.kill(Number((await mustRun(['inspect', '-f', '{{.State.Pid}}', 'writer'])).trim()), 'SIGKILL');
  await until(async () => (await mustRun(['inspect', '-f', '{{.State.ExitCode}}', 'writer'])) === '137\n', 'it was killed');
  assert.equal(readFileSync(join(dataOf('shared'), 'three'), 'utf8'), 'three\n');
  assert.equal(await mustRun(['diff', 'writer']), '', 'what is in a volume is no change of the container');
  assert.match((await run(['volume', 'rm', 'shared'])).stderr, /volume is in use/);
  await mustRun(['rm', 'writer']);
  assert.equal(await mustRun(['volume', 'rm', 'shared']), 'shared\n');
  assert.ok(!existsSync(join(home, 'volumes', 'shared')));
});

test('an empty volume begins with what the image has at the place, owners and links too, once; nocopy does not', async () => {
  writeFileSync(join(scratch, 'Dockerfile'), `FROM busybox:1
RUN busybox mkdir -p /v/private && echo file > /v/private/file && busybox chown 7:8 /v/private/file && busybox chmod 640 /v/private/file && busybox ln -s /etc/passwd /v/link && busybox chown 999:998 /v /v/private && busybox chmod 700 /v/private && busybox chmod 1777 /v
VOLUME /v
CMD ["sleep", "1000"]
`);
  await mustRun(['build', '-q', '-t', 'voluminous', scratch]);
  const listed = '/v directory 999:998 1777\n/v/link symbolic link 0:0 777\n/v/private directory 999:998 700\n/v/private/file regular file 7:8 640\n';
  const list = (flags: readonly string[]): Promise<string> => mustRun(['run', '--rm', ...flags, 'voluminous', 'sh', '-c', LIST]);
  assert.equal(await list(['-v', 'filled:/v']), listed);
  assert.equal(await list(['-v', 'bare:/v:nocopy']), '/v directory 0:0 755\n');
  assert.equal(await list(['--mount', 'type=volume,source=bare2,target=/v,volume-nocopy']), '/v directory 0:0 755\n');
  await mustRun(['run', '--rm', '-v', 'filled:/v', 'voluminous', 'busybox', 'rm', '-r', '/v/private']);
  assert.equal(await list(['-v', 'filled:/v']), '/v directory 999:998 1777\n/v/link symbolic link 0:0 777\n');
  // Owners and rights that guests give are kept, whoever runs them, and hold.
  await inside(['-v', 'filled:/v'], 'echo mine > /v/mine; busybox chown 5:6 /v/mine; busybox chmod 600 /v/mine');
  assert.equal((await run(['run', '--rm', '-u', '5:6', '-v', 'filled:/v', 'busybox:1', 'cat', '/v/mine'])).stdout, 'mine\n');
  assert.match((await run(['run', '--rm', '-u', '8:6', '-v', 'filled:/v', 'busybox:1', 'cat', '/v/mine'])).stderr, /Permission denied/);
  // Nobody has named it: a new one each time, which goes with its container where that is asked for.
  const before = await volumes();
  assert.equal(await list([]), listed);
  assert.deepEqual(await volumes(), before);
  await mustRun(['run', '-d', '--name', 'kept', 'voluminous']);
  const [anonymous = ''] = (await volumes()).filter((name) => !before.includes(name));
  assert.match(anonymous, /^[0-9a-f]{64}$/);
  assert.equal(await mustRun(['inspect', '-f', '{{range .Mounts}}{{.Type}} {{.Name}} {{.Destination}}{{end}}', 'kept']), `volume ${anonymous} /v\n`);
  await mustRun(['rm', '-f', 'kept']);
  assert.ok((await volumes()).includes(anonymous));
  assert.match(await mustRun(['volume', 'prune', '-f']), new RegExp(`^Deleted Volumes:\\n${anonymous}\\n\\nTotal reclaimed space: \\d+B\\n$`));
  await mustRun(['run', '-d', '--name', 'kept', '-v', 'named:/n', 'voluminous']);
  await mustRun(['rm', '-fv', 'kept']);
  assert.deepEqual(await volumes(), ['bare', 'bare2', 'filled', 'named']);
  assert.match(await mustRun(['volume', 'prune', '-af']), /bare\nbare2\nfilled\nnamed\n/);
});

test('read-only containers write to volumes, and nobody to read-only ones; one below another; a container goes on with its own', async () => {
  assert.equal(await inside(['--read-only', '-v', 'rw:/v', '-v', 'inner:/v/inner'], 'echo a > /v/a; echo b > /v/inner/b; touch /x 2>/dev/null || ls /v'), 'a\ninner\n');
  assert.deepEqual([readdirSync(dataOf('rw')), readdirSync(dataOf('inner'))], [['a', 'inner'], ['b']]);
  assert.equal((await run(['run', '--rm', '-v', 'rw:/v:ro', 'busybox:1', 'sh', '-c', 'busybox rm /v/a || busybox chmod 0 /v/a || echo x > /v/b || exit 7'])).status, 7);
  await mustRun(['run', '--name', 'counter', '-v', '/v', 'busybox:1', 'sh', '-c', 'n=0; [ -e /v/n ] && read n < /v/n; echo $((n+1)) > /v/n; cat /v/n']);
  assert.equal(await mustRun(['start', '-a', 'counter']), '2\n');
  assert.equal(await mustRun(['start', '-a', 'counter']), '3\n');
  await mustRun(['rm', '-v', 'counter']);
  assert.deepEqual(await volumes(), ['inner', 'rw']);
});

test('hostile: links in a volume lead nowhere outside; what is too deep, or has no rights, can be removed all the same', async () => {
  const secret = join(scratch, 'secret');
  writeFileSync(secret, 'of the host');
  await inside(['-v', 'evil:/v'], `busybox ln -s ${secret} /v/link; busybox ln -s ${scratch} /v/directory; busybox ln -s ../../../../../../../../../.. /v/up`);
  const seen = await run(['run', '--rm', '-v', 'evil:/v', 'busybox:1', 'sh', '-c', `cat /v/link; ls /v/directory/secret; cat /v/up${secret}; echo x > /v/link`]);
  assert.deepEqual([seen.stdout, seen.stderr.includes('of the host'), readFileSync(secret, 'utf8')], ['', false, 'of the host']);
  await inside(['-v', 'deep:/v'], 'cd /v; busybox mkdir last; echo bottom > last/file; i=0; while [ $i -lt 60 ]; do n=$(busybox printf "%0200d" $i); busybox mkdir $n; busybox mv last $n/$n; busybox mv $n last; i=$((i+1)); done; busybox mkdir /v/closed; echo x > /v/closed/file; busybox chmod 0 /v/closed');
  assert.ok(lstatSync(dataOf('deep')).isDirectory());
  await mustRun(['volume', 'rm', 'deep', 'evil']);
  assert.deepEqual([existsSync(join(home, 'volumes', 'deep')), existsSync(secret)], [false, true]);
  // A volume whose record is gone or spoiled is none; a link in its place is not followed.
  symlinkSync(scratch, join(home, 'volumes', 'linked'));
  assert.deepEqual(await volumes(), ['inner', 'rw']);
  await mustRun(['volume', 'create', 'spoiled']);
  writeFileSync(join(home, 'volumes', 'spoiled', 'volume.json'), '{"version":1');
  assert.match((await run(['volume', 'inspect', 'spoiled'])).stderr, /get spoiled: no such volume/);
  assert.equal(await mustRun(['volume', 'create', 'spoiled']), 'spoiled\n');
  assert.ok((await volumes()).includes('spoiled'));
});

test('hostile: an image that asks for volumes without end gets no container, and leaves none of them', async () => {
  const before = await volumes();
  writeFileSync(join(scratch, 'Dockerfile'), `FROM busybox:1\nVOLUME ${JSON.stringify(Array.from({ length: 1001 }, (_, index) => `/v/${index}`))}\n`);
  await mustRun(['build', '-q', '-t', 'greedy', scratch]);
  const { status, stderr } = await run(['run', '--rm', 'greedy', 'true']);
  assert.equal(status, 125);
  assert.match(stderr, /^caisson: cannot make the container: 1001 volumes, of which 1001 are the image's own, and at most 1000 can be \(.*\)\n$/);
  assert.deepEqual(await volumes(), before);
});

test('a volume that is removed is gone at once: who makes one of its name has nothing of it, and what a killed command left is cleaned up', async () => {
  const many = 'i=0; while [ $i -lt 400 ]; do echo old > /v/$i; i=$((i+1)); done';
  for (let round = 0; round < 3; round++) {
    await inside(['-v', 'again:/v'], many);
    const [removed, seen] = await Promise.all([run(['volume', 'rm', 'again']), run(['run', '--rm', '-v', 'again:/v', 'busybox:1', 'sh', '-c', 'busybox ls /v | busybox wc -l; busybox sleep 0.3; busybox ls /v | busybox wc -l'])]);
    assert.equal(seen.status, 0, seen.stderr);
    assert.match(seen.stdout, removed.status === 0 ? /^(0\n0|400\n400)\n$/ : /^400\n400\n$/);
    if (removed.status !== 0) assert.match(removed.stderr, /volume is in use/);
  }
  const left = join(home, 'volumes', '.gone-left');
  mkdirSync(join(left, '_data', 'inner'), { recursive: true });
  assert.ok(!(await volumes()).includes('.gone-left'));
  await mustRun(['volume', 'prune', '-f']);
  assert.ok(!existsSync(left));
});

test('a container whose volumes cannot be made leaves none', async () => {
  symlinkSync('/nowhere/at/all', join(home, 'volumes', 'blocked'));
  const before = await volumes();
  assert.equal((await run(['run', '--rm', '-v', '/x', '-v', 'blocked:/y', 'busybox:1', 'true'])).status, 125);
  assert.deepEqual(await volumes(), before);
});
