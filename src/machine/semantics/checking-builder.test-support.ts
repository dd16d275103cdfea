/**
 * A builder for tests of semantics: registers in the state, known from the instruction, memory unchecked.
 * It compiles to one Wasm function a time (whose validation checks the types) and refuses an expression
 * that reads a register after that register was written.
 */
import { FORM_DESTINATION_MEMORY, FORM_SOURCE_MEMORY } from '../helpers/types.ts';
import type { DecodedInstruction, Operand } from '../isa/instruction.ts';
import {
  GUEST_BASE, STATE_FAULT_VECTOR, STATE_FLAG_AUX, STATE_FLAG_RESULT, STATE_GPR, STATE_XMM, STATE_YMM_HIGH, STATE_ZERO,
} from '../state.ts';
import * as op from '../wasm/opcodes.ts';
import type { ConditionCode, Expr } from './builder.ts';
import { EmittingBuilder, typeOfSize } from './emitting-builder.ts';
import type { CanonicalFlags } from './flag-expressions.ts';

export class CheckingBuilder extends EmittingBuilder {
  readonly nativeNans = false;
  readonly size: number;
  readonly operandCount: number;
  readonly mnemonic: string;
  readonly repeat: 'none' | 'rep' | 'repne';
  protected readonly flagsDead = false;
  readonly #instruction: DecodedInstruction;
  readonly #constants: boolean;
  readonly #helperFunction: number;
  protected readonly stringComparison: number;
  readonly #helperNumber: (name: string) => number;
  /** How often each register was written, by offset in the state. */
  readonly #writes = new Map<number, number>();
  /** Which register an expression reads, and after how many writes. */
  readonly #reads = new WeakMap<Expr, { readonly offset: number; readonly writes: number }>();

  /** The helper import takes number, destination, source, immediate and forms. `constants`: whether immediates are known. */
  constructor(
    instruction: DecodedInstruction,
    constants: boolean,
    helperFunction: number,
    helperNumber: (name: string) => number,
    stringComparison: number,
    parameters = 0,
  ) {
    super(parameters);
    this.#instruction = instruction;
    this.#constants = constants;
    this.#helperFunction = helperFunction;
    this.#helperNumber = helperNumber;
    this.stringComparison = stringComparison;
    this.size = instruction.size;
    this.operandCount = instruction.operands.length;
    this.mnemonic = instruction.row.mnemonic;
    this.repeat = instruction.repeat;
  }

