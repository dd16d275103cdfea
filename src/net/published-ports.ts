/**
 * The way in: ports of the host whose connections and datagrams reach sockets of the guest, those that are bound to any address or to the
 * interface's, as with Docker: what listens on loopback stays inside.
 *
 * Who connects from this machine is seen as the gateway, never as the guest itself, which programs trust more; who connects from elsewhere, where a
 * port is published so widely, by its own address.
 */
import { EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT } from '../abi/errno.ts';
import type { HostConnection, HostListener, HostNetwork, HostUdpListener } from '../host/types.ts';
import { inRange, isLoopback, isVersion4, LOOPBACK4, LOOPBACK6, parseAddress, parseRange, type AddressRange } from './address.ts';
import { HostLink } from './host-link.ts';
import { PUBLISHED_CONNECTIONS, PUBLISHED_UDP_PEERS, UDP_MAXIMUM } from './limits.ts';
import type { DatagramAnswers, NetworkStack } from './network-stack.ts';
import type { Endpoint } from './sockaddr.ts';

/** What is asked for. */
export interface PublishedPort {
  readonly protocol: 'tcp' | 'udp';
  /** The guest's. */
  readonly port: number;
  /** Of the host, an IP address. Absent: loopback, IPv4 and, where there is that, IPv6. */
  readonly address?: string;
  /** The first free one from the one to the other. Both 0: any. */
  readonly hostPorts: readonly [first: number, last: number];
}

/** What is listened on. */
export interface BoundPort {
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
  readonly address: string;
  readonly hostPort: number;
}

/** A port of the host cannot be had. */
export class PortError extends Error {
  override readonly name = 'PortError';
  readonly address: string;
  readonly hostPort: number;
  readonly errno: number;

  constructor(address: string, hostPort: number, errno: number) {
    super(`cannot listen on ${address} port ${hostPort}: error ${errno}`);
    this.address = address;
    this.hostPort = hostPort;
    this.errno = errno;
  }
}

/** Another port is tried where one that was free at one address is taken at the other. */
const ATTEMPTS = 16;
/** Ports that somebody on this machine is seen at, if two come from the same one. */
const SOURCE_PORTS = 65_536;
/** Networks whose addresses are the guest's own, or nobody's. */
const INNER_RANGES = ['0.0.0.0/8', '127.0.0.0/8', '10.0.2.0/24', 'fd00:10:0:2::/64', '::/127', 'fe80::/10'];

/** Who has sent datagrams. */
interface Peer {
  readonly listener: HostUdpListener;
  /** On the host. */
  readonly client: Endpoint;
  /** As the guest sees it. */
  readonly source: Endpoint;
  /** In `#peersByClient` and `#peersBySource`. */
  readonly clientKey: string;
  readonly sourceKey: string;
}

export class PublishedPorts implements DatagramAnswers {
  readonly #stack: NetworkStack;
  readonly #network: HostNetwork;
  readonly #listeners: (HostListener | HostUdpListener)[] = [];
  readonly #bound: BoundPort[] = [];
  #connections = 0;
  /** The one that was silent longest comes first. */
  readonly #peersByClient = new Map<string, Peer>();
  readonly #peersBySource = new Map<string, Peer>();
  constructor(stack: NetworkStack, network: HostNetwork) {
    this.#stack = stack;
    this.#network = network;
    stack.answers = this;
  }

  get bound(): readonly BoundPort[] {
    return this.#bound;
  }

  /** All of them or none. @throws PortError */
  async publish(ports: readonly PublishedPort[]): Promise<void> {
    try {
      for (const port of ports) await this.#publish(port);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Nobody can connect any more. Connections stay. */
  close(): void {
    for (const listener of this.#listeners.splice(0)) listener.close();
    this.#bound.length = 0;
  }

  async #publish(wanted: PublishedPort): Promise<void> {
    const [first, last] = wanted.hostPorts;
    const count = first === 0 ? ATTEMPTS : last - first + 1;
    let failure: PortError | undefined;
    for (let attempt = 0; attempt < count; attempt++) {
      failure = await this.#listenAt(wanted, first === 0 ? 0 : first + attempt);
      if (failure?.errno !== EADDRINUSE) break;
    }
    if (failure !== undefined) throw failure;
  }

  /** On one port of one address, or of both kinds of loopback. */
  async #listenAt(wanted: PublishedPort, hostPort: number): Promise<PortError | undefined> {
    const first = await this.#listen(wanted, wanted.address ?? LOOPBACK4, hostPort);
    if (first instanceof PortError || wanted.address !== undefined) return this.#keep(wanted, [first]);
    const second = await this.#listen(wanted, LOOPBACK6, first.port);
    if (!(second instanceof PortError)) return this.#keep(wanted, [first, second]);
    // A machine without IPv6.
    if (second.errno === EADDRNOTAVAIL || second.errno === EAFNOSUPPORT) return this.#keep(wanted, [first]);
    first.close();
    return second;
  }

  #keep({ protocol, port, address }: PublishedPort, listeners: readonly (HostListener | HostUdpListener | PortError)[]): PortError | undefined {
    for (const [index, listener] of listeners.entries()) {
      if (listener instanceof PortError) return listener;
      this.#listeners.push(listener);
      this.#bound.push({ protocol, port, address: address ?? (index === 0 ? LOOPBACK4 : LOOPBACK6), hostPort: listener.port });
    }
    return undefined;
  }

