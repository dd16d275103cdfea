/** Sockets: socket(2), bind(2), listen(2), accept(2), connect(2), getsockopt(2), shutdown(2), and their kin. */
import { EAGAIN, EBADF, EFAULT, EINPROGRESS, EINTR, EINVAL, ENOTSOCK, EOPNOTSUPP } from '../../abi/errno.ts';
import { LANDLOCK_ACCESS_NET_BIND_TCP, LANDLOCK_ACCESS_NET_CONNECT_TCP } from '../../abi/landlock.ts';
import { O_NONBLOCK } from '../../abi/fcntl.ts';
import { AF_UNIX, AF_UNSPEC, SOCK_CLOEXEC, SOCK_NONBLOCK, SOCK_STREAM } from '../../abi/socket.ts';
import { createSocket, Socket } from '../../net/index.ts';
import { networkOf } from '../files/network.ts';
import type { SyscallRow, Task } from '../types.ts';
import { readAddress, writeAddress } from './socket-message.ts';

const TYPE_MASK = 15;
/** Most bytes of an option's value. */
const OPTION_LIMIT = 4096;

/** The socket of a descriptor, or -EBADF, -ENOTSOCK. */
export function socketOf(task: Task, fd: number): Socket | number {
  const file = task.files.get(fd);
  if (file === undefined) return -EBADF;
  return file instanceof Socket ? file : -ENOTSOCK;
}

/** What a blocking socket call keeps. */
export interface SocketWait {
  readonly deadlineNs: number;
  readonly done: number;
  /** The address that the call began with: what stands in the guest's memory by now is not asked (move_addr_to_kernel()). */
  readonly address?: Uint8Array | undefined;
}

/** Parks on the socket until it changes or the socket's timeout passes; -EAGAIN where the call must not wait. */
export function waitSocket(task: Task, socket: Socket, timeoutNs: number, nonblocking: boolean, { done = 0, address }: { readonly done?: number; readonly address?: Uint8Array | undefined } = {}): number {
  if (nonblocking || task.deadlinePassed) return done > 0 ? done : -EAGAIN;
  const before = task.blocking as SocketWait | undefined;
  const deadlineNs = before?.deadlineNs ?? task.kernel.monotonicNs() + timeoutNs;
  task.blocking = { deadlineNs, done, address } satisfies SocketWait;
  // With a timeout the call is not started over (signal(7)).
  if (done > 0) task.onInterrupt = () => done;
  else if (deadlineNs !== Infinity) task.onInterrupt = () => -EINTR;
  return deadlineNs === Infinity ? task.block([socket.waitQueue]) : task.block([socket.waitQueue], deadlineNs);
}

function install(task: Task, socket: Socket, flags: number): number {
  socket.flags |= flags & SOCK_NONBLOCK;
  const fd = task.files.install(socket, (flags & SOCK_CLOEXEC) !== 0);
  if (fd < 0) socket.release();
  return fd;
}

function socket(task: Task, family: number, type: number, protocol: number): number {
  const flags = type & ~TYPE_MASK;
  if ((flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK)) !== 0) return -EINVAL;
  const made = createSocket(networkOf(task), family, type & TYPE_MASK, protocol);
  return typeof made === 'number' ? made : install(task, made, flags);
}

function socketpair(task: Task, family: number, type: number, protocol: number, address: number): number {
  const flags = type & ~TYPE_MASK;
  if ((flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK)) !== 0) return -EINVAL;
  if (task.memory.writable(address, 8) === undefined) return -EFAULT;
  const stack = networkOf(task);
  const first = createSocket(stack, family, type & TYPE_MASK, protocol);
  if (typeof first === 'number') return first;
  const second = family === AF_UNIX ? createSocket(stack, family, type & TYPE_MASK, protocol) : -EOPNOTSUPP;
  if (typeof second === 'number') {
    first.release();
    return second;
  }
  first.pairWith(second);
  const firstFd = install(task, first, flags);
  if (firstFd < 0) {
    second.release();
    return firstFd;
  }
  const secondFd = install(task, second, flags);
  if (secondFd < 0) {
    task.files.close(firstFd);
    return secondFd;
  }
  task.memory.writeU32(address, firstFd);
  task.memory.writeU32(address + 4, secondFd);
  return 0;
}

/** What Landlock says of a TCP port (Linux security/landlock/net.c). A connection may always be dissolved by AF_UNSPEC. */
function checkPort(task: Task, target: Socket, sockaddr: Uint8Array, access: number): number {
  const { restriction } = task.credentials;
  if (restriction === undefined || target.type !== SOCK_STREAM || target.family === AF_UNIX || sockaddr.length < 4) return 0;
  const family = sockaddr[0]! | (sockaddr[1]! << 8);
  if (family === AF_UNSPEC && access === LANDLOCK_ACCESS_NET_CONNECT_TCP) return 0;
  return restriction.checkPort((sockaddr[2]! << 8) | sockaddr[3]!, access);
}

function bind(task: Task, fd: number, address: number, length: number): number {
  const target = socketOf(task, fd);
  if (typeof target === 'number') return target;
  const sockaddr = readAddress(task, address, length);
  if (typeof sockaddr === 'number') return sockaddr;
  const refused = checkPort(task, target, sockaddr, LANDLOCK_ACCESS_NET_BIND_TCP);
  return refused !== 0 ? refused : target.bind(sockaddr);
}

function listen(task: Task, fd: number, backlog: number): number {
  const target = socketOf(task, fd);
  return typeof target === 'number' ? target : target.listen(backlog);
}

