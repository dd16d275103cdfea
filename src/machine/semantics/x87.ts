/**
 * x87 instructions: all but the stores of control and status words call a helper (`helpers/x87-*.ts`).
 * An operand's size and kind are told apart here, and passed as the helper's immediate.
 */

import { STATE_SCRATCH, STATE_X87_CONTROL, STATE_X87_TAG } from '../state.ts';
import { OPERAND_INTEGER, POP_ONCE, POP_TWICE } from '../helpers/x87-arithmetic.ts';
import { STORE_POP, STORE_TRUNCATE } from '../helpers/x87-transfer.ts';
import type { Builder, ConditionCode, Expr, SemanticFunction, SemanticsTable } from './builder.ts';

/** `fadd m32`, `fadd st, sti`, `fadd sti, st`: the helper tells them apart by its forms. */
function arithmetic(helper: string): SemanticFunction {
  return (b) => {
    if (b.isMemory(0)) b.helper(helper, undefined, 0, b.operandSize(0));
    else b.helper(helper, 0, 1, 0);
  };
}

function arithmeticPop(helper: string): SemanticFunction {
  return (b) => b.helper(helper, 0, 1, POP_ONCE);
}

function integerArithmetic(helper: string): SemanticFunction {
  return (b) => b.helper(helper, undefined, 0, b.operandSize(0) | OPERAND_INTEGER);
}

/** Comparisons with `source`, which pop `pops` times; memory forms have that above the size. */
function comparison(helper: string, pops: number, integer = false): SemanticFunction {
  return (b) => {
    const memory = b.operandSize(0) | (integer ? OPERAND_INTEGER : 0) | (pops << 8);
    b.helper(helper, undefined, 0, b.isMemory(0) ? memory : pops);
  };
}

/** FCOMPP and FUCOMPP have no explicit operand: the helper is told of ST(1). */
function comparisonTwice(helper: string): SemanticFunction {
  return (b) => b.helper(helper, undefined, undefined, POP_TWICE);
}

/** FCOMI and its kind: the helper leaves CF, PF and ZF in the first scratch word. */
function comparisonToFlags(helper: string, pops: number): SemanticFunction {
  return (b) => {
    b.helper(helper, 0, 1, pops);
    const flags = b.let(b.readState(STATE_SCRATCH, 'i32'));
    const bit = (position: number): Expr => b.and(b.shrU(flags, b.i32(position)), b.i32(1));
    const zero = b.i32(0);
    b.setFlags({ CF: bit(0), PF: bit(2), ZF: bit(6), OF: zero, SF: zero, AF: zero });
  };
}

function conditionalMove(condition: ConditionCode): SemanticFunction {
  return (b) => b.helper('fcmov', 0, 1, b.let(b.condition(condition)));
}

/** Without operands. */
function plain(helper: string, immediate = 0): SemanticFunction {
  return (b) => b.helper(helper, undefined, undefined, immediate);
}

function load(b: Builder, kind: number): void {
  b.helper('fld', undefined, 0, kind);
}

function store(helper: string, options: number): SemanticFunction {
  return (b) => b.helper(helper, 0, undefined, (b.isMemory(0) ? b.operandSize(0) : 0) | options);
}

/** FNSTENV and the like: 14 or 94 bytes with a 16-bit operand size, else 28 or 108. */
function stateImage(helper: string, isStore: boolean): SemanticFunction {
  return (b) => {
    if (isStore) b.helper(helper, 0, undefined, b.size);
    else b.helper(helper, undefined, 0, b.size);
  };
}

/** The status word with TOP in bits 11 to 13. */
function statusWord(b: Builder): Expr {
  const status = b.shrU(b.readState(STATE_X87_CONTROL, 'i32'), b.i32(16));
  const top = b.shrU(b.readState(STATE_X87_TAG, 'i32'), b.i32(16));
  return b.or(status, b.shl(top, b.i32(11)));
}

const CONSTANTS = ['fld1', 'fldl2t', 'fldl2e', 'fldpi', 'fldlg2', 'fldln2', 'fldz'];

