/** What a form of an instruction reads and writes: found by running its semantics, written down nowhere else. */
import type { DecodedInstruction } from '../isa/instruction.ts';
import type { Builder, ConditionCode, Expr, FlagName, SemanticFunction, ValueType } from './builder.ts';
import { Expressions, node } from './expression.ts';
import { typeOfSize } from './emitting-builder.ts';

/** Flag sets are two bits: the carry flag, and the others together. */
export const FLAG_SET_CARRY = 1;
export const FLAG_SET_OTHERS = 2;
export const FLAG_SET_ALL = 3;

export interface Analysis {
  /** Bit i: explicit operand i is read; written. A partial or conditional write is a read too. */
  operandsRead: number;
  operandsWritten: number;
  /** Implicit general registers, bit per number; the same for xmm. */
  /** Operands used as whole xmm registers or as single precision numbers, not as doubles or quadwords. */
  operandsVector: number;
  gprRead: number;
  gprWritten: number;
  xmmRead: number;
  xmmWritten: number;
  flagsRead: number;
  /** Certainly written. */
  flagsKilled: number;
  flagsWritten: number;
  /** Calls a helper: all registers must be in memory. */
  helper: boolean;
  memory: boolean;
  /** Raises exceptions of its own (not page faults). */
  faults: boolean;
}

const CARRY_CONDITIONS = 0b0000_1100; // B, AE
const BOTH_CONDITIONS = 0b1100_0000; // BE, A

function conditionReads(code: number): number {
  if ((CARRY_CONDITIONS >> code) & 1) return FLAG_SET_CARRY;
  return (BOTH_CONDITIONS >> code) & 1 ? FLAG_SET_ALL : FLAG_SET_OTHERS;
}

class AnalysisBuilder extends Expressions implements Builder {
  readonly notes: Analysis = {
    operandsRead: 0, operandsWritten: 0, operandsVector: 0, gprRead: 0, gprWritten: 0, xmmRead: 0, xmmWritten: 0,
    flagsRead: 0, flagsKilled: 0, flagsWritten: 0, helper: false, memory: false, faults: false,
  };
  readonly size: number;
  readonly operandCount: number;
  readonly mnemonic: string;
  readonly repeat: 'none' | 'rep' | 'repne';
  readonly #instruction: DecodedInstruction;
  readonly #constants: boolean;
  #conditional = 0;
  #nextLocal = 0;

  /** `constants`: immediates are known, as in the translator. */
  constructor(instruction: DecodedInstruction, constants: boolean) {
    super();
    this.#instruction = instruction;
    this.#constants = constants;
    this.size = instruction.size;
    this.operandCount = instruction.operands.length;
    this.mnemonic = instruction.row.mnemonic;
    this.repeat = instruction.repeat;
  }

  #value(type: ValueType): Expr {
    return node(type, 0x20, [], this.#nextLocal++);
  }

