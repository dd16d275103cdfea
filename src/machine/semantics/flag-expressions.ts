/**
 * Lazy flags as expressions. The canonical form is two words, RESULT and AUX (see `flags.ts`); a
 * symbolic form remembers the operation and its operands so that a following condition is one
 * comparison.
 */
import type { ConditionCode, Expr, FlagName } from './builder.ts';
import * as op from '../wasm/opcodes.ts';
import type { Expressions } from './expression.ts';

export type FlagKind = 'add' | 'sub' | 'logic' | 'inc' | 'dec' | 'adc' | 'sbb' | 'result' | 'compare';

/** The last operation on flags, with operands that can be read again (locals or constants). */
export interface SymbolicFlags {
  readonly kind: FlagKind;
  readonly size: number;
  readonly result: Expr;
  /** Operands for add, sub (without bits above the size), adc, sbb, and floats for compare (where `result` means nothing); undefined elsewhere. */
  readonly a: Expr | undefined;
  readonly b: Expr | undefined;
  /** i32 0/1: carry for inc, dec and result. */
  readonly carry: Expr | undefined;
  /** i32 0/1 for result. */
  readonly overflow: Expr | undefined;
  readonly auxiliary: Expr | undefined;
}

export interface CanonicalFlags {
  readonly result: Expr; // i64
  readonly aux: Expr; // i64
}

const TOP_TWO_BITS = -0x4000_0000_0000_0000n;

/** Moves the value to the top of its type so that comparisons see only `size` bytes. */
function toTop(e: Expressions, value: Expr, size: number): Expr {
  return size >= 4 ? value : e.shl(value, e.i32(32 - 8 * size));
}

/** `result` sign-extended from `size` bytes, i64. */
function signExtended(e: Expressions, value: Expr, size: number): Expr {
  return size === 8 ? value : e.extendS(e.signExtend(value, size));
}

/** AUX of a carry vector (SDM Vol. 1 3.4.3.1: the carry out of the top bit, and of bit 3). */
function auxOfCarries(e: Expressions, carries: Expr, size: number, let_: (value: Expr) => Expr): Expr {
  const wide = let_(e.extendU(carries));
  const top = e.and(e.shl(wide, e.i64(64 - 8 * size)), e.i64(TOP_TWO_BITS));
  return e.or(top, e.and(wide, e.i64(8)));
}

/** Carry and overflow bits as AUX bits 63 and 62. */
export function auxOfBits(e: Expressions, carry: Expr, overflow: Expr, auxiliary: Expr | undefined): Expr {
  const both = e.or(e.shl(carry, e.i32(1)), e.xor(carry, overflow));
  const top = e.shl(e.extendU(both), e.i64(62));
  return auxiliary === undefined ? top : e.or(top, e.shl(e.extendU(auxiliary), e.i64(3)));
}

const FLOAT_COMPARISONS = {
  f64: { ne: op.F64_NE, lt: op.F64_LT, gt: op.F64_GT, ge: op.F64_GE },
  f32: { ne: op.F32_NE, lt: op.F32_LT, gt: op.F32_GT, ge: op.F32_GE },
} as const;

/** A comparison of the two floats of a `compare`. */
function floats(e: Expressions, flags: SymbolicFlags, name: 'ne' | 'lt' | 'gt' | 'ge', x = flags.a ?? flags.result, y = flags.b ?? flags.result): Expr {
  return e.op(FLOAT_COMPARISONS[x.type === 'f32' ? 'f32' : 'f64'][name], 'i32', [x, y]);
}

/** SDM Vol. 2A COMISD. */
function compareFlag(e: Expressions, flags: SymbolicFlags, name: FlagName): Expr {
  switch (name) {
    case 'ZF':
      return e.eqz(e.or(floats(e, flags, 'lt'), floats(e, flags, 'gt')));
    case 'CF':
      return e.eqz(floats(e, flags, 'ge'));
    case 'PF':
      return e.or(floats(e, flags, 'ne', flags.a, flags.a), floats(e, flags, 'ne', flags.b, flags.b));
    default:
      return e.i32(0);
  }
}

