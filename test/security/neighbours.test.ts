/**
 * One container against another (promise of THREAT_MODEL.md): `near` is on the victim's network, `far` on another; both have every capability inside. What they try has
 * a twin where it could work: the same program in the victim itself, or natively (`neighbour.c`). By the built command.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { testStore, until } from '../containers/testing.ts';
import { MARKER, PORT, buildNeighbours, startNeighbours } from './neighbours/neighbours.ts';
import type { Neighbours } from './neighbours/neighbours.ts';

const store = testStore();
const { home, run, mustRun } = store;
let neighbours: Neighbours;
const ATTACKERS = ['near', 'far'] as const;
const addresses = { victim: '', witness: '', near: '', far: '' };

before(async () => {
  await buildNeighbours(store);
  neighbours = await startNeighbours(store);
  for (const name of ['victim', 'witness', 'near', 'far'] as const) addresses[name] = await neighbours.addressOf(name);
});
after(() => store.remove());

/** The lines of `neighbour`, by name. */
function linesOf(output: string): ReadonlyMap<string, string> {
  return new Map(output.trim().split('\n').map((line) => line.split(': ') as [string, string]));
}
const reached = (output: string): readonly string[] => [...linesOf(output)].flatMap(([name, result]) => (result === 'reached' ? [name] : []));
/** What the witness gets from the victim, asked by name over TCP. */
const asked = (): Promise<string> => neighbours.inside('witness', `echo hello | busybox nc -w 5 victim ${PORT}`);

test('files, sockets, shared memory, queues, processes and their memory: there for the victim, not for others', async () => {
  const own = linesOf(await neighbours.inside('victim', 'neighbour probe'));
  assert.ok(own.size >= 11);
  for (const [name, result] of own) assert.equal(result, 'reached', name);
  for (const attacker of ATTACKERS) {
    const tried = await neighbours.inside(attacker, 'neighbour probe');
    assert.deepEqual([[...linesOf(tried).keys()], reached(tried)], [[...own.keys()], []], tried);
  }
});

