/** For the unit tests: x87 instructions as machine code and as calls of helpers, and operands to try them on. */

import { FORM_DESTINATION_MEMORY, FORM_SOURCE_MEMORY } from '../../src/machine/helpers/types.ts';
import { OPERAND, st } from '../../src/machine/helpers/testing.test-support.ts';
import type { Random } from '../../src/machine/helpers/testing.test-support.ts';
import { OPERAND_INTEGER } from '../../src/machine/helpers/x87-arithmetic.ts';
import { STORE_POP, STORE_TRUNCATE } from '../../src/machine/helpers/x87-transfer.ts';

export interface Case {
  readonly name: string;
  readonly code: readonly number[];
  readonly helper: string;
  readonly destination: number;
  readonly source: number;
  readonly immediate: number;
  readonly forms: number;
  /** Size and kind of the memory operand, for choosing its contents. */
  readonly memory: 'none' | 'single' | 'double' | 'extended' | 'integer' | 'decimal' | 'word' | 'environment';
}

type Options = Partial<Omit<Case, 'name' | 'code' | 'helper'>>;

function instruction(name: string, code: readonly number[], helper: string, options: Options = {}): Case {
  return { name, code, helper, destination: 0, source: 0, immediate: 0, forms: 0, memory: 'none', ...options };
}

const ARITHMETIC = ['fadd', 'fmul', 'fcom', 'fcomp', 'fsub', 'fsubr', 'fdiv', 'fdivr'];

function memoryForms(): Case[] {
  const forms = [
    { opcode: 0xd8, immediate: 4, memory: 'single' },
    { opcode: 0xdc, immediate: 8, memory: 'double' },
    { opcode: 0xda, immediate: 4 | OPERAND_INTEGER, memory: 'integer' },
    { opcode: 0xde, immediate: 2 | OPERAND_INTEGER, memory: 'integer' },
  ] as const;
  return forms.flatMap(({ opcode, immediate, memory }) =>
    ARITHMETIC.map((name, group) =>
      instruction(`${name} ${memory} ${immediate & 15}`, [opcode, (group << 3) | 7], name === 'fcomp' ? 'fcom' : name, {
        source: OPERAND,
        immediate: name === 'fcomp' ? immediate | 0x100 : immediate,
        forms: FORM_SOURCE_MEMORY,
        memory,
      }),
    ),
  );
}

function registerForms(): Case[] {
  const reversed = ['fadd', 'fmul', '', '', 'fsubr', 'fsub', 'fdivr', 'fdiv'];
  return [
    ...ARITHMETIC.map((name, group) =>
      instruction(`${name} st,st1`, [0xd8, 0xc1 + group * 8], name === 'fcomp' ? 'fcom' : name, {
        destination: st(0),
        source: st(1),
        immediate: name === 'fcomp' ? 1 : 0,
      }),
    ),
    ...reversed.flatMap((name, group) =>
      name === ''
        ? []
        : [0xdc, 0xde].map((opcode) =>
            instruction(`${name} st1,st ${opcode.toString(16)}`, [opcode, 0xc1 + group * 8], name, {
              destination: st(1),
              source: st(0),
              immediate: opcode === 0xde ? 1 : 0,
            }),
          ),
    ),
    instruction('fcompp', [0xde, 0xd9], 'fcom', { immediate: 2 }),
    instruction('fucom', [0xdd, 0xe1], 'fucom', { source: st(1) }),
    instruction('fucomp', [0xdd, 0xe9], 'fucom', { source: st(1), immediate: 1 }),
    instruction('fucompp', [0xda, 0xe9], 'fucom', { source: st(1), immediate: 2 }),
    instruction('fcomi', [0xdb, 0xf1], 'fcomi', { source: st(1) }),
    instruction('fucomi', [0xdb, 0xe9], 'fucomi', { source: st(1) }),
    instruction('fcomip', [0xdf, 0xf1], 'fcomi', { source: st(1), immediate: 1 }),
    instruction('fucomip', [0xdf, 0xe9], 'fucomi', { source: st(1), immediate: 1 }),
  ];
}

