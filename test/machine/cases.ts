/** Random cases for the forms of all rows: instruction bytes and the state before them. */

import type { InstructionRow } from '../../src/machine/isa/instruction.ts';
import { decode } from '../../src/machine/isa/decode.ts';
import * as layout from './case-layout.ts';
import { encode, hasModrm, immediateBytes, isVex } from './encode.ts';
import type { Addressing, Choice, Words } from './encode.ts';
import { COMPARED_FLAGS } from './flag-bits.ts';
import type { Form } from './forms.ts';
import { Random, double, extended, integer, single, vector } from './values.ts';

const RAX = 0;
const RCX = 1;
const RDX = 2;
const RBX = 3;
const RSP = 4;
const RBP = 5;
const RSI = 6;
const RDI = 7;
const NOP = 0x90;
const MASK64 = 0xffff_ffff_ffff_ffffn;
const LOOPS: ReadonlySet<string> = new Set(['loop', 'loope', 'loopne', 'jrcxz', 'xlat']);
const INTERRUPTS: readonly number[] = [1, 2, 5, 6, 13, 33, 129, 255];
const STRICT_INTERRUPTS: readonly number[] = [1, 2, 4, 6, 13, 33, 129, 255];
const NO_IMMEDIATES: readonly Words[] = [];
const SCRATCH = new Int32Array(2);
// Places of the case as 32-bit words.
const REGISTER_WORD = layout.CASE_REGISTERS / 4;
const FLAGS_WORD = layout.CASE_FLAGS / 4;
const FX_WORD = layout.CASE_FX / 4;
const XMM_WORD = FX_WORD + layout.FX_XMM / 4;
const ST_WORD = FX_WORD + layout.FX_ST / 4;
const WINDOW_WORD = layout.CASE_WINDOW / 4;
const YMM_WORD = layout.CASE_YMM / 4;
const WINDOW_WORDS = layout.WINDOW_SIZE / 4;
/** Where in its slot a branch may go. */
const TARGET_IN_SLOT = 40;

export interface CaseOptions {
  /**
   * Also what the machine is known not to do: the 67 prefix of string, loop and bit string
   * instructions; jumps to addresses above 4 GiB; `int 4`. Default false.
   */
  readonly strict?: boolean;
  /** Any MXCSR, not only that of a new process: the machine's code is of the kind that obeys it then. Default false. */
  readonly exactFloats?: boolean;
}

/** Bytes of the memory operand, as far as its place matters. */
function memorySize(row: InstructionRow, size: number): number {
  if (row.mnemonic === 'fnsave') return 108;
  if (row.mnemonic === 'fnstenv') return 28;
  const code = row.operands.find((operand) => /^[EMWQ]|\/M/.test(operand)) ?? '';
  const type = code.slice(code.indexOf('/') + 2 - (code.includes('/') ? 0 : 1));
  if (type === 'b') return 1;
  if (type === 'w') return 2;
  if (type === 'd' || type === 'ss') return 4;
  if (type === 'q' || type === 'sd') return 8;
  if (type === 't') return 10;
  if (type === 'qq') return 32;
  if (type === 'dq' || type === 'ps' || type === 'pd') return 16;
  if (type === 'z' || type === 'y') return size === 2 && type === 'z' ? 2 : size === 8 && type === 'y' ? 8 : 4;
  return size;
}

/** With a register for the bit offset, memory is a string of bits. */
function isBitString(row: InstructionRow): boolean {
  return row.semantics.startsWith('bt') && row.operands[1] === 'Gv';
}

/** Near the code, which holds other cases here than natively. */
function isNearCode(address: bigint): boolean {
  return address > BigInt(layout.CODE - 8192) && address < BigInt(layout.CODE + layout.CODE_SIZE + 8192);
}

/** As a bit offset of 32 or 64 bits from the window, a number leads to the code. */
function reachesCode(value: bigint): boolean {
  return [BigInt.asIntN(32, value), BigInt.asIntN(64, value)].some((bits) => isNearCode(BigInt(layout.WINDOW) + (bits >> 3n)));
}

/** What its row says of a form, found once. */
interface Shape {
  readonly memorySize: number;
  readonly isBitString: boolean;
  readonly hasSegment: boolean;
  readonly wantsAddress32: boolean;
  /** First letter of the immediate's code, or none. */
  readonly immediate: string;
}

