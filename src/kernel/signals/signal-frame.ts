/** The frame of a signal handler on the guest's stack (arch/x86/kernel/signal_64.c: x64_setup_rt_frame). */
import {
  FP_XSTATE_MAGIC1, FP_XSTATE_MAGIC2, SA_ONSTACK, SA_RESTORER, SIGCONTEXT_CR2, SIGCONTEXT_EFLAGS, SIGCONTEXT_ERR, SIGCONTEXT_FPSTATE, SIGCONTEXT_OLDMASK,
  SIGCONTEXT_RIP, SIGCONTEXT_SEGMENTS, SIGCONTEXT_TRAPNO, SIGFRAME_SIGINFO, SIGFRAME_SIZE, SIGFRAME_UCONTEXT, SS_AUTODISARM, SS_DISABLE, SS_ONSTACK,
  UC_FP_XSTATE, UC_SIGCONTEXT_SS, UC_STRICT_RESTORE_SS, UCONTEXT_MCONTEXT, UCONTEXT_SIGMASK, UCONTEXT_STACK,
} from '../../abi/signal.ts';
import { R10, R11, R12, R13, R14, R15, R8, R9, RAX, RBP, RBX, RCX, RDI, RDX, RSI, RSP, type AddressSpace } from '../../machine/index.ts';
import type { SpaceMemory } from '../mm/user-memory.ts';
import type { SignalInfo, SignalMask } from '../types.ts';
import type { SignalAction } from './signal-actions.ts';
import { encodeSignalInfo } from './siginfo.ts';

/** sigaltstack(2). */
export interface AlternateStack {
  readonly address: number;
  readonly size: number;
  readonly flags: number;
}

export const NO_ALTERNATE_STACK: AlternateStack = { address: 0, size: 0, flags: SS_DISABLE };

/** Order of the general registers in `struct sigcontext_64`. */
const CONTEXT_REGISTERS = [R8, R9, R10, R11, R12, R13, R14, R15, RDI, RSI, RBP, RBX, RDX, RAX, RCX, RSP];
/** Behind the XSAVE image: the closing magic. */
const MAGIC2_SIZE = 4;
const FX_IMAGE_SIZE = 512;
const XSAVE_HEADER_END = 576;
/** x87 and SSE: what an FXSAVE image has. */
const LEGACY_FEATURES = 3;
// `struct _fpx_sw_bytes` in the FXSAVE image.
const SW_MAGIC1 = 464;
const SW_EXTENDED_SIZE = 468;
const SW_XFEATURES = 472;
const SW_XSTATE_SIZE = 480;
const EFLAGS_DF = 0x400;
const EFLAGS_RF = 0x1_0000;
const EFLAGS_TF = 0x100;
/** What rt_sigreturn takes from the frame (FIX_EFLAGS). */
const EFLAGS_RESTORED = 0x5_0dd5;
const ADDRESS_LIMIT = 0x1_0000_0000;
const USER_CS = 0x33;
const USER_SS = 0x2b;
/** Largest frame: for AT_MINSIGSTKSZ. */
export function signalFrameBytes(space: AddressSpace): number {
  return SIGFRAME_SIZE + fpstateSize(space) + 128 + 64;
}

function fpstateSize(space: AddressSpace): number {
  return space.xstateSize + MAGIC2_SIZE;
}

export function onAlternateStack(stack: AlternateStack, rsp: number): boolean {
  if ((stack.flags & SS_AUTODISARM) !== 0) return false;
  return rsp > stack.address && rsp - stack.address <= stack.size;
}

export interface FrameRequest {
  readonly action: SignalAction;
  readonly info: SignalInfo;
  /** The mask to return to. */
  readonly mask: SignalMask;
  readonly alternateStack: AlternateStack;
}

