/** Maps of user, group and project ids of user namespaces: user_namespaces(7), Linux kernel/user_namespace.c. */
import { EINVAL } from '../../abi/errno.ts';

/** (uid_t)-1: no id. */
export const NO_ID = 0xffff_ffff;
/** What an id that a namespace does not know looks like in it (`overflowuid`). */
export const OVERFLOW_ID = 65_534;
/** UID_GID_MAP_MAX_EXTENTS. */
const MOST_RANGES = 340;
/** A map is written in one call of less than a page. */
const MOST_BYTES = 4096;

/** `count` ids from `first` on are those from `lower` on. */
export interface IdRange {
  readonly first: number;
  readonly lower: number;
  readonly count: number;
}

/** The range's other end for the ids `id` to `id + count - 1`, or `NO_ID` where no range has them all. */
function translate(ranges: readonly IdRange[], id: number, count: number, from: 'first' | 'lower', to: 'first' | 'lower'): number {
  for (const range of ranges) {
    const offset = id - range[from];
    if (offset >= 0 && offset + count <= range.count) return range[to] + offset;
  }
  return NO_ID;
}

/** Ids of a namespace and the kernel's own, which are those of the first namespace. Without ranges nothing is mapped. */
export class IdMap {
  /** `lower` is an id of the kernel. */
  readonly ranges: readonly IdRange[];

  constructor(ranges: readonly IdRange[]) {
    this.ranges = ranges;
  }

  /** The kernel's id, or `NO_ID`. */
  toKernel(id: number, count = 1): number {
    return translate(this.ranges, id, count, 'first', 'lower');
  }

  /** The id here of one of the kernel's, or `NO_ID`. */
  fromKernel(id: number): number {
    return translate(this.ranges, id, 1, 'lower', 'first');
  }
}

/** The map of the first namespace. */
export const IDENTITY_MAP = new IdMap([{ first: 0, lower: 0, count: NO_ID }]);
export const EMPTY_MAP = new IdMap([]);

function overlap(a: number, b: number, aCount: number, bCount: number): boolean {
  return a < b + bCount && b < a + aCount;
}

/** What is written to /proc/PID/uid_map (map_write): ranges as they are written, or -EINVAL. */
export function parseIdMap(text: string): readonly IdRange[] | number {
  if (text.length >= MOST_BYTES) return -EINVAL;
  const ranges: IdRange[] = [];
  for (const line of text.replace(/\n$/, '').split('\n')) {
    const match = /^[ \t]*(\d{1,10})[ \t]+(\d{1,10})[ \t]+(\d{1,10})[ \t]*$/.exec(line);
    if (match === null) return -EINVAL;
    const [first, lower, count] = match.slice(1).map(Number) as [number, number, number];
    if (first >= NO_ID || lower >= NO_ID || count === 0 || first + count > NO_ID || lower + count > NO_ID) return -EINVAL;
    if (ranges.some((range) => overlap(range.first, first, range.count, count) || overlap(range.lower, lower, range.count, count))) return -EINVAL;
    if (ranges.length >= MOST_RANGES) return -EINVAL;
    ranges.push({ first, lower, count });
  }
  return ranges;
}

/** The text of /proc/PID/uid_map: `lowerOf` gives the reader's id of one of the kernel's. */
export function formatIdMap(map: IdMap, lowerOf: (id: number) => number): string {
  const column = (value: number): string => String(value).padStart(10);
  return map.ranges.map(({ first, lower, count }) => `${column(first)} ${column(lowerOf(lower))} ${column(count)}\n`).join('');
}
