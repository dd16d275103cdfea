/** Decoded blocks of one address space: made on demand, found by address, dropped by page. */
import { bytesOf, instructionsOf, raiseOf, recordsOf } from '../decoder/block-decoder.ts';
import { MAXIMUM_BLOCK_BYTES } from '../decoder/decoded-blocks.ts';
import { COMPACT_RECORDS_END, COMPACT_RECORDS_START, DECODED_END, DECODED_START, JUMP_TABLE, PAGE_CODE, PAGE_EXEC } from '../layout.ts';
import { GUEST_BASE, STATE_GENERATION } from '../state.ts';
import type { MachineStatistics } from '../machine-types.ts';
import * as record from './record.ts';

/** Where records are put, as guest addresses. */
interface Arena {
  readonly start: number;
  readonly end: number;
}
const LOW_ARENA: Arena = { start: COMPACT_RECORDS_START, end: COMPACT_RECORDS_END };
const HIGH_ARENA: Arena = { start: DECODED_START, end: DECODED_END };
const JUMP_TABLE_OFFSET = JUMP_TABLE - GUEST_BASE;
const UNDEFINED_OPCODE = 6;

/**
 * Puts the block at guest address `address`, whose code begins at `u8[offset]` and of which `available` bytes may be executed, at
 * `u8[block]`. The answer: see `block-decoder.ts`.
 */
export type Decode = (u8: Uint8Array, offset: number, available: number, address: number, block: number) => number;

/** What the cache needs of its address space. */
export interface CodeMemory {
  readonly u8: Uint8Array;
  readonly i32: Int32Array;
  readonly view: DataView;
  readonly pages: Uint8Array;
  /** Makes it reach a guest address. False: no memory. */
  grow(end: number): boolean;
}

// Fields of a block in the table of blocks: 32-bit words.
const BLOCK_START = 0;
/** Offset of the header in the memory; 0 for a block that was dropped. */
const BLOCK_POINTER = 1;
const BLOCK_RECORDS = 2;
/** Number of the next block that has bytes in the same page, or 0: in its first page, and in its second. */
const BLOCK_NEXT = 3;
const BLOCK_NEXT_SECOND = 4;
const BLOCK_WORDS = 5;
const INITIAL_BLOCKS = 256;

export class BlockCache {
  readonly #memory: CodeMemory;
  #decodeInto: Decode;
  /** Number of the block that starts at an address (as a signed integer, which costs no allocation). */
  readonly #numbers = new Map<number, number>();
  /** Number of the first block that has bytes in a page. */
  readonly #firstInPage = new Map<number, number>();
  /** `BLOCK_WORDS` words a block; number 0 is none. */
  #blocks = new Int32Array(INITIAL_BLOCKS * BLOCK_WORDS);
  #count = 1;
  /** Filled one after the other. */
  #arenas: readonly Arena[] = [HIGH_ARENA];
  #arena = 0;
  /** Offset of the first free byte, and of the end of the arena; equal until there is a record. */
  #free = 0;
  #end = 0;
  #counter = record.BLOCK_COUNT;
  readonly #statistics: MachineStatistics;
  /** Table slot of a linked unit at an address, or 0. */
  readonly #unitSlot: (address: number) => number;

  constructor(memory: CodeMemory, decode: Decode, unitSlot: (address: number) => number, statistics: MachineStatistics) {
    this.#memory = memory;
    this.#decodeInto = decode;
    this.#unitSlot = unitSlot;
    this.#statistics = statistics;
  }

