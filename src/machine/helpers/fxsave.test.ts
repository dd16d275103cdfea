import assert from 'node:assert/strict';
import { test } from 'node:test';
import { STATE_FAULT_VECTOR, STATE_GPR, STATE_MXCSR, STATE_XMM } from '../state.ts';
import { FX_IMAGE_SIZE, fxsaveHelpers, loadFxImage, saveFxImage } from './fxsave.ts';
import { createContext, OPERAND } from './testing.test-support.ts';
import type { TestContext } from './testing.test-support.ts';
import type { Helper } from './types.ts';
import { initialise } from './x87-control.ts';
import { x87TransferHelpers } from './x87-transfer.ts';

function helper(name: string): Helper {
  const found = fxsaveHelpers[name] ?? x87TransferHelpers[name];
  assert.ok(found, name);
  return found;
}

/** pi and 1 on the stack, and something in every xmm register. */
function filled(): TestContext {
  const context = createContext();
  initialise(context.view);
  context.view.setUint32(STATE_MXCSR, 0x1f80, true);
  helper('fldConstant')(context, 0, 0, 0, 0);
  helper('fldConstant')(context, 0, 0, 3, 0);
  for (let index = 0; index < 256; index++) context.u8[STATE_XMM + index] = index ^ 0x5a;
  return context;
}

test('saveFxImage() lays the state out as FXSAVE does', () => {
  const image = new Uint8Array(FX_IMAGE_SIZE);
  saveFxImage(filled().view, image);
  const view = new DataView(image.buffer);
  assert.equal(view.getUint16(0, true), 0x37f);
  assert.equal(view.getUint16(2, true), 6 << 11);
  assert.equal(image[4], 0b1100_0000);
  assert.equal(view.getUint32(24, true), 0x1f80);
  assert.equal(view.getBigUint64(32, true), 0xc90fdaa22168c235n);
  assert.equal(view.getUint16(40, true), 0x4000);
  assert.equal(view.getBigUint64(48, true), 1n << 63n);
  assert.deepEqual(image.subarray(160, 164), new Uint8Array([0x5a, 0x5b, 0x58, 0x59]));
});

test('loadFxImage() takes back what saveFxImage() gave', () => {
  const before = filled();
  const image = new Uint8Array(FX_IMAGE_SIZE);
  saveFxImage(before.view, image);
  const after = createContext();
  loadFxImage(after.view, image);
  const again = new Uint8Array(FX_IMAGE_SIZE);
  saveFxImage(after.view, again);
  assert.deepEqual(again, image);
});

test('FXRSTOR refuses reserved MXCSR bits and crooked addresses', () => {
  const context = filled();
  assert.equal(helper('fxsave')(context, OPERAND + 8, 0, 0, 1), 1);
  assert.equal(context.view.getUint32(STATE_FAULT_VECTOR, true), 13);
  assert.equal(helper('fxsave')(context, OPERAND, 0, 0, 1), 0);
  context.view.setUint32(OPERAND + 24, 0x10000, true);
  assert.equal(helper('fxrstor')(context, 0, OPERAND, 0, 2), 1);
});

for (const compacted of [0, 1]) {
  test(`XRSTOR restores what XSAVE${compacted ? 'C' : ''} saved, and initialises what it did not`, () => {
    const context = filled();
    context.view.setUint32(STATE_GPR, 2, true);
    assert.equal(helper('xsave')(context, OPERAND, 0, compacted, 1), 0);
    assert.equal(context.view.getUint32(OPERAND + 512, true), 2);
    context.u8.fill(0, STATE_XMM, STATE_XMM + 256);
    context.view.setUint32(STATE_GPR, 7, true);
    assert.equal(helper('xrstor')(context, 0, OPERAND, 0, 2), 0);
    assert.equal(context.u8[STATE_XMM + 3], 0x59);
    const image = new Uint8Array(FX_IMAGE_SIZE);
    saveFxImage(context.view, image);
    assert.equal(image[4], 0);
    assert.equal(image[0], 0x7f);
  });
}

test('XRSTOR refuses components that XCR0 does not have', () => {
  const context = filled();
  context.view.setUint32(STATE_GPR, 3, true);
  helper('xsave')(context, OPERAND, 0, 0, 1);
  context.view.setUint32(OPERAND + 512, 7, true);
  assert.equal(helper('xrstor')(context, 0, OPERAND, 0, 2), 1);
});
