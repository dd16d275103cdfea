/** Expressions: how they are made (with constant folding) and how they become Wasm bytes. */
import * as op from '../wasm/opcodes.ts';
import type { ByteWriter } from '../wasm/writer.ts';
import type { Expr, ValueType } from './builder.ts';

const NO_ARGUMENTS: readonly Expr[] = [];

class ExpressionNode implements Expr {
  readonly type: ValueType;
  readonly opcode: number;
  readonly args: readonly Expr[];
  readonly immediate: number;
  readonly bits: bigint | undefined;
  readonly bytes: readonly number[] | undefined;
  constructor(
    type: ValueType, opcode: number, args: readonly Expr[], immediate: number,
    bits: bigint | undefined, bytes: readonly number[] | undefined,
  ) {
    this.type = type;
    this.opcode = opcode;
    this.args = args;
    this.immediate = immediate;
    this.bits = bits;
    this.bytes = bytes;
  }
}

export function node(type: ValueType, opcode: number, args: readonly Expr[], immediate = 0): Expr {
  return new ExpressionNode(type, opcode, args, immediate, undefined, undefined);
}

export function localGet(type: ValueType, index: number): Expr {
  return new ExpressionNode(type, op.LOCAL_GET, NO_ARGUMENTS, index, undefined, undefined);
}

/** Value of a constant as bigint, signed, or undefined. */
function constantOf(expr: Expr): bigint | undefined {
  if (expr.opcode === op.I32_CONST) return BigInt(expr.immediate);
  if (expr.opcode === op.I64_CONST) return expr.bits ?? BigInt(expr.immediate);
  return undefined;
}

function isZero(expr: Expr): boolean {
  return (expr.opcode === op.I32_CONST || expr.opcode === op.I64_CONST) && expr.bits === undefined && expr.immediate === 0;
}

function asSigned(expr: Expr): bigint {
  return BigInt.asIntN(expr.type === 'i32' ? 32 : 64, constantOf(expr) ?? 0n);
}

function asUnsigned(expr: Expr): bigint {
  return BigInt.asUintN(expr.type === 'i32' ? 32 : 64, constantOf(expr) ?? 0n);
}

function isConstant(expr: Expr): boolean {
  return expr.opcode === op.I32_CONST || expr.opcode === op.I64_CONST;
}

/** The expression part of `Builder`, shared by all its implementations. */
export abstract class Expressions {
  i32(value: number): Expr {
    return new ExpressionNode('i32', op.I32_CONST, NO_ARGUMENTS, value | 0, undefined, undefined);
  }

  i64(value: bigint | number): Expr {
    if (typeof value === 'number') return new ExpressionNode('i64', op.I64_CONST, NO_ARGUMENTS, value, undefined, undefined);
    const signed = BigInt.asIntN(64, value);
    const number = Number(signed);
    if (Number.isSafeInteger(number)) return new ExpressionNode('i64', op.I64_CONST, NO_ARGUMENTS, number, undefined, undefined);
    return new ExpressionNode('i64', op.I64_CONST, NO_ARGUMENTS, 0, signed, undefined);
  }

  f64(value: number): Expr {
    return new ExpressionNode('f64', op.F64_CONST, NO_ARGUMENTS, value, undefined, undefined);
  }

  f32(value: number): Expr {
    return new ExpressionNode('f32', op.F32_CONST, NO_ARGUMENTS, value, undefined, undefined);
  }

  v128(bytes: readonly number[]): Expr {
    return new ExpressionNode('v128', op.V128_CONST, NO_ARGUMENTS, 0, undefined, bytes);
  }

  sized(size: number, value: number): Expr {
    return size === 8 ? this.i64(value) : this.i32(value);
  }