/** Lays out the frame and points the registers at the handler. False: there is no stack, which is a SIGSEGV. */
export function setUpSignalFrame(space: AddressSpace, memory: SpaceMemory, request: FrameRequest): boolean {
  const { action, info, alternateStack: stack } = request;
  const rsp = Number(space.getRegister(RSP));
  const size = fpstateSize(space);
  let top = rsp - 128;
  if ((action.flags & SA_ONSTACK) !== 0 && (stack.flags & SS_DISABLE) === 0 && stack.size > 0 && !onAlternateStack(stack, rsp)) top = stack.address + stack.size;
  else if (onAlternateStack(stack, rsp) && top - SIGFRAME_SIZE - size < stack.address) return false;
  // No number has the low bits of what a guest may have put into rsp or its alternate stack's size.
  if (top > ADDRESS_LIMIT) return false;
  const fpstate = Math.floor((top - size) / 64) * 64;
  const frame = Math.floor((fpstate - SIGFRAME_SIZE) / 16) * 16 - 8;
  if ((action.flags & SA_RESTORER) === 0) return false;
  const whole = memory.writable(frame, fpstate + size - frame);
  if (whole === undefined) return false;
  whole.fill(0, 0, SIGFRAME_SIZE);
  const view = new DataView(whole.buffer, whole.byteOffset, whole.length);
  view.setBigUint64(0, BigInt(action.restorer), true);
  writeContext(space, view, request, rsp);
  view.setBigUint64(SIGFRAME_UCONTEXT + UCONTEXT_MCONTEXT + SIGCONTEXT_FPSTATE, BigInt(fpstate), true);
  whole.set(encodeSignalInfo(info), SIGFRAME_SIGINFO);
  writeFpstate(space, whole.subarray(fpstate - frame));
  space.setRegisterNumber(RDI, info.signal);
  space.setRegisterNumber(RAX, 0);
  space.setRegisterNumber(RSI, frame + SIGFRAME_SIGINFO);
  space.setRegisterNumber(RDX, frame + SIGFRAME_UCONTEXT);
  space.setRegisterNumber(RSP, frame);
  space.eflags = space.eflags & ~(EFLAGS_DF | EFLAGS_RF | EFLAGS_TF);
  space.rip = action.handler;
  return true;
}

function writeContext(space: AddressSpace, view: DataView, request: FrameRequest, rsp: number): void {
  const { alternateStack: stack, info, mask } = request;
  const uc = SIGFRAME_UCONTEXT;
  view.setBigUint64(uc, BigInt(UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS), true);
  view.setBigUint64(uc + UCONTEXT_STACK, BigInt(stack.address), true);
  view.setInt32(uc + UCONTEXT_STACK + 8, alternateStackFlags(stack, rsp), true);
  view.setBigUint64(uc + UCONTEXT_STACK + 16, BigInt(stack.size), true);
  const context = uc + UCONTEXT_MCONTEXT;
  CONTEXT_REGISTERS.forEach((register, index) => view.setBigUint64(context + 8 * index, BigInt.asUintN(64, space.getRegister(register)), true));
  view.setBigUint64(context + SIGCONTEXT_RIP, BigInt(space.rip >>> 0), true);
  view.setBigUint64(context + SIGCONTEXT_EFLAGS, BigInt(space.eflags >>> 0), true);
  view.setUint16(context + SIGCONTEXT_SEGMENTS, USER_CS, true);
  view.setUint16(context + SIGCONTEXT_SEGMENTS + 6, USER_SS, true);
  view.setBigUint64(context + SIGCONTEXT_ERR, BigInt(info.trapError ?? 0), true);
  view.setBigUint64(context + SIGCONTEXT_TRAPNO, BigInt(info.trapNumber ?? 0), true);
  view.setUint32(context + SIGCONTEXT_OLDMASK, mask.low, true);
  view.setUint32(context + SIGCONTEXT_OLDMASK + 4, mask.high, true);
  view.setBigUint64(context + SIGCONTEXT_CR2, BigInt(info.trapNumber === 14 ? (info.address ?? 0) : 0), true);
  view.setUint32(uc + UCONTEXT_SIGMASK, mask.low, true);
  view.setUint32(uc + UCONTEXT_SIGMASK + 4, mask.high, true);
}

export function alternateStackFlags(stack: AlternateStack, rsp: number): number {
  if (stack.size === 0) return SS_DISABLE;
  return (onAlternateStack(stack, rsp) ? SS_ONSTACK : 0) | (stack.flags & SS_AUTODISARM);
}

