/**
 * Images into one archive, as Docker writes it since version 25: an OCI layout with a `manifest.json` beside it, so that Docker
 * of all ages, podman and skopeo read it. Blobs go in as they are: no digest changes.
 */
import { artifactFacts } from './artifact.ts';
import { algorithmOf, hexOf } from './digest.ts';
import type { Digest } from './digest.ts';
import { OCI_INDEX } from './media-types.ts';
import { familiarReference, formatReference } from './reference.ts';
import { referencesOf } from './store.ts';
import type { ImageStore, StoredImage } from './store.ts';
import { tarEnd, tarFile, tarHeader } from './tar-writer.ts';
import type { Descriptor, Manifest } from './manifest.ts';
import type { Reference } from './reference.ts';

function blobPath(digest: Digest): string {
  return `blobs/${algorithmOf(digest)}/${hexOf(digest)}`;
}

/** The index, if all of it is here; else the manifest of the platform that is. */
function wholeTarget(store: ImageStore, { record }: StoredImage): Descriptor {
  return [...referencesOf(store, record.target)].every((digest) => store.blobs.has(digest)) ? record.target : record.manifest;
}

/** What is about an image stands in the index without a name, as oras has it; who wants images only sees by the type. */
function withArtifactType(store: ImageStore, referrer: Descriptor): Descriptor & { readonly artifactType?: string } {
  const facts = artifactFacts(store.blobs.read(referrer.digest, 'what is about the image'));
  return facts === undefined ? referrer : { ...referrer, artifactType: facts.artifactType };
}

/** The bytes of the archive. Times are the epoch: the same images give the same bytes. */
export async function* saveArchive(store: ImageStore, images: readonly StoredImage[]): AsyncIterable<Uint8Array> {
  const targets = images.map((image) => wholeTarget(store, image));
  const about = [...new Map(images.flatMap(({ record }) => record.referrers).map((referrer) => [referrer.digest, referrer])).values()];
  const blobs = [...new Set([...targets, ...about].flatMap((target) => [...referencesOf(store, target)]))].sort();
  const document = async function* (path: string, value: unknown): AsyncIterable<Uint8Array> {
    const bytes = new TextEncoder().encode(JSON.stringify(value));
    yield* tarFile({ path, type: 'file', mode: 0o644 }, bytes.length, (async function* () { yield bytes; })());
  };
  for (const directory of ['blobs/', ...new Set(blobs.map((digest) => `blobs/${algorithmOf(digest)}/`))]) yield tarHeader({ path: directory, type: 'directory', mode: 0o755 });
  for (const digest of blobs) yield* tarFile({ path: blobPath(digest), type: 'file', mode: 0o644 }, store.blobs.sizeOf(digest) ?? 0, store.blobs.stream(digest));
  const named = images.map(({ record: { reference } }, index) => ({
    ...targets[index]!,
    ...(reference === undefined ? {} : { annotations: { 'io.containerd.image.name': formatReference(reference), 'org.opencontainers.image.ref.name': formatReference(reference) } }),
  }));
  yield* document('index.json', { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [...named, ...about.map((referrer) => withArtifactType(store, referrer))] });
  yield* document('manifest.json', dockerManifest(images));
  yield* document('oci-layout', { imageLayoutVersion: '1.0.0' });
  yield tarEnd();
}

function dockerManifest(images: readonly StoredImage[]): readonly unknown[] {
  const byId = new Map<Digest, { image: StoredImage; tags: Reference[] }>();
  for (const image of images) {
    const known = byId.get(image.id) ?? { image, tags: [] };
    if (image.record.reference !== undefined) known.tags.push(image.record.reference);
    byId.set(image.id, known);
  }
  return dockerManifestOf([...byId.values()].map(({ image, tags }) => ({ manifest: image.manifest, tags })));
}

/** `manifest.json`, for Docker of all ages: blobs lie where the layout has them. */
export function dockerManifestOf(images: readonly { readonly manifest: Manifest; readonly tags: readonly Reference[] }[]): readonly unknown[] {
  return images.map(({ manifest, tags }) => ({ Config: blobPath(manifest.config.digest), RepoTags: tags.map(familiarReference), Layers: manifest.layers.map(({ digest }) => blobPath(digest)) }));
}
