import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { after } from './long-timer.ts';

test('after() calls when the time is over, be it longer than Node can wait, and not when it is stopped', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const calls: string[] = [];
  const hour = 3_600_000;
  after(60 * 24 * hour, () => calls.push('sixty days'));
  const stopped = after(40 * 24 * hour, () => calls.push('forty days'));
  after(1, () => calls.push('one'));
  mock.timers.tick(2);
  assert.deepEqual(calls, ['one']);
  for (let hours = 1; hours < 60 * 24; hours++) {
    mock.timers.tick(hour);
    if (hours === 30 * 24) stopped.stop();
  }
  assert.deepEqual(calls, ['one']);
  // What is armed anew begins with the tick that it is armed in.
  for (let more = 0; more < 4; more++) mock.timers.tick(hour);
  assert.deepEqual(calls, ['one', 'sixty days']);
  mock.timers.reset();
});
