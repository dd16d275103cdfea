/** One request of a ring: what was asked for, who does it, and what follows it (`struct io_kiocb`). */
import { IORING_OP_LINK_TIMEOUT, IOSQE_IO_HARDLINK, IOSQE_IO_LINK } from '../../abi/io_uring.ts';
import { dropFile, holdFile } from '../../fs/open-file.ts';
import type { OpenFile } from '../../fs/types.ts';
import type { Mm } from '../mm/mm.ts';
import type { KernelTask } from '../task/task.ts';
import type { KernelTimer } from '../types.ts';
import type { Call } from './operations.ts';
import type { Sqe } from './sqe.ts';

export class Request {
  readonly sqe: Sqe;
  readonly task: KernelTask;
  /** The memory that it is about: a program that follows has another. */
  readonly mm: Mm;
  /** The next of a chain. */
  next: Request | undefined;
  /** It cannot be done: -errno, known when it was submitted. */
  refused = 0;
  worker: KernelTask | undefined;
  call: Call | undefined;
  timer: KernelTimer | undefined;
  /** A timeout ends with this many results of others, too. */
  completeAt = Infinity;
  #file: OpenFile | undefined;
  #holds = false;

  constructor(sqe: Sqe, task: KernelTask) {
    this.sqe = sqe;
    this.task = task;
    this.mm = task.mm;
  }

  get isLinked(): boolean {
    return (this.sqe.flags & (IOSQE_IO_LINK | IOSQE_IO_HARDLINK)) !== 0;
  }

  get isHardLinked(): boolean {
    return (this.sqe.flags & IOSQE_IO_HARDLINK) !== 0;
  }

  get linkTimeout(): Request | undefined {
    return this.next?.sqe.operation === IORING_OP_LINK_TIMEOUT ? this.next : undefined;
  }

  get file(): OpenFile | undefined {
    return this.#file;
  }

  /** `isRing`: a ring that holds itself would never be closed. */
  hold(file: OpenFile, isRing: boolean): void {
    this.#file = file;
    this.#holds = !isRing;
    if (this.#holds) holdFile(file);
  }

  /** It is over: nothing wakes it any more. */
  end(): void {
    this.worker?.leaveQueues();
    this.timer?.cancel();
    this.timer = undefined;
    const file = this.#file;
    this.#file = undefined;
    if (file !== undefined && this.#holds) dropFile(file);
  }
}
