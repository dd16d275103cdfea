/**
 * The store: an OCI image layout on the user's disk, plus an index and the uncompressed bytes of each layer.
 *
 *   oci-layout, index.json     as image-layout.md says, so that other tools read it
 *   blobs/sha256/HEX           manifests, configurations and layers, as they came
 *   layers/HEX.tar, .index     layers ready to be mounted, by DiffID
 *   images/KEY.json            names
 *   tmp/OWNER-RANDOM           what is being written, and by whom (`claims.ts`)
 *   lock                       who changes names or removes files at the moment (`lock.ts`)
 *
 * An image is there when its record is; that is written last. So whatever ends a process, what was complete stays, and
 * what was not is only unused bytes. Several processes may use it at once.
 */
import { EACCES, ENOSPC, EROFS } from '../abi/errno.ts';
import type { LayerPaths } from '../fs/layer-files.ts';
import { Blobs } from './blobs.ts';
import { parseConfig } from './config.ts';
import type { ImageConfig } from './config.ts';
import { algorithmOf, hexOf } from './digest.ts';
import type { Digest } from './digest.ts';
import { Disk } from './disk.ts';
import { Claims } from './claims.ts';
import type { Claim } from './claims.ts';
import { ImageError, ImageFormatError, NoSuchImageError, StoreError } from './errors.ts';
import { inParallel } from './in-parallel.ts';
import { Layers } from './layers.ts';
import { StoreLock } from './lock.ts';
import { parseManifest } from './manifest.ts';
import type { Descriptor, Manifest } from './manifest.ts';
import { isLayerType } from './media-types.ts';
import { nearestName } from './nearest.ts';
import { Records } from './records.ts';
import type { ImageRecord } from './records.ts';
import { familiarReference, nameOf, parseReference } from './reference.ts';
import type { Progress } from './progress.ts';
import type { Reference } from './reference.ts';
import type { ImageHost } from '../host/types.ts';

const SHORTEST_ID = 4;
const LAYOUT = '{"imageLayoutVersion":"1.0.0"}';

/** One image of the store, with all that is said about it. */
export interface StoredImage {
  readonly record: ImageRecord;
  /** Digest of the configuration: what Docker calls the image's id. */
  readonly id: Digest;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
}

export class ImageStore {
  readonly disk: Disk;
  readonly blobs: Blobs;
  readonly layers: Layers;
  readonly records: Records;
  readonly claims: Claims;
  /** Held where names change and where files are removed. */
  readonly lock: StoreLock;

  private constructor(disk: Disk) {
    this.disk = disk;
    this.blobs = new Blobs(disk);
    this.claims = new Claims(disk);
    this.layers = new Layers(disk, this.blobs, this.claims);
    this.records = new Records(disk);
    this.lock = new StoreLock(disk, 'lock', () => this.records.writeIndex());
  }

  /** Opens the store in a directory (a byte-string path), which is made if need be. @throws StoreError */
  static open(host: ImageHost, directory: string): ImageStore {
    const disk = new Disk(host, directory);
    const missing = ['blobs/sha256', 'layers', 'images', 'tmp'].filter((part) => !disk.exists(disk.path(part)));
    for (const part of missing) disk.makeDirectory(disk.path(part));
    if (missing.length > 0) disk.syncDirectory(directory);
    const store = new ImageStore(disk);
    if (!disk.exists(disk.path('oci-layout'))) store.writeLayout();
    return store;
  }

  writeLayout(): void {
    this.disk.writeFile(this.disk.path('oci-layout'), new TextEncoder().encode(LAYOUT));
  }

  /** @throws ImageError where its blobs are gone or spoiled. */
  load(record: ImageRecord): StoredImage {
    const manifest = parseManifest(this.blobs.read(record.manifest.digest, 'the manifest'), record.manifest.mediaType, 'the manifest');
    if (manifest.kind !== 'manifest') throw new ImageFormatError(`the image's manifest ${record.manifest.digest} is an index`);
    const config = parseConfig(this.blobs.read(manifest.config.digest, 'the configuration'), 'the configuration');
    if (config.diffIds.length !== manifest.layers.length) throw new ImageFormatError(`the image has ${manifest.layers.length} layers, and its configuration says ${config.diffIds.length}`, 'do not trust this image');
    return { record, id: manifest.config.digest, manifest, config };
  }

