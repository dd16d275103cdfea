/**
 * Falco's condition language (falco.org, "Condition Syntax"; libsinsp/filter/parser.h has its grammar):
 *
 *   condition  := and ('or' and)*        and   := not ('and' not)*
 *   not        := 'not' not | '(' condition ')' | check | MACRO
 *   check      := field 'exists' | field operator value | field list-operator list
 *   list       := '(' value, ... ')' | LIST
 */
import { nearest } from '../../image/nearest.ts';
import { ConditionError } from '../errors.ts';
import { MOST_NESTING } from '../limits.ts';
import type { Comparison, Condition, FieldUse, Value } from './ast.ts';

const COMPARISONS: ReadonlyMap<string, Comparison> = new Map<string, Comparison>([
  ['=', '='], ['==', '='], ['!=', '!='], ['<', '<'], ['<=', '<='], ['>', '>'], ['>=', '>='], ['contains', 'contains'], ['icontains', 'icontains'],
  ['startswith', 'startswith'], ['endswith', 'endswith'], ['glob', 'glob'], ['iglob', 'iglob'], ['in', 'in'], ['intersects', 'intersects'], ['pmatch', 'pmatch'],
]);
const LIST_OPERATORS: ReadonlySet<Comparison> = new Set(['in', 'intersects', 'pmatch']);
const TRANSFORMERS: ReadonlySet<string> = new Set(['tolower', 'toupper', 'basename', 'len']);
const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ['regex', 'a guest could make a regular expression explode; use glob, pmatch or startswith'],
  ['bcontains', 'the bytes of calls are not kept'], ['bstartswith', 'the bytes of calls are not kept'],
]);

