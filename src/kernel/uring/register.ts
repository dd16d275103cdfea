/** io_uring_register(2): what requests name by a number, who is told of results, and what there is (io_uring/register.c). */
import * as op from '../../abi/io_uring.ts';
import { EBADF, EBUSY, EFAULT, EINVAL, EMFILE, ENXIO } from '../../abi/errno.ts';
import { dropFile, holdFile } from '../../fs/open-file.ts';
import type { OpenFile } from '../../fs/types.ts';
import { EventFile } from '../files/eventfd.ts';
import type { KernelTask } from '../task/task.ts';
import { IoUringFile } from './io-uring-file.ts';
import { FIXED_BUFFERS, FIXED_FILES } from './limits.ts';
import { OPERATIONS, RING_OPERATIONS, type FixedBuffer } from './operations.ts';

/** Bytes of a registered buffer: one GiB, as io_buffer_validate(). */
const BUFFER_BYTES = 2 ** 30;

function registerBuffers(ring: IoUringFile, task: KernelTask, list: number, count: number): number {
  if (ring.fixedBuffers !== undefined) return -EBUSY;
  if (count === 0 || count > FIXED_BUFFERS) return -EINVAL;
  const buffers: (FixedBuffer | undefined)[] = [];
  for (let index = 0; index < count; index++) {
    const address = task.memory.readI64(list + 16 * index);
    const length = task.memory.readI64(list + 16 * index + 8);
    if (address === undefined || length === undefined) return -EFAULT;
    if (address === 0) {
      if (length !== 0) return -EFAULT;
      buffers.push(undefined);
      continue;
    }
    if (length <= 0 || length > BUFFER_BYTES || task.memory.writable(address, length) === undefined) return -EFAULT;
    buffers.push({ address, length });
  }
  ring.fixedBuffers = buffers;
  return 0;
}

/** The file of a descriptor; undefined for -1; -errno. A ring cannot be held by a ring. */
function fileToHold(task: KernelTask, fd: number): OpenFile | number | undefined {
  if (fd === -1) return undefined;
  const file = task.files.get(fd);
  return file === undefined || file instanceof IoUringFile ? -EBADF : file;
}

function registerFiles(ring: IoUringFile, task: KernelTask, list: number, count: number): number {
  if (ring.fixedFiles !== undefined) return -EBUSY;
  if (count === 0) return -EINVAL;
  if (count > FIXED_FILES) return -EMFILE;
  const files: (OpenFile | undefined)[] = [];
  for (let index = 0; index < count; index++) {
    const fd = task.memory.readI32(list + 4 * index);
    const file = fd === undefined ? -EFAULT : fileToHold(task, fd);
    if (typeof file === 'number') return file;
    files.push(file);
  }
  for (const file of files) if (file !== undefined) holdFile(file);
  ring.fixedFiles = files;
  return 0;
}

export function unregisterFiles(ring: IoUringFile): number {
  const files = ring.fixedFiles;
  if (files === undefined) return -ENXIO;
  ring.fixedFiles = undefined;
  for (const file of files) if (file !== undefined) dropFile(file);
  return 0;
}

/** `struct io_uring_files_update`: how many were changed, or -errno where the first could not be. */
function updateFiles(ring: IoUringFile, task: KernelTask, update: number, count: number): number {
  const files = ring.fixedFiles;
  const offset = task.memory.readU32(update);
  const reserved = task.memory.readU32(update + 4);
  const list = task.memory.readI64(update + 8);
  if (offset === undefined || reserved === undefined || list === undefined) return -EFAULT;
  if (reserved !== 0 || count === 0) return -EINVAL;
  if (files === undefined) return -ENXIO;
  if (offset + count > files.length) return -EINVAL;
  for (let done = 0; done < count; done++) {
    const fd = task.memory.readI32(list + 4 * done);
    if (fd === op.IORING_REGISTER_FILES_SKIP) continue;
    const file = fd === undefined ? -EFAULT : fileToHold(task, fd);
    if (typeof file === 'number') return done > 0 ? done : file;
    const old = files[offset + done];
    files[offset + done] = file === undefined ? undefined : holdFile(file);
    if (old !== undefined) dropFile(old);
  }
  return count;
}

function registerEventFile(ring: IoUringFile, task: KernelTask, address: number, count: number): number {
  if (count !== 1) return -EINVAL;
  if (ring.eventFile !== undefined) return -EBUSY;
  const fd = task.memory.readI32(address);
  if (fd === undefined) return -EFAULT;
  const file = task.files.get(fd);
  if (file === undefined) return -EBADF;
  if (!(file instanceof EventFile)) return -EINVAL;
  ring.eventFile = holdFile(file);
  return 0;
}

export function unregisterEventFile(ring: IoUringFile): number {
  const file = ring.eventFile;
  if (file === undefined) return -ENXIO;
  ring.eventFile = undefined;
  dropFile(file);
  return 0;
}

/** `struct io_uring_probe` with `count` operations behind it. */
function probe(task: KernelTask, address: number, count: number): number {
  if (count > 256) return -EINVAL;
  const operations = Math.min(count, op.IORING_OP_LAST);
  const given = task.memory.copyIn(address, 16 + 8 * count);
  if (given === undefined) return -EFAULT;
  if (given.some((byte) => byte !== 0)) return -EINVAL;
  given[0] = op.IORING_OP_LAST - 1;
  given[1] = operations;
  for (let operation = 0; operation < operations; operation++) {
    given[16 + 8 * operation] = operation;
    if (OPERATIONS.has(operation) || RING_OPERATIONS.has(operation)) given[16 + 8 * operation + 2] = op.IO_URING_OP_SUPPORTED;
  }
  return task.memory.copyOut(address, given);
}

export function register(ring: IoUringFile, task: KernelTask, what: number, argument: number, count: number): number {
  const isBare = argument === 0 && count === 0;
  switch (what) {
    case op.IORING_REGISTER_BUFFERS:
      return registerBuffers(ring, task, argument, count);
    case op.IORING_UNREGISTER_BUFFERS: {
      if (!isBare) return -EINVAL;
      const had = ring.fixedBuffers !== undefined;
      ring.fixedBuffers = undefined;
      return had ? 0 : -ENXIO;
    }
    case op.IORING_REGISTER_FILES:
      return registerFiles(ring, task, argument, count);
    case op.IORING_UNREGISTER_FILES:
      return isBare ? unregisterFiles(ring) : -EINVAL;
    case op.IORING_REGISTER_FILES_UPDATE:
      return updateFiles(ring, task, argument, count);
    case op.IORING_REGISTER_EVENTFD:
    case op.IORING_REGISTER_EVENTFD_ASYNC:
      return registerEventFile(ring, task, argument, count);
    case op.IORING_UNREGISTER_EVENTFD:
      return isBare ? unregisterEventFile(ring) : -EINVAL;
    case op.IORING_REGISTER_PROBE:
      return argument === 0 ? -EINVAL : probe(task, argument, count);
    case op.IORING_REGISTER_ENABLE_RINGS:
      return isBare ? ring.enable() : -EINVAL;
    default:
      return -EINVAL;
  }
}
