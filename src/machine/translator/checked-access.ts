/** Accesses of code that consults the page table: each by itself, or several by way of one register together. */
import { HIGH_HALF, PAGE_CODE, PAGE_READ, PAGE_SHIFT, PAGE_SIZE, PAGE_TABLE, PAGE_WRITE } from '../layout.ts';
import type { Expr } from '../semantics/builder.ts';
import { Expressions, emitExpression, localGet, node } from '../semantics/expression.ts';
import { GUEST_BASE } from '../state.ts';
import * as op from '../wasm/opcodes.ts';
import { ByteWriter, type FunctionBody } from '../wasm/writer.ts';
import { spanAhead, type AccessSpan, type BlockCode } from './access-span.ts';
import type { LocalBuilder } from './local-builder.ts';

/** A block whose accesses are checked. */
export interface CheckedBlock extends BlockCode {
  /** A unit may be entered where it starts. */
  readonly isEntry: boolean;
  /** Control may come here again without leaving the unit. */
  readonly isInLoop: boolean;
}

/** A 64-bit local and a constant that is added. */
function sumOf({ opcode, type, args: [a, b], immediate }: Expr): { readonly local: number; readonly offset: number } | undefined {
  if (opcode === op.LOCAL_GET && type === 'i64') return { local: immediate, offset: 0 };
  if ((opcode !== op.I64_ADD && opcode !== op.I64_SUB) || a?.opcode !== op.LOCAL_GET || b?.opcode !== op.I64_CONST || b.bits !== undefined) return undefined;
  return { local: a.immediate, offset: opcode === op.I64_ADD ? b.immediate : -b.immediate };
}

/** Without instructions of its own. */
class Plain extends Expressions {}

/** What checks need of the unit. */
export interface CheckedUnit {
  /** General register that a local is, or -1. */
  registerOf(local: number): number;
  /** Leaves the unit for the host with everything as it was before the instruction. */
  leave(): void;
  /** The same for the interpreter, which does the instruction. */
  interpret(): void;
}

/**
 * Where a quick look at the page table does not show that an access is right, the interpreter does the instruction: so there is next
 * to no code for it. An instruction where units are entered asks the host instead: the interpreter would come back to a unit.
 */
export class CheckedAccess {
  readonly #b: LocalBuilder;
  readonly #unit: CheckedUnit;
  #block: CheckedBlock | undefined;
  #index = 0;
  #pc = 0;
  /** Accesses whose pages were checked together: offsets from what the register holds now. By the register's local. */
  #groups = new Map<number, AccessSpan>();
  #isInherited = false;
  /** What is written into another buffer is done conditionally. */
  #main: ByteWriter | undefined;

  constructor(b: LocalBuilder, unit: CheckedUnit) {
    this.#b = b;
    this.#unit = unit;
  }

