/** Containers on a network of their own making: redis-server and nginx by name, and who is elsewhere reaches nothing. By the built command. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { buildServices } from './services.ts';
import { testStore, until } from './testing.ts';

// A socket's path has 108 bytes at most: that of this store's are longer.
const store = testStore(`store-${'x'.repeat(120)}`);
const { scratch, home, run, mustRun } = store;
const BODY = randomBytes(20_000_000);
const inspect = async (name: string, format: string): Promise<string> => (await mustRun(['inspect', '-f', format, name])).trim();
const addressOf = (name: string): Promise<string> => inspect(name, '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}');
/** What a shell prints in a new container on the network, both streams. */
async function on(network: string, script: string, ...flags: readonly string[]): Promise<string> {
  const { stdout, stderr } = await run(['run', '--rm', '--network', network, ...flags, 'services', 'sh', '-c', script]);
  return stdout + stderr;
}

before(async () => {
  await buildServices(store);
  mkdirSync(join(scratch, 'www'));
  writeFileSync(join(scratch, 'www/big'), BODY);
});
after(() => store.remove());

test('network create, ls, inspect: names, subnets, and what is wrong with them', async () => {
  assert.match(await mustRun(['network', 'create', '--label', 'tier=data', 'back']), /^[0-9a-f]{64}\n$/);
  await mustRun(['network', 'create', '--internal', '--subnet', '10.77.3.9/29', 'inner']);
  await mustRun(['network', 'create', 'other']);
  assert.match(await mustRun(['network', 'ls']), /^NETWORK ID +NAME +DRIVER +SCOPE\n[0-9a-f]{12} +back +bridge +local\n[0-9a-f]{12} +inner +bridge +local\n[0-9a-f]{12} +other +bridge +local\n$/);
  const [first, second] = JSON.parse(await mustRun(['network', 'inspect', 'back', 'inner'])) as { Internal: boolean; IPAM: { Config: object[] }; Labels: object }[];
  assert.deepEqual([first?.Internal, first?.IPAM.Config, first?.Labels], [false, [{ Subnet: '10.89.0.0/24', Gateway: '10.89.0.1' }], { tier: 'data' }]);
  assert.deepEqual([second?.Internal, second?.IPAM.Config], [true, [{ Subnet: '10.77.3.8/29', Gateway: '10.77.3.9' }]]);
  for (const [args, message] of [
    [['back'], /network with name back already exists/], [['host'], /cannot be called "host"/], [['a/b'], /invalid network name "a\/b"/], [['--subnet', '10.89.0.128/25', 'x'], /it overlaps with another network/],
    [['--subnet', '8.8.8.0/24', 'x'], /belong to others on the Internet/], [['--subnet', '10.0.0.0/8', 'x'], /fewer than 16/], [['--subnet', 'fd00::/64', 'x'], /not an IPv4 range/], [['--driver', 'macvlan', 'x'], /there is only bridge/],
  ] as const) {
    const { status, stderr } = await run(['network', 'create', ...args]);
    assert.deepEqual([status !== 0, message.test(stderr), stderr.split('\n').length], [true, true, 2], stderr);
  }
  assert.match((await run(['network', 'inspect', 'innr'])).stderr, /network innr not found \(did you mean "inner"\?\)/);
});

test('network --help lists its own commands', async () => {
  const help = await mustRun(['network', '--help']);
  assert.match(help, /^  create +make a network that containers share$/m);
  assert.match(help, /^  rm +remove networks that no running container is on$/m);
});

