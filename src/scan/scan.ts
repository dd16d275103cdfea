/** A scan: what there is to look at, what is found, and where each thing is from. */
import type { AdvisorySource, Vulnerability } from './advisories/match.ts';
import { matchPackages } from './advisories/match.ts';
import type { Advisory } from './advisories/types.ts';
import { excusedBy } from './advisories/vex.ts';
import type { VexStatement } from './advisories/vex.ts';
import type { Base } from './inheritance.ts';
import { originOf } from './inheritance.ts';
import { layerResult, lookAtFiles } from './layers/look.ts';
import type { OpenFiles } from './layers/open.ts';
import type { LayerResult, ResultCache } from './layers/results.ts';
import { LayerChanges } from './layers/changes.ts';
import { Visibility, mergeFacts, mergeFindings, mergePackages } from './merge.ts';
import type { MergedPackages } from './merge.ts';
import { askMirror } from './mirror/updates.ts';
import type { MirrorOptions, MirrorResult } from './mirror/updates.ts';
import type { ReaderTools } from './packages/types.ts';
import { shownPath } from './text.ts';
import type { ReadBill } from './sbom/types.ts';
import type { Analyser, ContentFinding, Origin, ScanConfig } from './types.ts';

export interface SubjectLayer {
  /** `sha256:...`; empty for what has none. */
  readonly diffId: string;
  /** Called once, and only when something of it is not kept. */
  open(): Promise<OpenFiles>;
}

/** What is looked at. */
export interface Subject {
  readonly target: string;
  readonly kind: 'image' | 'directory' | 'sbom';
  /** Of an image's configuration. */
  readonly id?: string;
  /** Of its configuration, manifest and index. */
  readonly digests?: readonly string[];
  /** The lowest first; one for a directory, none for a bill of materials. */
  readonly layers: readonly SubjectLayer[];
  readonly config?: ScanConfig;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly bill?: ReadBill;
}

export interface ScanOptions {
  readonly hasPackages: boolean;
  readonly hasVulnerabilities: boolean;
  readonly analysers: readonly Analyser[];
  readonly tools: ReaderTools;
  readonly cache?: ResultCache | undefined;
  readonly advisories?: AdvisorySource | undefined;
  /** Absent: no mirror is asked. */
  readonly mirror?: MirrorOptions | undefined;
  readonly vex?: readonly VexStatement[];
  readonly base?: Base | undefined;
  /** Also what is only needed for development. */
  readonly hasDevelopment?: boolean;
  /** What is being looked at, for who waits. */
  readonly note?: (text: string) => void;
}

/** A finding of an analyser, in the image as a whole. */
export interface PlacedFinding {
  readonly finding: ContentFinding;
  /** A byte string. */
  readonly path: string | undefined;
  readonly origin: Origin | undefined;
}

export interface Excused {
  readonly vulnerability: Vulnerability;
  readonly reason: string;
}

export interface ScanResult {
  readonly subject: Subject;
  readonly base: Base | undefined;
  readonly merged: MergedPackages;
  readonly vulnerabilities: readonly Vulnerability[];
  readonly excused: readonly Excused[];
  readonly placed: readonly PlacedFinding[];
  readonly mirror: MirrorResult | undefined;
  /** Of a package or file. */
  originOf(layer: number): Origin | undefined;
  /** Bounds that were met, and files that could not be read. */
  readonly problems: readonly string[];
}

async function lookAtLayers({ layers, target }: Subject, options: ScanOptions): Promise<readonly LayerResult[]> {
  const results: LayerResult[] = [];
  for (const [index, { diffId, open }] of layers.entries()) {
    const name = layers.length > 1 ? `${target}, layer ${index + 1} of ${layers.length}` : target;
    const onFiles = (files: number): void => options.note?.(`${name}: ${files} files`);
    if (diffId === '') {
      const opened = await open();
      try {
        const { packages, results: analysers } = lookAtFiles(opened, { ...options, onFiles });
        results.push({ packages, analysers, changes: () => new LayerChanges() });
      } finally {
        opened.close();
      }
    } else results.push(await layerResult(diffId.replace(/^sha256:/, ''), open, { ...options, onFiles }, options.cache));
  }
  return results;
}

