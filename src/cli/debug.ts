/** `caisson debug`: a look inside. */
import { readFileSync } from 'node:fs';
import { decode, disassemble } from '../machine/disassembler.ts';
import { readElfCode } from './elf-symbols.ts';
import type { CodeSection, ElfCode, ElfSymbol } from './elf-symbols.ts';
import { UserError } from './errors.ts';
import { nearest } from './flags.ts';

export const DEBUG_HELP = `Look inside.

Usage: caisson debug disassemble FILE [SYMBOL|ADDRESS]

Shows the instructions of an ELF file as the engine decodes them: all of its code, one function, or what
follows an address. "(bad)" is what the engine does not know.

Examples:
  caisson debug disassemble ./program main
  caisson debug disassemble /bin/true 0x2540
`;

/** Instructions shown from an address that belongs to no function. */
const FROM_ADDRESS = 64;
const BYTES_COLUMN = 31;

interface Range {
  readonly section: CodeSection;
  readonly start: number;
  readonly end: number;
  readonly limit: number;
}

function hexBytes(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
}

function* lines({ section, start, end, limit }: Range, names: ReadonlyMap<number, string>): Iterable<string> {
  let address = start;
  for (let count = 0; address < end && count < limit; count++) {
    const offset = address - section.address;
    const instruction = decode(section.bytes, offset, section.bytes.length, address);
    const length = instruction.row === undefined ? 1 : instruction.length;
    const text = instruction.row === undefined ? '(bad)' : disassemble(instruction);
    const name = names.get(address);
    if (name !== undefined) yield `\n${address.toString(16).padStart(16, '0')} <${name}>:\n`;
    yield `${address.toString(16).padStart(8)}:  ${hexBytes(section.bytes.subarray(offset, offset + length)).padEnd(BYTES_COLUMN)} ${text}\n`;
    address += length;
  }
}

function rangeOf(code: ElfCode, symbol: ElfSymbol): Range {
  const section = code.sections.find(({ address, bytes }) => symbol.address >= address && symbol.address < address + bytes.length);
  if (section === undefined) throw new UserError(`cannot disassemble "${symbol.name}": it is not in this file`, 'look in the library that defines it');
  const next = code.symbols.find(({ address }) => address > symbol.address)?.address ?? Infinity;
  const end = symbol.size > 0 ? symbol.address + symbol.size : Math.min(next, section.address + section.bytes.length);
  return { section, start: symbol.address, end, limit: Infinity };
}

function findRanges(code: ElfCode, what: string | undefined): readonly Range[] {
  if (what === undefined) return code.sections.map((section) => ({ section, start: section.address, end: section.address + section.bytes.length, limit: Infinity }));
  const symbol = code.symbols.find(({ name }) => name === what);
  if (symbol !== undefined) return [rangeOf(code, symbol)];
  const address = /^(?:0x)?[0-9a-f]+$/i.test(what) ? Number.parseInt(what, 16) : undefined;
  const section = code.sections.find((candidate) => address !== undefined && address >= candidate.address && address < candidate.address + candidate.bytes.length);
  if (section !== undefined && address !== undefined) return [{ section, start: address, end: section.address + section.bytes.length, limit: FROM_ADDRESS }];
  const guess = nearest(what, code.symbols.map(({ name }) => name));
  throw new UserError(`cannot disassemble "${what}": no such function or code address`, guess === undefined ? 'leave it out to see all' : `did you mean ${guess}?`);
}

function disassembleFile(file: string, what: string | undefined): void {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new UserError(`cannot read "${file}": ${(error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (error as Error).message}`, 'check the path', undefined, { cause: error });
  }
  const code = readElfCode(bytes);
  if (code === undefined) throw new UserError(`cannot disassemble "${file}": not an ELF file for x86-64`, 'give a program, a library or an object file');
  const names = new Map(code.symbols.map(({ address, name }) => [address, name]));
  for (const range of findRanges(code, what)) for (const line of lines(range, names)) process.stdout.write(line);
}

export async function debugCommand(args: readonly string[]): Promise<number> {
  const [word, file, what, ...rest] = args;
  if (word === undefined || word === '--help' || word === '-h') {
    process.stdout.write(DEBUG_HELP);
    return 0;
  }
  if (word !== 'disassemble') throw new UserError(`cannot debug ${word}: no such subcommand`, nearest(word, ['disassemble']) === undefined ? 'see "caisson debug --help"' : 'did you mean disassemble?');
  if (file === undefined || rest.length > 0) throw new UserError('cannot disassemble: give one file, and one function or address', 'see "caisson debug --help"');
  disassembleFile(file, what);
  return 0;
}
