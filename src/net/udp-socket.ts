/** UDP sockets: udp(7). */
import {
  EACCES, EAFNOSUPPORT, EAGAIN, ECONNREFUSED, EDESTADDRREQ, EINVAL, EMSGSIZE, ENETUNREACH, ENOPROTOOPT, ENOTCONN, EOPNOTSUPP, EPIPE,
} from '../abi/errno.ts';
import { IP_PKTINFO, IPPROTO_IP, IPPROTO_IPV6, IPPROTO_UDP, IPV6_PKTINFO, IPV6_RECVPKTINFO, UDP_CORK } from '../abi/in.ts';
import { FIONREAD, SIOCOUTQ } from '../abi/ioctl.ts';
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDHUP, POLLRDNORM, POLLWRNORM } from '../abi/poll.ts';
import { AF_UNSPEC, MSG_OOB, MSG_PEEK, MSG_TRUNC, SHUT_RD, SHUT_RDWR, SHUT_WR, SO_BROADCAST, SOCK_DGRAM } from '../abi/socket.ts';
import { putU32 } from '../fs/stream-file.ts';
import type { GuestMemory } from '../fs/types.ts';
import { isAny, isMulticast, isVersion4, parseAddress } from './address.ts';
import { InetSocket } from './inet-socket.ts';
import { MESSAGE_OVERHEAD, UDP_MAXIMUM } from './limits.ts';
import type { GatewayUdp, NetworkStack } from './network-stack.ts';
import { anyAddress, decodeInet, encodeInet, familyOf, type Endpoint } from './sockaddr.ts';
import { int, intOf, type ReceiveDetails, type SendDetails } from './socket.ts';

interface Datagram {
  readonly data: Uint8Array;
  readonly from: Endpoint;
  readonly to: string;
}

const BROADCAST = '255.255.255.255';

export class UdpSocket extends InetSocket {
  #queue: Datagram[] = [];
  #charge = 0;
  #receiveShut = false;
  #sendShut = false;
  #outside: GatewayUdp | undefined = undefined;

  constructor(stack: NetworkStack, family: number) {
    super(stack, family, SOCK_DGRAM, IPPROTO_UDP);
  }
  protected takePort(address: string, port: number): number {
    return this.stack.udp.bind(this, address, port);
  }

