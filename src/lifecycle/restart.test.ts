import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_HEALTH, STARTING, afterCheck, pauseBeforeCheck } from './health.ts';
import type { HealthCheck, HealthResult, HealthState } from './health.ts';
import { restartPause } from './restart.ts';
import type { RestartPolicy } from './restart.ts';

const QUICK = { exitCode: 1, ranMs: 50, restarts: 0, wasStopped: false };

test('restartPause() waits as Docker does: 0.1 s, twice as long each time, a minute at most, anew after ten seconds', () => {
  const always: RestartPolicy = { name: 'always', maximumRetries: 0 };
  const pauses: number[] = [];
  for (let last = 0; pauses.length < 12; pauses.push(last)) last = restartPause(always, QUICK, last) ?? -1;
  assert.deepEqual(pauses, [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000, 60_000]);
  assert.equal(restartPause(always, { ...QUICK, ranMs: 10_000 }, 60_000), 100);
  assert.equal(restartPause(always, { ...QUICK, ranMs: 9999 }, 100), 200);
});

test('restartPause() starts again what its policy names, and nothing that was stopped', () => {
  for (const [name, maximumRetries, ending, isAgain] of [
    ['no', 0, {}, false], ['always', 0, {}, true], ['always', 0, { exitCode: 0 }, true], ['unless-stopped', 0, { exitCode: 0 }, true], ['always', 0, { wasStopped: true }, false], ['unless-stopped', 0, { wasStopped: true }, false],
    ['on-failure', 0, {}, true], ['on-failure', 0, { exitCode: 0 }, false], ['on-failure', 0, { restarts: 1000 }, true], ['on-failure', 3, { restarts: 2 }, true], ['on-failure', 3, { restarts: 3 }, false], ['on-failure', 0, { wasStopped: true }, false],
  ] as const) assert.equal(restartPause({ name, maximumRetries }, { ...QUICK, ...ending }, 0) !== undefined, isAgain, `${name}:${maximumRetries} ${JSON.stringify(ending)}`);
});

const CHECK: HealthCheck = { ...DEFAULT_HEALTH, test: ['CMD', 'true'], retries: 3, startPeriodMs: 1000 };
const at = (startMs: number, exitCode: number): HealthResult => ({ startMs, endMs: startMs + 1, exitCode, output: 'x'.repeat(5000) });
const after = (...results: readonly HealthResult[]): HealthState => results.reduce((state, result) => afterCheck(state, CHECK, result, 0), STARTING);

test('afterCheck(): healthy at once, unhealthy after as many failures as it says, of which those at the start do not count', () => {
  assert.deepEqual([after(at(1, 0)).status, after(at(1, 1), at(2, 1), at(3, 1), at(4, 1)).status, after(at(1, 1), at(2, 1)).failingStreak], ['healthy', 'starting', 0]);
  assert.deepEqual(after(at(1001, 1), at(1002, 1)), { ...after(at(1001, 1), at(1002, 1)), status: 'starting', failingStreak: 2 });
  assert.equal(after(at(1001, 1), at(1002, 1), at(1003, -1)).status, 'unhealthy');
  // One that was healthy has begun.
  assert.equal(after(at(1, 0), at(2, 1), at(3, 1), at(4, 1)).status, 'unhealthy');
  assert.deepEqual([after(at(1, 0), at(2, 1), at(3, 1), at(4, 1), at(5, 0)).status, after(at(1, 0), at(2, 1), at(3, 1), at(4, 1), at(5, 0)).failingStreak], ['healthy', 0]);
  const { log } = after(...Array.from({ length: 9 }, (_, index) => at(index, 0)));
  assert.deepEqual([log.map(({ startMs }) => startMs), log[0]?.output.length], [[4, 5, 6, 7, 8], 4096]);
});

test('pauseBeforeCheck() is shorter at the start', () => {
  assert.deepEqual([pauseBeforeCheck(STARTING, CHECK, 500, 0), pauseBeforeCheck(STARTING, CHECK, 1500, 0), pauseBeforeCheck({ ...STARTING, status: 'healthy' }, CHECK, 500, 0)], [5000, 30_000, 30_000]);
});
