import assert from 'node:assert/strict';
import { test } from 'node:test';
import { STATE_EXACT_FLOATS, STATE_MXCSR, STATE_MXCSR_STORED_AT, STATE_MXCSR_STORED_BY, STATE_RIP } from '../state.ts';
import { mxcsrHelpers, MXCSR_INIT } from './mxcsr.ts';
import { createContext, OPERAND } from './testing.test-support.ts';

/** What `ldmxcsr` at `pc` asks for after an STMXCSR whose code ends at 0x1000 has stored to `storedAt`. */
function asksForExactFloats({ pc, storedAt = OPERAND, value = MXCSR_INIT, isExact = false }: { pc: number; storedAt?: number; value?: number; isExact?: boolean }): boolean {
  let asked = false;
  const context = { ...createContext(), requireExactFloats: () => ((asked = true), 1 as const) };
  const { view } = context;
  view.setUint32(STATE_MXCSR, MXCSR_INIT, true);
  view.setUint32(STATE_MXCSR_STORED_AT, storedAt, true);
  view.setUint32(STATE_MXCSR_STORED_BY, 0x1000, true);
  view.setUint32(STATE_RIP, pc, true);
  view.setUint32(STATE_EXACT_FLOATS, isExact ? 1 : 0, true);
  view.setUint32(OPERAND, value, true);
  assert.equal(mxcsrHelpers['ldmxcsr']?.(context, 0, OPERAND, 0, 0), asked ? 1 : 0);
  if (!asked) assert.equal(view.getUint32(STATE_MXCSR, true), value);
  return asked;
}

test('ldmxcsr() wants exact floats for what was stored just before, as feclearexcept(3) does it, even if nothing changes', () => {
  assert.equal(asksForExactFloats({ pc: 0x1004 }), true);
  assert.equal(asksForExactFloats({ pc: 0x102a }), true);
});

test('ldmxcsr() of a value that was put aside changes nothing: by other code, or from another place', () => {
  assert.equal(asksForExactFloats({ pc: 0x1100 }), false);
  assert.equal(asksForExactFloats({ pc: 0xf00 }), false);
  assert.equal(asksForExactFloats({ pc: 0x1004, storedAt: OPERAND + 8 }), false);
});

test('ldmxcsr() of another value wants exact floats wherever it comes from, and once it has them only loads', () => {
  assert.equal(asksForExactFloats({ pc: 0x1100, value: 0x7f80 }), true);
  assert.equal(asksForExactFloats({ pc: 0x1004, value: 0x7f80, isExact: true }), false);
});