const shapes = new Map<Form, Shape>();

function shapeOf(form: Form): Shape {
  let shape = shapes.get(form);
  if (shape === undefined) {
    const { row, size } = form;
    shape = {
      memorySize: memorySize(row, size),
      isBitString: isBitString(row),
      hasSegment: row.operands.some((code) => code[0] === 'S'),
      wantsAddress32: row.repeat !== undefined || LOOPS.has(row.mnemonic),
      immediate: row.operands.find((operand) => immediateBytes(operand, size) > 0)?.[0] ?? '',
    };
    shapes.set(form, shape);
  }
  return shape;
}

function isGather(row: InstructionRow): boolean {
  return row.operands.some((code) => code[0] === 'X');
}

/** Makes one case at a time into a buffer. */
export class CaseMaker {
  #random: Random;
  #strict: boolean;
  #exactFloats: boolean;
  #view = new DataView(new ArrayBuffer(layout.CASE_SIZE));
  #bytes = new Uint8Array(this.#view.buffer);
  #words = new Int32Array(this.#view.buffer);
  #registers = new BigUint64Array(this.#view.buffer, layout.CASE_REGISTERS, 16);
  #slot = 0;
  /** Register of the indexes, where there are any. */
  #gatherIndex = 0;
  /** Registers that the operand's address is made of, as bits, and what they hold. */
  #pinned = 0;
  #pinnedValues = new BigUint64Array(16);

  constructor(seed: number, options: CaseOptions = {}) {
    this.#random = new Random(seed);
    this.#strict = options.strict ?? false;
    this.#exactFloats = options.exactFloats ?? false;
  }

