/** The Wasm memory of an address space: views, page flags, growth, zeroing. Code is `address-space.ts`'s business. */
import { COMPACT_END, JUMP_TABLE, JUMP_TABLE_END, MARK_SHIFT, PAGE_SIZE, PAGE_TABLE, STORE_MARKS, USER_END } from './layout.ts';
import { GUEST_BASE, STATE_SIZE } from './state.ts';

const WASM_PAGE = 65536;
const PAGE_COUNT = 0x10_0000;
const MARK_COUNT = 2 ** (32 - MARK_SHIFT);
/** The memory grows by an eighth at least, and not by more than this if it need not: growing costs the same whatever its size. */
const GROWTH_STEP = 32 << 20;
/** What compact spaces need, with some heap. Below V8's 64 MiB, see `Room` of the kernel. */
const INITIAL_BYTES = COMPACT_END - GUEST_BASE + (2 << 20);

/** A Wasm memory with the notes that a next user needs: which pages were ever used. */
export class SpaceMemory {
  readonly memory: WebAssembly.Memory;
  u8: Uint8Array = new Uint8Array(0);
  i32: Int32Array = new Int32Array(0);
  view: DataView = new DataView(new ArrayBuffer(0));
  pages: Uint8Array = new Uint8Array(0);
  /** `STORE_MARKS`. */
  marks: Uint8Array = new Uint8Array(0);
  /** Somebody notes stores there: otherwise the table is never touched. */
  isMarked = false;
  /** One byte a page: 1 where the contents may be other than zero. */
  readonly touched = new Uint8Array(PAGE_COUNT);
  /** Called after the views were replaced. */
  onGrow: (() => void) | undefined;

  constructor() {
    this.memory = new WebAssembly.Memory({ initial: INITIAL_BYTES / WASM_PAGE, maximum: WASM_PAGE });
    this.#refresh();
  }

  #refresh(): void {
    const buffer = this.memory.buffer;
    this.u8 = new Uint8Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.view = new DataView(buffer);
    this.pages = new Uint8Array(buffer, PAGE_TABLE - GUEST_BASE, PAGE_COUNT);
    this.marks = new Uint8Array(buffer, STORE_MARKS - GUEST_BASE, MARK_COUNT);
    this.onGrow?.();
  }

  grow(end: number): boolean {
    if (end > USER_END) return false;
    const wanted = end - GUEST_BASE;
    if (wanted <= this.u8.length) return true;
    const least = wanted - this.u8.length;
    for (const bytes of [Math.max(least, Math.min(GROWTH_STEP, this.u8.length >>> 3)), least]) {
      const room = (WASM_PAGE - 1) * WASM_PAGE - this.u8.length;
      const pages = Math.ceil(Math.min(bytes, room) / WASM_PAGE);
      if (pages * WASM_PAGE < least) return false;
      try {
        this.memory.grow(pages);
        this.#refresh();
        return true;
      } catch {
        // RangeError: the host has not that much; a smaller step may do.
      }
    }
    return false;
  }

  zero(start: number, end: number): void {
    const { touched, u8 } = this;
    const last = Math.min(end, u8.length + GUEST_BASE);
    let at = start;
    while (at < last) {
      const page = at >>> 12;
      const pageEnd = Math.min((page + 1) * PAGE_SIZE, last);
      if (touched[page] !== 0) {
        u8.fill(0, at - GUEST_BASE, pageEnd - GUEST_BASE);
        if (pageEnd - at === PAGE_SIZE) touched[page] = 0;
      }
      at = pageEnd;
    }
  }

  /** Everything that was used, back to zero, for the next user. */
  clear(): void {
    const { u8 } = this;
    const pageCount = (u8.length + GUEST_BASE) >>> 12;
    const touched = this.touched.subarray(0, pageCount);
    let page = touched.indexOf(1);
    while (page >= 0) {
      let end = page + 1;
      while (touched[end] === 1) end++;
      u8.fill(0, page * PAGE_SIZE - GUEST_BASE, end * PAGE_SIZE - GUEST_BASE);
      page = touched.indexOf(1, end);
    }
    touched.fill(0);
    // The machine's own tables: CPU state, page flags, jump table.
    u8.fill(0, 0, STATE_SIZE);
    this.pages.fill(0, 0, pageCount);
    if (this.isMarked) this.marks.fill(0);
    this.isMarked = false;
    u8.fill(0, JUMP_TABLE - GUEST_BASE, JUMP_TABLE_END - GUEST_BASE);
  }
}
