/**
 * A ring (`struct io_ring_ctx`): takes requests, does each through the call that it stands for, and puts results where the guest reads them
 * (io_uring/io_uring.c). One that must wait waits by itself; its call is repeated once what it waits for has changed, on behalf of its
 * submitter, whose memory is at hand then.
 */
import * as op from '../../abi/io_uring.ts';
import { EACCES, EAGAIN, EBADF, EBADFD, EBUSY, ECANCELED, EINTR, EINVAL, ENOENT, ERESTARTSYS, ETIME } from '../../abi/errno.ts';
import { O_CLOEXEC, O_NONBLOCK, O_RDWR, RWF_NOWAIT } from '../../abi/fcntl.ts';
import { POLLERR, POLLHUP, POLLIN, POLLOUT } from '../../abi/poll.ts';
import { StreamFile } from '../../fs/stream-file.ts';
import type { Inode, OpenFile } from '../../fs/types.ts';
import { readTimespec } from '../files/timespec.ts';
import { allowsCall } from '../seccomp/seccomp.ts';
import type { KernelTask } from '../task/task.ts';
import { BLOCKED } from '../types.ts';
import { RING_PENDING } from './limits.ts';
import { isShort, numberOfCall, OPERATIONS, RING_OPERATIONS, type FixedBuffer } from './operations.ts';
import { Request } from './request.ts';
import type { RingMemory } from './ring-memory.ts';
import { readSqe, type Sqe } from './sqe.ts';
import { makeWorker } from './worker.ts';

const KNOWN_FLAGS = op.IOSQE_FIXED_FILE | op.IOSQE_IO_DRAIN | op.IOSQE_IO_LINK | op.IOSQE_IO_HARDLINK | op.IOSQE_ASYNC | op.IOSQE_CQE_SKIP_SUCCESS;
const TIMEOUT_FLAGS = op.IORING_TIMEOUT_ABS | op.IORING_TIMEOUT_BOOTTIME | op.IORING_TIMEOUT_REALTIME | op.IORING_TIMEOUT_ETIME_SUCCESS;
const CANCEL_FLAGS = op.IORING_ASYNC_CANCEL_ALL | op.IORING_ASYNC_CANCEL_FD | op.IORING_ASYNC_CANCEL_ANY;

interface Result {
  readonly data: bigint;
  readonly result: number;
  readonly flags: number;
}

/** A request waits for its file also where the file says that nobody does (io_file_supports_nowait()); nothing else runs meanwhile. */
function waiting(file: OpenFile | undefined, handle: () => number): number {
  if (file === undefined || (file.flags & O_NONBLOCK) === 0) return handle();
  file.flags &= ~O_NONBLOCK;
  const result = handle();
  file.flags |= O_NONBLOCK;
  return result;
}

export class IoUringFile extends StreamFile {
  readonly memory: RingMemory;
  readonly setupFlags: number;
  isDisabled: boolean;
  fixedFiles: (OpenFile | undefined)[] | undefined;
  fixedBuffers: (FixedBuffer | undefined)[] | undefined;
  eventFile: OpenFile | undefined;
  /** Told when the ring is closed: registered files, bounds. */
  onRelease: (() => void) | undefined;
  readonly #active = new Set<Request>();
  /** Results that found no room (IORING_FEAT_NODROP). */
  readonly #overflow: Result[] = [];
  /** Chains behind one that drains. */
  readonly #held: Request[] = [];
  /** Started and not yet tried: chains are no recursion. */
  readonly #ready: Request[] = [];
  #isPumping = false;
  /** Results so far, without those of timeouts. */
  #completed = 0;
  #isClosed = false;

  constructor(inode: Inode, memory: RingMemory, flags: number) {
    super(inode, 'anon_inode:[io_uring]', O_RDWR | O_CLOEXEC);
    this.memory = memory;
    this.setupFlags = flags;
    this.isDisabled = (flags & op.IORING_SETUP_R_DISABLED) !== 0;
  }

  poll(): number {
    const room = this.memory.submitted < this.memory.requests ? POLLOUT : 0;
    return this.memory.waiting > 0 || this.#overflow.length > 0 ? room | POLLIN : room;
  }

  // ---- submission ----

