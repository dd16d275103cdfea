/** Memory of a process that has ended is another user's only once nothing of it is left, wherever it stored. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { caisson } from '../cli/caisson.ts';

const directory = mkdtempSync(join(tmpdir(), 'caisson-leftovers-'));
after(() => rmSync(directory, { recursive: true }));

test('what a process stored where nothing was mapped is in no memory of another user', async () => {
  const program = join(directory, 'leftovers');
  execFileSync('gcc', ['-O1', '-static', '-o', program, fileURLToPath(new URL('leftovers.c', import.meta.url))], { stdio: 'inherit' });
  const { stdout, stderr } = await caisson(['do', '--user', '0', '--cap-add', 'ALL', '-v', `${directory}:${directory}`, '--', program], { timeoutMs: 120_000 });
  // Some of what it stores to may be refused, as by Linux; where it is not, nobody else sees it.
  assert.match(stdout, /^(?:(?:stored in \d+ places\n)?(?:looked, 0 bytes of others\n){2}){3}$/, stdout + stderr);
});
