/** What several commands say about images. */
import type { ImageStore, StoredImage } from '../image/index.ts';

/** Milliseconds since the epoch; 0 where the image does not say. */
export function createdMs({ config }: StoredImage): number {
  const time = Date.parse(config.created ?? '');
  return Number.isNaN(time) ? 0 : time;
}

/** Bytes of its files: layers uncompressed, as Docker counts. */
export function sizeOf(store: ImageStore, { config }: StoredImage): number {
  return config.diffIds.reduce((sum, diffId) => sum + store.layers.bytesOf(diffId), 0);
}

/** `KEY` or `KEY=VALUE`. */
export function hasLabel({ config: { defaults: { labels } } }: StoredImage, text: string): boolean {
  const equals = text.indexOf('=');
  const label = equals < 0 ? text : text.slice(0, equals);
  return Object.hasOwn(labels, label) && (equals < 0 || labels[label] === text.slice(equals + 1));
}
