/**
 * What a container's starts have changed: `layer-N.tar` and `.index` in its directory, one for each start that changed something, mounted above the image's.
 * When they become many they are made one, `whole-N`, which stands for all up to N. The directory itself says which there are, so there is no list
 * that a killed process could leave wrong.
 */
import type { Change } from '../container/index.ts';
import { entriesOfChanges, layerTar, sortEntries } from '../container/layer-entries.ts';
import type { LayerEntry, TimeRule } from '../container/layer-entries.ts';
import { changesAbove } from '../fs/layer-changes.ts';
import { openLayer } from '../fs/layer-files.ts';
import type { LayerPaths, OpenLayer } from '../fs/layer-files.ts';
import { LayerFs } from '../fs/layerfs.ts';
import type { LayerInode } from '../fs/layerfs.ts';
import type { Inode } from '../fs/types.ts';
import type { ImageStore } from '../image/index.ts';
import type { Containers, WholeContainer } from './containers.ts';
import { LifecycleError } from './errors.ts';
import { DEFAULT_WRITABLE_BYTES, FULL_SHARE, MOST_OWN_LAYERS } from './limits.ts';
import { bytesOf } from './sizes.ts';

const OWN = /^(layer|whole)-(\d+)\.index$/;

interface OwnLayers {
  readonly paths: readonly LayerPaths[];
  /** Names in the directory that stand for nothing any more. */
  readonly old: readonly string[];
  readonly last: number;
}

function pathsOf(containers: Containers, id: string, name: string): LayerPaths {
  return { tar: containers.pathOf(id, `${name}.tar`), index: containers.pathOf(id, `${name}.index`) };
}

function look(containers: Containers, id: string): OwnLayers {
  const found = containers.store.disk.list(containers.pathOf(id)).flatMap((name) => {
    const [, kind, number] = OWN.exec(name) ?? [];
    return kind === undefined ? [] : [{ name: name.replace(/\.index$/, ''), isWhole: kind === 'whole', number: Number(number) }];
  });
  const from = Math.max(0, ...found.filter(({ isWhole }) => isWhole).map(({ number }) => number));
  const isUsed = ({ isWhole, number }: (typeof found)[number]): boolean => (isWhole ? number === from : number > from);
  const used = found.filter(isUsed).sort((left, right) => left.number - right.number);
  return {
    paths: used.map(({ name }) => pathsOf(containers, id, name)), old: found.filter((layer) => !isUsed(layer)).map(({ name }) => name), last: Math.max(0, ...found.map(({ number }) => number)),
  };
}

/** The lowest first; to be mounted above the image's. */
export function ownLayers(containers: Containers, id: string): readonly LayerPaths[] {
  return look(containers, id).paths;
}

/** The image's layers, made ready if need be. @throws ImageError where the image is gone. */
async function imageLayers(store: ImageStore, { record: { image } }: WholeContainer): Promise<readonly LayerPaths[]> {
  if (image.layers.every((diffId) => store.layers.has(diffId))) return image.layers.map((diffId) => store.layers.pathsOf(diffId));
  const descriptor = { mediaType: '', digest: image.manifest, size: store.blobs.sizeOf(image.manifest) ?? 0 };
  return store.mountable(store.load({ reference: undefined, typed: undefined, target: descriptor, manifest: descriptor, digests: [], referrers: [], addedMs: 0 }));
}

/** What a start mounts, the lowest first. */
export async function mountedLayers(containers: Containers, container: WholeContainer): Promise<readonly LayerPaths[]> {
  const own = ownLayers(containers, container.id);
  for (const paths of own) if (!containers.store.layers.isIndexIntact(paths.index)) await containers.store.layers.index(paths, `the layer ${paths.tar}`);
  return [...(await imageLayers(containers.store, container)), ...own];
}

/** The time of what has none: a name that was taken away. */
function timesOf(store: ImageStore): TimeRule {
  return { epoch: Math.floor(store.disk.host.now() / 1000), isLimit: false, ownFrom: undefined };
}

