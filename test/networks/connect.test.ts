/** Containers on several networks, and networks that are joined and left while they run. By the built command, with busybox. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { testStore, until } from '../containers/testing.ts';

const store = testStore();
const { run, mustRun } = store;
before(async () => {
  await store.load();
  for (const name of ['one', 'two', 'three']) await mustRun(['network', 'create', '--subnet', `10.91.${['one', 'two', 'three'].indexOf(name)}.0/24`, name]);
});
after(() => store.remove());

/** In the background: answers with its hostname on port 7000. */
const server = (name: string, ...flags: readonly string[]): Promise<string> => mustRun(['run', '-d', '--name', name, ...flags, 'busybox:1', 'busybox', 'httpd', '-f', '-p', '7000', '-h', '/etc']);
async function inside(name: string, ...command: readonly string[]): Promise<string> {
  const { stdout, stderr } = await run(['exec', name, 'busybox', ...command]);
  return stdout + stderr;
}
/** What the server at `host` says to `from`, or why it cannot be heard. */
const ask = (from: string, host: string): Promise<string> => inside(from, 'wget', '-qO-', `http://${host}:7000/hostname`);
const inspect = async (name: string, format: string): Promise<string> => (await mustRun(['inspect', '-f', format, name])).trim();

test('a container on two networks is reached on both, by the names of each, and lets nothing through', async () => {
  await server('left', '--network', 'one');
  await server('right', '--network', 'two');
  await server('middle', '--network', 'one', '--network', 'name=two,alias=Between,ip=10.91.1.77', '--network-alias', 'centre');
  assert.deepEqual([await ask('left', 'middle'), await ask('left', 'centre'), await ask('right', 'between'), await ask('right', '10.91.1.77')], ['middle\n', 'middle\n', 'middle\n', 'middle\n']);
  assert.deepEqual([await ask('middle', 'left'), await ask('middle', 'right')], ['left\n', 'right\n']);
  // Aliases are those of one network; the other's members and addresses are not there, neither by name nor by way of the one in the middle.
  assert.match((await ask('left', 'between')) + (await ask('right', 'centre')) + (await ask('left', 'right')), /^(?:wget: bad address '\w+:7000'\n){3}$/);
  const right = await inspect('right', '{{.NetworkSettings.Networks.two.IPAddress}}');
  assert.match((await ask('left', right)) + (await ask('left', '10.91.1.77')) + (await ask('right', '10.91.0.2')), /^(?:wget: can't connect to remote host \([\d.]+\): (?:Network is unreachable|No route to host)\n){3}$/);
  const addresses = await inside('middle', 'ip', '-4', '-o', 'addr');
  assert.match(addresses, /eth0 .*10\.91\.0\.\d+\/24[^]*eth1 .*10\.91\.1\.77\/24/);
  assert.match(await inside('middle', 'ip', 'route'), /^default via 10\.91\.0\.1 dev eth0 \n10\.91\.0\.0\/24 dev eth0 [^\n]*\n10\.91\.1\.0\/24 dev eth1 [^\n]*\n$/);
  assert.equal(await inspect('middle', '{{.NetworkSettings.Networks.two.IPAddress}} {{.NetworkSettings.Networks.two.Aliases}}'), '10.91.1.77 [between]');
  assert.match(await mustRun(['network', 'inspect', '-f', '{{json .Containers}}', 'two']), /"Name":"middle","Aliases":\["between",/);
  assert.equal(await mustRun(['ps', '--filter', 'network=two', '--format', '{{.Names}} {{.Networks}}']), 'middle one,two\nright two\n');
});

test('network connect and disconnect of one that runs: at once, connections end, and both hold at the next start', async () => {
  await mustRun(['network', 'connect', '--alias', 'guest', '--ip', '10.91.1.50', 'two', 'left']);
  assert.deepEqual([await ask('left', 'right'), await ask('right', 'guest'), await ask('right', '10.91.1.50')], ['right\n', 'left\n', 'left\n']);
  assert.match(await inside('left', 'ip', '-4', '-o', 'addr'), /eth1 .*10\.91\.1\.50\/24/);
  await mustRun(['exec', '-d', 'right', 'sh', '-c', '(echo hello; busybox sleep 1000) | busybox nc -l -p 7001']);
  // It tries again until it is connected.
  await mustRun(['exec', '-d', 'left', 'sh', '-c', 'busybox mkfifo /f; busybox sleep 1000 > /f & until busybox nc right 7001 < /f > /heard; do busybox sleep 0.2; done; echo ended >> /heard']);
  await until(async () => (await inside('left', 'cat', '/heard')) === 'hello\n', 'it is connected');
  await mustRun(['network', 'disconnect', 'two', 'left']);
  await until(async () => (await inside('left', 'cat', '/heard')) === 'hello\nended\n', 'the connection ends');
  assert.match((await ask('left', 'right')) + (await ask('right', 'guest')), /^(?:wget: bad address '\w+:7000'\n){2}$/);
  assert.doesNotMatch(await inside('left', 'ip', '-4', '-o', 'addr'), /eth1/);
  await mustRun(['network', 'connect', 'three', 'left']);
  await mustRun(['stop', '-t', '0', 'left']);
  await mustRun(['network', 'connect', '--alias', 'later', 'two', 'left']);
  await mustRun(['network', 'disconnect', 'one', 'left']);
  await mustRun(['start', 'left']);
  assert.equal(await ask('right', 'later'), 'left\n');
  assert.deepEqual(Object.keys(JSON.parse(await inspect('left', '{{json .NetworkSettings.Networks}}')) as object), ['three', 'two']);
});

test('one that was on no network joins one while it runs, asks for names, and has not changed a file', async () => {
  await server('lone');
  assert.match(await ask('lone', 'right'), /bad address/);
  await mustRun(['network', 'connect', 'two', 'lone']);
  assert.deepEqual([await ask('lone', 'right'), await ask('right', 'lone')], ['right\n', 'lone\n']);
  assert.equal(await mustRun(['diff', 'lone']), '');
  await mustRun(['network', 'disconnect', 'two', 'lone']);
  assert.match((await ask('lone', '10.91.1.77')) + (await ask('right', 'lone')), /Network is unreachable[^]*bad address/);
  await mustRun(['rm', '-f', 'lone']);
});

test('network create --ipv6: members have addresses of both kinds, and names answer with both', async () => {
  await mustRun(['network', 'create', '--ipv6', 'six']);
  await server('first', '--network', 'six');
  await server('second', '--network', 'six');
  const address = await inspect('second', '{{.NetworkSettings.Networks.six.GlobalIPv6Address}}');
  assert.match(address, /^fd[0-9a-f]{2}:[0-9a-f:]+$/);
  assert.match(await inside('second', 'ip', '-6', '-o', 'addr'), new RegExp(`eth0 .*${address}/64`));
  assert.equal(await ask('first', `[${address}]`), 'second\n');
  assert.ok((await inside('first', 'nslookup', 'second')).includes(`Address: ${address}\n`));
  assert.match(await mustRun(['network', 'inspect', '-f', '{{.EnableIPv6}} {{json .Containers}}', 'six']), new RegExp(`^true .*"IPv6Address":"${address}/64"`));
  await mustRun(['rm', '-f', 'first', 'second']);
});

test('what makes no sense is refused with a line that says what to do', async () => {
  await mustRun(['network', 'create', '--internal', 'inner']);
  await server('open', '-p', '7000');
  for (const [args, message] of [
    [['network', 'connect', 'two', 'right'], /endpoint with name right already exists in network two/], [['network', 'disconnect', 'one', 'right'], /container [0-9a-f]{64} is not connected to network one/],
    [['network', 'connect', 'nowhere', 'right'], /network nowhere not found/], [['network', 'connect', 'one', 'nobody'], /No such container: nobody/], [['network', 'disconnect', '-f', 'one', 'nobody'], /No such container: nobody/],
    [['network', 'connect', '--ip', '10.92.0.5', 'one', 'right'], /invalid IP address 10\.92\.0\.5/], [['network', 'connect', '--ip', '10.91.0.1', 'one', 'right'], /invalid IP address/], [['network', 'connect', '--alias', 'a b', 'one', 'right'], /it is no name of a machine/],
    [['network', 'connect', 'inner', 'open'], /it is internal/], [['run', '--network', 'name=one,ip=nine', 'busybox:1', 'true'], /invalid IP address nine/], [['run', '--network', 'name=one,x=y', 'busybox:1', 'true'], /is not name=, alias= or ip=/],
    [['run', '--network', 'one', '--network', 'one', 'busybox:1', 'true'], /twice/], [['run', '--ip', '10.91.0.9', 'busybox:1', 'true'], /cannot use --ip without a network/],
    [['run', '--rm', '--network', 'name=two,ip=10.91.1.77', 'busybox:1', 'true'], /Address already in use: 10\.91\.1\.77/],
  ] as const) {
    const { status, stderr } = await run(args);
    assert.deepEqual([status !== 0, message.test(stderr), stderr.split('\n').length], [true, true, 2], `${args.join(' ')}: ${stderr}`);
  }
  assert.equal(await inspect('right', '{{len .NetworkSettings.Networks}}'), '1');
});
