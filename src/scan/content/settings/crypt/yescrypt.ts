/**
 * `$y$`: yescrypt, what Debian has used since 2021. Follows the reference of Alexander Peslyak, yescrypt-ref.c 1.1.0. Words of 32 bits, in the order of SIMD lanes that the
 * reference has; numbers of 64 bits are pairs of them.
 */
import { hmac } from '@noble/hashes/hmac.js';
import { pbkdf2 } from '@noble/hashes/pbkdf2.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { MOST_HASH_BYTES } from '../../limits.ts';
import { CRYPT_ALPHABET, charactersOf } from './base64.ts';

const RW = 2;
const PREHASH = 0x1000_0000;
/** Words of one S-box; there are three. */
const BOX_WORDS = 1024;
const encoder = new TextEncoder();

interface Boxes {
  s0: Uint32Array;
  s1: Uint32Array;
  s2: Uint32Array;
  next: number;
}

/** Salsa20 over 16 words in the order of SIMD lanes. */
function salsa20(block: Uint32Array, at: number, rounds: number): void {
  const x = new Uint32Array(16);
  for (let index = 0; index < 16; index++) x[(index * 5) % 16] = block[at + index]!;
  const quarter = (a: number, b: number, c: number, d: number): void => {
    let sum = (x[a]! + x[d]!) | 0;
    x[b]! ^= (sum << 7) | (sum >>> 25);
    sum = (x[b]! + x[a]!) | 0;
    x[c]! ^= (sum << 9) | (sum >>> 23);
    sum = (x[c]! + x[b]!) | 0;
    x[d]! ^= (sum << 13) | (sum >>> 19);
    sum = (x[d]! + x[c]!) | 0;
    x[a]! ^= (sum << 18) | (sum >>> 14);
  };
  for (let round = 0; round < rounds; round += 2) {
    quarter(0, 4, 8, 12);
    quarter(5, 9, 13, 1);
    quarter(10, 14, 2, 6);
    quarter(15, 3, 7, 11);
    quarter(0, 1, 2, 3);
    quarter(5, 6, 7, 4);
    quarter(10, 11, 8, 9);
    quarter(15, 12, 13, 14);
  }
  for (let index = 0; index < 16; index++) block[at + index]! += x[(index * 5) % 16]!;
}

function mixSalsa(block: Uint32Array): void {
  const words = block.length;
  const mixed = new Uint32Array(words);
  const x = block.slice(words - 16);
  for (let at = 0; at < words; at += 16) {
    for (let index = 0; index < 16; index++) x[index]! ^= block[at + index]!;
    salsa20(x, 0, 8);
    mixed.set(x, at % 32 === 0 ? at / 2 : words / 2 + (at - 16) / 2);
  }
  block.set(mixed);
}

/**
 * One step of pwxform over a pair of words: their product, plus one entry, xor another. The product of 64 bits is put together from halves; all numbers stay within 32 bits, which is
 * what makes it quick.
 */
function mixPair(block: Uint32Array, at: number, s0: Uint32Array, p0: number, s1: Uint32Array, p1: number): void {
  const low = block[at]!;
  const high = block[at + 1]!;
  const lowLow = low & 0xffff;
  const lowHigh = low >>> 16;
  const highLow = high & 0xffff;
  const highHigh = high >>> 16;
  const middle = (Math.imul(lowHigh, highLow) + (Math.imul(lowLow, highLow) >>> 16)) >>> 0;
  const other = (Math.imul(lowLow, highHigh) + (middle & 0xffff)) >>> 0;
  const productHigh = (Math.imul(lowHigh, highHigh) + (middle >>> 16) + (other >>> 16)) | 0;
  const entry = s0[p0]!;
  const sum = (Math.imul(low, high) + entry) >>> 0;
  block[at] = sum ^ s1[p1]!;
  block[at + 1] = ((productHigh + s0[p0 + 1]! + (sum < entry ? 1 : 0)) | 0) ^ s1[p1 + 1]!;
}

function pwxform(block: Uint32Array, at: number, boxes: Boxes): void {
  const { s0, s1, s2 } = boxes;
  let { next } = boxes;
  for (let round = 0; round < 6; round++) {
    for (let lane = at; lane < at + 16; lane += 4) {
      const p0 = (block[lane]! & 0xff0) >> 2;
      const p1 = (block[lane + 1]! & 0xff0) >> 2;
      mixPair(block, lane, s0, p0, s1, p1);
      mixPair(block, lane + 2, s0, p0 + 2, s1, p1 + 2);
      if (round === 0 || round === 5) continue;
      for (let word = 0; word < 4; word++) s2[next + word] = block[lane + word]!;
      next += 4;
    }
  }
  [boxes.s0, boxes.s1, boxes.s2] = [s2, s0, s1];
  boxes.next = next & (BOX_WORDS - 1);
}

