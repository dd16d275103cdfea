/** Versions of Maven: the POM reference, "Version Order Specification" (Maven `ComparableVersion`, in the form that the reference specifies). */
import { compareDigits, compareText } from './order.ts';

interface Token {
  readonly separator: '-' | '.';
  readonly value: string;
}

const QUALIFIERS = ['alpha', 'beta', 'milestone', 'rc', 'snapshot', '', 'sp'];
const ALIASES: ReadonlyMap<string, string> = new Map([['ga', ''], ['final', ''], ['release', ''], ['cr', 'rc']]);
const SHORT: ReadonlyMap<string, string> = new Map([['a', 'alpha'], ['b', 'beta'], ['m', 'milestone']]);

function isNumber(value: string): boolean {
  return value.charCodeAt(0) >= 0x30 && value.charCodeAt(0) <= 0x39;
}

function isNull(value: string): boolean {
  return value === '' || /^0+$/.test(value) || ALIASES.get(value) === '';
}

function isDigitCharacter(character: string): boolean {
  return character >= '0' && character <= '9';
}

/** Parts between dots, hyphens and where digits and letters meet, which is as good as a hyphen. Empty ones are 0; `a1` is alpha-1. */
function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let separator: '-' | '.' = '.';
  let current = '';
  const push = (next: '-' | '.', isBeforeNumber: boolean): void => {
    tokens.push({ separator, value: current === '' ? '0' : isBeforeNumber ? (SHORT.get(current) ?? current) : current });
    [separator, current] = [next, ''];
  };
  for (const character of text.toLowerCase().slice(0, 512)) {
    if (character === '.' || character === '-' || character === '_') push(character === '.' ? '.' : '-', false);
    else {
      if (current !== '' && isDigitCharacter(character) !== isNumber(current)) push('-', isDigitCharacter(character));
      current += character;
    }
  }
  push('.', false);
  return tokens;
}

/** Without what means nothing at the end, before a hyphen, and before a qualifier, where a dot is as good as a hyphen. */
function trimmed(tokens: Token[]): readonly Token[] {
  for (let end = tokens.length; end > 0; end--) {
    const next = tokens[end];
    if (next !== undefined && next.separator !== '-' && isNumber(next.value)) continue;
    let start = end;
    while (start > 1 && isNull(tokens[start - 1]?.value ?? '')) start--;
    tokens.splice(start, end - start);
    end = start;
  }
  return tokens;
}

function rank(value: string): number {
  const known = QUALIFIERS.indexOf(ALIASES.get(value) ?? value);
  return known < 0 ? QUALIFIERS.length : known;
}

/** `.qualifier` = `-qualifier` < `-number` < `.number` */
function compareTokens(left: Token, right: Token): number {
  const [first, second] = [isNumber(left.value), isNumber(right.value)];
  if (first && second) return left.separator === right.separator ? compareDigits(left.value, right.value) : left.separator === '-' ? -1 : 1;
  if (first !== second) return first ? 1 : -1;
  return rank(left.value) - rank(right.value) || (rank(left.value) < QUALIFIERS.length ? 0 : compareText(left.value, right.value));
}

/** What stands in for a token that is not there. */
function padding({ separator, value }: Token): Token {
  return { separator, value: separator === '.' && isNumber(value) ? '0' : '' };
}

export function compareMaven(left: string, right: string): number {
  const [first, second] = [trimmed(tokensOf(left)), trimmed(tokensOf(right))];
  for (let index = 0; index < Math.max(first.length, second.length); index++) {
    const [one, other] = [first[index], second[index]];
    const order = one === undefined ? (other === undefined ? 0 : compareTokens(padding(other), other)) : compareTokens(one, other ?? padding(one));
    if (order !== 0) return order;
  }
  return 0;
}
