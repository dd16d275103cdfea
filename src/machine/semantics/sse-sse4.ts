/** What SSE4.1 and SSE4.2 add beyond more types of old instructions (SDM Vol. 1, 12.10 and 12.12), and MXCSR. */
import { STATE_MXCSR, STATE_MXCSR_STORED_AT, STATE_MXCSR_STORED_BY, STATE_SCRATCH } from '../state.ts';
import * as op from '../wasm/opcodes.ts';
import type { Builder, Expr, SemanticFunction, SemanticsTable } from './builder.ts';
import { STRINGS_FIRST_ENDS_SHIFT, STRINGS_INDEX_SHIFT, STRINGS_SECOND_ENDS_SHIFT } from './compare-strings.ts';
import { absoluteDifference } from './sse-integer.ts';
import { RAX, RCX, RDX } from './integer-operands.ts';
import { anyTrue, bitmask, lane16, lanes, readLowVector, shuffleLanes, splat16, splat8, vector } from './sse-vector.ts';

const XMM0 = 0;

/** Sign- or zero-extends the low lanes, in one step or several. */
function extend(bytes: 2 | 4 | 8, ...opcodes: readonly number[]): SemanticFunction {
  return (builder) => {
    let value = readLowVector(builder, 1, bytes);
    for (const opcode of opcodes) value = vector(builder, opcode, value);
    builder.writeV128(0, value);
  };
}

function ptest(builder: Builder): void {
  const b = builder.let(builder.readV128(1));
  const a = builder.let(builder.readV128(0));
  const zero = builder.i32(0);
  builder.setFlags({
    ZF: builder.eqz(anyTrue(builder, vector(builder, op.V128_AND, a, b))),
    CF: builder.eqz(anyTrue(builder, vector(builder, op.V128_ANDNOT, b, a))),
    OF: zero,
    SF: zero,
    AF: zero,
    PF: zero,
  });
}

/** Lowest unsigned word, and its number in the next word. */
function phminposuw(builder: Builder): void {
  const value = builder.let(builder.readV128(1));
  let lowest = value;
  for (const order of [[4, 5, 6, 7, 0, 1, 2, 3], [2, 3, 0, 1, 6, 7, 4, 5], [1, 0, 3, 2, 5, 4, 7, 6]]) {
    lowest = builder.let(vector(builder, op.I16X8_MIN_U, lowest, shuffleLanes(builder, lowest, lowest, 2, order)));
  }
  const position = builder.ctz(bitmask(builder, vector(builder, op.I16X8_EQ, value, lowest), op.I16X8_BITMASK));
  const both = builder.or(lane16(builder, lowest, 0), builder.shl(position, builder.i32(16)));
  builder.writeLow64Zero(0, builder.extendU(both));
}

/** Sums of four absolute differences at eight places of the first source (from byte 0 or 4) against one dword of the second. */
function mpsadbw(builder: Builder): void {
  const b = builder.let(builder.readV128(1));
  const a = builder.let(builder.readV128(0));
  const immediate = builder.let(builder.read(2));
  const start = builder.and(immediate, builder.i32(4));
  const dword = builder.shl(builder.and(immediate, builder.i32(3)), builder.i32(2));
  const pick = (value: Expr, order: readonly number[], offset: Expr) =>
    builder.let(vector(builder, op.I8X16_SWIZZLE, value, vector(builder, op.I8X16_ADD, builder.v128(order), splat8(builder, offset))));
  const reference = pick(b, [0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3], dword);
  const windows = pick(a, [0, 1, 2, 3, 1, 2, 3, 4, 2, 3, 4, 5, 3, 4, 5, 6], start);
  const laterWindows = pick(a, [4, 5, 6, 7, 5, 6, 7, 8, 6, 7, 8, 9, 7, 8, 9, 10], start);
  const sums = (bytes: Expr) =>
    vector(
      builder, op.I32X4_EXTADD_PAIRWISE_I16X8_U,
      vector(builder, op.I16X8_EXTADD_PAIRWISE_I8X16_U, absoluteDifference(builder, bytes, reference)),
    );
  builder.writeV128(0, vector(builder, op.I16X8_NARROW_I32X4_U, sums(windows), sums(laterWindows)));
}

/** CRC-32C of operand 1, computed by the helper on values in the scratch area. */
function crc32(builder: Builder): void {
  const size = builder.operandSize(1);
  const data = builder.let(builder.extendU(builder.read(1)));
  builder.writeState(STATE_SCRATCH, builder.resize(builder.read(0), 4));
  builder.writeState(STATE_SCRATCH + 8, data);
  builder.helper('crc32', undefined, undefined, size);
  builder.write(0, builder.resize(builder.readState(STATE_SCRATCH, 'i32'), builder.operandSize(0)));
}

