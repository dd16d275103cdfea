/** Layers on top of each other: what of each one's results the image shows, which layer it is from, and which one deleted it. */
import { directoryOf } from './text.ts';
import type { LayerChanges } from './layers/changes.ts';
import type { FileFinding, LayerResult } from './layers/results.ts';
import type { Distribution, Package, PackageRecord } from './packages/types.ts';
import type { LayerFact } from './types.ts';

/** A package where it was found. */
export interface FoundPackage {
  readonly package: Package;
  /** Byte strings; the first one counts. */
  readonly paths: readonly string[];
  /** The lowest layer from which on it is there without a break. */
  readonly layer: number;
  /** The reader: `dpkg`, `npm`. */
  readonly reader: string;
}

export interface MergedPackages {
  readonly distribution: Distribution | undefined;
  /** Of the layer with the highest one. */
  readonly packages: readonly FoundPackage[];
  /** apt's lists of sources by path. */
  readonly sources: readonly { readonly path: string; readonly text: string }[];
  /** Files of keys by path, in base64. */
  readonly keyrings: readonly { readonly path: string; readonly keyring: string }[];
  readonly problems: readonly { readonly path: string; readonly layer: number; readonly problem: string }[];
}

/** Says of each path of a layer which later one hides it. */
export class Visibility {
  readonly #layers: readonly LayerResult[];
  readonly #changes: (LayerChanges | undefined)[] = [];

  constructor(layers: readonly LayerResult[]) {
    this.#layers = layers;
  }

  /** Undefined: it shows. */
  hiddenIn(path: string, layer: number): number | undefined {
    for (let above = layer + 1; above < this.#layers.length; above++) {
      this.#changes[above] ??= this.#layers[above]?.changes();
      if (this.#changes[above]?.hides(path) === true) return above;
    }
    return undefined;
  }
}

/** Directories that hold installed packages: a lock file in them was for whoever made the package. */
const INSIDE_PACKAGES = /(?:^|\/)(?:node_modules|site-packages|dist-packages|gems|bower_components|\.cargo\/registry|\.npm|_cacache|go\/pkg\/mod|usr\/share\/nodejs)\//;

/** What a lock file of one kind would install, and whether there is something of that installed beside it. */
function isInstalledBeside({ path, reader }: PackageRecord, installed: ReadonlySet<string>): boolean {
  const prefix = path.slice(0, path.lastIndexOf('/') + 1);
  if (['npm-lock', 'yarn', 'pnpm'].includes(reader)) return installed.has(`${prefix}node_modules`);
  return reader === 'composer' && installed.has(`${prefix}vendor/composer`);
}

/** Directories above installed packages: `D/node_modules`, `D/vendor/composer`. */
function placesOf(records: readonly LayeredRecord[]): ReadonlySet<string> {
  const places = new Set<string>();
  for (const { record: { path, reader, kind } } of records) {
    if (kind !== 'installed') continue;
    if (reader === 'npm') for (let at = path.indexOf('node_modules/'); at >= 0; at = path.indexOf('node_modules/', at + 1)) places.add(path.slice(0, at + 'node_modules'.length));
    if (reader === 'composer-installed') places.add(directoryOf(path));
  }
  return places;
}

interface LayeredRecord {
  readonly record: PackageRecord;
  readonly layer: number;
}

function keyOf({ type, name, version, architecture }: Package): string {
  return `${type}\0${name}\0${version}\0${architecture ?? ''}`;
}

/** Records at one path, the lowest layer first. */
function byPath(layers: readonly LayerResult[]): ReadonlyMap<string, readonly LayeredRecord[]> {
  const found = new Map<string, LayeredRecord[]>();
  for (const [layer, { packages }] of layers.entries()) {
    for (const record of packages) {
      const key = `${record.kind}\0${record.path}`;
      const list = found.get(key);
      if (list === undefined) found.set(key, [{ record, layer }]);
      else list.push({ record, layer });
    }
  }
  return found;
}

/** The lowest layer from which on each package of the top record is in all records of the same file. */
function originsOf(records: readonly LayeredRecord[]): ReadonlyMap<string, number> {
  const origins = new Map<string, number>();
  for (const { record, layer } of records) {
    const keys = new Set(record.packages.map(keyOf));
    for (const key of origins.keys()) if (!keys.has(key)) origins.delete(key);
    for (const key of keys) if (!origins.has(key)) origins.set(key, layer);
  }
  return origins;
}

export function mergePackages(layers: readonly LayerResult[], visibility: Visibility): MergedPackages {
  const tops: { readonly top: LayeredRecord; readonly all: readonly LayeredRecord[] }[] = [];
  for (const all of byPath(layers).values()) {
    const top = all.at(-1);
    if (top !== undefined && visibility.hiddenIn(top.record.path, top.layer) === undefined) tops.push({ top, all });
  }
  const owned = new Set(tops.flatMap(({ top }) => top.record.owned ?? []));
  const places = placesOf(tops.map(({ top }) => top));
  const found = new Map<string, FoundPackage & { readonly paths: string[] }>();
  for (const { top: { record }, all } of tops) {
    if (owned.has(record.path)) continue;
    if (record.kind === 'lock' && (INSIDE_PACKAGES.test(record.path) || isInstalledBeside(record, places))) continue;
    const origins = originsOf(all);
    for (const one of record.packages) {
      const key = keyOf(one);
      const [before, layer] = [found.get(key), origins.get(key) ?? 0];
      // Needed for development in one place, and for running in another: it is needed for running.
      const kept = before === undefined || (before.package.isDevelopment === true && one.isDevelopment !== true) ? one : before.package;
      const paths = before?.paths ?? [];
      paths.push(record.path);
      found.set(key, { package: kept, paths, layer: Math.min(layer, before?.layer ?? layer), reader: before?.reader ?? record.reader });
    }
  }
  const distributions = tops.flatMap(({ top: { record } }) => (record.distribution === undefined ? [] : [record])).sort((left, right) => left.path.length - right.path.length);
  return {
    distribution: distributions[0]?.distribution, packages: [...found.values()],
    sources: tops.flatMap(({ top: { record: { path, text } } }) => (text === undefined ? [] : [{ path, text }])),
    keyrings: tops.flatMap(({ top: { record: { path, keyring } } }) => (keyring === undefined ? [] : [{ path, keyring }])),
    problems: tops.flatMap(({ top: { record: { path, problem }, layer } }) => (problem === undefined ? [] : [{ path, layer, problem }])),
  };
}

export interface MergedFinding extends FileFinding {
  readonly layer: number;
  readonly deletedIn: number | undefined;
}

/** Findings of one analyser: what the image shows, and what stays in a layer although a later one deleted it. A file that several layers have with the same finding counts once. */
export function mergeFindings(layers: readonly LayerResult[], analyser: string, visibility: Visibility): readonly MergedFinding[] {
  return layers.flatMap((result, layer) => (result.analysers.get(analyser)?.findings ?? []).flatMap(({ path, finding }): readonly MergedFinding[] => {
    const deletedIn = visibility.hiddenIn(path, layer);
    return deletedIn !== undefined && finding.staysWhenDeleted !== true ? [] : [{ path, finding, layer, deletedIn }];
  }));
}

export function mergeFacts(layers: readonly LayerResult[], analyser: string, visibility: Visibility): readonly LayerFact[] {
  return layers.flatMap((result, layer) => (result.analysers.get(analyser)?.facts ?? []).map(({ path, value }) => ({ path, layer, value, isDeleted: visibility.hiddenIn(path, layer) !== undefined })));
}
