/** `build --check`: the findings as text, JSON or SARIF 2.1.0. */
import { CHECK_NAMES, CHECK_RULES, checkDockerfile, ruleUrl } from '../../build/index.ts';
import type { CheckOptions, Dockerfile, Finding } from '../../build/index.ts';
import { asSarif } from '../../findings/index.ts';
import { printableLine } from '../../findings/printable.ts';
import { toText } from '../bytes.ts';
import { version } from '../version.ts';

export type CheckFormat = 'text' | 'json' | 'sarif';

function sourceOf({ lines }: Dockerfile, { start, end }: Finding['lines']): string {
  return lines.slice(start - 1, end).map(toText).join('\n');
}

function asText(dockerfile: Dockerfile, findings: readonly Finding[]): string {
  if (findings.length === 0) return `Check complete, no warnings found.\n`;
  const shown = findings.map(({ rule, message, lines }) => {
    const { description, remedy } = CHECK_RULES[rule];
    const source = sourceOf(dockerfile, lines).split('\n').map((line, index) => `${String(lines.start + index).padStart(4)} | >>> ${printableLine(line)}`).join('\n');
    return `WARNING: ${rule} - ${ruleUrl(rule)}\n${description}\n${printableLine(message)}\n${printableLine(toText(dockerfile.name))}:${lines.start}\n--------------------\n${source}\n--------------------\nRemedy: ${remedy}\n`;
  });
  return `Check complete, ${findings.length} ${findings.length === 1 ? 'warning has' : 'warnings have'} been found!\n\n${shown.join('\n')}`;
}

function asJson(dockerfile: Dockerfile, findings: readonly Finding[]): string {
  return `${JSON.stringify({
    file: toText(dockerfile.name),
    warnings: findings.map(({ rule, message, lines }) => ({ rule, message, description: CHECK_RULES[rule].description, remedy: CHECK_RULES[rule].remedy, url: ruleUrl(rule), line: lines.start, endLine: lines.end, source: sourceOf(dockerfile, lines) })),
  }, undefined, 2)}\n`;
}

function sarifReport(dockerfile: Dockerfile, findings: readonly Finding[]): string {
  const file = toText(dockerfile.name);
  return asSarif({
    tool: 'build --check', version, target: file, isSecurity: false, ignored: [],
    rules: CHECK_NAMES.map((id) => ({ id, summary: CHECK_RULES[id].description, remedy: CHECK_RULES[id].remedy, severity: 'medium', url: ruleUrl(id) })),
    findings: findings.map(({ rule, message, lines }) => ({ rule, severity: 'medium', subject: file, message, place: { file, line: lines.start, endLine: lines.end, source: sourceOf(dockerfile, lines) } })),
  });
}

const FORMATS: Readonly<Record<CheckFormat, (dockerfile: Dockerfile, findings: readonly Finding[]) => string>> = { text: asText, json: asJson, sarif: sarifReport };

/** Prints what was found; the exit status is 1 if that is anything. */
export function printChecks(dockerfile: Dockerfile, options: CheckOptions, format: CheckFormat): number {
  const findings = checkDockerfile(dockerfile, options);
  process.stdout.write(FORMATS[format](dockerfile, findings));
  return findings.length === 0 ? 0 : 1;
}
