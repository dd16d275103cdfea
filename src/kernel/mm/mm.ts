/**
 * The memory of a process (`struct mm_struct`): its mappings, and the page flags of the machine's address
 * space that follow from them. The system calls are in `syscalls/memory.ts`; moving and advising in `mm-remap.ts`.
 */
import { EACCES, EEXIST, EINVAL, ENOMEM } from '../../abi/errno.ts';
import { MAP_ANONYMOUS, MAP_FIXED, MAP_FIXED_NOREPLACE, MAP_GROWSDOWN, MAP_LOCKED, MAP_PRIVATE, MAP_SHARED, PROT_EXEC, PROT_READ, PROT_WRITE } from '../../abi/mman.ts';
import type { Location } from '../../fs/dentry.ts';
import type { Inode } from '../../fs/types.ts';
import { DECODED_START, USER_END, RSP, type AddressSpace } from '../../machine/index.ts';
import { dropAioContexts } from '../files/aio-context.ts';
import type { KernelLimits } from '../limits.ts';
import { activateAlias, flushAliases, prepareAliases } from './mm-alias.ts';
import { Meter, type MemoryOwner } from './mm-meter.ts';
import { growStack, settleStack, settleStackPointer } from './mm-stack.ts';
import { Room } from './room.ts';
import type { SharedObject, SharedObjects } from './shared.ts';
import { SpaceMemory } from './user-memory.ts';
import { pageFlags, Vma, VmaList, type MappedFile } from './vma.ts';

/** What all processes of a kernel share: bounds and shared memory. */
export interface MemoryContext {
  readonly limits: KernelLimits;
  readonly shared: SharedObjects;
  /** Private writable bytes mapped by all processes. */
  mappedBytes: number;
  addressSpaces: number;
}

export interface MapRequest {
  readonly address: number;
  readonly length: number;
  readonly prot: number;
  readonly flags: number;
  readonly file?: MappedFile | undefined;
  readonly offset?: number;
  /** An object that exists already (mremap of a shared mapping, System V). */
  readonly shared?: SharedObject | undefined;
  readonly name?: string;
}

export function pageUp(value: number): number {
  return Math.ceil(value / 4096) * 4096;
}

/** The program's file. */
export interface Executable {
  readonly inode: Inode;
  readonly path: string;
  readonly location?: Location | undefined;
}

/** What was asked for when the program was started, as far as it is kept for who watches. */
export interface Launched {
  readonly path: string;
  readonly arguments: readonly string[];
}

/** Shared bytes that are compared when another space takes its turn, at most: with more, stores are noted, which costs all of them a little. */
const WATCHED_FROM = 512 << 10;

export class Mm {
  readonly space: AddressSpace;
  readonly memory: SpaceMemory;
  readonly vmas = new VmaList();
  readonly context: MemoryContext;
  /** Processes that use it: CLONE_VM and vfork share. */
  users = 1;
  brkStart = 0;
  brk = 0;
  room = new Room();
  stackStart = 0;
  /** Lowest accessible address of the stack, see `mm-stack.ts`. */
  stackBottom = 0;
  argStart = 0;
  argEnd = 0;
  envStart = 0;
  envEnd = 0;
  /** Text of the program, for /proc. */
  codeStart = 0;
  codeEnd = 0;
  auxv: Uint8Array = new Uint8Array(0);
  #exe: Executable | undefined;
  launched: Launched | undefined;
  /** MCL_FUTURE. */
  lockFuture = false;
  lockedBytes = 0;
  /** Some shared page is mapped more than once, see `mm-alias.ts`. */
  hasAliases = false;
  totalBytes = 0;
  peakBytes = 0;
  /** Objects of MAP_SHARED mappings, with how many mappings show each. */
  readonly sharedObjects = new Map<SharedObject, number>();
  /** RLIMIT_AS and RLIMIT_DATA of the process; set by prlimit and fork. */
  limitAs = Infinity;
  limitData = Infinity;
  /** What it costs its control group. */
  readonly meter: Meter;
  #released = false;

