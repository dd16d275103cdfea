/** A connection of the host as the peer of a guest's TCP socket, whoever began it. */
import type { HostSocket, HostSocketHandlers } from '../host/types.ts';
import { LINK_RECEIVE_WINDOW } from './limits.ts';
import type { TcpLink, TcpSink } from './tcp-link.ts';

/** Bytes given to the host in one write. */
const CHUNK = 0x1_0000;

export interface HostLinkOptions {
  readonly open: (handlers: HostSocketHandlers) => HostSocket;
  readonly sink: TcpSink;
  /** The peer has connected to us. */
  readonly isConnected: boolean;
  /** The host's socket is gone. */
  readonly onClosed: () => void;
  /** How many of that many bytes may go through, in either direction. Fewer: what ends it is called already. */
  readonly meter?: (bytes: number) => number;
}

export class HostLink implements TcpLink {
  readonly #sink: TcpSink;
  readonly #socket: HostSocket;
  readonly #meter: ((bytes: number) => number) | undefined;
  #connected: boolean;
  #full = false;
  /** What the guest's buffer had no room for. */
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #ended = false;

  constructor({ open, sink, isConnected, onClosed, meter }: HostLinkOptions) {
    this.#sink = sink;
    this.#meter = meter;
    this.#connected = isConnected;
    this.#socket = open({
      onConnect: () => {
        this.#connected = true;
        if (!sink.gone) sink.established(undefined);
      },
      onData: (data) => this.#receive(data),
      onEnd: () => {
        this.#ended = true;
        this.#flush();
      },
      onError: (errno) => {
        if (!sink.gone) sink.failed(errno);
      },
      onDrain: () => {
        this.#full = false;
        if (!sink.gone) sink.writable();
      },
      onClosed,
    });
  }
  #receive(data: Uint8Array): boolean {
    if (this.#sink.gone) {
      // The program closed its end: nobody will read this.
      this.#socket.reset();
      return false;
    }
    if (this.#meter !== undefined && this.#meter(data.length) < data.length) return false;
    this.#waiting.push(data);
    this.#waitingBytes += data.length;
    this.#flush();
    return this.#waitingBytes < LINK_RECEIVE_WINDOW;
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
    if (this.#ended && !this.#sink.gone) this.#sink.deliverEnd();
  }
  send(bytes: Uint8Array): number {
    if (this.#full || !this.#connected) return 0;
    const chunk = bytes.length > CHUNK ? bytes.subarray(0, CHUNK) : bytes;
    if (this.#meter !== undefined && this.#meter(chunk.length) < chunk.length) return 0;
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
    const wasPaused = this.#waitingBytes >= LINK_RECEIVE_WINDOW;
    this.#flush();
    if (wasPaused && this.#waitingBytes < LINK_RECEIVE_WINDOW) this.#socket.resume();
  }
  /** Ends it for both sides: the program gets the errno. */
  cut(errno: number): void {
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#socket.reset();
    if (!this.#sink.gone) this.#sink.failed(errno);
  }
  close(abort: boolean): void {
    // Bytes that came and were not read are a reset (tcp.c:__tcp_close), also those that wait here.
    if (abort || !this.#connected || this.#waitingBytes > 0) this.#socket.reset();
    else this.#socket.close();
    this.#waiting = [];
  }
}
