/** The stack: SDM Vol. 2, PUSH, POP, ENTER, LEAVE, PUSHF, POPF. */
import { STATE_EFLAGS_OTHER, STATE_SCRATCH } from '../state.ts';
import type { Builder, Expr, SemanticsTable } from './builder.ts';
import {
  EFLAGS_AC, EFLAGS_AF, EFLAGS_CF, EFLAGS_DF, EFLAGS_FIXED, EFLAGS_ID, EFLAGS_IF, EFLAGS_NT, EFLAGS_OF, EFLAGS_PF,
  EFLAGS_SF, EFLAGS_ZF,
} from './flags.ts';
import { RBP, RSP, bitAt, readSource } from './integer-operands.ts';
import { checkSelector } from './integer-segments.ts';

/** PUSH RSP pushes the old value. */
function push(b: Builder): void {
  b.push(b.let(readSource(b, 0, b.size)), b.size);
}

/** FS and GS hold the null selector. */
function pushSegment(b: Builder): void {
  b.push(b.sized(b.size, 0), b.size);
}

function popSegment(b: Builder): void {
  const value = b.peekStack(b.size);
  checkSelector(b, b.wrap(value));
  b.addRsp(b.size);
}

/** RSP in the address of a memory destination is the one after the pop; a fault there leaves the old one. */
function pop(b: Builder): void {
  const size = b.size;
  const value = b.peekStack(size);
  if (b.isMemory(0)) {
    b.addRsp(size);
    const address = b.let(b.linearAddress(0));
    b.addRsp(-size);
    b.store(address, size, value);
    b.addRsp(size);
  } else {
    b.addRsp(size);
    b.write(0, value);
  }
}

/** Nested procedures (level 1 to 31), which no compiler makes, are a helper's. */
function enter(b: Builder): void {
  const bytes = b.let(b.wrap(b.read(0)));
  const level = b.let(b.and(b.wrap(b.read(1)), b.i32(31)));
  const size = b.size;
  const nested = (): void => {
    b.writeState(STATE_SCRATCH, bytes);
    b.writeState(STATE_SCRATCH + 4, level);
    b.helper('enter', undefined, undefined, size);
  };
  if (size !== 8) {
    nested();
    return;
  }
  b.if(level, nested, () => {
    b.push(b.let(b.readGpr(RBP, 8)), 8);
    b.writeGpr(RBP, 8, b.readGpr(RSP, 8));
    b.writeGpr(RSP, 8, b.sub(b.readGpr(RSP, 8), b.extendU(bytes)));
  });
}

function leave(b: Builder): void {
  const size = b.size;
  const frame = b.let(b.readGpr(RBP, 8));
  const saved = b.let(b.load(frame, size));
  b.writeGpr(RSP, 8, b.add(frame, b.i64(size)));
  b.writeGpr(RBP, size, saved);
}

/** The bits of EFLAGS that arithmetic changes, with bit 1. */
export function arithmeticFlags(b: Builder): Expr {
  const at = (position: number, flag: Expr): Expr => b.shl(flag, b.i32(position));
  let flags = b.or(b.flag('CF'), b.i32(EFLAGS_FIXED));
  flags = b.or(flags, at(2, b.flag('PF')));
  flags = b.or(flags, at(4, b.flag('AF')));
  flags = b.or(flags, at(6, b.flag('ZF')));
  flags = b.or(flags, at(7, b.flag('SF')));
  return b.or(flags, at(11, b.flag('OF')));
}

/** Sets all arithmetic flags from EFLAGS bits in `value`, an i32 local; OF is kept where `withOverflow` is false. */
export function setArithmeticFlags(b: Builder, value: Expr, withOverflow: boolean): void {
  const bit = (mask: number): Expr => bitAt(b, value, 31 - Math.clz32(mask));
  const lower = {
    CF: bit(EFLAGS_CF), PF: bit(EFLAGS_PF), AF: bit(EFLAGS_AF), ZF: bit(EFLAGS_ZF), SF: bit(EFLAGS_SF),
  };
  b.setFlags(withOverflow ? { ...lower, OF: bit(EFLAGS_OF) } : lower);
}

function pushf(b: Builder): void {
  const other = b.or(b.readState(STATE_EFLAGS_OTHER, 'i32'), b.i32(EFLAGS_IF));
  b.push(b.let(b.resize(b.or(arithmeticFlags(b), other), b.size)), b.size);
}

/** TF, IF and IOPL stay as they are: user mode may not change the latter two, and nobody single-steps here. */
function popf(b: Builder): void {
  const size = b.size;
  const value = b.let(b.wrap(b.peekStack(size)));
  const changed = size === 2 ? EFLAGS_DF | EFLAGS_NT : EFLAGS_DF | EFLAGS_NT | EFLAGS_AC | EFLAGS_ID;
  const kept = b.and(b.readState(STATE_EFLAGS_OTHER, 'i32'), b.i32(~changed));
  b.addRsp(size);
  b.writeState(STATE_EFLAGS_OTHER, b.or(kept, b.and(value, b.i32(changed))));
  setArithmeticFlags(b, value, true);
}

export const integerStack: SemanticsTable = {
  push, pop, 'push-segment': pushSegment, 'pop-segment': popSegment, enter, leave, pushf, popf,
};
