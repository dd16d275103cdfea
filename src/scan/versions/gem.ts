/** Versions of RubyGems: `Gem::Version#<=>`. Letters make it a version before the release; zeros at the end of numbers do not count. */
import { compareDigits, compareText } from './order.ts';

function isNumber(segment: string): boolean {
  return /^\d/.test(segment);
}

/** Canonical segments: without zeros at the end, and at the end of the numbers before the first letters. */
function segmentsOf(text: string): readonly string[] {
  const segments = text.trim().replace(/-/g, '.pre.').match(/\d+|[a-z]+/gi) ?? [];
  const firstLetters = segments.findIndex((segment) => !isNumber(segment));
  const numbers = firstLetters < 0 ? segments : segments.slice(0, firstLetters);
  const rest = firstLetters < 0 ? [] : segments.slice(firstLetters);
  for (const list of [numbers, rest]) while (/^0+$/.test(list.at(-1) ?? '')) list.pop();
  return [...numbers, ...rest];
}

export function compareGem(left: string, right: string): number {
  const [first, second] = [segmentsOf(left), segmentsOf(right)];
  for (let index = 0; index < Math.max(first.length, second.length); index++) {
    const [one, other] = [first[index] ?? '0', second[index] ?? '0'];
    const [isFirst, isSecond] = [isNumber(one), isNumber(other)];
    const order = isFirst && isSecond ? compareDigits(one, other) : isFirst === isSecond ? compareText(one, other) : isFirst ? 1 : -1;
    if (order !== 0) return order;
  }
  return 0;
}