/** Computes the canonical form of a symbolic one. `let_` gives an expression a local. */
export function canonicalize(e: Expressions, flags: SymbolicFlags, let_: (value: Expr) => Expr): CanonicalFlags {
  const { kind, size, result } = flags;
  if (kind === 'compare') {
    const flag = (name: FlagName): Expr => let_(compareFlag(e, flags, name));
    return canonicalOfFlags(e, { CF: flag('CF'), PF: flag('PF'), ZF: flag('ZF'), AF: e.i32(0), SF: e.i32(0), OF: e.i32(0) });
  }
  const extended = signExtended(e, result, size);
  if (kind === 'logic') return { result: extended, aux: e.i64(0) };
  if (kind === 'result') {
    return { result: extended, aux: auxOfBits(e, flags.carry ?? e.i32(0), flags.overflow ?? e.i32(0), flags.auxiliary) };
  }
  if (kind === 'inc' || kind === 'dec') {
    return { result: extended, aux: auxOfBits(e, flags.carry ?? e.i32(0), overflowOf(e, flags), auxiliaryOf(e, flags)) };
  }
  const a = flags.a ?? e.sized(size, 0);
  const b = flags.b ?? e.sized(size, 0);
  const carries = kind === 'add' || kind === 'adc'
    ? e.or(e.and(a, b), e.and(e.or(a, b), e.not(result)))
    : e.or(e.and(e.not(a), b), e.and(e.or(e.not(a), b), result));
  return { result: extended, aux: auxOfCarries(e, carries, size, let_) };
}

function signBit(e: Expressions, value: Expr, size: number): Expr {
  const top = toTop(e, value, size);
  return e.ltS(top, size === 8 ? e.i64(0) : e.i32(0));
}

function overflowOf(e: Expressions, flags: SymbolicFlags): Expr {
  const { kind, size, result } = flags;
  if (kind === 'logic') return e.i32(0);
  if (kind === 'result') return flags.overflow ?? e.i32(0);
  const bits = 8 * size;
  if (kind === 'inc' || kind === 'dec') {
    const extreme = 1n << BigInt(bits - 1);
    const value = kind === 'inc' ? extreme : extreme - 1n;
    const constant = size === 8 ? e.i64(BigInt.asIntN(64, value)) : e.i32(Number(BigInt.asIntN(32, value)));
    return e.eq(size >= 4 ? result : e.zeroExtend(result, size), constant);
  }
  const a = flags.a ?? e.sized(size, 0);
  const b = flags.b ?? e.sized(size, 0);
  const vector = kind === 'add' || kind === 'adc'
    ? e.and(e.xor(a, result), e.xor(b, result))
    : e.and(e.xor(a, b), e.xor(a, result));
  return signBit(e, vector, size);
}

function carryOf(e: Expressions, flags: SymbolicFlags): Expr {
  const { kind, size, result } = flags;
  switch (kind) {
    case 'logic':
      return e.i32(0);
    case 'inc':
    case 'dec':
    case 'result':
      return flags.carry ?? e.i32(0);
    case 'add':
      return e.ltU(toTop(e, result, size), toTop(e, flags.a ?? result, size));
    case 'sub':
      return e.ltU(flags.a ?? result, flags.b ?? result);
    default: {
      const a = flags.a ?? result;
      const b = flags.b ?? result;
      const vector = kind === 'adc'
        ? e.or(e.and(a, b), e.and(e.or(a, b), e.not(result)))
        : e.or(e.and(e.not(a), b), e.and(e.or(e.not(a), b), result));
      return signBit(e, vector, size);
    }
  }
}

function auxiliaryOf(e: Expressions, flags: SymbolicFlags): Expr {
  const { kind, size, result } = flags;
  if (kind === 'logic') return e.i32(0);
  if (kind === 'result') return flags.auxiliary ?? e.i32(0);
  if (kind === 'inc') return e.eqz(e.and(e.wrap(result), e.i32(15)));
  if (kind === 'dec') return e.eq(e.and(e.wrap(result), e.i32(15)), e.i32(15));
  const a = flags.a ?? e.sized(size, 0);
  const b = flags.b ?? e.sized(size, 0);
  return e.and(e.shrU(e.wrap(e.xor(e.xor(a, b), result)), e.i32(4)), e.i32(1));
}

function parityOf(e: Expressions, low: Expr): Expr {
  return e.xor(e.and(e.popcnt(e.and(low, e.i32(0xff))), e.i32(1)), e.i32(1));
}

/** One flag of a symbolic form, i32 0 or 1. */
export function symbolicFlag(e: Expressions, flags: SymbolicFlags, name: FlagName): Expr {
  const { size, result } = flags;
  if (flags.kind === 'compare') return compareFlag(e, flags, name);
  switch (name) {
    case 'CF':
      return carryOf(e, flags);
    case 'OF':
      return overflowOf(e, flags);
    case 'AF':
      return auxiliaryOf(e, flags);
    case 'ZF':
      if (flags.kind === 'sub' && flags.a !== undefined && flags.b !== undefined) {
        return e.eq(flags.a, flags.b);
      }
      return e.eqz(toTop(e, result, size));
    case 'SF':
      return signBit(e, result, size);
    case 'PF':
      return parityOf(e, e.wrap(result));
  }
}

