/**
 * A regular expression as an automaton whose states are made when they are first reached. Each byte costs one look into a table, or, once per state and class of bytes, a step of
 * all positions of the expression at once; so the time is that of the bytes looked at, whatever the expression and the bytes say. There is no way back, and nothing to explode.
 */
import { MOST_KEPT_POSITIONS, MOST_KEPT_STATES, MOST_MATCH_BYTES, MOST_PATTERN_NODES } from '../limits.ts';
import { ANY_BYTE, PatternError, WORD_BYTES, hasByte } from './syntax.ts';
import type { Assertion, ByteSet, Pattern, PatternNode } from './syntax.ts';

const MATCH = 0;
const SET = 1;
const SPLIT = 2;
const ASSERT = 3;

interface Instruction {
  operation: number;
  set?: ByteSet;
  assertion?: Assertion;
  /** Where it goes on; for SPLIT also `other`. */
  next: number;
  other: number;
}

class Compiler {
  readonly instructions: Instruction[] = [];

  #emit(instruction: Instruction): number {
    if (this.instructions.length >= 4 * MOST_PATTERN_NODES) throw new PatternError('the expression is too large');
    return this.instructions.push(instruction) - 1;
  }

  /** Compiled from its end: what comes after is known. */
  compile(node: PatternNode, next: number): number {
    switch (node.kind) {
      case 'set': return this.#emit({ operation: SET, set: node.set, next, other: -1 });
      case 'assertion': return this.#emit({ operation: ASSERT, assertion: node.assertion, next, other: -1 });
      case 'sequence': return node.nodes.reduceRight((after, each) => this.compile(each, after), next);
      case 'choice': return node.nodes.map((each) => this.compile(each, next)).reduce((first, second) => this.#emit({ operation: SPLIT, next: first, other: second }));
      case 'repeat': return this.#repeat(node.node, node.least, node.most, next);
    }
  }

  #repeat(node: PatternNode, least: number, most: number, next: number): number {
    let start = next;
    if (most === Infinity) {
      const split = this.#emit({ operation: SPLIT, next: -1, other: next });
      this.instructions[split]!.next = this.compile(node, split);
      start = split;
    } else for (let count = least; count < most; count++) start = this.#emit({ operation: SPLIT, next: this.compile(node, start), other: next });
    for (let count = 0; count < least; count++) start = this.compile(node, start);
    return start;
  }
}

/** The start of the file, and what kind of byte came before. */
const AT_START = 0;
const AFTER_WORD = 1;
const AFTER_OTHER = 2;

/** Bytes that no part of the expression tells apart share a class; the last class is the end of the data. */
function classesOf(instructions: readonly Instruction[]): { classOf: Uint16Array; count: number } {
  const classOf = new Uint16Array(257);
  let count = 1;
  const sets = new Set(instructions.flatMap(({ set }) => (set === undefined ? [] : [set])));
  for (const set of [...sets, WORD_BYTES]) {
    const split = new Map<number, number>();
    for (let byte = 0; byte < 256; byte++) {
      const key = classOf[byte]! * 2 + (hasByte(set, byte) ? 1 : 0);
      let name = split.get(key);
      if (name === undefined) split.set(key, (name = split.size));
      classOf[byte] = name;
    }
    count = split.size;
  }
  classOf[256] = count;
  return { classOf, count: count + 1 };
}

interface State {
  readonly before: number;
  readonly positions: readonly number[];
}

export class Automaton {
  readonly #instructions: readonly Instruction[];
  readonly #start: number;
  readonly #classOf: Uint16Array;
  readonly #classes: number;
  /** One byte of each class. */
  readonly #samples: Int16Array;
  readonly #floating: boolean;
  #states: State[] = [];
  #names = new Map<string, number>();
  /** Of all states that are kept. */
  #keptPositions = 0;
  #positions = 0;
  /** Of each state and class: the next state times two, plus one if a match ends before the byte. -1: not known yet. */
  #table = new Int32Array(0);
  readonly #mark: Uint32Array;
  #generation = 0;
  /** Bytes that a match can begin with; undefined if it can be empty. */
  readonly firstBytes: ByteSet | undefined;
  readonly greedy: boolean;

