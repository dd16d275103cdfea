/**
 * One shared page mapped twice in the same address space (a ring buffer, a file mapped twice). Both places are memory of
 * their own here, so only one of them is accessible at a time: touching another faults, which brings the bytes over.
 */
import type { Mm } from './mm.ts';
import type { SharedObject } from './shared.ts';
import { pageFlags, type Vma } from './vma.ts';

/** Other mappings of this space that show a part of [offset, offset + length) of the object. */
function others(mm: Mm, vma: Vma, offset: number, length: number): Vma[] {
  return [...mm.vmas].filter((other) => other !== vma && other.shared === vma.shared && other.offset < offset + length && offset < other.offset + other.length);
}

/** A new mapping: if it shows what another shows too, it waits for its first access. The pages of the others are flushed. */
export function prepareAliases(mm: Mm, vma: Vma): void {
  const object = vma.shared;
  if (object === undefined || (mm.sharedObjects.get(object) ?? 0) < 2 || others(mm, vma, vma.offset, vma.length).length === 0) return;
  mm.hasAliases = true;
  mm.space.requireChecks();
  mm.space.protect(vma.start, vma.end, 0);
}

/** Before contents are read for a mapping: what this space wrote elsewhere belongs to the object. */
export function flushAliases(mm: Mm, object: SharedObject): void {
  if ((mm.sharedObjects.get(object) ?? 0) > 1) object.flush(mm);
}

/** A page that is not accessible was touched. True: it is accessible now. */
export function activateAlias(mm: Mm, address: number): boolean {
  if (!mm.hasAliases) return false;
  const vma = mm.vmas.find(address);
  const object = vma?.shared;
  if (vma === undefined || object === undefined) return false;
  const page = Math.floor(address / 4096) * 4096;
  const flags = pageFlags(vma.prot);
  if (flags === 0 || page >= vma.fileEnd || (mm.space.pages[page >>> 12]! & 7) !== 0) return false;
  const offset = vma.offset + (page - vma.start);
  for (const other of others(mm, vma, offset, 4096)) {
    const start = other.start + (offset - other.offset);
    if ((mm.space.pages[start >>> 12]! & 7) === 0) continue;
    object.flush(mm, start, start + 4096);
    mm.space.protect(start, start + 4096, 0);
  }
  object.load(mm.space, vma, page, page + 4096);
  return mm.space.protect(page, page + 4096, flags);
}
