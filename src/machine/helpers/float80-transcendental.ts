/**
 * The values of F2XM1, FYL2X, FYL2XP1, FPATAN, FSIN, FCOS and FPTAN (SDM Vol. 1, 8.3.7 and 8.3.8; Vol. 2 for
 * the special operands), correctly rounded but for the rare case that more than 100 bits past the last do not decide.
 * Processors are allowed one unit in the last place.
 *
 * Angles are reduced with pi to 66 bits, as processors do it (SDM Vol. 1, 8.3.8).
 */

import { X87_DE, X87_PE, X87_ZE } from '../../abi/x87.ts';
import {
  arcTangent,
  doubleInverseTanh,
  exponentialMinus1,
  exponentOf,
  naturalLogOf2,
  packBig,
  piOf,
  significandOf,
  sineOrCosine,
} from './big-fixed.ts';
import { propagateNan, propagateOne } from './float80-arithmetic.ts';
import {
  classify,
  environment,
  EXPONENT_BIAS,
  Float80,
  invalid,
  KIND_DENORMAL,
  KIND_INFINITY,
  KIND_QNAN,
  KIND_ZERO,
  normalise,
  setInfinity,
  setZero,
  wide,
} from './float80.ts';

/** Below 2^-TINY the first terms of a series decide all bits. */
const TINY = 72;
const BITS = 288;
/** Precision of products with a tiny operand. */
const TINY_BITS = 192;

const ONE = new Float80();
ONE.set(0, EXPONENT_BIAS, 0x80000000, 0);

function noteDenormals(aKind: number, bKind: number): void {
  if (aKind === KIND_DENORMAL || bKind === KIND_DENORMAL) environment.flags |= X87_DE;
}

/** Exponent of the leading bit. */
function magnitudeExponent(value: Float80): number {
  normalise(value.high, value.low, 0, value.exponent === 0 ? 1 : value.exponent);
  return wide.exponent - EXPONENT_BIAS;
}

/** The value as fixed point, without its sign; nothing may be lost. */
function fixed(value: Float80, bits: number): bigint {
  return significandOf(value) << BigInt(bits + exponentOf(value));
}

function absolute(value: bigint): bigint {
  return value < 0n ? -value : value;
}

/** 2^x - 1 for |x| <= 1; beyond, where the processor promises nothing, x itself. */
export function exponential2Minus1(result: Float80, x: Float80): void {
  const kind = classify(x);
  if (kind >= KIND_QNAN) {
    propagateOne(result, x, kind);
    return;
  }
  if (kind === KIND_INFINITY) {
    if (x.sign !== 0) result.set(1, EXPONENT_BIAS, 0x80000000, 0);
    else result.copy(x);
    return;
  }
  if (kind === KIND_ZERO) {
    result.copy(x);
    return;
  }
  noteDenormals(kind, kind);
  const exponent = magnitudeExponent(x);
  if (exponent >= 0) {
    const isMinusOne = x.sign !== 0 && exponent === 0 && x.high === -0x80000000 && x.low === 0;
    if (isMinusOne) result.set(1, EXPONENT_BIAS - 1, 0x80000000, 0);
    else result.copy(x);
    environment.flags |= X87_PE;
    return;
  }
  const { sign } = x;
  if (exponent < -TINY) {
    packBig(result, sign, significandOf(x) * naturalLogOf2(TINY_BITS), exponentOf(x) - TINY_BITS, true);
    return;
  }
  const magnitude = (fixed(x, BITS) * naturalLogOf2(BITS)) >> BigInt(BITS);
  const value = exponentialMinus1(sign !== 0 ? -magnitude : magnitude, BITS);
  packBig(result, sign, absolute(value), -BITS, true);
}

/** log2 of a positive finite value in fixed point; exact for powers of two. */
function logarithm2(x: Float80): bigint {
  return logarithm2Of(significandOf(x), exponentOf(x));
}

