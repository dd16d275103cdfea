/** POSIX message queues: mq_overview(7), Linux ipc/mqueue.c. */
import { EACCES, EAGAIN, EBUSY, EMSGSIZE } from '../../abi/errno.ts';
import { CAP_DAC_OVERRIDE } from '../../abi/capability.ts';
import { POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from '../../abi/poll.ts';
import { StreamFile } from '../../fs/stream-file.ts';
import { WaitQueue, type Inode } from '../../fs/types.ts';
import type { Process, Task } from '../types.ts';

interface QueuedMessage {
  readonly priority: number;
  readonly text: Uint8Array;
}

/** Who wants to know of the first message (mq_notify(2)). `signal` 0: nobody is told, the slot is just taken. */
export interface QueueNotification {
  readonly process: Process;
  readonly signal: number;
  readonly value: bigint;
}

export class PosixQueue {
  readonly waitQueue = new WaitQueue();
  readonly maximum: number;
  readonly messageSize: number;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  /** By falling priority, then by age. */
  readonly messages: QueuedMessage[] = [];
  notification: QueueNotification | undefined = undefined;
  /** Receivers that are blocked: a message that one of them takes is no news (mq_notify(2)). */
  readonly receivers = new Set<Task>();

  constructor(task: Task, maximum: number, messageSize: number, mode: number) {
    this.maximum = maximum;
    this.messageSize = messageSize;
    this.uid = task.credentials.fsuid;
    this.gid = task.credentials.fsgid;
    this.mode = mode;
  }
  send(text: Uint8Array, priority: number): number {
    if (text.length > this.messageSize) return -EMSGSIZE;
    if (this.messages.length >= this.maximum) return -EAGAIN;
    let at = this.messages.length;
    while (at > 0 && this.messages[at - 1]!.priority < priority) at--;
    this.messages.splice(at, 0, { priority, text: text.slice() });
    if (this.messages.length === 1 && this.receivers.size === 0) this.#notify();
    this.waitQueue.wake(POLLIN | POLLRDNORM);
    return 0;
  }
  #notify(): void {
    const { notification } = this;
    if (notification === undefined) return;
    this.notification = undefined;
    const { process, signal, value } = notification;
    if (signal !== 0) process.sendSignal(signal, { signal, code: -3, pid: process.pid, uid: 0, value });
  }
  receive(): QueuedMessage | number {
    const message = this.messages.shift();
    if (message === undefined) return -EAGAIN;
    this.waitQueue.wake(POLLOUT | POLLWRNORM);
    return message;
  }
  register(notification: QueueNotification): number {
    if (this.notification !== undefined) return -EBUSY;
    this.notification = notification;
    return 0;
  }
  /** What reading the queue's file gives. */
  statusText(): string {
    const size = this.messages.reduce((sum, { text }) => sum + text.length, 0);
    const { notification } = this;
    const pad = (value: number): string => String(value).padEnd(5);
    return `QSIZE:${String(size).padEnd(10)} NOTIFY:${pad(0)} SIGNO:${pad(notification?.signal ?? 0)} NOTIFY_PID:${String(notification?.process.number ?? 0).padEnd(6)}\n`;
  }
  /** Owner, group and other bits, as for files. */
  permission(task: Task, wanted: number): number {
    const { fsuid, fsgid, groups } = task.credentials;
    let granted = this.mode;
    if (fsuid === this.uid) granted >>= 6;
    else if (fsgid === this.gid || groups.includes(this.gid)) granted >>= 3;
    return (wanted & ~granted & 7) === 0 || task.capableIn(task.namespaces.ipc.user, CAP_DAC_OVERRIDE) ? 0 : -EACCES;
  }
}

/** The open description of a queue. */
export class PosixQueueFile extends StreamFile {
  readonly queue: PosixQueue;

  constructor(queue: PosixQueue, inode: Inode, name: string, flags: number) {
    super(inode, `/${name}`, flags, queue.waitQueue);
    this.queue = queue;
  }
  poll(): number {
    const { messages, maximum } = this.queue;
    return (messages.length > 0 ? POLLIN | POLLRDNORM : 0) | (messages.length < maximum ? POLLOUT | POLLWRNORM : 0);
  }
  override read(buffer: Uint8Array, offset = this.position): number {
    const text = this.queue.statusText().slice(offset, offset + buffer.length);
    for (let index = 0; index < text.length; index++) buffer[index] = text.charCodeAt(index);
    this.position = offset + text.length;
    return text.length;
  }
}
