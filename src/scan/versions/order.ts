/** What the comparators share. Each answers a number below, at or above 0. */
export type Compare = (left: string, right: string) => number;

export function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 0x30 && code <= 0x39;
}

export function isLetter(text: string, at: number): boolean {
  const code = text.charCodeAt(at) | 0x20;
  return code >= 0x61 && code <= 0x7a;
}

/** Numbers of any length, as digits. */
export function compareDigits(left: string, right: string): number {
  const [first, second] = [left.replace(/^0+/, ''), right.replace(/^0+/, '')];
  if (first.length !== second.length) return first.length - second.length;
  return first < second ? -1 : first > second ? 1 : 0;
}

export function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** By the first pair that differs; what a list lacks is `missing`. */
export function compareLists<Item>(left: readonly Item[], right: readonly Item[], missing: Item, compare: (one: Item, other: Item) => number): number {
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const order = compare(left[index] ?? missing, right[index] ?? missing);
    if (order !== 0) return order;
  }
  return 0;
}
