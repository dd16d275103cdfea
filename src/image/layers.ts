/** Layers ready to be mounted: `layers/HEX.tar`, a layer's bytes uncompressed, and `layers/HEX.index`; HEX is of its DiffID. */
import { LAYER_CHECKSUM, LAYER_HEADER_BYTES, LayerTable } from '../fs/layer-format.ts';
import type { LayerPaths } from '../fs/layer-files.ts';
import { hexOf } from './digest.ts';
import type { DiffId, Digest } from './digest.ts';
import type { Blobs } from './blobs.ts';
import type { Claim, Claims } from './claims.ts';
import type { Disk } from './disk.ts';
import { DigestMismatchError, ImageError, ImageFormatError, ImageLimitError } from './errors.ts';
import { encodeLayer } from './layer-indexer.ts';
import { LayerTree } from './layer-tree.ts';
import { DEFAULT_LAYER_LIMITS, PREPARE_WAIT_BYTES_PER_MS, PREPARE_WAIT_MS, RATIO_FROM_BYTES } from './limits.ts';
import type { LayerLimits } from './limits.ts';
import type { Descriptor } from './manifest.ts';
import { compressionOf } from './media-types.ts';
import type { Compression } from './media-types.ts';
import { counted, peek } from './peek.ts';
import type { Progress } from './progress.ts';
import { TarScanner } from './tar-reader.ts';
import { WriteBehind } from './write-behind.ts';
import { unzstd } from './zstd.ts';

/** What tells how a layer is compressed. */
const MAGIC_BYTES = 4;
/** How often it is looked whether another process has made a layer ready. */
const LOOK_MS = 3;

export interface TakeLayerOptions {
  readonly source: AsyncIterable<Uint8Array>;
  /** Of the bytes as they come; absent where nobody knows it yet. */
  readonly descriptor?: Pick<Descriptor, 'digest' | 'size'> | undefined;
  readonly diffId?: DiffId | undefined;
  readonly limits?: LayerLimits | undefined;
}

export interface TakenLayer {
  readonly digest: Digest;
  readonly size: number;
  readonly diffId: DiffId;
  readonly compression: Compression;
}

export interface PrepareOptions {
  readonly limits?: LayerLimits | undefined;
  readonly progress?: Progress | undefined;
  /** Its bytes, where they are not a blob yet when this begins; when those end they are. */
  readonly source?: LayerSource | undefined;
}

export interface LayerSource {
  /** The first bytes, so many or all that there are. */
  first(length: number): Promise<Uint8Array>;
  /** All of it. `areKept`: pieces stay valid, and do not only hold until the next. */
  pieces(areKept: boolean): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

export class Layers {
  readonly #disk: Disk;
  readonly #blobs: Blobs;
  readonly #claims: Claims;

  constructor(disk: Disk, blobs: Blobs, claims: Claims) {
    this.#disk = disk;
    this.#blobs = blobs;
    this.#claims = claims;
  }

  pathsOf(diffId: DiffId): LayerPaths {
    const base = this.#disk.path('layers', hexOf(diffId));
    return { tar: `${base}.tar`, index: `${base}.index` };
  }

  /** Both files: a power cut may leave one of the two names. */
  has(diffId: DiffId): boolean {
    const { tar, index } = this.pathsOf(diffId);
    return this.#disk.exists(index) && this.#disk.exists(tar);
  }

  /** Bytes of the tar; undefined where the layer is not ready. */
  bytesOf(diffId: DiffId): number | undefined {
    return this.#disk.sizeOf(this.pathsOf(diffId).tar);
  }

