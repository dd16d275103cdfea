/**
 * Single and double precision as MXCSR asks for it: rounding control, exception flags, denormals as zero, flush to
 * zero (SDM Vol. 1, 4.8, 4.9 and 11.5). Numbers are their bits, as bigint; a `FloatUnit` holds MXCSR and notes the flags.
 */
export const MXCSR_IE = 0x01;
export const MXCSR_DE = 0x02;
export const MXCSR_ZE = 0x04;
export const MXCSR_OE = 0x08;
export const MXCSR_UE = 0x10;
export const MXCSR_PE = 0x20;
const MXCSR_DAZ = 0x40;
const MXCSR_OM = 0x400;
const MXCSR_UM = 0x800;
const MXCSR_FTZ = 0x8000;

const EXCEPTIONS = 0x3f;
const BEFORE_COMPUTATION = MXCSR_IE | MXCSR_DE | MXCSR_ZE;

const NEAREST = 0;
const DOWN = 1;
const UP = 2;

export interface Format {
  readonly bytes: 2 | 4 | 8;
  /** Bits of the fraction. */
  readonly fraction: number;
  readonly bias: number;
  readonly sign: bigint;
  readonly infinity: bigint;
  readonly quiet: bigint;
  readonly fractionMask: bigint;
}

function format(bytes: 2 | 4 | 8, fraction: number): Format {
  const exponentBits = bytes * 8 - 1 - fraction;
  const shift = BigInt(fraction);
  return {
    bytes, fraction, bias: 2 ** (exponentBits - 1) - 1, sign: 1n << BigInt(bytes * 8 - 1),
    infinity: ((1n << BigInt(exponentBits)) - 1n) << shift, quiet: 1n << (shift - 1n), fractionMask: (1n << shift) - 1n,
  };
}

export const SINGLE = format(4, 23);
export const DOUBLE = format(8, 52);
export const HALF = format(2, 10);

/** A number that is neither NaN nor infinite: significand times 2 to the exponent. */
interface Finite {
  readonly negative: boolean;
  readonly significand: bigint;
  readonly exponent: number;
}

function bitLength(value: bigint): number {
  const digits = value.toString(16);
  return digits.length * 4 - (Math.clz32(Number.parseInt(digits[0] ?? '0', 16)) - 28);
}

/** The whole root, rounded down. */
function squareRoot(value: bigint): bigint {
  let root = BigInt(Math.floor(Math.sqrt(Number(value))));
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next === root || next === root + 1n) break;
    root = next;
  }
  while (root * root > value) root--;
  while ((root + 1n) * (root + 1n) <= value) root++;
  return root;
}

const isNan = (type: Format, bits: bigint): boolean => (bits & ~type.sign) > type.infinity;
const isInfinite = (type: Format, bits: bigint): boolean => (bits & ~type.sign) === type.infinity;
const isZero = (type: Format, bits: bigint): boolean => (bits & ~type.sign) === 0n;
const isNegative = (type: Format, bits: bigint): boolean => (bits & type.sign) !== 0n;
const isSignaling = (type: Format, bits: bigint): boolean => isNan(type, bits) && (bits & type.quiet) === 0n;

function unpack(type: Format, bits: bigint): Finite {
  const fraction = bits & type.fractionMask;
  const exponent = Number((bits & type.infinity) >> BigInt(type.fraction));
  const lowest = 1 - type.bias - type.fraction;
  const negative = isNegative(type, bits);
  if (exponent === 0) return { negative, significand: fraction, exponent: lowest };
  return { negative, significand: fraction | (type.fractionMask + 1n), exponent: lowest + exponent - 1 };
}

export class FloatUnit {
  /** Exceptions of this step so far, as MXCSR's bits. */
  flags = 0;
  #before = 0;
  #control = 0;

  begin(mxcsr: number): void {
    this.#control = mxcsr;
    this.flags = this.#before = 0;
  }

  /** An instruction of several steps goes on with the next: what was noted so far stays, whatever that raises. */
  nextStep(): void {
    this.#before |= this.flags;
    this.flags = 0;
  }

  /** Exceptions of all steps. */
  get allFlags(): number {
    return this.#before | this.flags;
  }

