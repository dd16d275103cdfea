/** Taking names away, and what nothing uses any more. */
import { hexOf } from './digest.ts';
import { ImageError } from './errors.ts';
import { familiarReference, parseReference } from './reference.ts';
import { filesOf, removeUnused } from './garbage.ts';
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
 * @throws NoSuchImageError, ImageError where an id has several names or a container runs on the image, and `force` is false.
 */
export function removeImage(store: ImageStore, text: string, options: RemoveOptions): readonly string[] {
  return store.lock.hold(() => removeFound(store, store.find(text), text, options));
}

function removeFound(store: ImageStore, image: StoredImage, text: string, { force, keepBlobs }: RemoveOptions): readonly string[] {
  const names = store.namesOf(image.id);
  const byName = isName(text, image);
  if (!byName && names.length > 1 && !force) {
    throw new ImageError(`the image "${text}" has ${names.length} names: ${names.map(({ record }) => (record.reference === undefined ? '<none>' : familiarReference(record.reference))).join(', ')}`, 'give one of them, or --force for all');
  }
  const going = byName ? [image] : names;
  if (going.length === names.length && !force && isInUse(store, going)) throw new ImageError(`a container runs on the image "${text}"`, 'end it first, or use --force: the container goes on');
  const lines: string[] = [];
  for (const { record } of going) {
    store.records.remove(record);
    if (record.reference !== undefined) lines.push(`Untagged: ${familiarReference(record.reference)}`);
  }
  if (store.namesOf(image.id).length === 0) {
    lines.push(`Deleted: ${image.id}`);
    if (!keepBlobs) removeUnused(store, new Set(going.flatMap((one) => [...filesOf(store, one)])));
  }
  store.records.writeIndex();
  return lines;
}

/** Whether a container runs on one of them. */
export function isInUse(store: ImageStore, images: readonly StoredImage[]): boolean {
  const manifests = store.claims.manifestsInUse();
  return images.some(({ record }) => manifests.has(hexOf(record.manifest.digest)));
}