export const x87: SemanticsTable = {
  fadd: arithmetic('fadd'),
  fmul: arithmetic('fmul'),
  fsub: arithmetic('fsub'),
  fsubr: arithmetic('fsubr'),
  fdiv: arithmetic('fdiv'),
  fdivr: arithmetic('fdivr'),
  'fadd-sti': arithmetic('fadd'),
  'fmul-sti': arithmetic('fmul'),
  'fsub-sti': arithmetic('fsub'),
  'fsubr-sti': arithmetic('fsubr'),
  'fdiv-sti': arithmetic('fdiv'),
  'fdivr-sti': arithmetic('fdivr'),
  faddp: arithmeticPop('fadd'),
  fmulp: arithmeticPop('fmul'),
  fsubp: arithmeticPop('fsub'),
  fsubrp: arithmeticPop('fsubr'),
  fdivp: arithmeticPop('fdiv'),
  fdivrp: arithmeticPop('fdivr'),
  fiadd: integerArithmetic('fadd'),
  fimul: integerArithmetic('fmul'),
  fisub: integerArithmetic('fsub'),
  fisubr: integerArithmetic('fsubr'),
  fidiv: integerArithmetic('fdiv'),
  fidivr: integerArithmetic('fdivr'),

  fcom: comparison('fcom', 0),
  fcomp: comparison('fcom', POP_ONCE),
  ficom: comparison('fcom', 0, true),
  ficomp: comparison('fcom', POP_ONCE, true),
  fcompp: comparisonTwice('fcom'),
  fucom: comparison('fucom', 0),
  fucomp: comparison('fucom', POP_ONCE),
  fucompp: comparisonTwice('fucom'),
  fcomi: comparisonToFlags('fcomi', 0),
  fcomip: comparisonToFlags('fcomi', POP_ONCE),
  fucomi: comparisonToFlags('fucomi', 0),
  fucomip: comparisonToFlags('fucomi', POP_ONCE),
  ftst: plain('ftst'),
  fxam: plain('fxam'),

  fld: (b) => load(b, b.isMemory(0) ? b.operandSize(0) : 0),
  fild: (b) => load(b, b.operandSize(0) | OPERAND_INTEGER),
  fst: store('fst', 0),
  fstp: store('fst', STORE_POP),
  fist: store('fist', 0),
  fistp: store('fist', STORE_POP),
  fisttp: store('fist', STORE_POP | STORE_TRUNCATE),
  fbld: (b) => b.helper('fbld', undefined, 0),
  fbstp: (b) => b.helper('fbstp', 0),
  fxch: (b) => b.helper('fxch', undefined, 0),
  ...Object.fromEntries(CONSTANTS.map((name, index) => [name, plain('fldConstant', index)])),
  fcmovb: conditionalMove(2),
  fcmove: conditionalMove(4),
  fcmovbe: conditionalMove(6),
  fcmovu: conditionalMove(10),
  fcmovnb: conditionalMove(3),
  fcmovne: conditionalMove(5),
  fcmovnbe: conditionalMove(7),
  fcmovnu: conditionalMove(11),

  fchs: plain('fchs', 1),
  fabs: plain('fchs', 0),
  fsqrt: plain('fsqrt'),
  frndint: plain('frndint'),
  fprem: plain('fprem', 0),
  fprem1: plain('fprem', 1),
  fscale: plain('fscale'),
  fxtract: plain('fxtract'),
  f2xm1: plain('f2xm1'),
  fyl2x: plain('fyl2x'),
  fyl2xp1: plain('fyl2xp1'),
  fpatan: plain('fpatan'),
  fptan: plain('fptan'),
  fsin: plain('fsin'),
  fcos: plain('fcos'),
  fsincos: plain('fsincos'),

  fldcw: (b) => b.helper('fldcw', undefined, 0),
  fnstcw: (b) => b.write(0, b.and(b.readState(STATE_X87_CONTROL, 'i32'), b.i32(0xffff))),
  fnstsw: (b) => b.write(0, statusWord(b)),
  fnclex: plain('fnclex'),
  fninit: plain('fninit'),
  fnstenv: stateImage('fnstenv', true),
  fldenv: stateImage('fldenv', false),
  fnsave: stateImage('fnsave', true),
  frstor: stateImage('frstor', false),
  fwait: plain('fwait'),
  fnop: plain('fwait'),
  fincstp: plain('fincstp', 1),
  fdecstp: plain('fincstp', -1),
  ffree: (b) => b.helper('ffree', undefined, 0, 0),
  ffreep: (b) => b.helper('ffree', undefined, 0, 1),
};
