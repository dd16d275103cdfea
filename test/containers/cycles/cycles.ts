/**
 * Containers whose processes are killed (SIGKILL) at random moments of their lives: create, start, exec, the kill, rm. Afterwards the machine is as it was
 * before: no file, process or port of theirs, and a neighbour on their network has no descriptor more. Each command that was under way ends in an orderly way.
 */
import assert from 'node:assert/strict';
import { kill } from 'node:process';
import { isDeepStrictEqual } from 'node:util';
import { mkdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { spawnCaisson } from '../../cli/caisson.ts';
import type { RunResult } from '../../cli/caisson.ts';
import { busyboxLayout, commandIn } from '../../images/fixtures.ts';
import { lookAt, processOf } from './world.ts';

/** Its name, and what is under way when the process is killed. Words: of a command, or a way to be busy. */
export const MOMENTS = ['starting', 'idle', 'exec', 'served', 'reached', 'committing', 'stopping', 'keeping', 'restarting', 'removing', 'remover', 'self-removing'] as const;
export type Moment = (typeof MOMENTS)[number];

export interface Cycles {
  /** One cycle; the kill comes after `fraction` of the time that what is under way takes. Answers what was killed, for people. */
  cycle(moment: Moment, fraction: number): Promise<string>;
  remove(): Promise<void>;
}

/** Says when it is up; serves, and takes its time to end. */
const LIFE = 'trap "sleep 0.2; exit 0" TERM; touch /made; busybox httpd -p 80 -h /; echo up; while :; do sleep 0.05; done';
const MUCH = 'trap "exit 0" TERM; busybox dd if=/dev/urandom of=/much bs=65536 count=128 2>/dev/null; echo up; while :; do sleep 0.05; done';
const NAME = 'victim';
const DEADLINE_MS = 60_000;
/** What is under way takes about so long on a machine that has other things to do. */
const FIRST_MS = 800;
const SETTLING_MS = 20_000;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function until<Value>(look: () => Promise<Value | undefined> | Value | undefined, what: string): Promise<Value> {
  for (const since = Date.now(); Date.now() - since < DEADLINE_MS; await pause(5)) {
    const found = await look();
    if (found !== undefined) return found;
  }
  throw new Error(`waited in vain until ${what}`);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Ended by itself, and says nothing that is not for people. */
function assertOrderly({ stderr, status, signal }: RunResult, what: string): void {
  assert.equal(signal, null, `${what}: killed by the test's time limit: ${stderr}`);
  assert.doesNotMatch(stderr, /internal error|\n\s+at .*\(|RangeError|TypeError|ENOENT|EPIPE|ECONN/, what);
  assert.ok(status === 0 || /^caisson: /m.test(stderr) || stderr === '', `${what}: ${status} ${stderr}`);
  assert.ok(stderr.split('\n').length <= 2, `${what} says more than a line: ${stderr}`);
}

/** `scratch`: an empty directory. */
export async function prepareCycles(scratch: string): Promise<Cycles> {
  const directories = { CAISSON_HOME: join(scratch, 'store'), TMPDIR: join(scratch, 'tmp'), XDG_CACHE_HOME: join(scratch, 'cache'), XDG_DATA_HOME: join(scratch, 'data') };
  for (const path of Object.values(directories)) mkdirSync(path);
  const variable = `CAISSON_HOME=${directories.CAISSON_HOME}`;
  const { run, mustRun } = commandIn(directories);
  const port = await freePort();
  await mustRun(['load', '-q', '-i', busyboxLayout()]);
  await mustRun(['network', 'create', 'net']);
  await mustRun(['volume', 'create', 'data']);
  await mustRun(['run', '-d', '--name', 'neighbour', '--network', 'net', 'busybox:1', 'sh', '-c', 'busybox httpd -p 80 -h /; while :; do sleep 0.05; done']);
  const inspect = async (name: string, format: string): Promise<string> => (await mustRun(['inspect', '-f', format, name])).trim();
  const survivor = Number(await inspect('neighbour', '{{.State.Pid}}'));
  const look = (): ReturnType<typeof lookAt> => lookAt({ scratch, variable, port, survivor });

  const create = async (script: string, ...flags: readonly string[]): Promise<string> =>
    (await mustRun(['create', '--name', NAME, '--network', 'net', '-p', `${port}:80`, '-v', 'data:/data', '-v', '/own', '--log-opt', 'max-size=10k', ...flags, 'busybox:1', 'sh', '-c', script])).trim();
  const isUp = (): Promise<true> => until(async () => ((await run(['logs', NAME])).stdout.includes('up\n') ? true : undefined), 'the container is up');
  const started = async (script: string, ...flags: readonly string[]): Promise<string> => {
    const id = await create(script, ...flags);
    await mustRun(['start', NAME]);
    await isUp();
    assert.equal(await mustRun(['exec', NAME, 'cat', '/proc/sys/kernel/ostype']), 'Linux\n');
    return id;
  };
  const killProcess = (id: string): boolean => {
    const pid = processOf(id, variable);
    if (pid === undefined) return false;
    kill(pid, 'SIGKILL');
    return true;
  };
  /** How long what is under way takes; less where it was seen to have ended before its kill. */
  const durations = new Map<Moment, number>();
  const durationOf = (moment: Moment): number => durations.get(moment) ?? FIRST_MS;
  /** Runs `act` after that part of the time; answers when, and whether `under` had ended before. */
  const killAt = async (moment: Moment, fraction: number, under: Promise<unknown>, act: () => boolean): Promise<string> => {
    const since = performance.now();
    const elapsed = (): number => performance.now() - since;
    let endedAfter: number | undefined;
    void under.then(() => (endedAfter = elapsed()));
    for (const afterMs = fraction * durationOf(moment); endedAfter === undefined && elapsed() < afterMs;) await pause(1);
    const at = elapsed();
    const killed = act();
    await under;
    // So that the next kill comes before that.
    if (endedAfter !== undefined && endedAfter <= at) durations.set(moment, Math.min(durationOf(moment), endedAfter));
    return `${moment}: ${killed ? 'killed' : 'had ended'} after ${at.toFixed(0)} ms`;
  };

  /** Runs commands, and kills the container's process meanwhile. */
  const during = async (moment: Moment, id: string, fraction: number, ...commands: readonly (readonly string[])[]): Promise<string> => {
    const under = Promise.all(commands.map(async (args) => {
      const result = await run(args);
      assertOrderly(result, `${moment}: ${args.join(' ')}`);
    }));
    return killAt(moment, fraction, under, () => killProcess(id));
  };

  const WAYS: { readonly [Name in Moment]: (moment: Name, fraction: number) => Promise<string> } = {
    starting: async (moment, fraction) => {
      const id = await create(LIFE);
      const result = run(['start', NAME]);
      await until(() => processOf(id, variable), 'the process is there');
      const done = await killAt(moment, fraction, result, () => killProcess(id));
      const ended = await result;
      assertOrderly(ended, moment);
      return `${done}, start: ${ended.status}`;
    },
    idle: async (moment, fraction) => {
      const id = await started(LIFE);
      await pause(fraction * 100);
      killProcess(id);
      return moment;
    },
    exec: async (moment, fraction) => during(moment, await started(LIFE), fraction, ['exec', NAME, 'sh', '-c', 'busybox head -c 20000000 /dev/zero'], ['exec', '-i', NAME, 'cat'], ['exec', '-d', NAME, 'sleep', '9'], ['top', NAME], ['stats', '--no-stream', NAME]),
    served: async (moment, fraction) => {
      const id = await started(LIFE);
      const fetches = Promise.all(Array.from({ length: 4 }, async () => fetch(`http://127.0.0.1:${port}/bin/busybox`).then((answer) => answer.arrayBuffer()).catch(() => undefined)));
      return killAt(moment, fraction, fetches, () => killProcess(id));
    },
    reached: async (moment, fraction) => {
      const id = await started(LIFE);
      const fetches = ['-d', ''].map((flag) => run(['exec', ...(flag === '' ? [] : [flag]), 'neighbour', 'sh', '-c', `busybox wget -q -O - http://${NAME}/bin/busybox | wc -c`]));
      const back = run(['exec', NAME, 'sh', '-c', 'busybox wget -q -O - http://neighbour/bin/busybox | wc -c']);
      return killAt(moment, fraction, Promise.all([...fetches, back]), () => killProcess(id));
    },
    committing: async (moment, fraction) => {
      const id = await started(MUCH);
      const ended = await during(moment, id, fraction, ['commit', '-q', NAME, 'moment:1'], ['diff', NAME], ['cp', `${NAME}:/etc/passwd`, directories.TMPDIR], ['export', '-o', join(directories.TMPDIR, 'tree.tar'), NAME]);
      await run(['rmi', 'moment:1']);
      for (const name of ['passwd', 'tree.tar']) rmSync(join(directories.TMPDIR, name), { force: true });
      return ended;
    },
    stopping: async (moment, fraction) => during(moment, await started(LIFE), fraction, ['stop', '-t', '5', NAME]),
    keeping: async (moment, fraction) => during(moment, await started(MUCH), fraction, ['stop', '-t', '5', NAME]),
    restarting: async (moment, fraction) => during(moment, await started(LIFE, '--restart', 'on-failure'), fraction, ['restart', '-t', '0', NAME]),
    removing: async (moment, fraction) => during(moment, await started(LIFE), fraction, ['rm', '-fv', NAME]),
    remover: async (moment, fraction) => {
      await started(LIFE);
      const remover = spawnCaisson(['rm', '-fv', NAME], { env: directories });
      const closed = new Promise((resolve) => remover.once('close', resolve));
      return killAt(moment, fraction, closed, () => remover.kill('SIGKILL'));
    },
    'self-removing': async (moment, fraction) => during(moment, await started(LIFE, '--rm'), fraction, ['exec', NAME, 'sleep', '0.3']),
  };

  let isWarm = false;
  const cycle = async (moment: Moment, fraction: number): Promise<string> => {
    // What the first cycle makes for all others is there before.
    if (!isWarm) {
      await started(LIFE);
      await mustRun(['rm', '-fv', NAME]);
      isWarm = true;
    }
    const before = look();
    const done = await (WAYS[moment] as (moment: Moment, fraction: number) => Promise<string>)(moment, fraction);
    const found = await mustRun(['ps', '-aq', '--no-trunc', '-f', `name=^/${NAME}$`]);
    // One that began to start again after the kill runs.
    if (found !== '') assertOrderly(await run(['rm', '-fv', NAME]), `${done}: rm`);
    assert.match(await mustRun(['system', 'check']), /: clean\n/, done);
    // What else was started ends when the process is gone, each in its time.
    for (const since = Date.now(); !isDeepStrictEqual(look(), before) && Date.now() - since < SETTLING_MS;) await pause(5);
    assert.deepEqual(look(), before, done);
    return done;
  };
  return {
    cycle,
    remove: async () => {
      const ids = (await mustRun(['ps', '-aq'])).split('\n').filter((id) => id !== '');
      if (ids.length > 0) await mustRun(['rm', '-fv', ...ids]);
    },
  };
}
