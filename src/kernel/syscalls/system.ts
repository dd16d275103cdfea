/** The system as a whole: uname(2), sysinfo(2), getrandom(2), sethostname(2), membarrier(2), kcmp(2), and calls that only the host may make. */
import { EBADF, EFAULT, EINVAL, EPERM, ESRCH } from '../../abi/errno.ts';
import { CAP_SYS_ADMIN } from '../../abi/capability.ts';
import { mayAccess } from '../ptrace/access.ts';
import { RELEASE, VERSION } from '../version.ts';
import { stringToBytes } from '../mm/user-memory.ts';
import type { KernelTask } from '../task/task.ts';
import type { SyscallRow } from '../types.ts';
import { row } from './define.ts';

const UTS_FIELD = 65;
const HOST_NAME_MAX = 64;
const GRND_NONBLOCK = 1;
const GRND_RANDOM = 2;
const GRND_INSECURE = 4;
/** Bytes asked of the generator at a time (crypto.getRandomValues takes no more). */
const RANDOM_CHUNK = 65_536;
const MEMBARRIER_COMMANDS = 0x1ff;
const KCMP_FILE = 0;
const KCMP_VM = 1;
const KCMP_FILES = 2;
const KCMP_FS = 3;
const KCMP_SIGHAND = 4;

function uname(task: KernelTask, address: number): number {
  const { hostname, domainname } = task.namespaces.uts;
  const fields = ['Linux', hostname, RELEASE, VERSION, 'x86_64', domainname];
  const bytes = new Uint8Array(UTS_FIELD * fields.length);
  fields.forEach((field, index) => bytes.set(stringToBytes(field.slice(0, UTS_FIELD - 1)), UTS_FIELD * index));
  return task.memory.copyOut(address, bytes);
}

function readName(task: KernelTask, address: number, length: number): string | number {
  if (!task.capableIn(task.namespaces.uts.user, CAP_SYS_ADMIN)) return -EPERM;
  if (length < 0 || length > HOST_NAME_MAX) return -EINVAL;
  const bytes = task.memory.copyIn(address, length);
  return bytes === undefined ? -EFAULT : String.fromCharCode(...bytes);
}

function sethostname(task: KernelTask, address: number, length: number): number {
  const name = readName(task, address, length);
  if (typeof name === 'number') return name;
  task.namespaces.uts.hostname = name;
  return 0;
}

function setdomainname(task: KernelTask, address: number, length: number): number {
  const name = readName(task, address, length);
  if (typeof name === 'number') return name;
  task.namespaces.uts.domainname = name;
  return 0;
}

/** `struct sysinfo`, 112 bytes; memory in bytes. */
function sysinfo(task: KernelTask, address: number): number {
  const { kernel } = task;
  const bytes = new Uint8Array(112);
  const view = new DataView(bytes.buffer);
  const free = Math.max(0, kernel.memoryBytes - kernel.cgroups.container.memory.charged);
  view.setBigInt64(0, BigInt(Math.floor((kernel.monotonicNs() + task.namespaces.time.boottimeNs) / 1e9)), true);
  const load = BigInt(Math.min(64, kernel.scheduler.runnable) << 16);
  for (let i = 0; i < 3; i++) view.setBigUint64(8 + 8 * i, load, true);
  view.setBigUint64(32, BigInt(kernel.memoryBytes), true);
  view.setBigUint64(40, BigInt(Math.floor(free)), true);
  view.setUint16(80, Math.min(65_535, kernel.taskCount), true);
  view.setUint32(104, 1, true);
  return task.memory.copyOut(address, bytes);
}

function getrandom(task: KernelTask, address: number, length: number, flags: number): number {
  if ((flags & ~(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE)) !== 0 || (flags & (GRND_RANDOM | GRND_INSECURE)) === (GRND_RANDOM | GRND_INSECURE)) return -EINVAL;
  const wanted = Math.min(length < 0 ? 0x7fff_ffff : length, 0x1ff_ffff);
  const target = task.memory.writable(address, wanted);
  if (target === undefined) return -EFAULT;
  for (let at = 0; at < target.length; at += RANDOM_CHUNK) task.kernel.random(target.subarray(at, at + RANDOM_CHUNK));
  return target.length;
}

