/** Versions of rpm: rpm-version(7); rpm `rpmio/rpmvercmp.c`. */
import { compareDigits, compareText, isDigit, isLetter } from './order.ts';

function skipSeparators(text: string, at: number): number {
  let position = at;
  while (position < text.length && !isDigit(text, position) && !isLetter(text, position) && text[position] !== '~' && text[position] !== '^') position++;
  return position;
}

function runEnd(text: string, at: number, isNumber: boolean): number {
  let position = at;
  while (position < text.length && (isNumber ? isDigit(text, position) : isLetter(text, position))) position++;
  return position;
}

/** A tilde sorts before the end, a caret behind it and before all else. 0: neither. */
function compareSigns(left: string | undefined, right: string | undefined): { readonly order: number; readonly both: boolean } {
  if (left === '~' || right === '~') return { order: left === right ? 0 : left === '~' ? -1 : 1, both: left === right };
  if (left !== '^' && right !== '^') return { order: 0, both: false };
  if (left === undefined) return { order: -1, both: false };
  if (right === undefined) return { order: 1, both: false };
  return { order: left === right ? 0 : left === '^' ? -1 : 1, both: left === right };
}

export function compareRpmPart(left: string, right: string): number {
  let [first, second] = [0, 0];
  while (first < left.length || second < right.length) {
    [first, second] = [skipSeparators(left, first), skipSeparators(right, second)];
    const { order, both } = compareSigns(left[first], right[second]);
    if (order !== 0) return order;
    if (both) {
      first++;
      second++;
      continue;
    }
    if (first >= left.length || second >= right.length) break;
    const isNumber = isDigit(left, first);
    const [firstEnd, secondEnd] = [runEnd(left, first, isNumber), runEnd(right, second, isNumber)];
    // A number is newer than letters.
    if (secondEnd === second) return isNumber ? 1 : -1;
    const [one, other] = [left.slice(first, firstEnd), right.slice(second, secondEnd)];
    const difference = isNumber ? compareDigits(one, other) : compareText(one, other);
    if (difference !== 0) return difference;
    [first, second] = [firstEnd, secondEnd];
  }
  return (first < left.length ? 1 : 0) - (second < right.length ? 1 : 0);
}

/** `EPOCH:VERSION-RELEASE`; where one of the two has no release, releases are not compared. */
export function compareRpm(left: string, right: string): number {
  const parse = (text: string): readonly [number, string, string] => {
    const [, epoch, version = '', release = ''] = /^(?:(\d{1,9}):)?([^-]*)(?:-(.*))?$/s.exec(text.trim()) ?? [];
    return [Number(epoch ?? 0), version, release];
  };
  const [[firstEpoch, firstVersion, firstRelease], [secondEpoch, secondVersion, secondRelease]] = [parse(left), parse(right)];
  return firstEpoch - secondEpoch || compareRpmPart(firstVersion, secondVersion) || (firstRelease === '' || secondRelease === '' ? 0 : compareRpmPart(firstRelease, secondRelease));
}
