/**
 * x87: SDM Vol. 2, Appendix A.5 (tables ), with the undocumented aliases that processors
 * execute (`fcom2`, `fxch4`, `ffreep`, ...), which are written as what they are an alias of.
 *
 * Keys of the semantics: `fadd-sti` and its like are the DC forms, whose destination is not ST(0).
 */

import { row } from './row.ts';
import type { RowDefinition, RowOptions } from './row.ts';

const ARITHMETIC = ['fadd', 'fmul', 'fcom', 'fcomp', 'fsub', 'fsubr', 'fdiv', 'fdivr'] as const;

function x87(mnemonic: string, operands: string, opcode: number, group: number, options: RowOptions = {}): RowDefinition {
  return row(mnemonic, operands, opcode, { feature: 'x87', group, ...options });
}

function register(mnemonic: string, operands: string, opcode: number, group: number): RowDefinition {
  return x87(mnemonic, operands, opcode, group, { modrm: 'reg' });
}

/** Without operands: the whole ModRM byte is part of the opcode. An empty name is not an instruction. */
function plain(opcode: number, group: number, names: readonly string[]): RowDefinition[] {
  return names.flatMap((name, rm) => (name === '' ? [] : [x87(name, '', opcode, group, { modrm: 'reg', rm })]));
}

/** D8, DC (floating point in memory), DA, DE (integers in memory). */
function memoryArithmetic(opcode: number, operand: string, integer: boolean): RowDefinition[] {
  return ARITHMETIC.map((name, group) => x87(integer ? name.replace('f', 'fi') : name, operand, opcode, group));
}

function registerArithmetic(): RowDefinition[] {
  return [
    ...ARITHMETIC.map((name, group) => register(name, group === 2 || group === 3 ? 'STi' : 'ST0,STi', 0xd8, group)),
    ...['fadd', 'fmul', '', '', 'fsubr', 'fsub', 'fdivr', 'fdiv'].flatMap((name, group) =>
      name === '' ? [] : [x87(name, 'STi,ST0', 0xdc, group, { modrm: 'reg', semantics: `${name}-sti` }), register(`${name}p`, 'STi,ST0', 0xde, group)],
    ),
    register('fcom', 'STi', 0xdc, 2),
    register('fcomp', 'STi', 0xdc, 3),
    register('fcomp', 'STi', 0xde, 2),
    ...plain(0xde, 3, ['', 'fcompp']),
  ];
}

const LOADS_AND_STORES: readonly RowDefinition[] = [
  x87('fld', 'Md', 0xd9, 0),
  x87('fst', 'Md', 0xd9, 2),
  x87('fstp', 'Md', 0xd9, 3),
  x87('fldenv', 'M', 0xd9, 4),
  x87('fldcw', 'Mw', 0xd9, 5),
  x87('fnstenv', 'M', 0xd9, 6),
  x87('fnstcw', 'Mw', 0xd9, 7),
  x87('fild', 'Md', 0xdb, 0),
  x87('fisttp', 'Md', 0xdb, 1),
  x87('fist', 'Md', 0xdb, 2),
  x87('fistp', 'Md', 0xdb, 3),
  x87('fld', 'Mt', 0xdb, 5),
  x87('fstp', 'Mt', 0xdb, 7),
  x87('fld', 'Mq', 0xdd, 0),
  x87('fisttp', 'Mq', 0xdd, 1),
  x87('fst', 'Mq', 0xdd, 2),
  x87('fstp', 'Mq', 0xdd, 3),
  x87('frstor', 'M', 0xdd, 4),
  x87('fnsave', 'M', 0xdd, 6),
  x87('fnstsw', 'Mw', 0xdd, 7),
  x87('fild', 'Mw', 0xdf, 0),
  x87('fisttp', 'Mw', 0xdf, 1),
  x87('fist', 'Mw', 0xdf, 2),
  x87('fistp', 'Mw', 0xdf, 3),
  x87('fbld', 'Mt', 0xdf, 4),
  x87('fild', 'Mq', 0xdf, 5),
  x87('fbstp', 'Mt', 0xdf, 6),
  x87('fistp', 'Mq', 0xdf, 7),
];

const REGISTER_FORMS: readonly RowDefinition[] = [
  register('fld', 'STi', 0xd9, 0),
  register('fxch', 'STi', 0xd9, 1),
  ...plain(0xd9, 2, ['fnop']),
  register('fstp', 'STi', 0xd9, 3),
  ...plain(0xd9, 4, ['fchs', 'fabs', '', '', 'ftst', 'fxam']),
  ...plain(0xd9, 5, ['fld1', 'fldl2t', 'fldl2e', 'fldpi', 'fldlg2', 'fldln2', 'fldz']),
  ...plain(0xd9, 6, ['f2xm1', 'fyl2x', 'fptan', 'fpatan', 'fxtract', 'fprem1', 'fdecstp', 'fincstp']),
  ...plain(0xd9, 7, ['fprem', 'fyl2xp1', 'fsqrt', 'fsincos', 'frndint', 'fscale', 'fsin', 'fcos']),
  ...['fcmovb', 'fcmove', 'fcmovbe', 'fcmovu'].map((name, group) => register(name, 'ST0,STi', 0xda, group)),
  ...plain(0xda, 5, ['', 'fucompp']),
  ...['fcmovnb', 'fcmovne', 'fcmovnbe', 'fcmovnu'].map((name, group) => register(name, 'ST0,STi', 0xdb, group)),
  // The 8087's and 287's `fneni`, `fndisi` and `fnsetpm` do nothing.
  ...plain(0xdb, 4, ['fnop', 'fnop', 'fnclex', 'fninit', 'fnop']),
  register('fucomi', 'ST0,STi', 0xdb, 5),
  register('fcomi', 'ST0,STi', 0xdb, 6),
  register('ffree', 'STi', 0xdd, 0),
  register('fxch', 'STi', 0xdd, 1),
  register('fst', 'STi', 0xdd, 2),
  register('fstp', 'STi', 0xdd, 3),
  register('fucom', 'STi', 0xdd, 4),
  register('fucomp', 'STi', 0xdd, 5),
  register('ffreep', 'STi', 0xdf, 0),
  register('fxch', 'STi', 0xdf, 1),
  register('fstp', 'STi', 0xdf, 2),
  register('fstp', 'STi', 0xdf, 3),
  x87('fnstsw', 'AX', 0xdf, 4, { modrm: 'reg', rm: 0 }),
  register('fucomip', 'ST0,STi', 0xdf, 5),
  register('fcomip', 'ST0,STi', 0xdf, 6),
];

export const X87_ROWS: readonly RowDefinition[] = [
  row('fwait', '', 0x9b, { feature: 'x87' }),
  ...memoryArithmetic(0xd8, 'Md', false),
  ...memoryArithmetic(0xdc, 'Mq', false),
  ...memoryArithmetic(0xda, 'Md', true),
  ...memoryArithmetic(0xde, 'Mw', true),
  ...registerArithmetic(),
  ...LOADS_AND_STORES,
  ...REGISTER_FORMS,
];
