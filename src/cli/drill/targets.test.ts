/** Commands of the host that a drill runs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCommand } from './targets.ts';

test('runCommand() waits for nobody who has left the group and holds the output', async () => {
  const { timedOut, stdout } = await runCommand(['setsid', '--fork', 'sh', '-c', 'echo $$; exec sleep 600'], { cwd: '/', timeoutMs: 500 });
  process.kill(Number(stdout), 'SIGKILL');
  assert.equal(timedOut, true);
});
