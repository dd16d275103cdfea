/**
 * A network that several sandboxes are on, each with a kernel in a process of its own. Each member listens at a unix socket, in a directory that only
 * the user can enter; a connection between guests is a connection between these, which begins with a header:
 *
 *   version (1)  protocol (6 or 17)  source address (4)  source port (2)  destination port (2)
 *
 * A TCP connection is answered by a byte, 0 or an errno, and is the guests' bytes from there on. Over one for UDP go datagrams, each behind its length and its two
 * ports, of two bytes each. The source address is the sender's own kernel's, not the guest's: so nobody can pretend to be another.
 */
import { ECONNREFUSED, EHOSTUNREACH, ENOBUFS } from '../abi/errno.ts';
import { IPPROTO_TCP, IPPROTO_UDP } from '../abi/in.ts';
import type { HostConnection, HostListener, HostNetwork, HostSocket, HostSocketHandlers } from '../host/types.ts';
import { formatAddress, inRange, parseAddress, parseRange, type AddressRange } from './address.ts';
import { HostLink } from './host-link.ts';
import { MEMBER_CONNECTIONS, MEMBER_CONNECTIONS_OF_ONE, UDP_MAXIMUM } from './limits.ts';
import type { NetworkStack, OuterNetwork } from './network-stack.ts';
import type { Endpoint } from './sockaddr.ts';
import type { TcpLink, TcpSink } from './tcp-link.ts';

/** Who is on the network, as far as it is written down. */
export interface MemberDirectory {
  /** Where the member with the address listens; undefined where there is none. */
  socketOf(address: string): string | undefined;
  /** Addresses of those that are called so; undefined where nobody is. In lower case. */
  lookUp(name: string): readonly string[] | undefined;
}

const VERSION = 1;
const HEADER = 10;
/** Length and two ports. */
const DATAGRAM_HEADER = 6;
const NOTHING = new Uint8Array(0);

function header(protocol: number, from: Endpoint, toPort: number): Uint8Array {
  const bytes = new Uint8Array(HEADER);
  const view = new DataView(bytes.buffer);
  bytes.set([VERSION, protocol]);
  bytes.set(parseAddress(from.address)!, 2);
  view.setUint16(6, from.port);
  view.setUint16(8, toPort);
  return bytes;
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  if (one.length === 0) return other;
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}

/** Nobody there is no refusal: a kernel would have. */
function unreachable(errno: number): number {
  return errno === ENOBUFS ? errno : EHOSTUNREACH;
}

export class MemberNetwork {
  readonly #outer: OuterNetwork;
  readonly #network: HostNetwork;
  readonly #directory: MemberDirectory;
  readonly #range: AddressRange;
  #listener: HostListener | undefined;
  #connections = 0;
  /** Those of them that others have made, by their addresses. */
  readonly #incoming = new Map<string, number>();
  /** By the other's address. */
  readonly #datagrams = new Map<string, DatagramSender>();

  constructor(outer: OuterNetwork, network: HostNetwork, directory: MemberDirectory) {
    this.#outer = outer;
    this.#network = network;
    this.#directory = directory;
    this.#range = parseRange(`${outer.address}/${outer.prefix}`)!;
  }

  /** The address is one of this network's, whether somebody has it or not. */
  contains(address: string): boolean {
    const bytes = parseAddress(address);
    return bytes !== undefined && inRange(bytes, this.#range);
  }
  lookUp(name: string): readonly string[] | undefined {
    return this.#directory.lookUp(name);
  }
  #socketOf({ address }: Endpoint): string | undefined {
    return address === this.#outer.gateway ? undefined : this.#directory.socketOf(address);
  }

  /** Whatever a socket is bound to, this member has one address. */
  #own({ port }: Endpoint): Endpoint {
    return { address: this.#outer.address, port };
  }

  // ---- out ----