/** Tasks never run at the same time, so every barrier holds by itself. */
function membarrier(task: KernelTask, command: number, flags: number): number {
  if (flags !== 0 && command !== 1 << 7) return -EINVAL;
  if (command === 0) return MEMBARRIER_COMMANDS;
  if (command < 0 || (command & (command - 1)) !== 0 || (command & MEMBARRIER_COMMANDS) === 0) return -EINVAL;
  const { process } = task;
  // Registrations (bits 2, 4, 6, 8) precede the expedited commands (bits 1, 3, 5, 7) that need them.
  const isRegistration = command === 1 << 2 || command === 1 << 4 || command === 1 << 6 || command === 1 << 8;
  if (isRegistration) process.membarrierRegistered |= command;
  else if ((command === 1 << 3 || command === 1 << 5 || command === 1 << 7) && (process.membarrierRegistered & (command << 1)) === 0) return -EPERM;
  return 0;
}

function kcmp(task: KernelTask, first: number, second: number, type: number, index1: number, index2: number): number {
  const a = task.kernel.findTask(task.idOf(first));
  const b = task.kernel.findTask(task.idOf(second));
  if (a === undefined || b === undefined) return -ESRCH;
  if (!mayAccess(task, a) || !mayAccess(task, b)) return -EPERM;
  const pairs: ReadonlyMap<number, readonly [unknown, unknown]> = new Map([
    [KCMP_FILE, [a.files.get(index1), b.files.get(index2)]],
    [KCMP_VM, [a.mm, b.mm]],
    [KCMP_FILES, [a.files, b.files]],
    [KCMP_FS, [a.fs, b.fs]],
    [KCMP_SIGHAND, [a.process.actions, b.process.actions]],
  ]);
  const pair = pairs.get(type);
  if (pair === undefined) return -EINVAL;
  if (type === KCMP_FILE && (pair[0] === undefined || pair[1] === undefined)) return -EBADF;
  // No order is kept: different is 1 or 2 by the order of ids.
  return pair[0] === pair[1] ? 0 : first <= second ? 1 : 2;
}

const refuse = (): number => -EPERM;

export const systemRows: readonly SyscallRow[] = [
  row(63, 'uname', ['pointer:utsname'], uname),
  row(99, 'sysinfo', ['pointer'], sysinfo),
  row(103, 'syslog', ['int', 'pointer', 'int'], refuse, { support: 'none', note: 'There is no kernel log to read.' }),
  row(153, 'vhangup', [], refuse, { support: 'none' }),
  row(163, 'acct', ['path'], refuse, { support: 'none' }),
  row(167, 'swapon', ['path', 'flags'], refuse, { support: 'none' }),
  row(168, 'swapoff', ['path'], refuse, { support: 'none' }),
  row(169, 'reboot', ['uint', 'uint', 'uint', 'pointer'], refuse, { support: 'none' }),
  row(170, 'sethostname', ['pointer', 'int'], sethostname),
  row(171, 'setdomainname', ['pointer', 'int'], setdomainname),
  row(172, 'iopl', ['uint'], refuse, { support: 'none' }),
  row(173, 'ioperm', ['size', 'size', 'int'], refuse, { support: 'none' }),
  row(175, 'init_module', ['pointer', 'size', 'pointer'], refuse, { support: 'none' }),
  row(176, 'delete_module', ['pointer', 'flags'], refuse, { support: 'none' }),
  row(246, 'kexec_load', ['size', 'size', 'pointer', 'flags'], refuse, { support: 'none' }),
  row(298, 'perf_event_open', ['pointer', 'int', 'int', 'fd', 'flags'], refuse, { support: 'none' }),
  row(312, 'kcmp', ['int', 'int', 'int', 'long', 'long'], kcmp, { support: 'partial' }),
  row(313, 'finit_module', ['fd', 'pointer', 'flags'], refuse, { support: 'none' }),
  row(318, 'getrandom', ['pointer', 'size', 'flags:getrandom-flags'], getrandom),
  row(324, 'membarrier', ['int', 'flags', 'int'], membarrier),
];
