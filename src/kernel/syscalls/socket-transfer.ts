/** send(2), recv(2) and their forms for messages: sendmsg, recvmsg, sendmmsg, recvmmsg. */
import { EAGAIN, EFAULT, EINVAL, EMSGSIZE, EPIPE } from '../../abi/errno.ts';
import { O_NONBLOCK } from '../../abi/fcntl.ts';
import { MAX_RW_COUNT, UIO_MAXIOV } from '../../abi/limits.ts';
import { MSG_DONTWAIT, MSG_ERRQUEUE, MSG_NOSIGNAL, MSG_PEEK, MSG_WAITALL, MSG_WAITFORONE } from '../../abi/socket.ts';
import { dropRights, type ReceiveDetails, type SendDetails, type Socket } from '../../net/index.ts';
import { readTimespec } from '../files/timespec.ts';
import { BLOCKED, type SyscallRow, type Task } from '../types.ts';
import { raiseSigpipe } from './pipe.ts';
import {
  gather, MSGHDR_SIZE, readAddress, readControl, readHeader, scatter, writeAddress, writeDetails,
} from './socket-message.ts';
import { socketOf, waitSocket, type SocketWait } from './socket.ts';

/** Bytes of `struct mmsghdr`. */
const MMSGHDR_SIZE = 64;

function mustNotWait(socket: Socket, flags: number): boolean {
  return (flags & MSG_DONTWAIT) !== 0 || (socket.flags & O_NONBLOCK) !== 0;
}

/** Sends all of a stream's bytes, waiting where it may; one message otherwise. */
function sendBytes(task: Task, socket: Socket, bytes: Uint8Array, flags: number, details: SendDetails | undefined): number {
  let done = (task.blocking as SocketWait | undefined)?.done ?? 0;
  for (;;) {
    const count = socket.send(done === 0 ? bytes : bytes.subarray(done), flags, done === 0 ? details : undefined);
    if (count >= 0) {
      done += count;
      if (done >= bytes.length || count === 0 || !socket.isStream) return done;
      continue;
    }
    if (count === -EAGAIN) return waitSocket(task, socket, socket.sendTimeoutNs, mustNotWait(socket, flags), { done, address: details?.address });
    if (count === -EPIPE && socket.isStream && (flags & MSG_NOSIGNAL) === 0) raiseSigpipe(task);
    return done > 0 ? done : count;
  }
}

function sendto(task: Task, fd: number, address: number, length: number, flags: number, name: number, nameLength: number): number {
  const socket = socketOf(task, fd);
  if (typeof socket === 'number') return socket;
  if (length < 0) return -EINVAL;
  if (length > socket.maximumMessage) return -EMSGSIZE;
  const bytes = task.memory.readable(address, Math.min(length, MAX_RW_COUNT));
  if (bytes === undefined) return -EFAULT;
  if (name === 0) return sendBytes(task, socket, bytes, flags, undefined);
  const sockaddr = (task.blocking as SocketWait | undefined)?.address ?? readAddress(task, name, nameLength);
  return typeof sockaddr === 'number' ? sockaddr : sendBytes(task, socket, bytes, flags, { address: sockaddr });
}

function sendMessage(task: Task, socket: Socket, at: number, flags: number): number {
  const header = readHeader(task, at, 'readable');
  if (typeof header === 'number') return header;
  const control = readControl(task, header);
  if (typeof control === 'number') return control;
  let address: Uint8Array | undefined;
  const before = task.blocking as SocketWait | undefined;
  if (before !== undefined) address = before.address;
  else if (header.name !== 0 && header.nameLength > 0) {
    const read = readAddress(task, header.name, header.nameLength);
    if (typeof read === 'number') return read;
    address = read;
  }
  return sendBytes(task, socket, gather(header.views, header.total), flags, { address, ...control });
}

function sendmsg(task: Task, fd: number, at: number, flags: number): number {
  const socket = socketOf(task, fd);
  return typeof socket === 'number' ? socket : sendMessage(task, socket, at, flags);
}

/** Progress of a call with several messages, while it waits. */
interface MessagesWait extends SocketWait {
  readonly count: number;
}

function sendmmsg(task: Task, fd: number, vector: number, length: number, flags: number): number {
  const socket = socketOf(task, fd);
  if (typeof socket === 'number') return socket;
  const limit = Math.min(length, UIO_MAXIOV);
  const before = task.blocking as MessagesWait | undefined;
  for (let index = before?.count ?? 0; index < limit; index++) {
    const at = vector + index * MMSGHDR_SIZE;
    const sent = sendMessage(task, socket, at, flags);
    if (sent === BLOCKED) {
      task.blocking = { ...(task.blocking as SocketWait), count: index } satisfies MessagesWait;
      if (index > 0) task.onInterrupt = () => index;
      return sent;
    }
    if (sent < 0) return index > 0 ? index : sent;
    task.blocking = undefined;
    if (task.memory.writeU32(at + MSGHDR_SIZE, sent) !== 0) return -EFAULT;
  }
  return limit;
}

