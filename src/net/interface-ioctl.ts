/** netdevice(7): the ioctl requests by which older programs ask for interfaces. */
import { EFAULT, ENODEV, ENOTTY, EOPNOTSUPP, EPERM } from '../abi/errno.ts';
import {
  SIOCGIFADDR, SIOCGIFBRDADDR, SIOCGIFCONF, SIOCGIFDSTADDR, SIOCGIFFLAGS, SIOCGIFHWADDR, SIOCGIFINDEX, SIOCGIFMAP, SIOCGIFMETRIC, SIOCGIFMTU, SIOCGIFNAME,
  SIOCGIFNETMASK, SIOCGIFTXQLEN, SIOCSIFADDR, SIOCSIFFLAGS, SIOCSIFMTU, SIOCSIFNETMASK,
} from '../abi/ioctl.ts';
import { ARPHRD_ETHER, ARPHRD_LOOPBACK, IFF_BROADCAST, IFF_LOOPBACK, IFF_MULTICAST, IFF_RUNNING, IFF_UP } from '../abi/netlink.ts';
import { AF_INET } from '../abi/socket.ts';
import type { GuestMemory } from '../fs/types.ts';
import { isVersion4, parseAddress } from './address.ts';
import type { NetworkInterface, NetworkStack } from './network-stack.ts';
import { encodeInet } from './sockaddr.ts';

/** Bytes of `struct ifreq`: a name of 16 and a union of 24. */
const IFREQ_SIZE = 40;
const NAME_SIZE = 16;
const CHANGES = new Set([SIOCSIFADDR, SIOCSIFFLAGS, SIOCSIFMTU, SIOCSIFNETMASK]);

export function interfaceFlags({ loopback, isUp }: NetworkInterface): number {
  return (isUp ? IFF_UP | IFF_RUNNING : 0) | (loopback ? IFF_LOOPBACK : IFF_BROADCAST | IFF_MULTICAST);
}
export function hardwareType({ loopback }: NetworkInterface): number {
  return loopback ? ARPHRD_LOOPBACK : ARPHRD_ETHER;
}

export function ioctlInterface(interfaces: readonly NetworkInterface[], request: number, argument: number, memory: GuestMemory): number {
  if (CHANGES.has(request)) return -EPERM;
  if (request === SIOCGIFCONF) return listInterfaces(interfaces, argument, memory);
  const answer = ANSWERS.get(request);
  if (request !== SIOCGIFNAME && answer === undefined) return -ENOTTY;
  const ifreq = memory.writable(argument, IFREQ_SIZE);
  if (ifreq === undefined) return -EFAULT;
  const view = new DataView(ifreq.buffer, ifreq.byteOffset, IFREQ_SIZE);
  if (request === SIOCGIFNAME) {
    const found = interfaces.find(({ index }) => index === view.getInt32(NAME_SIZE, true));
    if (found === undefined) return -ENODEV;
    putName(ifreq, found.name);
    return 0;
  }
  const name = nameIn(ifreq);
  const found = interfaces.find((candidate) => candidate.name === name);
  return found === undefined ? -ENODEV : answer!(found, ifreq.subarray(NAME_SIZE), view);
}

/** SIOCSIFFLAGS: loopback goes up or down; nothing else of an interface changes. */
export function setLoopbackFlags({ interfaces, loopback, environment }: NetworkStack, argument: number, memory: GuestMemory): number {
  const ifreq = memory.readable(argument, IFREQ_SIZE);
  if (ifreq === undefined) return -EFAULT;
  const name = nameIn(ifreq);
  if (!environment.caller().mayAdminister) return -EPERM;
  if (name !== loopback.name) return interfaces.some((known) => known.name === name) ? -EPERM : -ENODEV;
  const view = new DataView(ifreq.buffer, ifreq.byteOffset, IFREQ_SIZE);
  loopback.setUp((view.getInt16(NAME_SIZE, true) & IFF_UP) !== 0);
  return 0;
}

/** The name in a `struct ifreq`, without the number of an alias. */
function nameIn(ifreq: Uint8Array): string | undefined {
  const end = ifreq.subarray(0, NAME_SIZE).indexOf(0);
  return String.fromCharCode(...ifreq.subarray(0, end < 0 ? NAME_SIZE - 1 : end)).split(':')[0];
}

