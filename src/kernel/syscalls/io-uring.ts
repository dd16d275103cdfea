/** io_uring_setup(2), io_uring_enter(2), io_uring_register(2); the rings are in `uring`. Without the user's word there is none. */
import * as op from '../../abi/io_uring.ts';
import { EBADF, EBADFD, EFAULT, EINTR, EINVAL, ENOMEM, ENOSYS, EOPNOTSUPP, ETIME } from '../../abi/errno.ts';
import { specialFilesOf } from '../files/special-files.ts';
import { readTimespec } from '../files/timespec.ts';
import type { KernelTask } from '../task/task.ts';
import type { SyscallRow } from '../types.ts';
import { IoUringFile } from '../uring/io-uring-file.ts';
import { RING_ENTRIES, RING_PAGES, RING_RESULTS, RINGS } from '../uring/limits.ts';
import { register, unregisterEventFile, unregisterFiles } from '../uring/register.ts';
import { RingMemory } from '../uring/ring-memory.ts';
import { row, type CoreHandler } from './define.ts';
import { viewOf } from './file-common.ts';
import { applySignalMask } from './poll.ts';

const SETUP_FLAGS = op.IORING_SETUP_CQSIZE | op.IORING_SETUP_CLAMP | op.IORING_SETUP_R_DISABLED | op.IORING_SETUP_SUBMIT_ALL | op.IORING_SETUP_COOP_TASKRUN
  | op.IORING_SETUP_TASKRUN_FLAG | op.IORING_SETUP_SINGLE_ISSUER | op.IORING_SETUP_DEFER_TASKRUN;
const FEATURES = op.IORING_FEAT_SINGLE_MMAP | op.IORING_FEAT_NODROP | op.IORING_FEAT_SUBMIT_STABLE | op.IORING_FEAT_RW_CUR_POS | op.IORING_FEAT_CUR_PERSONALITY
  | op.IORING_FEAT_FAST_POLL | op.IORING_FEAT_POLL_32BITS | op.IORING_FEAT_EXT_ARG | op.IORING_FEAT_CQE_SKIP;
const ENTER_FLAGS = op.IORING_ENTER_GETEVENTS | op.IORING_ENTER_SQ_WAKEUP | op.IORING_ENTER_SQ_WAIT | op.IORING_ENTER_EXT_ARG;

/** Rings of each container, and their pages. */
const totals = new WeakMap<object, { rings: number; pages: number }>();

function roundUp(entries: number): number {
  return 2 ** Math.ceil(Math.log2(entries));
}

/** Requests and results that a ring has room for, or -errno (io_uring_fill_params()). */
function ringSizes(entries: number, wantedResults: number, flags: number): { readonly requests: number; readonly results: number } | number {
  const clamps = (flags & op.IORING_SETUP_CLAMP) !== 0;
  if (entries === 0 || (entries > RING_ENTRIES && !clamps)) return -EINVAL;
  const requests = roundUp(Math.min(entries, RING_ENTRIES));
  if ((flags & op.IORING_SETUP_CQSIZE) === 0) return { requests, results: 2 * requests };
  if (wantedResults === 0 || (wantedResults > RING_RESULTS && !clamps)) return -EINVAL;
  const results = roundUp(Math.min(wantedResults, RING_RESULTS));
  return results < requests ? -EINVAL : { requests, results };
}

function setup(task: KernelTask, entries: number, address: number): number {
  const given = task.memory.copyIn(address, op.IO_URING_PARAMS_SIZE);
  if (given === undefined) return -EFAULT;
  const at = op.IO_URING_PARAMS_OFFSETS;
  const view = viewOf(given);
  const flags = view.getUint32(at.flags, true);
  for (let word = at.reserved; word < at.sqOffsets; word += 4) if (view.getUint32(word, true) !== 0) return -EINVAL;
  if ((flags & ~SETUP_FLAGS) !== 0) return -EINVAL;
  if ((flags & op.IORING_SETUP_DEFER_TASKRUN) !== 0 && (flags & op.IORING_SETUP_SINGLE_ISSUER) === 0) return -EINVAL;
  const sizes = ringSizes(entries, view.getUint32(at.cqEntries, true), flags);
  if (typeof sizes === 'number') return sizes;
  const { requests, results } = sizes;
  const { kernel } = task;
  let total = totals.get(kernel);
  if (total === undefined) totals.set(kernel, (total = { rings: 0, pages: 0 }));
  const counted = total;
  const pages = RingMemory.pages(requests, results);
  if (counted.rings >= RINGS || counted.pages + pages > RING_PAGES) return -ENOMEM;
  const memory = new RingMemory(kernel.memory.shared, requests, results);
  view.setUint32(at.sqEntries, requests, true);
  view.setUint32(at.cqEntries, results, true);
  view.setUint32(at.features, FEATURES, true);
  given.fill(0, at.sqOffsets);
  memory.offsets.sq.forEach((value, index) => view.setUint32(at.sqOffsets + 4 * index, value, true));
  memory.offsets.cq.forEach((value, index) => view.setUint32(at.cqOffsets + 4 * index, value, true));
  const error = task.memory.copyOut(address, given);
  if (error !== 0) return error;
  const ring = new IoUringFile(specialFilesOf(kernel).anonymousInode, memory, flags);
  counted.rings++;
  counted.pages += pages;
  ring.onRelease = () => {
    counted.rings--;
    counted.pages -= pages;
    unregisterFiles(ring);
    unregisterEventFile(ring);
  };
  const fd = task.files.install(ring, true);
  if (fd < 0) ring.release();
  return fd;
}

