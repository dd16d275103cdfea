/** `$1$`: FreeBSD's MD5-based hash, a thousand rounds. As in libxcrypt, lib/crypt-md5.c. */
import { md5 } from '@noble/hashes/legacy.js';
import { encodeGroups } from './base64.ts';

const GROUPS = [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5], [-1, -1, 11]] as const;
const encoder = new TextEncoder();

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The whole hash for a password, with the salt of `setting`. Undefined: `setting` is not of this kind. */
export function md5crypt(password: Uint8Array, setting: string): string | undefined {
  const found = /^\$1\$([^$:\n]{0,8})/.exec(setting);
  if (found === null) return undefined;
  const salt = encoder.encode(found[1]);
  const alternate = md5(joined(password, salt, password));
  const parts = [password, encoder.encode('$1$'), salt];
  for (let left = password.length; left > 0; left -= 16) parts.push(alternate.subarray(0, Math.min(16, left)));
  for (let bits = password.length; bits > 0; bits >>= 1) parts.push((bits & 1) === 1 ? Uint8Array.of(0) : password.subarray(0, 1));
  let digest = md5(joined(...parts));
  for (let round = 0; round < 1000; round++) {
    const turn: Uint8Array[] = [(round & 1) === 1 ? password : digest];
    if (round % 3 !== 0) turn.push(salt);
    if (round % 7 !== 0) turn.push(password);
    turn.push((round & 1) === 1 ? digest : password);
    digest = md5(joined(...turn));
  }
  return `$1$${found[1]}$${encodeGroups(digest, GROUPS)}`;
}
