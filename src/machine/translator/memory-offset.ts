/** Guest addresses to offsets in the Wasm memory, where no page table is asked. */
import { MARK_SHIFT, STORE_MARKS } from '../layout.ts';
import type { Expr } from '../semantics/builder.ts';
import type { EmittingBuilder } from '../semantics/emitting-builder.ts';
import type { Expressions } from '../semantics/expression.ts';
import { GUEST_BASE } from '../state.ts';
import * as op from '../wasm/opcodes.ts';

/** The low half of a 64-bit sum as 32-bit arithmetic, so that constants meet. */
function narrow(e: Expressions, sum: Expr): Expr {
  const [a, b] = sum.args;
  if (a !== undefined && b !== undefined) {
    if (sum.opcode === op.I64_ADD) return e.add(narrow(e, a), narrow(e, b));
    if (sum.opcode === op.I64_SHL && b.opcode === op.I64_CONST) return e.shl(narrow(e, a), e.i32(b.immediate));
  }
  return e.wrap(sum);
}

/** The constants of an address, that of the memory's shift among them, become one, which comes last. */
export function memoryOffset(e: Expressions, address: Expr): Expr {
  let base: Expr | undefined;
  let constant = -GUEST_BASE;
  const collect = (expr: Expr): void => {
    const [a, b] = expr.args;
    if (expr.opcode === op.I32_ADD && a !== undefined && b !== undefined) {
      collect(a);
      collect(b);
    } else if (expr.opcode === op.I32_CONST) constant = (constant + expr.immediate) | 0;
    else base = base === undefined ? expr : e.add(base, expr);
  };
  collect(narrow(e, address));
  return base === undefined ? e.i32(constant) : e.add(base, e.i32(constant));
}

/** Notes that something is stored at an offset in the memory, which is then known. */
export function marked(b: EmittingBuilder, offset: Expr): Expr {
  const kept = b.let(offset);
  b.rawStore(op.I32_STORE8, b.shrU(kept, b.i32(MARK_SHIFT)), STORE_MARKS - GUEST_BASE + (GUEST_BASE >>> MARK_SHIFT), b.i32(1));
  return kept;
}
