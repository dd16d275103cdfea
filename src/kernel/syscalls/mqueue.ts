/** POSIX message queues: mq_open(3) and the calls behind it, mq_overview(7). */
import { CAP_SYS_RESOURCE } from '../../abi/capability.ts';
import {
  EACCES, EAGAIN, EBADF, EEXIST, EFAULT, EINTR, EINVAL, EMFILE, EMSGSIZE, ENAMETOOLONG, ENOENT, ENOSPC, EPERM, ETIMEDOUT,
} from '../../abi/errno.ts';
import { O_ACCMODE, O_CREAT, O_EXCL, O_NONBLOCK, O_RDONLY, O_WRONLY } from '../../abi/fcntl.ts';
import { SIGEV_NONE, SIGEV_SIGNAL } from '../../abi/signal.ts';
import { specialFilesOf } from '../files/special-files.ts';
import { readTimespec } from '../files/timespec.ts';
import {
  MQ_BYTES, MQ_MESSAGE_SIZE, MQ_MESSAGE_SIZE_HARD, MQ_MESSAGES, MQ_MESSAGES_HARD, MQ_PRIORITIES, MQ_QUEUES,
} from '../ipc/limits.ts';
import { PosixQueue, PosixQueueFile } from '../ipc/posix-queue.ts';
import type { SyscallRow, Task } from '../types.ts';

const NAME_MAX = 255;
/** Bytes of `struct mq_attr`. */
const ATTRIBUTES_SIZE = 64;

function readName(task: Task, address: number): string | number {
  const name = task.memory.readString(address, 4096);
  if (typeof name === 'number') return name;
  if (name === '' || name === '.' || name === '..') return name === '' ? -ENOENT : -EACCES;
  if (name.includes('/')) return -EACCES;
  return name.length > NAME_MAX ? -ENAMETOOLONG : name;
}

/** ipc/mqueue.c:mq_attr_ok. */
function createQueue(task: Task, mode: number, attributes: number): PosixQueue | number {
  let maximum = MQ_MESSAGES;
  let size = MQ_MESSAGE_SIZE;
  if (attributes !== 0) {
    const maximumGiven = task.memory.readI64(attributes + 8);
    const sizeGiven = task.memory.readI64(attributes + 16);
    if (maximumGiven === undefined || sizeGiven === undefined) return -EFAULT;
    const privileged = task.capable(CAP_SYS_RESOURCE);
    const maximumLimit = privileged ? MQ_MESSAGES_HARD : MQ_MESSAGES;
    const sizeLimit = privileged ? MQ_MESSAGE_SIZE_HARD : MQ_MESSAGE_SIZE;
    if (maximumGiven <= 0 || sizeGiven <= 0 || maximumGiven > maximumLimit || sizeGiven > sizeLimit) return -EINVAL;
    maximum = maximumGiven;
    size = sizeGiven;
  }
  if (maximum * size > MQ_BYTES && (attributes === 0 || maximum * size > MQ_BYTES * 8)) return -EMFILE;
  return new PosixQueue(task, maximum, size, mode & 0o777 & ~task.fs.umask);
}

function mqOpen(task: Task, nameAddress: number, flags: number, mode: number, attributes: number): number {
  const name = readName(task, nameAddress);
  if (typeof name === 'number') return name;
  const { queues } = task.namespaces.ipc;
  let queue = queues.get(name);
  const access = flags & O_ACCMODE;
  if (queue === undefined) {
    if ((flags & O_CREAT) === 0) return -ENOENT;
    if (queues.size >= MQ_QUEUES) return -ENOSPC;
    const made = createQueue(task, mode, attributes);
    if (typeof made === 'number') return made;
    queue = made;
    queues.set(name, queue);
  } else {
    if ((flags & O_CREAT) !== 0 && (flags & O_EXCL) !== 0) return -EEXIST;
    if (access === O_ACCMODE) return -EINVAL;
    const wanted = access === O_RDONLY ? 4 : access === O_WRONLY ? 2 : 6;
    const denied = queue.permission(task, wanted);
    if (denied !== 0) return denied;
  }
  const file = new PosixQueueFile(queue, specialFilesOf(task.kernel).anonymousInode, name, flags & (O_ACCMODE | O_NONBLOCK));
  // Queues are closed by exec, asked for or not (mqueue.c:do_mq_open: O_CLOEXEC).
  return task.files.install(file, true);
}

function mqUnlink(task: Task, nameAddress: number): number {
  const name = readName(task, nameAddress);
  if (typeof name === 'number') return name;
  const { queues } = task.namespaces.ipc;
  const queue = queues.get(name);
  if (queue === undefined) return -ENOENT;
  if (task.credentials.fsuid !== queue.uid && task.credentials.fsuid !== 0) return -EPERM;
  queues.delete(name);
  return 0;
}

function queueFile(task: Task, fd: number, unwanted: number): PosixQueueFile | number {
  const file = task.files.get(fd);
  if (!(file instanceof PosixQueueFile)) return -EBADF;
  return (file.flags & O_ACCMODE) === unwanted ? -EBADF : file;
}

interface Waiting {
  readonly deadlineNs: number;
}

/** An absolute time on CLOCK_REALTIME as a deadline on CLOCK_MONOTONIC, kept while the call waits. */
function deadline(task: Task, timeout: number): number {
  const waiting = task.blocking as Waiting | undefined;
  if (waiting !== undefined) return waiting.deadlineNs;
  if (timeout === 0) return Infinity;
  const absolute = readTimespec(task.memory, timeout);
  if (absolute < 0) return absolute;
  return Math.max(1, task.kernel.monotonicNs() + absolute - Number(task.kernel.realtimeNs()));
}

