/** Images in, out and running, by the built command, against skopeo and umoci. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { caissonPath } from '../cli/caisson.ts';
import type * as Api from '../../src/sandbox/index.ts';
import { busyboxLayout, commandIn, debianTar, kindsGzipLayout, kindsLayout, listerProgram, manifestDigest, peer } from './fixtures.ts';

const scratch = mkdtempSync(join(tmpdir(), 'caisson-run-'));
const env = { CAISSON_HOME: join(scratch, 'store') };
const { run, mustRun } = commandIn(env);
const isRoot = process.getuid?.() === 0;


before(async () => {
  await mustRun(['load', '-i', busyboxLayout()]);
});

after(() => rmSync(scratch, { recursive: true, force: true }));

test('run takes the image\'s command, environment, user and directory, and the flags over them', async () => {
  assert.equal(await mustRun(['run', 'busybox:1', 'echo', 'hi']), 'hi\n');
  assert.equal(await mustRun(['run', 'busybox:1', 'id']), 'uid=0(root) gid=0(root) groups=0(root)\n');
  assert.equal(await mustRun(['run', '-u', 'app', 'busybox:1', 'id']), 'uid=1000(app) gid=1001(app) groups=1001(app),10(wheel)\n');
  assert.equal(await mustRun(['run', '-u', '5:wheel', 'busybox:1', 'id', '-g']), '10\n');
  assert.equal(await mustRun(['run', '-u', 'app', 'busybox:1', 'sh', '-c', 'echo $HOME $FLAVOUR']), '/home/app plain\n');
  assert.equal(await mustRun(['run', '-e', 'FLAVOUR=x', '-e', 'GIVEN', '-e', 'ABSENT', 'busybox:1', 'sh', '-c', 'echo $FLAVOUR $GIVEN ${ABSENT-unset}'], { env: { GIVEN: 'host' } }), 'x host unset\n');
  assert.equal(await mustRun(['run', '-w', '/new/place', 'busybox:1', 'pwd']), '/new/place\n');
  assert.equal(await mustRun(['run', '--entrypoint', '/bin/echo', 'busybox:1', 'a', 'b']), 'a b\n');
  assert.equal(await mustRun(['run', '--rm', '--name', 'box-1', 'busybox:1', 'hostname']), 'box-1\n');
  assert.equal(await mustRun(['run', '--rm', '-i', 'busybox:1', 'wc', '-c'], { input: '12345' }), '5\n');
  assert.equal(await mustRun(['run', 'busybox:1', 'wc', '-c'], { input: '12345' }), '0\n');
  assert.equal((await run(['run', 'busybox:1', 'sh', '-c', 'exit 7'])).status, 7);
  assert.equal((await run(['run', 'busybox:1', 'no-such'])).status, 127);
});

test('run shows of the host what is mounted, and nothing else', async () => {
  const shared = mkdtempSync(join(scratch, 'shared-'));
  writeFileSync(join(shared, 'file'), 'from the host');
  assert.equal(await mustRun(['run', '-v', `${shared}:/data:ro`, 'busybox:1', 'cat', '/data/file']), 'from the host');
  assert.notEqual((await run(['run', '-v', `${shared}:/data:ro`, 'busybox:1', 'touch', '/data/new'])).status, 0);
  await mustRun(['run', '--mount', `type=bind,source=${shared},target=/data`, 'busybox:1', 'touch', '/data/new']);
  assert.ok(existsSync(join(shared, 'new')));
  assert.notEqual((await run(['run', '--read-only', 'busybox:1', 'touch', '/x'])).status, 0);
  await mustRun(['run', '--read-only', '--tmpfs', '/scratch', 'busybox:1', 'touch', '/scratch/x']);
  assert.match(await mustRun(['run', '--read-only', '--name', 'box-1', 'busybox:1', 'cat', '/etc/hosts', '/etc/hostname']), /127\.0\.1\.1\tbox-1\nbox-1\n$/);
  assert.deepEqual(readdirSync(join(env.CAISSON_HOME, 'tmp')), []);
  // What Docker writes into a container is not written into a directory of the host.
  await mustRun(['run', '-v', `${shared}:/etc`, '-u', '0', 'busybox:1', 'true']);
  assert.deepEqual(readdirSync(shared).sort(), ['file', 'new']);
  assert.equal(await mustRun(['run', 'busybox:1', 'ls', '/']), 'bin\ndev\netc\nhome\nproc\nsys\ntmp\n');
  assert.equal(await mustRun(['run', '--changes', 'busybox:1', 'touch', '/tmp/x']), 'C /tmp\nA /tmp/x\n');
});

test('a name near one that is here is said before its registry is asked', async () => {
  const { stderr, status } = await run(['run', 'localhost:1/busybox:1', 'true']);
  assert.equal(status, 125);
  assert.doesNotMatch(stderr, /did you mean/);
  await mustRun(['tag', 'busybox:1', 'localhost:1/busybox:2']);
  const near = (await run(['run', 'localhost:1/busybox:1', 'true'])).stderr.split('\n');
  assert.match(near[0] ?? '', /^caisson: there is no image "localhost:1\/busybox:1" here \(did you mean "localhost:1\/busybox:2"\?\); looking for it in its registry$/);
  assert.match(near[1] ?? '', /^pulling /);
  await mustRun(['rmi', 'localhost:1/busybox:2']);
});

test('a first run says that it prepares a large layer: on a line that is drawn again at a terminal, on a plain one elsewhere, and not at all with -q', async () => {
  const directory = mkdtempSync(join(scratch, 'large-'));
  writeFileSync(join(directory, 'noise'), randomBytes(5 * 2 ** 20));
  copyFileSync('/bin/busybox', join(directory, 'busybox'));
  peer('tar', ['-czf', join(scratch, 'large.tar.gz'), '-C', directory, '.']);
  await mustRun(['import', join(scratch, 'large.tar.gz'), 'large']);
  const layers = join(env.CAISSON_HOME, 'layers');
  // As after a pull from a registry that is near.
  const forget = (): void => {
    for (const name of readdirSync(layers)) rmSync(join(layers, name));
  };
  const words = ['run', '--rm', 'large', '/busybox', 'echo', 'started'];
  forget();
  const first = await run(words);
  assert.deepEqual([first.status, first.stdout], [0, 'started\n']);
  assert.match(first.stderr, /^[0-9a-f]{12}: prepared [\d.]+MB in [\d.]+ s\n$/);
  assert.equal((await run(words)).stderr, '');
  forget();
  assert.equal((await run(['run', '-q', ...words.slice(1)])).stderr, '');
  forget();
  const driver = fileURLToPath(new URL('../cli/terminal-driver.py', import.meta.url));
  const { stdout } = peer('/usr/bin/python3', [driver, JSON.stringify([['expect', 'started']]), process.execPath, caissonPath, ...words], { env: { ...process.env, ...env } });
  const { shown, status } = JSON.parse(stdout) as { readonly shown: string; readonly status: number };
  assert.equal(status, 0);
  assert.match(shown, /^\x1b\[2K([0-9a-f]{12}): preparing, (?:waiting 0 s|[^\n]* of [^\n]*)\r\n[^]*\x1b\[1A\x1b\[2K\1: prepared [\d.]+MB in [\d.]+ s\r\nstarted\r\n$/);
  await mustRun(['rmi', 'large']);
});

test('run says what is wrong', async () => {
  const cases: readonly (readonly [args: readonly string[], message: RegExp, status: number])[] = [
    [['run', '--pull', 'never', 'busybox:2', 'true'], /there is no image "busybox:2" here \(did you mean "busybox:1"\?\)/, 125],
    [['run', 'Busybox', 'true'], /must be lower case.*\n {2}Busybox\n {2}\^\n$/, 125],
    [['run', '-u', 'nobody', 'busybox:1', 'true'], /cannot run as user "nobody": \/etc\/passwd has no such name/, 125],
    [['run', '-w', 'rel', 'busybox:1', 'true'], /it is not absolute/, 125],
    [['run', '--mount', 'type=npipe,target=/x', 'busybox:1', 'true'], /there are no mounts of type npipe/, 125],
    [['run', '--mount', 'sorce=/x,target=/x', 'busybox:1', 'true'], /did you mean source\?/, 125],
    [['run', '-v', '/nope:/x', 'busybox:1', 'true'], /no such file or directory/, 125],
    [['run', '--name', '-', 'busybox:1', 'true'], /cannot name the container/, 125],
    [['run', '--network', 'host', 'busybox:1', 'true'], /cannot use --network host: /, 125],
    [['pull', '--all-tags', 'busybox'], /cannot use --all-tags: name the tags one by one/, 125],
    [['run'], /caisson run \[FLAGS\] IMAGE/, 125],
    [['load', '-i', '/etc/passwd'], /cannot read the tar archive/, 125],
    [['load', '-i', '/nope'], /there is no "\/nope"/, 125],
    [['tag', 'busybox:1', 'a@b'], /cannot read the reference/, 125],
    [['rmi', 'nope'], /there is no image "nope"/, 125],
    [['import', '-c', 'RUN x', '/etc/passwd'], /cannot use the change/, 125],
  ];
  for (const [args, message, status] of cases) {
    const result = await run(args);
    assert.equal(result.status, status, args.join(' '));
    assert.match(result.stderr, /^caisson: cannot /, args.join(' '));
    assert.match(result.stderr, message, args.join(' '));
    assert.doesNotMatch(result.stderr, /\n {4}at /);
  }
});

/** `owners`: as root all that umoci keeps; otherwise it cannot give files away, and neither owners nor devices are compared. */
async function compareTrees(layout: string, name: string): Promise<void> {
  const lister = listerProgram();
  const copy = join(scratch, 'lister');
  copyFileSync(lister, copy);
  const bundle = mkdtempSync(join(scratch, 'bundle-'));
  peer('umoci', ['unpack', ...(isRoot ? [] : ['--rootless']), '--image', `${layout}:${name}`, join(bundle, 'b')]);
  const mode = isRoot ? 'owners' : 'plain';
  // Without root umoci leaves files where devices should be.
  const lines = (text: string): string[] => text.split('\n').filter((line) => isRoot || !/^\/dev-files\/(?:disk|null) /.test(line));
  const native = lines(peer(lister, [join(bundle, 'b/rootfs'), mode]).stdout);
  await mustRun(['load', '-i', layout]);
  const inside = lines(await mustRun(['run', '-v', `${copy}:/lister:ro`, '--entrypoint', '/lister', name, '/', mode]));
  assert.ok(native.length > 50);
  assert.deepEqual(inside.slice(1), native.slice(1));
}

