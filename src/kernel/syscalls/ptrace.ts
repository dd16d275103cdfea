/** ptrace(2) (kernel/ptrace.c, arch/x86/kernel/ptrace.c). What it works on is in `ptrace/`. */
import { EACCES, EFAULT, EINVAL, EIO, ENOENT, EPERM, ESRCH } from '../../abi/errno.ts';
import { CAP_SYS_ADMIN } from '../../abi/capability.ts';
import * as abi from '../../abi/ptrace.ts';
import { NSIG, SIGINFO_SIZE, SIGKILL } from '../../abi/signal.ts';
import { mayAccess, mayBeTracedBy } from '../ptrace/access.ts';
import { attach, detach, stopAttached } from '../ptrace/attach.ts';
import { forceRead, forceWrite } from '../ptrace/memory.ts';
import { peekUser, pokeUser, readFpu, readRegisters, REGISTER_SETS, withRegisters, writeFpu, writeRegisters } from '../ptrace/registers.ts';
import { resumeTask } from '../ptrace/stop.ts';
import { syscallInfo } from '../ptrace/syscall-info.ts';
import { releaseStop, requestTrap, type Stop, type Tracee } from '../ptrace/tracee.ts';
import { encodeFilter } from '../seccomp/bpf.ts';
import { sendToTask } from '../signals/send.ts';
import { decodeSignalInfo, encodeSignalInfo } from '../signals/siginfo.ts';
import type { KernelTask } from '../task/task.ts';
import type { SyscallRow } from '../types.ts';
import { row } from './define.ts';
import { archPrctlOf } from './prctl.ts';

const WORD = 8;
const MASK_SIZE = 8;
/** `struct ptrace_rseq_configuration`. */
const RSEQ_CONFIGURATION_SIZE = 24;
/** Signals that one PTRACE_PEEKSIGINFO copies at most. */
const MOST_SIGNALS = 8192;

/** A held task and its tracer's two arguments. */
interface Request {
  readonly target: KernelTask;
  readonly tracee: Tracee;
  readonly stop: Stop;
  readonly address: number;
  readonly data: number;
}

type RequestHandler = (task: KernelTask, request: Request) => number;

// ---- words and memory ----

const peek: RequestHandler = (task, { target, address, data }) => {
  const word = new Uint8Array(WORD);
  return forceRead(target.mm, address, word) === WORD ? task.memory.copyOut(data, word) : -EIO;
};

function wordOf(value: number): Uint8Array {
  const word = new Uint8Array(WORD);
  new DataView(word.buffer).setBigInt64(0, BigInt(value), true);
  return word;
}

/** The word itself, which a number would round. */
function exactData(task: KernelTask, data: number): bigint {
  return Number.isSafeInteger(data) ? BigInt(data) : task.mm.space.getRegister(10);
}

const poke: RequestHandler = (task, { target, address, data }) => {
  const word = wordOf(0);
  new DataView(word.buffer).setBigUint64(0, BigInt.asUintN(64, exactData(task, data)), true);
  return forceWrite(target.mm, address, word) === WORD ? 0 : -EIO;
};

const peekUserWord: RequestHandler = (task, { target, address, data }) => {
  const value = peekUser(target, address);
  return typeof value === 'number' ? value : task.memory.writeU64Big(data, value);
};

const pokeUserWord: RequestHandler = (task, { target, address, data }) => pokeUser(target, address, BigInt.asUintN(64, exactData(task, data)));

// ---- registers ----

function copyingIn(length: number, write: (target: KernelTask, bytes: Uint8Array) => number): RequestHandler {
  return (task, { target, data }) => {
    const bytes = task.memory.copyIn(data, length);
    return bytes === undefined ? -EIO : write(target, bytes);
  };
}

function copyingOut(read: (target: KernelTask) => Uint8Array): RequestHandler {
  return (task, { target, data }) => (task.memory.copyOut(data, read(target)) < 0 ? -EIO : 0);
}

