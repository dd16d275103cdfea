/** Reports for a terminal, for programs and for pages of text. Each answers the whole, with a line break at its end. */
import { formatTable, printableJson } from './printable.ts';
import { bySeverity, countBySeverity, countsAsText } from './severity.ts';
import type { Finding, IgnoredFinding, Place, Report } from './types.ts';

/** `Dockerfile:3`, or the subject of what has no place. */
export function placeAsText({ file, line }: Place): string {
  return line === undefined ? file : `${file}:${line}`;
}

export function remedyOf({ rules }: Report, { rule, remedy }: Finding): string {
  return remedy ?? rules.find(({ id }) => id === rule)?.remedy ?? '';
}

/** `3 findings: 2 high, 1 low; 1 ignored` */
export function summaryOf({ findings, ignored, nothing = 'no findings' }: Report): string {
  const found = findings.length === 0 ? nothing : `${findings.length} ${findings.length === 1 ? 'finding' : 'findings'}: ${countsAsText(findings)}`;
  return ignored.length === 0 ? found : `${found}; ${ignored.length} ignored`;
}

/** A row for each finding, the worst first, and what it comes to. */
export function asTable(report: Report): string {
  const { findings } = report;
  const hasPlaces = findings.some(({ place }) => place !== undefined);
  const hasScores = findings.some(({ score }) => score !== undefined);
  const header = ['SEVERITY', ...(hasScores ? ['SCORE'] : []), 'RULE', ...(hasPlaces ? ['PLACE'] : []), 'SUBJECT', 'MESSAGE'];
  const rows = bySeverity(findings).map(({ severity, score, rule, place, subject, message }) => [severity, ...(hasScores ? [score?.toFixed(2) ?? ''] : []), rule, ...(hasPlaces ? [place === undefined ? '' : placeAsText(place)] : []), subject, message]);
  return `${rows.length === 0 ? '' : formatTable([header, ...rows])}${formatTable([[summaryOf(report)]])}`;
}

function plainFinding(report: Report, finding: Finding): object {
  const { data, ...rest } = finding;
  return { ...rest, remedy: remedyOf(report, finding), ...data };
}

function plainIgnored(report: Report, { finding, reason, until }: IgnoredFinding): object {
  return { ...plainFinding(report, finding), ignored: { reason, ...(until === undefined ? {} : { until }) } };
}

export function asJson(report: Report): string {
  const { tool, version, target, findings, ignored, data } = report;
  const document = { tool: `caisson ${tool}`, version, target, summary: countBySeverity(findings), findings: bySeverity(findings).map((finding) => plainFinding(report, finding)), ignored: ignored.map((entry) => plainIgnored(report, entry)), ...data };
  return printableJson(document);
}

/** GitHub's Markdown: what others say is text, whatever is in it. */
export function escapeMarkdown(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, ' ').replace(/[\\`*_[\]<>|~#&!]/g, (character) => (character === '<' ? '&lt;' : character === '>' ? '&gt;' : character === '&' ? '&amp;' : `\\${character}`));
}

function markdownTable(rows: readonly (readonly string[])[]): string {
  const [header = [], ...body] = rows.map((row) => `| ${row.map(escapeMarkdown).join(' | ')} |`);
  return [header, `|${' --- |'.repeat(rows[0]?.length ?? 0)}`, ...body].join('\n');
}

export function asMarkdown(report: Report): string {
  const { tool, target, findings, ignored } = report;
  const parts = [`## caisson ${escapeMarkdown(`${tool}: ${target}`)}`, escapeMarkdown(summaryOf(report))];
  if (findings.length > 0) {
    const rows = bySeverity(findings).map((finding) => [finding.severity, finding.rule, finding.place === undefined ? '' : placeAsText(finding.place), finding.subject, finding.message, remedyOf(report, finding)]);
    parts.push(markdownTable([['Severity', 'Rule', 'Place', 'Subject', 'Finding', 'What to do'], ...rows]));
  }
  if (ignored.length > 0) {
    const rows = ignored.map(({ finding, reason, until }) => [finding.rule, finding.subject, reason, until ?? '']);
    parts.push('### Ignored', markdownTable([['Rule', 'Subject', 'Reason', 'Until'], ...rows]));
  }
  return `${parts.join('\n\n')}\n`;
}