/** XSAVE image with the software bytes that tell how much of it there is (`struct _fpx_sw_bytes`). */
function writeFpstate(space: AddressSpace, target: Uint8Array): void {
  const size = space.xstateSize;
  space.saveXstate(target);
  const view = new DataView(target.buffer, target.byteOffset, size + MAGIC2_SIZE);
  view.setUint32(SW_MAGIC1, FP_XSTATE_MAGIC1, true);
  view.setUint32(SW_EXTENDED_SIZE, size + MAGIC2_SIZE, true);
  view.setBigUint64(SW_XFEATURES, BigInt(space.xstateFeatures), true);
  view.setUint32(SW_XSTATE_SIZE, size, true);
  view.setUint32(size, FP_XSTATE_MAGIC2, true);
}

/** Takes the registers of x87, SSE and AVX back (arch/x86/kernel/fpu/signal.c: check_xstate_in_sigframe). False: the image is not readable. */
function restoreFpstate(space: AddressSpace, memory: SpaceMemory, fpstate: number): boolean {
  const image = memory.readable(fpstate, FX_IMAGE_SIZE);
  if (image === undefined) return false;
  const view = new DataView(image.buffer, image.byteOffset, image.length);
  const size = view.getUint32(SW_XSTATE_SIZE, true);
  const isExtended = view.getUint32(SW_MAGIC1, true) === FP_XSTATE_MAGIC1 && size >= XSAVE_HEADER_END && size <= space.xstateSize;
  const whole = isExtended ? memory.readable(fpstate, size + MAGIC2_SIZE) : undefined;
  if (isExtended && whole === undefined) return false;
  const xstate = new Uint8Array(space.xstateSize);
  const isWhole = whole !== undefined && new DataView(whole.buffer, whole.byteOffset).getUint32(size, true) === FP_XSTATE_MAGIC2;
  if (isWhole) xstate.set(whole.subarray(0, size));
  else {
    xstate.set(image);
    xstate[FX_IMAGE_SIZE] = LEGACY_FEATURES;
  }
  space.loadXstate(xstate);
  return true;
}

export interface RestoredFrame {
  readonly mask: SignalMask;
  readonly alternateStack: AlternateStack;
}

/** rt_sigreturn(2): takes the registers back. Undefined: the frame is not readable, which is a SIGSEGV. */
export function restoreSignalFrame(space: AddressSpace, memory: SpaceMemory): RestoredFrame | undefined {
  const frame = Number(space.getRegister(RSP)) - 8;
  const whole = memory.readable(frame, SIGFRAME_SIZE);
  if (whole === undefined) return undefined;
  const view = new DataView(whole.buffer, whole.byteOffset, whole.length);
  const uc = SIGFRAME_UCONTEXT;
  const context = uc + UCONTEXT_MCONTEXT;
  const fpstate = Number(view.getBigUint64(context + SIGCONTEXT_FPSTATE, true));
  if (fpstate !== 0 && !restoreFpstate(space, memory, fpstate)) return undefined;
  CONTEXT_REGISTERS.forEach((register, index) => space.setRegister(register, view.getBigUint64(context + 8 * index, true)));
  space.rip = Number(view.getBigUint64(context + SIGCONTEXT_RIP, true) & 0xffff_ffffn);
  const flags = view.getUint32(context + SIGCONTEXT_EFLAGS, true);
  space.eflags = (space.eflags & ~EFLAGS_RESTORED) | (flags & EFLAGS_RESTORED);
  return {
    mask: { low: view.getInt32(uc + UCONTEXT_SIGMASK, true), high: view.getInt32(uc + UCONTEXT_SIGMASK + 4, true) },
    alternateStack: {
      address: Number(view.getBigUint64(uc + UCONTEXT_STACK, true)),
      flags: view.getInt32(uc + UCONTEXT_STACK + 8, true),
      size: Number(view.getBigUint64(uc + UCONTEXT_STACK + 16, true)),
    },
  };
}
