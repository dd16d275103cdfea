/** mremap(2) and madvise(2) over an `Mm` (mm/mremap.c, mm/madvise.c). */
import { EFAULT, EINVAL, ENOMEM } from '../../abi/errno.ts';
import {
  MADV_COLD, MADV_COLLAPSE, MADV_DODUMP, MADV_DOFORK, MADV_DONTDUMP, MADV_DONTFORK, MADV_DONTNEED, MADV_DONTNEED_LOCKED, MADV_FREE, MADV_HUGEPAGE,
  MADV_KEEPONFORK, MADV_MERGEABLE, MADV_NOHUGEPAGE, MADV_NORMAL, MADV_PAGEOUT, MADV_POPULATE_READ, MADV_POPULATE_WRITE, MADV_RANDOM, MADV_REMOVE,
  MADV_SEQUENTIAL, MADV_UNMERGEABLE, MADV_WILLNEED, MADV_WIPEONFORK, MAP_ANONYMOUS, MAP_FIXED, MAP_FIXED_NOREPLACE, MAP_LOCKED, MREMAP_DONTUNMAP,
  MREMAP_FIXED, MREMAP_MAYMOVE,
} from '../../abi/mman.ts';
import { pageUp, type Mm } from './mm.ts';
import { pageFlags, type Vma } from './vma.ts';

/** Maps [address, address + length) with what `vma` shows at `from`. */
function mapLike(mm: Mm, vma: Vma, from: number, address: number, length: number, fixed: number): number {
  return mm.map({
    address,
    length,
    prot: vma.prot,
    flags: (vma.flags & ~MAP_LOCKED) | (vma.file === undefined ? MAP_ANONYMOUS : 0) | fixed,
    file: vma.file,
    offset: vma.offset + (from - vma.start),
    shared: vma.shared,
    name: vma.name,
  });
}

/** Moves `kept` bytes of a mapping to `target` and makes the new mapping `newLength` long. */
function move(mm: Mm, vma: Vma, old: number, oldLength: number, newLength: number, target: number, flags: number): number {
  const fixed = (flags & MREMAP_FIXED) !== 0 ? MAP_FIXED : 0;
  const answer = mapLike(mm, vma, old, target, newLength, fixed);
  if (answer < 0) return answer;
  const kept = Math.min(oldLength, newLength);
  // The mapping may have been cut by MAP_FIXED, so look it up again.
  const current = mm.vmas.find(old) ?? vma;
  if (current.touched && current.shared === undefined) {
    const { space } = mm;
    mm.meter.bringLike(old, answer, kept);
    const from = space.offset(old);
    const end = Math.min(from + kept, space.u8.length);
    if (end > from) space.u8.copyWithin(space.offset(answer), from, end);
    space.invalidateCode(answer, answer + kept);
  } else if (current.shared !== undefined) {
    current.shared.flush(mm, old, old + oldLength);
    const moved = mm.vmas.find(answer);
    if (moved !== undefined) moved.shared?.load(mm.space, moved, answer, Math.min(answer + kept, moved.fileEnd));
  }
  if ((flags & MREMAP_DONTUNMAP) !== 0) mm.discard(old, old + oldLength);
  else if (oldLength > 0) mm.unmap(old, oldLength);
  return answer;
}


function checkArguments(old: number, oldLength: number, newLength: number, flags: number, target: number): number {
  if ((flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP)) !== 0) return -EINVAL;
  if ((flags & MREMAP_FIXED) !== 0 && (flags & MREMAP_MAYMOVE) === 0) return -EINVAL;
  if ((flags & MREMAP_DONTUNMAP) !== 0 && ((flags & MREMAP_MAYMOVE) === 0 || oldLength !== newLength)) return -EINVAL;
  if (old % 4096 !== 0 || newLength === 0) return -EINVAL;
  if ((flags & MREMAP_FIXED) === 0) return 0;
  if (target % 4096 !== 0 || target < 0) return -EINVAL;
  // Old and new must not overlap.
  if (target < old + oldLength && old < target + newLength) return -EINVAL;
  return 0;
}

