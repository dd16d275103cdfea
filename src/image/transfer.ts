/** Images between the store and a registry. */
import { parseConfig } from './config.ts';
import type { DiffId, Digest } from './digest.ts';
import { ImageError, ImageFormatError, ImageLimitError } from './errors.ts';
import { inParallel } from './in-parallel.ts';
import { MOST_DOCUMENT_BYTES, MOST_INDEX_DEPTH } from './limits.ts';
import type { LayerLimits } from './limits.ts';
import { noPlatform } from './load.ts';
import { parseManifest, selectPlatform } from './manifest.ts';
import type { Descriptor, Manifest, Platform } from './manifest.ts';
import { isLayerType } from './media-types.ts';
import { counted, peek } from './peek.ts';
import type { Progress } from './progress.ts';
import { parseReference } from './reference.ts';
import { pushManifest } from './referrers.ts';
import type { Reference } from './reference.ts';
import type { RegistryClient } from './registry-client.ts';
import { referencesOf } from './store.ts';
import type { ImageStore, StoredImage } from './store.ts';

/** Layers that are no longer are made ready to be mounted while they come; of longer ones, so many bytes tell how fast they come. */
const SAMPLE_BYTES = 4 * 2 ** 20;
/** Compressed bytes that are made ready in a millisecond, where one processor does nothing else. */
const READY_BYTES_PER_MS = 50_000;

export interface PullOptions {
  readonly reference: Reference;
  readonly typed: string;
  readonly platform: Platform;
  readonly limits?: LayerLimits | undefined;
  /** Who makes layers ready that come faster than that can be done. Absent: the pull waits for all of them. */
  readonly later?: LaterPreparer | undefined;
  readonly progress: Progress;
}

/** What makes layers ready to be mounted beside a pull, which does not wait for it; where it fails, the first container does it. */
export interface LaterPreparer {
  /** A layer comes, into the file `path`, and is a blob when it is whole. */
  begin(layer: Descriptor, diffId: DiffId, path: string): ComingLayer;
}

export interface ComingLayer {
  /** So many of its bytes are there. */
  grew(size: number): void;
  ended(isWhole: boolean): void;
}

interface KnownLayer {
  readonly descriptor: Descriptor;
  readonly diffId: DiffId;
  readonly limits: LayerLimits | undefined;
}

interface Found {
  readonly target: Descriptor;
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
}

async function findManifest(store: ImageStore, client: RegistryClient, { reference, platform }: PullOptions): Promise<Found> {
  let target: Descriptor | undefined;
  let next: string = reference.digest ?? reference.tag ?? '';
  for (let depth = 0; depth <= MOST_INDEX_DEPTH; depth++) {
    const { bytes, mediaType, digest } = await client.getManifest(next);
    const document = parseManifest(bytes, mediaType, 'the manifest');
    const descriptor: Descriptor = { mediaType: document.mediaType, digest, size: bytes.length };
    if (!store.keep(digest)) await store.blobs.take((async function* () { yield bytes; })(), descriptor, 'the manifest');
    target ??= descriptor;
    if (document.kind === 'manifest') return { target, descriptor, manifest: document };
    const selected = selectPlatform(document, platform);
    if (selected === undefined) throw noPlatform(document, platform);
    next = selected.digest;
  }
  throw new ImageLimitError(`an index of the image names indexes more than ${MOST_INDEX_DEPTH} deep`);
}

/** @throws RegistryError, DigestMismatchError, ImageFormatError, ImageLimitError; what was complete stays for the next try. */
export function pullImage(store: ImageStore, client: RegistryClient, options: PullOptions): Promise<StoredImage> {
  return store.adding(() => takeImage(store, client, options));
}

/**
 * Takes a layer in. To make it ready to be mounted is no further wait where its bytes come slowly, and three times what the rest takes where they
 * come fast: then it is left to `later`, and what that has not done to the first container that mounts it (`ImageStore.mountable`).
 */
async function takeLayer(store: ImageStore, source: AsyncIterable<Uint8Array>, layer: KnownLayer, later: LaterPreparer | undefined): Promise<void> {
  const { now } = store.disk.host;
  const startMs = now();
  const { first, all } = await peek(source, later === undefined ? 0 : SAMPLE_BYTES);
  if (later !== undefined && first.length > (now() - startMs) * READY_BYTES_PER_MS) await takeBlob(store, all, layer, later);
  else await store.layers.take({ ...layer, source: all });
}