function putName(ifreq: Uint8Array, name: string): void {
  ifreq.fill(0, 0, NAME_SIZE);
  for (let index = 0; index < name.length; index++) ifreq[index] = name.charCodeAt(index);
}

function version4Of({ addresses }: NetworkInterface): { readonly address: string; readonly prefix: number } | undefined {
  return addresses.find(({ address }) => isVersion4(address));
}

function networkMask(prefix: number): string {
  const mask = prefix === 0 ? 0 : (0xffff_ffff << (32 - prefix)) >>> 0;
  return [mask >>> 24, (mask >>> 16) & 255, (mask >>> 8) & 255, mask & 255].join('.');
}

export function broadcastAddress(address: string, prefix: number): string {
  const bytes = parseAddress(address)!;
  const mask = parseAddress(networkMask(prefix))!;
  return [...bytes].map((byte, index) => (byte & mask[index]!) | (~mask[index]! & 255)).join('.');
}

type Answer = (found: NetworkInterface, union: Uint8Array, view: DataView) => number;

function addressAnswer(pick: (address: string, prefix: number, found: NetworkInterface) => string): Answer {
  return (found, union) => {
    const own = version4Of(found);
    if (own === undefined) return -EOPNOTSUPP;
    union.set(encodeInet({ address: pick(own.address, own.prefix, found), port: 0 }, AF_INET));
    return 0;
  };
}

function intAnswer(pick: (found: NetworkInterface) => number): Answer {
  return (found, _union, view) => {
    view.setInt32(NAME_SIZE, pick(found), true);
    return 0;
  };
}

const ANSWERS = new Map<number, Answer>([
  [SIOCGIFADDR, addressAnswer((address) => address)],
  [SIOCGIFDSTADDR, addressAnswer((address) => address)],
  [SIOCGIFBRDADDR, addressAnswer((address, prefix, { loopback }) => (loopback ? '0.0.0.0' : broadcastAddress(address, prefix)))],
  [SIOCGIFNETMASK, addressAnswer((_address, prefix) => networkMask(prefix))],
  [SIOCGIFFLAGS, (found, _union, view) => {
    view.setInt16(NAME_SIZE, interfaceFlags(found), true);
    return 0;
  }],
  [SIOCGIFINDEX, intAnswer(({ index }) => index)],
  [SIOCGIFMTU, intAnswer(({ mtu }) => mtu)],
  [SIOCGIFMETRIC, intAnswer(() => 0)],
  [SIOCGIFTXQLEN, intAnswer(() => 1000)],
  [SIOCGIFHWADDR, (found, union) => {
    union.fill(0, 0, 16);
    const type = hardwareType(found);
    union[0] = type & 255;
    union[1] = type >>> 8;
    union.set(found.hardwareAddress, 2);
    return 0;
  }],
  [SIOCGIFMAP, (_found, union) => {
    union.fill(0, 0, 24);
    return 0;
  }],
]);

/** SIOCGIFCONF: `struct ifconf` with room for `struct ifreq` of each interface with an IPv4 address. */
function listInterfaces(interfaces: readonly NetworkInterface[], argument: number, memory: GuestMemory): number {
  const ifconf = memory.writable(argument, 16);
  if (ifconf === undefined) return -EFAULT;
  const view = new DataView(ifconf.buffer, ifconf.byteOffset, 16);
  const pointer = view.getUint32(8, true);
  const high = view.getUint32(12, true);
  const withAddress = interfaces.filter((candidate) => version4Of(candidate) !== undefined);
  if (pointer === 0 && high === 0) {
    view.setInt32(0, withAddress.length * IFREQ_SIZE, true);
    return 0;
  }
  const count = Math.min(withAddress.length, Math.floor(view.getInt32(0, true) / IFREQ_SIZE));
  const target = high === 0 ? memory.writable(pointer, count * IFREQ_SIZE) : undefined;
  if (target === undefined) return -EFAULT;
  for (const [index, found] of withAddress.slice(0, count).entries()) {
    const ifreq = target.subarray(index * IFREQ_SIZE, (index + 1) * IFREQ_SIZE);
    ifreq.fill(0);
    putName(ifreq, found.name);
    ifreq.set(encodeInet({ address: version4Of(found)!.address, port: 0 }, AF_INET), NAME_SIZE);
  }
  view.setInt32(0, count * IFREQ_SIZE, true);
  return 0;
}