/** Absolute value of a register, at most 16. */
function explicitLength(builder: Builder, register: number): Expr {
  const value = builder.let(builder.size === 8 ? builder.readGpr(register, 8) : builder.extendS(builder.readGpr(register, 4)));
  const length = builder.let(builder.select(builder.ltS(value, builder.i64(0)), builder.sub(builder.i64(0), value), value));
  return builder.select(builder.ltU(length, builder.i64(16)), builder.wrap(length), builder.i32(16));
}

/** IntRes2 as it is, or each of its bits as a byte or a word, as bits 6 and 0 of the immediate say. */
function stringMask(builder: Builder, result: Expr, control: Expr): Expr {
  const bits = builder.let(splat16(builder, result));
  const expand = (source: Expr, laneSize: number, equal: number): Expr => {
    const own = lanes(builder, laneSize, 1, 2, 4, 8, 16, 32, 64, 128);
    return vector(builder, equal, vector(builder, op.V128_AND, source, own), own);
  };
  const bytes = expand(builder.shuffle(bits, bits, [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]), 1, op.I8X16_EQ);
  const expanded = builder.select(builder.and(control, builder.i32(1)), expand(bits, 2, op.I16X8_EQ), bytes);
  return builder.select(builder.and(control, builder.i32(0x40)), expanded, vector(builder, op.V128_AND, bits, lanes(builder, 8, 0xffff, 0)));
}

/** PCMPESTRI and its like. */
function compareStrings(hasLengths: boolean, givesMask: boolean): SemanticFunction {
  return (builder) => {
    const second = builder.let(builder.readV128(1));
    const control = builder.let(builder.resize(builder.read(2), 4));
    const length = (register: number): Expr => (hasLengths ? explicitLength(builder, register) : builder.i32(-1));
    const answer = builder.compareStrings(builder.readV128(0), second, length(RAX), length(RDX), control);
    const result = builder.let(builder.and(answer, builder.i32(0xffff)));
    if (givesMask) builder.writeXmm(XMM0, stringMask(builder, result, control));
    else builder.writeGpr(RCX, 4, builder.and(builder.shrU(answer, builder.i32(STRINGS_INDEX_SHIFT)), builder.i32(31)));
    const bit = (shift: number): Expr => builder.and(builder.shrU(answer, builder.i32(shift)), builder.i32(1));
    const zero = builder.i32(0);
    builder.setFlags({
      CF: builder.ne(result, zero), ZF: bit(STRINGS_SECOND_ENDS_SHIFT), SF: bit(STRINGS_FIRST_ENDS_SHIFT), OF: bit(0), AF: zero, PF: zero,
    });
  };
}

function ldmxcsr(builder: Builder): void {
  builder.helper('ldmxcsr', undefined, 0);
}

function stmxcsr(builder: Builder): void {
  builder.write(0, builder.readState(STATE_MXCSR, 'i32'));
  builder.writeState(STATE_MXCSR_STORED_AT, builder.wrap(builder.linearAddress(0)));
  builder.writeState(STATE_MXCSR_STORED_BY, builder.wrap(builder.nextRip()));
}

export const SSE4: SemanticsTable = {
  pmovsxbw: extend(8, op.I16X8_EXTEND_LOW_I8X16_S),
  pmovsxbd: extend(4, op.I16X8_EXTEND_LOW_I8X16_S, op.I32X4_EXTEND_LOW_I16X8_S),
  pmovsxbq: extend(2, op.I16X8_EXTEND_LOW_I8X16_S, op.I32X4_EXTEND_LOW_I16X8_S, op.I64X2_EXTEND_LOW_I32X4_S),
  pmovsxwd: extend(8, op.I32X4_EXTEND_LOW_I16X8_S),
  pmovsxwq: extend(4, op.I32X4_EXTEND_LOW_I16X8_S, op.I64X2_EXTEND_LOW_I32X4_S),
  pmovsxdq: extend(8, op.I64X2_EXTEND_LOW_I32X4_S),
  pmovzxbw: extend(8, op.I16X8_EXTEND_LOW_I8X16_U),
  pmovzxbd: extend(4, op.I16X8_EXTEND_LOW_I8X16_U, op.I32X4_EXTEND_LOW_I16X8_U),
  pmovzxbq: extend(2, op.I16X8_EXTEND_LOW_I8X16_U, op.I32X4_EXTEND_LOW_I16X8_U, op.I64X2_EXTEND_LOW_I32X4_U),
  pmovzxwd: extend(8, op.I32X4_EXTEND_LOW_I16X8_U),
  pmovzxwq: extend(4, op.I32X4_EXTEND_LOW_I16X8_U, op.I64X2_EXTEND_LOW_I32X4_U),
  pmovzxdq: extend(8, op.I64X2_EXTEND_LOW_I32X4_U),
  ptest,
  phminposuw,
  mpsadbw,
  crc32,
  pcmpestri: compareStrings(true, false),
  pcmpestrm: compareStrings(true, true),
  pcmpistri: compareStrings(false, false),
  pcmpistrm: compareStrings(false, true),
  ldmxcsr,
  stmxcsr,
};
