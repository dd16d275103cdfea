/** Interpreter handlers that change the flow of control: branches, calls, traps, entering blocks and units. */
import type { ConditionCode, Expr } from '../semantics/builder.ts';
import { localGet, node } from '../semantics/expression.ts';
import { conditionOf, symbolicFlag } from '../semantics/flag-expressions.ts';
import { FLOW_BELOW, FLOW_CONDITION, FLOW_EQUAL, FLOW_LESS, FLOW_NEGATIVE, FLOW_NOT } from '../decoder/layout.ts';
import { JUMP_TABLE, PAGE_TABLE, PAGE_WRITE } from '../layout.ts';
import {
  GUEST_BASE, STATE_DEPTH, STATE_GENERATION, STATE_RIP,
} from '../state.ts';
import * as op from '../wasm/opcodes.ts';
import type { ByteWriter, FunctionBody } from '../wasm/writer.ts';
import type { InterpreterBuilder } from './interpreter-builder.ts';
import * as record from './record.ts';

/** More than the plain handlers need. */
export interface ControlEnvironment {
  readonly handlerType: number;
  readonly handlerTable: number;
  readonly unitType: number;
  readonly unitTable: number;
  /** (record) -> block of its target. */
  readonly resolve: number;
  /** (block) -> 0 go on, 1 leave (rip is noted). */
  readonly hot: number;
  /** (address) -> block. */
  readonly lookup: number;
  /** (address of an indirect jump, target): another target than the last time. */
  readonly jumped: number;
  /** (address): rsp points to no writable page -> 0 go on, 1 leave (a fault was noted). */
  readonly stackLeft: number;
  /** () -> 0 go on, 1 leave. */
  readonly syscall: number;
  /** The function `dispatch(address) -> address`. */
  readonly dispatch: number;
}

/** Deepest nesting of Wasm calls; beyond it everything returns to the outermost interpreter. */
export const MAXIMUM_DEPTH = 200;

/** Enters a block: counts, and jumps to its first record. */
function enterBlock(b: InterpreterBuilder, environment: ControlEnvironment, block: Expr): void {
  const counter = b.let(b.sub(b.rawLoad(op.I32_LOAD, 'i32', block, record.BLOCK_COUNTER), b.i32(1)));
  b.rawStore(op.I32_STORE, block, record.BLOCK_COUNTER, counter);
  // Unsigned: what a guest may have written there counts as used up, too.
  b.unlikely(b.geU(counter, b.i32(record.BLOCK_COUNT)), () => {
    b.unlikely(node('i32', op.CALL, [block], environment.hot), () => b.leave());
  });
  b.jumpTo(b.let(b.add(block, b.i32(record.BLOCK_HEADER_SIZE))));
}

/** Goes to the direct target of the record, or of one behind it, which is looked up once. */
function enterTarget(b: InterpreterBuilder, environment: ControlEnvironment, distance = 0): void {
  const offset = distance * record.RECORD_SIZE;
  const block = b.variable('i32', b.field(op.I32_LOAD, offset + record.RECORD_TARGET_BLOCK));
  b.unlikely(b.eqz(block), () => b.assign(block, node('i32', op.CALL, [b.add(b.record, b.i32(offset))], environment.resolve)));
  enterBlock(b, environment, block);
}

/** Tail call of `dispatch` with a guest address (i32). */
function dispatchTo(b: InterpreterBuilder, environment: ControlEnvironment, address: Expr): void {
  b.emit(address);
  b.out.u8(op.RETURN_CALL);
  b.out.u32(environment.dispatch);
}

/** An indirect target: 64 bits of which the upper half must be zero (general protection at the jump otherwise). */
function checkedTarget(b: InterpreterBuilder, target: Expr): Expr {
  const whole = b.let(target);
  b.faultIf(b.wrap(b.shrU(whole, b.i64(32))), 13);
  return b.let(b.wrap(whole));
}

