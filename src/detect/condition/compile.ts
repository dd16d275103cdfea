/** A condition's tree becomes a function of the event, and the calls that it can be true for. */
import { nearest } from '../../image/nearest.ts';
import { QUIET_CALLS, SHAPES } from '../../kernel/watch/shapes.ts';
import { ConditionError } from '../errors.ts';
import { FIELDS, findField } from '../fields.ts';
import type { Field, FieldValue } from '../fields.ts';
import { MOST_CONDITION_PARTS, MOST_VALUES } from '../limits.ts';
import type { Subject } from '../subject.ts';
import type { Condition, FieldUse, Value } from './ast.ts';
import { makeTest } from './operators.ts';
import type { Test } from './operators.ts';

export type Predicate = (subject: Subject) => boolean;

export interface Compiled {
  /** For events of one call: what is known of the call is decided, and where all is, that is the answer. */
  build(call: string): Predicate | boolean;
  /** Calls for which it can be true; those that are made all the time only where it names them, or is about nothing but calls of some names. */
  readonly calls: ReadonlySet<string>;
  /** Calls that it names, macros among them. */
  readonly named: ReadonlySet<string>;
  /** It asks for the file of the event. */
  readonly usesFile: boolean;
  /** With macros written out. */
  readonly parts: number;
}

/** What names stand for. */
export interface Scope {
  /** Undefined: there is none. */
  macro(name: string): Compiled | undefined;
  list(name: string): readonly string[] | undefined;
  readonly macroNames: () => readonly string[];
}

/** Every call that a stream can have. */
export const ALL_CALLS: ReadonlySet<string> = new Set(SHAPES.keys());
/** A call that no condition can name. */
const NO_CALL = '';
const CALL_FIELDS: ReadonlySet<string> = new Set(['evt.type', 'syscall.type']);
const OPENING_FIELDS: ReadonlySet<string> = new Set(['evt.is_open_read', 'evt.is_open_write', 'evt.is_open_create']);
const OPENING_CALLS: ReadonlySet<string> = new Set([...SHAPES].filter(([, { opens }]) => opens === true).map(([name]) => name));

const TRANSFORMERS: ReadonlyMap<string, (value: FieldValue) => FieldValue> = new Map<string, (value: FieldValue) => FieldValue>([
  ['tolower', (value) => (value === undefined ? undefined : String(value).toLowerCase())],
  ['toupper', (value) => (value === undefined ? undefined : String(value).toUpperCase())],
  ['basename', (value) => (value === undefined ? undefined : String(value).slice(String(value).lastIndexOf('/') + 1))],
  ['len', (value) => (value === undefined ? undefined : String(value).length)],
]);

interface Reader {
  readonly field: Field;
  readonly get: (subject: Subject) => FieldValue;
  readonly all: ((subject: Subject) => readonly FieldValue[]) | undefined;
}

/** @throws ConditionError where there is no such field. */
export function readerOf({ name, argument: given, transformers, offset }: FieldUse): Reader {
  const found = findField(name, given);
  if (found === undefined) {
    const guess = nearest(name, [...FIELDS.keys()]);
    throw new ConditionError(`there is no field ${name}`, guess === undefined ? 'docs/events.md, "Fields", has all' : `did you mean ${guess}?`, offset);
  }
  const { field, argument } = found;
  if (field.argument === undefined && argument !== undefined) throw new ConditionError(`${name} takes nothing between brackets`, `write ${name}`, offset);
  if (field.argument === 'name' && (argument === undefined || argument === '')) throw new ConditionError(`${name} needs the name of an argument`, `such as ${name}[flags]`, offset);
  if (field.argument === 'index' && argument !== undefined && !/^\d{1,2}$/.test(argument)) throw new ConditionError(`${name}[${argument}] is no number of an ancestor`, `1 is the parent: ${name}[1]`, offset);
  const isAny = field.all !== undefined && argument === undefined;
  const steps = transformers.map((transformer) => TRANSFORMERS.get(transformer)!);
  const apply = (value: FieldValue): FieldValue => steps.reduce((left, step) => step(left), value);
  const kind = transformers.length === 0 ? field.kind : transformers.at(-1) === 'len' ? 'number' : 'text';
  const plain = (subject: Subject): FieldValue => field.get(subject, argument);
  return {
    field: { ...field, kind },
    get: steps.length === 0 ? plain : (subject) => apply(plain(subject)),
    all: isAny ? (subject) => field.all!(subject).map(apply) : undefined,
  };
}

type Node = Pick<Compiled, 'build' | 'usesFile' | 'parts'>;

/** What a part is for each call, made when it is first asked for. */
function remembered(build: (call: string) => Predicate | boolean): (call: string) => Predicate | boolean {
  const known = new Map<string, Predicate | boolean>();
  return (call) => {
    let built = known.get(call);
    if (built === undefined) known.set(call, (built = build(call)));
    return built;
  };
}

