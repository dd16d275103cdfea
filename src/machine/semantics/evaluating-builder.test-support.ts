/**
 * A `Builder` that computes: its expressions are evaluated where they are consumed, as the emitted code
 * would be, so that a missing `let` shows. It has what integer instructions use, and checks types.
 */
import { GUEST_BASE, STATE_GPR } from '../state.ts';
import type { HelperContext, HelperTable } from '../helpers/types.ts';
import type { Builder, ConditionCode, Expr, FlagName, SemanticFunction, ValueType } from './builder.ts';
import { eflagsToFlags, loadFlags, storeFlags } from './flags.ts';

export type TestOperand =
  | { readonly kind: 'register'; readonly index: number; readonly size: number; readonly high8?: boolean }
  | { readonly kind: 'memory'; readonly address: (cpu: TestCpu) => bigint; readonly size: number }
  | { readonly kind: 'immediate'; readonly value: bigint; readonly size: number };

export interface TestForm {
  readonly operands: readonly TestOperand[];
  readonly size?: number;
  readonly repeat?: 'none' | 'rep' | 'repne';
  readonly condition?: ConditionCode;
  /** Immediates are known to `constant()`, as in the translator. */
  readonly constants?: boolean;
}

export class TestFault extends Error {
  readonly vector: number;
  constructor(vector: number) {
    super(`vector ${vector}`);
    this.vector = vector;
  }
}

/** First guest address of test memory, and what follows the last one. */
export const MEMORY_START = GUEST_BASE + 0x1000;
export const MEMORY_END = GUEST_BASE + 0x2_0000;

/** The CPU state and a little memory, laid out as in a guest. */
export class TestCpu implements HelperContext {
  readonly u8 = new Uint8Array(0x2_0000);
  readonly view = new DataView(this.u8.buffer);
  readonly cpu = 'v2';
  readonly processor = 0;
  /** Guest page numbers that may not be accessed. */
  readonly closedPages = new Set<number>();
  faultAddress: number | undefined;
  faultVector: number | undefined;

  requireExactFloats(): 1 { return 1; }
  timestamp(): readonly [number, number] { return [0, 0]; }
  offset(address: number): number { return address - GUEST_BASE; }
  readable(address: number, size: number): boolean {
    const end = address + size;
    const open = address >= MEMORY_START && end <= MEMORY_END
      && !this.closedPages.has(address >>> 12) && !this.closedPages.has((end - 1) >>> 12);
    if (!open) this.faultAddress = address;
    return open;
  }
  writable(address: number, size: number): boolean { return this.readable(address, size); }
  raise(vector: number): 1 {
    this.faultVector = vector;
    return 1;
  }

  get(register: number): bigint { return this.view.getBigUint64(STATE_GPR + 8 * register, true); }
  set(register: number, value: bigint): void { this.view.setBigUint64(STATE_GPR + 8 * register, value, true); }
  get eflags(): number { return loadFlags(this.view); }
  set eflags(value: number) { storeFlags(this.view, eflagsToFlags(value)); }
}

interface Lazy extends Expr {
  readonly evaluate: () => bigint | number;
}

const FLAG_BITS: Record<FlagName, number> = { CF: 0x1, PF: 0x4, AF: 0x10, ZF: 0x40, SF: 0x80, OF: 0x800 };

function bitsOf(type: ValueType): number {
  return type === 'i32' ? 32 : 64;
}

function lazy(type: ValueType, evaluate: () => bigint | number): Lazy {
  const run = type === 'f64' ? evaluate : () => BigInt.asUintN(bitsOf(type), evaluate() as bigint);
  return { type, opcode: -1, args: [], immediate: 0, bits: undefined, bytes: undefined, evaluate: run };
}

function unsigned(expr: Expr): bigint {
  return (expr as Lazy).evaluate() as bigint;
}

function signed(expr: Expr): bigint {
  return BigInt.asIntN(bitsOf(expr.type), unsigned(expr));
}

function typeOf(size: number): 'i32' | 'i64' {
  return size === 8 ? 'i64' : 'i32';
}

type Binary = (a: Expr, b: Expr) => Expr;

function binary(compute: (a: bigint, b: bigint) => bigint, read = unsigned): Binary {
  return (a, b) => {
    if (a.type !== b.type) throw new TypeError(`${a.type} with ${b.type}`);
    return lazy(a.type, () => compute(read(a), read(b)));
  };
}

function comparison(compute: (a: bigint, b: bigint) => boolean, read = unsigned): Binary {
  return (a, b) => {
    if (a.type !== b.type) throw new TypeError(`${a.type} with ${b.type}`);
    return lazy('i32', () => (compute(read(a), read(b)) ? 1n : 0n));
  };
}

