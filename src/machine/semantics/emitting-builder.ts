/** What the interpreter's and the translator's builders share: statements, flags, memory access by size. */
import * as op from '../wasm/opcodes.ts';
import { ByteWriter, TYPE_BYTES, type WasmType } from '../wasm/writer.ts';
import { STATE_X87, STATE_X87_TAG, STATE_X87_TOP, STATE_YMM_HIGH } from '../state.ts';
import type { Builder, ConditionCode, Expr, FlagName, ValueType } from './builder.ts';
import { Expressions, emitExpression, localGet, node, writeOpcode } from './expression.ts';
import {
  auxOfBits, auxWithCarry, canonicalFlag, canonicalOfFlags, canonicalize, conditionOf, symbolicFlag,
  type CanonicalFlags, type FlagKind, type SymbolicFlags,
} from './flag-expressions.ts';

export const FLAG_NAMES: readonly FlagName[] = ['CF', 'PF', 'AF', 'ZF', 'SF', 'OF'];
const EMPTY_BLOCK_TYPE = 0x40;

/** i32 or i64, whichever holds `size` bytes. */
export function typeOfSize(size: number): 'i32' | 'i64' {
  return size === 8 ? 'i64' : 'i32';
}

/** Buffers of the arms of conditions: making one takes longer than filling it. */
const spareWriters: ByteWriter[] = [];

export abstract class EmittingBuilder extends Expressions implements Builder {
  out = new ByteWriter();
  /** Types of the locals after the parameters. */
  locals: WasmType[] = [];
  /** Labels open around the code being written. */
  depth = 0;
  protected symbolic: SymbolicFlags | undefined;
  protected readonly parameterCount: number;

  constructor(parameterCount: number) {
    super();
    this.parameterCount = parameterCount;
  }

  abstract readonly nativeNans: boolean;
  abstract readonly size: number;
  abstract readonly operandCount: number;
  abstract readonly mnemonic: string;
  abstract readonly repeat: 'none' | 'rep' | 'repne';
  abstract operandSize(index: number): number;
  abstract isMemory(index: number): boolean;
  abstract constant(index: number): number | undefined;
  abstract address(index: number): Expr;
  abstract linearAddress(index: number): Expr;
  abstract ownCondition(): Expr;
  abstract nextRip(): Expr;
  abstract fault(vector: number): void;
  abstract helper(name: string, destination?: number, source?: number, immediate?: number | Expr): void;
  abstract helperAt(name: string, destination: number, source: number | Expr, immediate: number | Expr): void;
  abstract vectorIndex(index: number): Expr;
  abstract vectorScale(index: number): Expr;
  abstract readGpr(register: number, size: number, high8?: boolean): Expr;
  abstract writeGpr(register: number, size: number, value: Expr, high8?: boolean): void;
  abstract readXmm(register: number): Expr;
  abstract writeXmm(register: number, value: Expr): void;
  /** Index of the function that compares strings. */
  protected abstract readonly stringComparison: number;

  /** True where the flags after this instruction are never read. */
  protected abstract get flagsDead(): boolean;
  /** The canonical flags before this instruction, readable several times. */
  protected abstract readCanonical(): CanonicalFlags;
  protected abstract writeCanonical(flags: CanonicalFlags): void;
  /** Immediate as i32 (size 1 to 4) or i64. */
  protected abstract readImmediate(index: number): Expr;
  protected abstract isImmediate(index: number): boolean;
  protected abstract readRegister(index: number): Expr;
  protected abstract writeRegister(index: number, value: Expr): void;
  /** Whole xmm register of an operand. */
  protected abstract readXmmOperand(index: number): Expr;
  protected abstract writeXmmOperand(index: number, value: Expr): void;
  /** 'gpr', 'xmm' or 'mmx', for register operands. */
  protected abstract registerClass(index: number): 'gpr' | 'xmm' | 'mmx' | 'other';
  /** Guest address to Wasm address and static offset, after the checks that this tier makes. Emits. */
  protected abstract access(address: Expr, size: number, write: boolean): { readonly base: Expr; readonly offset: number };
  /** Checks alignment where the row wants it. */
  protected abstract checkAlignment(index: number, address: Expr): void;
  /** Where in the state the upper half of a ymm register operand is. */
  protected abstract ymmHigh(index: number): { readonly base: Expr; readonly offset: number };
  /** Offset in the state of the significand of mmx register operand. */
  protected abstract mmxAddress(index: number): { readonly base: Expr; readonly offset: number };

