/** The builder whose operands are locals and constants: it writes the body of one unit. */
import type { DecodedInstruction, MemoryOperand, Operand } from '../isa/instruction.ts';
import { USER_CS, USER_SS } from '../isa/selectors.ts';
import type { ConditionCode, Expr } from '../semantics/builder.ts';
import { localGet, node } from '../semantics/expression.ts';
import { canonicalize, type CanonicalFlags, type SymbolicFlags } from '../semantics/flag-expressions.ts';
import { shortRun } from '../semantics/short-strings.ts';
import * as state from '../state.ts';
import * as op from '../wasm/opcodes.ts';
import { CheckedAccess, type CheckedBlock } from './checked-access.ts';
import type { InstructionFacts } from './liveness.ts';
import { marked, memoryOffset } from './memory-offset.ts';
import { LocalBuilder } from './local-builder.ts';
import { IMPORT_HELPER, IMPORT_RAISE, type UnitOptions } from './unit-options.ts';

const { GUEST_BASE, STATE_GPR, STATE_XMM } = state;

const RSP = 4;

type FlagBit = 'carry' | 'overflow' | 'auxiliary';

export class UnitBuilder extends LocalBuilder {
  readonly options: UnitOptions;
  size = 0;
  operandCount = 0;
  mnemonic = '';
  repeat: 'none' | 'rep' | 'repne' = 'none';
  #instruction: DecodedInstruction | undefined;
  #facts: InstructionFacts | undefined;
  #writtenSoFar = 0;
  #registerLocals: (number | undefined)[] = [];
  /** xmm registers kept as an f64 (low half) and an i64 (high half). */
  #split = 0;
  #lowLocals: (number | undefined)[] = [];
  #highLocals: (number | undefined)[] = [];
  /** Depth of the block behind which a set of registers is stored and the unit left. */
  readonly #leaves = new Map<number, number>();
  #flagLocals: { result: number; aux: number } | undefined;
  readonly #checks: CheckedAccess | undefined;

  /** `interpretAt`: leaves the unit for the interpreter at an address, with a set of registers to store. */
  constructor(options: UnitOptions, interpretAt: (registers: number, address: number) => void) {
    super(2);
    this.options = options;
    const unit = {
      registerOf: (local: number) => this.#gprOf(local), leave: () => this.#leave(),
      interpret: () => {
        this.#storeLiveFlags();
        interpretAt(this.#facts?.dirtyBefore ?? 0, this.current.address);
      },
    };
    if (options.checked) this.#checks = new CheckedAccess(this, unit);
  }

  /** Control comes here from anywhere, or from where `inheritChecks` was called last. */
  beginBlock(block: CheckedBlock): void {
    this.#checks?.beginBlock(block);
  }

  /** The block that begins next follows here. */
  inheritChecks(): void {
    this.#checks?.inherit();
  }

  /** Writes what control may go to from here, before the code that it goes to otherwise. */
  aside(write: () => void): void {
    if (this.#checks === undefined) write(); else this.#checks.aside(write);
  }

  /** Makes an instruction of the block, by its index, the current one. */
  begin(instruction: DecodedInstruction, facts: InstructionFacts, index: number): void {
    this.#checks?.begin(index, instruction.address);
    this.#instruction = instruction;
    this.#facts = facts;
    this.#writtenSoFar = 0;
    this.size = instruction.size;
    this.operandCount = instruction.operands.length;
    this.mnemonic = instruction.row.mnemonic;
    this.repeat = instruction.repeat;
  }

  get nativeNans(): boolean { return this.options.nativeNans; }

  get current(): DecodedInstruction {
    const instruction = this.#instruction;
    if (instruction === undefined) throw new Error('no current instruction');
    return instruction;
  }

  #operand(index: number): Operand {
    const operand = this.current.operands[index];
    if (operand === undefined) throw new RangeError(`${this.mnemonic} has no operand ${index}`);
    return operand;
  }

  /** Says which xmm registers (bit per number) are kept as halves, before the first instruction. */
  setSplit(registers: number): void {
    this.#split = registers;
  }

  // ---- registers in locals ----

  #isSplit(xmm: number): boolean {
    return (this.#split & (1 << xmm)) !== 0;
  }

  #low(xmm: number): Expr {
    return localGet('f64', (this.#lowLocals[xmm] ??= this.permanentLocal('f64')));
  }

  #high(xmm: number): Expr {
    return localGet('i64', (this.#highLocals[xmm] ??= this.permanentLocal('i64')));
  }

  #setLow(xmm: number, value: Expr): void {
    this.#writtenSoFar |= 1 << (16 + xmm);
    this.setLocal(this.#low(xmm).immediate, value);
  }

  #setHigh(xmm: number, value: Expr): void {
    this.#writtenSoFar |= 1 << (16 + xmm);
    this.setLocal(this.#high(xmm).immediate, value);
  }

  #bits(value: Expr): Expr {
    return value.opcode === op.F64_REINTERPRET_I64 ? (value.args[0] ?? value) : node('i64', op.I64_REINTERPRET_F64, [value]);
  }

  #double(bits: Expr): Expr {
    if (bits.opcode === op.I64_REINTERPRET_F64) return bits.args[0] ?? bits;
    if (bits.opcode === op.I64_LOAD) return node('f64', op.F64_LOAD, bits.args, bits.immediate);
    if (bits.opcode === op.I64_CONST && bits.bits === undefined && bits.immediate === 0) return this.f64(0);
    return node('f64', op.F64_REINTERPRET_I64, [bits]);
  }

  /** Local of register 0 to 15 (general, i64) or 16 to 31 (xmm, v128). */
  #register(number: number): number {
    return (this.#registerLocals[number] ??= this.permanentLocal(number < 16 ? 'i64' : 'v128'));
  }

  #registerExpr(number: number): Expr {
    return localGet(number < 16 ? 'i64' : 'v128', this.#register(number));
  }

  #setRegister(number: number, value: Expr): void {
    this.#writtenSoFar |= 1 << number;
    const local = this.#register(number);
    this.#checks?.moved(local, value);
    this.setLocal(local, value);
  }

