/**
 * Kills the processes of containers at many random moments, and looks at what is left (`cycles.ts`):
 *
 *   npm run test:cycles [N [SEED [MOMENT]]]     default 100 of all moments; a failure comes again with the seed that was printed
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomFrom } from '../../images/random.ts';
import { MOMENTS, prepareCycles } from './cycles.ts';

const count = Number(process.argv[2] ?? 100);
const seed = Number(process.argv[3] ?? Date.now() % 1_000_000);
const only = process.argv[4];
const moments = MOMENTS.filter((name) => only === undefined || name === only);
if (moments.length === 0) throw new Error(`there are ${MOMENTS.join(', ')}`);
const random = randomFrom(seed);
const scratch = mkdtempSync(join(tmpdir(), 'caisson-cycles-'));
console.log(`${count} cycles, seed ${seed}`);
const cycles = await prepareCycles(scratch);
try {
  for (let number = 0; number < count; number++) console.log(`${number + 1} of ${count}: ${await cycles.cycle(moments[number % moments.length]!, random())}`);
  console.log(`${count} cycles, nothing left behind`);
} finally {
  await cycles.remove();
  rmSync(scratch, { recursive: true, force: true });
}