test('containers reach each other by name, alias, id and address, with their own addresses', async () => {
  const id = (await mustRun(['run', '-d', '--name', 'db', '--network', 'back', '--network-alias', 'Cache', 'services', 'redis-server', '--protected-mode', 'no'])).trim();
  await mustRun(['run', '-d', '--name', 'web', '--network', 'back', '-p', '80', '-v', `${join(scratch, 'www')}:/var/www/html/files:ro`, 'services']);
  await until(async () => (await on('back', 'redis-cli -h db ping')).includes('PONG'), 'redis answers');
  const address = await addressOf('db');
  assert.match(address, /^10\.89\.0\.\d+$/);
  assert.equal(await on('back', `for name in DB cache ${id.slice(0, 12)} ${address}; do redis-cli -h $name ping; done`), 'PONG\n'.repeat(4));
  assert.match(await on('back', 'redis-cli -h db client list; ip -4 addr show eth0; cat /etc/resolv.conf'), /addr=(10\.89\.0\.\d+):\d+ laddr=10\.89\.0\.\d+:6379 [^]*inet \1\/24 [^]*nameserver 10\.89\.0\.1\n$/);
  assert.match(await on('back', 'nslookup db'), new RegExp(`Name:\\s+db\\nAddress: ${address.replaceAll('.', '\\.')}\\n`));
  assert.match(await on('back', 'nslookup nobody; nslookup example.org'), /can't find nobody: NXDOMAIN[^]*can't find example\.org: NXDOMAIN/);
  assert.equal((JSON.parse(await mustRun(['network', 'inspect', '-f', '{{json .Containers}}', 'back'])) as Record<string, { Name: string; IPv4Address: string }>)[id]?.IPv4Address, `${address}/24`);
  assert.match(await mustRun(['ps', '-f', 'network=back', '--format', '{{.Names}} {{.Networks}}']), /^web back\ndb back\n$/);
});

test('a large body arrives whole; datagrams too', async () => {
  assert.equal(await on('back', 'busybox wget -q -O - http://web/files/big | sha256sum'), `${createHash('sha256').update(BODY).digest('hex')}  -\n`);
  await mustRun(['run', '-d', '--name', 'udp', '--network', 'back', 'services', 'socat', 'UDP-RECVFROM:7000,fork', 'EXEC:cat']);
  await until(async () => (await on('back', 'echo hello | socat -t 2 - UDP:udp:7000')).includes('hello'), 'the datagram comes back');
});

test('who is on another network, or on none, reaches nothing and learns no name; this machine neither', async () => {
  const address = await addressOf('db');
  for (const network of ['other', 'inner', 'none', 'outbound']) {
    const seen = await on(network, `redis-cli -h ${address} ping; redis-cli -h db ping; nslookup db; echo end`);
    assert.match(seen, /end\n/);
    assert.doesNotMatch(seen, /PONG|Address: 10\.89\.0/, network);
    assert.match(seen, /Network is unreachable|Permission denied/, network);
  }
  assert.match(await on('back', 'nc -w 1 10.89.0.200 80; nc -w 1 10.89.0.1 80; nc -w 1 192.0.2.1 80'), /No route to host[^]*Connection refused[^]*Network is unreachable/);
  assert.match((await run(['run', '--rm', '--network', 'inner', '-p', '80', 'services', 'true'])).stderr, /cannot publish ports from the network inner: it is internal/);
  assert.match((await run(['run', '--rm', '--network', 'inner', '--allow-net', 'example.org', 'services', 'true'])).stderr, /cannot reach outside from the network inner: it is internal/);
  assert.match((await run(['run', '--rm', '--network-alias', 'x', 'services', 'true'])).stderr, /cannot use --network-alias without a network/);
});

test('names and addresses go with their containers, also when a process is killed, and come back', async () => {
  const pid = Number(await inspect('db', '{{.State.Pid}}'));
  const address = await addressOf('db');
  process.kill(pid, 'SIGKILL');
  await until(async () => (await inspect('db', '{{.State.Status}}')) === 'exited', 'it is seen');
  assert.match(await on('back', `nslookup db; nc -w 1 ${address} 6379`), /NXDOMAIN[^]*(No route to host|Connection refused)/);
  await mustRun(['start', 'db']);
  await until(async () => (await on('back', 'redis-cli -h db ping')).includes('PONG'), 'redis answers again');
  const refused = await run(['network', 'rm', 'back']);
  assert.deepEqual([refused.status, /network back has active endpoints: .*db/.test(refused.stderr)], [1, true]);
  await mustRun(['rm', '-f', 'db', 'web', 'udp']);
  assert.equal(readdirSync(join(home, 'networks/back/members')).length, 0);
  await mustRun(['create', '--name', 'later', '--network', 'other', 'services', 'sleep', '1000']);
  assert.equal(await mustRun(['network', 'prune', '-f', '--filter', 'label=tier']), 'Deleted Networks:\nback\n\n');
  assert.equal(await mustRun(['network', 'prune', '-f']), 'Deleted Networks:\ninner\n\n');
  await mustRun(['network', 'rm', 'other']);
  assert.match((await run(['start', 'later'])).stderr, /network other not found/);
  assert.deepEqual([await mustRun(['network', 'ls', '-q']), existsSync(join(home, 'networks/other'))], ['', false]);
});