  /** `floating`: a match may begin anywhere after the place where it is started. */
  constructor(pattern: Pattern, floating = false) {
    const compiler = new Compiler();
    compiler.instructions.push({ operation: MATCH, next: -1, other: -1 });
    this.#start = compiler.compile(pattern.node, 0);
    this.#instructions = compiler.instructions;
    this.greedy = pattern.greedy;
    this.#floating = floating;
    const { classOf, count } = classesOf(this.#instructions);
    [this.#classOf, this.#classes] = [classOf, count];
    this.#samples = new Int16Array(count).fill(-1);
    for (let byte = 0; byte <= 256; byte++) if (this.#samples[classOf[byte]!] === -1) this.#samples[classOf[byte]!] = byte;
    this.#mark = new Uint32Array(this.#instructions.length);
    this.firstBytes = this.#findFirstBytes();
    this.#reset();
  }

  #findFirstBytes(): ByteSet | undefined {
    const first = new Uint32Array(8);
    const seen = new Set<number>();
    const waiting = [this.#start];
    while (waiting.length > 0) {
      const at = waiting.pop()!;
      if (seen.has(at)) continue;
      seen.add(at);
      const { operation, set, next, other } = this.#instructions[at]!;
      if (operation === MATCH) return undefined;
      if (operation === SET) for (let word = 0; word < 8; word++) first[word]! |= set![word]!;
      else waiting.push(next);
      if (operation === SPLIT) waiting.push(other);
    }
    return first.some((word, index) => word !== ANY_BYTE[index]) ? first : undefined;
  }

  #reset(): void {
    this.#states = [];
    this.#names = new Map();
    this.#keptPositions = 0;
    this.#table = new Int32Array(16 * this.#classes).fill(-1);
    this.#nameOf(AT_START, []);
    for (const before of [AT_START, AFTER_WORD, AFTER_OTHER]) this.#nameOf(before, [this.#start]);
  }

  /** State 0 is the dead one; 1 to 3 are the starts. */
  #nameOf(before: number, positions: readonly number[]): number {
    const key = positions.length === 0 ? '' : `${before}:${positions.join(',')}`;
    const known = this.#names.get(key);
    if (known !== undefined) return known;
    const name = this.#states.push({ before, positions }) - 1;
    this.#names.set(key, name);
    this.#keptPositions += positions.length;
    if (this.#states.length * this.#classes > this.#table.length) {
      const larger = new Int32Array(this.#table.length * 2).fill(-1);
      larger.set(this.#table);
      this.#table = larger;
    }
    return name;
  }

  #holds(assertion: Assertion, before: number, byte: number): boolean {
    if (assertion === 'start') return before === AT_START;
    if (assertion === 'end') return byte === 256;
    const atBoundary = (before === AFTER_WORD) !== (byte < 256 && hasByte(WORD_BYTES, byte));
    return atBoundary === (assertion === 'word');
  }

  /** All positions at once, over one byte (256 for the end). */
  #step(state: State, byte: number): number {
    const generation = ++this.#generation;
    const reached: number[] = [];
    const waiting = [...state.positions];
    let matched = 0;
    while (waiting.length > 0) {
      const at = waiting.pop()!;
      if (this.#mark[at] === generation) continue;
      this.#mark[at] = generation;
      this.#positions++;
      const { operation, set, assertion, next, other } = this.#instructions[at]!;
      if (operation === MATCH) matched = 1;
      else if (operation === SPLIT) waiting.push(other, next);
      else if (operation === ASSERT) {
        if (this.#holds(assertion!, state.before, byte)) waiting.push(next);
      } else if (byte < 256 && hasByte(set!, byte)) reached.push(next);
    }
    if (this.#floating && byte < 256) reached.push(this.#start);
    const after = byte < 256 && hasByte(WORD_BYTES, byte) ? AFTER_WORD : AFTER_OTHER;
    return this.#nameOf(after, [...new Set(reached)].sort((left, right) => left - right)) * 2 + matched;
  }

  #transition(state: number, classOfByte: number): number {
    const known = this.#table[state * this.#classes + classOfByte]!;
    if (known !== -1) return known;
    const from = this.#states[state]!;
    if (this.#states.length >= MOST_KEPT_STATES || this.#keptPositions >= MOST_KEPT_POSITIONS) {
      this.#reset();
      return this.#step(from, this.#samples[classOfByte]!);
    }
    const found = this.#step(from, this.#samples[classOfByte]!);
    this.#table[state * this.#classes + classOfByte] = found;
    return found;
  }

  #startAt(bytes: Uint8Array, at: number): number {
    return at === 0 ? 1 : hasByte(WORD_BYTES, bytes[at - 1]!) ? 2 : 3;
  }

  /**
   * The end of the match that begins at `at`, or -1: the longest, or the shortest if the expression is ungreedy. Only ends that `accepts` takes count. `steps` counts the bytes looked at.
   */
  matchAt(bytes: Uint8Array, at: number, steps: { count: number }, accepts?: (end: number) => boolean): number {
    const last = Math.min(bytes.length, at + MOST_MATCH_BYTES);
    let state = this.#startAt(bytes, at);
    let end = -1;
    let position = at;
    for (; ; position++) {
      const found = this.#transition(state, position < bytes.length ? this.#classOf[bytes[position]!]! : this.#classes - 1);
      if ((found & 1) === 1 && (accepts === undefined || accepts(position))) {
        end = position;
        if (!this.greedy) break;
      }
      state = found >>> 1;
      if (state === 0 || position >= last) break;
    }
    steps.count += position - at + 1;
    return end;
  }

  /** How many positions were stepped over to make states since it was asked last: work beside that of the bytes. */
  takePositions(): number {
    const count = this.#positions;
    this.#positions = 0;
    return count;
  }

  /** For a floating automaton: the end of a match that begins at `from` or later, the first such end; or -1, also where states of more than `most` positions had to be made. */
  firstEnd(bytes: Uint8Array, from: number, steps: { count: number }, most = Infinity): number {
    const classOf = this.#classOf;
    let state = this.#startAt(bytes, from);
    for (let position = from; position <= bytes.length; position++) {
      const found = this.#transition(state, position < bytes.length ? classOf[bytes[position]!]! : this.#classes - 1);
      if ((found & 1) === 1) {
        steps.count += position - from + 1;
        return position;
      }
      state = found >>> 1;
      if (this.#positions > most) {
        steps.count += position - from + 1;
        return -1;
      }
    }
    steps.count += bytes.length - from + 1;
    return -1;
  }
}
