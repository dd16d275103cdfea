/** Checked access to a guest's memory for system calls (`copy_from_user`, `copy_to_user` of Linux). */
import { EFAULT, EINVAL, ENAMETOOLONG, ENOENT } from '../../abi/errno.ts';
import { PAGE_READ, PAGE_WRITE, type AddressSpace } from '../../machine/index.ts';
import { DEFAULT_LIMITS } from '../limits.ts';
import type { UserMemory } from '../types.ts';

const PATH_MAX = 4096;
const ADDRESS_LIMIT = 0x1_0000_0000;
/** Longest string decoded in one call of String.fromCharCode. */
const CHUNK = 4096;

/** Bytes to a byte string (latin1). */
export function bytesToString(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += CHUNK) {
    text += Reflect.apply(String.fromCharCode, String, bytes.subarray(at, at + CHUNK));
  }
  return text;
}

/** A byte string (latin1) to bytes. */
export function stringToBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** The accesses of system calls to one address space. */
export class SpaceMemory implements UserMemory {
  readonly #space: AddressSpace;

  readonly #makeAccessible: (address: number, length: number) => boolean;

  /** `makeAccessible` is asked where pages are missing: the stack may grow. */
  constructor(space: AddressSpace, makeAccessible: (address: number, length: number) => boolean = () => false) {
    this.#space = space;
    this.#makeAccessible = makeAccessible;
  }

  /** Offset in the Wasm memory of `length` accessible bytes, or -1. */
  #locate(address: number, length: number, flag: number): number {
    const space = this.#space;
    if (address < 0 || address + length > ADDRESS_LIMIT) return -1;
    if ((address & 4095) + length <= 4096 && length !== 0) {
      if ((space.pages[address >>> 12]! & flag) === 0 && !this.#becomesAccessible(address, length, flag)) return -1;
    } else if (!space.check(address, length, flag) && !this.#becomesAccessible(address, length, flag)) {
      return -1;
    }
    return space.offset(address);
  }

