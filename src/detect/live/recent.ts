/** So many values by key, in the order of their last use; those beyond are forgotten. */
export class Recent<Value> {
  readonly #most: number;
  readonly #values = new Map<string, Value>();
  /** How many keys there were; one that was forgotten and comes back counts again. */
  added = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** The value, now used last; made if it is not there. */
  use(key: string, make: () => Value): Value {
    let value = this.#values.get(key);
    if (value === undefined) {
      value = make();
      this.added++;
    } else this.#values.delete(key);
    this.#values.set(key, value);
    if (this.#values.size > this.#most) this.#values.delete(this.#values.keys().next().value!);
    return value;
  }

  get(key: string): Value | undefined {
    return this.#values.get(key);
  }

  delete(key: string): void {
    this.#values.delete(key);
  }

  clear(): void {
    this.#values.clear();
  }

  /** The one that was used last comes first. */
  newest(most: number): Value[] {
    return [...this.#values.values()].reverse().slice(0, most);
  }

  get size(): number {
    return this.#values.size;
  }
}

/** So many of the last values. */
export class Last<Value> {
  readonly #most: number;
  readonly #values: Value[] = [];
  added = 0;

  constructor(most: number) {
    this.#most = most;
  }

  add(value: Value): void {
    this.#values[this.added % this.#most] = value;
    this.added++;
  }

  /** The last one comes first. */
  newest(most: number): Value[] {
    const count = Math.min(most, this.#values.length);
    return Array.from({ length: count }, (_, index) => this.#values[(this.added - 1 - index) % this.#most]!);
  }
}