async function takeBlob(store: ImageStore, source: AsyncIterable<Uint8Array>, { descriptor, diffId }: KnownLayer, later: LaterPreparer): Promise<void> {
  const writer = store.blobs.writer(descriptor, `the layer ${descriptor.digest}`);
  const coming = later.begin(descriptor, diffId, writer.path);
  let isWhole = false;
  try {
    for await (const chunk of source) {
      writer.write(chunk);
      coming.grew(writer.size);
    }
    await writer.commit();
    isWhole = true;
  } finally {
    coming.ended(isWhole);
    if (!isWhole) await writer.discard();
  }
}

async function takeImage(store: ImageStore, client: RegistryClient, options: PullOptions): Promise<StoredImage> {
  const { reference, typed, limits, later, progress } = options;
  const { target, descriptor, manifest } = await findManifest(store, client, options);
  const { config: configDescriptor, layers } = manifest;
  const foreign = layers.find(({ mediaType }) => !isLayerType(mediaType));
  if (foreign !== undefined) throw new ImageFormatError(`the image has something of the type ${foreign.mediaType} as a layer`, 'it is no image of a container');
  if (configDescriptor.size > MOST_DOCUMENT_BYTES) throw new ImageLimitError(`the configuration is longer than ${MOST_DOCUMENT_BYTES} bytes`);
  if (!store.keep(configDescriptor.digest)) await store.blobs.take(client.getBlob(configDescriptor.digest, configDescriptor.size), configDescriptor, 'the configuration');
  const config = parseConfig(store.blobs.read(configDescriptor.digest, 'the configuration'), 'the configuration');
  if (config.diffIds.length !== layers.length) throw new ImageFormatError(`the image has ${layers.length} layers, and its configuration says ${config.diffIds.length}`, 'do not trust this image');
  const unique = new Map(layers.map((layer, index) => [layer.digest, { layer, diffId: config.diffIds[index]! }]));
  await inParallel([...unique.values()], async ({ layer, diffId }) => {
    progress.start(layer.digest, layer.size);
    const isHere = store.keep(layer.digest);
    const layerLater = layer.size > SAMPLE_BYTES ? later : undefined;
    if (!isHere) await takeLayer(store, counted(client.getBlob(layer.digest, layer.size), (bytes) => progress.advance(layer.digest, bytes)), { descriptor: layer, diffId, limits }, layerLater);
    else if (layerLater === undefined) await store.layers.prepare(layer, diffId, { limits });
    progress.end(layer.digest, isHere ? 'exists' : 'pulled');
  });
  return store.add({ reference, typed, target, manifest: descriptor, fromRegistry: true });
}

/** The manifests below a target, the lowest first. */
function manifestsOf(store: ImageStore, target: Descriptor): readonly Descriptor[] {
  const document = parseManifest(store.blobs.read(target.digest, 'the manifest'), target.mediaType, 'the manifest');
  return document.kind === 'manifest' ? [target] : [...document.manifests.flatMap((manifest) => manifestsOf(store, manifest)), target];
}

/** Another repository of the registry that the image came from: its blobs need not be sent again. */
function sourceRepository({ record }: StoredImage, { registry, repository }: Reference): string | undefined {
  const sources = record.digests.map((text) => parseReference(text)).filter((source) => source.registry === registry && source.repository !== repository);
  return sources[0]?.repository;
}

/** @throws RegistryError; answers the digest under which the registry has it. */
export async function pushImage(store: ImageStore, client: RegistryClient, image: StoredImage, reference: Reference, progress: Progress): Promise<Descriptor> {
  const { record } = image;
  const all = referencesOf(store, record.target);
  const target = [...all].every((digest) => store.blobs.has(digest)) ? record.target : record.manifest;
  const manifests = [...manifestsOf(store, target), ...record.referrers];
  const documents = new Set<Digest>(manifests.map(({ digest }) => digest));
  const source = sourceRepository(image, reference);
  const blobs = new Set([target, ...record.referrers].flatMap((top) => [...referencesOf(store, top)]).filter((digest) => !documents.has(digest)));
  await inParallel([...blobs], async (digest) => {
    const size = store.blobs.sizeOf(digest);
    if (size === undefined) throw new ImageError(`the blob ${digest} is not in the store`, 'get the image again');
    progress.start(digest, size);
    if (await client.hasBlob(digest)) {
      progress.end(digest, 'exists');
      return;
    }
    async function* counted(start: number, end: number): AsyncIterable<Uint8Array> {
      for await (const chunk of store.disk.stream(store.blobs.pathOf(digest), start, end - start)) {
        yield chunk;
        progress.advance(digest, chunk.length);
      }
    }
    progress.end(digest, (await client.putBlob(digest, size, counted, source)) === 'sent' ? 'pushed' : 'mounted');
  });
  for (const { digest, mediaType } of manifests) await pushManifest(client, digest === target.digest ? (reference.tag ?? digest) : digest, store.blobs.read(digest, 'the manifest'), { digest, mediaType });
  return target;
}
