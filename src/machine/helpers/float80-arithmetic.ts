/**
 * Addition, multiplication, division, square root and comparison of `Float80` values, with the x87's
 * answers to special operands (SDM Vol. 1, 4.8.3.5, 8.5.1 and the tables of FADD, FMUL, FDIV, FSQRT, FCOM).
 *
 * `result` may be one of the operands.
 */

import { X87_DE, X87_IE, X87_RC_DOWN, X87_ZE } from '../../abi/x87.ts';
import {
  classify,
  compareSignificands,
  environment,
  EXPONENT_BIAS,
  invalid,
  KIND_DENORMAL,
  KIND_INFINITY,
  KIND_QNAN,
  KIND_SNAN,
  KIND_UNSUPPORTED,
  KIND_ZERO,
  normalise,
  precisionControl,
  roundingMode,
  roundPack,
  setInfinity,
  setZero,
  shiftRightJam,
  wide,
} from './float80.ts';
import type { Float80 } from './float80.ts';

/** The quiet NaN that two operands give, at least one of them a NaN (SDM Vol. 1, Table 4-7). */
export function propagateNan(result: Float80, a: Float80, aKind: number, b: Float80, bKind: number): void {
  if (aKind === KIND_UNSUPPORTED || bKind === KIND_UNSUPPORTED) {
    invalid(result);
    return;
  }
  if (aKind === KIND_SNAN || bKind === KIND_SNAN) environment.flags |= X87_IE;
  const chosen = chooseNan(a, aKind, b, bKind);
  result.set(chosen.sign, chosen.exponent, chosen.high | 0x40000000, chosen.low);
}

function chooseNan(a: Float80, aKind: number, b: Float80, bKind: number): Float80 {
  if (bKind < KIND_QNAN) return a;
  if (aKind < KIND_QNAN) return b;
  if (aKind !== bKind) return aKind === KIND_QNAN ? a : b;
  const order = compareSignificands(a.high, a.low, b.high, b.low);
  if (order !== 0) return order > 0 ? a : b;
  return a.sign <= b.sign ? a : b;
}

/** One operand: quiets a NaN, refuses an unsupported encoding. */
export function propagateOne(result: Float80, a: Float80, kind: number): void {
  propagateNan(result, a, kind, a, kind);
}

function noteDenormal(aKind: number, bKind: number): void {
  environment.flags |= aKind === KIND_DENORMAL || bKind === KIND_DENORMAL ? X87_DE : environment.denormal;
}

/** a + b, or a - b with `negate` = 1, rounded to the precision in force. */
export function add(result: Float80, a: Float80, b: Float80, negate: number): void {
  const aKind = classify(a);
  const bKind = classify(b);
  if (aKind >= KIND_QNAN || bKind >= KIND_QNAN) {
    propagateNan(result, a, aKind, b, bKind);
    return;
  }
  const aSign = a.sign;
  const bSign = b.sign ^ negate;
  if (aKind === KIND_INFINITY || bKind === KIND_INFINITY) {
    if (aKind === bKind && aSign !== bSign) {
      invalid(result);
      return;
    }
    noteDenormal(aKind, bKind);
    setInfinity(result, aKind === KIND_INFINITY ? aSign : bSign);
    return;
  }
  noteDenormal(aKind, bKind);
  if (aKind === KIND_ZERO && bKind === KIND_ZERO) {
    setZero(result, aSign === bSign ? aSign : roundingMode() === X87_RC_DOWN ? 1 : 0);
    return;
  }
  addMagnitudes(result, aSign, a, bSign, b);
}

