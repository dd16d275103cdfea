/**
 * The CPU state as FXSAVE and XSAVE lay it out (SDM Vol. 1, 10.5.1 Table 10-2, and 13.4 to 13.12), for the instructions and
 * for signal frames. Instruction and data pointers are kept only while an exception is pending, as AMD's
 * processors do it.
 */

import { VECTOR_GP, X87_ES } from '../../abi/x87.ts';
import type { CpuLevel } from '../machine-types.ts';
import * as state from '../state.ts';
import { MXCSR_INIT, MXCSR_MASK, loadMxcsr } from './mxcsr.ts';
import type { Helper, HelperContext, HelperTable } from './types.ts';
import { initialise, setControlWord, setStatusWord, statusWord } from './x87-control.ts';

export const FX_IMAGE_SIZE = 512;
const OFFSET_MXCSR = 24;
const OFFSET_STACK = 32;
const OFFSET_XMM = 160;
const XMM_SIZE = 256;
/** Behind the legacy area: XSTATE_BV and XCOMP_BV. */
const OFFSET_XSTATE = 512;
const OFFSET_XCOMP = 520;
/** Of the upper halves of the YMM registers, in either form. */
const OFFSET_YMM = 576;
const YMM_SIZE = 256;
/** Legacy area and header, and what XCR0 enables beyond them. */
export const XSAVE_SIZES: Readonly<Record<CpuLevel, number>> = { v2: 576, v3: 832 };
const COMPONENT_X87 = 1;
const COMPONENT_SSE = 2;
const COMPONENT_AVX = 4;

/** What XCR0 enables. */
export function featuresOf(cpu: CpuLevel): number {
  return cpu === 'v3' ? COMPONENT_X87 | COMPONENT_SSE | COMPONENT_AVX : COMPONENT_X87 | COMPONENT_SSE;
}

function saveX87(view: DataView, out: DataView, at: number): void {
  const status = statusWord(view);
  out.setUint16(at, view.getUint16(state.STATE_X87_CONTROL, true), true);
  out.setUint16(at + 2, status, true);
  out.setUint16(at + 4, view.getUint8(state.STATE_X87_TAG), true);
  const pending = (status & X87_ES) !== 0;
  out.setUint16(at + 6, pending ? view.getUint16(state.STATE_X87_OPCODE, true) : 0, true);
  for (const [place, pointer] of [[at + 8, state.STATE_X87_IP], [at + 16, state.STATE_X87_DP]] as const) {
    out.setUint32(place, pending ? view.getUint32(pointer, true) : 0, true);
    out.setUint32(place + 4, pending ? view.getUint32(pointer + 4, true) : 0, true);
  }
  const top = view.getUint8(state.STATE_X87_TOP);
  for (let index = 0; index < 8; index++) {
    const from = state.STATE_X87 + 16 * ((top + index) & 7);
    const to = at + OFFSET_STACK + 16 * index;
    out.setInt32(to, view.getInt32(from, true), true);
    out.setInt32(to + 4, view.getInt32(from + 4, true), true);
    out.setUint32(to + 8, view.getUint16(from + 8, true), true);
    out.setUint32(to + 12, 0, true);
  }
}

function loadX87(view: DataView, from: DataView, at: number): void {
  setControlWord(view, from.getUint16(at, true));
  setStatusWord(view, from.getUint16(at + 2, true));
  view.setUint16(state.STATE_X87_TAG, from.getUint8(at + 4), true);
  view.setUint16(state.STATE_X87_OPCODE, from.getUint16(at + 6, true) & 0x7ff, true);
  for (const [place, pointer] of [[at + 8, state.STATE_X87_IP], [at + 16, state.STATE_X87_DP]] as const) {
    view.setUint32(pointer, from.getUint32(place, true), true);
    view.setUint32(pointer + 4, from.getUint32(place + 4, true), true);
  }
  const top = view.getUint8(state.STATE_X87_TOP);
  for (let index = 0; index < 8; index++) {
    const to = state.STATE_X87 + 16 * ((top + index) & 7);
    const source = at + OFFSET_STACK + 16 * index;
    view.setInt32(to, from.getInt32(source, true), true);
    view.setInt32(to + 4, from.getInt32(source + 4, true), true);
    view.setUint16(to + 8, from.getUint16(source + 8, true), true);
  }
}

