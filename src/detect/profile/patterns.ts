/**
 * Patterns of paths, as AppArmor's: `*`, `?` and `[a-z]` within one name, `**` at the end for all that is below, `@{pid}` for a number, `\` before a
 * character that is itself meant.
 */
import { compileGlob, countStars } from '../condition/glob.ts';
import { MOST_STARS } from '../limits.ts';

const SPECIAL = /[\\*?[\]@]/g;
const NUMBER = '@{pid}';

/** A pattern that only this path fits. */
export function literal(path: string): string {
  return path.replace(SPECIAL, '\\$&');
}

/** What is wrong with it, or undefined. */
export function patternError(pattern: string): string | undefined {
  if (!pattern.startsWith('/')) return 'it does not begin with /';
  const parts = pattern.slice(1).split('/');
  if (parts.slice(0, -1).includes('**')) return '** is at its end only';
  if (parts.some((part) => part !== '**' && part.replaceAll('\\*', '').includes('**'))) return '** stands alone between slashes';
  return parts.some((part) => countStars(part) > MOST_STARS) ? `a name has more than ${MOST_STARS} stars` : undefined;
}

/** Undefined: it is one path. */
function plainPath(pattern: string): string | undefined {
  let path = '';
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at]!;
    if (character === '\\' && at + 1 < pattern.length) path += pattern[++at]!;
    else if ('*?['.includes(character) || pattern.startsWith(NUMBER, at)) return undefined;
    else path += character;
  }
  return path;
}

type PartTest = (part: string) => boolean;

function compilePattern(pattern: string): (parts: readonly string[]) => boolean {
  const wanted = pattern.split('/');
  const isDeep = wanted.at(-1) === '**';
  const tests = (isDeep ? wanted.slice(0, -1) : wanted).map((part): PartTest => {
    if (part === NUMBER) return (found) => /^\d+$/.test(found);
    const plain = plainPath(part);
    return plain === undefined ? compileGlob(part) : (found) => found === plain;
  });
  return (parts) => (isDeep ? parts.length > tests.length : parts.length === tests.length) && tests.every((test, index) => test(parts[index]!));
}

/** Of one section: most lines are one path, and found at once. */
export class PatternSet {
  readonly #paths = new Set<string>();
  readonly #patterns: ((parts: readonly string[]) => boolean)[] = [];

  constructor(patterns: Iterable<string>) {
    for (const pattern of patterns) {
      const path = plainPath(pattern);
      if (path === undefined) this.#patterns.push(compilePattern(pattern));
      else this.#paths.add(path);
    }
  }

  has(path: string): boolean {
    if (this.#paths.has(path)) return true;
    if (this.#patterns.length === 0) return false;
    const parts = path.split('/');
    return this.#patterns.some((fits) => fits(parts));
  }
}