/** The mirror's word beside that of the database. */
function joined(advisories: AdvisorySource | undefined, own: readonly Advisory[]): AdvisorySource {
  const byKey = new Map<string, Advisory[]>();
  for (const advisory of own) {
    const key = `${advisory.ecosystem}\0${advisory.package}`;
    byKey.set(key, [...(byKey.get(key) ?? []), advisory]);
  }
  return { find: (ecosystem, name) => [...(byKey.get(`${ecosystem}\0${name}`) ?? []), ...(advisories?.find(ecosystem, name) ?? [])] };
}

function judgeWhole(subject: Subject, layers: readonly LayerResult[], visibility: Visibility, { analysers }: ScanOptions, place: (layer: number, deletedIn?: number) => Origin | undefined): readonly PlacedFinding[] {
  const placed: PlacedFinding[] = [];
  for (const analyser of analysers) {
    for (const { path, finding, layer, deletedIn } of mergeFindings(layers, analyser.name, visibility)) placed.push({ finding, path, origin: place(layer, deletedIn) });
    analyser.end?.({
      target: subject.target, config: subject.config, layerCount: layers.length, facts: mergeFacts(layers, analyser.name, visibility),
      finding: ({ file, layer, ...finding }) => placed.push({ finding, path: file, origin: layer === undefined ? undefined : place(layer) }),
    });
  }
  return placed;
}

function billAsMerged({ distribution, packages }: ReadBill): MergedPackages {
  return { distribution, packages, sources: [], keyrings: [], problems: [] };
}

function problemsOf(layers: readonly LayerResult[], merged: MergedPackages, mirror: MirrorResult | undefined): readonly string[] {
  const cut = layers.flatMap(({ analysers }) => [...analysers]).filter(([, { isCut }]) => isCut).map(([name]) => `${name} stopped at a bound: there is more of the same`);
  return [...merged.problems.map(({ path, problem }) => `"${shownPath(path)}": ${problem}`), ...new Set(cut), ...(mirror?.problems ?? [])];
}

/** @throws ScanInputError, and what opening a layer throws */
export async function scan(subject: Subject, options: ScanOptions): Promise<ScanResult> {
  const layers = await lookAtLayers(subject, options);
  const visibility = new Visibility(layers);
  const merged = subject.bill === undefined ? mergePackages(layers, visibility) : billAsMerged(subject.bill);
  const diffIds = subject.layers.map(({ diffId }) => diffId);
  const place = (layer: number, deletedIn?: number): Origin | undefined => (subject.kind === 'image' ? originOf(layer, diffIds, subject.config, options.base, deletedIn) : undefined);
  const mirror = options.mirror === undefined ? undefined : await askMirror(merged, options.mirror);
  const wanted = merged.packages.filter(({ package: one }) => options.hasDevelopment === true || one.isDevelopment !== true);
  const all = options.hasVulnerabilities ? matchPackages(wanted, merged.distribution, joined(options.advisories, mirror?.advisories ?? [])) : [];
  const statements = options.vex ?? [];
  const excused = all.flatMap((vulnerability): readonly Excused[] => {
    const statement = statements.length === 0 ? undefined : excusedBy(statements, vulnerability, { target: subject.target, digests: subject.digests ?? [], distribution: merged.distribution });
    return statement === undefined ? [] : [{ vulnerability, reason: statement.reason }];
  });
  const taken = new Set(excused.map(({ vulnerability }) => vulnerability));
  return {
    subject, base: options.base, merged, excused, mirror, vulnerabilities: all.filter((one) => !taken.has(one)), placed: judgeWhole(subject, layers, visibility, options, place), originOf: (layer) => place(layer),
    problems: problemsOf(layers, merged, mirror),
  };
}
