/** Judgements as a report in the forms that all tools have, and as text for a terminal. */
import type { Finding, Report, Rule, Section } from '../findings/index.ts';
import { formatTable, printableLine } from '../findings/printable.ts';
import { describeChange } from './change.ts';
import { groupPaths, openPaths } from './evaluate.ts';
import type { JudgedItem, JudgedPath, Judgement, PathGroup } from './evaluate.ts';
import { asSvg } from './graph.ts';
import type { Graph } from './graph.ts';
import { ITEMS } from './items.ts';
import type { Platform, Verdict } from './path.ts';
import { PATHS } from './paths.ts';
import { STANDARD_TITLES, controlsOf } from './standards.ts';

export interface ReportOptions {
  /** As it was named. */
  readonly file: string;
  readonly version: string;
  /** Line of each container, where there are lines. */
  readonly lines: readonly (number | undefined)[];
  /** Deviations on no path as well. */
  readonly withAll: boolean;
  /** Only paths and items that one of these standards names; undefined: all. */
  readonly isWanted?: (id: string) => boolean;
  readonly graphs: readonly Graph[];
}

const PLATFORM_NAMES: Readonly<Record<Platform, string>> = { docker: 'Docker', gvisor: 'gVisor', caisson: 'Caisson' };

export function pathRule(id: string): string {
  return `path-${id}`;
}

const RULES: readonly Rule[] = [
  ...PATHS.map(({ id, title, severity }): Rule => ({ id: pathRule(id), summary: title, remedy: 'change what its findings name', severity })),
  ...ITEMS.map(({ id, summary, remedy }): Rule => ({ id, summary, remedy, severity: 'info' })),
];

function verdictText(verdict: Verdict): string {
  return verdict.open ? `open (${verdict.severity}): ${verdict.why}` : `closed: ${verdict.why}`;
}

function cutText({ cut }: JudgedPath): string {
  return cut === undefined ? 'nothing in the configuration cuts it: update the host' : cut.map(describeChange).join(', and ');
}

function pathFinding({ lead: judged, also }: PathGroup, { configuration, platform }: Judgement, place: Finding['place']): Finding {
  const { path, state, conditions, severity } = judged;
  const items = [...new Set(conditions.flatMap((condition) => condition.items))];
  const unknown = conditions.filter((condition) => condition.state === 'unknown').map(({ text }) => text);
  return {
    rule: pathRule(path.id), severity, subject: configuration.name, message: `${path.title}: ${path.effect}${unknown.length === 0 ? '' : `, if ${unknown.join(' and ')}`}${also.length === 0 ? '' : `; ${also.length} more by the same`}`, remedy: cutText(judged), ...(place === undefined ? {} : { place }),
    evidence: conditions.map(({ text, state: met }) => ({ name: met, value: text })),
    data: {
      path: path.id, state, platform, steps: path.steps, effect: path.effect, source: path.source, items, controls: [...new Set(items.flatMap(controlsOf))], cut: (judged.cut ?? []).map(describeChange), also: also.map((other) => ({ path: other.path.id, title: other.path.title, severity: other.severity, state: other.state })),
      engines: { docker: `open (${path.severity})`, gvisor: verdictText(path.gvisor), caisson: verdictText(path.caisson) },
    },
  };
}

function itemFinding({ item, evidence, paths }: JudgedItem, { configuration }: Judgement, place: Finding['place']): Finding {
  const { docker, gvisor, caisson } = item.meaning;
  const controls = controlsOf(item.id);
  return {
    rule: item.id, severity: 'info', subject: configuration.name, message: `${item.summary} (${evidence.join('; ')})`, remedy: item.remedy, ...(place === undefined ? {} : { place }),
    data: { controls, paths, engines: { docker, gvisor, caisson: caisson.why }, appliesInCaisson: caisson.applies },
  };
}

/** What is found in one container: its paths, and all deviations if they are asked for. */
function findingsOf(judgement: Judgement, index: number, { file, lines, withAll, isWanted = () => true }: ReportOptions): readonly Finding[] {
  const line = lines[index];
  const place = { file, ...(line === undefined ? {} : { line }) };
  const paths = openPaths(judgement).filter(({ severity }) => withAll || severity !== 'info').filter(({ conditions, path }) => isWanted(pathRule(path.id)) || conditions.some(({ items }) => items.some(isWanted)));
  // Asked for all, each path is told by itself.
  const groups = withAll ? paths.map((lead) => ({ lead, also: [] })) : groupPaths(paths);
  return [...groups.map((group) => pathFinding(group, judgement, place)), ...(withAll ? judgement.items.filter(({ item }) => isWanted(item.id)).map((judged) => itemFinding(judged, judgement, place)) : [])];
}

function controlsSection(judgements: readonly Judgement[]): readonly Section[] {
  return judgements.slice(0, 50).map(({ configuration: { name }, controls }): Section => ({
    title: `Controls: ${name}`, rows: [['Standard', 'Control', 'Title', 'Result', 'Why'], ...controls.map(({ control: { standard, id, title }, result, why }) => [STANDARD_TITLES[standard], id, title, result, why])],
  }));
}

