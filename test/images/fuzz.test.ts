/** 100,000 spoiled tars, documents and references: no crash, memory bounded. */
import assert from 'node:assert/strict';
import { memoryUsage } from 'node:process';
import { test } from 'node:test';
import { FUZZERS, fuzz } from './fuzz-parsers.ts';
import { randomFrom } from './random.ts';

const CASES = { tar: 40_000, document: 30_000, reference: 30_000 } as const satisfies Readonly<Record<keyof typeof FUZZERS, number>>;
const MOST_GROWTH_BYTES = 300 * 2 ** 20;

for (const kind of Object.keys(FUZZERS) as (keyof typeof FUZZERS)[]) {
  test(`${CASES[kind]} spoiled cases: ${kind}`, () => {
    const seed = Date.now() % 1_000_000;
    const before = memoryUsage();
    try {
      const { accepted, refused } = fuzz(kind, CASES[kind], randomFrom(seed));
      // Neither everything nor nothing comes through: the cases reach what is behind the first check.
      assert.ok(accepted > CASES[kind] / 100 && refused > CASES[kind] / 100, `${accepted} accepted, ${refused} refused`);
    } catch (error) {
      throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
    }
    const after = memoryUsage();
    assert.ok(after.heapUsed + after.external - before.heapUsed - before.external < MOST_GROWTH_BYTES, `${after.heapUsed} ${after.external}`);
  });
}
