/**
 * TCP's urgent byte at the receiver: it stands in the stream like any other, marked, and is read apart unless SO_OOBINLINE
 * (tcp_input.c: tcp_check_urg(); tcp.c: tcp_recvmsg_locked(), tcp_recv_urg()). Places are counted from the connection's start.
 */
import { EINVAL } from '../abi/errno.ts';
import { MSG_OOB, MSG_PEEK, MSG_TRUNC } from '../abi/socket.ts';
import type { ByteRing } from '../fs/byte-ring.ts';
import type { ReceiveDetails } from './socket.ts';

export class UrgentData {
  readonly #queue: ByteRing;
  #copied = 0;
  #mark = 0;
  #byte = 0;
  #state: 'none' | 'unread' | 'read' = 'none';
  inLine = false;

  constructor(queue: ByteRing) {
    this.#queue = queue;
  }

  clear(): void {
    this.#state = 'none';
  }

  get isUnread(): boolean {
    return this.#state === 'unread';
  }
  get isAtMark(): boolean {
    return this.#state !== 'none' && this.#mark === this.#copied;
  }
  /** 1 if the next byte is the marked one, which reading passes over. */
  get skip(): number {
    return this.isAtMark && !this.inLine && this.#queue.length > 0 ? 1 : 0;
  }
  /** FIONREAD: up to the mark. */
  get beforeMark(): number {
    return this.inLine || this.#state === 'none' ? this.#queue.length : this.#mark - this.#copied;
  }

  /** More is about to come whose last byte is urgent. A byte that was marked before becomes an ordinary one, unless the reader stands there. */
  announce(): void {
    this.pass();
  }
  /** The last byte that came is urgent. */
  arrived(byte: number): void {
    this.#mark = this.#copied + this.#queue.length - 1;
    this.#byte = byte;
    this.#state = 'unread';
  }

  /** How many bytes of `length` may be read at once: none from both sides of the mark. */
  allow(length: number): number {
    return this.#state !== 'none' && this.#mark > this.#copied ? Math.min(length, this.#mark - this.#copied) : length;
  }
  /** Throws the marked byte away if it is the next one. */
  pass(): void {
    if (this.skip === 0) return;
    this.#queue.discard(1);
    this.consumed(1);
  }
  /** So many bytes were taken out of the queue. */
  consumed(count: number): void {
    this.#copied += count;
    if (this.#copied > this.#mark) this.#state = 'none';
  }

  /** MSG_OOB. */
  receive(buffer: Uint8Array, flags: number, details: ReceiveDetails | undefined): number {
    if (this.inLine || this.#state !== 'unread') return -EINVAL;
    if ((flags & MSG_PEEK) === 0) this.#state = 'read';
    if (details !== undefined) details.flags |= buffer.length > 0 ? MSG_OOB : MSG_OOB | MSG_TRUNC;
    if (buffer.length === 0) return 0;
    if ((flags & MSG_TRUNC) === 0) buffer[0] = this.#byte;
    return 1;
  }
}
