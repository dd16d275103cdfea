/** Many containers at once: each answers a command, a client at its published port and its neighbour by name; what they take is told; afterwards nothing of them is there. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { busyboxLayout, commandIn } from '../../images/fixtures.ts';
import { lookAt } from '../cycles/world.ts';
import { until } from '../testing.ts';

export interface Told {
  readonly startedMs: number;
  readonly answeredMs: number;
  readonly removedMs: number;
  /** Of all processes: what each holds (RSS), and what of it nobody else has (PSS counts what is shared by its share). MiB. */
  readonly residentMiB: number;
  readonly proportionalMiB: number;
  /** As `stats` says: what their programs have. MiB. */
  readonly guestMiB: number;
}

const IN_PARALLEL = 5;
const SETTLING_MS = 30_000;

/** Runs a few at once. */
async function forAll<Item, Result>(items: readonly Item[], act: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  const waiting = [...items.entries()];
  await Promise.all(Array.from({ length: IN_PARALLEL }, async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) results[next[0]] = await act(next[1]);
  }));
  return results;
}

function sizeOf(pid: number, file: string, row: string): number {
  return Number(new RegExp(`^${row}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/${file}`, 'latin1'))?.[1] ?? Number.NaN) / 1024;
}
const sum = (values: readonly number[]): number => values.reduce((one, other) => one + other, 0);
const mebibytes = (text: string): number => Number.parseFloat(text) * ({ B: 2 ** -20, KiB: 2 ** -10, MiB: 1, GiB: 2 ** 10 }[text.replace(/[\d.]/g, '')] ?? Number.NaN);

/** `scratch`: an empty directory. @throws AssertionError where one does not answer, or something is left */
export async function runMany(scratch: string, count: number): Promise<Told> {
  const directories = { CAISSON_HOME: join(scratch, 'store'), TMPDIR: join(scratch, 'tmp'), XDG_CACHE_HOME: join(scratch, 'cache'), XDG_DATA_HOME: join(scratch, 'data') };
  for (const path of Object.values(directories)) mkdirSync(path);
  const { run, mustRun } = commandIn(directories);
  await mustRun(['load', '-q', '-i', busyboxLayout()]);
  await mustRun(['network', 'create', 'many']);
  await mustRun(['run', '--rm', 'busybox:1', 'true']);
  const look = (): ReturnType<typeof lookAt> => lookAt({ scratch, variable: `CAISSON_HOME=${directories.CAISSON_HOME}`, port: 0, survivor: 0 });
  const before = look();
  const names = Array.from({ length: count }, (_, index) => `many-${index}`);
  const timed = async <Result>(act: () => Promise<Result>): Promise<{ readonly result: Result; readonly ms: number }> => {
    const since = performance.now();
    return { result: await act(), ms: performance.now() - since };
  };
  try {
    const started = await timed(() => forAll(names, async (name) => mustRun(['run', '-d', '--name', name, '--network', 'many', '-p', '80', '-m', '64m', 'busybox:1', 'sh', '-c', 'hostname > /name; exec busybox httpd -f -p 80 -h /'])));
    assert.equal((await mustRun(['ps', '-q'])).split('\n').length - 1, count);
    const answered = await timed(() => forAll(names, async (name) => {
      const port = /^127\.0\.0\.1:(\d+)$/m.exec(await mustRun(['port', name, '80']))?.[1];
      const answer = async (): Promise<string> => fetch(`http://127.0.0.1:${port}/name`).then((response) => response.text()).catch(() => '');
      await until(async () => (await answer()) === `${name}\n`, `${name} answers at its port`);
      const neighbour = names[(names.indexOf(name) + 1) % count]!;
      assert.equal(await mustRun(['exec', name, 'sh', '-c', `hostname; busybox wget -q -O - http://${neighbour}/name`]), `${name}\n${neighbour}\n`);
    }));
    const used = (await mustRun(['stats', '--no-stream', '--format', '{{.MemUsage}}'])).trim().split('\n').map((text) => mebibytes(text.split(' / ')[0] ?? ''));
    assert.equal(used.length, count);
    const pids = (await mustRun(['inspect', '-f', '{{.State.Pid}}', ...names])).trim().split('\n').map(Number);
    const told = { residentMiB: sum(pids.map((pid) => sizeOf(pid, 'status', 'VmRSS'))), proportionalMiB: sum(pids.map((pid) => sizeOf(pid, 'smaps_rollup', 'Pss'))), guestMiB: sum(used) };
    const removed = await timed(() => mustRun(['rm', '-fv', ...names]));
    for (const since = Date.now(); !isDeepStrictEqual(look(), before) && Date.now() - since < SETTLING_MS;) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual(look(), before);
    return { startedMs: started.ms, answeredMs: answered.ms, removedMs: removed.ms, ...told };
  } finally {
    await run(['rm', '-fv', ...names]);
  }
}