  /** All images that can be read, the latest first. */
  list(): readonly StoredImage[] {
    return this.records.list().flatMap((record) => {
      try {
        return [this.load(record)];
      } catch (error) {
        if (error instanceof ImageError) return [];
        throw error;
      }
    });
  }

  /**
   * The image that a user means: by name, by id or the beginning of one, by `name@digest`.
   *
   * @throws NoSuchImageError, ImageError where a beginning fits several.
   */
  find(text: string): StoredImage {
    return this.#byId(text) ?? this.#byName(text);
  }

  #byName(text: string): StoredImage {
    const reference = parseReference(text);
    const wanted = reference.digest;
    const named = reference.tag === undefined ? undefined : this.records.get(reference);
    if (named !== undefined && (wanted === undefined || hasDigest(named, wanted))) return this.load(named);
    const byDigest = wanted === undefined ? undefined : this.records.list().find((record) => record.digests.includes(`${nameOf(reference)}@${wanted}`) || (record.reference !== undefined && nameOf(record.reference) === nameOf(reference) && hasDigest(record, wanted)));
    if (byDigest !== undefined) return this.load(byDigest);
    const names = this.records.list().flatMap((record) => (record.reference === undefined ? [] : [familiarReference(record.reference)]));
    throw new NoSuchImageError(text, nearestName(familiarReference(reference), names));
  }

  /** `sha256:` is optional; four digits are enough where they fit one image only. */
  #byId(text: string): StoredImage | undefined {
    const hex = text.replace(/^sha256:/, '');
    if (!/^[0-9a-f]+$/.test(hex) || hex.length < SHORTEST_ID || hex.length > 64) return undefined;
    const isName = !text.startsWith('sha256:') && hex.length < 64 && this.records.get(parseReference(text)) !== undefined;
    if (isName) return undefined;
    const fitting = this.list().filter(({ id, record }) => hexOf(id).startsWith(hex) || hexOf(record.manifest.digest).startsWith(hex));
    const ids = new Set(fitting.map(({ id }) => id));
    if (ids.size > 1) throw new ImageError(`"${text}" is the beginning of ${ids.size} images`, 'give more of its digits');
    if (fitting[0] === undefined && (text.startsWith('sha256:') || hex.length === 64)) throw new NoSuchImageError(text);
    return fitting[0];
  }

  /** The image that a user means, and that a container runs on it from now on: nothing of it is removed in between. */
  use(text: string): { readonly image: StoredImage; readonly use: Claim } {
    const find = (): { readonly image: StoredImage; readonly use: Claim } => {
      const image = this.find(text);
      return { image, use: this.claims.use(image.record.manifest.digest) };
    };
    try {
      return this.lock.hold(find);
    } catch (error) {
      // A store that cannot be written cannot be pruned, either.
      if (error instanceof StoreError && [EROFS, EACCES, ENOSPC].includes(error.errno)) return find();
      throw error;
    }
  }

  /** Other names of the same image. */
  namesOf(id: Digest): readonly StoredImage[] {
    return this.list().filter((image) => image.id === id);
  }

  /** Compressed bytes of layers that `mountable` has to prepare first. */
  unpreparedBytes({ manifest, config }: StoredImage): number {
    return manifest.layers.filter((_, index) => !this.layers.has(config.diffIds[index]!)).reduce((sum, { size }) => sum + size, 0);
  }

  /** What a container mounts, the lowest first. Layers that came without being prepared are prepared now. */
  async mountable(image: StoredImage, progress?: Progress): Promise<readonly LayerPaths[]> {
    const { layers } = image.manifest;
    const foreign = layers.find(({ mediaType }) => !isLayerType(mediaType));
    if (foreign !== undefined) throw new ImageFormatError(`the image has something of the type ${foreign.mediaType} as a layer`, 'it is no image of a container');
    const unique = new Map(layers.map((layer, index) => [image.config.diffIds[index]!, layer]));
    await inParallel([...unique], ([diffId, layer]) => this.layers.prepare(layer, diffId, { progress }));
    return image.config.diffIds.map((diffId) => this.layers.pathsOf(diffId));
  }

  /** Bytes of one of an image's layers: uncompressed, as Docker counts, or as it came where no container has mounted it yet. */
  layerBytes({ config, manifest }: StoredImage, index: number): number {
    const diffId = config.diffIds[index];
    return (diffId === undefined ? undefined : this.layers.bytesOf(diffId)) ?? manifest.layers[index]?.size ?? 0;
  }

  /** Gives an image that is whole its record. @throws ImageError where another process has removed a part of it (`removeImage`). */
  add(options: { readonly reference: Reference | undefined; readonly typed?: string | undefined; readonly target: Descriptor; readonly manifest: Descriptor; readonly fromRegistry?: boolean; readonly referrers?: readonly Descriptor[] }): StoredImage {
    const { reference, typed, target, manifest, fromRegistry } = options;
    const before = reference === undefined ? undefined : this.records.get(reference);
    const own = reference === undefined || fromRegistry !== true ? [] : [`${nameOf(reference)}@${target.digest}`];
    const digests = before?.target.digest === target.digest ? [...new Set([...before.digests, ...own])] : own;
    const isSame = before?.manifest.digest === manifest.digest;
    const record: ImageRecord = {
      reference: reference === undefined || (reference.tag === undefined && reference.digest !== undefined) ? undefined : { ...reference, digest: undefined },
      typed, target: bare(target), manifest: bare(manifest), digests, referrers: options.referrers ?? (isSame ? before.referrers : []), addedMs: this.disk.host.now(),
    };
    return this.lock.hold(() => {
      const image = this.load(record);
      const missing = [image.manifest.config, ...image.manifest.layers].find(({ digest }) => !this.blobs.has(digest));
      if (missing !== undefined) throw new ImageError(`a part of the image (${missing.digest}) was removed from the store while it came`, 'run the command again');
      // Their names are on the disk before that of the image is: of layers ready to be mounted that need not be so, they can be made again.
      const algorithms = new Set([target, manifest, image.manifest.config, ...image.manifest.layers].map(({ digest }) => algorithmOf(digest)));
      for (const parts of [[], ...Array.from(algorithms, (algorithm) => [algorithm])]) this.disk.syncDirectory(this.disk.path('blobs', ...parts));
      this.records.put(record);
      return image;
    });
  }

  /** Runs what brings an image: until its end nothing is removed that it has brought or kept. */
  async adding<Result>(body: () => Promise<Result>): Promise<Result> {
    this.claims.removeLeftovers();
    const claim = this.claims.add();
    try {
      return await body();
    } finally {
      claim.end();
    }
  }

  /** Whether a blob is here; if so it stays here until `adding` ends. */
  keep(digest: Digest): boolean {
    return this.lock.hold(() => this.disk.touch(this.blobs.pathOf(digest)));
  }

  /** A further name for an image. */
  tag(image: StoredImage, name: string): Reference {
    const reference = parseReference(name);
    if (reference.digest !== undefined) throw new ImageError(`cannot tag as "${name}": a name that is given has no digest`, 'leave the part from @ on out');
    this.lock.hold(() => {
      this.load(image.record);
      this.records.put({ ...image.record, reference, typed: name, addedMs: this.disk.host.now() });
    });
    return reference;
  }
}

function bare({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}

function hasDigest({ target, manifest }: ImageRecord, digest: Digest): boolean {
  return target.digest === digest || manifest.digest === digest;
}

/** All digests that a manifest or index names, and it. */
export function referencesOf(store: ImageStore, descriptor: Descriptor): ReadonlySet<Digest> {
  const found = new Set<Digest>();
  const visit = ({ digest, mediaType }: Descriptor): void => {
    if (found.has(digest)) return;
    found.add(digest);
    if (!store.blobs.has(digest)) return;
    const document = parseManifest(store.blobs.read(digest, 'a manifest'), mediaType, 'a manifest');
    if (document.kind === 'index') for (const manifest of document.manifests) visit(manifest);
    else for (const { digest: blob } of [document.config, ...document.layers]) found.add(blob);
  };
  visit(descriptor);
  return found;
}
