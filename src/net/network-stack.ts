/** The network of a sandbox: loopback, and an interface where the host grants a way out or a way in. */
import type { NetEnvironment } from './environment.ts';
import { ANY4, ANY6, isAny, isLoopback, isVersion4, inRange, LOOPBACK4, LOOPBACK6, parseAddress, parseRange } from './address.ts';
import { PortTable } from './port-table.ts';
import type { Endpoint } from './sockaddr.ts';
import type { TcpLink, TcpSink } from './tcp-link.ts';
import type { TcpSocket } from './tcp-socket.ts';
import type { UdpSocket } from './udp-socket.ts';
import { UnixNamespace } from './unix-namespace.ts';

/** How `eth0` is addressed. */
export interface OuterNetwork {
  readonly address: string;
  readonly prefix: number;
  /** Who on this machine connects is seen as this one; nothing else answers there. */
  readonly gateway: string;
  /** Where names are asked for. */
  readonly resolver: string;
  /** Where other members have IPv6 addresses: a range of 64 bits, in which each ends with its IPv4 address. */
  readonly members6?: string;
  /** The same for IPv6, which does not lead outside: there where ports are published, and where other members have it. */
  readonly version6?: { readonly address: string; readonly prefix: number; readonly gateway: string };
}
/** Of a sandbox that is nobody's neighbour, as user-mode networks have it since slirp. */
export const OWN_NETWORK: OuterNetwork = { address: '10.0.2.15', prefix: 24, gateway: '10.0.2.2', resolver: '10.0.2.3' };
export const PUBLISHED6 = { address: 'fd00:10:0:2::f', prefix: 64, gateway: 'fd00:10:0:2::2' } as const;

/** The way out: connections and datagrams through the host, names through its resolver. */
export interface Gateway {
  /** Starts a connection: its link, or -EACCES, -ENETUNREACH, ... */
  connectTcp(to: Endpoint, from: Endpoint, sink: TcpSink): TcpLink | number;
  /** A host socket for datagrams of one guest socket; answers come to `onMessage`. */
  openUdp(onMessage: (data: Uint8Array, from: Endpoint) => void, onError: (errno: number) => void): GatewayUdp;
}

export interface GatewayUdp {
  /** 0, or -EACCES, -ENETUNREACH. */
  send(data: Uint8Array, to: Endpoint, from: Endpoint): number;
  close(): void;
}

/** Who has sent datagrams to a published port gets the answers. */
export interface DatagramAnswers {
  /** False: nobody at `to` has asked the guest's socket at `port`. */
  answer(port: number, to: Endpoint, data: Uint8Array): boolean;
}

/** One of `lo` and `eth0`. */
export interface NetworkInterface {
  readonly index: number;
  readonly name: string;
  readonly loopback: boolean;
  readonly mtu: number;
  readonly hardwareAddress: Uint8Array;
  readonly isUp: boolean;
  readonly addresses: readonly InterfaceAddress[];
}

export interface InterfaceAddress {
  readonly address: string;
  readonly prefix: number;
}

/** `lo`: down and without an address in a new network namespace, until someone in it takes it up (drivers/net/loopback.c). */
class Loopback implements NetworkInterface {
  readonly index = 1;
  readonly name = 'lo';
  readonly loopback = true;
  readonly mtu = 65_536;
  readonly hardwareAddress = new Uint8Array(6);
  isUp = false;
  addresses: readonly InterfaceAddress[] = [];

  /** Up it has its addresses, down no IPv6 one (inetdev_event, addrconf_notify). */
  setUp(up: boolean): void {
    this.isUp = up;
    if (!up) this.addresses = this.addresses.filter(({ address }) => isVersion4(address));
    else for (const own of [{ address: LOOPBACK4, prefix: 8 }, { address: LOOPBACK6, prefix: 128 }]) this.add(own);
  }

  /** False: it has the address already. */
  add(own: InterfaceAddress): boolean {
    if (this.addresses.some(({ address }) => address === own.address)) return false;
    this.addresses = [...this.addresses, own];
    return true;
  }
}

/** Locally administered, from the address, as Docker makes them. */
function outerInterface({ address, prefix, version6 }: OuterNetwork, index: number, name: string): NetworkInterface {
  return {
    index, name, loopback: false, mtu: 1500, hardwareAddress: Uint8Array.of(0x02, 0x42, ...parseAddress(address) ?? []), isUp: true,
    addresses: [{ address, prefix }, ...(version6 === undefined ? [] : [{ address: version6.address, prefix: version6.prefix }])],
  };
}