  async #listen({ protocol, port }: PublishedPort, address: string, hostPort: number): Promise<HostListener | HostUdpListener | PortError> {
    let listener: HostListener | HostUdpListener | number;
    if (protocol === 'tcp') listener = await this.#network.listenTcp(address, hostPort, (connection) => this.#connected(port, connection));
    else {
      const udp = await this.#network.listenUdp(address, hostPort, (data, from, fromPort) => {
        if (typeof udp !== 'number') this.#received(udp, port, { address: from, port: fromPort }, data);
      });
      listener = udp;
    }
    return typeof listener === 'number' ? new PortError(address, hostPort, -listener) : listener;
  }

  // ---- who comes ----

  /** The guest's addresses, the one of the client's kind first. */
  #destinations(client: string): readonly string[] {
    const { address, version6 } = this.#stack.outer ?? {};
    const own = [address, version6?.address].flatMap((one) => one ?? []);
    return isVersion4(client) ? own : own.reverse();
  }

  /** Whose addresses are no client's. */
  get #innerRanges(): readonly AddressRange[] {
    const own = this.#stack.interfaces.flatMap(({ addresses }) => addresses.map(({ address, prefix }) => `${address}/${prefix}`));
    return [...INNER_RANGES, ...own].flatMap((text) => parseRange(text) ?? []);
  }

  /** As the guest sees the client when it is reached at `destination`. */
  #sourceOf(client: Endpoint, destination: string): Endpoint {
    const version4 = isVersion4(destination);
    const bytes = parseAddress(client.address);
    const isOwn = bytes !== undefined && version4 === isVersion4(client.address) && !isLoopback(client.address) && !this.#innerRanges.some((range) => inRange(bytes, range));
    const { outer } = this.#stack;
    const gateway = version4 ? outer?.gateway : outer?.version6?.gateway;
    return { address: isOwn || gateway === undefined ? client.address : gateway, port: client.port };
  }

  #connected(port: number, connection: HostConnection): void {
    if (this.#connections >= PUBLISHED_CONNECTIONS) return connection.refuse();
    for (const address of this.#destinations(connection.address)) {
      const [local, remote] = [{ address, port }, this.#sourceOf(connection, address)];
      const server = this.#stack.tcp.find(local, remote, (socket) => socket.listening);
      if (server === undefined) continue;
      this.#connections++;
      server.offer({
        local, remote, isWaiting: true,
        join: (sink) => new HostLink({ open: (handlers) => connection.open(handlers), sink, isConnected: true, onClosed: () => this.#connections-- }),
        refuse: () => {
          this.#connections--;
          connection.refuse();
        },
      });
      return;
    }
    connection.refuse();
  }

  // ---- datagrams ----

  #received(listener: HostUdpListener, port: number, client: Endpoint, data: Uint8Array): void {
    if (data.length > UDP_MAXIMUM) return;
    const clientKey = `${listener.port} ${port} ${client.address} ${client.port}`;
    const known = this.#peersByClient.get(clientKey);
    for (const address of this.#destinations(client.address)) {
      const source = known?.source ?? this.#sourceOf(client, address);
      const receiver = isVersion4(source.address) === isVersion4(address) ? this.#stack.udp.find({ address, port }, source, () => true) : undefined;
      if (receiver === undefined) continue;
      const peer = known ?? this.#peerAt(port, source, { listener, client, clientKey });
      this.#remember(peer);
      receiver.arrived({ data: data.slice(), from: peer.source, to: address });
      return;
    }
    // It may have answered at its other address before.
    if (known !== undefined) this.#forget(known);
  }

  /** Two that would be seen as one get ports of their own. */
  #peerAt(port: number, source: Endpoint, { listener, client, clientKey }: Pick<Peer, 'listener' | 'client' | 'clientKey'>): Peer {
    let sourcePort = source.port;
    const keyOf = (): string => `${port} ${source.address} ${sourcePort}`;
    while (this.#peersBySource.has(keyOf())) sourcePort = (sourcePort + 1) % SOURCE_PORTS || 1;
    return { listener, client, source: { address: source.address, port: sourcePort }, clientKey, sourceKey: keyOf() };
  }

  #remember(peer: Peer): void {
    this.#peersByClient.delete(peer.clientKey);
    this.#peersByClient.set(peer.clientKey, peer);
    this.#peersBySource.set(peer.sourceKey, peer);
    const [oldest] = this.#peersByClient.values();
    if (this.#peersByClient.size > PUBLISHED_UDP_PEERS && oldest !== undefined) this.#forget(oldest);
  }

  #forget({ clientKey, sourceKey }: Peer): void {
    this.#peersByClient.delete(clientKey);
    this.#peersBySource.delete(sourceKey);
  }

  answer(port: number, to: Endpoint, data: Uint8Array): boolean {
    const peer = this.#peersBySource.get(`${port} ${to.address} ${to.port}`);
    peer?.listener.send(data, peer.client.address, peer.client.port);
    return peer !== undefined;
  }
}