  /** io_submit_sqes(): how many were taken, or -errno where none was. */
  submit(task: KernelTask, wanted: number): number {
    const count = Math.min(wanted, this.memory.submitted);
    let taken = 0;
    let first: Request | undefined;
    let last: Request | undefined;
    while (taken < count) {
      if (this.#active.size + this.#overflow.length + this.#held.length + taken >= RING_PENDING) break;
      const bytes = this.memory.take();
      if (bytes === undefined) break;
      taken++;
      const request = new Request(readSqe(bytes), task);
      request.refused = this.#check(request.sqe, last);
      if (last === undefined) first = request;
      else last.next = request;
      last = request;
      const stops = request.refused !== 0 && (this.setupFlags & op.IORING_SETUP_SUBMIT_ALL) === 0;
      if (request.isLinked && !stops) continue;
      this.#submitChain(first!);
      first = last = undefined;
      if (stops) break;
    }
    if (first !== undefined) this.#submitChain(first);
    return taken === 0 && count > 0 ? -EBUSY : taken;
  }

  /** io_init_req(): what is known to be wrong before anything is done. */
  #check({ operation, flags, personality }: Sqe, previous: Request | undefined): number {
    if (!OPERATIONS.has(operation) && !RING_OPERATIONS.has(operation)) return -EINVAL;
    if ((flags & ~KNOWN_FLAGS) !== 0 || personality !== 0) return -EINVAL;
    if (operation === op.IORING_OP_LINK_TIMEOUT && (previous === undefined || previous.sqe.operation === op.IORING_OP_LINK_TIMEOUT)) return -EINVAL;
    return 0;
  }

