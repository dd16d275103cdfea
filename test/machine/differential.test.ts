/**
 * Every instruction in every form against the host's processor: a million cases. `CAISSON_CASES` sets another
 * number, `CAISSON_SEED` another seed; `differential.ts` is the command for longer runs.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { runDifferential } from './differential.ts';
import { FORMS } from './forms.ts';
import type { Form } from './forms.ts';
import { hasNativeRunner } from './native.ts';

const CASES = Number(process.env['CAISSON_CASES'] ?? 1_000_000);
const SEED = Number(process.env['CAISSON_SEED'] ?? 20);

const isVector = (form: Form): boolean => /^(avx|fma|f16c)/.test(form.row.feature);
const CRYPTOGRAPHY = new Set(['aes', 'pclmul', 'sha']);

/** Names, share of the cases, and the rows. */
const PARTS: readonly (readonly [name: string, share: number, has: (form: Form) => boolean])[] = [
  ['x87', 0.25, (form) => form.row.feature === 'x87'],
  ['MMX', 0.1, (form) => form.row.semantics.includes('mm')],
  ['AES, PCLMULQDQ and SHA', 0.05, (form) => CRYPTOGRAPHY.has(form.row.feature)],
  ['SSE to SSE4.2', 0.3, (form) => form.row.feature.startsWith('s') && !CRYPTOGRAPHY.has(form.row.feature)],
  ['AVX, AVX2, FMA and F16C', 0.3, (form) => isVector(form)],
  ['integer and control', 0.3, (form) => !/^(x87|mmx|s|aes|pclmul|avx|fma|f16c)/.test(form.row.feature)],
];

for (const [name, share, has] of PARTS) {
  const forms = FORMS.filter(has);
  test(`${name}: results are the host's`, { skip: !hasNativeRunner() || forms.length === 0 }, () => {
    const mismatches = runDifferential({ count: Math.ceil(CASES * share), seed: SEED, forms });
    assert.deepEqual(mismatches.slice(0, 10).map((mismatch) => mismatch.text), []);
    assert.equal(mismatches.length, 0);
  });
}

test("SSE and AVX under any MXCSR: results and exceptions are the host's", { skip: !hasNativeRunner() }, () => {
  const forms = FORMS.filter((form) => isVector(form) || (form.row.feature.startsWith('s') && !CRYPTOGRAPHY.has(form.row.feature)));
  const mismatches = runDifferential({ count: Math.ceil(CASES * 0.2), seed: SEED, forms, exactFloats: true });
  assert.deepEqual(mismatches.slice(0, 10).map((mismatch) => mismatch.text), []);
  assert.equal(mismatches.length, 0);
});

test("all in the translator: results are the host's", { skip: !hasNativeRunner() }, () => {
  const mismatches = runDifferential({ count: Math.ceil(CASES * 0.3), seed: SEED, tier: 'translator' });
  assert.deepEqual(mismatches.slice(0, 10).map((mismatch) => mismatch.text), []);
  assert.equal(mismatches.length, 0);
});

test("SSE and AVX in the translator under any MXCSR: results and exceptions are the host's", { skip: !hasNativeRunner() }, () => {
  const forms = FORMS.filter((form) => isVector(form) || (form.row.feature.startsWith('s') && !CRYPTOGRAPHY.has(form.row.feature)));
  const mismatches = runDifferential({ count: Math.ceil(CASES * 0.1), seed: SEED, forms, exactFloats: true, tier: 'translator' });
  assert.deepEqual(mismatches.slice(0, 10).map((mismatch) => mismatch.text), []);
  assert.equal(mismatches.length, 0);
});
