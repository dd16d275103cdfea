/**
 * What an address space costs the control group that it belongs to.
 *
 * As long as a group's processes could not use more than its `memory.max` even if they touched all that they have mapped, what they have
 * mapped is what counts, and nothing else is done. From then on their spaces are metered: a page of private anonymous memory is not
 * accessible before it is first touched, and is charged then (mm/memory.c: do_anonymous_page(), mem_cgroup_charge()). That needs code that
 * checks its accesses, which is why it is not done before it matters.
 */
import { ENOMEM } from '../../abi/errno.ts';
import type { MemoryPayer } from '../../fs/file-data.ts';
import type { Mm } from './mm.ts';
import { pageFlags, type Vma } from './vma.ts';

/** How a charge ended: `refused` where the caller is to die, `retry` where another process was killed and its memory comes back soon. */
export type Charge = 'given' | 'retry' | 'refused';

/** The memory controller of a group, as address spaces see it. */
export interface MemoryOwner extends MemoryPayer {
  /** Its spaces are metered. */
  readonly metered: boolean;
  join(mm: Mm): void;
  part(mm: Mm): void;
  /** So many bytes more could be used: where that may be too much, spaces are metered from now on. */
  admit(bytes: number): void;
  /** Charges what is used now; where there is no room, somebody is killed. */
  take(bytes: number): Charge;
  /** The same without killing: false where there is no room. */
  tryTake(bytes: number): boolean;
  /** Charges in any case. */
  add(bytes: number): void;
  release(bytes: number): void;
}

/** Pages that one fault makes accessible, where there is room. */
const FAULT_PAGES = 16;
const PAGE_COUNT = 0x10_0000;

/** Private anonymous memory, whose pages come when they are touched. The stack has a way of its own to grow. */
function isLazy(vma: Vma): boolean {
  return vma.file === undefined && vma.shared === undefined && vma.name !== '[stack]';
}

export class Meter {
  readonly #mm: Mm;
  owner: MemoryOwner | undefined;
  /** One byte a page: 1 where it is charged. Undefined: not metered. */
  #present: Uint8Array | undefined;
  /** Bytes that the owner was charged. */
  paid = 0;
  /** What the last copy of it costs. */
  #copied = 0;
  /** Pages that were charged when they were touched. */
  faults = 0;

  /** `parent`: of the space that this is a copy of. */
  constructor(mm: Mm, owner: MemoryOwner | undefined, parent?: Meter) {
    this.#mm = mm;
    this.owner = owner;
    owner?.join(mm);
    if (parent !== undefined) this.#copyFrom(parent);
    else if (owner?.metered === true) this.start();
  }

  get isOn(): boolean {
    return this.#present !== undefined;
  }

