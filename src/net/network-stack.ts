/** The network of a sandbox: loopback, and an outbound interface where the host grants one. */
import type { NetEnvironment } from './environment.ts';
import { ANY4, ANY6, isAny, isLoopback, isVersion4, LOOPBACK4, LOOPBACK6 } from './address.ts';
import { PortTable } from './port-table.ts';
import type { Endpoint } from './sockaddr.ts';
import type { TcpLink, TcpSink } from './tcp-link.ts';
import type { TcpSocket } from './tcp-socket.ts';
import type { UdpSocket } from './udp-socket.ts';
import { UnixNamespace } from './unix-namespace.ts';

/** Addresses of the outbound interface, as user-mode networks have them since slirp. */
export const OUTBOUND_ADDRESS = '10.0.2.15';
export const OUTBOUND_PREFIX = 24;
export const GATEWAY_ADDRESS = '10.0.2.2';
export const RESOLVER_ADDRESS = '10.0.2.3';

/** The way out: connections and datagrams through the host, names through its resolver. */
export interface Gateway {
  /** Starts a connection: its link, or -EACCES, -ENETUNREACH, ... */
  connectTcp(to: Endpoint, sink: TcpSink): TcpLink | number;
  /** A host socket for datagrams of one guest socket; answers come to `onMessage`. */
  openUdp(onMessage: (data: Uint8Array, from: Endpoint) => void, onError: (errno: number) => void): GatewayUdp;
}

export interface GatewayUdp {
  /** 0, or -EACCES, -ENETUNREACH. */
  send(data: Uint8Array, to: Endpoint): number;
  close(): void;
}

/** One of `lo` and `eth0`. */
export interface NetworkInterface {
  readonly index: number;
  readonly name: string;
  readonly loopback: boolean;
  readonly mtu: number;
  readonly hardwareAddress: Uint8Array;
  readonly addresses: readonly { readonly address: string; readonly prefix: number }[];
}

const LOOPBACK_INTERFACE: NetworkInterface = {
  index: 1, name: 'lo', loopback: true, mtu: 65_536, hardwareAddress: new Uint8Array(6),
  addresses: [{ address: LOOPBACK4, prefix: 8 }, { address: LOOPBACK6, prefix: 128 }],
};
const OUTBOUND_INTERFACE: NetworkInterface = {
  index: 2, name: 'eth0', loopback: false, mtu: 1500, hardwareAddress: Uint8Array.of(0x52, 0x54, 0, 0x12, 0x34, 0x56),
  addresses: [{ address: OUTBOUND_ADDRESS, prefix: OUTBOUND_PREFIX }],
};

export class NetworkStack {
  readonly environment: NetEnvironment;
  readonly gateway: Gateway | undefined;
  readonly unix: UnixNamespace;
  readonly tcp: PortTable<TcpSocket>;
  readonly udp: PortTable<UdpSocket>;
  readonly interfaces: readonly NetworkInterface[];

  constructor(environment: NetEnvironment, gateway?: Gateway) {
    this.environment = environment;
    this.gateway = gateway;
    this.interfaces = gateway === undefined ? [LOOPBACK_INTERFACE] : [LOOPBACK_INTERFACE, OUTBOUND_INTERFACE];
    this.unix = new UnixNamespace(environment, this.interfaces);
    const random = (): number => {
      const bytes = new Uint8Array(4);
      environment.random(bytes);
      return new DataView(bytes.buffer).getUint32(0);
    };
    this.tcp = new PortTable(random);
    this.udp = new PortTable(random);
  }

  /** The address is one of this machine's. */
  isLocal(address: string): boolean {
    return isLoopback(address) || (this.gateway !== undefined && address === OUTBOUND_ADDRESS);
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
    if (isLoopback(address)) return isVersion4(address) ? LOOPBACK4 : LOOPBACK6;
    if (this.gateway === undefined || !isVersion4(address)) return undefined;
    return OUTBOUND_ADDRESS;
  }
}
