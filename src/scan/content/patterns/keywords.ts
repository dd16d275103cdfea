/** Many words in one pass over the bytes (Aho and Corasick 1975), with the states as a table of numbers. */
import { MOST_KEYWORD_ENTRIES, MOST_KEYWORD_STATES } from '../limits.ts';
import { PatternError } from './syntax.ts';

/** Called for each place where a word ends: the number of the word, and the offset after it. False ends the pass. */
export type OnKeyword = (word: number, end: number) => boolean | void;

function lower(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte + 32 : byte;
}

interface Trie {
  /** Of each state: children as pairs of class and state. */
  readonly children: Map<number, number>[];
  readonly words: number[][];
}

function buildTrie(words: readonly Uint8Array[], classOf: Uint8Array): Trie {
  const children: Map<number, number>[] = [new Map()];
  const ends: number[][] = [[]];
  words.forEach((word, index) => {
    let state = 0;
    for (const byte of word) {
      const classOfByte = classOf[byte]!;
      let next = children[state]!.get(classOfByte);
      if (next === undefined) {
        if (children.length >= MOST_KEYWORD_STATES) throw new PatternError('too many strings in one set of rules');
        next = children.push(new Map()) - 1;
        ends.push([]);
        children[state]!.set(classOfByte, next);
      }
      state = next;
    }
    ends[state]!.push(index);
  });
  return { children, words: ends };
}

export class Keywords {
  readonly #classOf: Uint8Array;
  readonly #classes: number;
  readonly #table: Int32Array;
  /** Of each state: the words that end there. */
  readonly #ends: readonly (readonly number[])[];
  /** Of each state: the next shorter one at which words end, or 0. */
  readonly #shorter: Int32Array;
  readonly #lengths: readonly number[];

  /** Words that are empty are never found. Letters match in both cases: whoever asks looks again at what was found. Throws PatternError if they are too many. */
  constructor(words: readonly Uint8Array[]) {
    this.#lengths = words.map((word) => word.length);
    const used = new Set<number>();
    for (const word of words) for (const byte of word) used.add(lower(byte));
    this.#classOf = new Uint8Array(256);
    const classes = new Map<number, number>();
    for (const byte of used) if (classes.size < 255) classes.set(byte, classes.size + 1);
    for (let byte = 0; byte < 256; byte++) this.#classOf[byte] = classes.get(lower(byte)) ?? 0;
    this.#classes = classes.size + 1;
    const trie = buildTrie(words, this.#classOf);
    trie.words[0] = [];
    if (trie.children.length * this.#classes > MOST_KEYWORD_ENTRIES) throw new PatternError('too many strings in one set of rules');
    this.#table = new Int32Array(trie.children.length * this.#classes);
    this.#shorter = new Int32Array(trie.children.length);
    this.#ends = trie.words;
    this.#fill(trie);
  }

  /** A table entry is the next state, negative if words end there or at a shorter one. */
  #fill({ children, words }: Trie): void {
    const fallback = new Int32Array(children.length);
    const order = [0];
    for (let index = 0; index < order.length; index++) {
      const state = order[index]!;
      const back = fallback[state]!;
      this.#shorter[state] = words[back]!.length > 0 ? back : this.#shorter[back]!;
      for (let classOfByte = 0; classOfByte < this.#classes; classOfByte++) {
        const child = children[state]!.get(classOfByte);
        const without = state === 0 ? 0 : this.#table[back * this.#classes + classOfByte]!;
        this.#table[state * this.#classes + classOfByte] = child ?? without;
        if (child !== undefined) {
          fallback[child] = without;
          order.push(child);
        }
      }
    }
    for (let at = 0; at < this.#table.length; at++) {
      const state = this.#table[at]!;
      if (words[state]!.length > 0 || this.#shorter[state] !== 0) this.#table[at] = -state;
    }
  }

  lengthOf(word: number): number {
    return this.#lengths[word]!;
  }

  scan(bytes: Uint8Array, onKeyword: OnKeyword): void {
    const [table, classOf, classes] = [this.#table, this.#classOf, this.#classes];
    let state = 0;
    for (let at = 0; at < bytes.length; at++) {
      state = table[state * classes + classOf[bytes[at]!]!]!;
      if (state >= 0) continue;
      state = -state;
      for (let ending = state; ending !== 0; ending = this.#shorter[ending]!) {
        for (const word of this.#ends[ending]!) if (onKeyword(word, at + 1) === false) return;
      }
    }
  }
}

const encoder = new TextEncoder();

/** The same for text. */
export function keywordsOf(words: readonly string[]): Keywords {
  return new Keywords(words.map((word) => encoder.encode(word)));
}
