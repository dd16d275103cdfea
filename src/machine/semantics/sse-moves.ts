/** SSE data movement: SDM Vol. 1, 10.4.1.1, 10.4.6, 11.4.1.1, 12.3. Extensions of a loaded scalar clear the rest of the register. */
import * as op from '../wasm/opcodes.ts';
import type { Builder, SemanticFunction, SemanticsTable } from './builder.ts';
import { bitmask, shuffleLanes, splat64 } from './sse-vector.ts';

function moveVector(builder: Builder): void {
  builder.writeV128(0, builder.readV128(1));
}

/** Between registers only the low double changes; a load clears the high one. */
function movsd(builder: Builder): void {
  if (builder.isMemory(1)) builder.writeLow64Zero(0, builder.readLow64(1));
  else builder.writeF64(0, builder.readF64(1));
}

function movss(builder: Builder): void {
  if (builder.isMemory(1)) builder.writeLow32Zero(0, builder.readLow32(1));
  else builder.writeLow32(0, builder.readLow32(1));
}

/** `movq xmm, xmm/m64` and `movq xmm/m64, xmm`. */
function movq(builder: Builder): void {
  if (builder.isMemory(0)) builder.writeLow64(0, builder.readLow64(1));
  else builder.writeLow64Zero(0, builder.readLow64(1));
}

/** `movd/movq xmm, r/m`: 4 or 8 bytes of a general register or memory. */
function moveFromGeneral(builder: Builder): void {
  if (builder.operandSize(1) === 8) builder.writeLow64Zero(0, builder.read(1));
  else builder.writeLow32Zero(0, builder.read(1));
}

/** `movd/movq r/m, xmm`. */
function moveToGeneral(builder: Builder): void {
  builder.write(0, builder.operandSize(0) === 8 ? builder.readLow64(1) : builder.readLow32(1));
}

function moveLow(builder: Builder): void {
  builder.writeLow64(0, builder.readLow64(1));
}

function moveHigh(builder: Builder): void {
  if (builder.isMemory(0)) builder.writeLow64(0, builder.readHigh64(1));
  else builder.writeHigh64(0, builder.readLow64(1));
}

function movhlps(builder: Builder): void {
  builder.writeLow64(0, builder.readHigh64(1));
}

/** Duplicates lanes of 4 bytes. */
function duplicate(order: readonly number[]): SemanticFunction {
  return (builder) => {
    const source = builder.let(builder.readV128(1));
    builder.writeV128(0, shuffleLanes(builder, source, source, 4, order));
  };
}

function movddup(builder: Builder): void {
  builder.writeV128(0, splat64(builder, builder.readLow64(1)));
}

/** Sign bits of the lanes as a number. */
function signMask(opcode: number): SemanticFunction {
  return (builder) => {
    builder.write(0, builder.resize(bitmask(builder, builder.readV128(1), opcode), builder.operandSize(0)));
  };
}

/** A non-temporal store is a plain one: caches are not modelled. */
function movnti(builder: Builder): void {
  builder.write(0, builder.read(1));
}

/** Each byte whose mask byte has bit 7 goes to [rdi]. */
function maskmovdqu(builder: Builder): void {
  builder.helper('maskmovdqu', 0, 1);
}

const WHOLE_REGISTER = [
  'movaps', 'movapd', 'movdqa', 'movups', 'movupd', 'movdqu', 'lddqu', 'movntdqa', 'movntdq', 'movntps', 'movntpd',
];

export const SSE_MOVES: SemanticsTable = {
  ...Object.fromEntries(WHOLE_REGISTER.map((name) => [name, moveVector])),
  movsd,
  movss,
  'movq-xmm-xmm': movq,
  'movd-xmm-r': moveFromGeneral,
  'movq-xmm-r': moveFromGeneral,
  'movd-r-xmm': moveToGeneral,
  'movq-r-xmm': moveToGeneral,
  movlps: moveLow,
  movlpd: moveLow,
  movhps: moveHigh,
  movhpd: moveHigh,
  movlhps: moveHigh,
  movhlps,
  movddup,
  movshdup: duplicate([1, 1, 3, 3]),
  movsldup: duplicate([0, 0, 2, 2]),
  pmovmskb: signMask(op.I8X16_BITMASK),
  movmskps: signMask(op.I32X4_BITMASK),
  movmskpd: signMask(op.I64X2_BITMASK),
  movnti,
  maskmovdqu,
};
