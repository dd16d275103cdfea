/** What an instruction does to registers and flags, for liveness. Register sets are 32 bits: 16 general, 16 xmm. */
import type { DecodedInstruction } from '../isa/instruction.ts';
import { isControl } from '../interpreter/control.ts';
import { addressMode, formKey } from '../interpreter/forms.ts';
import { analyze, branchFlags, FLAG_SET_ALL, type Analysis } from '../semantics/analysis.ts';
import type { SemanticsTable } from '../semantics/builder.ts';
import { BITWISE } from './bitwise.ts';

/** After a barrier no register is in a local any more. */
export type Barrier = 'none' | 'call' | 'syscall';

export interface Effects {
  readonly uses: number;
  /** Certainly written, whole. */
  readonly kills: number;
  /** Perhaps written. */
  readonly writes: number;
  readonly flagsUsed: number;
  readonly flagsKilled: number;
  readonly flagsWritten: number;
  readonly barrier: Barrier;
  /** Explicit operands, a bit each. */
  readonly operandsRead: number;
  readonly operandsWritten: number;
  /** xmm registers used as vectors; as doubles or quadwords. Copies count as neither. */
  readonly vector: number;
  readonly scalar: number;
  /** The result is zero whatever the operands are: `xor eax, eax`, `pxor xmm0, xmm0`. */
  readonly zeroes: boolean;
  /** May raise an exception that this tier finds. */
  readonly faults: boolean;
}

const RSP = 1 << 4;
const RCX = 1 << 1;
/** Their meaning depends on whether the count is known and zero. */
const SHIFTS = new Set(['shl', 'shr', 'sar', 'rol', 'ror', 'rcl', 'rcr', 'shld', 'shrd']);

/** For each table of semantics. */
const caches = new WeakMap<SemanticsTable, Map<number, Analysis>>();

function analysisOf(instruction: DecodedInstruction, semantics: SemanticsTable): Analysis | undefined {
  const { row, operands } = instruction;
  const meaning = semantics[row.semantics];
  if (meaning === undefined) return undefined;
  const last = operands[operands.length - 1];
  if (last?.kind === 'immediate' && SHIFTS.has(row.semantics)) return analyze(instruction, meaning, true);
  const key = formKey(instruction, addressMode(instruction));
  let cache = caches.get(semantics);
  if (cache === undefined) caches.set(semantics, (cache = new Map()));
  let analysis = cache.get(key);
  if (analysis === undefined) {
    analysis = analyze(instruction, meaning, true);
    cache.set(key, analysis);
  }
  return analysis;
}

function operandRegisters(instruction: DecodedInstruction, mask: number): number {
  let registers = 0;
  const { operands } = instruction;
  for (let index = 0; index < operands.length; index++) {
    const operand = operands[index];
    if (operand?.kind !== 'register' || (mask & (1 << index)) === 0) continue;
    if (operand.class === 'gpr') registers |= 1 << operand.index;
    else if (operand.class === 'xmm') registers |= 1 << (16 + operand.index);
  }
  return registers;
}

function addressRegisters(instruction: DecodedInstruction): number {
  let registers = 0;
  for (const operand of instruction.operands) {
    if (operand.kind !== 'memory') continue;
    if (operand.base >= 0) registers |= 1 << operand.base;
    if (operand.index >= 0) registers |= 1 << operand.index;
  }
  return registers;
}

