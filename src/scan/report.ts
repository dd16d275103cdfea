/** What a scan found, as a report in any of the formats. */
import type { Evidence, Finding, IgnoredFinding, Report, Rule, Section, Severity } from '../findings/index.ts';
import type { Vulnerability } from './advisories/match.ts';
import { purlOf } from './purl.ts';
import { SECURITY_UPDATE } from './mirror/updates.ts';
import type { PlacedFinding, ScanResult } from './scan.ts';
import { shownPath } from './text.ts';
import type { Analyser, Origin } from './types.ts';

export interface ReportOptions {
  readonly version: string;
  readonly analysers: readonly Analyser[];
  /** Others are left out. */
  readonly severities: readonly Severity[];
  /** Without vulnerabilities that no update mends. */
  readonly ignoresUnfixed: boolean;
  /** With all packages, in JSON. */
  readonly hasPackages: boolean;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly sections?: readonly Section[];
}

/** `layer 3 (base debian:12)` */
export function originAsText({ layer, from, base }: Origin): string {
  return `layer ${layer + 1}${from === 'unknown' ? '' : from === 'own' ? ' (own)' : ` (base${base === undefined ? '' : ` ${base}`})`}`;
}

function originEvidence(origin: Origin | undefined): readonly Evidence[] {
  if (origin === undefined) return [];
  return [
    { name: 'from', value: originAsText(origin) }, ...(origin.createdBy === undefined ? [] : [{ name: 'instruction', value: origin.createdBy }]),
    ...(origin.deletedIn === undefined ? [] : [{ name: 'deleted', value: `in layer ${origin.deletedIn + 1}; it is still in layer ${origin.layer + 1}` }]),
  ];
}

export function vulnerabilityFinding({ found, id, aliases, severity, severitySource, status, fixed, advisory }: Vulnerability, result: ScanResult): Finding {
  const { package: one, paths, layer } = found;
  const origin = result.originOf(layer);
  const { title, score, vector, epss, isExploited, source } = advisory;
  const evidence: readonly Evidence[] = [
    { name: 'status', value: status }, ...originEvidence(origin), ...(score === undefined ? [] : [{ name: 'CVSS', value: `${score.toFixed(1)} ${vector ?? ''}`.trim() }]),
    ...(epss === undefined ? [] : [{ name: 'EPSS', value: `${(100 * epss).toFixed(1)} %` }]), ...(isExploited === true ? [{ name: 'KEV', value: 'it is exploited' }] : []),
  ];
  return {
    rule: id, severity, subject: `${one.name}@${one.version}`, message: title ?? `${id} affects it`, place: { file: shownPath(paths[0] ?? '') }, evidence,
    remedy: fixed === undefined ? `there is no version that mends it (${status})` : `update ${one.name} to ${fixed}`,
    data: {
      kind: 'vulnerability', package: { type: one.type, name: one.name, version: one.version, purl: purlOf(one, result.merged.distribution), paths: paths.map(shownPath) }, installed: one.version, status, severitySource, source, aliases,
      ...(fixed === undefined ? {} : { fixed }), ...(score === undefined ? {} : { cvss: { score, vector } }), ...(epss === undefined ? {} : { epss }), ...(isExploited === true ? { isExploited } : {}), ...(origin === undefined ? {} : { origin }),
    },
  };
}

function contentFinding({ finding, path, origin }: PlacedFinding, target: string, rules: ReadonlyMap<string, Rule>): Finding {
  const { rule, severity, message, subject, remedy, line, endLine, source, score, evidence = [], data } = finding;
  const file = path === undefined ? undefined : shownPath(path);
  return {
    rule, severity: severity ?? rules.get(rule)?.severity ?? 'medium', subject: subject ?? file ?? target, message, evidence: [...evidence, ...originEvidence(origin)], data: { kind: 'content', ...data, ...(origin === undefined ? {} : { origin }) },
    ...(remedy === undefined ? {} : { remedy }), ...(score === undefined ? {} : { score }),
    ...(file === undefined ? {} : { place: { file, ...(line === undefined ? {} : { line }), ...(endLine === undefined ? {} : { endLine }), ...(source === undefined ? {} : { source }) } }),
  };
}

