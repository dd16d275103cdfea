/**
 * What images are called: `images/KEY.json`, one file for each name. `index.json`, which an OCI image layout must have
 * (image-layout.md), is written after them and says the same; one that is behind is written anew by the next command that changes a name.
 * All that changes names runs under the store's lock (`lock.ts`).
 */
import { EDQUOT, EFBIG, ENOSPC } from '../abi/errno.ts';
import { digestOf, hexOf } from './digest.ts';
import type { Disk, NewFile } from './disk.ts';
import { StoreError } from './errors.ts';
import { MOST_DOCUMENT_BYTES } from './limits.ts';
import { fieldOf, parseDescriptor, parseJson } from './manifest.ts';
import type { Descriptor, Json } from './manifest.ts';
import { OCI_INDEX } from './media-types.ts';
import { formatReference, parseReference } from './reference.ts';
import type { Reference } from './reference.ts';

const REFERENCE_ANNOTATION = 'org.opencontainers.image.ref.name';

/** One name of an image, or an image that has lost its name. */
export interface ImageRecord {
  /** Without a digest. Absent: the image has no name (any more). */
  readonly reference: Reference | undefined;
  /** What the user wrote when it came. */
  readonly typed: string | undefined;
  /** What the name led to: a manifest, or an index of manifests. */
  readonly target: Descriptor;
  /** The manifest of the platform that was chosen. */
  readonly manifest: Descriptor;
  /** Repository digests by which registries know it: `name@digest`. */
  readonly digests: readonly string[];
  /** Manifests about it that a build has made: pushed with it, removed with it. */
  readonly referrers: readonly Descriptor[];
  /** When it came, in milliseconds since the epoch. */
  readonly addedMs: number;
}

function keyOf(disk: Disk, { reference, manifest }: Pick<ImageRecord, 'reference' | 'manifest'>): string {
  if (reference === undefined) return `untagged-${hexOf(manifest.digest)}`;
  return hexOf(digestOf(disk.host.codecs, new TextEncoder().encode(formatReference(reference))));
}

function encode(record: ImageRecord): Uint8Array {
  const { reference, ...rest } = record;
  return new TextEncoder().encode(`${JSON.stringify({ reference: reference === undefined ? undefined : formatReference(reference), ...rest }, undefined, 2)}\n`);
}

function decode(bytes: Uint8Array): ImageRecord | undefined {
  try {
    const document = parseJson(bytes, 'a record of the store');
    const [reference, typed, digests, referrers, added] = ['reference', 'typed', 'digests', 'referrers', 'addedMs'].map((name) => fieldOf(document, name));
    return {
      reference: typeof reference === 'string' ? parseReference(reference) : undefined,
      typed: typeof typed === 'string' ? typed : undefined,
      target: parseDescriptor(fieldOf(document, 'target'), 'a record of the store'),
      manifest: parseDescriptor(fieldOf(document, 'manifest'), 'a record of the store'),
      digests: Array.isArray(digests) ? digests.filter((item): item is string => typeof item === 'string') : [],
      referrers: Array.isArray(referrers) ? referrers.map((item: Json) => parseDescriptor(item, 'a record of the store')) : [],
      addedMs: typeof added === 'number' ? added : 0,
    };
  } catch {
    return undefined;
  }
}

