/** Two results of one case: what differs, apart from what is undefined. */

import type { DecodedInstruction } from '../../src/machine/isa/instruction.ts';
import * as layout from './case-layout.ts';
import { CF, COMPARED_FLAGS, OF } from './flag-bits.ts';
import {
  APPROXIMATE_SINGLES,
  CARRY_BY_COUNT,
  OVERFLOW_BY_COUNT,
  RESULT_BY_COUNT,
  STORES_POINTERS,
  TRANSCENDENTAL,
  UNDEFINED_FLAGS,
} from './undefined.ts';

const PAGE_FAULT = 14;
const STACK_FAULT = 12;
const PRESENT = 1;
/** Present, write, fetch. */
const COMPARED_ERRORS = 0x13;
/** Bit 17 of MXCSR: AMD's processors have MM there (APM Vol. 1, "MXCSR Register"); here it is reserved, as the SDM says, and who loads it faults. */
const MISALIGNED_MASK = 1 << 17;
const NAMES = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'];

/** A shift's count as the processor masks it, or -1. */
function shiftCount(instruction: DecodedInstruction, input: DataView): number {
  if (!OVERFLOW_BY_COUNT.has(instruction.row.semantics)) return -1;
  const last = instruction.operands.at(-1)!;
  const count = last.kind === 'immediate' ? last.low : input.getUint8(layout.CASE_REGISTERS + 8);
  return count & (instruction.size === 8 ? 63 : 31);
}

function undefinedFlags(instruction: DecodedInstruction, count: number): number {
  const key = instruction.row.semantics;
  // A count of zero changes no flag.
  if (count === 0) return 0;
  let mask = UNDEFINED_FLAGS.get(key) ?? 0;
  if (count > 1) mask |= OF;
  if (CARRY_BY_COUNT.has(key) && count >= instruction.size * 8) mask |= CF;
  if (RESULT_BY_COUNT.has(key) && count > instruction.size * 8) mask |= COMPARED_FLAGS;
  return mask & ~0x400;
}

function hex(value: number | bigint): string {
  return value.toString(16);
}

/** The smallest normal single, and a little more: an approximation of it may be tiny, and tiny results are flushed (SDM Vol. 2B, RCPPS). */
const NEARLY_TINY = 2 ** -126 * (1 + 2 ** -11);

/** Within 1.5 * 2^-12 of one another, as bits of single precision. */
function areCloseSingles(a: DataView, b: DataView, at: number): boolean {
  const ours = a.getFloat32(at, true);
  const host = b.getFloat32(at, true);
  if (Math.abs(ours) <= NEARLY_TINY && Math.abs(host) <= NEARLY_TINY) return a.getInt32(at, true) >>> 31 === b.getInt32(at, true) >>> 31;
  return Object.is(ours, host) || (Number.isNaN(ours) && Number.isNaN(host)) || Math.abs(ours - host) <= Math.abs(host) * 2 * 1.5 * 2 ** -12;
}

/** Sign, exponent and fraction as one number, so that neighbours differ by one also where the exponent changes. */
function extendedOrder(view: DataView, at: number): bigint {
  return (BigInt(view.getUint16(at + 8, true)) << 63n) + (view.getBigUint64(at, true) & 0x7fff_ffff_ffff_ffffn);
}

/** Extended numbers that are a few units in the last place apart. */
function areCloseExtended(a: DataView, b: DataView, at: number): boolean {
  const difference = extendedOrder(a, at) - extendedOrder(b, at);
  return difference <= 4n && difference >= -4n;
}

/** Bits of a result that `compareResults` may ask for, where the host raised no page fault; by word. */
function comparedBits(exactFloats: boolean): Int32Array {
  const bits = new Int32Array(layout.RESULT_SIZE / 4).fill(-1);
  const set = (offset: number, ...values: readonly number[]): void => bits.set(values, offset / 4);
  set(layout.RESULT_ERROR, 0);
  set(layout.RESULT_FAULT_ADDRESS, 0, 0);
  set(layout.RESULT_RIP, -1, 0);
  set(layout.RESULT_FLAGS, COMPARED_FLAGS, 0);
  set(layout.RESULT_FX + layout.FX_TAG, 0xff, 0, 0, 0, 0, exactFloats ? 0xffff : 0xffc0, 0);
  for (let index = 0; index < 8; index++) set(layout.RESULT_FX + layout.FX_ST + index * 16 + 8, 0xffff, 0);
  return bits;
}