  #becomesAccessible(address: number, length: number, flag: number): boolean {
    return this.#makeAccessible(address, length) && this.#space.check(address, length, flag);
  }

  readable(address: number, length: number): Uint8Array | undefined {
    if (length === 0) return new Uint8Array(0);
    const at = this.#locate(address, length, PAGE_READ);
    return at < 0 ? undefined : this.#space.u8.subarray(at, at + length);
  }

  writable(address: number, length: number): Uint8Array | undefined {
    if (length === 0) return new Uint8Array(0);
    const at = this.#locate(address, length, PAGE_WRITE);
    if (at < 0) return undefined;
    this.#wrote(address, length);
    return this.#space.u8.subarray(at, at + length);
  }

  /** Pages that hold code lose it when the kernel writes there. */
  #wrote(address: number, length: number): void {
    const pages = this.#space.pages;
    const last = (address + length - 1) >>> 12;
    for (let page = address >>> 12; page <= last; page++) {
      if ((pages[page]! & 8) !== 0) {
        this.#space.invalidateCode(address, address + length);
        return;
      }
    }
  }

  readU8(address: number): number | undefined {
    const at = this.#locate(address, 1, PAGE_READ);
    return at < 0 ? undefined : this.#space.u8[at];
  }

  readU16(address: number): number | undefined {
    const at = this.#locate(address, 2, PAGE_READ);
    return at < 0 ? undefined : this.#space.view.getUint16(at, true);
  }

  readU32(address: number): number | undefined {
    const at = this.#locate(address, 4, PAGE_READ);
    return at < 0 ? undefined : this.#space.view.getUint32(at, true);
  }

  readI32(address: number): number | undefined {
    const at = this.#locate(address, 4, PAGE_READ);
    return at < 0 ? undefined : this.#space.view.getInt32(at, true);
  }

  readI64(address: number): number | undefined {
    const at = this.#locate(address, 8, PAGE_READ);
    if (at < 0) return undefined;
    const view = this.#space.view;
    return view.getInt32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true);
  }

  readU64Big(address: number): bigint | undefined {
    const at = this.#locate(address, 8, PAGE_READ);
    return at < 0 ? undefined : this.#space.view.getBigUint64(at, true);
  }

  writeU8(address: number, value: number): number {
    const at = this.#locateWrite(address, 1);
    if (at < 0) return -EFAULT;
    this.#space.view.setUint8(at, value);
    return 0;
  }

  writeU16(address: number, value: number): number {
    const at = this.#locateWrite(address, 2);
    if (at < 0) return -EFAULT;
    this.#space.view.setUint16(at, value, true);
    return 0;
  }

  writeU32(address: number, value: number): number {
    const at = this.#locateWrite(address, 4);
    if (at < 0) return -EFAULT;
    this.#space.view.setUint32(at, value, true);
    return 0;
  }

  writeI64(address: number, value: number): number {
    const at = this.#locateWrite(address, 8);
    if (at < 0) return -EFAULT;
    const view = this.#space.view;
    view.setUint32(at, value % 0x1_0000_0000, true);
    view.setInt32(at + 4, Math.floor(value / 0x1_0000_0000), true);
    return 0;
  }

  writeU64Big(address: number, value: bigint): number {
    const at = this.#locateWrite(address, 8);
    if (at < 0) return -EFAULT;
    this.#space.view.setBigUint64(at, value, true);
    return 0;
  }

  #locateWrite(address: number, length: number): number {
    const at = this.#locate(address, length, PAGE_WRITE);
    if (at >= 0) this.#wrote(address, length);
    return at;
  }

  readString(address: number, limit = 0x7fff_ffff): string | number {
    if (address < 0 || address >= ADDRESS_LIMIT) return -EFAULT;
    const { pages, u8 } = this.#space;
    let text = '';
    let at = address;
    while (text.length < limit) {
      if (at >= ADDRESS_LIMIT) return -EFAULT;
      if ((pages[at >>> 12]! & PAGE_READ) === 0 && !this.#becomesAccessible(at, 1, PAGE_READ)) return -EFAULT;
      const start = this.#space.offset(at);
      const pageEnd = start + 4096 - (at & 4095);
      const zero = u8.subarray(start, pageEnd).indexOf(0);
      const end = zero < 0 ? pageEnd : start + zero;
      if (text.length + (end - start) >= limit) return -ENAMETOOLONG;
      text += bytesToString(u8.subarray(start, end));
      if (zero >= 0) return text;
      at += pageEnd - start;
    }
    return -ENAMETOOLONG;
  }

  readPath(address: number, allowEmpty = false): string | number {
    const path = this.readString(address, PATH_MAX);
    return path === '' && !allowEmpty ? -ENOENT : path;
  }

  copyIn(address: number, length: number): Uint8Array | undefined {
    return this.readable(address, length)?.slice();
  }

  copyOut(address: number, bytes: Uint8Array): number {
    const view = this.writable(address, bytes.length);
    if (view === undefined) return -EFAULT;
    view.set(bytes);
    return 0;
  }

  iovec(address: number, count: number, access: 'readable' | 'writable'): Uint8Array[] | number {
    if (count < 0 || count > DEFAULT_LIMITS.iovecCount) return -EINVAL;
    const views: Uint8Array[] = [];
    let total = 0;
    for (let i = 0; i < count; i++) {
      const base = this.readI64(address + 16 * i);
      const length = this.readI64(address + 16 * i + 8);
      if (base === undefined || length === undefined) return -EFAULT;
      if (length < 0) return -EINVAL;
      const kept = Math.min(length, DEFAULT_LIMITS.transferBytes - total);
      const view = access === 'readable' ? this.readable(base, kept) : this.writable(base, kept);
      if (view === undefined) return -EFAULT;
      views.push(view);
      total += kept;
    }
    return views;
  }
}
