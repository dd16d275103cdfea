/**
 * Fused multiplication and addition in the host's arithmetic, rounded to nearest: S. Boldo and G. Melquiond, "Emulation of a FMA and
 * correctly rounded sums: proved algorithms using rounding to odd" (IEEE Transactions on Computers 57, 2008).
 */

/** 2^27 + 1: splits a double in two halves (Veltkamp). */
const SPLITTER = 134_217_729;
const LARGEST_FACTOR = 2 ** 450;
const SMALLEST_FACTOR = 2 ** -450;
const LARGEST_SUM = 2 ** 900;
const SMALLEST_SUM = 2 ** -900;

const double = new Float64Array(1);
const words = new Int32Array(double.buffer);

/** `sum`, which was rounded and lacks `error`, as the neighbour whose last bit is set, unless its own is. */
function toOdd(sum: number, error: number): number {
  if (error === 0) return sum;
  double[0] = sum;
  const low = words[0]!;
  if ((low & 1) !== 0) return sum;
  if (error > 0 === sum > 0) words[0] = low | 1;
  else {
    words[0] = low - 1;
    if (low === 0) words[1]!--;
  }
  return double[0];
}

/** What `a + b` lacks of the exact sum. */
function errorOf(a: number, b: number, sum: number): number {
  const part = sum - a;
  return a - (sum - part) + (b - part);
}

function isModerate(value: number, smallest: number, largest: number): boolean {
  const magnitude = Math.abs(value);
  return magnitude > smallest && magnitude < largest;
}

/** Undefined where the method does not hold: a number is not finite, or a part of the sum may be too small or too large. */
export function multiplyAddDouble(a: number, b: number, c: number): number | undefined {
  if (!isModerate(a, SMALLEST_FACTOR, LARGEST_FACTOR) || !isModerate(b, SMALLEST_FACTOR, LARGEST_FACTOR)) return undefined;
  const product = a * b;
  if (c === 0) return product;
  if (!isModerate(c, SMALLEST_SUM, LARGEST_SUM)) return undefined;
  const bigA = SPLITTER * a;
  const bigB = SPLITTER * b;
  const highA = bigA - (bigA - a);
  const highB = bigB - (bigB - b);
  const lowA = a - highA;
  const lowB = b - highB;
  const rest = lowA * lowB - (product - highA * highB - lowA * highB - highA * lowB);
  const lowSum = c + rest;
  const sum = product + lowSum;
  const lowError = errorOf(c, rest, lowSum);
  const sumError = errorOf(product, lowSum, sum);
  const errors = lowError + sumError;
  return sum + toOdd(errors, errorOf(lowError, sumError, errors));
}

/** Of single precision, where the product is exact in double precision. Undefined where a number is not finite. */
export function multiplyAddSingle(a: number, b: number, c: number): number | undefined {
  if (!Number.isFinite(a) || !Number.isFinite(b) || !Number.isFinite(c)) return undefined;
  const product = a * b;
  const sum = product + c;
  return Math.fround(toOdd(sum, errorOf(product, c, sum)));
}