  get bytes(): number {
    let bytes = 0;
    for (const { start, end } of this.#arenas.slice(0, this.#arena)) bytes += end - start;
    return bytes + (this.#end === 0 ? 0 : this.#free - this.#startOf(this.#arena));
  }

  /** Where nothing is decoded yet: records go to the lower place first. */
  useLowArena(): void {
    this.#arenas = [LOW_ARENA, HIGH_ARENA];
  }

  #startOf(arena: number): number {
    return (this.#arenas[arena]?.start ?? 0) - GUEST_BASE;
  }

  /** From here on blocks are decoded so; those of before are forgotten. `counter` is what new blocks begin with: 0 reports each entry. */
  decodeWith(decode: Decode, counter: number): void {
    this.flush();
    this.#decodeInto = decode;
    this.#counter = counter;
  }

  /** Offset where a block has room. Where there is none, all are forgotten. */
  #allocate(): number {
    if (this.#free + MAXIMUM_BLOCK_BYTES > this.#end) {
      const next = this.#end === 0 ? 0 : this.#arena + 1;
      if (!this.#enterArena(next)) {
        this.flush();
        this.#enterArena(0);
      }
    }
    return this.#free;
  }

  #enterArena(number: number): boolean {
    const arena = this.#arenas[number];
    if (arena === undefined || !this.#memory.grow(arena.end)) return false;
    this.#arena = number;
    this.#free = arena.start - GUEST_BASE;
    this.#end = arena.end - GUEST_BASE;
    return true;
  }

  /** Offset of the header of the block at an address, or 0. */
  #pointerOf(address: number): number {
    const number = this.#numbers.get(address | 0);
    return number === undefined ? 0 : (this.#blocks[number * BLOCK_WORDS + BLOCK_POINTER] ?? 0);
  }

  /** Block that starts at a guest address, decoded if need be; its pointer. Enters it in the jump table. */
  lookup(address: number): number {
    let pointer = this.#pointerOf(address);
    const slot = this.#unitSlot(address);
    if (pointer === 0) {
      pointer = slot === 0 ? this.#decode(address) : this.#enterUnit(address, slot);
      // A block that only faults must not be found again when its bytes have changed.
      if (!this.#numbers.has(address | 0)) return pointer;
    }
    const entry = (JUMP_TABLE_OFFSET + record.jumpHash(address) * record.JUMP_ENTRY_SIZE) >>> 2;
    const { i32 } = this.#memory;
    i32[entry] = address;
    i32[entry + 1] = pointer;
    i32[entry + 2] = slot;
    return pointer;
  }

  /** Block of the direct target of a record; the record remembers it. */
  resolve(recordPointer: number): number {
    const target = this.#memory.view.getUint32(recordPointer + record.RECORD_TARGET, true);
    const pointer = this.lookup(target);
    if (this.#numbers.has(target | 0)) this.#memory.view.setInt32(recordPointer + record.RECORD_TARGET_BLOCK, pointer, true);
    return pointer;
  }

  /** How often a block was entered since it last reported itself, or was made. */
  entries(address: number): number {
    const pointer = this.#pointerOf(address);
    if (pointer === 0) return 0;
    return record.BLOCK_COUNT - this.#memory.view.getInt32(pointer + record.BLOCK_COUNTER, true);
  }

  /** Makes entering this block run a translated unit. */
  linkUnit(address: number, slot: number): void {
    const pointer = this.#pointerOf(address);
    if (pointer === 0) return;
    this.#writeEntry(pointer, address, slot);
    const { i32 } = this.#memory;
    const entry = (JUMP_TABLE_OFFSET + record.jumpHash(address) * record.JUMP_ENTRY_SIZE) >>> 2;
    if (i32[entry] === (address | 0)) i32[entry + 2] = slot;
  }

  /** The block there must not lead to its unit any more. */
  unlinkUnit(address: number): void {
    const number = this.#numbers.get(address | 0);
    if (number !== undefined) this.#drop(number);
  }

  /** Makes the first record of a block enter a unit. */
  #writeEntry(pointer: number, address: number, slot: number): void {
    const { view } = this.#memory;
    const first = pointer + record.BLOCK_HEADER_SIZE;
    view.setUint16(first + record.RECORD_HANDLER, record.HANDLER_ENTER_UNIT, true);
    view.setUint32(first + record.RECORD_IMMEDIATE, slot, true);
    view.setUint32(first + record.RECORD_PC, address, true);
  }

  /** A block for code that is a unit: nothing is decoded. */
  #enterUnit(address: number, slot: number): number {
    const pointer = this.#allocate();
    const { view } = this.#memory;
    view.setInt32(pointer + record.BLOCK_COUNTER, record.BLOCK_COUNT, true);
    view.setUint32(pointer + record.BLOCK_PC, address, true);
    this.#writeEntry(pointer, address, slot);
    this.#free = pointer + record.BLOCK_HEADER_SIZE + record.RECORD_SIZE;
    this.#remember(address, address + 1, pointer, 1);
    return pointer;
  }

  /** Drops what was decoded from the bytes of [start, end). Records in flight dispatch afresh. */
  invalidate(start: number, end: number): void {
    const { pages } = this.#memory;
    for (let page = start >>> 12; page <= (end - 1) >>> 12; page++) {
      if (((pages[page] ?? 0) & PAGE_CODE) === 0) continue;
      pages[page] = (pages[page] ?? 0) & ~PAGE_CODE;
      let number = this.#firstInPage.get(page) ?? 0;
      this.#firstInPage.delete(page);
      while (number !== 0) {
        const at = number * BLOCK_WORDS;
        const isFirst = (this.#blocks[at + BLOCK_START] ?? 0) >>> 12 === page;
        this.#drop(number);
        number = this.#blocks[at + (isFirst ? BLOCK_NEXT : BLOCK_NEXT_SECOND)] ?? 0;
      }
    }
  }

  /** It stays in the lists of its pages, as dead. */
  #drop(number: number): void {
    const { view, i32 } = this.#memory;
    const blocks = this.#blocks;
    const at = number * BLOCK_WORDS;
    const pointer = blocks[at + BLOCK_POINTER] ?? 0;
    if (pointer === 0) return;
    const start = blocks[at + BLOCK_START] ?? 0;
    blocks[at + BLOCK_POINTER] = 0;
    if (this.#numbers.get(start) === number) this.#numbers.delete(start);
    const records = blocks[at + BLOCK_RECORDS] ?? 0;
    for (let index = 0; index < records; index++) {
      view.setUint16(pointer + record.BLOCK_HEADER_SIZE + index * record.RECORD_SIZE + record.RECORD_HANDLER, record.HANDLER_REDISPATCH, true);
    }
    const entry = (JUMP_TABLE_OFFSET + record.jumpHash(start) * record.JUMP_ENTRY_SIZE) >>> 2;
    if (i32[entry] === start) i32.fill(0, entry, entry + 3);
  }

  /** Forgets everything. */
  flush(): void {
    for (const page of this.#firstInPage.keys()) this.#memory.pages[page] = (this.#memory.pages[page] ?? 0) & ~PAGE_CODE;
    this.#numbers.clear();
    this.#firstInPage.clear();
    this.#count = 1;
    this.#memory.u8.fill(0, JUMP_TABLE_OFFSET, JUMP_TABLE_OFFSET + (record.JUMP_TABLE_MASK + 1) * record.JUMP_ENTRY_SIZE);
    this.#arena = this.#free = this.#end = 0;
    const generation = STATE_GENERATION >>> 2;
    this.#memory.i32[generation] = (this.#memory.i32[generation] ?? 0) + 1;
  }

  /** Bytes from an address to the end of the executable pages, looking at most two pages far. */
  #executableBytes(address: number): number {
    const { pages } = this.#memory;
    const page = address >>> 12;
    if (((pages[page] ?? 0) & PAGE_EXEC) === 0) return 0;
    const left = 4096 - (address & 4095);
    return ((pages[page + 1] ?? 0) & PAGE_EXEC) === 0 ? left : left + 4096;
  }

  #decode(address: number): number {
    const pointer = this.#allocate();
    const offset = address - GUEST_BASE;
    const answer = this.#decodeInto(this.#memory.u8, offset, this.#executableBytes(address), address, pointer);
    if (this.#counter !== record.BLOCK_COUNT) this.#memory.view.setInt32(pointer + record.BLOCK_COUNTER, this.#counter, true);
    const records = recordsOf(answer);
    const raise = raiseOf(answer);
    this.#free = pointer + record.BLOCK_HEADER_SIZE + records * record.RECORD_SIZE;
    this.#statistics.instructionsDecoded += instructionsOf(answer);
    if (raise === UNDEFINED_OPCODE) this.#statistics.undecodable++;
    // A block that only faults is decoded again each time: the page may come to life.
    if (raise < 0) this.#remember(address, address + bytesOf(answer), pointer, records);
    return pointer;
  }

  #remember(start: number, end: number, pointer: number, records: number): void {
    const number = this.#count++;
    const at = number * BLOCK_WORDS;
    if (at + BLOCK_WORDS > this.#blocks.length) {
      const larger = new Int32Array(this.#blocks.length * 2);
      larger.set(this.#blocks);
      this.#blocks = larger;
    }
    const blocks = this.#blocks;
    this.#numbers.set(start | 0, number);
    const first = start >>> 12;
    const last = (end - 1) >>> 12;
    blocks[at + BLOCK_START] = start;
    blocks[at + BLOCK_POINTER] = pointer;
    blocks[at + BLOCK_RECORDS] = records;
    blocks[at + BLOCK_NEXT] = this.#enterPage(first, number);
    blocks[at + BLOCK_NEXT_SECOND] = last === first ? 0 : this.#enterPage(last, number);
  }

  /** The block that was first in the page until now, or 0. */
  #enterPage(page: number, number: number): number {
    const { pages } = this.#memory;
    pages[page] = (pages[page] ?? 0) | PAGE_CODE;
    const next = this.#firstInPage.get(page) ?? 0;
    this.#firstInPage.set(page, number);
    return next;
  }
}
