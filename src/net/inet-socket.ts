/** What TCP and UDP sockets share: addresses, ports and options of ip(7) and ipv6(7). */
import { EACCES, EADDRNOTAVAIL, EINVAL, ENOPROTOOPT, ENOTCONN, ENODEV } from '../abi/errno.ts';
import {
  IP_ADD_MEMBERSHIP, IP_BIND_ADDRESS_NO_PORT, IP_DROP_MEMBERSHIP, IP_FREEBIND, IP_MTU, IP_MTU_DISCOVER, IP_MULTICAST_IF, IP_MULTICAST_LOOP, IP_MULTICAST_TTL,
  IP_OPTIONS, IP_PKTINFO, IP_RECVERR, IP_RECVTOS, IP_RECVTTL, IP_TOS, IP_TTL, IPPROTO_IP, IPPROTO_IPV6, IPV6_ADDR_PREFERENCES, IPV6_DONTFRAG,
  IPV6_FREEBIND, IPV6_JOIN_GROUP, IPV6_LEAVE_GROUP, IPV6_MTU, IPV6_MTU_DISCOVER, IPV6_MULTICAST_HOPS, IPV6_MULTICAST_IF, IPV6_MULTICAST_LOOP,
  IPV6_RECVERR, IPV6_RECVHOPLIMIT, IPV6_RECVPKTINFO, IPV6_RECVTCLASS, IPV6_TCLASS, IPV6_UNICAST_HOPS, IPV6_V6ONLY,
} from '../abi/in.ts';
import { SIOCSIFFLAGS } from '../abi/ioctl.ts';
import { AF_INET, AF_INET6, SO_REUSEADDR, SO_REUSEPORT } from '../abi/socket.ts';
import { ioctlInterface, setLoopbackFlags } from './interface-ioctl.ts';
import type { GuestMemory } from '../fs/types.ts';
import { isVersion4 } from './address.ts';
import type { NetworkStack } from './network-stack.ts';
import { anyAddress, decodeInet, encodeInet, type Endpoint } from './sockaddr.ts';
import { int, intOf, Socket } from './socket.ts';

/** Stored options of level IPPROTO_IP with their defaults. */
const IP_DEFAULTS = new Map([
  [IP_TOS, 0], [IP_TTL, 64], [IP_MTU_DISCOVER, 1], [IP_RECVERR, 0], [IP_PKTINFO, 0], [IP_RECVTTL, 0], [IP_RECVTOS, 0], [IP_FREEBIND, 0],
  [IP_MULTICAST_TTL, 1], [IP_MULTICAST_LOOP, 1], [IP_MULTICAST_IF, 0], [IP_BIND_ADDRESS_NO_PORT, 0],
]);
const IPV6_DEFAULTS = new Map([
  [IPV6_UNICAST_HOPS, 64], [IPV6_MULTICAST_HOPS, 1], [IPV6_MULTICAST_LOOP, 1], [IPV6_MULTICAST_IF, 0], [IPV6_MTU_DISCOVER, 1], [IPV6_RECVERR, 0],
  [IPV6_RECVPKTINFO, 0], [IPV6_RECVHOPLIMIT, 0], [IPV6_RECVTCLASS, 0], [IPV6_TCLASS, 0], [IPV6_DONTFRAG, 0], [IPV6_FREEBIND, 0],
  [IPV6_ADDR_PREFERENCES, 2],
]);
/** `lo` carries everything in one piece. */
const LOOPBACK_MTU = 65_535;
const FIRST_FREE_PORT = 1024;

export abstract class InetSocket extends Socket {
  readonly stack: NetworkStack;
  local: Endpoint | undefined = undefined;
  remote: Endpoint | undefined = undefined;
  v6Only = false;
  #boundAddress: string | undefined = undefined;
  readonly #options = new Map<number, number>();

  constructor(stack: NetworkStack, family: number, type: number, protocol: number) {
    super(stack.environment, family, type, protocol);
    this.stack = stack;
  }

  /** Takes a port of the protocol's table: the port, or -EADDRINUSE. */
  protected abstract takePort(address: string, port: number): number;

