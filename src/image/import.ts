/** A root directory in a tar becomes an image of one layer, as `docker import`. */
import { ImageError } from './errors.ts';
import type { LayerLimits } from './limits.ts';
import { addBuilt } from './load.ts';
import { OCI_LAYER, OCI_LAYER_GZIP, OCI_LAYER_ZSTD } from './media-types.ts';
import { parseReference } from './reference.ts';
import type { ImageStore, StoredImage } from './store.ts';

export interface ImportOptions {
  readonly name: string | undefined;
  /** Instructions of a Dockerfile that only change the configuration. */
  readonly changes: readonly string[];
  readonly message: string;
  readonly limits?: LayerLimits;
}

export interface MutableConfig {
  Env?: string[];
  Cmd?: readonly string[];
  Entrypoint?: readonly string[];
  User?: string;
  WorkingDir?: string;
  StopSignal?: string;
  ExposedPorts?: Record<string, object>;
  Volumes?: Record<string, object>;
  Labels?: Record<string, string>;
}

const TYPES = { none: OCI_LAYER, gzip: OCI_LAYER_GZIP, zstd: OCI_LAYER_ZSTD } as const;

/** The JSON form, or the shell form. */
function commandOf(text: string): readonly string[] {
  if (!text.startsWith('[')) return ['/bin/sh', '-c', text];
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    list = undefined;
  }
  if (!Array.isArray(list) || !list.every((word) => typeof word === 'string')) throw new ImageError(`cannot read "${text}": it is no JSON list of texts`, 'such as ["bash", "-l"]');
  return list;
}

/** `NAME=VALUE` or `NAME VALUE`, with quotes around the value taken off. */
function pairOf(text: string, instruction: string): readonly [name: string, value: string] {
  const match = /^([^\s=]+)(?:=|\s+)(.*)$/s.exec(text);
  if (match === null) throw new ImageError(`cannot read "${instruction} ${text}": it is ${instruction} NAME=VALUE`);
  return [match[1] ?? '', (match[2] ?? '').replace(/^"(.*)"$/s, '$1')];
}

function words(text: string): Record<string, object> {
  const list = text.startsWith('[') ? commandOf(text) : text.split(/\s+/);
  return Object.fromEntries(list.map((word) => [word, {}]));
}

const INSTRUCTIONS: ReadonlyMap<string, (config: MutableConfig, text: string) => void> = new Map<string, (config: MutableConfig, text: string) => void>([
  ['CMD', (config, text) => void (config.Cmd = commandOf(text))],
  ['ENTRYPOINT', (config, text) => void (config.Entrypoint = commandOf(text))],
  ['ENV', (config, text) => {
    const [name, value] = pairOf(text, 'ENV');
    config.Env = [...(config.Env ?? []).filter((entry) => !entry.startsWith(`${name}=`)), `${name}=${value}`];
  }],
  ['LABEL', (config, text) => {
    const [name, value] = pairOf(text, 'LABEL');
    config.Labels = { ...config.Labels, [name]: value };
  }],
  ['EXPOSE', (config, text) => {
    for (const port of text.split(/\s+/)) config.ExposedPorts = { ...config.ExposedPorts, [port.includes('/') ? port : `${port}/tcp`]: {} };
  }],
  ['STOPSIGNAL', (config, text) => void (config.StopSignal = text)],
  ['USER', (config, text) => void (config.User = text)],
  ['VOLUME', (config, text) => void (config.Volumes = { ...config.Volumes, ...words(text) })],
  ['WORKDIR', (config, text) => void (config.WorkingDir = text)],
]);

/** `base`: what they change. @throws ImageError for an instruction that cannot be used. */
export function applyChanges(changes: readonly string[], base: MutableConfig = {}): MutableConfig {
  const config: MutableConfig = { ...base };
  for (const change of changes) {
    const [, name = '', text = ''] = /^\s*(\w+)\s+([^]*)$/.exec(change) ?? [];
    const apply = INSTRUCTIONS.get(name.toUpperCase());
    if (apply === undefined || text.trim() === '') throw new ImageError(`cannot use the change "${change}"`, `it is one of ${[...INSTRUCTIONS.keys()].join(', ')}, and what it sets`);
    apply(config, text.trim());
  }
  return config;
}

/** @throws ImageError, DigestMismatchError, ImageFormatError, ImageLimitError */
export async function importRoot(store: ImageStore, source: AsyncIterable<Uint8Array>, { name, changes, message, limits }: ImportOptions): Promise<StoredImage> {
  if (name !== undefined && parseReference(name).digest !== undefined) throw new ImageError(`cannot name an image "${name}": a name that is given has no digest`, 'leave the part from @ on out');
  const config = applyChanges(changes);
  return store.adding(() => takeRoot(store, source, { name, config, message, limits }));
}

interface RootOptions {
  readonly name: string | undefined;
  readonly config: MutableConfig;
  readonly message: string;
  readonly limits: LayerLimits | undefined;
}

async function takeRoot(store: ImageStore, source: AsyncIterable<Uint8Array>, { name, config, message, limits }: RootOptions): Promise<StoredImage> {
  const { digest, size, diffId, compression } = await store.layers.take({ source, limits });
  const created = new Date(store.disk.host.now()).toISOString();
  const document = {
    created, architecture: 'amd64', os: 'linux', config, rootfs: { type: 'layers', diff_ids: [diffId] }, history: [{ created, comment: message }],
  };
  return addBuilt(store, new TextEncoder().encode(JSON.stringify(document)), [{ mediaType: TYPES[compression], digest, size }], name === undefined ? [] : [name])[0]!;
}
