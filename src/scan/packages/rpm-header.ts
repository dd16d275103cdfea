/** A package's header as rpm's database keeps it (rpm `lib/header.c`): numbers of entries and bytes, an index, and what it points to. Big endian. */
import { asciiOf, byteStringOf, textOf } from '../text.ts';
import type { Package } from './types.ts';

const TAG = { name: 1000, version: 1001, release: 1002, epoch: 1003, vendor: 1011, license: 1014, architecture: 1022, source: 1044, directoryIndexes: 1116, baseNames: 1117, directoryNames: 1118, modularity: 5096, fileStates: 1029, fileDigests: 1035, fileFlags: 1037, fileVerifyFlags: 1045 } as const;
const ENTRY_BYTES = 16;
/** rpm's own bounds (`hdrchkTags`, `hdrchkData`). */
const MOST_ENTRIES = 0xffff;
const MOST_DATA_BYTES = 0x0fff_ffff;
/** Files of one package whose names are read. */
const MOST_NAMES = 1_000_000;

/** PATH_MAX: a longer name is of no file. */
const MOST_PATH_BYTES = 4096;
/** `rpmfileAttrs_e`, `rpmVerifyAttrs_e` and `rpmfileState_e` of rpm's `rpmfiles.h` and `rpmvf.h`. */
const [CONFIG, GHOST, VERIFY_DIGEST, STATE_NORMAL] = [1, 1 << 6, 1, 0];

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
      const piece = this.#bytes.subarray(at, end);
      const text = asciiOf(piece);
      found.push(/[^\0-\x7f]/.test(text) && piece.length <= MOST_PATH_BYTES ? byteStringOf(piece) : text);
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

  /** Byte strings without a slash at their beginning, each with its place in all that is said of files. */
  *#paths(): Generator<readonly [path: string, index: number]> {
    const directories = this.#strings(TAG.directoryNames);
    for (const [index, name] of this.#strings(TAG.baseNames).entries()) {
      const directory = directories[this.#number(TAG.directoryIndexes, index) ?? 0] ?? '/';
      if (directory.length + name.length <= MOST_PATH_BYTES) yield [`${directory}${name}`.slice(1), index];
    }
  }

  /** Those of its files that are among `paths`. */
  owned(paths: ReadonlySet<string>): readonly string[] {
    const found: string[] = [];
    for (const [path] of this.#paths()) if (paths.has(path)) found.push(path);
    return found;
  }

  /** Files with the digests that it brought, as `rpm -V` compares them: without configuration, what is made later, what is not to be verified, and what another package has replaced. */
  *digests(): Generator<{ readonly path: string; readonly digest: string }> {
    const digests = this.#strings(TAG.fileDigests);
    for (const [path, index] of this.#paths()) {
      const digest = digests[index] ?? '';
      const isApart = ((this.#number(TAG.fileFlags, index) ?? 0) & (CONFIG | GHOST)) !== 0 || ((this.#number(TAG.fileVerifyFlags, index) ?? VERIFY_DIGEST) & VERIFY_DIGEST) === 0;
      if (digest !== '' && !isApart && this.#state(index) === STATE_NORMAL) yield { path, digest };
    }
  }

  #state(index: number): number {
    const entry = this.#entries.get(TAG.fileStates);
    return (entry === undefined || entry.offset < 0 ? undefined : this.#bytes[entry.offset + index]) ?? STATE_NORMAL;
  }
}
