/** Arguments and results as strace(1) shows them. */
import { ERRNO_NAMES } from '../../abi/errno.ts';
import { O_CREAT, O_TMPFILE } from '../../abi/fcntl.ts';
import { SIGNAL_NAMES, SIGRTMIN } from '../../abi/signal.ts';
import type { KernelTask } from '../task/task.ts';
import type { ArgumentKind, SyscallRow } from '../types.ts';
import { FLAG_SETS, formatFlags } from './flag-sets.ts';
import { quote } from './quote.ts';
import { STRUCTURES } from './structures.ts';

/** Bytes of a string that are shown. */
const STRING_LIMIT = 32;

export function formatPointer(address: number): string {
  return address === 0 ? 'NULL' : `0x${address < 0 ? BigInt.asUintN(64, BigInt(address)).toString(16) : address.toString(16)}`;
}

export function signalName(signal: number): string {
  if (signal >= SIGRTMIN) return signal === SIGRTMIN ? 'SIGRTMIN' : `SIGRT_${signal - SIGRTMIN}`;
  return SIGNAL_NAMES[signal] || String(signal);
}

function formatBuffer(task: KernelTask, address: number, length: number): string {
  const shown = Math.min(length, STRING_LIMIT);
  const bytes = task.memory.readable(address, shown);
  if (bytes === undefined) return formatPointer(address);
  return quote(String.fromCharCode(...bytes)) + (length > shown ? '...' : '');
}

function formatPath(task: KernelTask, address: number): string {
  const path = task.memory.readString(address, 4096);
  return typeof path === 'number' ? formatPointer(address) : quote(path);
}

/** Calls whose buffer is filled by the kernel, so that it is shown after the call and as long as the result. */
const FILLED = new Set(['read', 'pread64', 'recvfrom', 'getcwd', 'readlink', 'readlinkat', 'getrandom', 'getdents64']);
const AT_FDCWD = -100;

function formatOne(task: KernelTask, row: SyscallRow, kind: ArgumentKind, args: readonly number[], index: number, result: number | undefined): string {
  const value = args[index]!;
  switch (kind) {
    case 'fd':
      return value === AT_FDCWD ? 'AT_FDCWD' : String(value);
    case 'signal':
      return signalName(value);
    case 'mode':
      return `0${value.toString(8)}`;
    case 'flags':
      return value === 0 ? '0' : `0x${(value >>> 0).toString(16)}`;
    case 'path':
      return formatPath(task, value);
    case 'pointer':
      return formatPointer(value);
    case 'buffer': {
      const length = FILLED.has(row.name) ? result : args[index + 1]!;
      if (value === 0 || length === undefined || length < 0) return formatPointer(value);
      return formatBuffer(task, value, length);
    }
    default:
      break;
  }
  if (kind.startsWith('flags:')) return formatFlags(FLAG_SETS.get(kind.slice(6)) ?? FLAG_SETS.get(`${kind.slice(6)}-flags`), value);
  if (kind.startsWith('pointer:')) {
    const structure = STRUCTURES.get(kind.slice(8));
    return value === 0 ? 'NULL' : (structure?.(task, value, args) ?? formatPointer(value));
  }
  return String(value);
}

/** The arguments between the parentheses. */
export function formatArguments(task: KernelTask, row: SyscallRow, args: readonly number[], result: number | undefined, before?: string): string {
  // The program that is replaced by exec took its strings along.
  if (before !== undefined && !row.arguments.some((kind) => kind === 'buffer' || kind.startsWith('pointer:'))) return before;
  if (before !== undefined && task.skipResult) return before;
  const kinds = row.arguments.slice(0, hasMode(row, args) ? undefined : row.arguments.indexOf('mode'));
  return kinds.map((kind, index) => formatOne(task, row, kind, args, index, result)).join(', ');
}

/** open(2) takes a mode only where it may make a file. */
function hasMode({ name, arguments: kinds }: SyscallRow, args: readonly number[]): boolean {
  if (name !== 'open' && name !== 'openat') return true;
  const flags = args[kinds.indexOf('mode') - 1] ?? 0;
  return (flags & O_CREAT) !== 0 || (flags & O_TMPFILE) === O_TMPFILE;
}

const POINTER_RESULTS = new Set(['mmap', 'mremap', 'brk', 'shmat']);

export function formatResult(row: SyscallRow, result: number): string {
  if (result < 0 && result > -4096) {
    const name = ERRNO_NAMES.get(-result) ?? `ERRNO_${-result}`;
    return `-1 ${name} (${ERROR_TEXTS.get(-result) ?? name})`;
  }
  return POINTER_RESULTS.has(row.name) ? `0x${result.toString(16)}` : String(result);
}

/** strerror(3) of glibc. */
const ERROR_TEXTS: ReadonlyMap<number, string> = new Map([
  [1, 'Operation not permitted'], [2, 'No such file or directory'], [3, 'No such process'], [4, 'Interrupted system call'], [5, 'Input/output error'],
  [6, 'No such device or address'], [7, 'Argument list too long'], [8, 'Exec format error'], [9, 'Bad file descriptor'], [10, 'No child processes'],
  [11, 'Resource temporarily unavailable'], [12, 'Cannot allocate memory'], [13, 'Permission denied'], [14, 'Bad address'], [16, 'Device or resource busy'],
  [17, 'File exists'], [18, 'Invalid cross-device link'], [19, 'No such device'], [20, 'Not a directory'], [21, 'Is a directory'], [22, 'Invalid argument'],
  [23, 'Too many open files in system'], [24, 'Too many open files'], [25, 'Inappropriate ioctl for device'], [26, 'Text file busy'], [27, 'File too large'],
  [28, 'No space left on device'], [29, 'Illegal seek'], [30, 'Read-only file system'], [31, 'Too many links'], [32, 'Broken pipe'], [34, 'Numerical result out of range'],
  [35, 'Resource deadlock avoided'], [36, 'File name too long'], [38, 'Function not implemented'], [39, 'Directory not empty'], [40, 'Too many levels of symbolic links'],
  [61, 'No data available'], [62, 'Timer expired'], [75, 'Value too large for defined data type'], [88, 'Socket operation on non-socket'], [95, 'Operation not supported'],
  [97, 'Address family not supported by protocol'], [98, 'Address already in use'], [101, 'Network is unreachable'], [104, 'Connection reset by peer'],
  [106, 'Transport endpoint is already connected'], [107, 'Transport endpoint is not connected'], [110, 'Connection timed out'], [111, 'Connection refused'],
  [115, 'Operation now in progress'], [512, 'To be restarted if SA_RESTART is set'],
]);