function plainForms(): Case[] {
  return [
    instruction('fchs', [0xd9, 0xe0], 'fchs', { immediate: 1 }),
    instruction('fabs', [0xd9, 0xe1], 'fchs'),
    instruction('ftst', [0xd9, 0xe4], 'ftst'),
    instruction('fxam', [0xd9, 0xe5], 'fxam'),
    instruction('fxtract', [0xd9, 0xf4], 'fxtract'),
    instruction('fprem', [0xd9, 0xf8], 'fprem'),
    instruction('fprem1', [0xd9, 0xf5], 'fprem', { immediate: 1 }),
    instruction('fsqrt', [0xd9, 0xfa], 'fsqrt'),
    instruction('frndint', [0xd9, 0xfc], 'frndint'),
    instruction('fscale', [0xd9, 0xfd], 'fscale'),
    instruction('fdecstp', [0xd9, 0xf6], 'fincstp', { immediate: -1 }),
    instruction('fincstp', [0xd9, 0xf7], 'fincstp', { immediate: 1 }),
    instruction('fwait', [0x9b], 'fwait'),
    instruction('fnclex', [0xdb, 0xe2], 'fnclex'),
    instruction('fninit', [0xdb, 0xe3], 'fninit'),
    ...[0, 1, 2, 3, 4, 5, 6].map((immediate) =>
      instruction(`fld constant ${immediate}`, [0xd9, 0xe8 + immediate], 'fldConstant', { immediate }),
    ),
    instruction('ffree', [0xdd, 0xc1], 'ffree', { source: st(1) }),
    instruction('ffreep', [0xdf, 0xc1], 'ffree', { source: st(1), immediate: 1 }),
    instruction('fxch', [0xd9, 0xc9], 'fxch', { source: st(1) }),
    instruction('fld st1', [0xd9, 0xc1], 'fld', { source: st(1) }),
    instruction('fst st1', [0xdd, 0xd1], 'fst', { destination: st(1) }),
    instruction('fstp st1', [0xdd, 0xd9], 'fst', { destination: st(1), immediate: STORE_POP }),
    // The carry flag is clear in the requests: below is false, not below true.
    instruction('fcmovb', [0xda, 0xc1], 'fcmov', { source: st(1), immediate: 0 }),
    instruction('fcmovnb', [0xdb, 0xc1], 'fcmov', { source: st(1), immediate: 1 }),
  ];
}

function load(name: string, code: readonly number[], helper: string, immediate: number, memory: Case['memory']): Case {
  return instruction(name, code, helper, { source: OPERAND, immediate, forms: FORM_SOURCE_MEMORY, memory });
}

function store(name: string, code: readonly number[], helper: string, immediate: number): Case {
  return instruction(name, code, helper, { destination: OPERAND, immediate, forms: FORM_DESTINATION_MEMORY });
}

function transferForms(): Case[] {
  return [
    load('fld m32', [0xd9, 0x07], 'fld', 4, 'single'),
    load('fld m64', [0xdd, 0x07], 'fld', 8, 'double'),
    load('fld m80', [0xdb, 0x2f], 'fld', 10, 'extended'),
    load('fild m16', [0xdf, 0x07], 'fld', 2 | OPERAND_INTEGER, 'integer'),
    load('fild m32', [0xdb, 0x07], 'fld', 4 | OPERAND_INTEGER, 'integer'),
    load('fild m64', [0xdf, 0x2f], 'fld', 8 | OPERAND_INTEGER, 'integer'),
    load('fbld', [0xdf, 0x27], 'fbld', 0, 'decimal'),
    store('fst m32', [0xd9, 0x17], 'fst', 4),
    store('fstp m32', [0xd9, 0x1f], 'fst', 4 | STORE_POP),
    store('fst m64', [0xdd, 0x17], 'fst', 8),
    store('fstp m64', [0xdd, 0x1f], 'fst', 8 | STORE_POP),
    store('fstp m80', [0xdb, 0x3f], 'fst', 10 | STORE_POP),
    store('fist m16', [0xdf, 0x17], 'fist', 2),
    store('fist m32', [0xdb, 0x17], 'fist', 4),
    store('fistp m16', [0xdf, 0x1f], 'fist', 2 | STORE_POP),
    store('fistp m32', [0xdb, 0x1f], 'fist', 4 | STORE_POP),
    store('fistp m64', [0xdf, 0x3f], 'fist', 8 | STORE_POP),
    store('fisttp m16', [0xdf, 0x0f], 'fist', 2 | STORE_POP | STORE_TRUNCATE),
    store('fisttp m32', [0xdb, 0x0f], 'fist', 4 | STORE_POP | STORE_TRUNCATE),
    store('fisttp m64', [0xdd, 0x0f], 'fist', 8 | STORE_POP | STORE_TRUNCATE),
    store('fbstp', [0xdf, 0x37], 'fbstp', 0),
    load('fldcw', [0xd9, 0x2f], 'fldcw', 0, 'word'),
    load('fldenv', [0xd9, 0x27], 'fldenv', 4, 'environment'),
    load('fldenv 16', [0x66, 0xd9, 0x27], 'fldenv', 2, 'environment'),
    store('fnstenv', [0xd9, 0x37], 'fnstenv', 4),
    store('fnstenv 16', [0x66, 0xd9, 0x37], 'fnstenv', 2),
    store('fnsave', [0xdd, 0x37], 'fnsave', 4),
    store('fnsave 16', [0x66, 0xdd, 0x37], 'fnsave', 2),
  ];
}

export const X87_CASES: readonly Case[] = [...memoryForms(), ...registerForms(), ...plainForms(), ...transferForms()];