/** Receives once, or with MSG_WAITALL until a stream has filled the buffer. */
function receiveBytes(task: Task, socket: Socket, buffer: Uint8Array, flags: number, details: ReceiveDetails | undefined): number {
  if ((flags & MSG_ERRQUEUE) !== 0) return -EAGAIN;
  const all = (flags & MSG_WAITALL) !== 0 && (flags & MSG_PEEK) === 0 && socket.isStream;
  let done = (task.blocking as SocketWait | undefined)?.done ?? 0;
  for (;;) {
    const count = socket.receive(done === 0 ? buffer : buffer.subarray(done), flags, details);
    if (count === -EAGAIN) return waitSocket(task, socket, socket.receiveTimeoutNs, mustNotWait(socket, flags), { done });
    if (count < 0) return done > 0 ? done : count;
    done += count;
    if (!all || count === 0 || done >= buffer.length) return done;
  }
}

function recvfrom(task: Task, fd: number, address: number, length: number, flags: number, name: number, nameLength: number): number {
  const socket = socketOf(task, fd);
  if (typeof socket === 'number') return socket;
  if (length < 0) return -EINVAL;
  const buffer = task.memory.writable(address, Math.min(length, MAX_RW_COUNT));
  if (buffer === undefined) return -EFAULT;
  if (name === 0) return receiveBytes(task, socket, buffer, flags, undefined);
  const details: ReceiveDetails = { flags: 0 };
  const count = receiveBytes(task, socket, buffer, flags, details);
  dropRights(details);
  if (count < 0) return count;
  return writeAddress(task, details.address ?? new Uint8Array(0), name, nameLength) || count;
}

function receiveMessage(task: Task, socket: Socket, at: number, flags: number): number {
  const header = readHeader(task, at, 'writable');
  if (typeof header === 'number') return header;
  const whole = header.views.length === 1 ? header.views[0]! : new Uint8Array(header.total);
  const details: ReceiveDetails = { flags: 0 };
  const before = (task.blocking as SocketWait | undefined)?.done ?? 0;
  const count = receiveBytes(task, socket, whole, flags, details);
  if (header.views.length !== 1) scatterFrom(whole, header.views, before, count);
  if (count < 0) return count;
  return writeDetails(task, header, details, flags) || count;
}

/** Bytes received before this turn are in guest memory already. */
function scatterFrom(whole: Uint8Array, views: readonly Uint8Array[], before: number, count: number): void {
  if (before === 0) {
    if (count > 0) scatter(whole.subarray(0, Math.min(count, whole.length)), views);
    return;
  }
  let at = 0;
  for (const view of views) {
    const from = Math.max(at, before);
    if (from < at + view.length) view.set(whole.subarray(from, at + view.length), from - at);
    at += view.length;
  }
}

function recvmsg(task: Task, fd: number, at: number, flags: number): number {
  const socket = socketOf(task, fd);
  return typeof socket === 'number' ? socket : receiveMessage(task, socket, at, flags);
}

/** The timeout is looked at after each message only, as on Linux (recvmmsg(2), BUGS). */
function recvmmsg(task: Task, fd: number, vector: number, length: number, flags: number, timeout: number): number {
  const socket = socketOf(task, fd);
  if (typeof socket === 'number') return socket;
  const timeoutNs = timeout === 0 ? Infinity : readTimespec(task.memory, timeout);
  if (timeoutNs < 0) return timeoutNs;
  const limit = Math.min(length, UIO_MAXIOV);
  const before = task.blocking as MessagesWait | undefined;
  for (let index = before?.count ?? 0; index < limit; index++) {
    const at = vector + index * MMSGHDR_SIZE;
    const waits = index === 0 || (flags & MSG_WAITFORONE) === 0;
    const count = receiveMessage(task, socket, at, (waits ? flags : flags | MSG_DONTWAIT) & ~MSG_WAITFORONE);
    if (count === BLOCKED) {
      task.blocking = { ...(task.blocking as SocketWait), count: index } satisfies MessagesWait;
      if (index > 0) task.onInterrupt = () => index;
      return count;
    }
    if (count < 0) return index > 0 ? index : count;
    task.blocking = undefined;
    if (task.memory.writeU32(at + MSGHDR_SIZE, count) !== 0) return -EFAULT;
    if (timeoutNs === 0) return index + 1;
  }
  return limit;
}

export const socketTransferRows: readonly SyscallRow[] = [
  { number: 44, name: 'sendto', arguments: ['fd', 'buffer', 'size', 'flags:msg', 'pointer:sockaddr', 'int'], handler: sendto, support: 'full', restart: true },
  { number: 45, name: 'recvfrom', arguments: ['fd', 'buffer', 'size', 'flags:msg', 'pointer', 'pointer'], handler: recvfrom, support: 'full', restart: true },
  { number: 46, name: 'sendmsg', arguments: ['fd', 'pointer:msghdr', 'flags:msg'], handler: sendmsg, support: 'full', restart: true },
  { number: 47, name: 'recvmsg', arguments: ['fd', 'pointer:msghdr', 'flags:msg'], handler: recvmsg, support: 'full', restart: true },
  { number: 299, name: 'recvmmsg', arguments: ['fd', 'pointer', 'uint', 'flags:msg', 'pointer:timespec'], handler: recvmmsg, support: 'full', restart: true },
  { number: 307, name: 'sendmmsg', arguments: ['fd', 'pointer', 'uint', 'flags:msg'], handler: sendmmsg, support: 'full', restart: true },
];
