/** Signals and ends of tasks as strace(1) shows them (strace's printsiginfo.c and print_signalled()). */
import * as abi from '../../abi/signal.ts';
import type { SignalInfo } from '../types.ts';
import { formatPointer, signalName } from './format.ts';

const FROM_ANYONE: ReadonlyMap<number, string> = new Map([
  [abi.SI_USER, 'SI_USER'], [abi.SI_KERNEL, 'SI_KERNEL'], [abi.SI_QUEUE, 'SI_QUEUE'], [abi.SI_TIMER, 'SI_TIMER'], [abi.SI_MESGQ, 'SI_MESGQ'],
  [abi.SI_ASYNCIO, 'SI_ASYNCIO'], [abi.SI_SIGIO, 'SI_SIGIO'], [abi.SI_TKILL, 'SI_TKILL'],
]);
/** From 1 on. */
const FAULT_CODES: ReadonlyMap<number, readonly string[]> = new Map([
  [abi.SIGILL, ['ILL_ILLOPC', 'ILL_ILLOPN', 'ILL_ILLADR', 'ILL_ILLTRP', 'ILL_PRVOPC', 'ILL_PRVREG', 'ILL_COPROC', 'ILL_BADSTK']],
  [abi.SIGFPE, ['FPE_INTDIV', 'FPE_INTOVF', 'FPE_FLTDIV', 'FPE_FLTOVF', 'FPE_FLTUND', 'FPE_FLTRES', 'FPE_FLTINV', 'FPE_FLTSUB']],
  [abi.SIGSEGV, ['SEGV_MAPERR', 'SEGV_ACCERR']],
  [abi.SIGBUS, ['BUS_ADRALN', 'BUS_ADRERR', 'BUS_OBJERR']],
  [abi.SIGTRAP, ['TRAP_BRKPT', 'TRAP_TRACE']],
]);
const CHILD_CODES = ['CLD_EXITED', 'CLD_KILLED', 'CLD_DUMPED', 'CLD_TRAPPED', 'CLD_STOPPED', 'CLD_CONTINUED'];
const POLL_CODES = ['POLL_IN', 'POLL_OUT', 'POLL_MSG', 'POLL_ERR', 'POLL_PRI', 'POLL_HUP'];

function codeName({ signal, code, band }: SignalInfo): string {
  const names = signal === abi.SIGCHLD ? CHILD_CODES : band === undefined ? FAULT_CODES.get(signal) : POLL_CODES;
  return FROM_ANYONE.get(code) ?? names?.[code - 1] ?? `${code < 0 ? '-' : ''}0x${Math.abs(code).toString(16)}`;
}

function members(info: SignalInfo): string[] {
  const { signal, code, pid = 0, uid = 0 } = info;
  const sender = [`si_pid=${pid}`, `si_uid=${uid}`];
  const word = BigInt.asUintN(64, info.value ?? 0n);
  const value = [`si_int=${BigInt.asIntN(32, word)}`, `si_ptr=${word === 0n ? 'NULL' : `0x${word.toString(16)}`}`];
  if (code === abi.SI_KERNEL) return [];
  if (code === abi.SI_TIMER) return [`si_timerid=${info.timerId ?? 0}`, `si_overrun=${info.overrun ?? 0}`, ...value];
  if (info.band !== undefined) return [`si_fd=${info.fd ?? 0}`, `si_band=0x${info.band.toString(16)}`];
  if (signal === abi.SIGCHLD && code > 0) {
    const status = info.status ?? 0;
    return [...sender, `si_status=${code === abi.CLD_EXITED ? status : signalName(status)}`, `si_utime=${info.utime ?? 0}`, `si_stime=${info.stime ?? 0}`];
  }
  if (FAULT_CODES.has(signal) && code > 0) return [`si_addr=${formatPointer(info.address ?? 0)}`];
  return code === abi.SI_QUEUE || info.value !== undefined ? [...sender, ...value] : sender;
}

/** `--- SIGCHLD {si_signo=SIGCHLD, ...} ---`. */
export function formatSignal(info: SignalInfo): string {
  const name = signalName(info.signal);
  return `--- ${name} {${[`si_signo=${name}`, `si_code=${codeName(info)}`, ...members(info)].join(', ')}} ---`;
}

/** `+++ exited with 0 +++`; `status` as wait(2) shows it. */
export function formatEnd(status: number): string {
  const signal = status & 0x7f;
  return signal === 0 ? `+++ exited with ${(status >> 8) & 0xff} +++` : `+++ killed by ${signalName(signal)} +++`;
}
