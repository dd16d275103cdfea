/**
 * Repeated string instructions: SDM Vol. 2, REP/REPE/REPNE. The immediate is the element size. They can be
 * restarted: after a fault RCX, RSI and RDI show the elements done. The flags change when the whole
 * instruction is done only (SDM Vol. 2, REP: a fault restores EFLAGS).
 */
import { PAGE_SIZE } from '../layout.ts';
import { RAX, RCX, RDI, RSI } from '../machine-types.ts';
import { EFLAGS_DF, storeFlags, subtractionFlags } from '../semantics/flags.ts';
import { STATE_EFLAGS_OTHER, STATE_GPR } from '../state.ts';
import { AGAIN, DONE, StringRun } from './string-run.ts';
import type { Helper, HelperContext, HelperTable } from './types.ts';

const ACCUMULATOR = STATE_GPR + 8 * RAX;

/**
 * Bytes of a run that is forward, not empty and at most a page long, else 0. Most are like that (a structure
 * that is copied, an array that is cleared), and are worth a way without a `StringRun`.
 */
function shortRun(view: DataView, size: number): number {
  const bytes = view.getUint32(STATE_GPR + 8 * RCX, true) * size;
  const forward = (view.getUint32(STATE_EFLAGS_OTHER, true) & EFLAGS_DF) === 0;
  return forward && bytes <= PAGE_SIZE && view.getUint32(STATE_GPR + 8 * RCX + 4, true) === 0 ? bytes : 0;
}

/** The address in a register, if `bytes` from there on lie in one page below 4 GiB, else -1. */
function withinPage(view: DataView, register: number, bytes: number): number {
  const address = view.getUint32(STATE_GPR + 8 * register, true);
  return (address & (PAGE_SIZE - 1)) + bytes <= PAGE_SIZE && view.getUint32(STATE_GPR + 8 * register + 4, true) === 0 ? address : -1;
}

function setRegister(view: DataView, register: number, value: number): void {
  view.setUint32(STATE_GPR + 8 * register, value, true);
}

/** False where it is not as simple as that; then nothing was changed, but a fault may have been noted, which comes again. */
function shortMove(context: HelperContext, size: number): boolean {
  const { view } = context;
  const bytes = shortRun(view, size);
  if (bytes === 0) return false;
  const from = withinPage(view, RSI, bytes);
  const to = withinPage(view, RDI, bytes);
  if (from < 0 || to < 0 || (to > from && to < from + bytes)) return false;
  if (!context.readable(from, bytes) || !context.writable(to, bytes)) return false;
  const start = context.offset(from);
  context.u8.copyWithin(context.offset(to), start, start + bytes);
  setRegister(view, RSI, from + bytes);
  setRegister(view, RDI, to + bytes);
  setRegister(view, RCX, 0);
  return true;
}

/** The same for elements whose bytes are all equal. */
function shortFill(context: HelperContext, size: number): boolean {
  const { view, u8 } = context;
  const bytes = shortRun(view, size);
  const to = withinPage(view, RDI, bytes);
  if (bytes === 0 || to < 0) return false;
  const byte = u8[ACCUMULATOR] ?? 0;
  for (let index = 1; index < size; index++) if (u8[ACCUMULATOR + index] !== byte) return false;
  if (!context.writable(to, bytes)) return false;
  const start = context.offset(to);
  u8.fill(byte, start, start + bytes);
  setRegister(view, RDI, to + bytes);
  setRegister(view, RCX, 0);
  return true;
}

const movs: Helper = (context, _destination, _source, size) => {
  if (shortMove(context, size)) return DONE;
  const run = new StringRun(context, size, [RSI, RDI]);
  while (run.done < run.count) {
    const from = run.address(RSI);
    const to = run.address(RDI);
    if (!context.readable(from, size) || !context.writable(to, size)) return run.faulted();
    const elements = run.inPage(from, to);
    copyElements(context.u8, run.lowest(to, elements), run.lowest(from, elements), elements, size, run.forward);
    run.done += elements;
  }
  return run.finish();
};

/** As the processor does it, one element after the other: an overlap in the wrong direction repeats what is between. */
function copyElements(u8: Uint8Array, to: number, from: number, elements: number, size: number, forward: boolean): void {
  const bytes = elements * size;
  const distance = to - from;
  if (forward ? distance <= 0 || distance >= bytes : distance >= 0 || -distance >= bytes) {
    u8.copyWithin(to, from, from + bytes);
  } else if (forward && distance % size === 0) {
    repeatPattern(u8, from, distance, distance + bytes);
  } else {
    for (let index = 0; index < elements; index++) {
      const at = (forward ? index : elements - 1 - index) * size;
      u8.copyWithin(to + at, from + at, from + at + size);
    }
  }
}

/** Fills [start, start + length) with repetitions of its first `period` bytes. */
function repeatPattern(u8: Uint8Array, start: number, period: number, length: number): void {
  if (period === 1) {
    u8.fill(u8[start]!, start, start + length);
    return;
  }
  for (let filled = period; filled < length; filled *= 2) {
    u8.copyWithin(start + filled, start, start + Math.min(filled, length - filled));
  }
}