  constructor(space: AddressSpace, context: MemoryContext, owner?: MemoryOwner) {
    this.space = space;
    this.context = context;
    this.meter = new Meter(this, owner);
    this.memory = new SpaceMemory(space, (address, length) => this.#makeRangeAccessible(address, length));
    context.addressSpaces++;
  }

  get exe(): Executable | undefined {
    return this.#exe;
  }

  /** While it is there, the file is not written to (kernel/fork.c: dup_mm_exe_file, `deny_write_access`). */
  set exe(exe: Executable | undefined) {
    if (this.#exe !== undefined) this.#exe.inode.programs = (this.#exe.inode.programs ?? 1) - 1;
    if (exe !== undefined) exe.inode.programs = (exe.inode.programs ?? 0) + 1;
    this.#exe = exe;
  }

  // ---- finding room ----

  /** Before anything is mapped: see `Room`. */
  useCompactLayout(): void {
    this.room = new Room(true);
    this.space.useCompactLayout();
  }

  /** Lowest gap of `length` bytes in the mmap area, or -ENOMEM. */
  findGap(length: number): number {
    return this.room.findGap(this.vmas, length);
  }

  #chooseAddress(request: MapRequest, length: number): number {
    const { flags } = request;
    if ((flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) !== 0) {
      if (request.address % 4096 !== 0) return -EINVAL;
      if (!this.room.contains(request.address, request.address + length)) return -ENOMEM;
      if ((flags & MAP_FIXED_NOREPLACE) !== 0 && !this.vmas.isFree(request.address, request.address + length)) return -EEXIST;
      return request.address;
    }
    const hint = pageUp(request.address);
    if (hint > 0 && this.room.contains(hint, hint + length) && this.vmas.isFree(hint, hint + length)) return hint;
    return this.findGap(length);
  }

  // ---- map and unmap ----

  /** mmap(2) behind the checks of its arguments: address or -errno. */
  map(request: MapRequest): number {
    const length = pageUp(request.length);
    if (length === 0) return -EINVAL;
    if (length > USER_END) return -ENOMEM;
    const start = this.#chooseAddress(request, length);
    if (start < 0) return start;
    const end = start + length;
    const replaced = (request.flags & MAP_FIXED) !== 0;
    const vma = this.#makeVma(request, start, end);
    const refused = this.#charge(vma, replaced ? start : end, end);
    if (refused !== 0) return refused;
    const kept = replaced && this.#showsAlready(vma);
    // First, since what it replaces may be the last mapping of the same object.
    if (vma.shared !== undefined) this.#attach(vma.shared);
    if (replaced) this.unmap(start, length);
    // From here on the range is ours: on failure it is given back.
    if (!this.#fill(vma, kept)) {
      this.#uncharge(vma);
      this.space.protect(start, end, 0);
      if (vma.shared !== undefined) this.#detach(vma.shared);
      return -ENOMEM;
    }
    this.vmas.insert(vma);
    return start;
  }

  #makeVma(request: MapRequest, start: number, end: number): Vma {
    const kept = request.flags & ~(MAP_FIXED | MAP_FIXED_NOREPLACE | MAP_ANONYMOUS);
    const flags = this.lockFuture ? kept | MAP_LOCKED : kept;
    let shared = request.shared;
    if (shared === undefined && (request.flags & MAP_SHARED) !== 0) {
      shared = request.file === undefined ? this.context.shared.anonymous() : this.context.shared.forFile(request.file.inode);
    }
    return new Vma(start, end, { prot: request.prot, flags, file: request.file, offset: request.offset, shared, name: request.name });
  }

