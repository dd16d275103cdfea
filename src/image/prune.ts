/** Disk space: what takes it, and what can go. */
import { cachedFiles, dropCaches, filesOf, removeUnused, unusedFiles } from './garbage.ts';
import { familiarReference } from './reference.ts';
import { isInUse } from './remove.ts';
import type { ImageStore, StoredImage } from './store.ts';

/** One kind of what takes space, as a row of `docker system df`. */
export interface Usage {
  readonly kind: 'Images' | 'Build Cache' | 'Unused' | 'Leftovers';
  readonly total: number;
  /** In use by containers. */
  readonly active: number;
  readonly bytes: number;
  /** What `prune --all` would free. */
  readonly reclaimableBytes: number;
}

function sum(files: readonly { readonly bytes: number }[]): number {
  return Math.round(files.reduce((total, { bytes }) => total + bytes, 0));
}

function bytesBelow(store: ImageStore, ...directory: readonly string[]): number {
  return store.disk.list(store.disk.path(...directory)).reduce((total, name) => total + store.disk.ownBytesOf(store.disk.path(...directory, name)), 0);
}

export function usageOf(store: ImageStore): readonly Usage[] {
  const images = new Map(store.list().map((image) => [image.id, image]));
  const active = [...images.values()].filter((image) => isInUse(store, [image]));
  const unused = unusedFiles(store);
  const leftovers = store.claims.leftovers();
  const cached = cachedFiles(store);
  const bytes = Math.round(bytesBelow(store, 'blobs', 'sha256') + bytesBelow(store, 'blobs', 'sha512') + bytesBelow(store, 'layers')) - sum(unused) - sum(cached);
  const kept = new Set(active.flatMap((image) => [...filesOf(store, image)]));
  const keptBytes = [...kept].reduce((total, path) => total + store.disk.ownBytesOf(path), 0);
  return [
    { kind: 'Images', total: images.size, active: active.length, bytes, reclaimableBytes: Math.max(0, Math.round(bytes - keptBytes)) },
    { kind: 'Build Cache', total: cached.length, active: 0, bytes: sum(cached), reclaimableBytes: sum(cached) },
    { kind: 'Unused', total: unused.length, active: 0, bytes: sum(unused), reclaimableBytes: sum(unused) },
    { kind: 'Leftovers', total: leftovers.length, active: 0, bytes: sum(leftovers), reclaimableBytes: sum(leftovers) },
  ];
}

export interface PruneOptions {
  /** Images with a name, too. */
  readonly all: boolean;
  /** What builds have made and may want again, too. */
  readonly caches: boolean;
  /** Only those, of those that could go. */
  readonly accepts: (image: StoredImage) => boolean;
}

export interface Pruned {
  /** As `docker image prune` prints them. */
  readonly lines: readonly string[];
  readonly bytes: number;
}

/** Removes images without a name (or all) on which no container runs, and whatever no image has. What other processes are bringing stays. */
export function prune(store: ImageStore, { all, caches, accepts }: PruneOptions): Pruned {
  const leftoverBytes = store.claims.removeLeftovers();
  return store.lock.hold(() => {
    store.lock.removeAbandoned();
    const images = store.list();
    const going = images.filter((image) => (all || image.record.reference === undefined) && !isInUse(store, [image]) && accepts(image));
    const lines: string[] = [];
    for (const { record } of going) {
      store.records.remove(record);
      lines.push(`untagged: ${record.reference === undefined ? record.manifest.digest : familiarReference(record.reference)}`);
    }
    const left = new Set(store.list().map(({ id }) => id));
    for (const id of new Set(going.map((image) => image.id))) if (!left.has(id)) lines.push(`deleted: ${id}`);
    if (caches) dropCaches(store);
    const bytes = Math.round(removeUnused(store) + leftoverBytes);
    store.records.writeIndex();
    return { lines, bytes };
  });
}
