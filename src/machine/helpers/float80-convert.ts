/** Conversions between `Float80` and single, double, integer and packed decimal (SDM Vol. 1, 4.2 and 4.9). */

import { X87_DE, X87_IE, X87_OE, X87_PE, X87_RC_DOWN, X87_RC_NEAREST, X87_RC_UP, X87_RC_ZERO, X87_UE } from '../../abi/x87.ts';
import {
  classify,
  environment,
  EXPONENT_BIAS,
  EXPONENT_MAX,
  KIND_DENORMAL,
  KIND_INFINITY,
  KIND_QNAN,
  KIND_UNSUPPORTED,
  KIND_ZERO,
  normalise,
  ROUNDED_CARRY,
  ROUNDED_INEXACT,
  ROUNDED_UP,
  roundingMode,
  roundSignificand,
  setInfinity,
  setZero,
  shiftRightJam,
  wide,
} from './float80.ts';
import type { Float80 } from './float80.ts';

/** What a conversion to memory gave, as 32-bit halves. */
export const stored = { low: 0, high: 0 };

/** From the bits of a single. A signalling NaN stays one; a denormal is noted in `environment.denormal`. */
export function fromSingle(result: Float80, bits: number): void {
  const exponent = (bits >>> 23) & 0xff;
  fromFraction(result, bits >>> 31, exponent, 0xff, 127, (bits << 8) & 0x7fffffff, 0);
}

/** From the halves of a double. */
export function fromDouble(result: Float80, low: number, high: number): void {
  const exponent = (high >>> 20) & 0x7ff;
  fromFraction(result, high >>> 31, exponent, 0x7ff, 1023, ((high << 11) & 0x7fffffff) | (low >>> 21), low << 11);
}

/** `high`:`low` is the fraction below the integer bit. */
function fromFraction(result: Float80, sign: number, exponent: number, top: number, bias: number, high: number, low: number): void {
  if (exponent === top) {
    if ((high | low) === 0) {
      setInfinity(result, sign);
      return;
    }
    result.set(sign, EXPONENT_MAX, high | 0x80000000, low);
    return;
  }
  if (exponent === 0) {
    if ((high | low) === 0) {
      setZero(result, sign);
      return;
    }
    environment.denormal = X87_DE;
    normalise(high, low, 0, 1 + EXPONENT_BIAS - bias);
    result.set(sign, wide.exponent, wide.high, wide.low);
    return;
  }
  result.set(sign, exponent - bias + EXPONENT_BIAS, high | 0x80000000, low);
}

/** From a signed 64-bit integer in two halves; exact. */
export function fromInteger(result: Float80, low: number, high: number): void {
  let sign = 0;
  if (high < 0) {
    sign = 1;
    low = -low | 0;
    high = (~high + (low === 0 ? 1 : 0)) | 0;
  }
  if ((high | low) === 0) {
    setZero(result, sign);
    return;
  }
  normalise(high, low, 0, EXPONENT_BIAS + 63);
  result.set(sign, wide.exponent, wide.high, wide.low);
}

/** To the bits of a single in `stored.low`. */
export function toSingle(value: Float80): void {
  const field = toFraction(value, 24, 0xff, 127);
  stored.low = (value.sign << 31) | (field << 23) | ((wide.high >>> 8) & 0x7fffff);
  stored.high = 0;
}

/** To the halves of a double in `stored`. */
export function toDouble(value: Float80): void {
  const field = toFraction(value, 53, 0x7ff, 1023);
  stored.high = (value.sign << 31) | (field << 20) | ((wide.high >>> 11) & 0xfffff);
  stored.low = (wide.high << 21) | (wide.low >>> 11);
}

/** Rounds to `precision` bits and a narrower exponent: answers the exponent field and leaves the significand in `wide`. */
function toFraction(value: Float80, precision: number, top: number, bias: number): number {
  const kind = classify(value);
  wide.high = value.high;
  wide.low = value.low;
  if (kind === KIND_ZERO) return 0;
  if (kind === KIND_INFINITY) return top;
  if (kind >= KIND_QNAN) {
    if (kind !== KIND_QNAN) environment.flags |= X87_IE;
    if (kind === KIND_UNSUPPORTED) {
      value.sign = 1;
      wide.high = 0xc0000000;
      wide.low = 0;
    }
    wide.high |= 0x40000000;
    return top;
  }
  normalise(value.high, value.low, 0, (value.exponent === 0 ? 1 : value.exponent) - EXPONENT_BIAS + bias);
  const { high, low, exponent } = wide;
  const rounded = roundSignificand(value.sign, high, low, 0, precision);
  const finalExponent = rounded & ROUNDED_CARRY ? exponent + 1 : exponent;
  if (finalExponent >= top) return narrowOverflow(value.sign, precision, top);
  if (finalExponent > 0) {
    note(rounded);
    return finalExponent;
  }
  if ((environment.control & X87_UE) === 0) {
    environment.flags |= X87_UE;
    note(rounded);
    return 0;
  }
  shiftRightJam(high, low, 0, 1 - exponent);
  const status = roundSignificand(value.sign, wide.high, wide.low, wide.extra, precision);
  if (status & ROUNDED_INEXACT) environment.flags |= X87_UE;
  note(status);
  return wide.high < 0 ? 1 : 0;
}

