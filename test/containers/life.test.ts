/** Containers that are kept: made, listed, named, removed; and what is left by processes that were killed. By the built command. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, rmdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { caissonPath, spawnCaisson } from '../cli/caisson.ts';
import { testStore, until } from './testing.ts';

const { scratch, home, env, run, mustRun, load, remove } = testStore();
const names = async (...flags: readonly string[]): Promise<string[]> => (await mustRun(['ps', '--format', '{{.Names}}', ...flags])).split('\n').filter((name) => name !== '');
const directoryOf = async (name: string): Promise<string> => join(home, 'containers', (await mustRun(['inspect', '-f', '{{.Id}}', name])).trim());

before(load);
after(remove);

test('a container stays when it ends, and ps shows it as docker does', async () => {
  assert.equal((await run(['run', '--name', 'first', '--label', 'tier=web', '-l', 'plain', 'busybox:1', 'sh', '-c', 'exit 3'])).status, 3);
  assert.equal(await mustRun(['ps']), 'CONTAINER ID   IMAGE   COMMAND   CREATED   STATUS   PORTS   NAMES\n');
  const [title, row] = (await mustRun(['ps', '-a'])).split('\n');
  assert.match(title ?? '', /^CONTAINER ID {3}IMAGE {7}COMMAND +CREATED +STATUS +PORTS {3}NAMES$/);
  assert.match(row ?? '', /^[0-9a-f]{12} {3}busybox:1 {3}"sh -c exit 3" .* ago +Exited \(3\) .* ago +first$/);
  assert.equal(await mustRun(['ps', '-a', '--format', '{{.Names}} {{.State}} {{.Labels}} {{.Networks}}']), 'first exited maker=test,plain=,tier=web none\n');
  assert.match(await mustRun(['ps', '-aq', '--no-trunc']), /^[0-9a-f]{64}\n$/);
  assert.match(await mustRun(['ps', '-a', '--format', 'table {{.Names}}\t{{.Image}}']), /^NAMES {3}IMAGE\nfirst {3}busybox:1\n$/);
  assert.equal(await mustRun(['inspect', '-f', '{{.State.Status}} {{.State.ExitCode}} {{.State.Running}} {{.Name}} {{.Config.Labels.tier}} {{.Path}} {{json .Args}} {{.HostConfig.AutoRemove}}', 'first']), 'exited 3 false /first web sh ["-c","exit 3"] false\n');
  assert.equal((await run(['run', '--rm', '--name', 'gone', 'busybox:1', 'true'])).status, 0);
  assert.deepEqual(await names('-a'), ['first']);
});

test('names: given, made up, taken, changed, hostile', async () => {
  await mustRun(['run', 'busybox:1', 'true']);
  const [made = ''] = await names('-a');
  assert.match(made, /^[a-z]+_[a-z]+\d*$/);
  const taken = await run(['run', '--name', 'first', 'busybox:1', 'true']);
  assert.equal(taken.status, 125);
  assert.match(taken.stderr, /Conflict\. The container name "\/first" is already in use by container "[0-9a-f]{64}"/);
  const same = await run(['rename', 'first', 'first']);
  assert.deepEqual([same.status, /Renaming a container with the same name/.test(same.stderr)], [1, true]);
  assert.match((await run(['rename', made, 'first'])).stderr, /Conflict/);
  await mustRun(['rename', made, 'second']);
  assert.deepEqual((await names('-a')).sort(), ['first', 'second']);
  for (const name of ['../../x', 'a/b', '.', '..', '-x', 'x', '', ' a', 'a\nb', 'ä'.repeat(3), 'x'.repeat(300)]) {
    const { status, stderr } = await run(['create', `--name=${name}`, 'busybox:1', 'true']);
    assert.equal(status, 125, name);
    assert.match(stderr, /^caisson: cannot name the container .*Invalid container name/, name);
  }
  for (const name of ['../names', '..', 'names', '', '/', 'ffff/..', '0'.repeat(64)]) assert.match((await run(['rm', name])).stderr, /No such container/, name);
  await mustRun(['rm', 'second']);
});

test('filters of ps, rm by the beginning of an id, cidfile', async () => {
  const file = join(scratch, 'cid');
  assert.match(await mustRun(['create', '--name', 'made', '--cidfile', file, '-v', `${scratch}:/data`, 'busybox:1', 'sleep', '9']), /^[0-9a-f]{64}\n$/);
  const id = readFileSync(file, 'utf8');
  assert.match((await run(['create', '--cidfile', file, 'busybox:1', 'true'])).stderr, /container ID file found/);
  for (const [filter, expected] of [
    ['name=^ma', ['made']], ['name=/made', ['made']], ['status=created', ['made']], ['status=exited', ['first']], ['exited=3', ['first']], ['label=tier=web', ['first']], ['label=tier=x', []], [`id=${id.slice(0, 8)}`, ['made']],
    ['ancestor=busybox:1', ['made', 'first']], ['since=first', ['made']], ['before=made', ['first']], [`volume=${scratch}`, ['made']], ['volume=/data', ['made']],
  ] as const) assert.deepEqual(await names('-a', '--filter', filter), expected, filter);
  assert.deepEqual(await names('-l'), ['made']);
  assert.deepEqual(await names('-n', '5'), ['made', 'first']);
  for (const [flags, message] of [[['--filter', 'nam=x'], /invalid filter 'nam' \(did you mean name\?\)/], [['--filter', 'status=x'], /it is one of created/], [['--filter', 'before=nope'], /No such container: nope/], [['-n', 'x'], /not a number/]] as const) {
    assert.match((await run(['ps', ...flags])).stderr, message);
  }
  assert.equal(await mustRun(['rm', id.slice(0, 10)]), `${id.slice(0, 10)}\n`);
  const wrong = await run(['rm', 'nope', 'first']);
  assert.deepEqual([wrong.status, wrong.stdout], [1, 'first\n']);
  assert.match(wrong.stderr, /^caisson: cannot remove the container "nope": No such container: nope/);
  assert.deepEqual([(await run(['rm', '-f', 'nope'])).status, await names('-a')], [0, []]);
});

test('the process of a container is killed: it has exited with 137, and can be removed', async () => {
  const child = spawnCaisson(['run', '--name', 'victim', 'busybox:1', 'sh', '-c', 'echo started; sleep 60'], { env });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  assert.match(await mustRun(['ps', '--format', '{{.Names}} {{.Status}}']), /^victim Up /);
  assert.deepEqual(await run(['rm', 'victim']).then(({ status, stderr }) => [status, /cannot remove container "\/victim": container is running \(stop the container before removing or force remove\)/.test(stderr)]), [1, true]);
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('close', resolve));
  assert.match(await mustRun(['ps', '-a', '--format', '{{.Names}} {{.Status}}']), /^victim Exited \(137\) /);
  assert.match(await mustRun(['inspect', '-f', '{{.State.Error}}', 'victim']), /its process was killed/);
  assert.equal(await mustRun(['logs', 'victim']), 'started\n');
  assert.equal(await mustRun(['rm', 'victim']), 'victim\n');
});

test('rm -f ends one that runs', async () => {
  const child = spawnCaisson(['run', '--name', 'forced', 'busybox:1', 'sh', '-c', 'echo started; sleep 60'], { env });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const closed = new Promise((resolve) => child.once('close', (_, signal) => resolve(signal)));
  await mustRun(['rm', '-f', 'forced']);
  assert.equal(await closed, 'SIGKILL');
  assert.deepEqual(await names('-a'), []);
});

test('ten at once have names of their own; of ten with one name one is made', async () => {
  const all = await Promise.all(Array.from({ length: 10 }, (_, index) => run(['run', '--name', `at-once-${index}`, 'busybox:1', 'true'])));
  assert.deepEqual(all.map(({ status }) => status), Array(10).fill(0));
  assert.equal((await names('-a')).length, 10);
  const same = await Promise.all(Array.from({ length: 10 }, () => run(['run', '--name', 'single', 'busybox:1', 'true'])));
  assert.equal(same.filter(({ status }) => status === 0).length, 1);
  assert.equal(same.filter(({ stderr }) => /Conflict/.test(stderr)).length, 9);
  assert.match(await mustRun(['container', 'prune', '-f']), /^Deleted Containers:\n(?:[0-9a-f]{64}\n){11}\nTotal reclaimed space: [\d.]+kB\n$/);
  assert.deepEqual(readdirSync(join(home, 'containers')), ['names']);
  assert.deepEqual(readdirSync(join(home, 'containers', 'names')), []);
});

test('cycles leave no file', async () => {
  for (let cycle = 0; cycle < 5; cycle++) {
    await mustRun(['run', '--name', 'cycle', 'busybox:1', 'touch', '/made']);
    await mustRun(['rm', 'cycle']);
  }
  assert.deepEqual([readdirSync(join(home, 'containers')), readdirSync(join(home, 'containers', 'names')), readdirSync(join(home, 'tmp'))], [['names'], [], []]);
});

test('files that are cut short: said, and removable', async () => {
  await mustRun(['run', '--name', 'no-state', 'busybox:1', 'true']);
  await mustRun(['run', '--name', 'no-config', 'busybox:1', 'true']);
  const [state, config] = [join(await directoryOf('no-state'), 'state.json'), join(await directoryOf('no-config'), 'config.json')];
  truncateSync(state, 20);
  truncateSync(config, 200);
  assert.match(await mustRun(['ps', '-a', '--format', '{{.Names}} {{.Image}} {{.Status}}']), /^no-state busybox:1 Exited \(255\).*\nno-config <unreadable> Dead\n$/);
  assert.match((await run(['inspect', 'no-config'])).stderr, /the configuration of the container no-config cannot be read: it is cut short, or of another version \(all that can be done is "caisson rm no-config"\)/);
  assert.match((await run(['start', 'no-config'])).stderr, /cannot be read/);
  const check = await run(['system', 'check']);
  assert.deepEqual([check.status, /the state of the container "no-state" cannot be read\n/.test(check.stdout), /the container "no-config" has no configuration/.test(check.stdout)], [1, true, true]);
  await mustRun(['rm', 'no-config']);
  assert.match(await mustRun(['system', 'check', '--repair']), /mended: the state of the container "no-state" cannot be read/);
  assert.equal((await run(['start', '-a', 'no-state'])).status, 0);
  // A version that is to come.
  const path = join(await directoryOf('no-state'), 'config.json');
  writeFileSync(path, readFileSync(path, 'utf8').replace('"version":1', '"version":2'));
  assert.match((await run(['start', 'no-state'])).stderr, /of another version/);
  await mustRun(['rm', 'no-state']);
});

test('commands that are killed at any moment: all is clean, and can be removed', async () => {
  const commands = [['run', '--name', 'killed', 'busybox:1', 'touch', '/x'], ['start', '-a', 'seed'], ['cp', '/etc/hostname', 'seed:/tmp'], ['rm', 'seed'], ['commit', 'seed', 'moment:1']] as const;
  for (const [trial, args] of commands.entries()) {
    await mustRun(['create', '--name', 'seed', 'busybox:1', 'touch', '/made']);
    const child = spawnCaisson(args, { env });
    setTimeout(() => child.kill('SIGKILL'), 60 + 25 * trial);
    await new Promise((resolve) => child.once('close', resolve));
    const ids = (await mustRun(['ps', '-aq'])).split('\n').filter((id) => id !== '');
    assert.match(await mustRun(['system', 'check']), /: clean\n/, args.join(' '));
    if (ids.length > 0) await mustRun(['rm', '-f', ...ids]);
    await run(['rmi', 'moment:1']);
  }
  await mustRun(['system', 'prune', '-f']);
  assert.deepEqual([readdirSync(join(home, 'containers', 'names')), readdirSync(join(home, 'tmp'))], [[], []]);
});

test('what killed commands leave: a name without a container, a directory without a configuration', async () => {
  symlinkSync('0'.repeat(64), join(home, 'containers', 'names', 'stale'));
  mkdirSync(join(home, 'containers', '1'.repeat(64)));
  assert.deepEqual(await names('-a'), []);
  assert.match((await run(['rm', 'stale'])).stderr, /No such container: stale/);
  await mustRun(['create', '--name', 'stale', 'busybox:1', 'true']);
  assert.deepEqual(await names('-a'), ['stale']);
  await mustRun(['rm', 'stale']);
  rmdirSync(join(home, 'containers', '1'.repeat(64)));
});

test('an image that a container has: rmi and prune, in Docker\'s words', async () => {
  await mustRun(['tag', 'busybox:1', 'other:1']);
  await mustRun(['rmi', 'other:1']);
  await mustRun(['create', '--name', 'user', 'busybox:1', 'echo', 'still here']);
  const id = (await mustRun(['images', '-q', 'busybox:1'])).trim();
  assert.match((await run(['rmi', 'busybox:1'])).stderr, new RegExp(`conflict: unable to remove repository reference "busybox:1" \\(must force\\) - container [0-9a-f]{12} is using its referenced image ${id}`));
  assert.match((await run(['rmi', id])).stderr, new RegExp(`conflict: unable to delete ${id} \\(must be forced\\) - image is being used by stopped container [0-9a-f]{12}`));
  assert.equal(await mustRun(['image', 'prune', '-af']), 'Total reclaimed space: 0B\n');
  assert.equal(await mustRun(['rmi', '-f', 'busybox:1']), 'Untagged: busybox:1\n');
  assert.equal(await mustRun(['images', '--format', '{{.Repository}} {{.ID}}']), `<none> ${id}\n`);
  assert.equal(await mustRun(['ps', '-a', '--format', '{{.Image}}']), `${id}\n`);
  assert.equal(await mustRun(['start', '-a', 'user']), 'still here\n');
  await mustRun(['rmi', '-f', id]);
  assert.equal(await mustRun(['start', '-a', 'user']), 'still here\n');
  assert.match(await mustRun(['system', 'df']), /\nContainers +1 +0 +/);
  const pruned = await mustRun(['system', 'prune', '-f']);
  assert.match(pruned, /^Deleted Containers:\n[0-9a-f]{64}\n/);
  assert.match(await mustRun(['system', 'check']), /^0 images, 0 blobs, 0 layers: clean\n$/);
  await load();
});

test('a store that cannot be written', async () => {
  // Root writes everywhere: for root a directory is made that is a file.
  const isRoot = process.getuid?.() === 0;
  const path = join(home, 'containers');
  await mustRun(['container', 'prune', '-f']);
  assert.ok(existsSync(path));
  if (isRoot) {
    renameSync(path, `${path}.kept`);
    writeFileSync(path, '');
    const { status, stderr } = await run(['run', 'busybox:1', 'echo', 'hi']);
    assert.deepEqual([status, stderr.split('\n').length, /internal error/.test(stderr)], [125, 2, false]);
    rmSync(path);
    renameSync(`${path}.kept`, path);
    return;
  }
  chmodSync(path, 0o500);
  try {
    const { status, stderr } = await run(['run', 'busybox:1', 'echo', 'hi']);
    assert.equal(status, 125);
    assert.match(stderr, /^caisson: cannot keep the container: .*EACCES \(.*--rm keeps nothing\)\n$/);
    assert.equal(await mustRun(['run', '--rm', 'busybox:1', 'echo', 'hi']), 'hi\n');
  } finally {
    chmodSync(path, 0o700);
  }
});

test('a disk that fills up meanwhile: said, and what was kept before is there', async () => {
  const limited = (args: readonly string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } => spawnSync('prlimit', ['--fsize=200000', process.execPath, caissonPath, ...args], { env: { ...process.env, ...env }, encoding: 'utf8' });
  await mustRun(['run', '--name', 'filled', 'busybox:1', 'sh', '-c', 'if [ -e /kept ]; then busybox head -c 500000 /dev/zero > /big; cat /kept; else echo first > /kept; fi']);
  const { status, stdout, stderr } = limited(['start', '-a', 'filled']);
  assert.deepEqual([status, stdout], [125, 'first\n']);
  assert.match(stderr, /^caisson: what the container changed was not kept: cannot write ".*": EFBIG\n$/);
  assert.match(await mustRun(['inspect', '-f', '{{.State.ExitCode}} {{.State.Error}}', 'filled']), /^0 what the container changed was not kept/);
  assert.equal(await mustRun(['diff', 'filled']), 'A /kept\n');
  assert.match(await mustRun(['system', 'check']), /: clean\n/);
  // Nothing can be written at all.
  const none = spawnSync('prlimit', ['--fsize=0', process.execPath, caissonPath, 'run', 'busybox:1', 'true'], { env: { ...process.env, ...env }, encoding: 'utf8' });
  assert.equal(none.status, 125);
  assert.match(none.stderr, /^caisson: cannot keep the container: cannot write .*EFBIG/);
  await mustRun(['rm', 'filled']);
  assert.deepEqual([readdirSync(join(home, 'containers')), readdirSync(join(home, 'tmp'))], [['names'], []]);
});

test('what is not there yet says so', async () => {
  for (const [args, message] of [
    [['run', '--volumes-from', 'x', 'busybox:1'], /name each volume with -v NAME:DIR/], [['commit', '-p', 'x'], /there is nothing to pause/],
    [['run', '-d', '--changes', 'busybox:1'], /cannot use --changes with --detach/], [['run', '--stop-signal', 'NOPE', 'busybox:1'], /Invalid signal: NOPE/], [['inspect', 'nope'], /No such object: nope/], [['run', '--log-opt', 'size=1', 'busybox:1'], /max-size=SIZE or max-file=N/], [['container', 'lst'], /did you mean "caisson container ls"/],
  ] as const) assert.match((await run(args)).stderr, message, args.join(' '));
  assert.equal(await mustRun(['container', 'ls', '-aq']), await mustRun(['ps', '-aq']));
  await until(async () => (await names()).length === 0, 'nothing runs');
});
