/** AF_NETLINK sockets: netlink(7). Only NETLINK_ROUTE knows anything here. */
import { EADDRINUSE, EAGAIN, EINVAL, ENOPROTOOPT, EOPNOTSUPP, EPERM } from '../abi/errno.ts';
import { NLM_F_ACK, NLM_F_CAPPED, NLM_F_DUMP, NLM_F_REQUEST, NLMSG_ERROR, NLMSG_MIN_TYPE } from '../abi/netlink.ts';
import { POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from '../abi/poll.ts';
import { AF_NETLINK, MSG_PEEK, MSG_TRUNC } from '../abi/socket.ts';
import { buildMessage, parseMessages, type NetlinkHeader } from './netlink-message.ts';
import { answerRoute } from './netlink-route.ts';
import type { NetworkStack } from './network-stack.ts';
import { familyOf } from './sockaddr.ts';
import { int, intOf, Socket, type ReceiveDetails, type SendDetails } from './socket.ts';

const SOL_NETLINK = 270;
/** NETLINK_ADD_MEMBERSHIP (1) to NETLINK_GET_STRICT_CHK (12). */
const LAST_OPTION = 12;
const SOCKADDR_SIZE = 12;
/** Replies that fit one datagram (`NLMSG_GOODSIZE`). */
const REPLY_SIZE = 8192;

const usedPorts = new WeakMap<NetworkStack, Set<number>>();

export class NetlinkSocket extends Socket {
  readonly #stack: NetworkStack;
  #port = 0;
  #groups = 0;
  #queue: Uint8Array[] = [];
  readonly #options = new Map<number, number>();

  constructor(stack: NetworkStack, type: number, protocol: number) {
    super(stack.environment, AF_NETLINK, type, protocol);
    this.#stack = stack;
  }

  /** The caller's process id, in its own PID namespace. */
  #ownPort(): number {
    const caller = this.environment.caller();
    return caller.seen(caller.real).pid;
  }

  #takePort(wanted: number): number {
    const used = usedPorts.get(this.#stack) ?? new Set<number>();
    usedPorts.set(this.#stack, used);
    let port = wanted === 0 ? this.#ownPort() : wanted;
    if (used.has(port)) {
      if (wanted !== 0) return -EADDRINUSE;
      port = 0xffff_f000;
      while (used.has(port)) port--;
    }
    used.add(port);
    this.#port = port;
    return 0;
  }
  bind(sockaddr: Uint8Array): number {
    if (sockaddr.length < SOCKADDR_SIZE || familyOf(sockaddr) !== AF_NETLINK) return -EINVAL;
    const view = new DataView(sockaddr.buffer, sockaddr.byteOffset, SOCKADDR_SIZE);
    const port = view.getUint32(4, true);
    if (this.#port !== 0 && port !== this.#port && port !== 0) return -EINVAL;
    this.#groups = view.getUint32(8, true);
    return this.#port === 0 ? this.#takePort(port) : 0;
  }
  connect(sockaddr: Uint8Array): number {
    if (sockaddr.length < SOCKADDR_SIZE) return -EINVAL;
    return this.#port === 0 ? this.#takePort(0) : 0;
  }
  #name(port: number, groups: number): Uint8Array {
    const sockaddr = new Uint8Array(SOCKADDR_SIZE);
    const view = new DataView(sockaddr.buffer);
    view.setUint16(0, AF_NETLINK, true);
    view.setUint32(4, port, true);
    view.setUint32(8, groups, true);
    return sockaddr;
  }
  localName(): Uint8Array {
    return this.#name(this.#port, this.#groups);
  }
  peerName(): Uint8Array | number {
    return this.#name(0, 0);
  }

  send(bytes: Uint8Array, _flags: number, details?: SendDetails): number {
    const { address } = details ?? {};
    if (address !== undefined && address.length >= SOCKADDR_SIZE) {
      const view = new DataView(address.buffer, address.byteOffset, SOCKADDR_SIZE);
      // To the kernel only: other programs are no business of ours.
      if (view.getUint32(4, true) !== 0 || view.getUint32(8, true) !== 0) return -EPERM;
    }
    if (this.#port === 0) this.#takePort(0);
    for (const request of parseMessages(bytes)) this.#handle(request);
    return bytes.length;
  }

  #handle(request: NetlinkHeader): void {
    if ((request.flags & NLM_F_REQUEST) === 0 || request.type < NLMSG_MIN_TYPE) {
      if ((request.flags & NLM_F_ACK) !== 0) this.#acknowledge(request, 0);
      return;
    }
    const answer = this.protocol === 0 ? answerRoute(this.#stack, request, this.#port) : -EOPNOTSUPP;
    if (typeof answer === 'number') return this.#acknowledge(request, answer);
    if (answer.length > 0) this.#reply(answer);
    // A dump ends with NLMSG_DONE instead; the same bits mean something else where something is changed.
    if ((request.flags & NLM_F_ACK) !== 0 && (answer.length === 0 || (request.flags & NLM_F_DUMP) === 0)) this.#acknowledge(request, 0);
  }

  /** NLMSG_ERROR: the errno and the header of the request. */
  #acknowledge(request: NetlinkHeader, errno: number): void {
    const payload = new Uint8Array(20);
    const view = new DataView(payload.buffer);
    view.setInt32(0, errno, true);
    view.setUint32(4, request.length, true);
    view.setUint16(8, request.type, true);
    view.setUint16(10, request.flags, true);
    view.setUint32(12, request.sequence, true);
    view.setUint32(16, request.port, true);
    this.#reply([buildMessage({ type: NLMSG_ERROR, flags: NLM_F_CAPPED, sequence: request.sequence, port: this.#port }, payload)]);
  }

  /** Packs messages into datagrams. NLMSG_DONE has one of its own, as on Linux. */
  #reply(messages: readonly Uint8Array[]): void {
    let batch: Uint8Array[] = [];
    let size = 0;
    const flush = (): void => {
      if (size === 0) return;
      const datagram = new Uint8Array(size);
      let at = 0;
      for (const message of batch) {
        datagram.set(message, at);
        at += message.length;
      }
      this.#queue.push(datagram);
      batch = [];
      size = 0;
    };
    for (const message of messages) {
      const isDone = message[4] === 3 && message[5] === 0;
      if (isDone || size + message.length > REPLY_SIZE) flush();
      batch.push(message);
      size += message.length;
    }
    flush();
    this.waitQueue.wake(POLLIN | POLLRDNORM);
  }

  receive(buffer: Uint8Array, flags: number, details?: ReceiveDetails): number {
    const datagram = this.#queue[0];
    if (datagram === undefined) return -EAGAIN;
    const count = Math.min(buffer.length, datagram.length);
    buffer.set(datagram.subarray(0, count));
    if (details !== undefined) {
      details.address = this.#name(0, 0);
      if (count < datagram.length) details.flags |= MSG_TRUNC;
      details.credentials = undefined;
    }
    if ((flags & MSG_PEEK) === 0) this.#queue.shift();
    return (flags & MSG_TRUNC) !== 0 ? datagram.length : count;
  }
  shutdown(): number {
    return -EOPNOTSUPP;
  }
  poll(): number {
    return POLLOUT | POLLWRNORM | (this.#queue.length > 0 ? POLLIN | POLLRDNORM : 0);
  }
  override setOption(level: number, option: number, value: Uint8Array): number {
    if (level !== SOL_NETLINK) return super.setOption(level, option, value);
    if (option < 1 || option > LAST_OPTION) return -ENOPROTOOPT;
    this.#options.set(option, value.length >= 4 ? intOf(value) : 0);
    return 0;
  }
  override getOption(level: number, option: number, length: number): Uint8Array | number {
    if (level !== SOL_NETLINK) return super.getOption(level, option, length);
    return option < 1 || option > LAST_OPTION ? -ENOPROTOOPT : int(this.#options.get(option) ?? 0);
  }
  override release(): void {
    usedPorts.get(this.#stack)?.delete(this.#port);
    this.#queue = [];
  }
}
