/** What a distribution's mirror has newer than an image, and which vulnerabilities that mends. Nothing but the mirror is asked. */
import type { Advisory } from '../advisories/types.ts';
import { severityOfWord } from '../advisories/cvss.ts';
import { ScanInputError } from '../errors.ts';
import { MOST_DEB_BYTES } from '../limits.ts';
import type { FoundPackage, MergedPackages } from '../merge.ts';
import type { Distribution } from '../packages/types.ts';
import { parseJson } from '../text.ts';
import { COMPARE } from '../versions/index.ts';
import { changelogOf, readChangelog } from './changelog.ts';
import type { ChangelogEntry } from './changelog.ts';
import type { ListedPackage } from './lists.ts';
import { aptSources } from './sources.ts';
import { readSuite } from './suite.ts';
import type { Suite } from './suite.ts';
import type { MirrorTools } from './tools.ts';
import type { Trust } from './trust.ts';

/** A package of the image of which there is a newer version. */
export interface Update {
  readonly found: FoundPackage;
  readonly candidate: string;
  readonly suite: string;
  readonly isSecurity: boolean;
}

export interface MirrorResult {
  readonly updates: readonly Update[];
  readonly advisories: readonly Advisory[];
  /** Suites that were asked. */
  readonly suites: readonly string[];
  /** What could not be read or was taken without being sure of it, a sentence each. */
  readonly problems: readonly string[];
}

export interface MirrorOptions {
  readonly tools: MirrorTools;
  /** Other places for the beginnings of addresses. */
  readonly replaced: readonly (readonly [from: string, to: string])[];
  /** Keys that count instead of those that the image names; none: those of the image. */
  readonly keys?: readonly Uint8Array[];
  /** Suites count although nobody whom the image knows signed them. */
  readonly allowsUnsigned?: boolean;
  /** Suites count although they are older than they may be. */
  readonly allowsExpired?: boolean;
}

/** Packages that are tried for a source's list of changes: in some it is a link into another one. */
const MOST_TRIES = 3;
const AT_ONCE = 4;
const encoder = new TextEncoder();
/** The rule for an update of the security suite whose changes name no vulnerability. */
export const SECURITY_UPDATE = 'security-update';

interface Candidate {
  readonly listed: ListedPackage;
  readonly suite: Suite;
}

/** The newest that any suite has, as apt chooses where nothing is pinned. Equal versions: the security suite says where it is from. */
function candidates(suites: readonly Suite[], installed: ReadonlySet<string>): ReadonlyMap<string, Candidate> {
  const best = new Map<string, Candidate>();
  for (const suite of suites) {
    for (const listed of suite.packages) {
      if (!installed.has(listed.name)) continue;
      const before = best.get(listed.name);
      const order = before === undefined ? 1 : COMPARE.deb(listed.version, before.listed.version);
      if (order > 0 || (order === 0 && suite.isSecurity)) best.set(listed.name, { listed, suite });
    }
  }
  return best;
}

/** Entries of a source's list of changes, from the smallest package that has it. Undefined: none has. What is kept is of one package file, whoever had it: an image names its mirrors itself. */
async function changesOf(source: string, version: string, suites: readonly Suite[], tools: MirrorTools): Promise<readonly ChangelogEntry[] | undefined> {
  const own = suites.flatMap(({ packages }) => packages).filter((one) => one.sourceName === source && one.sourceVersion === version).sort((left, right) => left.size - right.size);
  for (const listed of own.slice(0, MOST_TRIES)) {
    const keptName = `changes-${tools.sha256(encoder.encode(`${listed.name} ${listed.sha256}`))}`;
    const kept = parseJson(tools.kept(keptName) ?? new Uint8Array());
    if (Array.isArray(kept)) return kept as readonly ChangelogEntry[];
    if (kept === null) continue;
    if (listed.size > MOST_DEB_BYTES) return undefined;
    tools.note(`changes of ${source} ${version}`);
    const deb = await tools.fetch(listed.url, MOST_DEB_BYTES);
    if (deb === undefined || tools.sha256(deb) !== listed.sha256) continue;
    const text = await changelogOf(deb, listed.name, tools);
    const entries = text === undefined ? null : readChangelog(text);
    tools.keep(keptName, encoder.encode(JSON.stringify(entries)));
    if (entries !== null) return entries;
  }
  return undefined;
}

