/** TCP sockets: tcp(7). Inside the sandbox a connection is two buffers; outside it is a socket of the host. */
import {
  EACCES, EADDRINUSE, EAFNOSUPPORT, EAGAIN, EALREADY, ECONNREFUSED, ECONNRESET, EINPROGRESS, EINVAL, EISCONN, ENETUNREACH, ENOTCONN, EOPNOTSUPP, EPIPE,
} from '../abi/errno.ts';
import { IPPROTO_TCP } from '../abi/in.ts';
import { FIONREAD, SIOCATMARK, SIOCOUTQ } from '../abi/ioctl.ts';
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLPRI, POLLRDHUP, POLLRDNORM, POLLWRNORM } from '../abi/poll.ts';
import { AF_UNSPEC, MSG_OOB, MSG_PEEK, MSG_TRUNC, SHUT_RD, SHUT_RDWR, SHUT_WR, SO_OOBINLINE, SOCK_STREAM, SOL_SOCKET } from '../abi/socket.ts';
import { ByteRing } from '../fs/byte-ring.ts';
import { putU32 } from '../fs/stream-file.ts';
import type { GuestMemory } from '../fs/types.ts';
import { isMulticast, isVersion4 } from './address.ts';
import { InetSocket } from './inet-socket.ts';
import { SOMAXCONN_LIMIT, SYN_BACKLOG, TCP_RECEIVE_BUFFER, TCP_SEND_BUFFER, TCP_WINDOW } from './limits.ts';
import type { NetworkStack } from './network-stack.ts';
import { anyAddress, decodeInet, familyOf, type Endpoint } from './sockaddr.ts';
import type { ReceiveDetails, SendDetails, Socket } from './socket.ts';
import { LoopbackLink, type TcpLink, type TcpSink } from './tcp-link.ts';
import { getTcpOption, setTcpOption, type TcpOptions } from './tcp-options.ts';
import { UrgentData } from './urgent-data.ts';

type State = 'closed' | 'listen' | 'connecting' | 'established';

/** Who wants to connect to a listening socket. */
export interface Incoming {
  /** The listener's side. */
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** False: given up meanwhile. */
  readonly isWaiting: boolean;
  /** There is room: the way from the new socket to who connects. */
  join(accepted: TcpSocket): TcpLink;
  refuse(): void;
}

export class TcpSocket extends InetSocket implements TcpSink {
  state: State = 'closed';
  gone = false;
  readonly options: TcpOptions = new Map();
  #link: TcpLink | undefined = undefined;
  readonly #received: ByteRing;
  readonly #urgent: UrgentData;
  /** A FIN came: after what was received, the end. */
  #peerEnded = false;
  #receiveShut = false;
  #sendShut = false;
  /** The port in the table is its own to give back. */
  #ownsPort = false;
  #backlog = 0;
  #pending: TcpSocket[] = [];
  /** They wait for room in the backlog. */
  #waiting: Incoming[] = [];

  constructor(stack: NetworkStack, family: number) {
    super(stack, family, SOCK_STREAM, IPPROTO_TCP);
    this.receiveBuffer = TCP_RECEIVE_BUFFER;
    this.sendBuffer = TCP_SEND_BUFFER;
    this.#received = new ByteRing(TCP_WINDOW);
    this.#urgent = new UrgentData(this.#received);
  }

  override bufferChanged(): void {
    this.#received.capacity = Math.max(this.receiveBuffer, 4096);
  }
  protected takePort(address: string, port: number): number {
    const taken = this.stack.tcp.bind(this, address, port);
    if (taken > 0) this.#ownsPort = true;
    return taken;
  }

  // ---- connections ----