test('a container sees the tree that umoci unpacks: 30 layers, every kind of file', () => compareTrees(kindsGzipLayout(), 'kinds:30'));

test('a container sees the tree that umoci unpacks: Debian', async () => {
  await mustRun(['import', debianTar(), 'debian:12'], { timeoutMs: 300_000 });
  const archive = join(scratch, 'debian.tar');
  await mustRun(['save', '-o', archive, 'debian:12']);
  const layout = join(scratch, 'debian');
  peer('skopeo', ['copy', '--quiet', `oci-archive:${archive}`, `oci:${layout}:debian:12`]);
  await compareTrees(layout, 'debian:12');
  assert.match(await mustRun(['run', 'debian:12', 'bash', '-c', isRoot ? 'dpkg --list | grep -c ^ii; id -un' : 'ls -d /usr/share/doc/* | wc -l; id -un']), /^\d+\nroot\n$/);
});

test('layers of zstd, gzip and no compression give the same tree', async () => {
  const list = async (layout: string): Promise<string> => {
    await mustRun(['load', '-i', layout]);
    return mustRun(['run', '--entrypoint', '/bin/busybox', 'kinds:30', 'find', '/many', '/usr', '/opaque', '-type', 'f', '-exec', '/bin/busybox', 'md5sum', '{}', ';']);
  };
  assert.equal(await list(kindsLayout()), await list(kindsGzipLayout()));
});

