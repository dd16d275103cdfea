/** Partial remainder, scaling and exponent extraction (SDM Vol. 2: FPREM, FPREM1, FSCALE, FXTRACT). */

import { X87_C0, X87_C1, X87_C2, X87_C3, X87_DE, X87_ZE } from '../../abi/x87.ts';
import { divideSteps, division, propagateNan, propagateOne } from './float80-arithmetic.ts';
import { fromInteger } from './float80-convert.ts';
import {
  classify,
  compareSignificands,
  environment,
  EXPONENT_BIAS,
  EXPONENT_MAX,
  invalid,
  KIND_DENORMAL,
  KIND_INFINITY,
  KIND_QNAN,
  KIND_ZERO,
  normalise,
  roundPack,
  setInfinity,
  setZero,
  wide,
} from './float80.ts';
import type { Float80 } from './float80.ts';

/** Answer of `remainder` where there is none: the condition codes but C2 stay. */
export const REMAINDER_NONE = -1;

/**
 * The remainder of a / b, with the quotient truncated (FPREM) or to nearest even (FPREM1). Answers condition codes:
 * C2 if only part of the way was done, else the quotient's lowest bits in C0 (bit 2), C3 (bit 1) and C1 (bit 0).
 */
export function remainder(result: Float80, a: Float80, b: Float80, nearest: boolean): number {
  const aKind = classify(a);
  const bKind = classify(b);
  if (aKind >= KIND_QNAN || bKind >= KIND_QNAN) {
    propagateNan(result, a, aKind, b, bKind);
    return REMAINDER_NONE;
  }
  if (aKind === KIND_INFINITY || bKind === KIND_ZERO) {
    invalid(result);
    return REMAINDER_NONE;
  }
  if (aKind === KIND_DENORMAL || bKind === KIND_DENORMAL) environment.flags |= X87_DE;
  if (aKind === KIND_ZERO) {
    result.copy(a);
    return 0;
  }
  if (bKind === KIND_INFINITY) {
    normalise(a.high, a.low, 0, a.exponent === 0 ? 1 : a.exponent);
    roundPack(result, a.sign, wide.exponent, wide.high, wide.low, 0, 64);
    return 0;
  }
  return remainderFinite(result, a, b, nearest);
}

function remainderFinite(result: Float80, a: Float80, b: Float80, nearest: boolean): number {
  const sign = a.sign;
  normalise(a.high, a.low, 0, a.exponent === 0 ? 1 : a.exponent);
  const { high, low, exponent } = wide;
  normalise(b.high, b.low, 0, b.exponent === 0 ? 1 : b.exponent);
  const divisorHigh = wide.high;
  const divisorLow = wide.low;
  const distance = exponent - wide.exponent;
  if (distance < (nearest ? -1 : 0)) {
    roundPack(result, sign, exponent, high, low, 0, 64);
    return 0;
  }
  if (distance === -1) return remainderBelow(result, sign, exponent, high, low, divisorHigh, divisorLow);
  const partial = distance >= 64;
  // A partial step takes between 32 and 63 bits, so that later ones take 32 each.
  const steps = partial ? (distance & 31) | 32 : distance;
  const first = compareSignificands(high, low, divisorHigh, divisorLow) >= 0;
  const startHigh = first ? (high - divisorHigh - (low >>> 0 < divisorLow >>> 0 ? 1 : 0)) | 0 : high;
  const startLow = first ? (low - divisorLow) | 0 : low;
  divideSteps(startHigh, startLow, divisorHigh, divisorLow, steps);
  const quotient = division.quotientLow | (first && steps < 32 ? 1 << steps : 0);
  if (partial) {
    store(result, sign, wide.exponent + distance - steps, division.high, division.low);
    return X87_C2;
  }
  return finishQuotient(result, sign, wide.exponent, quotient, divisorHigh, divisorLow, nearest);
}

/** Rounds the quotient to nearest where asked, and stores the remainder that `division` holds. */
function finishQuotient(
  result: Float80,
  sign: number,
  exponent: number,
  quotient: number,
  divisorHigh: number,
  divisorLow: number,
  nearest: boolean,
): number {
  let { high, low } = division;
  if (nearest) {
    const doubledHigh = (high << 1) | (low >>> 31);
    const doubledLow = low << 1;
    const order = high < 0 ? 1 : compareSignificands(doubledHigh, doubledLow, divisorHigh, divisorLow);
    if (order > 0 || (order === 0 && (quotient & 1) !== 0)) {
      const borrow = divisorLow >>> 0 < low >>> 0 ? 1 : 0;
      high = (divisorHigh - high - borrow) | 0;
      low = (divisorLow - low) | 0;
      sign ^= 1;
      quotient++;
    }
  }
  store(result, sign, exponent, high, low);
  return quotientCodes(quotient);
}

