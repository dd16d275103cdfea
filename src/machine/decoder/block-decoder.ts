/** The host's side of the block decoder: see `assembly/block-decoder.ts`. */
import * as layout from './layout.ts';

/** An instruction has 15 bytes, and the decoder looks at its code before it knows the length. */
const LOOK_AHEAD = 32;

const RECORDS_MASK = (1 << layout.ANSWER_RECORDS_BITS) - 1;
const INSTRUCTIONS_SHIFT = layout.ANSWER_RECORDS_BITS;
const INSTRUCTIONS_MASK = (1 << layout.ANSWER_INSTRUCTIONS_BITS) - 1;
const BYTES_SHIFT = INSTRUCTIONS_SHIFT + layout.ANSWER_INSTRUCTIONS_BITS;
const BYTES_MASK = (1 << layout.ANSWER_BYTES_BITS) - 1;
const RAISE_SHIFT = BYTES_SHIFT + layout.ANSWER_BYTES_BITS;

// Parts of an answer.
export function recordsOf(answer: number): number { return answer & RECORDS_MASK; }
export function instructionsOf(answer: number): number { return (answer >>> INSTRUCTIONS_SHIFT) & INSTRUCTIONS_MASK; }
/** Of code. */
export function bytesOf(answer: number): number { return (answer >>> BYTES_SHIFT) & BYTES_MASK; }
/** Vector that the block raises because nothing in it can be run, or -1. */
export function raiseOf(answer: number): number { return (answer >>> RAISE_SHIFT) - 1; }

/** The compiled decoder with its tables. */
export interface DecoderImage {
  readonly module: WebAssembly.Module;
  /** What `packDecoderTables` made. */
  readonly tables: Uint8Array;
}

type DecodeBlock = (address: number, code: number, available: number, maximum: number, block: number) => number;

/** A decoder for the code of one memory. */
export class BlockDecoder {
  readonly #decode: DecodeBlock;
  readonly #tables: Uint8Array;

  constructor({ module, tables }: DecoderImage, memory: WebAssembly.Memory) {
    this.#tables = tables;
    this.#decode = new WebAssembly.Instance(module, { env: { memory } }).exports['decodeBlock'] as DecodeBlock;
  }

  /** For a new owner of the memory, whoever had it before may have written to the tables. `u8`: the memory. */
  reset(u8: Uint8Array): void {
    u8.set(this.#tables, layout.TABLES);
  }

  /**
   * Decodes the block at guest address `address`, whose code begins at `u8[offset]` and of which the
   * `available` first bytes may be executed, at most `maximum` (48) instructions. Header and records are put at
   * `u8[block]`. Read the answer with `recordsOf` and the others.
   */
  decode(u8: Uint8Array, offset: number, available: number, address: number, maximum: number, block: number): number {
    const size = Math.min(available, layout.CODE_SIZE);
    if (offset + size + LOOK_AHEAD <= u8.length) return this.#decode(address, offset, size, maximum, block) >>> 0;
    u8.copyWithin(layout.CODE, offset, offset + size);
    return this.#decode(address, layout.CODE, size, maximum, block) >>> 0;
  }
}
