/** The memory, the code and the registers of a process: `AddressSpace` of `machine-types.ts`. */
import { helperList } from './helpers/index.ts';
import type { HelperContext } from './helpers/types.ts';
import { featuresOf, loadFxImage, loadXsaveImage, saveFxImage, saveXsaveImage, XSAVE_SIZES } from './helpers/fxsave.ts';
import { MXCSR_INIT } from './helpers/mxcsr.ts';
import { BlockCache, type Decode } from './interpreter/block-cache.ts';
import type { LoadedImage } from './interpreter/image.ts';
import * as record from './interpreter/record.ts';
import { MARK_SHIFT, PAGE_CODE, PAGE_EXEC, PAGE_READ, PAGE_WRITE } from './layout.ts';
import { DEFAULT_CPU, type AddressSpace, type CpuLevel, type Exit, type MachineOptions, type MachineStatistics } from './machine-types.ts';
import { eflagsToFlags, flagsToEflags } from './semantics/flags.ts';
import type { Shell, ShellOwner } from './shell.ts';
import type { SpaceMemory } from './space-memory.ts';
import type { Translator, UnitHost } from './units/translator.ts';
import * as state from './state.ts';

const { EXIT_BUDGET, EXIT_FAULT, EXIT_NONE, EXIT_SYSCALL } = state;
/** How far below its stack a program may have gone before the outermost frame sees it: 16 MiB. */
const STACK_OVERRUN_PAGES = 4096;
const PAGE_FAULT = 14;
const MARK_PAGES = 2 ** (MARK_SHIFT - 12);
const ERROR_PRESENT = 1;
const ERROR_WRITE = 2;
const ERROR_USER = 4;
const ERROR_FETCH = 16;
/** EFLAGS bits kept outside the lazy flags: TF, DF, NT, AC, ID. */
const EFLAGS_OTHER = 0x24_4500;
const EFLAGS_FIXED = 0x202;

/** What the machine shares between its address spaces. */
export interface SpaceEnvironment {
  readonly image: LoadedImage;
  readonly options: MachineOptions;
  readonly statistics: MachineStatistics;
  /** One that is new, or that this user has left. */
  takeShell(user: string | undefined): Shell;
  giveShell(shell: Shell, user: string | undefined): void;
  /** What decodes for the address space in a shell. */
  decoderOf(shell: Shell): Decode;
  /** Undefined: its code is interpreted. */
  createTranslator(space: GuestSpace, program: string): Translator | undefined;
  /** A program ends: some of what it leaves may be translated for the next time. */
  finish(translator: Translator): void;
}

/** Hot blocks wait for each other so that one module holds many units, but not longer than this. */
const MAXIMUM_PENDING = 32;

export class GuestSpace implements AddressSpace, UnitHost, ShellOwner {
  readonly environment: SpaceEnvironment;
  readonly blocks: BlockCache;
  readonly shell: Shell;
  user: string | undefined;
  #program: string | undefined;
  isFork = false;
  #memory: SpaceMemory;
  #translator: Translator | undefined;
  #helperContext: HelperContext;
  #budget = 0;
  #checked = false;
  #compact = false;
  #exactFloats = false;
  /** Blocks are single instructions, which report each entry. */
  #stepping = false;
  /** The instruction of this step was entered. */
  #stepped = false;
  /** The program's next instruction is to find code that obeys MXCSR. */
  #wantsExactFloats = false;
  registers: Int32Array;
  #words: Int32Array;

  constructor(environment: SpaceEnvironment, user: string | undefined) {
    this.environment = environment;
    this.user = user;
    this.shell = environment.takeShell(user);
    this.shell.owner = this;
    this.#memory = this.shell.memory;
    this.registers = this.#words = this.#memory.i32;
    this.#memory.onGrow = () => {
      this.registers = this.#words = this.#memory.i32;
    };
    this.blocks = new BlockCache(this.#memory, environment.decoderOf(this.shell), (address) => this.#unitSlot(address), environment.statistics);
    this.#helperContext = this.#createHelperContext();
  }

  useCompactLayout(): void {
    this.#compact = true;
    this.blocks.useLowArena();
  }

