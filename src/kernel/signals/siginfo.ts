/** `siginfo_t` in guest memory (asm-generic/siginfo.h; copy_siginfo_to_user in kernel/signal.c). */
import { SI_QUEUE, SI_SIGIO, SI_TIMER, SIGBUS, SIGCHLD, SIGFPE, SIGILL, SIGINFO_SIZE, SIGSEGV, SIGSYS, SIGTRAP } from '../../abi/signal.ts';
import type { SignalInfo } from '../types.ts';

const FAULTS = new Set([SIGILL, SIGFPE, SIGSEGV, SIGBUS, SIGTRAP, SIGSYS]);

/** The 128 bytes. */
export function encodeSignalInfo(info: SignalInfo): Uint8Array {
  if (info.raw !== undefined) return info.raw;
  const bytes = new Uint8Array(SIGINFO_SIZE);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, info.signal, true);
  view.setInt32(4, info.errno ?? 0, true);
  view.setInt32(8, info.code, true);
  if (info.code === SI_TIMER) {
    view.setInt32(16, info.timerId ?? 0, true);
    view.setInt32(20, info.overrun ?? 0, true);
    view.setBigUint64(24, BigInt.asUintN(64, info.value ?? 0n), true);
  } else if (info.code === SI_SIGIO || info.band !== undefined) {
    view.setBigInt64(16, BigInt(info.band ?? 0), true);
    view.setInt32(24, info.fd ?? 0, true);
  } else if (FAULTS.has(info.signal) && info.code > 0 && info.code < 0x80) {
    view.setBigUint64(16, BigInt(info.address ?? 0), true);
  } else {
    view.setInt32(16, info.pid ?? 0, true);
    view.setUint32(20, info.uid ?? 0, true);
    if (info.signal === SIGCHLD && info.code > 0) {
      view.setInt32(24, info.status ?? 0, true);
      view.setBigInt64(32, BigInt(info.utime ?? 0), true);
      view.setBigInt64(40, BigInt(info.stime ?? 0), true);
    } else if (info.code === SI_QUEUE || info.value !== undefined) {
      view.setBigUint64(24, BigInt.asUintN(64, info.value ?? 0n), true);
    }
  }
  return bytes;
}

/** rt_sigqueueinfo(2): keeps the sender's bytes, with the number that was asked for. */
export function decodeSignalInfo(bytes: Uint8Array, signal: number): SignalInfo {
  const raw = bytes.slice(0, SIGINFO_SIZE);
  const view = new DataView(raw.buffer);
  view.setInt32(0, signal, true);
  return {
    signal,
    errno: view.getInt32(4, true),
    code: view.getInt32(8, true),
    pid: view.getInt32(16, true),
    uid: view.getUint32(20, true),
    value: view.getBigUint64(24, true),
    raw,
  };
}
