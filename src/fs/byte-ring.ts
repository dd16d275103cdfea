/** A queue of bytes in a circular buffer that grows by doubling up to its capacity. */
export class ByteRing {
  #buffer: Uint8Array;
  #head = 0;
  #length = 0;
  capacity: number;

  /** `capacity` need not be a power of two; `initial` must be one. */
  constructor(capacity: number, initial = 1024) {
    this.capacity = capacity;
    this.#buffer = new Uint8Array(initial);
  }
  get length(): number {
    return this.#length;
  }
  get free(): number {
    return this.capacity - this.#length;
  }
  clear(): void {
    this.#length = 0;
    this.#head = 0;
  }
  /** Takes as much as there is room for; the number of bytes taken. */
  push(bytes: Uint8Array): number {
    const count = Math.min(bytes.length, this.capacity - this.#length);
    if (count <= 0) return 0;
    if (this.#length + count > this.#buffer.length) this.#grow(this.#length + count);
    const size = this.#buffer.length;
    const tail = (this.#head + this.#length) & (size - 1);
    this.#length += count;
    if (count === 1) {
      this.#buffer[tail] = bytes[0]!;
      return 1;
    }
    const first = Math.min(count, size - tail);
    if (first === bytes.length) {
      this.#buffer.set(bytes, tail);
      return count;
    }
    this.#buffer.set(bytes.subarray(0, first), tail);
    if (first < count) this.#buffer.set(bytes.subarray(first, count), 0);
    return count;
  }
  /** Copies without removing, from `skip` bytes on. */
  peek(target: Uint8Array, skip = 0): number {
    const count = Math.min(target.length, this.#length - skip);
    if (count <= 0) return 0;
    const size = this.#buffer.length;
    const head = (this.#head + skip) & (size - 1);
    if (count === 1) {
      target[0] = this.#buffer[head]!;
      return 1;
    }
    const first = Math.min(count, size - head);
    target.set(this.#buffer.subarray(head, head + first), 0);
    if (first < count) target.set(this.#buffer.subarray(0, count - first), first);
    return count;
  }
  shift(target: Uint8Array): number {
    const count = this.peek(target);
    this.discard(count);
    return count;
  }
  discard(count: number): void {
    this.#length -= count;
    this.#head = this.#length === 0 ? 0 : (this.#head + count) & (this.#buffer.length - 1);
  }
  #grow(needed: number): void {
    let size = this.#buffer.length;
    while (size < needed) size *= 2;
    const larger = new Uint8Array(size);
    const length = this.peek(larger.subarray(0, this.#length));
    this.#buffer = larger;
    this.#head = 0;
    this.#length = length;
  }
}