const EXACT_BITS = comparedBits(true);
const PLAIN_BITS = comparedBits(false);

/** False: the results at these words are equal in all that `compareResults` compares. True: it has to tell. */
export function mayDiffer(ours: Int32Array, host: Int32Array, at: number, exactFloats: boolean): boolean {
  if (host[at + layout.RESULT_VECTOR / 4] === PAGE_FAULT) return true;
  const bits = exactFloats ? EXACT_BITS : PLAIN_BITS;
  for (let word = 0; word < bits.length; word++) if (((ours[at + word]! ^ host[at + word]!) & bits[word]!) !== 0) return true;
  return false;
}

export interface Comparison {
  readonly strict?: boolean;
  /** MXCSR's exception flags, too. */
  readonly exactFloats?: boolean;
}

/**
 * One line for each thing that differs; empty when the results agree. Unless `strict`, these are not compared: #SS against #GP; #GP against #PF above 4 GiB; the error code of a read that a write of the same operand
 * follows; flags after a repeated comparison that faults (the processor shows those of the last element).
 */
export function compareResults(instruction: DecodedInstruction | undefined, input: DataView, ours: DataView, host: DataView, options: Comparison = {}): string[] {
  if ((host.getUint32(layout.RESULT_FX + layout.FX_MXCSR, true) & MISALIGNED_MASK) !== 0) return [];
  const { strict = false, exactFloats = false } = options;
  const lines: string[] = [];
  const say = (name: string, a: number | bigint, b: number | bigint): void => {
    if (a !== b) lines.push(`${name}: ${hex(a)}, host ${hex(b)}`);
  };
  const u32 = (name: string, at: number, mask: number): void => say(name, (ours.getUint32(at, true) & mask) >>> 0, (host.getUint32(at, true) & mask) >>> 0);
  const u64 = (name: string, at: number): void => say(name, ours.getBigUint64(at, true), host.getBigUint64(at, true));
  const key = instruction?.row.semantics ?? '';
  const count = instruction === undefined ? -1 : shiftCount(instruction, input);
  const faulted = host.getUint32(layout.RESULT_RIP, true) === layout.CODE + input.getUint32(layout.CASE_SLOT, true) * layout.SLOT;

  const hostVector = host.getUint32(layout.RESULT_VECTOR, true);
  const above4GiB = hostVector === PAGE_FAULT && host.getUint32(layout.RESULT_FAULT_ADDRESS + 4, true) !== 0;
  if (strict || (hostVector !== STACK_FAULT && !above4GiB)) u32('vector', layout.RESULT_VECTOR, 0xffff_ffff);
  u32('rip', layout.RESULT_RIP, 0xffff_ffff);
  if (hostVector === PAGE_FAULT && (strict || !above4GiB)) {
    if (strict) u32('error', layout.RESULT_ERROR, COMPARED_ERRORS);
    if (strict || (host.getUint32(layout.RESULT_ERROR, true) & PRESENT) === 0) u64('fault address', layout.RESULT_FAULT_ADDRESS);
  }
  const repeated = !strict && instruction !== undefined && instruction.repeat !== 'none';
  const ignored = faulted && repeated ? COMPARED_FLAGS : faulted || instruction === undefined ? 0 : undefinedFlags(instruction, count);
  u32('flags', layout.RESULT_FLAGS, COMPARED_FLAGS & ~ignored);
  if (!(RESULT_BY_COUNT.has(key) && instruction !== undefined && count > instruction.size * 8)) {
    for (let register = 0; register < 16; register++) u64(NAMES[register]!, layout.RESULT_REGISTERS + register * 8);
    // fnstenv and fnsave store the instruction and data pointers, which processors keep differently.
    if (!STORES_POINTERS.has(key)) {
      compareMemory(ours, host, lines);
      u64('memory outside the window', layout.RESULT_HASH);
    }
  }
  // Here a gather that faults has done nothing, there it has done the lanes before the one that faults.
  if (faulted && key.includes('gather') && !strict) return lines;
  // Two halves with several steps each: here the exceptions of a half come step by step.
  const isLongDotProduct = key === 'vdpps' && instruction?.operands[0]?.kind === 'register' && instruction.operands[0].size === 32;
  if (isLongDotProduct && exactFloats && (input.getUint32(layout.CASE_FX + layout.FX_MXCSR, true) & 0x1f80) !== 0x1f80) return lines.filter((line) => !line.startsWith('vector'));
  compareFx(key, ours, host, lines, exactFloats);
  return lines;
}

