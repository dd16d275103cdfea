/** The configuration that a stage builds up: OCI image-spec config.md, with what Docker adds (Healthcheck, Shell, OnBuild). */
import type { Descriptor, Digest, ProcessDefaults, StoredImage } from '../image/index.ts';
import { MOST_TRIGGERS } from './limits.ts';
import { toBytes, toText } from './text.ts';

export interface Healthcheck {
  Test: readonly string[];
  Interval?: number;
  Timeout?: number;
  StartPeriod?: number;
  StartInterval?: number;
  Retries?: number;
}

export interface History {
  readonly created: string;
  readonly created_by: string;
  readonly comment?: string;
  readonly empty_layer?: true;
}

export interface BuiltLayer {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
}

const DEFAULT_SHELL: readonly string[] = ['/bin/sh', '-c'];
export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
type Json = Record<string, unknown>;

const strings = (value: unknown): string[] => (Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : []).map(toBytes);
const keys = (value: unknown): string[] => (typeof value === 'object' && value !== null ? Object.keys(value) : []).map(toBytes);
const text = (value: unknown): string => (typeof value === 'string' ? toBytes(value) : '');
const own = (object: Json, name: string): unknown => (Object.hasOwn(object, name) ? object[name] : undefined);

/** What a command of the image starts with. All texts are byte strings. */
export class ImageSettings {
  user = '';
  workingDirectory = '';
  env = new Map<string, string>();
  entrypoint: readonly string[] | undefined;
  cmd: readonly string[] | undefined;
  /** CMD stood in this stage: ENTRYPOINT leaves it. */
  hasOwnCmd = false;
  shell: readonly string[] = DEFAULT_SHELL;
  labels = new Map<string, string>();
  volumes = new Set<string>();
  exposedPorts = new Set<string>();
  stopSignal = '';
  healthcheck: Healthcheck | undefined;
  onBuild: string[] = [];
  author = '';

  /** Of a base image's document. */
  static of(image: StoredImage): ImageSettings {
    const document = image.config.document as Json;
    const config = (own(document, 'config') ?? {}) as Json;
    const settings = new ImageSettings();
    settings.user = text(own(config, 'User'));
    settings.workingDirectory = text(own(config, 'WorkingDir'));
    for (const entry of strings(own(config, 'Env'))) {
      const equals = entry.indexOf('=');
      settings.env.set(equals < 0 ? entry : entry.slice(0, equals), equals < 0 ? '' : entry.slice(equals + 1));
    }
    if (Array.isArray(own(config, 'Entrypoint'))) settings.entrypoint = strings(own(config, 'Entrypoint'));
    if (Array.isArray(own(config, 'Cmd'))) settings.cmd = strings(own(config, 'Cmd'));
    if (Array.isArray(own(config, 'Shell'))) settings.shell = strings(own(config, 'Shell'));
    const labels = own(config, 'Labels');
    for (const name of typeof labels === 'object' && labels !== null ? Object.keys(labels) : []) settings.labels.set(toBytes(name), text((labels as Json)[name]));
    settings.volumes = new Set(keys(own(config, 'Volumes')));
    settings.exposedPorts = new Set(keys(own(config, 'ExposedPorts')));
    settings.stopSignal = text(own(config, 'StopSignal'));
    settings.healthcheck = (own(config, 'Healthcheck') as Healthcheck | undefined) ?? undefined;
    settings.onBuild = strings(own(config, 'OnBuild')).slice(0, MOST_TRIGGERS);
    settings.author = text(own(document, 'author'));
    return settings;
  }

  copy(): ImageSettings {
    const copy = Object.assign(new ImageSettings(), this);
    copy.env = new Map(this.env);
    copy.labels = new Map(this.labels);
    copy.volumes = new Set(this.volumes);
    copy.exposedPorts = new Set(this.exposedPorts);
    copy.onBuild = [...this.onBuild];
    copy.hasOwnCmd = false;
    return copy;
  }

  /** The `config` of the document; keys in Docker's order, sets sorted. */
  document(): Json {
    const list = (values: readonly string[]): readonly string[] => values.map(toText);
    const set = (values: Iterable<string>): Json => Object.fromEntries([...values].sort().map((value) => [toText(value), {}]));
    return {
      ...(this.user === '' ? {} : { User: toText(this.user) }),
      ...(this.exposedPorts.size === 0 ? {} : { ExposedPorts: set(this.exposedPorts) }),
      ...(this.env.size === 0 ? {} : { Env: list([...this.env].map(([name, value]) => `${name}=${value}`)) }),
      ...(this.entrypoint === undefined ? {} : { Entrypoint: list(this.entrypoint) }),
      ...(this.cmd === undefined ? {} : { Cmd: list(this.cmd) }),
      ...(this.healthcheck === undefined ? {} : { Healthcheck: this.healthcheck }),
      ...(this.volumes.size === 0 ? {} : { Volumes: set(this.volumes) }),
      ...(this.workingDirectory === '' ? {} : { WorkingDir: toText(this.workingDirectory) }),
      ...(this.onBuild.length === 0 ? {} : { OnBuild: list(this.onBuild) }),
      ...(this.labels.size === 0 ? {} : { Labels: Object.fromEntries([...this.labels].sort(([left], [right]) => (left < right ? -1 : 1)).map(([name, value]) => [toText(name), toText(value)])) }),
      ...(this.stopSignal === '' ? {} : { StopSignal: toText(this.stopSignal) }),
      ...(this.shell === DEFAULT_SHELL ? {} : { Shell: list(this.shell) }),
    };
  }

  /** For a command of the build itself: neither entrypoint nor command of the image play a part. */
  processDefaults(env: ReadonlyMap<string, string>): ProcessDefaults {
    const withPath = env.has('PATH') ? env : new Map([['PATH', DEFAULT_PATH], ...env]);
    return {
      user: toText(this.user), env: [...withPath].map(([name, value]) => toText(`${name}=${value}`)), entrypoint: [], cmd: [], workingDirectory: toText(this.workingDirectory),
      volumes: [], exposedPorts: [], labels: {}, stopSignal: undefined,
    };
  }
}

/** RFC 3339 with seconds. */
export function timeText(epoch: number): string {
  return new Date(epoch * 1000).toISOString().replace('.000Z', 'Z');
}

export interface ConfigInputs {
  readonly settings: ImageSettings;
  readonly layers: readonly BuiltLayer[];
  readonly history: readonly History[];
  readonly epoch: number;
}

/** The whole document. `more`: further fields, which others pass by. */
export function configDocument({ settings, layers, history, epoch }: ConfigInputs, more: Json = {}): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify({
    created: timeText(epoch), ...(settings.author === '' ? {} : { author: toText(settings.author) }), architecture: 'amd64', os: 'linux', config: settings.document(),
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) }, history, ...more,
  }));
}
