/**
 * A report as one file of HTML that can be sent: no script, nothing from elsewhere, and a Content-Security-Policy that forbids both,
 * should something slip through. All that others say is escaped.
 */
import { placeAsText, remedyOf, summaryOf } from './formats.ts';
import { bySeverity } from './severity.ts';
import type { Finding, IgnoredFinding, Report, Section } from './types.ts';

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\'': '&#39;', '`': '&#96;' };

/** For text and for attributes in quotes, of HTML and of SVG. Characters that are not seen, or turn the direction of text, become visible. */
export function escapeMarkup(text: string): string {
  return text.replace(/[^\S\n]/g, ' ').replace(/(?!\n)[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\ufffd').replace(/[&<>"'`]/g, (character) => ENTITIES[character] ?? '');
}

const STYLE = `:root{color-scheme:light dark;--line:#8884;--soft:#8882}body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.35rem .6rem;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
code,pre{font:13px/1.5 ui-monospace,monospace;background:var(--soft);border-radius:3px;padding:.1rem .3rem}pre{padding:.6rem;white-space:pre-wrap;margin:.3rem 0}.s{font-weight:600;white-space:nowrap}
.critical{color:#b00020}.high{color:#d1440c}.medium{color:#a06a00}.low{color:#2f6fb0}.info{color:#777}small,.soft{color:#777}svg{max-width:100%;height:auto}`;

function findingRow(report: Report, finding: Finding): string {
  const { severity, rule, subject, message, place, score, evidence = [] } = finding;
  const details = [...(score === undefined ? [] : [{ name: 'score', value: score.toFixed(2) }]), ...evidence];
  const remedy = remedyOf(report, finding);
  return `<tr><td class="s ${severity}">${severity}</td><td><code>${escapeMarkup(rule)}</code></td><td><code>${escapeMarkup(subject)}</code>${place === undefined ? '' : `<br><small>${escapeMarkup(placeAsText(place))}</small>`}</td>`
    + `<td>${escapeMarkup(message)}${place?.source === undefined ? '' : `<pre>${escapeMarkup(place.source)}</pre>`}${remedy === '' ? '' : `<br><span class="soft">${escapeMarkup(remedy)}</span>`}`
    + `${details.length === 0 ? '' : `<br><small>${details.map(({ name, value }) => `${escapeMarkup(name)}: ${escapeMarkup(value)}`).join(' · ')}</small>`}</td></tr>`;
}

function tableOf(header: readonly string[], rows: readonly string[]): string {
  return `<table><thead><tr>${header.map((name) => `<th>${escapeMarkup(name)}</th>`).join('')}</tr></thead><tbody>${rows.join('\n')}</tbody></table>`;
}

function cells(row: readonly string[]): string {
  return `<tr>${row.map((cell) => `<td>${escapeMarkup(cell)}</td>`).join('')}</tr>`;
}

function ignoredRow({ finding, reason, until }: IgnoredFinding): string {
  return cells([finding.rule, finding.subject, reason, until ?? '']);
}

function sectionBody(section: Section): string {
  if ('svg' in section) return section.svg;
  if ('text' in section) return `<pre>${escapeMarkup(section.text)}</pre>`;
  const [header = [], ...rows] = section.rows;
  return tableOf(header, rows.map(cells));
}

export function asHtml(report: Report): string {
  const { tool, version, target, findings, ignored, sections = [] } = report;
  const title = `caisson ${tool}: ${target}`;
  const parts = [`<h1>${escapeMarkup(title)}</h1><p>${escapeMarkup(summaryOf(report))}</p>`];
  if (findings.length > 0) parts.push(tableOf(['Severity', 'Rule', 'What', 'Finding'], bySeverity(findings).map((finding) => findingRow(report, finding))));
  for (const section of sections) parts.push(`<h2>${escapeMarkup(section.title)}</h2>${sectionBody(section)}`);
  if (ignored.length > 0) parts.push(`<h2>Ignored</h2>${tableOf(['Rule', 'Subject', 'Reason', 'Until'], ignored.map(ignoredRow))}`);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width"><title>${escapeMarkup(title)}</title><style>${STYLE}</style></head><body>
${parts.join('\n')}
<p><small>caisson ${escapeMarkup(version)}</small></p>
</body></html>
`;
}
