/** An image's configuration (OCI image-spec config.md, Docker's container image document). */
import { ImageFormatError, ImageLimitError } from './errors.ts';
import { isDigest } from './digest.ts';
import type { DiffId } from './digest.ts';
import { MOST_LAYERS } from './limits.ts';
import { fieldOf, isObject, listOf, parseJson, stringsOf } from './manifest.ts';
import type { Json, JsonObject, Platform } from './manifest.ts';

/** What to run, and how: the `config` of the document. */
export interface ProcessDefaults {
  readonly user: string;
  readonly env: readonly string[];
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly workingDirectory: string;
  readonly volumes: readonly string[];
  readonly exposedPorts: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly stopSignal: string | undefined;
}

export interface HistoryEntry {
  readonly created: string | undefined;
  readonly createdBy: string | undefined;
  readonly comment: string | undefined;
  readonly emptyLayer: boolean;
}

export interface ImageConfig {
  readonly platform: Platform;
  readonly created: string | undefined;
  readonly author: string | undefined;
  readonly defaults: ProcessDefaults;
  readonly diffIds: readonly DiffId[];
  readonly history: readonly HistoryEntry[];
  /** The document as it is, for `inspect`. */
  readonly document: JsonObject;
}

const NOTHING: JsonObject = {};

function text(object: JsonObject, name: string): string | undefined {
  const value = fieldOf(object, name);
  return typeof value === 'string' ? value : undefined;
}

function keys(value: Json | undefined): readonly string[] {
  return isObject(value) ? Object.keys(value) : [];
}

function defaultsOf(value: Json | undefined): ProcessDefaults {
  const config = isObject(value) ? value : NOTHING;
  return {
    user: text(config, 'User') ?? '',
    env: listOf(fieldOf(config, 'Env')) ?? [],
    entrypoint: listOf(fieldOf(config, 'Entrypoint')) ?? [],
    cmd: listOf(fieldOf(config, 'Cmd')) ?? [],
    workingDirectory: text(config, 'WorkingDir') ?? '',
    volumes: keys(fieldOf(config, 'Volumes')),
    exposedPorts: keys(fieldOf(config, 'ExposedPorts')),
    labels: stringsOf(fieldOf(config, 'Labels')) ?? {},
    stopSignal: text(config, 'StopSignal'),
  };
}

/** @throws ImageFormatError, ImageLimitError */
export function parseConfig(bytes: Uint8Array, what: string): ImageConfig {
  const document = parseJson(bytes, what);
  const rootfs = fieldOf(document, 'rootfs');
  const diffIds = isObject(rootfs) ? fieldOf(rootfs, 'diff_ids') : undefined;
  if (!Array.isArray(diffIds) || !diffIds.every(isDigest)) throw new ImageFormatError(`cannot read ${what}: it does not say what the layers are (rootfs.diff_ids)`);
  if (diffIds.length > MOST_LAYERS) throw new ImageLimitError(`${what} has more than ${MOST_LAYERS} layers`);
  const history = fieldOf(document, 'history');
  return {
    platform: { os: text(document, 'os') ?? '', architecture: text(document, 'architecture') ?? '', variant: text(document, 'variant') },
    created: text(document, 'created'),
    author: text(document, 'author'),
    defaults: defaultsOf(fieldOf(document, 'config')),
    diffIds: diffIds as readonly DiffId[],
    history: (Array.isArray(history) ? history : []).filter(isObject).map((entry) => ({
      created: text(entry, 'created'), createdBy: text(entry, 'created_by'), comment: text(entry, 'comment'), emptyLayer: fieldOf(entry, 'empty_layer') === true,
    })),
    document,
  };
}
