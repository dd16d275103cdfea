/** Severities in their order, and how many findings have each. */
import { SEVERITIES } from './types.ts';
import type { Finding, Severity } from './types.ts';

/** 0 for `info`, 4 for `critical`. */
export function rankOf(severity: Severity): number {
  return SEVERITIES.indexOf(severity);
}

export function isAtLeast(severity: Severity, least: Severity): boolean {
  return rankOf(severity) >= rankOf(least);
}

/** The worst first; otherwise in the order that they came in. */
export function bySeverity(findings: readonly Finding[]): readonly Finding[] {
  return [...findings].sort((left, right) => rankOf(right.severity) - rankOf(left.severity));
}

export function countBySeverity(findings: readonly Finding[]): Readonly<Record<Severity, number>> {
  const counts = { info: 0, low: 0, medium: 0, high: 0, critical: 0 };
  for (const { severity } of findings) counts[severity]++;
  return counts;
}

/** `2 high, 1 low`; empty if there are none. */
export function countsAsText(findings: readonly Finding[]): string {
  const counts = countBySeverity(findings);
  return [...SEVERITIES].reverse().filter((severity) => counts[severity] > 0).map((severity) => `${counts[severity]} ${severity}`).join(', ');
}