  #pay(bytes: number): void {
    this.paid += bytes;
    this.owner?.add(bytes);
  }

  #giveBack(bytes: number): void {
    this.paid -= bytes;
    this.owner?.release(bytes);
  }

  /** What counts as used at once: 0 or -ENOMEM. */
  takeNow(bytes: number): number {
    if (this.owner === undefined || bytes === 0) return 0;
    if (!this.isOn) {
      this.owner.admit(bytes);
      if (!this.isOn) {
        this.#pay(bytes);
        return 0;
      }
    }
    const charge = this.owner.take(bytes);
    if (charge === 'refused') return -ENOMEM;
    this.paid += bytes;
    if (charge === 'retry') this.owner.add(bytes);
    return 0;
  }

  /** A mapping becomes writable memory of its own: 0 or -ENOMEM. */
  map(vma: Vma): number {
    if (!isLazy(vma)) return this.takeNow(vma.length);
    if (this.owner === undefined || this.isOn) return 0;
    this.owner.admit(vma.length);
    if (!this.isOn) this.#pay(vma.length);
    return 0;
  }

  /** What a mapping costs now. */
  cost(vma: Vma): number {
    if (this.#present !== undefined && isLazy(vma)) return 4096 * this.#count(vma.start, vma.end);
    if (!vma.accounted) return 0;
    return vma.name === '[stack]' ? Math.max(0, vma.end - Math.max(vma.start, this.#mm.stackBottom)) : vma.length;
  }

  #count(start: number, end: number): number {
    let count = 0;
    for (let page = start >>> 12; page < end / 4096; page++) count += this.#present![page]!;
    return count;
  }

  /** A mapping goes. */
  unmap(vma: Vma): void {
    // A space that has ended has given back everything at once.
    if (this.owner === undefined) return;
    this.#giveBack(this.cost(vma));
    this.#present?.fill(0, vma.start >>> 12, Math.ceil(vma.end / 4096));
  }

  /** Page flags of a mapping's pages that are there. False: no memory of the host. */
  protect(vma: Vma, start: number, end: number, flags: number): boolean {
    const { space } = this.#mm;
    if (this.#present === undefined || !isLazy(vma)) return space.protect(start, end, flags);
    for (let page = start >>> 12; page < end / 4096; page++) {
      if (this.#present[page] === 0) continue;
      const first = page;
      while (page + 1 < end / 4096 && this.#present[page + 1] === 1) page++;
      if (!space.protect(first * 4096, (page + 1) * 4096, flags)) return false;
    }
    return true;
  }

  /** Pages of the range are as never touched (MADV_DONTNEED). False: they are not metered. */
  discard(vma: Vma, start: number, end: number): boolean {
    if (this.#present === undefined || !isLazy(vma)) return false;
    this.#giveBack(4096 * this.#count(start, end));
    this.#present.fill(0, start >>> 12, Math.ceil(end / 4096));
    this.#mm.space.zero(start, end);
    this.#mm.space.protect(start, end, 0);
    return true;
  }

  /** A page was touched that is not accessible. True: it is now, or the access is to be made again. */
  touch(address: number): boolean {
    const present = this.#present;
    if (present === undefined || present[address >>> 12] === 1) return false;
    const vma = this.#mm.vmas.find(address);
    if (vma === undefined || !isLazy(vma) || pageFlags(vma.prot) === 0) return false;
    const chunk = Math.floor(address / (4096 * FAULT_PAGES)) * FAULT_PAGES;
    const first = Math.max(chunk, vma.start >>> 12);
    const last = Math.min(chunk + FAULT_PAGES, vma.end >>> 12);
    const bytes = 4096 * (last - first) - 4096 * this.#count(first * 4096, last * 4096);
    if (this.owner?.tryTake(bytes) !== false) return this.#bring(vma, first, last, bytes);
    const charge = this.owner.take(4096);
    if (charge === 'refused') return true;
    // In the middle of a call the access cannot be made again: it is let through, for what is freed soon.
    if (charge === 'retry') this.owner.add(4096);
    return this.#bring(vma, address >>> 12, (address >>> 12) + 1, 4096);
  }

  #bring(vma: Vma, first: number, last: number, bytes: number): boolean {
    this.paid += bytes;
    this.faults += bytes / 4096;
    const flags = pageFlags(vma.prot);
    for (let page = first; page < last; page++) {
      if (this.#present![page] === 1) continue;
      this.#present![page] = 1;
      if (!this.#mm.space.protect(page * 4096, (page + 1) * 4096, flags)) return false;
    }
    return true;
  }

  /** Before contents are moved from one mapping to another (mremap): pages come along, and what they cost. */
  bringLike(from: number, to: number, length: number): void {
    if (this.#present === undefined) return;
    const vma = this.#mm.vmas.find(to);
    if (vma === undefined || !isLazy(vma)) return;
    for (let done = 0; done < length; done += 4096) {
      const page = (to + done) >>> 12;
      if (this.#present[(from + done) >>> 12] === 0 || this.#present[page] === 1) continue;
      this.owner?.add(4096);
      this.#bring(vma, page, page + 1, 4096);
    }
  }

  /** From now on pages are charged when they are touched; those that hold nothing but zeros are as never touched. */
  start(): void {
    if (this.#present !== undefined) return;
    const { space, vmas } = this.#mm;
    space.requireChecks();
    const present = new Uint8Array(PAGE_COUNT);
    let change = 0;
    for (const vma of vmas) {
      if (!isLazy(vma)) continue;
      change -= this.cost(vma);
      forEachPage(this.#mm, vma, (page, used) => {
        present[page] = used ? 1 : 0;
        if (used) change += 4096;
        else space.protect(page * 4096, (page + 1) * 4096, 0);
      });
    }
    this.#present = present;
    if (change < 0) this.#giveBack(-change);
    else this.#pay(change);
  }

  /** Bytes in use: of what is not metered, pages that hold something else than zeros. */
  used(): number {
    if (this.#present !== undefined) return this.paid;
    let lazy = 0;
    let used = 0;
    for (const vma of this.#mm.vmas) {
      if (!isLazy(vma) || !vma.accounted) continue;
      lazy += vma.length;
      forEachPage(this.#mm, vma, (_, holds) => {
        if (holds) used += 4096;
      });
    }
    return this.paid - lazy + used;
  }

  /** For the copy of fork(2), which is charged what the parent is: false where there is no room. */
  admitCopy(): boolean {
    const { owner } = this;
    if (owner === undefined) return true;
    let bytes = this.#copyCost();
    if (!this.isOn) {
      owner.admit(bytes);
      if (this.isOn) bytes = this.#copyCost();
    }
    this.#copied = bytes;
    if (this.isOn) return owner.tryTake(bytes);
    owner.add(bytes);
    return true;
  }

  /** There was no memory of the host for it. */
  refuseCopy(): void {
    this.owner?.release(this.#copied);
  }

  #copyCost(): number {
    let bytes = 0;
    for (const vma of this.#mm.vmas) if (!vma.dontFork) bytes += this.cost(vma);
    return bytes;
  }

  /** What `admitCopy` of the parent has charged is its own. */
  #copyFrom(parent: Meter): void {
    this.paid += parent.#copied;
    if (parent.#present === undefined) return;
    this.#present = parent.#present.slice();
    this.#mm.space.requireChecks();
    for (const vma of parent.#mm.vmas) if (vma.dontFork) this.#present.fill(0, vma.start >>> 12, Math.ceil(vma.end / 4096));
  }

  /** To another group, with all that it has. */
  move(owner: MemoryOwner): void {
    this.owner?.release(this.paid);
    this.owner?.part(this.#mm);
    this.owner = owner;
    owner.join(this.#mm);
    owner.add(this.paid);
    if (owner.metered) this.start();
    else owner.admit(0);
  }

  /** The space ends. */
  end(): void {
    this.owner?.release(this.paid);
    this.owner?.part(this.#mm);
    this.owner = undefined;
    this.paid = 0;
  }
}

/** Pages of a mapping that may hold something, and whether they do. */
function forEachPage(mm: Mm, vma: Vma, visit: (page: number, used: boolean) => void): void {
  if (!vma.touched) return;
  const { space } = mm;
  for (let page = vma.start >>> 12; page < vma.end / 4096; page++) {
    const { i32 } = space;
    const at = space.offset(page * 4096) >>> 2;
    if (at + 1024 > i32.length) return;
    let index = 0;
    while (index < 1024 && i32[at + index] === 0) index++;
    visit(page, index < 1024);
  }
}
