/** Looks at one layer or directory once, for all that is asked for and not kept yet. */
import { SEVERITIES } from '../../findings/index.ts';
import { MOST_FACT_BYTES, MOST_FINDINGS } from '../limits.ts';
import { LayerPackages, READERS_VERSION } from '../packages/index.ts';
import type { PackageRecord, ReaderTools } from '../packages/types.ts';
import { fieldOf, isObject, stringOf } from '../text.ts';
import type { Analyser, ContentFinding, ScanFile, Sink } from '../types.ts';
import { LayerChanges } from './changes.ts';
import type { OpenFiles } from './open.ts';
import type { AnalyserResult, FileFinding, LayerResult, ResultCache } from './results.ts';

/** What of a scan is looked for. */
export interface LookOptions {
  readonly hasPackages: boolean;
  readonly analysers: readonly Analyser[];
  readonly tools: ReaderTools;
  /** After every so many files. */
  readonly onFiles?: (files: number) => void;
}

const FILES_BETWEEN_NEWS = 500;

class AnalyserSink implements Sink {
  readonly findings: FileFinding[] = [];
  readonly facts: { readonly path: string; readonly value: unknown }[] = [];
  isCut = false;
  path = '';
  #factBytes = 0;

  finding(finding: ContentFinding): void {
    if (this.findings.length >= MOST_FINDINGS) this.isCut = true;
    else this.findings.push({ path: this.path, finding });
  }

  fact(value: unknown): void {
    this.#factBytes += JSON.stringify(value)?.length ?? 0;
    if (this.#factBytes > MOST_FACT_BYTES) this.isCut = true;
    else this.facts.push({ path: this.path, value });
  }
}

interface Looked {
  readonly packages: readonly PackageRecord[];
  readonly results: ReadonlyMap<string, AnalyserResult>;
  readonly changes: LayerChanges;
}

/** Once over all files. */
export function lookAtFiles(opened: OpenFiles, { hasPackages, analysers, tools, onFiles }: LookOptions, changes = new LayerChanges()): Looked {
  const packages = new LayerPackages(tools);
  const sinks = analysers.map((analyser) => ({ analyser, sink: new AnalyserSink() }));
  let count = 0;
  for (const file of opened.files(changes)) {
    if (++count % FILES_BETWEEN_NEWS === 0) onFiles?.(count);
    if (hasPackages) packages.look(file);
    for (const { analyser, sink } of sinks) analyse(analyser, file, sink);
  }
  if (hasPackages) packages.finish();
  return { packages: packages.records, results: new Map(sinks.map(({ analyser, sink }) => [analyser.name, { findings: sink.findings, facts: sink.facts, isCut: sink.isCut }])), changes };
}

function analyse(analyser: Analyser, file: ScanFile, sink: AnalyserSink): void {
  if (!analyser.wants(file)) return;
  sink.path = file.path;
  analyser.analyse(file, sink);
}

const PACKAGES_PART = `packages-${READERS_VERSION}`;
const CHANGES_PART = 'changes-1';

function partOf({ name, version }: Analyser): string {
  return `${name}-${version}`;
}

/** What is kept is ours, but a disk may be full, and a version may have had a mistake. */
function keptAnalyser(value: unknown): AnalyserResult | undefined {
  if (!isObject(value) || !Array.isArray(value['findings']) || !Array.isArray(value['facts'])) return undefined;
  return value['findings'].every(isFileFinding) && value['facts'].every((fact) => stringOf(fact, 'path') !== undefined) ? (value as unknown as AnalyserResult) : undefined;
}

function isFileFinding(value: unknown): boolean {
  const finding = fieldOf(value, 'finding');
  const severity = fieldOf(finding, 'severity');
  return ['rule', 'message'].every((name) => stringOf(finding, name) !== undefined) && stringOf(value, 'path') !== undefined && (severity === undefined || SEVERITIES.some((one) => one === severity));
}

function isRecord(value: unknown): boolean {
  const packages = fieldOf(value, 'packages');
  return ['path', 'kind', 'reader'].every((name) => stringOf(value, name) !== undefined) && Array.isArray(packages) && packages.every((one) => ['type', 'name', 'version'].every((name) => stringOf(one, name) !== undefined));
}

/** A layer's results; only what is not kept is looked for. `open` is called when a byte of it is needed. */
export async function layerResult(hex: string, open: () => Promise<OpenFiles>, options: LookOptions, cache: ResultCache | undefined): Promise<LayerResult> {
  const analysers = new Map<string, AnalyserResult>();
  const missing = options.analysers.filter((analyser) => {
    const kept = keptAnalyser(cache?.read(hex, partOf(analyser)));
    if (kept !== undefined) analysers.set(analyser.name, kept);
    return kept === undefined;
  });
  const kept = options.hasPackages ? cache?.read(hex, PACKAGES_PART) : [];
  const packages = Array.isArray(kept) && kept.every(isRecord) ? (kept as readonly PackageRecord[]) : undefined;
  const changes = missing.length > 0 || packages === undefined ? undefined : fieldOf(cache?.read(hex, CHANGES_PART), 'changes');
  if (packages !== undefined && LayerChanges.isWhole(changes)) return { packages, analysers, changes: () => LayerChanges.parse(changes) };
  const files = await open();
  try {
    const looked = lookAtFiles(files, { ...options, hasPackages: packages === undefined, analysers: missing });
    for (const analyser of missing) {
      const result = looked.results.get(analyser.name);
      if (result === undefined) continue;
      analysers.set(analyser.name, result);
      cache?.write(hex, partOf(analyser), result);
    }
    if (packages === undefined) cache?.write(hex, PACKAGES_PART, looked.packages);
    cache?.write(hex, CHANGES_PART, { changes: looked.changes.text });
    return { packages: packages ?? looked.packages, analysers, changes: () => looked.changes };
  } finally {
    files.close();
  }
}
