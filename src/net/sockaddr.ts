/** `struct sockaddr_in`, `sockaddr_in6`, `sockaddr_un`: ip(7), ipv6(7), unix(7). */
import { EAFNOSUPPORT, EINVAL } from '../abi/errno.ts';
import { AF_INET, AF_INET6, AF_UNIX } from '../abi/socket.ts';
import { SIZEOF_SOCKADDR_UN } from '../abi/un.ts';
import { ANY4, ANY6, formatAddress, isVersion4, LOOPBACK4, parseAddress } from './address.ts';

/** An address in canonical text, IPv4 also where an IPv6 socket uses it, and a port. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export const SIZEOF_SOCKADDR_IN = 16;
export const SIZEOF_SOCKADDR_IN6 = 28;

export function familyOf(sockaddr: Uint8Array): number {
  return sockaddr.length < 2 ? 0 : sockaddr[0]! | (sockaddr[1]! << 8);
}

/** The endpoint that a program gives to a socket of `family`, or -EINVAL, -EAFNOSUPPORT. */
export function decodeInet(sockaddr: Uint8Array, family: number): Endpoint | number {
  const given = familyOf(sockaddr);
  const port = ((sockaddr[2] ?? 0) << 8) | (sockaddr[3] ?? 0);
  if (family === AF_INET) {
    if (sockaddr.length < SIZEOF_SOCKADDR_IN) return -EINVAL;
    if (given !== AF_INET && given !== 0) return -EAFNOSUPPORT;
    return { address: formatAddress(sockaddr.subarray(4, 8)), port };
  }
  if (given === AF_INET && sockaddr.length >= SIZEOF_SOCKADDR_IN) return { address: formatAddress(sockaddr.subarray(4, 8)), port };
  // 24 bytes without the scope id, as RFC 2133 had it.
  if (sockaddr.length < 24) return -EINVAL;
  if (given !== AF_INET6) return -EAFNOSUPPORT;
  return { address: formatAddress(sockaddr.subarray(8, 24)), port };
}

export function encodeInet({ address, port }: Endpoint, family: number): Uint8Array {
  const bytes = parseAddress(address) ?? new Uint8Array(4);
  const sockaddr = new Uint8Array(family === AF_INET ? SIZEOF_SOCKADDR_IN : SIZEOF_SOCKADDR_IN6);
  sockaddr[0] = family;
  sockaddr[2] = port >>> 8;
  sockaddr[3] = port & 255;
  if (family === AF_INET) {
    if (bytes.length === 4) sockaddr.set(bytes, 4);
  } else if (bytes.length === 16) sockaddr.set(bytes, 8);
  else if (address !== ANY4) {
    sockaddr[18] = 255;
    sockaddr[19] = 255;
    sockaddr.set(bytes, 20);
  }
  return sockaddr;
}

export function anyAddress(family: number): string {
  return family === AF_INET ? ANY4 : ANY6;
}

/** Whether a socket of `family` can talk to the address at all: an IPv4 socket to IPv4 only. */
export function usable(address: string, family: number): boolean {
  return family === AF_INET6 || isVersion4(address) || address === LOOPBACK4;
}

/** Name of a unix socket: a path, an abstract name (with its leading NUL), or '' for none. Byte string. */
export function decodeUnix(sockaddr: Uint8Array): string | number {
  if (sockaddr.length < 2 || sockaddr.length > SIZEOF_SOCKADDR_UN) return -EINVAL;
  if (familyOf(sockaddr) !== AF_UNIX) return -EINVAL;
  const bytes = sockaddr.subarray(2);
  if (bytes.length === 0) return '';
  if (bytes[0] === 0) return String.fromCharCode(...bytes);
  const end = bytes.indexOf(0);
  return String.fromCharCode(...(end < 0 ? bytes : bytes.subarray(0, end)));
}

export function encodeUnix(name: string): Uint8Array {
  const terminated = name === '' || name.startsWith('\0') ? name : `${name}\0`;
  const sockaddr = new Uint8Array(2 + terminated.length);
  sockaddr[0] = AF_UNIX;
  for (let index = 0; index < terminated.length; index++) sockaddr[2 + index] = terminated.charCodeAt(index);
  return sockaddr;
}