function registerSet(writes: boolean): RequestHandler {
  return (task, { target, address, data }) => {
    const { memory } = task;
    const base = memory.readI64(data);
    const length = memory.readI64(data + 8);
    if (base === undefined || length === undefined) return -EFAULT;
    const set = REGISTER_SETS.get(address);
    if (set === undefined || length < 0 || length % WORD !== 0) return -EINVAL;
    const size = Math.min(length, set.size(target));
    if (memory.writeI64(data + 8, size) < 0) return -EFAULT;
    if (!writes) return memory.copyOut(base, set.read(target).subarray(0, size));
    const bytes = memory.copyIn(base, size);
    return bytes === undefined ? -EFAULT : set.write(target, bytes);
  };
}

// ---- signals ----

const getSignalInfo: RequestHandler = (task, { stop, data }) => (stop.info === undefined ? -EINVAL : task.memory.copyOut(data, encodeSignalInfo(stop.info)));

const setSignalInfo: RequestHandler = (task, { stop, data }) => {
  const bytes = task.memory.copyIn(data, SIGINFO_SIZE);
  if (bytes === undefined) return -EFAULT;
  if (stop.info === undefined) return -EINVAL;
  const { trapNumber, trapError } = stop.info;
  const next = decodeSignalInfo(bytes, new DataView(bytes.buffer).getInt32(0, true));
  stop.info = trapNumber === undefined ? next : { ...next, trapNumber, trapError: trapError ?? 0 };
  return 0;
};

const getSignalMask: RequestHandler = (task, { target, address, data }) => {
  if (address !== MASK_SIZE) return -EINVAL;
  const { low, high } = target.savedMask ?? target.blocked;
  return task.memory.writeU32(data, low) < 0 || task.memory.writeU32(data + 4, high) < 0 ? -EFAULT : 0;
};

const setSignalMask: RequestHandler = (task, { target, address, data }) => {
  if (address !== MASK_SIZE) return -EINVAL;
  const low = task.memory.readI32(data);
  const high = task.memory.readI32(data + 4);
  if (low === undefined || high === undefined) return -EFAULT;
  target.setBlocked({ low, high });
  target.savedMask = undefined;
  return 0;
};

/** `struct ptrace_peeksiginfo_args`: offset, flags, number. */
const peekSignals: RequestHandler = (task, { target, address, data }) => {
  const { memory } = task;
  const offset = memory.readI64(address);
  const flags = memory.readU32(address + 8);
  const count = memory.readI32(address + 12);
  if (offset === undefined || flags === undefined || count === undefined) return -EFAULT;
  if ((flags & ~abi.PTRACE_PEEKSIGINFO_SHARED) !== 0 || count < 0) return -EINVAL;
  if (offset < 0) return 0;
  const { queue } = (flags & abi.PTRACE_PEEKSIGINFO_SHARED) !== 0 ? target.process.pending : target.pending;
  const wanted = queue.slice(offset, offset + Math.min(count, MOST_SIGNALS));
  for (const [index, info] of wanted.entries()) {
    if (memory.copyOut(data + SIGINFO_SIZE * index, encodeSignalInfo(info)) < 0) return index > 0 ? index : -EFAULT;
  }
  return wanted.length;
};

// ---- going on ----

function goingOn(mode: Tracee['mode'], steps: boolean): RequestHandler {
  return (_task, { target, tracee, data }) => {
    if (data < 0 || data > NSIG) return -EIO;
    tracee.mode = mode;
    tracee.stepping = steps;
    resumeTask(target, data);
    return 0;
  };
}

const detachTask: RequestHandler = (_task, { target, data }) => {
  if (data < 0 || data > NSIG) return -EIO;
  detach(target, data);
  return 0;
};

const listen: RequestHandler = (_task, { target, tracee, stop }) => {
  if (!tracee.seized || stop.code >> 8 !== abi.PTRACE_EVENT_STOP) return -EIO;
  tracee.listening = true;
  if (tracee.notifyPending) releaseStop(target);
  return 0;
};

// ---- options and what is known of a stop ----

