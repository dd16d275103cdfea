/** `--seed`: the same command line gives the same run, as far as the time is not asked. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { caisson } from './caisson.ts';

const SCRIPT = 'od -An -N32 -tx1 /dev/urandom; od -An -N32 -tx1 /dev/random; cat /proc/sys/kernel/random/uuid; mktemp -u; od -An -tx1 -N4096 /proc/self/auxv; cat /proc/self/maps; (echo $$; ls -d /proc/[0-9]*) | cat';

async function run(...flags: string[]): Promise<string> {
  const { stdout, stderr, status } = await caisson(['do', ...flags, '--', '/bin/sh', '-c', SCRIPT]);
  assert.equal(status, 0, stderr);
  return stdout;
}

test('--seed makes random numbers, names, addresses and process numbers repeatable', async () => {
  const first = await run('--seed', '7');
  assert.equal(await run('--seed', '7'), first);
  const [other, none, again] = [await run('--seed', '8'), await run(), await run()];
  // The first three lines are random bytes and a UUID.
  const random = [first, other, none, again].map((text) => text.split('\n').slice(0, 6).join('\n'));
  assert.equal(new Set(random).size, 4);
});
