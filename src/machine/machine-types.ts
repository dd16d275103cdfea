/** What the kernel sees of the machine. */
import type { RegionCompiler } from './translator/index.ts';
import type { UnitStorage } from './units/unit-store.ts';

/** Why `AddressSpace.run` came back. */
export type Exit =
  /** The budget is used up: another task's turn. */
  | { readonly kind: 'budget' }
  /** The system call handler asked for it by answering true (the task blocked, ended, has a signal, or was replaced). */
  | { readonly kind: 'syscall' }
  /** An exception at `rip`, by x86 vector; for 14 (#PF) `address` and the error code's bits: 1 present, 2 write, 16 fetch. */
  | { readonly kind: 'fault'; readonly vector: number; readonly error: number; readonly address: number };

/** What CPUID reports to programs: x86-64-v2, or v3 with AVX2, BMI and FMA (System V ABI, AMD64 supplement, table 3.1). */
export type CpuLevel = 'v2' | 'v3';
/** See docs/performance.md. */
export const DEFAULT_CPU: CpuLevel = 'v2';

export interface MachineOptions {
  /**
   * Called for SYSCALL with rip already behind it and rcx and r11 not yet clobbered by the machine
   * (it does that). The handler reads and writes registers through the space. True: leave `run`.
   */
  readonly onSyscall: (space: AddressSpace) => boolean;
  /** Nanoseconds, monotonic, for RDTSC (the time stamp counter runs at 1 GHz). */
  readonly monotonicNs: () => number;
  /** Force one tier: for tests and `--engine`. Default `'both'`. */
  readonly tier?: 'both' | 'interpreter' | 'translator';
  /** Default `DEFAULT_CPU`. */
  readonly cpu?: CpuLevel;
}

/** What the build made of the machine, as a host hands it over. */
export interface MachineImage {
  /** `dist/interpreter.bin`, see `interpreter/generate.ts`. */
  readonly interpreter: Uint8Array;
  /** Reads `dist/vectors.bin`: the handlers of AVX, which a machine with `cpu: 'v3'` needs. */
  readonly vectors?: () => Uint8Array;
  /** Makes a module of the machine's own, if the host can do better than to compile it. */
  readonly compile?: (wasm: Uint8Array<ArrayBuffer>, name: 'interpreter' | 'decoder' | 'vectors') => WebAssembly.Module;
  /** Loads the translator (`translator/index.ts`), which few programs need. */
  readonly translator: () => RegionCompiler;
  /** The engine is known to compile float arithmetic to x86's own, so that NaN results need no care. */
  readonly nativeNans?: boolean;
  /** Where translations are kept from one process to the next. Without: nowhere. */
  readonly units?: UnitCache;
  /** Machine code of modules outlives the process, too, where the host has a way. */
  readonly native?: NativeCode;
}

/** Translations by program. */
export interface UnitCache {
  /** The layout of programs in memory that they are for; undefined: there are none. */
  readonly layoutSeed: number | undefined;
  keepLayout(layoutSeed: number): void;
  open(program: string): UnitStorage;
}

/** The engine's own form of a compiled module. */
export interface NativeCode {
  /** A module's function was compiled with all optimizations. */
  isOptimized(code: WebAssembly.ExportValue): boolean;
  /** Compiles a module's function with all optimizations, now. Absent: a program that ends does not wait for that, `optimizeKept` does it. */
  optimize?(code: WebAssembly.ExportValue): void;
  /** Of a module with such functions: their code. Undefined: the engine does not give it away. */
  write(module: WebAssembly.Module): Uint8Array<ArrayBuffer> | undefined;
  /** Undefined: it is not fit for this engine. `wasm`: the module's bytes. */
  read(code: Uint8Array<ArrayBuffer>, wasm: Uint8Array<ArrayBuffer>): WebAssembly.Module | undefined;
}

export interface MachineStatistics {
  instructionsDecoded: number;
  unitsTranslated: number;
  wasmBytes: number;
  undecodable: number;
}

export interface Machine {
  readonly statistics: MachineStatistics;
  /** An empty address space; takes a pooled memory where one of the same user is left. */
  createAddressSpace(user?: string): AddressSpace;
  /** The layout of programs in memory for which translations are kept, if some are: the same layout finds them again. */
  readonly layoutSeed: number | undefined;
  /** Keeps new translations, with the layout that they are for. Answers the programs of which a good part has no machine code (`optimizeKept`). */
  saveUnits(layoutSeed: number): readonly string[];
}

/**
 * The memory and the registers of a process. Pages have flags (`PAGE_READ`, ...); the kernel owns the
 * list of mappings and keeps the flags up to date.
 */
export interface AddressSpace {
  /**
   * Whose memory it becomes when it is released: only address spaces of the same user get it, because fast code may have stored where nothing was mapped, which nobody
   * notes and which a next mapping there would show. Undefined: nobody's. A fork has its parent's.
   */
  user: string | undefined;
  readonly memory: WebAssembly.Memory;
  /** Views of the whole Wasm memory. Replaced when it grows: do not keep them across a call that can grow it. */
  readonly u8: Uint8Array;
  readonly i32: Int32Array;
  readonly view: DataView;
  /** Flags of all 2^20 pages, indexed by guest address >>> 12. Change them with `protect`. */
  readonly pages: Uint8Array;

