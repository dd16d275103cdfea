/** seccomp(2), and PR_SET_SECCOMP of prctl(2) (kernel/seccomp.c). */
import { EACCES, EBUSY, EFAULT, EINVAL, ENOMEM, EOPNOTSUPP, ESRCH } from '../../abi/errno.ts';
import { CAP_SYS_ADMIN } from '../../abi/capability.ts';
import {
  BPF_MAXINSNS, SECCOMP_DATA_SIZE, SECCOMP_FILTER_FLAG_LOG, SECCOMP_FILTER_FLAG_NEW_LISTENER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, SECCOMP_FILTER_FLAG_TSYNC,
  SECCOMP_FILTER_FLAG_TSYNC_ESRCH, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, SECCOMP_GET_ACTION_AVAIL, SECCOMP_GET_NOTIF_SIZES, SECCOMP_MODE_FILTER,
  SECCOMP_MODE_STRICT, SECCOMP_NOTIF_RESP_SIZE, SECCOMP_NOTIF_SIZE, SECCOMP_SET_MODE_FILTER, SECCOMP_SET_MODE_STRICT,
} from '../../abi/seccomp.ts';
import { decodeFilter } from '../seccomp/bpf.ts';
import { SeccompListener } from '../seccomp/listener.ts';
import { SECCOMP_ACTIONS, type Filter, type Seccomp } from '../seccomp/seccomp.ts';
import { specialFilesOf } from '../files/special-files.ts';
import type { Kernel } from '../kernel.ts';
import type { KernelTask } from '../task/task.ts';
import type { SyscallRow } from '../types.ts';
import { row } from './define.ts';

const KNOWN_FLAGS = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW | SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_TSYNC_ESRCH |
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
/** MAX_INSNS_PER_PATH: instructions of all filters together, each with four more. */
const MOST_INSTRUCTIONS = 32_768;
const PER_FILTER = 4;

function setStrict(task: KernelTask): number {
  if (task.seccomp !== undefined && !task.seccomp.strict) return -EINVAL;
  task.seccomp = { strict: true, filters: [] };
  return 0;
}

/** `struct sock_fprog`: length u16, pointer at 8. */
function readProgram(task: KernelTask, address: number): Filter['program'] | number {
  const length = task.memory.readU16(address);
  const pointer = task.memory.readI64(address + 8);
  if (length === undefined || pointer === undefined) return -EFAULT;
  if (length === 0 || length > BPF_MAXINSNS) return -EINVAL;
  const bytes = task.memory.copyIn(pointer, 8 * length);
  return bytes === undefined ? -EFAULT : decodeFilter(bytes) ?? -EINVAL;
}

/** Combinations that make no sense (seccomp_set_mode_filter). */
function checkFlags(flags: number): number {
  const listens = (flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) !== 0;
  // Both a thread's id and a descriptor would be answers.
  const answers = flags & (SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH);
  if ((flags & ~KNOWN_FLAGS) !== 0 || (listens && answers === SECCOMP_FILTER_FLAG_TSYNC)) return -EINVAL;
  return (flags & SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV) !== 0 && !listens ? -EINVAL : 0;
}

/** Whether a task still has the filter of a listener. */
function isUsed(kernel: Kernel, listener: SeccompListener): boolean {
  for (const process of kernel.processes()) {
    for (const task of process.tasks) if (task.seccomp?.filters.some((filter) => filter.listener === listener) === true) return true;
  }
  return false;
}

function setFilter(task: KernelTask, flags: number, address: number): number {
  const refused = checkFlags(flags);
  if (refused !== 0) return refused;
  const program = readProgram(task, address);
  if (typeof program === 'number') return program;
  if (!task.credentials.noNewPrivileges && !task.capableIn(task.credentials.user, CAP_SYS_ADMIN)) return -EACCES;
  if (task.seccomp?.strict === true) return -EINVAL;
  const before = task.seccomp?.filters ?? [];
  if (before.reduce((sum, filter) => sum + filter.program.length + PER_FILTER, program.length + PER_FILTER) > MOST_INSTRUCTIONS) return -ENOMEM;
  const { kernel } = task;
  let listener: SeccompListener | undefined;
  if ((flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) !== 0) {
    if (before.some((filter) => filter.listener?.isClosed === false)) return -EBUSY;
    const waitsKillable = (flags & SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV) !== 0;
    listener = new SeccompListener(kernel, specialFilesOf(kernel).anonymousInode, waitsKillable, (own) => isUsed(kernel, own));
  }
  const filters = [...before, { program, listener }];
  // SECCOMP_FILTER_FLAG_TSYNC: all threads take the filters over; or the answer is the id of one that has others.
  const others = (flags & SECCOMP_FILTER_FLAG_TSYNC) === 0 ? [] : [...task.process.tasks].filter((other) => other !== task);
  const unlike = others.find((other) => !isBelow(other.seccomp, filters));
  if (unlike !== undefined) return (flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH) !== 0 ? -ESRCH : task.numberOf(unlike.tid);
  const fd = listener === undefined ? 0 : task.files.install(listener, true);
  if (fd < 0) return fd;
  task.seccomp = { strict: false, filters };
  for (const other of others) {
    other.seccomp = { strict: false, filters };
    if (task.credentials.noNewPrivileges) other.credentials = { ...other.credentials, noNewPrivileges: true };
  }
  return fd;
}

/** Whether a thread's filters are the oldest of `filters` (is_ancestor()). */
function isBelow(own: Seccomp | undefined, filters: Seccomp['filters']): boolean {
  return own === undefined || (!own.strict && own.filters.every((filter, index) => filter === filters[index]));
}

function seccomp(task: KernelTask, operation: number, flags: number, address: number): number {
  switch (operation) {
    case SECCOMP_SET_MODE_STRICT:
      return flags !== 0 || address !== 0 ? -EINVAL : setStrict(task);
    case SECCOMP_SET_MODE_FILTER:
      return setFilter(task, flags, address);
    case SECCOMP_GET_ACTION_AVAIL: {
      if (flags !== 0) return -EINVAL;
      const action = task.memory.readI32(address);
      return action === undefined ? -EFAULT : SECCOMP_ACTIONS.has(action) ? 0 : -EOPNOTSUPP;
    }
    case SECCOMP_GET_NOTIF_SIZES: {
      if (flags !== 0) return -EINVAL;
      const sizes = [SECCOMP_NOTIF_SIZE, SECCOMP_NOTIF_RESP_SIZE, SECCOMP_DATA_SIZE];
      return sizes.some((size, index) => task.memory.writeU16(address + 2 * index, size) < 0) ? -EFAULT : 0;
    }
    default:
      return -EINVAL;
  }
}

/** prctl(PR_GET_SECCOMP). */
export function getSeccomp({ seccomp: state }: KernelTask): number {
  return state === undefined ? 0 : state.strict ? SECCOMP_MODE_STRICT : SECCOMP_MODE_FILTER;
}

/** prctl(PR_SET_SECCOMP, mode, filter). */
export function setSeccomp(task: KernelTask, mode: number, address: number): number {
  if (mode === SECCOMP_MODE_STRICT) return setStrict(task);
  return mode === SECCOMP_MODE_FILTER ? setFilter(task, 0, address) : -EINVAL;
}

export const seccompRows: readonly SyscallRow[] = [
  row(317, 'seccomp', ['uint', 'uint', 'pointer'], seccomp),
];
