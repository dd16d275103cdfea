/** How one end of a TCP connection reaches the other: the interfaces, and the link inside the sandbox. */
import type { Endpoint } from './sockaddr.ts';

/** From a socket to its peer. */
export interface TcpLink {
  /** Bytes taken, 0 while there is no room. */
  send(bytes: Uint8Array): number;
  /** The same, and the last byte taken is urgent. Absent where that cannot be done. */
  sendUrgent?(bytes: Uint8Array): number;
  /** Bytes that `send` would take now. */
  room(): number;
  /** No more bytes will come (FIN). */
  endWrite(): void;
  /** The program read what had come: the peer may send more. */
  drained(): void;
  /** The socket is gone. `abort`: with a reset. */
  close(abort: boolean): void;
}

/** To a socket from its peer. */
export interface TcpSink {
  established(local: Endpoint | undefined): void;
  /** Bytes taken. */
  deliver(bytes: Uint8Array): number;
  /** The same, and the last byte taken is urgent. */
  deliverUrgent(bytes: Uint8Array): number;
  receiveRoom(): number;
  deliverEnd(): void;
  /** The connection failed or was reset: positive errno. */
  failed(errno: number): void;
  /** A reset came: ECONNRESET, or EPIPE once the peer had ended (tcp_input.c:tcp_reset). */
  reset(): void;
  /** `send` takes bytes again. */
  writable(): void;
  /** The program closed it: whatever comes is answered by a reset. */
  readonly gone: boolean;
  /** SO_SNDBUF. */
  readonly sendBuffer: number;
}

/** Bytes go straight into the peer's receive buffer. */
export class LoopbackLink implements TcpLink {
  readonly #peer: TcpSink;
  readonly #self: TcpSink;

  constructor(self: TcpSink, peer: TcpSink) {
    this.#self = self;
    this.#peer = peer;
  }
  send(bytes: Uint8Array): number {
    if (this.#peer.gone) {
      // What was under way before the reset came back.
      this.#self.reset();
      return Math.min(bytes.length, this.#self.sendBuffer);
    }
    return this.#peer.deliver(bytes);
  }
  sendUrgent(bytes: Uint8Array): number {
    return this.#peer.gone ? this.send(bytes) : this.#peer.deliverUrgent(bytes);
  }
  room(): number {
    return this.#peer.gone ? 1 : this.#peer.receiveRoom();
  }
  endWrite(): void {
    if (!this.#peer.gone) this.#peer.deliverEnd();
  }
  drained(): void {
    if (!this.#peer.gone) this.#peer.writable();
  }
  close(abort: boolean): void {
    if (abort && !this.#peer.gone) this.#peer.reset();
  }
}
