/**
 * What images are called: `images/KEY.json`, one file for each name, so that two processes that name two images never
 * meet. `index.json`, which an OCI image layout must have (image-layout.md), is written after them and says the same.
 */
import { digestOf, hexOf } from './digest.ts';
import type { Disk } from './disk.ts';
import { MOST_DOCUMENT_BYTES } from './limits.ts';
import { fieldOf, parseDescriptor, parseJson } from './manifest.ts';
import type { Descriptor } from './manifest.ts';
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
    const [reference, typed, digests, added] = ['reference', 'typed', 'digests', 'addedMs'].map((name) => fieldOf(document, name));
    return {
      reference: typeof reference === 'string' ? parseReference(reference) : undefined,
      typed: typeof typed === 'string' ? typed : undefined,
      target: parseDescriptor(fieldOf(document, 'target'), 'a record of the store'),
      manifest: parseDescriptor(fieldOf(document, 'manifest'), 'a record of the store'),
      digests: Array.isArray(digests) ? digests.filter((item): item is string => typeof item === 'string') : [],
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

  /** All, the latest first. A record that cannot be read is left out. */
  list(): readonly ImageRecord[] {
    return this.#read().sort((left, right) => right.addedMs - left.addedMs);
  }

  #read(): ImageRecord[] {
    return this.#disk.list(this.#disk.path('images')).filter((name) => name.endsWith('.json')).flatMap((name) => {
      const bytes = this.#disk.readFile(this.#disk.path('images', name), MOST_DOCUMENT_BYTES);
      const record = bytes === undefined ? undefined : decode(bytes);
      return record === undefined ? [] : [record];
    });
  }

  /** Gives the name to this image; one that had it before keeps a record without a name, unless it has another name. */
  put(record: ImageRecord): void {
    const before = record.reference === undefined ? undefined : this.get(record.reference);
    this.#disk.writeFile(this.#path(keyOf(this.#disk, record)), encode(record));
    if (record.reference !== undefined) this.#disk.remove(this.#path(keyOf(this.#disk, { reference: undefined, manifest: record.manifest })));
    if (before !== undefined && before.manifest.digest !== record.manifest.digest) this.#keepUntagged(before);
    this.#writeIndex();
  }

  #keepUntagged(record: ImageRecord): void {
    if (this.list().some(({ manifest }) => manifest.digest === record.manifest.digest)) return;
    const untagged = { ...record, reference: undefined };
    this.#disk.writeFile(this.#path(keyOf(this.#disk, untagged)), encode(untagged));
  }

  remove(record: ImageRecord): void {
    this.#disk.remove(this.#path(keyOf(this.#disk, record)));
    this.#writeIndex();
  }

  /** Again when another process named an image meanwhile, so that the last one to look has all. */
  #writeIndex(): void {
    for (let before: string | undefined; ;) {
      const text = this.#indexText();
      if (text === before) return;
      this.#disk.writeFile(this.#disk.path('index.json'), new TextEncoder().encode(text));
      before = text;
    }
  }

  #indexText(): string {
    const manifests = this.list().map(({ reference, target }) => ({
      mediaType: target.mediaType, digest: target.digest, size: target.size,
      ...(reference === undefined ? {} : { annotations: { [REFERENCE_ANNOTATION]: formatReference(reference) } }),
    }));
    return `${JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }, undefined, 2)}\n`;
  }
}

const NOWHERE: Descriptor = { mediaType: '', digest: `sha256:${'0'.repeat(64)}`, size: 0 };
