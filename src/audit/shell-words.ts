/**
 * Simple commands of a shell script with the places of their words (POSIX Shell Command Language 2.2, 2.9.1; bash's `$'...'`). Nothing is run:
 * variables that the script itself sets to plain text are put in, all others stay as they are written.
 */
import { AuditInputError } from './errors.ts';
import { MOST_WORDS } from './limits.ts';

export interface Word {
  readonly text: string;
  /** Where it is written: offsets into the whole text. Words that come from one variable share them. */
  readonly start: number;
  readonly end: number;
  /** All or a part of it is a variable's value. */
  readonly expanded: boolean;
  /** A variable or a command whose result is not known is in it. */
  readonly unknown: boolean;
}

export type SimpleCommand = readonly Word[];

/** Commands in commands: `$(...)`, heredocs. */
const MOST_DEPTH = 8;
/** Characters that variables may add, so that a few lines cannot grow without bound. */
const MOST_EXPANDED = 1 << 20;

interface State {
  readonly variables: Map<string, string>;
  readonly commands: SimpleCommand[];
  words: number;
  expanded: number;
}

function lineOf(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return line;
}

/** The offset behind the `)` that ends what began before `at`. */
function endOfParentheses(text: string, at: number, end: number): number {
  let depth = 1;
  for (let index = at; index < end; index++) {
    const character = text[index];
    if (character === '\\') index++;
    else if (character === "'") index = Math.max(index, text.indexOf("'", index + 1));
    else if (character === '(') depth++;
    else if (character === ')' && --depth === 0) return index + 1;
  }
  return end;
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '\\': '\\', "'": "'", '"': '"', a: '\x07', b: '\b', e: '\x1b', f: '\f', v: '\v' };

class Scanner {
  readonly #text: string;
  readonly #end: number;
  readonly #depth: number;
  readonly #state: State;
  #at: number;
  #command: Word[] = [];
  /** Delimiters of heredocs whose bodies begin at the next line. */
  #heredocs: { readonly delimiter: string; readonly stripsTabs: boolean }[] = [];

