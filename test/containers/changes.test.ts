/** What containers change is kept with them: start, diff, export, commit, cp. By the built command, against tar, umoci and what Docker's reference says. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readFileSync, readdirSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { spawnCaisson } from '../cli/caisson.ts';
import { peer } from '../images/fixtures.ts';
import { testStore, until } from './testing.ts';

const { scratch, home, env, run, mustRun, load, remove } = testStore();
const inBox = (script: string, name: string, flags: readonly string[] = []): Promise<string> => mustRun(['run', '--name', name, ...flags, 'busybox:1', 'sh', '-c', `PATH=/bin; for a in rm mkdir ln mv chmod chown mknod find; do alias $a="busybox $a"; done\n${script}`]);
const again = (name: string): Promise<string> => mustRun(['start', '-a', name]);
const tarList = (file: string): string[] => execFileSync('tar', ['-tf', file], { encoding: 'utf8' }).split('\n').filter((line) => line !== '').sort();

before(load);
after(remove);

/** Each start does the next step of a script that is kept inside. */
const STEPS = `n=0; [ -e /step ] && read n < /step; n=$((n+1)); echo $n > /step
case $n in
1) mkdir /d /d/e; echo one > /d/one; echo two > /d/e/two; ln /d/one /d/hard; ln -s ../d/one /d/soft; rm /home/app/.profile; echo x >> /etc/passwd;;
2) rm -r /d/e; mkdir /d/e; echo three > /d/e/three; chmod 700 /d; rm /bin/wc; mv /d/one /d/uno;;
3) rm -r /home; echo file > /home; chown 7:8 /d/uno;;
4) find /d /home -type f -o -type l | busybox sort; cat /d/hard; echo \$((n));;
*) true;;
esac`;

test('what a start changes is there at the next one: new, changed, moved, deleted, in another one\'s place', async () => {
  await inBox(STEPS, 'steps');
  assert.equal(await mustRun(['diff', 'steps']), ['C /etc', 'C /etc/passwd', 'C /home', 'C /home/app', 'D /home/app/.profile', 'A /d', 'A /d/e', 'A /d/e/two', 'A /d/hard', 'A /d/one', 'A /d/soft', 'A /step'].sort((a, b) => (a.slice(2) < b.slice(2) ? -1 : 1)).map((line) => `${line}\n`).join(''));
  await again('steps');
  await again('steps');
  assert.equal(await again('steps'), '/d/e/three\n/d/hard\n/d/soft\n/d/uno\n/home\none\n4\n');
  assert.equal(await mustRun(['diff', 'steps']), ['C /bin', 'D /bin/wc', 'A /d', 'A /d/e', 'A /d/e/three', 'A /d/hard', 'A /d/soft', 'A /d/uno', 'C /etc', 'C /etc/passwd', 'C /home', 'A /step'].map((line) => `${line}\n`).join(''));
});

test('diff of a directory in the place of another compares the two, as Docker\'s does', async () => {
  await inBox('rm -r /home; mkdir -p /home/app; echo new > /home/app/.profile; mkdir /home/x', 'replaced');
  assert.equal(await mustRun(['diff', 'replaced']), 'C /home\nC /home/app\nC /home/app/.profile\nA /home/x\n');
  await inBox('rm -r /home; mkdir /home; echo y > /home/y', 'emptied');
  assert.equal(await mustRun(['diff', 'emptied']), 'C /home\nD /home/app\nA /home/y\n');
});

test('many starts: their layers become one, and nothing is lost', async () => {
  await inBox('n=0; [ -e /n ] && read n < /n; n=$((n+1)); echo $n > /n; echo $n > /f$n; [ $n -gt 3 ] && rm /f$((n-3)); echo $n', 'many');
  for (let start = 2; start <= 12; start++) assert.equal(await again('many'), `${start}\n`);
  const id = (await mustRun(['inspect', '-f', '{{.Id}}', 'many'])).trim();
  const layers = readdirSync(join(home, 'containers', id)).filter((name) => name.endsWith('.index'));
  assert.ok(layers.length <= 8, layers.join(' '));
  assert.ok(layers.some((name) => name.startsWith('whole-')));
  assert.equal(await mustRun(['diff', 'many']), 'A /f10\nA /f11\nA /f12\nA /n\n');
});

