/** Which socket has which local address and port: `struct inet_bind_hashbucket` (net/ipv4/inet_connection_sock.c). */
import { EADDRINUSE } from '../abi/errno.ts';
import { ANY4, ANY6, isVersion4 } from './address.ts';
import { EPHEMERAL_FIRST, EPHEMERAL_LAST } from './limits.ts';
import type { Endpoint } from './sockaddr.ts';

export interface BoundSocket {
  readonly local: Endpoint | undefined;
  readonly remote: Endpoint | undefined;
  readonly v6Only: boolean;
  /** Whether two sockets on overlapping addresses may share a port, as this one sees it. */
  mayShareWith(other: this): boolean;
}

/** Whether `local` receives what is sent to `address`. */
function receives(local: string, v6Only: boolean, address: string): boolean {
  if (local === address) return true;
  if (local === ANY4) return isVersion4(address);
  return local === ANY6 && (!v6Only || !isVersion4(address));
}

function overlap(a: string, aV6Only: boolean, b: string, bV6Only: boolean): boolean {
  return receives(a, aV6Only, b) || receives(b, bV6Only, a);
}

export class PortTable<T extends BoundSocket> {
  readonly #ports = new Map<number, Set<T>>();
  readonly #random: () => number;

  /** `random` answers 32 bits, for the choice of ephemeral ports. */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** A port for the socket at `address`: the wanted one or, for 0, a free one; -EADDRINUSE. */
  bind(socket: T, address: string, wanted: number): number {
    const port = wanted === 0 ? this.#ephemeral() : wanted;
    if (port < 0) return port;
    const sockets = this.#ports.get(port) ?? new Set<T>();
    for (const other of sockets) {
      const clash = other.local !== undefined && overlap(address, socket.v6Only, other.local.address, other.v6Only);
      if (clash && !(socket.mayShareWith(other) && other.mayShareWith(socket))) return -EADDRINUSE;
    }
    sockets.add(socket);
    this.#ports.set(port, sockets);
    return port;
  }

  #ephemeral(): number {
    const count = EPHEMERAL_LAST - EPHEMERAL_FIRST + 1;
    let port = EPHEMERAL_FIRST + (this.#random() % count);
    for (let tries = 0; tries < count; tries++) {
      if (!this.#ports.has(port)) return port;
      port = port === EPHEMERAL_LAST ? EPHEMERAL_FIRST : port + 1;
    }
    return -EADDRINUSE;
  }

  release(socket: T, port: number): void {
    const sockets = this.#ports.get(port);
    if (sockets?.delete(socket) === true && sockets.size === 0) this.#ports.delete(port);
  }

  at(port: number): Iterable<T> {
    return this.#ports.get(port) ?? [];
  }

  /**
   * The socket that gets what comes for `to` from `from`: one connected to `from` before one bound to the address before
   * one bound to any. Equals share by the port of the sender (SO_REUSEPORT).
   */
  find(to: Endpoint, from: Endpoint, accepts: (socket: T) => boolean): T | undefined {
    let best: T[] = [];
    let bestScore = 0;
    for (const socket of this.at(to.port)) {
      const { local, remote, v6Only } = socket;
      if (local === undefined || !accepts(socket) || !receives(local.address, v6Only, to.address)) continue;
      if (remote !== undefined && (remote.port !== from.port || remote.address !== from.address)) continue;
      const score = 1 + (local.address === to.address ? 2 : local.address === ANY6 && isVersion4(to.address) ? 0 : 1) + (remote === undefined ? 0 : 4);
      if (score > bestScore) {
        best = [socket];
        bestScore = score;
      } else if (score === bestScore) best.push(socket);
    }
    return best[from.port % Math.max(1, best.length)];
  }
}
