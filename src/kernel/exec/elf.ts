/** Reading the headers of a program (elf(5), Linux fs/binfmt_elf.c). The file is the guest's: nothing in it is trusted. */
import { EINVAL, ENOEXEC, ENOMEM } from '../../abi/errno.ts';
import {
  EI_CLASS, EI_DATA, ELF_HEADER_SIZE, ELFCLASS64, ELFDATA2LSB, EM_X86_64, ET_DYN, ET_EXEC, PF_X, PROGRAM_HEADER_SIZE, PT_GNU_STACK, PT_INTERP, PT_LOAD, PT_PHDR,
} from '../../abi/elf.ts';
import type { Inode } from '../../fs/types.ts';
import { bytesToString } from '../mm/user-memory.ts';

export interface Segment {
  /** Multiple of the page size apart from `offset`. */
  readonly address: number;
  readonly offset: number;
  readonly fileSize: number;
  readonly memorySize: number;
  /** PF_* bits. */
  readonly flags: number;
}

export interface Elf {
  readonly isDynamic: boolean;
  readonly entry: number;
  readonly segments: readonly Segment[];
  /** Path in PT_INTERP. */
  readonly interpreter: string | undefined;
  readonly executableStack: boolean;
  readonly programHeaderCount: number;
  /** Address of the program headers in memory without the load bias, or 0. */
  readonly programHeaders: number;
  /** Largest alignment of a segment. */
  readonly alignment: number;
  /** Lowest and highest address, page-aligned. */
  readonly start: number;
  readonly end: number;
}

const PATH_MAX = 4096;
const ADDRESS_LIMIT = 0x1_0000_0000;
const MAX_ALIGNMENT = 0x20_0000;

/** 64-bit field as a number; what is above 2^53 only has to stay huge. */
function readU64(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true);
}

/** Fills the buffer from the file; false when the file is shorter. */
function readExactly(inode: Inode, buffer: Uint8Array, position: number): boolean {
  let done = 0;
  while (done < buffer.length) {
    const got = inode.readAt(buffer.subarray(done), position + done);
    if (got <= 0) return false;
    done += got;
  }
  return true;
}

/** The headers, or -ENOEXEC, -EINVAL, -ENOMEM as execve(2). */
export function readElf(inode: Inode, maxHeaderBytes: number): Elf | number {
  const header = new Uint8Array(ELF_HEADER_SIZE);
  if (!readExactly(inode, header, 0) || !isElf(header)) return -ENOEXEC;
  const view = new DataView(header.buffer);
  if (header[EI_CLASS] !== ELFCLASS64 || header[EI_DATA] !== ELFDATA2LSB) return -ENOEXEC;
  const type = view.getUint16(16, true);
  if ((type !== ET_EXEC && type !== ET_DYN) || view.getUint16(18, true) !== EM_X86_64) return -ENOEXEC;
  const count = view.getUint16(56, true);
  if (view.getUint16(54, true) !== PROGRAM_HEADER_SIZE || count === 0 || count * PROGRAM_HEADER_SIZE > maxHeaderBytes) return -ENOEXEC;
  const headersOffset = readU64(view, 32);
  const headers = new Uint8Array(count * PROGRAM_HEADER_SIZE);
  if (headersOffset > inode.size || !readExactly(inode, headers, headersOffset)) return -ENOEXEC;
  return readProgramHeaders(inode, new DataView(headers.buffer), {
    isDynamic: type === ET_DYN, entry: readU64(view, 24), programHeaderCount: count,
  }, headersOffset);
}

export function isElf(header: Uint8Array): boolean {
  return header[0] === 0x7f && header[1] === 0x45 && header[2] === 0x4c && header[3] === 0x46;
}

function readProgramHeaders(inode: Inode, view: DataView, base: Pick<Elf, 'isDynamic' | 'entry' | 'programHeaderCount'>, headersOffset: number): Elf | number {
  const segments: Segment[] = [];
  let interpreter: string | undefined;
  let executableStack = false;
  let declaredHeaders = -1;
  let alignment = 4096;
  for (let i = 0; i < base.programHeaderCount; i++) {
    const at = i * PROGRAM_HEADER_SIZE;
    const type = view.getUint32(at, true);
    if (type === PT_INTERP && interpreter === undefined) {
      const name = readInterpreter(inode, readU64(view, at + 8), readU64(view, at + 32));
      if (typeof name === 'number') return name;
      interpreter = name;
    } else if (type === PT_GNU_STACK) {
      executableStack = (view.getUint32(at + 4, true) & PF_X) !== 0;
    } else if (type === PT_PHDR) {
      declaredHeaders = readU64(view, at + 16);
    } else if (type === PT_LOAD) {
      const segment = readSegment(view, at);
      if (typeof segment === 'number') return segment;
      if (segment !== undefined) segments.push(segment);
      const align = readU64(view, at + 48);
      if (Number.isInteger(Math.log2(align)) && align > alignment) alignment = Math.min(align, MAX_ALIGNMENT);
    }
  }
  if (segments.length === 0) return -EINVAL;
  const start = Math.min(...segments.map((segment) => Math.floor(segment.address / 4096) * 4096));
  const end = Math.max(...segments.map((segment) => Math.ceil((segment.address + segment.memorySize) / 4096) * 4096));
  return {
    ...base, segments, interpreter, executableStack, alignment, start, end,
    programHeaders: declaredHeaders >= 0 ? declaredHeaders : findHeaders(segments, headersOffset),
  };
}

/** Undefined: empty, nothing to map. */
function readSegment(view: DataView, at: number): Segment | number | undefined {
  const segment = {
    flags: view.getUint32(at + 4, true),
    offset: readU64(view, at + 8),
    address: readU64(view, at + 16),
    fileSize: readU64(view, at + 32),
    memorySize: readU64(view, at + 40),
  };
  if (segment.fileSize > segment.memorySize) return -EINVAL;
  if (segment.memorySize > ADDRESS_LIMIT || segment.address > ADDRESS_LIMIT || segment.address + segment.memorySize > ADDRESS_LIMIT) return -ENOMEM;
  if (segment.memorySize === 0) return undefined;
  if (segment.fileSize > 0 && segment.address % 4096 !== segment.offset % 4096) return -EINVAL;
  return segment;
}

function readInterpreter(inode: Inode, offset: number, size: number): string | number {
  if (size < 2 || size > PATH_MAX) return -ENOEXEC;
  const bytes = new Uint8Array(size);
  if (!readExactly(inode, bytes, offset)) return -ENOEXEC;
  if (bytes[size - 1] !== 0) return -ENOEXEC;
  return bytesToString(bytes.subarray(0, bytes.indexOf(0)));
}

/** Where the segment that holds the program headers puts them. */
function findHeaders(segments: readonly Segment[], headersOffset: number): number {
  for (const segment of segments) {
    if (headersOffset >= segment.offset && headersOffset < segment.offset + segment.fileSize) return segment.address + (headersOffset - segment.offset);
  }
  return 0;
}