  /**
   * All lanes are done: true if an exception is to be raised. Where that is one which is found before anything is
   * computed, `flags` has no others (SDM Vol. 1, 11.5.2).
   */
  get raises(): boolean {
    const unmasked = ~(this.#control >>> 7) & EXCEPTIONS;
    if ((this.flags & BEFORE_COMPUTATION & unmasked) !== 0) this.flags &= BEFORE_COMPUTATION;
    return (this.flags & unmasked) !== 0;
  }

  get rounding(): number {
    return (this.#control >>> 13) & 3;
  }

  /** Denormals as zero, where MXCSR says so. */
  operand(type: Format, bits: bigint): bigint {
    return (this.#control & MXCSR_DAZ) !== 0 && (bits & type.infinity) === 0n ? bits & type.sign : bits;
  }

  #noteDenormal(type: Format, ...operands: readonly bigint[]): void {
    if (operands.some((bits) => (bits & type.infinity) === 0n && !isZero(type, bits))) this.flags |= MXCSR_DE;
  }

  #invalid(type: Format): bigint {
    this.flags |= MXCSR_IE;
    return type.sign | type.infinity | type.quiet;
  }

  /** SDM Vol. 1, table 4-7: the first operand that is a NaN, made quiet. */
  #nan(type: Format, ...operands: readonly bigint[]): bigint | undefined {
    const nan = operands.find((bits) => isNan(type, bits));
    if (nan === undefined) return undefined;
    if (operands.some((bits) => isSignaling(type, bits))) this.flags |= MXCSR_IE;
    return nan | type.quiet;
  }