  // ---- raw emission ----

  emit(expr: Expr): void {
    emitExpression(this.out, expr);
  }

  emitOpcode(opcode: number): void {
    writeOpcode(this.out, opcode);
  }

  newLocal(type: ValueType): number {
    this.locals.push(type);
    return this.parameterCount + this.locals.length - 1;
  }

  setLocal(index: number, value: Expr): void {
    this.emit(value);
    this.out.u8(op.LOCAL_SET);
    this.out.u32(index);
  }

  /** A memory read that is not checked (CPU state, machine tables). */
  rawLoad(opcode: number, type: ValueType, base: Expr, offset: number): Expr {
    return node(type, opcode, [base], offset);
  }

  rawStore(opcode: number, base: Expr, offset: number, value: Expr): void {
    this.emit(base);
    this.emit(value);
    writeOpcode(this.out, opcode);
    this.out.u8(0);
    this.out.u32(offset);
  }

  // ---- statements ----

  let(value: Expr): Expr {
    if (value.opcode === op.I32_CONST || value.opcode === op.I64_CONST) return value;
    const local = this.newLocal(value.type);
    this.setLocal(local, value);
    return localGet(value.type, local);
  }

  variable(type: ValueType, initial: Expr): Expr {
    const local = this.newLocal(type);
    this.setLocal(local, initial);
    return localGet(type, local);
  }

  assign(variable: Expr, value: Expr): void {
    this.setLocal(variable.immediate, value);
  }

  if(condition: Expr, then: () => void, otherwise?: () => void): void {
    this.#branch(condition, then, otherwise);
  }

  unlikely(condition: Expr, then: () => void): void {
    this.#branch(condition, then, undefined, false);
  }