class Compiler {
  readonly named = new Set<string>();
  readonly #scope: Scope;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  compile(condition: Condition): Node {
    switch (condition.kind) {
      case 'and':
      case 'or':
        return this.#join(condition.kind === 'or', condition.parts.map((part) => this.compile(part)));
      case 'not': {
        const part = this.compile(condition.part);
        return { ...part, build: (call) => negated(part.build(call)) };
      }
      case 'macro':
        return this.#macro(condition.name, condition.offset);
      case 'exists': {
        const { field, get, all } = readerOf(condition.field);
        const test: Predicate = all === undefined ? (subject) => get(subject) !== undefined : (subject) => all(subject).some((value) => value !== undefined);
        return { build: () => test, usesFile: field.ofFile === true, parts: 1 };
      }
      case 'check':
        return this.#check(condition);
    }
  }

  /** `until`: the answer of a part that decides. */
  #join(until: boolean, parts: readonly Node[]): Node {
    const total = parts.reduce((sum, part) => sum + part.parts, 0);
    if (total > MOST_CONDITION_PARTS) throw new ConditionError(`the condition has more than ${MOST_CONDITION_PARTS} parts with its macros written out`, 'make several rules of it', 0);
    return {
      parts: total, usesFile: parts.some(({ usesFile }) => usesFile),
      build: (call) => {
        const open: Predicate[] = [];
        for (const part of parts) {
          const built = part.build(call);
          if (built === until) return until;
          if (typeof built === 'function') open.push(built);
        }
        return open.length === 0 ? !until : open.length === 1 ? open[0]! : chain(open, until);
      },
    };
  }

  #macro(name: string, offset: number): Node {
    const macro = this.#scope.macro(name);
    if (macro !== undefined) {
      for (const call of macro.named) this.named.add(call);
      return macro;
    }
    const guess = nearest(name, this.#scope.macroNames());
    throw new ConditionError(`there is no macro ${name}`, guess === undefined ? 'a field has a point, such as proc.name; macros are written with "- macro: NAME"' : `did you mean ${guess}?`, offset);
  }

  #check(condition: Extract<Condition, { kind: 'check' }>): Node {
    const { field: use, operator, isList } = condition;
    const { field, get, all } = readerOf(use);
    const values = isList ? this.#expand(condition.values) : condition.values;
    const test = makeTest(field, use.name, operator, values, use.offset);
    const predicate = applied(get, all, test);
    const ofCall = CALL_FIELDS.has(use.name) && use.transformers.length === 0;
    if (ofCall && operator !== '!=') for (const { text } of values) this.named.add(text);
    const ofOpening = OPENING_FIELDS.has(use.name);
    return { usesFile: field.ofFile === true, parts: 1, build: (call) => (ofCall ? test(call) : ofOpening && !OPENING_CALLS.has(call) ? false : predicate) };
  }

  /** Names of lists within a list stand for what is in them. */
  #expand(values: readonly Value[]): readonly Value[] {
    const expanded = values.flatMap((value) => {
      const list = value.isQuoted ? undefined : this.#scope.list(value.text);
      return list === undefined ? [value] : list.map((text): Value => ({ text, isQuoted: true, offset: value.offset }));
    });
    if (expanded.length > MOST_VALUES) throw new ConditionError(`the list has more than ${MOST_VALUES} values`, 'make several of it', values[0]?.offset ?? 0);
    return expanded;
  }
}

function negated(built: Predicate | boolean): Predicate | boolean {
  return typeof built === 'boolean' ? !built : (subject) => !built(subject);
}

function applied(get: Reader['get'], all: Reader['all'], test: Test): Predicate {
  if (all !== undefined) return (subject) => all(subject).some((value) => value !== undefined && test(value));
  return (subject) => {
    const value = get(subject);
    return value !== undefined && test(value);
  };
}

/** The first that answers `until` decides. */
function chain(tests: readonly Predicate[], until: boolean): Predicate {
  const [first, second, third] = tests;
  if (tests.length === 2) return until ? (subject) => first!(subject) || second!(subject) : (subject) => first!(subject) && second!(subject);
  if (tests.length === 3) return until ? (subject) => first!(subject) || second!(subject) || third!(subject) : (subject) => first!(subject) && second!(subject) && third!(subject);
  return (subject) => {
    for (const test of tests) if (test(subject) === until) return until;
    return !until;
  };
}

/** @throws ConditionError */
export function compileCondition(condition: Condition, scope: Scope): Compiled {
  const compiler = new Compiler(scope);
  const { build, usesFile, parts } = compiler.compile(condition);
  const forCall = remembered(build);
  const { named } = compiler;
  const isOfAny = forCall(NO_CALL) !== false;
  const isMeant = (call: string): boolean => !isOfAny || !QUIET_CALLS.has(call) || named.has(call);
  return { build: forCall, usesFile, parts, named, calls: new Set([...ALL_CALLS].filter((call) => isMeant(call) && forCall(call) !== false)) };
}
