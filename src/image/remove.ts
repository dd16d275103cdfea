/** Taking names away, and what nothing uses any more. */
import type { ImageUser } from './container-uses.ts';
import { userOf } from './container-uses.ts';
import { hexOf } from './digest.ts';
import { ImageError } from './errors.ts';
import { familiarReference, parseReference } from './reference.ts';
import { filesOf, removeUnused } from './garbage.ts';
import type { ImageStore, StoredImage } from './store.ts';

const SHORT_ID = 12;

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
 * @throws NoSuchImageError, ImageError where an id has several names or the image has a container, and `force` is false; where a container runs on what is given by its id.
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
  const user = going.length === names.length ? userOf(store, manifestsOf(going)) : undefined;
  if (user !== undefined) checkUse(image, text, byName, user, force);
  const lines: string[] = [];
  for (const { record } of going) {
    store.records.remove(record);
    if (record.reference !== undefined) lines.push(`Untagged: ${familiarReference(record.reference)}`);
  }
  // A container still needs it: it stays without a name, as in Docker.
  if (user !== undefined && byName) store.records.put({ ...image.record, reference: undefined });
  if (store.namesOf(image.id).length === 0) {
    lines.push(`Deleted: ${image.id}`);
    if (!keepBlobs) removeUnused(store, new Set(going.flatMap((one) => [...filesOf(store, one)])));
  }
  store.records.writeIndex();
  return lines;
}

function manifestsOf(images: readonly StoredImage[]): ReadonlySet<string> {
  return new Set(images.map(({ record }) => hexOf(record.manifest.digest)));
}

/** Texts are those of Docker (moby daemon/images/image_delete.go). @throws ImageError */
function checkUse({ id }: StoredImage, text: string, byName: boolean, { container, isRunning }: ImageUser, force: boolean): void {
  const who = container === undefined ? '' : ` ${container.slice(0, SHORT_ID)}`;
  const image = hexOf(id).slice(0, SHORT_ID);
  if (byName && !force) throw new ImageError(`conflict: unable to remove repository reference "${text}" (must force) - container${who} is using its referenced image ${image}`, 'remove the container first, or use --force: the image loses its name and stays');
  if (!byName && isRunning) throw new ImageError(`conflict: unable to delete ${image} (cannot be forced) - image is being used by running container${who}`, 'stop and remove the container first');
  if (!byName && !force) throw new ImageError(`conflict: unable to delete ${image} (must be forced) - image is being used by stopped container${who}`, 'remove the container first, or use --force');
}

/** Whether one of them has a container. */
export function isInUse(store: ImageStore, images: readonly StoredImage[]): boolean {
  return userOf(store, manifestsOf(images)) !== undefined;
}
