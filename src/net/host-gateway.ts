/** The way out of the sandbox: the host's sockets, under the policy, and the resolver at its fixed address. */
import { EACCES, ECONNREFUSED, ECONNRESET, EDQUOT, ENETUNREACH, ENOBUFS } from '../abi/errno.ts';
import type { HostNetwork, HostUdpSocket } from '../host/types.ts';
import { isVersion4 } from './address.ts';
import { Resolver } from './dns.ts';
import { HostLink } from './host-link.ts';
import { REMEMBERED_ADDRESSES } from './limits.ts';
import type { MemberNetwork } from './member-network.ts';
import type { Gateway, GatewayUdp, OuterNetwork } from './network-stack.ts';
import { OutboundBudget, type OutboundLimits } from './outbound-budget.ts';
import type { NetworkPolicy, NetworkRules, RefusedBy } from './policy.ts';
import { Refusals } from './refusals.ts';
import { ResolverLink } from './resolver-link.ts';
import type { Endpoint } from './sockaddr.ts';
import type { TcpLink, TcpSink } from './tcp-link.ts';

const DNS_PORT = 53;

export interface GatewayOptions {
  readonly network: HostNetwork;
  readonly policy: NetworkPolicy;
  /** The networks that the sandbox is on at the moment. */
  outers(): readonly OuterNetwork[];
  /** Those of them that others are on. */
  members(): readonly MemberNetwork[];
  readonly limits?: OutboundLimits | undefined;
  /** Whom the host asks for names, `ADDRESS` or `ADDRESS:PORT`. Default: its own resolver. */
  readonly nameServers?: readonly string[] | undefined;
}

export class HostGateway implements Gateway {
  readonly refusals = new Refusals();
  readonly #network: HostNetwork;
  readonly #policy: NetworkPolicy;
  readonly #outers: () => readonly OuterNetwork[];
  readonly #members: () => readonly MemberNetwork[];
  readonly #resolver: Resolver;
  readonly #budget: OutboundBudget;
  /** Connections that are open, and where they lead. */
  readonly #links = new Map<HostLink, Endpoint>();

  constructor({ network, policy, outers, members, limits, nameServers }: GatewayOptions) {
    this.#network = network;
    this.#policy = policy;
    this.#outers = outers;
    this.#members = members;
    this.#budget = new OutboundBudget(limits);
    this.#resolver = new Resolver({
      policy, refusals: this.refusals, resolve: (name) => network.resolve(name, nameServers), neighbours: (name) => this.#neighbours(name),
    });
  }

  #neighbours(name: string): readonly string[] | undefined {
    const found = this.#members().flatMap((members) => members.lookUp(name) ?? []);
    return found.length === 0 ? undefined : found;
  }
  /** The network that the address is one of. */
  #membersAt(address: string): MemberNetwork | undefined {
    return this.#members().find((members) => members.contains(address));
  }

  /** Other rules from now on: connections that they do not allow are cut. @throws NetworkRuleError */
  setRules(rules: NetworkRules): void {
    this.#policy.setRules(rules);
    for (const [link, { address, port }] of this.#links) {
      const rule = this.#policy.refuses(address, port);
      if (rule !== undefined) this.#cut(link, ECONNRESET, rule);
    }
  }

  #cut(link: HostLink, errno: number, rule: RefusedBy): void {
    const to = this.#links.get(link);
    if (to === undefined) return;
    this.#links.delete(link);
    this.#record('tcp', to, rule, 'cut');
    link.cut(errno);
  }

  #record(protocol: 'tcp' | 'udp', { address, port }: Endpoint, rule: RefusedBy, verdict: 'refused' | 'cut' = 'refused'): void {
    this.refusals.record({ protocol, name: this.#policy.namesOf(address).at(-1), address, port, verdict, rule });
  }

  /** 0, or why nothing may go there. */
  #check(protocol: 'tcp' | 'udp', to: Endpoint): number {
    const { address, port } = to;
    if (this.#outers().some(({ resolver, gateway }) => address === resolver || address === gateway)) return -ECONNREFUSED;
    if (!isVersion4(address)) return -ENETUNREACH;
    const rule = this.#policy.refuses(address, port);
    if (rule !== undefined) this.#record(protocol, to, rule);
    if (rule !== undefined) return this.#policy.isOpen ? -EACCES : -ENETUNREACH;
    if (!this.#budget.isSpent) return 0;
    this.#record(protocol, to, 'net-bytes');
    return -EDQUOT;
  }
  #isResolver({ address, port }: Endpoint): boolean {
    return port === DNS_PORT && this.#outers().some(({ resolver }) => address === resolver);
  }
  #open(protocol: 'tcp' | 'udp', to: Endpoint): boolean {
    const isOpen = this.#budget.open();
    if (!isOpen) this.#record(protocol, to, 'net-connections');
    return isOpen;
  }

  connectTcp(to: Endpoint, from: Endpoint, sink: TcpSink): TcpLink | number {
    if (this.#isResolver(to)) {
      const link = new ResolverLink(this.#resolver, sink);
      sink.established(undefined);
      return link;
    }
    const members = this.#membersAt(to.address);
    if (members !== undefined) return members.connectTcp(to, from, sink);
    const refused = this.#check('tcp', to);
    if (refused < 0) return refused;
    if (!this.#open('tcp', to)) return -ENOBUFS;
    const link: HostLink = new HostLink({
      open: (handlers) => this.#network.connectTcp(to.address, to.port, handlers, this.#policy.namesOf(to.address)), sink, isConnected: false,
      onClosed: () => {
        this.#budget.close();
        this.#links.delete(link);
      },
      meter: (bytes) => this.#take(link, bytes),
    });
    this.#links.set(link, to);
    return link;
  }

  /** How many of `bytes` may go through; where they are fewer, the connection ends. */
  #take(link: HostLink, bytes: number): number {
    const taken = this.#budget.take(bytes);
    if (taken < bytes) this.#cut(link, EDQUOT, 'net-bytes');
    return taken;
  }

  openUdp(onMessage: (data: Uint8Array, from: Endpoint) => void, onError: (errno: number) => void): GatewayUdp {
    let socket: HostUdpSocket | undefined;
    let open = true;
    // Only who was written to may answer.
    const known = new Set<string>();
    const receive = (data: Uint8Array, address: string, port: number): void => {
      if (!open || !known.has(`${address} ${port}`) || this.#policy.refuses(address, port) !== undefined) return;
      if (this.#budget.take(data.length) === data.length) onMessage(data.slice(), { address, port });
    };
    return {
      send: (data, to, from) => {
        if (this.#isResolver(to)) {
          this.#resolver.query(data.slice(), (response) => {
            if (open) onMessage(response, to);
          });
          return 0;
        }
        const members = this.#membersAt(to.address);
        if (members !== undefined) return members.send(data, to, from);
        const refused = this.#check('udp', to);
        if (refused < 0) return refused;
        if (socket === undefined && !this.#open('udp', to)) return -ENOBUFS;
        socket ??= this.#network.openUdp(4, receive, onError);
        if (this.#budget.take(data.length) < data.length) {
          this.#record('udp', to, 'net-bytes');
          return -EDQUOT;
        }
        if (known.size < REMEMBERED_ADDRESSES) known.add(`${to.address} ${to.port}`);
        socket.send(data.slice(), to.address, to.port);
        return 0;
      },
      close: () => {
        open = false;
        if (socket !== undefined) this.#budget.close();
        socket?.close();
        socket = undefined;
      },
    };
  }
}
