/** `system check`, `system df`, `system prune`, `image prune`, and the groups of words that Docker has, by the built command. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { spawnCaisson } from '../cli/caisson.ts';
import { busyboxLayout, commandIn, goLayout, kindsGzipLayout } from './fixtures.ts';

const scratch = mkdtempSync(join(tmpdir(), 'caisson-system-'));
const env = { CAISSON_HOME: join(scratch, 'store') };
const { run, mustRun } = commandIn(env);

before(async () => {
  for (const layout of [busyboxLayout(), kindsGzipLayout()]) await mustRun(['load', '-q', '-i', layout]);
});

after(() => rmSync(scratch, { recursive: true, force: true }));

test('df, check and prune of a store in order', async () => {
  assert.match(await mustRun(['system', 'df']), /^TYPE +TOTAL +ACTIVE +SIZE +RECLAIMABLE\nImages +2 +0 +[\d.]+MB +[\d.]+MB \(100%\)\nContainers +0 +0 +0B +0B\nLocal Volumes +0 +0 +0B +0B\nBuild Cache +0 +0 +0B +0B\nUnused +0 +0 +0B +0B\nLeftovers +0 +0 +0B +0B\n$/);
  assert.match(await mustRun(['system', 'df', '-v']), /\nbusybox:1 +[0-9a-f]{12} +.* ago +[\d.]+MB +no\n/);
  assert.equal(await mustRun(['system', 'df', '--format', '{{.Type}} {{.TotalCount}}']), 'Images 2\nContainers 0\nLocal Volumes 0\nBuild Cache 0\nUnused 0\nLeftovers 0\n');
  assert.equal(await mustRun(['system', 'check']), '2 images, 35 blobs, 31 layers: clean\n');
  assert.equal(await mustRun(['image', 'prune', '-f']), 'Total reclaimed space: 0B\n');
  assert.match(await mustRun(['image', 'prune'], { input: 'n\n' }), /^WARNING! .*\nAre you sure you want to continue\? \[y\/N\] $/);
  assert.match(await mustRun(['image', 'prune'], { input: 'y\n' }), /Total reclaimed space: 0B\n$/);
});

test('an image without a name, a filter, and all that is old', async () => {
  await mustRun(['load', '-q', '-i', goLayout(), '-t', 'busybox:2']);
  await mustRun(['tag', 'busybox:1', 'busybox:2']);
  const id = (await mustRun(['images', '-q', '--no-trunc', '-f', 'dangling=true'])).trim();
  assert.equal(await mustRun(['image', 'prune', '-f', '--filter', 'label=maker']), 'Total reclaimed space: 0B\n');
  assert.match(await mustRun(['image', 'prune', '-f', '--filter', 'until=24h']), new RegExp(`^Deleted Images:\nuntagged: sha256:[0-9a-f]+\ndeleted: ${id}\n\nTotal reclaimed space: [\\d.]+MB\n$`));
  assert.equal(await mustRun(['image', 'prune', '-af', '--filter', 'until=2001-01-01']), 'Total reclaimed space: 0B\n');
  assert.match(await mustRun(['image', 'prune', '-af', '--filter', 'label!=maker']), /untagged: kinds:30\n/);
  assert.equal(await mustRun(['images', '--format', '{{.Repository}}:{{.Tag}}']), 'busybox:2\nbusybox:1\n');
});

test('an image on which a container runs stays', async () => {
  const child = spawnCaisson(['run', '--name', 'runs', 'busybox:1', 'sh', '-c', 'echo started; sleep 60'], { env });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  try {
    assert.match(await mustRun(['system', 'df']), /\nImages +1 +1 /);
    assert.equal(await mustRun(['system', 'prune', '-af']), 'Total reclaimed space: 0B\n');
    assert.match((await run(['rmi', 'busybox:1', 'busybox:2'])).stderr, /conflict: unable to remove repository reference "busybox:2" \(must force\) - container [0-9a-f]{12} is using its referenced image [0-9a-f]{12}/);
  } finally {
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('close', resolve));
  }
  assert.match(await mustRun(['system', 'df']), /\nImages +1 +1 .*\nContainers +1 +0 /);
  await mustRun(['rm', 'runs']);
  assert.match(await mustRun(['system', 'df']), /\nImages +1 +0 /);
  await mustRun(['tag', 'busybox:2', 'busybox:1']);
});

test('what is spoiled is found, and mended or said', async () => {
  await mustRun(['load', '-q', '-i', kindsGzipLayout()]);
  const [layer = ''] = readdirSync(join(env.CAISSON_HOME, 'layers')).filter((name) => name.endsWith('.tar'));
  writeFileSync(join(env.CAISSON_HOME, 'layers', layer), 'spoiled');
  const found = await run(['system', 'check']);
  assert.deepEqual([found.status, found.stdout.replace(/[0-9a-f]{64}/, 'HEX'), found.stderr], [1, 'the layer sha256:HEX is spoiled\n2 images, 35 blobs, 31 layers: 1 problem\n', 'mend it with "caisson system check --repair"\n']);
  assert.match(await mustRun(['system', 'check', '--repair']), /^mended: the layer sha256:[0-9a-f]+ is spoiled\n2 images, 35 blobs, 31 layers: mended\n$/);
  const { layers } = JSON.parse(readFileSync(join(env.CAISSON_HOME, 'blobs/sha256', (await mustRun(['inspect', '-f', '{{.Manifest.Digest}}', 'kinds:30'])).trim().slice(7)), 'utf8')) as { layers: { digest: string }[] };
  rmSync(join(env.CAISSON_HOME, 'blobs/sha256', layers[3]?.digest.slice(7) ?? ''));
  const missing = await run(['system', 'check', '--repair', '--quick']);
  assert.deepEqual([missing.status, missing.stdout.split('\n')[0]], [1, `the image "kinds:30" is not whole: the layer ${layers[3]?.digest} is missing`]);
  assert.match(await mustRun(['system', 'check', '--repair', '--force']), /^mended: the image "kinds:30"/);
  assert.equal((await run(['system', 'check', '--force'])).status, 125);
  await mustRun(['system', 'prune', '-f']);
  assert.match(await mustRun(['system', 'check']), /^1 image, 3 blobs, 1 layer: clean\n$/);
});

test('groups of words: Docker\'s second names, help, and slips', async () => {
  assert.equal(await mustRun(['image', 'ls', '-q']), await mustRun(['images', '-q']));
  assert.equal(await mustRun(['image', 'inspect', '-f', '{{.Id}}', 'busybox:1']), await mustRun(['inspect', '-f', '{{.Id}}', 'busybox:1']));
  assert.match(await mustRun(['system', '--help']), /^Usage: caisson system COMMAND\n\nCommands:\n {2}events +show .*\n {2}check +find out .*\n {2}df +show .*\n {2}prune +remove .*\n/);
  assert.match(await mustRun(['help', 'system', 'prune']), /^Remove all that nothing uses\.\n/);
  assert.match(await mustRun(['help']), /\n {2}system check +find out/);
  for (const [args, message] of [
    [['system', 'chek'], /^caisson: cannot system chek: no such command \(did you mean "caisson system check"\?\)\n$/], [['image', 'x'], /it is one of ls, /], [['sytem'], /did you mean "caisson system"/],
    [['image', 'prune', '--filter', 'untl=1h'], /did you mean until\?/], [['image', 'prune', '--filter', 'until=x'], /"x" is no time/],
  ] as const) {
    const { status, stderr } = await run(args);
    assert.equal(status, 125);
    assert.match(stderr, message);
  }
});
