/**
 * `--cache-to` and `--cache-from`: what steps made, as the manifest of an image that registries and OCI layouts keep like any other. Its layers
 * are the steps' layers; its configuration has their DiffIds and says which key gives which layer:
 *
 *   { "rootfs": { "type": "layers", "diff_ids": [...] }, "caisson.build.steps.v1": [{ "key": "sha256:...", "layer": 0 }, { "key": ... }] }
 *
 * A step without a layer changed nothing. An image whose own configuration has such a list is a cache, too (`type=inline`).
 *
 * Every byte that comes is checked against its digest, and a layer against its DiffId. That a key gives a layer is believed, as in BuildKit:
 * who can write a cache decides what the commands of a build have done.
 */
import type { HostCodecs } from '../host/types.ts';
import { DigestMismatchError, ImageFormatError, ImageLimitError, MOST_DOCUMENT_BYTES, OCI_MANIFEST, OWN_PLATFORM, algorithmOf, digestOf, fieldOf, isDigest, isLayerType, isObject, noPlatform, parseConfig, parseJson, parseManifest, selectPlatform } from '../image/index.ts';
import type { CopySource, Descriptor, Digest, ImageStore, Json, Manifest, ManifestBytes } from '../image/index.ts';
import type { BuiltLayer } from './image-config.ts';
import { MOST_CACHE_LAYERS } from './limits.ts';
import { layerTypeOf } from './step-store.ts';
import type { Key, StepResult } from './step-store.ts';

const CACHE_CONFIG = 'application/vnd.caisson.build.cache.v1+json';
const STEPS_FIELD = 'caisson.build.steps.v1';

/** The field for a configuration whose layers are `layers`. */
export function stepsField(steps: ReadonlyMap<Key, StepResult>, layers: readonly BuiltLayer[]): Record<string, unknown> {
  const places = new Map(layers.map(({ descriptor, diffId }, index) => [`${descriptor.digest} ${diffId}`, index]));
  const entries = [...steps].sort(([left], [right]) => (left < right ? -1 : 1)).flatMap(([key, { layer }]) => {
    const place = layer === undefined ? undefined : places.get(`${layer.descriptor.digest} ${layer.diffId}`);
    return layer !== undefined && place === undefined ? [] : [{ key, ...(place === undefined ? {} : { layer: place }) }];
  });
  return { [STEPS_FIELD]: entries };
}

/** A cache on its way out, as `copyImage` wants it. */
export class ExportedSteps implements CopySource {
  readonly #store: ImageStore;
  readonly #config: Uint8Array;
  readonly #configDigest: Digest;
  readonly #manifest: ManifestBytes;

  /** `steps`: the most wanted first; layers beyond the bound of a manifest are left out. */
  constructor(store: ImageStore, steps: ReadonlyMap<Key, StepResult>) {
    const { codecs } = store.disk.host;
    const unique = new Map([...steps.values()].flatMap(({ layer }) => (layer === undefined ? [] : [[`${layer.descriptor.digest} ${layer.diffId}`, layer]])));
    const layers = [...unique.values()].slice(0, MOST_CACHE_LAYERS);
    this.#store = store;
    this.#config = new TextEncoder().encode(JSON.stringify({ rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) }, ...stepsField(steps, layers) }));
    this.#configDigest = digestOf(codecs, this.#config);
    const config: Descriptor = { mediaType: CACHE_CONFIG, digest: this.#configDigest, size: this.#config.length };
    const bytes = new TextEncoder().encode(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: layers.map(({ descriptor }) => descriptor) }));
    this.#manifest = { bytes, mediaType: OCI_MANIFEST, digest: digestOf(codecs, bytes) };
  }

  async top(): Promise<ManifestBytes> {
    return this.#manifest;
  }
  manifest(digest: Digest): Promise<ManifestBytes> {
    throw new ImageFormatError(`the cache has no manifest ${digest}`);
  }
  async *blob(digest: Digest): AsyncIterable<Uint8Array> {
    if (digest === this.#configDigest) yield this.#config;
    else yield* this.#store.blobs.stream(digest);
  }
  close(): void {}
}

/** A cache from elsewhere: what it says is read at once, its layers when a step wants them. */
export class ImportedSteps {
  /** For messages. */
  readonly name: string;
  readonly #source: CopySource;
  readonly #steps: ReadonlyMap<string, BuiltLayer | undefined>;
  #isUsable = true;

