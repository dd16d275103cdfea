/**
 * The stack of a process. Its mapping is as large as RLIMIT_STACK from the start, but only its top is accessible and
 * grows when it is needed (Linux mm/mmap.c: expand_stack), so that fork, exec and exit do not handle megabytes that nobody used.
 */
import { RSP } from '../../machine/index.ts';
import type { Mm } from './mm.ts';
import { pageFlags } from './vma.ts';

/** Accessible at first, as on Linux, and step of growth. */
const STEP = 0x2_0000;
/** A program that does not check its accesses may have used more than is accessible: so many unused bytes end the search. */
const QUIET_BYTES = 0x1_0000;

/** Makes the pages down to `address` accessible. False: it is not in the stack. What is there stays. */
export function growStack(mm: Mm, address: number): boolean {
  if (address < mm.stackStart || address >= mm.stackBottom) return false;
  const vma = mm.vmas.find(mm.stackBottom - 1);
  if (vma === undefined || vma.name !== '[stack]' || address < vma.start) return false;
  const bottom = Math.max(vma.start, Math.floor(address / STEP) * STEP - STEP);
  if (mm.meter.takeNow(mm.stackBottom - bottom) !== 0) return false;
  if (!mm.space.protect(bottom, mm.stackBottom, pageFlags(vma.prot))) return false;
  mm.stackBottom = bottom;
  return true;
}

/** Before fork: what is above the stack pointer must be copied. */
export function settleStackPointer(mm: Mm): void {
  const rsp = mm.space.registers[2 * RSP]! >>> 0;
  if (rsp < mm.stackBottom) growStack(mm, rsp);
}

/** Before the memory goes to its next user: pages below the accessible ones may have been written. */
export function settleStack(mm: Mm): void {
  const { space } = mm;
  const { i32 } = space;
  let lowest = mm.stackBottom;
  let quiet = 0;
  for (let page = mm.stackBottom - 4096; page >= mm.stackStart && quiet < QUIET_BYTES; page -= 4096) {
    const at = space.offset(page) >>> 2;
    let used = false;
    for (let i = 0; i < 1024 && !used; i++) used = i32[at + i] !== 0;
    if (used) lowest = page;
    quiet = used ? 0 : quiet + 4096;
  }
  if (lowest < mm.stackBottom) growStack(mm, lowest);
}
