/** System V message queues: msgget(2), msgsnd(2), msgrcv(2), msgctl(2). */
import { CAP_SYS_RESOURCE } from '../../abi/capability.ts';
import { E2BIG, EAGAIN, EFAULT, EIDRM, EINVAL, ENOMSG, ENOSYS, EPERM } from '../../abi/errno.ts';
import { IPC_INFO, IPC_NOWAIT, IPC_RMID, IPC_SET, IPC_STAT } from '../../abi/ipc.ts';
import { MSG_COPY, MSG_EXCEPT, MSG_INFO, MSG_NOERROR, MSG_STAT, MSG_STAT_ANY } from '../../abi/msg.ts';
import { IPC_PERM_SIZE, ipcOwner, ipcPermission, loadPermission, nowSeconds, putU64, storePermission } from '../ipc/ipc-table.ts';
import { MSGMAX, MSGMNB, MSGMNI } from '../ipc/limits.ts';
import type { MessageQueue } from '../ipc/message-queue.ts';
import type { SyscallRow, Task } from '../types.ts';

/** Bytes of `struct msqid64_ds` and `struct msginfo`. */
const MSQID_SIZE = 120;
const MSGINFO_SIZE = 32;
const READ = 0o444;
const WRITE = 0o222;

function msgget(task: Task, key: number, flags: number): number {
  return task.namespaces.ipc.messages.create(task, key, flags);
}

/** The queue; while a call is blocked on it, its removal is -EIDRM. */
function queueOf(task: Task, id: number): MessageQueue | number {
  const before = task.blocking as MessageQueue | undefined;
  if (before !== undefined) return before.removed ? -EIDRM : before;
  return task.namespaces.ipc.messages.find(id);
}

function waitOn(task: Task, queue: MessageQueue): number {
  task.blocking = queue;
  return task.block([queue.waitQueue]);
}

function msgsnd(task: Task, id: number, address: number, size: number, flags: number): number {
  if (size < 0 || size > MSGMAX || id < 0) return -EINVAL;
  const type = task.memory.readI64(address);
  if (type === undefined) return -EFAULT;
  if (type < 1) return -EINVAL;
  const text = task.memory.copyIn(address + 8, size);
  if (text === undefined) return -EFAULT;
  const queue = queueOf(task, id);
  if (typeof queue === 'number') return queue;
  const denied = ipcPermission(task, queue, WRITE);
  if (denied !== 0) return denied;
  const fits = queue.bytes + size <= queue.maximumBytes && queue.messages.length + 1 <= queue.maximumBytes;
  if (!fits) return (flags & IPC_NOWAIT) !== 0 ? -EAGAIN : waitOn(task, queue);
  queue.add({ type, text });
  queue.lastSender = task.process.pid;
  queue.sentSeconds = nowSeconds(task);
  return 0;
}

function msgrcv(task: Task, id: number, address: number, size: number, type: number, flags: number): number {
  if (id < 0 || size < 0) return -EINVAL;
  const copying = (flags & MSG_COPY) !== 0;
  if (copying && ((flags & MSG_EXCEPT) !== 0 || (flags & IPC_NOWAIT) === 0)) return -EINVAL;
  if (copying) return -ENOSYS;
  const queue = queueOf(task, id);
  if (typeof queue === 'number') return queue;
  const denied = ipcPermission(task, queue, READ);
  if (denied !== 0) return denied;
  const index = queue.find(type, flags);
  if (index < 0) return (flags & IPC_NOWAIT) !== 0 ? -ENOMSG : waitOn(task, queue);
  const message = queue.messages[index]!;
  if (message.text.length > size && (flags & MSG_NOERROR) === 0) return -E2BIG;
  const count = Math.min(size, message.text.length);
  const target = task.memory.writable(address, 8 + count);
  // As on Linux the message is lost then.
  queue.take(index);
  queue.lastReceiver = task.process.pid;
  queue.receivedSeconds = nowSeconds(task);
  if (target === undefined) return -EFAULT;
  task.memory.writeI64(address, message.type);
  target.set(message.text.subarray(0, count), 8);
  return count;
}