/** Sum of finite values that are not both zero. */
function addMagnitudes(result: Float80, aSign: number, a: Float80, bSign: number, b: Float80): void {
  let sign = aSign;
  let bigHigh = a.high;
  let bigLow = a.low;
  let exponent = a.exponent === 0 ? 1 : a.exponent;
  let smallHigh = b.high;
  let smallLow = b.low;
  let smallExponent = b.exponent === 0 ? 1 : b.exponent;
  if (exponent < smallExponent || (exponent === smallExponent && compareSignificands(bigHigh, bigLow, smallHigh, smallLow) < 0)) {
    sign = bSign;
    bigHigh = b.high;
    bigLow = b.low;
    smallHigh = a.high;
    smallLow = a.low;
    const swapped = exponent;
    exponent = smallExponent;
    smallExponent = swapped;
  }
  shiftRightJam(smallHigh, smallLow, 0, exponent - smallExponent);
  if (aSign === bSign) sumAligned(result, sign, exponent, bigHigh, bigLow);
  else differenceAligned(result, sign, exponent, bigHigh, bigLow);
}

/** Adds `wide` to the significand. */
function sumAligned(result: Float80, sign: number, exponent: number, bigHigh: number, bigLow: number): void {
  const extra = wide.extra;
  const low = (bigLow >>> 0) + (wide.low >>> 0);
  const high = (bigHigh >>> 0) + (wide.high >>> 0) + (low > 0xffffffff ? 1 : 0);
  if (high > 0xffffffff) {
    shiftRightJam(high | 0, low | 0, extra, 1);
    roundPack(result, sign, exponent + 1, wide.high | 0x80000000, wide.low, wide.extra, precisionControl());
    return;
  }
  normalise(high | 0, low | 0, extra, exponent);
  roundPack(result, sign, wide.exponent, wide.high, wide.low, wide.extra, precisionControl());
}

/** Subtracts `wide`, which is not larger, from the significand. */
function differenceAligned(result: Float80, sign: number, exponent: number, bigHigh: number, bigLow: number): void {
  const extra = -wide.extra | 0;
  const low = (bigLow >>> 0) - (wide.low >>> 0) - (extra !== 0 ? 1 : 0);
  const high = (bigHigh >>> 0) - (wide.high >>> 0) - (low < 0 ? 1 : 0);
  if (((high | low | extra) | 0) === 0) {
    setZero(result, roundingMode() === X87_RC_DOWN ? 1 : 0);
    return;
  }
  normalise(high | 0, low | 0, extra, exponent);
  roundPack(result, sign, wide.exponent, wide.high, wide.low, wide.extra, precisionControl());
}

/** High 32 bits of the product of two unsigned 32-bit integers. */
function mulHigh(a: number, b: number): number {
  const aHigh = a >>> 16;
  const aLow = a & 0xffff;
  const bHigh = b >>> 16;
  const bLow = b & 0xffff;
  const middle = aHigh * bLow + ((Math.imul(aLow, bLow) >>> 0) >>> 16);
  const other = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(other / 65536)) | 0;
}

export function multiply(result: Float80, a: Float80, b: Float80): void {
  const aKind = classify(a);
  const bKind = classify(b);
  if (aKind >= KIND_QNAN || bKind >= KIND_QNAN) {
    propagateNan(result, a, aKind, b, bKind);
    return;
  }
  const sign = a.sign ^ b.sign;
  if (aKind === KIND_INFINITY || bKind === KIND_INFINITY) {
    if (aKind === KIND_ZERO || bKind === KIND_ZERO) {
      invalid(result);
      return;
    }
    noteDenormal(aKind, bKind);
    setInfinity(result, sign);
    return;
  }
  noteDenormal(aKind, bKind);
  if (aKind === KIND_ZERO || bKind === KIND_ZERO) {
    setZero(result, sign);
    return;
  }
  normalise(a.high, a.low, 0, a.exponent === 0 ? 1 : a.exponent);
  const aHigh = wide.high;
  const aLow = wide.low;
  const aExponent = wide.exponent;
  normalise(b.high, b.low, 0, b.exponent === 0 ? 1 : b.exponent);
  multiplySignificands(aHigh, aLow, wide.high, wide.low);
  const exponent = aExponent + wide.exponent - EXPONENT_BIAS + 1;
  normalise(wide.high, wide.low, wide.extra, exponent);
  roundPack(result, sign, wide.exponent, wide.high, wide.low, wide.extra, precisionControl());
}

