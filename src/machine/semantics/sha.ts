/** SHA extensions (SDM Vol. 2B; FIPS 180-4): rounds on 32-bit words, message schedules in SIMD. */
import {
  I32X4_ADD, I32X4_SHL, I32X4_SHR_U, I32X4_REPLACE_LANE, V128_OR, V128_XOR,
} from '../wasm/opcodes.ts';
import type { Builder, Expr, SemanticFunction, SemanticsTable } from './builder.ts';
import { lane32, splat32, vector } from './sse-vector.ts';

/** Four words to a vector, lowest lane first. */
function vectorOf(b: Builder, lanes: readonly [Expr, Expr, Expr, Expr]): Expr {
  let result = splat32(b, lanes[0]);
  for (const lane of [1, 2, 3] as const) result = b.op(I32X4_REPLACE_LANE, 'v128', [result, lanes[lane]], lane);
  return result;
}

function rotateRight(b: Builder, value: Expr, count: number): Expr {
  return b.rotr(value, b.i32(count));
}

function rotateVector(b: Builder, value: Expr, left: number): Expr {
  const high = b.op(I32X4_SHL, 'v128', [value, b.i32(left)]);
  const low = b.op(I32X4_SHR_U, 'v128', [value, b.i32(32 - left)]);
  return vector(b, V128_OR, high, low);
}

/** Lanes of 32 bits for a shuffle: 0 to 3 of the first vector, 4 to 7 of the second. */
function words(...lanes: readonly number[]): readonly number[] {
  return lanes.flatMap((lane) => [0, 1, 2, 3].map((byte) => lane * 4 + byte));
}

/** x ? y : z, bit by bit. */
function choose(b: Builder, x: Expr, y: Expr, z: Expr): Expr {
  return b.xor(b.and(x, b.xor(y, z)), z);
}

function majority(b: Builder, x: Expr, y: Expr, z: Expr): Expr {
  return b.or(b.and(x, y), b.and(z, b.or(x, y)));
}

/** Two rounds: C, D, G, H in operand 0, A, B, E, F in operand 1 (highest lane first), message plus constants in xmm0. */
const sha256rnds2: SemanticFunction = (b) => {
  const first = b.let(b.readV128(0));
  const second = b.let(b.readV128(1));
  const messages = b.let(b.readXmm(0));
  const lane = (from: Expr, index: number): Expr => b.let(lane32(b, from, index));
  let [a, bb, e, f] = [lane(second, 3), lane(second, 2), lane(second, 1), lane(second, 0)];
  let [c, d, g, h] = [lane(first, 3), lane(first, 2), lane(first, 1), lane(first, 0)];
  for (const index of [0, 1]) {
    const sumE = b.xor(b.xor(rotateRight(b, e, 6), rotateRight(b, e, 11)), rotateRight(b, e, 25));
    const sumA = b.xor(b.xor(rotateRight(b, a, 2), rotateRight(b, a, 13)), rotateRight(b, a, 22));
    const step = b.let(b.add(b.add(choose(b, e, f, g), sumE), b.add(lane32(b, messages, index), h)));
    const newA = b.let(b.add(step, b.add(majority(b, a, bb, c), sumA)));
    const newE = b.let(b.add(step, d));
    [a, bb, c, d, e, f, g, h] = [newA, a, bb, c, newE, e, f, g];
  }
  b.writeV128(0, vectorOf(b, [f, e, bb, a]));
};

/** W(t-16) + s0(W(t-15)). */
const sha256msg1: SemanticFunction = (b) => {
  const source = b.let(b.readV128(1));
  const destination = b.let(b.readV128(0));
  const next = b.let(b.shuffle(destination, source, words(1, 2, 3, 4)));
  const shifted = b.op(I32X4_SHR_U, 'v128', [next, b.i32(3)]);
  const sigma = vector(b, V128_XOR, vector(b, V128_XOR, rotateVector(b, next, 25), rotateVector(b, next, 14)), shifted);
  b.writeV128(0, vector(b, I32X4_ADD, destination, sigma));
};