  override get maximumMessage(): number {
    return UDP_MAXIMUM;
  }
  #target(sockaddr: Uint8Array): Endpoint | number {
    const decoded = decodeInet(sockaddr, this.family);
    if (typeof decoded === 'number') return decoded;
    const address = this.stack.destination(decoded.address);
    if (this.isVersion4 && !isVersion4(address)) return -EAFNOSUPPORT;
    if (this.v6Only && isVersion4(address)) return -ENETUNREACH;
    return { address, port: decoded.port };
  }

  connect(sockaddr: Uint8Array): number {
    if (sockaddr.length >= 2 && familyOf(sockaddr) === AF_UNSPEC) {
      this.remote = undefined;
      this.resetAddress();
      return 0;
    }
    const target = this.#target(sockaddr);
    if (typeof target === 'number') return target;
    if (target.address === BROADCAST && !this.switchedOn(SO_BROADCAST)) return -EACCES;
    const source = this.stack.sourceFor(target.address);
    if (source === undefined) return -ENETUNREACH;
    const bound = this.autobind();
    if (bound < 0) return bound;
    if (this.local!.address === anyAddress(this.family)) this.local = { address: source, port: this.local!.port };
    this.remote = target;
    return 0;
  }

  send(bytes: Uint8Array, flags: number, details?: SendDetails): number {
    if ((flags & MSG_OOB) !== 0) return -EOPNOTSUPP;
    if (bytes.length > UDP_MAXIMUM) return -EMSGSIZE;
    const addressed = details?.address !== undefined && details.address.length > 0;
    const target = addressed ? this.#target(details.address!) : this.remote ?? -EDESTADDRREQ;
    if (typeof target === 'number') return target;
    if (target.port === 0) return -EINVAL;
    const error = this.takeError();
    if (error < 0) return error;
    if (this.#sendShut) return -EPIPE;
    if (target.address === BROADCAST && !this.switchedOn(SO_BROADCAST)) return -EACCES;
    const source = this.stack.sourceFor(target.address);
    if (source === undefined || isMulticast(target.address)) return -ENETUNREACH;
    const bound = this.autobind();
    if (bound < 0) return bound;
    if (!this.stack.isLocal(target.address)) return this.#sendOutside(bytes, target);
    const own = this.local!.address;
    const from = { address: own === anyAddress(this.family) || own === '0.0.0.0' ? source : own, port: this.local!.port };
    const receiver = this.stack.udp.find(target, from, () => true);
    if (receiver === undefined) {
      // ICMP port unreachable reaches only who is connected (udp(7)).
      if (this.remote !== undefined) {
        this.pendingError = ECONNREFUSED;
        this.waitQueue.wake(POLLERR);
      }
      return bytes.length;
    }
    receiver.arrived({ data: bytes.slice(), from, to: target.address });
    return bytes.length;
  }
  #sendOutside(bytes: Uint8Array, target: Endpoint): number {
    const { gateway, answers } = this.stack;
    if (answers?.answer(this.local!.port, target, bytes) === true) return bytes.length;
    if (gateway === undefined) return -ENETUNREACH;
    this.#outside ??= gateway.openUdp(
      (data, from) => this.arrived({ data, from, to: this.local?.address ?? '' }),
      (errno) => {
        this.pendingError = errno;
        this.waitQueue.wake(POLLERR);
      },
    );
    const own = this.local!.address;
    const from = { address: isAny(own) ? this.stack.sourceFor(target.address) ?? own : own, port: this.local!.port };
    const sent = this.#outside.send(bytes, target, from);
    return sent < 0 ? sent : bytes.length;
  }

  /** Drops what is not from the peer, or too much. */
  arrived(datagram: Datagram): void {
    const { remote } = this;
    if (remote !== undefined && (remote.port !== datagram.from.port || remote.address !== datagram.from.address)) return;
    if (this.#charge >= this.receiveBuffer) return;
    this.#queue.push(datagram);
    this.#charge += datagram.data.length + MESSAGE_OVERHEAD;
    this.waitQueue.wake(POLLIN | POLLRDNORM);
  }

  receive(buffer: Uint8Array, flags: number, details?: ReceiveDetails): number {
    if ((flags & MSG_OOB) !== 0) return -EINVAL;
    const datagram = this.#queue[0];
    const error = this.takeError();
    if (error < 0) return error;
    if (datagram === undefined) return this.#receiveShut ? 0 : -EAGAIN;
    const { data } = datagram;
    const count = Math.min(data.length, buffer.length);
    buffer.set(data.subarray(0, count));
    if (details !== undefined) this.#describe(datagram, count, details);
    if ((flags & MSG_PEEK) === 0) {
      this.#queue.shift();
      this.#charge -= data.length + MESSAGE_OVERHEAD;
    }
    return (flags & MSG_TRUNC) !== 0 ? data.length : count;
  }
  #describe({ data, from, to }: Datagram, count: number, details: ReceiveDetails): void {
    details.address = encodeInet(from, this.family);
    if (count < data.length) details.flags |= MSG_TRUNC;
    const option = this.isVersion4 ? super.getOption(IPPROTO_IP, IP_PKTINFO, 4) : super.getOption(IPPROTO_IPV6, IPV6_RECVPKTINFO, 4);
    if (typeof option === 'number' || intOf(option) === 0) return;
    const bytes = parseAddress(to);
    const index = this.stack.interfaces.find(({ addresses }) => addresses.some(({ address }) => address === to))?.index ?? 1;
    if (bytes === undefined) return;
    details.control = this.isVersion4
      ? [{ level: IPPROTO_IP, type: IP_PKTINFO, data: packetInfo4(index, bytes) }]
      : [{ level: IPPROTO_IPV6, type: IPV6_PKTINFO, data: packetInfo6(index, encodeInet({ address: to, port: 0 }, this.family).subarray(8, 24)) }];
  }

  shutdown(how: number): number {
    if (how !== SHUT_RD && how !== SHUT_WR && how !== SHUT_RDWR) return -EINVAL;
    if (this.remote === undefined) return -ENOTCONN;
    if (how !== SHUT_WR) this.#receiveShut = true;
    if (how !== SHUT_RD) this.#sendShut = true;
    this.waitQueue.wake();
    return 0;
  }
  poll(): number {
    let events = POLLOUT | POLLWRNORM;
    if (this.pendingError !== 0) events |= POLLERR;
    if (this.#receiveShut) events |= POLLIN | POLLRDNORM | POLLRDHUP;
    if (this.#receiveShut && this.#sendShut) events |= POLLHUP;
    if (this.#queue.length > 0) events |= POLLIN | POLLRDNORM;
    return events;
  }
  override setOption(level: number, option: number, value: Uint8Array): number {
    if (level !== IPPROTO_UDP) return super.setOption(level, option, value);
    // Corking would have to gather datagrams: only its absence can be asked for.
    return option === UDP_CORK && value.length >= 4 && intOf(value) === 0 ? 0 : -ENOPROTOOPT;
  }
  override getOption(level: number, option: number, length: number): Uint8Array | number {
    if (level !== IPPROTO_UDP) return super.getOption(level, option, length);
    return option === UDP_CORK ? int(0) : -ENOPROTOOPT;
  }
  override ioctl(request: number, argument: number, memory: GuestMemory): number {
    if (request === FIONREAD) return putU32(memory, argument, this.#queue[0]?.data.length ?? 0);
    if (request === SIOCOUTQ) return putU32(memory, argument, 0);
    return super.ioctl(request, argument, memory);
  }
  override release(): void {
    if (this.local !== undefined) this.stack.udp.release(this, this.local.port);
    this.#outside?.close();
    this.#queue = [];
  }
}

/** `struct in_pktinfo`. */
function packetInfo4(index: number, address: Uint8Array): Uint8Array {
  const info = new Uint8Array(12);
  info[0] = index;
  info.set(address, 4);
  info.set(address, 8);
  return info;
}
/** `struct in6_pktinfo`. */
function packetInfo6(index: number, address: Uint8Array): Uint8Array {
  const info = new Uint8Array(20);
  info.set(address);
  info[16] = index;
  return info;
}
