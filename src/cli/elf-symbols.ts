/** Where the code of an ELF file is and how its functions are called: ELF-64 Object File Format, for the disassembler. */

export interface ElfSymbol {
  readonly name: string;
  readonly address: number;
  readonly size: number;
}

export interface CodeSection {
  readonly name: string;
  readonly address: number;
  readonly bytes: Uint8Array;
}

export interface ElfCode {
  readonly sections: readonly CodeSection[];
  /** Functions by address. */
  readonly symbols: readonly ElfSymbol[];
}

const ELF_MAGIC = 0x7f45_4c46;
const EM_X86_64 = 62;
const SHT_SYMTAB = 2;
const SHT_NOBITS = 8;
const SHT_DYNSYM = 11;
const SHF_EXECINSTR = 4;
const STT_FUNC = 2;
const SECTION_HEADER_BYTES = 64;
const SYMBOL_BYTES = 24;

interface Section {
  readonly name: number;
  readonly type: number;
  readonly flags: number;
  readonly address: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
}

function readSections(view: DataView): Section[] {
  const start = Number(view.getBigUint64(0x28, true));
  const count = view.getUint16(0x3c, true);
  const sections: Section[] = [];
  for (let index = 0; index < count; index++) {
    const at = start + index * SECTION_HEADER_BYTES;
    if (at + SECTION_HEADER_BYTES > view.byteLength) break;
    sections.push({
      name: view.getUint32(at, true),
      type: view.getUint32(at + 4, true),
      flags: Number(view.getBigUint64(at + 8, true)),
      address: Number(view.getBigUint64(at + 16, true)),
      offset: Number(view.getBigUint64(at + 24, true)),
      size: Number(view.getBigUint64(at + 32, true)),
      link: view.getUint32(at + 40, true),
    });
  }
  return sections;
}

function textAt(bytes: Uint8Array, start: number): string {
  let end = start;
  while (end < bytes.length && bytes[end] !== 0) end++;
  return Buffer.from(bytes.subarray(start, end)).toString('latin1');
}

function contentOf(bytes: Uint8Array, section: Section | undefined): Uint8Array {
  if (section === undefined || section.type === SHT_NOBITS) return new Uint8Array(0);
  return bytes.subarray(section.offset, section.offset + section.size);
}

function readSymbols(bytes: Uint8Array, table: Section, names: Uint8Array): ElfSymbol[] {
  const content = contentOf(bytes, table);
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const symbols: ElfSymbol[] = [];
  for (let at = 0; at + SYMBOL_BYTES <= content.length; at += SYMBOL_BYTES) {
    const address = Number(view.getBigUint64(at + 8, true));
    if ((view.getUint8(at + 4) & 15) !== STT_FUNC || address === 0) continue;
    symbols.push({ name: textAt(names, view.getUint32(at, true)), address, size: Number(view.getBigUint64(at + 16, true)) });
  }
  return symbols;
}

/** Undefined: not an ELF file for x86-64. Sections of relocatable files start at their offset, so that addresses are distinct. */
export function readElfCode(bytes: Uint8Array): ElfCode | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 64 || view.getUint32(0) !== ELF_MAGIC || view.getUint16(18, true) !== EM_X86_64) return undefined;
  const sections = readSections(view);
  const names = contentOf(bytes, sections[view.getUint16(0x3e, true)]);
  const symbols = sections
    .filter((section) => section.type === SHT_SYMTAB || section.type === SHT_DYNSYM)
    .flatMap((section) => readSymbols(bytes, section, contentOf(bytes, sections[section.link])));
  const distinct = new Map(symbols.map((symbol) => [`${symbol.name}@${symbol.address}`, symbol]));
  return {
    sections: sections
      .filter((section) => (section.flags & SHF_EXECINSTR) !== 0 && section.type !== SHT_NOBITS)
      .map((section) => ({ name: textAt(names, section.name), address: section.address, bytes: contentOf(bytes, section) })),
    symbols: [...distinct.values()].sort((left, right) => left.address - right.address),
  };
}
