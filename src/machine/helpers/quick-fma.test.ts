import assert from 'node:assert/strict';
import { test } from 'node:test';
import { multiplyAddDouble, multiplyAddSingle } from './quick-fma.ts';
import { DOUBLE, FloatUnit, SINGLE } from './soft-float.ts';
import { Random } from './testing.test-support.ts';

const view = new DataView(new ArrayBuffer(8));
const unit = new FloatUnit();
const TO_NEAREST = 0x1f80;

function doubleBits(value: number): bigint {
  view.setFloat64(0, value);
  return view.getBigUint64(0);
}

function singleBits(value: number): bigint {
  view.setFloat32(0, value);
  return BigInt(view.getUint32(0));
}

/** Any sign and fraction, often with few bits, and an exponent near 0. */
function number(random: Random, range: number): number {
  const fraction = random.below(3) === 0 ? random.below(16) / 16 : (random.next() >>> 0) / 2 ** 32 + (random.next() >>> 0) / 2 ** 64;
  return (random.below(2) === 0 ? 1 : -1) * (1 + fraction) * 2 ** (random.below(2 * range) - range);
}

test('multiplyAddDouble() is the exact sum, rounded once', () => {
  const random = new Random(5);
  for (let count = 0; count < 40_000; count++) {
    const [a, b] = [number(random, 40), number(random, 40)];
    // Often nearly the product, so that what is left is what rounding took from it.
    const c = random.below(2) === 0 ? -a * b * (1 + (random.below(5) - 2) * 2 ** -52) : number(random, 130);
    unit.begin(TO_NEAREST);
    const expected = unit.multiplyAdd(DOUBLE, [doubleBits(a), doubleBits(b), doubleBits(c)], false, false);
    assert.equal(doubleBits(multiplyAddDouble(a, b, c) ?? NaN), expected, `${a} * ${b} + ${c}`);
  }
});

test('multiplyAddSingle() is the exact sum, rounded once, down to denormal results', () => {
  const random = new Random(6);
  for (let count = 0; count < 40_000; count++) {
    const [a, b] = [Math.fround(number(random, 75)), Math.fround(number(random, 75))];
    const c = Math.fround(random.below(2) === 0 ? -a * b : number(random, 120));
    if (!Number.isFinite(c)) continue;
    unit.begin(TO_NEAREST);
    const expected = unit.multiplyAdd(SINGLE, [singleBits(a), singleBits(b), singleBits(c)], false, false);
    assert.equal(singleBits(multiplyAddSingle(a, b, c) ?? NaN), expected, `${a} * ${b} + ${c}`);
  }
});

test('what the method cannot do is left to exact arithmetic', () => {
  for (const value of [NaN, Infinity, -Infinity]) {
    assert.equal(multiplyAddDouble(value, 1, 1), undefined);
    assert.equal(multiplyAddSingle(1, 1, value), undefined);
  }
  assert.equal(multiplyAddDouble(2 ** -600, 2 ** -500, 1), undefined);
  assert.equal(multiplyAddDouble(1, 1, 2 ** -1000), undefined);
});
