/**
 * Which images the containers that are kept were made of: `containers/ID/config.json`, which another room writes, says it at its beginning.
 * What they name stays, as does what images name.
 */
import { hexOf } from './digest.ts';
import type { Digest } from './digest.ts';
import { referencesOf } from './store.ts';
import type { ImageStore } from './store.ts';

const MOST_BYTES = 16 * 2 ** 20;
const ID = /^[0-9a-f]{64}$/;

export interface ContainerUse {
  /** Of the container. */
  readonly id: string;
  /** Of the image: what is said of it in the configuration, its manifest first. */
  readonly manifest: Digest;
  readonly digests: readonly Digest[];
}

/** The part about the image. One that is cut short names what is left of it. */
function imagePart(text: string): string {
  const start = text.indexOf('"image":{');
  const end = text.indexOf('}', start);
  return start < 0 ? '' : text.slice(start, end < 0 ? text.length : end);
}

export function containerUses(store: ImageStore): readonly ContainerUse[] {
  const { disk } = store;
  return disk.list(disk.path('containers')).filter((id) => ID.test(id)).flatMap((id) => {
    const bytes = disk.readFile(disk.path('containers', id, 'config.json'), MOST_BYTES);
    const part = bytes === undefined ? '' : imagePart(new TextDecoder().decode(bytes));
    const manifest = /"manifest":"(sha256:[0-9a-f]{64})"/.exec(part)?.[1];
    return manifest === undefined ? [] : [{ id, manifest: manifest as Digest, digests: [...part.matchAll(/"(sha256:[0-9a-f]{64})"/g)].map(([, digest]) => digest as Digest) }];
  });
}

/** Paths of all that containers need of their images. */
export function pathsOfContainers(store: ImageStore): { readonly blobs: ReadonlySet<string>; readonly layers: ReadonlySet<string> } {
  const uses = containerUses(store);
  const named = uses.flatMap(({ manifest, digests }) => [...digests, ...referencesOf(store, { digest: manifest, mediaType: '', size: 0 })]);
  return { blobs: new Set(named.map((digest) => store.blobs.pathOf(digest))), layers: new Set(uses.flatMap(({ digests }) => digests.flatMap((digest) => Object.values(store.layers.pathsOf(digest))))) };
}

export interface ImageUser {
  /** Absent: a build's container, which is not kept. */
  readonly container: string | undefined;
  readonly isRunning: boolean;
}

/** A container of an image, one that runs before one that does not. `manifest`: hexadecimal digits. */
export function userOf(store: ImageStore, manifests: ReadonlySet<string>): ImageUser | undefined {
  const isRunning = [...store.claims.manifestsInUse()].some((hex) => manifests.has(hex));
  const kept = containerUses(store).find(({ manifest }) => manifests.has(hexOf(manifest)));
  return isRunning || kept !== undefined ? { container: kept?.id, isRunning } : undefined;
}
