/**
 * Files with variables: `.env`, `--env-file`, and `env_file` of services (Docker's "Syntax for environment files").
 *
 *   NAME=value        with variables put in; a # after a space begins a comment
 *   NAME="value"      with \n, \r, \t, \", \\, \$, and variables; over several lines, too
 *   NAME='value'      as it stands
 *   NAME              the variable of whoever reads the file
 */
import { ComposeError } from './errors.ts';
import { interpolate } from './interpolate.ts';
import { MOST_ITEMS } from './limits.ts';

export interface EnvironmentFile {
  /** For messages. */
  readonly path: string;
  readonly text: string;
  /** Of whoever reads it; those of the file itself come first. */
  lookUp(name: string): string | undefined;
}

const ESCAPES: ReadonlyMap<string, string> = new Map([['n', '\n'], ['r', '\r'], ['t', '\t'], ['"', '"'], ['\\', '\\'], ['$', '$$'], ['\'', '\'']]);
const STATEMENT = /[^\S\n]*(?:export[^\S\n]+)?([A-Za-z_][A-Za-z0-9_.-]*)[^\S\n]*(?:([=:])[^\S\n]*)?/y;
/** A quoted value, which may have newlines in it. */
const QUOTED = /"((?:[^"\\]|\\[^])*)"|'((?:[^'\\]|\\[^])*)'/y;

function lineAt(text: string, at: number): number {
  return text.slice(0, at).split('\n').length;
}

/** What stands behind the equals sign, and where it ends. */
function valueAt(text: string, at: number): { readonly value: string; readonly expands: boolean; readonly end: number } | undefined {
  const quote = text[at];
  const newline = text.indexOf('\n', at);
  const end = newline < 0 ? text.length : newline;
  if (quote !== '"' && quote !== '\'') return { value: text.slice(at, end).replace(/(?:^|\s)#.*$/, '').trim(), expands: true, end };
  QUOTED.lastIndex = at;
  const match = QUOTED.exec(text);
  if (match === null) return undefined;
  const [all, double, single = ''] = match;
  const value = double === undefined ? single.replace(/\\'/g, '\'') : double.replace(/\\([^])/g, (whole, letter: string) => ESCAPES.get(letter) ?? whole);
  return { value, expands: double !== undefined, end: at + all.length };
}

/** @throws ComposeError */
export function readEnvironmentFile({ path, text: raw, lookUp }: EnvironmentFile): ReadonlyMap<string, string> {
  const text = raw.replace(/^\ufeff/, '').replace(/\r\n/g, '\n');
  const values = new Map<string, string>();
  for (let at = 0; at < text.length;) {
    const blank = /(?:\s+|#[^\n]*)+/y;
    blank.lastIndex = at;
    at += blank.exec(text)?.[0].length ?? 0;
    if (at >= text.length) break;
    const wrong = (why: string): ComposeError => new ComposeError(`cannot read "${path}": line ${lineAt(text, at)}: ${why}`, 'write NAME=VALUE');
    STATEMENT.lastIndex = at;
    const statement = STATEMENT.exec(text);
    if (statement === null) throw wrong('it is no variable');
    const [all, name = '', sign] = statement;
    const start = at + all.length;
    if (sign === undefined) {
      if (start < text.length && text[start] !== '\n') throw wrong(`unexpected "${text[start] ?? ''}" behind "${name}"`);
      const inherited = lookUp(name);
      if (inherited !== undefined) values.set(name, inherited);
      at = start;
      continue;
    }
    const found = valueAt(text, start);
    if (found === undefined) throw wrong('a quote is not closed');
    const variables = { get: (other: string) => values.get(other) ?? lookUp(other), unset: () => {} };
    values.set(name, found.expands ? interpolate(found.value, variables, `"${path}"`) : found.value);
    if (values.size > MOST_ITEMS) throw wrong(`there are more than ${MOST_ITEMS} variables`);
    const rest = /[^\S\n]*(?:#[^\n]*)?(?=\n|$)/y;
    rest.lastIndex = found.end;
    const behind = rest.exec(text);
    if (behind === null) throw wrong('there is something behind the closing quote');
    at = found.end + behind[0].length;
  }
  return values;
}
