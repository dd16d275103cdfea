/** The forms of all rows that can be compared with the host's processor: size, register or memory, prefixes. */

import type { InstructionRow } from '../../src/machine/isa/instruction.ts';
import { ROWS } from '../../src/machine/isa/table.ts';
import { hostHas } from './native.ts';
import { canBeMemory, canBeRegister, operandSizes } from './encode.ts';

export interface Form {
  readonly row: InstructionRow;
  readonly size: number;
  readonly memory: boolean;
  readonly lock: boolean;
  readonly repeat: 'rep' | 'repne' | undefined;
}

/** Keys of the semantics whose results depend on the host, or that leave the process. */
const EXCLUDED_KEYS: ReadonlySet<string> = new Set([
  // Time, identity, descriptors, calls.
  'rdtsc', 'rdtscp', 'rdpid', 'cpuid', 'xgetbv', 'syscall', 'verr', 'verw', 'lar', 'lsl',
  'mov-to-segment', 'pop-segment', 'int1',
  // Images with fields that processors fill differently.
  'fxsave', 'fxrstor', 'xsave', 'xsavec', 'xsaveopt', 'xrstor', 'frstor', 'fldenv',
]);

/** Privileged instructions that fault natively whatever their operands; others are emulated or legal. */
const FAULTING: ReadonlySet<string> = new Set([
  'hlt', 'cli', 'sti', 'in', 'out', 'ins', 'outs', 'lldt', 'ltr', 'lgdt', 'lidt', 'lmsw', 'swapgs', 'clts', 'invd', 'wbinvd', 'wrmsr', 'rdmsr',
]);

/** What the host's processor lacks of what it takes to compare. */
const BY_FEATURE: Readonly<Partial<Record<InstructionRow['feature'], string>>> = {
  avx: 'avx', avx2: 'avx2', fma: 'fma', f16c: 'f16c', bmi1: 'bmi1', bmi2: 'bmi2', lzcnt: 'abm', movbe: 'movbe',
};

function isComparable(row: InstructionRow): boolean {
  const needed = BY_FEATURE[row.feature];
  if (needed !== undefined && !hostHas(needed)) return false;
  if (EXCLUDED_KEYS.has(row.semantics)) return false;
  // AMD decodes ud0 without ModRM, and faults on the register form of 0F 0D. Here clflush is a hint that does not fault.
  if (row.mnemonic === 'ud0' || row.mnemonic === 'clflush' || (row.mnemonic === 'nop' && row.opcode === 0x0d)) return false;
  // The undocumented D9 form of fstp does not note that the stack is empty.
  if (row.mnemonic === 'fstp' && row.opcode === 0xd9 && row.modrm === 'reg') return false;
  return row.semantics !== 'privileged' || FAULTING.has(row.mnemonic);
}

function formsOf(row: InstructionRow): Form[] {
  const memories = [...(canBeMemory(row) ? [true] : []), ...(canBeRegister(row) ? [false] : [])];
  if (memories.length === 0) memories.push(false);
  const repeats: Form['repeat'][] = [undefined];
  if (row.repeat !== undefined) repeats.push('rep');
  if (row.repeat === 'repe-repne') repeats.push('repne');
  const result: Form[] = [];
  for (const size of operandSizes(row)) {
    for (const memory of memories) {
      // With 66, AMD's movsxd reads four bytes, Intel's two.
      if (row.mnemonic === 'movsxd' && size === 2 && memory) continue;
      for (const repeat of repeats) result.push({ row, size, memory, repeat, lock: false });
      if (row.lockable && memory) result.push({ row, size, memory, repeat: undefined, lock: true });
    }
  }
  return result;
}

export const FORMS: readonly Form[] = ROWS.filter(isComparable).flatMap(formsOf);
