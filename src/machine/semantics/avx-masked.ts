/** Loads, stores and gathers of some lanes only, which helpers do (`helpers/masked.ts`): the others must not fault. */
import { STATE_VECTOR_SCRATCH } from '../state.ts';
import type { Builder, Expr, SemanticFunction, SemanticsTable } from './builder.ts';
import { zeroVector } from './sse-vector.ts';

const MASK = STATE_VECTOR_SCRATCH + 32;
const ADDRESS = STATE_VECTOR_SCRATCH + 64;

function readWhole(b: Builder, index: number): readonly [Expr, Expr] {
  return b.operandSize(index) === 32 ? b.readV256(index) : [b.let(b.readV128(index)), zeroVector(b)];
}

function toScratch(b: Builder, at: number, [low, high]: readonly [Expr, Expr]): void {
  b.writeState(at, low);
  b.writeState(at + 16, high);
}

/** `elementSize` and the bytes of the vector, for the helper. */
function moveMasked(elementSize: 4 | 8, isStore: boolean): SemanticFunction {
  return (b) => {
    const size = b.operandSize(1);
    toScratch(b, MASK, readWhole(b, 1));
    if (isStore) toScratch(b, STATE_VECTOR_SCRATCH, readWhole(b, 2));
    b.writeState(ADDRESS, b.let(b.linearAddress(isStore ? 0 : 2)));
    b.helperAt(isStore ? 'masked-store' : 'masked-load', STATE_VECTOR_SCRATCH, MASK, elementSize | (size << 8));
    if (!isStore) writeResult(b, size === 32);
  };
}

function writeResult(b: Builder, wide: boolean): void {
  b.writeV256(0, b.readState(STATE_VECTOR_SCRATCH, 'v128'), wide ? b.readState(STATE_VECTOR_SCRATCH + 16, 'v128') : zeroVector(b));
}

/** Elements at a base and the lanes of a vector, where the mask's sign is set; the mask becomes 0. */
function gather(indexSize: 4 | 8, elementSize: 4 | 8, elements?: number): SemanticFunction {
  return (b) => {
    const count = elements ?? b.operandSize(0) / elementSize;
    toScratch(b, STATE_VECTOR_SCRATCH, readWhole(b, 0));
    toScratch(b, MASK, readWhole(b, 2));
    b.writeState(ADDRESS, b.let(b.linearAddress(1)));
    const kind = b.i32(elementSize | (indexSize << 4) | (count << 8));
    b.helperAt('gather', STATE_VECTOR_SCRATCH, b.vectorIndex(1), b.or(kind, b.shl(b.vectorScale(1), b.i32(16))));
    writeResult(b, b.operandSize(0) === 32);
    b.writeV256(2, zeroVector(b), zeroVector(b));
  };
}

export const AVX_MASKED: SemanticsTable = {
  'vmaskmovps-load': moveMasked(4, false),
  'vmaskmovps-store': moveMasked(4, true),
  'vmaskmovpd-load': moveMasked(8, false),
  'vmaskmovpd-store': moveMasked(8, true),
  'vpmaskmovd-load': moveMasked(4, false),
  'vpmaskmovd-store': moveMasked(4, true),
  'vpmaskmovq-load': moveMasked(8, false),
  'vpmaskmovq-store': moveMasked(8, true),
  vpgatherdd: gather(4, 4),
  vpgatherdq: gather(4, 8),
  vpgatherqd: gather(8, 4, 2),
  'vpgatherqd-wide': gather(8, 4, 4),
  vpgatherqq: gather(8, 8),
  vgatherdps: gather(4, 4),
  vgatherdpd: gather(4, 8),
  vgatherqps: gather(8, 4, 2),
  'vgatherqps-wide': gather(8, 4, 4),
  vgatherqpd: gather(8, 8),
};
