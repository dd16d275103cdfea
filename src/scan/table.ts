/** A scan at a terminal: vulnerabilities as Trivy's users know them, and then the rest. */
import { formatTable } from '../findings/printable.ts';
import { bySeverity } from '../findings/index.ts';
import type { Finding, Report } from '../findings/index.ts';
import { originAsText } from './report.ts';
import { purlOf } from './purl.ts';
import type { ScanResult } from './scan.ts';
import type { Origin } from './types.ts';

const MOST_TITLE_CHARACTERS = 60;

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function cut(text: string): string {
  return text.length > MOST_TITLE_CHARACTERS ? `${text.slice(0, MOST_TITLE_CHARACTERS - 3)}...` : text;
}

function from({ data }: Finding): string {
  const origin = data?.['origin'] as Origin | undefined;
  return origin === undefined ? '' : originAsText(origin);
}

/** One row a package and vulnerability. A column that says nothing is left out. */
function columns(rows: readonly (readonly string[])[]): string {
  const [header = []] = rows;
  const used = header.map((_, index) => rows.slice(1).some((row) => row[index] !== ''));
  return formatTable(rows.map((row) => row.filter((_, index) => used[index])));
}

function countsAsText(findings: readonly Finding[]): string {
  const counts = new Map<string, number>();
  for (const { severity } of bySeverity(findings)) counts.set(severity, (counts.get(severity) ?? 0) + 1);
  return Array.from(counts, ([severity, count]) => `${count} ${severity}`).join(', ');
}

function plural(count: number, name: string): string {
  return `${count} ${name}${count === 1 ? '' : 's'}`;
}

function line(text: string): string {
  return formatTable([[text]]);
}

export function asScanTable(result: ScanResult, { findings, ignored, data = {} }: Report): string {
  const { subject, merged, base } = result;
  const vulnerabilities = findings.filter((finding) => finding.data?.['kind'] === 'vulnerability');
  const others = findings.filter((finding) => finding.data?.['kind'] !== 'vulnerability');
  const system = merged.distribution === undefined ? '' : ` (${merged.distribution.name ?? `${merged.distribution.id} ${merged.distribution.version}`})`;
  let text = line(`${subject.target}${system}: ${plural(merged.packages.length, 'package')}${subject.kind === 'image' ? ` in ${plural(subject.layers.length, 'layer')}` : ''}${base?.name === undefined ? '' : `, built on ${base.name}`}`);
  if (vulnerabilities.length > 0) {
    const rows = bySeverity(vulnerabilities).map((finding) => {
      const one = finding.data?.['package'] as { readonly name: string } | undefined;
      const exploited = finding.data?.['isExploited'] === true ? 'yes' : '';
      return [one?.name ?? '', textOf(finding.data?.['used']), finding.rule, finding.severity, textOf(finding.data?.['status']), textOf(finding.data?.['installed']), textOf(finding.data?.['fixed']), exploited, from(finding), cut(finding.message)];
    });
    text += `\n${columns([['PACKAGE', 'USED', 'VULNERABILITY', 'SEVERITY', 'STATUS', 'INSTALLED', 'FIXED', 'EXPLOITED', 'FROM', 'TITLE'], ...rows])}`;
  }
  if (others.length > 0) {
    const rows = bySeverity(others).map((finding) => [finding.severity, finding.rule, finding.place === undefined ? finding.subject : `${finding.place.file}${finding.place.line === undefined ? '' : `:${finding.place.line}`}`, from(finding), finding.message]);
    text += `\n${columns([['SEVERITY', 'RULE', 'PLACE', 'FROM', 'FINDING'], ...rows])}`;
  }
  const count = (list: readonly Finding[], name: string): string => (list.length === 0 ? '' : `${list.length} ${name}: ${countsAsText(list)}`);
  const sums = [count(vulnerabilities, vulnerabilities.length === 1 ? 'vulnerability' : 'vulnerabilities'), count(others, others.length === 1 ? 'other finding' : 'other findings'), ignored.length === 0 ? '' : `${ignored.length} ignored`].filter((part) => part !== '');
  text += `${findings.length === 0 ? '' : '\n'}${line(sums.length === 0 ? 'nothing found' : sums.join('; '))}`;
  for (const note of Array.isArray(data['notes']) ? (data['notes'] as readonly string[]) : []) text += line(note);
  return text;
}

/** All packages, one a line. */
export function asPackageTable({ merged, originOf }: ScanResult): string {
  const rows = merged.packages.map(({ package: one, layer, paths }) => {
    const origin = originOf(layer);
    return [one.type, one.name, one.version, one.architecture ?? '', origin === undefined ? '' : originAsText(origin), paths[0] ?? '', purlOf(one, merged.distribution)];
  });
  return columns([['TYPE', 'NAME', 'VERSION', 'ARCH', 'FROM', 'FILE', 'PURL'], ...rows.sort(([leftType = '', left = ''], [rightType = '', right = '']) => (`${leftType} ${left}` < `${rightType} ${right}` ? -1 : 1))]);
}
