/** New tasks (kernel/fork.c: copy_process). The system calls are in `syscalls/clone.ts`. */
import { EAGAIN, ENOMEM, ENOSPC } from '../../abi/errno.ts';
import { RLIMIT_NOFILE, RLIMIT_NPROC } from '../../abi/resource.ts';
import { CAP_SYS_ADMIN, CAP_SYS_RESOURCE } from '../../abi/capability.ts';
import {
  CLONE_CHILD_CLEARTID, CLONE_CHILD_SETTID, CLONE_CLEAR_SIGHAND, CLONE_FILES, CLONE_FS, CLONE_PARENT, CLONE_PARENT_SETTID, CLONE_SETTLS, CLONE_SIGHAND,
  CLONE_NEWNS, CLONE_NEWUSER, CLONE_THREAD, CLONE_VFORK, CLONE_VM,
} from '../../abi/sched.ts';
import { WaitQueue } from '../../fs/types.ts';
import type { Cgroup } from '../cgroup/cgroup.ts';
import { RAX, RSP, STATE_FS_BASE, STATE_GPR } from '../../machine/index.ts';
import type { Mm } from '../mm/mm.ts';
import { NAMESPACE_FLAGS } from '../namespaces/kinds.ts';
import { makeUserNamespace, unshareNamespaces, type Namespaces } from '../namespaces/namespaces.ts';
import { NO_ALTERNATE_STACK } from '../signals/signal-frame.ts';
import type { UserNamespace } from '../namespaces/user-namespace.ts';
import { enterUserNamespace } from './credentials.ts';
import { Process } from './process.ts';
import { SharedRef } from './shared-ref.ts';
import { KernelTask } from './task.ts';

/** `struct kernel_clone_args`. */
export interface CloneArguments {
  /** CLONE_* bits up to 2^33, a safe integer. */
  readonly flags: number;
  /** Top of the child's stack, or 0: as the parent's. */
  readonly stack: number;
  readonly parentTid: number;
  readonly childTid: number;
  readonly tls: number;
  readonly exitSignal: number;
  /** Ids that clone3 asks for: in the child's own PID namespace, and in those above it. */
  readonly setTid?: readonly number[] | undefined;
  /** CLONE_INTO_CGROUP: not the parent's. */
  readonly cgroup?: Cgroup | undefined;
}

export function hasFlag(flags: number, flag: number): boolean {
  return flag > 0xffff_ffff ? Math.floor(flags / flag) % 2 === 1 : ((flags % 0x1_0000_0000) & flag) !== 0;
}

/** Makes the child, not yet in the run queue; or -errno. */
export function copyTask(parent: KernelTask, request: CloneArguments): KernelTask | number {
  const { kernel } = parent;
  const { flags } = request;
  const refused = checkCounts(parent, hasFlag(flags, CLONE_THREAD));
  if (refused !== 0) return refused;
  const user = hasFlag(flags, CLONE_NEWUSER) ? makeUserNamespace(parent.credentials, isChrooted(parent)) : undefined;
  if (typeof user === 'number') return user;
  const namespaces = namespacesFor(parent, flags, user);
  if (typeof namespaces === 'number') return namespaces;
  if (namespaces.pidForChildren.isOver) return -ENOMEM;
  const wanted = (flags % 0x1_0000_0000) & NAMESPACE_FLAGS;
  if ((wanted & CLONE_NEWNS) !== 0 && !parent.fs.namespace.mayBeCopied) return -ENOSPC;
  const full = wanted === 0 ? 0 : kernel.census.take(wanted);
  if (full !== 0) return full;
  const credentials = user === undefined ? parent.credentials : enterUserNamespace(parent.credentials, user);
  const sharesMemory = hasFlag(flags, CLONE_VM);
  const cgroup = request.cgroup ?? parent.cgroup;
  const overCount = cgroup.pids.charge();
  if (overCount !== 0) return overCount;
  const mm = sharesMemory ? parent.mm : parent.mm.fork();
  if (typeof mm === 'number') {
    cgroup.pids.uncharge();
    return mm;
  }
  const tid = takeId(parent, namespaces, request.setTid);
  const isThread = hasFlag(flags, CLONE_THREAD);
  const process = isThread ? parent.process : copyProcess(parent, request, tid, namespaces);
  if (sharesMemory && !isThread) mm.users++;
  if (!sharesMemory && cgroup !== parent.cgroup) mm.meter.move(cgroup.memory);
  const task = new KernelTask({
    tid, kernel, process, mm,
    files: hasFlag(flags, CLONE_FILES) ? parent.filesRef.share() : new SharedRef(parent.files.clone(() => process.limit(RLIMIT_NOFILE))),
    fs: hasFlag(flags, CLONE_FS) ? parent.fsRef.share() : new SharedRef(parent.fs.clone()),
    credentials,
    namespaces,
    name: parent.name,
    cgroup,
  });
  if (hasFlag(flags, CLONE_NEWNS)) task.fs.enterNewNamespace(credentials.user);
  if (!isThread) process.setLeader(task);
  process.tasks.add(task);
  copyAttributes(parent, task, flags);
  setRegisters(parent, task, request, mm);
  if (hasFlag(flags, CLONE_CHILD_CLEARTID)) task.clearChildTid = request.childTid;
  if (hasFlag(flags, CLONE_CHILD_SETTID)) mm.memory.writeU32(request.childTid, task.number);
  if (hasFlag(flags, CLONE_PARENT_SETTID)) parent.memory.writeU32(request.parentTid, parent.numberOf(tid));
  if (hasFlag(flags, CLONE_VFORK)) task.vforkDone = new WaitQueue();
  kernel.addTask(task);
  kernel.cgroups.add(task, cgroup);
  return task;
}

