/**
 * What steps made, by the digest of all that went into them: `build/steps/KEY.json` in the store. A layer is kept as layers
 * are; an entry whose layer was removed counts as absent.
 */
import { OCI_LAYER, OCI_LAYER_GZIP, OCI_LAYER_ZSTD, digestOf, hexOf } from '../image/index.ts';
import type { Digest, ImageStore, TakenLayer } from '../image/index.ts';
import type { BuiltLayer } from './image-config.ts';
import { layerTar, sortEntries } from '../container/layer-entries.ts';
import type { LayerEntry } from '../container/layer-entries.ts';

const MOST_ENTRY_BYTES = 65_536;
const TYPES = { none: OCI_LAYER, gzip: OCI_LAYER_GZIP, zstd: OCI_LAYER_ZSTD } as const;
/** Raised when what a step gives changes without its inputs changing. */
const VERSION = 1;

export function layerTypeOf(compression: TakenLayer['compression']): string {
  return TYPES[compression];
}

export type Key = Digest;

/** `undefined` as a layer: the step changed nothing. */
export interface StepResult {
  readonly layer: BuiltLayer | undefined;
}

export class StepStore {
  readonly store: ImageStore;
  readonly #directory: string;

  constructor(store: ImageStore) {
    this.store = store;
    this.#directory = store.disk.path('build', 'steps');
    store.disk.makeDirectory(this.#directory);
  }

  /** Of values that JSON can hold. */
  keyOf(inputs: object): Key {
    return digestOf(this.store.disk.host.codecs, new TextEncoder().encode(JSON.stringify([VERSION, inputs])));
  }

  #path(key: Key): string {
    return `${this.#directory}/${hexOf(key)}.json`;
  }

  get(key: Key): StepResult | undefined {
    const bytes = this.store.disk.readFile(this.#path(key), MOST_ENTRY_BYTES);
    if (bytes === undefined) return undefined;
    try {
      const { layer } = JSON.parse(new TextDecoder().decode(bytes)) as { layer: BuiltLayer | null };
      if (layer === null) return { layer: undefined };
      return this.store.layers.has(layer.diffId) && this.store.keep(layer.descriptor.digest) ? { layer } : undefined;
    } catch {
      return undefined;
    }
  }

  put(key: Key, { layer }: StepResult): void {
    this.store.disk.writeFile(this.#path(key), new TextEncoder().encode(JSON.stringify({ layer: layer ?? null })));
  }

  /** Writes a layer into the store. */
  async write(entries: readonly LayerEntry[], compress = true): Promise<BuiltLayer> {
    const tar = layerTar(sortEntries(entries));
    return this.take(compress ? this.store.disk.host.codecs.gzip(tar) : tar);
  }

  /** Takes a layer, or an archive of which a tree is wanted. @throws ImageFormatError, ImageLimitError */
  async take(source: AsyncIterable<Uint8Array>): Promise<BuiltLayer> {
    const { digest, size, diffId, compression } = await this.store.layers.take({ source });
    return { descriptor: { mediaType: layerTypeOf(compression), digest, size }, diffId };
  }
}