/** Each vulnerability is a rule, so that ignore files and code scanners name it. */
function rulesOf(vulnerabilities: readonly Vulnerability[]): readonly Rule[] {
  return [...new Map(vulnerabilities.map(({ id, severity, advisory: { title, url } }) => [id, {
    id, severity, summary: id === SECURITY_UPDATE ? 'the security suite of the distribution has a newer version' : (title ?? id), remedy: 'update the package',
    ...(url !== undefined ? { url } : id.startsWith('CVE-') ? { url: `https://www.cve.org/CVERecord?id=${id}` } : {}),
  }] as const)).values()];
}

function layersSection(result: ScanResult, findings: readonly Finding[]): readonly Section[] {
  const { subject, merged } = result;
  if (subject.kind !== 'image') return [];
  const layerOf = ({ data }: Finding): number | undefined => (data?.['origin'] as Origin | undefined)?.layer;
  const rows = subject.layers.map(({ diffId }, index) => {
    const origin = result.originOf(index);
    return [`${index + 1}`, diffId.slice(7, 19), origin?.from ?? '', origin?.createdBy ?? '', `${merged.packages.filter(({ layer }) => layer === index).length}`, `${findings.filter((finding) => layerOf(finding) === index).length}`];
  });
  return [{ title: 'Layers', rows: [['Layer', 'Digest', 'From', 'Instruction', 'Packages', 'Findings'], ...rows] }];
}

/** How much of it each side brought. */
export function countByOrigin(findings: readonly Finding[]): Readonly<Record<Origin['from'], number>> {
  const counts = { base: 0, own: 0, unknown: 0 };
  for (const { data } of findings) counts[(data?.['origin'] as Origin | undefined)?.from ?? 'unknown']++;
  return counts;
}

export function reportOf(result: ScanResult, { version, analysers, severities, ignoresUnfixed, hasPackages, data = {}, sections = [] }: ReportOptions): Report {
  const { subject, merged, vulnerabilities, excused, placed, mirror, base } = result;
  const contentRules = new Map(analysers.flatMap(({ rules }) => rules).map((rule) => [rule.id, rule]));
  const found = [...vulnerabilities.map((one) => vulnerabilityFinding(one, result)), ...placed.map((one) => contentFinding(one, subject.target, contentRules))];
  const findings = found.filter((finding) => severities.includes(finding.severity) && !(ignoresUnfixed && finding.data?.['kind'] === 'vulnerability' && finding.data['fixed'] === undefined));
  const ignored = excused.map(({ vulnerability, reason }): IgnoredFinding => ({ finding: vulnerabilityFinding(vulnerability, result), reason: `VEX: ${reason}`, until: undefined }));
  const used = new Set(findings.map(({ rule }) => rule));
  return {
    tool: 'scan', version, target: subject.target, findings, ignored, sections: [...sections, ...layersSection(result, findings)],
    rules: [...rulesOf([...vulnerabilities, ...excused.map(({ vulnerability }) => vulnerability)]), ...contentRules.values()].filter(({ id }) => used.has(id) || contentRules.has(id) || ignored.some(({ finding }) => finding.rule === id)),
    data: {
      kind: subject.kind, ...(subject.id === undefined ? {} : { id: subject.id }), ...(merged.distribution === undefined ? {} : { distribution: merged.distribution }), packageCount: merged.packages.length,
      layers: subject.layers.map(({ diffId }, index) => ({ diffId, ...result.originOf(index) })), ...(base === undefined ? {} : { base }), origins: countByOrigin(findings),
      ...(mirror === undefined ? {} : { updates: mirror.updates.map(({ found: { package: { name, version: installed } }, candidate, suite, isSecurity }) => ({ name, installed, candidate, suite, isSecurity })), suites: mirror.suites }),
      ...(hasPackages ? { packages: merged.packages.map(({ package: one, paths, layer, reader }) => ({ ...one, purl: purlOf(one, merged.distribution), paths: paths.map(shownPath), layer, reader })) } : {}),
      ...(result.problems.length === 0 ? {} : { problems: result.problems }), ...data,
    },
  };
}

