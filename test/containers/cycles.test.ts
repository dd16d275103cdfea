/** A dozen of the cycles that `npm run test:cycles` makes a hundred of: one of each moment. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { randomFrom } from '../images/random.ts';
import { MOMENTS, prepareCycles } from './cycles/cycles.ts';
import type { Cycles } from './cycles/cycles.ts';

const scratch = mkdtempSync(join(tmpdir(), 'caisson-cycles-'));
const seed = Date.now() % 1_000_000;
const random = randomFrom(seed);
let cycles: Cycles;

before(async () => {
  cycles = await prepareCycles(scratch);
});
after(async () => {
  await cycles.remove();
  rmSync(scratch, { recursive: true, force: true });
});

for (const moment of MOMENTS) test(`killed while ${moment}: nothing is left behind (seed ${seed})`, async () => void (await cycles.cycle(moment, random())));
