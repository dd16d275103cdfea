/** Times of system calls: `struct timespec`, `timeval`, `itimerspec` as nanoseconds. */
import { EFAULT, EINVAL } from '../../abi/errno.ts';
import type { UserMemory } from '../types.ts';

const SECOND_NS = 1_000_000_000;
/** `KTIME_SEC_MAX`: beyond it a time is forever. */
const SECONDS_MAX = 9_223_372_036;

/** Nanoseconds (Infinity for ages), -EFAULT, or -EINVAL for a time that is negative or not normalised. */
export function readTimespec(memory: UserMemory, address: number): number {
  return readTime(memory, address, 1);
}
/** The same for microseconds; `select` takes what is not normalised. */
export function readTimeval(memory: UserMemory, address: number): number {
  return readTime(memory, address, 1000);
}

function readTime(memory: UserMemory, address: number, unitNs: number): number {
  const seconds = memory.readI64(address);
  const fraction = memory.readI64(address + 8);
  if (seconds === undefined || fraction === undefined) return -EFAULT;
  const normalised = fraction < SECOND_NS / unitNs || unitNs !== 1;
  if (seconds < 0 || fraction < 0 || !normalised) return -EINVAL;
  return seconds >= SECONDS_MAX ? Infinity : seconds * SECOND_NS + fraction * unitNs;
}

export function writeTimespec(memory: UserMemory, address: number, ns: number): number {
  const whole = Math.max(0, Math.round(ns));
  return memory.writeI64(address, Math.floor(whole / SECOND_NS)) || memory.writeI64(address + 8, whole % SECOND_NS);
}

export function writeTimeval(memory: UserMemory, address: number, ns: number): number {
  const whole = Math.max(0, Math.round(ns));
  return memory.writeI64(address, Math.floor(whole / SECOND_NS)) || memory.writeI64(address + 8, Math.floor((whole % SECOND_NS) / 1000));
}
