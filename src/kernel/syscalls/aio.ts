/**
 * Asynchronous input and output: io_setup(2), io_submit(2), io_getevents(2), io_cancel(2), io_destroy(2); Linux fs/aio.c. As there, what
 * is read and written is so when io_submit returns, which waits for pipes and sockets; only polling goes on by itself.
 */
import { IOCB_CMD_FDSYNC, IOCB_CMD_FSYNC, IOCB_CMD_POLL, IOCB_CMD_PREAD, IOCB_CMD_PREADV, IOCB_CMD_PWRITE, IOCB_CMD_PWRITEV, IOCB_FLAG_RESFD, IOCB_OFFSETS, IOCB_SIZE } from '../../abi/aio.ts';
import { EAGAIN, EBADF, EFAULT, EINPROGRESS, EINTR, EINVAL } from '../../abi/errno.ts';
import { POLLERR, POLLHUP } from '../../abi/poll.ts';
import { SEEK_CUR } from '../../abi/fcntl.ts';
import { S_IFDIR, S_IFMT } from '../../abi/stat.ts';
import type { OpenFile } from '../../fs/types.ts';
import { PlainFile, isReadable, isWritable } from '../../fs/open-file.ts';
import { createAioContext, findAioContext } from '../files/aio-context.ts';
import type { AioContext, AioRequest } from '../files/aio-context.ts';
import { EventFile } from '../files/eventfd.ts';
import { readTimespec } from '../files/timespec.ts';
import type { KernelTask } from '../task/task.ts';
import { BLOCKED, type SyscallRow } from '../types.ts';
import { withCoherence } from './coherence.ts';
import { row } from './define.ts';
import { viewOf } from './file-common.ts';
import { fileDataRows } from './file-data.ts';
import { fileIoRows } from './file-io.ts';
import { applySignalMask, waitFor } from './poll.ts';

/** The ordinary calls, which do the work. */
const CALLS = new Map([...fileIoRows, ...fileDataRows].map((call) => [call.name, withCoherence(call).handler]));

interface Transfer {
  readonly positioned: string;
  /** Of what has no positions. */
  readonly stream: string;
  readonly mayUse: (file: OpenFile) => boolean;
  readonly isVector: boolean;
}

const TRANSFERS = new Map<number, Transfer>([
  [IOCB_CMD_PREAD, { positioned: 'pread64', stream: 'read', mayUse: isReadable, isVector: false }],
  [IOCB_CMD_PWRITE, { positioned: 'pwrite64', stream: 'write', mayUse: isWritable, isVector: false }],
  [IOCB_CMD_PREADV, { positioned: 'preadv2', stream: 'readv', mayUse: isReadable, isVector: true }],
  [IOCB_CMD_PWRITEV, { positioned: 'pwritev2', stream: 'writev', mayUse: isWritable, isVector: true }],
]);

function ioSetup(task: KernelTask, events: number, target: number): number {
  const old = task.memory.readI64(target);
  if (old === undefined) return -EFAULT;
  if (old !== 0 || events === 0) return -EINVAL;
  const context = createAioContext(task.mm, events);
  if (typeof context === 'number') return context;
  const error = task.memory.writeI64(target, context.id);
  if (error !== 0) context.destroy();
  return error;
}

function ioDestroy(task: KernelTask, id: number): number {
  const context = findAioContext(task.mm, id);
  if (context === undefined) return -EINVAL;
  context.destroy();
  return 0;
}

/** A `struct iocb` that was read. */
interface Control {
  readonly request: AioRequest;
  readonly operation: number;
  readonly rwFlags: number;
  readonly fd: number;
  readonly file: OpenFile;
  readonly buffer: number;
  readonly bytes: number;
  readonly offset: number;
}

/** io_submit_one() up to the operation: what is asked for, or -errno, for which there is no event. */
function readControl(task: KernelTask, context: AioContext, address: number): Control | number {
  const { memory } = task;
  const copy = memory.copyIn(address, IOCB_SIZE);
  if (copy === undefined) return -EFAULT;
  const view = viewOf(copy);
  const at = IOCB_OFFSETS;
  const bytes = Number(view.getBigInt64(at.bytes, true));
  if (view.getBigUint64(at.reserved, true) !== 0n || bytes < 0) return -EINVAL;
  if (!context.hasRoom) return -EAGAIN;
  const fd = view.getInt32(at.fd, true);
  const file = task.files.get(fd);
  if (file === undefined) return -EBADF;
  let notified: OpenFile | undefined;
  if ((view.getUint32(at.flags, true) & IOCB_FLAG_RESFD) !== 0) {
    notified = task.files.get(view.getInt32(at.resultFd, true));
    if (notified === undefined) return -EBADF;
    if (!(notified instanceof EventFile)) return -EINVAL;
  }
  if (memory.writeU32(address + at.key, 0) !== 0) return -EFAULT;
  return {
    request: { data: view.getBigUint64(at.data, true), control: address, notified },
    operation: view.getUint16(at.opcode, true), rwFlags: view.getInt32(at.rwFlags, true), fd, file,
    buffer: Number(view.getBigUint64(at.buffer, true)), bytes, offset: Number(view.getBigInt64(at.offset, true)),
  };
}

function hasPositions(file: OpenFile): boolean {
  return file instanceof PlainFile || file.seek(0, SEEK_CUR) >= 0;
}

