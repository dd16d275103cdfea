/** What programs say they were built from: Go's build information (Go `debug/buildinfo`), Rust's audit data (`cargo auditable`). */
import { MOST_BUILD_INFO_BYTES } from '../limits.ts';
import { arrayOf, byteStringOf, parseJson, stringOf, textOf } from '../text.ts';
import { S_IFMT, S_IFREG } from '../../abi/stat.ts';
import { PackageList, unreadable } from './checked.ts';
import { ElfSections } from './elf-sections.ts';
import type { PackageReader, ReaderTools } from './types.ts';

/** Smaller files are no programs of either. */
const LEAST_BYTES = 4096;
const GO_MAGIC = '\xff Go buildinf:';
const GO_HEADER_BYTES = 32;
/** A line of 16 bytes before and behind the list of modules (Go `cmd/go/internal/modload/build.go`). */
const GO_FENCE_BYTES = 16;

/** A length as in Go's `encoding/binary.Uvarint`, and the bytes behind it. */
function counted(bytes: Uint8Array, at: number): { readonly bytes: Uint8Array; readonly end: number } | undefined {
  let [length, shift, position] = [0, 0, at];
  for (;;) {
    const byte = bytes[position++];
    if (byte === undefined || shift > 28) return undefined;
    length += (byte & 0x7f) * 2 ** shift;
    shift += 7;
    if (byte < 0x80) break;
  }
  return position + length > bytes.length ? undefined : { bytes: bytes.subarray(position, position + length), end: position + length };
}

function pointerAt(elf: ElfSections, bytes: Uint8Array, at: number, size: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return size === 8 ? Number(view.getBigUint64(at, elf.isLittle)) : view.getUint32(at, elf.isLittle);
}

/** Programs of Go before 1.18 have pointers to two strings. */
function pointed(elf: ElfSections, address: number, size: number): Uint8Array {
  const header = elf.at(address, 2 * size);
  if (header === undefined || header.length < 2 * size) return new Uint8Array();
  const length = pointerAt(elf, header, size, size);
  return (length > MOST_BUILD_INFO_BYTES ? undefined : elf.at(pointerAt(elf, header, 0, size), length)) ?? new Uint8Array();
}

/** Version and list of modules. */
function goStrings(elf: ElfSections): readonly [Uint8Array, Uint8Array] | undefined {
  const bytes = elf.section('.go.buildinfo', MOST_BUILD_INFO_BYTES);
  if (bytes === undefined || bytes.length < GO_HEADER_BYTES || !byteStringOf(bytes.subarray(0, 16)).startsWith(GO_MAGIC)) return undefined;
  const [size = 0, flags = 0] = [bytes[14], bytes[15]];
  if ((flags & 2) !== 0) {
    const version = counted(bytes, GO_HEADER_BYTES);
    return version === undefined ? undefined : [version.bytes, counted(bytes, version.end)?.bytes ?? new Uint8Array()];
  }
  return size === 4 || size === 8 ? [pointed(elf, pointerAt(elf, bytes, 16, size), size), pointed(elf, pointerAt(elf, bytes, 16 + size, size), size)] : undefined;
}

/** `go1.22.1 X:...` is version 1.22.1 of the standard library. */
function readGo(elf: ElfSections): PackageList | undefined {
  const strings = goStrings(elf);
  if (strings === undefined) return undefined;
  const [version, fenced] = strings;
  const modules = fenced.length > 2 * GO_FENCE_BYTES ? textOf(fenced.subarray(GO_FENCE_BYTES, fenced.length - GO_FENCE_BYTES)) : '';
  const list = new PackageList();
  list.add({ type: 'golang', name: 'stdlib', version: /^go(\d[\w.]*)/.exec(textOf(version))?.[1] });
  let last: readonly string[] = [];
  const finish = (): void => {
    const [kind, name, number] = last;
    if (kind === 'dep' || (kind === 'mod' && number !== '(devel)')) list.add({ type: 'golang', name, version: number });
    last = [];
  };
  for (const line of modules.split('\n')) {
    const words = line.split('\t');
    // What a directory replaces keeps its name: the directory has none.
    if (words[0] === '=>' && !/^[./]/.test(words[1] ?? '')) last = [last[0] ?? '', words[1] ?? '', words[2] ?? ''];
    else if (words[0] === '=>') continue;
    else {
      finish();
      last = words;
    }
  }
  finish();
  return list;
}

function readRust(elf: ElfSections, tools: ReaderTools): { readonly packages: PackageList['packages']; readonly problem?: string } | undefined {
  const section = elf.section('.dep-v0', MOST_BUILD_INFO_BYTES);
  if (section === undefined) return undefined;
  const bytes = tools.inflate(section, MOST_BUILD_INFO_BYTES);
  const document = bytes === undefined ? undefined : parseJson(bytes);
  if (document === undefined) return unreadable('its audit data is spoiled');
  const list = new PackageList();
  for (const one of arrayOf(document, 'packages')) if (stringOf(one, 'kind') !== 'build' && stringOf(one, 'source') !== 'local') list.add({ type: 'cargo', name: stringOf(one, 'name'), version: stringOf(one, 'version') });
  return list.result;
}

export const BINARIES: PackageReader = {
  name: 'binary', kind: 'binary',
  wants: ({ mode, size }) => (mode & S_IFMT) === S_IFREG && (mode & 0o111) !== 0 && size >= LEAST_BYTES,
  read: (file, tools) => {
    const elf = ElfSections.open(file);
    if (elf === undefined) return undefined;
    return readGo(elf)?.result ?? readRust(elf, tools);
  },
};
