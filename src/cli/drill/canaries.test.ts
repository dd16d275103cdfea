/** A change on purpose of each canary is reported, and nothing else is: a drill whose canaries sleep proves nothing. */
import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { createSocket } from 'node:dgram';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Program } from '../../drill/index.ts';
import type { Field, Run } from '../../drill/index.ts';
import { Canaries } from './canaries.ts';
import type { CanaryNeighbour } from './canary-neighbour.ts';
import { hostTarget } from './targets.ts';
import { TECHNIQUES } from '../../drill/index.ts';

const QUIET: Run = { stdout: 'done\n', stderr: '', exitCode: 0, timedOut: false };
/** The other guest has tests of its own: the twins in test/drill that run in it. */
const NEIGHBOUR = { place: { file: '/secret', port: 1, abstractSocket: '\0x', segmentKey: 1, processId: 1, secretAddress: 0 }, check: async () => [], stop: async () => {} } as unknown as CanaryNeighbour;

/** Canaries in their order and without repetition. */
async function noticed(change: (canaries: Canaries) => void | Partial<Run> | Promise<void | Partial<Run>>): Promise<readonly string[]> {
  const canaries = await Canaries.plant(async () => NEIGHBOUR);
  try {
    assert.deepEqual(await canaries.check(QUIET), []);
    const run = await change(canaries);
    const sightings = await canaries.check({ ...QUIET, ...run });
    return [...new Set(sightings.map(({ canary }) => canary))].sort();
  } finally {
    await canaries.remove();
  }
}

const FILES: Readonly<Record<string, (field: Field) => void>> = {
  'a file is written': ({ keptFile }) => fs.appendFileSync(keptFile, 'x'),
  'a file is written back as it was, at another time': ({ keptFile }) => {
    const bytes = fs.readFileSync(keptFile);
    fs.writeFileSync(keptFile, bytes);
    fs.utimesSync(keptFile, 1, 1);
  },
  'a file is made': ({ directory }) => fs.writeFileSync(join(directory, 'made'), ''),
  'a link is made': ({ readable }) => fs.symlinkSync('/', join(readable, 'link')),
  'a file is removed': ({ secretFile }) => fs.rmSync(secretFile),
  'its rights are taken away': ({ secretFile }) => fs.chmodSync(secretFile, 0),
  'rights are changed': ({ readable }) => fs.chmodSync(join(readable, 'file'), 0o777),
  'a file takes the place of another': ({ directory, keptFile }) => {
    fs.writeFileSync(join(directory, 'new'), 'kept\n');
    fs.renameSync(join(directory, 'new'), keptFile);
  },
  'what a twin gives in the host\'s name is written': ({ stagedTree }) => fs.writeFileSync(join(stagedTree, 'release_agent'), 'x'),
  'shared memory is written': ({ sharedMemory }) => fs.appendFileSync(`/dev/shm/${sharedMemory}`, 'x'),
};

for (const [what, change] of Object.entries(FILES)) {
  test(`Canaries notice it when ${what}`, async () => {
    assert.deepEqual(await noticed(({ field }) => change(field)), ['file']);
  });
}

test('Canaries notice it when all of their directory is taken away', async () => {
  assert.deepEqual(await noticed(({ field: { directory } }) => fs.rmSync(directory, { recursive: true })), ['file', 'socket']);
});

test('Canaries let the directory be written that techniques are given', async () => {
  assert.deepEqual(await noticed(({ field: { granted } }) => fs.writeFileSync(join(granted, 'file'), 'x')), []);
});

test('Canaries notice it when a process of the host is ended, or stopped', async () => {
  for (const signal of ['SIGTERM', 'SIGSTOP'] as const) assert.deepEqual(await noticed(({ field: { processId } }) => void process.kill(processId, signal)), ['process']);
});

test('Canaries notice connections and datagrams', async () => {
  const places = ({ field: { tcpPort, socket } }: Canaries): readonly ({ readonly port: number; readonly host: string } | { readonly path: string })[] => [{ port: tcpPort, host: '127.0.0.1' }, { path: socket }];
  for (const index of [0, 1]) {
    assert.deepEqual(await noticed((canaries) => new Promise<void>((resolve, reject) => {
      const connection = createConnection(places(canaries)[index] ?? { path: '' }, () => connection.destroy());
      connection.on('close', () => resolve()).on('error', reject);
    })), ['socket']);
  }
  assert.deepEqual(await noticed(({ field: { udpPort } }) => new Promise<void>((resolve) => {
    const sender = createSocket('udp4');
    sender.send('x', udpPort, '127.0.0.1', () => sender.close(() => resolve()));
  })), ['socket']);
});

test('Canaries notice secrets, identities and control characters in what a guest says', async () => {
  assert.deepEqual(await noticed(({ field: { secretFile } }) => ({ stderr: fs.readFileSync(secretFile, 'utf8') })), ['file']);
  assert.deepEqual(await noticed(({ field: { processId } }) => ({ stdout: fs.readFileSync(`/proc/${processId}/environ`, 'latin1') })), ['process-environment']);
  assert.deepEqual(await noticed(() => ({ stdout: `x${process.env['CAISSON_DRILL_SECRET'] ?? ''}y` })), ['environment']);
  assert.deepEqual(await noticed(() => ({ stderr: fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8') })), ['identity']);
  assert.deepEqual(await noticed(() => ({ shown: 'A /tmp/\x1b[2J\n' })), ['terminal']);
});

test('Canaries notice it when every object gets something, and take it away', async () => {
  assert.deepEqual(await noticed(() => void Object.assign(Object.prototype, { drilled: true })), ['prototype']);
  assert.equal(({} as { drilled?: boolean }).drilled, undefined);
});

test('Canaries notice what programs do to memory, segments and keys of a process', async () => {
  for (const [name, expected] of [['write-process-memory', ['process']], ['shared-segment', ['segment']], ['read-process-memory', ['process-memory']]] as const) {
    const technique = TECHNIQUES.find((one) => one.name === name);
    assert.ok(technique !== undefined);
    assert.deepEqual(await noticed(async ({ field }) => {
      const program = new Program();
      technique.program(program, field);
      return hostTarget(field).run(technique, program.toElf(), {});
    }), expected);
  }
});

test('where a canary cannot be planted, none stays', async () => {
  const left = (): readonly string[] => ['/dev/shm', tmpdir()].flatMap((directory) => fs.readdirSync(directory)).filter((name) => name.startsWith('caisson-drill-'));
  const before = left();
  let watched = 0;
  await assert.rejects(Canaries.plant(async (_token, root) => {
    watched = Number(fs.readdirSync('/proc').find((pid) => {
      try {
        return fs.readlinkSync(`/proc/${pid}/exe`) === join(root, '../watchman');
      } catch {
        return false;
      }
    }));
    throw new Error('no neighbour');
  }), /no neighbour/);
  assert.ok(watched > 0);
  assert.equal(fs.existsSync(`/proc/${watched}`), false);
  assert.deepEqual(left(), before);
});