test('nothing that a guest can read or open has what the victim keeps', async () => {
  // A class in the expression, so that the search does not find itself.
  const search = (places: string): string => `busybox grep -rl 'mark[e]r-${MARKER.slice(7)}' ${places} 2>/dev/null`;
  assert.match(await neighbours.inside('victim', search('/private /run/secret /proc/2/environ')), /\/private\/note\n/);
  for (const attacker of ATTACKERS) {
    assert.equal(await neighbours.inside(attacker, `${search('$(ls -d /* /dev/shm /dev/mqueue | busybox grep -v -e ^/proc -e ^/sys -e ^/dev$) /proc/[0-9]*/environ /proc/[0-9]*/cmdline /proc/[0-9]*/root/private /proc/net /proc/sysvipc')}; echo searched`), 'searched\n', attacker);
    const devices = 'for d in "b 8 0" "b 8 1" "b 254 0" "b 259 0" "b 7 0" "c 1 1" "c 1 2" "c 1 4" "c 10 237"; do busybox mknod /tmp/d $d && busybox head -c 1 /tmp/d > /tmp/read 2>/tmp/why && echo "opened $d"; rm -f /tmp/d; done';
    assert.doesNotMatch(await neighbours.inside(attacker, devices.replace('rm -f', 'busybox rm -f')), /opened/, attacker);
    // The sockets by which this machine speaks with the victim, by every name that they have here.
    const id = (await mustRun(['inspect', '-f', '{{.Id}}', 'victim'])).trim();
    const tries = [join(home, 'containers', id, 'control'), join(home, `networks/shared/members/${addresses.victim}.sock`)].map((path) => `busybox ls ${path}; neighbour ask unix ${path}`).join('; ');
    assert.doesNotMatch(await neighbours.inside(attacker, `${tries}; ls /proc/self/fd/*/control /proc/*/fd/*/control`), /^\/.*(sock|control)$|^\{/m);
  }
});

test('signals to every process that can be named end the attacker\'s own, and no other', async () => {
  const pid = await mustRun(['inspect', '-f', '{{.State.Pid}} {{.State.StartedAt}}', 'victim', 'witness']);
  for (const network of ['shared', 'other']) {
    const { stdout, status } = await run(['run', '--rm', '--cap-add', 'ALL', '--network', network, 'neighbours', 'sh', '-c', 'sleep 1000 & neighbour kill; wait']);
    assert.match(stdout, /done/);
    assert.notEqual(status, 125);
  }
  assert.equal(await mustRun(['inspect', '-f', '{{.State.Pid}} {{.State.StartedAt}}', 'victim', 'witness']), pid);
  assert.equal(await asked(), MARKER);
});

test('who listens hears nothing of what others say', async () => {
  for (const attacker of ATTACKERS) {
    const heard = neighbours.inside(attacker, 'neighbour overhear');
    let isOver = false;
    void heard.then(() => (isOver = true));
    while (!isOver) assert.equal(await asked(), MARKER);
    assert.deepEqual(reached(await heard), [], await heard);
  }
});

test('nobody can be seen with another\'s address, or take it', async () => {
  const { victim, witness, near } = addresses;
  for (const attacker of ATTACKERS) {
    for (const [who, target] of [[witness, victim], [victim, witness]] as const) {
      const tried = linesOf(await neighbours.inside(attacker, `neighbour impersonate ${who} ${target}; busybox ip addr add ${who}/24 dev eth0 2>/dev/null; busybox ifconfig eth0 ${who} 2>/dev/null`));
      for (const name of ['address by netlink', 'address by ioctl', 'ARP entry', 'raw packet', 'bind, datagrams', 'bind, stream']) assert.notEqual(tried.get(name), 'reached', `${attacker}: ${name}`);
    }
    assert.match(await neighbours.inside(attacker, 'busybox ip -4 addr show eth0'), new RegExp(`inet ${addresses[attacker]}/24`));
    assert.equal(await neighbours.addressOf(attacker), addresses[attacker]);
  }
  // Each kind of socket comes through, with the sender's own address.
  await neighbours.inside('near', `neighbour ask tcp ${victim} ${PORT}; neighbour ask udp ${victim} ${PORT}`);
  await until(async () => new RegExp(`tcp ${near} [^]*udp ${near} \\?hello`).test(await neighbours.seen()), 'the victim has heard it');
  for (const said of [await neighbours.seen(), await mustRun(['logs', 'witness'])]) for (const line of said.split('\n').filter((text) => text.includes('forged!'))) assert.equal(line.split(' ')[1], near, line);
  assert.equal(await asked(), MARKER);
});

test('what is sent to everyone reaches nobody', async () => {
  for (const attacker of ATTACKERS) await neighbours.inside(attacker, `neighbour everyone ${addresses[attacker].replace(/\d+$/, '255')}; neighbour everyone ${addresses.victim.replace(/\d+$/, '255')}`);
  // What was sent later has come.
  await neighbours.inside('near', `neighbour ask udp ${addresses.victim} ${PORT}`);
  assert.doesNotMatch(await neighbours.seen() + await mustRun(['logs', 'witness']), /everyone/);
});

test('names: a guest that calls itself the victim, or answers for it, is not asked', async () => {
  const claims = 'busybox hostname victim; echo "$(busybox hostname -i) victim" >> /etc/hosts; for p in 53 5353 137; do neighbour answer $p & done';
  for (const attacker of ATTACKERS) await mustRun(['exec', '-d', attacker, 'sh', '-c', `${claims}; wait`]);
  await mustRun(['run', '-d', '--name', 'namesake', '--hostname', 'victim', '--network', 'shared', 'neighbours', 'sleep', '1000']);
  const lookUp = async (name: string): Promise<readonly string[]> => [...(await neighbours.inside(name, 'busybox nslookup victim')).matchAll(/^Address(?: \d+)?: (\S+)/gm)].map(([, address = '']) => address).filter((address) => !/:53$|\.1$/.test(address));
  assert.deepEqual(await lookUp('witness'), [addresses.victim]);
  assert.deepEqual(await lookUp('far'), []);
  assert.equal(await asked(), MARKER);
  await mustRun(['rm', '-f', 'namesake']);
});

test('who is on another network, or has only a way out, reaches neither address nor port; loopback is the victim\'s own', async () => {
  const { victim } = addresses;
  assert.doesNotMatch(await neighbours.inside('far', `neighbour ask tcp ${victim} ${PORT}; neighbour ask udp ${victim} ${PORT}`), new RegExp(MARKER));
  for (const attacker of ATTACKERS) assert.doesNotMatch(await neighbours.inside(attacker, `for a in ${victim} 127.0.0.1 0.0.0.0; do neighbour ask tcp $a ${PORT + 1}; done`), new RegExp(MARKER));
  assert.equal(await neighbours.inside('victim', `neighbour ask tcp 127.0.0.1 ${PORT + 1}`), `${MARKER}\n`);
  const published = (await mustRun(['port', 'victim', String(PORT)])).split('\n')[0]?.split(':')[1] ?? '';
  const { stdout, stderr } = await run(['run', '--rm', '--network', 'outbound', '--cap-add', 'ALL', 'neighbours', 'sh', '-c', `for a in 127.0.0.1 10.0.2.2 10.0.2.15 ${victim}; do neighbour ask tcp $a ${published}; neighbour ask tcp $a ${PORT}; done`]);
  assert.doesNotMatch(stdout + stderr, new RegExp(MARKER));
  assert.doesNotMatch(await neighbours.seen(), /10\.0\.2\.|^tcp 10\.89\.1\./m);
});

/** Sends bytes to a socket of this machine; answers when it is closed, or after a moment. */
function spoken(directory: string, name: string, bytes: Uint8Array): Promise<string> {
  const handle = openSync(directory, 'r');
  const socket = connect(`/proc/self/fd/${handle}/${name}`);
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
  socket.on('error', () => {});
  socket.end(bytes);
  return new Promise((resolve) => socket.once('close', () => {
    closeSync(handle);
    resolve(answer);
  }));
}

test('the sockets on this machine: closed to other users, and no nonsense hurts who listens', async () => {
  const id = (await mustRun(['inspect', '-f', '{{.Id}}', 'victim'])).trim();
  const [container, members] = [join(home, 'containers', id), join(home, 'networks/shared/members')];
  for (const directory of [home, container, members]) assert.equal(statSync(directory).mode & 0o077, 0, directory);
  if (process.getuid?.() === 0) {
    const script = 'for (const path of process.argv.slice(1)) require("net").connect(path).on("error", (error) => console.log(error.code)).on("connect", () => console.log("connected"))';
    const { stdout } = spawnSync(process.execPath, ['-e', script, join(container, 'control'), join(members, `${addresses.victim}.sock`)], { uid: 65_534, gid: 65_534, encoding: 'utf8', cwd: '/' });
    assert.equal(stdout, 'EACCES\nEACCES\n');
  }
  const header = (version: number, protocol: number, from: string, port: number, more: readonly number[] = []): Uint8Array => Uint8Array.from([version, protocol, ...from.split('.').map(Number), 0, 9, port >> 8, port & 255, ...more]);
  const { victim } = addresses;
  const before = (await neighbours.seen()).length;
  const nonsense = [
    header(9, 6, addresses.near, PORT), header(1, 1, addresses.near, PORT), header(1, 6, victim, PORT), header(1, 6, '10.89.0.1', PORT), header(1, 6, '8.8.8.8', PORT), header(1, 6, '127.0.0.1', PORT), header(1, 6, addresses.near, PORT, [1, 2, 3]),
    header(1, 17, victim, 0, [0, 5, 0, 9, 27, 88, 63, 63, 63, 63, 63]), header(1, 17, addresses.near, 0, [255, 255, 0, 9, 27, 88, ...Array<number>(65_535).fill(120)]), header(1, 17, addresses.near, 0, [0, 0, 0, 0, 0, 0]), new Uint8Array(5), new Uint8Array(1_000_000).fill(255),
  ];
  for (const bytes of nonsense) assert.doesNotMatch(await spoken(members, `${victim}.sock`, bytes), new RegExp(MARKER));
  assert.doesNotMatch((await neighbours.seen()).slice(before), new RegExp(` (8\\.8\\.8\\.8|127\\.0\\.0\\.1|${victim.replaceAll('.', '\\.')}|10\\.89\\.0\\.1) .`));
  const frame = (text: string, kind = 0, length = text.length): Uint8Array => Buffer.concat([Uint8Array.of(kind, length & 255, (length >> 8) & 255, (length >> 16) & 255, (length >> 24) & 255), Buffer.from(text)]);
  const requests = [
    frame('nonsense'), frame('null'), frame('[]'), frame('{}'), frame('{"op":"nope"}'), frame('{"op":"__proto__"}'), frame('{"op":"kill","signal":9999,"stops":false}'), frame('{"op":"kill","signal":0}'), frame('{"op":"kill","signal":"x"}'), frame('{"op":"exec"}'), frame('{"op":"exec","argv":[]}'), frame('{"op":"exec","argv":"sh","env":{}}'),
    frame('{"op":"put","tar":"/nope","directory":"/"}'), frame('{"op":"stat"}'), frame('{"op":"update","limits":{"memory":-1}}'), frame('{"op":"update"}'), frame('', 9), frame('x', 6), frame('x', 0, 0x7fff_ffff), frame('{"rows":-1,"columns":1e9}', 5), new Uint8Array(100_000).fill(170),
  ];
  for (const bytes of requests) assert.doesNotMatch(await spoken(container, 'control', bytes), /\n\s+at |internal error/);
  assert.equal(await asked(), MARKER);
  assert.match(await mustRun(['ps', '--format', '{{.Names}}']), /^victim$/m);
});

test('connections that are held leave room for others', async () => {
  const holder = await neighbours.begun('near', ['neighbour', 'hold', addresses.victim, '400'], /^held .*\n/);
  const held = Number(/held (\d+)/.exec(holder.output)?.[1]);
  assert.ok(held > 0 && held < 400, holder.output);
  assert.equal(await asked(), MARKER);
  const published = (await mustRun(['port', 'victim', String(PORT)])).split('\n')[0]?.split(':')[1] ?? '';
  assert.equal(spawnSync('busybox', ['nc', '-w', '5', '127.0.0.1', published], { input: 'hello\n', encoding: 'utf8' }).stdout, MARKER);
  // The victim still gets out.
  assert.equal(await neighbours.inside('victim', `echo back | busybox nc -w 5 witness ${PORT}`), 'witness');
  holder.end();
});

test('floods of datagrams, connections, questions for names, memory, output and work: the victim and the witness go on', async () => {
  const { victim } = addresses;
  await mustRun(['run', '-d', '--name', 'flood', '--network', 'shared', '--cap-add', 'ALL', '-m', '96m', '--log-opt', 'max-size=100k', '--log-opt', 'max-file=2', 'neighbours', 'sh', '-c',
    `neighbour flood ${victim} 1000 & neighbour flood ${addresses.witness} 1000 & neighbour connect ${victim} 1000 & (while :; do busybox nslookup victim; busybox nslookup nobody; done) & (while :; do busybox tail /dev/zero; done) & (while :; do :; done) & busybox yes`]);
  const log = async (): Promise<number> => {
    const directory = join(home, 'containers', (await mustRun(['inspect', '-f', '{{.Id}}', 'flood'])).trim());
    return readdirSync(directory).filter((name) => name.startsWith('log')).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
  };
  await until(async () => (await log()) > 100_000, 'it is at work');
  for (let time = 0; time < 5; time++) assert.equal(await asked(), MARKER);
  // Datagrams may be lost, as anywhere: who asks again is answered.
  await until(async () => (await neighbours.inside('witness', `neighbour ask udp ${victim} ${PORT}`)).includes(MARKER), 'a datagram comes through');
  assert.ok((await log()) < 300_000, `${await log()} bytes of log`);
  assert.match(await mustRun(['stats', '--no-stream', '--format', '{{.Name}} {{.MemPerc}}']), /^victim /m);
  await mustRun(['rm', '-f', 'flood']);
  assert.equal(await asked(), MARKER);
});
