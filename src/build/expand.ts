/**
 * Words and variables of a Dockerfile: BuildKit's `frontend/dockerfile/shell/lex.go`, described in the Dockerfile reference under
 * "Environment replacement". It looks like a shell's and is not one: no commands, no arithmetic.
 */
import { BuildError } from './errors.ts';
import { MOST_EXPANSION_DEPTH, MOST_VALUE_BYTES } from './limits.ts';
import { patternSource } from './patterns.ts';

export interface Variables {
  /** Undefined: not set. */
  get(name: string): string | undefined;
}

export interface Expander {
  readonly escape: string;
  readonly variables: Variables;
  /** Hears of names that are not set. */
  readonly onUnset?: (name: string) => void;
}

const NAME = /^[A-Za-z_][A-Za-z0-9_]*/;
/** Positional and special parameters are names of one character; nothing sets them. */
const SPECIAL = /^[0-9@*#?\-$!]/;
const isSpace = (character: string | undefined): boolean => character !== undefined && /[ \t\n\r\v\f]/.test(character);

class Lexer {
  readonly #text: string;
  readonly #expander: Expander;
  #at = 0;
  #depth: number;

  constructor(text: string, expander: Expander, depth: number) {
    this.#text = text;
    this.#expander = expander;
    this.#depth = depth;
    if (depth > MOST_EXPANSION_DEPTH) throw new BuildError('cannot expand the variables: braces are nested too deeply');
  }

  /** All of it as one word. */
  word(): string {
    return this.#until(() => false);
  }

  /** Split at spaces that are not quoted. */
  words(): readonly string[] {
    const words: string[] = [];
    for (;;) {
      while (isSpace(this.#text[this.#at])) this.#at++;
      if (this.#at >= this.#text.length) return words;
      words.push(this.#until(isSpace));
    }
  }

  #until(isEnd: (character: string) => boolean): string {
    let result = '';
    while (this.#at < this.#text.length) {
      const character = this.#text[this.#at]!;
      if (isEnd(character)) break;
      result += this.#piece(character);
      if (result.length > MOST_VALUE_BYTES) throw new BuildError(`cannot expand the variables: the value is longer than ${MOST_VALUE_BYTES} bytes`);
    }
    return result;
  }

  #piece(character: string): string {
    if (character === '\'') return this.#single();
    if (character === '"') return this.#double();
    if (character === '$') return this.#dollar();
    this.#at++;
    if (character !== this.#expander.escape) return character;
    const next = this.#text[this.#at];
    if (next === undefined) return '';
    this.#at++;
    return next;
  }

  #single(): string {
    const end = this.#text.indexOf('\'', this.#at + 1);
    if (end < 0) throw new BuildError('cannot read the words: a single quote is not closed', { advice: 'close it' });
    const text = this.#text.slice(this.#at + 1, end);
    this.#at = end + 1;
    return text;
  }

  #double(): string {
    this.#at++;
    let result = '';
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined) throw new BuildError('cannot read the words: a double quote is not closed', { advice: 'close it' });
      if (character === '"') {
        this.#at++;
        return result;
      }
      if (character === '$') {
        result += this.#dollar();
        continue;
      }
      this.#at++;
      const next = this.#text[this.#at];
      if (character === this.#expander.escape && next !== undefined && (next === '"' || next === '$' || next === this.#expander.escape)) {
        result += next;
        this.#at++;
      } else result += character;
    }
  }

  #dollar(): string {
    this.#at++;
    const rest = this.#text.slice(this.#at, this.#at + MOST_VALUE_BYTES);
    if (rest.startsWith('{')) return this.#braced();
    const name = NAME.exec(rest)?.[0] ?? SPECIAL.exec(rest)?.[0];
    if (name === undefined) return '$';
    this.#at += name.length;
    return this.#value(name) ?? '';
  }

  #value(name: string): string | undefined {
    const value = this.#expander.variables.get(name);
    if (value === undefined) this.#expander.onUnset?.(name);
    return value;
  }

  /** The text up to the brace that closes, with what is in between kept as it is. */
  #bracedText(): string {
    let depth = 1;
    const start = this.#at + 1;
    for (let at = start; at < this.#text.length; at++) {
      const character = this.#text[at]!;
      if (character === this.#expander.escape) at++;
      else if (character === '$' && this.#text[at + 1] === '{') depth++;
      else if (character === '}' && --depth === 0) {
        this.#at = at + 1;
        return this.#text.slice(start, at);
      }
    }
    throw new BuildError('cannot expand the variables: a brace is not closed', { advice: 'write ${NAME}' });
  }

  #braced(): string {
    const text = this.#bracedText();
    const name = NAME.exec(text)?.[0] ?? SPECIAL.exec(text)?.[0];
    if (name === undefined) throw new BuildError(`cannot expand "\${${text}}": it begins with no name`, { advice: 'write ${NAME}' });
    const rest = text.slice(name.length);
    if (rest === '') return this.#value(name) ?? '';
    const withColon = /^:?([-+?])([^]*)$/.exec(rest);
    if (withColon !== null) return this.#default(name, rest.startsWith(':'), withColon[1] ?? '', withColon[2] ?? '');
    return this.#modified(name, rest);
  }

  #nested(text: string): string {
    return new Lexer(text, this.#expander, this.#depth + 1).word();
  }

  #default(name: string, emptyIsUnset: boolean, operator: string, word: string): string {
    const value = this.#expander.variables.get(name);
    const isSet = value !== undefined && (!emptyIsUnset || value !== '');
    if (operator === '+') return isSet ? this.#nested(word) : '';
    if (isSet) return value;
    if (operator === '-') return this.#nested(word);
    const message = this.#nested(word);
    throw new BuildError(`${name}: ${message === '' ? `it is not set${emptyIsUnset ? ' or empty' : ''}` : message}`, { advice: `give it with --build-arg ${name}=...` });
  }

  /** `#`, `##`, `%`, `%%`: a pattern taken off; `/`, `//`: a pattern replaced. */
  #modified(name: string, rest: string): string {
    const match = /^(##?|%%?|\/\/?)([^]*)$/.exec(rest);
    if (match === null) throw new BuildError(`cannot expand "\${${name}${rest}}": "${rest[0] ?? ''}" is no modifier`, { advice: 'there are :- :+ :? # ## % %% / and //' });
    const value = this.#value(name) ?? '';
    const [, operator = '', argument = ''] = match;
    if (operator.startsWith('/')) return replaced(value, argument, operator === '//', (text) => this.#nested(text), this.#expander.escape);
    return withoutAffix(value, this.#nested(argument), operator);
  }
}

/** Shell patterns: `*`, `?`, and backslashes. Greedy or not makes the longest or the shortest match. */
function withoutAffix(value: string, pattern: string, operator: string): string {
  const greedy = operator.length === 2;
  if (operator.startsWith('#')) return value.replace(new RegExp(`^(?:${patternSource(pattern, greedy)})`, 's'), '');
  const expression = new RegExp(`^(?:${patternSource(pattern, greedy)})$`, 's');
  // The longest suffix begins first.
  const starts = Array.from({ length: value.length + 1 }, (_, index) => index);
  const start = (greedy ? starts : starts.reverse()).find((index) => expression.test(value.slice(index)));
  return start === undefined ? value : value.slice(0, start);
}

function replaced(value: string, argument: string, all: boolean, expand: (text: string) => string, escape: string): string {
  let slash = -1;
  for (let at = 0; at < argument.length; at++) {
    if (argument[at] === escape) at++;
    else if (argument[at] === '/') {
      slash = at;
      break;
    }
  }
  if (slash < 0) throw new BuildError(`cannot replace "${argument}": the second / is missing`, { advice: 'write ${NAME/PATTERN/TEXT}' });
  const pattern = expand(argument.slice(0, slash));
  const text = expand(argument.slice(slash + 1));
  if (pattern === '') return value;
  return value.replace(new RegExp(patternSource(pattern, true), all ? 'gs' : 's'), () => text);
}

/** The text with quotes taken off and variables in it. @throws BuildError */
export function expandWord(text: string, expander: Expander): string {
  return new Lexer(text, expander, 0).word();
}

/** As words, split at spaces that are not quoted. @throws BuildError */
export function expandWords(text: string, expander: Expander): readonly string[] {
  return new Lexer(text, expander, 0).words();
}

/** The text of a heredoc: quotes stay as they are (shell lex `RawQuotes`). */
export function expandHeredoc(text: string, expander: Expander): string {
  let result = '';
  for (let at = 0; at < text.length;) {
    const character = text[at]!;
    if (character === expander.escape && (text[at + 1] === '$' || text[at + 1] === expander.escape)) {
      result += text[at + 1]!;
      at += 2;
    } else if (character === '$') {
      const end = heredocVariableEnd(text, at, expander.escape);
      result += end === at + 1 ? '$' : new Lexer(text.slice(at, end), expander, 0).word();
      at = end;
    } else {
      result += character;
      at++;
    }
  }
  return result;
}

function heredocVariableEnd(text: string, start: number, escape: string): number {
  if (text[start + 1] !== '{') return start + 1 + (NAME.exec(text.slice(start + 1, start + 1 + 4096))?.[0].length ?? 0);
  let depth = 0;
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === escape) at++;
    else if (text[at] === '{') depth++;
    else if (text[at] === '}' && --depth === 0) return at + 1;
  }
  return text.length;
}

/** Splits at spaces outside of quotes; quotes and escapes stay (BuildKit `parseWords`). */
export function splitRaw(text: string, escape: string): readonly string[] {
  const words: string[] = [];
  let word = '';
  let quote = '';
  let inWord = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (quote === '' && isSpace(character)) {
      if (inWord) words.push(word);
      word = '';
      inWord = false;
      continue;
    }
    inWord = true;
    word += character;
    if (character === escape && quote !== '\'' && at + 1 < text.length) word += text[++at]!;
    else if (quote === '' && (character === '"' || character === '\'')) quote = character;
    else if (character === quote) quote = '';
  }
  if (inWord) words.push(word);
  return words;
}
