/** How much may go through the gateway: bytes in both directions together since the start, and connections at a time. */
import { HOST_CONNECTIONS } from './limits.ts';

export interface OutboundLimits {
  /** Payload of TCP and UDP, in both directions together. Absent: any number. */
  readonly bytes?: number | undefined;
  /** TCP connections, and UDP sockets that have sent something outside. Absent: as many as the gateway takes. */
  readonly connections?: number | undefined;
}

export class OutboundBudget {
  #bytes: number;
  readonly #connections: number;
  #open = 0;

  constructor({ bytes = Infinity, connections = HOST_CONNECTIONS }: OutboundLimits = {}) {
    this.#bytes = bytes;
    this.#connections = Math.min(connections, HOST_CONNECTIONS);
  }

  /** No byte may go through any more. */
  get isSpent(): boolean {
    return this.#bytes <= 0;
  }

  /** How many of `count` bytes may still go through; they count as gone. */
  take(count: number): number {
    const taken = Math.min(count, this.#bytes);
    this.#bytes -= taken;
    return taken;
  }

  /** False: there are as many as may be. */
  open(): boolean {
    if (this.#open >= this.#connections) return false;
    this.#open++;
    return true;
  }

  close(): void {
    this.#open--;
  }
}