function jcc(b: InterpreterBuilder, environment: ControlEnvironment): void {
  b.if(b.condition((b.instruction.row.opcode & 15) as ConditionCode), () => enterTarget(b, environment));
  b.next();
}

/** After a comparison: the branch in the next record, whose condition the comparison's has. */
export function emitBranchBehind(b: InterpreterBuilder, environment: ControlEnvironment): void {
  const flags = b.flagsSet;
  if (flags === undefined) throw new Error(`${b.mnemonic} sets no flags`);
  const holds = (code: ConditionCode, bit: number): Expr =>
    b.shl(conditionOf(b, code, (name) => symbolicFlag(b, flags, name), flags), b.i32(31 - Math.clz32(bit)));
  const all = b.or(b.or(holds(4, FLOW_EQUAL), holds(2, FLOW_BELOW)), b.or(holds(12, FLOW_LESS), holds(8, FLOW_NEGATIVE)));
  const wanted = b.let(b.field(op.I32_LOAD8_U, record.RECORD_CONDITION));
  const taken = b.eq(b.eqz(b.and(all, b.and(wanted, b.i32(FLOW_CONDITION & ~FLOW_NOT)))), b.shrU(wanted, b.i32(31 - Math.clz32(FLOW_NOT))));
  b.if(taken, () => enterTarget(b, environment, 1));
  b.next(2);
}

/** loop, loope, loopne (SDM Vol. 2A): rcx, or ecx with an address size prefix (which compilers do not emit). */
function loop(b: InterpreterBuilder, environment: ControlEnvironment): void {
  const count = b.let(b.sub(b.readGpr(1, 8), b.i64(1)));
  b.writeGpr(1, 8, count);
  let taken = b.ne(count, b.i64(0));
  if (b.mnemonic === 'loope') taken = b.and(taken, b.flag('ZF'));
  if (b.mnemonic === 'loopne') taken = b.and(taken, b.eqz(b.flag('ZF')));
  b.if(taken, () => enterTarget(b, environment));
  b.next();
}

function jrcxz(b: InterpreterBuilder, environment: ControlEnvironment): void {
  b.if(b.eqz(b.readGpr(1, 8)), () => enterTarget(b, environment));
  b.next();
}

/** Guest returns are Wasm returns: whoever made the call compares the address with the one behind it. */
function ret(b: InterpreterBuilder): void {
  const target = checkedTarget(b, b.peekStack(8));
  const extra = b.operandCount > 0 ? b.extendU(b.read(0)) : b.i64(0);
  b.writeGpr(4, 8, b.add(b.add(b.readGpr(4, 8), b.i64(8)), extra));
  b.emit(target);
  b.out.u8(op.RETURN);
}

/**
 * Guest calls are Wasm calls. What comes back is the guest address to go on at: the one behind the call,
 * or another that is passed on to our own caller (0: back to the host).
 */
function call(b: InterpreterBuilder, environment: ControlEnvironment, target: Expr): void {
  b.push(b.nextRip(), 8);
  const depth = b.let(b.readState(STATE_DEPTH, 'i32'));
  b.unlikely(b.geU(depth, b.i32(MAXIMUM_DEPTH)), () => {
    b.emit(target);
    b.out.u8(op.RETURN);
  });
  const generation = b.let(b.readState(STATE_GENERATION, 'i32'));
  b.writeState(STATE_DEPTH, b.add(depth, b.i32(1)));
  const result = b.let(node('i32', op.CALL, [target], environment.dispatch));
  b.writeState(STATE_DEPTH, depth);
  // If the records were thrown away meanwhile, ours may be something else now.
  const elsewhere = b.or(b.ne(result, b.wrap(b.nextRip())), b.ne(generation, b.readState(STATE_GENERATION, 'i32')));
  b.unlikely(elsewhere, () => {
    b.emit(result);
    b.out.u8(op.RETURN);
  });
  b.next();
}