  #zero(type: Format, negative: boolean): bigint {
    return negative ? type.sign : 0n;
  }

  /** `value >> count`, rounded; PE is for the caller to note. */
  #shift(value: bigint, count: number, negative: boolean, rounding: number): { readonly value: bigint; readonly exact: boolean } {
    if (count <= 0) return { value: value << BigInt(-count), exact: true };
    const width = BigInt(count);
    const down = value >> width;
    const rest = value - (down << width);
    if (rest === 0n) return { value: down, exact: true };
    const half = 1n << (width - 1n);
    const nearest = rest > half || (rest === half && (down & 1n) === 1n);
    const away = rounding === NEAREST ? nearest : rounding === DOWN ? negative : rounding === UP && !negative;
    return { value: away ? down + 1n : down, exact: false };
  }

  /** `exact`: with a larger exponent no precision would be lost, which is what counts when the exception is raised. */
  #overflow(type: Format, negative: boolean, exact: boolean): bigint {
    this.flags |= MXCSR_OE;
    if (!exact || (this.#control & MXCSR_OM) !== 0) this.flags |= MXCSR_PE;
    const { rounding } = this;
    const infinite = rounding === NEAREST || rounding === (negative ? DOWN : UP);
    return this.#zero(type, negative) | (infinite ? type.infinity : type.infinity - 1n);
  }

  /** Tiny after rounding (SDM Vol. 1, 4.9.1.5). `isExact`: as of `#overflow`. */
  #underflow(type: Format, { negative, significand, exponent }: Finite, isExact: boolean): bigint {
    if ((this.#control & MXCSR_UM) === 0) {
      this.flags |= isExact ? MXCSR_UE : MXCSR_UE | MXCSR_PE;
      return 0n;
    }
    if ((this.#control & MXCSR_FTZ) !== 0) {
      this.flags |= MXCSR_UE | MXCSR_PE;
      return this.#zero(type, negative);
    }
    const { value, exact } = this.#shift(significand, 1 - type.bias - type.fraction - exponent, negative, this.rounding);
    if (!exact) this.flags |= MXCSR_UE | MXCSR_PE;
    return this.#zero(type, negative) | value;
  }

  /** Rounds what is not zero to a format. */
  #round(type: Format, number: Finite): bigint {
    const { negative, significand, exponent } = number;
    const excess = bitLength(significand) - type.fraction - 1;
    const { value, exact } = this.#shift(significand, excess, negative, this.rounding);
    const carried = value > 2n * type.fractionMask + 1n;
    // Of the leading bit; then as MXCSR's format has it.
    const biased = exponent + excess + type.fraction + (carried ? 1 : 0) + type.bias;
    if (biased < 1) return this.#underflow(type, number, exact);
    if (biased > 2 * type.bias) return this.#overflow(type, negative, exact);
    if (!exact) this.flags |= MXCSR_PE;
    return this.#zero(type, negative) | (BigInt(biased) << BigInt(type.fraction)) | ((carried ? value >> 1n : value) & type.fractionMask);
  }

  add(type: Format, first: bigint, second: bigint): bigint {
    const a = this.operand(type, first);
    const b = this.operand(type, second);
    const nan = this.#nan(type, a, b);
    if (nan !== undefined) return nan;
    if (isInfinite(type, a) && isInfinite(type, b) && a !== b) return this.#invalid(type);
    this.#noteDenormal(type, a, b);
    if (isInfinite(type, a)) return a;
    if (isInfinite(type, b)) return b;
    const left = unpack(type, a);
    const right = unpack(type, b);
    const exponent = Math.min(left.exponent, right.exponent);
    const whole = ({ negative, significand, exponent: own }: Finite): bigint => (negative ? -significand : significand) << BigInt(own - exponent);
    const sum = whole(left) + whole(right);
    if (sum !== 0n) return this.#round(type, { negative: sum < 0n, significand: sum < 0n ? -sum : sum, exponent });
    const negative = left.negative === right.negative ? left.negative : this.rounding === DOWN;
    return this.#zero(type, negative);
  }

  subtract(type: Format, first: bigint, second: bigint): bigint {
    return this.add(type, first, isNan(type, second) ? second : second ^ type.sign);
  }

  multiply(type: Format, first: bigint, second: bigint): bigint {
    const a = this.operand(type, first);
    const b = this.operand(type, second);
    const nan = this.#nan(type, a, b);
    if (nan !== undefined) return nan;
    if ((isInfinite(type, a) && isZero(type, b)) || (isZero(type, a) && isInfinite(type, b))) return this.#invalid(type);
    this.#noteDenormal(type, a, b);
    const negative = isNegative(type, a) !== isNegative(type, b);
    if (isInfinite(type, a) || isInfinite(type, b)) return this.#zero(type, negative) | type.infinity;
    if (isZero(type, a) || isZero(type, b)) return this.#zero(type, negative);
    const left = unpack(type, a);
    const right = unpack(type, b);
    return this.#round(type, { negative, significand: left.significand * right.significand, exponent: left.exponent + right.exponent });
  }

  /** `first * second + third`, rounded once (SDM Vol. 1, 14.5). The negations leave a NaN as it is. */
  multiplyAdd(type: Format, sources: readonly [first: bigint, second: bigint, third: bigint], negateProduct: boolean, negateThird: boolean): bigint {
    const [a, b, c] = sources.map((bits) => this.operand(type, bits)) as [bigint, bigint, bigint];
    const isInvalid = (isInfinite(type, a) && isZero(type, b)) || (isZero(type, a) && isInfinite(type, b));
    const nan = this.#nan(type, a, b, c);
    if (nan !== undefined) return nan;
    if (isInvalid) return this.#invalid(type);
    const negative = (isNegative(type, a) !== isNegative(type, b)) !== negateProduct;
    const addend = negateThird ? c ^ type.sign : c;
    const isInfiniteProduct = isInfinite(type, a) || isInfinite(type, b);
    if (isInfiniteProduct && isInfinite(type, c) && negative !== isNegative(type, addend)) return this.#invalid(type);
    this.#noteDenormal(type, a, b, c);
    if (isInfiniteProduct) return this.#zero(type, negative) | type.infinity;
    if (isInfinite(type, c)) return addend;
    const [left, right, last] = [unpack(type, a), unpack(type, b), unpack(type, addend)];
    const product: Finite = { negative, significand: left.significand * right.significand, exponent: left.exponent + right.exponent };
    const exponent = Math.min(product.exponent, last.exponent);
    const whole = ({ negative: isMinus, significand, exponent: own }: Finite): bigint => (isMinus ? -significand : significand) << BigInt(own - exponent);
    const sum = whole(product) + whole(last);
    if (sum !== 0n) return this.#round(type, { negative: sum < 0n, significand: sum < 0n ? -sum : sum, exponent });
    return this.#zero(type, negative === last.negative ? negative : this.rounding === DOWN);
  }

  divide(type: Format, first: bigint, second: bigint): bigint {
    const a = this.operand(type, first);
    const b = this.operand(type, second);
    const nan = this.#nan(type, a, b);
    if (nan !== undefined) return nan;
    if ((isInfinite(type, a) && isInfinite(type, b)) || (isZero(type, a) && isZero(type, b))) return this.#invalid(type);
    const negative = isNegative(type, a) !== isNegative(type, b);
    if (isZero(type, b) && !isInfinite(type, a)) {
      this.flags |= MXCSR_ZE;
      return this.#zero(type, negative) | type.infinity;
    }
    this.#noteDenormal(type, a, b);
    if (isInfinite(type, a)) return this.#zero(type, negative) | type.infinity;
    if (isInfinite(type, b) || isZero(type, a)) return this.#zero(type, negative);
    const left = unpack(type, a);
    const right = unpack(type, b);
    const width = Math.max(0, type.fraction + 4 + bitLength(right.significand) - bitLength(left.significand));
    const scaled = left.significand << BigInt(width);
    const quotient = scaled / right.significand;
    const sticky = quotient * right.significand === scaled ? 0n : 1n;
    return this.#round(type, { negative, significand: (quotient << 1n) | sticky, exponent: left.exponent - right.exponent - width - 1 });
  }

  squareRoot(type: Format, source: bigint): bigint {
    const a = this.operand(type, source);
    const nan = this.#nan(type, a);
    if (nan !== undefined) return nan;
    if (isZero(type, a)) return a;
    if (isNegative(type, a)) return this.#invalid(type);
    this.#noteDenormal(type, a);
    if (isInfinite(type, a)) return a;
    const { significand, exponent } = unpack(type, a);
    let width = 2 * (type.fraction + 4) - bitLength(significand);
    if ((exponent - width) % 2 !== 0) width++;
    const scaled = significand << BigInt(width);
    const root = squareRoot(scaled);
    const sticky = root * root === scaled ? 0n : 1n;
    return this.#round(type, { negative: false, significand: (root << 1n) | sticky, exponent: (exponent - width) / 2 - 1 });
  }

  /** Less than 0, 0, more than 0; undefined where one is a NaN. `quiet`: of those only signaling ones are invalid. */
  compare(type: Format, first: bigint, second: bigint, quiet: boolean): number | undefined {
    const a = this.operand(type, first);
    const b = this.operand(type, second);
    if (isNan(type, a) || isNan(type, b)) {
      if (!quiet || isSignaling(type, a) || isSignaling(type, b)) this.flags |= MXCSR_IE;
      return undefined;
    }
    this.#noteDenormal(type, a, b);
    const order = (bits: bigint): bigint => (isNegative(type, bits) ? -(bits & ~type.sign) : bits);
    const difference = order(a) - order(b);
    return difference < 0n ? -1 : difference > 0n ? 1 : 0;
  }

  /** To another format. */
  convert(from: Format, to: Format, source: bigint): bigint {
    const a = this.operand(from, source);
    const sign = this.#zero(to, isNegative(from, a));
    if (isNan(from, a)) {
      if (isSignaling(from, a)) this.flags |= MXCSR_IE;
      const width = BigInt(to.fraction - from.fraction);
      const payload = a & from.fractionMask;
      return sign | to.infinity | to.quiet | (width < 0n ? payload >> -width : payload << width);
    }
    if (isInfinite(from, a)) return sign | to.infinity;
    if (isZero(from, a)) return sign;
    this.#noteDenormal(from, a);
    return this.#round(to, unpack(from, a));
  }

  /** To the nearest whole number, or that which `rounding` asks for, in the same format. */
  roundToWhole(type: Format, source: bigint, rounding: number, notePrecision: boolean): bigint {
    const a = this.operand(type, source);
    const nan = this.#nan(type, a);
    if (nan !== undefined) return nan;
    if (isInfinite(type, a) || isZero(type, a)) return a;
    const { negative, significand, exponent } = unpack(type, a);
    if (exponent >= 0) return a;
    const { value, exact } = this.#shift(significand, -exponent, negative, rounding);
    if (!exact && notePrecision) this.flags |= MXCSR_PE;
    return value === 0n ? this.#zero(type, negative) : this.#round(type, { negative, significand: value, exponent: 0 });
  }

  /** To a signed number of `bits` bits; what does not fit gives the lowest one. */
  toInteger(type: Format, source: bigint, bits: 32 | 64, rounding: number): bigint {
    const a = this.operand(type, source);
    const indefinite = -(1n << BigInt(bits - 1));
    if (!isNan(type, a) && !isInfinite(type, a)) {
      const { negative, significand, exponent } = unpack(type, a);
      const { value, exact } = this.#shift(significand, -exponent, negative, rounding);
      const whole = negative ? -value : value;
      if (whole >= indefinite && whole < -indefinite) {
        if (!exact) this.flags |= MXCSR_PE;
        return whole;
      }
    }
    this.flags |= MXCSR_IE;
    return indefinite;
  }

  fromInteger(type: Format, value: bigint): bigint {
    if (value === 0n) return 0n;
    return this.#round(type, { negative: value < 0n, significand: value < 0n ? -value : value, exponent: 0 });
  }
}
