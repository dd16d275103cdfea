/** Classic BPF as seccomp(2) uses it: checked once, then run over `struct seccomp_data` (kernel/seccomp.c, net/core/filter.c). */
import {
  BPF_A, BPF_ABS, BPF_ADD, BPF_ALU, BPF_AND, BPF_DIV, BPF_IMM, BPF_JA, BPF_JEQ, BPF_JGE, BPF_JGT, BPF_JMP, BPF_JSET, BPF_K, BPF_LD, BPF_LDX, BPF_LEN, BPF_LSH,
  BPF_MAXINSNS, BPF_MEM, BPF_MEMWORDS, BPF_MISC, BPF_MUL, BPF_NEG, BPF_OR, BPF_RET, BPF_RSH, BPF_ST, BPF_STX, BPF_SUB, BPF_TAX, BPF_TXA, BPF_W, BPF_X, BPF_XOR,
  SECCOMP_DATA_SIZE,
} from '../../abi/seccomp.ts';

/** `struct sock_filter`: 8 bytes. */
export interface BpfInstruction {
  readonly code: number;
  readonly jumpTrue: number;
  readonly jumpFalse: number;
  /** Unsigned. */
  readonly k: number;
}

const ALU_OPERATIONS = [BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_OR, BPF_AND, BPF_LSH, BPF_RSH, BPF_XOR];
const JUMPS = [BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET];
/** The instructions that seccomp takes (`seccomp_check_filter`). */
const KNOWN = new Set<number>([
  BPF_LD | BPF_W | BPF_ABS, BPF_LD | BPF_W | BPF_LEN, BPF_LDX | BPF_W | BPF_LEN, BPF_RET | BPF_K, BPF_RET | BPF_A, BPF_ALU | BPF_NEG, BPF_LD | BPF_IMM, BPF_LDX | BPF_IMM,
  BPF_MISC | BPF_TAX, BPF_MISC | BPF_TXA, BPF_LD | BPF_MEM, BPF_LDX | BPF_MEM, BPF_ST, BPF_STX, BPF_JMP | BPF_JA,
  ...ALU_OPERATIONS.flatMap((operation) => [BPF_ALU | operation | BPF_K, BPF_ALU | operation | BPF_X]),
  ...JUMPS.flatMap((jump) => [BPF_JMP | jump | BPF_K, BPF_JMP | jump | BPF_X]),
]);

/** The program in `bytes`, or undefined where Linux answers EINVAL. Jumps go forward only, so that every program ends. */
export function decodeFilter(bytes: Uint8Array): readonly BpfInstruction[] | undefined {
  const count = bytes.length / 8;
  if (count < 1 || count > BPF_MAXINSNS) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const program: BpfInstruction[] = [];
  for (let at = 0; at < count; at++) {
    const instruction = {
      code: view.getUint16(8 * at, true), jumpTrue: bytes[8 * at + 2]!, jumpFalse: bytes[8 * at + 3]!, k: view.getUint32(8 * at + 4, true),
    };
    if (!isValid(instruction, at, count)) return undefined;
    program.push(instruction);
  }
  return (program[count - 1]!.code & 7) === BPF_RET ? program : undefined;
}

/** A checked program as `struct sock_filter` again. */
export function encodeFilter(program: readonly BpfInstruction[]): Uint8Array {
  const bytes = new Uint8Array(8 * program.length);
  const view = new DataView(bytes.buffer);
  program.forEach(({ code, jumpTrue, jumpFalse, k }, index) => {
    view.setUint16(8 * index, code, true);
    view.setUint8(8 * index + 2, jumpTrue);
    view.setUint8(8 * index + 3, jumpFalse);
    view.setUint32(8 * index + 4, k, true);
  });
  return bytes;
}

function isValid({ code, jumpTrue, jumpFalse, k }: BpfInstruction, at: number, count: number): boolean {
  if (!KNOWN.has(code)) return false;
  switch (code) {
    case BPF_LD | BPF_W | BPF_ABS:
      return k < SECCOMP_DATA_SIZE && k % 4 === 0;
    case BPF_ALU | BPF_DIV | BPF_K:
      return k !== 0;
    case BPF_ALU | BPF_LSH | BPF_K:
    case BPF_ALU | BPF_RSH | BPF_K:
      return k < 32;
    case BPF_LD | BPF_MEM:
    case BPF_LDX | BPF_MEM:
    case BPF_ST:
    case BPF_STX:
      return k < BPF_MEMWORDS;
    case BPF_JMP | BPF_JA:
      return at + 1 + k < count;
    default:
      return (code & 7) !== BPF_JMP || (at + 1 + jumpTrue < count && at + 1 + jumpFalse < count);
  }
}

function calculate(operation: number, a: number, operand: number): number {
  switch (operation) {
    case BPF_ADD:
      return (a + operand) >>> 0;
    case BPF_SUB:
      return (a - operand) >>> 0;
    case BPF_MUL:
      return Math.imul(a, operand) >>> 0;
    case BPF_DIV:
      return Math.floor(a / operand);
    case BPF_OR:
      return (a | operand) >>> 0;
    case BPF_AND:
      return (a & operand) >>> 0;
    case BPF_LSH:
      return operand < 32 ? (a << operand) >>> 0 : 0;
    case BPF_RSH:
      return operand < 32 ? a >>> operand : 0;
    case BPF_XOR:
      return (a ^ operand) >>> 0;
    default:
      return (0 - a) >>> 0;
  }
}

function holds(jump: number, a: number, operand: number): boolean {
  switch (jump) {
    case BPF_JEQ:
      return a === operand;
    case BPF_JGT:
      return a > operand;
    case BPF_JGE:
      return a >= operand;
    default:
      return (a & operand) !== 0;
  }
}

/** Runs a checked program: what it returns, signed. `data` is `struct seccomp_data` as 16 words. */
export function runFilter(program: readonly BpfInstruction[], data: Uint32Array): number {
  const scratch = new Uint32Array(BPF_MEMWORDS);
  let a = 0;
  let x = 0;
  for (let at = 0; at < program.length; at++) {
    const { code, k, jumpTrue, jumpFalse } = program[at]!;
    const operand = (code & BPF_X) !== 0 ? x : k;
    switch (code & 7) {
      case BPF_LD:
        a = loaded(code, k, data, scratch);
        break;
      case BPF_LDX:
        x = loaded(code, k, data, scratch);
        break;
      case BPF_ST:
        scratch[k] = a;
        break;
      case BPF_STX:
        scratch[k] = x;
        break;
      case BPF_ALU:
        // Division by X = 0 ends the program with 0: the thread is killed.
        if ((code & 0xf0) === BPF_DIV && operand === 0) return 0;
        a = calculate(code & 0xf0, a, operand);
        break;
      case BPF_JMP:
        at += (code & 0xf0) === BPF_JA ? k : holds(code & 0xf0, a, operand) ? jumpTrue : jumpFalse;
        break;
      case BPF_RET:
        return (code & 0x18) === BPF_A ? a | 0 : k | 0;
      default:
        if ((code & 0xf8) === BPF_TXA) a = x;
        else x = a;
    }
  }
  return 0;
}

function loaded(code: number, k: number, data: Uint32Array, scratch: Uint32Array): number {
  switch (code & 0xe0) {
    case BPF_ABS:
      return data[k >>> 2]!;
    case BPF_MEM:
      return scratch[k]!;
    case BPF_LEN:
      return SECCOMP_DATA_SIZE;
    default:
      return k;
  }
}