function callDirect(b: InterpreterBuilder, environment: ControlEnvironment): void {
  call(b, environment, b.field(op.I32_LOAD, record.RECORD_TARGET));
}

function callIndirect(b: InterpreterBuilder, environment: ControlEnvironment): void {
  const target = checkedTarget(b, b.read(0));
  noteTarget(b, environment, target);
  call(b, environment, target);
}

/** The record remembers the last target; others are noted, so that the translator knows where control goes. */
function noteTarget(b: InterpreterBuilder, environment: ControlEnvironment, target: Expr): void {
  b.unlikely(b.ne(target, b.field(op.I32_LOAD, record.RECORD_TARGET_BLOCK)), () => {
    b.rawStore(op.I32_STORE, b.record, record.RECORD_TARGET_BLOCK, target);
    b.emit(b.pc());
    b.emit(target);
    b.out.u8(op.CALL);
    b.out.u32(environment.jumped);
  });
}

function jumpIndirect(b: InterpreterBuilder, environment: ControlEnvironment): void {
  const target = checkedTarget(b, b.read(0));
  noteTarget(b, environment, target);
  dispatchTo(b, environment, target);
}

function syscall(b: InterpreterBuilder, environment: ControlEnvironment): void {
  b.writeState(STATE_RIP, b.nextRip());
  b.unlikely(node('i32', op.CALL, [], environment.syscall), () => b.leave());
  b.next();
}

/** Traps report the address behind the instruction, faults its own (SDM Vol. 3A 6.5). */
function trap(b: InterpreterBuilder, vector: number): void {
  b.emit(b.i32(vector));
  b.emit(b.wrap(b.nextRip()));
  b.out.u8(op.CALL);
  b.out.u32(b.raiseFunction);
  b.leave();
}

const CONTROL: Readonly<Record<string, (b: InterpreterBuilder, environment: ControlEnvironment) => void>> = {
  jcc, loop, loope: loop, loopne: loop, jrcxz, ret, syscall,
  jmp: (b, environment) => enterTarget(b, environment),
  call: callDirect,
  'call-indirect': callIndirect,
  'jmp-indirect': jumpIndirect,
  int3: (b) => trap(b, 3),
  // int n other than 3 and 4 is a general protection fault in user mode (no gate has DPL 3 but those).
  int: (b) => b.fault(13),
  int1: (b) => trap(b, 1),
  ud: (b) => b.fault(6),
  privileged: (b) => b.fault(13),
};

export function isControl(semantics: string): boolean {
  return Object.hasOwn(CONTROL, semantics);
}

/** Writes the body of a control flow handler, its way out included. */
export function emitControl(b: InterpreterBuilder, environment: ControlEnvironment): void {
  CONTROL[b.instruction.row.semantics]?.(b, environment);
}

function finish(b: InterpreterBuilder, type: number): FunctionBody {
  b.out.u8(op.UNREACHABLE);
  b.out.u8(op.END);
  return { type, locals: b.locals, code: b.out };
}

/** Handlers 0 to 3 of `record.ts`. */
export function pseudoHandlers(create: () => InterpreterBuilder, environment: ControlEnvironment): FunctionBody[] {
  const redispatch = create();
  dispatchTo(redispatch, environment, redispatch.pc());
  const goto = create();
  enterTarget(goto, environment);
  const raise = create();
  raise.emit(raise.field(op.I32_LOAD, record.RECORD_IMMEDIATE));
  raise.emit(raise.pc());
  raise.out.u8(op.CALL);
  raise.out.u32(raise.raiseFunction);
  raise.leave();
  const enter = create();
  emitEnterUnit(enter, environment);
  return [redispatch, goto, raise, enter].map((b) => finish(b, environment.handlerType));
}

/** A translated unit takes over; the record's immediate is its slot. */
function emitEnterUnit(b: InterpreterBuilder, environment: ControlEnvironment): void {
  b.emit(b.pc());
  b.emit(b.readState(STATE_DEPTH, 'i32'));
  b.emit(b.field(op.I32_LOAD, record.RECORD_IMMEDIATE));
  b.out.u8(op.RETURN_CALL_INDIRECT);
  b.out.u32(environment.unitType);
  b.out.u32(environment.unitTable);
}