function shift(compute: (value: bigint, count: bigint, bits: bigint) => bigint, read = unsigned): Binary {
  return (a, count) => {
    const bits = BigInt(bitsOf(a.type));
    return lazy(a.type, () => compute(read(a), unsigned(count) % bits, bits));
  };
}

/** Trailing or leading zeros. */
function zeros(expr: Expr, leading: boolean): bigint {
  const digits = unsigned(expr).toString(2).padStart(bitsOf(expr.type), '0');
  const index = leading ? digits.indexOf('1') : [...digits].reverse().indexOf('1');
  return BigInt(index < 0 ? digits.length : index);
}

/** The expressions of `Builder`. */
const EXPRESSIONS = {
  i32: (value: number) => lazy('i32', () => BigInt(value)),
  i64: (value: bigint | number) => lazy('i64', () => BigInt(value)),
  f64: (value: number) => lazy('f64', () => value),
  sized: (size: number, value: number) => lazy(typeOf(size), () => BigInt(value)),
  add: binary((a, b) => a + b),
  sub: binary((a, b) => a - b),
  mul: binary((a, b) => a * b),
  divS: binary((a, b) => a / b, signed),
  divU: binary((a, b) => a / b),
  remS: binary((a, b) => a % b, signed),
  remU: binary((a, b) => a % b),
  and: binary((a, b) => a & b),
  or: binary((a, b) => a | b),
  xor: binary((a, b) => a ^ b),
  not: (a: Expr) => lazy(a.type, () => ~unsigned(a)),
  shl: shift((value, count) => value << count),
  shrU: shift((value, count) => value >> count),
  shrS: shift((value, count) => value >> count, signed),
  rotl: shift((value, count, bits) => (value << count) | (value >> (bits - count))),
  rotr: shift((value, count, bits) => (value >> count) | (value << (bits - count))),
  clz: (a: Expr) => lazy(a.type, () => zeros(a, true)),
  ctz: (a: Expr) => lazy(a.type, () => zeros(a, false)),
  popcnt: (a: Expr) => lazy(a.type, () => BigInt(unsigned(a).toString(2).replaceAll('0', '').length)),
  eqz: (a: Expr) => lazy('i32', () => (unsigned(a) === 0n ? 1n : 0n)),
  eq: comparison((a, b) => a === b),
  ne: comparison((a, b) => a !== b),
  gtU: comparison((a, b) => a > b),
  ltU: comparison((a, b) => a < b),
  ltS: comparison((a, b) => a < b, signed),
  select: (condition: Expr, a: Expr, b: Expr) => {
    if (condition.type !== 'i32' || a.type !== b.type) throw new TypeError('select');
    return lazy(a.type, () => (unsigned(condition) !== 0n ? unsigned(a) : unsigned(b)));
  },
  wrap: (a: Expr) => (a.type === 'i32' ? a : lazy('i32', () => unsigned(a))),
  extendS: (a: Expr) => (a.type === 'i64' ? a : lazy('i64', () => signed(a))),
  extendU: (a: Expr) => (a.type === 'i64' ? a : lazy('i64', () => unsigned(a))),
  signExtend: (a: Expr, size: number) => lazy(a.type, () => BigInt.asIntN(size * 8, unsigned(a))),
  zeroExtend: (a: Expr, size: number) => lazy(a.type, () => BigInt.asUintN(size * 8, unsigned(a))),
  resize: (a: Expr, size: number) => lazy(typeOf(size), () => unsigned(a)),
  op(opcode: number, type: ValueType, args: readonly Expr[]): Expr {
    const at = (index: number): number => Number((args[index] as Lazy).evaluate());
    const compute: Record<number, () => bigint | number> = {
      0x64: () => (at(0) > at(1) ? 1n : 0n),
      0x99: () => Math.abs(at(0)),
      0xa1: () => at(0) - at(1),
      0xa2: () => at(0) * at(1),
      0xb9: () => Number(signed(args[0]!)),
    };
    return lazy(type, compute[opcode]!);
  },
};

class EvaluatingBuilder {
  readonly cpu: TestCpu;
  readonly form: TestForm;
  readonly helpers: HelperTable;
  readonly mnemonic = 'test';
  readonly size: number;
  readonly repeat: 'none' | 'rep' | 'repne';

  constructor(cpu: TestCpu, form: TestForm, helpers: HelperTable) {
    Object.assign(this, EXPRESSIONS);
    this.cpu = cpu;
    this.form = form;
    this.helpers = helpers;
    this.size = form.size ?? form.operands[0]?.size ?? 8;
    this.repeat = form.repeat ?? 'none';
  }

  operand(index: number): TestOperand {
    const operand = this.form.operands[index];
    if (operand === undefined) throw new RangeError(`operand ${index}`);
    return operand;
  }
  operandSize(index: number): number { return this.operand(index).size; }
  isMemory(index: number): boolean { return this.operand(index).kind === 'memory'; }
  constant(index: number): number | undefined {
    const operand = this.operand(index);
    return operand.kind === 'immediate' && this.form.constants === true ? Number(operand.value) : undefined;
  }

