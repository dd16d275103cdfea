/** Integer instructions that are too rare or too long for Wasm: 128-bit division, nested ENTER. */
import { RAX, RBP, RDX, RSP } from '../machine-types.ts';
import { STATE_GPR, STATE_SCRATCH } from '../state.ts';
import { FORM_SOURCE_MEMORY } from './types.ts';
import type { Helper, HelperContext, HelperTable } from './types.ts';

/** #DE. */
const DIVIDE_ERROR = 0;

function gprOffset(register: number): number {
  return STATE_GPR + 8 * register;
}

/** Where in the views a source operand of `size` bytes is; undefined after a fault was noted. */
function sourceOffset(context: HelperContext, source: number, size: number, forms: number): number | undefined {
  if ((forms & FORM_SOURCE_MEMORY) === 0) return source;
  return context.readable(source, size) ? context.offset(source) : undefined;
}

/** DIV of RDX:RAX by 8 bytes (SDM Vol. 2, DIV). */
const div128: Helper = (context, _destination, source, _immediate, forms) => {
  const at = sourceOffset(context, source, 8, forms);
  if (at === undefined) return 1;
  const { view } = context;
  const divisor = view.getBigUint64(at, true);
  if (divisor === 0n) return context.raise(DIVIDE_ERROR);
  const high = view.getBigUint64(gprOffset(RDX), true);
  const dividend = (high << 64n) | view.getBigUint64(gprOffset(RAX), true);
  const quotient = dividend / divisor;
  if (quotient >> 64n !== 0n) return context.raise(DIVIDE_ERROR);
  view.setBigUint64(gprOffset(RAX), quotient, true);
  view.setBigUint64(gprOffset(RDX), dividend % divisor, true);
  return 0;
};

/** IDIV of RDX:RAX by 8 bytes: truncates towards zero, the remainder has the dividend's sign (SDM Vol. 2, IDIV). */
const idiv128: Helper = (context, _destination, source, _immediate, forms) => {
  const at = sourceOffset(context, source, 8, forms);
  if (at === undefined) return 1;
  const { view } = context;
  const divisor = view.getBigInt64(at, true);
  if (divisor === 0n) return context.raise(DIVIDE_ERROR);
  const high = view.getBigInt64(gprOffset(RDX), true);
  const dividend = (high << 64n) | view.getBigUint64(gprOffset(RAX), true);
  const quotient = dividend / divisor;
  if (BigInt.asIntN(64, quotient) !== quotient) return context.raise(DIVIDE_ERROR);
  view.setBigInt64(gprOffset(RAX), quotient, true);
  view.setBigInt64(gprOffset(RDX), dividend % divisor, true);
  return 0;
};

/**
 * ENTER with nesting (SDM Vol. 2, ENTER). The operands, bytes to allocate and level, are in the first two
 * words of the scratch area, the operand size (8 or 2) is the immediate.
 */
const enter: Helper = (context, _destination, _source, size) => {
  const { view } = context;
  const allocate = view.getUint16(STATE_SCRATCH, true);
  const level = view.getUint8(STATE_SCRATCH + 4) & 31;
  const pushes = 1 + level;
  const stack = Number(view.getBigUint64(gprOffset(RSP), true));
  const frame = Number(view.getBigUint64(gprOffset(RBP), true));
  const copied = Math.max(level - 1, 0);
  for (let index = 1; index <= copied; index++) if (!context.readable(frame - index * size, size)) return 1;
  for (let index = 1; index <= pushes; index++) if (!context.writable(stack - index * size, size)) return 1;
  let top = stack;
  const push = (value: bigint): void => {
    top -= size;
    if (size === 8) context.view.setBigUint64(context.offset(top), value, true);
    else context.view.setUint16(context.offset(top), Number(value & 0xffffn), true);
  };
  push(view.getBigUint64(gprOffset(RBP), true));
  const newFrame = top;
  for (let index = 1; index <= copied; index++) {
    const at = context.offset(frame - index * size);
    push(size === 8 ? context.view.getBigUint64(at, true) : BigInt(context.view.getUint16(at, true)));
  }
  if (level > 0) push(BigInt(newFrame));
  if (size === 8) view.setBigUint64(gprOffset(RBP), BigInt(newFrame), true);
  else view.setUint16(gprOffset(RBP), newFrame & 0xffff, true);
  view.setBigUint64(gprOffset(RSP), BigInt.asUintN(64, BigInt(top - allocate)), true);
  return 0;
};

export const integerHelpers: HelperTable = { div128, idiv128, enter };
