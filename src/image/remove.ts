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

/** Blobs and layers of a removed image that no other image has. */
function removeUnused(store: ImageStore, image: StoredImage): void {
  const used = new Set<Digest>();
  const usedLayers = new Set<Digest>();
  for (const { record, config } of store.list()) {
    for (const descriptor of [record.target, record.manifest]) for (const digest of referencesOf(store, descriptor)) used.add(digest);
    for (const diffId of config.diffIds) usedLayers.add(diffId);
  }
  const mine = [image.record.target, image.record.manifest].flatMap((descriptor) => [...referencesOf(store, descriptor)]);
  for (const digest of new Set(mine)) if (!used.has(digest)) store.blobs.remove(digest);
  for (const diffId of image.config.diffIds) if (!usedLayers.has(diffId)) store.layers.remove(diffId);
}
