/** Rows of the table made ready for the gate: how each argument is read from its register. */
import { ENOSYS } from '../abi/errno.ts';
import { R10, R8, R9, RDI, RDX, RSI } from '../machine/index.ts';
import type { ArgumentKind, Handler, SyscallRow } from './types.ts';

/** Indices of argument registers in `AddressSpace.registers`. */
const ARGUMENTS = [RDI, RSI, RDX, R10, R8, R9].map((register) => 2 * register);

const KIND_INT = 0;
const KIND_UINT = 1;
const KIND_LONG = 2;

function widthOf(kind: ArgumentKind): number {
  if (kind.startsWith('flags:')) return KIND_INT;
  if (kind.startsWith('pointer:')) return KIND_LONG;
  switch (kind) {
    case 'int':
    case 'fd':
    case 'flags':
    case 'mode':
    case 'signal':
      return KIND_INT;
    case 'uint':
    case 'id':
      return KIND_UINT;
    default:
      return KIND_LONG;
  }
}

/** A row made ready for the gate. */
export interface GateEntry {
  readonly row: SyscallRow;
  readonly handler: Handler;
  readonly arity: number;
  /** Two bits an argument. */
  readonly mask: number;
}

export function makeEntry(row: SyscallRow): GateEntry {
  let mask = 0;
  row.arguments.forEach((kind, index) => (mask |= widthOf(kind) << (2 * index)));
  return { row, handler: row.handler ?? (() => -ENOSYS), arity: row.handler === undefined ? 0 : row.arguments.length, mask };
}

export function argument(registers: Int32Array, index: number, mask: number): number {
  const at = ARGUMENTS[index]!;
  const low = registers[at]!;
  const kind = (mask >> (2 * index)) & 3;
  if (kind === KIND_INT) return low;
  if (kind === KIND_UINT) return low >>> 0;
  const high = registers[at + 1]!;
  return high === 0 ? low >>> 0 : high * 0x1_0000_0000 + (low >>> 0);
}

/** All six arguments, 0 for those that the call does not have: for who does not care about time. */
export function argumentsOf({ arity, mask }: GateEntry, registers: Int32Array): number[] {
  return Array.from({ length: 6 }, (_, index) => (index < arity ? argument(registers, index, mask) : 0));
}