function checkOptions(task: KernelTask, options: number): number {
  if (options < 0 || (options & ~abi.PTRACE_O_MASK) !== 0 || options > abi.PTRACE_O_MASK) return -EINVAL;
  if ((options & abi.PTRACE_O_SUSPEND_SECCOMP) === 0) return 0;
  return task.capable(CAP_SYS_ADMIN) && task.seccomp === undefined ? 0 : -EPERM;
}

const setOptions: RequestHandler = (task, { tracee, data }) => {
  const refused = checkOptions(task, data);
  if (refused === 0) tracee.options = data;
  return refused;
};

/** Answers the size of what there is to know, whatever the caller has room for. */
const getSyscallInfo: RequestHandler = (task, { target, stop, address, data }) => {
  const bytes = syscallInfo(target, stop);
  const size = Math.min(bytes.length, Math.max(0, address));
  return task.memory.copyOut(data, bytes.subarray(0, size)) < 0 ? -EFAULT : bytes.length;
};

/** The filter number `address`, the newest first counted from the oldest, as `struct sock_filter`; its length. */
const getFilter: RequestHandler = (task, { target, address, data }) => {
  if (!task.capable(CAP_SYS_ADMIN) || task.seccomp !== undefined) return -EACCES;
  if (target.seccomp === undefined || target.seccomp.strict) return -EINVAL;
  const filter = target.seccomp.filters[address];
  if (filter === undefined) return -ENOENT;
  if (data !== 0 && task.memory.copyOut(data, encodeFilter(filter.program)) < 0) return -EFAULT;
  return filter.program.length;
};

const getRseq: RequestHandler = (task, { target, address, data }) => {
  const bytes = new Uint8Array(RSEQ_CONFIGURATION_SIZE);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(target.rseq?.address ?? 0), true);
  view.setUint32(8, target.rseq?.length ?? 0, true);
  view.setUint32(12, target.rseq?.signature ?? 0, true);
  const size = Math.min(bytes.length, Math.max(0, address));
  return task.memory.copyOut(data, bytes.subarray(0, size)) < 0 ? -EFAULT : bytes.length;
};

const REQUESTS: ReadonlyMap<number, RequestHandler> = new Map<number, RequestHandler>([
  [abi.PTRACE_PEEKTEXT, peek],
  [abi.PTRACE_PEEKDATA, peek],
  [abi.PTRACE_PEEKUSR, peekUserWord],
  [abi.PTRACE_POKETEXT, poke],
  [abi.PTRACE_POKEDATA, poke],
  [abi.PTRACE_POKEUSR, pokeUserWord],
  [abi.PTRACE_CONT, goingOn('continue', false)],
  [abi.PTRACE_SYSCALL, goingOn('syscall', false)],
  [abi.PTRACE_SINGLESTEP, goingOn('continue', true)],
  [abi.PTRACE_SYSEMU, goingOn('emulate', false)],
  [abi.PTRACE_SYSEMU_SINGLESTEP, goingOn('emulate', true)],
  [abi.PTRACE_DETACH, detachTask],
  [abi.PTRACE_LISTEN, listen],
  [abi.PTRACE_GETREGS, copyingOut(readRegisters)],
  [abi.PTRACE_SETREGS, copyingIn(abi.USER_REGS_SIZE, writeRegisters)],
  [abi.PTRACE_GETFPREGS, copyingOut(readFpu)],
  [abi.PTRACE_SETFPREGS, copyingIn(512, writeFpu)],
  [abi.PTRACE_GETREGSET, registerSet(false)],
  [abi.PTRACE_SETREGSET, registerSet(true)],
  [abi.PTRACE_ARCH_PRCTL, (task, { target, address, data }) => withRegisters(target, (space) => archPrctlOf(task, space, data, address))],
  [abi.PTRACE_SETOPTIONS, setOptions],
  [abi.PTRACE_GETEVENTMSG, (task, { tracee, data }) => task.memory.writeI64(data, tracee.message)],
  [abi.PTRACE_GETSIGINFO, getSignalInfo],
  [abi.PTRACE_SETSIGINFO, setSignalInfo],
  [abi.PTRACE_GETSIGMASK, getSignalMask],
  [abi.PTRACE_SETSIGMASK, setSignalMask],
  [abi.PTRACE_PEEKSIGINFO, peekSignals],
  [abi.PTRACE_GET_SYSCALL_INFO, getSyscallInfo],
  [abi.PTRACE_SECCOMP_GET_FILTER, getFilter],
  [abi.PTRACE_GET_RSEQ_CONFIGURATION, getRseq],
]);

