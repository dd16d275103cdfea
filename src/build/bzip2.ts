/**
 * bzip2, read. There is no specification but the program (bzip2 1.0.8, `decompress.c`, `huffman.c`); the names are its.
 *
 * Own code (docs/dependencies.md has why). A block is bounded by the size that its header gives, at most 900,000 bytes, and every loop by that or by
 * its input.
 */
import { BuildError } from './errors.ts';

const BLOCK_MAGIC = [0x31_41_59, 0x26_53_59] as const;
const END_MAGIC = [0x17_72_45, 0x38_50_90] as const;
const LEVEL_BYTES = 100_000;
const MOST_CODE_BITS = 20;
const GROUP_SYMBOLS = 50;
/** BZ_RUNA and BZ_RUNB: digits of how often the first symbol comes again. */
const RUN_B = 1;
/** After so many bytes that are the same, the next says how many more there are. */
const REPEATED = 4;
const PIECE_BYTES = 1 << 18;

function spoiled(why: string): BuildError {
  return new BuildError(`cannot unpack the archive: ${why}`, { advice: 'make it again, or COPY it and unpack it with RUN tar' });
}

class Bits {
  readonly #chunks: Iterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array();
  #at = 0;
  #buffer = 0;
  #count = 0;

  constructor(chunks: Iterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.iterator]();
  }

  /** Undefined: there are no more. */
  #byte(): number | undefined {
    while (this.#at === this.#chunk.length) {
      const { value, done } = this.#chunks.next();
      if (done === true) return undefined;
      this.#chunk = value;
      this.#at = 0;
    }
    return this.#chunk[this.#at++]!;
  }

  /** At most 24. */
  read(count: number): number {
    while (this.#count < count) {
      const byte = this.#byte();
      if (byte === undefined) throw spoiled('it is cut short');
      this.#buffer = ((this.#buffer << 8) | byte) >>> 0;
      this.#count += 8;
    }
    this.#count -= count;
    const value = this.#buffer >>> this.#count;
    this.#buffer &= (1 << this.#count) - 1;
    return value;
  }

  read32(): number {
    return ((this.read(16) << 16) | this.read(16)) >>> 0;
  }

  /** On to a whole byte: whether the three there are `BZh`, which are read then. */
  isNextStream(): boolean {
    this.#buffer = 0;
    this.#count = 0;
    return [0x42, 0x5a, 0x68].every((expected) => this.#byte() === expected);
  }

  end(): void {
    this.#chunks.return?.();
  }
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index << 24;
  for (let bit = 0; bit < 8; bit++) value = value < 0 ? (value << 1) ^ 0x04c1_1db7 : value << 1;
  return value >>> 0;
});

/** A code for the symbols, by its lengths (`BZ2_hbCreateDecodeTables`). */
class Code {
  readonly #symbols: Uint16Array;
  /** Of codes with that many bits: the largest, and what is taken off to get the place of the symbol. */
  readonly #limit = new Int32Array(MOST_CODE_BITS + 1).fill(-1);
  readonly #base = new Int32Array(MOST_CODE_BITS + 1);
  readonly #shortest: number;

  constructor(lengths: Uint8Array) {
    this.#shortest = Math.min(...lengths);
    this.#symbols = Uint16Array.from([...lengths.keys()].sort((left, right) => lengths[left]! - lengths[right]! || left - right));
    let code = 0;
    let place = 0;
    for (let bits = this.#shortest; bits <= MOST_CODE_BITS; bits++) {
      const count = lengths.reduce((sum, length) => sum + (length === bits ? 1 : 0), 0);
      this.#base[bits] = code - place;
      code += count;
      place += count;
      this.#limit[bits] = code - 1;
      code *= 2;
    }
  }

  read(bits: Bits): number {
    let length = this.#shortest;
    for (let code = bits.read(length); ; code = (code << 1) | bits.read(1)) {
      if (code <= this.#limit[length]!) {
        const symbol = this.#symbols[code - this.#base[length]!];
        if (symbol === undefined) throw spoiled('it is spoiled');
        return symbol;
      }
      if (++length > MOST_CODE_BITS) throw spoiled('it is spoiled');
    }
  }
}

/** Takes the symbol at a place to the front. */
function toFront(symbols: Uint8Array, place: number): number {
  const symbol = symbols[place]!;
  symbols.copyWithin(1, 0, place);
  symbols[0] = symbol;
  return symbol;
}

/** The bytes that a block uses. */
function readAlphabet(bits: Bits): Uint8Array {
  const groups = bits.read(16);
  const used: number[] = [];
  for (let group = 0; group < 16; group++) {
    if ((groups & (0x8000 >> group)) === 0) continue;
    const members = bits.read(16);
    for (let member = 0; member < 16; member++) if ((members & (0x8000 >> member)) !== 0) used.push(group * 16 + member);
  }
  if (used.length === 0) throw spoiled('it is spoiled');
  return Uint8Array.from(used);
}

function readSelectors(bits: Bits, codes: number): Uint8Array {
  const selectors = new Uint8Array(bits.read(15));
  const order = Uint8Array.from({ length: codes }, (_, index) => index);
  if (selectors.length === 0) throw spoiled('it is spoiled');
  for (let index = 0; index < selectors.length; index++) {
    let place = 0;
    while (bits.read(1) === 1) if (++place >= codes) throw spoiled('it is spoiled');
    selectors[index] = toFront(order, place);
  }
  return selectors;
}

