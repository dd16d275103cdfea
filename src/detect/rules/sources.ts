/** Rules, macros and lists of several files as they come together: `append`, `override` and `enabled` (falco.org, "Overriding Rules"). */
import { nearest } from '../../image/nearest.ts';
import { RulesError } from '../errors.ts';
import type { Place } from '../errors.ts';
import { MOST_CONDITION_LENGTH, MOST_ITEMS } from '../limits.ts';
import type { ItemReader, RulesItem, SourceText } from './items.ts';
import { SEQUENCE_KEYS, readSequence } from '../sequences/read.ts';
import type { SequenceSource } from '../sequences/read.ts';
import { readExceptions } from './exceptions.ts';
import type { Exception } from './exceptions.ts';

export const PRIORITIES = ['Emergency', 'Alert', 'Critical', 'Error', 'Warning', 'Notice', 'Informational', 'Debug'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** A condition or an output of one or more pieces. */
export class Pieces {
  readonly pieces: readonly SourceText[];
  readonly text: string;

  constructor(pieces: readonly SourceText[]) {
    this.pieces = pieces;
    this.text = pieces.map(({ text }) => text.trimEnd()).join(' ');
  }

  place(offset: number): Place {
    let start = 0;
    for (const piece of this.pieces) {
      const length = piece.text.trimEnd().length + 1;
      if (offset < start + length) return piece.place(offset - start);
      start += length;
    }
    const last = this.pieces.at(-1)!;
    return last.place(Math.max(0, last.text.trimEnd().length - 1));
  }

  with(more: SourceText): Pieces {
    const pieces = new Pieces([...this.pieces, more]);
    if (pieces.text.length > MOST_CONDITION_LENGTH) throw new RulesError(`there are more than ${MOST_CONDITION_LENGTH} characters with all that is appended`, 'make lists and macros', more.place(0));
    return pieces;
  }
}

export interface RuleSource {
  readonly name: string;
  place: Place;
  /** Of a sequence: of its last step. */
  condition: Pieces;
  readonly sequence: SequenceSource | undefined;
  output: Pieces;
  description: string;
  priority: Priority;
  tags: readonly string[];
  isEnabled: boolean;
  exceptions: readonly Exception[];
  /** Ours: what is done when it fires, as `--on-rule` says it. */
  action: SourceText | undefined;
  /** A field that is not there makes it be left out, not an error. */
  skipsUnknown: boolean;
}

const RULE_KEYS: ReadonlySet<string> = new Set([
  'rule', 'condition', 'output', 'desc', 'priority', 'tags', 'enabled', 'exceptions', 'append', 'override', 'source', 'skip-if-unknown-filter', 'warn_evttypes', 'capture', 'capture_duration', 'action', ...SEQUENCE_KEYS,
]);
const MACRO_KEYS: ReadonlySet<string> = new Set(['macro', 'condition', 'append', 'override']);
const LIST_KEYS: ReadonlySet<string> = new Set(['list', 'items', 'append', 'override']);
const MEANINGLESS: ReadonlySet<string> = new Set(['required_engine_version', 'required_plugin_versions']);
const APPENDABLE: ReadonlySet<string> = new Set(['condition', 'output', 'desc', 'tags', 'exceptions', 'items']);

function priorityOf({ text, place }: SourceText): Priority {
  const wanted = text.trim().toLowerCase();
  const found = PRIORITIES.find((priority) => priority.toLowerCase() === wanted) ?? (wanted === 'info' ? 'Informational' : undefined);
  if (found === undefined) throw new RulesError(`there is no priority "${text}"`, `there are ${PRIORITIES.join(', ')}`, place(0));
  return found;
}

/** What becomes of each key: as `override` says, or `append`. */
function modes(item: RulesItem): ReadonlyMap<string, 'append' | 'replace'> | undefined {
  const { yaml, values } = item;
  const override = values.get('override');
  if (override !== undefined) {
    const found = new Map<string, 'append' | 'replace'>();
    const { values: wanted } = yaml.map(override, 'override');
    for (const [key, node] of wanted) {
      const { text, place } = yaml.text(node, `override of ${key}`);
      if (text !== 'append' && text !== 'replace') throw new RulesError(`"${text}" is no way to override`, 'write append or replace', place(0));
      if (text === 'append' && !APPENDABLE.has(key)) throw new RulesError(`nothing can be appended to ${key}`, 'write replace', place(0));
      if (!values.has(key)) throw new RulesError(`${key} is to be overridden, and is not there`, `write "${key}:" as well`, place(0));
      found.set(key, text);
    }
    return found;
  }
  const append = values.get('append');
  if (append === undefined || !yaml.flag(append, 'append')) return undefined;
  return new Map([...values.keys()].filter((key) => APPENDABLE.has(key)).map((key) => [key, 'append']));
}

export class RuleSources {
  readonly rules = new Map<string, RuleSource>();
  readonly macros = new Map<string, Pieces>();
  readonly lists = new Map<string, readonly string[]>();
  /** Where lists are, for errors in them. */
  readonly listPlaces = new Map<string, Place>();
  readonly warnings: string[] = [];

  /** @throws RulesError */
  add(file: ItemReader): void {
    for (const item of file.items) this.#addItem(item);
    for (const { size } of [this.rules, this.macros, this.lists]) if (size > MOST_ITEMS) throw new RulesError(`there are more than ${MOST_ITEMS} rules, macros or lists`, 'leave some out');
  }

  #addItem(item: RulesItem): void {
    const { values, place } = item;
    if (values.has('rule')) this.#addRule(item);
    else if (values.has('macro')) this.#addMacro(item);
    else if (values.has('list')) this.#addList(item);
    else if (![...values.keys()].some((key) => MEANINGLESS.has(key))) throw new RulesError('this is no rule, macro or list', 'begin it with "- rule:", "- macro:" or "- list:"', place);
  }

  #check(item: RulesItem, known: ReadonlySet<string>, what: string): string {
    for (const [key, node] of item.values) {
      if (known.has(key)) continue;
      const guess = nearest(key, [...known]);
      throw new RulesError(`a ${what} has no "${key}"`, guess === undefined ? `it has ${[...known].join(', ')}` : `did you mean ${guess}?`, item.yaml.placeOf(node));
    }
    return item.yaml.text(item.values.get(what), `the name of a ${what}`).text;
  }

  #addMacro(item: RulesItem): void {
    const name = this.#check(item, MACRO_KEYS, 'macro');
    const condition = this.#needed(item, 'condition', `the macro ${name}`);
    const isAppended = modes(item)?.get('condition') === 'append';
    const before = this.macros.get(name);
    if (modes(item) !== undefined && before === undefined) throw new RulesError(`there is no macro ${name} to change`, 'read the file that has it first', item.place);
    this.macros.set(name, isAppended ? before!.with(condition) : new Pieces([condition]));
  }

  #addList(item: RulesItem): void {
    const name = this.#check(item, LIST_KEYS, 'list');
    const node = item.values.get('items');
    if (node === undefined) throw new RulesError(`the list ${name} has no items`, 'write "items: [one, two]"', item.place);
    const items = item.yaml.texts(node, `the list ${name}`);
    const mode = modes(item);
    const before = this.lists.get(name);
    if (mode !== undefined && before === undefined) throw new RulesError(`there is no list ${name} to change`, 'read the file that has it first', item.place);
    this.lists.set(name, mode?.get('items') === 'append' ? [...before!, ...items] : items);
    this.listPlaces.set(name, item.place);
  }

  #needed({ yaml, values, place }: RulesItem, key: string, what: string): SourceText {
    const node = values.get(key);
    if (node === undefined) throw new RulesError(`${what} has no ${key}`, `write "${key}: ..."`, place);
    return yaml.text(node, `${key} of ${what}`);
  }

  #addRule(item: RulesItem): void {
    const name = this.#check(item, RULE_KEYS, 'rule');
    const { yaml, values } = item;
    const source = values.get('source');
    if (source !== undefined && yaml.text(source, 'source').text !== 'syscall') {
      this.warnings.push(`the rule "${name}" is about ${yaml.text(source, 'source').text}, and left out`);
      return;
    }
    const mode = modes(item);
    const before = this.rules.get(name);
    const isOnlySwitch = mode === undefined && before !== undefined && values.has('enabled') && !values.has('condition') && !values.has('sequence');
    if (mode === undefined && !isOnlySwitch) {
      this.rules.set(name, this.#newRule(item, name));
      return;
    }
    if (before === undefined) throw new RulesError(`there is no rule "${name}" to change`, 'read the file that has it first, or check the name', item.place);
    this.#changeRule(before, item, mode ?? new Map([['enabled', 'replace']]));
  }

  #newRule(item: RulesItem, name: string): RuleSource {
    const { yaml, values, place } = item;
    const what = `the rule "${name}"`;
    const optional = (key: string): SourceText | undefined => (values.has(key) ? yaml.text(values.get(key), `${key} of ${what}`) : undefined);
    const enabled = values.get('enabled');
    const skips = values.get('skip-if-unknown-filter');
    const sequence = readSequence(item, what);
    return {
      name, place, sequence,
      condition: new Pieces([sequence?.steps.at(-1)?.condition ?? this.#needed(item, 'condition', what)]), output: new Pieces([this.#needed(item, 'output', what)]),
      description: optional('desc')?.text.trim() ?? '', priority: priorityOf(this.#needed(item, 'priority', what)),
      tags: values.has('tags') ? yaml.texts(values.get('tags'), `tags of ${what}`) : [],
      isEnabled: enabled === undefined || yaml.flag(enabled, 'enabled'),
      exceptions: values.has('exceptions') ? readExceptions(yaml, values.get('exceptions'), []) : [],
      action: optional('action'), skipsUnknown: skips !== undefined && yaml.flag(skips, 'skip-if-unknown-filter'),
    };
  }

  #changeRule(rule: RuleSource, { yaml, values }: RulesItem, mode: ReadonlyMap<string, 'append' | 'replace'>): void {
    for (const [key, how] of mode) {
      const node = values.get(key);
      const text = (): SourceText => yaml.text(node, `${key} of the rule "${rule.name}"`);
      const joined = (before: Pieces): Pieces => (how === 'append' ? before.with(text()) : new Pieces([text()]));
      if (key === 'condition') rule.condition = joined(rule.condition);
      else if (key === 'output') rule.output = joined(rule.output);
      else if (key === 'desc') rule.description = how === 'append' ? `${rule.description} ${text().text}` : text().text;
      else if (key === 'priority') rule.priority = priorityOf(text());
      else if (key === 'enabled') rule.isEnabled = yaml.flag(node, 'enabled');
      else if (key === 'action') rule.action = text();
      else if (key === 'tags') rule.tags = [...(how === 'append' ? rule.tags : []), ...yaml.texts(node, 'tags')];
      else if (key === 'exceptions') rule.exceptions = readExceptions(yaml, node, how === 'append' ? rule.exceptions : []);
      else if (key !== 'items') throw new RulesError(`${key} of a rule cannot be overridden`, 'leave it out', yaml.placeOf(node));
    }
  }
}