function mixWide(block: Uint32Array, boxes: Boxes): void {
  const words = block.length;
  let before = words - 16;
  for (let at = 0; at < words; at += 16) {
    for (let index = 0; index < 16; index++) block[at + index]! ^= block[before + index]!;
    pwxform(block, at, boxes);
    before = at;
  }
  salsa20(block, words - 16, 2);
}

function shuffled(bytes: Uint8Array): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Uint32Array.from({ length: bytes.length / 4 }, (_, index) => view.getUint32((index - (index % 16) + (((index % 16) * 5) % 16)) * 4, true));
}

function unshuffle(block: Uint32Array, bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  block.forEach((word, index) => view.setUint32((index - (index % 16) + (((index % 16) * 5) % 16)) * 4, word, true));
}

function powerUpTo(value: number): number {
  return 2 ** Math.floor(Math.log2(value));
}

function xorInto(block: Uint32Array, memory: Uint32Array, at: number): void {
  for (let index = 0; index < block.length; index++) block[index]! ^= memory[at + index]!;
}

function fill(bytes: Uint8Array, count: number, memory: Uint32Array, boxes: Boxes | undefined): void {
  const block = shuffled(bytes);
  const words = block.length;
  for (let index = 0; index < count; index++) {
    memory.set(block, index * words);
    if (boxes !== undefined && index > 1) {
      const power = powerUpTo(index);
      xorInto(block, memory, ((block[words - 16]! & (power - 1)) + (index - power)) * words);
    }
    if (boxes === undefined) mixSalsa(block);
    else mixWide(block, boxes);
  }
  unshuffle(block, bytes);
}

function walk(bytes: Uint8Array, count: number, loops: number, memory: Uint32Array, boxes: Boxes, writes: boolean): void {
  const block = shuffled(bytes);
  const words = block.length;
  for (let loop = 0; loop < loops; loop++) {
    const at = (block[words - 16]! & (count - 1)) * words;
    xorInto(block, memory, at);
    if (writes) memory.set(block, at);
    mixWide(block, boxes);
  }
  unshuffle(block, bytes);
}

interface Parameters {
  readonly flags: number;
  /** Blocks of memory. */
  readonly count: number;
  /** Units of 128 bytes in each. */
  readonly size: number;
  readonly lanes: number;
  readonly time: number;
}

function evenUp(value: number): number {
  return value + (value % 2);
}

/** Mixes all lanes, and the key by the first. */
function smix(bytes: Uint8Array, { count, size, lanes, time }: Parameters, key: Uint8Array): void {
  const share = Math.floor(count / lanes);
  const all = time <= 1 ? Math.floor(((time === 1 ? share * 2 : share) + 2) / 3) : share * (time - 1);
  const writing = evenUp(Math.floor(all / lanes));
  const chunk = share - (share % 2);
  const memory = new Uint32Array(count * size * 32);
  const laneBytes = 128 * size;
  const contexts: Boxes[] = [];
  for (let lane = 0; lane < lanes; lane++) {
    const own = bytes.subarray(lane * laneBytes, (lane + 1) * laneBytes);
    const boxes = new Uint32Array(3 * BOX_WORDS);
    fill(own.subarray(0, 128), (3 * BOX_WORDS * 4) / 128, boxes, undefined);
    contexts.push({ s0: boxes.subarray(2 * BOX_WORDS), s1: boxes.subarray(BOX_WORDS, 2 * BOX_WORDS), s2: boxes.subarray(0, BOX_WORDS), next: 0 });
    if (lane === 0) key.set(hmac(sha256, own.slice(laneBytes - 64), key));
    const blocks = lane < lanes - 1 ? chunk : count - lane * chunk;
    const part = memory.subarray(lane * chunk * size * 32);
    fill(own, blocks, part, contexts[lane]!);
    walk(own, powerUpTo(blocks), writing, part, contexts[lane]!, true);
  }
  for (let lane = 0; lane < lanes; lane++) walk(bytes.subarray(lane * laneBytes, (lane + 1) * laneBytes), count, evenUp(all) - writing, memory, contexts[lane]!, false);
}