  constructor(text: string, start: number, end: number, depth: number, state: State) {
    [this.#text, this.#at, this.#end, this.#depth, this.#state] = [text, start, end, depth, state];
  }

  run(): void {
    while (this.#at < this.#end) {
      const character = this.#text[this.#at] ?? '';
      if (character === '\\' && this.#text[this.#at + 1] === '\n') this.#at += 2;
      else if (character === '\\' && this.#text.startsWith('\r\n', this.#at + 1)) this.#at += 3;
      else if (character === '\n') this.#newline();
      else if (/[\s]/.test(character)) this.#at++;
      else if (character === '#') this.#skipComment();
      else if (/[;&|(){}]/.test(character)) this.#operator();
      else if (character === '<' || character === '>') this.#redirect();
      else this.#word();
    }
    this.#finish();
  }

  #skipComment(): void {
    const end = this.#text.indexOf('\n', this.#at);
    this.#at = end < 0 ? this.#end : Math.min(end, this.#end);
  }

  #operator(): void {
    // `{}` of find(1) and brace lists are words.
    if (/[{}]/.test(this.#text[this.#at] ?? '') && !/[\s;]/.test(this.#text[this.#at + 1] ?? '\n')) return this.#word();
    this.#at++;
    this.#finish();
  }

  #newline(): void {
    this.#at++;
    this.#finish();
    for (const { delimiter, stripsTabs } of this.#heredocs.splice(0)) {
      const start = this.#at;
      let [bodyEnd, next] = [this.#end, this.#end];
      for (let at = start; at < this.#end;) {
        const found = this.#text.indexOf('\n', at);
        const lineEnd = found < 0 ? this.#end : Math.min(found, this.#end);
        const line = this.#text.slice(at, lineEnd);
        if ((stripsTabs ? line.replace(/^\t+/, '') : line) === delimiter) {
          [bodyEnd, next] = [at, Math.min(lineEnd + 1, this.#end)];
          break;
        }
        at = lineEnd + 1;
      }
      this.#nested(start, bodyEnd, true);
      this.#at = next;
    }
  }

  /** Commands within. What is in a heredoc may be any text, so what cannot be read there is no error. */
  #nested(start: number, end: number, isText = false): void {
    if (this.#depth >= MOST_DEPTH) return;
    try {
      new Scanner(this.#text, start, end, this.#depth + 1, this.#state).run();
    } catch (error) {
      if (!isText || !(error instanceof AuditInputError)) throw error;
    }
  }

  #redirect(): void {
    const operator = /^(?:<<<|<<-?|>>|[<>]&|&>>?|>\||[<>])/.exec(this.#text.slice(this.#at, this.#at + 3))?.[0] ?? '<';
    // `2>` has its number before.
    const last = this.#command.at(-1);
    if (last !== undefined && last.end === this.#at && /^\d$/.test(last.text)) this.#command.pop();
    this.#at += operator.length;
    while (/[ \t]/.test(this.#text[this.#at] ?? '') && this.#at < this.#end) this.#at++;
    if (this.#text[this.#at] === '(') return; // <(...)
    const kept = this.#command;
    this.#command = [];
    if (this.#at < this.#end && this.#text[this.#at] !== '\n') this.#word();
    const target = this.#command[0]?.text ?? '';
    this.#command = kept;
    if (operator.startsWith('<<') && operator !== '<<<') this.#heredocs.push({ delimiter: target, stripsTabs: operator === '<<-' });
  }

  #word(): void {
    const start = this.#at;
    /** Texts between places where an unquoted variable's value is split. */
    const pieces = [''];
    let [expanded, unknown, quoted] = [false, false, false];
    const add = (text: string): void => {
      pieces[pieces.length - 1] += text;
    };
    const variable = (inQuotes: boolean): void => {
      const result = this.#variable();
      unknown ||= result.value === undefined;
      expanded ||= result.value !== undefined;
      const value = result.value ?? result.written;
      if ((this.#state.expanded += value.length) > MOST_EXPANDED) throw new AuditInputError('cannot read the script: its variables grow without bound', 'give the command line itself');
      if (inQuotes || result.value === undefined) return add(value);
      const parts = value.split(/[ \t\n]+/);
      add(parts[0] ?? '');
      pieces.push(...parts.slice(1));
    };
    while (this.#at < this.#end) {
      const character = this.#text[this.#at] ?? '';
      if (/[\s;&|()<>]/.test(character)) break;
      if (character === '\\') {
        const next = this.#text[this.#at + 1] ?? '';
        if (next !== '\n') add(next);
        this.#at += 2;
      } else if (character === "'") {
        quoted = true;
        add(this.#singleQuoted());
      } else if (character === '"') {
        quoted = true;
        this.#doubleQuoted(add, variable);
      } else if (character === '$' && this.#text[this.#at + 1] === "'") {
        quoted = true;
        add(this.#ansiQuoted());
      } else if (character === '$' || character === '`') variable(false);
      else {
        add(character);
        this.#at++;
      }
    }
    const texts = quoted || !expanded ? pieces : pieces.filter((piece) => piece !== '');
    for (const text of texts) this.#push({ text, start, end: Math.min(this.#at, this.#end), expanded, unknown });
  }

  #push(word: Word): void {
    if (++this.#state.words > 10 * MOST_WORDS) throw new AuditInputError(`cannot read the script: it has more than ${10 * MOST_WORDS} words`, 'give the command line itself');
    this.#command.push(word);
  }

  #unterminated(start: number, what: string): never {
    throw new AuditInputError(`cannot read the script: the ${what} in line ${lineOf(this.#text, start)} has no end`, 'close it');
  }

  #singleQuoted(): string {
    const start = this.#at;
    const end = this.#text.indexOf("'", start + 1);
    if (end < 0 || end >= this.#end) this.#unterminated(start, 'single quote');
    this.#at = end + 1;
    return this.#text.slice(start + 1, end);
  }

  #ansiQuoted(): string {
    const start = this.#at;
    let value = '';
    for (this.#at += 2; this.#at < this.#end; this.#at++) {
      const character = this.#text[this.#at] ?? '';
      if (character === "'") {
        this.#at++;
        return value;
      }
      if (character === '\\') value += ESCAPES[this.#text[++this.#at] ?? ''] ?? this.#text[this.#at] ?? '';
      else value += character;
    }
    this.#unterminated(start, 'single quote');
  }

  #doubleQuoted(add: (text: string) => void, variable: (inQuotes: boolean) => void): void {
    const start = this.#at++;
    while (this.#at < this.#end) {
      const character = this.#text[this.#at] ?? '';
      if (character === '"') {
        this.#at++;
        return;
      }
      if (character === '\\') {
        const next = this.#text[this.#at + 1] ?? '';
        if (next !== '\n') add('$`"\\'.includes(next) ? next : `\\${next}`);
        this.#at += 2;
      } else if (character === '$' || character === '`') variable(true);
      else {
        add(character);
        this.#at++;
      }
    }
    this.#unterminated(start, 'double quote');
  }

  /** `$NAME`, `${...}`, `$(...)`, backquotes. Undefined: not known. */
  #variable(): { readonly value: string | undefined; readonly written: string } {
    const start = this.#at;
    const done = (end: number, value: string | undefined): { value: string | undefined; written: string } => {
      this.#at = Math.min(end, this.#end);
      return { value, written: this.#text.slice(start, this.#at) };
    };
    if (this.#text[start] === '`') {
      const found = this.#text.indexOf('`', start + 1);
      const end = found < 0 ? this.#end : Math.min(found, this.#end);
      this.#nested(start + 1, end);
      return done(end + 1, undefined);
    }
    if (this.#text[start + 1] === '(') {
      const end = endOfParentheses(this.#text, start + 2, this.#end);
      this.#nested(start + 2, end - 1);
      return done(end, undefined);
    }
    const rest = this.#text.slice(start, Math.min(start + 300, this.#end));
    const braced = /^\$\{([A-Za-z_]\w*)(?::?-([^{}$`]*))?\}/.exec(rest);
    if (braced !== null) return done(start + braced[0].length, this.#state.variables.get(braced[1] ?? '') ?? braced[2]);
    const plain = /^\$([A-Za-z_]\w*)/.exec(rest);
    if (plain !== null) return done(start + plain[0].length, this.#state.variables.get(plain[1] ?? ''));
    const other = /^\$(?:\{[^}]*\}|[@*#?!$\d-])/.exec(rest);
    if (other !== null) return done(start + other[0].length, undefined);
    this.#at = start + 1;
    return { value: '$', written: '$' };
  }

  #finish(): void {
    const command = this.#command;
    this.#command = [];
    const assignments = command.findIndex(({ text }) => !/^[A-Za-z_]\w*\+?=/.test(text));
    const count = assignments < 0 ? command.length : assignments;
    // `NAME=value command` sets it for that command only.
    if (count === command.length) {
      for (const { text, unknown } of command) {
        const [, name = '', plus = '', value = ''] = /^([A-Za-z_]\w*)(\+?)=([\s\S]*)$/.exec(text) ?? [];
        if (unknown) this.#state.variables.delete(name);
        else this.#state.variables.set(name, plus === '+' ? `${this.#state.variables.get(name) ?? ''}${value}` : value);
      }
      return;
    }
    const [first] = command;
    if (first !== undefined && /^(?:export|readonly|local|declare)$/.test(first.text)) {
      this.#command = command.slice(1).filter(({ text }) => text.includes('='));
      if (this.#command.length > 0 && this.#command.every(({ text }) => /^[A-Za-z_]\w*\+?=/.test(text))) this.#finish();
      this.#command = [];
      return;
    }
    this.#state.commands.push(command.slice(count));
  }
}

/** @throws AuditInputError for a quote without end, and for more words than `limits.ts` allows. */
export function shellCommands(text: string): readonly SimpleCommand[] {
  const state: State = { variables: new Map(), commands: [], words: 0, expanded: 0 };
  new Scanner(text, 0, text.length, 0, state).run();
  return state.commands;
}

/** A word as a shell reads it back. */
export function quoteWord(text: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
