/**
 * A shift and a mask that tell the addresses apart, and which address (by index, -1 for none) each hash means. Where there are none
 * of a bearable size, `isComplete` is false, and only the first address is known.
 */
export function hashTargets(addresses: readonly number[]): { shift: number; mask: number; table: readonly number[]; isComplete: boolean } {
  for (let mask = 1; mask < 0x1000; mask = mask * 2 + 1) {
    for (let shift = 0; shift < 6; shift++) {
      const hashes = addresses.map((address) => (address >>> shift) & mask);
      if (new Set(hashes).size !== addresses.length) continue;
      const table = new Array<number>(mask + 1).fill(-1);
      hashes.forEach((hash, index) => (table[hash] = index));
      return { shift, mask, table, isComplete: true };
    }
  }
  return { shift: 0, mask: 0, table: [0], isComplete: false };
}
