/** Versions of Alpine: apk-package(5); apk-tools `src/version.c`. `1.2.3a_rc1_p2-r4` */
import { compareDigits, compareLists, compareText } from './order.ts';

const BEFORE = ['alpha', 'beta', 'pre', 'rc'];
const AFTER = ['cvs', 'svn', 'git', 'hg', 'p'];

interface Suffix {
  /** Below 0 for what comes before the version without one. */
  readonly rank: number;
  readonly number: string;
}

interface ApkVersion {
  readonly numbers: readonly string[];
  readonly letter: string;
  readonly suffixes: readonly Suffix[];
  readonly revision: string;
}

const NONE: Suffix = { rank: 0, number: '0' };

/** Undefined for what is no version of apk's. */
function parse(text: string): ApkVersion | undefined {
  const [, numbers, letter = '', suffixes = '', revision = '0'] = /^(\d+(?:\.\d+)*)([a-z]?)((?:_(?:alpha|beta|pre|rc|cvs|svn|git|hg|p)\d*)*)(?:~[0-9a-f]+)?(?:-r(\d+))?$/.exec(text.trim()) ?? [];
  if (numbers === undefined) return undefined;
  const found = Array.from(suffixes.matchAll(/_([a-z]+)(\d*)/g), ([, name = '', number = '']) => {
    const before = BEFORE.indexOf(name);
    return { rank: before >= 0 ? before - BEFORE.length : AFTER.indexOf(name) + 1, number: number === '' ? '0' : number };
  });
  return { numbers: numbers.split('.'), letter, suffixes: found, revision };
}

/** Behind the first dot a number that begins with 0 is a fraction: 1.05 is before 1.1. */
function compareNumbers(left: readonly string[], right: readonly string[]): number {
  const first = compareDigits(left[0] ?? '', right[0] ?? '');
  if (first !== 0) return first;
  for (let index = 1; index < Math.max(left.length, right.length); index++) {
    const [one, other] = [left[index], right[index]];
    if (one === undefined || other === undefined) return one === undefined ? -1 : 1;
    const order = one.startsWith('0') || other.startsWith('0') ? compareText(one.replace(/0+$/, ''), other.replace(/0+$/, '')) : compareDigits(one, other);
    if (order !== 0) return order;
  }
  return 0;
}

export function compareApk(left: string, right: string): number {
  const [first, second] = [parse(left), parse(right)];
  if (first === undefined || second === undefined) return (first === undefined ? 0 : 1) - (second === undefined ? 0 : 1) || compareText(left, right);
  return compareNumbers(first.numbers, second.numbers) || compareText(first.letter, second.letter)
    || compareLists(first.suffixes, second.suffixes, NONE, (one, other) => one.rank - other.rank || compareDigits(one.number, other.number))
    || compareDigits(first.revision, second.revision);
}
