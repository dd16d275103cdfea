/** Regular expressions over bytes: what one may say, and its parser. No back references and no look-around, so that each is an automaton. */
import { MOST_PATTERN_DEPTH, MOST_PATTERN_NODES } from '../limits.ts';

/** A set of bytes: 256 bits. */
export type ByteSet = Uint32Array;

export type Assertion = 'start' | 'end' | 'word' | 'not-word';

export type PatternNode =
  | { readonly kind: 'set'; readonly set: ByteSet }
  | { readonly kind: 'assertion'; readonly assertion: Assertion }
  | { readonly kind: 'sequence'; readonly nodes: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly nodes: readonly PatternNode[] }
  /** `most` is Infinity without a bound. */
  | { readonly kind: 'repeat'; readonly node: PatternNode; readonly least: number; readonly most: number };

export interface Pattern {
  readonly node: PatternNode;
  /** Whether of the matches at one place the longest counts, or the shortest. */
  readonly greedy: boolean;
}

/** A regular expression that is none, or is too large. The message says where. */
export class PatternError extends Error {
  override readonly name = 'PatternError';
}

export function emptySet(): ByteSet {
  return new Uint32Array(8);
}

export function addByte(set: ByteSet, byte: number): void {
  set[byte >>> 5]! |= 1 << (byte & 31);
}

export function hasByte(set: ByteSet, byte: number): boolean {
  return (set[byte >>> 5]! & (1 << (byte & 31))) !== 0;
}

export function addRange(set: ByteSet, first: number, last: number): void {
  for (let byte = first; byte <= last; byte++) addByte(set, byte);
}

export function complement(set: ByteSet): ByteSet {
  return set.map((word) => ~word >>> 0);
}

export function setOf(...bytes: readonly number[]): ByteSet {
  const set = emptySet();
  for (const byte of bytes) addByte(set, byte);
  return set;
}

/** Both cases of each letter. */
export function withBothCases(set: ByteSet): ByteSet {
  const both = set.slice();
  for (let letter = 0x61; letter <= 0x7a; letter++) {
    if (hasByte(set, letter)) addByte(both, letter - 32);
    if (hasByte(set, letter - 32)) addByte(both, letter);
  }
  return both;
}

export const ANY_BYTE: ByteSet = complement(emptySet());
const ANY_BUT_NEWLINE: ByteSet = complement(setOf(0x0a));

function named(...ranges: readonly (readonly [number, number])[]): ByteSet {
  const set = emptySet();
  for (const [first, last] of ranges) addRange(set, first, last);
  return set;
}

const DIGITS = named([0x30, 0x39]);
export const WORD_BYTES = named([0x30, 0x39], [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]);
const SPACES = named([0x09, 0x0d], [0x20, 0x20]);
const CLASSES = new Map<string, ByteSet>([
  ['d', DIGITS], ['D', complement(DIGITS)],
  ['w', WORD_BYTES], ['W', complement(WORD_BYTES)],
  ['s', SPACES], ['S', complement(SPACES)],
]);
const ESCAPES = new Map<string, number>([['n', 0x0a], ['r', 0x0d], ['t', 0x09], ['f', 0x0c], ['a', 0x07], ['v', 0x0b], ['0', 0]]);

export interface PatternOptions {
  /** `/i`. */
  readonly nocase?: boolean;
  /** `/s`: the dot is a newline as well. */
  readonly dotAll?: boolean;
}

class Parser {
  readonly #text: string;
  readonly #options: PatternOptions;
  #at = 0;
  #nodes = 0;
  #depth = 0;
  #sawGreedy = false;
  #sawLazy = false;

  constructor(text: string, options: PatternOptions) {
    this.#text = text;
    this.#options = options;
  }

