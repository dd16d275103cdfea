/** The builder whose operands are fields of a decoded record (`record.ts`). One instance writes one handler. */
import type { DecodedInstruction, Operand } from '../isa/instruction.ts';
import { GUEST_BASE, STATE_FLAG_AUX, STATE_FLAG_RESULT, STATE_GPR, STATE_XMM, STATE_YMM_HIGH } from '../state.ts';
import { USER_CS, USER_SS } from '../isa/selectors.ts';
import { HIGH_HALF, PAGE_CODE, PAGE_READ, PAGE_SHIFT, PAGE_SIZE, PAGE_TABLE, PAGE_WRITE } from '../layout.ts';
import type { ConditionCode, Expr } from '../semantics/builder.ts';
import { EmittingBuilder, typeOfSize } from '../semantics/emitting-builder.ts';
import { localGet, node } from '../semantics/expression.ts';
import type { CanonicalFlags, SymbolicFlags } from '../semantics/flag-expressions.ts';
import { shortRun } from '../semantics/short-strings.ts';
import * as op from '../wasm/opcodes.ts';
import type { AddressMode } from './forms.ts';
import * as record from './record.ts';

/** Indexes of what every handler may call or jump to. */
export interface HandlerEnvironment {
  readonly handlerType: number;
  readonly handlerTable: number;
  /** (address low, address high, size, write, pc) -> 1 after a fault was noted. */
  readonly checkAccess: number;
  /** (vector, pc): notes an exception. */
  readonly raise: number;
  /** (helper, destination, source, immediate, forms, pc) -> 0 done, 1 leave, 2 again. */
  readonly helper: number;
  readonly helperNumber: (name: string) => number;
  /** The function of `compare-strings.ts`. */
  readonly compareStrings: number;
}

/** Only VEX has so many operands; this one is a register or an immediate of a byte. */
const LAST_OPERAND = 3;

export class InterpreterBuilder extends EmittingBuilder {
  instruction: DecodedInstruction;
  /** The image is for any host. */
  readonly nativeNans = false;
  size: number;
  operandCount: number;
  mnemonic: string;
  repeat: 'none' | 'rep' | 'repne';
  record: Expr = localGet('i32', 0);
  /** The flags that the instruction has set, as they were before they were stored. */
  flagsSet: SymbolicFlags | undefined;
  protected readonly environment: HandlerEnvironment;
  protected flagsDead: boolean;
  /** In a handler for several instructions: the function that does this one alone, where it is not as simple as most are. */
  #plain: number | undefined;
  #mode: AddressMode;
  #offsets: (Expr | undefined)[] = [];
  #address: Expr | undefined;
  #linear: Expr | undefined;

  constructor(instruction: DecodedInstruction, mode: AddressMode, flagsDead: boolean, environment: HandlerEnvironment, parameters = 1) {
    super(parameters);
    this.instruction = instruction;
    this.size = instruction.size;
    this.operandCount = instruction.operands.length;
    this.mnemonic = instruction.row.mnemonic;
    this.repeat = instruction.repeat;
    this.environment = environment;
    this.flagsDead = flagsDead;
    this.#mode = mode;
  }

  /** The instruction has a function of its own for what is rare, such as accesses to other pages. */
  usePlain(functionIndex: number): void {
    this.#plain = functionIndex;
  }

  /** What follows is the instruction of the next record. */
  begin(instruction: DecodedInstruction, mode: AddressMode, flagsDead: boolean): void {
    this.record = this.let(this.add(this.record, this.i32(record.RECORD_SIZE)));
    this.instruction = instruction;
    this.size = instruction.size;
    this.operandCount = instruction.operands.length;
    this.mnemonic = instruction.row.mnemonic;
    this.repeat = instruction.repeat;
    this.flagsDead = flagsDead;
    this.#mode = mode;
    this.#offsets = [];
    this.#address = this.#linear = undefined;
  }

  get raiseFunction(): number {
    return this.environment.raise;
  }

  protected get stringComparison(): number {
    return this.environment.compareStrings;
  }

  // ---- the record ----

  field(opcode: number, offset: number): Expr {
    return this.rawLoad(opcode, 'i32', this.record, offset);
  }

  pc(): Expr {
    return this.field(op.I32_LOAD, record.RECORD_PC);
  }

