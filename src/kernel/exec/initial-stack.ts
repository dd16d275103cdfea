/** The stack of a fresh program: strings, auxiliary vector, environment, arguments (Linux fs/binfmt_elf.c: create_elf_tables). */
import {
  AT_BASE, AT_CLKTCK, AT_EGID, AT_ENTRY, AT_EUID, AT_EXECFN, AT_FLAGS, AT_GID, AT_HWCAP, AT_HWCAP2, AT_MINSIGSTKSZ, AT_NULL, AT_PAGESZ, AT_PHDR, AT_PHENT, AT_PHNUM,
  AT_PLATFORM, AT_RANDOM, AT_SECURE, AT_UID,
} from '../../abi/auxv.ts';
import { PROGRAM_HEADER_SIZE } from '../../abi/elf.ts';
import { USER_HZ } from '../../abi/time.ts';
import type { Mm } from '../mm/mm.ts';
import { growStack } from '../mm/mm-stack.ts';
import { cpuidLeaf } from '../../machine/index.ts';
import { signalFrameBytes } from '../signals/signal-frame.ts';
import type { TaskCredentials } from '../task/credentials.ts';

/** CPUID leaf 1 EDX: what `AT_HWCAP` shows on x86. */
/** Leaf 1's EDX, which is the same for all levels. */
const HWCAP = cpuidLeaf(1, 0, 'v2')[3] >>> 0;

export interface StackRequest {
  readonly arguments: readonly string[];
  readonly environment: readonly string[];
  readonly executablePath: string;
  readonly random: Uint8Array;
  readonly secure: boolean;
  readonly credentials: TaskCredentials;
  readonly entry: number;
  readonly programHeaders: number;
  readonly programHeaderCount: number;
  readonly interpreterBase: number;
}

/** Writes below `top`, inside the stack mapping; answers the stack pointer at the program's entry, or -1 where it does not fit. */
export function writeInitialStack(mm: Mm, top: number, request: StackRequest): number {
  const writer = new StackWriter(mm, top - 8);
  const executable = writer.string(request.executablePath);
  const environment = writer.strings(request.environment);
  mm.envEnd = executable;
  mm.envStart = writer.position;
  const argumentPointers = writer.strings(request.arguments);
  mm.argEnd = mm.envStart;
  mm.argStart = writer.position;
  const platform = writer.string('x86_64');
  const random = writer.bytes(request.random);
  const auxiliary = auxiliaryVector(mm, request, platform, random, executable);
  const words = 1 + argumentPointers.length + 1 + environment.length + 1 + auxiliary.length;
  const stackPointer = Math.floor((writer.position - 8 * words) / 16) * 16;
  if (stackPointer < mm.stackStart + 4096) return -1;
  growStack(mm, stackPointer);
  const view = new DataView(mm.space.u8.buffer, mm.space.offset(stackPointer), 8 * words);
  let at = 0;
  for (const word of [argumentPointers.length, ...argumentPointers, 0, ...environment, 0, ...auxiliary]) {
    view.setBigUint64(at, BigInt(word), true);
    at += 8;
  }
  const auxvStart = mm.space.offset(stackPointer) + 8 * (words - auxiliary.length);
  mm.auxv = mm.space.u8.slice(auxvStart, auxvStart + 8 * auxiliary.length);
  return stackPointer;
}

function auxiliaryVector(mm: Mm, request: StackRequest, platform: number, random: number, executable: number): number[] {
  const { credentials } = request;
  return [
    AT_MINSIGSTKSZ, signalFrameBytes(mm.space),
    AT_HWCAP, HWCAP,
    AT_PAGESZ, 4096,
    AT_CLKTCK, USER_HZ,
    AT_PHDR, request.programHeaders,
    AT_PHENT, PROGRAM_HEADER_SIZE,
    AT_PHNUM, request.programHeaderCount,
    AT_BASE, request.interpreterBase,
    AT_FLAGS, 0,
    AT_ENTRY, request.entry,
    AT_UID, credentials.user.shownUid(credentials.uid),
    AT_EUID, credentials.user.shownUid(credentials.euid),
    AT_GID, credentials.user.shownGid(credentials.gid),
    AT_EGID, credentials.user.shownGid(credentials.egid),
    AT_SECURE, request.secure ? 1 : 0,
    AT_RANDOM, random,
    AT_HWCAP2, 0,
    AT_EXECFN, executable,
    AT_PLATFORM, platform,
    AT_NULL, 0,
  ];
}

/** Writes downwards. Stops moving at the bottom of the stack; the caller sees that the room is used up. */
class StackWriter {
  readonly #mm: Mm;
  position: number;

  constructor(mm: Mm, top: number) {
    this.#mm = mm;
    this.position = top;
  }

  bytes(bytes: Uint8Array): number {
    this.position -= bytes.length;
    if (this.position >= this.#mm.stackStart) this.#mm.space.u8.set(bytes, this.#mm.space.offset(this.position));
    return this.position;
  }

  string(text: string): number {
    const length = text.length + 1;
    this.position -= length;
    if (this.position < this.#mm.stackStart) return this.position;
    const { u8 } = this.#mm.space;
    const at = this.#mm.space.offset(this.position);
    for (let i = 0; i < text.length; i++) u8[at + i] = text.charCodeAt(i);
    u8[at + text.length] = 0;
    return this.position;
  }

  /** In order of address, as a program that walks from the first to the last expects. */
  strings(texts: readonly string[]): number[] {
    const pointers: number[] = [];
    for (let i = texts.length - 1; i >= 0; i--) pointers.push(this.string(texts[i]!));
    return pointers.reverse();
  }
}
