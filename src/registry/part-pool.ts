/** Buffers for parts of uploads, used again and again: so the memory that uploads take does not grow with their number, nor with their length. */
import { PART_POOL_WAIT_MS } from './limits.ts';

export class PartPool {
  readonly partBytes: number;
  /** As many as there should be, and as there may be. */
  readonly #usual: number;
  readonly #most: number;
  readonly #free: Uint8Array<ArrayBuffer>[] = [];
  readonly #waiting: ((buffer: Uint8Array<ArrayBuffer>) => void)[] = [];
  readonly #waitMs: number;
  #made = 0;

  /** Of buffers of `partBytes`, so many that they have `usualBytes` together, or `mostBytes` where clients are slow. */
  constructor(partBytes: number, usualBytes: number, mostBytes: number, waitMs = PART_POOL_WAIT_MS) {
    this.partBytes = partBytes;
    // Two, so that one is filled while the other is sent.
    this.#usual = Math.max(2, Math.floor(usualBytes / partBytes));
    this.#most = Math.max(2, Math.floor(mostBytes / partBytes));
    this.#waitMs = waitMs;
  }

  /** Waits for one that is free, but not for long where there may be more: those who have the others may be waiting for slow clients. */
  async take(): Promise<Uint8Array<ArrayBuffer>> {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#made < this.#usual) return this.#make();
    return new Promise((resolve) => {
      const timer = setInterval(() => {
        if (this.#made >= this.#most) return;
        this.#waiting.splice(this.#waiting.indexOf(give), 1);
        give(this.#make());
      }, this.#waitMs);
      const give = (buffer: Uint8Array<ArrayBuffer>): void => {
        clearInterval(timer);
        resolve(buffer);
      };
      this.#waiting.push(give);
    });
  }

  #make(): Uint8Array<ArrayBuffer> {
    this.#made++;
    return new Uint8Array(this.partBytes);
  }

  give(buffer: Uint8Array<ArrayBuffer>): void {
    const next = this.#waiting.shift();
    if (next !== undefined) next(buffer);
    else if (this.#made > this.#usual) this.#made--;
    else this.#free.push(buffer);
  }
}

/** Bytes that are collected until they are a part: in small pieces at first, then in a buffer of the pool. */
export class PartBuffer {
  readonly #pool: PartPool;
  readonly #smallBytes: number;
  #pieces: Uint8Array[] = [];
  #buffer: Uint8Array<ArrayBuffer> | undefined;
  size = 0;

  constructor(pool: PartPool, smallBytes: number) {
    this.#pool = pool;
    this.#smallBytes = smallBytes;
  }

  /** As many as there is room for; answers how many that were. */
  async add(bytes: Uint8Array): Promise<number> {
    const count = Math.min(bytes.length, this.#pool.partBytes - this.size);
    if (this.#buffer === undefined && this.size + count > this.#smallBytes) {
      const buffer = await this.#pool.take();
      this.#copyTo(buffer);
      this.#pieces = [];
      this.#buffer = buffer;
    }
    if (this.#buffer === undefined) this.#pieces.push(bytes.slice(0, count));
    else this.#buffer.set(bytes.subarray(0, count), this.size);
    this.size += count;
    return count;
  }

  get isFull(): boolean {
    return this.size === this.#pool.partBytes;
  }

  #copyTo(target: Uint8Array): void {
    let at = 0;
    for (const piece of this.#pieces) {
      target.set(piece, at);
      at += piece.length;
    }
  }

  /** All of it; good until `clear`. */
  bytes(): Uint8Array {
    if (this.#buffer !== undefined) return this.#buffer.subarray(0, this.size);
    const whole = new Uint8Array(this.size);
    this.#copyTo(whole);
    return whole;
  }

  clear(): void {
    if (this.#buffer !== undefined) this.#pool.give(this.#buffer);
    this.#buffer = undefined;
    this.#pieces = [];
    this.size = 0;
  }
}
