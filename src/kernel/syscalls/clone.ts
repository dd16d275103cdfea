/** New tasks: clone(2), clone3(2), fork(2), vfork(2) (kernel/fork.c), and what threads register. */
import { E2BIG, EBADF, EBUSY, EEXIST, EFAULT, EINVAL, ENOENT, EPERM } from '../../abi/errno.ts';
import { CAP_SYS_ADMIN } from '../../abi/capability.ts';
import {
  CLONE_ARGS_SIZE_VER0, CLONE_ARGS_SIZE_VER2, CLONE_CLEAR_SIGHAND, CLONE_DETACHED, CLONE_FS, CLONE_INTO_CGROUP, CLONE_NEWIPC, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWTIME, CLONE_NEWUSER,
  CLONE_PARENT, CLONE_PARENT_SETTID, CLONE_PIDFD, CLONE_SIGHAND, CLONE_SYSVSEM, CLONE_THREAD, CLONE_VFORK, CLONE_VM, CSIGNAL,
} from '../../abi/sched.ts';
import { NSIG, SIGCHLD } from '../../abi/signal.ts';
import { cgroupOf, mayWriteFile } from '../../fs/cgroupfs.ts';
import { mayAttach } from '../cgroup/attach.ts';
import { Cgroup } from '../cgroup/cgroup.ts';
import { NAMESPACE_FLAGS } from '../namespaces/kinds.ts';
import type { PidNamespace } from '../namespaces/pid-namespace.ts';
import { traceChild, traceVforkDone } from '../ptrace/attach.ts';
import { copyTask, hasFlag, type CloneArguments } from '../task/fork.ts';
import { endTask } from '../task/exit.ts';
import { ATTENTION_YIELD, type KernelTask } from '../task/task.ts';
import type { SyscallRow } from '../types.ts';
import { row } from './define.ts';
import { openPidfd } from './pidfd.ts';

const PAGE_SIZE_LIMIT = 4096;
/** `struct rseq`: bytes that the registration must cover. */
const RSEQ_SIZE = 32;
const RSEQ_FLAG_UNREGISTER = 1;

/** With so many address spaces, a child runs before its parent goes on: it often ends at once, and its memory serves the next. */
const MANY_ADDRESS_SPACES = 6;

/** Combinations that make no sense (copy_process). */
function checkFlags(task: KernelTask, flags: number): number {
  if (hasFlag(flags, CLONE_THREAD) && !hasFlag(flags, CLONE_SIGHAND)) return -EINVAL;
  if (hasFlag(flags, CLONE_SIGHAND) && !hasFlag(flags, CLONE_VM)) return -EINVAL;
  // Descriptors are of whole processes here, as on Linux before 6.9.
  if (hasFlag(flags, CLONE_THREAD) && hasFlag(flags, CLONE_PIDFD)) return -EINVAL;
  if ((hasFlag(flags, CLONE_NEWNS) || hasFlag(flags, CLONE_NEWUSER)) && hasFlag(flags, CLONE_FS)) return -EINVAL;
  const { namespaces, process } = task;
  if (hasFlag(flags, CLONE_THREAD)) {
    if (hasFlag(flags, CLONE_NEWUSER) || hasFlag(flags, CLONE_NEWPID)) return -EINVAL;
    if (namespaces.pidForChildren !== process.pidNamespace) return -EINVAL;
  }
  if (hasFlag(flags, CLONE_CLEAR_SIGHAND) && hasFlag(flags, CLONE_SIGHAND)) return -EINVAL;
  if (hasFlag(flags, CLONE_PARENT) && process.isUnkillable) return -EINVAL;
  if (((flags % 0x1_0000_0000) & NAMESPACE_FLAGS) === 0) return 0;
  if (hasFlag(flags, CLONE_NEWIPC) && hasFlag(flags, CLONE_SYSVSEM)) return -EINVAL;
  // With a user namespace of its own the child's capabilities count.
  return hasFlag(flags, CLONE_NEWUSER) || task.capableIn(task.credentials.user, CAP_SYS_ADMIN) ? 0 : -EPERM;
}

