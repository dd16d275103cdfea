/** What is said about an image, as a manifest of its own whose `subject` is the image's (image-spec manifest.md "Guidelines for Artifact Usage"). */
import type { Digest } from './digest.ts';
import { ImageFormatError } from './errors.ts';
import { fieldOf, isObject, parseDescriptor, parseJson } from './manifest.ts';
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

export interface ArtifactFacts {
  readonly artifactType: string;
  /** Which manifest it is about. */
  readonly subject: Digest;
}

/** Of a manifest that is about another one, and no image. */
export function artifactFacts(manifest: Uint8Array): ArtifactFacts | undefined {
  try {
    const document = parseJson(manifest, 'a manifest');
    const artifactType = fieldOf(document, 'artifactType');
    const subject = fieldOf(document, 'subject');
    return typeof artifactType === 'string' && isObject(subject) ? { artifactType, subject: parseDescriptor(subject, 'a manifest').digest } : undefined;
  } catch (error) {
    // Whoever reads it as an image says what is wrong with it.
    if (error instanceof ImageFormatError) return undefined;
    throw error;
  }
}