test('export, and what umoci and the container itself see of a commit, are the same tree', async () => {
  const tar = join(scratch, 'steps.tar');
  await mustRun(['export', '-o', tar, 'steps']);
  const id = (await mustRun(['commit', '-a', 'Me <me@example.com>', '-m', 'a note', '-c', 'CMD ["ls", "/d"]', '-c', 'ENV WHO=me', '--change', 'LABEL a=b', 'steps', 'made:1'])).trim();
  assert.match(id, /^sha256:[0-9a-f]{64}$/);
  const made = JSON.parse(await mustRun(['inspect', '--type', 'image', 'made:1'])) as { Author: string; Config: { Cmd: string[]; Env: string[]; Labels: Record<string, string> }; RootFS: { Layers: string[] } }[];
  assert.deepEqual([made[0]?.Author, made[0]?.Config.Cmd, made[0]?.Config.Env, made[0]?.Config.Labels, made[0]?.RootFS.Layers.length], ['Me <me@example.com>', ['ls', '/d'], ['PATH=/bin', 'FLAVOUR=plain', 'WHO=me'], { maker: 'test', a: 'b' }, 2]);
  assert.match(await mustRun(['history', '--format', '{{.Comment}}', 'made:1']), /^a note\n/);
  assert.equal(await mustRun(['run', '--rm', 'made:1']), 'e\nhard\nsoft\nuno\n');
  await mustRun(['save', '-o', join(scratch, 'made.tar'), 'made:1']);
  const layout = join(scratch, 'layout');
  mkdirSync(layout);
  execFileSync('tar', ['-C', layout, '-xf', join(scratch, 'made.tar')]);
  writeFileSync(join(layout, 'index.json'), readFileSync(join(layout, 'index.json'), 'utf8').replace(/(ref\.name": ?)"[^"]*"/, '$1"made"'));
  peer('umoci', ['unpack', '--rootless', '--image', `${layout}:made`, join(scratch, 'bundle')]);
  const unpacked = execFileSync('find', ['.', '-mindepth', '1', '-printf', '%P%y\n'], { cwd: join(scratch, 'bundle', 'rootfs'), encoding: 'utf8' }).split('\n').filter((line) => line !== '').map((line) => (line.endsWith('d') ? `${line.slice(0, -1)}/` : line.slice(0, -1))).sort();
  assert.deepEqual(tarList(tar), unpacked);
  // A container that changed nothing: no layer of its own.
  await mustRun(['create', '--name', 'same', 'busybox:1']);
  await mustRun(['commit', 'same', 'same:1']);
  assert.equal(await mustRun(['inspect', '--type', 'image', '-f', '{{len .RootFS.Layers}}', 'same:1']), '1\n');
  assert.match((await run(['commit', '-c', 'FROM x', 'same'])).stderr, /cannot use the change "FROM x"/);
  assert.match((await run(['commit', 'same', 'Bad:name'])).stderr, /must be lower case/);
  assert.match((await run(['commit', 'nope', 'x'])).stderr, /No such container: nope/);
});

test('export | import is a flat copy', async () => {
  const exported = spawnCaisson(['export', 'steps'], { env });
  const imported = spawnCaisson(['import', '-c', 'CMD ["/bin/cat", "/home"]', '-', 'flat'], { env });
  exported.stdout.pipe(imported.stdin);
  await new Promise((resolve) => imported.once('close', resolve));
  assert.equal(await mustRun(['run', '--rm', 'flat']), 'file\n');
});

test('a container that runs: diff, export and commit see a moment of it', async () => {
  const child = spawnCaisson(['run', '--name', 'runs', 'busybox:1', 'sh', '-c', 'echo early > /early; echo started; cat'], { env });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  await mustRun(['run', '--rm', 'busybox:1', 'true']);
  try {
    assert.equal(await mustRun(['diff', 'runs']).catch(String), 'A /early\n');
    await mustRun(['commit', 'runs', 'moment:1']);
    assert.equal(await mustRun(['run', '--rm', 'moment:1', 'cat', '/early']), 'early\n');
    await mustRun(['cp', 'runs:/early', join(scratch, 'early')]);
    assert.equal(readFileSync(join(scratch, 'early'), 'utf8'), 'early\n');
  } finally {
    await mustRun(['rm', '-f', 'runs']);
  }
  assert.deepEqual(readdirSync(join(home, 'tmp')), []);
});

test('cp: Docker\'s rules of names, both ways', async () => {
  const host = join(scratch, 'host');
  mkdirSync(join(host, 'dir', 'sub'), { recursive: true });
  writeFileSync(join(host, 'file'), 'file');
  writeFileSync(join(host, 'dir', 'sub', 'x'), 'x', { mode: 0o640 });
  symlinkSync('sub/x', join(host, 'dir', 'link'));
  await mustRun(['create', '--name', 'box', 'busybox:1', 'sh', '-c', 'cd /; busybox find tmp new -exec busybox stat -c "%n %F %a %u:%g" {} ";" | busybox sort; cat /tmp/link /tmp/dir/link']);
  await mustRun(['cp', join(host, 'file'), 'box:/tmp']);
  await mustRun(['cp', join(host, 'file'), 'box:/tmp/named']);
  await mustRun(['cp', join(host, 'dir'), 'box:/tmp']);
  await mustRun(['cp', join(host, 'dir'), 'box:/new']);
  await mustRun(['cp', `${host}/dir/.`, 'box:tmp/']);
  assert.equal(await again('box'), [
    'new directory 755 0:0', 'new/link symbolic link 777 0:0', 'new/sub directory 755 0:0', 'new/sub/x regular file 640 0:0', 'tmp directory 1777 0:0', 'tmp/dir directory 755 0:0', 'tmp/dir/link symbolic link 777 0:0', 'tmp/dir/sub directory 755 0:0',
    'tmp/dir/sub/x regular file 640 0:0', 'tmp/file regular file 644 0:0', 'tmp/link symbolic link 777 0:0', 'tmp/named regular file 644 0:0', 'tmp/sub directory 755 0:0', 'tmp/sub/x regular file 640 0:0', 'xx',
  ].join('\n'));
  const out = join(scratch, 'out');
  mkdirSync(out);
  await mustRun(['cp', 'box:/tmp/dir', out]);
  await mustRun(['cp', 'box:/tmp/dir/.', join(scratch, 'fresh')]);
  await mustRun(['cp', 'box:/tmp/named', join(out, 'renamed')]);
  await mustRun(['cp', '-L', 'box:/tmp/link', join(out, 'followed')]);
  assert.deepEqual([readlinkSync(join(out, 'dir/link')), readFileSync(join(scratch, 'fresh/sub/x'), 'utf8'), readFileSync(join(out, 'renamed'), 'utf8'), readFileSync(join(out, 'followed'), 'utf8'), lstatSync(join(out, 'dir/sub/x')).mode & 0o777], ['sub/x', 'x', 'file', 'x', 0o640]);
  for (const [from, to, message] of [
    ['box:/nope', out, /Could not find the file \/nope in container box/], [join(host, 'nope'), 'box:/tmp', /no such file or directory/], [join(host, 'file'), 'box:/none/', /no such directory|no directory/], [join(host, 'dir'), 'box:/tmp/named', /it is a file/],
    ['box:/tmp/dir', join(out, 'renamed'), /it is a file/], ['box:/a', 'box:/b', /copying between containers is not supported/], ['a', 'b', /must specify at least one container source/], ['nope:/x', '.', /No such container: nope/],
  ] as const) assert.match((await run(['cp', from, to], { cwd: scratch })).stderr, message);
});

test('cp with tars on standard input and output', async () => {
  const listed = await run(['cp', 'box:/tmp/dir', '-']);
  const tar = join(scratch, 'dir.tar');
  writeFileSync(tar, listed.stdout, 'latin1');
  assert.deepEqual(tarList(tar), ['dir/', 'dir/link', 'dir/sub/', 'dir/sub/x']);
  await mustRun(['cp', '-', 'box:/srv'], { input: listed.stdout }).then(() => assert.fail('/srv is not there'), (error: Error) => assert.match(error.message, /no such directory/));
  await mustRun(['cp', '-', 'box:/home'], { input: listed.stdout });
  assert.match(await mustRun(['diff', 'box']), /\nA \/home\/dir\/sub\/x\n/);
  assert.match((await run(['cp', '-', 'box:/home'], { input: 'no tar at all'.repeat(100) })).stderr, /cannot read the tar archive/);
});

test('cp: links of the container and of archives never lead out', async () => {
  const secret = join(scratch, 'secret');
  writeFileSync(secret, 'of the host');
  await inBox(`ln -s ${secret} /leak; ln -s / /up; ln -s ../../../../../.. /far; mkdir /t; ln -s /etc /t/etc; echo mine > /t/file`, 'sly');
  // A link to a place of the host is the container's own place, which is not there.
  assert.match((await run(['cp', '-L', 'sly:/leak', join(scratch, 'l1')])).stderr, /Could not find the file/);
  assert.match((await run(['cp', `sly:/far${secret}`, join(scratch, 'l2')])).stderr, /Could not find the file/);
  await mustRun(['cp', 'sly:/far/t/file', join(scratch, 'l3')]);
  assert.equal(readFileSync(join(scratch, 'l3'), 'utf8'), 'mine\n');
  // What stands at the destination as a link is replaced, not followed.
  const out = join(scratch, 'out2');
  mkdirSync(join(out, 't'), { recursive: true });
  symlinkSync(secret, join(out, 't', 'file'));
  symlinkSync(scratch, join(out, 't', 'etc'));
  await mustRun(['cp', 'sly:/t', out]);
  assert.deepEqual([readFileSync(secret, 'utf8'), readFileSync(join(out, 't/file'), 'utf8'), readlinkSync(join(out, 't/etc'))], ['of the host', 'mine\n', '/etc']);
  // Into the container: through its own links, inside of it.
  await mustRun(['cp', secret, 'sly:/up/put']);
  assert.match(await mustRun(['diff', 'sly']), /\nA \/put\n/);
  const tar = join(scratch, 'evil.tar');
  writeFileSync(join(scratch, 'evil'), 'evil');
  execFileSync('tar', ['-C', scratch, '-P', '--transform', 's,evil,../../../../evil-out,', '-cf', tar, 'evil']);
  assert.match((await run(['cp', '-', 'sly:/t'], { input: readFileSync(tar, 'latin1') })).stderr, /its name leads upwards/);
  assert.ok(!existsSync('/evil-out'));
  assert.deepEqual(readdirSync(join(home, 'tmp')), []);
});

test('two that start one container at once: the second is attached to the first, and both hear of its end', async () => {
  await mustRun(['create', '--name', 'twice', 'busybox:1', 'sleep', '1000']);
  const first = run(['start', '-a', 'twice']);
  await until(async () => (await mustRun(['ps', '-q', '--filter', 'name=twice'])) !== '', 'it runs');
  const second = run(['start', '-a', 'twice']);
  await until(async () => (await mustRun(['events', '--since', '1h', '--until', '0s', '-f', 'container=twice', '-f', 'event=attach'])) !== '', 'the second one is attached');
  await mustRun(['kill', 'twice']);
  assert.deepEqual([(await first).status, (await second).status], [137, 137]);
  await mustRun(['rm', 'twice']);
});
