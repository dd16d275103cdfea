/**
 * AES-NI (SDM Vol. 2A and 2B; FIPS 197) in SIMD. SubBytes works on all 16 bytes at once: the inverse in GF(2^8) is
 * computed in GF(2^4)^2, whose operations are swizzles in tables of 16 entries (M. Hamburg, "Accelerating AES with
 * Vector Permute Instructions", CHES 2009; the tables are those of his public-domain code). A swizzle gives zero
 * for an index out of range, which stands for the inverse of zero.
 */
import {
  I8X16_ADD, I8X16_LT_S, I8X16_SHR_U, I8X16_SWIZZLE, V128_AND, V128_XOR,
} from '../wasm/opcodes.ts';
import type { Builder, Expr, SemanticFunction, SemanticsTable } from './builder.ts';
import { splat32, vector } from './sse-vector.ts';

function table(low: bigint, high: bigint): readonly number[] {
  return [low, high].flatMap((half) => Array.from({ length: 8 }, (_, index) => Number((half >> BigInt(8 * index)) & 0xffn)));
}

/** Two tables of 16, for the low and the high half of a byte. */
type NibbleTables = readonly [low: readonly number[], high: readonly number[]];

const INVERSE = table(0x0e05060f0d080180n, 0x040703090a0b0c02n);
const INVERSE_TIMES_A = table(0x01040a060f0b0780n, 0x030d0e0c02050809n);

/** Changes of basis before and after the inverse; the additive constant of the affine map is apart. */
interface Substitution {
  readonly before: NibbleTables;
  readonly after: NibbleTables;
}

const ENCRYPT: Substitution = {
  before: [table(0xc2b2e8985a2a7000n, 0xcabae09052227808n), table(0x4c01307d317c4d00n, 0xcd80b1fcb0fdcc81n)],
  after: [table(0xd0d26d176fbdc700n, 0x15aabf7ac502a878n), table(0xcfe474a55fbb6a00n, 0x8e1e90d1412b35fan)],
};
const DECRYPT: Substitution = {
  before: [table(0x0f505b040b545f00n, 0x154a411e114e451an), table(0x86e383e660056500n, 0x12771772f491f194n)],
  after: [table(0x1387ea537ef94000n, 0xc7aa6db9d4943e2dn), table(0x12d7560f93441d00n, 0xca4b8159d8c58e9cn)],
};
const AFFINE = 0x63;

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

function lookUp(b: Builder, entries: readonly number[], index: Expr): Expr {
  return vector(b, I8X16_SWIZZLE, b.v128(entries), index);
}

/** The S-box without its constant, for all 16 bytes. */
function substitute(b: Builder, value: Expr, { before, after }: Substitution): Expr {
  const nibble = bytes(b, 15);
  const state = b.let(value);
  const low = lookUp(b, before[0], vector(b, V128_AND, state, nibble));
  const high = lookUp(b, before[1], b.op(I8X16_SHR_U, 'v128', [state, b.i32(4)]));
  const mapped = b.let(vector(b, V128_XOR, low, high));
  const k = b.let(vector(b, V128_AND, mapped, nibble));
  const i = b.let(b.op(I8X16_SHR_U, 'v128', [mapped, b.i32(4)]));
  const j = b.let(vector(b, V128_XOR, i, k));
  const ak = b.let(lookUp(b, INVERSE_TIMES_A, k));
  const io = vector(b, V128_XOR, lookUp(b, INVERSE, vector(b, V128_XOR, lookUp(b, INVERSE, i), ak)), j);
  const jo = vector(b, V128_XOR, lookUp(b, INVERSE, vector(b, V128_XOR, lookUp(b, INVERSE, j), ak)), i);
  return vector(b, V128_XOR, lookUp(b, after[0], io), lookUp(b, after[1], jo));
}

function subBytes(b: Builder, value: Expr): Expr {
  return vector(b, V128_XOR, substitute(b, value, ENCRYPT), bytes(b, AFFINE));
}

function inverseSubBytes(b: Builder, value: Expr): Expr {
  return substitute(b, vector(b, V128_XOR, value, bytes(b, AFFINE)), DECRYPT);
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

const encryptLast = (b: Builder, state: Expr): Expr => subBytes(b, shiftRows(b, state, SHIFT_ROWS));
const decryptLast = (b: Builder, state: Expr): Expr =>
  inverseSubBytes(b, shiftRows(b, state, INVERSE_SHIFT_ROWS));

/** Words 1 and 3 substituted, plain and rotated by a byte with the round constant. */
const aeskeygenassist: SemanticFunction = (b) => {
  const source = b.let(b.readV128(1));
  const substituted = b.let(subBytes(b, b.shuffle(source, source, [4, 5, 6, 7, 4, 5, 6, 7, 12, 13, 14, 15, 12, 13, 14, 15])));
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