  address(index: number): Expr {
    const operand = this.operand(index);
    if (operand.kind !== 'memory') throw new TypeError('not memory');
    return lazy('i64', () => operand.address(this.cpu));
  }
  linearAddress(index: number): Expr { return this.address(index); }
  read(index: number): Expr {
    const operand = this.operand(index);
    if (operand.kind === 'memory') return this.load(this.address(index), operand.size);
    if (operand.kind === 'register') return this.readGpr(operand.index, operand.size, operand.high8);
    return lazy(typeOf(operand.size), () => BigInt.asUintN(operand.size * 8, operand.value));
  }
  readSigned(index: number, to: 'i32' | 'i64'): Expr {
    const value = this.read(index);
    return lazy(to, () => BigInt.asIntN(this.operandSize(index) * 8, unsigned(value)));
  }
  write(index: number, value: Expr): void {
    const operand = this.operand(index);
    if (operand.kind === 'memory') this.store(this.address(index), operand.size, value);
    else if (operand.kind === 'register') this.writeGpr(operand.index, operand.size, value, operand.high8);
    else throw new TypeError('write to an immediate');
  }

  readGpr(register: number, size: number, high8 = false): Expr {
    return lazy(typeOf(size), () => BigInt.asUintN(size * 8, this.cpu.get(register) >> (high8 ? 8n : 0n)));
  }
  writeGpr(register: number, size: number, value: Expr, high8 = false): void {
    if (value.type !== typeOf(size)) throw new TypeError(`${value.type} to a register of ${size} bytes`);
    const bits = unsigned(value);
    const shiftBy = high8 ? 8n : 0n;
    const mask = (size >= 4 ? (1n << 64n) - 1n : (1n << BigInt(size * 8)) - 1n) << shiftBy;
    this.cpu.set(register, (this.cpu.get(register) & ~mask) | ((bits << shiftBy) & mask));
  }
  load(address: Expr, size: number): Expr {
    return lazy(typeOf(size), () => this.#bytes(address, size).reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n));
  }
  #bytes(address: Expr, size: number): Uint8Array {
    const at = Number(unsigned(address));
    if (!this.cpu.readable(at, size)) throw new TestFault(14);
    return this.cpu.u8.subarray(this.cpu.offset(at), this.cpu.offset(at) + size);
  }
  store(address: Expr, size: number, value: Expr): void {
    if (value.type !== typeOf(size)) throw new TypeError(`${value.type} to ${size} bytes of memory`);
    const bits = unsigned(value);
    const bytes = this.#bytes(address, size);
    for (let index = 0; index < size; index++) bytes[index] = Number((bits >> BigInt(8 * index)) & 0xffn);
  }
  push(value: Expr, size: number): void {
    const address = EXPRESSIONS.sub(this.readGpr(4, 8), EXPRESSIONS.i64(size));
    this.store(address, size, value);
    this.writeGpr(4, 8, address);
  }
  peekStack(size: number): Expr { return this.let(this.load(this.readGpr(4, 8), size)); }
  addRsp(bytes: number): void { this.cpu.set(4, this.cpu.get(4) + BigInt(bytes)); }
  readState(offset: number, type: 'i32' | 'i64'): Expr {
    return lazy(type, () => (type === 'i32' ? BigInt(this.cpu.view.getUint32(offset, true)) : this.cpu.view.getBigUint64(offset, true)));
  }
  writeState(offset: number, value: Expr): void {
    if (value.type === 'i32') this.cpu.view.setUint32(offset, Number(unsigned(value)), true);
    else this.cpu.view.setBigUint64(offset, unsigned(value), true);
  }

  let(value: Expr): Expr {
    const result = (value as Lazy).evaluate();
    return lazy(value.type, () => result);
  }
  unlikely(condition: Expr, then: () => void): void {
    this.if(condition, then);
  }

  if(condition: Expr, then: () => void, otherwise?: () => void): void {
    if (condition.type !== 'i32') throw new TypeError('condition');
    if (unsigned(condition) !== 0n) then();
    else otherwise?.();
  }
  fault(vector: number): void { throw new TestFault(vector); }
  faultIf(condition: Expr, vector: number): void { this.if(condition, () => this.fault(vector)); }
  helper(name: string, destination?: number, source?: number, immediate = 0): void {
    let forms = 0;
    const operand = (index: number | undefined, form: number): number => {
      if (index === undefined) return 0;
      const explicit = this.operand(index);
      if (explicit.kind === 'register') return STATE_GPR + 8 * explicit.index;
      forms |= form;
      return Number(unsigned(this.address(index)));
    };
    const to = operand(destination, 1);
    const from = operand(source, 2);
    let result = 2;
    while (result === 2) result = this.helpers[name]!(this.cpu, to, from, immediate, forms);
    if (result === 1) throw new TestFault(this.cpu.faultVector ?? 14);
  }

