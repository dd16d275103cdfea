/** The tree that a stage has so far, as it is read by instructions that do not run anything. */
import { openLayer } from '../fs/layer-files.ts';
import type { OpenLayer } from '../fs/layer-files.ts';
import { LayerFs } from '../fs/layerfs.ts';
import type { Digest, ImageStore } from '../image/index.ts';
import { BuildError } from './errors.ts';
import { InodeNode, MemoryNode } from './tree.ts';
import type { TreeNode } from './tree.ts';

/** Keeps layers open for the time of a build. */
export class Trees {
  readonly #store: ImageStore;
  readonly #open = new Map<Digest, OpenLayer>();

  constructor(store: ImageStore) {
    this.#store = store;
  }

  /** The root of what some layers make, the lowest first. */
  root(diffIds: readonly Digest[]): TreeNode {
    if (diffIds.length === 0) return MemoryNode.directory(new Map());
    return new InodeNode(new LayerFs({ dev: 1, layers: diffIds.map((diffId) => this.#layer(diffId)) }).root);
  }

  #layer(diffId: Digest): OpenLayer {
    const known = this.#open.get(diffId);
    if (known !== undefined) return known;
    const opened = openLayer(this.#store.disk.files, this.#store.layers.pathsOf(diffId));
    if (typeof opened === 'number') throw new BuildError(`cannot read the layer ${diffId} in the store`, { advice: 'get the base image again' });
    this.#open.set(diffId, opened);
    return opened;
  }

  close(): void {
    for (const layer of this.#open.values()) layer.close();
    this.#open.clear();
  }
}