function store(task: Task, queue: MessageQueue, address: number): number {
  const bytes = new Uint8Array(MSQID_SIZE);
  const view = new DataView(bytes.buffer);
  storePermission(task, view, queue);
  const fields = [queue.sentSeconds, queue.receivedSeconds, queue.changedSeconds, queue.bytes, queue.messages.length, queue.maximumBytes];
  fields.forEach((value, index) => putU64(view, IPC_PERM_SIZE + 8 * index, value));
  view.setInt32(96, task.numberOf(queue.lastSender), true);
  view.setInt32(100, task.numberOf(queue.lastReceiver), true);
  return task.memory.copyOut(address, bytes);
}

function information(task: Task, address: number, command: number): number {
  const { messages } = task.namespaces.ipc;
  const bytes = new Uint8Array(MSGINFO_SIZE);
  const view = new DataView(bytes.buffer);
  const queues = [...messages.values()];
  const used = command === MSG_INFO;
  const count = queues.reduce((sum, queue) => sum + queue.messages.length, 0);
  const total = queues.reduce((sum, queue) => sum + queue.bytes, 0);
  [used ? messages.size : (MSGMNI * MSGMNB) / 1024, used ? count : MSGMNB, MSGMAX, MSGMNB, MSGMNI, 16, used ? total : MSGMNB]
    .forEach((value, index) => view.setInt32(4 * index, value, true));
  view.setUint16(28, 0xffff, true);
  return task.memory.copyOut(address, bytes) || messages.highestIndex;
}

function set(task: Task, queue: MessageQueue, address: number): number {
  const bytes = task.memory.copyIn(address, MSQID_SIZE);
  if (bytes === undefined) return -EFAULT;
  const denied = ipcOwner(task, queue);
  if (denied !== 0) return denied;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const maximum = Number(view.getBigUint64(88, true));
  if (maximum > MSGMNB && !task.capableIn(task.namespaces.ipc.user, CAP_SYS_RESOURCE)) return -EPERM;
  const refused = loadPermission(task, view, queue);
  if (refused !== 0) return refused;
  queue.maximumBytes = Math.min(maximum, 64 * MSGMNB);
  queue.waitQueue.wake();
  return 0;
}

function msgctl(task: Task, id: number, command: number, address: number): number {
  if (id < 0 || command < 0) return -EINVAL;
  const { messages } = task.namespaces.ipc;
  if (command === IPC_INFO || command === MSG_INFO) return information(task, address, command);
  const byIndex = command === MSG_STAT || command === MSG_STAT_ANY;
  if (!byIndex && command !== IPC_STAT && command !== IPC_SET && command !== IPC_RMID) return -EINVAL;
  const queue = byIndex ? messages.atIndex(id) : messages.find(id);
  if (typeof queue === 'number') return queue;
  if (command === IPC_SET) return set(task, queue, address);
  if (command === IPC_RMID) {
    const denied = ipcOwner(task, queue);
    if (denied === 0) messages.destroy(queue);
    return denied;
  }
  const denied = command === MSG_STAT_ANY ? 0 : ipcPermission(task, queue, READ);
  return denied || store(task, queue, address) || (byIndex ? queue.id : 0);
}

export const sysvMessageRows: readonly SyscallRow[] = [
  { number: 68, name: 'msgget', arguments: ['int', 'flags:ipc'], handler: msgget, support: 'full' },
  { number: 69, name: 'msgsnd', arguments: ['int', 'pointer', 'size', 'flags:ipc'], handler: msgsnd, support: 'full' },
  { number: 70, name: 'msgrcv', arguments: ['int', 'pointer', 'size', 'long', 'flags:ipc'], handler: msgrcv, support: 'partial', note: 'MSG_COPY answers ENOSYS' },
  { number: 71, name: 'msgctl', arguments: ['int', 'int', 'pointer'], handler: msgctl, support: 'full' },
];