/** The upper 96 bits of the 128-bit product, the rest in the sticky bit, into `wide`; keeps `wide.exponent`. */
function multiplySignificands(aHigh: number, aLow: number, bHigh: number, bLow: number): void {
  const word0 = Math.imul(aLow, bLow);
  const crossA = Math.imul(aHigh, bLow) >>> 0;
  const crossB = Math.imul(aLow, bHigh) >>> 0;
  const word1 = (mulHigh(aLow, bLow) >>> 0) + crossA + crossB;
  const carry1 = word1 > 0x1_ffff_ffff ? 2 : word1 > 0xffffffff ? 1 : 0;
  const word2 =
    (Math.imul(aHigh, bHigh) >>> 0) + (mulHigh(aHigh, bLow) >>> 0) + (mulHigh(aLow, bHigh) >>> 0) + carry1;
  const carry2 = word2 > 0x1_ffff_ffff ? 2 : word2 > 0xffffffff ? 1 : 0;
  wide.high = (mulHigh(aHigh, bHigh) + carry2) | 0;
  wide.low = word2 | 0;
  wide.extra = word1 | (word0 !== 0 ? 1 : 0);
}

/** Quotient digits of a division by `divideSteps`, and what remains. */
export const division = { quotientHigh: 0, quotientLow: 0, high: 0, low: 0 };

/**
 * Long division: `steps` times doubles the remainder and takes the divisor from it where it fits. Needs
 * remainder < divisor and a normalised divisor; leaves the last 64 quotient bits and the remainder in `division`.
 */
export function divideSteps(high: number, low: number, divisorHigh: number, divisorLow: number, steps: number): void {
  let quotientHigh = 0;
  let quotientLow = 0;
  const divisorTop = divisorHigh >>> 0;
  const divisorBottom = divisorLow >>> 0;
  for (let step = 0; step < steps; step++) {
    const carry = high < 0;
    high = (high << 1) | (low >>> 31);
    low <<= 1;
    quotientHigh = (quotientHigh << 1) | (quotientLow >>> 31);
    quotientLow <<= 1;
    const top = high >>> 0;
    if (carry || top > divisorTop || (top === divisorTop && low >>> 0 >= divisorBottom)) {
      high = (high - divisorHigh - (low >>> 0 < divisorBottom ? 1 : 0)) | 0;
      low = (low - divisorLow) | 0;
      quotientLow |= 1;
    }
  }
  division.quotientHigh = quotientHigh;
  division.quotientLow = quotientLow;
  division.high = high;
  division.low = low;
}

export function divide(result: Float80, a: Float80, b: Float80): void {
  const aKind = classify(a);
  const bKind = classify(b);
  if (aKind >= KIND_QNAN || bKind >= KIND_QNAN) {
    propagateNan(result, a, aKind, b, bKind);
    return;
  }
  if (aKind === bKind && (aKind === KIND_INFINITY || aKind === KIND_ZERO)) {
    invalid(result);
    return;
  }
  const sign = a.sign ^ b.sign;
  if (bKind === KIND_ZERO && aKind !== KIND_INFINITY) {
    environment.flags |= X87_ZE;
    setInfinity(result, sign);
    return;
  }
  noteDenormal(aKind, bKind);
  if (aKind === KIND_INFINITY) {
    setInfinity(result, sign);
    return;
  }
  if (aKind === KIND_ZERO || bKind === KIND_INFINITY) {
    setZero(result, sign);
    return;
  }
  divideFinite(result, sign, a, b);
}