  /** `foreseen`: which way it mostly goes. */
  #branch(condition: Expr, then: () => void, otherwise: (() => void) | undefined, foreseen?: boolean): void {
    // A condition is evaluated before the flags are brought into the form that both ways share.
    const test = this.let(condition);
    const before = this.symbolic;
    const outer = this.out;
    const arm = (body: () => void): ByteWriter => {
      const writer = spareWriters.pop() ?? new ByteWriter(256);
      writer.clear();
      this.out = writer;
      this.symbolic = before;
      this.depth++;
      body();
      if (this.symbolic !== before) this.settleFlags();
      this.depth--;
      return writer;
    };
    const thenBytes = arm(then);
    let changed = this.symbolic !== before;
    const otherwiseBytes = otherwise === undefined ? undefined : arm(otherwise);
    changed ||= this.symbolic !== before;
    this.out = outer;
    this.symbolic = before;
    if (changed) this.settleFlags();
    this.emit(test);
    if (foreseen !== undefined) this.out.foresee(foreseen);
    this.out.u8(op.IF);
    this.out.u8(EMPTY_BLOCK_TYPE);
    this.out.appendCode(thenBytes);
    if (otherwiseBytes !== undefined) {
      this.out.u8(op.ELSE);
      this.out.appendCode(otherwiseBytes);
      spareWriters.push(otherwiseBytes);
    }
    spareWriters.push(thenBytes);
    this.out.u8(op.END);
  }

  faultIf(condition: Expr, vector: number): void {
    this.unlikely(condition, () => this.fault(vector));
  }

  compareStrings(first: Expr, second: Expr, firstLength: Expr, secondLength: Expr, control: Expr): Expr {
    return this.let(node('i32', op.CALL, [first, second, firstLength, secondLength, control], this.stringComparison));
  }

  // ---- memory ----

  load(address: Expr, size: number): Expr {
    const { base, offset } = this.access(address, size, false);
    const opcode = size === 8 ? op.I64_LOAD : size === 4 ? op.I32_LOAD : size === 2 ? op.I32_LOAD16_U : op.I32_LOAD8_U;
    return this.let(node(typeOfSize(size), opcode, [base], offset));
  }

  store(address: Expr, size: number, value: Expr): void {
    const kept = this.let(value);
    const { base, offset } = this.access(address, size, true);
    const opcode = size === 8 ? op.I64_STORE : size === 4 ? op.I32_STORE : size === 2 ? op.I32_STORE16 : op.I32_STORE8;
    this.rawStore(opcode, base, offset, kept);
  }

  #loadAs(index: number, size: number, opcode: number, type: ValueType): Expr {
    const { base, offset } = this.access(this.linearAddress(index), size, false);
    return this.let(node(type, opcode, [base], offset));
  }

  #storeAs(index: number, size: number, opcode: number, value: Expr): void {
    const kept = this.let(value);
    const { base, offset } = this.access(this.linearAddress(index), size, true);
    this.rawStore(opcode, base, offset, kept);
  }

  push(value: Expr, size: number): void {
    const kept = this.let(value);
    const address = this.let(this.sub(this.readGpr(4, 8), this.i64(size)));
    this.store(address, size, kept);
    this.writeGpr(4, 8, address);
  }

  peekStack(size: number): Expr {
    return this.load(this.readGpr(4, 8), size);
  }

  addRsp(bytes: number): void {
    this.writeGpr(4, 8, this.add(this.readGpr(4, 8), this.i64(bytes)));
  }

  readState(offset: number, type: 'i32' | 'i64' | 'v128'): Expr {
    return this.rawLoad(type === 'i32' ? op.I32_LOAD : type === 'i64' ? op.I64_LOAD : op.V128_LOAD, type, this.i32(0), offset);
  }

  writeState(offset: number, value: Expr): void {
    this.rawStore(value.type === 'i32' ? op.I32_STORE : value.type === 'i64' ? op.I64_STORE : op.V128_STORE, this.i32(0), offset, value);
  }

  // ---- operands ----

  read(index: number): Expr {
    const size = this.operandSize(index);
    if (this.isImmediate(index)) return this.readImmediate(index);
    if (this.isMemory(index)) return this.load(this.linearAddress(index), size);
    const kind = this.registerClass(index);
    if (kind === 'xmm') return this.readLow(index, size);
    if (kind === 'mmx') return this.resize(this.readMmx(index), size);
    return this.readRegister(index);
  }

  protected readLow(index: number, size: number): Expr {
    return size === 8 ? this.readLow64(index) : this.zeroExtend(this.readLow32(index), size);
  }

  write(index: number, value: Expr): void {
    if (this.isMemory(index)) this.store(this.linearAddress(index), this.operandSize(index), value);
    else this.writeRegister(index, value);
  }

  readSigned(index: number, to: 'i32' | 'i64'): Expr {
    const size = this.operandSize(index);
    const value = this.read(index);
    if (to === 'i32') return this.signExtend(value, size);
    return size === 8 ? value : this.extendS(this.signExtend(value, size));
  }

  readV128(index: number): Expr {
    if (!this.isMemory(index)) return this.readXmmOperand(index);
    this.checkAlignment(index, this.linearAddress(index));
    return this.#loadAs(index, 16, op.V128_LOAD, 'v128');
  }

  writeV128(index: number, value: Expr): void {
    if (!this.isMemory(index)) {
      this.writeXmmOperand(index, value);
      return;
    }
    const kept = this.let(value);
    this.checkAlignment(index, this.linearAddress(index));
    this.#storeAs(index, 16, op.V128_STORE, kept);
  }

  readV256(index: number): readonly [Expr, Expr] {
    if (!this.isMemory(index)) return [this.let(this.readXmmOperand(index)), this.let(this.readYmmHigh(index))];
    const address = this.let(this.linearAddress(index));
    this.checkAlignment(index, address);
    const { base, offset } = this.access(address, 32, false);
    return [this.let(node('v128', op.V128_LOAD, [base], offset)), this.let(node('v128', op.V128_LOAD, [base], offset + 16))];
  }

  writeV256(index: number, low: Expr, high: Expr): void {
    const [first, second] = [this.let(low), this.let(high)];
    if (!this.isMemory(index)) {
      this.writeXmmOperand(index, first);
      this.writeYmmHigh(index, second);
      return;
    }
    const address = this.let(this.linearAddress(index));
    this.checkAlignment(index, address);
    const { base, offset } = this.access(address, 32, true);
    const at = this.let(base);
    this.rawStore(op.V128_STORE, at, offset, first);
    this.rawStore(op.V128_STORE, at, offset + 16, second);
  }

  readYmmHigh(index: number): Expr {
    const { base, offset } = this.ymmHigh(index);
    return this.rawLoad(op.V128_LOAD, 'v128', base, offset);
  }

  writeYmmHigh(index: number, value: Expr): void {
    const { base, offset } = this.ymmHigh(index);
    this.rawStore(op.V128_STORE, base, offset, value);
  }

  writeYmmHighOf(register: number, value: Expr): void {
    this.rawStore(op.V128_STORE, this.i32(0), STATE_YMM_HIGH + 16 * register, value);
  }

  readF64(index: number): Expr {
    if (this.isMemory(index)) return this.#loadAs(index, 8, op.F64_LOAD, 'f64');
    return node('f64', op.F64X2_EXTRACT_LANE, [this.readXmmOperand(index)], 0);
  }

  readF32(index: number): Expr {
    if (this.isMemory(index)) return this.#loadAs(index, 4, op.F32_LOAD, 'f32');
    return node('f32', op.F32X4_EXTRACT_LANE, [this.readXmmOperand(index)], 0);
  }

  readLow64(index: number): Expr {
    if (this.isMemory(index)) return this.load(this.linearAddress(index), 8);
    return node('i64', op.I64X2_EXTRACT_LANE, [this.readXmmOperand(index)], 0);
  }

  readLow32(index: number): Expr {
    if (this.isMemory(index)) return this.load(this.linearAddress(index), 4);
    return node('i32', op.I32X4_EXTRACT_LANE, [this.readXmmOperand(index)], 0);
  }

  readHigh64(index: number): Expr {
    return node('i64', op.I64X2_EXTRACT_LANE, [this.readXmmOperand(index)], 1);
  }

  #replaceLane(index: number, opcode: number, lane: number, value: Expr): void {
    this.writeXmmOperand(index, node('v128', opcode, [this.readXmmOperand(index), value], lane));
  }

  writeF64(index: number, value: Expr): void {
    if (this.isMemory(index)) this.#storeAs(index, 8, op.F64_STORE, value);
    else this.#replaceLane(index, op.F64X2_REPLACE_LANE, 0, value);
  }

  writeF32(index: number, value: Expr): void {
    if (this.isMemory(index)) this.#storeAs(index, 4, op.F32_STORE, value);
    else this.#replaceLane(index, op.F32X4_REPLACE_LANE, 0, value);
  }

  writeLow64(index: number, value: Expr): void {
    if (this.isMemory(index)) this.store(this.linearAddress(index), 8, value);
    else this.#replaceLane(index, op.I64X2_REPLACE_LANE, 0, value);
  }

  writeLow32(index: number, value: Expr): void {
    if (this.isMemory(index)) this.store(this.linearAddress(index), 4, value);
    else this.#replaceLane(index, op.I32X4_REPLACE_LANE, 0, value);
  }

  writeHigh64(index: number, value: Expr): void {
    this.#replaceLane(index, op.I64X2_REPLACE_LANE, 1, value);
  }

  writeLow64Zero(index: number, value: Expr): void {
    const zero = this.v128(new Array<number>(16).fill(0));
    this.writeXmmOperand(index, node('v128', op.I64X2_REPLACE_LANE, [zero, value], 0));
  }

  writeLow32Zero(index: number, value: Expr): void {
    const zero = this.v128(new Array<number>(16).fill(0));
    this.writeXmmOperand(index, node('v128', op.I32X4_REPLACE_LANE, [zero, value], 0));
  }

  readMmx(index: number): Expr {
    if (this.isMemory(index)) return this.load(this.linearAddress(index), 8);
    const { base, offset } = this.mmxAddress(index);
    const value = this.let(this.rawLoad(op.I64_LOAD, 'i64', base, offset));
    // A store can still fault: `writeMmx` does it then.
    if (!this.isMemory(0)) this.#enterMmx();
    return value;
  }

  writeMmx(index: number, value: Expr): void {
    if (this.isMemory(index)) {
      this.store(this.linearAddress(index), this.operandSize(index), value);
      this.#enterMmx();
      return;
    }
    const kept = this.let(value);
    const { base, offset } = this.mmxAddress(index);
    this.rawStore(op.I64_STORE, base, offset, kept);
    this.rawStore(op.I32_STORE16, base, offset + 8, this.i32(0xffff));
    this.#enterMmx();
  }

  /** SDM Vol. 1 9.6.2: any MMX instruction sets TOP to 0 and marks all registers in use. */
  #enterMmx(): void {
    this.rawStore(op.I32_STORE16, this.i32(0), STATE_X87_TOP, this.i32(0));
    this.rawStore(op.I32_STORE16, this.i32(0), STATE_X87_TAG, this.i32(0xff));
  }

  protected mmxOffset(register: number): number {
    return STATE_X87 + 16 * register;
  }

  // ---- flags ----

  /** Keeps an operand so that it can be read later, even after this instruction. */
  protected keep(value: Expr, _role: 'a' | 'b' | 'result'): Expr {
    return this.let(value);
  }

  protected keepBit(value: Expr, _role: 'carry' | 'overflow' | 'auxiliary'): Expr {
    return this.let(value);
  }

  #setSymbolic(kind: FlagKind, size: number, result: Expr, a?: Expr, b?: Expr, carry?: Expr, overflow?: Expr, auxiliary?: Expr): void {
    if (this.flagsDead) {
      this.symbolic = undefined;
      return;
    }
    const kept = {
      carry: carry === undefined ? undefined : this.let(carry),
      overflow: overflow === undefined ? undefined : this.let(overflow),
      auxiliary: auxiliary === undefined ? undefined : this.let(auxiliary),
      a: a === undefined ? undefined : this.let(a),
      b: b === undefined ? undefined : this.let(b),
      result: this.let(result),
    };
    this.symbolic = {
      kind, size,
      result: this.keep(kept.result, 'result'),
      a: kept.a === undefined ? undefined : this.keep(kept.a, 'a'),
      b: kept.b === undefined ? undefined : this.keep(kept.b, 'b'),
      carry: kept.carry === undefined ? undefined : this.keepBit(kept.carry, 'carry'),
      overflow: kept.overflow === undefined ? undefined : this.keepBit(kept.overflow, 'overflow'),
      auxiliary: kept.auxiliary === undefined ? undefined : this.keepBit(kept.auxiliary, 'auxiliary'),
    };
    this.flagsChanged();
  }

  /** After a symbolic form was set: the interpreter settles at once. */
  protected flagsChanged(): void {}

  /** Brings the symbolic form into the canonical one. */
  settleFlags(): void {
    const symbolic = this.symbolic;
    if (symbolic === undefined) return;
    this.symbolic = undefined;
    this.writeCanonical(canonicalize(this, symbolic, (value) => this.let(value)));
  }

  flagsAdd(size: number, a: Expr, b: Expr, result: Expr): void { this.#setSymbolic('add', size, result, a, b); }
  flagsSub(size: number, a: Expr, b: Expr, result: Expr): void { this.#setSymbolic('sub', size, result, a, b); }
  flagsAdc(size: number, a: Expr, b: Expr, result: Expr): void { this.#setSymbolic('adc', size, result, a, b); }
  flagsSbb(size: number, a: Expr, b: Expr, result: Expr): void { this.#setSymbolic('sbb', size, result, a, b); }
  flagsLogic(size: number, result: Expr): void { this.#setSymbolic('logic', size, result); }
  flagsInc(size: number, result: Expr): void {
    if (this.flagsDead) this.symbolic = undefined;
    else this.#setSymbolic('inc', size, result, undefined, undefined, this.flag('CF'));
  }
  flagsDec(size: number, result: Expr): void {
    if (this.flagsDead) this.symbolic = undefined;
    else this.#setSymbolic('dec', size, result, undefined, undefined, this.flag('CF'));
  }
  flagsResult(size: number, result: Expr, carry: Expr, overflow: Expr, auxiliary?: Expr): void {
    this.#setSymbolic('result', size, result, undefined, undefined, carry, overflow, auxiliary);
  }

  flagsCompare(a: Expr, b: Expr): void { this.#setSymbolic('compare', 8, a, a, b); }

  setFlags(flags: Partial<Record<FlagName, Expr>>): void {
    if (this.flagsDead) {
      this.symbolic = undefined;
      return;
    }
    const names = FLAG_NAMES.filter((name) => flags[name] !== undefined);
    const value = (name: FlagName): Expr => this.let(flags[name] ?? this.flag(name));
    if (names.length <= 2 && names.every((name) => name === 'CF' || name === 'OF')) {
      this.#setCarryOverflow(flags);
      return;
    }
    const all = { CF: value('CF'), PF: value('PF'), AF: value('AF'), ZF: value('ZF'), SF: value('SF'), OF: value('OF') };
    this.symbolic = undefined;
    this.writeCanonical(canonicalOfFlags(this, all));
  }

  /** bt, stc, rol and so on: RESULT stays, AUX gets other top bits. */
  #setCarryOverflow(flags: Partial<Record<FlagName, Expr>>): void {
    const carry = flags.CF === undefined ? undefined : this.let(flags.CF);
    const overflow = flags.OF === undefined ? undefined : this.let(flags.OF);
    this.settleFlags();
    const { result, aux } = this.readCanonical();
    if (overflow === undefined) {
      this.writeCanonical({ result, aux: carry === undefined ? aux : auxWithCarry(this, aux, carry) });
      return;
    }
    const top = auxOfBits(this, carry ?? canonicalFlag(this, { result, aux }, 'CF'), overflow, undefined);
    this.writeCanonical({ result, aux: this.or(this.and(aux, this.i64(0x3fff_ffff_ffff_ffffn)), top) });
  }

  flag(name: FlagName): Expr {
    const symbolic = this.symbolic;
    if (symbolic !== undefined) return symbolicFlag(this, symbolic, name);
    return canonicalFlag(this, this.readCanonical(), name);
  }

  condition(code: ConditionCode): Expr {
    return conditionOf(this, code, (name) => this.flag(name), this.symbolic);
  }

  /** Opens a Wasm block, loop or if without values. */
  open(opcode: number): void {
    this.out.u8(opcode);
    this.out.u8(EMPTY_BLOCK_TYPE);
    this.depth++;
  }

  /** Opens an `if` that is mostly passed by. */
  openUnlikely(): void {
    this.out.foresee(false);
    this.open(op.IF);
  }

  close(): void {
    this.out.u8(op.END);
    this.depth--;
  }
}

export { TYPE_BYTES };
