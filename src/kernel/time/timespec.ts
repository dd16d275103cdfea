/** `struct timespec` and `struct timeval` in guest memory. */
import { EFAULT, EINVAL } from '../../abi/errno.ts';
import type { UserMemory } from '../types.ts';

/** Nanoseconds, -EFAULT or -EINVAL. Exact up to 2^53 ns (104 days); beyond, the nearest double. */
export function readTimespec(memory: UserMemory, address: number): number {
  const seconds = memory.readI64(address);
  const nanoseconds = memory.readI64(address + 8);
  if (seconds === undefined || nanoseconds === undefined) return -EFAULT;
  if (seconds < 0 || nanoseconds < 0 || nanoseconds >= 1e9) return -EINVAL;
  return seconds * 1e9 + nanoseconds;
}

export function writeTimespec(memory: UserMemory, address: number, ns: number): number {
  const seconds = Math.floor(ns / 1e9);
  return memory.writeI64(address, seconds) < 0 || memory.writeI64(address + 8, Math.floor(ns - seconds * 1e9)) < 0 ? -EFAULT : 0;
}

/** Nanoseconds, -EFAULT or -EINVAL. */
export function readTimeval(memory: UserMemory, address: number): number {
  const seconds = memory.readI64(address);
  const microseconds = memory.readI64(address + 8);
  if (seconds === undefined || microseconds === undefined) return -EFAULT;
  if (seconds < 0 || microseconds < 0 || microseconds >= 1e6) return -EINVAL;
  return seconds * 1e9 + microseconds * 1000;
}

export function writeTimeval(memory: UserMemory, address: number, ns: number): number {
  const seconds = Math.floor(ns / 1e9);
  return memory.writeI64(address, seconds) < 0 || memory.writeI64(address + 8, Math.floor((ns - seconds * 1e9) / 1000)) < 0 ? -EFAULT : 0;
}