function note(rounded: number): void {
  if (rounded & ROUNDED_INEXACT) environment.flags |= X87_PE;
  environment.roundedUp = rounded & ROUNDED_UP ? 1 : 0;
}

/** An unmasked overflow leaves memory alone, so that only the masked answer matters here. */
function narrowOverflow(sign: number, precision: number, top: number): number {
  environment.flags |= X87_OE | X87_PE;
  const mode = roundingMode();
  const toInfinity = mode === X87_RC_NEAREST || mode === (sign === 0 ? X87_RC_UP : X87_RC_DOWN);
  environment.roundedUp = toInfinity ? 1 : 0;
  wide.high = toInfinity ? 0x80000000 | 0 : -1;
  wide.low = toInfinity ? 0 : precision === 24 ? 0 : -1;
  return toInfinity ? top : top - 1;
}

/** Rounds to an integer in place. NaNs and unsupported encodings must have been dealt with. */
export function roundToInteger(value: Float80): void {
  const kind = classify(value);
  if (kind === KIND_ZERO || kind === KIND_INFINITY) return;
  if (kind === KIND_DENORMAL) environment.flags |= X87_DE;
  if (value.exponent >= EXPONENT_BIAS + 63) return;
  integerPart(value, roundingMode());
  if ((wide.high | wide.low) === 0) {
    setZero(value, value.sign);
    return;
  }
  if (wide.extra !== 0) {
    value.set(value.sign, EXPONENT_BIAS + 64, 0x80000000, 0);
    return;
  }
  normalise(wide.high, wide.low, 0, EXPONENT_BIAS + 63);
  value.set(value.sign, wide.exponent, wide.high, wide.low);
}

/** Magnitude of a finite value below 2^64 as an integer in `wide`; `wide.extra` is set if rounding carried to 2^64. */
function integerPart(value: Float80, mode: number): void {
  const exponent = value.exponent === 0 ? 1 : value.exponent;
  shiftRightJam(value.high, value.low, 0, EXPONENT_BIAS + 63 - exponent);
  const saved = environment.control;
  environment.control = (saved & ~0xc00) | (mode << 10);
  const rounded = roundSignificand(value.sign, wide.high, wide.low, wide.extra, 64);
  environment.control = saved;
  note(rounded);
  wide.extra = rounded & ROUNDED_CARRY ? 1 : 0;
  if (wide.extra !== 0) wide.high = 0;
}

/**
 * To a signed integer of `size` bytes (2, 4 or 8) in `stored`; what does not fit is invalid and gives the
 * integer indefinite (FIST, FISTTP).
 */
export function toInteger(value: Float80, size: number, truncate: boolean): void {
  const kind = classify(value);
  if (kind === KIND_ZERO) {
    stored.low = 0;
    stored.high = 0;
    return;
  }
  if (kind < KIND_INFINITY && value.exponent < EXPONENT_BIAS + 64) {
    integerPart(value, truncate ? X87_RC_ZERO : roundingMode());
    if (fits(wide.high, wide.low, value.sign, size)) {
      stored.low = value.sign ? -wide.low | 0 : wide.low;
      stored.high = value.sign ? (~wide.high + (wide.low === 0 ? 1 : 0)) | 0 : wide.high;
      return;
    }
  }
  environment.flags = (environment.flags & ~X87_PE) | X87_IE;
  environment.roundedUp = 0;
  stored.high = size === 8 ? 0x80000000 | 0 : -1;
  stored.low = size === 8 ? 0 : size === 4 ? 0x80000000 | 0 : 0xffff8000 | 0;
}

/** Whether a magnitude with this sign is a signed integer of that size. */
function fits(high: number, low: number, sign: number, size: number): boolean {
  if (wide.extra !== 0) return false;
  if (size === 8) return high >= 0 || (sign !== 0 && high === -0x80000000 && low === 0);
  const limit = size === 4 ? 0x80000000 : 0x8000;
  return high === 0 && low >>> 0 <= (sign !== 0 ? limit : limit - 1);
}

const DECIMAL_LIMIT = 10n ** 18n;

/** To 18 packed decimal digits (FBSTP): answers the magnitude, or undefined where it is invalid. */
export function toDecimal(value: Float80): bigint | undefined {
  const kind = classify(value);
  if (kind === KIND_ZERO) return 0n;
  if (kind < KIND_INFINITY && value.exponent < EXPONENT_BIAS + 60) {
    integerPart(value, roundingMode());
    const magnitude = (BigInt(wide.high >>> 0) << 32n) | BigInt(wide.low >>> 0);
    if (magnitude < DECIMAL_LIMIT) return magnitude;
  }
  environment.flags = (environment.flags & ~X87_PE) | X87_IE;
  environment.roundedUp = 0;
  return undefined;
}

/** From the magnitude of a packed decimal (FBLD); exact. */
export function fromMagnitude(result: Float80, sign: number, magnitude: bigint): void {
  fromInteger(result, Number(magnitude & 0xffffffffn) | 0, Number(magnitude >> 32n) | 0);
  result.sign = sign;
}