  parse(): Pattern {
    const node = this.#choice();
    if (this.#at < this.#text.length) this.#fail('a ")" without its "("');
    if (this.#sawGreedy && this.#sawLazy) this.#fail('greedy and ungreedy repeats do not go together');
    return { node, greedy: !this.#sawLazy };
  }

  #fail(what: string): never {
    throw new PatternError(`${what}, at ${this.#at + 1} of the expression`);
  }

  #count(nodes = 1): void {
    this.#nodes += nodes;
    if (this.#nodes > MOST_PATTERN_NODES) this.#fail('the expression is too large');
  }

  #choice(): PatternNode {
    if (++this.#depth > MOST_PATTERN_DEPTH) this.#fail('too many groups within groups');
    const nodes = [this.#sequence()];
    while (this.#text[this.#at] === '|') {
      this.#at++;
      nodes.push(this.#sequence());
    }
    this.#depth--;
    return nodes.length === 1 ? nodes[0]! : { kind: 'choice', nodes };
  }

  #sequence(): PatternNode {
    const nodes: PatternNode[] = [];
    while (this.#at < this.#text.length && this.#text[this.#at] !== '|' && this.#text[this.#at] !== ')') {
      const before = this.#nodes;
      const node = this.#atom();
      nodes.push(this.#repeats(node, this.#nodes - before));
    }
    if (nodes.length === 0) this.#count();
    return nodes.length === 1 ? nodes[0]! : { kind: 'sequence', nodes };
  }

  #repeats(node: PatternNode, size: number): PatternNode {
    const bounds = this.#bounds();
    if (bounds === undefined) return node;
    const [least, most] = bounds;
    if (node.kind === 'assertion') this.#fail('a repeat of nothing');
    if (most < least) this.#fail('a repeat whose bounds are the wrong way round');
    this.#count(1 + size * Math.max(0, (Number.isFinite(most) ? most : least + 1) - 1));
    if (this.#text[this.#at] === '?') {
      this.#at++;
      this.#sawLazy = true;
    } else if (least !== most) this.#sawGreedy = true;
    if (this.#bounds() !== undefined) this.#fail('a repeat of a repeat');
    return { kind: 'repeat', node, least, most };
  }

  #bounds(): readonly [number, number] | undefined {
    const letter = this.#text[this.#at];
    if (letter === '*' || letter === '+' || letter === '?') {
      this.#at++;
      return letter === '?' ? [0, 1] : [letter === '+' ? 1 : 0, Infinity];
    }
    if (letter !== '{') return undefined;
    const found = /^\{(\d{0,6})(,(\d{0,6}))?\}/.exec(this.#text.slice(this.#at, this.#at + 20));
    if (found === null || (found[1] === '' && (found[3] ?? '') === '')) return undefined;
    this.#at += found[0].length;
    const least = Number(found[1] === '' ? 0 : found[1]);
    return [least, found[2] === undefined ? least : found[3] === '' ? Infinity : Number(found[3])];
  }

  #set(set: ByteSet): PatternNode {
    this.#count();
    return { kind: 'set', set: this.#options.nocase === true ? withBothCases(set) : set };
  }

  #assertion(assertion: Assertion): PatternNode {
    this.#count();
    return { kind: 'assertion', assertion };
  }

  #atom(): PatternNode {
    const letter = this.#text[this.#at++]!;
    if (letter === '(') {
      if (this.#text[this.#at] === '?') {
        if (this.#text[this.#at + 1] !== ':') this.#fail('a group of a kind that is not supported');
        this.#at += 2;
      }
      const node = this.#choice();
      if (this.#text[this.#at] !== ')') this.#fail('a "(" without its ")"');
      this.#at++;
      return node;
    }
    if (letter === '[') return this.#set(this.#class());
    if (letter === '.') return this.#set(this.#options.dotAll === true ? ANY_BYTE : ANY_BUT_NEWLINE);
    if (letter === '^' || letter === '$') return this.#assertion(letter === '^' ? 'start' : 'end');
    if (letter === '*' || letter === '+' || letter === '?') this.#fail('a repeat of nothing');
    if (letter !== '\\') return this.#literal();
    const escaped = this.#text[this.#at];
    if (escaped === 'b' || escaped === 'B') {
      this.#at++;
      return this.#assertion(escaped === 'b' ? 'word' : 'not-word');
    }
    const named = CLASSES.get(escaped ?? '');
    if (named !== undefined) this.#at++;
    return this.#set(named ?? setOf(this.#escape()));
  }

  /** A character above 127 stands for its bytes in UTF-8. */
  #literal(): PatternNode {
    const code = this.#text.codePointAt(this.#at - 1)!;
    if (code < 0x80) return this.#set(setOf(code));
    if (code > 0xffff) this.#at++;
    const nodes = [...new TextEncoder().encode(String.fromCodePoint(code))].map((byte) => this.#set(setOf(byte)));
    return { kind: 'sequence', nodes };
  }

  /** Behind the backslash. */
  #escape(): number {
    const letter = this.#text[this.#at++];
    if (letter === undefined) this.#fail('a backslash at the end');
    if (letter === 'x') {
      const digits = this.#text.slice(this.#at, this.#at + 2);
      if (!/^[0-9a-fA-F]{2}$/.test(digits)) this.#fail('\\x needs two hexadecimal digits');
      this.#at += 2;
      return parseInt(digits, 16);
    }
    if (/[1-9]/.test(letter)) this.#fail('references to groups are not supported');
    const code = ESCAPES.get(letter) ?? letter.charCodeAt(0);
    if (code > 0x7f) this.#fail('an escape of a character that is not ASCII');
    return code;
  }

  #class(): ByteSet {
    const set = emptySet();
    const negated = this.#text[this.#at] === '^';
    if (negated) this.#at++;
    let first = true;
    while (first || this.#text[this.#at] !== ']') {
      if (this.#at >= this.#text.length) this.#fail('a "[" without its "]"');
      first = false;
      const low = this.#classMember(set);
      if (low === undefined) continue;
      if (this.#text[this.#at] !== '-' || this.#text[this.#at + 1] === ']' || this.#at + 1 >= this.#text.length) {
        addByte(set, low);
        continue;
      }
      this.#at++;
      const high = this.#classMember(set);
      if (high === undefined || high < low) this.#fail('a range whose end is before its start');
      addRange(set, low, high);
    }
    this.#at++;
    const cased = this.#options.nocase === true ? withBothCases(set) : set;
    return negated ? complement(cased) : cased;
  }

  /** One byte; undefined after a named class, which is added. */
  #classMember(set: ByteSet): number | undefined {
    const letter = this.#text[this.#at++]!;
    if (letter !== '\\') {
      if (letter.charCodeAt(0) > 0x7f) this.#fail('a character that is not ASCII in a class');
      return letter.charCodeAt(0);
    }
    const named = CLASSES.get(this.#text[this.#at] ?? '');
    if (named === undefined) return this.#text[this.#at] === 'b' ? (this.#at++, 0x08) : this.#escape();
    this.#at++;
    for (let word = 0; word < 8; word++) set[word]! |= named[word]!;
    return undefined;
  }
}

/** Throws PatternError. */
export function parsePattern(text: string, options: PatternOptions = {}): Pattern {
  return new Parser(text, options).parse();
}

/** Each byte followed by a zero, as in UTF-16. Throws PatternError for `\b`, which has no meaning between the two. */
export function widened(node: PatternNode): PatternNode {
  switch (node.kind) {
    case 'set': return { kind: 'sequence', nodes: [node, { kind: 'set', set: setOf(0) }] };
    case 'assertion':
      if (node.assertion === 'word' || node.assertion === 'not-word') throw new PatternError('\\b and \\B do not go together with "wide"');
      return node;
    case 'repeat': return { ...node, node: widened(node.node) };
    default: return { ...node, nodes: node.nodes.map(widened) };
  }
}

/** Shortest and longest length of what it matches. */
export function lengthsOf(node: PatternNode): readonly [number, number] {
  switch (node.kind) {
    case 'set': return [1, 1];
    case 'assertion': return [0, 0];
    case 'repeat': {
      const [least, most] = lengthsOf(node.node);
      return [least * node.least, most === 0 || node.most === 0 ? 0 : most * node.most];
    }
    case 'sequence': return node.nodes.map(lengthsOf).reduce<readonly [number, number]>(([least, most], [less, more]) => [least + less, most + more], [0, 0]);
    case 'choice': {
      const lengths = node.nodes.map(lengthsOf);
      return [Math.min(...lengths.map(([least]) => least)), Math.max(...lengths.map(([, most]) => most))];
    }
  }
}