  nameProgram(name: string): void {
    this.#program = name;
    this.#translator = this.environment.createTranslator(this, name);
  }

  get memory(): WebAssembly.Memory { return this.#memory.memory; }
  get u8(): Uint8Array { return this.#memory.u8; }
  get i32(): Int32Array { return this.#memory.i32; }
  get view(): DataView { return this.#memory.view; }
  get pages(): Uint8Array { return this.#memory.pages; }
  get checked(): boolean { return this.#checked; }
  get exactFloats(): boolean { return this.#exactFloats; }
  get watched(): boolean { return this.#memory.isMarked; }
  get overhead(): number { return this.blocks.bytes; }

  // ---- what the interpreter imports ----

  resolve(record: number): number { return this.blocks.resolve(record); }
  lookup(address: number): number { return this.blocks.lookup(address >>> 0); }
  jumped(from: number, target: number): void { this.#translator?.jumped(from >>> 0, target >>> 0); }

  /**
   * The stack pointer is outside writable pages where the outermost frame goes on. Only a program that has
   * just grown down past its stack is stopped: others may have put anything into rsp, the end of an empty stack too.
   */
  stackLeft(address: number): number {
    const { registers, pages } = this;
    const rsp = (registers[8] ?? 0) >>> 0;
    if (registers[9] !== 0 || ((pages[(rsp - 1) >>> 12] ?? 0) & PAGE_WRITE) !== 0) return 0;
    const last = Math.min((rsp >>> 12) + STACK_OVERRUN_PAGES, pages.length - 1);
    for (let page = rsp >>> 12; page <= last; page++) {
      if (((pages[page] ?? 0) & PAGE_WRITE) === 0) continue;
      this.#noteFault(PAGE_FAULT, ERROR_USER | ERROR_WRITE, rsp, address);
      return 1;
    }
    return 0;
  }

  /** Precise check of an access that the inline test did not pass. 1: a fault was noted. */
  checkAccess(low: number, high: number, size: number, write: number, pc: number): number {
    const address = low >>> 0;
    if (high !== 0) {
      const whole = high * 0x1_0000_0000 + address;
      const canonical = high < 0x8000 && high >= -0x8000;
      if (canonical) this.#noteFault(PAGE_FAULT, ERROR_USER | (write !== 0 ? ERROR_WRITE : 0), whole, pc);
      else this.#noteFault(13, 0, 0, pc);
      return 1;
    }
    const need = write !== 0 ? PAGE_WRITE : PAGE_READ;
    // Not `>>> 12`: an access may cross the 4 GiB.
    const last = Math.floor((address + size - 1) / 4096);
    for (let page = address >>> 12; page <= last; page++) {
      const flags = this.pages[page] ?? 0;
      if ((flags & need) === 0) {
        const error = ERROR_USER | (write !== 0 ? ERROR_WRITE : 0) | ((flags & 7) !== 0 ? ERROR_PRESENT : 0);
        this.#noteFault(PAGE_FAULT, error, Math.max(address, page * 4096), pc);
        return 1;
      }
      if (write !== 0 && (flags & PAGE_CODE) !== 0) this.invalidateCode(page * 4096, (page + 1) * 4096);
    }
    return 0;
  }

  raise(vector: number, pc: number): void {
    if (vector === PAGE_FAULT) this.#noteFetchFault(pc >>> 0);
    else this.#noteFault(vector, 0, 0, pc);
  }

  /** The instruction at `pc` begins or goes on in a page that may not be executed. */
  #noteFetchFault(pc: number): void {
    const page = pc >>> 12;
    const first = ((this.pages[page] ?? 0) & PAGE_EXEC) !== 0 ? page + 1 : page;
    const present = ((this.pages[first] ?? 0) & 7) !== 0 ? ERROR_PRESENT : 0;
    this.#noteFault(PAGE_FAULT, ERROR_FETCH | ERROR_USER | present, Math.max(pc, first * 4096), pc);
  }

  entries(address: number): number {
    return this.blocks.entries(address);
  }

  linkUnit(address: number, slot: number): void {
    this.blocks.linkUnit(address, slot);
  }

  unlinkUnit(address: number): void {
    this.blocks.unlinkUnit(address);
  }

  /** Slot of a unit at an address, linked from another address space's work if need be; 0 for none. */
  #unitSlot(address: number): number {
    const translator = this.#translator;
    if (this.#stepping || translator === undefined || !translator.reuse(address)) return 0;
    return translator.slotAt(address);
  }

  #noteFault(vector: number, error: number, address: number, pc: number): void {
    const { view } = this;
    view.setInt32(state.STATE_EXIT_REASON, EXIT_FAULT, true);
    view.setInt32(state.STATE_FAULT_VECTOR, vector, true);
    view.setInt32(state.STATE_FAULT_ERROR, error, true);
    view.setFloat64(state.STATE_FAULT_ADDRESS, address, true);
    this.rip = pc >>> 0;
  }

  /** 0 done, 1 leave (rip noted), 2 the same instruction again. */
  callHelper(helper: number, destination: number, source: number, immediate: number, forms: number, pc: number): number {
    const run = helperList[helper];
    if (run === undefined) return 0;
    this.rip = pc >>> 0;
    const result = run(this.#helperContext, destination >>> 0, source >>> 0, immediate, forms);
    if (result === 1) {
      this.rip = pc >>> 0;
    } else if (result === 2) {
      this.#budget -= record.BLOCK_COUNT;
      if (this.#budget < 0) {
        this.#leave(EXIT_BUDGET, pc);
        return 1;
      }
    }
    return result;
  }

  #createHelperContext(): HelperContext {
    const space = this;
    const check = (address: number, size: number, write: number): boolean =>
      size <= 0 || space.checkAccess(address | 0, Math.floor(address / 0x1_0000_0000) | 0, size, write, 0) === 0;
    return {
      get view() { return space.view; },
      get u8() { return space.u8; },
      readable: (address, size) => check(address, size, 0),
      writable: (address, size) => check(address, size, 1),
      offset: (address) => (address - state.GUEST_BASE) >>> 0,
      raise: (vector) => {
        space.#noteFault(vector, 0, 0, 0);
        return 1;
      },
      requireExactFloats: () => {
        space.#wantsExactFloats = true;
        space.#leave(EXIT_BUDGET, 0);
        return 1;
      },
      timestamp: () => {
        const now = space.environment.options.monotonicNs();
        return [now % 0x1_0000_0000 | 0, Math.floor(now / 0x1_0000_0000)];
      },
      cpu: this.cpu,
      processor: 0,
    };
  }

  #leave(reason: number, pc: number): void {
    this.view.setInt32(state.STATE_EXIT_REASON, reason, true);
    this.rip = pc >>> 0;
  }

  hot(pointer: number): number {
    const { view } = this;
    if (this.#stepping) return this.#enterStep(pointer);
    view.setInt32(pointer + record.BLOCK_COUNTER, record.BLOCK_COUNT, true);
    const address = view.getUint32(pointer + record.BLOCK_PC, true);
    const translator = this.#translator;
    if (translator !== undefined) {
      translator.hot(address);
      if (translator.pending >= MAXIMUM_PENDING) translator.work();
    }
    this.#budget -= record.BLOCK_COUNT;
    if (this.#budget >= 0) return 0;
    this.#leave(EXIT_BUDGET, address);
    return 1;
  }

  /** The first instruction of a step runs, the second ends it. */
  #enterStep(pointer: number): number {
    if (!this.#stepped) {
      this.#stepped = true;
      return 0;
    }
    this.#leave(EXIT_BUDGET, this.view.getUint32(pointer + record.BLOCK_PC, true));
    return 1;
  }

  step(): Exit {
    this.#setStepping(true);
    const { exactFloats } = this;
    this.#stepped = false;
    const exit = this.#run(0);
    // The instruction asked for code that obeys MXCSR, and is still to be done.
    if (exit.kind !== 'budget' || exactFloats === this.exactFloats) return exit;
    this.#stepped = false;
    return this.#run(0);
  }

  #setStepping(stepping: boolean): void {
    if (this.#stepping === stepping) return;
    this.#stepping = stepping;
    const { decoder } = this.shell;
    if (stepping) this.blocks.decodeWith((u8, offset, available, address, block) => decoder.decode(u8, offset, available, address, 1, block), 0);
    else this.blocks.decodeWith(this.environment.decoderOf(this.shell), record.BLOCK_COUNT);
  }

  /** SYSCALL (SDM Vol. 2B): rcx gets rip, r11 RFLAGS. 1: leave. */
  syscall(): number {
    const words = this.#words;
    words[2] = words[state.STATE_RIP >>> 2] ?? 0;
    words[3] = 0;
    words[22] = this.eflags;
    words[23] = 0;
    if (!this.environment.options.onSyscall(this)) return 0;
    this.view.setInt32(state.STATE_EXIT_REASON, EXIT_SYSCALL, true);
    return 1;
  }

  // ---- memory ----

  offset(address: number): number { return (address - state.GUEST_BASE) >>> 0; }
  grow(end: number): boolean { return this.#memory.grow(end); }

  protect(start: number, end: number, flags: number): boolean {
    if (flags !== 0 && !this.#memory.grow(end)) return false;
    if ((flags & PAGE_EXEC) === 0) this.invalidateCode(start, end);
    const { pages } = this;
    const { touched } = this.#memory;
    for (let page = start >>> 12; page < end >>> 12; page++) {
      pages[page] = flags | ((pages[page] ?? 0) & PAGE_CODE);
      if (flags !== 0) touched[page] = 1;
    }
    return true;
  }

  zero(start: number, end: number): void {
    this.invalidateCode(start, end);
    this.#memory.zero(start, end);
  }

  invalidateCode(start: number, end: number): void {
    if (end <= start) return;
    if (this.#memory.isMarked) this.#memory.marks.fill(1, start >>> MARK_SHIFT, ((end - 1) >>> MARK_SHIFT) + 1);
    this.blocks.invalidate(start, end);
    this.#translator?.invalidate(start, end);
  }

  check(address: number, length: number, flags: number): boolean {
    if (length <= 0) return length === 0;
    if (address < 0 || address + length > 0x1_0000_0000) return false;
    const { pages } = this;
    for (let page = Math.floor(address / 4096); page <= Math.floor((address + length - 1) / 4096); page++) {
      if (((pages[page] ?? 0) & flags) !== flags) return false;
    }
    return true;
  }

  fork(ranges: readonly (readonly [start: number, end: number])[]): GuestSpace | undefined {
    const child = new GuestSpace(this.environment, this.user);
    child.isFork = true;
    if (this.#compact) child.useCompactLayout();
    if (this.#exactFloats) child.#requireExactFloats();
    child.#memory.isMarked = this.#memory.isMarked;
    if (this.#program !== undefined) child.nameProgram(this.#program);
    for (const [start, end] of ranges) {
      if (!child.#memory.grow(end)) {
        child.release();
        return undefined;
      }
      child.#copyPages(this, start >>> 12, end >>> 12);
    }
    child.u8.set(this.u8.subarray(0, state.THREAD_STATE_SIZE), 0);
    child.#checked = this.#checked;
    return child;
  }

  /** Copies the pages that were ever used, in runs. */
  #copyPages(from: GuestSpace, first: number, end: number): void {
    const source = from.#memory;
    const target = this.#memory;
    let page = first;
    while (page < end) {
      target.pages[page] = (source.pages[page] ?? 0) & ~PAGE_CODE;
      if (source.touched[page] === 0) {
        page++;
        continue;
      }
      let last = page;
      while (last < end && source.touched[last] === 1) {
        target.pages[last] = (source.pages[last] ?? 0) & ~PAGE_CODE;
        target.touched[last] = 1;
        last++;
      }
      const offset = page * 4096 - state.GUEST_BASE;
      target.u8.set(source.u8.subarray(offset, last * 4096 - state.GUEST_BASE), offset);
      page = last;
    }
  }

  release(): void {
    if (this.#translator !== undefined) this.environment.finish(this.#translator);
    this.shell.clear(this.#translator?.slots() ?? []);
    this.environment.giveShell(this.shell, this.user);
  }

  requireChecks(): void {
    if (this.#checked) return;
    this.#checked = true;
    this.#translator?.reset();
    this.blocks.flush();
  }

  #requireExactFloats(): void {
    this.#wantsExactFloats = false;
    if (this.#exactFloats) return;
    this.#exactFloats = true;
    this.view.setUint32(state.STATE_EXACT_FLOATS, 1, true);
    this.#beginAnew();
  }

  /** With code of another kind. */
  #beginAnew(): void {
    this.#translator?.reset();
    if (this.#program !== undefined) this.nameProgram(this.#program);
    this.blocks.flush();
  }

  /** The interpreter and code that checks accesses ask for pages that seem to hold code, which is where stores are noted then; code without checks notes all. */
  watchStores(start: number, end: number): void {
    if (!this.#memory.isMarked) {
      this.#memory.isMarked = true;
      this.#beginAnew();
    }
    this.#memory.marks.fill(1, start >>> MARK_SHIFT, ((end - 1) >>> MARK_SHIFT) + 1);
    this.forgetStores(start, end);
  }

  forgetStores(start: number, end: number): void {
    const { pages } = this.#memory;
    const marks = this.#memory.marks.subarray(0, ((end - 1) >>> MARK_SHIFT) + 1);
    for (let mark = marks.indexOf(1, start >>> MARK_SHIFT); mark >= 0; mark = marks.indexOf(1, mark + 1)) {
      marks[mark] = 0;
      for (let page = mark * MARK_PAGES; page < (mark + 1) * MARK_PAGES; page++) {
        const flags = pages[page] ?? 0;
        if ((flags & PAGE_WRITE) !== 0) pages[page] = flags | PAGE_CODE;
      }
    }
  }

  *storedRanges(start: number, end: number): Iterable<readonly [start: number, end: number]> {
    const marks = this.#memory.marks.subarray(0, ((end - 1) >>> MARK_SHIFT) + 1);
    // What began in the 8 KiB before may reach over.
    let mark = marks.indexOf(1, Math.max(0, (start >>> MARK_SHIFT) - 1));
    while (mark >= 0) {
      let next = mark + 1;
      while (marks[next] === 1) next++;
      const from = Math.max(start, mark * 2 ** MARK_SHIFT);
      const to = Math.min(end, next * 2 ** MARK_SHIFT + 4096);
      if (from < to) yield [from, to];
      mark = marks.indexOf(1, next);
    }
  }

  // ---- registers ----

  getRegister(register: number): bigint {
    return this.view.getBigUint64(state.STATE_GPR + 8 * register, true);
  }
  setRegister(register: number, value: bigint): void {
    this.view.setBigUint64(state.STATE_GPR + 8 * register, BigInt.asUintN(64, value), true);
  }
  setRegisterNumber(register: number, value: number): void {
    this.#words[2 * register] = value % 0x1_0000_0000;
    this.#words[2 * register + 1] = Math.floor(value / 0x1_0000_0000);
  }
  get rip(): number { return (this.#words[state.STATE_RIP >>> 2] ?? 0) >>> 0; }
  set rip(value: number) {
    this.#words[state.STATE_RIP >>> 2] = value;
    this.#words[(state.STATE_RIP >>> 2) + 1] = 0;
  }
  get fsBase(): bigint { return this.view.getBigUint64(state.STATE_FS_BASE, true); }
  set fsBase(value: bigint) { this.view.setBigUint64(state.STATE_FS_BASE, BigInt.asUintN(64, value), true); }
  get gsBase(): bigint { return this.view.getBigUint64(state.STATE_GS_BASE, true); }
  set gsBase(value: bigint) { this.view.setBigUint64(state.STATE_GS_BASE, BigInt.asUintN(64, value), true); }

  get eflags(): number {
    const words = this.#words;
    const at = state.STATE_FLAG_RESULT >>> 2;
    const arithmetic = flagsToEflags(words[at] ?? 0, words[at + 1] ?? 0, words[at + 2] ?? 0, words[at + 3] ?? 0);
    return arithmetic | ((words[state.STATE_EFLAGS_OTHER >>> 2] ?? 0) & EFLAGS_OTHER) | EFLAGS_FIXED;
  }
  set eflags(value: number) {
    const words = this.#words;
    const at = state.STATE_FLAG_RESULT >>> 2;
    const flags = eflagsToFlags(value);
    words[at] = flags.resultLow;
    words[at + 1] = flags.resultHigh;
    words[at + 2] = flags.auxLow;
    words[at + 3] = flags.auxHigh;
    words[state.STATE_EFLAGS_OTHER >>> 2] = value & EFLAGS_OTHER;
  }

  get cpu(): CpuLevel { return this.environment.options.cpu ?? DEFAULT_CPU; }
  get xstateSize(): number { return XSAVE_SIZES[this.cpu]; }
  get xstateFeatures(): number { return featuresOf(this.cpu); }
  saveXstate(target: Uint8Array): void { saveXsaveImage(this.view, target, this.cpu); }
  loadXstate(source: Uint8Array): void {
    loadXsaveImage(this.view, source, this.cpu);
    this.#noteMxcsr();
  }

  saveFpu(target: Uint8Array): void { saveFxImage(this.view, target); }
  loadFpu(source: Uint8Array): void {
    loadFxImage(this.view, source);
    this.#noteMxcsr();
  }

  #noteMxcsr(): void {
    if (this.view.getUint32(state.STATE_MXCSR, true) !== MXCSR_INIT) this.#requireExactFloats();
  }

  resetRegisters(): void {
    this.u8.fill(0, 0, state.THREAD_STATE_SIZE);
    this.view.setUint16(state.STATE_X87_CONTROL, 0x37f, true);
    this.view.setUint32(state.STATE_MXCSR, MXCSR_INIT, true);
    this.eflags = EFLAGS_FIXED;
  }

  saveThread(target: Uint8Array): void { target.set(this.u8.subarray(0, state.THREAD_STATE_SIZE)); }
  loadThread(source: Uint8Array): void { this.u8.set(source.subarray(0, state.THREAD_STATE_SIZE), 0); }

  /**
   * A Wasm trap in code that does not check pages: an address that no page was ever mapped at, or tables
   * that the guest has overwritten. Registers are those of the last call or jump that stored them.
   */
  #trap(error: unknown): Exit {
    const stackOverflow = error instanceof RangeError && /call stack/.test(error.message);
    if (!(error instanceof WebAssembly.RuntimeError) && !stackOverflow) throw error;
    return { kind: 'fault', vector: PAGE_FAULT, error: ERROR_USER, address: 0 };
  }

  run(budget: number): Exit {
    if (this.#stepping) this.#setStepping(false);
    return this.#run(budget);
  }

  #run(budget: number): Exit {
    this.#budget = budget;
    this.#words[state.STATE_ZERO >>> 2] = 0;
    this.#words[(state.STATE_ZERO >>> 2) + 1] = 0;
    this.#words[state.STATE_EXIT_REASON >>> 2] = EXIT_NONE;
    this.shell.fuel.value = budget;
    try {
      this.shell.start(this.rip);
    } catch (error) {
      return this.#trap(error);
    }
    const reason = this.#words[state.STATE_EXIT_REASON >>> 2];
    if (reason === EXIT_SYSCALL) return { kind: 'syscall' };
    if (reason === EXIT_BUDGET) {
      if (this.#wantsExactFloats) this.#requireExactFloats();
      if (!this.#stepping) this.#translator?.work();
      return { kind: 'budget' };
    }
    if (reason === EXIT_FAULT) {
      const { view } = this;
      return {
        kind: 'fault',
        vector: view.getInt32(state.STATE_FAULT_VECTOR, true),
        error: view.getInt32(state.STATE_FAULT_ERROR, true),
        address: view.getFloat64(state.STATE_FAULT_ADDRESS, true),
      };
    }
    // A return to address 0: the fetch faults there.
    this.rip = 0;
    return { kind: 'fault', vector: PAGE_FAULT, error: ERROR_FETCH | ERROR_USER, address: 0 };
  }
}

export { ERROR_FETCH };
