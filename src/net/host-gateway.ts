/** The way out of the sandbox: the host's sockets, under the policy, and the resolver at its fixed address. */
import { EACCES, ECONNREFUSED, ENETUNREACH, ENOBUFS } from '../abi/errno.ts';
import type { HostNetwork, HostUdpSocket } from '../host/types.ts';
import { isVersion4 } from './address.ts';
import { Resolver } from './dns.ts';
import { HostLink } from './host-link.ts';
import { HOST_CONNECTIONS, REMEMBERED_ADDRESSES } from './limits.ts';
import type { MemberNetwork } from './member-network.ts';
import type { Gateway, GatewayUdp, OuterNetwork } from './network-stack.ts';
import type { NetworkPolicy } from './policy.ts';
import type { Endpoint } from './sockaddr.ts';
import type { TcpLink, TcpSink } from './tcp-link.ts';

const DNS_PORT = 53;
/** Bytes of queries taken at once. */
const CHUNK = 0x1_0000;
/** A DNS message over TCP has its length in 16 bits before it. */
const DNS_TCP_LIMIT = 0x1_0000 + 2;

export interface GatewayOptions {
  readonly network: HostNetwork;
  readonly policy: NetworkPolicy;
  readonly outer: OuterNetwork;
  /** Absent: it is nobody's neighbour. */
  readonly members?: MemberNetwork | undefined;
}

export class HostGateway implements Gateway {
  readonly #network: HostNetwork;
  readonly #policy: NetworkPolicy;
  readonly #outer: OuterNetwork;
  readonly #members: MemberNetwork | undefined;
  readonly #resolver: Resolver;
  #connections = 0;

  constructor({ network, policy, outer, members }: GatewayOptions) {
    this.#network = network;
    this.#policy = policy;
    this.#outer = outer;
    this.#members = members;
    this.#resolver = new Resolver(network, policy, (name) => members?.lookUp(name));
  }

  /** 0, or why nothing may go there. */
  #check({ address, port }: Endpoint): number {
    if (address === this.#outer.resolver || address === this.#outer.gateway) return -ECONNREFUSED;
    if (!isVersion4(address) || !this.#policy.isOpen) return -ENETUNREACH;
    return this.#policy.allows(address, port) ? 0 : -EACCES;
  }
  #isResolver({ address, port }: Endpoint): boolean {
    return address === this.#outer.resolver && port === DNS_PORT;
  }

  connectTcp(to: Endpoint, from: Endpoint, sink: TcpSink): TcpLink | number {
    if (this.#isResolver(to)) {
      const link = new ResolverLink(this.#resolver, sink);
      sink.established(undefined);
      return link;
    }
    if (this.#members?.contains(to.address) === true) return this.#members.connectTcp(to, from, sink);
    const refused = this.#check(to);
    if (refused < 0) return refused;
    if (this.#connections >= HOST_CONNECTIONS) return -ENOBUFS;
    this.#connections++;
    return new HostLink({
      open: (handlers) => this.#network.connectTcp(to.address, to.port, handlers), sink, isConnected: false, onClosed: () => this.#connections--,
    });
  }

  openUdp(onMessage: (data: Uint8Array, from: Endpoint) => void, onError: (errno: number) => void): GatewayUdp {
    let socket: HostUdpSocket | undefined;
    let open = true;
    // Only who was written to may answer.
    const known = new Set<string>();
    const receive = (data: Uint8Array, address: string, port: number): void => {
      if (open && known.has(`${address} ${port}`)) onMessage(data.slice(), { address, port });
    };
    return {
      send: (data, to, from) => {
        if (this.#isResolver(to)) {
          this.#resolver.query(data.slice(), (response) => {
            if (open) onMessage(response, to);
          });
          return 0;
        }
        if (this.#members?.contains(to.address) === true) return this.#members.send(data, to, from);
        const refused = this.#check(to);
        if (refused < 0) return refused;
        if (known.size < REMEMBERED_ADDRESSES) known.add(`${to.address} ${to.port}`);
        socket ??= this.#network.openUdp(4, receive, onError);
        socket.send(data.slice(), to.address, to.port);
        return 0;
      },
      close: () => {
        open = false;
        socket?.close();
      },
    };
  }
}

/** DNS over TCP with the sandbox's own resolver. */
class ResolverLink implements TcpLink {
  readonly #resolver: Resolver;
  readonly #sink: TcpSink;
  #received: number[] = [];
  #answers: Uint8Array[] = [];

  constructor(resolver: Resolver, sink: TcpSink) {
    this.#resolver = resolver;
    this.#sink = sink;
  }
  send(bytes: Uint8Array): number {
    for (const byte of bytes) if (this.#received.length < DNS_TCP_LIMIT) this.#received.push(byte);
    while (this.#received.length >= 2) {
      const length = (this.#received[0]! << 8) | this.#received[1]!;
      if (this.#received.length < 2 + length) break;
      const query = Uint8Array.from(this.#received.slice(2, 2 + length));
      this.#received = this.#received.slice(2 + length);
      this.#resolver.query(query, (response) => {
        const framed = new Uint8Array(2 + response.length);
        framed[0] = response.length >>> 8;
        framed[1] = response.length & 255;
        framed.set(response, 2);
        this.#answers.push(framed);
        this.drained();
      });
    }
    return bytes.length;
  }
  room(): number {
    return CHUNK;
  }
  endWrite(): void {}
  drained(): void {
    while (this.#answers.length > 0 && !this.#sink.gone) {
      const bytes = this.#answers[0]!;
      const count = this.#sink.deliver(bytes);
      if (count < bytes.length) {
        this.#answers[0] = bytes.subarray(count);
        return;
      }
      this.#answers.shift();
    }
  }
  close(): void {
    this.#answers = [];
  }
}
