/** The CPU state as FXSAVE lays it out (SDM Vol. 1 10.5.1, Table 10-2), for the instruction and for signal frames. */
import * as state from '../state.ts';

export const FX_IMAGE_SIZE = 512;
const MXCSR_MASK = 0xffff;

/** Writes the x87 and SSE state as a 512-byte FXSAVE image. */
export function saveFxImage(view: DataView, target: Uint8Array): void {
  const out = new DataView(target.buffer, target.byteOffset, FX_IMAGE_SIZE);
  target.fill(0, 0, FX_IMAGE_SIZE);
  const top = view.getUint16(state.STATE_X87_TOP, true) & 7;
  out.setUint16(0, view.getUint16(state.STATE_X87_CONTROL, true), true);
  out.setUint16(2, (view.getUint16(state.STATE_X87_STATUS, true) & ~0x3800) | (top << 11), true);
  out.setUint8(4, view.getUint8(state.STATE_X87_TAG));
  out.setUint16(6, view.getUint16(state.STATE_X87_OPCODE, true), true);
  out.setBigUint64(8, view.getBigUint64(state.STATE_X87_IP, true), true);
  out.setBigUint64(16, view.getBigUint64(state.STATE_X87_DP, true), true);
  out.setUint32(24, view.getUint32(state.STATE_MXCSR, true), true);
  out.setUint32(28, MXCSR_MASK, true);
  for (let register = 0; register < 8; register++) {
    const from = state.STATE_X87 + 16 * ((top + register) & 7);
    out.setBigUint64(32 + 16 * register, view.getBigUint64(from, true), true);
    out.setUint16(40 + 16 * register, view.getUint16(from + 8, true), true);
  }
  const xmm = new Uint8Array(view.buffer, view.byteOffset + state.STATE_XMM, 256);
  target.set(xmm, 160);
}

/** Loads the x87 and SSE state from a 512-byte FXSAVE image; reserved MXCSR bits are dropped. */
export function loadFxImage(view: DataView, source: Uint8Array): void {
  const from = new DataView(source.buffer, source.byteOffset, FX_IMAGE_SIZE);
  const status = from.getUint16(2, true);
  const top = (status >> 11) & 7;
  view.setUint16(state.STATE_X87_CONTROL, from.getUint16(0, true), true);
  view.setUint16(state.STATE_X87_STATUS, status & ~0x3800, true);
  view.setUint16(state.STATE_X87_TOP, top, true);
  view.setUint16(state.STATE_X87_TAG, from.getUint8(4), true);
  view.setUint16(state.STATE_X87_OPCODE, from.getUint16(6, true), true);
  view.setBigUint64(state.STATE_X87_IP, from.getBigUint64(8, true), true);
  view.setBigUint64(state.STATE_X87_DP, from.getBigUint64(16, true), true);
  view.setUint32(state.STATE_MXCSR, from.getUint32(24, true) & MXCSR_MASK, true);
  for (let register = 0; register < 8; register++) {
    const to = state.STATE_X87 + 16 * ((top + register) & 7);
    view.setBigUint64(to, from.getBigUint64(32 + 16 * register, true), true);
    view.setUint16(to + 8, from.getUint16(40 + 16 * register, true), true);
  }
  new Uint8Array(view.buffer, view.byteOffset + state.STATE_XMM, 256).set(source.subarray(160, 416));
}
