/**
 * Elementary functions in binary fixed point on BigInt, for the x87's transcendental instructions. A number v
 * stands for v / 2^bits.
 */

import { EXPONENT_BIAS, roundPack, setZero } from './float80.ts';
import type { Float80 } from './float80.ts';

/** Precision of the constants. */
const CONSTANT_BITS = 352;

/** Floor of the square root. */
export function squareRootOf(value: bigint): bigint {
  if (value < 2n) return value;
  let root = 1n << BigInt((value.toString(16).length * 4 + 2) >> 1);
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** atanh(1 / divisor), or atan with `alternate`. */
function inverseSeries(divisor: bigint, alternate: boolean): bigint {
  const square = divisor * divisor;
  let power = (1n << BigInt(CONSTANT_BITS + 16)) / divisor;
  let sum = power;
  for (let index = 3n; power !== 0n; index += 2n) {
    power /= alternate ? -square : square;
    sum += power / index;
  }
  return sum >> 16n;
}

let ln2: bigint | undefined;
let pi: bigint | undefined;

/** ln 2 by Machin-like formulae of atanh. */
export function naturalLogOf2(bits: number): bigint {
  ln2 ??= 18n * inverseSeries(26n, false) - 2n * inverseSeries(4801n, false) + 8n * inverseSeries(8749n, false);
  return ln2 >> BigInt(CONSTANT_BITS - bits);
}

export function piOf(bits: number): bigint {
  pi ??= 16n * inverseSeries(5n, true) - 4n * inverseSeries(239n, true);
  return pi >> BigInt(CONSTANT_BITS - bits);
}

/** e^x - 1 for |x| < 1. */
export function exponentialMinus1(x: bigint, bits: number): bigint {
  const scale = BigInt(bits);
  let term = x;
  let sum = x;
  for (let index = 2n; term !== 0n && term !== -1n; index++) {
    term = ((term * x) >> scale) / index;
    sum += term;
  }
  return sum;
}

/** 2 atanh(z) = ln((1 + z) / (1 - z)), for |z| < 0.2. */
export function doubleInverseTanh(z: bigint, bits: number): bigint {
  const scale = BigInt(bits);
  const square = (z * z) >> scale;
  let power = z;
  let sum = z;
  for (let index = 3n; power !== 0n && power !== -1n; index += 2n) {
    power = (power * square) >> scale;
    sum += power / index;
  }
  return sum << 1n;
}

/** atan(t) for 0 <= t <= 1, by halving the angle three times. */
export function arcTangent(t: bigint, bits: number): bigint {
  const scale = BigInt(bits);
  const one = 1n << scale;
  let x = t;
  for (let halving = 0; halving < 3; halving++) x = (x << scale) / (one + squareRootOf((one << scale) + x * x));
  const square = (x * x) >> scale;
  let power = x;
  let sum = x;
  for (let index = 3n; power !== 0n && power !== -1n; index += 2n) {
    power = -((power * square) >> scale);
    sum += power / index;
  }
  return sum << 3n;
}

/** sin(x) (`first` 1) or cos(x) (`first` 0) for |x| < 1. */
export function sineOrCosine(x: bigint, bits: number, first: 0 | 1): bigint {
  const scale = BigInt(bits);
  const square = (x * x) >> scale;
  let term = first === 1 ? x : 1n << scale;
  let sum = term;
  for (let index = first === 1 ? 2n : 1n; term !== 0n && term !== -1n; index += 2n) {
    term = -((term * square) >> scale) / (index * (index + 1n));
    sum += term;
  }
  return sum;
}

/** The 64-bit significand of a value that is not zero, normalised; `significandExponent` gives its power of two. */
export function significandOf(value: Float80): bigint {
  return (BigInt(value.high >>> 0) << 32n) | BigInt(value.low >>> 0);
}

/** Unbiased exponent of the lowest bit of `significandOf`. */
export function exponentOf(value: Float80): number {
  return (value.exponent === 0 ? 1 : value.exponent) - EXPONENT_BIAS - 63;
}

/** Rounds magnitude * 2^exponent (the magnitude not negative) to 64 bits, as inexact where `inexact` says there is more below. */
export function packBig(result: Float80, sign: number, magnitude: bigint, exponent: number, inexact: boolean): void {
  if (magnitude === 0n) {
    setZero(result, sign);
    return;
  }
  const length = magnitude.toString(2).length;
  const shift = length - 96;
  let top = shift > 0 ? magnitude >> BigInt(shift) : magnitude << BigInt(-shift);
  if (inexact || (shift > 0 && top << BigInt(shift) !== magnitude)) top |= 1n;
  const extra = Number(top & 0xffffffffn) | 0;
  const low = Number((top >> 32n) & 0xffffffffn) | 0;
  const high = Number(top >> 64n) | 0;
  roundPack(result, sign, exponent + length - 1 + EXPONENT_BIAS, high, low, extra, 64);
}