  /**
   * Takes a layer in: its bytes become a blob as they come, and at the same time a tar and an index to mount.
   *
   * @throws DigestMismatchError, ImageFormatError, ImageLimitError; nothing is kept then.
   */
  async take({ source, descriptor, diffId, limits = DEFAULT_LAYER_LIMITS }: TakeLayerOptions): Promise<TakenLayer> {
    const what = descriptor === undefined ? 'the layer' : `the layer ${descriptor.digest}`;
    const blob = this.#blobs.writer(descriptor ?? {}, what);
    async function* kept(): AsyncIterable<Uint8Array> {
      for await (const chunk of source) {
        blob.write(chunk);
        yield chunk;
      }
    }
    try {
      const { first, all } = await peek(kept(), MAGIC_BYTES);
      const compression = compressionOf(first);
      const options = { what, diffId, limits, compressedBytes: () => blob.size };
      if (compression === 'none') {
        const scanned = await this.#scan(all, undefined, options);
        const stored = await blob.commit();
        await this.#commitPlain(scanned, stored.digest);
        return { ...stored, diffId: scanned.diffId, compression };
      }
      const ready = await this.#unpack(all, compression, options);
      return { ...await blob.commit(), diffId: ready, compression };
    } catch (error) {
      await blob.discard();
      throw error;
    }
  }

  /** Makes tar and index of a blob, or waits until another process has. */
  async prepare(descriptor: Descriptor, diffId: DiffId, options: PrepareOptions = {}): Promise<void> {
    if (this.has(diffId)) return;
    const { digest, size } = descriptor;
    const { progress } = options;
    progress?.start(digest, size);
    const claim = await this.#turn(diffId, size);
    try {
      // Another one may have been just before this one.
      if (!this.has(diffId)) await this.#prepare(descriptor, diffId, options);
    } finally {
      claim?.end();
    }
    progress?.end(digest, 'prepared');
  }

  /** Waits while others make it ready. Undefined: they have, or they take so long that they may have been stopped. */
  async #turn(diffId: DiffId, size: number): Promise<Claim | undefined> {
    const { now } = this.#disk.host;
    const endMs = now() + PREPARE_WAIT_MS + size / PREPARE_WAIT_BYTES_PER_MS;
    for (;;) {
      const claim = this.#claims.prepare(diffId);
      if (claim !== undefined || this.has(diffId) || now() > endMs) return claim;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  async #prepare({ digest, size }: Descriptor, diffId: DiffId, { limits = DEFAULT_LAYER_LIMITS, progress, source = this.#blobSource(digest) }: PrepareOptions): Promise<void> {
    const compression = compressionOf(await source.first(MAGIC_BYTES));
    // The decompressor of zstd keeps what it was given.
    const counting = counted(source.pieces(compression === 'zstd'), (bytes) => progress?.advance(digest, bytes));
    const options = { what: `the layer ${digest}`, diffId, limits, compressedBytes: () => size };
    if (compression === 'none') await this.#commitPlain(await this.#scan(counting, undefined, options), digest);
    else await this.#unpack(counting, compression, options);
  }

  #blobSource(digest: Digest): LayerSource {
    const path = this.#blobs.pathOf(digest);
    return { first: async (length) => this.#disk.readPart(path, 0, length), pieces: (areKept) => (areKept ? this.#disk.stream(path) : this.#disk.chunks(path)) };
  }

  /** A layer that is not compressed is its blob, under a second name. */
  async #commitPlain({ diffId, tree }: Scanned, digest: Digest): Promise<void> {
    const { tar, index } = this.pathsOf(diffId);
    const blob = this.#blobs.pathOf(digest);
    if (!this.#disk.link(blob, tar)) await this.#copy(blob, tar);
    this.#disk.writeFile(index, this.#encoded(tree));
  }

