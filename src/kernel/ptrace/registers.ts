/** Registers of a held task as its tracer sees them (arch/x86/kernel/ptrace.c, arch/x86/kernel/fpu/regset.c). */
import { EFAULT, EINVAL, EIO } from '../../abi/errno.ts';
import { NT_PRFPREG, NT_PRSTATUS, NT_X86_XSTATE, USER_DEBUGREG, USER_REGS_SIZE, USER_SIZE } from '../../abi/ptrace.ts';
import {
  R10, R11, R12, R13, R14, R15, R8, R9, RAX, RBP, RBX, RCX, RDI, RDX, RSI, RSP, THREAD_STATE_SIZE, type AddressSpace,
} from '../../machine/index.ts';
import type { KernelTask } from '../task/task.ts';

/** Order of `struct user_regs_struct`. */
const WORDS = [
  R15, R14, R13, R12, RBP, RBX, R11, R10, R9, R8, RAX, RCX, RDX, RSI, RDI, 'orig_rax', 'rip', 'cs', 'eflags', RSP, 'ss', 'fs_base', 'gs_base', 'ds', 'es', 'fs', 'gs',
] as const;
type Word = (typeof WORDS)[number];

const DEBUG_REGISTERS = 8;
const USER_CS = 0x33n;
const USER_SS = 0x2bn;
/** What a tracer may change of EFLAGS (FLAG_MASK): CF, PF, AF, ZF, SF, TF, DF, OF, RF, NT, AC. */
const FLAG_MASK = 0x5_4dd5n;
/** Beyond it no base of a segment may be (TASK_SIZE_MAX). */
const TASK_SIZE = 0x7fff_ffff_f000n;
const FXSAVE_BYTES = 512;
/** In the software bytes of the FXSAVE area: XCR0, for debuggers. */
const XCR0_OFFSET = 464;
const XSTATE_BV_OFFSET = 512;
const XSAVE_HEADER_END = 576;
/** MXCSR bits that the processor takes. */
const MXCSR_MASK = 0xffff;
const MXCSR_OFFSET = 24;

/** Calls `use` while the task's registers are in its address space. */
export function withRegisters<T>(task: KernelTask, use: (space: AddressSpace) => T): T {
  const { space } = task.mm;
  if (task.kernel.scheduler.isLoaded(task)) return use(space);
  const kept = new Uint8Array(THREAD_STATE_SIZE);
  space.saveThread(kept);
  space.loadThread(task.saved);
  const result = use(space);
  space.saveThread(task.saved);
  space.loadThread(kept);
  return result;
}

function getWord(task: KernelTask, space: AddressSpace, word: Word): bigint {
  switch (word) {
    case 'orig_rax':
      return BigInt.asUintN(64, BigInt(task.originalCall));
    case 'rip':
      return BigInt(space.rip);
    case 'eflags':
      return BigInt(space.eflags >>> 0);
    case 'cs':
      return USER_CS;
    case 'ss':
      return USER_SS;
    case 'fs_base':
      return space.fsBase;
    case 'gs_base':
      return space.gsBase;
    case 'ds':
    case 'es':
    case 'fs':
    case 'gs':
      return 0n;
    default:
      return BigInt.asUintN(64, space.getRegister(word));
  }
}

/** 0 or -EIO for what no register may be (putreg). Selectors can only stay what they are. */
function setWord(task: KernelTask, space: AddressSpace, word: Word, value: bigint): number {
  switch (word) {
    case 'orig_rax':
      task.originalCall = Number(BigInt.asIntN(32, value));
      return 0;
    case 'rip':
      // Nothing is mapped at 0: the fetch faults there as it would further up.
      space.rip = value > 0xffff_ffffn ? 0 : Number(value);
      return 0;
    case 'eflags':
      space.eflags = Number((BigInt(space.eflags >>> 0) & ~FLAG_MASK) | (value & FLAG_MASK));
      return 0;
    case 'fs_base':
    case 'gs_base':
      if (value >= TASK_SIZE) return -EIO;
      if (word === 'fs_base') space.fsBase = value;
      else space.gsBase = value;
      return 0;
    case 'cs':
    case 'ss':
      return (value & 3n) === 3n ? 0 : -EIO;
    case 'ds':
    case 'es':
    case 'fs':
    case 'gs':
      return (value & 0xffffn) === 0n || (value & 3n) === 3n ? 0 : -EIO;
    default:
      space.setRegister(word, value);
      return 0;
  }
}

