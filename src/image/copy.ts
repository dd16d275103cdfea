/** An image from one place to another without the store: every byte is checked against its digest on the way, and no digest changes. */
import type { HostCodecs } from '../host/types.ts';
import { algorithmOf } from './digest.ts';
import type { Digest } from './digest.ts';
import { DigestMismatchError, ImageFormatError, ImageLimitError } from './errors.ts';
import { MOST_INDEX_DEPTH } from './limits.ts';
import { noPlatform } from './load.ts';
import { parseManifest, selectPlatform } from './manifest.ts';
import type { Descriptor, Platform } from './manifest.ts';
import { inParallel } from './in-parallel.ts';
import type { Progress } from './progress.ts';

/** A manifest or index as it is. */
export interface ManifestBytes {
  readonly bytes: Uint8Array;
  /** What the place says it is. */
  readonly mediaType: string | undefined;
  readonly digest: Digest;
}

export interface CopySource {
  /** What was asked for. */
  top(): Promise<ManifestBytes>;
  /** One that an index names. @throws where it is not there or has another digest */
  manifest(digest: Digest): Promise<ManifestBytes>;
  blob(digest: Digest, size: number): AsyncIterable<Uint8Array>;
  close(): void;
}

export interface CopyTarget {
  /** Blobs that it takes at once. */
  readonly atOnce: number;
  has(digest: Digest): Promise<boolean>;
  /** `body` throws before its end where the bytes are not what they should be. */
  putBlob(digest: Digest, size: number, body: () => AsyncIterable<Uint8Array>): Promise<'sent' | 'mounted'>;
  /** `isTop`: it gets the name. What it names is there. */
  putManifest(manifest: ManifestBytes & { readonly mediaType: string }, isTop: boolean): Promise<void>;
  /** All of it is there. */
  finish(): void;
  /** It failed: nothing half done stays. */
  discard(): void;
}

export interface CopyOptions {
  readonly codecs: HostCodecs;
  /** All that an index names; otherwise the manifest for `platform`. */
  readonly all: boolean;
  readonly platform: Platform;
  readonly progress: Progress;
}

/** @throws DigestMismatchError, ImageFormatError at the end of bytes that are not what was promised */
async function* verified(source: AsyncIterable<Uint8Array>, { digest, size }: Pick<Descriptor, 'digest' | 'size'>, codecs: HostCodecs, onBytes: (bytes: number) => void): AsyncIterable<Uint8Array> {
  const hash = codecs.createDigest(algorithmOf(digest));
  let done = 0;
  for await (const chunk of source) {
    done += chunk.length;
    if (done > size) throw new ImageFormatError(`the blob ${digest} is longer than the ${size} bytes that were promised`, 'its source is spoiled, or lies');
    hash.update(chunk);
    onBytes(chunk.length);
    // The last piece goes only when the whole is known to be right.
    if (done < size) yield chunk;
    else {
      const actual = `${algorithmOf(digest)}:${hash.hex()}`;
      if (actual !== digest) throw new DigestMismatchError(`the blob ${digest}`, digest, actual);
      yield chunk;
      return;
    }
  }
  if (size > 0) throw new ImageFormatError(`the blob ${digest} ends after ${done} of ${size} bytes`, 'its source has it spoiled, or lies');
}

class Copier {
  readonly #source: CopySource;
  readonly #target: CopyTarget;
  readonly #options: CopyOptions;
  readonly #done = new Set<Digest>();

  constructor(source: CopySource, target: CopyTarget, options: CopyOptions) {
    this.#source = source;
    this.#target = target;
    this.#options = options;
  }

  async copy(own: ManifestBytes, isTop: boolean, depth = 0): Promise<Digest> {
    if (depth > MOST_INDEX_DEPTH) throw new ImageLimitError(`an index of the image names indexes more than ${MOST_INDEX_DEPTH} deep`);
    const document = parseManifest(own.bytes, own.mediaType, 'the manifest');
    if (document.kind === 'index' && !this.#options.all) {
      const selected = selectPlatform(document, this.#options.platform);
      if (selected === undefined) throw noPlatform(document, this.#options.platform);
      return this.copy(await this.#source.manifest(selected.digest), isTop, depth + 1);
    }
    if (document.kind === 'index') for (const { digest } of document.manifests) await this.copy(await this.#source.manifest(digest), false, depth + 1);
    else await this.#copyBlobs([document.config, ...document.layers]);
    await this.#target.putManifest({ ...own, mediaType: document.mediaType }, isTop);
    return own.digest;
  }

  async #copyBlobs(descriptors: readonly Descriptor[]): Promise<void> {
    const unique = [...new Map(descriptors.map((descriptor) => [descriptor.digest, descriptor])).values()].filter(({ digest }) => !this.#done.has(digest));
    const { progress, codecs } = this.#options;
    await inParallel(unique, async ({ digest, size }) => {
      this.#done.add(digest);
      progress.start(digest, size);
      if (await this.#target.has(digest)) return progress.end(digest, 'exists');
      const body = (): AsyncIterable<Uint8Array> => verified(this.#source.blob(digest, size), { digest, size }, codecs, (bytes) => progress.advance(digest, bytes));
      progress.end(digest, (await this.#target.putBlob(digest, size, body)) === 'sent' ? 'copied' : 'mounted');
    }, this.#target.atOnce);
  }
}

/** Answers the digest of what has the name there. @throws ImageError; nothing half done stays where the target is a file. */
export async function copyImage(source: CopySource, target: CopyTarget, options: CopyOptions): Promise<Digest> {
  try {
    const digest = await new Copier(source, target, options).copy(await source.top(), true);
    target.finish();
    return digest;
  } catch (error) {
    target.discard();
    throw error;
  } finally {
    source.close();
  }
}
