/** CVSS vectors to scores (FIRST, CVSS 3.1 and 4.0 specifications), by `ae-cvss-calculator`, and scores to severities. */
import type { Severity } from '../../findings/index.ts';

/** Longer ones are no vectors: with every optional metric one has 250 characters. */
const MOST_VECTOR_CHARACTERS = 400;
const METRIC = /^[A-Z]{1,3}:[A-Za-z]{1,8}$/;

export type Scorer = (vector: string) => number | undefined;

/** The calculator, which is loaded when it is first needed. */
export async function loadScorer(): Promise<Scorer> {
  const { fromVector } = await import('ae-cvss-calculator');
  return (vector) => {
    if (vector.length > MOST_VECTOR_CHARACTERS || !/^CVSS:(?:3\.[01]|4\.0)\//.test(vector) || !vector.split('/').slice(1).every((part) => METRIC.test(part))) return undefined;
    try {
      const calculated = fromVector(vector);
      const score = calculated?.isBaseFullyDefined() === true ? calculated.calculateScores().overall : undefined;
      return score !== undefined && score >= 0 && score <= 10 ? score : undefined;
    } catch {
      return undefined;
    }
  };
}

/** "Qualitative severity rating scale". */
export function severityOfScore(score: number): Severity {
  if (score >= 9) return 'critical';
  if (score >= 7) return 'high';
  if (score >= 4) return 'medium';
  return score > 0 ? 'low' : 'info';
}

/** What feeds call severities; undefined: they do not say. */
export function severityOfWord(word: string | undefined): Severity | undefined {
  switch (word?.toLowerCase().replace(/\*+$/, '')) {
    case 'critical': case 'emergency': return 'critical';
    case 'high': case 'important': return 'high';
    case 'medium': case 'moderate': return 'medium';
    case 'low': case 'minor': return 'low';
    case 'unimportant': case 'negligible': case 'none': return 'info';
    default: return undefined;
  }
}