/** current_chrooted(): its root is not what its mounts have on top. */
export function isChrooted({ fs }: KernelTask): boolean {
  const top = fs.namespace.rootLocation;
  return fs.root.mount !== top.mount || fs.root.dentry !== top.dentry;
}

/** copy_namespaces(). The one of mounts comes with the child's own `FsContext`. */
function namespacesFor({ namespaces, credentials, process, cgroup }: KernelTask, flags: number, user: UserNamespace | undefined): Namespaces | number {
  const wanted = (flags % 0x1_0000_0000) & NAMESPACE_FLAGS & ~CLONE_NEWUSER;
  const made = wanted === 0 ? namespaces : unshareNamespaces(namespaces, wanted, { user: user ?? credentials.user, active: process.pidNamespace, cgroup });
  if (typeof made === 'number' || hasFlag(flags, CLONE_VM) || made.time === made.timeForChildren) return made;
  return withTimeOfChildren(made);
}

/** timens_on_fork(), and at exec: the process is now in the time namespace that was made for its children. */
export function withTimeOfChildren(namespaces: Namespaces): Namespaces {
  namespaces.timeForChildren.isFrozen = true;
  return { ...namespaces, time: namespaces.timeForChildren };
}

/** alloc_pid(): an id of the kernel, with a number in each PID namespace. */
function takeId({ kernel }: KernelTask, { pidForChildren }: Namespaces, wanted: readonly number[] | undefined): number {
  const { level } = pidForChildren;
  const id = wanted?.[level] ?? kernel.allocatePid();
  if (level > 0) pidForChildren.enroll(id, kernel.limits.pidMax, wanted);
  return id;
}

function checkCounts(parent: KernelTask, isThread: boolean): number {
  const { kernel, process, credentials } = parent;
  if (isThread && process.state !== 'alive') return -EAGAIN;
  const limit = process.limit(RLIMIT_NPROC);
  if (credentials.uid !== 0 && !parent.capable(CAP_SYS_RESOURCE) && !parent.capable(CAP_SYS_ADMIN) && kernel.countTasksOf(credentials.uid) >= limit) return -EAGAIN;
  return 0;
}

function copyProcess(parent: KernelTask, request: CloneArguments, pid: number, { pidForChildren: pidNamespace }: Namespaces): Process {
  const { process: old } = parent;
  const { flags } = request;
  const adopter = hasFlag(flags, CLONE_PARENT) ? old.parent : old;
  const process = new Process({
    pid, pidNamespace,
    kernel: parent.kernel,
    parent: adopter,
    processGroup: old.processGroup,
    session: old.sessionRef,
    actions: hasFlag(flags, CLONE_SIGHAND) ? old.actionsRef.share() : new SharedRef(old.actions.clone()),
    limits: old.limits.clone(),
  });
  if (hasFlag(flags, CLONE_CLEAR_SIGHAND)) process.actions.resetHandlers(false);
  process.exitSignal = hasFlag(flags, CLONE_PARENT) ? old.exitSignal : request.exitSignal;
  process.dumpable = old.dumpable;
  process.oomScoreAdjust = old.oomScoreAdjust;
  adopter?.children.add(process);
  if (pidNamespace.parent !== undefined && pidNamespace.init === undefined) {
    pidNamespace.init = process;
    process.isUnkillable = true;
  }
  return process;
}

function copyAttributes(parent: KernelTask, task: KernelTask, flags: number): void {
  task.blocked.assign(parent.savedMask ?? parent.blocked);
  task.personality = parent.personality;
  task.seccomp = parent.seccomp;
  task.affinity = parent.affinity;
  task.timerSlackNs = parent.timerSlackNs;
  task.ioPriority = parent.ioPriority;
  if (!parent.resetOnFork) {
    task.nice = parent.nice;
    task.policy = parent.policy;
    task.priority = parent.priority;
  }
  // A shared stack must not be taken for the other thread's alternate one (kernel/fork.c).
  const shares = hasFlag(flags, CLONE_VM) && !hasFlag(flags, CLONE_VFORK);
  task.alternateStack = shares ? NO_ALTERNATE_STACK : parent.alternateStack;
  if (!hasFlag(flags, CLONE_VM)) task.rseq = parent.rseq;
}

/** The child sees 0 in rax, its own stack and thread pointer. */
function setRegisters(parent: KernelTask, task: KernelTask, request: CloneArguments, mm: Mm): void {
  const { flags, stack, tls } = request;
  if (hasFlag(flags, CLONE_VM)) {
    parent.mm.space.saveThread(task.saved);
    const view = new DataView(task.saved.buffer, task.saved.byteOffset, task.saved.byteLength);
    view.setBigUint64(STATE_GPR + 8 * RAX, 0n, true);
    if (stack !== 0) view.setBigUint64(STATE_GPR + 8 * RSP, BigInt(stack), true);
    if (hasFlag(flags, CLONE_SETTLS)) view.setBigUint64(STATE_FS_BASE, BigInt(tls), true);
    return;
  }
  const { space } = mm;
  space.setRegister(RAX, 0n);
  if (stack !== 0) space.setRegister(RSP, BigInt(stack));
  if (hasFlag(flags, CLONE_SETTLS)) space.fsBase = BigInt(tls);
  task.kernel.scheduler.adopt(task);
}
