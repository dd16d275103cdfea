/** Commands on containers against what Docker's reference says of them: `documented.ts`. By the built command. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { CASES } from './documented.ts';
import type { Case } from './documented.ts';
import { testStore, until } from './testing.ts';

const { run, mustRun, load, remove } = testStore();
/** Commands at once: there is nothing that one of them changes for another. Those that make containers or processes come last, as these would be listed. */
const AT_ONCE = 3;
const makes = ({ args }: Case): boolean => args[0] === 'run' || args[0] === 'create' || args[0] === 'exec';

before(async () => {
  await load();
  await mustRun(['network', 'create', 'back']);
  await mustRun(['volume', 'create', '--label', 'use=none', 'spare']);
  await run(['run', '--name', 'one', '--label', 'tier=db', 'busybox:1', 'sh', '-c', 'echo out; echo err >&2; exit 3']);
  await mustRun(['create', '--name', 'made', 'busybox:1', 'true']);
  await mustRun(['run', '--rm', '-v', 'data:/d', 'busybox:1', 'sh', '-c', 'echo kept > /d/file']);
  await mustRun([
    'run', '-d', '--name', 'up', '--hostname', 'box', '-v', 'data:/data', '-v', 'notes:/notes:ro', '-e', 'A=1', '-w', '/tmp', '-u', 'app', '-l', 'tier=web', '-l', 'stage=test', '--network', 'back', '--restart', 'on-failure:5', '--init', '-m', '256m',
    '--pids-limit', '50', '--cap-add', 'NET_ADMIN', '--cap-drop', 'mknod', '--ulimit', 'nofile=64:128', '--stop-signal', 'SIGINT', '--stop-timeout', '3', '--health-cmd', 'true', '--health-interval', '1h', '--health-start-period', '1h', '--health-start-interval', '100ms', '--health-retries', '2', 'busybox:1', 'sleep', '1000',
  ]);
  await mustRun(['run', '-d', '--name', 'held', 'busybox:1', 'sleep', '1000']);
  await mustRun(['pause', 'held']);
  await until(async () => (await mustRun(['inspect', '-f', '{{.State.Health.Status}}', 'up'])) === 'healthy\n', 'it is healthy');
});
after(remove);

function fits(text: string, wanted: string | RegExp): boolean {
  return typeof wanted === 'string' ? text === wanted : wanted.test(text);
}

/** Undefined: as it should be. */
async function failureOf({ page, args, status = 0, out, err }: Case): Promise<string | undefined> {
  const got = await run(args);
  const isRight = got.status === status && fits(got.stdout, out ?? (err === undefined ? '' : /^/)) && fits(got.stderr, err ?? '');
  // A mistake is said in a line, without a stack.
  const isPlain = !got.stderr.startsWith('caisson: ') || got.stderr.trimEnd().split('\n').length === 1;
  return isRight && isPlain ? undefined : `${page}: caisson ${args.join(' ')}\n  wanted ${status} ${String(out)} ${String(err)}\n  got ${got.status} ${JSON.stringify(got.stdout)} ${JSON.stringify(got.stderr)}`;
}

test(`${CASES.length} commands answer as Docker's reference says`, { timeout: 300_000 }, async () => {
  const failures: string[] = [];
  for (const waiting of [CASES.filter((one) => !makes(one)), CASES.filter(makes)]) {
    await Promise.all(Array.from({ length: AT_ONCE }, async () => {
      for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
        const failure = await failureOf(one);
        if (failure !== undefined) failures.push(failure);
      }
    }));
  }
  assert.deepEqual(failures, []);
  assert.ok(CASES.length >= 150);
});
