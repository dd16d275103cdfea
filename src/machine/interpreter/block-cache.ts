/** Decoded blocks of one address space: made on demand, found by address, dropped by page. */
import { decode } from '../isa/decode.ts';
import type { DecodedInstruction, InstructionRow, MemoryOperand, Operand, UndecodableInstruction } from '../isa/instruction.ts';
import { DECODED_END, DECODED_START, JUMP_TABLE, PAGE_CODE, PAGE_EXEC } from '../layout.ts';
import {
  GUEST_BASE, STATE_FS_BASE, STATE_GENERATION, STATE_GPR, STATE_GS_BASE, STATE_X87, STATE_XMM, STATE_ZERO,
} from '../state.ts';
import { addressMode, formKey } from './forms.ts';
import type { MachineStatistics } from '../machine-types.ts';
import { FLAG_SET_ALL } from '../semantics/analysis.ts';
import type { LoadedImage } from './image.ts';
import { NOTE_DEAD_FLAGS, NOTE_KILLS_SHIFT, NOTE_READS_SHIFT } from './notes.ts';
import * as record from './record.ts';

const ARENA_START = DECODED_START - GUEST_BASE;
const ARENA_END = DECODED_END - GUEST_BASE;
const JUMP_TABLE_OFFSET = JUMP_TABLE - GUEST_BASE;
/** A block ends after so many instructions at the latest. */
const MAXIMUM_BLOCK = 48;
const UNDEFINED_OPCODE = 6;
const GENERAL_PROTECTION = 13;
const PAGE_FAULT = 14;

/** What the cache needs of its address space. */
export interface CodeMemory {
  readonly u8: Uint8Array;
  readonly i32: Int32Array;
  readonly view: DataView;
  readonly pages: Uint8Array;
}

interface Block {
  readonly start: number;
  /** First byte behind its last instruction. */
  readonly end: number;
  /** Offset of the header in the memory. */
  readonly pointer: number;
  readonly records: number;
  /** Of the code bytes. */
  readonly hash: number;
  /** Records that remember where they went. */
  readonly links: readonly number[];
  /** The owner of the memory that it was last checked for. */
  epoch: number;
  /** What a link to a unit has overwritten in the first record. */
  replaced: { readonly handler: number; readonly immediate: number } | undefined;
}

/** FNV-1a. */
function hashOf(u8: Uint8Array, start: number, end: number): number {
  let hash = 0x811c_9dc5;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (u8[at] ?? 0), 0x0100_0193);
  return hash;
}

export class BlockCache {
  readonly #memory: CodeMemory;
  readonly #image: LoadedImage;
  #blocks = new Map<number, Block>();
  /** Blocks that have bytes in a page. */
  #byPage = new Map<number, Set<Block>>();
  #free = ARENA_START;
  #epoch = 0;
  readonly #statistics: MachineStatistics;
  /** Table slot of a linked unit at an address, or 0. */
  #unitSlot: (address: number) => number = () => 0;

  constructor(memory: CodeMemory, image: LoadedImage, statistics: MachineStatistics) {
    this.#memory = memory;
    this.#image = image;
    this.#statistics = statistics;
  }

  /**
   * A new owner of the memory, whose jump table and page flags are clear. Blocks of the one before serve
   * him too, each once its code was found to be the same; `trusted` says that nobody else can have
   * tampered with their records.
   */
  adopt(unitSlot: (address: number) => number, trusted: boolean): void {
    this.#unitSlot = unitSlot;
    this.#epoch++;
    this.#byPage.clear();
    if (trusted) return;
    this.#blocks.clear();
    this.#free = ARENA_START;
  }

  /** The block at an address, if it is this owner's or can become it. */
  #known(address: number): Block | undefined {
    const block = this.#blocks.get(address);
    if (block === undefined || block.epoch === this.#epoch) return block;
    return this.#revive(block) ? block : undefined;
  }

