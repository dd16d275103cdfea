/** What several commands say about images. */
import type { ImageStore, StoredImage } from '../../image/index.ts';

/** Milliseconds since the epoch; 0 where the image does not say. */
export function createdMs({ config }: StoredImage): number {
  const time = Date.parse(config.created ?? '');
  return Number.isNaN(time) ? 0 : time;
}

/** Bytes of its layers (`ImageStore.layerBytes`). */
export function sizeOf(store: ImageStore, image: StoredImage): number {
  return image.config.diffIds.reduce((sum, _, index) => sum + store.layerBytes(image, index), 0);
}

/** `KEY` or `KEY=VALUE`. */
export function hasLabel({ config: { defaults: { labels } } }: StoredImage, text: string): boolean {
  const equals = text.indexOf('=');
  const label = equals < 0 ? text : text.slice(0, equals);
  return Object.hasOwn(labels, label) && (equals < 0 || labels[label] === text.slice(equals + 1));
}
