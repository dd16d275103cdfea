/** Semantic versions (semver.org 2.0.0, 11), as npm, Cargo and Go use them; versions of NuGet, which have a fourth number and no case. */
import { compareDigits, compareLists, compareText } from './order.ts';

interface SemanticVersion {
  readonly numbers: readonly string[];
  /** Identifiers behind the hyphen; none: it is released. */
  readonly before: readonly string[];
}

/** What stands behind `+` does not count. `v1.2`, `go1.2rc1` and other short forms are read too. */
function parse(text: string): SemanticVersion {
  const plain = text.trim().replace(/^[vV=]+/, '').replace(/\+.*$/s, '');
  const [, numbers = '', rest = ''] = /^(\d+(?:\.\d+)*)?(.*)$/s.exec(plain) ?? [];
  const before = rest.replace(/^[-.]/, '');
  return { numbers: numbers.split('.'), before: before === '' ? [] : before.split('.') };
}

function compareIdentifiers(left: string, right: string): number {
  const [isNumber, isOther] = [/^\d+$/.test(left), /^\d+$/.test(right)];
  if (isNumber && isOther) return compareDigits(left, right);
  return isNumber === isOther ? compareText(left, right) : isNumber ? -1 : 1;
}

function compareBefore(left: readonly string[], right: readonly string[]): number {
  if (left.length === 0 || right.length === 0) return (left.length === 0 ? 1 : 0) - (right.length === 0 ? 1 : 0);
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const [one, other] = [left[index], right[index]];
    if (one === undefined || other === undefined) return one === undefined ? -1 : 1;
    const order = compareIdentifiers(one, other);
    if (order !== 0) return order;
  }
  return 0;
}

export function compareSemver(left: string, right: string): number {
  const [first, second] = [parse(left), parse(right)];
  return compareLists(first.numbers, second.numbers, '0', compareDigits) || compareBefore(first.before, second.before);
}

/** NuGet's documentation "Package versioning": identifiers are compared without case. */
export function compareNuget(left: string, right: string): number {
  return compareSemver(left.toLowerCase(), right.toLowerCase());
}