/** `struct user_regs_struct`. */
export function readRegisters(task: KernelTask): Uint8Array {
  const bytes = new Uint8Array(USER_REGS_SIZE);
  const view = new DataView(bytes.buffer);
  withRegisters(task, (space) => WORDS.forEach((word, index) => view.setBigUint64(8 * index, getWord(task, space, word), true)));
  return bytes;
}

/** Sets the words that `bytes` has, in order, up to the first that is refused. */
export function writeRegisters(task: KernelTask, bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return withRegisters(task, (space) => {
    for (let index = 0; 8 * index + 8 <= bytes.length; index++) {
      const answer = setWord(task, space, WORDS[index]!, view.getBigUint64(8 * index, true));
      if (answer < 0) return answer;
    }
    return 0;
  });
}

/** Number of a debug register by its offset in `struct user`, or -1. */
function debugRegister(offset: number): number {
  const index = (offset - USER_DEBUGREG) / 8;
  return index >= 0 && index < DEBUG_REGISTERS ? index : -1;
}

/** PTRACE_PEEKUSR: a word of `struct user`, or -EIO. What is neither register nor debug register is 0. */
export function peekUser(task: KernelTask, offset: number): bigint | number {
  if (offset < 0 || offset % 8 !== 0 || offset >= USER_SIZE) return -EIO;
  const word = WORDS[offset / 8];
  if (word !== undefined) return withRegisters(task, (space) => getWord(task, space, word));
  const index = debugRegister(offset);
  return index < 0 ? 0n : (task.tracee?.debug.read(index) ?? 0n);
}

/** PTRACE_POKEUSR: 0 or -errno. */
export function pokeUser(task: KernelTask, offset: number, value: bigint): number {
  if (offset < 0 || offset % 8 !== 0 || offset >= USER_SIZE) return -EIO;
  const word = WORDS[offset / 8];
  if (word !== undefined) return withRegisters(task, (space) => setWord(task, space, word, value));
  const index = debugRegister(offset);
  return index < 0 ? -EIO : (task.tracee?.debug.write(index, value) ?? -EIO);
}

export function readFpu(task: KernelTask): Uint8Array {
  const bytes = new Uint8Array(FXSAVE_BYTES);
  withRegisters(task, (space) => space.saveFpu(bytes));
  return bytes;
}

export function writeFpu(task: KernelTask, bytes: Uint8Array): number {
  const whole = readFpu(task);
  whole.set(bytes.subarray(0, FXSAVE_BYTES));
  if ((new DataView(whole.buffer).getUint32(MXCSR_OFFSET, true) & ~MXCSR_MASK) !== 0) return -EINVAL;
  withRegisters(task, (space) => space.loadFpu(whole));
  return 0;
}

function readXstate(task: KernelTask): Uint8Array {
  const { space } = task.mm;
  const bytes = new Uint8Array(space.xstateSize);
  withRegisters(task, () => space.saveXstate(bytes));
  new DataView(bytes.buffer).setBigUint64(XCR0_OFFSET, BigInt(space.xstateFeatures), true);
  return bytes;
}

function writeXstate(task: KernelTask, bytes: Uint8Array): number {
  const { space } = task.mm;
  if (bytes.length !== space.xstateSize) return -EFAULT;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const present = view.getBigUint64(XSTATE_BV_OFFSET, true);
  const isForeign = (present & ~BigInt(space.xstateFeatures)) !== 0n || bytes.subarray(XSTATE_BV_OFFSET + 8, XSAVE_HEADER_END).some((byte) => byte !== 0);
  if (isForeign || (view.getUint32(MXCSR_OFFSET, true) & ~MXCSR_MASK) !== 0) return -EINVAL;
  withRegisters(task, () => space.loadXstate(bytes));
  return 0;
}

/** A set of registers by its note type (linux/elf.h). All are in words of 8 bytes. */
export interface RegisterSet {
  readonly read: (task: KernelTask) => Uint8Array;
  readonly write: (task: KernelTask, bytes: Uint8Array) => number;
  readonly size: (task: KernelTask) => number;
}

export const REGISTER_SETS: ReadonlyMap<number, RegisterSet> = new Map<number, RegisterSet>([
  [NT_PRSTATUS, { read: readRegisters, write: writeRegisters, size: () => USER_REGS_SIZE }],
  [NT_PRFPREG, { read: readFpu, write: writeFpu, size: () => FXSAVE_BYTES }],
  [NT_X86_XSTATE, { read: readXstate, write: writeXstate, size: (task) => task.mm.space.xstateSize }],
]);