const stos: Helper = (context, _destination, _source, size) => {
  if (shortFill(context, size)) return DONE;
  const run = new StringRun(context, size, [RDI]);
  while (run.done < run.count) {
    const to = run.address(RDI);
    if (!context.writable(to, size)) return run.faulted();
    const elements = run.inPage(to);
    const { u8 } = context;
    const start = run.lowest(to, elements);
    u8.copyWithin(start, ACCUMULATOR, ACCUMULATOR + size);
    // Nearly always the bytes of an element are all equal, mostly zero.
    const uniform = u8.subarray(start, start + size).every((byte) => byte === u8[start]);
    repeatPattern(u8, start, uniform ? 1 : size, elements * size);
    run.done += elements;
  }
  return run.finish();
};

/** Only the last element stays in the accumulator, but all must be readable. */
const lods: Helper = (context, _destination, _source, size) => {
  const run = new StringRun(context, size, [RSI]);
  while (run.done < run.count) {
    const from = run.address(RSI);
    if (!context.readable(from, size)) return run.faulted();
    const elements = run.inPage(from);
    const last = context.offset(from) + (run.forward ? elements - 1 : 1 - elements) * size;
    context.u8.copyWithin(ACCUMULATOR, last, last + size);
    if (size === 4) context.view.setUint32(ACCUMULATOR + 4, 0, true);
    run.done += elements;
  }
  return run.finish();
};

/**
 * How many of `elements` pairs from `a` and `b` on are equal (or unequal). Steps are the signed size, or 0
 * where one element is compared with all others.
 */
function matching(
  view: DataView, a: number, aStep: number, b: number, bStep: number, elements: number, size: number, equal: boolean,
): number {
  let index = 0;
  let left = a;
  let right = b;
  while (index < elements && sameElement(view, left, right, size) === equal) {
    index++;
    left += aStep;
    right += bStep;
  }
  return index;
}

function sameElement(view: DataView, a: number, b: number, size: number): boolean {
  if (size === 1) return view.getUint8(a) === view.getUint8(b);
  if (size === 2) return view.getUint16(a, true) === view.getUint16(b, true);
  if (view.getInt32(a, true) !== view.getInt32(b, true)) return false;
  return size === 4 || view.getInt32(a + 4, true) === view.getInt32(b + 4, true);
}

/** Flags of the element at `a` minus that at `b`, both offsets in the views. */
function compareElements(view: DataView, a: number, b: number, size: number): void {
  if (size === 1) storeFlags(view, subtractionFlags(1, view.getUint8(a), 0, view.getUint8(b), 0));
  else if (size === 2) storeFlags(view, subtractionFlags(2, view.getUint16(a, true), 0, view.getUint16(b, true), 0));
  else if (size === 4) storeFlags(view, subtractionFlags(4, view.getInt32(a, true), 0, view.getInt32(b, true), 0));
  else {
    storeFlags(view, subtractionFlags(
      8, view.getInt32(a, true), view.getInt32(a + 4, true), view.getInt32(b, true), view.getInt32(b + 4, true),
    ));
  }
}

/**
 * Compares while the elements are equal (REPE) or not (REPNE). `left` is the register that points to the
 * minuend, or undefined for the accumulator.
 */
function compareRun(run: StringRun, left: typeof RSI | undefined, whileEqual: boolean): number {
  const { context, size } = run;
  const step = run.forward ? size : -size;
  let lastLeft = ACCUMULATOR;
  let lastRight = 0;
  let stopped = false;
  while (run.done < run.count && !stopped) {
    const to = run.address(RDI);
    const from = left === undefined ? to : run.address(left);
    if (left !== undefined && !context.readable(from, size)) return run.faulted();
    if (!context.readable(to, size)) return run.faulted();
    const elements = run.inPage(to, from);
    const minuend = left === undefined ? ACCUMULATOR : context.offset(from);
    const minuendStep = left === undefined ? 0 : step;
    const subtrahend = context.offset(to);
    const matched = left === undefined && size === 1 && run.forward && !whileEqual
      ? bytesBefore(context.u8, subtrahend, elements)
      : matching(context.view, minuend, minuendStep, subtrahend, step, elements, size, whileEqual);
    stopped = matched < elements;
    const compared = stopped ? matched + 1 : elements;
    lastLeft = minuend + (compared - 1) * minuendStep;
    lastRight = subtrahend + (compared - 1) * step;
    run.done += compared;
  }
  const done = run.done;
  const ending = run.finish();
  if (ending === AGAIN && !stopped) return AGAIN;
  if (done > 0) compareElements(context.view, lastLeft, lastRight, size);
  return DONE;
}

/** `repne scasb`, the old strlen and memchr: the typed array's own search is several times a loop's speed. */
function bytesBefore(u8: Uint8Array, start: number, elements: number): number {
  const found = u8.subarray(start, start + elements).indexOf(u8[ACCUMULATOR]!);
  return found < 0 ? elements : found;
}

function scas(whileEqual: boolean): Helper {
  return (context, _destination, _source, size) => compareRun(new StringRun(context, size, [RDI]), undefined, whileEqual);
}

function cmps(whileEqual: boolean): Helper {
  return (context, _destination, _source, size) => compareRun(new StringRun(context, size, [RSI, RDI]), RSI, whileEqual);
}

export const stringHelpers: HelperTable = {
  'rep-movs': movs,
  'rep-stos': stos,
  'rep-lods': lods,
  'repe-scas': scas(true),
  'repne-scas': scas(false),
  'repe-cmps': cmps(true),
  'repne-cmps': cmps(false),
};
