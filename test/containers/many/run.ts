/**
 * Fifty containers at once on this machine (`many.ts`):
 *
 *   npm run test:many [N]     default 50
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runMany } from './many.ts';

const count = Number(process.argv[2] ?? 50);
const scratch = mkdtempSync(join(tmpdir(), 'caisson-many-'));
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
try {
  const { startedMs, answeredMs, removedMs, residentMiB, proportionalMiB, guestMiB } = await runMany(scratch, count);
  console.log(`${count} containers started in ${seconds(startedMs)}; all answered exec, a published port and a neighbour's name in ${seconds(answeredMs)}; removed in ${seconds(removedMs)}, and nothing is left behind`);
  console.log(`memory: ${(proportionalMiB / count).toFixed(0)} MiB for each (PSS; RSS, which counts what they share as often as it is shared: ${(residentMiB / count).toFixed(0)} MiB), of which the programs inside have ${(guestMiB / count).toFixed(1)} MiB`);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