function readCode(bits: Bits, symbols: number): Code {
  const lengths = new Uint8Array(symbols);
  let length = bits.read(5);
  for (let symbol = 0; symbol < symbols; symbol++) {
    for (;;) {
      if (length < 1 || length > MOST_CODE_BITS) throw spoiled('it is spoiled');
      if (bits.read(1) === 0) break;
      length += bits.read(1) === 0 ? 1 : -1;
    }
    lengths[symbol] = length;
  }
  return new Code(lengths);
}

/** The last column of a block's sorted rotations (`tt`, its low byte), by Huffman codes, moves to the front and runs. */
function readColumn(bits: Bits, blockBytes: number): Uint32Array {
  const alphabet = readAlphabet(bits);
  const codeCount = bits.read(3);
  if (codeCount < 2 || codeCount > 6) throw spoiled('it is spoiled');
  const selectors = readSelectors(bits, codeCount);
  const codes = Array.from({ length: codeCount }, () => readCode(bits, alphabet.length + 2));
  const last = alphabet.length + 1;
  const column = new Uint32Array(blockBytes);
  let count = 0;
  let run = 0;
  let weight = 1;
  for (let index = 0; ; index++) {
    const code = codes[selectors[Math.floor(index / GROUP_SYMBOLS)] ?? codeCount];
    if (code === undefined) throw spoiled('it is spoiled');
    const symbol = code.read(bits);
    if (symbol <= RUN_B) {
      run += weight * (symbol + 1);
      weight *= 2;
      if (run > blockBytes) throw spoiled('it is spoiled');
      continue;
    }
    if (count + run + (symbol === last ? 0 : 1) > blockBytes) throw spoiled('it is spoiled');
    column.fill(alphabet[0]!, count, count + run);
    count += run;
    run = 0;
    weight = 1;
    if (symbol === last) return column.subarray(0, count);
    column[count++] = toFront(alphabet, symbol - 1);
  }
}

/** From the last column to the order in which its bytes come: links in the upper 24 bits. */
function linkColumn(column: Uint32Array): void {
  const starts = new Uint32Array(257);
  for (const byte of column) starts[byte + 1]!++;
  for (let byte = 0; byte < 256; byte++) starts[byte + 1]! += starts[byte]!;
  for (let index = 0; index < column.length; index++) column[starts[column[index]! & 0xff]!++]! |= index << 8;
}

/** The block's bytes, at most 46 MB of a block of 900,000, and their CRC. */
function readBlock(bits: Bits, blockBytes: number): { readonly pieces: readonly Uint8Array[]; readonly crc: number } {
  if (bits.read(1) === 1) throw spoiled('bzip2 before 0.9.5 made it');
  const origin = bits.read(24);
  const column = readColumn(bits, blockBytes);
  if (origin >= column.length) throw spoiled('it is spoiled');
  linkColumn(column);
  const pieces: Uint8Array[] = [];
  let piece = new Uint8Array(PIECE_BYTES);
  let filled = 0;
  let crc = 0xffff_ffff;
  let repeated = 0;
  let before = -1;
  let place = column[origin]! >>> 8;
  for (let index = 0; index < column.length; index++) {
    const link = column[place]!;
    const byte = link & 0xff;
    place = link >>> 8;
    const isCount = repeated === REPEATED;
    const value = isCount ? before : byte;
    for (let copies = isCount ? byte : 1; copies > 0; copies--) {
      crc = (crc << 8) ^ CRC_TABLE[((crc >>> 24) ^ value) & 0xff]!;
      piece[filled++] = value;
      if (filled < PIECE_BYTES) continue;
      pieces.push(piece);
      piece = new Uint8Array(PIECE_BYTES);
      filled = 0;
    }
    repeated = isCount ? 0 : byte === before ? repeated + 1 : 1;
    before = isCount ? -1 : byte;
  }
  if (filled > 0) pieces.push(piece.subarray(0, filled));
  return { pieces, crc: ~crc >>> 0 };
}

/** The bytes that were compressed; what stands behind the last stream is passed over, as by bzip2. @throws BuildError where they are spoiled */
export function* unbzip2(chunks: Iterable<Uint8Array>): Iterable<Uint8Array> {
  const bits = new Bits(chunks);
  try {
    if (!bits.isNextStream()) throw spoiled('it is no bzip2 file');
    do {
      const level = bits.read(8) - 0x30;
      if (level < 1 || level > 9) throw spoiled('it is no bzip2 file');
      let combined = 0;
      for (;;) {
        const magic = [bits.read(24), bits.read(24)];
        const crc = bits.read32();
        if (magic[0] === END_MAGIC[0] && magic[1] === END_MAGIC[1]) {
          if (crc !== combined) throw spoiled('its checksum is wrong');
          break;
        }
        if (magic[0] !== BLOCK_MAGIC[0] || magic[1] !== BLOCK_MAGIC[1]) throw spoiled('it is spoiled');
        const block = readBlock(bits, level * LEVEL_BYTES);
        if (block.crc !== crc) throw spoiled('its checksum is wrong');
        yield* block.pieces;
        combined = (((combined << 1) | (combined >>> 31)) ^ crc) >>> 0;
      }
    } while (bits.isNextStream());
  } finally {
    bits.end();
  }
}