  #gprOf(local: number): number {
    const number = this.#registerLocals.indexOf(local);
    return number < 16 ? number : -1;
  }

  /** Stores the registers of a set into the CPU state. */
  spill(registers: number): void {
    for (let number = 0; number < 32; number++) {
      if ((registers & (1 << number)) === 0) continue;
      if (number < 16) this.rawStore(op.I64_STORE, this.i32(0), STATE_GPR + 8 * number, this.#registerExpr(number));
      else if (this.#isSplit(number - 16)) {
        this.rawStore(op.F64_STORE, this.i32(0), STATE_XMM + 16 * (number - 16), this.#low(number - 16));
        this.rawStore(op.I64_STORE, this.i32(0), STATE_XMM + 16 * (number - 16) + 8, this.#high(number - 16));
      } else this.rawStore(op.V128_STORE, this.i32(0), STATE_XMM + 16 * (number - 16), this.#registerExpr(number));
    }
  }

  /** Loads the registers of a set from the CPU state. */
  reload(registers: number): void {
    this.#checks?.forget();
    for (let number = 0; number < 32; number++) {
      if ((registers & (1 << number)) === 0) continue;
      if (number >= 16 && this.#isSplit(number - 16)) {
        this.setLocal(this.#low(number - 16).immediate, this.rawLoad(op.F64_LOAD, 'f64', this.i32(0), STATE_XMM + 16 * (number - 16)));
        this.setLocal(this.#high(number - 16).immediate, this.rawLoad(op.I64_LOAD, 'i64', this.i32(0), STATE_XMM + 16 * (number - 16) + 8));
        continue;
      }
      const value = number < 16
        ? this.rawLoad(op.I64_LOAD, 'i64', this.i32(0), STATE_GPR + 8 * number)
        : this.rawLoad(op.V128_LOAD, 'v128', this.i32(0), STATE_XMM + 16 * (number - 16));
      this.setLocal(this.#register(number), value);
    }
  }

  // ---- form ----

  operandSize(index: number): number { return this.#operand(index).size; }
  isMemory(index: number): boolean { return this.#operand(index).kind === 'memory'; }
  protected isImmediate(index: number): boolean {
    const kind = this.#operand(index).kind;
    return kind === 'immediate' || kind === 'target';
  }
  constant(index: number): number | undefined {
    const operand = this.#operand(index);
    return operand.kind === 'immediate' ? operand.low : undefined;
  }
  ownCondition(): Expr { return this.condition((this.current.row.opcode & 15) as ConditionCode); }
  nextRip(): Expr { return this.i64(this.current.address + this.current.length); }
  protected registerClass(index: number): 'gpr' | 'xmm' | 'mmx' | 'other' {
    const operand = this.#operand(index);
    if (operand.kind !== 'register') return 'other';
    return operand.class === 'gpr' || operand.class === 'xmm' || operand.class === 'mmx' ? operand.class : 'other';
  }

  // ---- operands ----

  protected readImmediate(index: number): Expr {
    const operand = this.#operand(index);
    if (operand.kind !== 'immediate') return this.i32(0);
    if (operand.size === 8) return this.i64((BigInt(operand.high) << 32n) | BigInt(operand.low >>> 0));
    return this.zeroExtend(this.i32(operand.low), operand.size);
  }

  protected readRegister(index: number): Expr {
    const operand = this.#operand(index);
    if (operand.kind !== 'register') return this.i32(0);
    if (operand.class === 'segment') return this.i32(operand.index === 1 ? USER_CS : operand.index === 2 ? USER_SS : 0);
    return this.readGpr(operand.index, operand.size, operand.high8);
  }

  protected writeRegister(index: number, value: Expr): void {
    const operand = this.#operand(index);
    if (operand.kind === 'register' && operand.class === 'gpr') this.writeGpr(operand.index, operand.size, value, operand.high8);
  }

  readGpr(register: number, size: number, high8 = false): Expr {
    const whole = this.#registerExpr(register);
    if (size === 8) return whole;
    if (high8) return this.and(this.shrU(this.wrap(whole), this.i32(8)), this.i32(0xff));
    return this.zeroExtend(this.wrap(whole), size);
  }

  writeGpr(register: number, size: number, value: Expr, high8 = false): void {
    if (size >= 4) {
      this.#setRegister(register, this.extendU(value));
      return;
    }
    const whole = this.#registerExpr(register);
    const low = this.extendU(this.zeroExtend(this.wrap(value), size));
    const [mask, part] = high8 ? [~0xff00n, this.shl(low, this.i64(8))] : [size === 1 ? ~0xffn : ~0xffffn, low];
    this.#setRegister(register, this.or(this.and(whole, this.i64(mask)), part));
  }

  readXmm(register: number): Expr {
    if (!this.#isSplit(register)) return this.#registerExpr(16 + register);
    return node('v128', op.I64X2_REPLACE_LANE, [node('v128', op.F64X2_SPLAT, [this.#low(register)]), this.#high(register)], 1);
  }

  writeXmm(register: number, value: Expr): void {
    if (!this.#isSplit(register)) {
      this.#setRegister(16 + register, value);
      return;
    }
    const [splat, high] = value.args;
    if (value.opcode === op.I64X2_REPLACE_LANE && value.immediate === 1 && splat?.opcode === op.F64X2_SPLAT && high !== undefined) {
      this.#setLow(register, splat.args[0] ?? this.f64(0));
      this.#setHigh(register, high);
      return;
    }
    const whole = this.let(value);
    this.#setLow(register, node('f64', op.F64X2_EXTRACT_LANE, [whole], 0));
    this.#setHigh(register, node('i64', op.I64X2_EXTRACT_LANE, [whole], 1));
  }

  /** The result of an idiom that gives zero. */
  writeZero(index: number): void {
    const operand = this.#operand(index);
    if (operand.kind !== 'register') return;
    if (operand.class !== 'xmm') this.writeRegister(index, this.sized(operand.size, 0));
    else if (this.#isSplit(operand.index)) {
      this.#setLow(operand.index, this.f64(0));
      this.#setHigh(operand.index, this.i64(0));
    } else this.writeXmm(operand.index, this.v128(new Array<number>(16).fill(0)));
  }

  /** Number of a split register operand, or -1. */
  #splitOperand(index: number): number {
    const operand = this.#operand(index);
    return operand.kind === 'register' && operand.class === 'xmm' && this.#isSplit(operand.index) ? operand.index : -1;
  }

  override readF64(index: number): Expr {
    const split = this.#splitOperand(index);
    return split < 0 ? super.readF64(index) : this.#low(split);
  }

  override writeF64(index: number, value: Expr): void {
    const split = this.#splitOperand(index);
    if (split < 0) super.writeF64(index, value);
    else this.#setLow(split, value);
  }

  override readF32(index: number): Expr {
    const split = this.#splitOperand(index);
    return split < 0 ? super.readF32(index) : node('f32', op.F32_REINTERPRET_I32, [this.wrap(this.#bits(this.#low(split)))]);
  }

  override writeF32(index: number, value: Expr): void {
    const split = this.#splitOperand(index);
    if (split < 0) super.writeF32(index, value);
    else this.writeLow32(index, node('i32', op.I32_REINTERPRET_F32, [value]));
  }

  override readLow64(index: number): Expr {
    const split = this.#splitOperand(index);
    if (split >= 0) return this.#bits(this.#low(split));
    if (!this.isMemory(index)) return super.readLow64(index);
    // Not given a local, so that a double can be loaded as one.
    const { base, offset } = this.access(this.linearAddress(index), 8, false);
    return node('i64', op.I64_LOAD, [base], offset);
  }

  override writeLow64(index: number, value: Expr): void {
    const split = this.#splitOperand(index);
    if (split < 0) super.writeLow64(index, value);
    else this.#setLow(split, this.#double(value));
  }

  override readLow32(index: number): Expr {
    const split = this.#splitOperand(index);
    return split < 0 ? super.readLow32(index) : this.wrap(this.#bits(this.#low(split)));
  }

  override writeLow32(index: number, value: Expr): void {
    const split = this.#splitOperand(index);
    if (split < 0) {
      super.writeLow32(index, value);
      return;
    }
    const rest = this.and(this.#bits(this.#low(split)), this.i64(-0x1_0000_0000));
    this.#setLow(split, this.#double(this.or(rest, this.extendU(value))));
  }

  override readHigh64(index: number): Expr {
    const split = this.#splitOperand(index);
    return split < 0 ? super.readHigh64(index) : this.#high(split);
  }

  override writeHigh64(index: number, value: Expr): void {
    const split = this.#splitOperand(index);
    if (split < 0) super.writeHigh64(index, value);
    else this.#setHigh(split, value);
  }

  override writeLow64Zero(index: number, value: Expr): void {
    const split = this.#splitOperand(index);
    if (split < 0) {
      super.writeLow64Zero(index, value);
      return;
    }
    this.#setLow(split, this.#double(value));
    this.#setHigh(split, this.i64(0));
  }

  override writeLow32Zero(index: number, value: Expr): void {
    const split = this.#splitOperand(index);
    if (split < 0) super.writeLow32Zero(index, value);
    else this.writeLow64Zero(index, this.extendU(value));
  }

  /** and, or, xor, andn of a split register with another operand, half by half. False: the register is not split. */
  bitwiseHalves(combine: (a: Expr, b: Expr) => Expr): boolean {
    const split = this.#splitOperand(0);
    if (split < 0) return false;
    const [low, high] = this.#halves(1);
    const first = this.let(this.#double(combine(this.#bits(this.#low(split)), low)));
    this.#setHigh(split, combine(this.#high(split), high));
    this.#setLow(split, first);
    return true;
  }

  #halves(index: number): readonly [low: Expr, high: Expr] {
    const split = this.#splitOperand(index);
    if (split >= 0) return [this.#bits(this.#low(split)), this.#high(split)];
    const whole = this.let(this.readV128(index));
    return [node('i64', op.I64X2_EXTRACT_LANE, [whole], 0), node('i64', op.I64X2_EXTRACT_LANE, [whole], 1)];
  }

  #xmmNumber(index: number): number {
    const operand = this.#operand(index);
    return operand.kind === 'register' ? operand.index : 0;
  }
  protected readXmmOperand(index: number): Expr { return this.readXmm(this.#xmmNumber(index)); }
  protected writeXmmOperand(index: number, value: Expr): void { this.writeXmm(this.#xmmNumber(index), value); }

  protected ymmHigh(index: number): { readonly base: Expr; readonly offset: number } {
    return { base: this.i32(0), offset: state.STATE_YMM_HIGH + 16 * this.#xmmNumber(index) };
  }
  #memory(index: number): MemoryOperand {
    const operand = this.#operand(index);
    if (operand.kind !== 'memory') throw new TypeError(`operand ${index} of ${this.mnemonic} is no memory`);
    return operand;
  }
  vectorIndex(index: number): Expr { return this.i32(state.registerOffset('xmm', this.#memory(index).vectorIndex, false)); }
  vectorScale(index: number): Expr { return this.i32(this.#memory(index).scale); }

  protected mmxAddress(index: number): { readonly base: Expr; readonly offset: number } {
    return { base: this.i32(0), offset: this.mmxOffset(this.#xmmNumber(index)) };
  }

  // ---- addresses ----

  address(index: number): Expr {
    const operand = this.#operand(index);
    if (operand.kind !== 'memory') return this.i64(0);
    let sum: Expr = this.i64(operand.displacement);
    if (operand.index >= 0) {
      const scaled = this.shl(this.#registerExpr(operand.index), this.i64(operand.scale));
      sum = operand.displacement === 0 ? scaled : this.add(scaled, sum);
    }
    if (operand.base >= 0) sum = this.add(this.#registerExpr(operand.base), sum);
    return operand.address32 ? this.and(sum, this.i64(0xffff_ffff)) : sum;
  }

  linearAddress(index: number): Expr {
    const operand = this.#operand(index);
    const address = this.address(index);
    if (operand.kind !== 'memory' || operand.segment === 'none') return address;
    return this.add(this.readState(operand.segment === 'fs' ? state.STATE_FS_BASE : state.STATE_GS_BASE, 'i64'), address);
  }

  protected checkAlignment(index: number, address: Expr): void {
    const { size } = this.#operand(index);
    if (!this.options.checked || this.current.row.aligned !== true || size < 16) return;
    this.faultIf(this.wrap(this.and(address, this.i64(size - 1))), 13);
  }

  protected access(address: Expr, size: number, write: boolean): { readonly base: Expr; readonly offset: number } {
    const low = this.#checks?.check(address, size, write);
    const base = low === undefined ? memoryOffset(this, address) : this.sub(low, this.i32(GUEST_BASE));
    return { base: write && this.options.marksStores ? marked(this, base) : base, offset: 0 };
  }

  /** With the sum of rsp as it is, which tells that the access belongs to others. */
  override push(value: Expr, size: number): void {
    if (this.#checks === undefined) {
      super.push(value, size);
      return;
    }
    this.store(this.sub(this.readGpr(RSP, 8), this.i64(size)), size, value);
    this.addRsp(-size);
  }

  // ---- ways out ----

  /** Opens a block around the whole unit for each set of registers that a fault may have to store: ways out are shared. */
  openLeaves(sets: Iterable<number>): void {
    for (const registers of sets) {
      this.open(op.BLOCK);
      this.#leaves.set(registers, this.depth);
    }
  }

  /** What the blocks are followed by. The code before ends. */
  closeLeaves(): void {
    for (const registers of [...this.#leaves.keys()].reverse()) {
      this.close();
      this.#leaveWith(registers);
    }
  }

  #leaveWith(registers: number): void {
    this.spill(registers);
    this.emit(this.i32(0));
    this.out.u8(op.RETURN);
  }

  /** Everything to memory as it was before this instruction, and back to the host, which knows why. Flags that nobody reads are left as memory has them. */
  #leave(): void {
    const registers = this.#facts?.dirtyBefore ?? 0;
    this.#storeLiveFlags();
    const label = this.#leaves.get(registers);
    if (label === undefined) {
      this.#leaveWith(registers);
      return;
    }
    this.out.u8(op.BR);
    this.out.u32(this.depth - label);
  }

  /** Flags as they were before the instruction, where something will read them that memory does not have. */
  #storeLiveFlags(): void {
    const facts = this.#facts;
    if (facts !== undefined && facts.flagsDirtyBefore && facts.flagsLiveBefore !== 0) this.storeFlags();
  }

  fault(vector: number): void {
    this.raiseAt(vector, this.current.address);
  }

  raiseAt(vector: number, address: number): void {
    this.emit(this.i32(vector));
    this.emit(this.i32(address));
    this.out.u8(op.CALL);
    this.out.u32(IMPORT_RAISE);
    this.#leave();
  }

  helper(name: string, destination?: number, source?: number, immediate: number | Expr = 0): void {
    const forms = (destination !== undefined && this.isMemory(destination) ? 1 : 0) | (source !== undefined && this.isMemory(source) ? 2 : 0);
    this.#helperOn(name, this.#helperOperand(destination), this.#helperOperand(source), immediate, forms);
  }

  helperAt(name: string, destination: number, source: number | Expr, immediate: number | Expr): void {
    this.#helperOn(name, this.i32(destination), typeof source === 'number' ? this.i32(source) : source, immediate, 0);
  }

  #helperOn(name: string, destination: Expr, source: Expr, immediate: number | Expr, forms: number): void {
    const facts = this.#facts;
    const number = this.options.helperNumbers.get(name);
    if (facts === undefined || number === undefined) throw new Error(`there is no helper "${name}"`);
    const args = [
      this.i32(number), this.let(destination), this.let(source),
      this.let(typeof immediate === 'number' ? this.i32(immediate) : immediate), this.i32(forms), this.i32(this.current.address),
    ];
    this.spill(facts.dirtyBefore | this.#writtenSoFar);
    this.storeFlags();
    this.symbolic = undefined;
    const done = shortRun(this, name);
    if (done !== undefined) this.unlikely(this.eqz(done), () => this.#repeatHelper(args));
    else if (this.repeat !== 'none') this.#repeatHelper(args);
    else this.#leaveIf(node('i32', op.CALL, args, IMPORT_HELPER));
    this.reload(facts.liveAfter);
    this.reloadFlags();
  }

  /** A helper that answers 2 wants to be called again: string instructions go on in pieces. */
  #repeatHelper(args: readonly Expr[]): void {
    this.open(op.LOOP);
    const result = this.let(node('i32', op.CALL, args, IMPORT_HELPER));
    this.emit(this.eq(result, this.i32(2)));
    this.out.u8(op.BR_IF);
    this.out.u32(0);
    this.close();
    this.#leaveIf(result);
  }

  /** Everything is in memory. */
  #leaveIf(condition: Expr): void {
    this.unlikely(condition, () => {
      this.emit(this.i32(0));
      this.out.u8(op.RETURN);
    });
  }

  #helperOperand(index: number | undefined): Expr {
    if (index === undefined) return this.i32(0);
    if (this.isImmediate(index)) return this.wrap(this.readImmediate(index));
    const operand = this.#operand(index);
    if (operand.kind === 'register') return this.i32(state.registerOffset(operand.class, operand.index, operand.high8));
    const address = this.let(this.linearAddress(index));
    this.unlikely(this.wrap(this.shrU(address, this.i64(32))), () => this.fault(13));
    return this.wrap(address);
  }

  // ---- flags ----

  get flagState(): SymbolicFlags | undefined { return this.symbolic; }
  set flagState(value: SymbolicFlags | undefined) { this.symbolic = value; }

  protected get flagsDead(): boolean {
    const facts = this.#facts;
    return facts !== undefined && facts.flagsLiveAfter === 0;
  }

  #flags(): { result: number; aux: number } {
    return (this.#flagLocals ??= { result: this.permanentLocal('i64'), aux: this.permanentLocal('i64') });
  }

  protected readCanonical(): CanonicalFlags {
    const { result, aux } = this.#flags();
    return { result: localGet('i64', result), aux: localGet('i64', aux) };
  }

  protected writeCanonical(flags: CanonicalFlags): void {
    const result = this.let(flags.result);
    const aux = this.let(flags.aux);
    const locals = this.#flags();
    this.setLocal(locals.result, result);
    this.setLocal(locals.aux, aux);
  }

  /** Stores the flags into the CPU state; the builder's own idea of them stays. */
  storeFlags(): void {
    const symbolic = this.symbolic;
    const flags = symbolic === undefined ? this.readCanonical() : canonicalize(this, symbolic, (value) => this.let(value));
    this.writeState(state.STATE_FLAG_RESULT, flags.result);
    this.writeState(state.STATE_FLAG_AUX, flags.aux);
  }

  reloadFlags(): void {
    const locals = this.#flags();
    this.setLocal(locals.result, this.readState(state.STATE_FLAG_RESULT, 'i64'));
    this.setLocal(locals.aux, this.readState(state.STATE_FLAG_AUX, 'i64'));
  }

  protected override keep(value: Expr, role: 'a' | 'b' | 'result'): Expr { return this.keepIn(role, value); }
  protected override keepBit(value: Expr, role: FlagBit): Expr { return this.keepIn(role, value); }
}
