/**
 * The form of an instruction row and of a decoded instruction.
 *
 * A row says how an instruction is encoded and what its operands are; its meaning is the semantic
 * function of the same name in `machine/semantics`. Decoder, disassembler, interpreter, translator and
 * the differential tests are all derived from the rows.
 *
 * Operand codes follow the Intel SDM Vol. 2, Appendix A.2 ("Codes for Addressing Method" and
 * "Codes for Operand Type"): `Eb`, `Gv`, `Iz`, `Jb`, `Wdq`, `Vsd`, ...
 */

/** Opcode maps: one byte, `0F`, `0F 38`, `0F 3A`, and the last three behind a VEX prefix. */
export type OpcodeMap = 0 | 1 | 2 | 3 | 4 | 5 | 6;

/** Mandatory prefix of an SSE-style row: none, 66, F3 or F2. `undefined` where prefixes are not part of the opcode. */
export type MandatoryPrefix = 'none' | '66' | 'F3' | 'F2';

export type Feature =
  | 'base' | 'x87' | 'mmx' | 'sse' | 'sse2' | 'sse3' | 'ssse3' | 'sse41' | 'sse42'
  | 'popcnt' | 'cx16' | 'aes' | 'pclmul' | 'sha' | 'xsave' | 'movbe' | 'lzcnt' | 'bmi1' | 'bmi2' | 'avx' | 'avx2' | 'fma' | 'f16c' | 'rdtscp' | 'fxsr' | 'cmov';

export interface InstructionRow {
  /** Position in the table; assigned when the table is built. */
  readonly id: number;
  /** Intel mnemonic in lower case, as objdump -M intel prints it without size hints. */
  readonly mnemonic: string;
  readonly map: OpcodeMap;
  readonly opcode: number;
  /** True when the low three bits of the opcode name a register (`push r64`, `bswap`, `mov r, imm`, `xchg`). */
  readonly opcodeRegister?: boolean | undefined;
  readonly prefix?: MandatoryPrefix | undefined;
  /** ModRM.reg, for opcode groups (`/0` to `/7`). */
  readonly group?: number | undefined;
  /** Restricts ModRM.mod: `'mem'` (mod != 3) or `'reg'` (mod == 3). */
  readonly modrm?: 'mem' | 'reg' | undefined;
  /** With `modrm: 'reg'`, an exact ModRM.rm (x87 `D9 E8` and the like). */
  readonly rm?: number | undefined;
  /** REX.W must be this, where it selects another instruction (`movq`/`movd`, `cmpxchg16b`). */
  readonly rexW?: 0 | 1 | undefined;
  /** VEX.L must be this, where the vector has a length: 128 or 256 bits. */
  readonly vectorLength?: 0 | 1 | undefined;
  /** Operands, destination first, as Intel codes. */
  readonly operands: readonly string[];
  /** Key into the semantics; the mnemonic unless several rows share one meaning or one mnemonic has several. */
  readonly semantics: string;
  readonly feature: Feature;
  /** How control leaves: everything but `'next'` ends a block. */
  readonly flow: 'next' | 'jump' | 'branch' | 'call' | 'return' | 'indirect-jump' | 'indirect-call' | 'syscall' | 'trap';
  /** Operand size is 64 bits without REX.W (push, pop, call, ...): SDM Vol. 2, "d64"/"f64". */
  readonly default64?: boolean | undefined;
  /** Which REP prefixes mean something: string instructions. */
  readonly repeat?: 'rep' | 'repe-repne' | undefined;
  /** LOCK is allowed when operand 0 is memory. */
  readonly lockable?: boolean | undefined;
  /** Operand size is one byte though no listed operand says so (`movs`, `stos`, ... of bytes). */
  readonly byte?: boolean | undefined;
  /** A 16-byte memory operand must be aligned (general protection otherwise): legacy SSE. */
  readonly aligned?: boolean | undefined;
}

/** Registers of one class are numbered as ModRM and REX encode them. */
export type RegisterClass = 'gpr' | 'xmm' | 'mmx' | 'x87' | 'segment' | 'control' | 'debug';

export interface RegisterOperand {
  readonly kind: 'register';
  readonly class: RegisterClass;
  readonly index: number;
  /** Operand size in bytes: 1, 2, 4, 8, 10, 16 or 32 (a YMM register, of class `xmm`). */
  readonly size: number;
  /** AH, CH, DH or BH; `index` is then 0 to 3. */
  readonly high8: boolean;
}

/** `[base + index * 2^scale + displacement + segment base]`. */
export interface MemoryOperand {
  readonly kind: 'memory';
  readonly size: number;
  /** GPR number, or -1 for none. RIP-relative addresses are resolved into `displacement`. */
  readonly base: number;
  readonly index: number;
  /** Number of the XMM or YMM register whose lanes are indexes (VSIB), or -1; `index` is then -1. */
  readonly vectorIndex: number;
  /** Shift count 0 to 3. */
  readonly scale: number;
  /**
   * Sign-extended 32-bit displacement; for RIP-relative operands the absolute address; for `moffs`
   * (opcodes A0-A3) the absolute address. Always a safe integer; addresses above 2^53 are clamped there.
   */
  readonly displacement: number;
  readonly ripRelative: boolean;
  /** Only fs and gs have a base in 64-bit mode. */
  readonly segment: 'none' | 'fs' | 'gs';
  /** 67 prefix: the address is truncated to 32 bits before the segment base is added. */
  readonly address32: boolean;
}

/** An immediate, already sign- or zero-extended as the row says, as a signed 64-bit value in two halves. */
export interface ImmediateOperand {
  readonly kind: 'immediate';
  readonly size: number;
  /** Low 32 bits, signed. */
  readonly low: number;
  /** High 32 bits, signed. */
  readonly high: number;
}

/** The target of a direct jump or call, as a guest address. */
export interface TargetOperand {
  readonly kind: 'target';
  readonly size: number;
  readonly address: number;
}

export type Operand = RegisterOperand | MemoryOperand | ImmediateOperand | TargetOperand;

export interface DecodedInstruction {
  readonly row: InstructionRow;
  readonly address: number;
  /** In bytes, 1 to 15. */
  readonly length: number;
  /** Operand size in bytes of the `v` operands: 2, 4 or 8 (1 where the row has byte operands only). */
  readonly size: number;
  readonly operands: readonly Operand[];
  readonly repeat: 'none' | 'rep' | 'repne';
  readonly lock: boolean;
  /**
   * Segment override and 67 prefix, for what a row leaves implicit: the source `[rsi]` of string
   * instructions, `[rbx + al]` of xlat, `[rdi]` of maskmovdqu, the counter of loop and jrcxz.
   */
  readonly segment: 'none' | 'fs' | 'gs';
  readonly address32: boolean;
}

/** What the decoder answers where there is no instruction. */
export interface UndecodableInstruction {
  readonly row: undefined;
  readonly address: number;
  /** Bytes looked at. */
  readonly length: number;
  /**
   * `'invalid'`: #UD; `'truncated'`: the bytes ended (a page that cannot be executed follows);
   * `'too-long'`: more than 15 bytes, #GP.
   */
  readonly reason: 'invalid' | 'truncated' | 'too-long';
}
