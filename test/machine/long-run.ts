/**
 * A hundred million cases against the host's processor, in pieces: it goes on where it was stopped.
 *
 *     npm run test:instructions -- [--count N] [--seed S] [--restart]
 *
 * What is done, and each mismatch, is kept in .cache/machine/long-run.json; the end is 1 if there was a mismatch.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { runDifferential } from './differential.ts';
import type { DifferentialOptions } from './differential.ts';
import { FORMS } from './forms.ts';

const RECORD = fileURLToPath(new URL('../../.cache/machine/long-run.json', import.meta.url));
const PIECE = 500_000;
const SHOWN = 10;

interface Progress {
  readonly seed: number;
  cases: number;
  seconds: number;
  mismatches: string[];
}

const SSE = FORMS.filter((form) => /^ss?s?e/.test(form.row.feature));

/** What the pieces are, in turn: mostly all forms in the interpreter, then the translator, then SSE under any MXCSR in both. */
const KINDS: readonly Omit<DifferentialOptions, 'count' | 'seed'>[] = [
  {}, {}, {}, {}, { tier: 'translator' }, {}, {}, { tier: 'translator' }, { forms: SSE, exactFloats: true }, { forms: SSE, exactFloats: true, tier: 'translator' },
];

function load(seed: number, restart: boolean): Progress {
  const kept = !restart && existsSync(RECORD) ? (JSON.parse(readFileSync(RECORD, 'utf8')) as Progress) : undefined;
  return kept?.seed === seed ? kept : { seed, cases: 0, seconds: 0, mismatches: [] };
}

function main(): void {
  const { values } = parseArgs({
    options: { count: { type: 'string', default: '100000000' }, seed: { type: 'string', default: '1000' }, restart: { type: 'boolean', default: false } },
  });
  const count = Number(values.count);
  const progress = load(Number(values.seed), values.restart);
  while (progress.cases < count) {
    const piece = Math.floor(progress.cases / PIECE);
    const started = performance.now();
    const size = Math.min(PIECE, count - progress.cases);
    const found = runDifferential({ ...KINDS[piece % KINDS.length], count: size, seed: progress.seed + piece });
    progress.cases += size;
    progress.seconds += (performance.now() - started) / 1000;
    progress.mismatches.push(...found.map(({ text }) => text));
    writeFileSync(RECORD, `${JSON.stringify(progress, null, 1)}\n`);
    console.log(`${progress.cases} cases, ${progress.mismatches.length} mismatches, ${progress.seconds.toFixed(0)} s`);
    for (const { text } of found.slice(0, SHOWN)) console.log(`  ${text}`);
  }
  console.log(`${progress.cases} cases of ${FORMS.length} forms: ${progress.mismatches.length} mismatches`);
  process.exitCode = progress.mismatches.length === 0 ? 0 : 1;
}

main();
