/** Unix sockets with connections: SOCK_STREAM and SOCK_SEQPACKET (unix(7)). */
import {
  EAGAIN, ECONNREFUSED, ECONNRESET, EINVAL, EISCONN, EMSGSIZE, ENOTCONN, EOPNOTSUPP, EPIPE, EPROTOTYPE,
} from '../abi/errno.ts';
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDHUP, POLLRDNORM, POLLWRNORM } from '../abi/poll.ts';
import { MSG_EOR, MSG_OOB, MSG_PEEK, MSG_TRUNC, SHUT_RD, SHUT_RDWR, SHUT_WR, SOCK_SEQPACKET, SOCK_STREAM } from '../abi/socket.ts';
import type { PeerCredentials } from './environment.ts';
import { MESSAGE_OVERHEAD, SOMAXCONN_LIMIT, UNIX_STREAM_PIECE } from './limits.ts';
import { decodeUnix, encodeUnix } from './sockaddr.ts';
import type { ReceiveDetails, SendDetails, Socket } from './socket.ts';
import type { UnixNamespace } from './unix-namespace.ts';
import { UnixSocket } from './unix-socket.ts';

interface Peer {
  readonly credentials: PeerCredentials;
  readonly groups: readonly number[];
}

export class UnixConnectionSocket extends UnixSocket {
  #peer: UnixConnectionSocket | undefined = undefined;
  #connected = false;
  #peerIdentity: Peer | undefined = undefined;
  /** Name of the peer as it was when the connection was made. */
  #peerName = '';
  #backlog = 0;
  #pending: UnixConnectionSocket[] = [];
  /** Who called listen(2): what a client sees as SO_PEERCRED. */
  #listener: Peer | undefined = undefined;

  constructor(namespace: UnixNamespace, type: typeof SOCK_STREAM | typeof SOCK_SEQPACKET) {
    super(namespace, type);
  }

