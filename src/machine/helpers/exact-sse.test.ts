import assert from 'node:assert/strict';
import { test } from 'node:test';
import { STATE_FAULT_VECTOR, STATE_MXCSR, STATE_XMM } from '../state.ts';
import { EXACT_KEYS, exactSseHelpers } from './exact-sse.ts';
import { createContext } from './testing.test-support.ts';

test('exact-sse() of DPPS keeps what the products noted when the sum raises another exception', () => {
  const context = createContext();
  const { view } = context;
  // Denormals are not masked; tiny and inexact results are.
  view.setUint32(STATE_MXCSR, 0x1c00, true);
  // 2^-100 * (1 + 2^-23) * 2^-40 is a denormal, rounded; adding it raises DE.
  view.setUint32(STATE_XMM, 0x0d80_0001, true);
  view.setUint32(STATE_XMM + 16, 0x2b80_0000, true);
  const immediate = EXACT_KEYS.indexOf('dpps') | (0x3f << 8);
  assert.equal(exactSseHelpers['exact-sse']?.(context, STATE_XMM, STATE_XMM + 16, immediate, 0), 1);
  assert.equal(view.getUint32(STATE_FAULT_VECTOR, true), 19);
  assert.equal(view.getUint32(STATE_MXCSR, true), 0x1c32);
});
