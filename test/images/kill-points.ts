/**
 * Kills commands on a store at many random points, and looks at what is left (`kill-trials.ts`); then a registry that is pushed to, at a third as
 * many (`registry/kill-writes.ts`):
 *
 *   npm run test:kill [N [SEED [NAME]]]     default 300 of all commands, or of one; a failure prints the seed with which it comes again
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { killWrites } from '../registry/kill-writes.ts';
import { Scratch } from '../registry/servers.ts';
import { prepareTrials } from './kill-trials.ts';
import { randomFrom } from './random.ts';
import { registriesIn } from './registry-testing.ts';

const count = Number(process.argv[2] ?? 300);
const seed = Number(process.argv[3] ?? Date.now() % 1_000_000);
const only = process.argv[4];
const random = randomFrom(seed);
const scratch = mkdtempSync(join(tmpdir(), 'caisson-kill-'));
const { startRegistry, stop } = registriesIn(scratch);
const registryScratch = new Scratch('kill-registry');
console.log(`${count} kills, seed ${seed}`);
const killed = new Map<string, number>();
try {
  const { scenarios: all, trial } = await prepareTrials(join(scratch, 'trials'), await startRegistry());
  const scenarios = all.filter(({ name }) => only === undefined || name === only);
  if (scenarios.length === 0) throw new Error(`there are ${all.map(({ name }) => name).join(', ')}`);
  for (let number = 0; number < count; number++) {
    const scenario = scenarios[number % scenarios.length]!;
    if (await trial(scenario, random())) killed.set(scenario.name, (killed.get(scenario.name) ?? 0) + 1);
    if ((number + 1) % 50 === 0) console.log(`${number + 1} of ${count}`);
  }
  const writes = Math.ceil(count / 3);
  console.log(`registry: ${writes} kills, ${await killWrites(registryScratch, writes, random)} confirmed writes, all there`);
  console.log(`${count} kills, all clean, nothing lost; ended by the kill: ${[...killed].map(([name, times]) => `${name} ${times}`).join(', ')}`);
} finally {
  stop();
  registryScratch.clean();
  rmSync(scratch, { recursive: true, force: true });
}