  flag(name: FlagName): Expr {
    return lazy('i32', () => ((this.cpu.eflags & FLAG_BITS[name]) !== 0 ? 1n : 0n));
  }
  setFlags(flags: Partial<Record<FlagName, Expr>>): void {
    let eflags = this.cpu.eflags;
    for (const [name, value] of Object.entries(flags) as [FlagName, Expr][]) {
      eflags = unsigned(value) !== 0n ? eflags | FLAG_BITS[name] : eflags & ~FLAG_BITS[name];
    }
    this.cpu.eflags = eflags;
  }
  #result(size: number, result: Expr, others: { CF?: boolean; OF: boolean; AF: boolean }): void {
    const value = BigInt.asUintN(size * 8, unsigned(result));
    const bit = (flag: boolean): Expr => EXPRESSIONS.i32(flag ? 1 : 0);
    const odd = EXPRESSIONS.popcnt(EXPRESSIONS.i64(value & 0xffn));
    this.setFlags({
      ...(others.CF === undefined ? {} : { CF: bit(others.CF) }),
      OF: bit(others.OF), AF: bit(others.AF), ZF: bit(value === 0n), PF: bit(unsigned(odd) % 2n === 0n),
      SF: bit(value >> BigInt(size * 8 - 1) === 1n),
    });
  }
  #sum(size: number, a: Expr, b: Expr, result: Expr, sign: bigint): void {
    const bits = size * 8;
    const [x, y, r] = [a, b, result].map((expr) => BigInt.asUintN(bits, unsigned(expr))) as [bigint, bigint, bigint];
    const carry = BigInt.asUintN(bits, r - (x + sign * y)) === 0n ? 0n : sign;
    const exact = BigInt.asIntN(bits, x) + sign * BigInt.asIntN(bits, y) + carry;
    const whole = x + sign * y + carry;
    const low = (x & 15n) + sign * (y & 15n) + carry;
    this.#result(size, result, {
      CF: whole < 0n || whole >> BigInt(bits) !== 0n, OF: BigInt.asIntN(bits, exact) !== exact, AF: low < 0n || low > 15n,
    });
  }
  flagsAdd(size: number, a: Expr, b: Expr, result: Expr): void { this.#sum(size, a, b, result, 1n); }
  flagsSub(size: number, a: Expr, b: Expr, result: Expr): void { this.#sum(size, a, b, result, -1n); }
  flagsAdc(size: number, a: Expr, b: Expr, result: Expr): void { this.#sum(size, a, b, result, 1n); }
  flagsSbb(size: number, a: Expr, b: Expr, result: Expr): void { this.#sum(size, a, b, result, -1n); }
  #step(size: number, result: Expr, sign: bigint): void {
    const carry = this.cpu.eflags & 1;
    const before = EXPRESSIONS.i64(unsigned(result) - sign);
    this.#sum(size, before, EXPRESSIONS.i64(1), result, sign);
    this.cpu.eflags = (this.cpu.eflags & ~1) | carry;
  }
  flagsInc(size: number, result: Expr): void { this.#step(size, result, 1n); }
  flagsDec(size: number, result: Expr): void { this.#step(size, result, -1n); }
  flagsLogic(size: number, result: Expr): void { this.#result(size, result, { CF: false, OF: false, AF: false }); }
  flagsResult(size: number, result: Expr, carry: Expr, overflow: Expr, auxiliary?: Expr): void {
    this.#result(size, result, {
      CF: unsigned(carry) !== 0n, OF: unsigned(overflow) !== 0n, AF: auxiliary !== undefined && unsigned(auxiliary) !== 0n,
    });
  }
  ownCondition(): Expr {
    const code = this.form.condition ?? 0;
    return lazy('i32', () => {
      const eflags = this.cpu.eflags;
      const is = (name: FlagName): boolean => (eflags & FLAG_BITS[name]) !== 0;
      const less = is('SF') !== is('OF');
      const met = [is('OF'), is('CF'), is('ZF'), is('CF') || is('ZF'), is('SF'), is('PF'), less, less || is('ZF')][code >> 1]!;
      return met !== ((code & 1) === 1) ? 1n : 0n;
    });
  }
}

/** Executes one instruction; throws `TestFault`. */
export function execute(cpu: TestCpu, semantic: SemanticFunction | undefined, form: TestForm, helpers: HelperTable = {}): void {
  if (semantic === undefined) throw new TypeError('no such instruction');
  semantic(new EvaluatingBuilder(cpu, form, helpers) as unknown as Builder);
}
