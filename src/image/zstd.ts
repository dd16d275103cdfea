/**
 * zstd (RFC 8878) by `fzstd`, a frame at a time and a block at a time: so no frame asks for more memory than the bound
 * on its window, and no piece of input gives more than one block of output.
 */
import { Decompress } from 'fzstd';
import { ImageFormatError, ImageLimitError } from './errors.ts';
import { MOST_ZSTD_WINDOW_BYTES } from './limits.ts';

const MAGIC = 0xfd2fb528;
const SKIPPABLE = 0x184d2a50;
const CONTENT_SIZE_BYTES = [0, 2, 4, 8];
const DICTIONARY_BYTES = [0, 1, 2, 4];

function truncated(): ImageFormatError {
  return new ImageFormatError('the zstd stream ends too early', 'get it again: it was cut short or spoiled');
}

/** Exact numbers of bytes from a stream of pieces. */
class Pieces {
  readonly #source: AsyncIterator<Uint8Array>;
  #current: Uint8Array = new Uint8Array();

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  async #more(): Promise<boolean> {
    while (this.#current.length === 0) {
      const { value, done } = await this.#source.next();
      if (done === true) return false;
      this.#current = value;
    }
    return true;
  }

  /** Undefined at the end of the stream. */
  async take(count: number): Promise<Uint8Array | undefined> {
    if (!(await this.#more())) return undefined;
    if (this.#current.length >= count) {
      const piece = this.#current.subarray(0, count);
      this.#current = this.#current.subarray(count);
      return piece;
    }
    const all = new Uint8Array(count);
    for (let have = 0; have < count;) {
      if (!(await this.#more())) throw truncated();
      const part = this.#current.subarray(0, count - have);
      all.set(part, have);
      have += part.length;
      this.#current = this.#current.subarray(part.length);
    }
    return all;
  }

  async need(count: number): Promise<Uint8Array> {
    if (count === 0) return new Uint8Array();
    const piece = await this.take(count);
    if (piece === undefined) throw truncated();
    return piece;
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }
}

function littleEndian(bytes: Uint8Array): number {
  return bytes.reduceRight((value, byte) => value * 256 + byte, 0);
}

/** RFC 8878 3.1.1.1: the rest of the frame's header, and whether a checksum ends the frame. */
async function readFrameHeader(pieces: Pieces): Promise<{ readonly bytes: readonly Uint8Array[]; readonly hasChecksum: boolean }> {
  const descriptor = await pieces.need(1);
  const flags = descriptor[0]!;
  const singleSegment = (flags & 0x20) !== 0;
  const window = await pieces.need(singleSegment ? 0 : 1);
  const dictionary = await pieces.need(DICTIONARY_BYTES[flags & 3]!);
  const size = await pieces.need(flags >>> 6 === 0 ? Number(singleSegment) : CONTENT_SIZE_BYTES[flags >>> 6]!);
  const exponent = (window[0] ?? 0) >>> 3;
  const windowBytes = singleSegment ? littleEndian(size) + (size.length === 2 ? 256 : 0) : 2 ** (10 + exponent) * (1 + ((window[0] ?? 0) & 7) / 8);
  if (windowBytes > MOST_ZSTD_WINDOW_BYTES) throw new ImageLimitError(`the zstd stream needs ${windowBytes} bytes of memory, more than ${MOST_ZSTD_WINDOW_BYTES}`, 'compress it without --long and --ultra');
  return { bytes: [descriptor, window, dictionary, size].map((part) => part.slice()), hasChecksum: (flags & 4) !== 0 };
}

async function* decodeFrame(pieces: Pieces, magic: Uint8Array): AsyncIterable<Uint8Array> {
  const outputs: Uint8Array[] = [];
  const decoder = new Decompress((chunk) => void outputs.push(chunk.slice()));
  const { bytes, hasChecksum } = await readFrameHeader(pieces);
  const push = (piece: Uint8Array, final: boolean): void => {
    try {
      decoder.push(piece.slice(), final);
    } catch (error) {
      throw new ImageFormatError(`the zstd stream is spoiled: ${(error as Error).message}`, 'get it again', { cause: error });
    }
  };
  for (const part of [magic, ...bytes]) push(part, false);
  for (let last = false; !last;) {
    const header = (await pieces.need(3)).slice();
    const value = littleEndian(header);
    last = (value & 1) !== 0;
    const body = await pieces.need(((value >>> 1) & 3) === 1 ? 1 : value >>> 3);
    push(header, false);
    push(body, last && !hasChecksum);
    if (last && hasChecksum) push(await pieces.need(4), true);
    yield* outputs.splice(0);
  }
}

/** @throws ImageFormatError for what is spoiled, ImageLimitError for a window that is too large. */
export async function* unzstd(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const pieces = new Pieces(source);
  try {
    for (let magic = await pieces.take(4); magic !== undefined; magic = await pieces.take(4)) {
      const value = littleEndian(magic);
      if (value === MAGIC) yield* decodeFrame(pieces, magic.slice());
      else if (value - (value % 16) === SKIPPABLE) {
        for (let left = littleEndian(await pieces.need(4)); left > 0;) left -= (await pieces.need(Math.min(left, 1 << 16))).length;
      } else throw new ImageFormatError('the zstd stream is spoiled: what follows is no frame', 'get it again');
    }
  } finally {
    await pieces.close();
  }
}