function derive(password: Uint8Array, salt: Uint8Array, parameters: Parameters): Uint8Array {
  const isPrehash = (parameters.flags & PREHASH) !== 0;
  const key = hmac(sha256, encoder.encode(isPrehash ? 'yescrypt-prehash' : 'yescrypt'), password);
  const bytes = pbkdf2(sha256, key, salt, { c: 1, dkLen: 128 * parameters.size * parameters.lanes });
  key.set(bytes.subarray(0, 32));
  smix(bytes, parameters, key);
  const derived = pbkdf2(sha256, key, bytes, { c: 1, dkLen: 32 });
  return isPrehash ? derived : sha256(hmac(sha256, derived, encoder.encode('Client Key')));
}

/** Numbers of variable length. Advances `at`. */
class Settings {
  readonly #text: string;
  at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    return this.at >= this.#text.length;
  }

  /** NaN where there is none. */
  number(least: number): number {
    let [start, end, more, bits] = [0, 47, 0, 0];
    let character = CRYPT_ALPHABET.indexOf(this.#text[this.at++] ?? ' ');
    let value = least;
    if (character < 0) return NaN;
    while (character > end) {
      value += (end + 1 - start) * 2 ** bits;
      start = end + 1;
      end = start + Math.floor((62 - end) / 2);
      more++;
      bits += 6;
    }
    value += (character - start) * 2 ** bits;
    for (; more > 0; more--) {
      character = CRYPT_ALPHABET.indexOf(this.#text[this.at++] ?? ' ');
      if (character < 0) return NaN;
      bits -= 6;
      value += character * 2 ** bits;
    }
    return value;
  }
}

function parametersOf(text: string): Parameters | undefined {
  const settings = new Settings(text);
  const flavor = settings.number(0);
  const [logarithm, size] = [settings.number(1), settings.number(1)];
  let [lanes, time] = [1, 0];
  if (!settings.isAtEnd) {
    const have = settings.number(1);
    if ((have & 1) !== 0) lanes = settings.number(2);
    if ((have & 2) !== 0) time = settings.number(1);
    // A generation or a ROM is nothing that a login uses.
    if ((have & 12) !== 0) return undefined;
  }
  const flags = RW + ((flavor - RW) << 2);
  const count = 2 ** logarithm;
  const fits = settings.isAtEnd && flags === 0xb6 && size > 0 && lanes > 0 && logarithm < 32 && count / lanes >= 4 && count * size * 128 + (256 * size + 12 * BOX_WORDS) * lanes <= MOST_HASH_BYTES && time <= 8;
  return fits ? { flags, count, size, lanes, time } : undefined;
}

function decodeSalt(text: string): Uint8Array {
  const bytes: number[] = [];
  for (let at = 0; at < text.length; at += 4) {
    const group = text.slice(at, at + 4);
    let value = 0;
    for (let index = 0; index < group.length; index++) value |= CRYPT_ALPHABET.indexOf(group[index]!) << (6 * index);
    for (let index = 0; index < Math.floor((group.length * 6) / 8); index++) bytes.push((value >> (8 * index)) & 255);
  }
  return Uint8Array.from(bytes);
}

/** The whole hash for a password, with the parameters and salt of `setting`. Undefined: `setting` is not of this kind, or asks for more memory than is tried. */
export function yescrypt(password: Uint8Array, setting: string): string | undefined {
  const found = /^\$y\$([./0-9A-Za-z]{3,32})\$([./0-9A-Za-z]{0,86})(?:\$|$)/.exec(setting);
  const parameters = found === null ? undefined : parametersOf(found[1]!);
  if (found === null || parameters === undefined) return undefined;
  const { count, size, lanes } = parameters;
  const salt = decodeSalt(found[2]!);
  const share = Math.floor(count / lanes);
  const input = share >= 0x100 && share * size >= 0x20000 ? derive(password, salt, { ...parameters, flags: parameters.flags | PREHASH, count: count / 64, time: 0 }) : password;
  const hash = derive(input, salt, parameters);
  let text = '';
  for (let at = 0; at < 32; at += 3) text += charactersOf(hash[at]! | ((hash[at + 1] ?? 0) << 8) | ((hash[at + 2] ?? 0) << 16), at + 3 <= 32 ? 4 : 3);
  return `$y$${found[1]}$${found[2]}$${text}`;
}
