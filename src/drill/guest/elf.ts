/** A static program: code, data, and memory that begins as zeros (elf(5)). */
import { EM_X86_64, ELF_HEADER_SIZE, ET_EXEC, PF_R, PF_W, PF_X, PROGRAM_HEADER_SIZE, PT_GNU_STACK, PT_LOAD } from '../../abi/elf.ts';

/** Where each part lies in the guest's memory. */
export const CODE_BASE = 0x40_0000;
export const DATA_BASE = 0x80_0000;
export const ZERO_BASE = 0xa0_0000;
const PAGE = 4096;
const CODE_OFFSET = PAGE;

interface Segment {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
  readonly memorySize: number;
}

function writeSegment(view: DataView, at: number, { type, flags, offset, address, fileSize, memorySize }: Segment): void {
  view.setUint32(at, type, true);
  view.setUint32(at + 4, flags, true);
  for (const [index, value] of [offset, address, address, fileSize, memorySize, PAGE].entries()) view.setBigUint64(at + 8 + 8 * index, BigInt(value), true);
}

/** `zeros`: bytes at `ZERO_BASE`. Execution begins with the first byte of the code. */
export function makeElf(code: Uint8Array, data: Uint8Array, zeros: number): Uint8Array {
  const dataOffset = CODE_OFFSET + Math.ceil(code.length / PAGE) * PAGE;
  const segments: readonly Segment[] = [
    { type: PT_LOAD, flags: PF_R | PF_X, offset: CODE_OFFSET, address: CODE_BASE, fileSize: code.length, memorySize: code.length },
    { type: PT_LOAD, flags: PF_R | PF_W, offset: dataOffset, address: DATA_BASE, fileSize: data.length, memorySize: Math.max(1, data.length) },
    { type: PT_LOAD, flags: PF_R | PF_W, offset: 0, address: ZERO_BASE, fileSize: 0, memorySize: Math.max(PAGE, zeros) },
    { type: PT_GNU_STACK, flags: PF_R | PF_W, offset: 0, address: 0, fileSize: 0, memorySize: 0 },
  ];
  const file = new Uint8Array(dataOffset + data.length);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, ET_EXEC, true);
  view.setUint16(18, EM_X86_64, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, BigInt(CODE_BASE), true);
  view.setBigUint64(32, BigInt(ELF_HEADER_SIZE), true);
  view.setUint16(52, ELF_HEADER_SIZE, true);
  view.setUint16(54, PROGRAM_HEADER_SIZE, true);
  view.setUint16(56, segments.length, true);
  for (const [index, segment] of segments.entries()) writeSegment(view, ELF_HEADER_SIZE + PROGRAM_HEADER_SIZE * index, segment);
  file.set(code, CODE_OFFSET);
  file.set(data, dataOffset);
  return file;
}
