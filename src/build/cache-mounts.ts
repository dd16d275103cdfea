/**
 * `RUN --mount=type=cache`: a directory that outlives the build. It is a stack of layers like everything else, with the changes of
 * each step as one more: owners and modes are the image's whoever runs us, and no file of the host is written by a command.
 *
 * `build/caches/KEY.json` names the layers. Two builds that use one at once both read what was there; the later one's changes stay.
 */
import { digestOf, hexOf } from '../image/index.ts';
import type { Container } from '../container/index.ts';
import { S_IFDIR } from '../abi/stat.ts';
import type { BuiltLayer } from './image-config.ts';
import { entriesOfChanges, entryOf } from '../container/layer-entries.ts';
import type { LayerEntry, TimeRule } from '../container/layer-entries.ts';
import type { StepStore } from './step-store.ts';
import { InodeNode } from './tree.ts';
import type { TreeNode } from './tree.ts';
import type { Trees } from './parent-tree.ts';

const MOST_RECORD_BYTES = 2 ** 20;
/** From so many layers on they become one. */
const MOST_CACHE_LAYERS = 16;
/** Times of files in a cache are their own: package managers look at them. */
const AS_THEY_ARE: TimeRule = { epoch: 0, isLimit: false, ownFrom: undefined };

/** What a command has of a cache. */
export interface CacheUse {
  readonly id: string;
  readonly layers: readonly BuiltLayer[];
  readonly target: string;
}

export class CacheMounts {
  readonly #steps: StepStore;
  readonly #trees: Trees;
  readonly #directory: string;

  constructor(steps: StepStore, trees: Trees) {
    this.#steps = steps;
    this.#trees = trees;
    this.#directory = steps.store.disk.path('build', 'caches');
    steps.store.disk.makeDirectory(this.#directory);
  }

  #path(id: string): string {
    return `${this.#directory}/${hexOf(digestOf(this.#steps.store.disk.host.codecs, new TextEncoder().encode(id)))}.json`;
  }

  /** Undefined: it was never used, or its layers are gone. */
  get(id: string): readonly BuiltLayer[] | undefined {
    const { store } = this.#steps;
    const bytes = store.disk.readFile(this.#path(id), MOST_RECORD_BYTES);
    if (bytes === undefined) return undefined;
    try {
      const { layers } = JSON.parse(new TextDecoder().decode(bytes)) as { layers: readonly BuiltLayer[] };
      return layers.every(({ diffId }) => store.layers.has(diffId)) ? layers : undefined;
    } catch {
      return undefined;
    }
  }

  /** Keeps what a step changed in it. */
  async keep({ id, layers: before, target }: CacheUse, container: Container): Promise<void> {
    const changes = [...container.changesOf(target)];
    if (changes.length === 0) return;
    const root = changes.find(({ path }) => path === '/')?.inode;
    const entries = entriesOfChanges(changes.filter(({ path }) => path !== '/'), AS_THEY_ARE);
    const top = root === undefined ? undefined : topEntry(new InodeNode(root));
    let layers = [...before, await this.#steps.write([...(top === undefined ? [] : [top]), ...entries], false)];
    if (layers.length > MOST_CACHE_LAYERS) layers = [await this.#squash(layers)];
    this.#steps.store.disk.writeFile(this.#path(id), new TextEncoder().encode(JSON.stringify({ id, layers })));
  }

  async #squash(layers: readonly BuiltLayer[]): Promise<BuiltLayer> {
    const root = this.#trees.root(layers.map(({ diffId }) => diffId));
    const entries: LayerEntry[] = [];
    const visit = (node: TreeNode, path: string): void => {
      const entry = path === '' ? topEntry(node) : entryOf(path, node, { times: AS_THEY_ARE });
      if (entry !== undefined) entries.push(entry);
      if (node.kind === 'directory') for (const name of node.names()) visit(node.child(name)!, path === '' ? name : `${path}/${name}`);
    };
    visit(root, '');
    return this.#steps.write(entries, false);
  }
}

/** The directory itself. */
function topEntry(node: TreeNode): LayerEntry | undefined {
  const { mode, uid, gid } = node.attributes;
  return { path: './', type: 'directory', mode: mode & ~S_IFDIR, uid, gid };
}