/** Makes the child and lets it run; with CLONE_VFORK waits until it has left the parent's memory. */
function cloneTask(task: KernelTask, request: CloneArguments, pidfdAddress: number): number {
  const waiting = task.blocking as KernelTask | undefined;
  if (waiting !== undefined) return waitForVfork(task, waiting);
  const refused = checkFlags(task, request.flags);
  if (refused !== 0) return refused;
  const child = copyTask(task, request);
  if (typeof child === 'number') return child;
  if (hasFlag(request.flags, CLONE_PIDFD)) {
    const fd = openPidfd(task, child.process, 0);
    if (fd < 0 || task.memory.writeU32(pidfdAddress, fd) < 0) {
      if (fd >= 0) task.files.close(fd);
      child.process.parent?.children.delete(child.process);
      child.process.parent = undefined;
      endTask(child);
      return fd < 0 ? fd : -EFAULT;
    }
  }
  traceChild(task, child, request.flags, request.exitSignal);
  task.kernel.scheduler.enqueue(child);
  if (!hasFlag(request.flags, CLONE_VM) && task.kernel.memory.addressSpaces > MANY_ADDRESS_SPACES) task.attention |= ATTENTION_YIELD;
  if (!hasFlag(request.flags, CLONE_VFORK)) return task.numberOf(child.tid);
  task.blocking = child;
  return waitForVfork(task, child);
}

function waitForVfork(task: KernelTask, child: KernelTask): number {
  const queue = child.vforkDone;
  task.uninterruptible = queue !== undefined;
  if (queue !== undefined) return task.block([queue]);
  traceVforkDone(task, child);
  return task.numberOf(child.tid);
}

function clone(task: KernelTask, rawFlags: number, stack: number, parentTid: number, childTid: number, tls: number): number {
  const flags = ((rawFlags % 0x1_0000_0000) & ~CSIGNAL) >>> 0;
  if (hasFlag(flags, CLONE_PIDFD) && (hasFlag(flags, CLONE_PARENT_SETTID) || hasFlag(flags, CLONE_DETACHED))) return -EINVAL;
  return cloneTask(task, { flags, stack, parentTid, childTid, tls, exitSignal: rawFlags & CSIGNAL }, parentTid);
}

function clone3(task: KernelTask, address: number, size: number): number {
  const waiting = task.blocking as KernelTask | undefined;
  if (waiting !== undefined) return waitForVfork(task, waiting);
  if (size > PAGE_SIZE_LIMIT) return -E2BIG;
  if (size < CLONE_ARGS_SIZE_VER0) return -EINVAL;
  const bytes = task.memory.copyIn(address, size);
  if (bytes === undefined) return -EFAULT;
  if (bytes.subarray(CLONE_ARGS_SIZE_VER2).some((byte) => byte !== 0)) return -E2BIG;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const field = (index: number): number => (8 * index + 8 <= size ? Number(view.getBigUint64(8 * index, true)) : 0);
  const [flags, pidfd, childTid, parentTid, exitSignal, stack, stackSize, tls, setTid, setTidSize] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(field) as [number, number, number, number, number, number, number, number, number, number];
  if (flags >= 2 * CLONE_INTO_CGROUP || hasFlag(flags, CLONE_DETACHED) || (flags & CSIGNAL & ~CLONE_NEWTIME) !== 0) return -EINVAL;
  if (exitSignal > NSIG || (hasFlag(flags, CLONE_THREAD) || hasFlag(flags, CLONE_PARENT)) && exitSignal !== 0) return -EINVAL;
  if ((stack === 0) !== (stackSize === 0)) return -EINVAL;
  if ((setTid === 0) !== (setTidSize === 0)) return -EINVAL;
  const wanted = setTid === 0 ? undefined : readWantedTids(task, setTid, setTidSize, hasFlag(flags, CLONE_NEWPID));
  if (typeof wanted === 'number') return wanted;
  if (hasFlag(flags, CLONE_INTO_CGROUP) && (size < CLONE_ARGS_SIZE_VER2 || field(10) > 0x7fff_ffff)) return -EINVAL;
  const cgroup = hasFlag(flags, CLONE_INTO_CGROUP) ? cgroupForChild(task, field(10), !hasFlag(flags, CLONE_THREAD)) : undefined;
  if (typeof cgroup === 'number') return cgroup;
  return cloneTask(task, { flags, stack: stack + stackSize, parentTid, childTid, tls, exitSignal, setTid: wanted, cgroup }, pidfd);
}

