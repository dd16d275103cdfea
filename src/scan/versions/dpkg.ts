/** Versions of Debian: deb-version(7); dpkg `lib/dpkg/version.c`. */
import { isDigit, isLetter } from './order.ts';

export interface DebianVersion {
  readonly epoch: number;
  readonly upstream: string;
  readonly revision: string;
}

/** The epoch ends at the first colon, the revision begins behind the last hyphen. */
export function parseDebianVersion(text: string): DebianVersion {
  const trimmed = text.trim();
  const colon = trimmed.indexOf(':');
  const rest = trimmed.slice(colon + 1);
  const hyphen = rest.lastIndexOf('-');
  return { epoch: colon < 0 ? 0 : Number.parseInt(trimmed.slice(0, colon), 10) || 0, upstream: hyphen < 0 ? rest : rest.slice(0, hyphen), revision: hyphen < 0 ? '' : rest.slice(hyphen + 1) };
}

/** A tilde is before the end, the end before letters, letters before all else. */
function weight(text: string, at: number): number {
  if (at >= text.length || isDigit(text, at)) return 0;
  const code = text.charCodeAt(at);
  if (isLetter(text, at)) return code;
  return code === 0x7e ? -1 : code + 256;
}

/** By turns what is no number and numbers. */
function compareParts(left: string, right: string): number {
  let [first, second] = [0, 0];
  while (first < left.length || second < right.length) {
    while ((first < left.length && !isDigit(left, first)) || (second < right.length && !isDigit(right, second))) {
      const order = weight(left, first) - weight(right, second);
      if (order !== 0) return order;
      first++;
      second++;
    }
    while (left.charCodeAt(first) === 0x30) first++;
    while (right.charCodeAt(second) === 0x30) second++;
    let difference = 0;
    while (isDigit(left, first) && isDigit(right, second)) {
      if (difference === 0) difference = left.charCodeAt(first) - right.charCodeAt(second);
      first++;
      second++;
    }
    if (isDigit(left, first)) return 1;
    if (isDigit(right, second)) return -1;
    if (difference !== 0) return difference;
  }
  return 0;
}

export function compareDebian(left: string, right: string): number {
  const [first, second] = [parseDebianVersion(left), parseDebianVersion(right)];
  return first.epoch - second.epoch || compareParts(first.upstream, second.upstream) || compareParts(first.revision, second.revision);
}