function divideFinite(result: Float80, sign: number, a: Float80, b: Float80): void {
  normalise(a.high, a.low, 0, a.exponent === 0 ? 1 : a.exponent);
  let high = wide.high;
  let low = wide.low;
  let exponent = wide.exponent;
  normalise(b.high, b.low, 0, b.exponent === 0 ? 1 : b.exponent);
  exponent += EXPONENT_BIAS - wide.exponent;
  const divisorHigh = wide.high;
  const divisorLow = wide.low;
  const first = compareSignificands(high, low, divisorHigh, divisorLow) >= 0;
  if (first) {
    high = (high - divisorHigh - (low >>> 0 < divisorLow >>> 0 ? 1 : 0)) | 0;
    low = (low - divisorLow) | 0;
  } else exponent--;
  // 64 quotient bits after the first (which is implicit in `first`), or 64 from the leading one.
  divideSteps(high, low, divisorHigh, divisorLow, first ? 63 : 64);
  const quotientHigh = first ? division.quotientHigh | 0x80000000 : division.quotientHigh;
  const quotientLow = division.quotientLow;
  divideSteps(division.high, division.low, divisorHigh, divisorLow, 2);
  const extra = (division.quotientLow << 30) | ((division.high | division.low) !== 0 ? 1 : 0);
  roundPack(result, sign, exponent, quotientHigh, quotientLow, extra, precisionControl());
}

export function squareRoot(result: Float80, a: Float80): void {
  const kind = classify(a);
  if (kind >= KIND_QNAN) {
    propagateOne(result, a, kind);
    return;
  }
  if (kind === KIND_ZERO) {
    result.copy(a);
    return;
  }
  if (a.sign !== 0) {
    invalid(result);
    return;
  }
  if (kind === KIND_INFINITY) {
    result.copy(a);
    return;
  }
  noteDenormal(kind, kind);
  normalise(a.high, a.low, 0, a.exponent === 0 ? 1 : a.exponent);
  const unbiased = wide.exponent - EXPONENT_BIAS;
  const significand = (BigInt(wide.high >>> 0) << 32n) | BigInt(wide.low >>> 0);
  const square = significand << (unbiased & 1 ? 66n : 65n);
  const root = integerSquareRoot(square);
  const sticky = root * root === square ? 0 : 1;
  const extra = (Number(root & 1n) << 31) | sticky;
  const high = Number(root >> 33n) | 0;
  const low = Number((root >> 1n) & 0xffffffffn) | 0;
  roundPack(result, 0, (unbiased >> 1) + EXPONENT_BIAS, high, low, extra, precisionControl());
}

/** Floor of the root of a number of about 130 bits, by Newton's iteration from above. */
function integerSquareRoot(square: bigint): bigint {
  let root = (BigInt(Math.ceil(Math.sqrt(Number(square >> 80n)))) + 1n) << 40n;
  for (;;) {
    const next = (root + square / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

export const COMPARE_EQUAL = 0;
export const COMPARE_LESS = 1;
export const COMPARE_GREATER = 2;
export const COMPARE_UNORDERED = 3;

/** Orders a against b; `quiet` (FUCOM) accepts quiet NaNs without an exception. */
export function compare(a: Float80, b: Float80, quiet: boolean): number {
  const aKind = classify(a);
  const bKind = classify(b);
  if (aKind >= KIND_QNAN || bKind >= KIND_QNAN) {
    const signals = aKind > KIND_QNAN || bKind > KIND_QNAN;
    if (!quiet || signals) environment.flags |= X87_IE;
    return COMPARE_UNORDERED;
  }
  noteDenormal(aKind, bKind);
  if (aKind === KIND_ZERO && bKind === KIND_ZERO) return COMPARE_EQUAL;
  if (a.sign !== b.sign) {
    return a.sign !== 0 ? COMPARE_LESS : COMPARE_GREATER;
  }
  const aExponent = a.exponent === 0 ? 1 : a.exponent;
  const bExponent = b.exponent === 0 ? 1 : b.exponent;
  const order = aExponent !== bExponent ? aExponent - bExponent : compareSignificands(a.high, a.low, b.high, b.low);
  if (order === 0) return COMPARE_EQUAL;
  return order < 0 === (a.sign === 0) ? COMPARE_LESS : COMPARE_GREATER;
}
