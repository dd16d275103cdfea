/** A condition's tree becomes a function of the event, and the calls that it can be true for. */
import { nearest } from '../../image/nearest.ts';
import { SHAPES } from '../../kernel/watch/shapes.ts';
import { ConditionError } from '../errors.ts';
import { FIELDS, findField } from '../fields.ts';
import type { Field, FieldValue } from '../fields.ts';
import { MOST_CONDITION_PARTS, MOST_VALUES } from '../limits.ts';
import type { Subject } from '../subject.ts';
import type { Condition, FieldUse, Value } from './ast.ts';
import { makeTest } from './operators.ts';
import type { Test } from './operators.ts';

export interface Compiled {
  readonly test: (subject: Subject) => boolean;
  /** Calls for which it can be true. */
  readonly calls: ReadonlySet<string>;
  /** It is about nothing but the call, so that its opposite is true for all others. */
  readonly isOnlyCalls: boolean;
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
const CALL_FIELDS: ReadonlySet<string> = new Set(['evt.type', 'syscall.type']);
const OPENING_FIELDS: ReadonlySet<string> = new Set(['evt.is_open_read', 'evt.is_open_write', 'evt.is_open_create']);
const OPENING_CALLS: ReadonlySet<string> = new Set([...SHAPES].filter(([, { opens }]) => opens === true).map(([name]) => name));

const TRANSFORMERS: ReadonlyMap<string, (value: FieldValue) => FieldValue> = new Map<string, (value: FieldValue) => FieldValue>([
  ['tolower', (value) => (value === undefined ? undefined : String(value).toLowerCase())],
  ['toupper', (value) => (value === undefined ? undefined : String(value).toUpperCase())],
  ['basename', (value) => (value === undefined ? undefined : String(value).slice(String(value).lastIndexOf('/') + 1))],
  ['len', (value) => (value === undefined ? undefined : String(value).length)],
]);

function only(calls: ReadonlySet<string>, kept: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([...calls].filter((call) => kept.has(call)));
}

function without(calls: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([...ALL_CALLS].filter((call) => !calls.has(call)));
}

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

class Compiler {
  readonly #scope: Scope;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  compile(condition: Condition): Compiled {
    switch (condition.kind) {
      case 'and':
      case 'or':
        return this.#join(condition.kind, condition.parts.map((part) => this.compile(part)));
      case 'not': {
        const part = this.compile(condition.part);
        const { test } = part;
        return { ...part, test: (subject) => !test(subject), calls: part.isOnlyCalls ? without(part.calls) : ALL_CALLS };
      }
      case 'macro':
        return this.#macro(condition.name, condition.offset);
      case 'exists': {
        const { field, get, all } = readerOf(condition.field);
        const test = all === undefined ? (subject: Subject) => get(subject) !== undefined : (subject: Subject) => all(subject).some((value) => value !== undefined);
        return { test, calls: ALL_CALLS, isOnlyCalls: false, usesFile: field.ofFile === true, parts: 1 };
      }
      case 'check':
        return this.#check(condition);
    }
  }

  #join(kind: 'and' | 'or', parts: readonly Compiled[]): Compiled {
    const total = parts.reduce((sum, part) => sum + part.parts, 0);
    if (total > MOST_CONDITION_PARTS) throw new ConditionError(`the condition has more than ${MOST_CONDITION_PARTS} parts with its macros written out`, 'make several rules of it', 0);
    const tests = parts.map(({ test }) => test);
    const calls = kind === 'and'
      ? parts.reduce<ReadonlySet<string>>((kept, part) => only(kept, part.calls), ALL_CALLS)
      : new Set(parts.flatMap((part) => [...part.calls]));
    return {
      test: chain(tests, kind === 'or'), calls, parts: total,
      isOnlyCalls: parts.every(({ isOnlyCalls }) => isOnlyCalls), usesFile: parts.some(({ usesFile }) => usesFile),
    };
  }

  #macro(name: string, offset: number): Compiled {
    const macro = this.#scope.macro(name);
    if (macro !== undefined) return macro;
    const guess = nearest(name, this.#scope.macroNames());
    throw new ConditionError(`there is no macro ${name}`, guess === undefined ? 'a field has a point, such as proc.name; macros are written with "- macro: NAME"' : `did you mean ${guess}?`, offset);
  }

  #check(condition: Extract<Condition, { kind: 'check' }>): Compiled {
    const { field: use, operator, isList } = condition;
    const { field, get, all } = readerOf(use);
    const values = isList ? this.#expand(condition.values) : condition.values;
    const test = makeTest(field, use.name, operator, values, use.offset);
    const isOnlyCalls = CALL_FIELDS.has(use.name) && use.transformers.length === 0;
    const calls = isOnlyCalls ? new Set([...ALL_CALLS].filter((call) => test(call))) : OPENING_FIELDS.has(use.name) ? OPENING_CALLS : ALL_CALLS;
    return { test: applied(get, all, test), calls, isOnlyCalls, usesFile: field.ofFile === true, parts: 1 };
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

function applied(get: Reader['get'], all: Reader['all'], test: Test): (subject: Subject) => boolean {
  if (all !== undefined) return (subject) => all(subject).some((value) => value !== undefined && test(value));
  return (subject) => {
    const value = get(subject);
    return value !== undefined && test(value);
  };
}

/** The first that answers `until` decides. */
function chain(tests: readonly ((subject: Subject) => boolean)[], until: boolean): (subject: Subject) => boolean {
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
  return new Compiler(scope).compile(condition);
}
