/** Items of a set of rules that is data of our own. */
import { RulesError } from '../errors.ts';
import type { Place } from '../errors.ts';
import type { ItemReader, RulesItem, SourceText } from './items.ts';

/** As in a file of rules. */
export interface PlainItem {
  readonly [key: string]: string | boolean | readonly string[] | readonly PlainItem[];
}

export class PlainRules implements ItemReader {
  readonly file: string;
  readonly items: readonly RulesItem[];

  constructor(file: string, items: readonly PlainItem[]) {
    this.file = file;
    this.items = items.map((item, index) => ({ yaml: this, values: new Map(Object.entries(item)), place: { file, line: index + 1, column: 1 } }));
  }

  placeOf(): Place {
    return { file: this.file, line: 1, column: 1 };
  }

  text(node: unknown, what: string): SourceText {
    if (typeof node !== 'string') throw new RulesError(`${what} is no text`, 'write one behind the colon', this.placeOf());
    return { text: node, place: () => this.placeOf() };
  }

  flag(node: unknown): boolean {
    return node === true;
  }

  isSequence(node: unknown): boolean {
    return Array.isArray(node);
  }

  sequence(node: unknown): readonly unknown[] {
    return Array.isArray(node) ? node : [];
  }

  texts(node: unknown, what: string): readonly string[] {
    return this.sequence(node).map((item) => this.text(item, what).text);
  }

  map(node: unknown, what: string): RulesItem {
    if (typeof node !== 'object' || node === null || Array.isArray(node)) throw new RulesError(`${what} is no mapping`, 'write KEY: VALUE', this.placeOf());
    return { yaml: this, values: new Map(Object.entries(node)), place: this.placeOf() };
  }
}
