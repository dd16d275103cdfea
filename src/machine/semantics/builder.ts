/**
 * What an instruction's meaning is written in. A semantic function receives a `Builder` for one form of
 * one row (which operands are registers and which memory, and their sizes, are known; register numbers,
 * displacements and immediates need not be) and emits Wasm through it. The interpreter's generator
 * implements it with fields of the decoded record, the translator with locals and constants, the
 * analyser by taking notes.
 *
 * Rules for semantic functions:
 *
 * 1. An `Expr` is emitted where it is consumed, each time it is consumed. Use `let` for what is used
 *    twice, or is used after a register, flag or memory it depends on may have changed.
 * 2. Faults are precise: do every memory read, then every memory write, then write registers, then
 *    flags. Nothing that the guest can see may change before the last access that can fault.
 * 3. Values of 1, 2 and 4 byte operands are `i32`, of 8 bytes `i64`. `read` gives 1 and 2 byte operands
 *    zero-extended; `write` ignores what is above the operand's size. Writing a 4-byte general register
 *    clears its upper half, writing 1 or 2 bytes keeps the rest, as the processor does.
 * 4. No JavaScript branch may depend on a register number or an immediate's value, except through
 *    `constant()` (undefined in the interpreter), and then both ways must mean the same.
 */

export type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128';

/** A Wasm expression that has not been emitted yet. Immutable. */
export interface Expr {
  readonly type: ValueType;
  /** Wasm opcode; SIMD opcodes are 0xFD00 + n, saturating and bulk opcodes 0xFC00 + n. */
  readonly opcode: number;
  readonly args: readonly Expr[];
  /** Constant value, local index, memory offset or lane, as the opcode needs. */
  readonly immediate: number;
  /** For 64-bit constants that are no safe integers: the value (else it is in `immediate`). */
  readonly bits: bigint | undefined;
  /** The 16 bytes of a v128 constant, or the lanes of a shuffle. */
  readonly bytes: readonly number[] | undefined;
}

export type ConditionCode = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15;
export type FlagName = 'CF' | 'PF' | 'AF' | 'ZF' | 'SF' | 'OF';

export interface Builder {
  // ---- the form ----
  /** Operand size in bytes of the `v` operands: 1, 2, 4 or 8. */
  readonly size: number;
  /** Number of explicit operands. */
  readonly operandCount: number;
  operandSize(index: number): number;
  isMemory(index: number): boolean;
  /** The value of an immediate operand where it is known (translator), else undefined. */
  constant(index: number): number | undefined;
  readonly mnemonic: string;
  readonly repeat: 'none' | 'rep' | 'repne';

  // ---- explicit operands ----
  /** General register, memory or immediate; also the low bytes of an xmm or mmx operand. */
  read(index: number): Expr;
  write(index: number, value: Expr): void;
  /** As `read`, sign-extended to 8 bytes (i64) or 4 (i32). */
  readSigned(index: number, to: 'i32' | 'i64'): Expr;
  /** Effective address of a memory operand, i64, segment base not included (for lea). */
  address(index: number): Expr;
  /** Effective address of a memory operand with the segment base, i64, for `load` and `store`. */
  linearAddress(index: number): Expr;

  /** Whole xmm register or 16 bytes of memory (alignment is checked where the row says so). */
  readV128(index: number): Expr;
  writeV128(index: number, value: Expr): void;
  /** Low 8 or 4 bytes of an xmm register, or that much memory. */
  readF64(index: number): Expr;
  readF32(index: number): Expr;
  readLow64(index: number): Expr; // i64
  readLow32(index: number): Expr; // i32
  /** High 8 bytes of an xmm register, i64. */
  readHigh64(index: number): Expr;
  /** Writes the low bytes of an xmm register and keeps the rest; of memory, just those bytes. */
  writeF64(index: number, value: Expr): void;
  writeF32(index: number, value: Expr): void;
  writeLow64(index: number, value: Expr): void;
  writeLow32(index: number, value: Expr): void;
  writeHigh64(index: number, value: Expr): void;
  /** Writes the low bytes of an xmm register and clears the rest (`movq`, `movd`, `movss xmm, m32`). */
  writeLow64Zero(index: number, value: Expr): void;
  writeLow32Zero(index: number, value: Expr): void;
  /** A ymm register or 32 bytes of memory, as two halves that can be read several times. */
  readV256(index: number): readonly [low: Expr, high: Expr];
  writeV256(index: number, low: Expr, high: Expr): void;
  /** Bits 128 to 255 of a register operand; of a register by number. The other methods do not touch them. */
  readYmmHigh(index: number): Expr;
  writeYmmHigh(index: number, value: Expr): void;
  writeYmmHighOf(register: number, value: Expr): void;
  /** Of memory with a vector of indexes: the register's offset in the CPU state, and the shift count, i32. */
  vectorIndex(index: number): Expr;
  vectorScale(index: number): Expr;
  /** mmx register or 8 bytes of memory, i64. Reading or writing a register makes the x87 state MMX (TOP 0, all tags in use, exponent all ones on write). */
  readMmx(index: number): Expr;
  writeMmx(index: number, value: Expr): void;

