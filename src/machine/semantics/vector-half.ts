/**
 * One half of a VEX instruction as the SSE instruction that it is: the meaning of `vpaddb ymm1, ymm2, ymm3` is that of `paddb`, twice.
 * Its operand 0 is read from the first source and written to the destination, once both halves are computed; an SSE instruction that
 * keeps part of its destination keeps that of the first source here.
 */
import { EXACT_CONTINUED, EXACT_CONTINUES, EXACT_VEX } from '../helpers/exact-sse.ts';
import { STATE_VECTOR_SCRATCH } from '../state.ts';
import * as op from '../wasm/opcodes.ts';
import type { Builder, ConditionCode, Expr, FlagName, ValueType } from './builder.ts';
import { Expressions } from './expression.ts';
import { zeroVector } from './sse-vector.ts';

/** A vector, or what its low part is made of. */
type Result =
  | { readonly kind: 'vector' | 'low64zero' | 'low32zero' | 'f64' | 'low64' | 'high64'; readonly value: Expr };

export interface HalfForm {
  /** VEX operand that SSE reads as its operand 0; undefined where it is written only. */
  readonly first: number | undefined;
  /** 0: bits 0 to 127; 1: the others. */
  readonly half: 0 | 1;
  /** The other half follows, or was before. */
  readonly isWide: boolean;
  /** What was read of operands already, by VEX operand: what they are in each half. */
  readonly whole: ReadonlyMap<number, readonly [Expr, Expr]>;
  /** By how much an immediate is shifted for the upper half. */
  readonly immediateShift: number;
}

export class VectorHalf extends Expressions implements Builder {
  readonly size: number;
  readonly operandCount: number;
  readonly mnemonic: string;
  readonly repeat: 'none' | 'rep' | 'repne';
  readonly nativeNans: boolean;
  readonly #b: Builder;
  readonly #form: HalfForm;
  /** How far SSE's sources are from VEX's. */
  readonly #shift: number;
  #result: Result | undefined;

  constructor(b: Builder, form: HalfForm) {
    super();
    this.#b = b;
    this.#form = form;
    this.#shift = form.first === 1 ? 1 : 0;
    this.size = b.size;
    this.operandCount = b.operandCount - this.#shift;
    this.mnemonic = b.mnemonic.slice(1);
    this.repeat = b.repeat;
    this.nativeNans = b.nativeNans;
  }