export function reportOf(judgements: readonly Judgement[], options: ReportOptions): Report {
  const findings = judgements.flatMap((judgement, index) => findingsOf(judgement, index, options));
  const used = new Set(findings.map(({ rule }) => rule));
  return {
    tool: 'audit', version: options.version, target: options.file, rules: RULES.filter(({ id }) => used.has(id)), findings, ignored: [], nothing: 'no path leads out',
    data: {
      containers: judgements.map(({ configuration: { name, kind, image }, platform, items, controls }) => ({
        name, kind, image, platform, deviations: items.map(({ item, evidence, paths }) => ({ id: item.id, evidence, paths, controls: controlsOf(item.id), engines: { docker: item.meaning.docker, gvisor: item.meaning.gvisor, caisson: item.meaning.caisson.why } })),
        controls: controls.map(({ control: { standard, id, title }, result, why }) => ({ standard, id, title, result, ...(why === '' ? {} : { why }) })),
      })),
    },
    sections: [...(options.graphs.some(({ nodes }) => nodes.length > 0) ? [{ title: 'Paths', svg: asSvg(options.graphs.filter(({ nodes }) => nodes.length > 0)) }] : []), ...controlsSection(judgements)],
  };
}

const MARKS = { met: 'is so', missing: 'is not', unknown: 'maybe' } as const;

function label(name: string, text: string): string {
  return `  ${name.padEnd(12)}${text}`;
}

function pathLines({ lead: { path, severity, conditions, ...rest }, also }: PathGroup, { platform }: Judgement, isBrief: boolean): readonly string[] {
  const judged = { path, severity, conditions, ...rest };
  const cut = label('to cut it', cutText(judged));
  const others = also.map((other, index) => label(index === 0 ? 'with it go' : '', `${other.severity}: ${other.path.title}`));
  if (isBrief) return [`${severity.toUpperCase()}  ${path.title}${also.length === 0 ? '' : `, and ${also.length} more`}`, cut, ''];
  // Of the engine that it is judged for, what is said is what there is of it.
  const engines = (['gvisor', 'caisson'] as const).map((name) => label(PLATFORM_NAMES[name], name === platform ? path[name].why : verdictText(path[name])));
  return [
    `${severity.toUpperCase()}  ${path.title}`, label('effect', path.effect), ...path.steps.map((step, index) => label(index === 0 ? 'steps' : '', `${index + 1}. ${step}`)),
    ...conditions.map(({ text, state }) => label(MARKS[state], text)), cut, ...others, ...engines, label('source', path.source), '',
  ];
}

function itemLines({ item: { id, summary, meaning: { docker, gvisor, caisson } }, evidence, paths }: JudgedItem): readonly string[] {
  const controls = controlsOf(id);
  const asked = [...(controls.length === 0 ? [] : [label('asked by', controls.join('; '))]), ...(paths.length === 0 ? [] : [label('opens', paths.join(', '))])];
  return [`${id}: ${summary} (${evidence.join('; ')})`, ...asked, label('Docker', docker), label('gVisor', gvisor), label('Caisson', caisson.why), ''];
}

/** `web: 5 paths lead out, cut by 2 changes; 8 deviations open none` */
function headOf({ configuration: { name }, platform, items }: Judgement, groups: readonly PathGroup[], withAll: boolean): string {
  const paths = groups.reduce((sum, { also }) => sum + 1 + also.length, 0);
  const found = paths === 0 ? 'no path leads out' : `${paths} ${paths === 1 ? 'path leads' : 'paths lead'} out${paths === groups.length ? '' : `, cut by ${groups.length} ${groups.length === 1 ? 'change' : 'changes'}`}`;
  const harmless = items.filter((item) => item.paths.length === 0).length;
  return `${name}: ${found}${platform === 'docker' ? '' : `, under ${PLATFORM_NAMES[platform]}`}; ${harmless} ${harmless === 1 ? 'deviation opens' : 'deviations open'} none${withAll || harmless === 0 ? '' : ' (--all lists them)'}`;
}

/** For a terminal: the worst path for each change in full, from the worst on. `findings`: those that are left once the ignore file was applied. */
export function asText(judgements: readonly Judgement[], findings: readonly Finding[], withAll: boolean, isBrief: boolean): string {
  const lines = judgements.flatMap((judgement) => {
    const mine = new Set(findings.filter(({ subject }) => subject === judgement.configuration.name).map(({ rule }) => rule));
    const paths = openPaths(judgement).filter(({ severity }) => withAll || severity !== 'info');
    const groups = (withAll ? paths.map((lead) => ({ lead, also: [] })) : groupPaths(paths)).filter(({ lead }) => mine.has(pathRule(lead.path.id)));
    return [headOf(judgement, groups, withAll), '', ...groups.flatMap((group) => pathLines(group, judgement, isBrief)), ...(withAll ? judgement.items.filter(({ item }) => mine.has(item.id)).flatMap(itemLines) : [])];
  });
  return `${lines.map(printableLine).join('\n').trimEnd()}\n`;
}

/** Every control of the standards, with its result. */
export function controlsAsText(judgements: readonly Judgement[], isWanted: (standard: string) => boolean): string {
  return judgements.map(({ configuration: { name }, controls }) => {
    const rows = controls.filter(({ control }) => isWanted(control.standard)).map(({ control: { standard, id, title }, result, why }) => [result.toUpperCase(), standard === 'cis' ? 'CIS' : standard, id, title, why]);
    return `${printableLine(name)}\n${formatTable([['RESULT', 'STANDARD', 'CONTROL', 'TITLE', 'WHY'], ...rows])}`;
  }).join('\n');
}