export class Records {
  readonly #disk: Disk;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  #path(key: string): string {
    return this.#disk.path('images', `${key}.json`);
  }

  get(reference: Reference): ImageRecord | undefined {
    const bytes = this.#disk.readFile(this.#path(keyOf(this.#disk, { reference: { ...reference, digest: undefined }, manifest: NOWHERE })), MOST_DOCUMENT_BYTES);
    return bytes === undefined ? undefined : decode(bytes);
  }

  /** All, the latest first. A record that cannot be read is left out (`damaged`), and so is a nameless one of an image that has a name. */
  list(): readonly ImageRecord[] {
    return visible(this.#all());
  }

  #all(): readonly ImageRecord[] {
    return this.#files().flatMap(({ record }) => (record === undefined ? [] : [record]));
  }

  /** Names of files that hold no record, or that of another name. */
  damaged(): readonly string[] {
    return this.#files().filter(({ name, record }) => record === undefined || `${keyOf(this.#disk, record)}.json` !== name).map(({ name }) => name);
  }

  removeFile(name: string): void {
    this.#disk.remove(this.#disk.path('images', name));
  }

  #files(): readonly { readonly name: string; readonly record: ImageRecord | undefined }[] {
    return this.#disk.list(this.#disk.path('images')).flatMap((name) => {
      const bytes = this.#disk.readFile(this.#disk.path('images', name), MOST_DOCUMENT_BYTES);
      return bytes === undefined ? [] : [{ name, record: decode(bytes) }];
    });
  }

  /** Gives the name to this image; one that had it before keeps a record without a name, unless it has another name. Under the lock. */
  put(record: ImageRecord): void {
    const before = record.reference === undefined ? undefined : this.get(record.reference);
    // First, so that an image whose name goes to another is never without a record.
    if (before !== undefined && before.manifest.digest !== record.manifest.digest) this.#keepUntagged(before);
    const key = keyOf(this.#disk, record);
    const others = this.#all().filter((other) => keyOf(this.#disk, other) !== key);
    // Whole on the disk before the name changes: where there is no room for it, nothing has happened.
    const index = this.#newIndex(visible([record, ...others]));
    try {
      this.#disk.writeFile(this.#path(key), encode(record));
      index.name(this.#indexPath);
    } catch (error) {
      index.discard();
      throw error;
    }
    if (record.reference !== undefined) this.#disk.remove(this.#path(keyOf(this.#disk, { reference: undefined, manifest: record.manifest })));
    this.sync();
  }

  /** The names that were given and taken are so on the disk as well. */
  sync(): void {
    this.#disk.syncDirectory(this.#disk.path('images'));
  }

  #keepUntagged(record: ImageRecord): void {
    const own = keyOf(this.#disk, record);
    const hasOtherName = this.list().some((other) => other.reference !== undefined && other.manifest.digest === record.manifest.digest && keyOf(this.#disk, other) !== own);
    if (hasOtherName) return;
    const untagged = { ...record, reference: undefined };
    this.#disk.writeFile(this.#path(keyOf(this.#disk, untagged)), encode(untagged));
  }

  /** Under the lock. `writeIndex` is due afterwards: on a full disk there may be room for it only when more was removed. */
  remove(record: ImageRecord): void {
    this.#disk.remove(this.#path(keyOf(this.#disk, record)));
    // A nameless record of it that was hidden by this one.
    if (record.reference !== undefined && !this.list().some(({ manifest, reference }) => reference !== undefined && manifest.digest === record.manifest.digest)) {
      this.#disk.remove(this.#path(keyOf(this.#disk, { reference: undefined, manifest: record.manifest })));
    }
  }

  get #indexPath(): string {
    return this.#disk.path('index.json');
  }

  /** Brings it up to date, under the lock. On a full disk it stays as it is until there is room: nothing of ours reads it. */
  writeIndex(): void {
    const records = this.list();
    if (isEqual(indexOf(records), this.#disk.readFile(this.#indexPath, Number.MAX_SAFE_INTEGER))) return;
    try {
      this.#newIndex(records).name(this.#indexPath);
    } catch (error) {
      if (!(error instanceof StoreError) || ![ENOSPC, EDQUOT, EFBIG].includes(error.errno)) throw error;
    }
  }

  /** Without its name. */
  #newIndex(records: readonly ImageRecord[]): NewFile {
    const file = this.#disk.newFile();
    try {
      file.write(indexOf(records));
      file.sync();
      return file;
    } catch (error) {
      file.discard();
      throw error;
    }
  }
}

/** The latest first, without the nameless ones of images that have a name. */
function visible(records: readonly ImageRecord[]): readonly ImageRecord[] {
  const named = new Set(records.filter(({ reference }) => reference !== undefined).map(({ manifest }) => manifest.digest));
  return records.filter(({ reference, manifest }) => reference !== undefined || !named.has(manifest.digest)).sort((left, right) => right.addedMs - left.addedMs);
}

function indexOf(records: readonly ImageRecord[]): Uint8Array {
  const manifests = records.map(({ reference, target }) => ({
    mediaType: target.mediaType, digest: target.digest, size: target.size,
    ...(reference === undefined ? {} : { annotations: { [REFERENCE_ANNOTATION]: formatReference(reference) } }),
  }));
  return new TextEncoder().encode(`${JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }, undefined, 2)}\n`);
}

function isEqual(left: Uint8Array, right: Uint8Array | undefined): boolean {
  return right !== undefined && left.length === right.length && left.every((byte, index) => byte === right[index]);
}

const NOWHERE: Descriptor = { mediaType: '', digest: `sha256:${'0'.repeat(64)}`, size: 0 };