  nextRip(): Expr {
    return this.extendU(this.add(this.pc(), this.field(op.I32_LOAD8_U, record.RECORD_LENGTH)));
  }

  #operand(index: number): Operand {
    const operand = this.instruction.operands[index];
    if (operand === undefined) throw new RangeError(`${this.mnemonic} has no operand ${index}`);
    return operand;
  }

  /** Offset of a register operand in the CPU state. */
  #offset(index: number): Expr {
    const known = this.#offsets[index];
    if (known !== undefined) return known;
    const at = index === 0 ? record.RECORD_OPERAND0 : index === 1 ? record.RECORD_OPERAND1 : index === 2 ? record.RECORD_IMMEDIATE : record.RECORD_LAST;
    return (this.#offsets[index] = this.let(this.field(op.I32_LOAD16_U, at)));
  }

  // ---- form ----

  operandSize(index: number): number {
    return this.#operand(index).size;
  }

  isMemory(index: number): boolean {
    return this.#operand(index).kind === 'memory';
  }

  isImmediate(index: number): boolean {
    const kind = this.#operand(index).kind;
    return kind === 'immediate' || kind === 'target';
  }

  constant(): undefined {
    return undefined;
  }

  ownCondition(): Expr {
    return this.condition((this.instruction.row.opcode & 15) as ConditionCode);
  }

  protected registerClass(index: number): 'gpr' | 'xmm' | 'mmx' | 'other' {
    const operand = this.#operand(index);
    if (operand.kind !== 'register') return 'other';
    return operand.class === 'gpr' || operand.class === 'xmm' || operand.class === 'mmx' ? operand.class : 'other';
  }

  // ---- operands ----

  protected readImmediate(index: number): Expr {
    const size = this.#operand(index).size;
    if (index === LAST_OPERAND) return this.field(op.I32_LOAD, record.RECORD_LAST);
    const first = this.instruction.operands.findIndex((operand) => operand.kind === 'immediate');
    if (index !== first) return this.resize(this.field(op.I32_LOAD, record.RECORD_DISPLACEMENT), size);
    if (size === 8) return this.rawLoad(op.I64_LOAD, 'i64', this.record, record.RECORD_IMMEDIATE);
    return this.zeroExtend(this.field(op.I32_LOAD, record.RECORD_IMMEDIATE), size);
  }

  #loadRegister(base: Expr, offset: number, size: number): Expr {
    const opcode = size === 8 ? op.I64_LOAD : size === 4 ? op.I32_LOAD : size === 2 ? op.I32_LOAD16_U : op.I32_LOAD8_U;
    return this.rawLoad(opcode, typeOfSize(size), base, offset);
  }

  #storeRegister(base: Expr, offset: number, size: number, value: Expr): void {
    if (size >= 4) this.rawStore(op.I64_STORE, base, offset, this.extendU(value));
    else this.rawStore(size === 2 ? op.I32_STORE16 : op.I32_STORE8, base, offset, this.wrap(value));
  }

  protected readRegister(index: number): Expr {
    const operand = this.#operand(index);
    if (operand.kind === 'register' && operand.class === 'segment') {
      const number = this.#offset(index);
      const stack = this.select(this.eq(number, this.i32(2)), this.i32(USER_SS), this.i32(0));
      return this.select(this.eq(number, this.i32(1)), this.i32(USER_CS), stack);
    }
    return this.#loadRegister(this.#offset(index), STATE_GPR, this.operandSize(index));
  }

  protected writeRegister(index: number, value: Expr): void {
    this.#storeRegister(this.#offset(index), STATE_GPR, this.operandSize(index), value);
  }

  readGpr(register: number, size: number, high8 = false): Expr {
    return this.#loadRegister(this.i32(0), STATE_GPR + 8 * register + (high8 ? 1 : 0), size);
  }

  writeGpr(register: number, size: number, value: Expr, high8 = false): void {
    this.#storeRegister(this.i32(0), STATE_GPR + 8 * register + (high8 ? 1 : 0), size, value);
  }

  readXmm(register: number): Expr {
    return this.rawLoad(op.V128_LOAD, 'v128', this.i32(0), STATE_XMM + 16 * register);
  }

  writeXmm(register: number, value: Expr): void {
    this.rawStore(op.V128_STORE, this.i32(0), STATE_XMM + 16 * register, value);
  }

  protected readXmmOperand(index: number): Expr {
    return this.rawLoad(op.V128_LOAD, 'v128', this.#offset(index), 0);
  }

  protected writeXmmOperand(index: number, value: Expr): void {
    this.rawStore(op.V128_STORE, this.#offset(index), 0, value);
  }

  override readF64(index: number): Expr {
    return this.isMemory(index) ? super.readF64(index) : this.rawLoad(op.F64_LOAD, 'f64', this.#offset(index), 0);
  }

  override writeF64(index: number, value: Expr): void {
    if (this.isMemory(index)) super.writeF64(index, value);
    else this.rawStore(op.F64_STORE, this.#offset(index), 0, value);
  }

  override readLow64(index: number): Expr {
    return this.isMemory(index) ? super.readLow64(index) : this.rawLoad(op.I64_LOAD, 'i64', this.#offset(index), 0);
  }

  override writeLow64(index: number, value: Expr): void {
    if (this.isMemory(index)) super.writeLow64(index, value);
    else this.rawStore(op.I64_STORE, this.#offset(index), 0, value);
  }

  protected mmxAddress(index: number): { readonly base: Expr; readonly offset: number } {
    return { base: this.#offset(index), offset: 0 };
  }

  protected ymmHigh(index: number): { readonly base: Expr; readonly offset: number } {
    return { base: this.#offset(index), offset: STATE_YMM_HIGH - STATE_XMM };
  }

  vectorIndex(_index: number): Expr { return this.field(op.I32_LOAD16_U, record.RECORD_LAST); }
  vectorScale(_index: number): Expr { return this.field(op.I32_LOAD8_U, record.RECORD_SCALE); }

  // ---- addresses ----

  #register64(field: number): Expr {
    return this.rawLoad(op.I64_LOAD, 'i64', this.field(op.I32_LOAD16_U, field), STATE_GPR);
  }

  address(_index: number): Expr {
    if (this.#address !== undefined) return this.#address;
    const displacement = this.rawLoad(op.I64_LOAD32_S, 'i64', this.record, record.RECORD_DISPLACEMENT);
    const base = this.add(this.#register64(record.RECORD_BASE), displacement);
    if (this.#mode === 1) return (this.#address = this.let(base));
    const scale = this.field(op.I32_LOAD8_U, record.RECORD_SCALE);
    const sum = this.add(base, this.shl(this.#register64(record.RECORD_INDEX), scale));
    const shift = this.let(this.field(op.I32_LOAD8_U, record.RECORD_ADDRESS_SHIFT));
    return (this.#address = this.let(this.shrU(this.shl(sum, shift), shift)));
  }

  linearAddress(index: number): Expr {
    if (this.#mode === 1) return this.address(index);
    this.#linear ??= this.let(this.add(this.address(index), this.#register64(record.RECORD_SEGMENT)));
    return this.#linear;
  }

  protected checkAlignment(index: number, address: Expr): void {
    const { size } = this.#operand(index);
    if (this.instruction.row.aligned === true && size >= 16) {
      this.faultIf(this.wrap(this.and(address, this.i64(size - 1))), 13);
    }
  }

  protected access(address: Expr, size: number, write: boolean): { readonly base: Expr; readonly offset: number } {
    const whole = this.let(address);
    const low = this.let(this.wrap(whole));
    const flags = this.rawLoad(op.I32_LOAD8_U, 'i32', this.shrU(low, this.i32(PAGE_SHIFT)), PAGE_TABLE - GUEST_BASE);
    const right = write ? this.eq(this.and(flags, this.i32(PAGE_WRITE | PAGE_CODE)), this.i32(PAGE_WRITE)) : this.and(flags, this.i32(PAGE_READ));
    // Above 4 GiB, or across the end of a page.
    const [bits, most] = size > 1 ? [HIGH_HALF + PAGE_SIZE - 1, PAGE_SIZE - size] : [HIGH_HALF, 0];
    this.open(op.BLOCK);
    const accessible = this.depth;
    this.open(op.BLOCK);
    this.#branchIf(this.gtU(this.and(whole, this.i64(bits)), this.i64(most)), this.depth, false);
    this.#branchIf(right, accessible, true);
    this.close();
    if (this.#plain === undefined) {
      const high = this.wrap(this.shrU(whole, this.i64(32)));
      this.emit(node('i32', op.CALL, [low, high, this.i32(size), this.i32(write ? 1 : 0), this.pc()], this.environment.checkAccess));
      this.openUnlikely();
      this.leave();
      this.close();
    } else {
      this.emit(this.record);
      this.out.u8(op.RETURN_CALL);
      this.out.u32(this.#plain);
    }
    this.close();
    return { base: this.sub(low, this.i32(GUEST_BASE)), offset: 0 };
  }

  /** Branches are foreseen, and need fewer instructions than conditions that are joined. */
  #branchIf(condition: Expr, label: number, taken: boolean): void {
    this.emit(condition);
    this.out.foresee(taken);
    this.out.u8(op.BR_IF);
    this.out.u32(this.depth - label);
  }

  // ---- ways out ----

  /** Returns 0: back to the host, which finds rip and the reason in the state. */
  leave(): void {
    this.emit(this.i32(0));
    this.out.u8(op.RETURN);
  }

  fault(vector: number): void {
    this.emit(this.i32(vector));
    this.emit(this.pc());
    this.out.u8(op.CALL);
    this.out.u32(this.environment.raise);
    this.leave();
  }

  helper(name: string, destination?: number, source?: number, immediate: number | Expr = 0): void {
    const done = shortRun(this, name);
    if (done === undefined) this.#callHelper(name, destination, source, immediate);
    else this.unlikely(this.eqz(done), () => this.#callHelper(name, destination, source, immediate));
  }

  #callHelper(name: string, destination: number | undefined, source: number | undefined, immediate: number | Expr): void {
    const forms = this.#helperForm(destination, 1) | this.#helperForm(source, 2);
    this.#call(name, this.#helperOperand(destination), this.#helperOperand(source), immediate, forms);
  }

  helperAt(name: string, destination: number, source: number | Expr, immediate: number | Expr): void {
    this.#call(name, this.i32(destination), typeof source === 'number' ? this.i32(source) : source, immediate, 0);
  }

  #call(name: string, destination: Expr, source: Expr, immediate: number | Expr, forms: number): void {
    const result = this.let(node('i32', op.CALL, [
      this.i32(this.environment.helperNumber(name)), destination, source,
      typeof immediate === 'number' ? this.i32(immediate) : immediate, this.i32(forms), this.pc(),
    ], this.environment.helper));
    this.unlikely(result, () => {
      this.if(this.eq(result, this.i32(2)), () => this.jumpTo(this.record));
      this.leave();
    });
  }

  #helperForm(index: number | undefined, bit: number): number {
    return index !== undefined && this.isMemory(index) ? bit : 0;
  }

  #helperOperand(index: number | undefined): Expr {
    if (index === undefined) return this.i32(0);
    if (this.isImmediate(index)) return this.wrap(this.readImmediate(index));
    if (!this.isMemory(index)) return this.#offset(index);
    const address = this.linearAddress(index);
    this.unlikely(this.wrap(this.shrU(address, this.i64(32))), () => this.fault(13));
    return this.wrap(address);
  }

  /** Tail call of a record's handler. */
  jumpTo(target: Expr): void {
    this.emit(target);
    this.emit(this.rawLoad(op.I32_LOAD16_U, 'i32', target, record.RECORD_HANDLER));
    this.out.u8(op.RETURN_CALL_INDIRECT);
    this.out.u32(this.environment.handlerType);
    this.out.u32(this.environment.handlerTable);
  }

  /** Goes on with the next record, or one of those behind it. */
  next(distance = 1): void {
    this.emit(this.add(this.record, this.i32(distance * record.RECORD_SIZE)));
    this.emit(this.rawLoad(op.I32_LOAD16_U, 'i32', this.record, distance * record.RECORD_SIZE + record.RECORD_HANDLER));
    this.out.u8(op.RETURN_CALL_INDIRECT);
    this.out.u32(this.environment.handlerType);
    this.out.u32(this.environment.handlerTable);
  }

  // ---- flags ----

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
    this.flagsSet = this.symbolic;
    this.settleFlags();
  }
}