/** One flag of the canonical form, i32 0 or 1. `result` and `aux` can be read several times. */
export function canonicalFlag(e: Expressions, { result, aux }: CanonicalFlags, name: FlagName): Expr {
  const bit = (value: Expr, at: number): Expr => e.wrap(e.and(e.shrU(value, e.i64(at)), e.i64(1)));
  switch (name) {
    case 'CF':
      return e.wrap(e.shrU(aux, e.i64(63)));
    case 'OF':
      return e.wrap(e.shrU(e.xor(aux, e.shl(aux, e.i64(1))), e.i64(63)));
    case 'AF':
      return bit(aux, 3);
    case 'ZF':
      return e.eqz(result);
    case 'SF':
      return e.xor(e.wrap(e.shrU(result, e.i64(63))), bit(aux, 4));
    case 'PF':
      return parityOf(e, e.wrap(e.xor(result, e.shrU(aux, e.i64(8)))));
  }
}

/** A comparison for the conditions that a symbolic form makes cheap, else undefined. */
function fusedCondition(e: Expressions, flags: SymbolicFlags, pair: number): Expr | undefined {
  const { kind, size, result } = flags;
  const zero = size === 8 ? e.i64(0) : e.i32(0);
  if (kind === 'compare' && pair === 3) return e.eqz(floats(e, flags, 'gt'));
  if (kind === 'sub' && flags.a !== undefined && flags.b !== undefined) {
    if (pair === 3) return e.leU(flags.a, flags.b);
    const a = toTop(e, flags.a, size);
    const b = toTop(e, flags.b, size);
    if (pair === 6) return e.ltS(a, b);
    if (pair === 7) return e.leS(a, b);
  }
  if (kind === 'logic') {
    if (pair === 3) return e.eqz(toTop(e, result, size));
    if (pair === 6) return e.ltS(toTop(e, result, size), zero);
    if (pair === 7) return e.leS(toTop(e, result, size), zero);
  }
  return undefined;
}

/** Condition code (SDM Vol. 1 Appendix B) over any source of single flags, i32 0 or 1. */
export function conditionOf(
  e: Expressions, code: ConditionCode, flag: (name: FlagName) => Expr, symbolic: SymbolicFlags | undefined,
): Expr {
  const pair = code >> 1;
  let positive = symbolic === undefined ? undefined : fusedCondition(e, symbolic, pair);
  if (positive === undefined) {
    switch (pair) {
      case 0: positive = flag('OF'); break;
      case 1: positive = flag('CF'); break;
      case 2: positive = flag('ZF'); break;
      case 3: positive = e.or(flag('CF'), flag('ZF')); break;
      case 4: positive = flag('SF'); break;
      case 5: positive = flag('PF'); break;
      case 6: positive = e.xor(flag('SF'), flag('OF')); break;
      default: positive = e.or(flag('ZF'), e.xor(flag('SF'), flag('OF'))); break;
    }
  }
  return (code & 1) === 0 ? positive : e.eqz(positive);
}

/** The canonical form of six explicit flags, each i32 0 or 1. */
export function canonicalOfFlags(e: Expressions, flags: Readonly<Record<FlagName, Expr>>): CanonicalFlags {
  const result = e.extendU(e.eqz(flags.ZF)); // 0 when ZF, else 1
  const signDelta = e.shl(flags.SF, e.i32(4));
  // RESULT 0 has even parity (PF 1), RESULT 1 odd: the delta's bit 0 is PF xor ZF.
  const parityDelta = e.shl(e.xor(flags.PF, flags.ZF), e.i32(8));
  const low = e.or(e.or(signDelta, parityDelta), e.shl(flags.AF, e.i32(3)));
  return { result, aux: e.or(auxOfBits(e, flags.CF, flags.OF, undefined), e.extendU(low)) };
}

/** AUX with another carry; the overflow flag stays (it is bit 63 xor bit 62). */
export function auxWithCarry(e: Expressions, aux: Expr, carry: Expr): Expr {
  const overflow = e.shrU(e.xor(aux, e.shl(aux, e.i64(1))), e.i64(63));
  const carry64 = e.extendU(carry);
  const top = e.or(e.shl(carry64, e.i64(63)), e.shl(e.xor(carry64, overflow), e.i64(62)));
  return e.or(e.and(aux, e.i64(0x3fff_ffff_ffff_ffffn)), top);
}
