/**
 * Double extended precision values (SDM Vol. 1, 4.2.2) and their rounding, on 32-bit halves.
 *
 * The arithmetic reads its rounding, precision and masks from `environment.control` and notes what
 * happened in `environment.flags` and `roundedUp`; the instructions (`x87-*.ts`) set the one before and
 * collect the other after.
 */

import { X87_OE, X87_PE, X87_UE, X87_IE, X87_RC_DOWN, X87_RC_UP, X87_RC_NEAREST, X87_CONTROL_INIT } from '../../abi/x87.ts';

/** A register's value. Halves of the significand are signed 32-bit integers. */
export class Float80 {
  sign = 0;
  /** Biased by 16383, 0 to 0x7FFF. */
  exponent = 0;
  high = 0;
  low = 0;

  set(sign: number, exponent: number, high: number, low: number): void {
    this.sign = sign;
    this.exponent = exponent;
    this.high = high | 0;
    this.low = low | 0;
  }

  copy(from: Float80): void {
    this.sign = from.sign;
    this.exponent = from.exponent;
    this.high = from.high;
    this.low = from.low;
  }
}

export const environment = {
  control: X87_CONTROL_INIT,
  /** Exception flags of the operation in hand. */
  flags: 0,
  /** DE where an operand was converted from a denormal single or double. */
  denormal: 0,
  /** 1 if the last rounding went away from zero: C1. */
  roundedUp: 0,
};

export const EXPONENT_BIAS = 16383;
export const EXPONENT_MAX = 0x7fff;
/** Added to or taken from the exponent of a result that over- or underflows unmasked (SDM Vol. 1, 4.9.1.5). */
const EXPONENT_ADJUST = 24576;

export const KIND_ZERO = 0;
/** Also pseudo-denormals. */
export const KIND_DENORMAL = 1;
export const KIND_NORMAL = 2;
export const KIND_INFINITY = 3;
export const KIND_QNAN = 4;
export const KIND_SNAN = 5;
/** Unnormals, pseudo-infinities and pseudo-NaNs: invalid operands (SDM Vol. 1, 8.2.2). */
export const KIND_UNSUPPORTED = 6;

export function classify(value: Float80): number {
  const { exponent, high, low } = value;
  if (exponent === 0) return (high | low) === 0 ? KIND_ZERO : KIND_DENORMAL;
  if (high >= 0) return KIND_UNSUPPORTED;
  if (exponent !== EXPONENT_MAX) return KIND_NORMAL;
  if ((high & 0x7fffffff) === 0 && low === 0) return KIND_INFINITY;
  return (high & 0x40000000) !== 0 ? KIND_QNAN : KIND_SNAN;
}

export function setZero(result: Float80, sign: number): void {
  result.set(sign, 0, 0, 0);
}

export function setInfinity(result: Float80, sign: number): void {
  result.set(sign, EXPONENT_MAX, 0x80000000, 0);
}

/** The masked answer to an invalid operation: real indefinite. */
export function setIndefinite(result: Float80): void {
  result.set(1, EXPONENT_MAX, 0xc0000000, 0);
}

export function invalid(result: Float80): void {
  environment.flags |= X87_IE;
  setIndefinite(result);
}

/** Significant bits that the control word asks for. */
export function precisionControl(): number {
  const precision = (environment.control >>> 8) & 3;
  return precision === 0 ? 24 : precision === 2 ? 53 : 64;
}

export function roundingMode(): number {
  return (environment.control >>> 10) & 3;
}

/**
 * Three-word intermediate: significand and 32 bits below it, of which the lowest is sticky. The results of
 * `shiftRightJam`, `normalise` and `roundSignificand` are left here, which avoids allocating.
 */
export const wide = { high: 0, low: 0, extra: 0, exponent: 0 };

/** Shifts right and keeps in the lowest bit whether anything was lost. */
export function shiftRightJam(high: number, low: number, extra: number, count: number): void {
  if (count === 0) {
    wide.high = high;
    wide.low = low;
    wide.extra = extra;
  } else if (count < 32) {
    const back = 32 - count;
    wide.extra = (low << back) | (extra >>> count) | (extra << back !== 0 ? 1 : 0);
    wide.low = (high << back) | (low >>> count);
    wide.high = (high >>> count) | 0;
  } else if (count < 64) {
    const rest = count & 31;
    const lost = extra | (rest === 0 ? 0 : low << (32 - rest));
    wide.extra = (rest === 0 ? low : (high << (32 - rest)) | (low >>> rest)) | (lost !== 0 ? 1 : 0);
    wide.low = (high >>> rest) | 0;
    wide.high = 0;
  } else if (count < 96) {
    const rest = count & 31;
    const lost = low | extra | (rest === 0 ? 0 : high << (32 - rest));
    wide.extra = (high >>> rest) | (lost !== 0 ? 1 : 0);
    wide.low = 0;
    wide.high = 0;
  } else {
    wide.extra = (high | low | extra) !== 0 ? 1 : 0;
    wide.low = 0;
    wide.high = 0;
  }
}

/** Shifts left until the integer bit is set and lowers the exponent by as much. The significand must not be zero. */
export function normalise(high: number, low: number, extra: number, exponent: number): void {
  while (high === 0) {
    high = low;
    low = extra;
    extra = 0;
    exponent -= 32;
  }
  const count = Math.clz32(high);
  if (count !== 0) {
    const back = 32 - count;
    high = (high << count) | (low >>> back);
    low = (low << count) | (extra >>> back);
    extra <<= count;
  }
  wide.high = high;
  wide.low = low;
  wide.extra = extra;
  wide.exponent = exponent - count;
}

