/** passwd, shadow and authorized_keys. passwd(5), shadow(5), sshd(8) "AUTHORIZED_KEYS FILE FORMAT". */
import { MOST_CONFIGURATION_LINES, MOST_TRIED_ACCOUNTS } from '../limits.ts';
import { hashKind, isPassword } from './crypt/index.ts';
import type { HashKind } from './crypt/index.ts';

export interface Account {
  readonly user: string;
  /** The second field: a hash, or what says that there is none. */
  readonly password: string;
  readonly line: number;
  /** Of passwd only. */
  readonly uid?: number;
  readonly shell?: string;
}

function accountsOf(text: string): readonly { readonly fields: readonly string[]; readonly line: number }[] {
  return text.split('\n', MOST_CONFIGURATION_LINES).map((line, index) => ({ fields: line.split(':'), line: index + 1 })).filter(({ fields }) => fields.length >= 2 && fields[0] !== '' && !fields[0]!.startsWith('#'));
}

export function readShadow(text: string): readonly Account[] {
  return accountsOf(text).map(({ fields, line }) => ({ user: fields[0]!, password: fields[1]!, line }));
}

export function readPasswd(text: string): readonly Account[] {
  return accountsOf(text).filter(({ fields }) => fields.length >= 7).map(({ fields, line }) => ({ user: fields[0]!, password: fields[1]!, line, uid: Number(fields[2]), shell: fields[6]! }));
}

export type PasswordState =
  | { readonly kind: 'locked' }
  | { readonly kind: 'empty' }
  | { readonly kind: 'hash'; readonly hash: HashKind }
  /** Not a hash that crypt(3) knows: perhaps the password itself. */
  | { readonly kind: 'unknown' };

/** What the second field means. `!` before a hash locks it. */
export function passwordState(field: string): PasswordState {
  if (field === '') return { kind: 'empty' };
  if (/^[!*]/.test(field) || field === 'x' || /^(?:NP|LK|NONE|U)$/.test(field)) return { kind: 'locked' };
  const hash = hashKind(field);
  return hash === undefined ? { kind: 'unknown' } : { kind: 'hash', hash };
}

export interface GuessedPassword {
  readonly account: Account;
  readonly word: string;
}

export interface Guesses {
  readonly found: readonly GuessedPassword[];
  /** Words that were tried of all that there were to try. */
  readonly tried: number;
  readonly all: number;
}

/** A clock, in milliseconds. */
export type Clock = () => number;

/**
 * Tries words, word by word over all accounts, so that the likeliest are tried for each before the time is over. The account's own name comes first.
 */
export function guessPasswords(accounts: readonly Account[], words: readonly string[], milliseconds: number, clock: Clock): Guesses {
  let open = accounts.filter(({ password }) => passwordState(password).kind === 'hash').slice(0, MOST_TRIED_ACCOUNTS);
  const end = clock() + milliseconds;
  const found: GuessedPassword[] = [];
  const all = open.length * (words.length + 1);
  let tried = 0;
  for (let index = -1; index < words.length && open.length > 0; index++) {
    for (const account of [...open]) {
      if (clock() >= end) return { found, tried, all };
      const word = index === -1 ? account.user : words[index]!;
      const result = isPassword(word, account.password);
      if (result === true) found.push({ account, word });
      if (result !== false) open = open.filter((each) => each !== account);
      tried++;
    }
  }
  return { found, tried, all: tried };
}

export interface AuthorizedKey {
  readonly type: string;
  /** The start of the key, and its comment. */
  readonly shown: string;
  readonly options: string;
  readonly line: number;
}

const KEY_TYPE = /^(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-nistp\d+|sk-(?:ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com)$/;

/** Each key that may log in. */
export function readAuthorizedKeys(text: string): readonly AuthorizedKey[] {
  return text.split('\n', MOST_CONFIGURATION_LINES).flatMap((line, index) => {
    const words = line.trim().split(/\s+/);
    if (words[0] === undefined || words[0].startsWith('#')) return [];
    const at = words.findIndex((word) => KEY_TYPE.test(word));
    if (at === -1 || !/^AAAA[0-9A-Za-z+/]{16,}=*$/.test(words[at + 1] ?? '')) return [];
    return [{ type: words[at]!, shown: [`${words[at + 1]!.slice(-8)}`, ...words.slice(at + 2)].join(' ').slice(0, 80), options: words.slice(0, at).join(' '), line: index + 1 }];
  });
}