  /** Control comes here from anywhere, or from where `inherit` was called last. */
  beginBlock(block: CheckedBlock): void {
    this.#block = block;
    this.#main = this.#b.out;
    if (!this.#isInherited) this.#groups.clear();
    this.#isInherited = false;
  }

  /** The block that begins next follows here. */
  inherit(): void {
    this.#isInherited = true;
  }

  /** Writes what control goes to from here, perhaps; the code behind it knows what was known before. */
  aside(write: () => void): void {
    const groups = new Map(this.#groups);
    write();
    this.#groups = groups;
  }

  /** The instruction of the block that is written next. */
  begin(index: number, pc: number): void {
    this.#index = index;
    this.#pc = pc;
  }

  /** Registers were loaded anew. */
  forget(): void {
    this.#groups.clear();
  }

  /** A register gets another value: what was checked is known from there, or not any more. */
  moved(local: number, value: Expr): void {
    const group = this.#groups.get(local);
    if (group === undefined) return;
    const sum = sumOf(value);
    if (sum?.local !== local || this.#b.out !== this.#main) this.#groups.delete(local);
    else this.#groups.set(local, { ...group, low: group.low - sum.offset, high: group.high - sum.offset });
  }

  get #asksHost(): boolean {
    return this.#index === 0 && this.#block?.isEntry === true;
  }

  /** Checks an access. The result is its guest address as an i32 local, or undefined where `address` itself will do. */
  check(address: Expr, size: number, write: boolean): Expr | undefined {
    const b = this.#b;
    const group = this.#groupOf(address, size, write);
    if (group !== undefined) return undefined;
    const whole = address.opcode === op.LOCAL_GET ? address : b.let(address);
    const low = b.let(b.wrap(whole));
    const needed = write ? PAGE_WRITE | PAGE_CODE : PAGE_READ;
    if (this.#asksHost) this.#askHost(this.#maybeWrong(whole, low, size, needed), whole, size, write);
    else this.#checkOne(whole, low, size, needed);
    return low;
  }

  /** Most accesses lie within a page. In a loop those that do not must not end it. */
  #checkOne(whole: Expr, low: Expr, size: number, needed: number): void {
    const b = this.#b;
    const [bits, most] = size > 1 ? [HIGH_HALF + PAGE_SIZE - 1, PAGE_SIZE - size] : [HIGH_HALF, 0];
    b.emit(b.gtU(b.and(whole, b.i64(bits)), b.i64(most)));
    b.openUnlikely();
    if (size > 1 && this.#block?.isInLoop === true) this.#interpretIf(this.#maybeWrong(whole, low, size, needed));
    else this.#unit.interpret();
    b.close();
    const flags = b.and(this.#pageFlags(low), b.i32(needed));
    this.#interpretIf((needed & PAGE_CODE) === 0 ? b.eqz(flags) : b.ne(flags, b.i32(needed & ~PAGE_CODE)));
  }

  #pageFlags(address: Expr): Expr {
    const b = this.#b;
    return b.rawLoad(op.I32_LOAD8_U, 'i32', b.shrU(address, b.i32(PAGE_SHIFT)), PAGE_TABLE - GUEST_BASE);
  }

  /** Not 0 where some of the bytes at an address are above 4 GiB, or in a page that lacks a flag; `PAGE_CODE` stands for its absence. In two pages at most. */
  #maybeWrong(whole: Expr, low: Expr, size: number, needed: number): Expr {
    const b = this.#b;
    const good = (flags: Expr): Expr => b.xor(flags, b.i32(needed & PAGE_CODE));
    const first = good(this.#pageFlags(low));
    const both = size > 1 ? b.and(first, good(this.#pageFlags(b.add(low, b.i32(size - 1))))) : first;
    return b.or(b.xor(b.and(both, b.i32(needed)), b.i32(needed)), b.wrap(b.shrU(whole, b.i64(32))));
  }

  #interpretIf(condition: Expr): void {
    const b = this.#b;
    b.emit(condition);
    b.openUnlikely();
    this.#unit.interpret();
    b.close();
  }

  /** Where it may be wrong: asks the host, and leaves if it is. */
  #askHost(maybeWrong: Expr, address: Expr, size: number, write: boolean): void {
    const b = this.#b;
    b.emit(maybeWrong);
    b.openUnlikely();
    b.emit(node('i32', op.CALL, [address, b.i32((size << 1) | (write ? 1 : 0)), b.i32(this.#pc)], FUNCTION_CHECK));
    b.openUnlikely();
    this.#unit.leave();
    b.close();
    b.close();
  }

  /** The group that an access belongs to, perhaps with accesses that follow it; undefined for one that is alone. */
  #groupOf(address: Expr, size: number, write: boolean): AccessSpan | undefined {
    const sum = sumOf(address);
    if (sum === undefined) return undefined;
    const covers = ({ low, high, writes }: AccessSpan): boolean => sum.offset >= low && sum.offset + size <= high && (writes || !write);
    const group = this.#groups.get(sum.local);
    if (group !== undefined && covers(group)) return group;
    const register = this.#unit.registerOf(sum.local);
    if (this.#block === undefined || register < 0 || this.#asksHost || this.#b.out !== this.#main) return undefined;
    const span = spanAhead(this.#block, this.#index, register);
    if (span === undefined || !covers(span)) return undefined;
    this.#checkSpan(sum.local, span);
    this.#groups.set(sum.local, span);
    return span;
  }

  /** It lies in two pages at most. */
  #checkSpan(local: number, { low, high, writes }: AccessSpan): void {
    const b = this.#b;
    const whole = b.let(b.add(localGet('i64', local), b.i64(low)));
    this.#interpretIf(this.#maybeWrong(whole, b.let(b.wrap(whole)), high - low, writes ? PAGE_READ | PAGE_WRITE | PAGE_CODE : PAGE_READ));
  }
}

/** The first function of each module. */
export const FUNCTION_CHECK = 5;

/** `check(address, size * 2 + write, pc) -> 1: a fault was noted`: the host's `checkAccess`, to which 64 bits are two numbers. */
export function checkFunction(type: number, checkAccess: number): FunctionBody {
  const e = new Plain();
  const address = localGet('i64', 0);
  const how = localGet('i32', 1);
  const words = [e.wrap(address), e.wrap(e.shrU(address, e.i64(32)))];
  const code = new ByteWriter(64);
  emitExpression(code, node('i32', op.CALL, [...words, e.shrU(how, e.i32(1)), e.and(how, e.i32(1)), localGet('i32', 2)], checkAccess));
  code.u8(op.END);
  return { type, locals: [], code };
}