/** log2(significand * 2^exponent). */
function logarithm2Of(significand: bigint, exponent: number): bigint {
  const length = significand.toString(2).length;
  let integer = exponent + length - 1;
  let mantissa = significand << BigInt(BITS + 1 - length);
  const one = 1n << BigInt(BITS);
  if (mantissa === one) return BigInt(integer) << BigInt(BITS);
  if (mantissa >> BigInt(BITS - 31) > 0xb504f333n) {
    mantissa >>= 1n;
    integer++;
  }
  const natural = doubleInverseTanh(((mantissa - one) << BigInt(BITS)) / (mantissa + one), BITS);
  return (BigInt(integer) << BigInt(BITS)) + (natural << BigInt(BITS)) / naturalLogOf2(BITS);
}

/** y * log2(x). */
export function yLog2X(result: Float80, x: Float80, y: Float80): void {
  const xKind = classify(x);
  const yKind = classify(y);
  if (xKind >= KIND_QNAN || yKind >= KIND_QNAN) {
    propagateNan(result, x, xKind, y, yKind);
    return;
  }
  if (xKind === KIND_ZERO) {
    logarithmOfZero(result, y, yKind);
    return;
  }
  if (x.sign !== 0) {
    invalid(result);
    return;
  }
  const aboveOne = xKind === KIND_INFINITY || x.exponent >= EXPONENT_BIAS;
  const isOne = x.exponent === EXPONENT_BIAS && x.high === -0x80000000 && x.low === 0;
  const sign = aboveOne ? y.sign : y.sign ^ 1;
  if (xKind === KIND_INFINITY ? yKind === KIND_ZERO : yKind === KIND_INFINITY && isOne) {
    invalid(result);
    return;
  }
  noteDenormals(xKind, yKind);
  if (xKind === KIND_INFINITY || yKind === KIND_INFINITY) setInfinity(result, sign);
  else if (yKind === KIND_ZERO || isOne) setZero(result, sign);
  else multiplyBig(result, sign, absolute(logarithm2(x)), BITS, y);
}

function logarithmOfZero(result: Float80, y: Float80, yKind: number): void {
  if (yKind === KIND_ZERO) {
    invalid(result);
    return;
  }
  if (yKind !== KIND_INFINITY) environment.flags |= X87_ZE;
  setInfinity(result, y.sign ^ 1);
}

/** factor / 2^bits * |y|. */
function multiplyBig(result: Float80, sign: number, factor: bigint, bits: number, y: Float80): void {
  packBig(result, sign, factor * significandOf(y), exponentOf(y) - bits, true);
}

/** y * log2(x + 1). */
export function yLog2XPlus1(result: Float80, x: Float80, y: Float80): void {
  const xKind = classify(x);
  const yKind = classify(y);
  if (xKind >= KIND_QNAN || yKind >= KIND_QNAN) {
    propagateNan(result, x, xKind, y, yKind);
    return;
  }
  const sign = x.sign ^ y.sign;
  if (xKind === KIND_INFINITY ? yKind === KIND_ZERO || x.sign !== 0 : xKind === KIND_ZERO && yKind === KIND_INFINITY) {
    invalid(result);
    return;
  }
  noteDenormals(xKind, yKind);
  if (xKind === KIND_INFINITY || yKind === KIND_INFINITY) {
    setInfinity(result, sign);
    return;
  }
  if (xKind === KIND_ZERO || yKind === KIND_ZERO) {
    setZero(result, sign);
    return;
  }
  const exponent = magnitudeExponent(x);
  if (exponent < -TINY) {
    const factor = (significandOf(x) << BigInt(TINY_BITS)) / (naturalLogOf2(TINY_BITS) >> 64n);
    multiplyBig(result, sign, factor, 64 - exponentOf(x), y);
    return;
  }
  if (exponent >= 0) {
    beyondOne(result, sign, x, y);
    return;
  }
  const magnitude = fixed(x, BITS);
  const signed = x.sign !== 0 ? -magnitude : magnitude;
  multiplyBig(result, sign, absolute(logarithm2Plus1(signed)), BITS, y);
}

