/** Memory of other processes: process_vm_readv(2), process_vm_writev(2), process_madvise(2) (mm/process_vm_access.c). */
import { EBADF, EFAULT, EINVAL, EPERM, ESRCH } from '../../abi/errno.ts';
import { CAP_SYS_NICE } from '../../abi/capability.ts';
import { MADV_COLD, MADV_COLLAPSE, MADV_PAGEOUT, MADV_WILLNEED } from '../../abi/mman.ts';
import { advise } from '../mm/mm-remap.ts';
import { mayAccess } from '../ptrace/access.ts';
import type { KernelTask } from '../task/task.ts';
import type { SyscallRow } from '../types.ts';
import { row } from './define.ts';
import { PidFile } from './pidfd.ts';

const IOV_MAX = 1024;

interface Piece {
  readonly address: number;
  readonly length: number;
}

function readPieces(task: KernelTask, array: number, count: number): Piece[] | number {
  if (count < 0 || count > IOV_MAX) return -EINVAL;
  const pieces: Piece[] = [];
  for (let i = 0; i < count; i++) {
    const address = task.memory.readI64(array + 16 * i);
    const length = task.memory.readI64(array + 16 * i + 8);
    if (address === undefined || length === undefined) return -EFAULT;
    if (length < 0) return -EINVAL;
    pieces.push({ address, length });
  }
  return pieces;
}

/** Copies between the pieces of both sides, page by page of the remote one, until something is not there. */
function transfer(task: KernelTask, target: KernelTask, local: readonly Piece[], remote: readonly Piece[], write: boolean): number {
  let done = 0;
  let index = 0;
  let used = 0;
  for (const piece of remote) {
    let offset = 0;
    while (offset < piece.length && index < local.length) {
      const mine = local[index]!;
      const address = piece.address + offset;
      const length = Math.min(piece.length - offset, mine.length - used, 4096 - (address & 4095));
      if (length > 0) {
        const theirs = target.mm.isSecret(address) ? undefined : write ? target.memory.writable(address, length) : target.memory.readable(address, length);
        const own = write ? task.memory.readable(mine.address + used, length) : task.memory.writable(mine.address + used, length);
        if (theirs === undefined || own === undefined) return done > 0 ? done : -EFAULT;
        if (write) theirs.set(own);
        else own.set(theirs);
        done += length;
        offset += length;
        used += length;
      }
      if (used === mine.length) {
        index++;
        used = 0;
      }
    }
  }
  return done;
}

function processVm(write: boolean) {
  return (task: KernelTask, pid: number, localArray: number, localCount: number, remoteArray: number, remoteCount: number, flags: number): number => {
    if (flags !== 0) return -EINVAL;
    const local = readPieces(task, localArray, localCount);
    if (typeof local === 'number') return local;
    const remote = readPieces(task, remoteArray, remoteCount);
    if (typeof remote === 'number') return remote;
    const target = task.kernel.findTask(task.idOf(pid));
    if (target === undefined || target.state === 'dead') return -ESRCH;
    return mayAccess(task, target) ? transfer(task, target, local, remote, write) : -EPERM;
  };
}

/** What may be advised on another's memory: hints that lose nothing (process_madvise_behavior_valid). */
const REMOTE_ADVICE = new Set([MADV_COLD, MADV_PAGEOUT, MADV_WILLNEED, MADV_COLLAPSE]);

function processMadvise(task: KernelTask, fd: number, array: number, count: number, advice: number, flags: number): number {
  if (flags !== 0) return -EINVAL;
  const pieces = readPieces(task, array, count);
  if (typeof pieces === 'number') return pieces;
  const file = task.files.get(fd);
  if (!(file instanceof PidFile)) return -EBADF;
  const target = [...file.process.tasks][0];
  if (target === undefined) return -ESRCH;
  if (!REMOTE_ADVICE.has(advice)) return -EINVAL;
  if (!mayAccess(task, target) || (target.process !== task.process && !task.capableIn(target.credentials.user, CAP_SYS_NICE))) return -EPERM;
  let done = 0;
  for (const { address, length } of pieces) {
    const answer = advise(target.mm, address, length, advice);
    if (answer < 0) return done > 0 ? done : answer;
    done += length;
  }
  return done;
}

export const processMemoryRows: readonly SyscallRow[] = [
  row(310, 'process_vm_readv', ['int', 'pointer', 'size', 'pointer', 'size', 'size'], processVm(false)),
  row(311, 'process_vm_writev', ['int', 'pointer', 'size', 'pointer', 'size', 'size'], processVm(true)),
  row(440, 'process_madvise', ['fd', 'pointer', 'size', 'flags:madvise', 'flags'], processMadvise),
];