function saveMxcsr(view: DataView, out: DataView, at: number): void {
  out.setUint32(at + OFFSET_MXCSR, view.getUint32(state.STATE_MXCSR, true), true);
  out.setUint32(at + OFFSET_MXCSR + 4, MXCSR_MASK, true);
}

/** The bytes of the XMM registers in the state. */
function xmmBytes(view: DataView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + state.STATE_XMM, XMM_SIZE);
}

/** Writes the x87 and SSE state as a 512-byte FXSAVE image. */
export function saveFxImage(view: DataView, target: Uint8Array): void {
  const out = new DataView(target.buffer, target.byteOffset, FX_IMAGE_SIZE);
  target.fill(0, 0, FX_IMAGE_SIZE);
  saveX87(view, out, 0);
  saveMxcsr(view, out, 0);
  target.set(xmmBytes(view), OFFSET_XMM);
}

/** Loads the x87 and SSE state from a 512-byte FXSAVE image; reserved bits are dropped. */
export function loadFxImage(view: DataView, source: Uint8Array): void {
  const from = new DataView(source.buffer, source.byteOffset, FX_IMAGE_SIZE);
  loadX87(view, from, 0);
  view.setUint32(state.STATE_MXCSR, from.getUint32(OFFSET_MXCSR, true) & MXCSR_MASK, true);
  xmmBytes(view).set(source.subarray(OFFSET_XMM, OFFSET_XMM + XMM_SIZE));
}

const fxsave: Helper = (context, destination) => {
  if (destination & 15) return context.raise(VECTOR_GP);
  if (!context.writable(destination, FX_IMAGE_SIZE)) return 1;
  const { view, u8 } = context;
  const at = context.offset(destination);
  saveX87(view, view, at);
  saveMxcsr(view, view, at);
  u8.copyWithin(at + OFFSET_XMM, state.STATE_XMM, state.STATE_XMM + XMM_SIZE);
  return 0;
};

const fxrstor: Helper = (context, _destination, source) => {
  if (source & 15) return context.raise(VECTOR_GP);
  if (!context.readable(source, FX_IMAGE_SIZE)) return 1;
  const { view, u8 } = context;
  const at = context.offset(source);
  if (loadMxcsr(context, view.getUint32(at + OFFSET_MXCSR, true)) !== 0) return 1;
  loadX87(view, view, at);
  u8.copyWithin(state.STATE_XMM, at + OFFSET_XMM, at + OFFSET_XMM + XMM_SIZE);
  return 0;
};

/** EDX:EAX of XSAVE and XRSTOR, limited to XCR0. */
function requestedComponents({ view, cpu }: HelperContext): number {
  return view.getUint32(state.STATE_GPR, true) & featuresOf(cpu);
}

/** XSAVE and XSAVEOPT (`immediate` 0), XSAVEC (1): all components count as in use. */
const xsave: Helper = (context, destination, _source, immediate) => {
  if (destination & 63) return context.raise(VECTOR_GP);
  if (!context.writable(destination, XSAVE_SIZES[context.cpu])) return 1;
  const { view, u8 } = context;
  const at = context.offset(destination);
  const requested = requestedComponents(context);
  if (requested & COMPONENT_X87) saveX87(view, view, at);
  if (requested & COMPONENT_SSE) {
    saveMxcsr(view, view, at);
    u8.copyWithin(at + OFFSET_XMM, state.STATE_XMM, state.STATE_XMM + XMM_SIZE);
  }
  if (requested & COMPONENT_AVX) u8.copyWithin(at + OFFSET_YMM, state.STATE_YMM_HIGH, state.STATE_YMM_HIGH + YMM_SIZE);
  if (immediate === 1) {
    view.setUint32(at + OFFSET_XSTATE, requested, true);
    view.setUint32(at + OFFSET_XSTATE + 4, 0, true);
    view.setUint32(at + OFFSET_XCOMP, requested, true);
    view.setUint32(at + OFFSET_XCOMP + 4, 0x80000000, true);
  } else {
    view.setUint32(at + OFFSET_XSTATE, view.getUint32(at + OFFSET_XSTATE, true) | requested, true);
  }
  return 0;
};