/** Adds s1 of the word two before, of which the upper two are only made here. */
const sha256msg2: SemanticFunction = (b) => {
  const source = b.let(b.readV128(1));
  const destination = b.let(b.readV128(0));
  const step = (index: number, before: Expr): Expr => {
    const sigma = b.xor(b.xor(rotateRight(b, before, 17), rotateRight(b, before, 19)), b.shrU(before, b.i32(10)));
    return b.let(b.add(lane32(b, destination, index), sigma));
  };
  const w16 = step(0, b.let(lane32(b, source, 2)));
  const w17 = step(1, b.let(lane32(b, source, 3)));
  const w18 = step(2, w16);
  b.writeV128(0, vectorOf(b, [w16, w17, w18, step(3, w17)]));
};

const SHA1_CONSTANTS = [0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6] as const;

/** Function and constant of a group of 20 rounds, by the low two bits of the immediate. */
function sha1Group(b: Builder): { constant: Expr; mix: (x: Expr, y: Expr, z: Expr) => Expr } {
  const known = b.constant(2);
  if (known !== undefined) {
    const group = known & 3;
    const mix = group === 0 ? choose : group === 2 ? majority : (_: Builder, x: Expr, y: Expr, z: Expr) => b.xor(b.xor(x, y), z);
    return { constant: b.i32((SHA1_CONSTANTS[group] ?? 0) | 0), mix: (x, y, z) => mix(b, x, y, z) };
  }
  const group = b.let(b.and(b.read(2), b.i32(3)));
  const isFirst = b.let(b.eqz(group));
  const isThird = b.let(b.eq(group, b.i32(2)));
  const [k0, k1, k2, k3] = SHA1_CONSTANTS.map((value) => b.i32(value | 0)) as [Expr, Expr, Expr, Expr];
  const constant = b.let(b.select(isFirst, k0, b.select(isThird, k2, b.select(b.eq(group, b.i32(1)), k1, k3))));
  return {
    constant,
    mix: (x, y, z) => b.select(isFirst, choose(b, x, y, z), b.select(isThird, majority(b, x, y, z), b.xor(b.xor(x, y), z))),
  };
}

/** Four rounds: A, B, C, D in operand 0, messages (with E in the first) in operand 1, highest lane first. */
const sha1rnds4: SemanticFunction = (b) => {
  const messages = b.let(b.readV128(1));
  const state = b.let(b.readV128(0));
  const { constant, mix } = sha1Group(b);
  let [a, bb, c, d] = [3, 2, 1, 0].map((index) => b.let(lane32(b, state, index))) as [Expr, Expr, Expr, Expr];
  let e: Expr = b.i32(0);
  for (const index of [3, 2, 1, 0]) {
    const sum = b.add(b.add(mix(bb, c, d), b.rotl(a, b.i32(5))), b.add(b.add(lane32(b, messages, index), e), constant));
    const newA = b.let(sum);
    const newC = b.let(b.rotl(bb, b.i32(30)));
    [a, bb, c, d, e] = [newA, a, newC, c, d];
  }
  b.writeV128(0, vectorOf(b, [d, c, bb, a]));
};

/** E of the next four rounds, from A of the last, added to the first message. */
const sha1nexte: SemanticFunction = (b) => {
  const source = b.let(b.readV128(1));
  const sum = b.add(lane32(b, source, 3), b.rotl(lane32(b, b.readV128(0), 3), b.i32(30)));
  b.writeV128(0, b.op(I32X4_REPLACE_LANE, 'v128', [source, sum], 3));
};

const sha1msg1: SemanticFunction = (b) => {
  const source = b.let(b.readV128(1));
  const destination = b.let(b.readV128(0));
  b.writeV128(0, vector(b, V128_XOR, destination, b.shuffle(destination, source, words(6, 7, 0, 1))));
};

const sha1msg2: SemanticFunction = (b) => {
  const source = b.let(b.readV128(1));
  const destination = b.let(b.readV128(0));
  const step = (index: number, other: Expr): Expr => b.let(b.rotl(b.xor(lane32(b, destination, index), other), b.i32(1)));
  const w16 = step(3, lane32(b, source, 2));
  const w17 = step(2, lane32(b, source, 1));
  const w18 = step(1, lane32(b, source, 0));
  b.writeV128(0, vectorOf(b, [step(0, w16), w18, w17, w16]));
};

export const sha: SemanticsTable = {
  sha256rnds2,
  sha256msg1,
  sha256msg2,
  sha1rnds4,
  sha1nexte,
  sha1msg1,
  sha1msg2,
};
