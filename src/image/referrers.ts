/**
 * Manifests that are about another one: signatures, attestations, bills of materials (distribution-spec "Listing Referrers"). A registry
 * that does not know of them keeps the list at a tag, which its clients must look after ("Referrers Tag Schema").
 */
import { algorithmOf, hexOf } from './digest.ts';
import type { Digest } from './digest.ts';
import { ImageError, ImageFormatError } from './errors.ts';
import { MOST_INDEX_MANIFESTS } from './limits.ts';
import { fieldOf, isObject, parseDescriptor, parseJson, stringsOf } from './manifest.ts';
import type { Descriptor, Json, JsonObject } from './manifest.ts';
import { OCI_INDEX } from './media-types.ts';
import type { RegistryClient } from './registry-client.ts';
import { RegistryError } from './registry-errors.ts';

export interface Referrer extends Descriptor {
  readonly artifactType: string | undefined;
}

/** The tag at which clients keep the list of a digest. */
export function referrersTag(digest: Digest): string {
  return `${algorithmOf(digest)}-${hexOf(digest).slice(0, 64)}`;
}

function textOf(value: Json | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function referrersIn(document: JsonObject): readonly Referrer[] {
  const manifests = fieldOf(document, 'manifests');
  if (!Array.isArray(manifests)) throw new ImageFormatError('the list of referrers is no index');
  return (manifests as readonly Json[]).map((item) => ({ ...parseDescriptor(item, 'the list of referrers'), artifactType: isObject(item) ? textOf(fieldOf(item, 'artifactType')) : undefined }));
}

/** The index at the tag, as it is. Undefined: there is none. @throws ImageFormatError where it is something else. */
async function indexAtTag(client: RegistryClient, digest: Digest): Promise<JsonObject | undefined> {
  try {
    const { bytes } = await client.getManifest(referrersTag(digest));
    const document = parseJson(bytes, 'the list of referrers');
    referrersIn(document);
    return document;
  } catch (error) {
    if (error instanceof RegistryError && error.status === 404) return undefined;
    throw error;
  }
}

/** @throws RegistryError, ImageFormatError */
export async function listReferrers(client: RegistryClient, digest: Digest, artifactType?: string): Promise<readonly Referrer[]> {
  const query = artifactType === undefined ? '' : `?artifactType=${encodeURIComponent(artifactType)}`;
  const found: Referrer[] = [];
  let isKnown = false;
  for await (const { document } of client.pages(`referrers/${digest}${query}`)) {
    isKnown = true;
    found.push(...referrersIn(document));
  }
  if (!isKnown) found.push(...await indexAtTag(client, digest).then((index) => (index === undefined ? [] : referrersIn(index)), (error: unknown) => {
    if (error instanceof ImageFormatError) return [];
    throw error;
  }));
  return found.filter((referrer) => artifactType === undefined || referrer.artifactType === artifactType);
}

/** What the list says of a manifest (distribution-spec "Pushing Manifests with Subject"). */
function describe(document: JsonObject, { digest, mediaType }: Pick<Descriptor, 'digest' | 'mediaType'>, size: number): JsonObject {
  const config = fieldOf(document, 'config');
  const artifactType = textOf(fieldOf(document, 'artifactType')) ?? (isObject(config) ? textOf(fieldOf(config, 'mediaType')) : undefined);
  const annotations = stringsOf(fieldOf(document, 'annotations'));
  return { mediaType, digest, size, ...(artifactType === undefined ? {} : { artifactType }), ...(annotations === undefined ? {} : { annotations }) };
}

/**
 * Pushes a manifest; where it has a subject and the registry takes no note of that, the list at the tag gets it.
 *
 * @throws RegistryError; ImageError where there is something else at that tag.
 */
export async function pushManifest(client: RegistryClient, reference: string, bytes: Uint8Array, descriptor: Pick<Descriptor, 'digest' | 'mediaType'>): Promise<void> {
  const document = parseJson(bytes, 'the manifest');
  const { subject: isNoted } = await client.putManifest(reference, bytes, descriptor.mediaType);
  const subject = fieldOf(document, 'subject');
  if (isNoted || !isObject(subject)) return;
  const { digest } = parseDescriptor(subject, 'the subject of the manifest');
  let index: JsonObject | undefined;
  try {
    index = await indexAtTag(client, digest);
  } catch (error) {
    if (!(error instanceof ImageFormatError)) throw error;
    throw new ImageError(`what is at the tag ${referrersTag(digest)} of the registry is no list of referrers`, 'delete that tag, and push again', { cause: error });
  }
  const manifests = (index === undefined ? [] : fieldOf(index, 'manifests')) as readonly Json[];
  if (manifests.some((item) => isObject(item) && fieldOf(item, 'digest') === descriptor.digest)) return;
  if (manifests.length >= MOST_INDEX_MANIFESTS) throw new ImageError(`the list of referrers of ${digest} has ${manifests.length} entries, and takes no more`, 'delete some of them');
  const next = { schemaVersion: 2, mediaType: OCI_INDEX, ...index, manifests: [...manifests, describe(document, descriptor, bytes.length)] };
  await client.putManifest(referrersTag(digest), new TextEncoder().encode(JSON.stringify(next)), OCI_INDEX);
}
