/** pipe(2), splice(2), tee(2), vmsplice(2). */
import { EAGAIN, EBADF, EFAULT, EINVAL, EPIPE, ESPIPE } from '../../abi/errno.ts';
import { O_APPEND, O_CLOEXEC, O_DIRECT, O_NONBLOCK } from '../../abi/fcntl.ts';
import { SI_USER, SIGPIPE } from '../../abi/signal.ts';
import { isReadable, isWritable } from '../../fs/open-file.ts';
import type { OpenFile } from '../../fs/types.ts';
import { PipeFile } from '../files/pipe.ts';
import { specialFilesOf } from '../files/special-files.ts';
import type { SyscallRow, Task } from '../types.ts';

const SPLICE_F_NONBLOCK = 2;
const SPLICE_FLAGS = 15;
/** Bytes moved in one step. */
const CHUNK = 0x1_0000;

/** What write(2) to a pipe or stream without a reader does to the writer. */
export function raiseSigpipe(task: Task): number {
  task.sendSignal({ signal: SIGPIPE, code: SI_USER, pid: task.process.pid, uid: task.credentials.uid });
  return -EPIPE;
}

function pipe2(task: Task, address: number, flags: number): number {
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT)) !== 0) return -EINVAL;
  if (task.memory.writable(address, 8) === undefined) return -EFAULT;
  const closeOnExec = (flags & O_CLOEXEC) !== 0;
  const [reader, writer] = specialFilesOf(task.kernel).createPipe(flags & ~O_CLOEXEC);
  const readFd = task.files.install(reader, closeOnExec);
  if (readFd < 0) {
    reader.release();
    writer.release();
    return readFd;
  }
  const writeFd = task.files.install(writer, closeOnExec);
  if (writeFd < 0) {
    writer.release();
    task.files.close(readFd);
    return writeFd;
  }
  task.memory.writeU32(address, readFd);
  task.memory.writeU32(address + 4, writeFd);
  return 0;
}

/** Waits for `file`, or not: the answer of a call that found nothing to do. */
function waitOn(task: Task, file: OpenFile, nonblocking: boolean): number {
  return nonblocking ? -EAGAIN : task.block([file.waitQueue]);
}

/** An offset argument: undefined for none, or -EFAULT, -ESPIPE for a pipe. */
function readOffset(task: Task, file: OpenFile, address: number): number | undefined {
  if (address === 0) return undefined;
  if (file instanceof PipeFile) return -ESPIPE;
  const offset = task.memory.readI64(address);
  if (offset === undefined) return -EFAULT;
  return offset < 0 ? -EINVAL : offset;
}

/** fs/splice.c:do_splice. */
function splice(task: Task, fdIn: number, offsetIn: number, fdOut: number, offsetOut: number, length: number, flags: number): number {
  if (length === 0) return 0;
  if ((flags & ~SPLICE_FLAGS) !== 0 || length < 0) return -EINVAL;
  const source = task.files.get(fdIn);
  const target = task.files.get(fdOut);
  if (source === undefined || target === undefined || !isReadable(source) || !isWritable(target)) return -EBADF;
  const from = readOffset(task, source, offsetIn);
  const to = readOffset(task, target, offsetOut);
  if (from !== undefined && from < 0) return from;
  if (to !== undefined && to < 0) return to;
  const nonblocking = (flags & SPLICE_F_NONBLOCK) !== 0;
  let count: number;
  if (source instanceof PipeFile) {
    if (target instanceof PipeFile && target.pipe === source.pipe) return -EINVAL;
    if ((target.flags & O_APPEND) !== 0) return -EINVAL;
    count = fromPipe(task, source, target, to, length, nonblocking, true);
  } else if (target instanceof PipeFile) count = toPipe(task, source, target, from, length, nonblocking);
  else return -EINVAL;
  if (count > 0 && from !== undefined) task.memory.writeI64(offsetIn, from + count);
  if (count > 0 && to !== undefined) task.memory.writeI64(offsetOut, to + count);
  return count;
}

