/** Ways from the meaning of an SSE instruction to that of the VEX one: SDM Vol. 1, 14.1. */
import type { Builder, Expr, SemanticFunction } from './builder.ts';
import { shuffleLanes, splat32, splat64, zeroVector } from './sse-vector.ts';
import { VectorHalf } from './vector-half.ts';

type Halves = readonly [Expr, Expr];

const NOTHING: ReadonlyMap<number, Halves> = new Map();

/** Bits 0 to 127 only; the others become 0. `first`: the operand that SSE has in its destination. */
export function narrowly(b: Builder, meaning: SemanticFunction, first: number | undefined): void {
  const half = new VectorHalf(b, { first, half: 0, isWide: false, whole: NOTHING, immediateShift: 0 });
  meaning(half);
  half.finish();
}

/** What the meaning makes of each half. */
function resultsOf(b: Builder, meaning: SemanticFunction, first: number | undefined, whole: ReadonlyMap<number, Halves>, immediateShift: number): Halves {
  const result = (half: 0 | 1): Expr => {
    const view = new VectorHalf(b, { first, half, isWide: true, whole, immediateShift });
    meaning(view);
    return b.let(view.vector);
  };
  return [result(0), result(1)];
}

/** All vector sources; those of 16 bytes serve both halves. */
function sourcesOf(b: Builder): Map<number, Halves> {
  const whole = new Map<number, Halves>();
  for (let index = 1; index < b.operandCount; index++) {
    const size = b.operandSize(index);
    if (size === 32) whole.set(index, b.readV256(index));
    else if (size === 16) {
      const value = b.let(b.readV128(index));
      whole.set(index, [value, value]);
    }
  }
  return whole;
}

/** Each half by itself. */
export function lanewise(meaning: SemanticFunction, first: number | undefined, immediateShift = 0): SemanticFunction {
  return (b) => {
    if (b.operandSize(0) !== 32) {
      narrowly(b, meaning, first);
      return;
    }
    b.writeV256(0, ...resultsOf(b, meaning, first, sourcesOf(b), immediateShift));
  };
}

/** From a vector of half the size or less: what is above the first half of it goes to the upper half. */
export function doubling(meaning: SemanticFunction): SemanticFunction {
  return (b) => {
    if (b.operandSize(0) !== 32) {
      narrowly(b, meaning, undefined);
      return;
    }
    const size = b.operandSize(1);
    const source = b.let(!b.isMemory(1) || size === 16 ? b.readV128(1) : size === 8 ? splat64(b, b.readLow64(1)) : splat32(b, b.readLow32(1)));
    const count = size / 2;
    const upper = b.let(b.shuffle(source, source, Array.from({ length: 16 }, (_, index) => (index + count) % 16)));
    b.writeV256(0, ...resultsOf(b, meaning, undefined, new Map([[1, [source, upper]]]), 0));
  };
}

/** To a vector of half the size. */
export function halving(meaning: SemanticFunction): SemanticFunction {
  return (b) => {
    if (b.operandSize(1) !== 32) {
      narrowly(b, meaning, undefined);
      return;
    }
    const [low, high] = resultsOf(b, meaning, undefined, sourcesOf(b), 0);
    b.writeV128(0, shuffleLanes(b, low, high, 8, [0, 2]));
    b.writeYmmHigh(0, zeroVector(b));
  };
}