/** Whether the header is one that XRSTOR accepts (SDM Vol. 1, 13.8 and 13.12). */
function headerIsValid({ view, cpu }: HelperContext, at: number): boolean {
  const features = featuresOf(cpu);
  const present = view.getUint32(at + OFFSET_XSTATE, true);
  const format = view.getUint32(at + OFFSET_XCOMP, true);
  const compacted = view.getUint32(at + OFFSET_XCOMP + 4, true);
  const reserved = view.getUint32(at + OFFSET_XSTATE + 4, true);
  if (reserved !== 0 || (present & ~features) !== 0) return false;
  if (compacted === 0x80000000) return (format & ~features) === 0 && (present & ~format) === 0;
  if (compacted !== 0 || format !== 0) return false;
  return view.getUint32(at + OFFSET_XCOMP + 8, true) === 0 && view.getUint32(at + OFFSET_XCOMP + 12, true) === 0;
}

const xrstor: Helper = (context, _destination, source) => {
  if (source & 63) return context.raise(VECTOR_GP);
  if (!context.readable(source, XSAVE_SIZES[context.cpu])) return 1;
  const { view } = context;
  const at = context.offset(source);
  if (!headerIsValid(context, at)) return context.raise(VECTOR_GP);
  const requested = requestedComponents(context);
  const present = view.getUint32(at + OFFSET_XSTATE, true);
  const compacted = view.getUint32(at + OFFSET_XCOMP + 4, true) !== 0;
  if (requested & COMPONENT_SSE) {
    const stored = compacted && (present & COMPONENT_SSE) === 0 ? MXCSR_INIT : view.getUint32(at + OFFSET_MXCSR, true);
    if (loadMxcsr(context, stored) !== 0) return 1;
    restoreXmm(context, at, (present & COMPONENT_SSE) !== 0);
  }
  if (requested & COMPONENT_AVX) restoreYmm(context, at, (present & COMPONENT_AVX) !== 0);
  if (requested & COMPONENT_X87) {
    if (present & COMPONENT_X87) loadX87(view, view, at);
    else {
      initialise(view);
      context.u8.fill(0, state.STATE_X87, state.STATE_X87 + 128);
    }
  }
  return 0;
};

function restoreXmm({ u8 }: HelperContext, at: number, present: boolean): void {
  if (present) u8.copyWithin(state.STATE_XMM, at + OFFSET_XMM, at + OFFSET_XMM + XMM_SIZE);
  else u8.fill(0, state.STATE_XMM, state.STATE_XMM + XMM_SIZE);
}

function restoreYmm({ u8 }: HelperContext, at: number, present: boolean): void {
  if (present) u8.copyWithin(state.STATE_YMM_HIGH, at + OFFSET_YMM, at + OFFSET_YMM + YMM_SIZE);
  else u8.fill(0, state.STATE_YMM_HIGH, state.STATE_YMM_HIGH + YMM_SIZE);
}

function ymmBytes(view: DataView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + state.STATE_YMM_HIGH, YMM_SIZE);
}

/** Writes all that XCR0 enables, in the standard form. */
export function saveXsaveImage(view: DataView, target: Uint8Array, cpu: CpuLevel): void {
  target.fill(0, FX_IMAGE_SIZE, XSAVE_SIZES[cpu]);
  saveFxImage(view, target);
  new DataView(target.buffer, target.byteOffset).setUint32(OFFSET_XSTATE, featuresOf(cpu), true);
  if (cpu === 'v3') target.set(ymmBytes(view), OFFSET_YMM);
}

/** Loads what the image has; the rest becomes what a new process has. */
export function loadXsaveImage(view: DataView, source: Uint8Array, cpu: CpuLevel): void {
  const present = new DataView(source.buffer, source.byteOffset).getUint32(OFFSET_XSTATE, true) & featuresOf(cpu);
  loadFxImage(view, present === 0 ? initialImage() : source);
  if ((present & COMPONENT_X87) === 0) {
    initialise(view);
    new Uint8Array(view.buffer, view.byteOffset + state.STATE_X87, 128).fill(0);
  }
  if ((present & COMPONENT_SSE) === 0) xmmBytes(view).fill(0);
  if (cpu !== 'v3') return;
  if ((present & COMPONENT_AVX) === 0) ymmBytes(view).fill(0);
  else ymmBytes(view).set(source.subarray(OFFSET_YMM, OFFSET_YMM + YMM_SIZE));
}

function initialImage(): Uint8Array {
  const image = new Uint8Array(FX_IMAGE_SIZE);
  new DataView(image.buffer).setUint32(OFFSET_MXCSR, MXCSR_INIT, true);
  return image;
}

export const fxsaveHelpers: HelperTable = { fxsave, fxrstor, xsave, xrstor };
