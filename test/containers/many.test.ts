/** Six containers at once: the short form of `npm run test:many`. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runMany } from './many/many.ts';

const scratch = mkdtempSync(join(tmpdir(), 'caisson-many-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

test('six at once answer, their memory is told, and nothing is left behind', { timeout: 240_000 }, async () => {
  const { proportionalMiB, residentMiB, guestMiB } = await runMany(scratch, 6);
  assert.ok(0 < guestMiB && guestMiB < proportionalMiB && proportionalMiB <= residentMiB);
});
