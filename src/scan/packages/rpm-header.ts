/** A package's header as rpm's database keeps it (rpm `lib/header.c`): numbers of entries and bytes, an index, and what it points to. Big endian. */
import { asciiOf, textOf } from '../text.ts';
import type { Package } from './types.ts';

const TAG = { name: 1000, version: 1001, release: 1002, epoch: 1003, vendor: 1011, license: 1014, architecture: 1022, source: 1044, directoryIndexes: 1116, baseNames: 1117, directoryNames: 1118, modularity: 5096 } as const;
const ENTRY_BYTES = 16;
/** rpm's own bounds (`hdrchkTags`, `hdrchkData`). */
const MOST_ENTRIES = 0xffff;
const MOST_DATA_BYTES = 0x0fff_ffff;
/** Files of one package whose names are read. */
const MOST_NAMES = 1_000_000;

interface Entry {
  readonly offset: number;
  readonly count: number;
}

export class RpmHeader {
  readonly #entries = new Map<number, Entry>();
  readonly #view: DataView;
  readonly #bytes: Uint8Array;

  private constructor(bytes: Uint8Array, count: number) {
    this.#bytes = bytes.subarray(8 + count * ENTRY_BYTES);
    const index = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength);
    for (let at = 8; at < 8 + count * ENTRY_BYTES; at += ENTRY_BYTES) this.#entries.set(index.getInt32(at), { offset: index.getInt32(at + 8), count: index.getInt32(at + 12) });
  }

  /** Undefined for what is none. */
  static read(bytes: Uint8Array): RpmHeader | undefined {
    if (bytes.length < 8) return undefined;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const [count, length] = [view.getUint32(0), view.getUint32(4)];
    if (count > MOST_ENTRIES || length > MOST_DATA_BYTES || 8 + count * ENTRY_BYTES > bytes.length) return undefined;
    return new RpmHeader(bytes, count);
  }

  #string(tag: number): string | undefined {
    const entry = this.#entries.get(tag);
    if (entry === undefined || entry.offset < 0 || entry.offset >= this.#bytes.length) return undefined;
    const end = this.#bytes.indexOf(0, entry.offset);
    return textOf(this.#bytes.subarray(entry.offset, end < 0 ? undefined : end));
  }

  #number(tag: number, index = 0): number | undefined {
    const entry = this.#entries.get(tag);
    if (entry === undefined || entry.offset < 0 || entry.offset + 4 * (index + 1) > this.#bytes.length) return undefined;
    return this.#view.getUint32(entry.offset + 4 * index);
  }

  /** One after the other, each as a byte string. */
  #strings(tag: number): readonly string[] {
    const entry = this.#entries.get(tag);
    if (entry === undefined || entry.offset < 0 || entry.offset >= this.#bytes.length || entry.count < 0 || entry.count > MOST_NAMES) return [];
    const found: string[] = [];
    for (let at = entry.offset; found.length < entry.count && at < this.#bytes.length;) {
      const end = this.#bytes.indexOf(0, at);
      if (end < 0) break;
      found.push(asciiOf(this.#bytes.subarray(at, end)));
      at = end + 1;
    }
    return found;
  }

  /** As `PackageList.add` takes it. `gpg-pubkey` is a key, no package. */
  get package(): { readonly [Key in keyof Package]: Package[Key] | undefined } | undefined {
    const [name, version, release] = [this.#string(TAG.name), this.#string(TAG.version), this.#string(TAG.release)];
    if (name === undefined || version === undefined || name === 'gpg-pubkey') return undefined;
    const epoch = this.#number(TAG.epoch) ?? 0;
    const full = `${epoch > 0 ? `${epoch}:` : ''}${version}${release === undefined || release === '' ? '' : `-${release}`}`;
    // NAME-VERSION-RELEASE.src.rpm
    const [, sourceName, sourceNumber] = /^(.+)-([^-]+-[^-]+)\.(?:no)?src\.rpm$/.exec(this.#string(TAG.source) ?? '') ?? [];
    const modularity = this.#string(TAG.modularity);
    return {
      type: 'rpm', name, version: full, architecture: this.#string(TAG.architecture), license: this.#string(TAG.license), sourceName, sourceVersion: sourceNumber === undefined ? undefined : `${epoch > 0 ? `${epoch}:` : ''}${sourceNumber}`,
      qualifiers: modularity === undefined || modularity === '' ? undefined : { modularitylabel: modularity },
    };
  }

  /** Those of its files that are among `paths`. */
  owned(paths: ReadonlySet<string>): readonly string[] {
    const directories = this.#strings(TAG.directoryNames);
    return this.#strings(TAG.baseNames).flatMap((name, index) => {
      const path = `${directories[this.#number(TAG.directoryIndexes, index) ?? 0] ?? '/'}${name}`.slice(1);
      return paths.has(path) ? [path] : [];
    });
  }
}
