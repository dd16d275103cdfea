/** Manifests and indexes, of OCI (image-spec manifest.md, image-index.md) and Docker's schema 2. Their bytes are kept as they came. */
import { ImageFormatError, ImageLimitError } from './errors.ts';
import { isDigest } from './digest.ts';
import type { Digest } from './digest.ts';
import { MOST_DOCUMENT_BYTES, MOST_INDEX_MANIFESTS, MOST_LAYERS } from './limits.ts';
import { INDEX_TYPES, MANIFEST_TYPES, OCI_INDEX, OCI_MANIFEST } from './media-types.ts';

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant: string | undefined;
}

/** OCI image-spec descriptor.md. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly platform?: Platform | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

export interface Manifest {
  readonly kind: 'manifest';
  readonly mediaType: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly annotations: Readonly<Record<string, string>> | undefined;
}

export interface ImageIndex {
  readonly kind: 'index';
  readonly mediaType: string;
  readonly manifests: readonly Descriptor[];
  readonly annotations: Readonly<Record<string, string>> | undefined;
}

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @throws ImageFormatError for what is no JSON object in UTF-8. */
export function parseJson(bytes: Uint8Array, what: string): JsonObject {
  if (bytes.length > MOST_DOCUMENT_BYTES) throw new ImageLimitError(`${what} is longer than ${MOST_DOCUMENT_BYTES} bytes`);
  let value: Json;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as Json;
  } catch (error) {
    throw new ImageFormatError(`cannot read ${what}: it is not JSON`, 'it is spoiled, or something else', { cause: error });
  }
  if (!isObject(value)) throw new ImageFormatError(`cannot read ${what}: it is no JSON object`);
  return value;
}

/** A field of our own; what a prototype has does not count. */
export function fieldOf(object: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

export function stringsOf(value: Json | undefined): Readonly<Record<string, string>> | undefined {
  if (!isObject(value)) return undefined;
  return Object.fromEntries(Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

export function listOf(value: Json | undefined): readonly string[] | undefined {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : undefined;
}

/** The texts of a list that is a field; none where it is null, as of a repository without tags. */
export function stringList(document: JsonObject, name: string): readonly string[] {
  return listOf(fieldOf(document, name)) ?? [];
}

function platformOf(value: Json | undefined): Platform | undefined {
  if (!isObject(value)) return undefined;
  const text = (name: string): string | undefined => {
    const field = fieldOf(value, name);
    return typeof field === 'string' ? field : undefined;
  };
  return { os: text('os') ?? '', architecture: text('architecture') ?? '', variant: text('variant') };
}

export function parseDescriptor(value: Json | undefined, what: string): Descriptor {
  if (!isObject(value)) throw new ImageFormatError(`cannot read ${what}: a descriptor is missing`);
  const [mediaType, digest, size] = ['mediaType', 'digest', 'size'].map((name) => fieldOf(value, name));
  if (typeof mediaType !== 'string') throw new ImageFormatError(`cannot read ${what}: a descriptor has no mediaType`);
  if (!isDigest(digest)) throw new ImageFormatError(`cannot read ${what}: a descriptor has no digest, or one that is not well formed`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) throw new ImageFormatError(`cannot read ${what}: the descriptor of ${digest} has no size`);
  const annotations = stringsOf(fieldOf(value, 'annotations'));
  const platform = platformOf(fieldOf(value, 'platform'));
  return { mediaType, digest, size, ...(platform === undefined ? {} : { platform }), ...(annotations === undefined ? {} : { annotations }) };
}

function typeOf(document: JsonObject, given: string | undefined, what: string): string {
  const own = fieldOf(document, 'mediaType');
  const isIndex = fieldOf(document, 'manifests') !== undefined;
  const isManifest = fieldOf(document, 'layers') !== undefined || fieldOf(document, 'config') !== undefined;
  // One that is both is read differently by different programs (CVE-2021-41190).
  if (isIndex && isManifest) throw new ImageFormatError(`cannot read ${what}: it is a manifest and an index at once`, 'do not trust this image');
  if (fieldOf(document, 'schemaVersion') === 1) throw new ImageFormatError(`cannot read ${what}: it is of Docker's schema 1, which is long obsolete`, 'push it again with a current Docker');
  if (typeof own === 'string' && given !== undefined && own !== given && [...INDEX_TYPES, ...MANIFEST_TYPES].includes(given)) {
    throw new ImageFormatError(`cannot read ${what}: it calls itself ${own}, and came as ${given}`, 'do not trust this image');
  }
  const type = typeof own === 'string' ? own : given !== undefined && [...INDEX_TYPES, ...MANIFEST_TYPES].includes(given) ? given : isIndex ? OCI_INDEX : OCI_MANIFEST;
  if (INDEX_TYPES.includes(type) !== isIndex || (!isIndex && !MANIFEST_TYPES.includes(type))) throw new ImageFormatError(`cannot read ${what}: it is of the type ${type}, and no image`);
  return type;
}

/** `mediaType`: what its descriptor or the registry said. @throws ImageFormatError, ImageLimitError */
export function parseManifest(bytes: Uint8Array, mediaType: string | undefined, what: string): Manifest | ImageIndex {
  const document = parseJson(bytes, what);
  const type = typeOf(document, mediaType, what);
  const annotations = stringsOf(fieldOf(document, 'annotations'));
  const manifests = fieldOf(document, 'manifests');
  if (manifests !== undefined) {
    if (!Array.isArray(manifests)) throw new ImageFormatError(`cannot read ${what}: its manifests are no list`);
    if (manifests.length > MOST_INDEX_MANIFESTS) throw new ImageLimitError(`${what} has more than ${MOST_INDEX_MANIFESTS} manifests`);
    return { kind: 'index', mediaType: type, manifests: manifests.map((item: Json) => parseDescriptor(item, what)), annotations };
  }
  const layers = fieldOf(document, 'layers');
  if (!Array.isArray(layers)) throw new ImageFormatError(`cannot read ${what}: it has no layers`);
  if (layers.length > MOST_LAYERS) throw new ImageLimitError(`${what} has more than ${MOST_LAYERS} layers`);
  return { kind: 'manifest', mediaType: type, config: parseDescriptor(fieldOf(document, 'config'), what), layers: layers.map((item: Json) => parseDescriptor(item, what)), annotations };
}

export function formatPlatform({ os, architecture, variant }: Platform): string {
  return `${os}/${architecture}${variant === undefined ? '' : `/${variant}`}`;
}

/** What we run: x86-64-v2 on Linux. */
export const OWN_PLATFORM: Platform = { os: 'linux', architecture: 'amd64', variant: undefined };

/** The first manifest of the platform, an exact variant before none. */
export function selectPlatform(index: ImageIndex, wanted: Platform): Descriptor | undefined {
  const fits = index.manifests.filter(({ platform }) => platform?.os === wanted.os && platform.architecture === wanted.architecture);
  const variant = wanted.architecture === 'amd64' ? ['v1', 'v2'] : [];
  return fits.find(({ platform }) => platform?.variant === wanted.variant)
    ?? fits.find(({ platform }) => platform?.variant === undefined || variant.includes(platform.variant));
}
