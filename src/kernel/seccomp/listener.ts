/** The descriptor that hears of calls which a filter leaves to another process (seccomp_unotify(2), kernel/seccomp.c). */
import { EBADF, EFAULT, EINPROGRESS, EINVAL, ENOENT, ENOSYS, ESRCH } from '../../abi/errno.ts';
import { O_CLOEXEC } from '../../abi/fcntl.ts';
import { POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from '../../abi/poll.ts';
import {
  SECCOMP_ADDFD_FLAG_SEND, SECCOMP_ADDFD_FLAG_SETFD, SECCOMP_IOCTL_NOTIF_ADDFD, SECCOMP_IOCTL_NOTIF_ID_VALID, SECCOMP_IOCTL_NOTIF_ID_VALID_WRONG_DIR,
  SECCOMP_IOCTL_NOTIF_RECV, SECCOMP_IOCTL_NOTIF_SEND, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_NOTIF_ADDFD_SIZE, SECCOMP_NOTIF_RESP_SIZE, SECCOMP_NOTIF_SIZE,
  SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP, SECCOMP_USER_NOTIF_FLAG_CONTINUE,
} from '../../abi/seccomp.ts';
import { StreamFile } from '../../fs/stream-file.ts';
import { WaitQueue, type GuestMemory, type Inode } from '../../fs/types.ts';
import type { Kernel } from '../kernel.ts';
import type { KernelTask } from '../task/task.ts';

/** A call that waits for an answer. */
export class Notification {
  readonly id: bigint;
  readonly task: KernelTask;
  /** `struct seccomp_data`. */
  readonly data: Uint8Array;
  readonly queue = new WaitQueue();
  state: 'new' | 'received' | 'answered' = 'new';
  /** The call goes on as if nothing had been (SECCOMP_USER_NOTIF_FLAG_CONTINUE). */
  continues = false;
  /** What the call answers otherwise: -errno or a value. */
  result = -ENOSYS;

  constructor(id: bigint, task: KernelTask, data: Uint8Array) {
    this.id = id;
    this.task = task;
    this.data = data;
  }
}

export class SeccompListener extends StreamFile {
  readonly #kernel: Kernel;
  /** Once received, the call waits on whatever comes but SIGKILL (SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV). */
  readonly waitsKillable: boolean;
  /** In order; as many as tasks wait. */
  #notifications: Notification[] = [];
  #nextId: bigint;
  isClosed = false;
  /** Whether a task still has the filter. */
  readonly #isUsed: (listener: SeccompListener) => boolean;

  constructor(kernel: Kernel, inode: Inode, waitsKillable: boolean, isUsed: (listener: SeccompListener) => boolean) {
    super(inode, 'anon_inode:seccomp notify', 2);
    this.#kernel = kernel;
    this.waitsKillable = waitsKillable;
    this.#isUsed = isUsed;
    const bytes = new Uint8Array(8);
    kernel.random(bytes);
    this.#nextId = new DataView(bytes.buffer).getBigUint64(0, true);
  }

  /** A call of the task is to be answered by whoever has the descriptor. */
  notify(task: KernelTask, data: Uint8Array): Notification {
    const notification = new Notification(this.#nextId, task, data);
    this.#nextId = BigInt.asUintN(64, this.#nextId + 1n);
    this.#notifications.push(notification);
    this.waitQueue.wake(POLLIN | POLLRDNORM);
    return notification;
  }

  /** The call ended or was interrupted. */
  forget(notification: Notification): void {
    this.#notifications = this.#notifications.filter((other) => other !== notification);
  }

  poll(): number {
    let events = this.#isUsed(this) ? 0 : POLLHUP;
    for (const { state } of this.#notifications) {
      if (state === 'new') events |= POLLIN | POLLRDNORM;
      if (state === 'received') events |= POLLOUT | POLLWRNORM;
    }
    return events;
  }

  override ioctl(request: number, argument: number, memory: GuestMemory): number {
    switch (request) {
      case SECCOMP_IOCTL_NOTIF_RECV:
        return this.#receive(argument, memory);
      case SECCOMP_IOCTL_NOTIF_SEND:
        return this.#send(argument, memory);
      case SECCOMP_IOCTL_NOTIF_ID_VALID:
      case SECCOMP_IOCTL_NOTIF_ID_VALID_WRONG_DIR:
        return this.#isValid(argument, memory);
      case SECCOMP_IOCTL_NOTIF_ADDFD:
        return this.#addDescriptor(argument, memory);
      case SECCOMP_IOCTL_NOTIF_SET_FLAGS:
        // Which processor an answer wakes is all the same on one.
        return argument < 0 || argument > SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP ? -EINVAL : 0;
      default:
        return -EINVAL;
    }
  }

  /** `struct seccomp_notif`, which must be all zero before. */
  #receive(address: number, memory: GuestMemory): number {
    const target = memory.writable(address, SECCOMP_NOTIF_SIZE);
    if (target === undefined) return -EFAULT;
    if (target.some((byte) => byte !== 0)) return -EINVAL;
    const notification = this.#notifications.find(({ state }) => state === 'new');
    if (notification === undefined) {
      return this.#isUsed(this) ? (this.#kernel.current?.block([this.waitQueue]) ?? -ENOENT) : -ENOENT;
    }
    notification.state = 'received';
    if (this.waitsKillable) notification.task.uninterruptible = true;
    const view = new DataView(target.buffer, target.byteOffset, SECCOMP_NOTIF_SIZE);
    view.setBigUint64(0, notification.id, true);
    view.setUint32(8, this.#kernel.current?.numberOf(notification.task.tid) ?? 0, true);
    target.set(notification.data, 16);
    this.waitQueue.wake(POLLOUT | POLLWRNORM);
    return 0;
  }

  #find(id: bigint): Notification | undefined {
    return this.#notifications.find((notification) => notification.id === id);
  }

  /** `struct seccomp_notif_resp`: id, value, error, flags. */
  #send(address: number, memory: GuestMemory): number {
    const bytes = memory.readable(address, SECCOMP_NOTIF_RESP_SIZE);
    if (bytes === undefined) return -EFAULT;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const value = view.getBigInt64(8, true);
    const error = view.getInt32(16, true);
    const flags = view.getUint32(20, true);
    if ((flags & ~SECCOMP_USER_NOTIF_FLAG_CONTINUE) !== 0 || (flags !== 0 && (error !== 0 || value !== 0n))) return -EINVAL;
    const notification = this.#find(view.getBigUint64(0, true));
    if (notification === undefined) return -ENOENT;
    if (notification.state !== 'received') return -EINPROGRESS;
    notification.continues = flags !== 0;
    this.#answer(notification, error !== 0 ? error : Number(value));
    return 0;
  }

  #answer(notification: Notification, result: number): void {
    notification.result = result;
    notification.state = 'answered';
    notification.queue.wake();
  }

  #isValid(address: number, memory: GuestMemory): number {
    const bytes = memory.readable(address, 8);
    if (bytes === undefined) return -EFAULT;
    return this.#find(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true))?.state === 'received' ? 0 : -ENOENT;
  }

  /** `struct seccomp_notif_addfd`: id, flags, source, target, flags of the target. A descriptor of the caller's appears in the waiting task. */
  #addDescriptor(address: number, memory: GuestMemory): number {
    const bytes = memory.readable(address, SECCOMP_NOTIF_ADDFD_SIZE);
    if (bytes === undefined) return -EFAULT;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const [flags, source, wanted, wantedFlags] = [8, 12, 16, 20].map((at) => view.getUint32(at, true)) as [number, number, number, number];
    if ((wantedFlags & ~O_CLOEXEC) !== 0 || (flags & ~(SECCOMP_ADDFD_FLAG_SETFD | SECCOMP_ADDFD_FLAG_SEND)) !== 0) return -EINVAL;
    const setsNumber = (flags & SECCOMP_ADDFD_FLAG_SETFD) !== 0;
    if (wanted !== 0 && !setsNumber) return -EINVAL;
    const file = this.#kernel.current?.files.get(source);
    if (file === undefined) return -EBADF;
    const notification = this.#find(view.getBigUint64(0, true));
    if (notification === undefined) return -ENOENT;
    if (notification.state !== 'received') return -EINPROGRESS;
    const { task } = notification;
    if (task.state === 'dead') return -ESRCH;
    const closes = (wantedFlags & O_CLOEXEC) !== 0;
    const fd = setsNumber ? task.files.replace(wanted, file, closes) : task.files.install(file, closes);
    if (fd >= 0 && (flags & SECCOMP_ADDFD_FLAG_SEND) !== 0) this.#answer(notification, fd);
    return fd;
  }

  override release(): void {
    this.isClosed = true;
    for (const notification of this.#notifications) {
      notification.continues = false;
      this.#answer(notification, -ENOSYS);
    }
    this.#notifications = [];
  }
}
