/** Random numbers, and the values at which instructions go wrong. Numbers of 64 bits are two 32-bit words here: BigInts would take most of the time. */

/** sfc32 (Doty-Humphrey, PractRand): the same cases for the same seed, and no two seeds on one short cycle. */
export class Random {
  #a: number;
  #b = 0x243f_6a88;
  #c = 0x13c6_ef37;
  #counter = 1;

  constructor(seed: number) {
    this.#a = seed | 0;
    for (let round = 0; round < 12; round++) this.next();
  }

  /** 32 bits, signed. */
  next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum;
  }

  below(limit: number): number {
    return Math.floor(((this.next() >>> 0) / 0x1_0000_0000) * limit);
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }
}

const INTEGERS: readonly bigint[] = [
  0n, 1n, 2n, 3n, 7n, 8n, 15n, 16n, 31n, 32n, 33n, 63n, 64n, 65n, 127n, 128n, 129n, 254n, 255n, 256n,
  0x7fffn, 0x8000n, 0x8001n, 0xfffen, 0xffffn, 0x1_0000n, 0x7fff_ffffn, 0x8000_0000n, 0x8000_0001n, 0xffff_fffen, 0xffff_ffffn,
  0x1_0000_0000n, 0x7fff_ffff_ffff_ffffn, 0x8000_0000_0000_0000n, 0x8000_0000_0000_0001n,
  0xffff_ffff_ffff_fffen, 0xffff_ffff_ffff_ffffn, 0xffff_ffff_8000_0000n, 0xffff_ffff_7fff_ffffn, 0x5555_5555_5555_5555n,
  0xaaaa_aaaa_aaaa_aaaan, 0x0102_0304_0506_0708n, 0x8080_8080_8080_8080n, 0x7f7f_7f7f_7f7f_7f7fn, 0x00ff_00ff_00ff_00ffn,
  0x8000_8000_8000_8000n, 0x7fff_8000_7fff_8000n, 0x8000_0000_7fff_ffffn,
];

/** Low and high words of each, one after the other. */
function wordsOf(values: readonly bigint[]): Int32Array {
  return new Int32Array(BigUint64Array.from(values).buffer);
}

const INTEGER_WORDS = wordsOf(INTEGERS);

/** One of the pairs of `from` to the two words at `at`. */
function pickWords(random: Random, from: Int32Array, words: Int32Array, at: number): void {
  const index = random.below(from.length >> 1) * 2;
  words[at] = from[index]!;
  words[at + 1] = from[index + 1]!;
}

/** 64 bits, to the two words at `at`. */
export function integer(random: Random, words: Int32Array, at: number): void {
  if (random.chance(40)) {
    pickWords(random, INTEGER_WORDS, words, at);
    return;
  }
  const high = random.next();
  const low = random.next();
  // All magnitudes, not only the largest.
  const shift = random.chance(50) ? 0 : random.below(64);
  if (shift >= 32) {
    words[at] = high >>> (shift - 32);
    words[at + 1] = 0;
  } else {
    words[at] = shift === 0 ? low : (low >>> shift) | (high << (32 - shift));
    words[at + 1] = high >>> shift;
  }
}

/** Single precision, as bits. */
const SINGLES: readonly number[] = [
  0x0000_0000, 0x8000_0000, 0x3f80_0000, 0xbf80_0000, 0x4000_0000, 0x3f00_0000, 0x3fc0_0000, 0xbf00_0000, 0x4020_0000,
  0x7f80_0000, 0xff80_0000, 0x7fc0_0000, 0xffc0_0000, 0x7f80_0001, 0xffa0_0000, 0x7fff_ffff, 0x0000_0001, 0x8000_0001,
  0x007f_ffff, 0x0080_0000, 0x8080_0000, 0x7f7f_ffff, 0xff7f_ffff, 0x4f00_0000, 0xcf00_0000, 0x4eff_ffff, 0x5f00_0000,
  0xdf00_0000, 0x4b00_0000, 0x4b00_0001, 0x3400_0000, 0x3eaa_aaab, 0x4049_0fdb, 0x477f_ff00,
];

