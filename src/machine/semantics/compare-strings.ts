/**
 * What PCMPESTRI, PCMPESTRM, PCMPISTRI and PCMPISTRM have in common (SDM Vol. 2B 4.1, "Imm8 Control Byte Operation"): one
 * function of the interpreter's module, which units import.
 */
import * as op from '../wasm/opcodes.ts';
import type { FunctionBody, WasmType } from '../wasm/writer.ts';
import type { Expr } from './builder.ts';
import type { EmittingBuilder } from './emitting-builder.ts';
import { localGet } from './expression.ts';
import { bitmask, lanes, vector, zeroVector } from './sse-vector.ts';

/**
 * Both operands; how many elements of each are valid, or a negative number where a zero ends them; the immediate. The result
 * has IntRes2 in its low 16 bits, and above them:
 */
export const COMPARE_STRINGS_PARAMETERS: readonly WasmType[] = ['v128', 'v128', 'i32', 'i32', 'i32'];
/** The index for ECX, 5 bits. */
export const STRINGS_INDEX_SHIFT = 16;
/** Not all elements of the operand are valid. */
export const STRINGS_FIRST_ENDS_SHIFT = 21;
export const STRINGS_SECOND_ENDS_SHIFT = 22;

// Bits of the control byte.
const SIGNED = 2;
const AGGREGATION_SHIFT = 2;
const NEGATIVE = 0x10;
const MASKED = 0x20;
const MOST_SIGNIFICANT = 0x40;

/** Elements of one or two bytes. */
interface Width {
  readonly bytes: 1 | 2;
  readonly equal: number;
  readonly lessOrEqual: number;
  readonly bitmask: number;
  /** Bytes of element 0, for a swizzle; added to, of the next ones. */
  readonly firstElement: readonly number[];
  readonly signBit: number;
}

const BYTES: Width = { bytes: 1, equal: op.I8X16_EQ, lessOrEqual: op.I8X16_LE_U, bitmask: op.I8X16_BITMASK, firstElement: [0], signBit: 0x80 };
const WORDS: Width = { bytes: 2, equal: op.I16X8_EQ, lessOrEqual: op.I16X8_LE_U, bitmask: op.I16X8_BITMASK, firstElement: [0, 1], signBit: 0x8000 };

/** Writes the function for elements of one width; its result is a mask of the elements of the second string. */
class Aggregation {
  readonly #b: EmittingBuilder;
  readonly #width: Width;
  readonly #all: number;
  readonly #first = localGet('v128', 0);
  readonly #second = localGet('v128', 1);
  readonly #firstLength = localGet('i32', 2);
  readonly #secondLength = localGet('i32', 3);
  readonly #control = localGet('i32', 4);

  constructor(b: EmittingBuilder, width: Width) {
    this.#b = b;
    this.#width = width;
    this.#all = (1 << (16 / width.bytes)) - 1;
  }