  #binary(opcode32: number, opcode64: number, a: Expr, b: Expr): Expr {
    return new ExpressionNode(a.type, a.type === 'i32' ? opcode32 : opcode64, [a, b], 0, undefined, undefined);
  }

  #compare(opcode32: number, opcode64: number, a: Expr, b: Expr): Expr {
    return new ExpressionNode('i32', a.type === 'i32' ? opcode32 : opcode64, [a, b], 0, undefined, undefined);
  }

  #fold(type: ValueType, value: bigint): Expr {
    return type === 'i32' ? this.i32(Number(BigInt.asIntN(32, value))) : this.i64(value);
  }

  add(a: Expr, b: Expr): Expr {
    if (isConstant(b)) {
      if (isZero(b)) return a;
      if (isConstant(a)) return this.#fold(a.type, asSigned(a) + asSigned(b));
    } else if (isZero(a)) return b;
    return this.#binary(op.I32_ADD, op.I64_ADD, a, b);
  }

  sub(a: Expr, b: Expr): Expr {
    if (isConstant(b)) {
      if (isZero(b)) return a;
      if (isConstant(a)) return this.#fold(a.type, asSigned(a) - asSigned(b));
    }
    return this.#binary(op.I32_SUB, op.I64_SUB, a, b);
  }

  mul(a: Expr, b: Expr): Expr { return this.#binary(op.I32_MUL, op.I64_MUL, a, b); }
  divS(a: Expr, b: Expr): Expr { return this.#binary(op.I32_DIV_S, op.I64_DIV_S, a, b); }
  divU(a: Expr, b: Expr): Expr { return this.#binary(op.I32_DIV_U, op.I64_DIV_U, a, b); }
  remS(a: Expr, b: Expr): Expr { return this.#binary(op.I32_REM_S, op.I64_REM_S, a, b); }
  remU(a: Expr, b: Expr): Expr { return this.#binary(op.I32_REM_U, op.I64_REM_U, a, b); }

  and(a: Expr, b: Expr): Expr {
    if (isConstant(a) && isConstant(b)) return this.#fold(a.type, asSigned(a) & asSigned(b));
    return this.#binary(op.I32_AND, op.I64_AND, a, b);
  }

  or(a: Expr, b: Expr): Expr {
    if (isZero(b)) return a;
    if (isZero(a)) return b;
    if (isConstant(a) && isConstant(b)) return this.#fold(a.type, asSigned(a) | asSigned(b));
    return this.#binary(op.I32_OR, op.I64_OR, a, b);
  }

  xor(a: Expr, b: Expr): Expr {
    if (isZero(b)) return a;
    if (isConstant(a) && isConstant(b)) return this.#fold(a.type, asSigned(a) ^ asSigned(b));
    return this.#binary(op.I32_XOR, op.I64_XOR, a, b);
  }

  not(a: Expr): Expr {
    return this.xor(a, a.type === 'i32' ? this.i32(-1) : this.i64(-1));
  }

  #count(a: Expr, count: Expr): Expr {
    if (a.type === count.type) return count;
    return a.type === 'i32' ? this.wrap(count) : this.extendU(count);
  }

  shl(a: Expr, count: Expr): Expr {
    const by = this.#count(a, count);
    if (isZero(by)) return a;
    if (isConstant(a) && isConstant(by)) return this.#fold(a.type, asSigned(a) << (asUnsigned(by) & (a.type === 'i32' ? 31n : 63n)));
    return this.#binary(op.I32_SHL, op.I64_SHL, a, by);
  }

  shrU(a: Expr, count: Expr): Expr {
    const by = this.#count(a, count);
    if (isZero(by)) return a;
    if (isConstant(a) && isConstant(by)) return this.#fold(a.type, asUnsigned(a) >> (asUnsigned(by) & (a.type === 'i32' ? 31n : 63n)));
    return this.#binary(op.I32_SHR_U, op.I64_SHR_U, a, by);
  }

  shrS(a: Expr, count: Expr): Expr {
    const by = this.#count(a, count);
    if (isZero(by)) return a;
    if (isConstant(a) && isConstant(by)) return this.#fold(a.type, asSigned(a) >> (asUnsigned(by) & (a.type === 'i32' ? 31n : 63n)));
    return this.#binary(op.I32_SHR_S, op.I64_SHR_S, a, by);
  }

  rotl(a: Expr, count: Expr): Expr { return this.#binary(op.I32_ROTL, op.I64_ROTL, a, this.#count(a, count)); }
  rotr(a: Expr, count: Expr): Expr { return this.#binary(op.I32_ROTR, op.I64_ROTR, a, this.#count(a, count)); }

  #unary(opcode32: number, opcode64: number, a: Expr): Expr {
    return new ExpressionNode(a.type, a.type === 'i32' ? opcode32 : opcode64, [a], 0, undefined, undefined);
  }

  clz(a: Expr): Expr { return this.#unary(op.I32_CLZ, op.I64_CLZ, a); }
  ctz(a: Expr): Expr { return this.#unary(op.I32_CTZ, op.I64_CTZ, a); }
  popcnt(a: Expr): Expr { return this.#unary(op.I32_POPCNT, op.I64_POPCNT, a); }

  eqz(a: Expr): Expr {
    if (isConstant(a)) return this.i32(asSigned(a) === 0n ? 1 : 0);
    return new ExpressionNode('i32', a.type === 'i32' ? op.I32_EQZ : op.I64_EQZ, [a], 0, undefined, undefined);
  }

  eq(a: Expr, b: Expr): Expr { return this.#compare(op.I32_EQ, op.I64_EQ, a, b); }
  ne(a: Expr, b: Expr): Expr { return this.#compare(op.I32_NE, op.I64_NE, a, b); }
  ltS(a: Expr, b: Expr): Expr { return this.#compare(op.I32_LT_S, op.I64_LT_S, a, b); }
  ltU(a: Expr, b: Expr): Expr { return this.#compare(op.I32_LT_U, op.I64_LT_U, a, b); }
  gtS(a: Expr, b: Expr): Expr { return this.#compare(op.I32_GT_S, op.I64_GT_S, a, b); }
  gtU(a: Expr, b: Expr): Expr { return this.#compare(op.I32_GT_U, op.I64_GT_U, a, b); }
  leS(a: Expr, b: Expr): Expr { return this.#compare(op.I32_LE_S, op.I64_LE_S, a, b); }
  leU(a: Expr, b: Expr): Expr { return this.#compare(op.I32_LE_U, op.I64_LE_U, a, b); }
  geS(a: Expr, b: Expr): Expr { return this.#compare(op.I32_GE_S, op.I64_GE_S, a, b); }
  geU(a: Expr, b: Expr): Expr { return this.#compare(op.I32_GE_U, op.I64_GE_U, a, b); }

  select(condition: Expr, a: Expr, b: Expr): Expr {
    const opcode = a.type === 'v128' ? op.SELECT_T : op.SELECT;
    return new ExpressionNode(a.type, opcode, [a, b, condition], 0, undefined, undefined);
  }

  wrap(a: Expr): Expr {
    if (a.type === 'i32') return a;
    if (isConstant(a)) return this.i32(Number(BigInt.asIntN(32, asSigned(a))));
    if (a.opcode === op.I64_EXTEND_I32_U || a.opcode === op.I64_EXTEND_I32_S) return a.args[0] ?? a;
    return new ExpressionNode('i32', op.I32_WRAP_I64, [a], 0, undefined, undefined);
  }

  extendS(a: Expr): Expr {
    if (a.type === 'i64') return a;
    if (isConstant(a)) return this.i64(a.immediate);
    return new ExpressionNode('i64', op.I64_EXTEND_I32_S, [a], 0, undefined, undefined);
  }

  extendU(a: Expr): Expr {
    if (a.type === 'i64') return a;
    if (isConstant(a)) return this.i64(a.immediate >>> 0);
    return new ExpressionNode('i64', op.I64_EXTEND_I32_U, [a], 0, undefined, undefined);
  }

  signExtend(a: Expr, size: number): Expr {
    if (isConstant(a)) return this.#fold(a.type, BigInt.asIntN(size * 8, asSigned(a)));
    if (size === 8 || (size === 4 && a.type === 'i32')) return a;
    if (size === 4) return new ExpressionNode('i64', op.I64_EXTEND32_S, [a], 0, undefined, undefined);
    return this.#unary(size === 1 ? op.I32_EXTEND8_S : op.I32_EXTEND16_S, size === 1 ? op.I64_EXTEND8_S : op.I64_EXTEND16_S, a);
  }

  zeroExtend(a: Expr, size: number): Expr {
    if (size === 8 || (size === 4 && a.type === 'i32')) return a;
    const mask = size === 1 ? 0xff : size === 2 ? 0xffff : 0xffff_ffff;
    return this.and(a, a.type === 'i32' ? this.i32(mask) : this.i64(mask));
  }

  resize(a: Expr, size: number): Expr {
    return size === 8 ? this.extendU(a) : this.wrap(a);
  }

  op(opcode: number, type: ValueType, args: readonly Expr[], immediate = 0): Expr {
    return new ExpressionNode(type, opcode, args, immediate, undefined, undefined);
  }

  shuffle(a: Expr, b: Expr, lanes: readonly number[]): Expr {
    return new ExpressionNode('v128', op.I8X16_SHUFFLE, [a, b], 0, undefined, lanes);
  }
}

const FLOAT_SCRATCH = new DataView(new ArrayBuffer(8));

/** Writes an opcode, with its prefix byte where it has one. */
export function writeOpcode(out: ByteWriter, opcode: number): void {
  if (opcode < 0x100) {
    out.u8(opcode);
    return;
  }
  out.u8(opcode >> 8);
  out.u32(opcode & 0xff);
}

/** Writes an expression in post-order. Alignment hints are 0: guests align nothing. */
export function emitExpression(out: ByteWriter, expr: Expr): void {
  const args = expr.args;
  for (let index = 0; index < args.length; index++) {
    const argument = args[index];
    if (argument !== undefined) emitExpression(out, argument);
  }
  const opcode = expr.opcode;
  if (opcode === op.LOCAL_GET) {
    out.u8(opcode);
    out.u32(expr.immediate);
  } else if (opcode === op.I32_CONST) {
    out.u8(opcode);
    out.s32(expr.immediate);
  } else if (opcode === op.I64_CONST) {
    out.u8(opcode);
    if (expr.bits === undefined) out.s64Number(expr.immediate);
    else out.s64(expr.bits);
  } else if (opcode >= op.I32_LOAD && opcode <= op.I64_LOAD32_U) {
    out.u8(opcode);
    out.u8(0);
    out.u32(expr.immediate);
  } else if (opcode < 0x100) {
    emitPlain(out, expr);
  } else {
    emitPrefixed(out, expr);
  }
}

function emitPlain(out: ByteWriter, expr: Expr): void {
  const opcode = expr.opcode;
  out.u8(opcode);
  if (opcode === op.F64_CONST) {
    FLOAT_SCRATCH.setFloat64(0, expr.immediate, true);
    for (let index = 0; index < 8; index++) out.u8(FLOAT_SCRATCH.getUint8(index));
  } else if (opcode === op.F32_CONST) {
    FLOAT_SCRATCH.setFloat32(0, expr.immediate, true);
    for (let index = 0; index < 4; index++) out.u8(FLOAT_SCRATCH.getUint8(index));
  } else if (opcode === op.SELECT_T) {
    out.u8(1);
    out.u8(0x7b);
  } else if (opcode === op.CALL || opcode === op.GLOBAL_GET) {
    out.u32(expr.immediate);
  }
}

function emitPrefixed(out: ByteWriter, expr: Expr): void {
  const opcode = expr.opcode;
  writeOpcode(out, opcode);
  if (expr.bytes !== undefined) {
    for (const byte of expr.bytes) out.u8(byte);
  } else if (opcode <= op.V128_LOAD64_SPLAT && opcode >= op.V128_LOAD) {
    out.u8(0);
    out.u32(expr.immediate);
  } else if (opcode === op.V128_LOAD32_ZERO || opcode === op.V128_LOAD64_ZERO) {
    out.u8(0);
    out.u32(expr.immediate);
  } else if (opcode >= op.I8X16_EXTRACT_LANE_S && opcode <= op.F64X2_REPLACE_LANE) {
    out.u8(expr.immediate);
  }
}
