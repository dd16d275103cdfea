/** Items of a file of rules with the places of what is in them. YAML by the `yaml` package. */
import { LineCounter, isAlias, isMap, isScalar, isSeq, parseAllDocuments } from 'yaml';
import type { Scalar, YAMLMap } from 'yaml';
import { RulesError } from './errors.ts';
import type { Place } from './errors.ts';
import type { ItemReader, RulesItem, SourceText } from './rules/items.ts';
import { MOST_ITEMS, MOST_OPEN_BRACKETS, MOST_RULES_BYTES, MOST_VALUES } from './limits.ts';

type Node = unknown;

/** Where each character of a scalar's value is in the source: folded lines are of another length there than here. */
function alignment(value: string, source: string, start: number, end: number): (offset: number) => number {
  return (offset) => {
    let at = start;
    if (source[at] === '|' || source[at] === '>') at = Math.max(at, source.indexOf('\n', at) + 1);
    else if (source[at] === '"' || source[at] === "'") at++;
    for (let index = 0; index < Math.min(offset + 1, value.length) && at < end; index++) {
      if (/\s/.test(value[index]!)) {
        while (at < end && /\s/.test(source[at]!)) at++;
        while (index + 1 < value.length && /\s/.test(value[index + 1]!)) index++;
        if (index >= offset) return at;
        continue;
      }
      // What is not there as it is was written with an escape.
      while (at < end && source[at] !== value[index]) at++;
      if (index === offset) return at;
      at++;
    }
    return Math.min(at, Math.max(start, end - 1));
  };
}

/** One file. */
export class RulesYaml implements ItemReader {
  readonly file: string;
  readonly items: readonly RulesItem[];
  readonly #source: string;
  readonly #lines = new LineCounter();
  #values = 0;

  /** @throws RulesError */
  constructor(file: string, source: string) {
    this.file = file;
    this.#source = source;
    if (source.length > MOST_RULES_BYTES) throw new RulesError(`cannot read rules of ${file}: it has more than ${MOST_RULES_BYTES >> 20} MB`, 'make several files of it');
    this.items = this.#read().map((node) => this.#item(node));
  }

  place(offset: number): Place {
    const { line, col } = this.#lines.linePos(offset);
    return { file: this.file, line: Math.max(1, line), column: Math.max(1, col) };
  }

  placeOf(node: Node): Place {
    return this.place((node as { readonly range?: readonly number[] | null } | null)?.range?.[0] ?? 0);
  }

  /** @throws RulesError */
  text(node: Node, what: string): SourceText {
    if (!isScalar(node) || node.value === null || typeof node.value === 'object') throw new RulesError(`${what} is no text`, 'write one behind the colon', this.placeOf(node));
    const { value, range } = node as Scalar & { readonly value: string | number | boolean };
    // As it was written: 0755 is no number to us.
    const text = typeof value === 'string' ? value : this.#source.slice(range?.[0] ?? 0, range?.[1] ?? 0);
    const offsetOf = alignment(text, this.#source, range?.[0] ?? 0, range?.[1] ?? 0);
    return { text, place: (offset) => this.place(offsetOf(offset)) };
  }

  flag(node: Node, what: string): boolean {
    const { text } = this.text(node, what);
    if (text === 'true' || text === 'false') return text === 'true';
    throw new RulesError(`${what} is true or false, and not "${text}"`, 'write true or false', this.placeOf(node));
  }

  /** Entries of a sequence. */
  sequence(node: Node, what: string): readonly Node[] {
    if (isScalar(node) && node.value === null) return [];
    if (!isSeq(node)) throw new RulesError(`${what} is no list`, 'write [one, two]', this.placeOf(node));
    this.#values += node.items.length;
    if (this.#values > MOST_VALUES) throw new RulesError(`there are more than ${MOST_VALUES} values`, 'make several files of it', this.placeOf(node));
    for (const item of node.items) if (isAlias(item)) throw this.#alias(item);
    return node.items;
  }

  isSequence(node: Node): boolean {
    return isSeq(node);
  }

  texts(node: Node, what: string): readonly string[] {
    return this.sequence(node, what).map((item) => this.text(item, `a value of ${what}`).text);
  }

  map(node: Node, what: string): RulesItem {
    if (!isMap(node)) throw new RulesError(`${what} is no mapping`, 'write KEY: VALUE', this.placeOf(node));
    return this.#item(node);
  }

  #alias(node: Node): RulesError {
    return new RulesError('aliases of YAML cannot be used in rules', 'use lists and macros', this.placeOf(node));
  }

  #read(): readonly Node[] {
    let open = 0;
    for (const character of this.#source) {
      if (character === '[' || character === '{') open++;
      else if (character === ']' || character === '}') open = Math.max(0, open - 1);
      else if (character === '\n') open = Math.min(open, MOST_OPEN_BRACKETS);
      if (open > 2 * MOST_OPEN_BRACKETS) throw new RulesError(`cannot read rules of ${this.file}: more than ${MOST_OPEN_BRACKETS} brackets are open at once`, 'is it a file of rules?');
    }
    const documents = parseAllDocuments(this.#source, { lineCounter: this.#lines, uniqueKeys: false, logLevel: 'silent' });
    const found = Array.isArray(documents) ? documents : [];
    const items = found.flatMap((document): readonly Node[] => {
      const [error] = document.errors;
      if (error !== undefined) throw new RulesError(`this is no YAML: ${error.message.split('\n', 1)[0]?.replace(/ at line \d+, column \d+:?$/, '') ?? ''}`, 'check indentation and quotes', this.place(error.pos[0]));
      const { contents } = document;
      if (contents === null || (isScalar(contents) && contents.value === null)) return [];
      if (!isSeq(contents)) throw new RulesError('a file of rules is a list of items', 'begin each with "- rule:", "- macro:" or "- list:"', this.placeOf(contents));
      return contents.items;
    });
    if (items.length > 3 * MOST_ITEMS) throw new RulesError(`cannot read rules of ${this.file}: it has more than ${3 * MOST_ITEMS} items`, 'make several files of it');
    return items;
  }

  #item(node: Node): RulesItem {
    if (isAlias(node)) throw this.#alias(node);
    if (!isMap(node)) throw new RulesError('this is no rule, macro or list', 'begin it with "- rule:", "- macro:" or "- list:"', this.placeOf(node));
    const values = new Map<string, Node>();
    for (const { key, value } of (node as YAMLMap).items) {
      if (!isScalar(key)) throw new RulesError('a key is no text', 'write KEY: VALUE', this.placeOf(key));
      if (isAlias(value)) throw this.#alias(value);
      const name = String(key.value);
      if (values.has(name)) throw new RulesError(`${name} is there twice`, 'leave one of them', this.placeOf(key));
      values.set(name, value ?? key);
    }
    return { yaml: this, values, place: this.placeOf(node) };
  }
}
