import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EFLAGS_ARITHMETIC, eflagsToFlags, evenParity, flagsToEflags, subtractionFlags } from './flags.ts';
import type { LazyFlags } from './flags.ts';

function toEflags(flags: LazyFlags): number {
  return flagsToEflags(flags.resultLow, flags.resultHigh, flags.auxLow, flags.auxHigh);
}

/** EFLAGS after a - b by the definition in the SDM, on integers without bounds. */
function expectedSubtraction(size: number, a: bigint, b: bigint): number {
  const bits = size * 8;
  const result = BigInt.asUintN(bits, a - b);
  const exact = BigInt.asIntN(bits, a) - BigInt.asIntN(bits, b);
  let ones = 0;
  for (let bit = 0n; bit < 8n; bit++) ones += Number((result >> bit) & 1n);
  let eflags = 0;
  if (BigInt.asUintN(bits, a) < BigInt.asUintN(bits, b)) eflags |= 0x1;
  if (ones % 2 === 0) eflags |= 0x4;
  if ((a & 0xfn) < (b & 0xfn)) eflags |= 0x10;
  if (result === 0n) eflags |= 0x40;
  if (BigInt.asIntN(bits, result) < 0n) eflags |= 0x80;
  if (BigInt.asIntN(bits, exact) !== exact) eflags |= 0x800;
  return eflags;
}

test('evenParity() counts the low eight bits only', () => {
  assert.equal(evenParity(0), true);
  assert.equal(evenParity(1), false);
  assert.equal(evenParity(0xff), true);
  assert.equal(evenParity(0x107), false);
});

test('eflagsToFlags() and flagsToEflags() are inverse for every combination', () => {
  for (let eflags = 0; eflags < 0x1000; eflags++) {
    assert.equal(toEflags(eflagsToFlags(eflags)), eflags & EFLAGS_ARITHMETIC);
  }
});

test('subtractionFlags() agrees with the definition of each flag', () => {
  const values = [0n, 1n, 7n, 8n, 0xfn, 0x10n, 0x7fn, 0x80n, 0xffn, 0x7fffn, 0x8000n, 0xffffn, 0x7fff_ffffn,
    0x8000_0000n, 0xffff_ffffn, 0x1_0000_0000n, 0x7fff_ffff_ffff_ffffn, 0x8000_0000_0000_0000n, 0xffff_ffff_ffff_ffffn,
    0x0123_4567_89ab_cdefn, 0xfedc_ba98_7654_3210n];
  const low = (value: bigint): number => Number(BigInt.asIntN(32, value));
  const high = (value: bigint): number => Number(BigInt.asIntN(32, value >> 32n));
  for (const size of [1, 2, 4, 8]) {
    for (const a of values) {
      for (const b of values) {
        const flags = subtractionFlags(size, low(a), high(a), low(b), high(b));
        assert.equal(toEflags(flags), expectedSubtraction(size, a, b), `${size} bytes: ${a} - ${b}`);
      }
    }
  }
});
