/** What SSE4.1 and SSE4.2 add beyond more types of old instructions (SDM Vol. 1, 12.10 and 12.12), and MXCSR. */
import { STRING_EXPLICIT, STRING_FLAGS, STRING_INDEX, STRING_LONG, STRING_MASK } from '../helpers/sse-strings.ts';
import { STATE_MXCSR, STATE_MXCSR_STORED_AT, STATE_SCRATCH } from '../state.ts';
import * as op from '../wasm/opcodes.ts';
import type { Builder, Expr, SemanticFunction, SemanticsTable } from './builder.ts';
import { absoluteDifference } from './sse-integer.ts';
import { anyTrue, bitmask, lane16, readLowVector, shuffleLanes, splat8, vector } from './sse-vector.ts';

const RCX = 1;

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

/** PCMPESTRI and its like, computed by the helper; the answer is in the scratch area or, as a mask, already in xmm0. */
function compareStrings(kind: number): SemanticFunction {
  return (builder) => {
    const long = (kind & STRING_EXPLICIT) !== 0 && builder.size === 8 ? STRING_LONG : 0;
    builder.helper('pcmpstr', 0, 1, builder.or(builder.read(2), builder.i32(kind | long)));
    if ((kind & STRING_MASK) === 0) builder.writeGpr(RCX, 4, builder.readState(STRING_INDEX, 'i32'));
    const flags = builder.let(builder.readState(STRING_FLAGS, 'i32'));
    const bit = (number: number) => builder.and(builder.shrU(flags, builder.i32(number)), builder.i32(1));
    const zero = builder.i32(0);
    builder.setFlags({ CF: bit(0), ZF: bit(1), SF: bit(2), OF: bit(3), AF: zero, PF: zero });
  };
}

function ldmxcsr(builder: Builder): void {
  builder.helper('ldmxcsr', undefined, 0);
}

function stmxcsr(builder: Builder): void {
  builder.write(0, builder.readState(STATE_MXCSR, 'i32'));
  builder.writeState(STATE_MXCSR_STORED_AT, builder.wrap(builder.linearAddress(0)));
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
  pcmpestri: compareStrings(STRING_EXPLICIT),
  pcmpestrm: compareStrings(STRING_EXPLICIT | STRING_MASK),
  pcmpistri: compareStrings(0),
  pcmpistrm: compareStrings(STRING_MASK),
  ldmxcsr,
  stmxcsr,
};