function entriesOf(store: ImageStore, changes: Iterable<Change<Inode>>): readonly LayerEntry[] {
  return entriesOfChanges(changes, timesOf(store));
}

/** Writes what differs into a pair of files. False: nothing does. */
export async function writeChanges(store: ImageStore, paths: LayerPaths, changes: Iterable<Change<Inode>>): Promise<boolean> {
  const entries = entriesOf(store, changes);
  if (entries.length === 0) return false;
  await store.layers.write(paths, layerTar(sortEntries(entries)), 'what the container changed');
  return true;
}

/** Keeps what a start has changed. */
export async function keepChanges(containers: Containers, container: WholeContainer, changes: Iterable<Change<Inode>>): Promise<void> {
  const { id } = container;
  const { last, paths } = look(containers, id);
  const isMore = await writeChanges(containers.store, pathsOf(containers, id, `layer-${last + 1}`), changes);
  if (!isMore || paths.length === 0) return;
  const { limits: { writableBytes, memoryBytes } } = container.record.container;
  // What later starts have removed or replaced takes room until then.
  const isNearlyFull = bytesOf(containers.store.disk, look(containers, id).paths) > FULL_SHARE * (writableBytes ?? memoryBytes ?? DEFAULT_WRITABLE_BYTES);
  if (paths.length + 1 < MOST_OWN_LAYERS && !isNearlyFull) return;
  const tree = await ContainerTree.open(containers, container);
  try {
    const whole = pathsOf(containers, id, `whole-${last + 1}`);
    // Where all was taken back again, a layer without entries says so.
    await containers.store.layers.write(whole, layerTar(sortEntries(entriesOf(containers.store, tree.changes()))), 'what the container changed');
  } finally {
    tree.close();
  }
  for (const name of look(containers, id).old) for (const path of Object.values(pathsOf(containers, id, name))) containers.store.disk.remove(path);
}

/** All files of a container, without running it: the image's layers, its own, and what its process says that it has changed so far. */
export class ContainerTree {
  readonly whole: LayerFs;
  readonly #lower: LayerFs | undefined;
  readonly #first: number;
  readonly #opened: readonly OpenLayer[];

  private constructor(opened: readonly OpenLayer[], first: number) {
    this.#opened = opened;
    this.#first = first;
    this.whole = new LayerFs({ dev: 1, layers: opened });
    this.#lower = first === 0 ? undefined : new LayerFs({ dev: 1, layers: opened.slice(0, first) });
  }

  /** `more`: a layer above all. Who opens it closes it. */
  static async open(containers: Containers, container: WholeContainer, more: readonly LayerPaths[] = []): Promise<ContainerTree> {
    const paths = [...(await mountedLayers(containers, container)), ...more];
    const opened: OpenLayer[] = [];
    for (const path of paths) {
      const layer = openLayer(containers.store.disk.files, path);
      if (typeof layer === 'number') {
        for (const other of opened) other.close();
        throw new LifecycleError(`a layer of the container cannot be read (${path.tar})`, 'find out with "caisson system check"');
      }
      opened.push(layer);
    }
    return new ContainerTree(opened, container.record.image.layers.length);
  }

  get root(): LayerInode {
    return this.whole.root;
  }

  /** What the image has at a path (without links in it). */
  before(path: string): LayerInode | undefined {
    let at: LayerInode | undefined = this.#lower?.root;
    for (const name of path.split('/').filter((part) => part !== '')) {
      const found: LayerInode | number | undefined = at?.lookup(name);
      at = typeof found === 'number' ? undefined : found;
    }
    return at;
  }

  /** What differs from the image. */
  changes(): Iterable<Change<LayerInode>> {
    return changesAbove(this.whole, this.#lower, this.#first);
  }

  /** The same as entries of a layer. */
  entries(store: ImageStore): readonly LayerEntry[] {
    return sortEntries(entriesOf(store, this.changes()));
  }

  close(): void {
    for (const layer of this.#opened) layer.close();
  }
}
