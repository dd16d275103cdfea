/** Images from archives: `docker save` of all ages, OCI layouts in a tar or a directory. Which one it is shows by what is in it. */
import type { ArchiveSource } from './archive-source.ts';
import { artifactFacts, putArtifact } from './artifact.ts';
import type { Artifact } from './artifact.ts';
import { parseConfig } from './config.ts';
import { hexOf, algorithmOf } from './digest.ts';
import { ImageError, ImageFormatError, ImageLimitError } from './errors.ts';
import type { LayerLimits } from './limits.ts';
import { MOST_DOCUMENT_BYTES, MOST_INDEX_DEPTH, MOST_LAYERS } from './limits.ts';
import { fieldOf, formatPlatform, isObject, listOf, parseManifest, selectPlatform } from './manifest.ts';
import type { Descriptor, ImageIndex, Json, Manifest, Platform } from './manifest.ts';
import { INDEX_TYPES, MANIFEST_TYPES, OCI_CONFIG, OCI_LAYER, OCI_LAYER_GZIP, OCI_LAYER_ZSTD, OCI_MANIFEST, isLayerType } from './media-types.ts';
import type { Compression } from './media-types.ts';
import { parseReference } from './reference.ts';
import type { Reference } from './reference.ts';
import type { ImageStore, StoredImage } from './store.ts';

export interface LoadOptions {
  readonly platform: Platform;
  readonly limits?: LayerLimits | undefined;
  /** The name for an archive of one image, instead of what the archive says. */
  readonly name?: string | undefined;
  /** The image, by its digest or id, and its layer that is being read, from 1 on. */
  readonly onLayer?: ((layer: Pick<Descriptor, 'digest' | 'size'>, number: number, of: number) => void) | undefined;
}

const REF_NAME = 'org.opencontainers.image.ref.name';
/** Containerd's, and so Docker's since 25: the full name. */
const CONTAINERD_NAME = 'io.containerd.image.name';

export const LAYER_TYPES: Readonly<Record<Compression, string>> = { none: OCI_LAYER, gzip: OCI_LAYER_GZIP, zstd: OCI_LAYER_ZSTD };

/** Names that an archive has are not trusted to be references. */
function referenceOf(text: string | undefined): Reference | undefined {
  if (text === undefined || text === '') return undefined;
  try {
    return parseReference(text);
  } catch (error) {
    if (error instanceof ImageError) return undefined;
    throw error;
  }
}

/** @throws ImageFormatError, ImageLimitError, DigestMismatchError; whole images before the one that fails stay. */
export function loadArchive(store: ImageStore, source: ArchiveSource, options: LoadOptions): Promise<readonly StoredImage[]> {
  return store.adding(() => takeArchive(store, source, options));
}

async function takeArchive(store: ImageStore, source: ArchiveSource, options: LoadOptions): Promise<readonly StoredImage[]> {
  const layout = source.document('oci-layout');
  const index = layout === undefined ? undefined : source.document('index.json');
  const docker = source.document('manifest.json');
  const images = index !== undefined ? await loadLayout(store, source, index, docker, options) : docker !== undefined ? await loadDocker(store, source, docker, options) : undefined;
  if (images === undefined) throw new ImageFormatError('the archive holds no images: there is neither manifest.json nor index.json in it', 'a root directory in a tar is taken by "caisson import"');
  return images;
}

/** The name that the user gives is for one image. */
function checkName({ name }: LoadOptions, images: number): void {
  if (name === undefined) return;
  if (images !== 1) throw new ImageError(`cannot name ${images} images "${name}"`, 'load them, then use "caisson tag"');
  if (parseReference(name).digest !== undefined) throw new ImageError(`cannot name an image "${name}": a name that is given has no digest`, 'leave the part from @ on out');
}

// ---- OCI layout ----

function blobName({ digest }: Pick<Descriptor, 'digest'>): string {
  return `blobs/${algorithmOf(digest)}/${hexOf(digest)}`;
}

async function takeDocument(store: ImageStore, source: ArchiveSource, descriptor: Descriptor, what: string): Promise<Uint8Array> {
  if (descriptor.size > MOST_DOCUMENT_BYTES) throw new ImageLimitError(`${what} is longer than ${MOST_DOCUMENT_BYTES} bytes`);
  if (!store.keep(descriptor.digest)) {
    const stream = source.stream(blobName(descriptor));
    if (stream === undefined) throw new ImageFormatError(`${what} (${descriptor.digest}) is not in the archive`, 'the archive is not whole: make it again');
    await store.blobs.take(stream, descriptor, `${what} ${descriptor.digest}`);
  }
  return store.blobs.read(descriptor.digest, what);
}

