/** What no image of the store has. It is found and removed under the store's lock, so no image gets its name in between. */
import { pathsOfContainers } from './container-uses.ts';
import type { Digest } from './digest.ts';
import type { Descriptor } from './manifest.ts';
import type { ImageRecord } from './records.ts';
import { referencesOf } from './store.ts';
import type { ImageStore } from './store.ts';

/** A blob, or one of the two files of a layer. */
export interface UnusedFile {
  readonly path: string;
  readonly bytes: number;
}

interface Used {
  readonly blobs: ReadonlySet<string>;
  readonly layers: ReadonlySet<string>;
}

function descriptorsOf({ target, manifest, referrers }: ImageRecord): readonly Descriptor[] {
  return [target, manifest, ...referrers];
}

const DIGEST = /sha256:[0-9a-f]{64}/g;
/** A file that says what a build has made: a few digests. */
const MOST_CACHE_BYTES = 2 ** 20;

/** Files below `build` that say, as JSON, what builds have made and may want again. */
function* cacheFiles(store: ImageStore): Iterable<string> {
  for (const kind of store.disk.list(store.disk.path('build'))) {
    for (const name of store.disk.list(store.disk.path('build', kind))) if (name.endsWith('.json')) yield store.disk.path('build', kind, name);
  }
}

/** All digests in them: a blob's, or a layer's DiffId. */
function cachedDigests(store: ImageStore): ReadonlySet<Digest> {
  const found = new Set<Digest>();
  for (const path of cacheFiles(store)) {
    const text = new TextDecoder().decode(store.disk.readFile(path, MOST_CACHE_BYTES) ?? new Uint8Array());
    for (const [digest] of text.matchAll(DIGEST)) found.add(digest as Digest);
  }
  return found;
}

/** Forgets what builds have made, except what one that runs may count on. Answers how many there were. */
export function dropCaches(store: ImageStore): number {
  const limitMs = store.claims.oldestAddingMs();
  let count = 0;
  for (const path of [...cacheFiles(store)]) {
    if ((store.disk.mtimeOf(path) ?? limitMs) >= limitMs) continue;
    store.disk.remove(path);
    count++;
  }
  return count;
}

/** What builds keep, and images do not have: files and their bytes. */
export function cachedFiles(store: ImageStore): readonly UnusedFile[] {
  const images = pathsOfImages(store);
  const paths = new Set([...cachedDigests(store)].flatMap((digest) => [store.blobs.pathOf(digest), ...Object.values(store.layers.pathsOf(digest))]));
  return [...paths].filter((path) => !images.blobs.has(path) && !images.layers.has(path) && store.disk.exists(path)).map((path) => ({ path, bytes: store.disk.ownBytesOf(path) }));
}

/** Paths of what images, builds and containers have. */
function pathsInUse(store: ImageStore): Used {
  const { blobs, layers } = pathsOfImages(store);
  const cached = [...cachedDigests(store)];
  const kept = pathsOfContainers(store);
  return {
    blobs: new Set([...blobs, ...kept.blobs, ...cached.map((digest) => store.blobs.pathOf(digest))]),
    layers: new Set([...layers, ...kept.layers, ...cached.flatMap((digest) => Object.values(store.layers.pathsOf(digest)))]),
  };
}

/** Paths of what images have. One that cannot be read has what its record says. */
function pathsOfImages(store: ImageStore): Used {
  const blobs = new Set<string>();
  const layers = new Set<string>();
  const add = (digest: Digest): void => void blobs.add(store.blobs.pathOf(digest));
  for (const record of store.records.list()) for (const descriptor of descriptorsOf(record)) for (const digest of referencesOf(store, descriptor)) add(digest);
  for (const { config } of store.list()) {
    for (const diffId of config.diffIds) for (const path of Object.values(store.layers.pathsOf(diffId))) layers.add(path);
  }
  return { blobs, layers };
}

function* filesIn(store: ImageStore, ...directory: readonly string[]): Iterable<string> {
  for (const name of store.disk.list(store.disk.path(...directory))) yield store.disk.path(...directory, name);
}

/**
 * Files that no image has, and that no image that is coming can count on.
 *
 * `among`: only these paths are looked at, where given.
 */
export function unusedFiles(store: ImageStore, among?: ReadonlySet<string>): readonly UnusedFile[] {
  const { blobs, layers } = pathsInUse(store);
  const limitMs = store.claims.oldestAddingMs();
  const unused: UnusedFile[] = [];
  const look = (path: string, used: ReadonlySet<string>): void => {
    if (used.has(path) || among?.has(path) === false) return;
    const mtimeMs = store.disk.mtimeOf(path);
    if (mtimeMs !== undefined && mtimeMs < limitMs) unused.push({ path, bytes: store.disk.ownBytesOf(path) });
  };
  for (const algorithm of ['sha256', 'sha512']) for (const path of filesIn(store, 'blobs', algorithm)) look(path, blobs);
  for (const path of filesIn(store, 'layers')) look(path, layers);
  return unused;
}

/** Removes them, under the lock. Answers the bytes that are free again. */
export function removeUnused(store: ImageStore, among?: ReadonlySet<string>): number {
  return store.lock.hold(() => {
    let bytes = 0;
    const unused = unusedFiles(store, among);
    // An image's name is gone from the disk before what it needs is.
    if (unused.length > 0) store.records.sync();
    for (const { path, bytes: own } of unused) {
      // An index goes first: without it a tar is not taken for a layer.
      store.disk.remove(path.replace(/\.tar$/, '.index'));
      store.disk.remove(path);
      bytes += own;
    }
    return bytes;
  });
}

/** Paths of all that an image has. */
export function filesOf(store: ImageStore, { record, config }: ReturnType<ImageStore['load']>): ReadonlySet<string> {
  const paths = new Set<string>();
  for (const descriptor of descriptorsOf(record)) for (const digest of referencesOf(store, descriptor)) paths.add(store.blobs.pathOf(digest));
  for (const diffId of config.diffIds) for (const path of Object.values(store.layers.pathsOf(diffId))) paths.add(path);
  return paths;
}