/** Reads or writes: the event's result, `BLOCKED`, or an error of io_submit itself as `{ refused }`. */
function transfer(task: KernelTask, control: Control, { positioned, stream, mayUse, isVector }: Transfer): number | { readonly refused: number } {
  const { file, fd, buffer, bytes, offset, rwFlags } = control;
  if (!mayUse(file)) return { refused: -EBADF };
  if ((file.inode.mode & S_IFMT) === S_IFDIR) return { refused: -EINVAL };
  if (isVector && bytes > 1024) return { refused: -EINVAL };
  if (!hasPositions(file)) return CALLS.get(stream)?.(task, fd, buffer, bytes, 0, 0, 0) ?? -EINVAL;
  if (offset < 0) return { refused: -EINVAL };
  const flags = isVector ? rwFlags : 0;
  return CALLS.get(positioned)?.(task, fd, buffer, bytes, offset, 0, flags) ?? -EINVAL;
}

/** What a control block asks for: 0 when it is under way or done, -errno, `BLOCKED`. */
function submitOne(task: KernelTask, context: AioContext, address: number): number {
  const control = readControl(task, context, address);
  if (typeof control === 'number') return control;
  const { request, operation, file, buffer, bytes, offset, rwFlags } = control;
  if (operation === IOCB_CMD_POLL) {
    if (buffer > 0xffff || offset !== 0 || bytes !== 0 || rwFlags !== 0) return -EINVAL;
    context.poll(request, file, buffer | POLLERR | POLLHUP);
    return 0;
  }
  if (operation === IOCB_CMD_FSYNC || operation === IOCB_CMD_FDSYNC) {
    if (buffer !== 0 || offset !== 0 || bytes !== 0 || rwFlags !== 0 || !(file instanceof PlainFile)) return -EINVAL;
    context.complete(request, CALLS.get('fsync')?.(task, control.fd, 0, 0, 0, 0, 0) ?? -EINVAL);
    return 0;
  }
  const kind = TRANSFERS.get(operation);
  if (kind === undefined) return -EINVAL;
  const result = transfer(task, control, kind);
  if (typeof result !== 'number') return result.refused;
  if (result === BLOCKED) {
    // A signal ends the wait, not the call.
    task.onInterrupt = () => {
      context.complete(request, -EINTR);
      return 0;
    };
    return BLOCKED;
  }
  context.complete(request, result);
  return 0;
}

/** What io_submit keeps while one of its requests waits: how many came before, and what that request's own call keeps. */
interface Submitting {
  readonly done: number;
  readonly inner: unknown;
}

function ioSubmit(task: KernelTask, id: number, count: number, list: number): number {
  const context = findAioContext(task.mm, id);
  if (context === undefined || count < 0) return -EINVAL;
  const kept = task.blocking as Submitting | undefined;
  let done = kept?.done ?? 0;
  task.blocking = kept?.inner;
  for (; done < count; done++) {
    const address = task.memory.readI64(list + 8 * done);
    const result = address === undefined ? -EFAULT : submitOne(task, context, address);
    if (result === BLOCKED) {
      const before = done;
      const interrupted = task.onInterrupt;
      task.blocking = { done, inner: task.blocking } satisfies Submitting;
      task.onInterrupt = () => {
        interrupted?.();
        return before + 1;
      };
      return BLOCKED;
    }
    task.blocking = undefined;
    task.onInterrupt = undefined;
    if (result !== 0) return done > 0 ? done : result;
  }
  return done;
}

function ioCancel(task: KernelTask, id: number, control: number): number {
  const key = task.memory.readU32(control + IOCB_OFFSETS.key);
  if (key === undefined) return -EFAULT;
  const context = findAioContext(task.mm, id);
  if (key !== 0 || context === undefined) return -EINVAL;
  return context.cancel(control) ? -EINPROGRESS : -EINVAL;
}

/** read_events(): `timeoutNs` from the first call, Infinity for ever. */
function getEvents(task: KernelTask, id: number, least: number, most: number, events: number, timeoutNs: number): number {
  const context = findAioContext(task.mm, id);
  if (context === undefined || least < 0 || least > most) return -EINVAL;
  if (context.waiting >= least || timeoutNs === 0 || task.deadlinePassed) return context.read(events, most);
  task.onInterrupt = () => context.read(events, most) || -EINTR;
  return waitFor(task, [context.waitQueue], timeoutNs);
}

function timeoutOf(task: KernelTask, address: number): number {
  return address === 0 || task.blocking !== undefined ? Infinity : readTimespec(task.memory, address);
}

function ioGetevents(task: KernelTask, id: number, least: number, most: number, events: number, timeout: number): number {
  const timeoutNs = timeoutOf(task, timeout);
  return timeoutNs < 0 ? timeoutNs : getEvents(task, id, least, most, events, timeoutNs);
}

/** `signals` is a `struct __aio_sigset`: a pointer to a mask, and its size. */
function ioPgetevents(task: KernelTask, id: number, least: number, most: number, events: number, timeout: number, signals: number): number {
  const timeoutNs = timeoutOf(task, timeout);
  if (timeoutNs < 0) return timeoutNs;
  if (signals !== 0) {
    const mask = task.memory.readI64(signals);
    const size = task.memory.readI64(signals + 8);
    if (mask === undefined || size === undefined) return -EFAULT;
    const masked = applySignalMask(task, mask, size);
    if (masked < 0) return masked;
  }
  return getEvents(task, id, least, most, events, timeoutNs);
}

export const aioRows: readonly SyscallRow[] = [
  row(206, 'io_setup', ['uint', 'pointer'], ioSetup),
  row(207, 'io_destroy', ['pointer'], ioDestroy),
  row(208, 'io_getevents', ['pointer', 'long', 'long', 'pointer', 'pointer:timespec'], ioGetevents),
  row(209, 'io_submit', ['pointer', 'long', 'pointer'], ioSubmit),
  row(210, 'io_cancel', ['pointer', 'pointer', 'pointer'], ioCancel),
  row(333, 'io_pgetevents', ['pointer', 'long', 'long', 'pointer', 'pointer:timespec', 'pointer'], ioPgetevents),
];