  operandSize(index: number): number { return this.#instruction.operands[index]?.size ?? 0; }
  isMemory(index: number): boolean { return this.#instruction.operands[index]?.kind === 'memory'; }
  constant(index: number): number | undefined {
    const operand = this.#instruction.operands[index];
    return this.#constants && operand?.kind === 'immediate' ? operand.low : undefined;
  }

  #read(index: number, type: ValueType): Expr {
    if (this.isMemory(index)) this.notes.memory = true;
    this.notes.operandsRead |= 1 << index;
    return this.#value(type);
  }
  #write(index: number, partial: boolean): void {
    if (this.isMemory(index)) this.notes.memory = true;
    this.notes.operandsWritten |= 1 << index;
    if (partial || this.#conditional > 0) this.notes.operandsRead |= 1 << index;
  }

  read(index: number): Expr {
    if (this.#instruction.operands[index]?.kind === 'immediate') {
      const constant = this.constant(index);
      if (constant !== undefined) return this.sized(this.operandSize(index), constant);
    }
    return this.#read(index, typeOfSize(this.operandSize(index)));
  }
  write(index: number, _value: Expr): void { this.#write(index, this.operandSize(index) < 4); }
  readSigned(index: number, to: 'i32' | 'i64'): Expr { return this.#read(index, to); }
  address(_index: number): Expr { return this.#value('i64'); }
  linearAddress(_index: number): Expr { return this.#value('i64'); }
  #vector(index: number): void { this.notes.operandsVector |= 1 << index; }
  readV128(index: number): Expr {
    this.#vector(index);
    return this.#read(index, 'v128');
  }
  writeV128(index: number, _value: Expr): void {
    this.#vector(index);
    this.#write(index, false);
  }
  readF64(index: number): Expr { return this.#read(index, 'f64'); }
  readF32(index: number): Expr {
    this.#vector(index);
    return this.#read(index, 'f32');
  }
  readLow64(index: number): Expr { return this.#read(index, 'i64'); }
  readLow32(index: number): Expr { return this.#read(index, 'i32'); }
  readHigh64(index: number): Expr { return this.#read(index, 'i64'); }
  writeF64(index: number, _value: Expr): void { this.#write(index, true); }
  writeF32(index: number, _value: Expr): void {
    this.#vector(index);
    this.#write(index, true);
  }
  writeLow64(index: number, _value: Expr): void { this.#write(index, true); }
  writeLow32(index: number, _value: Expr): void { this.#write(index, true); }
  writeHigh64(index: number, _value: Expr): void { this.#write(index, true); }
  writeLow64Zero(index: number, _value: Expr): void { this.#write(index, false); }
  writeLow32Zero(index: number, _value: Expr): void { this.#write(index, false); }
  readV256(index: number): readonly [Expr, Expr] {
    const low = this.readV128(index);
    return [low, this.#value('v128')];
  }
  writeV256(index: number, low: Expr, _high: Expr): void { this.writeV128(index, low); }
  readYmmHigh(_index: number): Expr { return this.#value('v128'); }
  writeYmmHigh(_index: number, _value: Expr): void {}
  writeYmmHighOf(_register: number, _value: Expr): void {}
  vectorIndex(_index: number): Expr { return this.#value('i32'); }
  vectorScale(_index: number): Expr { return this.#value('i32'); }
  helperAt(): void { this.helper(''); }
  readMmx(_index: number): Expr { return this.#value('i64'); }
  writeMmx(_index: number, _value: Expr): void {}

  readGpr(register: number, size: number, _high8?: boolean): Expr {
    this.notes.gprRead |= 1 << register;
    return this.#value(typeOfSize(size));
  }
  writeGpr(register: number, size: number, _value: Expr, _high8?: boolean): void {
    this.notes.gprWritten |= 1 << register;
    if (size < 4 || this.#conditional > 0) this.notes.gprRead |= 1 << register;
  }
  readXmm(register: number): Expr {
    this.notes.xmmRead |= 1 << register;
    return this.#value('v128');
  }
  writeXmm(register: number, _value: Expr): void {
    this.notes.xmmWritten |= 1 << register;
    if (this.#conditional > 0) this.notes.xmmRead |= 1 << register;
  }
  load(_address: Expr, size: number): Expr {
    this.notes.memory = true;
    return this.#value(typeOfSize(size));
  }
  store(_address: Expr, _size: number, _value: Expr): void { this.notes.memory = true; }
  push(_value: Expr, _size: number): void {
    this.notes.memory = true;
    this.addRsp(0);
  }
  peekStack(size: number): Expr {
    this.notes.memory = true;
    return this.readGpr(4, size);
  }
  addRsp(_bytes: number): void {
    this.notes.gprRead |= 1 << 4;
    this.notes.gprWritten |= 1 << 4;
  }
  readState(_offset: number, type: ValueType): Expr { return this.#value(type); }
  writeState(_offset: number, _value: Expr): void {}
  nextRip(): Expr { return this.#value('i64'); }

  #flags(mask: number): void {
    this.notes.flagsWritten |= mask;
    if (this.#conditional > 0) this.notes.flagsRead |= mask & ~this.notes.flagsKilled;
    else this.notes.flagsKilled |= mask;
  }
  #readsFlags(mask: number): void {
    this.notes.flagsRead |= mask & ~this.notes.flagsKilled;
  }
  flagsAdd(): void { this.#flags(FLAG_SET_ALL); }
  flagsSub(): void { this.#flags(FLAG_SET_ALL); }
  flagsAdc(): void { this.#flags(FLAG_SET_ALL); }
  flagsSbb(): void { this.#flags(FLAG_SET_ALL); }
  flagsInc(): void { this.#flags(FLAG_SET_OTHERS); }
  flagsDec(): void { this.#flags(FLAG_SET_OTHERS); }
  readonly nativeNans = false;
  flagsCompare(): void { this.#flags(FLAG_SET_ALL); }
  flagsLogic(): void { this.#flags(FLAG_SET_ALL); }
  flagsResult(): void { this.#flags(FLAG_SET_ALL); }
  setFlags(flags: Partial<Record<FlagName, Expr>>): void {
    const names = Object.keys(flags).filter((name) => flags[name as FlagName] !== undefined);
    const others = names.filter((name) => name !== 'CF');
    if (names.length === 6) {
      this.#flags(FLAG_SET_ALL);
      return;
    }
    // Some of the others stay: those are read.
    if (others.length > 0 && others.length < 5) {
      this.notes.flagsRead |= FLAG_SET_OTHERS & ~this.notes.flagsKilled;
      this.notes.flagsWritten |= FLAG_SET_OTHERS;
    } else if (others.length === 5) {
      this.#flags(FLAG_SET_OTHERS);
    }
    if (names.includes('CF')) this.#flags(FLAG_SET_CARRY);
  }
  flag(name: FlagName): Expr {
    this.#readsFlags(name === 'CF' ? FLAG_SET_CARRY : FLAG_SET_OTHERS);
    return this.#value('i32');
  }
  condition(code: ConditionCode): Expr {
    this.#readsFlags(conditionReads(code));
    return this.#value('i32');
  }
  ownCondition(): Expr { return this.condition((this.#instruction.row.opcode & 15) as ConditionCode); }

  let(value: Expr): Expr { return value.opcode === 0x41 || value.opcode === 0x42 ? value : this.#value(value.type); }
  variable(type: ValueType, _initial: Expr): Expr { return this.#value(type); }
  assign(_variable: Expr, _value: Expr): void {}
  unlikely(condition: Expr, then: () => void): void {
    this.if(condition, then);
  }

  if(_condition: Expr, then: () => void, otherwise?: () => void): void {
    this.#conditional++;
    then();
    otherwise?.();
    this.#conditional--;
  }
  fault(_vector: number): void { this.notes.faults = true; }
  faultIf(_condition: Expr, _vector: number): void { this.notes.faults = true; }
  helper(_name: string, _destination?: number, _source?: number, _immediate?: number | Expr): void {
    this.notes.helper = true;
    this.notes.memory = true;
    this.notes.flagsRead = FLAG_SET_ALL;
    this.notes.flagsWritten = FLAG_SET_ALL;
  }
  compareStrings(): Expr { return this.#value('i32'); }
}

/** Runs the semantics of an instruction and takes notes. */
export function analyze(instruction: DecodedInstruction, semantics: SemanticFunction, constants: boolean): Analysis {
  const builder = new AnalysisBuilder(instruction, constants);
  semantics(builder);
  return builder.notes;
}

/** Flags that control flow instructions read, which have no semantic function. */
export function branchFlags(instruction: DecodedInstruction): number {
  const { row } = instruction;
  if (row.semantics === 'jcc') return conditionReads(row.opcode & 15);
  return row.semantics === 'loope' || row.semantics === 'loopne' ? FLAG_SET_OTHERS : 0;
}