/** The entry of the jump table where an address would be: an offset to add to `TABLE`. */
function jumpEntry(b: InterpreterBuilder, address: Expr): Expr {
  const hash = b.and(b.xor(address, b.shrU(address, b.i32(13))), b.i32(record.JUMP_TABLE_MASK));
  return b.let(b.shl(hash, b.i32(4)));
}

const TABLE = JUMP_TABLE - GUEST_BASE;

/** `dispatch(address) -> address`: finds the block in the jump table, or has it decoded. */
export function dispatchFunction(b: InterpreterBuilder, environment: ControlEnvironment): FunctionBody {
  const address = localGet('i32', 0);
  const entry = jumpEntry(b, address);
  const block = b.variable('i32', b.rawLoad(op.I32_LOAD, 'i32', entry, TABLE + 4));
  const miss = b.or(b.ne(b.rawLoad(op.I32_LOAD, 'i32', entry, TABLE), address), b.eqz(block));
  b.unlikely(miss, () => b.assign(block, node('i32', op.CALL, [address], environment.lookup)));
  enterBlock(b, environment, block);
  return finish(b, environment.handlerType);
}

/**
 * `interpret(address, depth) -> address`: the interpreter as a unit that anyone may call. Units go by here to what was no
 * unit yet when they were made.
 */
export function interpretFunction(environment: ControlEnvironment, b: InterpreterBuilder): FunctionBody {
  const address = localGet('i32', 0);
  const depth = localGet('i32', 1);
  const entry = jumpEntry(b, address);
  const slot = b.let(b.rawLoad(op.I32_LOAD, 'i32', entry, TABLE + 8));
  const isUnit = b.and(b.eq(b.rawLoad(op.I32_LOAD, 'i32', entry, TABLE), address), b.ne(slot, b.i32(0)));
  b.if(isUnit, () => {
    for (const value of [address, depth, slot]) b.emit(value);
    b.out.u8(op.RETURN_CALL_INDIRECT);
    b.out.u32(environment.unitType);
    b.out.u32(environment.unitTable);
  });
  b.unlikely(b.geU(depth, b.i32(MAXIMUM_DEPTH)), () => {
    b.emit(address);
    b.out.u8(op.RETURN);
  });
  b.writeState(STATE_DEPTH, depth);
  b.emit(address);
  b.out.u8(op.RETURN_CALL);
  b.out.u32(environment.dispatch);
  b.out.u8(op.END);
  return { type: environment.unitType, locals: b.locals, code: b.out };
}

/** `start(address)`: the outermost frame: goes on wherever its callees end, until the host is wanted. */
export function startFunction(environment: ControlEnvironment, b: InterpreterBuilder): FunctionBody {
  const address = b.variable('i32', localGet('i32', 0));
  b.open(op.LOOP);
  b.writeState(STATE_DEPTH, b.i32(0));
  // Deep recursion comes by here: a stack that has left its pages must not run on.
  const stack = b.rawLoad(op.I32_LOAD8_U, 'i32', b.shrU(b.wrap(b.readGpr(4, 8)), b.i32(12)), PAGE_TABLE - GUEST_BASE);
  b.unlikely(b.eqz(b.and(stack, b.i32(PAGE_WRITE))), () => {
    b.if(node('i32', op.CALL, [address], environment.stackLeft), () => b.leave());
  });
  b.assign(address, node('i32', op.CALL, [address], environment.dispatch));
  b.emit(address);
  b.out.u8(op.BR_IF);
  b.out.u32(0);
  b.close();
  b.emit(b.i32(0));
  b.out.u8(op.END);
  return { type: environment.handlerType, locals: b.locals, code: b.out };
}

export type { ByteWriter };
