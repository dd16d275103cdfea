/** `name = value`, where the name says that the value is a secret. Lines are read by hand and from left to right once: no expression that could explode. */
import { entropyOf, isPlaceholder, kindsOfLetters } from './measures.ts';

export interface Assignment {
  readonly name: string;
  readonly value: string;
  /** In the line. */
  readonly valueStart: number;
  readonly isQuoted: boolean;
}

/** How a name ends whose value is a secret: those that people choose, and those that machines make. */
const CHOSEN = ['password', 'passwd', 'passphrase', 'pwd', '_pass', 'userpass', 'dbpass', 'password_default'];
const MADE = ['secret', 'token', 'api_key', 'apikey', 'api-key', 'secret_key', 'secretkey', 'secret-key', 'secret_access_key', 'secretaccesskey', 'access_key', 'accesskey', 'private_key', 'encryption_key', 'signing_key', 'auth_key', 'master_key', 'account_key'];

/** What to look for in the bytes. */
export const NAME_KEYWORDS: readonly string[] = ['password', 'passwd', 'passphrase', 'pwd', '_pass', 'userpass', 'dbpass', 'secret', 'token', 'api_key', 'apikey', 'api-key', 'access_key', 'accesskey', 'private_key', 'encryption_key', 'signing_key', 'auth_key', 'master_key', 'account_key'];

const LONGEST_NAME = 80;
const LONGEST_VALUE = 512;

/** What ends a value without quotes. */
const VALUE_ENDS = ' \t\r\n\f\v;,"\'`<>';

function isNameByte(letter: string | undefined): boolean {
  return letter !== undefined && /[A-Za-z0-9_.-]/.test(letter);
}

/** The assignment whose name the column is in. */
export function assignmentAt(line: string, column: number): Assignment | undefined {
  let start = column;
  while (start > 0 && column - start < LONGEST_NAME && isNameByte(line[start - 1])) start--;
  let at = column;
  while (at < line.length && at - start < LONGEST_NAME && isNameByte(line[at])) at++;
  const name = line.slice(start, at);
  const closing = line[at];
  if (closing === '"' || closing === '\'' || closing === ']' || closing === '`') at++;
  if (line[at] === ']') at++;
  const skipSpaces = (): void => {
    while (line[at] === ' ' || line[at] === '\t') at++;
  };
  if (closing === '>' && line[start - 1] === '<') {
    const end = line.indexOf('<', at);
    return end === -1 || end - at > LONGEST_VALUE ? undefined : { name, value: line.slice(at + 1, end), valueStart: at + 1, isQuoted: true };
  }
  skipSpaces();
  const sign = ['=>', ':=', '::', '==', '=', ':', ','].find((each) => line.startsWith(each, at));
  if (sign === undefined || sign === '==' || sign === '::' || (sign === ',' && closing !== '"' && closing !== '\'')) return undefined;
  at += sign.length;
  if (sign === ':' && line[at] === '=') at++;
  skipSpaces();
  while (/[bruf]/i.test(line[at] ?? '') && (line[at + 1] === '"' || line[at + 1] === '\'')) at++;
  const quote = line[at];
  const escapedQuote = quote === '\\' && line[at + 1] === '"';
  if (quote === '"' || quote === '\'' || quote === '`' || escapedQuote) {
    const from = at + (escapedQuote ? 2 : 1);
    const end = escapedQuote ? line.indexOf('\\"', from) : line.indexOf(quote!, from);
    return end === -1 || end - from > LONGEST_VALUE ? undefined : { name, value: line.slice(from, end), valueStart: from, isQuoted: true };
  }
  let end = at;
  while (end < line.length && end - at <= LONGEST_VALUE && !VALUE_ENDS.includes(line[end]!)) end++;
  return end === at || end - at > LONGEST_VALUE ? undefined : { name, value: line.slice(at, end), valueStart: at, isQuoted: false };
}

function endsWithAny(name: string, endings: readonly string[]): boolean {
  return endings.some((ending) => name.endsWith(ending));
}

/** Words and paths of programs: `config.password`, `getPassword()`, `self._token`, `PASSWORD_FIELD`. */
const CODE = /^[A-Za-z_$][A-Za-z0-9_$]*(?:(?:\.|->|::|\[)[A-Za-z0-9_$\]'"]+)+$|[(){}]|^[A-Z][A-Z_]+$|^[a-z]+(?:[A-Z][a-z]+)+$|^[A-Za-z]+(?:[-_ ][A-Za-z]+)*$/;
/** Hashes and encrypted values: not usable as they are. */
const HASHED = /^(?:\$[0-9a-z]{1,8}\$|\{[A-Z0-9-]+\}|pbkdf2|scrypt:|bcrypt|argon2|sha(?:1|256|512)[:$-]|md5[0-9a-f]{32}$|SCRAM-SHA)/i;

/** Whether the value is a secret that somebody left there. */
export function isSecretAssignment({ name, value }: Assignment): boolean {
  const lower = name.toLowerCase();
  const chosen = endsWithAny(lower, CHOSEN);
  if (!chosen && !endsWithAny(lower, MADE)) return false;
  if (isPlaceholder(value) || HASHED.test(value) || CODE.test(value) || /\s/.test(value)) return false;
  if (chosen) return value.length >= 6 && value.length <= 128 && kindsOfLetters(value) >= 2 && entropyOf(value) >= 2.3;
  return value.length >= 12 && /[0-9]/.test(value) && /[A-Za-z]/.test(value) && entropyOf(value) >= 3 && !/^\d+(?:\.\d+)*[a-z]*$/.test(value);
}