export interface NetworkOptions {
  /** The way out. */
  readonly gateway?: Gateway | undefined;
  /** The first one has the default route. None: loopback only. */
  readonly outers?: readonly OuterNetwork[];
  /** A network namespace that a guest made: loopback is down. */
  readonly isNew?: boolean;
}

export class NetworkStack {
  readonly environment: NetEnvironment;
  gateway: Gateway | undefined;
  readonly unix: UnixNamespace;
  readonly tcp: PortTable<TcpSocket>;
  readonly udp: PortTable<UdpSocket>;
  readonly loopback = new Loopback();
  /** The same array always: loopback, and one for each network. */
  readonly interfaces: NetworkInterface[];
  readonly #outers: { readonly outer: OuterNetwork; readonly link: NetworkInterface }[] = [];
  #lastIndex = 1;

  /** Absent until ports are published. */
  answers: DatagramAnswers | undefined = undefined;
  readonly #addresses = new Set<string>();

  constructor(environment: NetEnvironment, { gateway, outers = [], isNew }: NetworkOptions = {}) {
    if (isNew !== true) this.loopback.setUp(true);
    this.environment = environment;
    this.gateway = gateway;
    this.interfaces = [this.loopback];
    this.setOuters(outers);
    this.unix = new UnixNamespace(environment, this.interfaces);
    const random = (): number => {
      const bytes = new Uint8Array(4);
      environment.random(bytes);
      return new DataView(bytes.buffer).getUint32(0);
    };
    this.tcp = new PortTable(random);
    this.udp = new PortTable(random);
  }

  /** The networks that it is on from now on, the one with the default route first. Interfaces of those that stay are the same. */
  setOuters(outers: readonly OuterNetwork[]): void {
    const before = this.#outers.splice(0);
    const taken = new Set(before.filter(({ outer }) => outers.some(({ address }) => address === outer.address)).map(({ link }) => link.name));
    for (const outer of outers) {
      const old = before.find((one) => one.outer.address === outer.address)?.link;
      const link = outerInterface(outer, old?.index ?? ++this.#lastIndex, old?.name ?? this.#freeName(taken));
      taken.add(link.name);
      this.#outers.push({ outer, link });
    }
    this.interfaces.splice(1, Infinity, ...this.#outers.map(({ link }) => link).sort((one, other) => one.index - other.index));
    this.#addresses.clear();
    for (const { link: { addresses } } of this.#outers) for (const { address } of addresses) this.#addresses.add(address);
  }
  #freeName(taken: ReadonlySet<string>): string {
    for (let number = 0; ; number++) if (!taken.has(`eth${number}`)) return `eth${number}`;
  }

  /** The network with the default route. */
  get outer(): OuterNetwork | undefined {
    return this.#outers[0]?.outer;
  }
  /** The network behind an interface. */
  outerAt(index: number): OuterNetwork | undefined {
    return this.#outers.find(({ link }) => link.index === index)?.outer;
  }

  /** The address is one of this machine's. */
  isLocal(address: string): boolean {
    return isLoopback(address) ? this.#hasLoopback(address) : this.#addresses.has(address);
  }
  #hasLoopback(address: string): boolean {
    return this.loopback.addresses.some((own) => isVersion4(own.address) === isVersion4(address));
  }
  mayBind(address: string): boolean {
    return isAny(address) || this.isLocal(address);
  }
  /** Where a packet to `address` really goes: any means this machine. */
  destination(address: string): string {
    if (address === ANY4) return LOOPBACK4;
    return address === ANY6 ? LOOPBACK6 : address;
  }
  /** Source address of packets to `address`; undefined where no route leads there. */
  sourceFor(address: string): string | undefined {
    if (isLoopback(address)) {
      if (!this.loopback.isUp) return undefined;
      return isVersion4(address) ? LOOPBACK4 : LOOPBACK6;
    }
    const own = this.#interfaceFor(address) ?? this.outer;
    return isVersion4(address) ? own?.address : own?.version6?.address;
  }
  /** The network that the address is one of. */
  #interfaceFor(address: string): OuterNetwork | undefined {
    if (this.#outers.length < 2) return undefined;
    const bytes = parseAddress(address);
    if (bytes === undefined) return undefined;
    return this.#outers.find(({ link }) => link.addresses.some((own) => inRange(bytes, parseRange(`${own.address}/${own.prefix}`)!)))?.outer;
  }
}