/** cgroup_css_set_fork(): the group that a descriptor is of, if a child may begin there. */
function cgroupForChild(task: KernelTask, fd: number, whole: boolean): Cgroup | number {
  const file = task.files.get(fd);
  const group = file === undefined ? undefined : cgroupOf(file.inode);
  if (!(group instanceof Cgroup)) return -EBADF;
  if (group.removed) return -ENOENT;
  const refused = mayAttach(task, task.cgroup, group, whole, (of, name) => mayWriteFile(file!.inode, of, name));
  return refused === 0 ? group : refused;
}

/** `set_tid`: numbers in the child's PID namespace and in those above it, as many as are given (alloc_pid). */
function readWantedTids(task: KernelTask, address: number, count: number, makesNamespace: boolean): readonly number[] | number {
  const { pidForChildren } = task.namespaces;
  const levels = pidForChildren.level + (makesNamespace ? 2 : 1);
  if (count > levels) return -EINVAL;
  const wanted: number[] = [];
  let at: PidNamespace | undefined = makesNamespace ? undefined : pidForChildren;
  for (let i = 0; i < count; i++) {
    const number = task.memory.readI32(address + 4 * i);
    if (number === undefined) return -EFAULT;
    if (number < 1 || number >= task.kernel.limits.pidMax || (at === undefined && number !== 1)) return -EINVAL;
    if (at !== undefined && at.init === undefined && at.parent !== undefined && number !== 1) return -EINVAL;
    if (!task.capableIn(at?.user ?? task.credentials.user, CAP_SYS_ADMIN)) return -EPERM;
    if (at !== undefined && (at.parent === undefined ? task.kernel.isPidTaken(number) : at.has(number))) return -EEXIST;
    wanted.push(number);
    at = at === undefined ? pidForChildren : at.parent;
  }
  return wanted;
}

function fork(task: KernelTask): number {
  return cloneTask(task, { flags: 0, stack: 0, parentTid: 0, childTid: 0, tls: 0, exitSignal: SIGCHLD }, 0);
}

function vfork(task: KernelTask): number {
  return cloneTask(task, { flags: CLONE_VFORK | CLONE_VM, stack: 0, parentTid: 0, childTid: 0, tls: 0, exitSignal: SIGCHLD }, 0);
}

function setTidAddress(task: KernelTask, address: number): number {
  task.clearChildTid = address;
  return task.number;
}

/**
 * rseq(2). A task is only ever moved between "processors" of one kernel thread, so that the processor is
 * always 0 and a critical section needs no restart but after a signal or preemption inside it; glibc uses only the number.
 */
function rseq(task: KernelTask, address: number, length: number, flags: number, signature: number): number {
  const { rseq: current, memory } = task;
  if ((flags & RSEQ_FLAG_UNREGISTER) !== 0) {
    if (flags !== RSEQ_FLAG_UNREGISTER || current === undefined || current.address !== address || current.length !== length) return -EINVAL;
    if (current.signature !== signature) return -EPERM;
    memory.writeU32(address, 0);
    memory.writeU32(address + 4, 0xffff_ffff);
    task.rseq = undefined;
    return 0;
  }
  if (flags !== 0) return -EINVAL;
  if (current !== undefined) return current.address !== address || current.length !== length ? -EINVAL : current.signature !== signature ? -EPERM : -EBUSY;
  if (length < RSEQ_SIZE || address % 32 !== 0) return -EINVAL;
  if (memory.writable(address, length) === undefined) return -EFAULT;
  memory.writeU32(address, 0);
  memory.writeU32(address + 4, 0);
  task.rseq = { address, length, signature };
  return 0;
}

export const cloneRows: readonly SyscallRow[] = [
  row(56, 'clone', ['flags:clone-flags', 'pointer', 'pointer', 'pointer', 'pointer'], clone),
  row(57, 'fork', [], fork),
  row(58, 'vfork', [], vfork),
  row(218, 'set_tid_address', ['pointer'], setTidAddress),
  row(334, 'rseq', ['pointer', 'uint', 'flags', 'uint'], rseq, { support: 'partial', note: 'The processor number is kept; critical sections are not restarted.' }),
  row(435, 'clone3', ['pointer', 'size'], clone3),
];