function compareMemory(ours: DataView, host: DataView, lines: string[]): void {
  for (let at = 0; at < layout.WINDOW_SIZE; at += 8) {
    const a = ours.getBigUint64(layout.RESULT_WINDOW + at, true);
    const b = host.getBigUint64(layout.RESULT_WINDOW + at, true);
    if (a !== b) lines.push(`memory ${hex(layout.WINDOW + at)}: ${hex(a)}, host ${hex(b)}`);
  }
}

function compareFx(key: string, ours: DataView, host: DataView, lines: string[], exactFloats: boolean): void {
  const fx = layout.RESULT_FX;
  const u16 = (name: string, at: number, mask = 0xffff): void => {
    const a = ours.getUint16(fx + at, true) & mask;
    const b = host.getUint16(fx + at, true) & mask;
    if (a !== b) lines.push(`${name}: ${hex(a)}, host ${hex(b)}`);
  };
  u16('fcw', layout.FX_CONTROL);
  // The direction of rounding (C1) of the transcendentals is not compared.
  u16('fsw', layout.FX_STATUS, TRANSCENDENTAL.has(key) ? 0xfddf : 0xffff);
  u16('ftw', layout.FX_TAG, 0xff);
  u16('mxcsr', layout.FX_MXCSR, exactFloats ? 0xffff : 0xffc0);
  for (let index = 0; index < 8; index++) {
    const at = fx + layout.FX_ST + index * 16;
    const same = ours.getBigUint64(at, true) === host.getBigUint64(at, true) && ours.getUint16(at + 8, true) === host.getUint16(at + 8, true);
    if (same || (TRANSCENDENTAL.has(key) && areCloseExtended(ours, host, at))) continue;
    const text = (view: DataView): string => `${hex(view.getUint16(at + 8, true))}:${hex(view.getBigUint64(at, true))}`;
    lines.push(`st(${index}): ${text(ours)}, host ${text(host)}`);
  }
  for (let lane = 0; lane < 32; lane++) {
    const high = layout.RESULT_YMM + lane * 8;
    const [a, b] = [ours.getBigUint64(high, true), host.getBigUint64(high, true)];
    const isClose = APPROXIMATE_SINGLES.has(key) && areCloseSingles(ours, host, high) && areCloseSingles(ours, host, high + 4);
    if (a !== b && !isClose) lines.push(`ymm${lane >> 1}.${(lane & 1) === 0 ? 'third' : 'fourth'}: ${hex(a)}, host ${hex(b)}`);
  }
  for (let lane = 0; lane < 32; lane++) {
    const at = fx + layout.FX_XMM + lane * 8;
    if (ours.getBigUint64(at, true) === host.getBigUint64(at, true)) continue;
    if (APPROXIMATE_SINGLES.has(key) && areCloseSingles(ours, host, at) && areCloseSingles(ours, host, at + 4)) continue;
    lines.push(`xmm${lane >> 1}${(lane & 1) === 0 ? '.low' : '.high'}: ${hex(ours.getBigUint64(at, true))}, host ${hex(host.getBigUint64(at, true))}`);
  }
}
