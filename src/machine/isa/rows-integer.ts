/** Integer instructions: SDM Vol. 2, Appendix A.3, tables. */

import type { Feature, MandatoryPrefix } from './instruction.ts';
import { CONDITION_NAMES, prefixed, row, vex } from './row.ts';
import type { RowDefinition } from './row.ts';

const LOCKABLE = { lockable: true } as const;
const DEFAULT64 = { default64: true } as const;
const STACK_REGISTER = { default64: true, opcodeRegister: true } as const;

function arithmetic(): RowDefinition[] {
  return ['add', 'or', 'adc', 'sbb', 'and', 'sub', 'xor', 'cmp'].flatMap((name, group) => {
    const lockable = name !== 'cmp';
    const base = group * 8;
    return [
      row(name, 'Eb,Gb', base, { lockable }),
      row(name, 'Ev,Gv', base + 1, { lockable }),
      row(name, 'Gb,Eb', base + 2),
      row(name, 'Gv,Ev', base + 3),
      row(name, 'AL,Ib', base + 4),
      row(name, 'rAX,Iz', base + 5),
      row(name, 'Eb,Ib', 0x80, { group, lockable }),
      row(name, 'Ev,Iz', 0x81, { group, lockable }),
      row(name, 'Ev,Ibs', 0x83, { group, lockable }),
    ];
  });
}

/** Groups 2 (SDM table A-6): `/6` is an undocumented alias of `shl`. */
function shifts(): RowDefinition[] {
  return ['rol', 'ror', 'rcl', 'rcr', 'shl', 'shr', 'shl', 'sar'].flatMap((name, group) => [
    row(name, 'Eb,Ib', 0xc0, { group }),
    row(name, 'Ev,Ib', 0xc1, { group }),
    row(name, 'Eb,1', 0xd0, { group }),
    row(name, 'Ev,1', 0xd1, { group }),
    row(name, 'Eb,CL', 0xd2, { group }),
    row(name, 'Ev,CL', 0xd3, { group }),
  ]);
}

function conditions(): RowDefinition[] {
  return CONDITION_NAMES.flatMap((name, code) => [
    row(`set${name}`, 'Eb', 0x0f90 + code, { semantics: 'setcc' }),
    row(`cmov${name}`, 'Gv,Ev', 0x0f40 + code, { semantics: 'cmovcc', feature: 'cmov' }),
  ]);
}

function bitTests(): RowDefinition[] {
  return ['bt', 'bts', 'btr', 'btc'].flatMap((name, index) => {
    const lockable = name !== 'bt';
    return [
      row(name, 'Ev,Gv', 0x0fa3 + index * 8, { lockable }),
      row(name, 'Ev,Ib', 0x0fba, { group: 4 + index, lockable }),
    ];
  });
}

function unaryGroups(): RowDefinition[] {
  const byteAndFull = (name: string, opcode: number, group: number, lockable: boolean, semantics = name) => [
    row(name, 'Eb', opcode, { group, lockable, semantics }),
    row(name, 'Ev', opcode + 1, { group, lockable, semantics }),
  ];
  return [
    ...[0, 1].flatMap((group) => [row('test', 'Eb,Ib', 0xf6, { group }), row('test', 'Ev,Iz', 0xf7, { group })]),
    ...byteAndFull('not', 0xf6, 2, true),
    ...byteAndFull('neg', 0xf6, 3, true),
    ...byteAndFull('mul', 0xf6, 4, false),
    ...byteAndFull('imul', 0xf6, 5, false, 'imul1'),
    ...byteAndFull('div', 0xf6, 6, false),
    ...byteAndFull('idiv', 0xf6, 7, false),
    ...byteAndFull('inc', 0xfe, 0, true),
    ...byteAndFull('dec', 0xfe, 1, true),
  ];
}

/** `[rsi]` and `[rdi]` are implicit; see `segment` and `address32` of the decoded instruction. */
function strings(): RowDefinition[] {
  const pair = (name: string, opcode: number, repeat: 'rep' | 'repe-repne') => [
    row(name, '', opcode, { repeat, byte: true }),
    row(name, '', opcode + 1, { repeat }),
  ];
  return [
    ...pair('movs', 0xa4, 'rep'),
    ...pair('cmps', 0xa6, 'repe-repne'),
    ...pair('stos', 0xaa, 'rep'),
    ...pair('lods', 0xac, 'rep'),
    ...pair('scas', 0xae, 'repe-repne'),
  ];
}