  /** VEX operand of an SSE source, or of its operand 0 as a source. */
  #source(index: number): number {
    if (index > 0) return index + this.#shift;
    return this.#form.first ?? 0;
  }

  // ---- what was written ----

  #set(kind: Result['kind'], value: Expr): void {
    this.#result = { kind, value: this.#b.let(value) };
  }

  /** The half as a vector. */
  get vector(): Expr {
    const result = this.#result;
    if (result === undefined) throw new Error(`v${this.mnemonic} has no result`);
    const { kind, value } = result;
    if (kind === 'vector') return value;
    if (kind === 'low64zero') return this.op(op.I64X2_REPLACE_LANE, 'v128', [zeroVector(this), value], 0);
    if (kind === 'low32zero') return this.op(op.I32X4_REPLACE_LANE, 'v128', [zeroVector(this), value], 0);
    const first = this.readV128(0);
    if (kind === 'f64') return this.op(op.F64X2_REPLACE_LANE, 'v128', [first, value], 0);
    return this.op(op.I64X2_REPLACE_LANE, 'v128', [first, value], kind === 'low64' ? 0 : 1);
  }

  /** Writes the low half of the destination, where it is a register and something was written. */
  finish(): void {
    const result = this.#result;
    const b = this.#b;
    if (result === undefined) return;
    const { kind, value } = result;
    if (kind === 'low64zero') b.writeLow64Zero(0, value);
    else if (kind === 'low32zero') b.writeLow32Zero(0, value);
    else if (kind === 'f64' || kind === 'low64') {
      const high = b.let(b.readHigh64(this.#source(0)));
      if (kind === 'f64') b.writeF64(0, value);
      else b.writeLow64(0, value);
      b.writeHigh64(0, high);
    } else if (kind === 'high64') {
      const low = b.let(b.readLow64(this.#source(0)));
      b.writeLow64(0, low);
      b.writeHigh64(0, value);
    } else b.writeV128(0, value);
    b.writeYmmHigh(0, zeroVector(b));
  }

  // ---- operands ----

  operandSize(index: number): number { return Math.min(16, this.#b.operandSize(index === 0 ? 0 : this.#source(index))); }
  isMemory(index: number): boolean {
    const operand = index === 0 ? 0 : this.#source(index);
    return !this.#form.whole.has(operand) && this.#b.isMemory(operand);
  }
  constant(index: number): number | undefined {
    const value = this.#b.constant(this.#source(index));
    return value === undefined || this.#form.half === 0 ? value : value >> this.#form.immediateShift;
  }

  read(index: number): Expr {
    const value = this.#b.read(this.#source(index));
    return this.#form.half === 0 || this.#form.immediateShift === 0 ? value : this.#b.shrU(value, this.#b.i32(this.#form.immediateShift));
  }
  write(index: number, value: Expr): void { this.#b.write(index, value); }
  readSigned(index: number, to: 'i32' | 'i64'): Expr { return this.#b.readSigned(this.#source(index), to); }
  address(index: number): Expr { return this.#b.address(this.#source(index)); }
  linearAddress(index: number): Expr { return this.#b.linearAddress(index === 0 ? 0 : this.#source(index)); }

  readV128(index: number): Expr {
    // What has one source only asks for the other one, and makes no use of it.
    if (index === 0 && this.#form.first === undefined) return zeroVector(this);
    const source = this.#source(index);
    const whole = this.#form.whole.get(source);
    return whole === undefined ? this.#b.readV128(source) : whole[this.#form.half];
  }
  writeV128(index: number, value: Expr): void {
    if (this.#b.isMemory(index)) this.#b.writeV128(index, value);
    else this.#set('vector', value);
  }
  readF64(index: number): Expr { return this.#lane(index, op.F64X2_EXTRACT_LANE, 'f64') ?? this.#b.readF64(this.#source(index)); }
  readF32(index: number): Expr { return this.#lane(index, op.F32X4_EXTRACT_LANE, 'f32') ?? this.#b.readF32(this.#source(index)); }
  readLow64(index: number): Expr { return this.#lane(index, op.I64X2_EXTRACT_LANE, 'i64') ?? this.#b.readLow64(this.#source(index)); }
  readLow32(index: number): Expr { return this.#lane(index, op.I32X4_EXTRACT_LANE, 'i32') ?? this.#b.readLow32(this.#source(index)); }
  readHigh64(index: number): Expr { return this.#lane(index, op.I64X2_EXTRACT_LANE, 'i64', 1) ?? this.#b.readHigh64(this.#source(index)); }

  /** Of what was read already. */
  #lane(index: number, opcode: number, type: ValueType, lane = 0): Expr | undefined {
    const whole = this.#form.whole.get(this.#source(index));
    return whole === undefined ? undefined : this.op(opcode, type, [whole[this.#form.half]], lane);
  }
  writeF64(index: number, value: Expr): void {
    if (this.#b.isMemory(index)) this.#b.writeF64(index, value);
    else this.#set('f64', value);
  }
  writeF32(index: number, value: Expr): void {
    if (this.#b.isMemory(index)) this.#b.writeF32(index, value);
    else this.#set('vector', this.op(op.F32X4_REPLACE_LANE, 'v128', [this.readV128(0), value], 0));
  }
  writeLow64(index: number, value: Expr): void {
    if (this.#b.isMemory(index)) this.#b.writeLow64(index, value);
    else this.#set('low64', value);
  }
  writeLow32(index: number, value: Expr): void {
    if (this.#b.isMemory(index)) this.#b.writeLow32(index, value);
    else this.#set('vector', this.op(op.I32X4_REPLACE_LANE, 'v128', [this.readV128(0), value], 0));
  }
  writeHigh64(_index: number, value: Expr): void { this.#set('high64', value); }
  writeLow64Zero(_index: number, value: Expr): void { this.#set('low64zero', value); }
  writeLow32Zero(_index: number, value: Expr): void { this.#set('low32zero', value); }
  readMmx(index: number): Expr { return this.#b.readMmx(index); }
  writeMmx(index: number, value: Expr): void { this.#b.writeMmx(index, value); }
  readV256(index: number): readonly [Expr, Expr] { return this.#b.readV256(this.#source(index)); }
  writeV256(index: number, low: Expr, high: Expr): void { this.#b.writeV256(index, low, high); }
  readYmmHigh(index: number): Expr { return this.#b.readYmmHigh(this.#source(index)); }
  writeYmmHigh(index: number, value: Expr): void { this.#b.writeYmmHigh(index, value); }
  writeYmmHighOf(register: number, value: Expr): void { this.#b.writeYmmHighOf(register, value); }
  vectorIndex(index: number): Expr { return this.#b.vectorIndex(index); }
  vectorScale(index: number): Expr { return this.#b.vectorScale(index); }

  /** xmm0, where SSE implies it: VEX names the register, as its last operand. */
  readXmm(register: number): Expr {
    const last = this.#b.operandCount - 1;
    if (register !== 0 || last < 3) return this.#b.readXmm(register);
    return this.#form.whole.get(last)?.[this.#form.half] ?? this.#b.readV128(last);
  }
  writeXmm(register: number, value: Expr): void {
    this.#b.writeXmm(register, value);
    this.#b.writeYmmHighOf(register, zeroVector(this.#b));
  }

  /** A helper that works on both operands: in scratch, as registers of their own. */
  helper(name: string, destination?: number, source?: number, immediate?: number | Expr): void {
    const b = this.#b;
    if (name !== 'exact-sse') {
      b.helper(name, destination === undefined ? undefined : destination === 0 ? 0 : this.#source(destination), source === undefined ? undefined : this.#source(source), immediate);
      return;
    }
    const part = this.#form.isWide ? (this.#form.half === 0 ? EXACT_CONTINUES : EXACT_CONTINUED) : 0;
    const number = typeof immediate === 'object' ? b.let(b.or(immediate, b.i32(EXACT_VEX | part))) : b.i32((immediate ?? 0) | EXACT_VEX | part);
    const value = this.#helperSource();
    if (this.#form.first !== undefined) b.writeState(STATE_VECTOR_SCRATCH, b.let(this.readV128(0)));
    b.writeState(STATE_VECTOR_SCRATCH + 16, value);
    b.helperAt(name, STATE_VECTOR_SCRATCH, STATE_VECTOR_SCRATCH + 16, number);
    if (this.mnemonic.includes('comis')) return;
    if (!this.mnemonic.endsWith('2si')) this.#set('vector', b.readState(STATE_VECTOR_SCRATCH, 'v128'));
    else b.write(0, b.readState(STATE_VECTOR_SCRATCH, b.operandSize(0) === 8 ? 'i64' : 'i32'));
  }

  #helperSource(): Expr {
    const b = this.#b;
    const source = this.#source(1);
    const size = b.operandSize(source);
    if (this.mnemonic.startsWith('cvtsi2')) return b.let(b.extendU(b.read(source)));
    if (!b.isMemory(source) || size >= 16) return b.let(this.readV128(1));
    return b.let(size === 8 ? b.readLow64(source) : b.extendU(b.readLow32(source)));
  }
  helperAt(name: string, destination: number, source: number | Expr, immediate: number | Expr): void { this.#b.helperAt(name, destination, source, immediate); }
  compareStrings(first: Expr, second: Expr, firstLength: Expr, secondLength: Expr, control: Expr): Expr {
    return this.#b.compareStrings(first, second, firstLength, secondLength, control);
  }

  // ---- the rest is the same ----

  readGpr(register: number, size: number, high8?: boolean): Expr { return this.#b.readGpr(register, size, high8); }
  writeGpr(register: number, size: number, value: Expr, high8?: boolean): void { this.#b.writeGpr(register, size, value, high8); }
  load(address: Expr, size: number): Expr { return this.#b.load(address, size); }
  store(address: Expr, size: number, value: Expr): void { this.#b.store(address, size, value); }
  push(value: Expr, size: number): void { this.#b.push(value, size); }
  peekStack(size: number): Expr { return this.#b.peekStack(size); }
  addRsp(bytes: number): void { this.#b.addRsp(bytes); }
  readState(offset: number, type: 'i32' | 'i64' | 'v128'): Expr { return this.#b.readState(offset, type); }
  writeState(offset: number, value: Expr): void { this.#b.writeState(offset, value); }
  nextRip(): Expr { return this.#b.nextRip(); }
  flagsAdd(size: number, a: Expr, b: Expr, result: Expr): void { this.#b.flagsAdd(size, a, b, result); }
  flagsSub(size: number, a: Expr, b: Expr, result: Expr): void { this.#b.flagsSub(size, a, b, result); }
  flagsAdc(size: number, a: Expr, b: Expr, result: Expr): void { this.#b.flagsAdc(size, a, b, result); }
  flagsSbb(size: number, a: Expr, b: Expr, result: Expr): void { this.#b.flagsSbb(size, a, b, result); }
  flagsInc(size: number, result: Expr): void { this.#b.flagsInc(size, result); }
  flagsDec(size: number, result: Expr): void { this.#b.flagsDec(size, result); }
  flagsLogic(size: number, result: Expr): void { this.#b.flagsLogic(size, result); }
  flagsResult(size: number, result: Expr, carry: Expr, overflow: Expr, auxiliary?: Expr): void { this.#b.flagsResult(size, result, carry, overflow, auxiliary); }
  flagsCompare(a: Expr, b: Expr): void { this.#b.flagsCompare(a, b); }
  setFlags(flags: Partial<Record<FlagName, Expr>>): void { this.#b.setFlags(flags); }
  flag(name: FlagName): Expr { return this.#b.flag(name); }
  condition(code: ConditionCode): Expr { return this.#b.condition(code); }
  ownCondition(): Expr { return this.#b.ownCondition(); }
  let(value: Expr): Expr { return this.#b.let(value); }
  variable(type: ValueType, initial: Expr): Expr { return this.#b.variable(type, initial); }
  assign(variable: Expr, value: Expr): void { this.#b.assign(variable, value); }
  if(condition: Expr, then: () => void, otherwise?: () => void): void { this.#b.if(condition, then, otherwise); }
  unlikely(condition: Expr, then: () => void): void { this.#b.unlikely(condition, then); }
  fault(vector: number): void { this.#b.fault(vector); }
  faultIf(condition: Expr, vector: number): void { this.#b.faultIf(condition, vector); }
}