  private constructor(name: string, source: CopySource, steps: ReadonlyMap<string, BuiltLayer | undefined>) {
    this.name = name;
    this.#source = source;
    this.#steps = steps;
  }

  /** @throws ImageError where there is no cache, or one that is not well formed. */
  static async open(name: string, source: CopySource, codecs: HostCodecs): Promise<ImportedSteps> {
    const manifest = await manifestOf(source);
    const document = await readDocument(source, manifest.config, codecs);
    return new ImportedSteps(name, source, stepsOf(document, manifest));
  }

  get isUsable(): boolean {
    return this.#isUsable;
  }

  /** Something in it was wrong: nothing more is taken from it. */
  giveUp(): void {
    this.#isUsable = false;
  }

  /**
   * What a step made, with its layer in the store. Undefined: it has no such step.
   *
   * @throws ImageError where the layer is not what it should be; nothing of it is kept then.
   */
  async get(key: Key, store: ImageStore): Promise<StepResult | undefined> {
    if (!this.#isUsable || !this.#steps.has(key)) return undefined;
    const layer = this.#steps.get(key);
    if (layer === undefined) return { layer };
    const { descriptor, diffId } = layer;
    // Also where its parts are here already: that they belong together is seen only when all of it is read.
    const { compression } = await store.layers.take({ source: this.#source.blob(descriptor.digest, descriptor.size), descriptor, diffId });
    return { layer: { descriptor: { ...descriptor, mediaType: layerTypeOf(compression) }, diffId } };
  }
}

async function manifestOf(source: CopySource): Promise<Manifest> {
  const top = await source.top();
  const document = parseManifest(top.bytes, top.mediaType, 'its manifest');
  if (document.kind === 'manifest') return document;
  const selected = selectPlatform(document, OWN_PLATFORM);
  if (selected === undefined) throw noPlatform(document, OWN_PLATFORM);
  const below = parseManifest((await source.manifest(selected.digest)).bytes, selected.mediaType, 'its manifest');
  if (below.kind === 'manifest') return below;
  throw new ImageFormatError('it is an index of indexes');
}

async function readDocument(source: CopySource, { digest, size }: Descriptor, codecs: HostCodecs): Promise<Uint8Array> {
  if (size > MOST_DOCUMENT_BYTES) throw new ImageLimitError(`its configuration is longer than ${MOST_DOCUMENT_BYTES} bytes`);
  const bytes = new Uint8Array(size);
  let length = 0;
  for await (const chunk of source.blob(digest, size)) {
    if (length + chunk.length > size) throw new ImageFormatError(`its configuration is longer than the ${size} bytes that were promised`);
    bytes.set(chunk, length);
    length += chunk.length;
  }
  const actual = digestOf(codecs, bytes.subarray(0, length), algorithmOf(digest));
  if (actual !== digest) throw new DigestMismatchError('its configuration', digest, actual);
  return bytes;
}

function stepsOf(bytes: Uint8Array, { layers }: Manifest): ReadonlyMap<string, BuiltLayer | undefined> {
  const list = fieldOf(parseJson(bytes, 'its configuration'), STEPS_FIELD);
  if (list === undefined) throw new ImageFormatError('it has no steps of a build', 'write it with --cache-to');
  const { diffIds } = parseConfig(bytes, 'its configuration');
  if (diffIds.length !== layers.length) throw new ImageFormatError(`it has ${layers.length} layers, and its configuration says ${diffIds.length}`);
  if (!Array.isArray(list)) throw new ImageFormatError('its list of steps is none');
  return new Map((list as readonly Json[]).map((item) => {
    const key = isObject(item) ? fieldOf(item, 'key') : undefined;
    const place = isObject(item) ? fieldOf(item, 'layer') : undefined;
    if (!isDigest(key)) throw new ImageFormatError('a step of it has no key');
    if (place === undefined) return [key, undefined];
    const descriptor = typeof place === 'number' ? layers[place] : undefined;
    if (descriptor === undefined) throw new ImageFormatError(`the step ${key} has the layer ${JSON.stringify(place).slice(0, 40)}, which is none of its ${layers.length}`);
    if (!isLayerType(descriptor.mediaType)) throw new ImageFormatError(`the layer of the step ${key} is of the type ${descriptor.mediaType}, and no layer`);
    return [key, { descriptor: { mediaType: descriptor.mediaType, digest: descriptor.digest, size: descriptor.size }, diffId: diffIds[place as number]! }];
  }));
}
