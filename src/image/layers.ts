/** Layers ready to be mounted: `layers/HEX.tar`, a layer's bytes uncompressed, and `layers/HEX.index`; HEX is of its DiffID. */
import { LAYER_CHECKSUM, LAYER_HEADER_BYTES } from '../fs/layer-format.ts';
import type { LayerPaths } from '../fs/layer-files.ts';
import { hexOf } from './digest.ts';
import type { DiffId, Digest } from './digest.ts';
import type { Blobs } from './blobs.ts';
import type { Disk } from './disk.ts';
import { DigestMismatchError, ImageError, ImageFormatError, ImageLimitError } from './errors.ts';
import { encodeLayer } from './layer-indexer.ts';
import { LayerTree } from './layer-tree.ts';
import { DEFAULT_LAYER_LIMITS, RATIO_FROM_BYTES } from './limits.ts';
import type { LayerLimits } from './limits.ts';
import type { Descriptor } from './manifest.ts';
import { compressionOf } from './media-types.ts';
import type { Compression } from './media-types.ts';
import { TarScanner } from './tar-reader.ts';
import { unzstd } from './zstd.ts';

export interface TakeLayerOptions {
  readonly source: AsyncIterable<Uint8Array>;
  /** Of the bytes as they come; absent where nobody knows it yet. */
  readonly descriptor?: Pick<Descriptor, 'digest' | 'size'> | undefined;
  readonly diffId?: DiffId | undefined;
  readonly limits?: LayerLimits | undefined;
  /** Bytes of the source that came. */
  readonly onProgress?: ((bytes: number) => void) | undefined;
}

export interface TakenLayer {
  readonly digest: Digest;
  readonly size: number;
  readonly diffId: DiffId;
  readonly compression: Compression;
}

/** The first piece of a stream, and the whole stream again. */
async function peek(source: AsyncIterable<Uint8Array>): Promise<readonly [first: Uint8Array, all: AsyncIterable<Uint8Array>]> {
  const iterator = source[Symbol.asyncIterator]();
  let first = new Uint8Array();
  for (let step = await iterator.next(); step.done !== true; step = await iterator.next()) {
    const both = new Uint8Array(first.length + step.value.length);
    both.set(first);
    both.set(step.value, first.length);
    first = both;
    if (first.length >= 4) break;
  }
  async function* all(): AsyncIterable<Uint8Array> {
    try {
      if (first.length > 0) yield first;
      for (let step = await iterator.next(); step.done !== true; step = await iterator.next()) yield step.value;
    } finally {
      await iterator.return?.();
    }
  }
  return [first, all()];
}

export class Layers {
  readonly #disk: Disk;
  readonly #blobs: Blobs;

  constructor(disk: Disk, blobs: Blobs) {
    this.#disk = disk;
    this.#blobs = blobs;
  }

  pathsOf(diffId: DiffId): LayerPaths {
    const base = this.#disk.path('layers', hexOf(diffId));
    return { tar: `${base}.tar`, index: `${base}.index` };
  }

  has(diffId: DiffId): boolean {
    return this.#disk.exists(this.pathsOf(diffId).index);
  }

  /** Bytes of the tar. */
  bytesOf(diffId: DiffId): number {
    return this.#disk.sizeOf(this.pathsOf(diffId).tar) ?? 0;
  }

  /**
   * Takes a layer in: its bytes become a blob as they come, and at the same time a tar and an index to mount.
   *
   * @throws DigestMismatchError, ImageFormatError, ImageLimitError; nothing is kept then.
   */
  async take({ source, descriptor, diffId, limits = DEFAULT_LAYER_LIMITS, onProgress = () => {} }: TakeLayerOptions): Promise<TakenLayer> {
    const what = descriptor === undefined ? 'the layer' : `the layer ${descriptor.digest}`;
    const blob = this.#blobs.writer(descriptor ?? {}, what);
    async function* kept(): AsyncIterable<Uint8Array> {
      for await (const chunk of source) {
        blob.write(chunk);
        onProgress(chunk.length);
        yield chunk;
      }
    }
    try {
      const [first, all] = await peek(kept());
      const compression = compressionOf(first);
      const ready = await this.#unpack(all, compression, { what, diffId, limits, compressedBytes: () => blob.size });
      return { ...blob.commit(), diffId: ready, compression };
    } catch (error) {
      blob.discard();
      throw error;
    }
  }