/** For |x| >= 1 there is no promise: processors go on above, and answer x below. */
function beyondOne(result: Float80, sign: number, x: Float80, y: Float80): void {
  if (x.sign !== 0) {
    result.copy(x);
    environment.flags |= X87_PE;
    return;
  }
  const exponent = exponentOf(x);
  // The unit does not count where the lowest bit is above 2^64.
  const unit = exponent > 0 ? 1n : 1n << BigInt(-exponent);
  const significand = exponent > 64 || exponent < 0 ? significandOf(x) : significandOf(x) << BigInt(exponent);
  const plusOne = exponent > 64 ? significand : significand + unit;
  multiplyBig(result, sign, absolute(logarithm2Of(plusOne, exponent < 0 || exponent > 64 ? exponent : 0)), BITS, y);
}

/** log2(1 + x) for |x| < 1, in fixed point. */
function logarithm2Plus1(x: bigint): bigint {
  const scale = BigInt(BITS);
  let shift = 0n;
  let z = (x << scale) / ((1n << (scale + 1n)) + x);
  // Brings 1 + x into reach of the series.
  while (absolute(z) > (1n << scale) / 5n) {
    const value = (1n << scale) + x;
    shift += x > 0n ? 1n : -1n;
    const scaled = shift > 0n ? value >> shift : value << -shift;
    z = ((scaled - (1n << scale)) << scale) / (scaled + (1n << scale));
  }
  return (shift << scale) + (doubleInverseTanh(z, BITS) << scale) / naturalLogOf2(BITS);
}

/** Numerators of the angles that infinities and zeros give, in eighths of a turn: pi/4 times this. */
function specialAngle(result: Float80, sign: number, quarters: number): void {
  if (quarters === 0) setZero(result, sign);
  else packBig(result, sign, piOf(BITS) * BigInt(quarters), -BITS - 2, true);
}

/** The angle of the point (x, y), from -pi to pi. */
export function arcTangent2(result: Float80, y: Float80, x: Float80): void {
  const yKind = classify(y);
  const xKind = classify(x);
  if (xKind >= KIND_QNAN || yKind >= KIND_QNAN) {
    propagateNan(result, y, yKind, x, xKind);
    return;
  }
  const sign = y.sign;
  noteDenormals(xKind, yKind);
  if (yKind === KIND_INFINITY && xKind === KIND_INFINITY) specialAngle(result, sign, x.sign !== 0 ? 3 : 1);
  else if (yKind === KIND_INFINITY || (xKind === KIND_ZERO && yKind !== KIND_ZERO)) specialAngle(result, sign, 2);
  else if (yKind === KIND_ZERO || xKind === KIND_INFINITY) specialAngle(result, sign, x.sign !== 0 ? 4 : 0);
  else angleOf(result, sign, y, x);
}

/** Both finite and not zero. */
function angleOf(result: Float80, sign: number, y: Float80, x: Float80): void {
  const ySignificand = significandOf(y);
  const xSignificand = significandOf(x);
  const shift = exponentOf(y) - exponentOf(x);
  const distance = magnitudeExponent(y) - magnitudeExponent(x);
  const negative = x.sign !== 0;
  if (distance < -TINY) {
    if (negative) packBig(result, sign, piOf(BITS) - 1n, -BITS, true);
    else packBig(result, sign, (ySignificand << BigInt(TINY_BITS)) / xSignificand, shift - TINY_BITS, true);
    return;
  }
  if (distance > TINY) {
    packBig(result, sign, (piOf(BITS) >> 1n) + (negative ? 1n : -1n), -BITS, true);
    return;
  }
  const yScaled = shift > 0 ? ySignificand << BigInt(shift) : ySignificand;
  const xScaled = shift < 0 ? xSignificand << BigInt(-shift) : xSignificand;
  const steep = yScaled > xScaled;
  const ratio = ((steep ? xScaled : yScaled) << BigInt(BITS)) / (steep ? yScaled : xScaled);
  let angle = arcTangent(ratio, BITS);
  if (steep) angle = (piOf(BITS) >> 1n) - angle;
  if (negative) angle = piOf(BITS) - angle;
  packBig(result, sign, angle, -BITS, true);
}

