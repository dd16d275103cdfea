/** `struct ptrace_syscall_info`: which call a task is held at (kernel/ptrace.c: ptrace_get_syscall_info). */
import {
  PTRACE_SYSCALL_INFO_ENTRY, PTRACE_SYSCALL_INFO_EXIT, PTRACE_SYSCALL_INFO_NONE, PTRACE_SYSCALL_INFO_SECCOMP, SYSCALL_INFO_SIZE, SYSCALL_INFO_SIZES,
} from '../../abi/ptrace.ts';
import { AUDIT_ARCH_X86_64 } from '../../abi/seccomp.ts';
import { R10, R8, R9, RAX, RDI, RDX, RSI, RSP, type AddressSpace } from '../../machine/index.ts';
import type { KernelTask } from '../task/task.ts';
import { withRegisters } from './registers.ts';
import type { Stop, StopKind } from './tracee.ts';

const ARGUMENTS = [RDI, RSI, RDX, R10, R8, R9];
const MAX_ERRNO = 4095n;
const OPERATIONS: Readonly<Partial<Record<StopKind, number>>> = {
  'syscall-entry': PTRACE_SYSCALL_INFO_ENTRY, 'syscall-exit': PTRACE_SYSCALL_INFO_EXIT, seccomp: PTRACE_SYSCALL_INFO_SECCOMP,
};

/** As many bytes as the kind of stop has. */
export function syscallInfo(task: KernelTask, stop: Stop): Uint8Array {
  const operation = OPERATIONS[stop.kind] ?? PTRACE_SYSCALL_INFO_NONE;
  const bytes = new Uint8Array(SYSCALL_INFO_SIZE);
  const view = new DataView(bytes.buffer);
  bytes[0] = operation;
  view.setUint32(4, AUDIT_ARCH_X86_64, true);
  withRegisters(task, (space) => {
    view.setBigUint64(8, BigInt(space.rip), true);
    view.setBigUint64(16, BigInt.asUintN(64, space.getRegister(RSP)), true);
    if (operation === PTRACE_SYSCALL_INFO_EXIT) writeExit(view, space);
    else if (operation !== PTRACE_SYSCALL_INFO_NONE) writeEntry(view, task, space);
  });
  if (operation === PTRACE_SYSCALL_INFO_SECCOMP) view.setUint32(80, task.tracee?.message ?? 0, true);
  return bytes.subarray(0, SYSCALL_INFO_SIZES[operation]);
}

function writeEntry(view: DataView, task: KernelTask, space: AddressSpace): void {
  view.setBigInt64(24, BigInt(task.originalCall), true);
  ARGUMENTS.forEach((register, index) => view.setBigUint64(32 + 8 * index, BigInt.asUintN(64, space.getRegister(register)), true));
}

function writeExit(view: DataView, space: AddressSpace): void {
  const result = BigInt.asIntN(64, space.getRegister(RAX));
  view.setBigInt64(24, result, true);
  view.setUint8(32, result < 0n && result >= -MAX_ERRNO ? 1 : 0);
}
