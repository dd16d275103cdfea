/** The way out of the sandbox: the host's sockets, under the policy, and the resolver at its fixed address. */
import { EACCES, ECONNREFUSED, ENETUNREACH, ENOBUFS } from '../abi/errno.ts';
import type { HostNetwork, HostSocket, HostUdpSocket } from '../host/types.ts';
import { isVersion4 } from './address.ts';
import { Resolver } from './dns.ts';
import { HOST_CONNECTIONS, HOST_RECEIVE_WINDOW, REMEMBERED_ADDRESSES } from './limits.ts';
import { GATEWAY_ADDRESS, RESOLVER_ADDRESS, type Gateway, type GatewayUdp } from './network-stack.ts';
import type { NetworkPolicy } from './policy.ts';
import type { Endpoint } from './sockaddr.ts';
import type { TcpLink, TcpSink } from './tcp-link.ts';

const DNS_PORT = 53;
/** Bytes given to the host in one write. */
const CHUNK = 0x1_0000;
/** A DNS message over TCP has its length in 16 bits before it. */
const DNS_TCP_LIMIT = 0x1_0000 + 2;

export class HostGateway implements Gateway {
  readonly #network: HostNetwork;
  readonly #policy: NetworkPolicy;
  readonly #resolver: Resolver;
  #connections = 0;

  constructor(network: HostNetwork, policy: NetworkPolicy) {
    this.#network = network;
    this.#policy = policy;
    this.#resolver = new Resolver(network, policy);
  }

  /** 0, or why nothing may go there. */
  #check({ address, port }: Endpoint): number {
    if (address === RESOLVER_ADDRESS || address === GATEWAY_ADDRESS) return -ECONNREFUSED;
    if (!isVersion4(address)) return -ENETUNREACH;
    return this.#policy.allows(address, port) ? 0 : -EACCES;
  }

  connectTcp(to: Endpoint, sink: TcpSink): TcpLink | number {
    if (to.address === RESOLVER_ADDRESS && to.port === DNS_PORT) {
      const link = new ResolverLink(this.#resolver, sink);
      sink.established(undefined);
      return link;
    }
    const refused = this.#check(to);
    if (refused < 0) return refused;
    if (this.#connections >= HOST_CONNECTIONS) return -ENOBUFS;
    this.#connections++;
    return new HostLink(this.#network, to, sink, () => this.#connections--);
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
      send: (data, to) => {
        if (to.address === RESOLVER_ADDRESS && to.port === DNS_PORT) {
          this.#resolver.query(data.slice(), (response) => {
            if (open) onMessage(response, to);
          });
          return 0;
        }
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

/** A connection of the host as the peer of a guest's socket. */
class HostLink implements TcpLink {
  readonly #sink: TcpSink;
  readonly #socket: HostSocket;
  readonly #onClosed: () => void;
  #connected = false;
  #full = false;
  #closed = false;
  /** What the guest's buffer had no room for. */
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #ended = false;

  constructor(network: HostNetwork, to: Endpoint, sink: TcpSink, onClosed: () => void) {
    this.#sink = sink;
    this.#onClosed = onClosed;
    this.#socket = network.connectTcp(to.address, to.port, {
      onConnect: () => {
        this.#connected = true;
        if (!this.#sink.gone) sink.established(undefined);
      },
      onData: (data) => this.#receive(data),
      onEnd: () => {
        this.#ended = true;
        this.#flush();
      },
      onError: (errno) => {
        this.#finish();
        if (!sink.gone) sink.failed(errno);
      },
      onDrain: () => {
        this.#full = false;
        if (!sink.gone) sink.writable();
      },
    });
  }
  #finish(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#onClosed();
  }
  #receive(data: Uint8Array): boolean {
    if (this.#sink.gone) {
      // The program closed its end: nobody will read this.
      this.#socket.destroy();
      this.#finish();
      return false;
    }
    this.#waiting.push(data.slice());
    this.#waitingBytes += data.length;
    this.#flush();
    return this.#waitingBytes < HOST_RECEIVE_WINDOW;
  }
  #flush(): void {
    while (this.#waiting.length > 0) {
      const bytes = this.#waiting[0]!;
      const count = this.#sink.deliver(bytes);
      this.#waitingBytes -= count;
      if (count < bytes.length) {
        this.#waiting[0] = bytes.subarray(count);
        return;
      }
      this.#waiting.shift();
    }
    if (!this.#ended) return;
    if (this.#sink.gone) this.#finish();
    else this.#sink.deliverEnd();
  }
  send(bytes: Uint8Array): number {
    if (this.#full || !this.#connected) return 0;
    const chunk = bytes.length > CHUNK ? bytes.slice(0, CHUNK) : bytes.slice();
    this.#full = !this.#socket.write(chunk);
    return chunk.length;
  }
  room(): number {
    return this.#full || !this.#connected ? 0 : CHUNK;
  }
  endWrite(): void {
    this.#socket.end();
  }
  drained(): void {
    this.#flush();
    if (this.#waitingBytes < HOST_RECEIVE_WINDOW) this.#socket.resume();
  }
  close(abort: boolean): void {
    if (abort || this.#ended || !this.#connected) {
      this.#socket.destroy();
      this.#finish();
    } else {
      this.#socket.end();
      this.#socket.resume();
    }
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