  connectTcp(to: Endpoint, from: Endpoint, sink: TcpSink): TcpLink | number {
    if (to.address === this.#outer.gateway) return -ECONNREFUSED;
    const path = this.#socketOf(to);
    if (path === undefined) return -EHOSTUNREACH;
    if (this.#connections >= MEMBER_CONNECTIONS) return -ENOBUFS;
    this.#connections++;
    return new HostLink({
      open: (handlers) => this.#connect(path, header(IPPROTO_TCP, this.#own(from), to.port), handlers), sink, isConnected: false, onClosed: () => this.#connections--,
    });
  }

  /** The first byte says whether it is one. */
  #connect(path: string, greeting: Uint8Array, handlers: HostSocketHandlers): HostSocket {
    let isAnswered = false;
    const fail = (errno: number): boolean => {
      isAnswered = true;
      handlers.onError(errno);
      socket.destroy();
      return false;
    };
    const socket = this.#network.connectUnix(path, {
      ...handlers,
      onConnect: () => void socket.write(greeting),
      onData: (data) => {
        if (isAnswered) return handlers.onData(data);
        if (data[0] !== 0) return fail(data[0] ?? ECONNREFUSED);
        isAnswered = true;
        handlers.onConnect('', 0);
        return data.length === 1 || handlers.onData(data.subarray(1));
      },
      onEnd: () => {
        if (isAnswered) handlers.onEnd();
        else fail(ECONNREFUSED);
      },
      onError: (errno) => handlers.onError(isAnswered ? errno : unreachable(errno)),
    });
    return socket;
  }

  /** 0, or a negative errno. What the other takes too slowly is lost, as datagrams are. */
  send(data: Uint8Array, to: Endpoint, from: Endpoint): number {
    const path = this.#socketOf(to);
    if (path === undefined) return to.address === this.#outer.gateway ? 0 : -EHOSTUNREACH;
    let sender = this.#datagrams.get(to.address);
    if (sender === undefined) {
      sender = new DatagramSender((handlers) => this.#network.connectUnix(path, handlers), header(IPPROTO_UDP, this.#own(from), 0), () => this.#datagrams.delete(to.address));
      this.#datagrams.set(to.address, sender);
    }
    sender.send(data, from.port, to.port);
    return 0;
  }

  // ---- in ----

  /** Before programs start. 0 or a negative errno. */
  async listen(path: string, stack: NetworkStack): Promise<number> {
    const listener = await this.#network.listenUnix(path, (connection) => {
      if (this.#connections >= MEMBER_CONNECTIONS) return connection.refuse();
      this.#connections++;
      new IncomingMember({
        connection, stack, own: this.#outer.address, isMember: (address) => this.contains(address) && address !== this.#outer.gateway, admit: (address) => this.#admit(address),
        onClosed: (address) => this.#closed(address),
      });
    });
    if (typeof listener === 'number') return listener;
    this.#listener = listener;
    return 0;
  }
  /** False: it has as many connections here as one may have. */
  #admit(address: string): boolean {
    const count = this.#incoming.get(address) ?? 0;
    if (count >= MEMBER_CONNECTIONS_OF_ONE) return false;
    this.#incoming.set(address, count + 1);
    return true;
  }
  /** `address`: of one that was admitted. */
  #closed(address: string | undefined): void {
    this.#connections--;
    if (address === undefined) return;
    const left = (this.#incoming.get(address) ?? 1) - 1;
    if (left === 0) this.#incoming.delete(address);
    else this.#incoming.set(address, left);
  }
  close(): void {
    this.#listener?.close();
    for (const sender of this.#datagrams.values()) sender.close();
  }
}

/** Datagrams to one other member. */
class DatagramSender {
  readonly #socket: HostSocket;
  #isFull = false;

  constructor(connect: (handlers: HostSocketHandlers) => HostSocket, greeting: Uint8Array, onClosed: () => void) {
    this.#socket = connect({
      onConnect: () => {}, onData: () => true, onEnd: () => this.#socket.destroy(), onError: () => {},
      onDrain: () => {
        this.#isFull = false;
      },
      onClosed,
    });
    this.#isFull = !this.#socket.write(greeting);
  }
  send(data: Uint8Array, fromPort: number, toPort: number): void {
    if (this.#isFull) return;
    const bytes = new Uint8Array(DATAGRAM_HEADER + data.length);
    const view = new DataView(bytes.buffer);
    view.setUint16(0, data.length);
    view.setUint16(2, fromPort);
    view.setUint16(4, toPort);
    bytes.set(data, DATAGRAM_HEADER);
    this.#isFull = !this.#socket.write(bytes);
  }
  close(): void {
    this.#socket.close();
  }
}

