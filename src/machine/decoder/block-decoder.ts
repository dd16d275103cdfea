/** The host's side of the block decoder: see `assembly/block-decoder.ts`. */
import * as layout from './layout.ts';

export interface DecodedBlock {
  records: number;
  instructions: number;
  /** Of code. */
  bytes: number;
  /** Vector that the block raises because nothing in it can be run, or -1. */
  raise: number;
}

/** A block's records are at most this many bytes. */
export const MAXIMUM_BLOCK_BYTES = layout.MAXIMUM_RECORDS * 32;

export class BlockDecoder {
  readonly #decode: (address: number, available: number, maximum: number) => void;
  readonly #u8: Uint8Array;
  readonly #i32: Int32Array;
  readonly #block: DecodedBlock = { records: 0, instructions: 0, bytes: 0, raise: 0 };

  /** `tables`: what `packDecoderTables` made. */
  constructor(module: WebAssembly.Module, tables: Uint8Array) {
    const { memory, decodeBlock } = new WebAssembly.Instance(module, {}).exports;
    this.#decode = decodeBlock as (address: number, available: number, maximum: number) => void;
    this.#u8 = new Uint8Array((memory as WebAssembly.Memory).buffer);
    this.#i32 = new Int32Array(this.#u8.buffer);
    this.#u8.set(tables, layout.TABLES);
  }

  /**
   * Decodes the block at guest address `address`, whose code begins at `bytes[offset]` and of which the
   * `available` first bytes may be executed. Its records are put at `bytes[target]`. The answer is valid until the next call.
   */
  decode(bytes: Uint8Array, offset: number, available: number, address: number, maximum: number, target: number): DecodedBlock {
    const size = Math.min(available, layout.CODE_SIZE);
    this.#u8.set(bytes.subarray(offset, offset + size), layout.CODE);
    this.#decode(address, size, maximum);
    const block = this.#block;
    const records = (block.records = this.#i32[layout.RESULT_RECORDS >> 2] ?? 0);
    block.bytes = this.#i32[layout.RESULT_BYTES >> 2] ?? 0;
    block.instructions = this.#i32[layout.RESULT_INSTRUCTIONS >> 2] ?? 0;
    block.raise = this.#i32[layout.RESULT_RAISE >> 2] ?? 0;
    bytes.set(this.#u8.subarray(layout.RECORDS, layout.RECORDS + records * 32), target);
    return block;
  }
}
