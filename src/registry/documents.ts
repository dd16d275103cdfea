/** Manifests as the registry sees them: what they need, what they are about. Their bytes are kept as they came. */
import { ImageError, fieldOf, isObject, listOf, parseDescriptor, parseJson, parseManifest, stringsOf } from '../image/index.ts';
import type { Descriptor, Digest, JsonObject } from '../image/index.ts';
import { RegistryFailure } from './errors.ts';

export interface ManifestDocument {
  readonly mediaType: string;
  readonly kind: 'manifest' | 'index';
  /** Blobs of a manifest, manifests of an index: without those that are fetched from elsewhere. */
  readonly needs: readonly Descriptor[];
  readonly subject: Descriptor | undefined;
  /** What the list of referrers says: that of the manifest, else the type of its configuration; none for an index without one. */
  readonly artifactType: string | undefined;
  readonly annotations: Readonly<Record<string, string>> | undefined;
}

/** Layers that clients get from their own addresses (image-spec layer.md "Non-Distributable Layers"). */
function foreignDigests(document: JsonObject): ReadonlySet<string> {
  const layers = fieldOf(document, 'layers');
  if (!Array.isArray(layers)) return new Set();
  return new Set(layers.filter(isObject).filter((layer) => (listOf(fieldOf(layer, 'urls')) ?? []).length > 0).map((layer) => String(fieldOf(layer, 'digest'))));
}

function nonEmpty(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** `mediaType`: of the request, without parameters. @throws RegistryFailure MANIFEST_INVALID */
export function readManifest(bytes: Uint8Array, mediaType: string | undefined): ManifestDocument {
  try {
    const parsed = parseManifest(bytes, mediaType, 'the manifest');
    const document = parseJson(bytes, 'the manifest');
    const subject = fieldOf(document, 'subject');
    const foreign = foreignDigests(document);
    const own = nonEmpty(fieldOf(document, 'artifactType'));
    return {
      mediaType: parsed.mediaType,
      kind: parsed.kind,
      needs: parsed.kind === 'index' ? parsed.manifests : [parsed.config, ...parsed.layers.filter(({ digest }) => !foreign.has(digest))],
      subject: subject === undefined || subject === null ? undefined : parseDescriptor(subject, 'the subject of the manifest'),
      artifactType: own ?? (parsed.kind === 'manifest' ? parsed.config.mediaType : undefined),
      annotations: stringsOf(fieldOf(document, 'annotations')),
    };
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    throw new RegistryFailure('MANIFEST_INVALID', error.message, { cause: error });
  }
}

/** What is kept of a manifest beside its bytes. */
export interface ManifestRecord {
  readonly mediaType: string;
  readonly size: number;
  readonly subject: Digest | undefined;
  readonly pushedMs: number;
}

export interface TagRecord {
  readonly digest: Digest;
  readonly pushedMs: number;
}

export function encodeRecord(value: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** What the registry has written itself; undefined where it was spoiled. */
export function decodeRecord<Value>(bytes: Uint8Array): Value | undefined {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as Value;
  } catch {
    return undefined;
  }
}

/** What a manifest names. One that is lost or spoiled names nothing that could be found out. */
export function needsOf(record: ManifestRecord | undefined, bytes: Uint8Array | undefined): readonly Digest[] {
  if (record === undefined || bytes === undefined) return [];
  try {
    return readManifest(bytes, record.mediaType).needs.map((need) => need.digest);
  } catch (error) {
    if (error instanceof RegistryFailure) return [];
    throw error;
  }
}