  // ---- memory ----
  /** Index in `u8` of a guest address: (address - GUEST_BASE) >>> 0. No check. */
  offset(address: number): number;
  /** Makes the Wasm memory reach `end` (a guest address). False when the host has no more memory. */
  grow(end: number): boolean;
  /** Sets the flags of the pages of [start, end), grows the memory as needed, drops code that is no longer executable. Contents stay. False: no memory. */
  protect(start: number, end: number, flags: number): boolean;
  /** Fills with zeros (where pages were never touched this is free) and drops code there. */
  zero(start: number, end: number): void;
  /** The kernel wrote to these bytes, or is about to: drops code that was made from them. */
  invalidateCode(start: number, end: number): void;
  /** True if all pages of [address, address + length) have all these flags; length 0 is fine. */
  check(address: number, length: number, flags: number): boolean;
  /** A copy of registers and of the pages listed ([start, end) pairs), with the same flags: for fork. */
  fork(ranges: readonly (readonly [start: number, end: number])[]): AddressSpace | undefined;
  /** Gives the memory back to the pool. The space must not be used afterwards. */
  release(): void;
  /** Bytes of Wasm memory in use by the machine for this space (tables, records). */
  readonly overhead: number;

  /**
   * Accesses must be precise from here on (a SIGSEGV handler was installed, a guard page matters,
   * memory is both writable and executable): code that does not check pages is dropped.
   */
  requireChecks(): void;
  readonly checked: boolean;

  /**
   * From here on it is noted what is stored to the pages of [start, end) that may be written. The first time code is dropped that does
   * not note its stores. What the kernel writes counts where it says so to `invalidateCode`; so do changes of protection.
   */
  watchStores(start: number, end: number): void;
  /** What was stored to [start, end) is known: it is noted anew from here on. What shares 8 KiB with it is forgotten, too. */
  forgetStores(start: number, end: number): void;
  /** Stores are noted. */
  readonly watched: boolean;
  /** Where in [start, end), whole pages, something may have been stored since `watchStores`, a little more at most. */
  storedRanges(start: number, end: number): Iterable<readonly [start: number, end: number]>;

  /**
   * SSE obeys MXCSR: rounding control, exception flags, unmasked exceptions, denormals. Otherwise it computes as under
   * the MXCSR of a new process, faster, and sets no flags. The change comes when the program first loads MXCSR with another
   * value or on purpose (`helpers/mxcsr.ts`), and stays.
   */
  readonly exactFloats: boolean;

  // ---- registers of the running thread ----
  /** 32-bit halves: low at 2 * register, high at 2 * register + 1, numbered as encoded. */
  readonly registers: Int32Array;
  getRegister(register: number): bigint;
  setRegister(register: number, value: bigint): void;
  /** Sets from a safe integer, negative as two's complement. */
  setRegisterNumber(register: number, value: number): void;
  rip: number;
  fsBase: bigint;
  gsBase: bigint;
  /** EFLAGS with IF and bit 1 set, as a signal frame shows it. */
  eflags: number;
  /** FXSAVE image, 512 bytes, for signal frames and ptrace. */
  saveFpu(target: Uint8Array): void;
  loadFpu(source: Uint8Array): void;
  /** Bytes of a whole image as XSAVE writes it, in its standard form, and the components that it has (XCR0). */
  readonly xstateSize: number;
  readonly xstateFeatures: number;
  saveXstate(target: Uint8Array): void;
  /** What XSTATE_BV lacks becomes what a new process has. Reserved bits are dropped. */
  loadXstate(source: Uint8Array): void;
  /** x87 and SSE as after `execve`: FCW 0x37F, MXCSR 0x1F80, everything else 0, all registers 0. */
  resetRegisters(): void;
  /** The whole thread state (`THREAD_STATE_SIZE` bytes), for task switches. */
  saveThread(target: Uint8Array): void;
  loadThread(source: Uint8Array): void;

  /** Before anything is mapped: decoded records are kept between `COMPACT_RECORDS_START` and `COMPACT_RECORDS_END` first, which the program cannot use then. */
  useCompactLayout(): void;
  /** Says under which name translations of its code are shared and kept, before it runs. Code without a name is interpreted. */
  nameProgram(name: string): void;
  /** Runs from `rip` until there is a reason to come back. `budget` is in blocks (about 5 instructions). */
  run(budget: number): Exit;
  /** Interprets one instruction: `'budget'` once it is done, or one round of a repeated string instruction is. Slow. */
  step(): Exit;
}

/** Register numbers as encoded. */
export const RAX = 0;
export const RCX = 1;
export const RDX = 2;
export const RBX = 3;
export const RSP = 4;
export const RBP = 5;
export const RSI = 6;
export const RDI = 7;
export const R8 = 8;
export const R9 = 9;
export const R10 = 10;
export const R11 = 11;
export const R12 = 12;
export const R13 = 13;
export const R14 = 14;
export const R15 = 15;