export const ROUNDED_INEXACT = 1;
export const ROUNDED_UP = 2;
export const ROUNDED_CARRY = 4;

/**
 * Rounds to the upper `precision` bits (24, 53 or 64) in the current mode; leaves the significand in
 * `wide` (0x80000000 00000000 on carry) and answers `ROUNDED_*` bits.
 */
export function roundSignificand(sign: number, high: number, low: number, extra: number, precision: number): number {
  let rest = extra;
  let odd = low & 1;
  if (precision === 24) {
    rest = (high << 24) | (low >>> 8) | ((low & 0xff) !== 0 || extra !== 0 ? 1 : 0);
    high &= ~0xff;
    low = 0;
    odd = high & 0x100;
  } else if (precision === 53) {
    rest = (low << 21) | (extra >>> 11) | ((extra & 0x7ff) !== 0 ? 1 : 0);
    low &= ~0x7ff;
    odd = low & 0x800;
  }
  wide.high = high;
  wide.low = low;
  if (rest === 0) return 0;
  const mode = (environment.control >>> 10) & 3;
  let up: boolean;
  if (mode === X87_RC_NEAREST) up = rest < 0 && (rest !== -0x80000000 || odd !== 0);
  else if (mode === X87_RC_DOWN) up = sign !== 0;
  else up = mode === X87_RC_UP && sign === 0;
  if (!up) return ROUNDED_INEXACT;
  return ROUNDED_INEXACT | ROUNDED_UP | addUlp(high, low, precision);
}

/** Adds one unit in the last of `precision` places to the significand, into `wide`. */
function addUlp(high: number, low: number, precision: number): number {
  if (precision === 24) {
    high = (high + 0x100) | 0;
    wide.high = high;
    if ((high & ~0xff) !== 0) return 0;
  } else {
    low = (low + (precision === 53 ? 0x800 : 1)) | 0;
    wide.low = low;
    if (low !== 0) return 0;
    high = (high + 1) | 0;
    wide.high = high;
    if (high !== 0) return 0;
  }
  wide.high = -0x80000000;
  return ROUNDED_CARRY;
}

/**
 * Rounds a normalised significand (or zero with no bits below) and stores it, with the overflow and
 * underflow answers of SDM Vol. 1, 4.9.1.4 and 4.9.1.5; tininess is detected after rounding.
 */
export function roundPack(
  result: Float80,
  sign: number,
  exponent: number,
  high: number,
  low: number,
  extra: number,
  precision: number,
): void {
  const rounded = roundSignificand(sign, high, low, extra, precision);
  const finalExponent = rounded & ROUNDED_CARRY ? exponent + 1 : exponent;
  if (finalExponent >= EXPONENT_MAX) {
    overflow(result, sign, finalExponent, rounded, precision);
    return;
  }
  if (finalExponent <= 0) {
    underflow(result, sign, exponent, high, low, extra, precision, rounded);
    return;
  }
  note(rounded);
  result.set(sign, finalExponent, wide.high, wide.low);
}

function note(rounded: number): void {
  if (rounded & ROUNDED_INEXACT) environment.flags |= X87_PE;
  environment.roundedUp = rounded & ROUNDED_UP ? 1 : 0;
}

function overflow(result: Float80, sign: number, exponent: number, rounded: number, precision: number): void {
  environment.flags |= X87_OE;
  if ((environment.control & X87_OE) === 0) {
    note(rounded);
    const adjusted = exponent - EXPONENT_ADJUST;
    if (adjusted >= EXPONENT_MAX) {
      environment.flags |= X87_PE;
      environment.roundedUp = 1;
      setInfinity(result, sign);
    } else result.set(sign, adjusted, wide.high, wide.low);
    return;
  }
  environment.flags |= X87_PE;
  const mode = roundingMode();
  const toInfinity = mode === X87_RC_NEAREST || mode === (sign === 0 ? X87_RC_UP : X87_RC_DOWN);
  environment.roundedUp = toInfinity ? 1 : 0;
  if (toInfinity) setInfinity(result, sign);
  else result.set(sign, EXPONENT_MAX - 1, precision === 24 ? 0xffffff00 : -1, precision === 24 ? 0 : precision === 53 ? 0xfffff800 : -1);
}

function underflow(
  result: Float80,
  sign: number,
  exponent: number,
  high: number,
  low: number,
  extra: number,
  precision: number,
  rounded: number,
): void {
  if ((environment.control & X87_UE) === 0) {
    environment.flags |= X87_UE;
    note(rounded);
    const adjusted = (rounded & ROUNDED_CARRY ? exponent + 1 : exponent) + EXPONENT_ADJUST;
    if (adjusted <= 0) {
      environment.flags |= X87_PE;
      environment.roundedUp = 0;
      setZero(result, sign);
    } else result.set(sign, adjusted, wide.high, wide.low);
    return;
  }
  shiftRightJam(high, low, extra, 1 - exponent);
  const status = roundSignificand(sign, wide.high, wide.low, wide.extra, precision);
  if (status & ROUNDED_INEXACT) environment.flags |= X87_UE;
  note(status);
  result.set(sign, wide.high < 0 ? 1 : 0, wide.high, wide.low);
}

/** Unsigned comparison of two 64-bit significands: negative, zero or positive. */
export function compareSignificands(aHigh: number, aLow: number, bHigh: number, bLow: number): number {
  if (aHigh !== bHigh) return aHigh >>> 0 < bHigh >>> 0 ? -1 : 1;
  if (aLow !== bLow) return aLow >>> 0 < bLow >>> 0 ? -1 : 1;
  return 0;
}
