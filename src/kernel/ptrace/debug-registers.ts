/**
 * DR0 to DR7 of a traced task (SDM Vol. 3B 17.2; arch/x86/kernel/ptrace.c: ptrace_set_debugreg). While one is in use the task is
 * stepped: an instruction's address is compared before it runs, watched bytes with what they were before it ran. So a store of what
 * is there already is not seen, and reading is not watched at all.
 */
import { EINVAL, EIO, ENOSPC } from '../../abi/errno.ts';
import type { Mm } from '../mm/mm.ts';
import { forceRead } from './memory.ts';

const BREAKPOINTS = 4;
const STATUS = 6;
const CONTROL = 7;
/** Bits of DR6 that read as ones (DR6_RESERVED). */
const STATUS_FIXED = 0xffff_0ff0n;
/** DR6: a single step. */
const STATUS_STEP = 0x4000;
const TYPE_EXECUTE = 0;
const TYPE_WRITE = 1;
/** Bytes by the two length bits. */
const LENGTHS = [1, 2, 8, 4] as const;
const ADDRESS_LIMIT = 0x1_0000_0000n;

interface Watch {
  readonly index: number;
  readonly address: number;
  /** 0 for an instruction. */
  readonly length: number;
  readonly before: Uint8Array;
}

export class DebugRegisters {
  readonly #addresses = [0n, 0n, 0n, 0n];
  #status = 0;
  #control = 0n;
  #watches: Watch[] = [];

  get isActive(): boolean {
    return this.#watches.length > 0;
  }

  read(index: number): bigint {
    if (index < BREAKPOINTS) return this.#addresses[index]!;
    if (index === STATUS) return BigInt(this.#status) ^ STATUS_FIXED;
    return index === CONTROL ? this.#control : 0n;
  }

  /** 0, -EIO for what is none, -EINVAL, or -ENOSPC for what cannot be watched. */
  write(index: number, value: bigint): number {
    if (index === STATUS) {
      this.#status = Number((value ^ STATUS_FIXED) & 0xe00fn);
      return 0;
    }
    if (index !== CONTROL && index >= BREAKPOINTS) return -EIO;
    const before = index === CONTROL ? this.#control : this.#addresses[index]!;
    if (index === CONTROL) this.#control = value;
    else this.#addresses[index] = value;
    const watches = this.#decode();
    if (typeof watches !== 'number') {
      this.#watches = watches;
      return 0;
    }
    if (index === CONTROL) this.#control = before;
    else this.#addresses[index] = before;
    return watches;
  }

  /** The breakpoints that DR7 enables: bits 2n and 2n + 1 enable, the four bits from 16 + 4n are type and length. */
  #decode(): Watch[] | number {
    const watches: Watch[] = [];
    for (let index = 0; index < BREAKPOINTS; index++) {
      if (((this.#control >> BigInt(2 * index)) & 3n) === 0n) continue;
      const bits = Number((this.#control >> BigInt(16 + 4 * index)) & 15n);
      const type = bits & 3;
      const length = LENGTHS[bits >> 2]!;
      const address = this.#addresses[index]!;
      if (type !== TYPE_EXECUTE && type !== TYPE_WRITE) return type === 2 ? -EINVAL : -ENOSPC;
      if ((type === TYPE_EXECUTE && length !== 1) || address % BigInt(length) !== 0n) return -EINVAL;
      if (address >= ADDRESS_LIMIT) continue;
      const size = type === TYPE_EXECUTE ? 0 : length;
      watches.push({ index, address: Number(address), length: size, before: new Uint8Array(size) });
    }
    return watches;
  }

  /** Before the task runs: what is watched may have been changed by others, which is not its doing. */
  arm(mm: Mm): void {
    for (const { address, before } of this.#watches) forceRead(mm, address, before);
  }

  /** Behind an instruction. True: there is something to report, which DR6 tells. */
  check(mm: Mm, rip: number): boolean {
    let hits = 0;
    for (const { index, address, length, before } of this.#watches) {
      if (length === 0) {
        if (address === rip) hits |= 1 << index;
        continue;
      }
      const now = new Uint8Array(length);
      forceRead(mm, address, now);
      if (now.every((byte, at) => byte === before[at])) continue;
      before.set(now);
      hits |= 1 << index;
    }
    this.#status |= hits;
    return hits !== 0;
  }

  noteStep(): void {
    this.#status |= STATUS_STEP;
  }
}