const MOVES: readonly RowDefinition[] = [
  row('mov', 'Eb,Gb', 0x88),
  row('mov', 'Ev,Gv', 0x89),
  row('mov', 'Gb,Eb', 0x8a),
  row('mov', 'Gv,Ev', 0x8b),
  row('mov', 'Rv/Mw,Sw', 0x8c, { semantics: 'mov-from-segment' }),
  row('mov', 'Sw,Ew', 0x8e, { semantics: 'mov-to-segment' }),
  row('mov', 'AL,Ob', 0xa0),
  row('mov', 'rAX,Ov', 0xa1),
  row('mov', 'Ob,AL', 0xa2),
  row('mov', 'Ov,rAX', 0xa3),
  row('mov', 'Zb,Ib', 0xb0, { opcodeRegister: true }),
  row('mov', 'Zv,Iv', 0xb8, { opcodeRegister: true }),
  row('mov', 'Eb,Ib', 0xc6, { group: 0 }),
  row('mov', 'Ev,Iz', 0xc7, { group: 0 }),
  row('lea', 'Gv,M', 0x8d),
  row('movsxd', 'Gv,Ez', 0x63),
  row('movzx', 'Gv,Eb', 0x0fb6),
  row('movzx', 'Gv,Ew', 0x0fb7),
  row('movsx', 'Gv,Eb', 0x0fbe),
  row('movsx', 'Gv,Ew', 0x0fbf),
  prefixed('none', 'movnti', 'My,Gy', 0x0fc3, { feature: 'sse2' }),
  row('bswap', 'Zv', 0x0fc8, { opcodeRegister: true }),
  row('cwde', '', 0x98),
  row('cdq', '', 0x99),
  row('xlat', '', 0xd7, { byte: true }),
];

const EXCHANGES: readonly RowDefinition[] = [
  row('xchg', 'Eb,Gb', 0x86, LOCKABLE),
  row('xchg', 'Ev,Gv', 0x87, LOCKABLE),
  // 90 without REX.B is nop, with F3 pause: the decoder takes those rows then.
  row('xchg', 'Zv,rAX', 0x90, { opcodeRegister: true }),
  row('cmpxchg', 'Eb,Gb', 0x0fb0, LOCKABLE),
  row('cmpxchg', 'Ev,Gv', 0x0fb1, LOCKABLE),
  row('xadd', 'Eb,Gb', 0x0fc0, LOCKABLE),
  row('xadd', 'Ev,Gv', 0x0fc1, LOCKABLE),
  row('cmpxchg8b', 'Mq', 0x0fc7, { group: 1, rexW: 0, lockable: true }),
  row('cmpxchg16b', 'Mdq', 0x0fc7, { group: 1, rexW: 1, lockable: true, aligned: true, feature: 'cx16' }),
];

const STACK: readonly RowDefinition[] = [
  row('push', 'Zv', 0x50, STACK_REGISTER),
  row('pop', 'Zv', 0x58, STACK_REGISTER),
  row('push', 'Iz', 0x68, DEFAULT64),
  row('push', 'Ibs', 0x6a, DEFAULT64),
  row('push', 'Ev', 0xff, { group: 6, default64: true }),
  row('pop', 'Ev', 0x8f, { group: 0, default64: true }),
  row('push', 'FS', 0x0fa0, { default64: true, semantics: 'push-segment' }),
  row('pop', 'FS', 0x0fa1, { default64: true, semantics: 'pop-segment' }),
  row('push', 'GS', 0x0fa8, { default64: true, semantics: 'push-segment' }),
  row('pop', 'GS', 0x0fa9, { default64: true, semantics: 'pop-segment' }),
  row('pushf', '', 0x9c, DEFAULT64),
  row('popf', '', 0x9d, DEFAULT64),
  row('enter', 'Iw,Ib', 0xc8, DEFAULT64),
  row('leave', '', 0xc9, DEFAULT64),
];

