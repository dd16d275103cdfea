/** The alphabet of crypt(3), least significant bits first. */
export const CRYPT_ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** `count` characters of a number. */
export function charactersOf(value: number, count: number): string {
  let text = '';
  for (let rest = value; text.length < count; rest >>>= 6) text += CRYPT_ALPHABET[rest & 63];
  return text;
}

/** Bytes of a digest in groups of three, each as four characters, in the order of `groups` (the most significant byte first; -1 for none). */
export function encodeGroups(digest: Uint8Array, groups: readonly (readonly [number, number, number])[]): string {
  const byte = (index: number): number => (index < 0 ? 0 : digest[index]!);
  return groups.map(([high, middle, low]) => charactersOf((byte(high) << 16) | (byte(middle) << 8) | byte(low), high >= 0 ? 4 : middle >= 0 ? 3 : 2)).join('');
}
