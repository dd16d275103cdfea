/** Descriptors of processes: pidfd_open(2), pidfd_send_signal(2), pidfd_getfd(2) (kernel/pid.c, fs/pidfs.c). */
import { EBADF, EFAULT, EINVAL, ENOTTY, EPERM, ESPIPE, ESRCH } from '../../abi/errno.ts';
import { NSIG, SI_USER, SIGINFO_SIZE } from '../../abi/signal.ts';
import { POLLHUP, POLLIN } from '../../abi/poll.ts';
import { specialFilesOf } from '../files/special-files.ts';
import { ProcessDirectory } from '../../fs/procfs-task.ts';
import type { Inode, OpenFile, WaitQueue } from '../../fs/types.ts';
import { mayAccess } from '../ptrace/access.ts';
import { decodeSignalInfo } from '../signals/siginfo.ts';
import { sendToProcess } from '../signals/send.ts';
import { KernelProcessView } from '../system-view.ts';
import type { Process } from '../task/process.ts';
import type { KernelTask } from '../task/task.ts';
import type { SyscallRow } from '../types.ts';
import { row } from './define.ts';
import { maySignal } from './signal.ts';

const O_RDWR = 2;
const O_NONBLOCK = 0o4000;

/** Readable once the process has ended. */
export class PidFile implements OpenFile {
  flags: number;
  position = 0;
  readonly description = 'anon_inode:[pidfd]';
  readonly inode: Inode;
  readonly process: Process;

  constructor(process: Process, inode: Inode, flags: number) {
    this.process = process;
    this.inode = inode;
    this.flags = flags;
  }

  get waitQueue(): WaitQueue {
    return this.process.exitQueue;
  }

  poll(): number {
    const { state } = this.process;
    return state === 'zombie' ? POLLIN : state === 'reaped' ? POLLIN | POLLHUP : 0;
  }

  read(): number {
    return -EINVAL;
  }

  write(): number {
    return -EINVAL;
  }

  seek(): number {
    return -ESPIPE;
  }

  ioctl(): number {
    return -ENOTTY;
  }

  /** pidfd_show_fdinfo(): as the reader's namespace has it, and those between it and the process's own. */
  fdInfo(): string {
    const { process } = this;
    const reader = process.kernel.current?.process.pidNamespace ?? process.pidNamespace;
    if (process.state === 'reaped') return 'Pid:\t-1\nNSpid:\t-1\n';
    const numbers = process.pidNamespace.isWithin(reader) ? process.pidNamespace.numbersBelow(reader, process.pid) : [0];
    return `Pid:\t${numbers[0]}\nNSpid:\t${numbers.join('\t')}\n`;
  }

  release(): void {
    // Nothing is held.
  }
}

/** A descriptor for the process, close-on-exec as always. */
export function openPidfd(task: KernelTask, process: Process, flags: number): number {
  return task.files.install(new PidFile(process, specialFilesOf(task.kernel).anonymousInode, O_RDWR | flags), true);
}

function pidfdOpen(task: KernelTask, pid: number, flags: number): number {
  if ((flags & ~O_NONBLOCK) !== 0 || pid <= 0) return -EINVAL;
  const { kernel } = task;
  const id = task.idOf(pid);
  const process = kernel.findProcess(id);
  if (process !== undefined) return openPidfd(task, process, flags);
  return kernel.findTask(id) !== undefined ? -EINVAL : -ESRCH;
}

/** The process of a pidfd, or of a directory /proc/PID (kernel/signal.c: pidfd_to_pid). */
function signalledProcess(file: OpenFile | undefined): Process | undefined {
  if (file instanceof PidFile) return file.process;
  const inode = file?.inode;
  return inode instanceof ProcessDirectory && inode.view instanceof KernelProcessView ? inode.view.process : undefined;
}

function pidfdSendSignal(task: KernelTask, fd: number, signal: number, info: number, flags: number): number {
  if (flags !== 0) return -EINVAL;
  const process = signalledProcess(task.files.get(fd));
  if (process === undefined) return -EBADF;
  if (signal < 0 || signal > NSIG) return -EINVAL;
  let decoded;
  if (info !== 0) {
    const bytes = task.memory.copyIn(info, SIGINFO_SIZE);
    if (bytes === undefined) return -EFAULT;
    decoded = decodeSignalInfo(bytes, signal);
    if (new DataView(bytes.buffer, bytes.byteOffset).getInt32(0, true) !== signal) return -EINVAL;
    if (decoded.code >= 0 && process !== task.process) return -EPERM;
  }
  if (process.state === 'reaped') return -ESRCH;
  // A process outside of the caller's PID namespace is out of its reach (access_pidfd_pidns).
  if (task.numberOf(process.pid) === 0) return -EINVAL;
  if (!maySignal(task, process, signal)) return -EPERM;
  if (signal !== 0) sendToProcess(process, decoded ?? { signal, code: SI_USER, pid: task.process.pid, uid: task.credentials.uid });
  return 0;
}

function pidfdGetfd(task: KernelTask, fd: number, targetFd: number, flags: number): number {
  if (flags !== 0) return -EINVAL;
  const file = task.files.get(fd);
  if (!(file instanceof PidFile)) return -EBADF;
  const { process } = file;
  if (process.tasks.size === 0) return -ESRCH;
  if (!mayAccess(task, process.leader)) return -EPERM;
  const wanted = process.leader.files.get(targetFd);
  return wanted === undefined ? -EBADF : task.files.install(wanted, true);
}

export const pidfdRows: readonly SyscallRow[] = [
  row(424, 'pidfd_send_signal', ['fd', 'signal', 'pointer', 'flags'], pidfdSendSignal),
  row(434, 'pidfd_open', ['int', 'flags'], pidfdOpen),
  row(438, 'pidfd_getfd', ['fd', 'fd', 'flags'], pidfdGetfd),
];