/** FPREM1 where |b| is up to twice as large as |a| or more: the quotient is 0 or 1. */
function remainderBelow(
  result: Float80,
  sign: number,
  exponent: number,
  high: number,
  low: number,
  divisorHigh: number,
  divisorLow: number,
): number {
  if (compareSignificands(high, low, divisorHigh, divisorLow) <= 0) {
    roundPack(result, sign, exponent, high, low, 0, 64);
    return 0;
  }
  const doubledLow = divisorLow << 1;
  const differenceHigh = (((divisorHigh << 1) | (divisorLow >>> 31)) - high - (doubledLow >>> 0 < low >>> 0 ? 1 : 0)) | 0;
  store(result, sign ^ 1, exponent, differenceHigh, (doubledLow - low) | 0);
  return quotientCodes(1);
}

function quotientCodes(quotient: number): number {
  return (quotient & 4 ? X87_C0 : 0) | (quotient & 2 ? X87_C3 : 0) | (quotient & 1 ? X87_C1 : 0);
}

function store(result: Float80, sign: number, exponent: number, high: number, low: number): void {
  if ((high | low) === 0) {
    setZero(result, sign);
    return;
  }
  normalise(high, low, 0, exponent);
  roundPack(result, sign, wide.exponent, wide.high, wide.low, 0, 64);
}

/** a * 2^trunc(b). */
export function scale(result: Float80, a: Float80, b: Float80): void {
  const aKind = classify(a);
  const bKind = classify(b);
  if (aKind >= KIND_QNAN || bKind >= KIND_QNAN) {
    propagateNan(result, a, aKind, b, bKind);
    return;
  }
  if (bKind === KIND_INFINITY) {
    if (aKind === (b.sign !== 0 ? KIND_INFINITY : KIND_ZERO)) {
      invalid(result);
      return;
    }
    if (aKind === KIND_DENORMAL) environment.flags |= X87_DE;
    if (b.sign !== 0) setZero(result, a.sign);
    else setInfinity(result, a.sign);
    return;
  }
  if (aKind === KIND_DENORMAL || bKind === KIND_DENORMAL) environment.flags |= X87_DE;
  if (aKind === KIND_ZERO || aKind === KIND_INFINITY) {
    result.copy(a);
    return;
  }
  const by = truncated(b);
  normalise(a.high, a.low, 0, a.exponent === 0 ? 1 : a.exponent);
  roundPack(result, a.sign, wide.exponent + by, wide.high, wide.low, 0, 64);
}

/** Integer part of a finite value, within ±65536, beyond which it makes no difference. */
function truncated(value: Float80): number {
  const exponent = value.exponent - EXPONENT_BIAS;
  if (exponent < 0) return 0;
  const magnitude = exponent >= 16 ? 0x10000 : value.high >>> (31 - exponent);
  return value.sign !== 0 ? -magnitude : magnitude;
}

/** Splits `significand` into its exponent, as a value, and its significand with exponent 0 (in place). */
export function extractExponent(exponent: Float80, significand: Float80): void {
  const kind = classify(significand);
  if (kind >= KIND_QNAN) {
    propagateOne(significand, significand, kind);
    exponent.copy(significand);
    return;
  }
  if (kind === KIND_ZERO) {
    environment.flags |= X87_ZE;
    setInfinity(exponent, 1);
    return;
  }
  if (kind === KIND_INFINITY) {
    exponent.set(0, EXPONENT_MAX, significand.high, significand.low);
    return;
  }
  if (kind === KIND_DENORMAL) environment.flags |= X87_DE;
  normalise(significand.high, significand.low, 0, significand.exponent === 0 ? 1 : significand.exponent);
  const { high, low } = wide;
  const unbiased = wide.exponent - EXPONENT_BIAS;
  significand.set(significand.sign, EXPONENT_BIAS, high, low);
  fromInteger(exponent, unbiased, unbiased >> 31);
}
