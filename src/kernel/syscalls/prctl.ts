/** prctl(2), arch_prctl(2), personality(2). */
import { EFAULT, EINVAL, ENODEV, ENOMEM, EPERM } from '../../abi/errno.ts';
import { CAP_LAST_CAP, CAP_SETPCAP } from '../../abi/capability.ts';
import {
  ARCH_GET_CPUID, ARCH_GET_FS, ARCH_GET_GS, ARCH_SET_CPUID, ARCH_SET_FS, ARCH_SET_GS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, PR_CAP_AMBIENT_IS_SET, PR_CAP_AMBIENT_LOWER,
  PR_CAP_AMBIENT_RAISE, PR_CAPBSET_DROP, PR_CAPBSET_READ, PR_GET_CHILD_SUBREAPER, PR_GET_DUMPABLE, PR_GET_KEEPCAPS, PR_GET_NAME, PR_GET_NO_NEW_PRIVS, PR_GET_PDEATHSIG, PR_GET_SECCOMP,
  PR_GET_SECUREBITS, PR_GET_THP_DISABLE, PR_GET_TID_ADDRESS, PR_GET_TIMERSLACK, PR_GET_TIMING, PR_GET_TSC, PR_MCE_KILL, PR_MCE_KILL_GET, PR_SET_CHILD_SUBREAPER, PR_SET_DUMPABLE, PR_SET_KEEPCAPS, PR_SET_NAME,
  PR_SET_MM, PR_SET_NO_NEW_PRIVS, PR_SET_PDEATHSIG, PR_SET_PTRACER, PR_SET_SECCOMP, PR_SET_SECUREBITS, PR_SET_THP_DISABLE, PR_SET_TIMERSLACK, PR_SET_TIMING, PR_SET_VMA, PR_SET_VMA_ANON_NAME, SECBIT_KEEP_CAPS,
  SECBIT_KEEP_CAPS_LOCKED, SECBIT_NO_CAP_AMBIENT_RAISE, SECURE_ALL, SECURE_ALL_LOCKS,
} from '../../abi/prctl.ts';
import { NSIG } from '../../abi/signal.ts';
import type { AddressSpace } from '../../machine/index.ts';
import { stringToBytes } from '../mm/user-memory.ts';
import type { KernelTask } from '../task/task.ts';
import type { SyscallRow } from '../types.ts';
import { row } from './define.ts';
import { setMm } from './prctl-mm.ts';
import { getSeccomp, setSeccomp } from './seccomp.ts';

const NAME_SIZE = 16;
const ANON_NAME_MAX = 80;

type Option = (task: KernelTask, a: number, b: number, c: number, d: number) => number;

function setName(task: KernelTask, address: number): number {
  // strncpy_from_user: what does not fit is cut off.
  let name = '';
  for (let i = 0; i < NAME_SIZE - 1; i++) {
    const byte = task.memory.readU8(address + i);
    if (byte === undefined) return -EFAULT;
    if (byte === 0) break;
    name += String.fromCharCode(byte);
  }
  task.name = name;
  return 0;
}

function getName(task: KernelTask, address: number): number {
  const bytes = new Uint8Array(NAME_SIZE);
  bytes.set(stringToBytes(task.name));
  return task.memory.copyOut(address, bytes);
}

function bit(capability: number): bigint {
  return 1n << BigInt(capability);
}

function isCapability(value: number): boolean {
  return value >= 0 && value <= CAP_LAST_CAP;
}

function dropBounding(task: KernelTask, capability: number): number {
  if (!task.capableIn(task.credentials.user, CAP_SETPCAP)) return -EPERM;
  if (!isCapability(capability)) return -EINVAL;
  task.credentials = { ...task.credentials, bounding: task.credentials.bounding & ~bit(capability) };
  return 0;
}