/** What an enter that waits keeps. */
interface Entered {
  readonly submitted: number;
  readonly deadlineNs: number;
}

/** `struct io_uring_getevents_arg`, or a mask: when the wait ends as CLOCK_MONOTONIC, or -errno. */
function readArgument(task: KernelTask, flags: number, argument: number, size: number): number {
  if ((flags & op.IORING_ENTER_EXT_ARG) === 0) return applySignalMask(task, argument, size) || Infinity;
  if (size !== 24) return -EINVAL;
  const { memory } = task;
  const mask = memory.readI64(argument);
  const maskSize = memory.readU32(argument + 8);
  const timeout = memory.readI64(argument + 16);
  if (mask === undefined || maskSize === undefined || timeout === undefined) return -EFAULT;
  const timeoutNs = timeout === 0 ? Infinity : readTimespec(memory, timeout);
  if (timeoutNs < 0) return timeoutNs;
  return applySignalMask(task, mask, maskSize) || task.kernel.monotonicNs() + timeoutNs;
}

/** The wait of io_cqring_wait(), also when it goes on. */
function waitForResults(task: KernelTask, ring: IoUringFile, least: number): number {
  const entered = task.blocking as Entered;
  const { submitted, deadlineNs } = entered;
  ring.flushOverflow();
  if (ring.memory.waiting >= Math.min(least, ring.memory.results)) return submitted;
  if (task.deadlinePassed) return submitted > 0 ? submitted : -ETIME;
  task.onInterrupt = () => (submitted > 0 ? submitted : -EINTR);
  return task.block([ring.waitQueue], deadlineNs);
}

function ringOf(task: KernelTask, fd: number): IoUringFile | number {
  const file = task.files.get(fd);
  if (file === undefined) return -EBADF;
  return file instanceof IoUringFile ? file : -EOPNOTSUPP;
}

function enter(task: KernelTask, fd: number, count: number, least: number, flags: number, argument: number, size: number): number {
  if ((flags & ~ENTER_FLAGS) !== 0) return -EINVAL;
  const ring = ringOf(task, fd);
  if (typeof ring === 'number') return ring;
  if (task.blocking !== undefined) return waitForResults(task, ring, least);
  if (ring.isDisabled) return -EBADFD;
  const submitted = count === 0 ? 0 : ring.submit(task, count);
  if ((flags & op.IORING_ENTER_GETEVENTS) === 0 || submitted < 0) return submitted;
  if (submitted < count) {
    ring.flushOverflow();
    return submitted;
  }
  const deadlineNs = readArgument(task, flags, argument, size);
  if (deadlineNs < 0) return submitted > 0 ? submitted : deadlineNs;
  task.blocking = { submitted, deadlineNs } satisfies Entered;
  return waitForResults(task, ring, least);
}

function registerWith(task: KernelTask, fd: number, what: number, argument: number, count: number): number {
  const ring = ringOf(task, fd);
  return typeof ring === 'number' ? ring : register(ring, task, what, argument, count);
}

/** As a kernel that was built without it, unless the user offers it. */
function offered(handler: CoreHandler, number: number): CoreHandler {
  return (task, ...args) => {
    if (task.kernel.offersIoUring) return handler(task, ...args);
    task.kernel.countUnknown(number);
    return -ENOSYS;
  };
}

const OFF = 'Off unless --security-opt io_uring=on, as in gVisor.';

export const ioUringRows: readonly SyscallRow[] = [
  row(425, 'io_uring_setup', ['uint', 'pointer'], offered(setup, 425), { support: 'partial', note: `${OFF} No polling by the kernel (SQPOLL, IOPOLL), no larger entries (SQE128, CQE32).` }),
  row(426, 'io_uring_enter', ['fd', 'uint', 'uint', 'flags', 'pointer', 'size'], offered(enter, 426), { support: 'partial', note: `${OFF} SPLICE at the files' own positions only; no provided buffers, messages between rings, descriptors of a ring's own.` }),
  row(427, 'io_uring_register', ['fd', 'uint', 'pointer', 'uint'], offered(registerWith, 427), { support: 'partial', note: `${OFF} Buffers, files, eventfd, probe, enabling.` }),
];