const MULTIPLY_AND_SCAN: readonly RowDefinition[] = [
  row('test', 'Eb,Gb', 0x84),
  row('test', 'Ev,Gv', 0x85),
  row('test', 'AL,Ib', 0xa8),
  row('test', 'rAX,Iz', 0xa9),
  row('imul', 'Gv,Ev', 0x0faf, { semantics: 'imul2' }),
  row('imul', 'Gv,Ev,Iz', 0x69, { semantics: 'imul3' }),
  row('imul', 'Gv,Ev,Ibs', 0x6b, { semantics: 'imul3' }),
  row('shld', 'Ev,Gv,Ib', 0x0fa4),
  row('shld', 'Ev,Gv,CL', 0x0fa5),
  row('shrd', 'Ev,Gv,Ib', 0x0fac),
  row('shrd', 'Ev,Gv,CL', 0x0fad),
  row('bsf', 'Gv,Ev', 0x0fbc),
  row('bsr', 'Gv,Ev', 0x0fbd),
  prefixed('F3', 'tzcnt', 'Gv,Ev', 0x0fbc, { feature: 'bmi1' }),
  prefixed('F3', 'lzcnt', 'Gv,Ev', 0x0fbd, { feature: 'lzcnt' }),
  row('movbe', 'Gv,Mv', 0x0f38f0, { feature: 'movbe' }),
  row('movbe', 'Mv,Gv', 0x0f38f1, { feature: 'movbe' }),
  prefixed('F3', 'popcnt', 'Gv,Ev', 0x0fb8, { feature: 'popcnt' }),
  prefixed('F2', 'crc32', 'Gy,Eb', 0x0f38f0, { feature: 'sse42' }),
  prefixed('F2', 'crc32', 'Gy,Ev', 0x0f38f1, { feature: 'sse42' }),
];

const FLAGS: readonly RowDefinition[] = [
  row('sahf', '', 0x9e),
  row('lahf', '', 0x9f),
  row('cmc', '', 0xf5),
  row('clc', '', 0xf8),
  row('stc', '', 0xf9),
  row('cld', '', 0xfc),
  row('std', '', 0xfd),
];

/** BMI1 and BMI2 (SDM Vol. 1, 5.1.16): VEX without a vector. */
const BIT_MANIPULATION: readonly RowDefinition[] = [
  bits('none', 'andn', 'Gy,By,Ey', 0x0f38f2, 'bmi1'),
  bits('none', 'blsr', 'By,Ey', 0x0f38f3, 'bmi1', 1),
  bits('none', 'blsmsk', 'By,Ey', 0x0f38f3, 'bmi1', 2),
  bits('none', 'blsi', 'By,Ey', 0x0f38f3, 'bmi1', 3),
  bits('none', 'bextr', 'Gy,Ey,By', 0x0f38f7, 'bmi1'),
  bits('none', 'bzhi', 'Gy,Ey,By', 0x0f38f5, 'bmi2'),
  bits('F2', 'pdep', 'Gy,By,Ey', 0x0f38f5, 'bmi2'),
  bits('F3', 'pext', 'Gy,By,Ey', 0x0f38f5, 'bmi2'),
  bits('F2', 'mulx', 'Gy,By,Ey', 0x0f38f6, 'bmi2'),
  bits('F3', 'sarx', 'Gy,Ey,By', 0x0f38f7, 'bmi2'),
  bits('66', 'shlx', 'Gy,Ey,By', 0x0f38f7, 'bmi2'),
  bits('F2', 'shrx', 'Gy,Ey,By', 0x0f38f7, 'bmi2'),
  bits('F2', 'rorx', 'Gy,Ey,Ib', 0x0f3af0, 'bmi2'),
];

function bits(prefix: MandatoryPrefix, mnemonic: string, operands: string, opcode: number, feature: Feature, group?: number): RowDefinition {
  return vex(prefix, mnemonic, operands, opcode, { feature, group, vectorLength: 0 });
}

export const INTEGER_ROWS: readonly RowDefinition[] = [
  ...arithmetic(),
  ...MOVES,
  ...STACK,
  ...unaryGroups(),
  ...shifts(),
  ...conditions(),
  ...MULTIPLY_AND_SCAN,
  ...EXCHANGES,
  ...bitTests(),
  ...strings(),
  ...FLAGS,
  ...BIT_MANIPULATION,
];
