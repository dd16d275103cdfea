/** Unix datagram sockets: unix(7), net/unix/af_unix.c: unix_dgram_sendmsg, unix_dgram_recvmsg. */
import {
  EAGAIN, ECONNREFUSED, ECONNRESET, EINVAL, EMSGSIZE, ENOTCONN, EOPNOTSUPP, EPERM, EPIPE, EPROTOTYPE,
} from '../abi/errno.ts';
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDHUP, POLLRDNORM, POLLWRNORM } from '../abi/poll.ts';
import { AF_UNSPEC, MSG_OOB, MSG_PEEK, MSG_TRUNC, SHUT_RD, SHUT_RDWR, SHUT_WR, SOCK_DGRAM } from '../abi/socket.ts';
import type { PeerCredentials } from './environment.ts';
import { UNIX_DATAGRAMS } from './limits.ts';
import { decodeUnix, encodeUnix, familyOf } from './sockaddr.ts';
import type { ReceiveDetails, SendDetails, Socket } from './socket.ts';
import type { UnixNamespace } from './unix-namespace.ts';
import { UnixSocket } from './unix-socket.ts';

export class UnixDatagramSocket extends UnixSocket {
  #peer: UnixDatagramSocket | undefined = undefined;
  #pairCredentials: PeerCredentials | undefined = undefined;
  #closed = false;
  /** Senders that found the queue full. */
  readonly #blockedSenders = new Set<UnixDatagramSocket>();

  constructor(namespace: UnixNamespace) {
    super(namespace, SOCK_DGRAM);
  }

  #find(sockaddr: Uint8Array): UnixDatagramSocket | number {
    const name = decodeUnix(sockaddr);
    if (typeof name === 'number') return name;
    if (name === '') return -EINVAL;
    const target = this.namespace.find(name, (value): value is UnixSocket => value instanceof UnixSocket);
    if (typeof target === 'number') return target;
    return target instanceof UnixDatagramSocket ? target : -EPROTOTYPE;
  }

  connect(sockaddr: Uint8Array): number {
    if (familyOf(sockaddr) === AF_UNSPEC && sockaddr.length >= 2) {
      this.#peer = undefined;
      return 0;
    }
    const target = this.#find(sockaddr);
    if (typeof target === 'number') return target;
    if (target.#peer !== undefined && target.#peer !== this) return -EPERM;
    this.#peer = target;
    this.waitQueue.wake(POLLOUT | POLLWRNORM);
    return 0;
  }
  override pairWith(other: Socket): number {
    if (!(other instanceof UnixDatagramSocket)) return -EOPNOTSUPP;
    this.#peer = other;
    other.#peer = this;
    this.#pairCredentials = this.environment.caller().effective;
    other.#pairCredentials = this.#pairCredentials;
    return 0;
  }
  override peerCredentials(): PeerCredentials | undefined {
    return this.#pairCredentials;
  }

  get #full(): boolean {
    return this.queue.length > UNIX_DATAGRAMS || this.queuedCharge >= this.receiveBuffer;
  }

  send(bytes: Uint8Array, flags: number, details?: SendDetails): number {
    const bad = UnixSocket.badSendFlags(flags);
    if (bad < 0) return bad;
    const addressed = details?.address !== undefined && details.address.length > 0;
    const target = addressed ? this.#find(details.address!) : this.#peer ?? -ENOTCONN;
    if (typeof target === 'number') {
      const error = addressed ? 0 : this.takeError();
      return error < 0 ? error : target;
    }
    if (bytes.length > this.sendBuffer - 32) return -EMSGSIZE;
    if (this.sendShut) return -EPIPE;
    if (target.#closed) {
      if (!addressed) this.#peer = undefined;
      return -ECONNREFUSED;
    }
    if (target.#peer !== undefined && target.#peer !== this) return -EPERM;
    if (target.receiveShut) return -EPIPE;
    if (target.#full && target !== this) {
      target.#blockedSenders.add(this);
      return -EAGAIN;
    }
    const message = this.makeMessage(bytes, details);
    if (typeof message === 'number') return message;
    target.enqueue(message);
    target.waitQueue.wake(POLLIN | POLLRDNORM);
    return bytes.length;
  }

  receive(buffer: Uint8Array, flags: number, details?: ReceiveDetails): number {
    if ((flags & MSG_OOB) !== 0) return -EOPNOTSUPP;
    const message = this.queue[0];
    if (message === undefined) {
      const error = this.takeError();
      if (error < 0) return error;
      return this.receiveShut ? 0 : -EAGAIN;
    }
    const count = Math.min(message.data.length, buffer.length);
    buffer.set(message.data.subarray(0, count));
    this.describe(message, flags, details);
    if (details !== undefined) {
      details.address = message.name === '' ? new Uint8Array(0) : encodeUnix(message.name);
      if (count < message.data.length) details.flags |= MSG_TRUNC;
    }
    if ((flags & MSG_PEEK) === 0) {
      this.dequeue();
      this.#wakeSenders();
    }
    return (flags & MSG_TRUNC) !== 0 ? message.data.length : count;
  }
  #wakeSenders(): void {
    if (this.#blockedSenders.size === 0) return;
    const senders = [...this.#blockedSenders];
    this.#blockedSenders.clear();
    for (const sender of senders) sender.waitQueue.wake(POLLOUT | POLLWRNORM);
  }
  protected override readableBytes(): number {
    return this.queue[0]?.data.length ?? 0;
  }

  shutdown(how: number): number {
    if (how !== SHUT_RD && how !== SHUT_WR && how !== SHUT_RDWR) return -EINVAL;
    if (how !== SHUT_WR) this.receiveShut = true;
    if (how !== SHUT_RD) this.sendShut = true;
    this.waitQueue.wake();
    return 0;
  }
  peerName(): Uint8Array | number {
    return this.#peer === undefined ? -ENOTCONN : encodeUnix(this.#peer.name);
  }
  poll(): number {
    let events = this.pendingError === 0 ? 0 : POLLERR;
    if (this.receiveShut) events |= POLLRDHUP | POLLIN | POLLRDNORM;
    if (this.receiveShut && this.sendShut) events |= POLLHUP;
    if (this.queue.length > 0) events |= POLLIN | POLLRDNORM;
    const peer = this.#peer;
    if (peer !== undefined && peer.#full) peer.#blockedSenders.add(this);
    else events |= POLLOUT | POLLWRNORM;
    return events;
  }
  override release(): void {
    this.#closed = true;
    const peer = this.#peer;
    super.release();
    this.#wakeSenders();
    this.#peer = undefined;
    if (peer !== undefined && peer.#peer === this) {
      peer.pendingError = ECONNRESET;
      peer.#peer = undefined;
      peer.waitQueue.wake();
    }
  }
}
