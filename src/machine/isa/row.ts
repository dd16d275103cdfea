/**
 * How rows are written: `row('add', 'Eb,Gb', 0x00, { lockable: true })`.
 *
 * The opcode is written with its escape bytes: `0x00`, `0x0faf`, `0x0f3800`, `0x0f3a0f`.
 *
 * Operand codes are those of the Intel SDM Vol. 2, Appendix A.2, with these additions:
 *
 * - `Ibs`: one byte, sign-extended to the operand size. `Ib` and `Iw` are zero-extended, `Iz` is
 *   sign-extended, `Iv` has the operand size (eight bytes with REX.W).
 * - `Ez`, `Rv/Mw`, ...: a memory operand has another size than a register one.
 * - `Zb`, `Zv`: the register that the low three bits of the opcode name.
 * - `By`: the general register of VEX.vvvv. `Ldq`: the register that the last byte names. `Xd`, `Xq`: an element in memory at
 *   each of the indexes in a vector (VSIB). `qq` is 32 bytes, `dq`, `ps` and `pd` are always 16.
 * - `AL`, `rAX`, `CL`, `DX`, `1`, `ST0`, `STi`, `XMM0`, `FS`, `GS`: that register or value.
 */

import type { InstructionRow, MandatoryPrefix, OpcodeMap } from './instruction.ts';

/** A row before the table has given it its number. */
export type RowDefinition = { -readonly [Key in keyof InstructionRow]: InstructionRow[Key] };

export type RowOptions = Partial<Omit<RowDefinition, 'id' | 'mnemonic' | 'map' | 'opcode' | 'operands'>>;

const NO_OPTIONS: RowOptions = {};
const NO_OPERANDS: readonly string[] = [];

/** Operand lists are few and shared by many rows. */
const operandLists = new Map<string, readonly string[]>([['', NO_OPERANDS]]);

function operandList(operands: string): readonly string[] {
  let list = operandLists.get(operands);
  if (list === undefined) {
    list = operands.split(',');
    operandLists.set(operands, list);
  }
  return list;
}

/** The restriction of ModRM.mod that an operand code implies. */
function impliedForm(operands: readonly string[]): 'mem' | 'reg' | undefined {
  for (const code of operands) {
    if (code.includes('/')) continue;
    const letter = code.charCodeAt(0);
    if (letter === 0x4d /* M */ || letter === 0x58 /* X */) return 'mem';
    if (letter === 0x52 /* R */ || letter === 0x4e /* N */ || letter === 0x55 /* U */) return 'reg';
  }
  return undefined;
}

function opcodeMap(opcode: number): OpcodeMap {
  if (opcode < 0x100) return 0;
  if (opcode < 0x1000) return 1;
  return (opcode & 0xff00) === 0x3800 ? 2 : 3;
}

const VEX_MAP = { 0: 4, 1: 4, 2: 5, 3: 6, 4: 4, 5: 5, 6: 6 } as const;

/** All fields are set, so that all rows have one shape. */
export function row(mnemonic: string, operands: string, opcode: number, options: RowOptions = NO_OPTIONS): RowDefinition {
  const list = operandList(operands);
  return {
    id: 0,
    mnemonic,
    map: opcodeMap(opcode),
    opcode: opcode & 0xff,
    opcodeRegister: options.opcodeRegister,
    prefix: options.prefix,
    group: options.group,
    modrm: options.modrm ?? impliedForm(list),
    rm: options.rm,
    rexW: options.rexW,
    vectorLength: options.vectorLength,
    operands: list,
    semantics: options.semantics ?? mnemonic,
    feature: options.feature ?? 'base',
    flow: options.flow ?? 'next',
    default64: options.default64,
    repeat: options.repeat,
    lockable: options.lockable,
    byte: options.byte,
    aligned: options.aligned,
  };
}

/** `row` with a mandatory prefix. */
export function prefixed(
  prefix: MandatoryPrefix,
  mnemonic: string,
  operands: string,
  opcode: number,
  options: RowOptions = NO_OPTIONS,
): RowDefinition {
  const definition = row(mnemonic, operands, opcode, options);
  definition.prefix = prefix;
  return definition;
}

/** Suffixes of Jcc, SETcc and CMOVcc by condition code (SDM Vol. 1, Appendix B). */
export const CONDITION_NAMES = [
  'o', 'no', 'b', 'ae', 'e', 'ne', 'be', 'a', 's', 'ns', 'p', 'np', 'l', 'ge', 'le', 'g',
] as const;

/** `row` behind a VEX prefix. Without `vectorLength` VEX.L means nothing. */
export function vex(prefix: MandatoryPrefix, mnemonic: string, operands: string, opcode: number, options: RowOptions): RowDefinition {
  const definition = prefixed(prefix, mnemonic, operands, opcode, options);
  definition.map = VEX_MAP[definition.map];
  return definition;
}