  override listen(backlog: number): number {
    if (this.state !== 'closed' && this.state !== 'listen') return -EINVAL;
    const bound = this.autobind();
    if (bound < 0) return bound;
    if (!this.listening) {
      const rival = this.stack.tcp.find(this.local!, { address: '', port: 0 }, (socket) => socket !== this && socket.listening);
      if (rival !== undefined && rival.local!.address === this.local!.address && !this.mayShareWith(rival)) return -EADDRINUSE;
    }
    this.state = 'listen';
    this.listening = true;
    this.#backlog = Math.min(backlog < 0 ? SOMAXCONN_LIMIT : backlog, SOMAXCONN_LIMIT);
    return 0;
  }

  connect(sockaddr: Uint8Array): number {
    if (sockaddr.length >= 2 && familyOf(sockaddr) === AF_UNSPEC) return this.#disconnect();
    if (this.state === 'connecting') return -EALREADY;
    if (this.state !== 'closed') return -EISCONN;
    const error = this.takeError();
    if (error < 0) return error;
    const decoded = decodeInet(sockaddr, this.family);
    if (typeof decoded === 'number') return decoded;
    const remote = { address: this.stack.destination(decoded.address), port: decoded.port };
    if (this.v6Only && isVersion4(remote.address)) return -ENETUNREACH;
    if (this.isVersion4 && !isVersion4(remote.address)) return -EAFNOSUPPORT;
    const source = this.stack.sourceFor(remote.address);
    if (source === undefined || isMulticast(remote.address)) return -ENETUNREACH;
    const bound = this.autobind();
    if (bound < 0) return bound;
    const own = this.local!.address;
    this.local = { address: own === anyAddress(this.family) || own === '0.0.0.0' ? source : own, port: this.local!.port };
    this.remote = remote;
    this.state = 'connecting';
    if (this.stack.isLocal(remote.address)) this.#connectLoopback();
    else this.#connectOutside(remote);
    const failure = this.state === 'connecting' || this.pendingError === 0 ? 0 : this.pendingError;
    if (failure === ENETUNREACH || failure === EACCES) return this.takeError();
    return -EINPROGRESS;
  }
  override connectStatus(): number | undefined {
    return this.state === 'connecting' ? undefined : this.takeError();
  }
  #disconnect(): number {
    if (this.listening) this.#stopListening();
    this.#link?.close(true);
    this.#link = undefined;
    this.state = 'closed';
    this.remote = undefined;
    this.resetAddress();
    this.#received.clear();
    this.#urgent.clear();
    this.#peerEnded = false;
    this.#sendShut = false;
    this.#receiveShut = false;
    this.waitQueue.wake();
    return 0;
  }

  #connectLoopback(): void {
    const server = this.stack.tcp.find(this.remote!, this.local!, (socket) => socket.listening);
    if (server === undefined) return this.failed(ECONNREFUSED);
    const isWaiting = (): boolean => this.state === 'connecting';
    server.offer({
      local: this.remote!, remote: this.local!,
      get isWaiting() {
        return isWaiting();
      },
      join: (accepted) => {
        this.#link = new LoopbackLink(this, accepted);
        this.established(undefined);
        return new LoopbackLink(accepted, this);
      },
      refuse: () => this.failed(ECONNREFUSED),
    });
  }
  /** To a listening socket: somebody connects. */
  offer(incoming: Incoming): void {
    if (this.#pending.length <= this.#backlog) this.#welcome(incoming);
    else if (this.#waiting.length < SYN_BACKLOG) this.#waiting.push(incoming);
    else incoming.refuse();
  }
  #welcome(incoming: Incoming): void {
    const accepted = new TcpSocket(this.stack, this.family);
    accepted.inheritFrom(this);
    if (accepted.receiveBuffer !== TCP_RECEIVE_BUFFER) accepted.bufferChanged();
    accepted.#urgent.inLine = this.#urgent.inLine;
    for (const [option, value] of this.options) accepted.options.set(option, value);
    accepted.local = incoming.local;
    accepted.remote = incoming.remote;
    accepted.state = 'established';
    accepted.#link = incoming.join(accepted);
    this.#pending.push(accepted);
    this.waitQueue.wake(POLLIN | POLLRDNORM);
  }
  #connectOutside(remote: Endpoint): void {
    const link = this.stack.gateway?.connectTcp(remote, this.local!, this) ?? -ENETUNREACH;
    if (typeof link === 'number') this.failed(-link);
    else this.#link = link;
  }

  override accept(): Socket | number {
    if (!this.listening) return -EINVAL;
    const socket = this.#pending.shift();
    if (socket === undefined) return -EAGAIN;
    const next = this.#waiting.shift();
    if (next?.isWaiting === true) this.#welcome(next);
    return socket;
  }

  // ---- from the peer ----

  established(_local: Endpoint | undefined): void {
    this.state = 'established';
    this.waitQueue.wake(POLLOUT | POLLWRNORM);
  }
  deliver(bytes: Uint8Array): number {
    const count = this.#received.push(bytes);
    if (count > 0) this.waitQueue.wake(POLLIN | POLLRDNORM);
    return count;
  }
  deliverUrgent(bytes: Uint8Array): number {
    this.#urgent.announce();
    const count = this.#received.push(bytes);
    if (count > 0) {
      this.#urgent.arrived(bytes[count - 1] ?? 0);
      this.waitQueue.wake(POLLIN | POLLRDNORM | POLLPRI);
    }
    return count;
  }
  receiveRoom(): number {
    return this.#received.free;
  }
  deliverEnd(): void {
    this.#peerEnded = true;
    this.waitQueue.wake(POLLIN | POLLRDNORM | POLLRDHUP | (this.#sendShut ? POLLHUP : 0));
  }
  failed(errno: number): void {
    this.pendingError = errno;
    this.state = 'closed';
    this.#link = undefined;
    this.#peerEnded = true;
    this.#sendShut = true;
    this.waitQueue.wake(POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDHUP);
  }
  reset(): void {
    this.failed(this.#peerEnded ? EPIPE : ECONNRESET);
  }
  writable(): void {
    this.waitQueue.wake(POLLOUT | POLLWRNORM);
  }

  // ---- bytes ----

  send(bytes: Uint8Array, flags: number, _details?: SendDetails): number {
    const isUrgent = (flags & MSG_OOB) !== 0;
    const error = this.takeError();
    if (error < 0) return error;
    if (this.state === 'connecting') return -EAGAIN;
    if (this.#sendShut) return -EPIPE;
    if (this.state !== 'established') return -EPIPE;
    if (bytes.length === 0) return 0;
    const link = this.#link!;
    if (isUrgent && link.sendUrgent === undefined) return -EOPNOTSUPP;
    const count = (isUrgent ? link.sendUrgent?.(bytes) : link.send(bytes)) ?? 0;
    // It may have been cut by that very send.
    return count > 0 ? count : this.takeError() || -EAGAIN;
  }

  receive(buffer: Uint8Array, flags: number, details?: ReceiveDetails): number {
    if (this.state === 'listen' || (this.state === 'closed' && this.remote === undefined)) return -ENOTCONN;
    if (details !== undefined) details.address = new Uint8Array(0);
    if ((flags & MSG_OOB) !== 0) return this.#urgent.receive(buffer, flags, details);
    const isPeek = (flags & MSG_PEEK) !== 0;
    if (!isPeek) this.#urgent.pass();
    const room = this.#urgent.allow(buffer.length);
    if (this.#received.length === this.#urgent.skip) {
      if (buffer.length === 0) return 0;
      const error = this.takeError();
      if (error < 0) return error;
      if (this.#peerEnded || this.#receiveShut) return 0;
      return this.state === 'closed' ? -ENOTCONN : -EAGAIN;
    }
    const target = room < buffer.length ? buffer.subarray(0, room) : buffer;
    if (isPeek) return this.#received.peek(target, this.#urgent.skip);
    const wasTight = this.#received.free < this.#received.capacity / 2;
    let count: number;
    if ((flags & MSG_TRUNC) !== 0) {
      // tcp(7): the bytes are thrown away.
      count = Math.min(room, this.#received.length);
      this.#received.discard(count);
    } else count = this.#received.shift(target);
    this.#urgent.consumed(count);
    if (wasTight) this.#link?.drained();
    return count;
  }

  shutdown(how: number): number {
    if (how !== SHUT_RD && how !== SHUT_WR && how !== SHUT_RDWR) return -EINVAL;
    if (this.state === 'listen') {
      if (how !== SHUT_WR) this.#stopListening();
      return 0;
    }
    if (this.state === 'connecting') {
      this.#link?.close(true);
      this.failed(ECONNRESET);
      this.pendingError = 0;
      return 0;
    }
    if (this.state !== 'established') return -ENOTCONN;
    if (how !== SHUT_WR) this.#receiveShut = true;
    if (how !== SHUT_RD && !this.#sendShut) {
      this.#sendShut = true;
      this.#link?.endWrite();
    }
    this.waitQueue.wake();
    return 0;
  }

  poll(): number {
    if (this.state === 'listen') return this.#pending.length > 0 ? POLLIN | POLLRDNORM : 0;
    if (this.state === 'connecting') return 0;
    const ended = this.#peerEnded || this.#receiveShut;
    let events = this.pendingError === 0 ? 0 : POLLERR;
    if (this.state === 'closed' || (ended && this.#sendShut)) events |= POLLHUP;
    if (ended) events |= POLLIN | POLLRDNORM | POLLRDHUP;
    if (this.#received.length - this.#urgent.skip >= this.lowWatermark) events |= POLLIN | POLLRDNORM;
    if (this.#urgent.isUnread) events |= POLLPRI;
    if (this.#link === undefined || this.#sendShut || this.#link.room() > 0) events |= POLLOUT | POLLWRNORM;
    return events;
  }
  override peerName(): Uint8Array | number {
    return this.state === 'established' ? super.peerName() : -ENOTCONN;
  }

  override setOption(level: number, option: number, value: Uint8Array): number {
    if (level === IPPROTO_TCP) return setTcpOption(this.options, option, value);
    const error = super.setOption(level, option, value);
    if (error === 0 && level === SOL_SOCKET && option === SO_OOBINLINE) this.#urgent.inLine = value.some((byte) => byte !== 0);
    return error;
  }
  override getOption(level: number, option: number, length: number): Uint8Array | number {
    if (level !== IPPROTO_TCP) return super.getOption(level, option, length);
    return getTcpOption(this.options, option, { state: this.state, ended: this.#peerEnded, sendShut: this.#sendShut });
  }
  override ioctl(request: number, argument: number, memory: GuestMemory): number {
    if (request === FIONREAD) return this.listening ? -EINVAL : putU32(memory, argument, this.#urgent.beforeMark);
    if (request === SIOCATMARK) return putU32(memory, argument, this.#urgent.isAtMark ? 1 : 0);
    if (request === SIOCOUTQ) return putU32(memory, argument, 0);
    return super.ioctl(request, argument, memory);
  }

  #stopListening(): void {
    for (const pending of this.#pending) pending.#abort();
    for (const incoming of this.#waiting) if (incoming.isWaiting) incoming.refuse();
    this.#pending = [];
    this.#waiting = [];
    this.listening = false;
    this.state = 'closed';
    this.waitQueue.wake();
  }
  #abort(): void {
    const link = this.#link;
    this.#link = undefined;
    this.gone = true;
    link?.close(true);
  }
  override release(): void {
    if (this.listening) this.#stopListening();
    const link = this.#link;
    this.#link = undefined;
    // Unread bytes, or SO_LINGER of zero seconds: a reset instead of an orderly end (tcp.c:__tcp_close).
    const abort = this.#received.length > 0 || this.linger === 0;
    if (link !== undefined && !abort && !this.#sendShut) link.endWrite();
    this.gone = true;
    link?.close(abort);
    if (this.#ownsPort && this.local !== undefined) this.stack.tcp.release(this, this.local.port);
    this.#received.clear();
    this.state = 'closed';
  }
}