const DOUBLES: readonly bigint[] = [
  0n, 0x8000_0000_0000_0000n, 0x3ff0_0000_0000_0000n, 0xbff0_0000_0000_0000n, 0x3fe0_0000_0000_0000n, 0xbfe0_0000_0000_0000n,
  0x3ff8_0000_0000_0000n, 0x4004_0000_0000_0000n, 0x7ff0_0000_0000_0000n, 0xfff0_0000_0000_0000n, 0x7ff8_0000_0000_0000n,
  0xfff8_0000_0000_0000n, 0x7ff0_0000_0000_0001n, 0xfff4_0000_0000_0000n, 0x7fff_ffff_ffff_ffffn, 1n, 0x8000_0000_0000_0001n,
  0x000f_ffff_ffff_ffffn, 0x0010_0000_0000_0000n, 0x7fef_ffff_ffff_ffffn, 0xffef_ffff_ffff_ffffn, 0x41e0_0000_0000_0000n,
  0xc1e0_0000_0000_0000n, 0x41df_ffff_ffc0_0000n, 0x41df_ffff_ffe0_0000n, 0xc1e0_0000_0010_0000n, 0x43e0_0000_0000_0000n,
  0xc3e0_0000_0000_0000n, 0x43df_ffff_ffff_ffffn, 0x4330_0000_0000_0000n, 0x4330_0000_0000_0001n, 0x3cb0_0000_0000_0000n,
  0x3fd5_5555_5555_5555n, 0x4009_21fb_5444_2d18n, 0x47ef_ffff_e000_0000n, 0x47ef_ffff_f000_0000n, 0x3810_0000_0000_0000n,
  0x36a0_0000_0000_0000n, 0x380f_ffff_f000_0000n,
];

export function single(random: Random): number {
  if (random.chance(50)) return random.pick(SINGLES);
  if (random.chance(30)) return random.next();
  // Near one another, so that sums and products stay finite.
  const exponent = 127 + (random.chance(50) ? random.below(8) - 4 : random.below(80) - 40);
  return (random.next() & 0x807f_ffff) | (exponent << 23);
}

const DOUBLE_WORDS = wordsOf(DOUBLES);

/** Double precision, to the two words at `at`. */
export function double(random: Random, words: Int32Array, at: number): void {
  if (random.chance(50)) {
    pickWords(random, DOUBLE_WORDS, words, at);
    return;
  }
  words[at] = random.next();
  const high = random.next();
  const exponent = 1023 + (random.chance(50) ? random.below(8) - 4 : random.below(160) - 80);
  words[at + 1] = random.chance(30) ? high : (high & 0x800f_ffff) | (exponent << 20);
}

/** 16 bytes as one of the things that instructions take them for, to the four words at `at`. */
export function vector(random: Random, words: Int32Array, at: number): void {
  const kind = random.below(4);
  if (kind === 0) for (let lane = 0; lane < 4; lane++) words[at + lane] = single(random);
  else if (kind === 1) for (let lane = 0; lane < 4; lane += 2) double(random, words, at + lane);
  else if (kind === 2) for (let lane = 0; lane < 4; lane += 2) integer(random, words, at + lane);
  else for (let lane = 0; lane < 4; lane++) words[at + lane] = random.next();
}

const EXTENDED_EXPONENTS: readonly number[] = [
  0, 0, 1, 2, 0x3fbf, 0x3ffd, 0x3ffe, 0x3fff, 0x3fff, 0x3fff, 0x4000, 0x4001, 0x401d, 0x401e, 0x401f, 0x403d, 0x403e, 0x403f,
  0x7ffe, 0x7fff, 0x7fff, 0x3c01, 0x43fe, 0x3f81, 0x407e, 0x407f,
];
const EXTENDED_SIGNIFICANDS: readonly bigint[] = [
  0n, 0x8000_0000_0000_0000n, 0x8000_0000_0000_0000n, 0x8000_0000_0000_0001n, 0xc000_0000_0000_0000n, 0xa000_0000_0000_0000n,
  0xffff_ffff_ffff_ffffn, 0xffff_ffff_ffff_fc00n, 0xffff_ff00_0000_0000n, 1n, 0x4000_0000_0000_0000n, 0xc90f_daa2_2168_c235n,
];

const EXTENDED_WORDS = wordsOf(EXTENDED_SIGNIFICANDS);

/** Extended precision, with denormals, unnormals and all kinds of NaN, to the 10 bytes at word `at`; the two bytes behind them are cleared. */
export function extended(random: Random, words: Int32Array, at: number): void {
  const sign = random.below(2) << 15;
  const usual = random.chance(60);
  const exponent = usual ? 0x3fff + random.below(40) - 20 : random.chance(70) ? random.pick(EXTENDED_EXPONENTS) : random.below(0x8000);
  if (random.chance(40)) pickWords(random, EXTENDED_WORDS, words, at);
  else {
    words[at] = random.next();
    words[at + 1] = random.next();
  }
  // Unnormals are rare: most values are numbers.
  if (exponent !== 0 && random.chance(93)) words[at + 1]! |= 0x8000_0000;
  words[at + 2] = sign | exponent;
}