  /** Makes tar and index of a blob that is here. */
  async prepare(descriptor: Descriptor, diffId: DiffId, limits: LayerLimits = DEFAULT_LAYER_LIMITS): Promise<void> {
    if (this.has(diffId)) return;
    const [first, all] = await peek(this.#blobs.stream(descriptor.digest));
    await this.#unpack(all, compressionOf(first), { what: `the layer ${descriptor.digest}`, diffId, limits, compressedBytes: () => descriptor.size });
  }

  async #unpack(source: AsyncIterable<Uint8Array>, compression: Compression, options: UnpackOptions): Promise<DiffId> {
    const { codecs } = this.#disk.host;
    const { what, limits } = options;
    const file = this.#disk.newFile();
    const hash = codecs.createDigest('sha256');
    const tree = new LayerTree(limits);
    const scanner = new TarScanner((entry) => tree.add(entry));
    try {
      const plain = compression === 'gzip' ? codecs.gunzip(source) : compression === 'zstd' ? unzstd(source) : source;
      for await (const chunk of explained(plain, what)) {
        hash.update(chunk);
        file.write(chunk);
        checkSize(file.size, options);
        scanner.push(chunk);
      }
      // What may stand behind a compressed stream belongs to the blob.
      if (compression !== 'none') for await (const _ of source) void _;
      scanner.end();
      const diffId: DiffId = `sha256:${hash.hex()}`;
      if (options.diffId !== undefined && diffId !== options.diffId) throw new DigestMismatchError(`${what}, uncompressed,`, options.diffId, diffId);
      if (limits.layerBytes < file.size) throw new ImageLimitError(`${what} is too long`);
      const { tar, index } = this.pathsOf(diffId);
      file.commit(tar);
      this.#disk.writeFile(index, this.#sealed(encodeLayer(tree.root)));
      return diffId;
    } catch (error) {
      file.discard();
      throw inLayer(error, what);
    }
  }

  /** With its own digest in the header. */
  #sealed(index: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    index.set(this.#checksum(index), LAYER_CHECKSUM);
    return index;
  }

  #checksum(index: Uint8Array): Uint8Array {
    const hash = this.#disk.host.codecs.createDigest('sha256');
    hash.update(index.subarray(0, LAYER_CHECKSUM));
    hash.update(index.subarray(LAYER_HEADER_BYTES));
    return Uint8Array.from(hash.hex().match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
  }
}

interface UnpackOptions {
  readonly what: string;
  readonly diffId: DiffId | undefined;
  readonly limits: LayerLimits;
  readonly compressedBytes: () => number;
}

function checkSize(size: number, { what, limits, compressedBytes }: UnpackOptions): void {
  if (size > limits.layerBytes) throw new ImageLimitError(`${what} is longer than ${limits.layerBytes} bytes uncompressed`, 'raise it with --max-layer-size, if you trust the image');
  if (size > RATIO_FROM_BYTES && size > compressedBytes() * limits.compressionRatio) {
    throw new ImageLimitError(`${what} becomes more than ${limits.compressionRatio} times as long when it is uncompressed`, 'raise it with --max-layer-ratio, if you trust the image');
  }
}

/** What a decompressor throws, in words of ours. */
async function* explained(source: AsyncIterable<Uint8Array>, what: string): AsyncIterable<Uint8Array> {
  try {
    yield* source;
  } catch (error) {
    const { code, message } = error as { code?: unknown; message: string };
    if (error instanceof ImageError || typeof code !== 'string' || !code.startsWith('Z_')) throw error;
    throw new ImageFormatError(`${what} is spoiled or cut short: ${message}`, 'get it again', { cause: error });
  }
}

function inLayer(error: unknown, what: string): unknown {
  if (!(error instanceof ImageFormatError || error instanceof ImageLimitError) || error.message.startsWith(what)) return error;
  const Kind = error instanceof ImageFormatError ? ImageFormatError : ImageLimitError;
  return new Kind(`${error.message} (${what.replace(/^the layer/, 'layer')})`, error.advice, { cause: error });
}
