/** Which image another one was built on, and what each layer was made by. */
import type { Origin, ScanConfig, ScanHistory } from './types.ts';

/** An image that may be the base of others. */
export interface KnownImage {
  /** As people call it; an image without a name has its id. */
  readonly name: string;
  /** The lowest first. */
  readonly diffIds: readonly string[];
}

/** `store`: its layers are those of an image that we know. `annotation`: the image says so. `history`: its history looks like it. */
export interface Base {
  readonly name: string | undefined;
  /** Layers that are the base's. */
  readonly layers: number;
  readonly how: 'store' | 'annotation' | 'history';
}

function isPrefix(short: readonly string[], long: readonly string[]): boolean {
  return short.length > 0 && short.length < long.length && short.every((diffId, index) => diffId === long[index]);
}

/** The nearest one: the most layers, and of those the one whose name `FROM` has, if any. */
export function nearestBase(diffIds: readonly string[], images: readonly KnownImage[], wanted?: string): KnownImage | undefined {
  const fitting = images.filter((image) => isPrefix(image.diffIds, diffIds));
  const most = Math.max(0, ...fitting.map((image) => image.diffIds.length));
  const nearest = fitting.filter((image) => image.diffIds.length === most);
  return nearest.find(({ name }) => name === wanted) ?? nearest[0];
}

/** OCI image-spec annotations.md. */
const BASE_NAME = 'org.opencontainers.image.base.name';

/** What sets the process in a base ends it: behind it the image's own instructions begin. As Trivy guesses, where nothing better is known. */
function guessLayers(history: readonly ScanHistory[]): number {
  let last = history.length;
  while (last > 0 && history[last - 1]?.layer === undefined) last--;
  for (let index = last - 1; index >= 0; index--) {
    const { createdBy = '', layer } = history[index] ?? { layer: undefined };
    if (layer === undefined && /(?:^|\s)CMD\s/.test(createdBy)) return history.slice(0, index).filter((entry) => entry.layer !== undefined).length;
  }
  return 0;
}

/** Undefined: nothing tells. `annotations`: of the manifest. */
export function findBase(diffIds: readonly string[], config: ScanConfig | undefined, annotations: Readonly<Record<string, string>>, images: readonly KnownImage[]): Base | undefined {
  const said = annotations[BASE_NAME] ?? config?.labels[BASE_NAME];
  const known = nearestBase(diffIds, images, said);
  if (known !== undefined) return { name: known.name, layers: known.diffIds.length, how: 'store' };
  const layers = config === undefined ? 0 : guessLayers(config.history);
  if (layers === 0 || layers >= diffIds.length) return undefined;
  return { name: said, layers, how: said === undefined ? 'history' : 'annotation' };
}

/** `/bin/sh -c #(nop) ADD file:...` is `ADD file:...`, `/bin/sh -c apt-get ...` is `RUN apt-get ...`. */
export function instructionOf(createdBy: string): string {
  const text = createdBy.replace(/\s+/g, ' ').trim();
  const nop = /^\/bin\/sh -c #\(nop\)\s*(.*)$/.exec(text)?.[1];
  if (nop !== undefined) return nop;
  const run = /^(?:\|\d+ .*?)?\/bin\/sh -c (.*)$/.exec(text)?.[1];
  return (run === undefined ? text : `RUN ${run}`).replace(/ # buildkit$/, '');
}

/** Who brought what is in a layer. */
export function originOf(layer: number, diffIds: readonly string[], config: ScanConfig | undefined, base: Base | undefined, deletedIn?: number): Origin {
  const createdBy = config?.history.find((entry) => entry.layer === layer)?.createdBy;
  return {
    layer, diffId: diffIds[layer] ?? '', from: base === undefined ? 'unknown' : layer < base.layers ? 'base' : 'own',
    ...(createdBy === undefined || createdBy === '' ? {} : { createdBy: instructionOf(createdBy) }),
    ...(base?.name !== undefined && layer < base.layers ? { base: base.name } : {}), ...(deletedIn === undefined ? {} : { deletedIn }),
  };
}