  /** Writes a case for the form at `offset` of `target`. */
  make(form: Form, slot: number, target: Uint8Array, offset: number): void {
    this.#slot = slot;
    this.#pinned = 0;
    this.#state();
    const code = this.#instruction(form);
    this.#pinnedValues.set(this.#registers);
    this.#adjust(form);
    this.#bytes.fill(0, layout.CASE_CODE, layout.CASE_REGISTERS);
    this.#bytes.set(code, layout.CASE_CODE);
    if (shapeOf(form).isBitString && this.#bitsAreNearCode(code.length)) this.#bytes.fill(NOP, layout.CASE_CODE, layout.CASE_CODE + code.length);
    this.#words[layout.CASE_LENGTH / 4] = code.length;
    this.#words[layout.CASE_SLOT / 4] = slot;
    target.set(this.#bytes, offset);
  }

  /** Writes the case that was made last once more, with another state before the same instruction. */
  vary(form: Form, target: Uint8Array, offset: number): void {
    this.#state();
    for (let index = 0; index < 16; index++) if (((this.#pinned >> index) & 1) !== 0) this.#registers[index] = this.#pinnedValues[index]!;
    this.#adjust(form);
    target.set(this.#bytes, offset);
  }

  // ---- state ----

  #state(): void {
    const random = this.#random;
    const words = this.#words;
    for (let index = 0; index < 16; index++) integer(random, words, REGISTER_WORD + index * 2);
    words[REGISTER_WORD + RSP * 2] = layout.WINDOW + 64 + (random.chance(80) ? random.below(16) * 8 : random.below(128));
    words[REGISTER_WORD + RSP * 2 + 1] = 0;
    words[FLAGS_WORD] = (random.next() & COMPARED_FLAGS) | 0x202;
    for (let at = 0; at < WINDOW_WORDS; at += 4) vector(random, words, WINDOW_WORD + at);
    for (let at = 0; at < 64; at += 4) vector(random, words, XMM_WORD + at);
    for (let at = 0; at < 64; at += 4) vector(random, words, YMM_WORD + at);
    words.fill(0, FX_WORD, ST_WORD);
    words[FX_WORD + layout.FX_MXCSR / 4] = this.#exactFloats ? this.#mxcsr() : 0x1f80;
    this.#x87State();
  }

  #mxcsr(): number {
    const random = this.#random;
    const rounding = random.chance(40) ? random.below(4) : 0;
    const flush = random.chance(20) ? random.pick([0x8000, 0x0040, 0x8040]) : 0;
    const masks = random.chance(10) ? random.next() & 0x1f80 : 0x1f80;
    const sticky = random.chance(20) ? random.next() & 0x3f : 0;
    // An exception that is noted and not masked is not raised before the next one: keep them apart.
    return masks | (rounding << 13) | flush | (masks === 0x1f80 ? sticky : 0);
  }

  #x87State(): void {
    const random = this.#random;
    const view = this.#view;
    const fx = layout.CASE_FX;
    const precision = random.chance(25) ? random.pick([0x000, 0x200]) : 0x300;
    const rounding = random.chance(40) ? random.below(4) << 10 : 0;
    const masks = random.chance(4) ? random.next() & 0x3f : 0x3f;
    view.setUint16(fx + layout.FX_CONTROL, 0x40 | precision | rounding | masks, true);
    const sticky = masks === 0x3f && random.chance(30) ? random.next() & 0x7f : 0;
    view.setUint16(fx + layout.FX_STATUS, (random.next() & 0x4700) | (random.below(8) << 11) | sticky, true);
    this.#bytes[fx + layout.FX_TAG] = random.chance(70) ? 0xff : random.chance(30) ? 0 : random.next();
    for (let at = ST_WORD; at < ST_WORD + 32; at += 4) {
      extended(random, this.#words, at);
      this.#words[at + 3] = 0;
    }
  }

  #setRegister(index: number, value: bigint): void {
    this.#registers[index] = value & MASK64;
  }

  #setRegisterNumber(index: number, value: number): void {
    this.#words[REGISTER_WORD + index * 2] = value;
    this.#words[REGISTER_WORD + index * 2 + 1] = value < 0 ? -1 : 0;
  }

  // ---- instruction ----

  #instruction(form: Form): Uint8Array {
    const random = this.#random;
    const { row } = form;
    const shape = shapeOf(form);
    const base: Choice = {
      size: form.size,
      reg: shape.hasSegment ? random.below(6) : random.below(16),
      rm: random.below(16),
      opcodeRegister: random.below(16),
      vexRegister: random.below(16),
      immediates: this.#immediates(form, shape.immediate),
      lock: form.lock,
      repeat: form.repeat,
      emptyRex: random.chance(20),
    };
    if (hasModrm(row) && form.memory) return this.#memoryInstruction(form, base);
    const address32 = this.#strict && shape.wantsAddress32 && random.chance(10);
    return encode(row, address32 ? { ...base, address32 } : base);
  }

  #immediates(form: Form, kind: string): readonly Words[] {
    if (kind === '') return NO_IMMEDIATES;
    const random = this.#random;
    const { mnemonic } = form.row;
    if (kind === 'J') return [[random.below(30), 0]];
    if (kind === 'O') return [[this.#place(form.size, 1), 0]];
    if (mnemonic === 'enter') return [[random.below(64), 0], [random.chance(50) ? 0 : random.below(8), 0]];
    if (mnemonic === 'ret') return [[random.below(256), 0]];
    if (mnemonic === 'int') return [[random.pick(this.#strict ? STRICT_INTERRUPTS : INTERRUPTS), 0]];
    if (random.chance(30)) return [[random.below(9), 0]];
    integer(random, SCRATCH, 0);
    return [[SCRATCH[0]!, SCRATCH[1]!]];
  }

  /** An address for `size` bytes: mostly in the window, sometimes at an end of what can be accessed. */
  #place(size: number, alignment: number): number {
    const random = this.#random;
    if (random.chance(2)) return layout.READ_ONLY - size + random.below(2 * size + 1);
    if (random.chance(1)) return layout.READ_ONLY + 4096 - random.below(size + 1);
    if (random.chance(1)) return 0x0200_0000 + random.below(4096);
    const at = layout.WINDOW + random.below(layout.WINDOW_SIZE - size + 1);
    return alignment === 8 || random.chance(92) ? at - (at % alignment) : at;
  }

  #memoryInstruction(form: Form, base: Choice): Uint8Array {
    const random = this.#random;
    const { row } = form;
    if (isGather(row)) return this.#gatherInstruction(row, base);
    const { memorySize: size, isBitString } = shapeOf(form);
    const wholeWords = !this.#strict && row.flow !== 'next';
    const target = this.#place(size, row.aligned ? size : wholeWords || random.chance(50) ? size : 1);
    const address32 = random.chance(8) && (this.#strict || !isBitString);
    const segment = random.chance(4) && row.mnemonic !== 'lea' ? ('gs' as const) : undefined;
    const offset = target - (segment === 'gs' ? layout.GS_BASE : 0);
    if (random.chance(10) && offset > 0) {
      const relative = (displacement: number): Choice => ({
        ...base, segment, address32, rm: { base: -1, index: -1, scale: 0, displacement, displacementBytes: 4, ripRelative: true },
      });
      const length = encode(row, relative(0)).length;
      return encode(row, relative(offset - (layout.CODE + this.#slot * layout.SLOT + length)));
    }
    const far = random.chance(1) && !address32;
    return encode(row, { ...base, segment, address32, rm: this.#addressing(offset, address32, far) });
  }

  /** The three registers are different ones: it is #UD otherwise. */
  #gatherInstruction(row: InstructionRow, base: Choice): Uint8Array {
    const random = this.#random;
    const first = random.below(16);
    this.#gatherIndex = (first + 1 + random.below(7)) % 16;
    const displacement = random.below(128) - 64;
    const pointer = random.pick([RBX, RSI, RDI, 9, 12]);
    this.#pinned |= 1 << pointer;
    this.#setRegister(pointer, BigInt(layout.WINDOW + 128 - displacement));
    const rm: Addressing = { base: pointer, index: this.#gatherIndex, scale: random.below(4), displacement, displacementBytes: random.chance(50) ? 1 : 4, ripRelative: false };
    return encode(row, { ...base, reg: first, vexRegister: (first + 8 + random.below(8)) % 16, rm });
  }

  #fillIndexes(row: InstructionRow): void {
    const random = this.#random;
    const isWide = /gatherq/.test(row.mnemonic);
    for (const base of [XMM_WORD, YMM_WORD]) {
      for (let word = 0; word < 4; word++) {
        const at = base + this.#gatherIndex * 4 + word;
        const value = random.chance(98) ? random.below(24) - 12 : random.next();
        this.#words[at] = isWide && word % 2 === 1 ? this.#words[at - 1]! >> 31 : value;
      }
    }
  }

  /** Chooses an addressing form and sets its registers so that it comes to `offset`. */
  #addressing(offset: number, address32: boolean, far: boolean): Addressing {
    const random = this.#random;
    let base = random.chance(8) ? -1 : random.below(16);
    // The machine stops a program whose stack pointer has just left its stack.
    const nearStack = base === RSP && !this.#strict;
    if (nearStack && (offset < layout.WINDOW || offset >= layout.WINDOW + layout.WINDOW_SIZE)) base = RBX;
    let index = random.chance(50) ? -1 : random.below(16);
    if (index === RSP) index = -1;
    const scale = index < 0 ? 0 : random.below(4);
    let displacementBytes: 0 | 1 | 4 = random.pick([0, 1, 4]);
    if (base < 0) displacementBytes = 4;
    else if (displacementBytes === 0 && (base & 7) === 5) displacementBytes = 1;
    let displacement = displacementBytes === 0 ? 0 : displacementBytes === 1 ? random.below(256) - 128 : random.next() >> random.below(24);
    if (nearStack) displacement %= 0x400;
    const wanted = BigInt(offset);
    if (base >= 0) this.#pinned |= 1 << base;
    if (index >= 0) this.#pinned |= 1 << index;
    if (base < 0 || base === index) {
      displacementBytes = 4;
      const value = BigInt(random.below(0x1_0000));
      if (index >= 0) this.#setRegister(index, value);
      const factor = (index < 0 ? 0n : 1n << BigInt(scale)) + (base < 0 ? 0n : 1n);
      displacement = Number(wanted - value * factor);
    } else {
      // The kernel does not return to a stack pointer that is not canonical.
      if (base === RSP && index >= 0) this.#setRegister(index, BigInt(random.below(nearStack ? 64 : 0x1_0000)));
      const indexed = index < 0 ? 0n : this.#registers[index]! << BigInt(scale);
      this.#setRegister(base, wanted - indexed - BigInt(displacement));
    }
    // With 67 only 32 bits of each register count; without, a wrong high half faults.
    const garbage = (BigInt(random.next() >>> 0) << 32n) & MASK64;
    if (address32 && base >= 0 && base !== RSP) this.#setRegister(base, this.#registers[base]! ^ garbage);
    if (far && base >= 0 && base !== RSP) this.#setRegister(base, this.#registers[base]! ^ (random.chance(50) ? garbage : 0x7000_0000_0000n));
    return { base, index, scale, displacement, displacementBytes, ripRelative: false };
  }

  // ---- what some instructions need of their registers and memory ----

  #adjust(form: Form): void {
    const { row } = form;
    if (row.repeat !== undefined) this.#adjustString(form);
    else if (row.feature === 'x87' && form.memory) this.#adjustX87Memory(row);
    else this.#adjustByKey(form);
  }

  #adjustString(form: Form): void {
    const random = this.#random;
    this.#setRegisterNumber(RSI, this.#place(8, 1));
    this.#setRegisterNumber(RDI, this.#place(8, 1));
    if (form.repeat !== undefined && random.chance(95)) this.#setRegisterNumber(RCX, random.below(24));
    if (form.repeat !== undefined && !random.chance(95)) this.#setRegisterNumber(RCX, random.below(3000));
    // A run of equal bytes, so that comparisons go on for a while.
    if (random.chance(60)) this.#bytes.fill(random.next(), layout.CASE_WINDOW + random.below(128), layout.CASE_WINDOW + layout.WINDOW_SIZE);
    if (random.chance(40)) this.#setRegister(RAX, this.#view.getBigUint64(layout.CASE_WINDOW + 200, true));
  }

  /** Numbers in the formats of x87 wherever the operand may be. */
  #adjustX87Memory(row: InstructionRow): void {
    const random = this.#random;
    const type = row.operands[0] ?? '';
    for (let at = 0; at + 16 <= layout.WINDOW_SIZE; at += type === 'Mt' ? 16 : 8) {
      const place = layout.CASE_WINDOW + at;
      if (row.mnemonic === 'fbld') for (let digit = 0; digit < 10; digit++) this.#bytes[place + digit] = digit === 9 ? random.below(2) << 7 : random.below(10) * 16 + random.below(10);
      else if (type === 'Mt') extended(random, this.#words, place / 4);
      else if (type === 'Mq' && !row.mnemonic.startsWith('fi')) double(random, this.#words, place / 4);
      else if (type === 'Md' && !row.mnemonic.startsWith('fi')) this.#words[place / 4] = single(random);
      else if (row.mnemonic === 'fldcw') this.#view.setUint16(place, 0x37f | (random.next() & 0xf00), true);
    }
  }

  #adjustByKey(form: Form): void {
    const random = this.#random;
    const registers = this.#registers;
    const exit = BigInt(layout.CODE + this.#slot * layout.SLOT + TARGET_IN_SLOT);
    if (isGather(form.row)) this.#fillIndexes(form.row);
    // What SSE has under another name needs the same of its registers.
    switch (isVex(form.row) ? form.row.semantics.slice(1) : form.row.semantics) {
      case 'xlat':
        this.#setRegister(RBX, BigInt(layout.WINDOW) + BigInt(random.below(8)));
        this.#setRegister(RAX, (registers[RAX]! & ~0xffn) | BigInt(random.below(240)));
        return;
      case 'leave':
      case 'enter':
        this.#setRegister(RBP, BigInt(layout.WINDOW + 64 + random.below(16) * 8));
        return;
      case 'ret':
        this.#fillWords(form, exit);
        return;
      case 'popf':
        for (let at = 0; at < layout.WINDOW_SIZE; at += 4) {
          this.#view.setInt32(layout.CASE_WINDOW + at, (random.next() & COMPARED_FLAGS) | 0x202, true);
        }
        this.#setRegister(RSP, registers[RSP]! & ~7n);
        return;
      case 'jmp-indirect':
      case 'call-indirect':
        if (form.memory) this.#fillWords(form, exit);
        else for (let index = 0; index < 16; index++) if (index !== RSP) this.#setRegister(index, exit);
        return;
      case 'loop':
      case 'loope':
      case 'loopne':
      case 'jrcxz':
        if (random.chance(60)) this.#setRegister(RCX, BigInt(random.below(3)));
        return;
      case 'div':
      case 'idiv':
        if (random.chance(70)) this.#setRegister(RDX, random.chance(50) ? 0n : random.chance(50) ? MASK64 : BigInt(random.below(100)));
        if (random.chance(50)) this.#setRegister(RAX, BigInt(random.below(60_000)));
        return;
      case 'cmpxchg':
      case 'cmpxchg8b':
      case 'cmpxchg16b':
        if (random.chance(50)) this.#equalise();
        return;
      case 'bt':
      case 'bts':
      case 'btr':
      case 'btc':
        // The bit offset reaches far beyond the operand.
        if (form.memory) this.#limitBitOffsets();
        return;
      case 'maskmovq':
      case 'maskmovdqu':
        // Here the x87 state stays as it was when maskmovq faults.
        this.#setRegister(RDI, BigInt(this.#strict ? this.#place(16, 1) : layout.WINDOW + random.below(layout.WINDOW_SIZE - 16)));
        return;
      case 'ldmxcsr':
        if (random.chance(90)) for (let at = 0; at < layout.WINDOW_SIZE; at += 4) this.#view.setInt32(layout.CASE_WINDOW + at, 0x1f80 | (random.next() & 0xe07f), true);
        return;
      case 'pcmpestri':
      case 'pcmpestrm':
        this.#setRegisterNumber(RAX, random.below(40) - 20);
        this.#setRegisterNumber(RDX, random.below(40) - 20);
        this.#smallAlphabet();
        return;
      case 'pcmpistri':
      case 'pcmpistrm':
        this.#smallAlphabet();
        return;
      default:
    }
  }

  #fillWords(form: Form, value: bigint): void {
    // `ret` reads at the stack pointer, which may be unaligned.
    const start = form.row.semantics === 'ret' ? Number(this.#registers[RSP]! & 7n) : 0;
    for (let at = start; at + 8 <= layout.WINDOW_SIZE; at += 8) this.#view.setBigUint64(layout.CASE_WINDOW + at, value, true);
  }

  /** Half the time what is compared is equal. */
  #equalise(): void {
    const low = this.#registers[RAX]!;
    const high = this.#registers[RDX]!;
    for (let at = 0; at < layout.WINDOW_SIZE; at += 16) {
      this.#view.setBigUint64(layout.CASE_WINDOW + at, low, true);
      this.#view.setBigUint64(layout.CASE_WINDOW + at + 8, high, true);
    }
    for (const register of [8, 9, 10, 11, RSI]) if (this.#random.chance(50)) this.#setRegister(register, low);
  }

  /** The registers that a string's address is made of are its bit offset, too, or lead there by themselves. */
  #bitsAreNearCode(length: number): boolean {
    const decoded = decode(this.#bytes, layout.CASE_CODE, layout.CASE_CODE + length, layout.CODE);
    if (decoded.row === undefined) return false;
    const { size, operands: [string, bits] } = decoded;
    if (string?.kind !== 'memory' || bits?.kind !== 'register') return false;
    const register = (index: number): bigint => (index < 0 ? 0n : this.#registers[index]!);
    const sum = BigInt(string.displacement) + register(string.base) + (register(string.index) << BigInt(string.scale));
    const segment = string.segment === 'gs' ? BigInt(layout.GS_BASE) : 0n;
    const address = BigInt.asUintN(64, BigInt.asUintN(string.address32 ? 32 : 64, sum) + segment);
    return isNearCode(address) || isNearCode(address + (BigInt.asIntN(8 * size, register(bits.index)) >> 3n));
  }

  #limitBitOffsets(): void {
    for (let register = 0; register < 16; register++) {
      const isFar = register >= 8 && this.#random.chance(60) && this.#registers[register]! > 0x0200_0000n;
      if (isFar) this.#setRegister(register, BigInt(this.#random.below(2048) - 1024));
      // Where the code is, there is more here than natively.
      else if (((this.#pinned >> register) & 1) === 0 && reachesCode(this.#registers[register]!)) this.#setRegister(register, this.#registers[register]! & 0xfffn);
    }
  }

  /** Strings of few different characters, with ends. */
  #smallAlphabet(): void {
    const random = this.#random;
    const words = random.chance(50) ? 2 : 1;
    const fill = (at: number): void => {
      for (let index = 0; index < 16; index += words) {
        this.#bytes[at + index] = random.chance(8) ? 0 : 0x61 + random.below(4);
        if (words === 2) this.#bytes[at + index + 1] = 0;
      }
    };
    for (let register = 0; register < 16; register++) fill(layout.CASE_FX + layout.FX_XMM + register * 16);
    for (let at = 0; at < layout.WINDOW_SIZE; at += 16) fill(layout.CASE_WINDOW + at);
  }
}
