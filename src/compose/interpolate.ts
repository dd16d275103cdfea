/** Variables in texts (compose-spec 12-interpolation.md). */
import { ComposeError } from './errors.ts';
import { MOST_NESTED_VARIABLES, MOST_VALUE } from './limits.ts';

export interface Variables {
  get(name: string): string | undefined;
  /** It is used, has no value, and nothing is said to be taken instead. */
  unset(name: string): void;
}

const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const OPERATORS = [':-', ':?', ':+', '-', '?', '+'] as const;

function invalid(text: string, where: string): ComposeError {
  return new ComposeError(`invalid interpolation format for ${where}: "${text.slice(0, 200)}"`, 'a variable is $NAME or ${NAME}; write $$ for a dollar sign');
}

function nameAt(text: string, at: number): string | undefined {
  NAME.lastIndex = at;
  return NAME.exec(text)?.[0];
}

/** The place of the brace that closes what begins at `at`, over variables inside. */
function closingBrace(text: string, at: number): number {
  let open = 1;
  for (let place = at; place < text.length; place++) {
    if (text.startsWith('${', place)) open++;
    else if (text[place] === '}' && --open === 0) return place;
  }
  return -1;
}

class Interpolation {
  readonly #variables: Variables;
  readonly #where: string;

  constructor(variables: Variables, where: string) {
    this.#variables = variables;
    this.#where = where;
  }

  expand(text: string, depth = 0): string {
    if (depth > MOST_NESTED_VARIABLES) throw new ComposeError(`${this.#where}: variables are nested deeper than ${MOST_NESTED_VARIABLES} levels`, 'write it out');
    let result = '';
    for (let at = 0; at < text.length;) {
      const dollar = text.indexOf('$', at);
      if (dollar < 0) return this.#bounded(result + text.slice(at));
      result += text.slice(at, dollar);
      const next = text[dollar + 1];
      if (next === '$') {
        result += '$';
        at = dollar + 2;
      } else if (next === '{') {
        const end = closingBrace(text, dollar + 2);
        if (end < 0) throw invalid(text, this.#where);
        result += this.#braced(text.slice(dollar + 2, end), text, depth);
        at = end + 1;
      } else {
        const name = nameAt(text, dollar + 1);
        if (name === undefined) throw invalid(text, this.#where);
        result += this.#plain(name);
        at = dollar + 1 + name.length;
      }
      this.#bounded(result);
    }
    return this.#bounded(result);
  }

  #bounded(text: string): string {
    if (text.length > MOST_VALUE) throw new ComposeError(`${this.#where}: its variables grow to more than ${MOST_VALUE} characters`, 'that is no setting of a container');
    return text;
  }

  #plain(name: string): string {
    const value = this.#variables.get(name);
    if (value === undefined) this.#variables.unset(name);
    return value ?? '';
  }

  /** `NAME`, or `NAME` with an operator and a word. The word is looked at only where it is used. */
  #braced(inside: string, whole: string, depth: number): string {
    const name = nameAt(inside, 0);
    if (name === undefined) throw invalid(whole, this.#where);
    const rest = inside.slice(name.length);
    if (rest === '') return this.#plain(name);
    const operator = OPERATORS.find((one) => rest.startsWith(one));
    if (operator === undefined) throw invalid(whole, this.#where);
    const word = (): string => this.expand(rest.slice(operator.length), depth + 1);
    const value = this.#variables.get(name);
    const isThere = value !== undefined && (!operator.startsWith(':') || value !== '');
    if (operator.endsWith('+')) return isThere ? word() : '';
    if (isThere) return value;
    if (operator.endsWith('-')) return word();
    const message = word();
    throw new ComposeError(`${this.#where}: required variable ${name} is missing a value${message === '' ? '' : `: ${message}`}`, 'set it in the environment, or in .env');
  }
}

/** `where`: of the value, for messages. @throws ComposeError */
export function interpolate(text: string, variables: Variables, where: string): string {
  return text.includes('$') ? new Interpolation(variables, where).expand(text) : text;
}
