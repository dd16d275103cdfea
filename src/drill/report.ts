/** What a drill came to, as text and as findings. */
import { formatTable } from '../findings/printable.ts';
import type { Finding, Report, Rule } from '../findings/index.ts';
import { KINDS } from './types.ts';
import type { Outcome, Technique } from './types.ts';
import { attemptAsText, seenAsText } from './verdict.ts';

/** A technique, and what came of it; where it was asked for, also on its twin, or under another engine. */
export interface Result {
  readonly technique: Technique;
  readonly outcome?: Outcome;
  readonly twin?: Outcome;
  /** Undefined: not tried there, because it could do harm. */
  readonly other?: Outcome;
}

export interface DrillReport {
  readonly version: string;
  /** What was drilled: `debian:12`, or `an empty root directory`. */
  readonly target: string;
  readonly results: readonly Result[];
  /** The other engine: `runc`. */
  readonly other?: string;
  readonly withTwins: boolean;
}

const MOST_SEEN = 160;

function shorten(text: string): string {
  return text.length <= MOST_SEEN ? text : `${text.slice(0, MOST_SEEN - 3)}...`;
}

function sightingsAsText({ sightings }: Outcome): string {
  return [...new Set(sightings.map(({ what }) => what))].join('; ');
}

function verdictOf(outcome: Outcome | undefined): string {
  return outcome?.verdict ?? '-';
}

function rowOf({ technique, outcome, twin, other }: Result, { withTwins, other: engine }: DrillReport): readonly string[] {
  const evidence = outcome?.verdict === 'out' ? sightingsAsText(outcome) : outcome === undefined ? '' : seenAsText(outcome);
  return [technique.kind, technique.name, verdictOf(outcome), ...(engine === undefined ? [] : [verdictOf(other)]), ...(withTwins ? [verdictOf(twin)] : []), shorten(evidence)];
}

export function isProven({ outcome, twin }: Result): boolean {
  return outcome?.verdict !== 'unfinished' && (twin === undefined || twin.verdict === 'out' || twin.verdict === 'measured');
}

/** `63 techniques: 0 out, 63 held` */
export function drillSummary({ results, withTwins, other }: DrillReport): string {
  const count = (verdict: string, of: (result: Result) => Outcome | undefined): number => results.filter((result) => of(result)?.verdict === verdict).length;
  const ours = ['out', 'held', 'measured', 'unfinished'].map((verdict) => ({ verdict, number: count(verdict, ({ outcome }) => outcome) })).filter(({ verdict, number }) => number > 0 || verdict === 'out');
  const parts = [`${results.length} ${results.length === 1 ? 'technique' : 'techniques'}: ${ours.map(({ verdict, number }) => `${number} ${verdict}`).join(', ')}`];
  if (withTwins) parts.push(`${count('out', ({ twin }) => twin)} of ${results.filter(({ twin }) => twin !== undefined && twin.verdict !== 'measured').length} get out where the defence is missing`);
  if (other !== undefined) parts.push(`under ${other}, of ${results.filter((result) => result.other !== undefined).length} tried: ${count('out', (result) => result.other)} out`);
  return parts.join('; ');
}

export function drillTable(report: DrillReport): string {
  const header = ['KIND', 'TECHNIQUE', report.other === undefined ? 'VERDICT' : 'CAISSON', ...(report.other === undefined ? [] : [report.other.toUpperCase()]), ...(report.withTwins ? ['TWIN'] : []), 'WHAT THE GUEST SAW'];
  return `${formatTable([header, ...report.results.map((result) => rowOf(result, report))])}\n${drillSummary(report)}\n`;
}

export function listTable(techniques: readonly Technique[]): string {
  return formatTable([['KIND', 'TECHNIQUE', 'SOURCE', 'TITLE', 'TWIN'], ...techniques.map(({ kind, name, source, title, twin }) => [kind, name, source, title, twin.what])]);
}

/** A technique as plain data. */
export function techniqueAsData({ name, kind, title, source, needs, path, isHarmless, twin }: Technique): Readonly<Record<string, unknown>> {
  return { name, kind, area: KINDS[kind], title, source, needs, ...(path === undefined ? {} : { path }), isHarmless, twin: twin.what };
}

function outcomeAsData(outcome: Outcome): Readonly<Record<string, unknown>> {
  const { verdict, report, sightings, ending } = outcome;
  return { verdict, saw: report.attempts.map(attemptAsText), measured: report.measured.map(({ what, value }) => ({ what, value: Number(value) })), sightings, ...(ending === undefined ? {} : { ending }) };
}

function resultAsData({ technique, outcome, twin, other }: Result): Readonly<Record<string, unknown>> {
  return { ...techniqueAsData(technique), ...(outcome === undefined ? {} : outcomeAsData(outcome)), ...(twin === undefined ? {} : { onTwin: outcomeAsData(twin) }), ...(other === undefined ? {} : { underOther: outcomeAsData(other) }) };
}

function findingOf({ technique, outcome }: Result, target: string): readonly Finding[] {
  if (outcome?.verdict !== 'out') return [];
  return [{ rule: technique.name, severity: 'critical', subject: target, message: `${technique.title}: ${sightingsAsText(outcome)}`, evidence: outcome.sightings.map(({ canary, what }) => ({ name: canary, value: what })) }];
}

function ruleOf({ name, title, source }: Technique): Rule {
  return { id: name, summary: `${title} (${source}).`, remedy: 'report it with the output of --format json', severity: 'critical' };
}

/** As the other commands that judge report: what got out is a finding. */
export function asFindings(report: DrillReport): Report {
  const { version, target, results, other, withTwins } = report;
  return {
    tool: 'drill', version, target, rules: results.map(({ technique }) => ruleOf(technique)), findings: results.flatMap((result) => findingOf(result, target)), ignored: [], nothing: `nothing got out; ${drillSummary(report)}`,
    data: { techniques: results.map(resultAsData), ...(other === undefined ? {} : { other }) },
    sections: [{ title: 'Techniques', rows: [['Kind', 'Technique', 'Verdict', ...(other === undefined ? [] : [`Under ${other}`]), ...(withTwins ? ['Where the defence is missing'] : []), 'What the guest saw'], ...results.map((result) => rowOf(result, report))] }],
  };
}