  /** Where the file system has no second names. */
  async #copy(from: string, to: string): Promise<void> {
    const file = new WriteBehind(this.#disk);
    try {
      for (const chunk of this.#disk.chunks(from)) file.write(chunk);
      await file.commit(to);
    } catch (error) {
      await file.discard();
      throw error;
    }
  }

  async #unpack(source: AsyncIterable<Uint8Array>, compression: Compression, options: UnpackOptions): Promise<DiffId> {
    const { codecs } = this.#disk.host;
    const file = new WriteBehind(this.#disk);
    try {
      const plain = compression === 'gzip' ? codecs.gunzip(source) : unzstd(source);
      const { diffId, tree } = await this.#scan(plain, file, options);
      // What may stand behind a compressed stream belongs to the blob.
      for await (const _ of source) void _;
      const { tar, index } = this.pathsOf(diffId);
      const synced = file.sync();
      const encoded = this.#encoded(tree);
      await synced;
      file.name(tar);
      this.#disk.writeFile(index, encoded);
      return diffId;
    } catch (error) {
      await file.discard();
      throw inLayer(error, options.what);
    }
  }

  /** Reads a tar, into a file if there is one. */
  async #scan(plain: AsyncIterable<Uint8Array>, file: WriteBehind | undefined, options: UnpackOptions): Promise<Scanned> {
    const { what, limits } = options;
    const hash = this.#disk.host.codecs.createDigest('sha256');
    const tree = new LayerTree(limits);
    const scanner = new TarScanner((entry) => tree.add(entry));
    let size = 0;
    try {
      for await (const chunk of explained(plain, what)) {
        file?.begin(chunk);
        hash.update(chunk);
        size += chunk.length;
        checkSize(size, options);
        scanner.push(chunk);
        await file?.written();
      }
      scanner.end();
      tree.finish();
      const diffId: DiffId = `sha256:${hash.hex()}`;
      if (options.diffId !== undefined && diffId !== options.diffId) throw new DigestMismatchError(`${what}, uncompressed,`, options.diffId, diffId);
      return { diffId, tree };
    } catch (error) {
      throw inLayer(error, what);
    }
  }

  /** Writes a layer of a container: a tar and its index, and no blob. The tar is on the disk afterwards; an index that is lost can be made again. */
  async write({ tar, index }: LayerPaths, source: AsyncIterable<Uint8Array>, what: string): Promise<void> {
    const file = new WriteBehind(this.#disk);
    try {
      const { tree } = await this.#scan(source, file, { what, diffId: undefined, limits: DEFAULT_LAYER_LIMITS, compressedBytes: () => Number.MAX_SAFE_INTEGER });
      await file.commit(tar);
      this.#writeIndex(index, tree);
    } catch (error) {
      await file.discard();
      throw error;
    }
  }

  /** Makes the index of a tar that `write` has written. */
  async index({ tar, index }: LayerPaths, what: string): Promise<void> {
    const { tree } = await this.#scan(this.#disk.stream(tar), undefined, { what, diffId: undefined, limits: DEFAULT_LAYER_LIMITS, compressedBytes: () => Number.MAX_SAFE_INTEGER });
    this.#writeIndex(index, tree);
  }

  #writeIndex(path: string, tree: LayerTree): void {
    this.#disk.writeFileQuickly(path, this.#encoded(tree));
  }

  /** Whether an index is whole: its own checksum says so. */
  isIndexIntact(path: string): boolean {
    const bytes = this.#disk.readFile(path, Number.MAX_SAFE_INTEGER);
    return bytes !== undefined && LayerTable.read(bytes) !== undefined && this.#checksum(bytes).every((byte, at) => bytes[LAYER_CHECKSUM + at] === byte);
  }

  /** Whether tar and index are there and what they should be: all of both is read. `quick`: only the index, and whether the tar is there. */
  isIntact(diffId: DiffId, quick: boolean): boolean {
    const { tar, index } = this.pathsOf(diffId);
    if (!this.isIndexIntact(index)) return false;
    return quick ? this.#disk.exists(tar) : this.#disk.exists(tar) && this.#disk.digestOfFile(tar, 'sha256') === hexOf(diffId);
  }

  remove(diffId: DiffId): void {
    const { tar, index } = this.pathsOf(diffId);
    this.#disk.remove(index);
    this.#disk.remove(tar);
  }

  /** The index, with its own digest in the header. */
  #encoded(tree: LayerTree): Uint8Array<ArrayBuffer> {
    const index = encodeLayer(tree.root);
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

interface Scanned {
  readonly diffId: DiffId;
  readonly tree: LayerTree;
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