/** mremap(2): new address or -errno. */
export function remap(mm: Mm, old: number, rawOldLength: number, rawNewLength: number, flags: number, target: number): number {
  const oldLength = pageUp(rawOldLength);
  const newLength = pageUp(rawNewLength);
  const refused = checkArguments(old, oldLength, newLength, flags, target);
  if (refused !== 0) return refused;
  const vma = mm.vmas.find(old);
  if (vma === undefined) return -EFAULT;
  if (oldLength === 0 && !vma.isShared) return -EINVAL;
  if ((flags & MREMAP_DONTUNMAP) !== 0 && (vma.file !== undefined || vma.isShared)) return -EINVAL;
  if ((flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) === 0 && newLength <= oldLength && oldLength > 0) {
    if (newLength < oldLength) mm.unmap(old + newLength, oldLength - newLength);
    return old;
  }
  if (old + oldLength > vma.end) return -EFAULT;
  if ((flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) === 0 && old + oldLength === vma.end && oldLength > 0) {
    const answer = mapLike(mm, vma, vma.end, vma.end, newLength - oldLength, MAP_FIXED_NOREPLACE);
    if (answer >= 0) return old;
  }
  if ((flags & MREMAP_MAYMOVE) === 0) return -ENOMEM;
  return move(mm, vma, old, oldLength, newLength, (flags & MREMAP_FIXED) !== 0 ? target : 0, flags);
}

/** Advice that changes nothing here: no swap, no read-ahead, no huge pages. */
const HARMLESS = new Set([
  MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED, MADV_MERGEABLE, MADV_UNMERGEABLE, MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_DONTDUMP, MADV_DODUMP,
  MADV_COLD, MADV_PAGEOUT, MADV_COLLAPSE, MADV_POPULATE_READ, MADV_POPULATE_WRITE,
]);

function setForkAdvice(mm: Mm, start: number, end: number, advice: number): number {
  mm.cut(start, end);
  for (const vma of mm.vmas.inRange(start, end)) {
    if (advice === MADV_WIPEONFORK && (vma.file !== undefined || vma.isShared)) return -EINVAL;
    if (advice === MADV_DONTFORK) vma.dontFork = true;
    else if (advice === MADV_DOFORK) vma.dontFork = false;
    else vma.wipeOnFork = advice === MADV_WIPEONFORK;
  }
  return 0;
}

/** madvise(2). */
export function advise(mm: Mm, start: number, rawLength: number, advice: number): number {
  const known = HARMLESS.has(advice) || advice === MADV_DONTNEED || advice === MADV_DONTNEED_LOCKED || advice === MADV_FREE || advice === MADV_REMOVE
    || (advice >= MADV_DONTFORK && advice <= MADV_DOFORK) || advice === MADV_WIPEONFORK || advice === MADV_KEEPONFORK;
  if (!known || start % 4096 !== 0 || rawLength < 0) return -EINVAL;
  const end = start + pageUp(rawLength);
  if (end > 0x1_0000_0000) return -EINVAL;
  if (start === end) return 0;
  const mappings = mm.vmas.inRange(start, end);
  if (advice === MADV_DONTNEED && mappings.some((vma) => (vma.flags & MAP_LOCKED) !== 0)) return -EINVAL;
  if (advice === MADV_FREE && mappings.some((vma) => vma.file !== undefined || vma.isShared)) return -EINVAL;
  if (advice === MADV_REMOVE) return removePages(mm, start, end, mappings);
  if (advice === MADV_DONTNEED || advice === MADV_DONTNEED_LOCKED) mm.discard(start, end);
  const forkAdvice = (advice === MADV_DONTFORK || advice === MADV_DOFORK || advice === MADV_WIPEONFORK || advice === MADV_KEEPONFORK)
    ? setForkAdvice(mm, start, end, advice)
    : 0;
  if (forkAdvice !== 0) return forkAdvice;
  return mm.vmas.covers(start, end) ? 0 : -ENOMEM;
}

/** MADV_REMOVE punches a hole into shared memory. */
function removePages(mm: Mm, start: number, end: number, mappings: readonly Vma[]): number {
  if (mappings.some((vma) => !vma.isShared || (vma.flags & MAP_LOCKED) !== 0)) return -EINVAL;
  for (const vma of mappings) {
    const from = Math.max(start, vma.start);
    const to = Math.min(end, vma.fileEnd);
    if (from < to) {
      mm.space.zero(from, to);
      mm.space.protect(from, to, pageFlags(vma.prot));
    }
    vma.shared?.flush(mm, from, to);
  }
  return mm.vmas.covers(start, end) ? 0 : -ENOMEM;
}