export const TRANSCENDENTAL_CASES: readonly Case[] = [
  instruction('f2xm1', [0xd9, 0xf0], 'f2xm1'),
  instruction('fyl2x', [0xd9, 0xf1], 'fyl2x'),
  instruction('fptan', [0xd9, 0xf2], 'fptan'),
  instruction('fpatan', [0xd9, 0xf3], 'fpatan'),
  instruction('fyl2xp1', [0xd9, 0xf9], 'fyl2xp1'),
  instruction('fsincos', [0xd9, 0xfb], 'fsincos'),
  instruction('fsin', [0xd9, 0xfe], 'fsin'),
  instruction('fcos', [0xd9, 0xff], 'fcos'),
];

const CORNER_SIGNIFICANDS: readonly (readonly [number, number])[] = [
  [0x80000000, 0], [0x80000000, 1], [0xffffffff, 0xffffffff], [0xffffffff, 0xfffff800], [0xffffffff, 0xfffffc00],
  [0xffffff00, 0], [0xffffff80, 0], [0xc0000000, 0], [0xc0000000, 1], [0xa0000000, 0], [0x40000000, 0], [0, 1], [0, 0],
  [0x7fffffff, 0xffffffff], [0x80000000, 0x400], [0x80000000, 0x800], [0x80000080, 0], [0x80000000, 0xc00], [0x80000180, 0],
];
const CORNER_EXPONENTS: readonly number[] = [
  0, 0, 1, 2, 31, 40, 62, 63, 64, 65, 0x3fbf, 0x3ffe, 0x3fff, 0x4000, 0x400d, 0x400e, 0x401d, 0x401e, 0x403c, 0x403d, 0x403e, 0x403f,
  0x3f80, 0x3f81, 0x3f82, 0x3f69, 0x407e, 0x407f, 0x3c00, 0x3c01, 0x3c02, 0x3bcd, 0x43fe, 0x43ff, 0x7ffd, 0x7ffe, 0x7fff, 0x7fff,
];

/** Writes an 80-bit value that is likely to matter. `near` keeps exponents close together so that sums cancel. */
export function writeExtended(view: DataView, offset: number, random: Random, near: number): void {
  let high = random.next() | 0x80000000;
  let low = random.next();
  let exponent = near + random.below(70) - 35;
  const style = random.below(10);
  if (style < 3) [high, low] = random.pick(CORNER_SIGNIFICANDS);
  else if (style === 3) low = 0;
  else if (style === 4) low &= ~0x7ff;
  const spread = random.below(8);
  if (spread < 2) exponent = random.pick(CORNER_EXPONENTS);
  else if (spread === 2) exponent = random.below(0x8000);
  else if (spread === 3) exponent = near;
  if (style < 9 && exponent > 0) high |= 0x80000000;
  if (exponent === 0 && random.below(2) === 0) high &= 0x7fffffff;
  exponent = Math.max(0, Math.min(0x7fff, exponent));
  view.setInt32(offset, low, true);
  view.setInt32(offset + 4, high, true);
  view.setUint16(offset + 8, exponent | (random.below(2) << 15), true);
}

const SINGLES: readonly number[] = [
  0, 0x80000000, 1, 0x807fffff, 0x00800000, 0x7f7fffff, 0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001, 0xffbfffff, 0x3f800000, 0xbf800001,
];
const DOUBLES: readonly (readonly [number, number])[] = [
  [0, 0], [0x80000000, 0], [0, 1], [0x000fffff, 0xffffffff], [0x00100000, 0], [0x7fefffff, 0xffffffff], [0x7ff00000, 0],
  [0xfff00000, 0], [0x7ff80000, 0], [0x7ff00000, 1], [0xfff7ffff, 0xffffffff], [0x3ff00000, 0], [0xbff00000, 1],
];

/** Fills the memory operand. */
export function writeOperand(view: DataView, offset: number, kind: Case['memory'], random: Random, near: number): void {
  for (let index = 0; index < 128; index += 4) view.setInt32(offset + index, random.next(), true);
  const corner = random.below(3) === 0;
  if (kind === 'single' && corner) view.setUint32(offset, random.pick(SINGLES), true);
  else if (kind === 'double' && corner) {
    const [high, low] = random.pick(DOUBLES);
    view.setUint32(offset, low, true);
    view.setUint32(offset + 4, high, true);
  } else if (kind === 'extended') writeExtended(view, offset, random, near);
  else if (kind === 'integer' && corner) view.setBigInt64(offset, BigInt(random.pick([0, 1, -1, 0x7fff, -0x8000, 3])), true);
  else if (kind === 'integer' && random.below(2) === 0) view.setBigInt64(offset, BigInt(random.next()), true);
  else if (kind === 'decimal') {
    for (let index = 0; index < 9; index++) view.setUint8(offset + index, random.below(10) | (random.below(10) << 4));
  }
}