test('archives of skopeo load, archives of ours are read by skopeo, and no digest changes', async () => {
  const layout = busyboxLayout();
  const digest = manifestDigest(layout);
  const config = (JSON.parse(readFileSync(join(layout, 'blobs/sha256', digest.slice(7)), 'utf8')) as { config: { digest: string } }).config.digest;
  const kinds: readonly (readonly [name: string, destination: string])[] = [['oci.tar', 'oci-archive:oci.tar:other:1'], ['docker.tar', 'docker-archive:docker.tar:other:1']];
  for (const [file, destination] of kinds) {
    peer('skopeo', ['copy', '--quiet', `oci:${layout}:busybox:1`, destination], { cwd: scratch });
    assert.equal(await mustRun(['load', '-i', file], { cwd: scratch }), 'Loaded image: other:1\n');
    assert.equal(await mustRun(['inspect', '-f', '{{.Id}}', 'other:1']), `${config}\n`);
    assert.equal(await mustRun(['run', 'other:1', 'echo', file]), `${file}\n`);
    peer('gzip', ['-kf', join(scratch, file)]);
    assert.equal(await mustRun(['load', '-q', '-i', `${file}.gz`, '-t', 'zipped:1'], { cwd: scratch }), 'Loaded image: zipped:1\n');
    await mustRun(['rmi', 'other:1', 'zipped:1']);
  }
  const saved = join(scratch, 'saved.tar');
  await mustRun(['save', '-o', saved, 'busybox:1']);
  const inspected = JSON.parse(peer('skopeo', ['inspect', `oci-archive:${saved}`]).stdout) as { Digest: string };
  assert.equal(inspected.Digest, digest);
  peer('skopeo', ['copy', '--quiet', `docker-archive:${saved}`, `oci:${scratch}/back:busybox:1`]);
  const again = await mustRun(['save', 'busybox:1']);
  assert.equal(createHash('sha256').update(again.slice(0, 2000)).digest('hex'), createHash('sha256').update(readFileSync(saved).toString('utf8').slice(0, 2000)).digest('hex'));
  peer('sh', ['-c', `cat ${saved} | CAISSON_HOME=${scratch}/second ${process.execPath} ${caissonPath} load`]);
  assert.equal(await mustRun(['images', '--format', '{{.Repository}}:{{.Tag}} {{.Digest}}'], { env: { CAISSON_HOME: `${scratch}/second` } }), `busybox:1 ${digest}\n`);
});

