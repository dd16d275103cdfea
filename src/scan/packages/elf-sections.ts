/** Sections of an ELF file by name, and bytes by address (System V ABI, chapter 4 and 5): only what says what a program is made of. */
import { MOST_ELF_SECTIONS } from '../limits.ts';
import { asciiOf } from '../text.ts';
import type { ScanFile } from '../types.ts';

interface Part {
  readonly name: number;
  readonly address: number;
  readonly offset: number;
  readonly size: number;
}

/** Bytes of a header table that we are ready to read. */
const MOST_NAMES_BYTES = 1 << 20;
const SHT_NOBITS = 8;

export class ElfSections {
  readonly is64: boolean;
  readonly isLittle: boolean;
  readonly #file: ScanFile;
  readonly #sections = new Map<string, Part>();
  readonly #all: Part[] = [];

  private constructor(file: ScanFile, header: DataView, is64: boolean, isLittle: boolean) {
    [this.#file, this.is64, this.isLittle] = [file, is64, isLittle];
    const number = (view: DataView, at: number): number => (is64 ? Number(view.getBigUint64(at, isLittle)) : view.getUint32(at, isLittle));
    const tableAt = number(header, is64 ? 40 : 32);
    const [entryBytes, count, names] = [58, 60, 62].map((at) => header.getUint16(is64 ? at : at - 12, isLittle)) as [number, number, number];
    if (entryBytes < (is64 ? 64 : 40) || count === 0 || count > MOST_ELF_SECTIONS) return;
    const bytes = file.readAt(tableAt, entryBytes * count);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = 0; at + entryBytes <= bytes.length; at += entryBytes) {
      const isEmpty = view.getUint32(at + 4, isLittle) === SHT_NOBITS;
      this.#all.push({
        name: view.getUint32(at, isLittle), address: number(view, at + (is64 ? 16 : 12)), offset: number(view, at + (is64 ? 24 : 16)), size: isEmpty ? 0 : number(view, at + (is64 ? 32 : 20)),
      });
    }
    const table = this.#all[names];
    if (table === undefined) return;
    const text = asciiOf(file.readAt(table.offset, Math.min(table.size, MOST_NAMES_BYTES)));
    for (const part of this.#all) {
      const end = text.indexOf('\0', part.name);
      if (end > part.name) this.#sections.set(text.slice(part.name, end), part);
    }
  }

  /** Undefined for what is no ELF file. */
  static open(file: ScanFile): ElfSections | undefined {
    const bytes = file.readAt(0, 64);
    if (bytes.length < 64 || bytes[0] !== 0x7f || bytes[1] !== 0x45 || bytes[2] !== 0x4c || bytes[3] !== 0x46) return undefined;
    return new ElfSections(file, new DataView(bytes.buffer, bytes.byteOffset, 64), bytes[4] === 2, bytes[5] === 1);
  }

  /** The first bytes of a section, `most` at most. */
  section(name: string, most: number): Uint8Array | undefined {
    const part = this.#sections.get(name);
    return part === undefined ? undefined : this.#file.readAt(part.offset, Math.min(part.size, most));
  }

  /** What stands at an address of the program; undefined where nothing does. */
  at(address: number, length: number): Uint8Array | undefined {
    const part = this.#all.find((one) => one.address !== 0 && address >= one.address && address + length <= one.address + one.size);
    return part === undefined ? undefined : this.#file.readAt(part.offset + address - part.address, length);
  }
}
