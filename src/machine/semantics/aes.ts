/**
 * AES-NI (SDM Vol. 2A and 2B; FIPS 197) in SIMD: SubBytes looks all 16 bytes up at once, in 16 tables of 16 entries, since
 * a swizzle gives zero for an index out of range.
 */
import { I8X16_ADD, I8X16_LT_S, I8X16_SUB, I8X16_SWIZZLE, V128_AND, V128_OR, V128_XOR } from '../wasm/opcodes.ts';
import type { Builder, Expr, SemanticFunction, SemanticsTable } from './builder.ts';
import { splat32, vector } from './sse-vector.ts';

/** Product by x in GF(2^8), modulo x^8 + x^4 + x^3 + x + 1. */
function timesX(value: number): number {
  return ((value << 1) ^ (value & 0x80 ? 0x11b : 0)) & 0xff;
}

/** FIPS 197, 5.1.1: the inverse, then an affine map; made by walking through the powers of x + 1. */
function makeSubstitution(): readonly number[] {
  const box = new Array<number>(256).fill(0x63);
  let power = 1;
  let inverse = 1;
  do {
    power ^= timesX(power);
    // Division by x + 1.
    inverse ^= inverse << 1;
    inverse ^= inverse << 2;
    inverse ^= inverse << 4;
    inverse = (inverse & 0xff) ^ (inverse & 0x80 ? 0x09 : 0);
    const rotated = inverse * 0x101;
    box[power] = (rotated ^ (rotated >> 7) ^ (rotated >> 6) ^ (rotated >> 5) ^ (rotated >> 4) ^ 0x63) & 0xff;
  } while (power !== 1);
  return box;
}

const SUBSTITUTION = makeSubstitution();
const INVERSE_SUBSTITUTION: readonly number[] = Array.from({ length: 256 }, (_, value) => SUBSTITUTION.indexOf(value));

/** Byte i of a row moves by i columns; byte numbers of the state, column by column. */
const SHIFT_ROWS: readonly number[] = [0, 5, 10, 15, 4, 9, 14, 3, 8, 13, 2, 7, 12, 1, 6, 11];
const INVERSE_SHIFT_ROWS: readonly number[] = [0, 13, 10, 7, 4, 1, 14, 11, 8, 5, 2, 15, 12, 9, 6, 3];

/** Lanes that rotate the bytes of each column, so that byte i is what was byte i + count. */
function rotation(count: number): readonly number[] {
  return Array.from({ length: 16 }, (_, index) => (index & 12) | ((index + count) & 3));
}

function bytes(b: Builder, value: number): Expr {
  return b.v128(new Array<number>(16).fill(value));
}

/** All 16 bytes through a table of 256. */
function substitute(b: Builder, value: Expr, table: readonly number[]): Expr {
  let index = b.let(value);
  let result = vector(b, I8X16_SWIZZLE, b.v128(table.slice(0, 16)), index);
  for (let part = 1; part < 16; part++) {
    index = b.let(vector(b, I8X16_SUB, index, bytes(b, 16)));
    result = b.let(vector(b, V128_OR, result, vector(b, I8X16_SWIZZLE, b.v128(table.slice(part * 16, part * 16 + 16)), index)));
  }
  return result;
}

function timesXVector(b: Builder, value: Expr): Expr {
  const carry = vector(b, V128_AND, vector(b, I8X16_LT_S, value, bytes(b, 0)), bytes(b, 0x1b));
  return vector(b, V128_XOR, vector(b, I8X16_ADD, value, value), carry);
}

/** Columns times (2, 3, 1, 1). */
function mixColumns(b: Builder, value: Expr): Expr {
  const state = b.let(value);
  const doubled = b.let(timesXVector(b, state));
  const next = b.let(vector(b, V128_XOR, state, doubled));
  const rest = vector(b, V128_XOR, b.shuffle(state, state, rotation(2)), b.shuffle(state, state, rotation(3)));
  return vector(b, V128_XOR, vector(b, V128_XOR, doubled, b.shuffle(next, next, rotation(1))), rest);
}

/** Columns times (14, 11, 13, 9), which is (2, 3, 1, 1) times (5, 0, 4, 0). */
function inverseMixColumns(b: Builder, value: Expr): Expr {
  const state = b.let(value);
  const pair = b.let(vector(b, V128_XOR, state, b.shuffle(state, state, rotation(2))));
  const doubled = b.let(timesXVector(b, pair));
  return mixColumns(b, vector(b, V128_XOR, state, timesXVector(b, doubled)));
}

function shiftRows(b: Builder, value: Expr, lanes: readonly number[]): Expr {
  const state = b.let(value);
  return b.shuffle(state, state, lanes);
}

/** One round of operand 0 with the round key in operand 1. */
function round(transform: (b: Builder, state: Expr) => Expr): SemanticFunction {
  return (b) => {
    const key = b.let(b.readV128(1));
    b.writeV128(0, vector(b, V128_XOR, transform(b, b.readV128(0)), key));
  };
}

const encryptLast = (b: Builder, state: Expr): Expr => substitute(b, shiftRows(b, state, SHIFT_ROWS), SUBSTITUTION);
const decryptLast = (b: Builder, state: Expr): Expr =>
  substitute(b, shiftRows(b, state, INVERSE_SHIFT_ROWS), INVERSE_SUBSTITUTION);

/** Words 1 and 3 substituted, plain and rotated by a byte with the round constant. */
const aeskeygenassist: SemanticFunction = (b) => {
  const source = b.let(b.readV128(1));
  const substituted = substitute(b, b.shuffle(source, source, [4, 5, 6, 7, 4, 5, 6, 7, 12, 13, 14, 15, 12, 13, 14, 15]), SUBSTITUTION);
  const rotated = b.shuffle(substituted, substituted, [0, 1, 2, 3, 5, 6, 7, 4, 8, 9, 10, 11, 13, 14, 15, 12]);
  const constant = vector(b, V128_AND, splat32(b, b.read(2)), b.v128([0, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 0, 255, 0, 0, 0]));
  b.writeV128(0, vector(b, V128_XOR, rotated, constant));
};

export const aes: SemanticsTable = {
  aesenc: round((b, state) => mixColumns(b, encryptLast(b, state))),
  aesenclast: round(encryptLast),
  aesdec: round((b, state) => inverseMixColumns(b, decryptLast(b, state))),
  aesdeclast: round(decryptLast),
  aesimc: (b) => b.writeV128(0, inverseMixColumns(b, b.readV128(1))),
  aeskeygenassist,
};
