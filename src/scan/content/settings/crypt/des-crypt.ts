/** The oldest hash of crypt(3), 13 characters: DES with the salt swapped into its expansion, 25 times over zeros. Only eight characters of a password count. */
import { CRYPT_ALPHABET } from './base64.ts';
import { BOXES, CHOICE_1, CHOICE_2, EXPANSION, FINAL, PERMUTATION, SHIFTS } from './des-tables.ts';

type Bits = Uint8Array;

function permuted(bits: Bits, table: readonly number[]): Bits {
  return Uint8Array.from(table, (bit) => bits[bit - 1]!);
}

function roundKeys(key: Bits): readonly Bits[] {
  let halves = permuted(key, CHOICE_1);
  return SHIFTS.map((shift) => {
    halves = Uint8Array.from({ length: 56 }, (_, index) => (index < 28 ? halves[(index + shift) % 28]! : halves[28 + ((index - 28 + shift) % 28)]!));
    return permuted(halves, CHOICE_2);
  });
}

/** Each S-box with the permutation after it: 64 entries of 32 bits. */
const COMBINED: readonly Uint32Array[] = BOXES.map((box, number) => Uint32Array.from({ length: 64 }, (_, input) => {
  const row = ((input >> 4) & 2) | (input & 1);
  const value = box[row * 16 + ((input >> 1) & 15)]!;
  let word = 0;
  PERMUTATION.forEach((bit, index) => {
    const from = bit - 1;
    if (from >> 2 === number && ((value >> (3 - (from & 3))) & 1) === 1) word |= 1 << (31 - index);
  });
  return word >>> 0;
}));

/** The expansion of a half with the salt's bits swapped between its two halves, xor the key, through the boxes. */
function mixed(half: number, key: Bits, expansion: Uint8Array): number {
  let word = 0;
  for (let box = 0; box < 8; box++) {
    let input = 0;
    for (let bit = box * 6; bit < box * 6 + 6; bit++) input = (input << 1) | (((half >>> (32 - expansion[bit]!)) & 1) ^ key[bit]!);
    word |= COMBINED[box]![input]!;
  }
  return word >>> 0;
}

/** The whole hash for a password, with the salt of `setting`. Undefined: `setting` is not of this kind. */
export function desCrypt(password: Uint8Array, setting: string): string | undefined {
  if (!/^[./0-9A-Za-z]{2}(?:[./0-9A-Za-z]{11})?$/.test(setting)) return undefined;
  const salt = CRYPT_ALPHABET.indexOf(setting[0]!) | (CRYPT_ALPHABET.indexOf(setting[1]!) << 6);
  const expansion = Uint8Array.from(EXPANSION);
  for (let bit = 0; bit < 12; bit++) {
    if (((salt >> bit) & 1) === 1) [expansion[bit], expansion[bit + 24]] = [expansion[bit + 24]!, expansion[bit]!];
  }
  const key = new Uint8Array(64);
  for (let index = 0; index < Math.min(8, password.length) && password[index] !== 0; index++) {
    for (let bit = 0; bit < 7; bit++) key[index * 8 + bit] = (password[index]! >> (6 - bit)) & 1;
  }
  const keys = roundKeys(key);
  let [left, right] = [0, 0];
  for (let time = 0; time < 25; time++) {
    for (const roundKey of keys) [left, right] = [right, (left ^ mixed(right, roundKey, expansion)) >>> 0];
    [left, right] = [right, left];
  }
  const bits = permuted(Uint8Array.from({ length: 64 }, (_, index) => ((index < 32 ? left : right) >>> (31 - (index & 31))) & 1), FINAL);
  let text = setting.slice(0, 2);
  for (let index = 0; index < 66; index += 6) {
    let value = 0;
    for (let bit = index; bit < index + 6; bit++) value = (value << 1) | (bits[bit] ?? 0);
    text += CRYPT_ALPHABET[value];
  }
  return text;
}