  /** Bounds: mappings, RLIMIT_AS, memory of the container. `freed` is what the new mapping replaces. */
  #charge(vma: Vma, freedStart: number, freedEnd: number): number {
    const { context } = this;
    if (this.vmas.size >= context.limits.mapCount) return -ENOMEM;
    if (this.totalBytes + vma.length > this.limitAs && this.totalBytes + vma.length - (freedEnd - freedStart) > this.limitAs) return -ENOMEM;
    if (vma.accounted && context.mappedBytes + vma.length > context.limits.mappedBytes) return -ENOMEM;
    const { owner } = this.meter;
    if (vma.shared !== undefined && owner !== undefined && !vma.shared.pay(owner, vma.length)) return -ENOMEM;
    if (vma.accounted) {
      const refused = this.meter.map(vma);
      if (refused !== 0) return refused;
      context.mappedBytes += vma.length;
    }
    if ((vma.flags & MAP_LOCKED) !== 0) this.lockedBytes += vma.length;
    this.totalBytes += vma.length;
    this.peakBytes = Math.max(this.peakBytes, this.totalBytes);
    return 0;
  }

  #uncharge(vma: Vma): void {
    this.meter.unmap(vma);
    if (vma.accounted) this.context.mappedBytes -= vma.length;
    if ((vma.flags & MAP_LOCKED) !== 0) this.lockedBytes -= vma.length;
    this.totalBytes -= vma.length;
  }

  /** The dynamic linker maps a library as a whole and then its segments over it: their bytes are in place. */
  #showsAlready(vma: Vma): boolean {
    const old = this.vmas.find(vma.start);
    return old !== undefined && old.end >= vma.end && old.file !== undefined && old.file.inode === vma.file?.inode && !old.isShared && !vma.isShared
      && !old.writable && old.touched && old.offset + (vma.start - old.start) === vma.offset;
  }

  /** The stack: mapped as a whole, accessible at the top. The top address, or -errno. */
  mapStack(start: number, length: number, initial: number, prot: number): number {
    const answer = this.map({ address: start, length, prot: 0, flags: MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_GROWSDOWN, name: '[stack]' });
    if (answer < 0) return answer;
    const vma = this.vmas.find(start)!;
    vma.prot = prot;
    vma.touched = true;
    vma.writable = true;
    this.context.mappedBytes += vma.length;
    this.stackStart = start;
    this.stackBottom = start + length - initial;
    const refused = this.meter.takeNow(initial);
    if (refused !== 0) return refused;
    this.space.zero(this.stackBottom, start + length);
    if (!this.space.protect(this.stackBottom, start + length, pageFlags(prot))) return -ENOMEM;
    this.#checkWritableCode(vma);
    return start + length;
  }

  /** Contents and page flags of a fresh mapping. `kept`: the contents are there already. */
  #fill(vma: Vma, kept: boolean): boolean {
    const { space } = this;
    const flags = pageFlags(vma.prot);
    const fileEnd = vma.fileEnd;
    if (flags === 0 && vma.file === undefined) return true;
    if (fileEnd > vma.start) {
      if (!space.grow(fileEnd)) return false;
      if (!kept) this.#load(vma, vma.start, fileEnd);
      // After the zeros: from here on the pages count as used.
      if (!this.meter.protect(vma, vma.start, fileEnd, flags)) return false;
      vma.touched = true;
      prepareAliases(this, vma);
      if (vma.shared !== undefined && space.watched) space.watchStores(vma.start, fileEnd);
    }
    this.#checkWritableCode(vma);
    return true;
  }

  /** Makes pages of a mapping what they show. */
  show(vma: Vma, start: number, end: number, flags: number): void {
    if (!this.space.grow(end)) return;
    this.#load(vma, start, end);
    this.space.protect(start, end, flags);
    vma.touched = true;
  }

  /** Reads the file, or zeros. */
  #load(vma: Vma, start: number, end: number): void {
    const { space } = this;
    if (vma.shared !== undefined) {
      flushAliases(this, vma.shared);
      vma.shared.load(space, vma, start, end);
    } else if (vma.file !== undefined) {
      // Others may have the file mapped shared and have changed it there.
      if (this.context.shared.fileCount > 0) this.context.shared.find(vma.file.inode)?.flushAll();
      const at = space.offset(start);
      const view = space.u8.subarray(at, at + (end - start));
      let done = 0;
      while (done < view.length) {
        const got = vma.file.inode.readAt(view.subarray(done), vma.offset + (start - vma.start) + done);
        if (got <= 0) break;
        done += got;
      }
      if (done < view.length) space.zero(start + done, end);
    } else {
      space.zero(start, end);
    }
  }

  /** Code that may change under the machine's feet needs checks of every store. */
  #checkWritableCode(vma: Vma): void {
    if ((vma.prot & PROT_EXEC) !== 0 && (vma.prot & PROT_WRITE) !== 0) this.space.requireChecks();
  }

  #attach(object: SharedObject): void {
    object.attach(this);
    this.sharedObjects.set(object, (this.sharedObjects.get(object) ?? 0) + 1);
  }

  #detach(object: SharedObject): void {
    const count = (this.sharedObjects.get(object) ?? 1) - 1;
    if (count > 0) this.sharedObjects.set(object, count);
    else this.sharedObjects.delete(object);
    if (object.detach(this)) this.context.shared.forget(object);
  }

  /** munmap(2): 0 or -errno. */
  unmap(address: number, length: number): number {
    if (address % 4096 !== 0 || length <= 0 || address < 0 || address + length > 0x1_0000_0000) return -EINVAL;
    const end = address + pageUp(length);
    this.#flushRange(address, end);
    const crossing = this.vmas.find(address);
    if (crossing !== undefined && crossing.start < address && crossing.end > end && this.vmas.size >= this.context.limits.mapCount) return -ENOMEM;
    const before = this.vmas.inRange(address, end).length;
    if (before === 0) return 0;
    this.#split(address);
    this.#split(end);
    for (const vma of this.vmas.remove(address, end)) {
      this.#uncharge(vma);
      this.space.protect(vma.start, vma.end, 0);
      if (vma.shared !== undefined) this.#detach(vma.shared);
    }
    this.room.freed(address);
    return 0;
  }

  /** A cut makes one more mapping of the same object. */
  #split(address: number): void {
    const vma = this.vmas.find(address);
    if (vma === undefined || vma.start === address) return;
    this.vmas.splitAt(address);
    if (vma.shared !== undefined) this.#attach(vma.shared);
  }

  /** Makes mappings begin and end at both addresses, so that what lies between can be changed alone. */
  cut(start: number, end: number): void {
    this.#split(start);
    this.#split(end);
  }

  #flushRange(start: number, end: number): void {
    for (const object of this.sharedObjects.keys()) object.flush(this, start, end);
  }

  /** memfd_secret(2): nobody looks at the page there but the program's own code (and its calls, here). */
  isSecret(address: number): boolean {
    return this.vmas.find(address)?.file?.isSecret === true;
  }

  /** A page that is not accessible was touched and can be made so: the stack grows, or a page is mapped twice. */
  makeAccessible(address: number): boolean {
    return growStack(this, address) || this.meter.touch(address) || activateAlias(this, address);
  }

  #makeRangeAccessible(address: number, length: number): boolean {
    let changed = false;
    for (let page = Math.floor(address / 4096) * 4096; page < address + length; page += 4096) changed = this.makeAccessible(Math.max(address, page)) || changed;
    return changed;
  }

  // ---- protection ----

  /** mprotect(2) behind the checks of its arguments. */
  protect(start: number, end: number, prot: number): number {
    if (!this.vmas.covers(start, end)) return -ENOMEM;
    for (const vma of this.vmas.inRange(start, end)) {
      if ((prot & PROT_WRITE) !== 0 && vma.isShared && vma.file !== undefined && !vma.file.writable) return -EACCES;
    }
    this.#split(start);
    this.#split(end);
    for (const vma of this.vmas.inRange(start, end)) {
      const refused = this.#protectVma(vma, prot);
      if (refused !== 0) return refused;
    }
    this.#mergeRange(start, end);
    return 0;
  }

  #protectVma(vma: Vma, prot: number): number {
    const { context, space } = this;
    const wasAccounted = vma.accounted;
    const fresh = !vma.touched && prot !== 0;
    const willAccount = !vma.isShared && (prot & PROT_WRITE) !== 0;
    if (willAccount && !wasAccounted && context.mappedBytes + vma.length > context.limits.mappedBytes) return -ENOMEM;
    if (willAccount && !wasAccounted && this.meter.map(vma) !== 0) return -ENOMEM;
    const fileEnd = vma.fileEnd;
    if (prot === 0) vma.shared?.flush(this, vma.start, vma.end);
    if (fresh && fileEnd > vma.start) {
      if (!space.grow(fileEnd)) return -ENOMEM;
      this.#load(vma, vma.start, fileEnd);
      vma.touched = true;
    }
    if (fileEnd > vma.start && !this.meter.protect(vma, vma.start, fileEnd, pageFlags(prot))) return -ENOMEM;
    vma.prot = prot;
    vma.writable ||= (prot & PROT_WRITE) !== 0;
    if (vma.accounted !== wasAccounted) context.mappedBytes += wasAccounted ? -vma.length : vma.length;
    this.#checkWritableCode(vma);
    return 0;
  }

  #mergeRange(start: number, end: number): void {
    const before = new Map<SharedObject, number>();
    for (const vma of this.vmas.inRange(start - 1, end + 1)) {
      if (vma.shared !== undefined) before.set(vma.shared, (before.get(vma.shared) ?? 0) + 1);
    }
    this.vmas.mergeRange(start, end);
    if (before.size === 0) return;
    for (const vma of this.vmas.inRange(start - 1, end + 1)) {
      if (vma.shared !== undefined) before.set(vma.shared, before.get(vma.shared)! - 1);
    }
    for (const [object, merged] of before) {
      for (let i = 0; i < merged; i++) this.#detach(object);
    }
  }

  /** Contents as fresh: MADV_DONTNEED. Mappings of the range must exist. */
  discard(start: number, end: number): void {
    for (const vma of this.vmas.inRange(start, end)) {
      const from = Math.max(start, vma.start);
      const to = Math.min(end, vma.fileEnd);
      if (!vma.touched || from >= to || vma.isShared || this.meter.discard(vma, from, to)) continue;
      if (vma.file === undefined) this.space.zero(from, to);
      else this.#load(vma, from, to);
      this.space.protect(from, to, pageFlags(vma.prot));
    }
  }

  // ---- brk ----

  /** brk(2): the new end, or the old one where it cannot be. */
  setBrk(address: number, dataLimit: number): number {
    if (address < this.brkStart || address > DECODED_START) return this.brk;
    if (address - this.brkStart > dataLimit) return this.brk;
    const oldEnd = pageUp(this.brk);
    const newEnd = pageUp(address);
    if (newEnd > oldEnd) {
      if (!this.vmas.isFree(oldEnd, newEnd)) return this.brk;
      const answer = this.map({ address: oldEnd, length: newEnd - oldEnd, prot: PROT_READ | PROT_WRITE, flags: MAP_FIXED_NOREPLACE | MAP_ANONYMOUS | MAP_PRIVATE, name: '[heap]' });
      if (answer < 0) return this.brk;
    } else if (newEnd < oldEnd) {
      this.unmap(newEnd, oldEnd - newEnd);
    }
    this.brk = address;
    return address;
  }

  // ---- fork, switch, end ----

  /** A copy for fork(2), or -ENOMEM. Registers come along. */
  fork(): Mm | number {
    const { context } = this;
    if (context.addressSpaces >= context.limits.addressSpaces) return -ENOMEM;
    let accounted = 0;
    for (const vma of this.vmas) if (!vma.dontFork && vma.accounted) accounted += vma.length;
    if (context.mappedBytes + accounted > context.limits.mappedBytes) return -ENOMEM;
    this.#flushRange(0, Infinity);
    settleStackPointer(this);
    const { owner } = this.meter;
    const admitted = this.meter.admitCopy();
    const space = admitted ? this.space.fork(this.#forkRanges()) : undefined;
    if (space === undefined) {
      if (admitted) this.meter.refuseCopy();
      return -ENOMEM;
    }
    const child = new Mm(space, context, owner);
    if (this.space.checked) space.requireChecks();
    child.#copyFrom(this);
    if (space.watched) child.#watchShared();
    return child;
  }

  #copyFrom(parent: Mm): void {
    this.meter.copyFrom(parent.meter);
    this.stackStart = parent.stackStart;
    this.stackBottom = parent.stackBottom;
    for (const vma of parent.vmas) {
      if (vma.dontFork) continue;
      const copy = vma.clone();
      copy.flags &= ~MAP_LOCKED;
      this.vmas.insert(copy);
      this.#prepareChild(copy);
      if (copy.shared !== undefined) this.#attach(copy.shared);
      if (copy.accounted) this.context.mappedBytes += copy.length;
      this.totalBytes += copy.length;
    }
    this.peakBytes = this.totalBytes;
    this.brkStart = parent.brkStart;
    this.brk = parent.brk;
    this.room = parent.room.clone();
    this.stackStart = parent.stackStart;
    this.argStart = parent.argStart;
    this.argEnd = parent.argEnd;
    this.envStart = parent.envStart;
    this.envEnd = parent.envEnd;
    this.codeStart = parent.codeStart;
    this.codeEnd = parent.codeEnd;
    this.auxv = parent.auxv;
    this.exe = parent.exe;
    this.launched = parent.launched;
    this.limitAs = parent.limitAs;
    this.limitData = parent.limitData;
    this.hasAliases = parent.hasAliases;
  }

  /** Pages that fork did not copy (the unused stack) or must not show. */
  #prepareChild(vma: Vma): void {
    if (!vma.touched) return;
    let end = vma.wipeOnFork ? vma.end : vma.start;
    let { start } = vma;
    const rsp = this.space.registers[2 * RSP]! >>> 0;
    if (vma.name === '[stack]' && rsp > start && rsp < vma.end) {
      start = Math.max(start, this.stackBottom);
      end = Math.floor((rsp - 128) / 4096) * 4096;
    }
    if (end <= start || this.meter.discard(vma, start, end)) return;
    this.space.zero(start, end);
    this.space.protect(start, end, pageFlags(vma.prot));
  }

  /** What fork must copy: everything that may hold something; of the stack only what is in use. */
  #forkRanges(): [number, number][] {
    const ranges: [number, number][] = [];
    const rsp = this.space.registers[2 * RSP]! >>> 0;
    for (const vma of this.vmas) {
      if (vma.dontFork || !vma.touched) continue;
      let start = vma.start;
      const end = vma.fileEnd;
      if (start >= end) continue;
      if (vma.name === '[stack]' && rsp > start && rsp < end) {
        // Nothing below the red zone of 128 bytes survives a signal either (System V ABI 3.2.2).
        start = Math.max(start, Math.floor((rsp - 128) / 4096) * 4096);
        ranges.push([start, end]);
        continue;
      }
      if (vma.name === '[stack]') start = Math.max(start, this.stackBottom);
      const previous = ranges.at(-1);
      if (previous !== undefined && previous[1] === start) previous[1] = end;
      else ranges.push([start, end]);
    }
    return ranges;
  }

  /** Another space runs next: what this one wrote to memory that others share becomes theirs. */
  leave(): void {
    if (this.sharedObjects.size === 0) return;
    const { watched } = this.space;
    let compared = 0;
    // What is stored is noted once for all objects.
    for (const object of this.sharedObjects.keys()) if (watched || object.mapperCount > 1) compared += object.flush(this);
    if (watched) this.#eachShared((start, end) => this.space.forgetStores(start, end));
    else if (compared > WATCHED_FROM) this.#watchShared();
  }

  #watchShared(): void {
    this.#eachShared((start, end) => this.space.watchStores(start, end));
  }

  #eachShared(visit: (start: number, end: number) => void): void {
    for (const vma of this.vmas) if (vma.shared !== undefined && vma.writable && vma.fileEnd > vma.start) visit(vma.start, vma.fileEnd);
  }

  /** This space runs next. */
  enter(): void {
    for (const object of this.sharedObjects.keys()) object.refresh(this);
  }

  /** One user less; the last one gives the memory back, for others if there will be some (`reused`). True if it was the last. */
  drop(reused = true): boolean {
    if (--this.users > 0 || this.#released) return false;
    this.#released = true;
    this.#flushRange(0, Infinity);
    dropAioContexts(this);
    this.meter.end();
    for (const vma of this.vmas) {
      this.#uncharge(vma);
      if (vma.shared !== undefined) this.#detach(vma.shared);
    }
    this.context.addressSpaces--;
    if (reused) settleStack(this);
    this.exe = undefined;
    this.space.release();
    return true;
  }
}