function accept4(task: Task, fd: number, address: number, lengthAddress: number, flags: number): number {
  if ((flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK)) !== 0) return -EINVAL;
  const target = socketOf(task, fd);
  if (typeof target === 'number') return target;
  const accepted = target.accept();
  if (accepted === -EAGAIN) return waitSocket(task, target, target.receiveTimeoutNs, (target.flags & O_NONBLOCK) !== 0);
  if (typeof accepted === 'number') return accepted;
  const name = accepted.peerName();
  if (address !== 0) {
    const written = writeAddress(task, typeof name === 'number' ? new Uint8Array(0) : name, address, lengthAddress);
    if (written < 0) {
      accepted.release();
      return written;
    }
  }
  return install(task, accepted, flags);
}

/** A connection that takes its time is waited for; once interrupted it goes on by itself (connect(2), EINTR). */
function connect(task: Task, fd: number, address: number, length: number): number {
  const target = socketOf(task, fd);
  if (typeof target === 'number') return target;
  const before = task.blocking as SocketWait | undefined;
  const sockaddr = before?.address ?? readAddress(task, address, length);
  if (typeof sockaddr === 'number') return sockaddr;
  const refused = checkPort(task, target, sockaddr, LANDLOCK_ACCESS_NET_CONNECT_TCP);
  if (refused !== 0) return refused;
  const nonblocking = (target.flags & O_NONBLOCK) !== 0;
  const waiting = before?.done === 1;
  const started = waiting ? -EINPROGRESS : target.connect(sockaddr);
  if (started === -EAGAIN) return waitSocket(task, target, target.sendTimeoutNs, nonblocking, { address: sockaddr });
  if (started !== -EINPROGRESS || nonblocking) return started;
  const status = target.connectStatus();
  if (status !== undefined) return status;
  if (task.deadlinePassed) return -EINPROGRESS;
  const parked = waitSocket(task, target, target.sendTimeoutNs, false, { done: 1, address: sockaddr });
  task.onInterrupt = undefined;
  return parked;
}

function getsockname(task: Task, fd: number, address: number, lengthAddress: number): number {
  const target = socketOf(task, fd);
  return typeof target === 'number' ? target : writeAddress(task, target.localName(), address, lengthAddress);
}

function getpeername(task: Task, fd: number, address: number, lengthAddress: number): number {
  const target = socketOf(task, fd);
  if (typeof target === 'number') return target;
  const name = target.peerName();
  return typeof name === 'number' ? name : writeAddress(task, name, address, lengthAddress);
}

function shutdown(task: Task, fd: number, how: number): number {
  const target = socketOf(task, fd);
  return typeof target === 'number' ? target : target.shutdown(how);
}

function setsockopt(task: Task, fd: number, level: number, option: number, address: number, length: number): number {
  const target = socketOf(task, fd);
  if (typeof target === 'number') return target;
  if (length < 0) return -EINVAL;
  const value = task.memory.copyIn(address, Math.min(length, OPTION_LIMIT));
  return value === undefined ? -EFAULT : target.setOption(level, option, value);
}

function getsockopt(task: Task, fd: number, level: number, option: number, address: number, lengthAddress: number): number {
  const target = socketOf(task, fd);
  if (typeof target === 'number') return target;
  const length = task.memory.readI32(lengthAddress);
  if (length === undefined) return -EFAULT;
  if (length < 0) return -EINVAL;
  const value = target.getOption(level, option, length);
  if (typeof value === 'number') return value;
  const count = Math.min(length, value.length);
  if (count > 0 && task.memory.copyOut(address, value.subarray(0, count)) !== 0) return -EFAULT;
  return task.memory.writeU32(lengthAddress, count);
}

export const socketRows: readonly SyscallRow[] = [
  { number: 41, name: 'socket', arguments: ['int', 'flags:socket-type', 'int'], handler: socket, support: 'full', note: 'AF_UNIX, AF_INET, AF_INET6, AF_NETLINK (route)' },
  { number: 42, name: 'connect', arguments: ['fd', 'pointer:sockaddr', 'int'], handler: connect, support: 'full', restart: true },
  { number: 43, name: 'accept', arguments: ['fd', 'pointer', 'pointer'], handler: (task, fd, address, length) => accept4(task, fd, address, length, 0), support: 'full', restart: true },
  { number: 48, name: 'shutdown', arguments: ['fd', 'int'], handler: shutdown, support: 'full' },
  { number: 49, name: 'bind', arguments: ['fd', 'pointer:sockaddr', 'int'], handler: bind, support: 'full' },
  { number: 50, name: 'listen', arguments: ['fd', 'int'], handler: listen, support: 'full' },
  { number: 51, name: 'getsockname', arguments: ['fd', 'pointer', 'pointer'], handler: getsockname, support: 'full' },
  { number: 52, name: 'getpeername', arguments: ['fd', 'pointer', 'pointer'], handler: getpeername, support: 'full' },
  { number: 53, name: 'socketpair', arguments: ['int', 'flags:socket-type', 'int', 'pointer:fds'], handler: socketpair, support: 'full' },
  { number: 54, name: 'setsockopt', arguments: ['fd', 'int', 'int', 'pointer', 'int'], handler: setsockopt, support: 'partial', note: 'options that change nothing on loopback are stored' },
  { number: 55, name: 'getsockopt', arguments: ['fd', 'int', 'int', 'pointer', 'pointer'], handler: getsockopt, support: 'full' },
  { number: 288, name: 'accept4', arguments: ['fd', 'pointer', 'pointer', 'flags:socket-type'], handler: accept4, support: 'full', restart: true },
];