  // ---- implicit registers and memory ----
  /** General register by number; sizes as in rule 3. `high8` for AH. */
  readGpr(register: number, size: number, high8?: boolean): Expr;
  writeGpr(register: number, size: number, value: Expr, high8?: boolean): void;
  readXmm(register: number): Expr;
  writeXmm(register: number, value: Expr): void;
  /** Memory at a guest address (i64, segment base included), 1, 2, 4 or 8 bytes; value as in rule 3. */
  load(address: Expr, size: number): Expr;
  store(address: Expr, size: number, value: Expr): void;
  /** Stack access relative to rsp; `pop` does not change rsp until its value was loaded, see `push`. */
  push(value: Expr, size: number): void;
  /** Loads the top of the stack (already `let`); the caller then calls `addRsp(size)` when nothing can fault any more. */
  peekStack(size: number): Expr;
  addRsp(bytes: number): void;
  /** 4, 8 or 16 bytes of the CPU state by offset (`STATE_MXCSR`, ...). */
  readState(offset: number, type: 'i32' | 'i64' | 'v128'): Expr;
  writeState(offset: number, value: Expr): void;
  /** Address of the next instruction, i64. */
  nextRip(): Expr;

  // ---- flags ----
  /** Flags of `result = a + b`, ALL of CF PF AF ZF SF OF, operands in the type of `size`. */
  flagsAdd(size: number, a: Expr, b: Expr, result: Expr): void;
  /** Flags of `result = a - b` (cmp, sub, neg with a = 0, cmpxchg, scas); a and b have no bits above the size. */
  flagsSub(size: number, a: Expr, b: Expr, result: Expr): void;
  /** Flags of `result = a + b + carry` and `a - b - carry`, with carry 0 or 1 already added. */
  flagsAdc(size: number, a: Expr, b: Expr, result: Expr): void;
  flagsSbb(size: number, a: Expr, b: Expr, result: Expr): void;
  /** inc and dec: as add or sub with 1, CF unchanged. */
  flagsInc(size: number, result: Expr): void;
  flagsDec(size: number, result: Expr): void;
  /** and, or, xor, test: CF = OF = AF = 0. */
  flagsLogic(size: number, result: Expr): void;
  /** ZF, SF and PF from `result`; CF and OF given as i32 0/1; AF given or 0. For shifts, mul and so on. */
  flagsResult(size: number, result: Expr, carry: Expr, overflow: Expr, auxiliary?: Expr): void;
  /** COMISD and its like: ZF, PF and CF from two floats, all set when unordered; OF, SF, AF 0. */
  flagsCompare(a: Expr, b: Expr): void;
  /** Sets single flags to i32 0/1 values and keeps the others (rol, bt, stc, popf...). */
  setFlags(flags: Partial<Record<FlagName, Expr>>): void;
  /** i32, 0 or 1. */
  flag(name: FlagName): Expr;
  /** Condition as encoded in Jcc, SETcc, CMOVcc (SDM Vol. 1 App. B), i32 0 or 1. */
  condition(code: ConditionCode): Expr;
  /** The row's own condition: low four bits of the opcode. */
  ownCondition(): Expr;

  /** Wasm's float add, subtract and multiply give the NaN that x86 gives: the code runs on such a processor. */
  readonly nativeNans: boolean;