// ---- beginning, and what needs no stop ----

function traceMe(task: KernelTask): number {
  const { parent } = task.process;
  if (task.tracee !== undefined || parent === undefined) return -EPERM;
  const tracer = parent.tasks.has(parent.leader) ? parent.leader : [...parent.tasks][0] ?? parent.leader;
  if (!mayBeTracedBy(tracer, task)) return -EPERM;
  attach(tracer, task, false);
  return 0;
}

function attachTo(task: KernelTask, target: KernelTask, seizes: boolean, address: number, options: number): number {
  if (seizes && (address !== 0 || checkOptions(task, options) === -EINVAL)) return -EIO;
  if (target.process === task.process || target.state === 'dead' || !mayAccess(task, target)) return -EPERM;
  if (seizes && checkOptions(task, options) < 0) return -EPERM;
  if (target.tracee !== undefined) return -EPERM;
  attach(task, target, seizes, seizes ? options : 0);
  stopAttached(target);
  return 0;
}

function interrupt(target: KernelTask, tracee: Tracee): number {
  if (!tracee.seized) return -EIO;
  requestTrap(target);
  return 0;
}

function kill(target: KernelTask): number {
  sendToTask(target, { signal: SIGKILL, code: 0x80 });
  return 0;
}

type Beginning = (task: KernelTask, target: KernelTask, address: number, data: number) => number;

/** What makes a task one's tracee, and what a tracee need not stand still for. */
const BEGINNINGS: ReadonlyMap<number, Beginning> = new Map<number, Beginning>([
  [abi.PTRACE_ATTACH, (task, target, address, data) => attachTo(task, target, false, address, data)],
  [abi.PTRACE_SEIZE, (task, target, address, data) => attachTo(task, target, true, address, data)],
]);
const AT_ANY_TIME = new Map<number, (target: KernelTask, tracee: Tracee) => number>([[abi.PTRACE_KILL, kill], [abi.PTRACE_INTERRUPT, interrupt]]);

/** All requests that there are; the rest answers EIO. */
export const PTRACE_REQUESTS: ReadonlySet<number> = new Set([abi.PTRACE_TRACEME, ...BEGINNINGS.keys(), ...AT_ANY_TIME.keys(), ...REQUESTS.keys()]);

function ptrace(task: KernelTask, request: number, pid: number, address: number, data: number): number {
  if (request === abi.PTRACE_TRACEME) return traceMe(task);
  const target = task.kernel.findTask(task.idOf(pid));
  if (target === undefined) return -ESRCH;
  const begin = BEGINNINGS.get(request);
  if (begin !== undefined) return begin(task, target, address, data);
  const { tracee } = target;
  if (tracee?.tracer !== task || target.state === 'dead') return -ESRCH;
  const unstopped = AT_ANY_TIME.get(request);
  if (unstopped !== undefined) return unstopped(target, tracee);
  const { stop } = tracee;
  if (stop === undefined || tracee.listening) return -ESRCH;
  return REQUESTS.get(request)?.(task, { target, tracee, stop, address, data }) ?? -EIO;
}

export const ptraceRows: readonly SyscallRow[] = [
  row(101, 'ptrace', ['long', 'int', 'long', 'long'], ptrace, {
    support: 'partial', note: 'No block stepping; debug registers watch instructions and changes, not reads. PTRACE_O_TRACEEXIT shows the thread that ends the process, not those that end with it.',
  }),
];