function ambient(task: KernelTask, operation: number, capability: number, c: number, d: number): number {
  const { credentials } = task;
  if (c !== 0 || d !== 0) return -EINVAL;
  if (operation === PR_CAP_AMBIENT_CLEAR_ALL) {
    if (capability !== 0) return -EINVAL;
    task.credentials = { ...credentials, ambient: 0n };
    return 0;
  }
  if (!isCapability(capability)) return -EINVAL;
  const mask = bit(capability);
  if (operation === PR_CAP_AMBIENT_IS_SET) return (credentials.ambient & mask) !== 0n ? 1 : 0;
  if (operation === PR_CAP_AMBIENT_LOWER) task.credentials = { ...credentials, ambient: credentials.ambient & ~mask };
  else if (operation !== PR_CAP_AMBIENT_RAISE) return -EINVAL;
  else if ((credentials.permitted & credentials.inheritable & mask) === 0n || (credentials.securebits & SECBIT_NO_CAP_AMBIENT_RAISE) !== 0) return -EPERM;
  else task.credentials = { ...credentials, ambient: credentials.ambient | mask };
  return 0;
}

function setSecurebits(task: KernelTask, bits: number): number {
  if (!task.capableIn(task.credentials.user, CAP_SETPCAP)) return -EPERM;
  const old = task.credentials.securebits;
  const locks = old & SECURE_ALL_LOCKS;
  // A lock stays, and so does what it locks (security/commoncap.c: cap_task_prctl).
  if ((bits & ~SECURE_ALL) !== 0 || ((locks >> 1) & (old ^ bits)) !== 0 || (locks & ~bits) !== 0) return -EPERM;
  task.credentials = { ...task.credentials, securebits: bits };
  return 0;
}

function setVma(task: KernelTask, attribute: number, address: number, length: number, nameAddress: number): number {
  if (attribute !== PR_SET_VMA_ANON_NAME || address % 4096 !== 0) return -EINVAL;
  const name = nameAddress === 0 ? '' : task.memory.readString(nameAddress, ANON_NAME_MAX);
  if (typeof name === 'number') return name === -EFAULT ? -EFAULT : -EINVAL;
  const end = address + Math.ceil(length / 4096) * 4096;
  task.mm.cut(address, end);
  for (const vma of task.mm.vmas.inRange(address, end)) if (vma.file === undefined) vma.name = name === '' ? '' : `[anon:${name}]`;
  return task.mm.vmas.covers(address, end) ? 0 : -ENOMEM;
}

