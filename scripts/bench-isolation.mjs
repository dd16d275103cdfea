/**
 * What one container leaves another: how far a program in a container counts, and how many requests a second its server answers, alone and while a hostile container
 * beside it, on the same network and the same processor, takes what it can. For `bench.mjs`.
 */
import { execFileSync } from 'node:child_process';
import { connect } from 'node:net';
import { mkdirSync, mkdtempSync, copyFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROGRAM = join(dirname(fileURLToPath(import.meta.url)), '../test/security/neighbours/neighbour.c');
const PORT = 7000;
const CLIENTS = 4;
const SECONDS = 3;
const MOST_TRIES = 500;
/** Attackers and the server are on this processor, whoever asks on the others. */
const PROCESSOR = '0';
/** What an attacker runs, with the server's address as its first word. */
const ATTACKS = {
  cpu: 'while :; do :; done',
  memory: 'while :; do /busybox tail /dev/zero; done',
  output: '/busybox yes',
  processes: 'while :; do (:); done',
  connections: '/neighbour connect $0 1000',
  'connections that stay': '/neighbour hold $0 1000',
  datagrams: '/neighbour flood $0 1000',
};
/** Of two on one processor. */
const SHARE = 0.5;

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** One connection, one question, one answer; false where there was none. */
function ask(port) {
  return new Promise((resolve) => {
    let answer = 0;
    const socket = connect(port, '127.0.0.1', () => socket.write('?'));
    socket.setTimeout(10_000, () => socket.destroy());
    socket.on('data', (bytes) => (answer += bytes.length));
    socket.on('error', () => {});
    socket.on('close', () => resolve(answer > 0));
  });
}

/** Requests a second. */
async function rateOf(port) {
  let count = 0;
  const started = performance.now();
  const end = started + SECONDS * 1000;
  await Promise.all(Array.from({ length: CLIENTS }, async () => {
    while (performance.now() < end) count += (await ask(port)) ? 1 : 0;
  }));
  return (count * 1000) / (performance.now() - started);
}

/** By attack: what it does meanwhile, as a part of what it does alone and of that its share; medians of rounds that alternate. */
export async function benchIsolation({ caisson, env: base, rounds, median }) {
  const scratch = mkdtempSync(join(tmpdir(), 'caisson-bench-isolation-'));
  const env = { ...base, CAISSON_HOME: join(scratch, 'store') };
  const pinned = (...words) => execFileSync('taskset', ['-c', PROCESSOR, process.execPath, caisson, ...words], { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  try {
    const root = join(scratch, 'root');
    mkdirSync(root);
    execFileSync('gcc', ['-static', '-O2', '-o', join(root, 'neighbour'), PROGRAM]);
    copyFileSync('/bin/busybox', join(root, 'busybox'));
    execFileSync('tar', ['-C', root, '-cf', join(scratch, 'root.tar'), '.']);
    pinned('import', join(scratch, 'root.tar'), 'neighbours');
    pinned('network', 'create', 'shared');
    pinned('run', '-d', '--name', 'server', '--network', 'shared', '-p', String(PORT), 'neighbours', '/neighbour', 'keep', 'answer');
    const port = Number(pinned('port', 'server').split('\n')[0].split(':').at(-1));
    const address = pinned('inspect', '-f', '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}', 'server');
    for (let tries = 0; !(await ask(port)); tries++) {
      if (tries === MOST_TRIES) throw new Error(`the server does not answer: ${pinned('logs', 'server')}`);
      await pause(20);
    }
    const measure = async () => ({ work: Number(pinned('exec', 'server', '/neighbour', 'work', String(SECONDS))), requests: await rateOf(port) });
    for (let warm = 0; warm < 3; warm++) await measure();
    const parts = Object.fromEntries(Object.keys(ATTACKS).map((name) => [name, { work: [], requests: [] }]));
    for (let round = 0; round < rounds; round++) {
      for (const [name, script] of Object.entries(ATTACKS)) {
        const alone = await measure();
        pinned('run', '-d', '--name', 'attacker', '--network', 'shared', '-m', '256m', '--cap-add', 'ALL', 'neighbours', '/busybox', 'sh', '-c', script, address);
        await pause(1000);
        const attacked = await measure();
        pinned('rm', '-f', 'attacker');
        for (const what of ['work', 'requests']) parts[name][what].push(attacked[what] / alone[what] / SHARE);
      }
    }
    const shares = Object.fromEntries(Object.entries(parts).map(([name, { work, requests }]) => [name, { work: median(work), requests: median(requests) }]));
    const percent = (share) => `${(share * 100).toFixed(0)} %`;
    for (const [name, { work, requests }] of Object.entries(shares)) console.log(`${name}: work ${percent(work)}, requests ${percent(requests)} of the share, which is half of what there is alone`);
    return shares;
  } finally {
    const ids = pinned('ps', '-aq').split('\n').filter((id) => id !== '');
    if (ids.length > 0) pinned('rm', '-f', ...ids);
    rmSync(scratch, { recursive: true, force: true });
  }
}
