/** Which packages a container really used: what "caisson run --record-use" wrote, held against what a scan found. */
import type { Finding, Report } from '../findings/index.ts';
import { ScanInputError } from './errors.ts';
import type { FoundPackage } from './merge.ts';
import type { Package } from './packages/types.ts';

/** From the least to the most; `unknown` where nothing says which files are the package's. */
export type Used = 'unknown' | 'untouched' | 'opened' | 'mapped' | 'executed';
const USES: readonly string[] = ['untouched', 'opened', 'mapped', 'executed'];

interface UsedPackage {
  readonly type?: unknown;
  readonly name?: unknown;
  readonly architecture?: unknown;
  readonly used?: unknown;
}

function keyOf(type: unknown, name: unknown, architecture: unknown): string {
  return `${String(type)} ${String(name)} ${typeof architecture === 'string' ? architecture : ''}`;
}

export class UsedFiles {
  readonly #packages = new Map<string, Used>();
  readonly #files = new Map<string, Used>();
  /** The most that any file below a directory was used, packages within it apart: to an index of `USES`. */
  readonly #directories = new Map<string, number>();

  /** @throws ScanInputError */
  constructor(text: string) {
    let value: { readonly caisson?: unknown; readonly version?: unknown; readonly files?: unknown; readonly packages?: unknown } | null;
    try {
      value = JSON.parse(text) as typeof value;
    } catch {
      value = null;
    }
    if (value?.caisson !== 'use' || value.version !== 1 || typeof value.files !== 'object' || value.files === null || !Array.isArray(value.packages)) throw new ScanInputError('it is not what "caisson run --record-use" has written', 'was the run still going?');
    for (const [path, used] of Object.entries(value.files)) if (USES.includes(String(used))) this.#addFile(path, used as Used);
    for (const one of value.packages as readonly (UsedPackage | null)[]) if (one !== null && USES.includes(String(one.used))) this.#add(one, one.used as Used);
  }

  #addFile(path: string, used: Used): void {
    this.#files.set(path, used);
    const level = USES.indexOf(used);
    const top = path.lastIndexOf('/node_modules/');
    if (top < 0) return;
    const end = top + '/node_modules/'.length;
    for (let slash = path.indexOf('/', end); slash >= 0; slash = path.indexOf('/', slash + 1)) {
      const directory = path.slice(0, slash + 1);
      this.#directories.set(directory, Math.max(level, this.#directories.get(directory) ?? 0));
    }
  }

  /** Also of all architectures together, for who does not say which. */
  #add({ type, name, architecture }: UsedPackage, used: Used): void {
    for (const key of [keyOf(type, name, architecture), keyOf(type, name, undefined)]) {
      const before = this.#packages.get(key);
      if (before === undefined || USES.indexOf(before) < USES.indexOf(used)) this.#packages.set(key, used);
    }
  }

  /** `paths`: as the scan tells them, with or without a slash in front. */
  of({ type, name, architecture }: Pick<Package, 'type' | 'name' | 'architecture'>, paths: readonly string[]): Used {
    const known = this.#packages.get(keyOf(type, name, architecture)) ?? this.#packages.get(keyOf(type, name, undefined));
    if (known !== undefined) return known;
    if (type === 'deb' || type === 'apk' || type === 'rpm') return 'unknown';
    const marks = paths.map((path) => this.#ofPath(type, `/${path.replace(/^\.?\//, '')}`));
    return (USES.findLast((use) => marks.some((mark) => mark === use)) as Used | undefined) ?? 'unknown';
  }

  #ofPath(type: string, path: string): Used {
    // The directory of `node_modules/NAME/package.json` is all of the package.
    if (type !== 'npm') return this.#files.get(path) ?? 'unknown';
    if (!path.includes('/node_modules/')) return 'unknown';
    return USES[this.#directories.get(path.slice(0, path.lastIndexOf('/') + 1)) ?? 0] as Used;
  }
}

function withUse(finding: Finding, used: UsedFiles): Finding {
  const one = finding.data?.['package'] as (Pick<Package, 'type' | 'name' | 'architecture'> & { readonly paths?: readonly string[] }) | undefined;
  if (finding.data?.['kind'] !== 'vulnerability' || one === undefined) return finding;
  const mark = used.of(one, one.paths ?? []);
  return { ...finding, evidence: [...(finding.evidence ?? []), { name: 'used', value: mark }], data: { ...finding.data, used: mark } };
}

/** Says of each vulnerability, and of each package that is listed, how far the package was used. */
export function markUsed(report: Report, packages: readonly FoundPackage[], used: UsedFiles): Report {
  const counts = new Map<Used, number>();
  for (const { package: one, paths } of packages) {
    const mark = used.of(one, paths);
    counts.set(mark, (counts.get(mark) ?? 0) + 1);
  }
  const note = `packages that were ${[...counts].map(([mark, count]) => `${mark}: ${count}`).join(', ')}`;
  const notes = Array.isArray(report.data?.['notes']) ? (report.data['notes'] as readonly string[]) : [];
  const listed = report.data?.['packages'] as readonly (Package & { readonly paths: readonly string[] })[] | undefined;
  return {
    ...report, findings: report.findings.map((finding) => withUse(finding, used)),
    data: { ...report.data, notes: [...notes, note], used: Object.fromEntries(counts), ...(listed === undefined ? {} : { packages: listed.map((one) => ({ ...one, used: used.of(one, one.paths) })) }) },
  };
}