  // ---- statements ----
  /** Emits `value` once and gives it a local. */
  let(value: Expr): Expr;
  /** A fresh local to assign in branches: `v = variable('i32', init)`, `assign(v, ...)`, then use `v` as an Expr. */
  variable(type: ValueType, initial: Expr): Expr;
  assign(variable: Expr, value: Expr): void;
  if(condition: Expr, then: () => void, otherwise?: () => void): void;
  /** The same of what seldom happens: it is kept out of the way of the rest. */
  unlikely(condition: Expr, then: () => void): void;
  /** Raises an x86 exception by vector at this instruction (a fault: rip stays); the rest is not reached. */
  fault(vector: number): void;
  /** Raises the exception if the condition (i32) is not zero. */
  faultIf(condition: Expr, vector: number): void;
  /**
   * Calls a helper written in TypeScript (see `helpers/`). `destination` and `source` are explicit
   * operand indexes or undefined. Memory operands are given as guest addresses, registers as offsets
   * into the state; the helper loads and stores itself. All registers are in memory around the call.
   * `immediate` may be an i32 Expr, such as `read` of an immediate operand that is not known.
   */
  helper(name: string, destination?: number, source?: number, immediate?: number | Expr): void;
  /** The same with operands that are offsets into the CPU state. */
  helperAt(name: string, destination: number, source: number | Expr, immediate: number | Expr): void;
  /** Calls the function of `compare-strings.ts`. i32, readable several times. */
  compareStrings(first: Expr, second: Expr, firstLength: Expr, secondLength: Expr, control: Expr): Expr;

  // ---- expressions: Wasm instructions, by the type of the first argument ----
  i32(value: number): Expr;
  i64(value: bigint | number): Expr;
  f64(value: number): Expr;
  f32(value: number): Expr;
  /** 16 bytes, low byte first. */
  v128(bytes: readonly number[]): Expr;
  /** Constant in the type that holds `size` bytes (i32 for 1, 2 and 4). */
  sized(size: number, value: number): Expr;
  add(a: Expr, b: Expr): Expr;
  sub(a: Expr, b: Expr): Expr;
  mul(a: Expr, b: Expr): Expr;
  divS(a: Expr, b: Expr): Expr;
  divU(a: Expr, b: Expr): Expr;
  remS(a: Expr, b: Expr): Expr;
  remU(a: Expr, b: Expr): Expr;
  and(a: Expr, b: Expr): Expr;
  or(a: Expr, b: Expr): Expr;
  xor(a: Expr, b: Expr): Expr;
  not(a: Expr): Expr;
  /** Shift counts are converted to the type of `a`. */
  shl(a: Expr, count: Expr): Expr;
  shrU(a: Expr, count: Expr): Expr;
  shrS(a: Expr, count: Expr): Expr;
  rotl(a: Expr, count: Expr): Expr;
  rotr(a: Expr, count: Expr): Expr;
  clz(a: Expr): Expr;
  ctz(a: Expr): Expr;
  popcnt(a: Expr): Expr;
  /** Comparisons give i32 0 or 1. */
  eqz(a: Expr): Expr;
  eq(a: Expr, b: Expr): Expr;
  ne(a: Expr, b: Expr): Expr;
  ltS(a: Expr, b: Expr): Expr;
  ltU(a: Expr, b: Expr): Expr;
  gtS(a: Expr, b: Expr): Expr;
  gtU(a: Expr, b: Expr): Expr;
  leS(a: Expr, b: Expr): Expr;
  leU(a: Expr, b: Expr): Expr;
  geS(a: Expr, b: Expr): Expr;
  geU(a: Expr, b: Expr): Expr;
  /** `condition ? a : b`, both evaluated. */
  select(condition: Expr, a: Expr, b: Expr): Expr;
  wrap(a: Expr): Expr; // i64 -> i32
  extendS(a: Expr): Expr; // i32 -> i64
  extendU(a: Expr): Expr; // i32 -> i64
  /** Sign-extends the low `size` bytes within the type of `a`. */
  signExtend(a: Expr, size: number): Expr;
  /** Masks to the low `size` bytes within the type of `a`. */
  zeroExtend(a: Expr, size: number): Expr;
  /** To the type that holds `size` bytes: wraps, or zero-extends. */
  resize(a: Expr, size: number): Expr;
  /** Any other Wasm instruction by its opcode (0xFDxx for SIMD), result type and immediate (lane, …). Constants are in `wasm/opcodes.ts`. */
  op(opcode: number, type: ValueType, args: readonly Expr[], immediate?: number): Expr;
  /** i8x16.shuffle with 16 lane numbers 0 to 31. */
  shuffle(a: Expr, b: Expr, lanes: readonly number[]): Expr;
}

export type SemanticFunction = (builder: Builder) => void;
/** By the `semantics` key of the rows. */
export type SemanticsTable = Readonly<Record<string, SemanticFunction>>;
