/** socket(2): which class serves a family, type and protocol. */
import { EACCES, EAFNOSUPPORT, EINVAL, EPERM, EPROTONOSUPPORT, ESOCKTNOSUPPORT } from '../abi/errno.ts';
import { IPPROTO_ICMP, IPPROTO_ICMPV6, IPPROTO_TCP, IPPROTO_UDP } from '../abi/in.ts';
import {
  AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_UNIX, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET, SOCK_STREAM,
} from '../abi/socket.ts';
import { NetlinkSocket } from './netlink-socket.ts';
import type { NetworkStack } from './network-stack.ts';
import type { Socket } from './socket.ts';
import { TcpSocket } from './tcp-socket.ts';
import { UdpSocket } from './udp-socket.ts';
import { UnixDatagramSocket } from './unix-datagram.ts';
import { UnixConnectionSocket } from './unix-stream.ts';

/** `SOCK_MAX` of Linux. */
const TYPE_LIMIT = 11;
/** `NPROTO` of Linux. */
const FAMILY_LIMIT = 46;
const LAST_NETLINK_PROTOCOL = 22;

export function createSocket(stack: NetworkStack, family: number, type: number, protocol: number): Socket | number {
  if (family < 0 || family >= FAMILY_LIMIT) return -EAFNOSUPPORT;
  if (type < 0 || type >= TYPE_LIMIT) return -EINVAL;
  switch (family) {
    case AF_UNIX:
      return createUnix(stack, type, protocol);
    case AF_INET:
    case AF_INET6:
      return createInet(stack, family, type, protocol);
    case AF_NETLINK:
      if (type !== SOCK_RAW && type !== SOCK_DGRAM) return -ESOCKTNOSUPPORT;
      if (protocol < 0 || protocol > LAST_NETLINK_PROTOCOL) return -EPROTONOSUPPORT;
      return protocol === 0 ? new NetlinkSocket(stack, type, protocol) : -EPROTONOSUPPORT;
    case AF_PACKET:
      return stack.environment.caller().mayUseRaw ? -EAFNOSUPPORT : -EPERM;
    default:
      return -EAFNOSUPPORT;
  }
}

function createUnix(stack: NetworkStack, type: number, protocol: number): Socket | number {
  if (protocol !== 0 && protocol !== AF_UNIX) return -EPROTONOSUPPORT;
  if (type === SOCK_STREAM || type === SOCK_SEQPACKET) return new UnixConnectionSocket(stack.unix, type);
  // SOCK_RAW of AF_UNIX is a datagram socket (af_unix.c:unix_create).
  return type === SOCK_DGRAM || type === SOCK_RAW ? new UnixDatagramSocket(stack.unix) : -ESOCKTNOSUPPORT;
}

function createInet(stack: NetworkStack, family: number, type: number, protocol: number): Socket | number {
  if (protocol < 0 || protocol >= 263) return -EINVAL;
  if (type === SOCK_STREAM) return protocol === 0 || protocol === IPPROTO_TCP ? new TcpSocket(stack, family) : -EPROTONOSUPPORT;
  if (type === SOCK_DGRAM) {
    // Echo sockets need a group in net.ipv4.ping_group_range, which is empty by default.
    if (protocol === IPPROTO_ICMP || protocol === IPPROTO_ICMPV6) return -EACCES;
    return protocol === 0 || protocol === IPPROTO_UDP ? new UdpSocket(stack, family) : -EPROTONOSUPPORT;
  }
  if (type === SOCK_RAW) return protocol === 0 || stack.environment.caller().mayUseRaw ? -EPROTONOSUPPORT : -EPERM;
  return -ESOCKTNOSUPPORT;
}