  #self(): Peer {
    const caller = this.environment.caller();
    return { credentials: caller.effective, groups: caller.groups };
  }

  override listen(backlog: number): number {
    if (this.#connected) return -EINVAL;
    if (this.name === '') return -EINVAL;
    this.listening = true;
    this.#backlog = Math.min(backlog < 0 ? SOMAXCONN_LIMIT : backlog, SOMAXCONN_LIMIT);
    this.#listener = this.#self();
    this.waitQueue.wake(POLLOUT);
    return 0;
  }

  /** -EAGAIN while the backlog is full: the caller waits on `connectQueue`, or gives up. */
  connect(sockaddr: Uint8Array): number {
    const name = decodeUnix(sockaddr);
    if (typeof name === 'number') return name;
    if (name === '') return -EINVAL;
    if (this.#connected) return -EISCONN;
    if (this.listening) return -EINVAL;
    const server = this.namespace.find(name, (value): value is UnixSocket => value instanceof UnixSocket);
    if (typeof server === 'number') return server;
    if (!(server instanceof UnixConnectionSocket) || server.type !== this.type) return -EPROTOTYPE;
    if (!server.listening || server.receiveShut) return -ECONNREFUSED;
    if (server.#pending.length > server.#backlog) {
      server.#blockedConnectors.add(this);
      return -EAGAIN;
    }
    const accepted = new UnixConnectionSocket(this.namespace, this.type as typeof SOCK_STREAM);
    accepted.inheritFrom(server);
    accepted.name = server.name;
    const identity = this.#self();
    this.#join(accepted, server.#listener!, server.name);
    accepted.#join(this, identity, this.name);
    server.#pending.push(accepted);
    server.waitQueue.wake(POLLIN | POLLRDNORM);
    return 0;
  }
  readonly #blockedConnectors = new Set<UnixConnectionSocket>();

  #join(peer: UnixConnectionSocket, identity: Peer, name: string): void {
    this.#peer = peer;
    this.#connected = true;
    this.#peerIdentity = identity;
    this.#peerName = name;
    this.waitQueue.wake(POLLOUT | POLLWRNORM);
  }

  override pairWith(other: Socket): number {
    if (!(other instanceof UnixConnectionSocket)) return -EOPNOTSUPP;
    const identity = this.#self();
    this.#join(other, identity, '');
    other.#join(this, identity, '');
    return 0;
  }

  override accept(): Socket | number {
    if (!this.listening) return -EINVAL;
    const socket = this.#pending.shift();
    if (socket === undefined) return this.receiveShut ? -EINVAL : -EAGAIN;
    const blocked = [...this.#blockedConnectors];
    this.#blockedConnectors.clear();
    for (const connector of blocked) connector.waitQueue.wake(POLLOUT);
    return socket;
  }

  /** Charge that the peer's queue may still take. */
  #room(peer: UnixConnectionSocket): number {
    return this.sendBuffer - peer.queuedCharge;
  }

  send(bytes: Uint8Array, flags: number, details?: SendDetails): number {
    const bad = UnixSocket.badSendFlags(flags);
    if (bad < 0) return bad;
    if (details?.address !== undefined && details.address.length > 0) return this.#connected ? -EISCONN : -EOPNOTSUPP;
    if (!this.#connected) return this.sendShut ? -EPIPE : -ENOTCONN;
    const peer = this.#peer;
    const error = this.takeError();
    if (error < 0) return error;
    if (this.sendShut || peer === undefined || peer.receiveShut) return -EPIPE;
    if (bytes.length === 0 && this.type === SOCK_STREAM) return 0;
    const room = this.#room(peer);
    if (this.type === SOCK_SEQPACKET) {
      if (bytes.length > this.sendBuffer - 32) return -EMSGSIZE;
      if (room < bytes.length && peer.queue.length > 0) return -EAGAIN;
      return this.#deliver(peer, bytes, details);
    }
    if (room <= 0) return -EAGAIN;
    let done = 0;
    // Pieces, so that a reader can start early; descriptors go with the first (unix_stream_sendmsg).
    while (done < bytes.length && (done === 0 || this.#room(peer) > 0)) {
      const size = Math.min(bytes.length - done, UNIX_STREAM_PIECE, Math.max(this.#room(peer) - MESSAGE_OVERHEAD, 1024));
      const sent = this.#deliver(peer, bytes.subarray(done, done + size), done === 0 ? details : { credentials: details?.credentials });
      if (sent < 0) return done > 0 ? done : sent;
      done += sent;
    }
    return done;
  }
  #deliver(peer: UnixConnectionSocket, bytes: Uint8Array, details: SendDetails | undefined): number {
    const message = this.makeMessage(bytes, details);
    if (typeof message === 'number') return message;
    peer.enqueue(message);
    peer.waitQueue.wake(POLLIN | POLLRDNORM);
    return bytes.length;
  }

  receive(buffer: Uint8Array, flags: number, details?: ReceiveDetails): number {
    if ((flags & MSG_OOB) !== 0) return -EOPNOTSUPP;
    if (this.listening) return -EINVAL;
    if (this.queue.length === 0) return this.#emptyAnswer();
    return this.type === SOCK_STREAM ? this.#receiveStream(buffer, flags, details) : this.#receivePacket(buffer, flags, details);
  }
  #emptyAnswer(): number {
    const error = this.takeError();
    if (error < 0) return error;
    if (this.receiveShut) return 0;
    if (!this.#connected) return this.type === SOCK_STREAM ? -EINVAL : -ENOTCONN;
    return this.#peer === undefined || this.#peer.sendShut ? 0 : -EAGAIN;
  }

  #receiveStream(buffer: Uint8Array, flags: number, details: ReceiveDetails | undefined): number {
    const peeking = (flags & MSG_PEEK) !== 0;
    let done = 0;
    let index = 0;
    let first = true;
    while (done < buffer.length) {
      const message = this.queue[index];
      if (message === undefined) break;
      // Never across the sender of what came before, nor into what carries descriptors.
      if (!first && (message.rights !== undefined || message.credentials.pid !== this.queue[index - 1]?.credentials.pid)) {
        if (message.rights !== undefined || details !== undefined) break;
      }
      const count = Math.min(message.data.length, buffer.length - done);
      buffer.set(count === message.data.length ? message.data : message.data.subarray(0, count), done);
      done += count;
      if (first) this.describe(message, flags, details);
      first = false;
      const carriedRights = message.rights !== undefined;
      if (peeking) index++;
      else if (count === message.data.length) this.dequeue();
      else {
        this.queue[0] = { ...message, data: message.data.subarray(count), rights: undefined };
        this.queuedCharge -= count;
      }
      if (carriedRights) break;
    }
    if (!peeking && done > 0) this.#peer?.waitQueue.wake(POLLOUT | POLLWRNORM);
    return done;
  }

  #receivePacket(buffer: Uint8Array, flags: number, details: ReceiveDetails | undefined): number {
    const message = this.queue[0]!;
    const count = Math.min(message.data.length, buffer.length);
    buffer.set(message.data.subarray(0, count));
    this.describe(message, flags, details);
    if (details !== undefined) details.flags |= MSG_EOR | (count < message.data.length ? MSG_TRUNC : 0);
    if ((flags & MSG_PEEK) === 0) {
      this.dequeue();
      this.#peer?.waitQueue.wake(POLLOUT | POLLWRNORM);
    }
    return (flags & MSG_TRUNC) !== 0 ? message.data.length : count;
  }

  shutdown(how: number): number {
    if (how !== SHUT_RD && how !== SHUT_WR && how !== SHUT_RDWR) return -EINVAL;
    if (how !== SHUT_WR) this.receiveShut = true;
    if (how !== SHUT_RD) this.sendShut = true;
    this.waitQueue.wake();
    this.#peer?.waitQueue.wake();
    return 0;
  }

  peerName(): Uint8Array | number {
    return this.#connected ? encodeUnix(this.#peerName) : -ENOTCONN;
  }
  override peerCredentials(): PeerCredentials | undefined {
    return this.#peerIdentity?.credentials;
  }
  override peerGroups(): readonly number[] | undefined {
    return this.#peerIdentity?.groups;
  }
  protected override unreadByPeer(): number {
    return this.#peer?.readableBytes() ?? 0;
  }

  poll(): number {
    if (this.listening) return this.#pending.length > 0 ? POLLIN | POLLRDNORM : 0;
    if (!this.#connected) return POLLOUT | POLLWRNORM | POLLHUP;
    const peer = this.#peer;
    const noMore = this.receiveShut || peer === undefined || peer.sendShut;
    const noWay = this.sendShut || peer === undefined || peer.receiveShut;
    let events = this.pendingError === 0 ? 0 : POLLERR;
    if (noMore) events |= POLLRDHUP | POLLIN | POLLRDNORM;
    if (noMore && noWay) events |= POLLHUP;
    if (this.queue.length > 0) events |= POLLIN | POLLRDNORM;
    if (peer === undefined || peer.queuedCharge * 4 <= this.sendBuffer) events |= POLLOUT | POLLWRNORM;
    return events;
  }

  override release(): void {
    const peer = this.#peer;
    const unread = this.queue.length > 0;
    for (const pending of this.#pending) pending.release();
    this.#pending = [];
    this.receiveShut = true;
    this.sendShut = true;
    for (const connector of this.#blockedConnectors) connector.waitQueue.wake();
    super.release();
    if (peer === undefined) return;
    this.#peer = undefined;
    if (peer.#peer === this) {
      peer.#peer = undefined;
      // Bytes that nobody read are lost, and the writer learns of it (unix_release_sock).
      if (unread) peer.pendingError = ECONNRESET;
    }
    peer.waitQueue.wake(POLLIN | POLLOUT | POLLHUP | POLLRDHUP | POLLERR);
  }
}
