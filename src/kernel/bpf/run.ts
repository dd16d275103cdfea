/** Runs a program that was verified (`verify.ts`). Devices are opened seldom, so that it is interpreted, with registers of 64 bits. */
import { CLASS_ALU, CLASS_ALU64, CLASS_JMP, CLASS_JMP32, CLASS_LD, CLASS_LDX, CLASS_STX, FRAME_POINTER, FROM_REGISTER, JUMP_ALWAYS, JUMP_EXIT, STACK_SIZE, classOf, operationOf, sizeOf } from './instructions.ts';
import type { Instruction } from './instructions.ts';

/** Addresses of a program's own: the context begins here, and the stack ends there. */
const CONTEXT = 0x1000;
const STACK_END = 0x10_0000;

const unsigned = (value: bigint, bits: number): bigint => BigInt.asUintN(bits, value);

function swapped(value: bigint, bytes: number, isBig: boolean): bigint {
  const kept = unsigned(value, bytes * 8);
  if (!isBig) return kept;
  let result = 0n;
  for (let index = 0; index < bytes; index++) result = (result << 8n) | ((kept >> BigInt(index * 8)) & 255n);
  return result;
}

/** Operands and result have `bits` bits; shifts count within them, and a division by zero gives 0 (a remainder: what was divided). */
function compute(operation: number, a: bigint, b: bigint, bits: number): bigint {
  const shift = b & BigInt(bits - 1);
  switch (operation) {
    case 0x00: return a + b;
    case 0x10: return a - b;
    case 0x20: return a * b;
    case 0x30: return b === 0n ? 0n : a / b;
    case 0x40: return a | b;
    case 0x50: return a & b;
    case 0x60: return a << shift;
    case 0x70: return a >> shift;
    case 0x80: return -a;
    case 0x90: return b === 0n ? a : a % b;
    case 0xa0: return a ^ b;
    case 0xb0: return b;
    default: return BigInt.asIntN(bits, a) >> shift;
  }
}

function holds(operation: number, a: bigint, b: bigint, bits: number): boolean {
  const [signedA, signedB] = [BigInt.asIntN(bits, a), BigInt.asIntN(bits, b)];
  switch (operation) {
    case JUMP_ALWAYS: return true;
    case 0x10: return a === b;
    case 0x20: return a > b;
    case 0x30: return a >= b;
    case 0x40: return (a & b) !== 0n;
    case 0x50: return a !== b;
    case 0x60: return signedA > signedB;
    case 0x70: return signedA >= signedB;
    case 0xa0: return a < b;
    case 0xb0: return a <= b;
    case 0xc0: return signedA < signedB;
    default: return signedA <= signedB;
  }
}

/** What it answers: r0. */
export function run(instructions: readonly Instruction[], context: Uint8Array): bigint {
  const registers: bigint[] = Array.from({ length: FRAME_POINTER + 1 }, () => 0n);
  registers[1] = BigInt(CONTEXT);
  registers[FRAME_POINTER] = BigInt(STACK_END);
  const stack = new DataView(new ArrayBuffer(STACK_SIZE));
  const input = new DataView(context.buffer, context.byteOffset, context.byteLength);
  const place = (register: number, offset: number): readonly [DataView, number] => {
    const address = Number(registers[register]) + offset;
    return address < CONTEXT + context.length ? [input, address - CONTEXT] : [stack, address - STACK_END + STACK_SIZE];
  };
  const operand = ({ opcode, source, immediate }: Instruction, bits: number): bigint => unsigned((opcode & FROM_REGISTER) !== 0 ? registers[source]! : BigInt(immediate), bits);
  for (let at = 0; ; at++) {
    const one = instructions[at]!;
    const kind = classOf(one);
    const size = sizeOf(one);
    if (kind === CLASS_LD) {
      registers[one.target] = unsigned(BigInt(one.immediate), 32) | (unsigned(BigInt(instructions[++at]!.immediate), 32) << 32n);
    } else if (kind === CLASS_LDX) {
      const [view, offset] = place(one.source, one.offset);
      registers[one.target] = size === 8 ? view.getBigUint64(offset, true) : BigInt(size === 4 ? view.getUint32(offset, true) : size === 2 ? view.getUint16(offset, true) : view.getUint8(offset));
    } else if (kind === CLASS_ALU || kind === CLASS_ALU64) {
      const bits = kind === CLASS_ALU64 ? 64 : 32;
      const operation = operationOf(one);
      registers[one.target] = operation === 0xd0 ? swapped(registers[one.target]!, one.immediate / 8, (one.opcode & FROM_REGISTER) !== 0) : unsigned(compute(operation, unsigned(registers[one.target]!, bits), operand(one, bits), bits), bits);
    } else if (kind === CLASS_JMP || kind === CLASS_JMP32) {
      if (operationOf(one) === JUMP_EXIT) return registers[0]!;
      const bits = kind === CLASS_JMP ? 64 : 32;
      if (holds(operationOf(one), unsigned(registers[one.target]!, bits), operand(one, bits), bits)) at += one.offset;
    } else {
      const [view, offset] = place(one.target, one.offset);
      const value = kind === CLASS_STX ? registers[one.source]! : BigInt(one.immediate);
      if (size === 8) view.setBigUint64(offset, unsigned(value, 64), true);
      else if (size === 4) view.setUint32(offset, Number(unsigned(value, 32)), true);
      else if (size === 2) view.setUint16(offset, Number(unsigned(value, 16)), true);
      else view.setUint8(offset, Number(unsigned(value, 8)));
    }
  }
}
