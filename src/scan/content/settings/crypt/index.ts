/** Hashes of crypt(5), to try words against what a shadow file has. */
import { compareSync } from 'bcryptjs';
import { desCrypt } from './des-crypt.ts';
import { md5crypt } from './md5crypt.ts';
import { shaCrypt } from './sha-crypt.ts';
import { yescrypt } from './yescrypt.ts';

export type HashKind = 'DES' | 'BSDi DES' | 'md5crypt' | 'bcrypt' | 'sha256crypt' | 'sha512crypt' | 'yescrypt' | 'gost-yescrypt' | 'scrypt';

const KINDS: readonly (readonly [RegExp, HashKind])[] = [
  [/^\$1\$/, 'md5crypt'],
  [/^\$2[abxy]\$\d\d\$/, 'bcrypt'],
  [/^\$5\$/, 'sha256crypt'],
  [/^\$6\$/, 'sha512crypt'],
  [/^\$y\$/, 'yescrypt'],
  [/^\$gy\$/, 'gost-yescrypt'],
  [/^\$7\$/, 'scrypt'],
  [/^_[./0-9A-Za-z]{19}$/, 'BSDi DES'],
  [/^[./0-9A-Za-z]{13}$/, 'DES'],
];

/** A whole one (crypt(5)); more than 2^12 rounds cost seconds a word. */
const TRIED_BCRYPT = /^\$2[abxy]\$(?:0[4-9]|1[0-2])\$[./0-9A-Za-z]{53}$/;
const encoder = new TextEncoder();

/** Undefined: no hash at all, such as `*` or `!`. */
export function hashKind(hash: string): HashKind | undefined {
  return KINDS.find(([pattern]) => pattern.test(hash))?.[1];
}

/** Whether a word is the password. Undefined: a hash of this kind, or of this cost, is not tried. */
export function isPassword(word: string, hash: string): boolean | undefined {
  const bytes = encoder.encode(word);
  switch (hashKind(hash)) {
    case 'DES': return desCrypt(bytes, hash) === hash;
    case 'md5crypt': return md5crypt(bytes, hash) === hash;
    case 'bcrypt': return TRIED_BCRYPT.test(hash) ? compareSync(word, hash.replace(/^\$2[xy]/, '$2b')) : undefined;
    case 'sha256crypt':
    case 'sha512crypt': return sameOrUndefined(shaCrypt(bytes, hash), hash);
    case 'yescrypt': return sameOrUndefined(yescrypt(bytes, hash), hash);
    default: return undefined;
  }
}

function sameOrUndefined(made: string | undefined, hash: string): boolean | undefined {
  return made === undefined ? undefined : made === hash;
}