interface IncomingOptions {
  readonly connection: HostConnection;
  readonly stack: NetworkStack;
  /** This member's address. */
  readonly own: string;
  isMember(address: string): boolean;
  /** Once for each that has said who it is. */
  admit(address: string): boolean;
  /** With the address that was admitted. */
  onClosed(address: string | undefined): void;
}

/** Another member has connected. */
class IncomingMember {
  readonly #options: IncomingOptions;
  readonly #socket: HostSocket;
  #received: Uint8Array = NOTHING;
  /** After the header: who it is from. */
  #datagramsFrom: string | undefined;
  #link: HostSocketHandlers | undefined;
  #isGone = false;
  #admitted: string | undefined;

  constructor(options: IncomingOptions) {
    this.#options = options;
    this.#socket = options.connection.open({
      onConnect: () => {},
      onData: (data) => this.#link?.onData(data) ?? this.#onBytes(data),
      onEnd: () => (this.#link === undefined ? this.#socket.destroy() : this.#link.onEnd()),
      onError: (errno) => this.#link?.onError(errno),
      onDrain: () => this.#link?.onDrain(),
      onClosed: () => {
        this.#isGone = true;
        this.#link?.onClosed();
        options.onClosed(this.#admitted);
      },
    });
  }

  #onBytes(data: Uint8Array): boolean {
    this.#received = joined(this.#received, data);
    if (this.#datagramsFrom === undefined && !this.#readHeader()) return true;
    const { stack, own } = this.#options;
    const address = this.#datagramsFrom ?? '';
    while (this.#received.length >= DATAGRAM_HEADER) {
      const view = new DataView(this.#received.buffer, this.#received.byteOffset);
      const end = DATAGRAM_HEADER + view.getUint16(0);
      if (this.#received.length < end) break;
      const [from, to] = [{ address, port: view.getUint16(2) }, { address: own, port: view.getUint16(4) }];
      if (end - DATAGRAM_HEADER <= UDP_MAXIMUM) stack.udp.find(to, from, () => true)?.arrived({ data: this.#received.slice(DATAGRAM_HEADER, end), from, to: own });
      this.#received = this.#received.subarray(end);
    }
    return true;
  }

  /** True: datagrams follow. */
  #readHeader(): boolean {
    const bytes = this.#received;
    if (bytes.length < HEADER) return false;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const remote = { address: formatAddress(bytes.subarray(2, 6)), port: view.getUint16(6) };
    const isKnown = bytes[0] === VERSION && this.#options.isMember(remote.address) && remote.address !== this.#options.own && this.#options.admit(remote.address);
    if (isKnown) this.#admitted = remote.address;
    if (isKnown && bytes[1] === IPPROTO_UDP) {
      this.#datagramsFrom = remote.address;
      this.#received = bytes.subarray(HEADER);
      return true;
    }
    // Nothing may follow before the answer.
    if (!isKnown || bytes[1] !== IPPROTO_TCP || bytes.length > HEADER) this.#socket.destroy();
    else this.#offer(remote, view.getUint16(8));
    return false;
  }

  #offer(remote: Endpoint, port: number): void {
    const { stack, own } = this.#options;
    const local = { address: own, port };
    const refuse = (): void => {
      this.#socket.write(Uint8Array.of(ECONNREFUSED));
      this.#socket.close();
    };
    const server = stack.tcp.find(local, remote, (socket) => socket.listening);
    const isGone = (): boolean => this.#isGone;
    if (server === undefined) return refuse();
    server.offer({
      local, remote, refuse,
      get isWaiting() {
        return !isGone();
      },
      join: (sink) => new HostLink({
        open: (handlers) => {
          this.#link = handlers;
          this.#socket.write(Uint8Array.of(0));
          return this.#socket;
        },
        sink, isConnected: true, onClosed: () => {},
      }),
    });
  }
}