const OPTIONS: ReadonlyMap<number, Option> = new Map<number, Option>([
  [PR_SET_PDEATHSIG, (task, signal) => {
    if (signal < 0 || signal > NSIG) return -EINVAL;
    task.parentDeathSignal = signal;
    return 0;
  }],
  [PR_GET_PDEATHSIG, (task, address) => task.memory.writeU32(address, task.parentDeathSignal)],
  [PR_GET_DUMPABLE, (task) => task.process.dumpable],
  [PR_SET_DUMPABLE, (task, value) => {
    if (value !== 0 && value !== 1) return -EINVAL;
    task.process.dumpable = value;
    return 0;
  }],
  [PR_GET_KEEPCAPS, (task) => ((task.credentials.securebits & SECBIT_KEEP_CAPS) !== 0 ? 1 : 0)],
  [PR_SET_KEEPCAPS, (task, value) => {
    if (value > 1 || value < 0) return -EINVAL;
    const { credentials } = task;
    if ((credentials.securebits & SECBIT_KEEP_CAPS_LOCKED) !== 0) return -EPERM;
    task.credentials = { ...credentials, securebits: (credentials.securebits & ~SECBIT_KEEP_CAPS) | (value === 1 ? SECBIT_KEEP_CAPS : 0) };
    return 0;
  }],
  [PR_GET_TIMING, () => 0],
  [PR_SET_TIMING, (_task, value) => (value === 0 ? 0 : -EINVAL)],
  [PR_SET_NAME, setName],
  [PR_GET_NAME, getName],
  [PR_GET_SECCOMP, getSeccomp],
  [PR_SET_SECCOMP, setSeccomp],
  [PR_CAPBSET_READ, (task, capability) => (isCapability(capability) ? Number((task.credentials.bounding >> BigInt(capability)) & 1n) : -EINVAL)],
  [PR_CAPBSET_DROP, dropBounding],
  [PR_GET_TSC, (task, address) => task.memory.writeU32(address, 1)],
  [PR_GET_SECUREBITS, (task) => task.credentials.securebits],
  [PR_SET_SECUREBITS, setSecurebits],
  [PR_SET_TIMERSLACK, (task, value) => {
    task.timerSlackNs = value <= 0 ? 50_000 : value;
    return 0;
  }],
  [PR_GET_TIMERSLACK, (task) => task.timerSlackNs],
  [PR_MCE_KILL, () => 0],
  [PR_MCE_KILL_GET, () => 2],
  [PR_SET_CHILD_SUBREAPER, (task, value) => {
    task.process.isChildSubreaper = value !== 0;
    return 0;
  }],
  [PR_GET_CHILD_SUBREAPER, (task, address) => task.memory.writeU32(address, task.process.isChildSubreaper ? 1 : 0)],
  [PR_SET_NO_NEW_PRIVS, (task, value, b, c, d) => {
    if (value !== 1 || b !== 0 || c !== 0 || d !== 0) return -EINVAL;
    task.credentials = { ...task.credentials, noNewPrivileges: true };
    return 0;
  }],
  [PR_GET_NO_NEW_PRIVS, (task, a, b, c, d) => (a !== 0 || b !== 0 || c !== 0 || d !== 0 ? -EINVAL : task.credentials.noNewPrivileges ? 1 : 0)],
  [PR_GET_TID_ADDRESS, (task, address) => task.memory.writeI64(address, task.clearChildTid)],
  [PR_SET_THP_DISABLE, (_task, _value, b, c, d) => (b !== 0 || c !== 0 || d !== 0 ? -EINVAL : 0)],
  [PR_GET_THP_DISABLE, (_task, a, b, c, d) => (a !== 0 || b !== 0 || c !== 0 || d !== 0 ? -EINVAL : 0)],
  [PR_CAP_AMBIENT, ambient],
  [PR_SET_VMA, setVma],
  [PR_SET_MM, setMm],
  [PR_SET_PTRACER, () => -EINVAL],
]);

function prctl(task: KernelTask, option: number, a: number, b: number, c: number, d: number): number {
  return OPTIONS.get(option)?.(task, a, b, c, d) ?? -EINVAL;
}

function archPrctl(task: KernelTask, code: number, address: number): number {
  return archPrctlOf(task, task.mm.space, code, address);
}

/** For the caller itself, or for the registers of a task that it traces; addresses are the caller's. */
export function archPrctlOf(task: KernelTask, space: AddressSpace, code: number, address: number): number {
  switch (code) {
    case ARCH_SET_FS:
    case ARCH_SET_GS:
      if (address < 0 || address >= 0x7fff_ffff_f000) return -EPERM;
      if (code === ARCH_SET_FS) space.fsBase = BigInt(address);
      else space.gsBase = BigInt(address);
      return 0;
    case ARCH_GET_FS:
      return task.memory.writeU64Big(address, space.fsBase);
    case ARCH_GET_GS:
      return task.memory.writeU64Big(address, space.gsBase);
    case ARCH_GET_CPUID:
      return 1;
    case ARCH_SET_CPUID:
      return -ENODEV;
    default:
      return -EINVAL;
  }
}

function personality(task: KernelTask, value: number): number {
  const old = task.personality;
  if (value !== 0xffff_ffff) task.personality = value;
  return old;
}

export const prctlRows: readonly SyscallRow[] = [
  row(135, 'personality', ['uint'], personality, { support: 'partial', note: 'Kept and reported, without effect.' }),
  row(157, 'prctl', ['int', 'long', 'long', 'long', 'long'], prctl, { support: 'partial', note: 'PR_SET_MM for code, arguments, environment and auxiliary vector; no speculation control.' }),
  row(158, 'arch_prctl', ['int', 'pointer'], archPrctl),
];