  write(result: Expr): void {
    const b = this.#b;
    this.#measure();
    const valid = b.let(this.#below(this.#secondLength));
    const mode = b.let(b.and(b.shrU(this.#control, b.i32(AGGREGATION_SHIFT)), b.i32(3)));
    b.if(b.eqz(mode), () => this.#equalAny(result, valid), () => {
      b.if(b.eq(mode, b.i32(2)), () => this.#equalEach(result, valid), () => {
        b.if(b.eq(mode, b.i32(1)), () => this.#inRanges(result, valid), () => this.#equalOrdered(result, valid));
      });
    });
    const negated = b.select(b.and(this.#control, b.i32(MASKED)), valid, b.i32(this.#all));
    b.if(b.and(this.#control, b.i32(NEGATIVE)), () => b.assign(result, b.xor(result, negated)));
  }

  /** A mask of so many elements from 0 on. */
  #below(length: Expr): Expr {
    const b = this.#b;
    return b.sub(b.shl(b.i32(1), length), b.i32(1));
  }

  /** Makes both lengths what they are, at most the number of elements. */
  #measure(): void {
    const b = this.#b;
    const count = b.i32(16 / this.#width.bytes);
    const untilZero = (string: Expr): Expr => b.ctz(b.or(this.#maskOf(this.#equal(string, zeroVector(b))), b.i32(this.#all + 1)));
    const atMost = (length: Expr): Expr => b.select(b.ltU(length, count), length, count);
    b.if(b.ltS(this.#firstLength, b.i32(0)), () => {
      b.assign(this.#firstLength, untilZero(this.#first));
      b.assign(this.#secondLength, untilZero(this.#second));
    }, () => {
      b.assign(this.#firstLength, atMost(this.#firstLength));
      b.assign(this.#secondLength, atMost(this.#secondLength));
    });
  }

  #equal(a: Expr, c: Expr): Expr { return vector(this.#b, this.#width.equal, a, c); }
  #maskOf(value: Expr): Expr { return bitmask(this.#b, value, this.#width.bitmask); }

  /** `body` for each element of the first string, or every second one, which it gets in all lanes, with the one after it. */
  #forElements(step: 1 | 2, body: (number: Expr, element: Expr, next: Expr) => void): void {
    const b = this.#b;
    const { bytes, firstElement } = this.#width;
    const number = b.variable('i32', b.i32(step - 1));
    const order = b.variable('v128', lanes(b, 1, ...firstElement));
    const element = (offset: number): Expr =>
      vector(b, op.I8X16_SWIZZLE, this.#first, offset === 0 ? order : vector(b, op.I8X16_ADD, order, lanes(b, 1, offset * bytes)));
    const isThere = (): Expr => b.ltU(number, this.#firstLength);
    b.if(isThere(), () => {
      b.open(op.LOOP);
      body(number, element(0), element(1));
      b.assign(order, vector(b, op.I8X16_ADD, order, lanes(b, 1, step * bytes)));
      b.assign(number, b.add(number, b.i32(step)));
      b.emit(isThere());
      b.out.u8(op.BR_IF);
      b.out.u32(0);
      b.close();
    });
  }

  /** Any element of the first equals that of the second. */
  #equalAny(result: Expr, valid: Expr): void {
    const b = this.#b;
    const found = b.variable('v128', zeroVector(b));
    this.#forElements(1, (_, element) => b.assign(found, vector(b, op.V128_OR, found, this.#equal(this.#second, element))));
    b.assign(result, b.and(this.#maskOf(found), valid));
  }

  /** The first holds pairs of a lower and an upper bound. */
  #inRanges(result: Expr, valid: Expr): void {
    const b = this.#b;
    const { bytes, lessOrEqual, signBit } = this.#width;
    // Signed numbers are in the order of unsigned ones once their sign is turned round.
    b.if(b.and(this.#control, b.i32(SIGNED)), () => {
      for (const string of [this.#first, this.#second]) b.assign(string, vector(b, op.V128_XOR, string, lanes(b, bytes, signBit)));
    });
    const found = b.variable('v128', zeroVector(b));
    this.#forElements(2, (_, lower, upper) => {
      const within = vector(b, op.V128_AND, vector(b, lessOrEqual, lower, this.#second), vector(b, lessOrEqual, this.#second, upper));
      b.assign(found, vector(b, op.V128_OR, found, within));
    });
    b.assign(result, b.and(this.#maskOf(found), valid));
  }

  /** Element by element; beyond both ends counts as equal. */
  #equalEach(result: Expr, valid: Expr): void {
    const b = this.#b;
    const firstValid = b.let(this.#below(this.#firstLength));
    const equal = b.and(this.#maskOf(this.#equal(this.#first, this.#second)), b.and(firstValid, valid));
    b.assign(result, b.or(equal, b.xor(b.or(firstValid, valid), b.i32(this.#all))));
  }

  /** The first as a substring of the second, starting at each place. Behind the vector's end it may go on. */
  #equalOrdered(result: Expr, valid: Expr): void {
    const b = this.#b;
    b.assign(result, b.i32(this.#all));
    this.#forElements(1, (number, element) => {
      const equal = b.or(b.and(this.#maskOf(this.#equal(this.#second, element)), valid), b.i32(~this.#all));
      b.assign(result, b.and(result, b.shrS(equal, number)));
    });
  }
}

/** `b` has the parameters above, and nothing was written with it. */
export function compareStringsFunction(b: EmittingBuilder, type: number): FunctionBody {
  const [firstLength, secondLength, control] = [localGet('i32', 2), localGet('i32', 3), localGet('i32', 4)];
  const result = b.variable('i32', b.i32(0));
  const areWords = b.let(b.and(control, b.i32(1)));
  b.if(areWords, () => new Aggregation(b, WORDS).write(result), () => new Aggregation(b, BYTES).write(result));
  const count = b.let(b.shrU(b.i32(16), areWords));
  const place = b.select(b.and(control, b.i32(MOST_SIGNIFICANT)), b.sub(b.i32(31), b.clz(result)), b.ctz(result));
  const index = b.select(result, place, count);
  const at = (shift: number, value: Expr): Expr => b.shl(value, b.i32(shift));
  const ends = b.or(at(STRINGS_FIRST_ENDS_SHIFT, b.ltU(firstLength, count)), at(STRINGS_SECOND_ENDS_SHIFT, b.ltU(secondLength, count)));
  b.emit(b.or(b.or(result, at(STRINGS_INDEX_SHIFT, index)), ends));
  b.out.u8(op.END);
  return { type, locals: b.locals, code: b.out };
}