async function loadLayout(store: ImageStore, source: ArchiveSource, bytes: Uint8Array, docker: Uint8Array | undefined, options: LoadOptions): Promise<readonly StoredImage[]> {
  const index = parseManifest(bytes, undefined, 'index.json');
  if (index.kind !== 'index') throw new ImageFormatError('index.json of the archive is no index');
  const tags = docker === undefined ? new Map<string, readonly string[]>() : repositoryTags(docker);
  const images: StoredImage[] = [];
  const about = index.manifests.flatMap((descriptor) => {
    const facts = artifactFacts(source.document(blobName(descriptor)) ?? new Uint8Array());
    return facts === undefined ? [] : [{ descriptor, subject: facts.subject }];
  });
  const descriptors = index.manifests.filter((descriptor) => [...INDEX_TYPES, ...MANIFEST_TYPES].includes(descriptor.mediaType) && about.every((one) => one.descriptor !== descriptor));
  checkName(options, new Set(descriptors.map(({ digest }) => digest)).size);
  for (const descriptor of descriptors) {
    const chosen = await chooseManifest(store, source, descriptor, options.platform);
    await takeManifest(store, source, chosen.manifest, options);
    const own = about.filter(({ subject }) => [descriptor.digest, chosen.descriptor.digest].includes(subject)).map((one) => one.descriptor);
    for (const referrer of own) await takeArtifact(store, source, referrer);
    const referrers = own.length === 0 ? {} : { referrers: own };
    const typed = descriptor.annotations?.[CONTAINERD_NAME] ?? descriptor.annotations?.[REF_NAME];
    const names = options.name !== undefined ? [options.name] : [...new Set([...(tags.get(chosen.manifest.config.digest) ?? []), ...(referenceOf(typed) === undefined ? [] : [typed ?? ''])])];
    for (const name of names.length === 0 ? [undefined] : names) {
      images.push(store.add({ reference: referenceOf(name), typed: name, target: descriptor, manifest: chosen.descriptor, ...referrers }));
    }
  }
  if (images.length === 0) throw new ImageFormatError('the archive holds no images: its index.json names none', 'it may hold something else, such as a chart');
  return dropTwice(images);
}

/** Docker names an image twice where it has an index and tags. */
function dropTwice(images: readonly StoredImage[]): readonly StoredImage[] {
  const seen = new Set<string>();
  return images.filter(({ id, record }) => {
    const key = JSON.stringify([id, record.reference]);
    return !seen.has(key) && seen.add(key);
  });
}

interface Chosen {
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
}

async function chooseManifest(store: ImageStore, source: ArchiveSource, descriptor: Descriptor, platform: Platform, depth = 0): Promise<Chosen> {
  if (depth > MOST_INDEX_DEPTH) throw new ImageLimitError(`an index of the image names indexes more than ${MOST_INDEX_DEPTH} deep`);
  const document = parseManifest(await takeDocument(store, source, descriptor, 'the manifest'), descriptor.mediaType, 'the manifest');
  if (document.kind === 'manifest') return { descriptor, manifest: document };
  const selected = selectPlatform(document, platform);
  if (selected === undefined) throw noPlatform(document, platform);
  return chooseManifest(store, source, selected, platform, depth + 1);
}

export function noPlatform(index: ImageIndex, platform: Platform): ImageError {
  const offered = [...new Set(index.manifests.flatMap(({ platform: own }) => (own === undefined || own.os === 'unknown' ? [] : [formatPlatform(own)])))];
  return new ImageError(`the image has nothing for ${formatPlatform(platform)}`, offered.length === 0 ? 'it says nothing of platforms' : `it has ${offered.join(', ')}`);
}

/** What is said about an image: its manifest and whatever that names. */
async function takeArtifact(store: ImageStore, source: ArchiveSource, descriptor: Descriptor): Promise<void> {
  const document = parseManifest(await takeDocument(store, source, descriptor, 'what is about the image'), descriptor.mediaType, 'what is about the image');
  if (document.kind === 'index') throw new ImageFormatError('what is about the image is an index');
  for (const blob of [document.config, ...document.layers]) {
    if (store.keep(blob.digest)) continue;
    const stream = source.stream(blobName(blob));
    if (stream === undefined) throw new ImageFormatError(`a part of what is about the image (${blob.digest}) is not in the archive`, 'the archive is not whole: make it again');
    await store.blobs.take(stream, blob, `the blob ${blob.digest}`);
  }
}

