/** `$5$` and `$6$`: Ulrich Drepper, "Unix crypt using SHA-256 and SHA-512", 2008. */
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { MOST_HASH_ROUNDS } from '../../limits.ts';
import { encodeGroups } from './base64.ts';

const DEFAULT_ROUNDS = 5000;
const LEAST_ROUNDS = 1000;
const encoder = new TextEncoder();

/** Three bytes a group; the order turns by one with each group. */
function turningGroups(thirds: number, count: number, turn: (group: readonly [number, number, number]) => readonly [number, number, number]): (readonly [number, number, number])[] {
  const groups: (readonly [number, number, number])[] = [];
  let group: readonly [number, number, number] = [0, thirds, 2 * thirds];
  for (let index = 0; index < count; index++) {
    groups.push(group);
    const [high, middle, low] = turn(group);
    group = [high + 1, middle + 1, low + 1];
  }
  return groups;
}

const KINDS = {
  5: { digest: sha256, size: 32, groups: [...turningGroups(10, 10, ([high, middle, low]) => [low, high, middle]), [-1, 31, 30] as const] },
  6: { digest: sha512, size: 64, groups: [...turningGroups(21, 21, ([high, middle, low]) => [middle, low, high]), [-1, -1, 63] as const] },
} as const;

function repeated(digest: Uint8Array, length: number): Uint8Array {
  const all = new Uint8Array(length);
  for (let at = 0; at < length; at += digest.length) all.set(digest.subarray(0, Math.min(digest.length, length - at)), at);
  return all;
}

/** The whole hash for a password, with the salt and rounds of `setting`. Undefined: `setting` is not of this kind, or asks for more rounds than are tried. */
export function shaCrypt(password: Uint8Array, setting: string): string | undefined {
  const found = /^\$([56])\$(rounds=(\d{1,9})\$)?([^$:\n]{0,16})/.exec(setting);
  if (found === null) return undefined;
  const rounds = found[3] === undefined ? DEFAULT_ROUNDS : Math.max(LEAST_ROUNDS, Number(found[3]));
  if (rounds > MOST_HASH_ROUNDS) return undefined;
  const { digest, size, groups } = KINDS[found[1] as '5' | '6'];
  const salt = encoder.encode(found[4]);
  const alternate = digest.create().update(password).update(salt).update(password).digest();
  const first = digest.create().update(password).update(salt).update(repeated(alternate, password.length));
  for (let bits = password.length; bits > 0; bits >>= 1) first.update((bits & 1) === 1 ? alternate : password);
  let result = first.digest();
  const ofPasswords = digest.create();
  for (let count = 0; count < password.length; count++) ofPasswords.update(password);
  const passwords = repeated(ofPasswords.digest(), password.length);
  const ofSalts = digest.create();
  for (let count = 0; count < 16 + result[0]!; count++) ofSalts.update(salt);
  const salts = repeated(ofSalts.digest(), salt.length);
  const turn = new Uint8Array(2 * size + 2 * password.length + salt.length);
  for (let round = 0; round < rounds; round++) {
    let length = 0;
    const add = (part: Uint8Array): void => {
      turn.set(part, length);
      length += part.length;
    };
    add((round & 1) === 1 ? passwords : result);
    if (round % 3 !== 0) add(salts);
    if (round % 7 !== 0) add(passwords);
    add((round & 1) === 1 ? result : passwords);
    result = digest(turn.subarray(0, length));
  }
  return `$${found[1]}$${found[2] === undefined ? '' : `rounds=${rounds}$`}${found[4]}$${encodeGroups(result, groups)}`;
}
