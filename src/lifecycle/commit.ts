/** An image from a container: the image's layers, and what the container has changed as one more. */
import { layerTar } from '../container/layer-entries.ts';
import { OCI_LAYER_GZIP, addBuilt, applyChanges, fieldOf, isObject } from '../image/index.ts';
import type { ImageStore, Json, JsonObject, StoredImage } from '../image/index.ts';
import { parseReference } from '../image/reference.ts';
import type { WholeContainer } from './containers.ts';
import { LifecycleError } from './errors.ts';
import type { ContainerTree } from './own-layers.ts';

export interface CommitOptions {
  readonly name: string | undefined;
  readonly author: string;
  readonly message: string;
  /** Instructions of a Dockerfile that only change the configuration. */
  readonly changes: readonly string[];
  /** The container's configuration, in the words of an image's. */
  readonly config: JsonObject;
}

/** What an image keeps of a container's configuration (OCI image-spec config.md), as Docker takes it over. */
const KEPT = ['User', 'ExposedPorts', 'Env', 'Entrypoint', 'Cmd', 'Volumes', 'WorkingDir', 'Labels', 'StopSignal'];

/** What a container cannot change. */
const INHERITED = ['Healthcheck', 'Shell'];

function isEmpty(value: Json | undefined): boolean {
  return value === undefined || value === null || value === '' || (isObject(value) && Object.keys(value).length === 0);
}

/** @throws ImageError */
export function commitContainer(store: ImageStore, container: WholeContainer, tree: ContainerTree, options: CommitOptions): Promise<StoredImage> {
  const { image } = container.record;
  const { name } = options;
  if (name !== undefined && parseReference(name).digest !== undefined) throw new LifecycleError(`cannot name an image "${name}": a name that is given has no digest`, 'leave the part from @ on out');
  return store.adding(async () => {
    const base = store.load({ reference: undefined, typed: undefined, target: descriptorOf(store, image.manifest), manifest: descriptorOf(store, image.manifest), digests: [], referrers: [], addedMs: 0 });
    for (const { digest } of base.manifest.layers) store.keep(digest);
    const entries = tree.entries(store);
    const layer = entries.length === 0 ? undefined : await store.layers.take({ source: store.disk.host.codecs.gzip(layerTar(entries)) });
    const created = new Date(store.disk.host.now()).toISOString();
    const { document } = base.config;
    const history = fieldOf(document, 'history');
    const command = [options.config['Entrypoint'], options.config['Cmd']].flatMap((part) => (Array.isArray(part) ? part : [])).join(' ');
    const own = fieldOf(document, 'config');
    const inherited = isObject(own) ? INHERITED.flatMap((key) => (isEmpty(own[key]) ? [] : [[key, own[key]] as const])) : [];
    const kept: Record<string, unknown> = Object.fromEntries([...inherited, ...KEPT.flatMap((key) => (isEmpty(options.config[key]) ? [] : [[key, options.config[key]] as const]))]);
    const config = {
      ...document, created, ...(options.author === '' ? {} : { author: options.author }), config: applyChanges(options.changes, kept),
      rootfs: { type: 'layers', diff_ids: [...base.config.diffIds, ...(layer === undefined ? [] : [layer.diffId])] },
      history: [...(Array.isArray(history) ? history : []), { created, created_by: command, ...(options.author === '' ? {} : { author: options.author }), comment: options.message, ...(layer === undefined ? { empty_layer: true } : {}) }],
    };
    const layers = [...base.manifest.layers, ...(layer === undefined ? [] : [{ mediaType: OCI_LAYER_GZIP, digest: layer.digest, size: layer.size }])];
    return addBuilt(store, new TextEncoder().encode(JSON.stringify(config)), layers, name === undefined ? [] : [name])[0]!;
  });
}

function descriptorOf(store: ImageStore, digest: StoredImage['id']): { readonly mediaType: string; readonly digest: StoredImage['id']; readonly size: number } {
  return { mediaType: '', digest, size: store.blobs.sizeOf(digest) ?? 0 };
}