function controlEffects(instruction: DecodedInstruction, inlined: boolean): Effects {
  const { row } = instruction;
  let uses = addressRegisters(instruction) | operandRegisters(instruction, ~0);
  let writes = 0;
  let barrier: Barrier = 'none';
  let flagsUsed = branchFlags(instruction);
  switch (row.flow) {
    case 'call':
    case 'indirect-call':
      uses |= RSP;
      writes = RSP;
      if (!inlined) barrier = 'call';
      break;
    case 'return':
      uses |= RSP;
      writes = RSP;
      if (!inlined) flagsUsed = FLAG_SET_ALL;
      break;
    case 'syscall':
      barrier = 'syscall';
      break;
    default:
      break;
  }
  if (row.semantics.startsWith('loop')) {
    uses |= RCX;
    writes |= RCX;
  } else if (row.semantics === 'jrcxz') {
    uses |= RCX;
  }
  return {
    uses, kills: 0, writes, flagsUsed,
    flagsKilled: 0,
    flagsWritten: 0, barrier, operandsRead: row.flow === 'indirect-call' || row.flow === 'indirect-jump' ? 1 : 0, operandsWritten: 0, vector: 0, scalar: 0, zeroes: false, faults: row.flow === 'trap' || inlined,
  };
}

/** Exclusive or and subtraction of a register with itself. */
const ZERO_IDIOMS = new Set(['xor', 'sub', 'pxor', 'xorps', 'xorpd', 'psubb', 'psubw', 'psubd', 'psubq']);
const COPIES = new Set(['movaps', 'movapd', 'movdqa', 'movups', 'movupd', 'movdqu']);

function isZeroIdiom({ row, size, operands: [a, b] }: DecodedInstruction): boolean {
  return ZERO_IDIOMS.has(row.semantics) && a?.kind === 'register' && b?.kind === 'register' && a.class === b.class &&
    a.index === b.index && a.high8 === b.high8 && (a.class === 'xmm' || size >= 4);
}

/** `inlined`: a call or return within the region, which leaves it only by a guard. */
export function effectsOf(instruction: DecodedInstruction, semantics: SemanticsTable, inlined: boolean): Effects {
  const analysis = isControl(instruction.row.semantics) ? undefined : analysisOf(instruction, semantics);
  if (analysis === undefined) return controlEffects(instruction, inlined);
  const written = operandRegisters(instruction, analysis.operandsWritten) | analysis.gprWritten | (analysis.xmmWritten << 16);
  const read = operandRegisters(instruction, analysis.operandsRead) | analysis.gprRead | (analysis.xmmRead << 16);
  const partial = operandRegisters(instruction, analysis.operandsWritten & analysis.operandsRead);
  const zeroes = isZeroIdiom(instruction);
  const { semantics: name } = instruction.row;
  const neutral = zeroes || (COPIES.has(name) && instruction.operands.every((operand) => operand.kind === 'register')) || BITWISE.has(name);
  const xmm = (operandRegisters(instruction, ~0) >>> 16) & 0xffff;
  const vector = neutral ? 0 : ((operandRegisters(instruction, analysis.operandsVector) >>> 16) & 0xffff) | analysis.xmmRead | analysis.xmmWritten;
  return {
    vector,
    scalar: neutral ? 0 : xmm & ~vector,
    zeroes,
    uses: zeroes ? 0 : read | addressRegisters(instruction),
    // A register that is also read is no certain kill: the read may stand for a partial write.
    kills: written & ~(partial | (analysis.gprWritten & analysis.gprRead) | ((analysis.xmmWritten & analysis.xmmRead) << 16)),
    writes: written,
    flagsUsed: analysis.flagsRead,
    flagsKilled: analysis.flagsKilled,
    flagsWritten: analysis.flagsWritten,
    barrier: 'none',
    operandsRead: analysis.operandsRead,
    operandsWritten: analysis.operandsWritten,
    // A helper works on registers in memory, and may fault.
    faults: analysis.faults || analysis.helper,
  };
}

const STACK_ACCESSES: ReadonlySet<string> = new Set(['push', 'pop', 'leave', 'call', 'call-indirect', 'ret']);

/** Reads or writes memory, the stack included. */
export function mayTouchMemory({ operands, row }: DecodedInstruction): boolean {
  return STACK_ACCESSES.has(row.semantics) || operands.some(({ kind }) => kind === 'memory');
}
