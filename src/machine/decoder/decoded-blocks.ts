/**
 * Blocks that were decoded for some address space, for the next one that has the same code at the same address: programs
 * are executed again and again, and their children begin with their code.
 */
import * as record from '../interpreter/record.ts';
import { bytesOf, raiseOf, recordsOf, BlockDecoder } from './block-decoder.ts';
import type { DecoderImage } from './block-decoder.ts';
import { BLOCKS, CODE } from './layout.ts';

/** A block ends after so many instructions at the latest. */
export const MAXIMUM_INSTRUCTIONS = 24;
/** A header, the instructions, and the record that ends a block. */
export const MAXIMUM_BLOCK_BYTES = record.BLOCK_HEADER_SIZE + (MAXIMUM_INSTRUCTIONS + 1) * record.RECORD_SIZE;
const MAXIMUM_CODE_BYTES = 15 * MAXIMUM_INSTRUCTIONS;
/** With its code, and the answer. */
const MAXIMUM_ENTRY_BYTES = MAXIMUM_BLOCK_BYTES + MAXIMUM_CODE_BYTES + 8;
const WASM_PAGE = 65536;
/** The decoder's own tables and some blocks. */
const INITIAL_BYTES = 4 << 20;
/** From here on what was decoded is forgotten, all at once. */
const MAXIMUM_BYTES = 16 << 20;

/** Of all address spaces of a machine but the first. Lies where no guest can change it, the decoder's tables as well. */
export class DecodedBlocks {
  readonly #memory = new WebAssembly.Memory({ initial: INITIAL_BYTES / WASM_PAGE });
  #u8 = new Uint8Array(this.#memory.buffer);
  #i32 = new Int32Array(this.#memory.buffer);
  readonly #decoder: BlockDecoder;
  /** Where the block of an address (as a signed integer, which costs no allocation) is: behind its answer, before its code. */
  readonly #blocks = new Map<number, number>();
  #free = BLOCKS;

  constructor(image: DecoderImage) {
    this.#decoder = new BlockDecoder(image, this.#memory);
    this.#decoder.reset(this.#u8);
  }

  /** Puts header and records of the block at `address` at `u8[target]`; the answer and the rest as in `BlockDecoder.decode`. */
  decode(u8: Uint8Array, offset: number, available: number, address: number, target: number): number {
    let block = this.#find(u8, offset, available, address);
    if (block === 0) block = this.#decode(u8, offset, available, address);
    const answer = this.#answerAt(block);
    u8.set(this.#u8.subarray(block, endOf(block, answer)), target);
    return answer;
  }

  #answerAt(block: number): number {
    return (this.#i32[(block >>> 2) - 1] ?? 0) >>> 0;
  }

  /** A block of the very same code, or 0. */
  #find(code: Uint8Array, offset: number, available: number, address: number): number {
    const block = this.#blocks.get(address | 0);
    if (block === undefined) return 0;
    const answer = this.#answerAt(block);
    const length = bytesOf(answer);
    if (length > available) return 0;
    const u8 = this.#u8;
    const own = endOf(block, answer);
    for (let at = 0; at < length; at++) if (u8[own + at] !== code[offset + at]) return 0;
    return block;
  }

  #decode(code: Uint8Array, offset: number, available: number, address: number): number {
    const block = this.#allocate();
    // The guest can make pages look executable that lie behind its memory.
    const size = Math.max(0, Math.min(available, MAXIMUM_CODE_BYTES, code.length - offset));
    this.#u8.set(code.subarray(offset, offset + size), CODE);
    const answer = this.#decoder.decode(this.#u8, CODE, size, address, MAXIMUM_INSTRUCTIONS, block);
    this.#i32[(block >>> 2) - 1] = answer;
    // What only faults may be something else the next time, with as few bytes.
    if (raiseOf(answer) >= 0) return block;
    const own = endOf(block, answer);
    const length = bytesOf(answer);
    this.#u8.set(code.subarray(offset, offset + length), own);
    this.#blocks.set(address | 0, block);
    this.#free = Math.ceil((own + length) / 8) * 8;
    return block;
  }

  #allocate(): number {
    if (this.#free + MAXIMUM_ENTRY_BYTES > this.#u8.length) {
      if (this.#u8.length < MAXIMUM_BYTES) {
        this.#memory.grow(this.#u8.length / WASM_PAGE);
        this.#u8 = new Uint8Array(this.#memory.buffer);
        this.#i32 = new Int32Array(this.#memory.buffer);
      } else {
        this.#blocks.clear();
        this.#free = BLOCKS;
      }
    }
    return this.#free + 8;
  }
}

function endOf(block: number, answer: number): number {
  return block + record.BLOCK_HEADER_SIZE + recordsOf(answer) * record.RECORD_SIZE;
}
