/**
 * What a program may do, found before it is taken (Linux kernel/bpf/verifier.c, far smaller): it ends, because it jumps forward only; it reads its context and its own
 * stack only; what it answers is 0 or 1. It calls nothing and has no maps. Some programs that Linux would take are refused.
 */
import { EACCES, EINVAL } from '../../abi/errno.ts';
import {
  ALU_AND, ALU_ARSH, ALU_DIV, ALU_END, ALU_LSH, ALU_MOD, ALU_MOV, ALU_NEG, ALU_RSH, CLASS_ALU, CLASS_ALU64, CLASS_JMP, CLASS_JMP32, CLASS_LD, CLASS_LDX, CLASS_ST, CLASS_STX, FRAME_POINTER, FROM_REGISTER, JUMP_ALWAYS, JUMP_CALL, JUMP_EXIT, LAST_JUMP,
  LOAD_WIDE, MODE_MEM, STACK_SIZE, classOf, operationOf, sizeOf,
} from './instructions.ts';
import type { Instruction } from './instructions.ts';

/** Undefined: nothing was written to it. A bit is a number that is 0 or 1. */
type Kind = 'number' | 'bit' | 'context' | 'stack' | undefined;
type Registers = readonly Kind[];

const REGISTERS = 11;
const SHIFTS = new Set([ALU_LSH, ALU_RSH, ALU_ARSH]);

export interface Refusal {
  readonly errno: number;
  /** For `log_buf`. */
  readonly why: string;
}

class Refused extends Error {
  readonly errno: number;

  constructor(errno: number, why: string) {
    super(why);
    this.errno = errno;
  }
}

const isNumber = (kind: Kind): boolean => kind === 'number' || kind === 'bit';
const kindOf = (value: number): Kind => (value === 0 || value === 1 ? 'bit' : 'number');

function merge(a: Registers | undefined, b: Registers): Registers {
  return a === undefined ? b : a.map((kind, index) => (kind === b[index] ? kind : isNumber(kind) && isNumber(b[index]) ? 'number' : undefined));
}

class Verifier {
  readonly #instructions: readonly Instruction[];
  readonly #contextSize: number;
  /** What registers hold before each instruction; absent: nothing leads there yet. */
  readonly #before: (Registers | undefined)[] = [];
  #at = 0;
  #registers: Kind[] = [];

  constructor(instructions: readonly Instruction[], contextSize: number) {
    this.#instructions = instructions;
    this.#contextSize = contextSize;
  }

  run(): void {
    const start: Kind[] = Array.from({ length: REGISTERS }, () => undefined);
    start[1] = 'context';
    start[FRAME_POINTER] = 'stack';
    this.#before[0] = start;
    for (this.#at = 0; this.#at < this.#instructions.length; this.#at++) {
      const known = this.#before[this.#at];
      if (known === undefined) throw new Refused(EINVAL, `unreachable insn ${this.#at}`);
      this.#registers = [...known];
      this.#step(this.#instructions[this.#at]!);
    }
  }

