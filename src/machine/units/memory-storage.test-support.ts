/** For the unit tests: a storage in memory. */
import type { UnitStorage } from './unit-store.ts';

export class MemoryStorage implements UnitStorage {
  parts: Uint8Array<ArrayBuffer>[] = [];
  tag = 0;
  isCurrent = true;
  get count(): number {
    return this.parts.length;
  }
  get bytes(): number {
    return this.parts.reduce((sum, { length }) => sum + length, 0);
  }
  read(part: number): Uint8Array<ArrayBuffer> | undefined {
    return this.parts[part];
  }
  replace(parts: readonly Uint8Array[], tag: number): void {
    this.tag = tag;
    this.parts = parts.map((part) => Uint8Array.from(part));
  }
}