function toPipe(task: Task, source: OpenFile, target: PipeFile, from: number | undefined, length: number, nonblocking: boolean): number {
  const { pipe } = target;
  if (pipe.readers === 0) return raiseSigpipe(task);
  const room = pipe.free;
  if (room === 0) return waitOn(task, target, nonblocking || (target.flags & O_NONBLOCK) !== 0);
  const bytes = new Uint8Array(Math.min(length, room, CHUNK));
  const count = source.read(bytes, from);
  if (count === -EAGAIN) return waitOn(task, source, (source.flags & O_NONBLOCK) !== 0);
  if (count <= 0) return count;
  // Room was there for all of it, and nobody else ran since.
  pipe.write(bytes.subarray(0, count), false);
  return count;
}

/** Moves (or for tee copies) from the front of a pipe. */
function fromPipe(
  task: Task, source: PipeFile, target: OpenFile, to: number | undefined, length: number, nonblocking: boolean, consume: boolean,
): number {
  const { pipe } = source;
  if (pipe.ring.length === 0) {
    if (pipe.writers === 0) return 0;
    return waitOn(task, source, nonblocking || (source.flags & O_NONBLOCK) !== 0);
  }
  let limit = Math.min(length, pipe.ring.length, CHUNK);
  if (target instanceof PipeFile) {
    if (target.pipe.readers === 0) return raiseSigpipe(task);
    const { free } = target.pipe;
    if (free === 0) return waitOn(task, target, nonblocking || (target.flags & O_NONBLOCK) !== 0);
    limit = Math.min(limit, free);
  }
  const bytes = new Uint8Array(limit);
  pipe.ring.peek(bytes);
  const count = target.write(bytes, to);
  if (count === -EAGAIN) return waitOn(task, target, nonblocking || (target.flags & O_NONBLOCK) !== 0);
  if (count === -EPIPE) return raiseSigpipe(task);
  if (count > 0 && consume) pipe.read(bytes.subarray(0, count));
  return count;
}

function tee(task: Task, fdIn: number, fdOut: number, length: number, flags: number): number {
  if ((flags & ~SPLICE_FLAGS) !== 0) return -EINVAL;
  if (length === 0) return 0;
  const source = task.files.get(fdIn);
  const target = task.files.get(fdOut);
  if (source === undefined || target === undefined || !isReadable(source) || !isWritable(target)) return -EBADF;
  if (!(source instanceof PipeFile) || !(target instanceof PipeFile) || source.pipe === target.pipe) return -EINVAL;
  return fromPipe(task, source, target, undefined, length, (flags & SPLICE_F_NONBLOCK) !== 0, false);
}

function vmsplice(task: Task, fd: number, address: number, count: number, flags: number): number {
  if ((flags & ~SPLICE_FLAGS) !== 0) return -EINVAL;
  const file = task.files.get(fd);
  if (file === undefined) return -EBADF;
  if (!(file instanceof PipeFile)) return -EBADF;
  const writing = isWritable(file);
  const views = task.memory.iovec(address, count, writing ? 'readable' : 'writable');
  if (typeof views === 'number') return views;
  let done = 0;
  for (const view of views) {
    if (view.length === 0) continue;
    const moved = writing ? file.write(view) : file.read(view);
    if (moved < 0 && done === 0) {
      if (moved === -EPIPE) return raiseSigpipe(task);
      return moved === -EAGAIN ? waitOn(task, file, ((flags & SPLICE_F_NONBLOCK) | (file.flags & O_NONBLOCK)) !== 0) : moved;
    }
    if (moved <= 0) break;
    done += moved;
    if (moved < view.length) break;
  }
  return done;
}

export const pipeRows: readonly SyscallRow[] = [
  { number: 22, name: 'pipe', arguments: ['pointer:fds'], handler: (task, address) => pipe2(task, address, 0), support: 'full' },
  { number: 275, name: 'splice', arguments: ['fd', 'pointer', 'fd', 'pointer', 'size', 'flags:splice'], handler: splice, support: 'full' },
  { number: 276, name: 'tee', arguments: ['fd', 'fd', 'size', 'flags:splice'], handler: tee, support: 'full' },
  {
    number: 278, name: 'vmsplice', arguments: ['fd', 'pointer:iovec', 'size', 'flags:splice'], handler: vmsplice, support: 'full',
    note: 'copies; SPLICE_F_GIFT has no effect',
  },
  { number: 293, name: 'pipe2', arguments: ['pointer:fds', 'flags:open'], handler: pipe2, support: 'full' },
];