  #step(one: Instruction): void {
    if (one.target >= REGISTERS || one.source >= REGISTERS) throw new Refused(EINVAL, `R${Math.max(one.target, one.source)} is invalid`);
    switch (classOf(one)) {
      case CLASS_LD: return this.#wide(one);
      case CLASS_LDX: return this.#load(one);
      case CLASS_ST: case CLASS_STX: return this.#store(one);
      case CLASS_ALU: case CLASS_ALU64: return this.#compute(one);
      case CLASS_JMP: case CLASS_JMP32: return this.#jump(one);
      default: throw this.#unknown(one);
    }
  }

  #unknown({ opcode }: Instruction): Refused {
    return new Refused(EINVAL, `unknown opcode ${opcode.toString(16).padStart(2, '0')}`);
  }

  #readable(register: number): Exclude<Kind, undefined> {
    const kind = this.#registers[register];
    if (kind === undefined) throw new Refused(EACCES, `R${register} !read_ok`);
    return kind;
  }

  #numberIn(register: number): void {
    if (!isNumber(this.#readable(register))) throw new Refused(EACCES, `R${register} pointer arithmetic prohibited`);
  }

  #set(register: number, kind: Kind): void {
    if (register === FRAME_POINTER) throw new Refused(EACCES, 'frame pointer is read only');
    this.#registers[register] = kind;
  }

  /** Where the program goes on. */
  #flow(to: number): void {
    if (to >= this.#instructions.length) throw new Refused(EINVAL, 'last insn is not an exit or jmp');
    this.#before[to] = merge(this.#before[to], this.#registers);
  }

  #wide(one: Instruction): void {
    const second = this.#instructions[this.#at + 1];
    if (one.opcode !== LOAD_WIDE || one.source !== 0 || one.offset !== 0 || second === undefined || second.opcode !== 0 || second.target !== 0 || second.source !== 0 || second.offset !== 0) {
      throw one.opcode === LOAD_WIDE ? new Refused(EINVAL, 'invalid bpf_ld_imm64 insn') : this.#unknown(one);
    }
    this.#set(one.target, 'number');
    this.#at++;
    if (this.#before[this.#at] !== undefined) throw new Refused(EINVAL, `jump into the middle of ldimm64 insn ${this.#at}`);
    this.#flow(this.#at + 1);
  }

  #checkAccess(register: number, one: Instruction, writing: boolean): void {
    const kind = this.#readable(register);
    const size = sizeOf(one);
    const { offset } = one;
    if (isNumber(kind)) throw new Refused(EACCES, `R${register} invalid mem access 'scalar'`);
    if (kind === 'context' && (writing || size > 4 || offset < 0 || offset + size > this.#contextSize || offset % size !== 0 || (size < 4 && offset >= 4))) throw new Refused(EACCES, `invalid bpf_context access off=${offset} size=${size}`);
    if (kind === 'stack' && (offset < -STACK_SIZE || offset + size > 0 || offset % size !== 0)) throw new Refused(EACCES, `invalid stack off=${offset} size=${size}`);
  }

  #load(one: Instruction): void {
    if ((one.opcode & 0xe0) !== MODE_MEM) throw this.#unknown(one);
    if (one.immediate !== 0) throw new Refused(EINVAL, 'BPF_LDX uses reserved fields');
    this.#checkAccess(one.source, one, false);
    this.#set(one.target, 'number');
    this.#flow(this.#at + 1);
  }

  #store(one: Instruction): void {
    if ((one.opcode & 0xe0) !== MODE_MEM) throw this.#unknown(one);
    // A pointer in memory would be a number when it is read.
    if (classOf(one) === CLASS_STX) this.#numberIn(one.source);
    this.#checkAccess(one.target, one, true);
    this.#flow(this.#at + 1);
  }

  #compute(one: Instruction): void {
    const operation = operationOf(one);
    const isRegister = (one.opcode & FROM_REGISTER) !== 0;
    if (operation > ALU_END) throw this.#unknown(one);
    if (one.offset !== 0) throw new Refused(EINVAL, 'BPF_ALU uses reserved fields');
    if (operation === ALU_END && (classOf(one) === CLASS_ALU64 || ![16, 32, 64].includes(one.immediate))) throw new Refused(EINVAL, 'BPF_END uses reserved fields');
    if (operation === ALU_MOV) {
      const kind = isRegister ? this.#readable(one.source) : kindOf(one.immediate);
      if (!isNumber(kind) && classOf(one) === CLASS_ALU) throw new Refused(EACCES, `R${one.source} partial copy of pointer`);
      this.#set(one.target, kind);
    } else {
      this.#numberIn(one.target);
      if (isRegister && operation !== ALU_NEG && operation !== ALU_END) this.#numberIn(one.source);
      if (!isRegister && (operation === ALU_DIV || operation === ALU_MOD) && one.immediate === 0) throw new Refused(EINVAL, 'div by zero');
      const bits = classOf(one) === CLASS_ALU ? 32 : 64;
      if (!isRegister && SHIFTS.has(operation) && (one.immediate < 0 || one.immediate >= bits)) throw new Refused(EINVAL, `invalid shift ${one.immediate}`);
      this.#set(one.target, operation === ALU_AND && !isRegister ? kindOf(one.immediate) : 'number');
    }
    this.#flow(this.#at + 1);
  }

  #jump(one: Instruction): void {
    const operation = operationOf(one);
    const isWide = classOf(one) === CLASS_JMP;
    if (operation > LAST_JUMP) throw this.#unknown(one);
    if (operation === JUMP_CALL) throw new Refused(EINVAL, `unknown func ${one.immediate}`);
    if (operation === JUMP_EXIT) {
      if (!isWide) throw this.#unknown(one);
      if (this.#readable(0) !== 'bit') throw new Refused(EINVAL, 'At program exit the register R0 should have been in [0, 1]');
      return;
    }
    if (operation !== JUMP_ALWAYS) {
      this.#numberIn(one.target);
      if ((one.opcode & FROM_REGISTER) !== 0) this.#numberIn(one.source);
      this.#flow(this.#at + 1);
    } else if (!isWide) throw this.#unknown(one);
    if (one.offset < 0) throw new Refused(EINVAL, `back-edge from insn ${this.#at} to ${this.#at + 1 + one.offset}`);
    this.#flow(this.#at + 1 + one.offset);
  }
}

/** Undefined: it may run. `contextSize`: bytes that r1 leads to, four at a time, fewer of the first four. */
export function verify(instructions: readonly Instruction[], contextSize: number): Refusal | undefined {
  try {
    new Verifier(instructions, contextSize).run();
    return undefined;
  } catch (error) {
    if (error instanceof Refused) return { errno: error.errno, why: error.message };
    throw error;
  }
}
