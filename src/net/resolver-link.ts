/** DNS over TCP with the sandbox's own resolver. */
import type { Resolver } from './dns.ts';
import type { TcpLink, TcpSink } from './tcp-link.ts';

/** Bytes of queries taken at once. */
const CHUNK = 0x1_0000;
/** A DNS message over TCP has its length in 16 bits before it. */
const DNS_TCP_LIMIT = 0x1_0000 + 2;

export class ResolverLink implements TcpLink {
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