function waitOn(task: Task, file: PosixQueueFile, deadlineNs: number): number {
  if ((file.flags & O_NONBLOCK) !== 0) return -EAGAIN;
  if (task.deadlinePassed) return -ETIMEDOUT;
  task.blocking = { deadlineNs } satisfies Waiting;
  return deadlineNs === Infinity ? task.block([file.waitQueue]) : task.block([file.waitQueue], deadlineNs);
}

function mqTimedsend(task: Task, fd: number, address: number, length: number, priority: number, timeout: number): number {
  if (priority >= MQ_PRIORITIES) return -EINVAL;
  const deadlineNs = deadline(task, timeout);
  if (deadlineNs < 0) return deadlineNs;
  const file = queueFile(task, fd, O_RDONLY);
  if (typeof file === 'number') return file;
  if (length < 0 || length > file.queue.messageSize) return -EMSGSIZE;
  const text = task.memory.readable(address, length);
  if (text === undefined) return -EFAULT;
  const sent = file.queue.send(text, priority);
  return sent === -EAGAIN ? waitOn(task, file, deadlineNs) : sent;
}

function mqTimedreceive(task: Task, fd: number, address: number, length: number, priorityAddress: number, timeout: number): number {
  const deadlineNs = deadline(task, timeout);
  if (deadlineNs < 0) return deadlineNs;
  const file = queueFile(task, fd, O_WRONLY);
  if (typeof file === 'number') return file;
  const { queue } = file;
  if (length < queue.messageSize) return -EMSGSIZE;
  queue.receivers.delete(task);
  const message = queue.receive();
  if (typeof message === 'number') {
    const answer = waitOn(task, file, deadlineNs);
    if (answer !== -EAGAIN && answer !== -ETIMEDOUT) {
      queue.receivers.add(task);
      task.onInterrupt = () => {
        queue.receivers.delete(task);
        return -EINTR;
      };
    }
    return answer;
  }
  if (task.memory.copyOut(address, message.text) !== 0) return -EFAULT;
  if (priorityAddress !== 0 && task.memory.writeU32(priorityAddress, message.priority) !== 0) return -EFAULT;
  return message.text.length;
}

function mqNotify(task: Task, fd: number, eventAddress: number): number {
  let notify = SIGEV_NONE;
  let signal = 0;
  let value = 0n;
  if (eventAddress !== 0) {
    value = task.memory.readU64Big(eventAddress) ?? 0n;
    const number = task.memory.readI32(eventAddress + 8);
    const kind = task.memory.readI32(eventAddress + 12);
    if (number === undefined || kind === undefined) return -EFAULT;
    notify = kind;
    signal = number;
    if (notify !== SIGEV_NONE && notify !== SIGEV_SIGNAL) return -EINVAL;
    if (notify === SIGEV_SIGNAL && (signal < 0 || signal > 64)) return -EINVAL;
  }
  const file = task.files.get(fd);
  if (!(file instanceof PosixQueueFile)) return -EBADF;
  const { queue } = file;
  if (eventAddress !== 0) return queue.register({ process: task.process, signal: notify === SIGEV_SIGNAL ? signal : 0, value });
  if (queue.notification?.process === task.process) queue.notification = undefined;
  return 0;
}

function mqGetsetattr(task: Task, fd: number, newAddress: number, oldAddress: number): number {
  const flags = newAddress === 0 ? undefined : task.memory.readI64(newAddress);
  if (newAddress !== 0 && flags === undefined) return -EFAULT;
  if (flags !== undefined && (flags & ~O_NONBLOCK) !== 0) return -EINVAL;
  const file = task.files.get(fd);
  if (!(file instanceof PosixQueueFile)) return -EBADF;
  const { queue } = file;
  const old = new Uint8Array(ATTRIBUTES_SIZE);
  const view = new DataView(old.buffer);
  [file.flags & O_NONBLOCK, queue.maximum, queue.messageSize, queue.messages.length].forEach((value, index) => view.setBigInt64(8 * index, BigInt(value), true));
  if (flags !== undefined) file.flags = (file.flags & ~O_NONBLOCK) | (flags & O_NONBLOCK);
  return oldAddress === 0 ? 0 : task.memory.copyOut(oldAddress, old);
}

export const mqueueRows: readonly SyscallRow[] = [
  { number: 240, name: 'mq_open', arguments: ['pointer', 'flags:open', 'mode', 'pointer'], handler: mqOpen, support: 'full' },
  { number: 241, name: 'mq_unlink', arguments: ['pointer'], handler: mqUnlink, support: 'full' },
  { number: 242, name: 'mq_timedsend', arguments: ['fd', 'buffer', 'size', 'uint', 'pointer:timespec'], handler: mqTimedsend, support: 'full', restart: true },
  { number: 243, name: 'mq_timedreceive', arguments: ['fd', 'buffer', 'size', 'pointer', 'pointer:timespec'], handler: mqTimedreceive, support: 'full', restart: true },
  { number: 244, name: 'mq_notify', arguments: ['fd', 'pointer'], handler: mqNotify, support: 'partial', note: 'SIGEV_THREAD answers EINVAL' },
  { number: 245, name: 'mq_getsetattr', arguments: ['fd', 'pointer', 'pointer'], handler: mqGetsetattr, support: 'full' },
];