/** A manifest's configuration and layers. */
async function takeManifest(store: ImageStore, source: ArchiveSource, manifest: Manifest, options: LoadOptions): Promise<void> {
  const config = parseConfig(await takeDocument(store, source, manifest.config, 'the configuration'), 'the configuration');
  if (config.diffIds.length !== manifest.layers.length) throw new ImageFormatError(`the image has ${manifest.layers.length} layers, and its configuration says ${config.diffIds.length}`, 'do not trust this image');
  for (const [index, layer] of manifest.layers.entries()) {
    if (!isLayerType(layer.mediaType)) throw new ImageFormatError(`the image has something of the type ${layer.mediaType} as a layer`, 'it is no image of a container');
    options.onLayer?.(layer, index + 1, manifest.layers.length);
    const diffId = config.diffIds[index]!;
    if (store.keep(layer.digest)) {
      await store.layers.prepare(layer, diffId, { limits: options.limits });
      continue;
    }
    const stream = source.stream(blobName(layer));
    if (stream === undefined) throw new ImageFormatError(`the layer ${layer.digest} is not in the archive`, 'the archive is not whole: make it again');
    await store.layers.take({ source: stream, descriptor: layer, diffId, limits: options.limits });
  }
}

// ---- docker save ----

export interface DockerImage {
  readonly config: string;
  readonly tags: readonly string[];
  readonly layers: readonly string[];
}

export function parseDockerManifest(bytes: Uint8Array): readonly DockerImage[] {
  let list: Json;
  try {
    list = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as Json;
  } catch (error) {
    throw new ImageFormatError('cannot read manifest.json of the archive: it is not JSON', 'make the archive again', { cause: error });
  }
  if (!Array.isArray(list)) throw new ImageFormatError('cannot read manifest.json of the archive: it is no list', 'make the archive again');
  return list.map((item: Json) => {
    const config = isObject(item) ? fieldOf(item, 'Config') : undefined;
    const layers = isObject(item) ? listOf(fieldOf(item, 'Layers')) : undefined;
    if (!isObject(item) || typeof config !== 'string' || layers === undefined) throw new ImageFormatError('cannot read manifest.json of the archive: an image lacks Config or Layers', 'make the archive again');
    if (layers.length > MOST_LAYERS) throw new ImageLimitError(`the image has more than ${MOST_LAYERS} layers`);
    return { config, layers, tags: listOf(fieldOf(item, 'RepoTags')) ?? [] };
  });
}

/** Tags by the digest of the configuration, whose name has it. */
function repositoryTags(bytes: Uint8Array): ReadonlyMap<string, readonly string[]> {
  return new Map(parseDockerManifest(bytes).flatMap(({ config, tags }) => {
    const hex = /([0-9a-f]{64})(?:\.json)?$/.exec(config)?.[1];
    return hex === undefined ? [] : [[`sha256:${hex}`, tags] as const];
  }));
}

async function loadDocker(store: ImageStore, source: ArchiveSource, bytes: Uint8Array, options: LoadOptions): Promise<readonly StoredImage[]> {
  const images: StoredImage[] = [];
  const list = parseDockerManifest(bytes);
  checkName(options, list.length);
  for (const image of list) {
    const document = source.document(image.config);
    if (document === undefined) throw new ImageFormatError(`the configuration "${image.config}" is not in the archive`, 'the archive is not whole: make it again');
    const config = parseConfig(document, 'the configuration');
    if (config.diffIds.length !== image.layers.length) throw new ImageFormatError(`the image has ${image.layers.length} layers, and its configuration says ${config.diffIds.length}`, 'do not trust this image');
    const layers: Descriptor[] = [];
    for (const [index, name] of image.layers.entries()) {
      const stream = source.stream(name);
      if (stream === undefined) throw new ImageFormatError(`the layer "${name}" is not in the archive`, 'the archive is not whole: make it again');
      options.onLayer?.({ digest: config.diffIds[index]!, size: 0 }, index + 1, image.layers.length);
      const { digest, size, compression } = await store.layers.take({ source: stream, diffId: config.diffIds[index], limits: options.limits });
      layers.push({ mediaType: LAYER_TYPES[compression], digest, size });
    }
    images.push(...addBuilt(store, document, layers, options.name === undefined ? image.tags : [options.name]));
  }
  if (images.length === 0) throw new ImageFormatError('the archive holds no images: its manifest.json is empty');
  return images;
}

/** An image of which we make the manifest, within `ImageStore.adding`. `about`: what is said of that. */
export function addBuilt(store: ImageStore, config: Uint8Array, layers: readonly Descriptor[], names: readonly string[], about: readonly ((manifest: Descriptor) => Artifact)[] = []): readonly StoredImage[] {
  const stored = store.blobs.put(config);
  const document = { schemaVersion: 2, mediaType: OCI_MANIFEST, config: { mediaType: OCI_CONFIG, ...stored }, layers };
  const manifest: Descriptor = { mediaType: OCI_MANIFEST, ...store.blobs.put(new TextEncoder().encode(JSON.stringify(document))) };
  const known = names.filter((name) => referenceOf(name) !== undefined);
  const referrers = about.length === 0 ? {} : { referrers: about.map((artifact) => putArtifact(store, manifest, artifact(manifest))) };
  return (known.length === 0 ? [undefined] : known).map((name) => store.add({ reference: referenceOf(name), typed: name, target: manifest, manifest, ...referrers }));
}