  #operand(index: number): Operand {
    const operand = this.#instruction.operands[index];
    if (operand === undefined) throw new RangeError(`${this.mnemonic} has no operand ${index}`);
    return operand;
  }

  // ---- stale reads ----

  #noteRead(offset: number, expr: Expr): Expr {
    this.#reads.set(expr, { offset, writes: this.#writes.get(offset) ?? 0 });
    return expr;
  }

  #noteWrite(offset: number): void {
    this.#writes.set(offset, (this.#writes.get(offset) ?? 0) + 1);
  }

  override emit(expr: Expr): void {
    this.#refuseStale(expr);
    super.emit(expr);
  }

  #refuseStale(expr: Expr): void {
    const read = this.#reads.get(expr);
    if (read !== undefined && read.writes !== (this.#writes.get(read.offset) ?? 0)) {
      throw new Error(`${this.mnemonic} reads the register at ${read.offset} after writing it`);
    }
    expr.args.forEach((argument) => this.#refuseStale(argument));
  }

  // ---- operands ----

  operandSize(index: number): number {
    return this.#operand(index).size;
  }

  isMemory(index: number): boolean {
    return this.#operand(index).kind === 'memory';
  }

  protected isImmediate(index: number): boolean {
    return this.#operand(index).kind === 'immediate';
  }

  constant(index: number): number | undefined {
    const operand = this.#operand(index);
    return this.#constants && operand.kind === 'immediate' ? operand.low : undefined;
  }

  protected readImmediate(index: number): Expr {
    const operand = this.#operand(index);
    const value = operand.kind === 'immediate' ? operand.low : 0;
    return operand.size === 8 ? this.i64(value) : this.zeroExtend(this.i32(value), operand.size);
  }

  protected registerClass(index: number): 'gpr' | 'xmm' | 'mmx' | 'other' {
    const operand = this.#operand(index);
    if (operand.kind !== 'register') return 'other';
    return operand.class === 'gpr' || operand.class === 'xmm' || operand.class === 'mmx' ? operand.class : 'other';
  }

  #registerIndex(index: number, expected: string): number {
    const operand = this.#operand(index);
    if (operand.kind !== 'register' || operand.class !== expected) {
      throw new TypeError(`operand ${index} of ${this.mnemonic} is no ${expected} register`);
    }
    return operand.index;
  }

  #high8(index: number): boolean {
    const operand = this.#operand(index);
    return operand.kind === 'register' && operand.high8;
  }

  protected readRegister(index: number): Expr {
    return this.readGpr(this.#registerIndex(index, 'gpr'), this.operandSize(index), this.#high8(index));
  }

  protected writeRegister(index: number, value: Expr): void {
    this.writeGpr(this.#registerIndex(index, 'gpr'), this.operandSize(index), value, this.#high8(index));
  }

  readGpr(register: number, size: number, high8 = false): Expr {
    const offset = STATE_GPR + 8 * register;
    const opcode = size === 8 ? op.I64_LOAD : size === 4 ? op.I32_LOAD : size === 2 ? op.I32_LOAD16_U : op.I32_LOAD8_U;
    return this.#noteRead(offset, this.rawLoad(opcode, typeOfSize(size), this.i32(0), offset + (high8 ? 1 : 0)));
  }

  writeGpr(register: number, size: number, value: Expr, high8 = false): void {
    const offset = STATE_GPR + 8 * register;
    if (value.type !== typeOfSize(size)) throw new TypeError(`${this.mnemonic} writes ${value.type} to ${size} bytes`);
    if (size >= 4) this.rawStore(op.I64_STORE, this.i32(0), offset, this.extendU(value));
    else this.rawStore(size === 2 ? op.I32_STORE16 : op.I32_STORE8, this.i32(0), offset + (high8 ? 1 : 0), value);
    this.#noteWrite(offset);
  }

  readXmm(register: number): Expr {
    const offset = STATE_XMM + 16 * register;
    return this.#noteRead(offset, this.rawLoad(op.V128_LOAD, 'v128', this.i32(0), offset));
  }

  writeXmm(register: number, value: Expr): void {
    const offset = STATE_XMM + 16 * register;
    this.rawStore(op.V128_STORE, this.i32(0), offset, value);
    this.#noteWrite(offset);
  }

  protected readXmmOperand(index: number): Expr {
    return this.readXmm(this.#registerIndex(index, 'xmm'));
  }

  protected writeXmmOperand(index: number, value: Expr): void {
    this.writeXmm(this.#registerIndex(index, 'xmm'), value);
  }

  protected mmxAddress(index: number): { readonly base: Expr; readonly offset: number } {
    return { base: this.i32(0), offset: this.mmxOffset(this.#registerIndex(index, 'mmx')) };
  }

  // ---- memory ----

  address(index: number): Expr {
    const operand = this.#operand(index);
    if (operand.kind !== 'memory') throw new TypeError(`operand ${index} of ${this.mnemonic} is not in memory`);
    const base = operand.base < 0 ? this.readState(STATE_ZERO, 'i64') : this.readGpr(operand.base, 8);
    return this.add(base, this.i64(operand.displacement));
  }

  linearAddress(index: number): Expr {
    return this.address(index);
  }

  protected checkAlignment(index: number, address: Expr): void {
    if (this.#instruction.row.aligned === true && this.operandSize(index) === 16) {
      this.faultIf(this.wrap(this.and(address, this.i64(15))), 13);
    }
  }

  protected access(address: Expr): { readonly base: Expr; readonly offset: number } {
    return { base: this.sub(this.wrap(address), this.i32(GUEST_BASE)), offset: 0 };
  }

  // ---- the rest ----

  nextRip(): Expr {
    return this.i64(this.#instruction.address + this.#instruction.length);
  }

  ownCondition(): Expr {
    return this.condition((this.#instruction.row.opcode & 15) as ConditionCode);
  }

  fault(vector: number): void {
    this.writeState(STATE_FAULT_VECTOR, this.i32(vector));
    this.out.u8(op.RETURN);
  }

  helper(name: string, destination?: number, source?: number, immediate: number | Expr = 0): void {
    const forms =
      (destination !== undefined && this.isMemory(destination) ? FORM_DESTINATION_MEMORY : 0) |
      (source !== undefined && this.isMemory(source) ? FORM_SOURCE_MEMORY : 0);
    const parameters = [
      this.i32(this.#helperNumber(name)), this.#helperOperand(destination), this.#helperOperand(source),
      typeof immediate === 'number' ? this.i32(immediate) : immediate, this.i32(forms),
    ];
    this.if(this.op(op.CALL, 'i32', parameters, this.#helperFunction), () => this.out.u8(op.RETURN));
    for (const [offset, writes] of this.#writes) this.#writes.set(offset, writes + 1);
  }

  #helperOperand(index: number | undefined): Expr {
    if (index === undefined) return this.i32(0);
    const operand = this.#operand(index);
    if (operand.kind === 'memory') return this.wrap(this.address(index));
    if (operand.kind !== 'register') return this.readImmediate(index);
    const start = operand.class === 'gpr' ? STATE_GPR + 8 * operand.index : STATE_XMM + 16 * operand.index;
    return this.i32(operand.class === 'mmx' ? this.mmxOffset(operand.index) : start + (operand.high8 ? 1 : 0));
  }

  protected ymmHigh(index: number): { readonly base: Expr; readonly offset: number } {
    return { base: this.i32(0), offset: STATE_YMM_HIGH + 16 * this.#registerIndex(index, 'xmm') };
  }

  vectorIndex(_index: number): Expr { return this.i32(STATE_XMM); }
  vectorScale(_index: number): Expr { return this.i32(0); }
  helperAt(): void {}

  protected readCanonical(): CanonicalFlags {
    return {
      result: this.let(this.readState(STATE_FLAG_RESULT, 'i64')),
      aux: this.let(this.readState(STATE_FLAG_AUX, 'i64')),
    };
  }

  protected writeCanonical(flags: CanonicalFlags): void {
    const result = this.let(flags.result);
    const aux = this.let(flags.aux);
    this.writeState(STATE_FLAG_RESULT, result);
    this.writeState(STATE_FLAG_AUX, aux);
  }

  protected override flagsChanged(): void {
    this.settleFlags();
  }
}