  #revive(block: Block): boolean {
    const { pages, u8, view } = this.#memory;
    for (let page = block.start >>> 12; page <= (block.end - 1) >>> 12; page++) {
      if (((pages[page] ?? 0) & PAGE_EXEC) === 0) return false;
    }
    if (hashOf(u8, block.start - GUEST_BASE, block.end - GUEST_BASE) !== block.hash) return false;
    block.epoch = this.#epoch;
    const { replaced } = block;
    if (replaced !== undefined) {
      view.setUint16(block.pointer + record.BLOCK_HEADER_SIZE + record.RECORD_HANDLER, replaced.handler, true);
      view.setUint32(block.pointer + record.BLOCK_HEADER_SIZE + record.RECORD_IMMEDIATE, replaced.immediate, true);
      block.replaced = undefined;
    }
    for (const link of block.links) view.setUint32(link + record.RECORD_TARGET_BLOCK, 0, true);
    view.setInt32(block.pointer + record.BLOCK_COUNTER, record.BLOCK_COUNT, true);
    this.#remember(block);
    const slot = this.#unitSlot(block.start);
    if (slot !== 0) this.linkUnit(block.start, slot);
    return true;
  }

  get bytes(): number {
    return this.#free - ARENA_START;
  }

  /** Block that starts at a guest address, decoded if need be; its pointer. Enters it in the jump table. */
  lookup(address: number): number {
    let block = this.#known(address);
    let slot = 0;
    if (block === undefined) {
      block = this.#decodeBlock(address);
      // A block that only faults must not be found again when its bytes have changed.
      if (this.#blocks.get(address) !== block) return block.pointer;
      slot = this.#unitSlot(address);
      if (slot !== 0) this.linkUnit(address, slot);
    } else {
      slot = this.#unitSlot(address);
    }
    const entry = (JUMP_TABLE_OFFSET + record.jumpHash(address) * record.JUMP_ENTRY_SIZE) >>> 2;
    const { i32 } = this.#memory;
    i32[entry] = address;
    i32[entry + 1] = block.pointer;
    i32[entry + 2] = slot;
    return block.pointer;
  }

  /** Block of the direct target of a record; the record remembers it. */
  resolve(recordPointer: number): number {
    const { view } = this.#memory;
    const target = view.getUint32(recordPointer + record.RECORD_TARGET, true);
    const pointer = this.lookup(target);
    if (this.#blocks.get(target)?.epoch === this.#epoch) this.#memory.view.setInt32(recordPointer + record.RECORD_TARGET_BLOCK, pointer, true);
    return pointer;
  }

  /** How often a block was entered since it last reported itself, or was made. */
  entries(address: number): number {
    const block = this.#blocks.get(address);
    if (block === undefined || block.epoch !== this.#epoch) return 0;
    return record.BLOCK_COUNT - this.#memory.view.getInt32(block.pointer + record.BLOCK_COUNTER, true);
  }

  /** Makes entering this block run a translated unit. False where no block is known. */
  linkUnit(address: number, slot: number): void {
    const block = this.#blocks.get(address);
    if (block === undefined || block.epoch !== this.#epoch) return;
    const first = block.pointer + record.BLOCK_HEADER_SIZE;
    block.replaced ??= {
      handler: this.#memory.view.getUint16(first + record.RECORD_HANDLER, true),
      immediate: this.#memory.view.getUint32(first + record.RECORD_IMMEDIATE, true),
    };
    this.#memory.view.setUint16(first + record.RECORD_HANDLER, record.HANDLER_ENTER_UNIT, true);
    this.#memory.view.setUint32(first + record.RECORD_IMMEDIATE, slot, true);
    this.#memory.view.setUint32(first + record.RECORD_PC, address, true);
    this.#memory.view.setInt32(block.pointer + record.BLOCK_COUNTER, 0x7fff_ffff, true);
    const { i32 } = this.#memory;
    const entry = (JUMP_TABLE_OFFSET + record.jumpHash(address) * record.JUMP_ENTRY_SIZE) >>> 2;
    if (i32[entry] === (address | 0)) i32[entry + 2] = slot;
  }

  /** Drops what was decoded from the bytes of [start, end). Records in flight dispatch afresh. */
  invalidate(start: number, end: number): void {
    const { pages } = this.#memory;
    for (let page = start >>> 12; page <= (end - 1) >>> 12; page++) {
      if (((pages[page] ?? 0) & PAGE_CODE) === 0) continue;
      pages[page] = (pages[page] ?? 0) & ~PAGE_CODE;
      const blocks = this.#byPage.get(page);
      if (blocks === undefined) continue;
      this.#byPage.delete(page);
      for (const block of blocks) this.#drop(block);
    }
  }

  #drop(block: Block): void {
    const { view, i32 } = this.#memory;
    if (this.#blocks.get(block.start) === block) this.#blocks.delete(block.start);
    for (let page = block.start >>> 12; page <= (block.end - 1) >>> 12; page++) this.#byPage.get(page)?.delete(block);
    for (let index = 0; index < block.records; index++) {
      const at = block.pointer + record.BLOCK_HEADER_SIZE + index * record.RECORD_SIZE;
      view.setUint16(at + record.RECORD_HANDLER, record.HANDLER_REDISPATCH, true);
    }
    const entry = (JUMP_TABLE_OFFSET + record.jumpHash(block.start) * record.JUMP_ENTRY_SIZE) >>> 2;
    if (i32[entry] === (block.start | 0)) {
      i32[entry] = 0;
      i32[entry + 1] = 0;
      i32[entry + 2] = 0;
    }
  }

  /** Forgets everything. */
  flush(): void {
    for (const page of this.#byPage.keys()) this.#memory.pages[page] = (this.#memory.pages[page] ?? 0) & ~PAGE_CODE;
    this.#blocks.clear();
    this.#byPage.clear();
    this.#memory.u8.fill(0, JUMP_TABLE_OFFSET, JUMP_TABLE_OFFSET + (record.JUMP_TABLE_MASK + 1) * record.JUMP_ENTRY_SIZE);
    this.#free = ARENA_START;
    const generation = STATE_GENERATION >>> 2;
    this.#memory.i32[generation] = (this.#memory.i32[generation] ?? 0) + 1;
  }

  /** End of the executable pages from an address on, looking at most two pages far. */
  #executableEnd(address: number): number {
    const { pages } = this.#memory;
    const page = address >>> 12;
    if (((pages[page] ?? 0) & PAGE_EXEC) === 0) return address;
    const next = (page + 1) * 4096;
    return ((pages[page + 1] ?? 0) & PAGE_EXEC) === 0 ? next : next + 4096;
  }

  #decodeBlock(address: number): Block {
    if (this.#free + (MAXIMUM_BLOCK + 4) * record.RECORD_SIZE > ARENA_END) this.flush();
    const { u8, view } = this.#memory;
    const pointer = this.#free;
    const limit = this.#executableEnd(address) - GUEST_BASE;
    const instructions: DecodedInstruction[] = [];
    let at = address;
    let raise = -1;
    for (;;) {
      if (at - GUEST_BASE >= limit && at === address) {
        raise = PAGE_FAULT;
        break;
      }
      const decoded = decode(u8, at - GUEST_BASE, limit, at);
      if (decoded.row === undefined || this.#image.handlers[formKey(decoded, addressMode(decoded))] === 0) {
        // A truncated instruction at a page's end may be whole once it is the first of its block.
        if (instructions.length === 0) raise = vectorOf(decoded);
        break;
      }
      instructions.push(decoded);
      at += decoded.length;
      if (endsBlock(decoded.row.flow)) break;
      if (instructions.length === MAXIMUM_BLOCK || (at & ~0xfff) - (address & ~0xfff) > 4096) break;
    }
    const links: number[] = [];
    const records = this.#write(pointer + record.BLOCK_HEADER_SIZE, instructions, at, raise, links);
    view.setInt32(pointer + record.BLOCK_COUNTER, record.BLOCK_COUNT, true);
    view.setUint32(pointer + record.BLOCK_PC, address, true);
    this.#free = pointer + record.BLOCK_HEADER_SIZE + records * record.RECORD_SIZE;
    this.#statistics.instructionsDecoded += instructions.length;
    if (raise === UNDEFINED_OPCODE) this.#statistics.undecodable++;
    const end = Math.max(at, address + 1);
    const hash = hashOf(u8, address - GUEST_BASE, end - GUEST_BASE);
    const block: Block = { start: address, end, pointer, records, hash, links, epoch: this.#epoch, replaced: undefined };
    // A block that only faults is decoded again each time: the page may come to life.
    if (raise < 0) this.#remember(block);
    return block;
  }

  #remember(block: Block): void {
    this.#blocks.set(block.start, block);
    for (let page = block.start >>> 12; page <= (block.end - 1) >>> 12; page++) {
      this.#memory.pages[page] = (this.#memory.pages[page] ?? 0) | PAGE_CODE;
      let blocks = this.#byPage.get(page);
      if (blocks === undefined) this.#byPage.set(page, (blocks = new Set()));
      blocks.add(block);
    }
  }

  /** Writes the records of a block; how many. `raise`: a vector to raise at its end, or -1. */
  #write(start: number, instructions: readonly DecodedInstruction[], end: number, raise: number, links: number[]): number {
    const { view } = this.#memory;
    let at = start;
    for (const instruction of instructions) {
      this.#writeRecord(at, instruction);
      if (instruction.row.flow !== 'next') links.push(at);
      at += record.RECORD_SIZE;
    }
    this.#chooseDeadFlags(start, instructions);
    const last = instructions[instructions.length - 1];
    if (last === undefined || !endsBlock(last.row.flow)) {
      view.setUint16(at + record.RECORD_HANDLER, raise >= 0 ? record.HANDLER_RAISE : record.HANDLER_GOTO, true);
      view.setUint32(at + record.RECORD_PC, end, true);
      view.setUint32(at + record.RECORD_TARGET, raise >= 0 ? raise : end, true);
      view.setUint32(at + record.RECORD_TARGET_BLOCK, 0, true);
      links.push(at);
      at += record.RECORD_SIZE;
    }
    return (at - start) / record.RECORD_SIZE;
  }

  /** Walks the block backwards: where the flags are overwritten before anything reads them, the cheaper handler serves. */
  #chooseDeadFlags(start: number, instructions: readonly DecodedInstruction[]): void {
    const { view } = this.#memory;
    const { notes } = this.#image;
    let live = FLAG_SET_ALL;
    for (let index = instructions.length - 1; index >= 0; index--) {
      const at = start + index * record.RECORD_SIZE + record.RECORD_HANDLER;
      const handler = view.getUint16(at, true);
      const note = notes[handler] ?? 0;
      if (instructions[index]?.row.flow !== 'next') {
        live = FLAG_SET_ALL;
        continue;
      }
      if (live === 0 && (note & NOTE_DEAD_FLAGS) !== 0) view.setUint16(at, handler + 1, true);
      live = (live & ~(note >> NOTE_KILLS_SHIFT)) | ((note >> NOTE_READS_SHIFT) & FLAG_SET_ALL);
    }
  }

  #writeRecord(at: number, instruction: DecodedInstruction): void {
    const { view } = this.#memory;
    const { operands } = instruction;
    view.setUint16(at + record.RECORD_HANDLER, this.#image.handlers[formKey(instruction, addressMode(instruction))] ?? 0, true);
    view.setUint8(at + record.RECORD_LENGTH, instruction.length);
    view.setUint32(at + record.RECORD_PC, instruction.address, true);
    if (instruction.row.flow === 'indirect-jump' || instruction.row.flow === 'indirect-call') view.setUint32(at + record.RECORD_TARGET_BLOCK, 0, true);
    let immediates = 0;
    for (let index = 0; index < operands.length; index++) {
      const operand = operands[index] as Operand;
      if (operand.kind === 'register') {
        const field = index === 0 ? record.RECORD_OPERAND0 : index === 1 ? record.RECORD_OPERAND1 : record.RECORD_IMMEDIATE;
        view.setUint16(at + field, registerOffset(operand.class, operand.index, operand.high8), true);
      } else if (operand.kind === 'memory') {
        this.#writeMemoryOperand(at, operand);
      } else if (operand.kind === 'immediate') {
        if (immediates++ === 0) {
          view.setInt32(at + record.RECORD_IMMEDIATE, operand.low, true);
          view.setInt32(at + record.RECORD_IMMEDIATE + 4, operand.high, true);
        } else {
          view.setInt32(at + record.RECORD_DISPLACEMENT, operand.low, true);
        }
      } else {
        view.setUint32(at + record.RECORD_TARGET, operand.address, true);
        view.setUint32(at + record.RECORD_TARGET_BLOCK, 0, true);
      }
    }
  }

  #writeMemoryOperand(at: number, operand: MemoryOperand): void {
    const { view } = this.#memory;
    view.setUint16(at + record.RECORD_BASE, operand.base < 0 ? STATE_ZERO : STATE_GPR + 8 * operand.base, true);
    view.setUint16(at + record.RECORD_INDEX, operand.index < 0 ? STATE_ZERO : STATE_GPR + 8 * operand.index, true);
    view.setUint8(at + record.RECORD_SCALE, operand.scale);
    const far = operand.displacement > 0x7fff_ffff;
    view.setUint8(at + record.RECORD_ADDRESS_SHIFT, operand.address32 || (far && operand.displacement <= 0xffff_ffff) ? 32 : 0);
    const segment = operand.segment === 'fs' ? STATE_FS_BASE : operand.segment === 'gs' ? STATE_GS_BASE : STATE_ZERO;
    view.setUint16(at + record.RECORD_SEGMENT, segment, true);
    view.setInt32(at + record.RECORD_DISPLACEMENT, far && operand.displacement > 0xffff_ffff ? -1 : operand.displacement | 0, true);
  }
}

/** The exception of what is no instruction, or none that the interpreter has. */
function vectorOf(decoded: DecodedInstruction | UndecodableInstruction): number {
  if (decoded.row !== undefined) return UNDEFINED_OPCODE;
  if (decoded.reason === 'truncated') return PAGE_FAULT;
  return decoded.reason === 'too-long' ? GENERAL_PROTECTION : UNDEFINED_OPCODE;
}

/** Control never reaches the next record: a call comes back to it. */
function endsBlock(flow: InstructionRow['flow']): boolean {
  return flow === 'jump' || flow === 'return' || flow === 'indirect-jump' || flow === 'trap';
}

/** Offset in the CPU state of a register operand. */
export function registerOffset(kind: string, index: number, high8: boolean): number {
  if (kind === 'gpr') return STATE_GPR + 8 * index + (high8 ? 1 : 0);
  if (kind === 'xmm') return STATE_XMM + 16 * index;
  if (kind === 'mmx' || kind === 'x87') return STATE_X87 + 16 * index;
  return index;
}