/** pi to 66 bits, times 2^66. */
const PI_66 = 0xc90fdaa22168c234cn;

/** An angle below 2^63 as quadrant and remainder. */
interface Reduced {
  /** 0 to 3. */
  readonly quadrant: number;
  /** Within a little of [-pi/4, pi/4], in fixed point. */
  readonly angle: bigint;
}

function reduce(x: Float80): Reduced {
  const halfPi = PI_66 << BigInt(BITS - 67);
  const magnitude = fixed(x, BITS);
  const turns = (2n * magnitude + halfPi) / (2n * halfPi);
  const rest = magnitude - turns * halfPi;
  const quadrant = Number(turns & 3n);
  return x.sign !== 0 ? { quadrant: (4 - quadrant) & 3, angle: -rest } : { quadrant, angle: rest };
}

/** Whether an operand is in range: else C2 is set and nothing else happens. */
export function angleInRange(x: Float80): boolean {
  return classify(x) >= KIND_INFINITY || x.exponent < EXPONENT_BIAS + 63;
}

/** Deals with zero, infinity, NaN and tiny operands of sine and tangent. True if the result is final. */
function specialSine(result: Float80, x: Float80): boolean {
  const kind = classify(x);
  if (kind >= KIND_QNAN) propagateOne(result, x, kind);
  else if (kind === KIND_INFINITY) invalid(result);
  else if (kind === KIND_ZERO) result.copy(x);
  else return false;
  return true;
}

export function sine(result: Float80, x: Float80): void {
  if (specialSine(result, x)) return;
  noteDenormals(classify(x), classify(x));
  if (magnitudeExponent(x) < -TINY) {
    // x - x^3 / 6: just below x.
    packBig(result, x.sign, (significandOf(x) << BigInt(TINY_BITS)) - 1n, exponentOf(x) - TINY_BITS, true);
    return;
  }
  const { quadrant, angle } = reduce(x);
  const value = sineOrCosine(angle, BITS, quadrant & 1 ? 0 : 1);
  packBig(result, (value < 0n ? 1 : 0) ^ (quadrant >> 1), absolute(value), -BITS, true);
}

export function cosine(result: Float80, x: Float80): void {
  const kind = classify(x);
  if (kind === KIND_ZERO) {
    result.copy(ONE);
    return;
  }
  if (specialSine(result, x)) return;
  noteDenormals(kind, kind);
  if (magnitudeExponent(x) < -TINY) {
    packBig(result, 0, (1n << BigInt(BITS)) - 1n, -BITS, true);
    return;
  }
  const { quadrant, angle } = reduce(x);
  const value = sineOrCosine(angle, BITS, quadrant & 1 ? 1 : 0);
  packBig(result, (value < 0n ? 1 : 0) ^ (quadrant === 1 || quadrant === 2 ? 1 : 0), absolute(value), -BITS, true);
}

export function tangent(result: Float80, x: Float80): void {
  if (specialSine(result, x)) return;
  noteDenormals(classify(x), classify(x));
  if (magnitudeExponent(x) < -TINY) {
    packBig(result, x.sign, significandOf(x), exponentOf(x), true);
    return;
  }
  const { quadrant, angle } = reduce(x);
  const sinus = sineOrCosine(angle, BITS, 1);
  const cosinus = sineOrCosine(angle, BITS, 0);
  const value = quadrant & 1 ? -(cosinus << BigInt(BITS)) / sinus : (sinus << BigInt(BITS)) / cosinus;
  packBig(result, value < 0n ? 1 : 0, absolute(value), -BITS, true);
}

