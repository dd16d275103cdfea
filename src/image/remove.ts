/** Taking names away, and what nothing uses any more. */
import type { Digest } from './digest.ts';
import { ImageError } from './errors.ts';
import { familiarReference, parseReference } from './reference.ts';
import { referencesOf } from './store.ts';
import type { ImageStore, StoredImage } from './store.ts';

export interface RemoveOptions {
  /** All names of an image that is given by its id. */
  readonly force: boolean;
  readonly keepBlobs: boolean;
}

/** The text was a name of the image, not its id or digest. */
function isName(text: string, { record, id }: StoredImage): boolean {
  if (record.reference === undefined) return false;
  const hex = text.replace(/^sha256:/, '');
  if (text.startsWith('sha256:') || id.includes(`:${hex}`) || record.manifest.digest.includes(`:${hex}`)) return false;
  return parseReference(text).digest === undefined;
}

/**
 * Removes a name; with the last one, the image. Lines as `docker rmi` prints them.
 *
 * @throws NoSuchImageError, ImageError where an id has several names and `force` is false.
 */
export function removeImage(store: ImageStore, text: string, { force, keepBlobs }: RemoveOptions): readonly string[] {
  const image = store.find(text);
  const names = store.namesOf(image.id);
  const byName = isName(text, image);
  if (!byName && names.length > 1 && !force) {
    throw new ImageError(`the image "${text}" has ${names.length} names: ${names.map(({ record }) => (record.reference === undefined ? '<none>' : familiarReference(record.reference))).join(', ')}`, 'give one of them, or --force for all');
  }
  const lines: string[] = [];
  for (const { record } of byName ? [image] : names) {
    store.records.remove(record);
    if (record.reference !== undefined) lines.push(`Untagged: ${familiarReference(record.reference)}`);
  }
  if (store.namesOf(image.id).length > 0) return lines;
  lines.push(`Deleted: ${image.id}`);
  if (!keepBlobs) removeUnused(store, image);
  return lines;
}

/** Digests of blobs and layers that images of the store have. */
function inUse(store: ImageStore): { readonly blobs: ReadonlySet<Digest>; readonly layers: ReadonlySet<Digest> } {
  const blobs = new Set<Digest>();
  const layers = new Set<Digest>();
  for (const { record, config } of store.list()) {
    for (const descriptor of [record.target, record.manifest]) for (const digest of referencesOf(store, descriptor)) blobs.add(digest);
    for (const diffId of config.diffIds) layers.add(diffId);
  }
  return { blobs, layers };
}

/**
 * Blobs and layers of a removed image that no other image has. Another process may be about to name an image that has
 * them, too: they are set aside first, and come back if one has been named by then. One that is named later finds them
 * gone (`ImageStore.add`).
 */
function removeUnused(store: ImageStore, image: StoredImage): void {
  const before = inUse(store);
  const blobs = new Set([image.record.target, image.record.manifest].flatMap((descriptor) => [...referencesOf(store, descriptor)]));
  const aside: { readonly digest: Digest; readonly path: string; readonly aside: string }[] = [];
  const setAside = (digest: Digest, path: string): void => {
    const place = store.disk.setAside(path);
    if (place !== undefined) aside.push({ digest, path, aside: place });
  };
  for (const digest of blobs) if (!before.blobs.has(digest)) setAside(digest, store.blobs.pathOf(digest));
  for (const diffId of image.config.diffIds) {
    const { tar, index } = store.layers.pathsOf(diffId);
    for (const path of before.layers.has(diffId) ? [] : [index, tar]) setAside(diffId, path);
  }
  const after = inUse(store);
  // An image whose manifest is aside cannot be read: its record says it.
  const isNamedAgain = store.records.list().some(({ manifest }) => manifest.digest === image.record.manifest.digest);
  for (const { digest, path, aside: place } of aside) {
    if (isNamedAgain || after.blobs.has(digest) || after.layers.has(digest)) store.disk.restore(place, path);
    else store.disk.remove(place);
  }
}
