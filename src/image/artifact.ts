/** What is said about an image, as a manifest of its own whose `subject` is the image's (image-spec manifest.md "Guidelines for Artifact Usage"). */
import type { Descriptor } from './manifest.ts';
import { OCI_EMPTY, OCI_MANIFEST } from './media-types.ts';
import type { ImageStore } from './store.ts';

export interface Artifact {
  /** Of the manifest and of its one blob. */
  readonly mediaType: string;
  readonly bytes: Uint8Array;
  /** Of the blob. */
  readonly annotations: Readonly<Record<string, string>>;
}

/** Writes it into the store, within `ImageStore.adding`. */
export function putArtifact(store: ImageStore, { mediaType, digest, size }: Descriptor, artifact: Artifact): Descriptor {
  const config = { mediaType: OCI_EMPTY, ...store.blobs.put(new TextEncoder().encode('{}')) };
  const layer = { mediaType: artifact.mediaType, ...store.blobs.put(artifact.bytes), annotations: artifact.annotations };
  const manifest = { schemaVersion: 2, mediaType: OCI_MANIFEST, artifactType: artifact.mediaType, config, layers: [layer], subject: { mediaType, digest, size } };
  return { mediaType: OCI_MANIFEST, ...store.blobs.put(new TextEncoder().encode(JSON.stringify(manifest))) };
}