const SPACE = /\s*/y;
const WORD = /[A-Za-z_][\w.-]*/y;
const ARGUMENT = /\[([^\]\n]*)\]/y;
const OPERATOR = /[=!<>]=?|[A-Za-z_]+/y;
const BARE = /[^\s(),"'][^\s(),]*/y;

class Parser {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): Condition {
    const condition = this.#or();
    if (this.#peek(SPACE) !== undefined && this.#at < this.#text.length) throw this.#unexpected('the end, "and" or "or"');
    return condition;
  }

  /** What is there, and past it; white space before it is skipped. */
  #take(pattern: RegExp): RegExpExecArray | undefined {
    this.#skip();
    return this.#exec(pattern);
  }

  #exec(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match !== null) this.#at += match[0].length;
    return match ?? undefined;
  }

  #peek(pattern: RegExp): string | undefined {
    this.#skip();
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#text)?.[0];
  }

  #skip(): void {
    SPACE.lastIndex = this.#at;
    this.#at += SPACE.exec(this.#text)?.[0].length ?? 0;
  }

  #takeWord(word: string): boolean {
    if (this.#peek(WORD) !== word) return false;
    this.#take(WORD);
    return true;
  }

  #takeMark(mark: string): boolean {
    this.#skip();
    if (this.#text[this.#at] !== mark) return false;
    this.#at++;
    return true;
  }

  #unexpected(wanted: string): ConditionError {
    this.#skip();
    const rest = this.#text.slice(this.#at).split(/\s/, 1)[0] ?? '';
    const found = rest === '' ? 'the end' : `"${rest.slice(0, 40)}"`;
    return new ConditionError(`${wanted} should be here, and not ${found}`, 'see docs/events.md, "Conditions"', this.#at);
  }

  #deeper<Result>(read: () => Result): Result {
    if (++this.#depth > MOST_NESTING) throw new ConditionError(`the condition is nested more than ${MOST_NESTING} deep`, 'make macros of its parts', this.#at);
    const result = read();
    this.#depth--;
    return result;
  }

  #or(): Condition {
    return this.#deeper(() => this.#chain('or', () => this.#chain('and', () => this.#not())));
  }

  #chain(word: 'and' | 'or', read: () => Condition): Condition {
    const parts = [read()];
    while (this.#takeWord(word)) parts.push(read());
    return parts.length === 1 ? parts[0]! : { kind: word, parts };
  }

  #not(): Condition {
    // "not(" is common.
    if (this.#takeWord('not')) return { kind: 'not', part: this.#deeper(() => this.#not()) };
    if (!this.#takeMark('(')) return this.#check();
    const condition = this.#or();
    if (!this.#takeMark(')')) throw this.#unexpected('")"');
    return condition;
  }

  #field(): FieldUse {
    this.#skip();
    const offset = this.#at;
    const name = this.#take(WORD)?.[0];
    if (name === undefined) throw this.#unexpected('a field such as proc.name, a macro, "not" or "("');
    if (TRANSFORMERS.has(name) && this.#text[this.#at] === '(') {
      this.#at++;
      const inner = this.#deeper(() => this.#field());
      if (!this.#takeMark(')')) throw this.#unexpected('")"');
      return { ...inner, transformers: [...inner.transformers, name] };
    }
    if (this.#text[this.#at] === '(') throw new ConditionError(`there is no function ${name}`, this.#near(name, TRANSFORMERS), offset);
    const argument = this.#exec(ARGUMENT)?.[1];
    return { name, argument: argument?.trim().replace(/^(['"])(.*)\1$/, '$2'), transformers: [], offset };
  }

  #near(word: string, known: ReadonlySet<string>): string {
    const guess = nearest(word, [...known]);
    return guess === undefined ? `there are ${[...known].join(', ')}` : `did you mean ${guess}?`;
  }

  #check(): Condition {
    const field = this.#field();
    const { name, argument, offset, transformers } = field;
    const isMacro = argument === undefined && transformers.length === 0 && !name.includes('.');
    const next = this.#peek(OPERATOR);
    if (isMacro && (next === undefined || next === 'and' || next === 'or')) return { kind: 'macro', name, offset };
    this.#skip();
    const at = this.#at;
    const word = this.#take(OPERATOR)?.[0];
    if (word === undefined) throw this.#unexpected(`an operator for ${name}, such as = or in,`);
    if (word === 'exists') return { kind: 'exists', field };
    const operator = COMPARISONS.get(word);
    if (operator === undefined) {
      const hint = ELSEWHERE.get(word) ?? this.#near(word, new Set([...COMPARISONS.keys(), 'exists']));
      throw new ConditionError(isMacro ? `"and" or "or" should be here behind the macro ${name}, and not "${word}"` : `there is no operator ${word}`, hint, at);
    }
    const isList = LIST_OPERATORS.has(operator);
    return { kind: 'check', field, operator, values: isList ? this.#list() : [this.#value()], isList };
  }

  #list(): Value[] {
    if (!this.#takeMark('(')) return [this.#value()];
    const values: Value[] = [];
    while (!this.#takeMark(')')) {
      values.push(this.#value());
      if (this.#takeMark(',')) continue;
      if (this.#takeMark(')')) break;
      throw this.#unexpected('"," or ")"');
    }
    return values;
  }

  #value(): Value {
    this.#skip();
    const offset = this.#at;
    const quote = this.#text[offset];
    if (quote === '"' || quote === "'") return { text: this.#quoted(quote), isQuoted: true, offset };
    const text = this.#exec(BARE)?.[0];
    if (text === undefined) throw this.#unexpected('a value');
    return { text, isQuoted: false, offset };
  }

  #quoted(quote: string): string {
    const start = this.#at++;
    let text = '';
    for (; this.#at < this.#text.length; this.#at++) {
      const character = this.#text[this.#at]!;
      if (character === quote) {
        this.#at++;
        return text;
      }
      if (character === '\\' && this.#at + 1 < this.#text.length) this.#at++;
      text += this.#text[this.#at];
    }
    throw new ConditionError(`the text that begins with ${quote} has no end`, `put ${quote} behind it`, start);
  }
}

/** @throws ConditionError */
export function parseCondition(text: string): Condition {
  return new Parser(text).parse();
}