  #submitChain(first: Request): void {
    let isRefused = false;
    let drains = false;
    for (let request: Request | undefined = first; request !== undefined; request = request.next) {
      isRefused ||= request.refused !== 0;
      drains ||= (request.sqe.flags & op.IOSQE_IO_DRAIN) !== 0;
    }
    if (isRefused) {
      for (let request: Request | undefined = first; request !== undefined; request = request.next) this.#post(request, request.refused === 0 ? -ECANCELED : request.refused);
    } else if (this.#held.length > 0 || (drains && this.#active.size > 0)) {
      this.#held.push(first);
    } else {
      this.#start(first);
    }
  }

  #start(request: Request): void {
    this.#active.add(request);
    this.#ready.push(request);
    this.#pump();
  }

  #pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    for (let request = this.#ready.shift(); request !== undefined; request = this.#ready.shift()) {
      // Only in its submitter's own turn; otherwise between two turns, with the submitter's memory at hand.
      if (request.task.kernel.current !== request.task) this.#later(request);
      else if (this.#active.has(request)) this.#try(request);
    }
    this.#isPumping = false;
  }

  #try(request: Request): void {
    const isFirst = request.worker === undefined;
    if (isFirst) this.#armLinkTimeout(request);
    const result = isFirst ? this.#begin(request) : this.#make(request);
    if (result !== BLOCKED) this.#finish(request, result);
  }

  /** What of the held chains may start now. */
  #release(): void {
    for (let first = this.#held[0]; first !== undefined; first = this.#held[0]) {
      const drains = (first.sqe.flags & op.IOSQE_IO_DRAIN) !== 0;
      if (drains && this.#active.size > 0) return;
      this.#held.shift();
      this.#start(first);
    }
  }

  // ---- doing ----

  /** The result, or `BLOCKED`. */
  #begin(request: Request): number {
    const { sqe } = request;
    const operation = OPERATIONS.get(sqe.operation);
    const takesFile = operation?.takesFile === true || sqe.operation === op.IORING_OP_POLL_ADD;
    if (takesFile) {
      const file = (sqe.flags & op.IOSQE_FIXED_FILE) === 0 ? request.task.files.get(sqe.fd) : this.fixedFiles?.[sqe.fd];
      if (file === undefined) return -EBADF;
      request.hold(file, file instanceof IoUringFile);
    } else if ((sqe.flags & op.IOSQE_FIXED_FILE) !== 0) return -EBADF;
    request.worker = makeWorker(request.task, { wake: () => this.#later(request) }, sqe.fd, request.file);
    if (operation === undefined) return this.#ownOperation(request);
    const call = operation.call(sqe, request.file, this.fixedBuffers ?? []);
    if (typeof call === 'number') return call;
    if (call[0] === 'close' && request.task.files.get(sqe.fd) === this) return -EBADF;
    request.call = call;
    return this.#make(request);
  }

  /** The call of a request, for the first time or once more. */
  #make(request: Request): number {
    const { call, sqe } = request;
    if (call === undefined) return this.#ownOperation(request);
    const worker = request.worker!;
    const [name, ...args] = call;
    const number = numberOfCall(name);
    const entry = worker.kernel.syscalls[number];
    if (entry === undefined) return -EINVAL;
    if (!allowsCall(worker, number, args)) return -EACCES;
    const result = waiting(request.file, () => entry.handler(worker, args[0] ?? 0, args[1] ?? 0, args[2] ?? 0, args[3] ?? 0, args[4] ?? 0, args[5] ?? 0));
    if (result === BLOCKED) {
      worker.callRow = entry.row;
      worker.callArguments = args;
      const isTransfer = name === 'read' || name === 'write';
      return isTransfer && (sqe.operationFlags & RWF_NOWAIT) !== 0 ? -EAGAIN : BLOCKED;
    }
    worker.blocking = worker.onInterrupt = worker.onAbandon = undefined;
    if (sqe.operation === op.IORING_OP_ACCEPT && (sqe.priority & op.IORING_ACCEPT_MULTISHOT) !== 0 && result >= 0 && this.#put(sqe.data, result, op.IORING_CQE_F_MORE)) {
      worker.callRow = undefined;
      this.#later(request);
      return BLOCKED;
    }
    return result === -ERESTARTSYS ? -EINTR : result;
  }

  /** What it waited for has changed: between two turns of tasks it is tried again. */
  #later(request: Request): void {
    const { task } = request;
    request.timer = task.kernel.addTimer(0, () => this.#resume(request));
  }

  #resume(request: Request): void {
    const { task } = request;
    const { kernel } = task;
    if (!this.#active.has(request)) return;
    if (task.state === 'dead' || task.mm !== request.mm) {
      this.cancel(request);
      return;
    }
    kernel.scheduler.load(task);
    const before = kernel.current;
    kernel.current = task;
    this.#try(request);
    kernel.current = before;
  }

  #ownOperation(request: Request): number {
    const { sqe } = request;
    switch (sqe.operation) {
      case op.IORING_OP_POLL_ADD:
        return this.#pollAdd(request);
      case op.IORING_OP_POLL_REMOVE:
        return sqe.length !== 0 ? -EINVAL : this.#cancelFirst((other) => other.sqe.operation === op.IORING_OP_POLL_ADD && other.sqe.data === sqe.target);
      case op.IORING_OP_TIMEOUT:
        return this.#timeout(request);
      case op.IORING_OP_TIMEOUT_REMOVE:
        return this.#timeoutRemove(request);
      case op.IORING_OP_ASYNC_CANCEL:
        return this.#asyncCancel(request);
      default:
        return 0;
    }
  }

  #pollAdd(request: Request): number {
    const { sqe, file, worker } = request;
    if ((sqe.length & ~op.IORING_POLL_ADD_MULTI) !== 0) return -EINVAL;
    const isMulti = sqe.length !== 0;
    const ready = file!.poll() & ((sqe.operationFlags & 0xffff) | POLLERR | POLLHUP);
    if (ready !== 0 && (!isMulti || !this.#put(sqe.data, ready, op.IORING_CQE_F_MORE))) return ready;
    return worker!.block([file!.waitQueue]);
  }

  // ---- timeouts ----

  /** When the time of `struct __kernel_timespec` at an address is, as CLOCK_MONOTONIC in nanoseconds; or -errno. */
  #deadline({ task }: Request, address: number, flags: number): number {
    const ns = readTimespec(task.memory, address);
    if (ns < 0) return ns;
    const now = task.kernel.monotonicNs();
    if ((flags & op.IORING_TIMEOUT_ABS) === 0) return now + ns;
    return (flags & op.IORING_TIMEOUT_REALTIME) === 0 ? ns : now + Math.max(0, ns - Number(task.kernel.realtimeNs()));
  }

  #timeout(request: Request): number {
    const { sqe, task } = request;
    if (sqe.length !== 1 || (sqe.operationFlags & ~TIMEOUT_FLAGS) !== 0) return -EINVAL;
    const deadline = this.#deadline(request, sqe.address, sqe.operationFlags);
    if (deadline < 0) return deadline;
    if (sqe.offset > 0) request.completeAt = this.#completed + sqe.offset;
    request.timer = task.kernel.addTimer(deadline, () => this.#finish(request, -ETIME));
    return BLOCKED;
  }

  #timeoutRemove(request: Request): number {
    const { sqe } = request;
    const isMeant = (other: Request): boolean => other.sqe.operation === op.IORING_OP_TIMEOUT && other.sqe.data === sqe.target;
    if ((sqe.operationFlags & op.IORING_TIMEOUT_UPDATE) === 0) return sqe.operationFlags !== 0 ? -EINVAL : this.#cancelFirst(isMeant);
    const deadline = this.#deadline(request, sqe.offset, sqe.operationFlags);
    if (deadline < 0) return deadline;
    const found = [...this.#active].find(isMeant);
    if (found === undefined) return -ENOENT;
    found.timer?.cancel();
    found.timer = found.task.kernel.addTimer(deadline, () => this.#finish(found, -ETIME));
    return 0;
  }

  /** The time of a request runs from when it starts. */
  #armLinkTimeout(request: Request): void {
    const timeout = request.linkTimeout;
    if (timeout === undefined) return;
    const deadline = this.#deadline(timeout, timeout.sqe.address, timeout.sqe.operationFlags);
    if (deadline < 0) {
      timeout.refused = deadline;
      return;
    }
    timeout.timer = request.task.kernel.addTimer(deadline, () => {
      timeout.refused = -ETIME;
      this.cancel(request);
    });
  }

  // ---- cancellation ----

  #cancelFirst(isMeant: (request: Request) => boolean): number {
    const found = [...this.#active].find(isMeant);
    if (found === undefined) return -ENOENT;
    this.cancel(found);
    return 0;
  }

  #asyncCancel(request: Request): number {
    const { sqe } = request;
    const flags = sqe.operationFlags;
    if ((flags & ~CANCEL_FLAGS) !== 0 || sqe.length !== 0 || sqe.offset !== 0) return -EINVAL;
    const file = (flags & op.IORING_ASYNC_CANCEL_FD) === 0 ? undefined : request.task.files.get(sqe.fd);
    if ((flags & op.IORING_ASYNC_CANCEL_FD) !== 0 && file === undefined) return -EBADF;
    const isMeant = (other: Request): boolean => {
      if (other === request) return false;
      if ((flags & op.IORING_ASYNC_CANCEL_ANY) !== 0) return true;
      return file === undefined ? other.sqe.data === sqe.target : other.file === file;
    };
    if ((flags & (op.IORING_ASYNC_CANCEL_ALL | op.IORING_ASYNC_CANCEL_ANY)) === 0) return this.#cancelFirst(isMeant);
    const found = [...this.#active].filter(isMeant);
    for (const other of found) this.cancel(other);
    return found.length;
  }

  /** Ends a request that waits; what it had moved by then is its result. */
  cancel(request: Request): void {
    const { worker } = request;
    worker?.leaveQueues();
    const done = worker?.onInterrupt?.() ?? 0;
    worker?.onAbandon?.();
    const result = done > 0 ? done : -ECANCELED;
    if (worker?.callRow !== undefined) worker.kernel.watch?.closed(worker, result);
    this.#finish(request, result);
  }

  // ---- results ----

  #finish(request: Request, result: number): void {
    if (!this.#active.delete(request)) return;
    request.end();
    this.#post(request, result);
    let next = request.next;
    const isTimeout = request.sqe.operation === op.IORING_OP_TIMEOUT;
    const isGood = (result >= 0 && !isShort(request.sqe, result)) || (isTimeout && (request.sqe.operationFlags & op.IORING_TIMEOUT_ETIME_SUCCESS) !== 0);
    const timeout = request.linkTimeout;
    if (timeout !== undefined) {
      timeout.end();
      this.#post(timeout, timeout.refused === 0 ? -ECANCELED : timeout.refused);
      next = timeout.next;
    }
    if (next !== undefined && (isGood || request.isHardLinked)) this.#start(next);
    else for (; next !== undefined; next = next.next) this.#post(next, -ECANCELED);
    if (!isTimeout) this.#count();
    this.#release();
  }

  /** Timeouts that end with the results of others. */
  #count(): void {
    this.#completed++;
    for (const request of this.#active) if (request.completeAt <= this.#completed) this.#finish(request, 0);
  }

  #post({ sqe }: Request, result: number): void {
    if (this.#isClosed || ((sqe.flags & op.IOSQE_CQE_SKIP_SUCCESS) !== 0 && result >= 0)) return;
    if (!this.#put(sqe.data, result, 0)) {
      this.#overflow.push({ data: sqe.data, result, flags: 0 });
      this.memory.set('sqFlags', this.memory.get('sqFlags') | op.IORING_SQ_CQ_OVERFLOW);
      this.waitQueue.wake(POLLIN);
    }
  }

  /** False: no room. */
  #put(data: bigint, result: number, flags: number): boolean {
    if (this.#overflow.length > 0 || !this.memory.put(data, result, flags)) return false;
    if ((this.memory.get('cqFlags') & op.IORING_CQ_EVENTFD_DISABLED) === 0) this.eventFile?.write(new Uint8Array([1, 0, 0, 0, 0, 0, 0, 0]));
    this.waitQueue.wake(POLLIN);
    return true;
  }

  /** Results that found no room go where there is some now. */
  flushOverflow(): void {
    if (this.#overflow.length === 0) return;
    let done = 0;
    for (const { data, result, flags } of this.#overflow) {
      if (!this.memory.put(data, result, flags)) break;
      done++;
    }
    this.#overflow.splice(0, done);
    if (this.#overflow.length === 0) this.memory.set('sqFlags', this.memory.get('sqFlags') & ~op.IORING_SQ_CQ_OVERFLOW);
  }

  /** IORING_REGISTER_ENABLE_RINGS: 0 or -EBADFD. */
  enable(): number {
    if (!this.isDisabled) return -EBADFD;
    this.isDisabled = false;
    return 0;
  }

  override release(): void {
    this.#isClosed = true;
    this.#held.length = 0;
    this.#overflow.length = 0;
    for (const request of [...this.#active]) {
      request.next = undefined;
      this.cancel(request);
    }
    this.onRelease?.();
    this.memory.release();
  }
}
