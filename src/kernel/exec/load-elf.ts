/** Mapping a program into fresh memory (Linux fs/binfmt_elf.c: load_elf_binary, elf_map, load_elf_interp). */
import { ENOMEM } from '../../abi/errno.ts';
import { PF_R, PF_W, PF_X } from '../../abi/elf.ts';
import { MAP_ANONYMOUS, MAP_FIXED, MAP_PRIVATE, PROT_EXEC, PROT_READ, PROT_WRITE } from '../../abi/mman.ts';
import type { Inode } from '../../fs/types.ts';
import { DECODED_START, USER_START } from '../../machine/index.ts';
import { pageUp, type Mm } from '../mm/mm.ts';
import type { Elf, Segment } from './elf.ts';

/** Where the heap of a program in the mmap area begins: above what a fixed program that it loads may use. */
const DETACHED_HEAP = USER_START + 0x0400_0000;
/** Room that position-independent programs leave for the heap below the machine's records. */
const HEAP_ROOM = 0x0200_0000;

/** Larger programs have more room for themselves, see `Room`. */
const COMPACT_PROGRAM_BYTES = 0x0080_0000;

export interface LoadedElf {
  readonly bias: number;
  readonly entry: number;
}

function protection(flags: number): number {
  return ((flags & PF_R) !== 0 ? PROT_READ : 0) | ((flags & PF_W) !== 0 ? PROT_WRITE : 0) | ((flags & PF_X) !== 0 ? PROT_EXEC : 0);
}

/** Pages by which areas are moved, drawn once a kernel: the same program finds itself and its libraries at the same place, so that code translated for one process serves the next. */
export interface Layout {
  readonly program: number;
  readonly heap: number;
  readonly mmap: number;
}

/** Not the dynamic linker as a program: what that loads may have its own place anywhere. */
export function canBeCompact(elf: Elf): boolean {
  if (elf.isDynamic) return elf.interpreter !== undefined && elf.end - elf.start <= COMPACT_PROGRAM_BYTES;
  return elf.end <= USER_START + COMPACT_PROGRAM_BYTES;
}

/** Loads the program, or -errno. */
export function loadProgram(mm: Mm, elf: Elf, inode: Inode, path: string, layout: Layout): LoadedElf | number {
  const size = elf.end - elf.start;
  let bias = 0;
  let inMmapArea = false;
  if (elf.isDynamic) {
    const wanted = USER_START + layout.program * 4096;
    const low = Math.ceil(wanted / elf.alignment) * elf.alignment;
    inMmapArea = elf.interpreter === undefined || low + size > DECODED_START - HEAP_ROOM;
    const start = inMmapArea ? findAligned(mm, size, elf.alignment) : low;
    if (start < 0) return start;
    bias = start - elf.start;
  } else if (elf.start < USER_START) {
    return -ENOMEM;
  }
  const answer = mapSegments(mm, elf, inode, path, bias);
  if (answer < 0) return answer;
  setProgramRange(mm, elf, bias, inMmapArea, layout);
  return { bias, entry: elf.entry + bias };
}

/** The dynamic linker: anywhere in the mmap area. */
export function loadInterpreter(mm: Mm, elf: Elf, inode: Inode, path: string): LoadedElf | number {
  let bias = 0;
  if (elf.isDynamic) {
    const start = findAligned(mm, elf.end - elf.start, elf.alignment);
    if (start < 0) return start;
    bias = start - elf.start;
  }
  const answer = mapSegments(mm, elf, inode, path, bias);
  return answer < 0 ? answer : { bias, entry: elf.entry + bias };
}

function findAligned(mm: Mm, size: number, alignment: number): number {
  const start = mm.findGap(size + alignment - 4096);
  return start < 0 ? start : Math.ceil(start / alignment) * alignment;
}

function setProgramRange(mm: Mm, elf: Elf, bias: number, detachedHeap: boolean, layout: Layout): void {
  const code = elf.segments.filter((segment) => (segment.flags & PF_X) !== 0);
  mm.codeStart = bias + Math.min(...code.map((segment) => segment.address), elf.end);
  mm.codeEnd = bias + Math.max(...code.map((segment) => segment.address + segment.memorySize), 0);
  const end = mm.room.heap ?? (detachedHeap || bias + elf.end > DECODED_START ? DETACHED_HEAP : bias + elf.end);
  mm.brkStart = pageUp(end) + (elf.isDynamic ? layout.heap * 4096 : 0);
  mm.brk = mm.brkStart;
}

function mapSegments(mm: Mm, elf: Elf, inode: Inode, path: string, bias: number): number {
  for (const segment of elf.segments) {
    const answer = mapSegment(mm, segment, inode, path, bias);
    if (answer < 0) return answer;
  }
  return 0;
}

/** File pages, then zeros up to the end: the rest of the last file page, and anonymous pages after it. */
function mapSegment(mm: Mm, segment: Segment, inode: Inode, path: string, bias: number): number {
  const prot = protection(segment.flags);
  const address = segment.address + bias;
  const start = Math.floor(address / 4096) * 4096;
  const fileEnd = segment.fileSize === 0 ? start : pageUp(address + segment.fileSize);
  const end = pageUp(address + segment.memorySize);
  if (fileEnd > start) {
    const answer = mm.map({
      address: start, length: fileEnd - start, prot, flags: MAP_PRIVATE | MAP_FIXED,
      file: { inode, path, writable: false }, offset: segment.offset - (address - start),
    });
    if (answer < 0) return answer;
    if (segment.memorySize > segment.fileSize && (segment.flags & PF_W) !== 0) {
      const { space } = mm;
      const at = space.offset(address + segment.fileSize);
      space.u8.fill(0, at, at + (fileEnd - address - segment.fileSize));
    }
  }
  if (end <= fileEnd) return 0;
  return mm.map({ address: fileEnd, length: end - fileEnd, prot, flags: MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS });
}
