/** Blobs by digest: `blobs/sha256/HEX` of the OCI image layout. */
import { algorithmOf, digestOf, hexOf } from './digest.ts';
import type { Digest } from './digest.ts';
import type { Disk } from './disk.ts';
import { DigestMismatchError, ImageError, ImageFormatError } from './errors.ts';
import { MOST_DOCUMENT_BYTES } from './limits.ts';
import { WriteBehind } from './write-behind.ts';

/** What is known of a blob before it comes. */
export interface Expected {
  readonly digest?: Digest | undefined;
  readonly size?: number | undefined;
}

/** A blob on its way in: its digest is taken as its bytes come. */
export class BlobWriter {
  readonly #blobs: Blobs;
  readonly #file: WriteBehind;
  readonly #expected: Expected;
  readonly #what: string;
  readonly #hash;

  constructor(blobs: Blobs, expected: Expected, what: string) {
    this.#blobs = blobs;
    this.#file = new WriteBehind(blobs.disk);
    this.#expected = expected;
    this.#what = what;
    this.#hash = blobs.disk.host.codecs.createDigest(expected.digest === undefined ? 'sha256' : algorithmOf(expected.digest));
  }

  get size(): number {
    return this.#file.size;
  }

  /** Of the file, until `commit`. */
  get path(): string {
    return this.#file.path;
  }

  /** @throws ImageFormatError as soon as there is more than was promised. */
  write(bytes: Uint8Array): void {
    const { size } = this.#expected;
    if (size !== undefined && this.#file.size + bytes.length > size) throw new ImageFormatError(`${this.#what} is longer than the ${size} bytes that were promised`, 'get it again; if that does not help, its source is spoiled or lies');
    this.#hash.update(bytes);
    this.#file.write(bytes);
  }

  /** @throws DigestMismatchError, ImageFormatError; nothing is kept then. */
  async commit(): Promise<{ readonly digest: Digest; readonly size: number }> {
    const { digest: promised, size } = this.#expected;
    const algorithm = promised === undefined ? 'sha256' : algorithmOf(promised);
    const digest: Digest = `${algorithm}:${this.#hash.hex()}`;
    try {
      if (size !== undefined && this.#file.size !== size) throw new ImageFormatError(`${this.#what} has ${this.#file.size} bytes where ${size} were promised`, 'get it again: it was cut short');
      if (promised !== undefined && digest !== promised) throw new DigestMismatchError(this.#what, promised, digest);
      await this.#file.commit(this.#blobs.pathOf(digest));
    } catch (error) {
      await this.discard();
      throw error;
    }
    return { digest, size: this.#file.size };
  }

  discard(): Promise<void> {
    return this.#file.discard();
  }
}

export class Blobs {
  readonly disk: Disk;

  constructor(disk: Disk) {
    this.disk = disk;
  }

  pathOf(digest: Digest): string {
    return this.disk.path('blobs', algorithmOf(digest), hexOf(digest));
  }

  has(digest: Digest): boolean {
    return this.disk.exists(this.pathOf(digest));
  }

  sizeOf(digest: Digest): number | undefined {
    return this.disk.sizeOf(this.pathOf(digest));
  }

  /** A new one. `what` begins a sentence: `the layer sha256:...`. */
  writer(expected: Expected, what: string): BlobWriter {
    if (expected.digest !== undefined) this.disk.makeDirectory(this.disk.path('blobs', algorithmOf(expected.digest)));
    return new BlobWriter(this, expected, what);
  }

  /** A document of ours. */
  put(bytes: Uint8Array): { readonly digest: Digest; readonly size: number } {
    const digest = digestOf(this.disk.host.codecs, bytes);
    // Anew even where it is here already: so it is as new as the image that it is for, and stays.
    this.disk.writeFile(this.pathOf(digest), bytes);
    return { digest, size: bytes.length };
  }

  /** From a stream; what is there already is not read. */
  async take(source: AsyncIterable<Uint8Array>, expected: Expected, what: string): Promise<{ readonly digest: Digest; readonly size: number }> {
    const writer = this.writer(expected, what);
    try {
      for await (const chunk of source) writer.write(chunk);
    } catch (error) {
      await writer.discard();
      throw error;
    }
    return writer.commit();
  }

  /** A manifest or configuration, checked against its digest. */
  read(digest: Digest, what: string): Uint8Array<ArrayBuffer> {
    const bytes = this.disk.readFile(this.pathOf(digest), MOST_DOCUMENT_BYTES);
    if (bytes === undefined) throw new ImageError(`${what} (${digest}) is not in the store`, 'get the image again with "caisson pull" or "caisson load"');
    const actual = digestOf(this.disk.host.codecs, bytes, algorithmOf(digest));
    if (actual !== digest) throw new DigestMismatchError(`${what} in the store`, digest, actual);
    return bytes;
  }

  stream(digest: Digest): AsyncIterable<Uint8Array<ArrayBuffer>> {
    return this.disk.stream(this.pathOf(digest));
  }
}