  bind(sockaddr: Uint8Array): number {
    const wanted = decodeInet(sockaddr, this.family);
    if (typeof wanted === 'number') return wanted;
    if (this.local !== undefined) return -EINVAL;
    if (this.v6Only && isVersion4(wanted.address)) return -EINVAL;
    if (!this.stack.mayBind(wanted.address)) return -EADDRNOTAVAIL;
    if (wanted.port !== 0 && wanted.port < FIRST_FREE_PORT && !this.environment.caller().mayBindLowPorts) return -EACCES;
    const bound = this.bindTo(wanted.address, wanted.port);
    if (bound === 0) this.#boundAddress = wanted.address;
    return bound;
  }
  /** A disconnected socket has the address that bind(2) gave it, or none (`inet_reset_saddr`). */
  protected resetAddress(): void {
    if (this.local !== undefined) this.local = { address: this.#boundAddress ?? anyAddress(this.family), port: this.local.port };
  }
  protected bindTo(address: string, wanted: number): number {
    const port = this.takePort(address, wanted);
    if (port < 0) return port;
    this.local = { address, port };
    return 0;
  }
  /** A port of its own where the program did not ask for one; the address stays open. */
  protected autobind(): number {
    return this.local === undefined ? this.bindTo(anyAddress(this.family), 0) : 0;
  }

  /** SO_REUSEADDR or SO_REUSEPORT on both, and for TCP no listener. */
  mayShareWith(other: InetSocket): boolean {
    if (this.switchedOn(SO_REUSEPORT) && other.switchedOn(SO_REUSEPORT)) return true;
    return this.switchedOn(SO_REUSEADDR) && other.switchedOn(SO_REUSEADDR) && !this.listening && !other.listening;
  }

  localName(): Uint8Array {
    return encodeInet(this.local ?? { address: anyAddress(this.family), port: 0 }, this.family);
  }
  peerName(): Uint8Array | number {
    return this.remote === undefined ? -ENOTCONN : encodeInet(this.remote, this.family);
  }

  override setOption(level: number, option: number, value: Uint8Array): number {
    if (level === IPPROTO_IP) return this.#setIp(option, value);
    if (level === IPPROTO_IPV6 && this.family === AF_INET6) return this.#setIpv6(option, value);
    return super.setOption(level, option, value);
  }
  #setIp(option: number, value: Uint8Array): number {
    if (option === IP_ADD_MEMBERSHIP || option === IP_DROP_MEMBERSHIP) return value.length < 8 ? -EINVAL : -ENODEV;
    if (option === IP_OPTIONS) return value.length === 0 ? 0 : -EINVAL;
    if (!IP_DEFAULTS.has(option)) return -ENOPROTOOPT;
    // One byte is enough for these (ip(7)).
    const number = value.length >= 4 ? intOf(value) : value[0];
    if (number === undefined) return -EINVAL;
    if (option === IP_TTL && number !== -1 && (number < 1 || number > 255)) return -EINVAL;
    this.#options.set(option, option === IP_TTL && number === -1 ? 64 : number);
    return 0;
  }
  #setIpv6(option: number, value: Uint8Array): number {
    if (option === IPV6_JOIN_GROUP || option === IPV6_LEAVE_GROUP) return value.length < 20 ? -EINVAL : -ENODEV;
    if (value.length < 4) return -EINVAL;
    const number = intOf(value);
    if (option === IPV6_V6ONLY) {
      if (this.local !== undefined) return -EINVAL;
      this.v6Only = number !== 0;
      return 0;
    }
    if (!IPV6_DEFAULTS.has(option)) return -ENOPROTOOPT;
    this.#options.set(option | 0x1000, number);
    return 0;
  }
  override getOption(level: number, option: number, length: number): Uint8Array | number {
    if (level === IPPROTO_IP) {
      if (option === IP_MTU) return this.remote === undefined ? -ENOTCONN : int(LOOPBACK_MTU);
      if (option === IP_OPTIONS) return new Uint8Array(0);
      const byDefault = IP_DEFAULTS.get(option);
      return byDefault === undefined ? -ENOPROTOOPT : int(this.#options.get(option) ?? byDefault);
    }
    if (level === IPPROTO_IPV6 && this.family === AF_INET6) {
      if (option === IPV6_V6ONLY) return int(this.v6Only ? 1 : 0);
      if (option === IPV6_MTU) return this.remote === undefined ? -ENOTCONN : int(LOOPBACK_MTU);
      const byDefault = IPV6_DEFAULTS.get(option);
      return byDefault === undefined ? -ENOPROTOOPT : int(this.#options.get(option | 0x1000) ?? byDefault);
    }
    return super.getOption(level, option, length);
  }
  override inheritFrom(listener: Socket): void {
    super.inheritFrom(listener);
    if (listener instanceof InetSocket) for (const [option, value] of listener.#options) this.#options.set(option, value);
  }
  override ioctl(request: number, argument: number, memory: GuestMemory): number {
    if (request === SIOCSIFFLAGS) return setLoopbackFlags(this.stack, argument, memory);
    return ioctlInterface(this.stack.interfaces, request, argument, memory);
  }
  get isVersion4(): boolean {
    return this.family === AF_INET;
  }
}
