/** eBPF's instructions (Linux Documentation/bpf/standardization/instruction-set.rst; RFC 9669). */

export interface Instruction {
  readonly opcode: number;
  readonly target: number;
  readonly source: number;
  readonly offset: number;
  readonly immediate: number;
}

/** Bytes of one; a wide one has two. */
export const INSTRUCTION_SIZE = 8;

export const CLASS_LD = 0;
export const CLASS_LDX = 1;
export const CLASS_ST = 2;
export const CLASS_STX = 3;
export const CLASS_ALU = 4;
export const CLASS_JMP = 5;
export const CLASS_JMP32 = 6;
export const CLASS_ALU64 = 7;

/** 64 bits of immediate in two instructions. */
export const LOAD_WIDE = 0x18;
export const MODE_MEM = 0x60;
/** The second operand is a register. */
export const FROM_REGISTER = 8;

export const ALU_DIV = 0x30;
export const ALU_AND = 0x50;
export const ALU_LSH = 0x60;
export const ALU_RSH = 0x70;
export const ALU_NEG = 0x80;
export const ALU_MOD = 0x90;
export const ALU_MOV = 0xb0;
export const ALU_ARSH = 0xc0;
export const ALU_END = 0xd0;
export const JUMP_ALWAYS = 0x00;
export const JUMP_CALL = 0x80;
export const JUMP_EXIT = 0x90;
/** JLE, JSLE and what is between is known. */
export const LAST_JUMP = 0xd0;

export const FRAME_POINTER = 10;
/** MAX_BPF_STACK */
export const STACK_SIZE = 512;

export const classOf = ({ opcode }: Instruction): number => opcode & 7;
export const operationOf = ({ opcode }: Instruction): number => opcode & 0xf0;

/** Bytes that a load or a store moves. */
export function sizeOf({ opcode }: Instruction): number {
  return [4, 2, 1, 8][(opcode >> 3) & 3]!;
}

export function decode(bytes: Uint8Array): readonly Instruction[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / INSTRUCTION_SIZE }, (_, index) => {
    const at = index * INSTRUCTION_SIZE;
    const registers = view.getUint8(at + 1);
    return { opcode: view.getUint8(at), target: registers & 15, source: registers >> 4, offset: view.getInt16(at + 2, true), immediate: view.getInt32(at + 4, true) };
  });
}
