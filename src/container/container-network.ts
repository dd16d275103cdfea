/** How a container is connected: a way out, ports that lead in, and networks that it is on with others, which may change while it runs. */
import { EOPNOTSUPP } from '../abi/errno.ts';
import type { HostNetwork } from '../host/types.ts';
import { configureNetwork } from '../kernel/files/network.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { HostGateway, MemberNetwork, NetworkPolicy, OWN_NETWORK, PUBLISHED6, PortError, PublishedPorts } from '../net/index.ts';
import type { BoundPort, MemberDirectory, NetworkRules, NetworkStack, OuterNetwork, Refusal } from '../net/index.ts';
import type { NetworkConfig } from './config.ts';

/** A network that it is on, with other containers. */
export interface Membership {
  /** What the network is called. */
  readonly network: string;
  readonly outer: OuterNetwork;
  readonly directory: MemberDirectory;
  /** Of the host, where it is to listen for the others. */
  readonly socket: string;
}

interface Member {
  readonly membership: Membership;
  readonly members: MemberNetwork;
}

export class ContainerNetwork {
  readonly #kernel: Kernel;
  readonly #config: NetworkConfig;
  #host: HostNetwork | undefined;
  #stack: NetworkStack | undefined;
  #gateway: HostGateway | undefined;
  #ports: PublishedPorts | undefined;
  readonly #members: Member[] = [];

  /** @throws NetworkRuleError */
  constructor(kernel: Kernel, config: NetworkConfig, host: HostNetwork | undefined, memberships: readonly Membership[]) {
    this.#kernel = kernel;
    this.#config = config;
    if (host === undefined || (config.mode === 'none' && (config.ports ?? []).length === 0 && memberships.length === 0)) return;
    this.#host = host;
    for (const membership of memberships) this.#members.push({ membership, members: new MemberNetwork(membership.outer, host, membership.directory) });
    this.#gateway = this.#isOpen ? this.#makeGateway(host) : undefined;
    this.#stack = configureNetwork(kernel, { gateway: this.#gateway, outers: this.#outers() });
    if ((config.ports ?? []).length > 0) this.#ports = new PublishedPorts(this.#stack, host);
  }

  get #isOpen(): boolean {
    return this.#config.mode === 'outbound' || this.#members.length > 0;
  }
  #makeGateway(host: HostNetwork): HostGateway {
    const { limits, nameServers } = this.#config;
    return new HostGateway({ network: host, policy: new NetworkPolicy(this.#config), outers: () => this.#outers(), members: () => this.#members.map(({ members }) => members), limits, nameServers });
  }

  /** The one with the default route first. One of its own where it is on none, and something goes out or comes in. */
  #outers(): readonly OuterNetwork[] {
    const { mode, ports = [] } = this.#config;
    const shared = this.#members.map(({ membership }) => membership.outer);
    const all = shared.length === 0 && (mode === 'outbound' || ports.length > 0) ? [OWN_NETWORK] : shared;
    return all.map((outer, index) => (index === 0 && ports.length > 0 ? { version6: PUBLISHED6, ...outer } : outer));
  }

  /** Its address where it can be reached from outside or reaches there. */
  get address(): string | undefined {
    return this.#stack?.outer?.address;
  }
  /** Whom its programs ask for names; undefined where nobody answers. */
  get resolver(): string | undefined {
    return this.#gateway === undefined ? undefined : this.#stack?.outer?.resolver;
  }

  /** Listens on the ports of the host that the configuration names, all or none. @throws PortError */
  async publish(): Promise<void> {
    const { ports = [] } = this.#config;
    const [first] = ports;
    if (first === undefined) return;
    if (this.#ports === undefined) throw new PortError(first.address ?? '', first.hostPorts[0], EOPNOTSUPP);
    await this.#ports.publish(ports);
  }
  get ports(): readonly BoundPort[] {
    return this.#ports?.bound ?? [];
  }

  /** The others on its networks can reach it from now on. 0 or a negative errno. */
  async listen(): Promise<number> {
    for (const member of this.#members) {
      const listening = await this.#listen(member);
      if (listening < 0) return listening;
    }
    return 0;
  }
  #listen({ members, membership }: Member): Promise<number> | number {
    return this.#stack === undefined ? -EOPNOTSUPP : members.listen(membership.socket, this.#stack);
  }

  /** Joins one more network. 0 or a negative errno. */
  async attach(host: HostNetwork, membership: Membership): Promise<number> {
    this.#host ??= host;
    this.#stack ??= configureNetwork(this.#kernel, {});
    const member = { membership, members: new MemberNetwork(membership.outer, this.#host, membership.directory) };
    const listening = await this.#listen(member);
    if (listening < 0) return listening;
    this.#members.push(member);
    this.#gateway ??= this.#makeGateway(this.#host);
    this.#stack.gateway = this.#gateway;
    this.#stack.setOuters(this.#outers());
    return 0;
  }

  /** Leaves one: its interface goes, and connections over it end. */
  detach(network: string): void {
    const index = this.#members.findIndex(({ membership }) => membership.network === network);
    const [member] = index < 0 ? [] : this.#members.splice(index, 1);
    if (member === undefined || this.#stack === undefined) return;
    this.#stack.setOuters(this.#outers());
    member.members.cut();
  }

  /** Other rules from now on. False: it has no way out. @throws NetworkRuleError */
  setRules(rules: NetworkRules): boolean {
    if (this.#config.mode === 'none') return false;
    this.#gateway?.setRules(rules);
    return this.#gateway !== undefined;
  }
  onRefusal(listener: (refusal: Refusal) => void): void {
    this.#gateway?.refusals.listen(listener);
  }
  get refusals(): ReadonlyMap<string, number> {
    return this.#gateway?.refusals.counts ?? new Map();
  }

  /** Nobody can connect any more. */
  close(): void {
    this.#ports?.close();
    for (const { members } of this.#members) members.close();
  }
  /** What programs have written still goes. */
  async settled(): Promise<void> {
    await this.#host?.settled();
  }
}
