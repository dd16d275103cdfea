/** One stage while it is built: its layers, configuration and history grow with each instruction. */
import { OCI_LAYER, OCI_LAYER_GZIP, OCI_LAYER_ZSTD } from '../image/index.ts';
import type { StoredImage } from '../image/index.ts';
import { BuildError } from './errors.ts';
import { DEFAULT_PATH, ImageSettings, timeText } from './image-config.ts';
import type { BuiltLayer, History } from './image-config.ts';
import type { Key, StepResult } from './step-store.ts';
import { toText } from './text.ts';

/** 1980-01-01T00:00:00Z, the first time that a zip archive can hold: where nothing else says when. */
export const FIRST_EPOCH = 315_532_800;

export interface StageState {
  readonly settings: ImageSettings;
  readonly layers: readonly BuiltLayer[];
  readonly history: readonly History[];
  /** Those above the base image that may make a layer. */
  readonly steps: ReadonlyMap<Key, StepResult>;
  /** Seconds since the epoch: no time in the layers is later. */
  readonly epoch: number;
}

/** Nothing, as FROM scratch. */
export function scratchState(sourceDateEpoch: number | undefined): StageState {
  const settings = new ImageSettings();
  settings.env.set('PATH', DEFAULT_PATH);
  settings.workingDirectory = '/';
  return { settings, layers: [], history: [], steps: new Map(), epoch: sourceDateEpoch ?? FIRST_EPOCH };
}

function ociType(mediaType: string): string {
  if (mediaType.includes('zstd')) return OCI_LAYER_ZSTD;
  return /gzip$/.test(mediaType) ? OCI_LAYER_GZIP : OCI_LAYER;
}

export function imageState(image: StoredImage, sourceDateEpoch: number | undefined): StageState {
  const created = Math.floor(Date.parse(image.config.created ?? '') / 1000);
  const history = image.config.document['history'];
  return {
    settings: ImageSettings.of(image),
    layers: image.manifest.layers.map(({ mediaType, digest, size }, index) => ({ descriptor: { mediaType: ociType(mediaType), digest, size }, diffId: image.config.diffIds[index]! })),
    history: Array.isArray(history) ? (history as unknown as readonly History[]) : [],
    steps: new Map(),
    epoch: sourceDateEpoch ?? (created > 0 ? created : FIRST_EPOCH),
  };
}

/** Layers that make what came after a base, as one more step of its history. */
export class Stage {
  readonly settings: ImageSettings;
  readonly layers: BuiltLayer[];
  readonly history: History[];
  readonly #steps: Map<Key, StepResult>;
  #epoch: number;
  readonly #fixedEpoch: boolean;

  constructor(state: StageState, fixedEpoch: boolean) {
    this.settings = state.settings.copy();
    this.layers = [...state.layers];
    this.history = [...state.history];
    this.#steps = new Map(state.steps);
    this.#epoch = state.epoch;
    this.#fixedEpoch = fixedEpoch;
  }

  get state(): StageState {
    const { settings, layers, history, epoch } = this;
    return { settings, layers, history, steps: this.#steps, epoch };
  }
  get epoch(): number {
    return this.#epoch;
  }
  /** The time of the next step that may make a layer: a second later, so that what comes later is newer. */
  nextEpoch(): number {
    if (!this.#fixedEpoch) this.#epoch++;
    return this.#epoch;
  }

  get workingDirectory(): string {
    return this.settings.workingDirectory === '' ? '/' : this.settings.workingDirectory;
  }

  addLayer(layer: BuiltLayer | undefined, createdBy: string): void {
    if (layer !== undefined) this.layers.push(layer);
    this.history.push({ created: timeText(this.#epoch), created_by: createdBy, comment: 'caisson build', ...(layer === undefined ? { empty_layer: true as const } : {}) });
  }

  /** The same of a step that is known by a key. */
  addStep(key: Key, result: StepResult, createdBy: string): void {
    this.#steps.set(key, result);
    this.addLayer(result.layer, createdBy);
  }

  /** From the working directory, as an absolute path. */
  absolute(path: string): string {
    if (path.includes('\0')) throw new BuildError(`cannot use the path "${toText(path)}"`);
    return path.startsWith('/') ? path : `${this.workingDirectory === '/' ? '' : this.workingDirectory}/${path}`;
  }
}