test('other tools read the store as an OCI layout', () => {
  const { Digest } = JSON.parse(peer('skopeo', ['inspect', `oci:${env.CAISSON_HOME}:docker.io/library/busybox:1`]).stdout) as { Digest: string };
  assert.equal(Digest, manifestDigest(busyboxLayout()));
});

test('tag, images, history, inspect, rmi', async () => {
  await mustRun(['container', 'prune', '-f']);
  await mustRun(['tag', 'busybox:1', 'localhost:5000/team/box:v1']);
  assert.equal(await mustRun(['images', '--format', '{{.Repository}}:{{.Tag}}', '-f', 'reference=*/team/box']), 'localhost:5000/team/box:v1\n');
  assert.match(await mustRun(['images', 'busybox']), /^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE\nbusybox +1 +[0-9a-f]{12} +.* ago +\d+(\.\d+)?[kM]B\n$/);
  assert.match(await mustRun(['history', 'busybox:1']), /step 0/);
  const id = (await mustRun(['images', '-q', '--no-trunc', 'busybox'])).trim();
  assert.equal(await mustRun(['inspect', '-f', '{{.Config.Labels.maker}} {{range .RepoTags}}{{.}};{{end}}', id.slice(7, 19)]), 'test localhost:5000/team/box:v1;busybox:1;\n');
  assert.match((await run(['rmi', id])).stderr, /has 2 names/);
  assert.equal(await mustRun(['rmi', 'localhost:5000/team/box:v1']), 'Untagged: localhost:5000/team/box:v1\n');
  assert.equal(await mustRun(['rmi', 'busybox:1']), `Untagged: busybox:1\nDeleted: ${id}\n`);
  assert.deepEqual(readdirSync(join(env.CAISSON_HOME, 'tmp')), []);
  await mustRun(['load', '-i', busyboxLayout()]);
});

test('Sandbox.create({ image }) takes the image\'s environment and files', async () => {
  process.env['CAISSON_HOME'] = env.CAISSON_HOME;
  const { Sandbox } = (await import(new URL('../../dist/sandbox.mjs', import.meta.url).href)) as typeof Api;
  await assert.rejects(Sandbox.create({ image: 'busybox:9' }), /cannot use the image "busybox:9": there is no image "busybox:9" here/);
  const sandbox = await Sandbox.create({ image: 'busybox:1' });
  try {
    assert.equal((await sandbox.commands.run('echo $FLAVOUR $(id -u); ls /home')).stdout, 'plain 0\napp\n');
    await sandbox.files.write('/tmp/x', 'x');
    assert.deepEqual(await sandbox.changes(), [{ kind: 'C', path: '/tmp' }, { kind: 'A', path: '/tmp/x' }]);
  } finally {
    await sandbox.kill();
  }
});

test('resolve shows the parts of a name', async () => {
  assert.match(await mustRun(['resolve', 'debian']), /^docker\.io\/library\/debian:latest\n {2}registry +docker\.io +no registry was given: the default\n/);
  assert.equal(await mustRun(['resolve', '--format', '{{.Registry}} {{.Tag}}', 'localhost:5000/a:b']), 'localhost:5000 b\n');
});

test('references are what Docker\'s own parser, in skopeo, says', () => {
  const hex = '0123456789abcdef'.repeat(4);
  const good = ['debian', 'debian:12', 'a/b/c', 'localhost/x', 'localhost:5000/x:y', 'a__b', 'a--b', `x@sha256:${hex}`, 'x:_1.-'];
  const bad = ['Debian', 'a..b', 'a___b', '-a', 'a-', 'a//b', 'a/', '/a', 'a:', 'a:-x', 'a b', 'x@sha256:abc', 'reg.example:p/x', hex, 'a:b:c', '[::g]/x'];
  for (const text of [...good, ...bad]) {
    const { stderr } = spawnSkopeo(text);
    assert.equal(/invalid reference format|repository name must be|Invalid destination name|unsupported digest|invalid checksum/.test(stderr), bad.includes(text), `${text}: ${stderr}`);
  }
});

/** The reference is read before the source, which is not there, is opened. */
function spawnSkopeo(text: string): { readonly stderr: string } {
  try {
    peer('skopeo', ['copy', 'oci:/nonexistent:x', `docker://${text}`]);
    return { stderr: '' };
  } catch (error) {
    return { stderr: (error as Error).message };
  }
}