/** What lies between what is installed and the candidate. */
function advisoriesOf(source: string, installed: string, { listed, suite }: Candidate, entries: readonly ChangelogEntry[], ecosystem: string): readonly Advisory[] {
  const between = entries.filter(({ version }) => COMPARE.deb(version, installed) > 0 && COMPARE.deb(version, listed.sourceVersion) <= 0);
  const fixes = new Map<string, Advisory>();
  // The oldest entry that names it is the one that mends it.
  for (const { version, urgency, fixes: named } of between) {
    const severity = severityOfWord(urgency);
    for (const { id, text } of named) {
      fixes.set(id, { id, ecosystem, package: source, status: 'fixed', intervals: [{ fixed: version }], title: text, source: 'mirror', ...(severity === undefined ? {} : { severity, severitySource: 'urgency' }) });
    }
  }
  if (fixes.size > 0 || !suite.isSecurity) return [...fixes.values()];
  return [{ id: SECURITY_UPDATE, ecosystem, package: source, status: 'fixed', intervals: [{ fixed: listed.sourceVersion }], title: `${source} has an update in ${suite.name}, whose changes name no vulnerability`, source: 'mirror' }];
}

async function inTurns<Item>(items: readonly Item[], body: (item: Item) => Promise<void>): Promise<void> {
  const pending = [...items];
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (let item = pending.shift(); item !== undefined; item = pending.shift()) await body(item);
  }));
}

/** An update, under the name that `dpkg` uses. */
function updatesOf(packages: readonly FoundPackage[], best: ReadonlyMap<string, Candidate>): readonly (Update & { readonly from: Candidate })[] {
  return packages.flatMap((found) => {
    const from = best.get(found.package.name);
    if (from === undefined || COMPARE.deb(from.listed.version, found.package.version) <= 0) return [];
    return [{ found, candidate: from.listed.version, suite: from.suite.name, isSecurity: from.suite.isSecurity, from }];
  });
}

function installedSource({ package: { sourceVersion, version } }: FoundPackage): string {
  return sourceVersion ?? version;
}

/** One update a source: that of the oldest package, as packages of one source may be of several versions. */
function oldestBySource<One extends Update & { readonly from: Candidate }>(updates: readonly One[]): ReadonlyMap<string, One> {
  const oldest = new Map<string, One>();
  for (const update of updates) {
    const key = `${update.from.listed.sourceName} ${update.from.listed.sourceVersion}`;
    const before = oldest.get(key);
    if (before === undefined || COMPARE.deb(installedSource(update.found), installedSource(before.found)) < 0) oldest.set(key, update);
  }
  return oldest;
}

/** Undefined for an image without packages of dpkg. @throws ScanInputError where the mirror does not answer */
export async function askMirror(merged: MergedPackages, { tools, replaced, ...trusted }: MirrorOptions): Promise<MirrorResult | undefined> {
  const packages = merged.packages.filter(({ package: { type } }) => type === 'deb');
  const { distribution } = merged;
  if (packages.length === 0 || distribution === undefined) return undefined;
  const sources = aptSources(merged.sources, distribution, replaced);
  if (sources.length === 0) throw new ScanInputError('it does not say where its packages come from, and for its distribution there is no place that is known', 'name advisories with "caisson db"');
  const architectures = [...new Set(packages.flatMap(({ package: { architecture } }) => (architecture === undefined || architecture === 'all' ? [] : [architecture])))].slice(0, 4);
  const trust: Trust = { keyrings: merged.keyrings, hostKeys: () => tools.hostKeys(distribution.id), ...trusted };
  const [suites, problems]: [Suite[], string[]] = [[], []];
  for (const source of sources) {
    const suite = await readSuite(source, { architectures, trust, tools, problems });
    if (suite !== undefined) suites.push(suite);
  }
  const updates = updatesOf(packages, candidates(suites, new Set(packages.map(({ package: { name } }) => name))));
  const bySource = oldestBySource(updates);
  const advisories: Advisory[] = [];
  const ecosystem = ecosystemOf(distribution);
  await inTurns([...bySource.values()], async ({ from, found }) => {
    const { sourceName, sourceVersion } = from.listed;
    const entries = await changesOf(sourceName, sourceVersion, suites, tools);
    if (entries === undefined) problems.push(`the changes of ${sourceName} ${sourceVersion} could not be read`);
    advisories.push(...advisoriesOf(found.package.sourceName ?? found.package.name, installedSource(found), from, entries ?? [], ecosystem));
  });
  return { updates: updates.map(({ found, candidate, suite, isSecurity }) => ({ found, candidate, suite, isSecurity })), advisories, suites: suites.map(({ name }) => name), problems };
}

function ecosystemOf({ id, version }: Distribution): string {
  return version === '' ? id : `${id}:${version}`;
}
