/** `audit`: reads configurations of containers, tells the ways out, and writes them again without. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { AuditInputError, CONTROLS, ITEMS, KINDS, MENDABLE_ITEMS, MOST_INPUT_BYTES, NO_FACTS, PATHS, asDot, asSvg, asText, commandText, controlsAsText, cutPaths, describeChange, graphOf, judge, mendItems, openPaths, readInput, reportOf, withChanges, withFact, withFactsOf } from '../../audit/index.ts';
import type { AuditInput, Change, HostFacts, Judgement, Platform } from '../../audit/index.ts';
import type { ImageStore } from '../../image/index.ts';
import { SEVERITIES, isAtLeast } from '../../findings/index.ts';
import type { Report, Severity } from '../../findings/index.ts';
import { AUDIT } from './audit-specs.ts';
import { readCommand } from '../command.ts';
import { containerInspection } from '../containers/container-inspect.ts';
import { withContainers } from '../containers/container-store.ts';
import { UserError, printable } from '../errors.ts';
import { FindingOptions, withErrorStatus } from '../finding-flags.ts';
import type { FlagValues } from '../flags.ts';
import { nearest } from '../flags.ts';
import { oneOf } from '../option-values.ts';
import { version } from '../version.ts';

const ENGINES: ReadonlySet<string> = new Set(['docker', 'podman', 'nerdctl', 'caisson', 'sudo']);
const VERBS: ReadonlySet<string> = new Set(['run', 'create', 'exec', 'container']);
const STANDARDS = ['cis', 'baseline', 'restricted'] as const;

interface Source {
  /** As it was named. */
  readonly file: string;
  readonly text: string;
}

/** `docker run`, `docker --context x run`, `sudo docker run`: flags of the engine, and a value behind them, may stand between. */
function isCommand(args: readonly string[], index: number): boolean {
  const word = args[index] ?? '';
  if (!ENGINES.has(word)) return false;
  let next = index + 1;
  while (args[next]?.startsWith('-') === true) next++;
  if (word === 'sudo') return isCommand(args, next) || isCommand(args, next + 1);
  return VERBS.has(args[next] ?? '') || (next > index + 1 && VERBS.has(args[next + 1] ?? ''));
}

/** Where the words of a command line begin, whose flags are not ours. */
function commandStart(args: readonly string[]): number {
  const index = args.findIndex((_, position) => isCommand(args, position));
  return index < 0 ? args.length : index;
}

function readText(file: string): string {
  const size = file === '-' ? 0 : statSync(file).size;
  if (size > MOST_INPUT_BYTES) throw new UserError(`cannot audit "${file}": it is longer than ${MOST_INPUT_BYTES >> 20} MiB`, 'give it in parts');
  const bytes = readFileSync(file === '-' ? 0 : file);
  if (bytes.length > MOST_INPUT_BYTES) throw new UserError(`cannot audit "${file}": it is longer than ${MOST_INPUT_BYTES >> 20} MiB`, 'give it in parts');
  return bytes.toString('utf8').replace(/^\ufeff/, '');
}

/** An image of the store, with its history. Undefined: there is none of that name. */
function ownImage(store: ImageStore, name: string): string | undefined {
  try {
    const { config: { document } } = store.find(name);
    return `${JSON.stringify([{ RepoTags: [name], RootFS: {}, Config: document['config'] ?? {}, History: document['history'] ?? [] }], undefined, 2)}\n`;
  } catch {
    return undefined;
  }
}

/** A container of ours as its inspection, or else an image. Undefined: there is neither of that name. */
async function ownContainer(name: string): Promise<string | undefined> {
  return withContainers(`audit "${name}"`, (containers, store) => {
    try {
      const container = containers.find(name);
      return container.record === undefined ? undefined : `${JSON.stringify([containerInspection(containers, { ...container, record: container.record })], undefined, 2)}\n`;
    } catch {
      return ownImage(store, name);
    }
  });
}

async function readSource(word: string): Promise<Source> {
  try {
    return { file: word, text: readText(word) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof UserError) throw error;
    if (code !== 'ENOENT') throw new UserError(`cannot read "${word}": ${code === 'EISDIR' ? 'it is a directory' : (error as Error).message}`, 'give a file', undefined, { cause: error });
  }
  const text = await ownContainer(word);
  if (text === undefined) throw new UserError(`cannot audit "${word}": there is no such file, container or image`, 'check the path, or see "caisson ps -a" and "caisson images"');
  return { file: word, text };
}

function understand<Result>({ file }: { readonly file: string }, body: () => Result): Result {
  try {
    return body();
  } catch (error) {
    if (error instanceof AuditInputError) throw new UserError(`cannot audit "${file}": ${error.message}`, error.advice, undefined, { cause: error });
    throw error;
  }
}

function factsOf(values: FlagValues): HostFacts {
  return values.all('host').reduce((facts, text) => {
    try {
      return /^[a-z-]+=/.test(text) ? withFact(facts, text) : withFactsOf(facts, readText(text));
    } catch (error) {
      if (error instanceof UserError) throw error;
      const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (error as Error).message;
      throw new UserError(`cannot use --host ${text}: ${why}`, error instanceof AuditInputError ? error.advice : 'write KEY=VALUE, or name a file', undefined, { cause: error });
    }
  }, NO_FACTS);
}

interface Judged {
  readonly source: Source;
  readonly input: AuditInput;
  readonly judgements: readonly Judgement[];
}

interface Request {
  readonly facts: HostFacts;
  readonly under: Platform | undefined;
  readonly least: Severity;
  readonly withAll: boolean;
  readonly standards: readonly (typeof STANDARDS)[number][];
}

function requestOf(values: FlagValues): Request {
  const failOn = oneOf(values, 'fail-on', [...SEVERITIES, 'never'] as const) ?? 'low';
  const standards = values.all('standard').map((text) => {
    const known = STANDARDS.find((name) => name === text);
    if (known === undefined) throw new UserError(`cannot use --standard ${text}: there is no such standard`, `it is one of ${STANDARDS.join(', ')}`);
    return known;
  });
  return { facts: factsOf(values), under: oneOf(values, 'under', ['docker', 'gvisor', 'caisson'] as const), least: failOn === 'never' ? 'low' : failOn, withAll: values.has('all') || failOn === 'info' || standards.length > 0, standards };
}

/** Items that one of the standards asks about. */
function wantedBy({ standards }: Request): ((id: string) => boolean) | undefined {
  if (standards.length === 0) return undefined;
  const names: readonly string[] = standards;
  const items = new Set(CONTROLS.filter(({ standard }) => names.includes(standard)).flatMap((control) => control.items));
  return (id) => items.has(id);
}

function reportFor(judged: readonly Judged[], request: Request): Report {
  const isWanted = wantedBy(request);
  const reports = judged.map(({ source: { file }, input, judgements }) => reportOf(judgements, { file, version, lines: input.lines, withAll: request.withAll, graphs: judgements.map((judgement) => graphOf(judgement, request.facts)), ...(isWanted === undefined ? {} : { isWanted }) }));
  const [first] = reports;
  if (first === undefined) throw new Error('there is nothing to report');
  // A control of a standard that was asked for is to be met.
  const raise = (report: Report): Report => (request.standards.length === 0 ? report : { ...report, findings: report.findings.map((finding) => (finding.severity === 'info' ? { ...finding, severity: 'low' } : finding)) });
  if (reports.length === 1) return raise(first);
  return raise({
    ...first, target: `${reports.length} files`, findings: reports.flatMap(({ findings }) => findings), rules: [...new Map(reports.flatMap(({ rules }) => rules).map((rule) => [rule.id, rule])).values()],
    sections: reports.flatMap(({ sections = [] }) => sections), data: { files: reports.map(({ target, data }) => ({ file: target, ...data })) },
  });
}

function writeGraph(file: string, judged: readonly Judged[], { facts }: Request): void {
  const graphs = judged.flatMap(({ judgements }) => judgements).map((judgement) => graphOf(judgement, facts)).filter(({ nodes }) => nodes.length > 0);
  const text = file === '-' || file.endsWith('.dot') || file.endsWith('.gv') ? asDot(graphs) : asSvg(graphs);
  if (file === '-') process.stdout.write(text);
  else writeOut(file, text, 'graph');
}

function writeOut(file: string, text: string, flag: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new UserError(`cannot write --${flag} ${file}: ${(error as Error).message}`, 'check the path', undefined, { cause: error });
  }
}

function note(text: string): void {
  process.stderr.write(`caisson: ${printable(text)}\n`);
}

/** What `--fix=RULE,...` names: items by their names, paths as `path-...`. */
function namedRules(text: string): { readonly items: readonly string[]; readonly paths: readonly string[] } {
  const names = text.split(',').map((name) => name.trim()).filter((name) => name !== '');
  const known = [...ITEMS.map(({ id }) => id), ...PATHS.map(({ id }) => `path-${id}`)];
  for (const name of names) {
    if (known.includes(name)) continue;
    const guess = nearest(name, known);
    throw new UserError(`cannot use --fix=${text}: no rule is called "${name}"`, guess === undefined ? 'see the names that --all prints' : `did you mean ${guess}?`);
  }
  return { items: names.filter((name) => !name.startsWith('path-')), paths: names.filter((name) => name.startsWith('path-')).map((name) => name.slice(5)) };
}

function changesFor(judgement: Judgement, what: string, { facts, least }: Request): readonly Change[] {
  const { configuration, platform, paths } = judgement;
  if (what === '' || what === 'all') {
    const cuts = cutPaths(configuration, facts, platform, least);
    return what === '' ? cuts : [...cuts, ...mendItems(withChanges(configuration, cuts), MENDABLE_ITEMS)];
  }
  const named = namedRules(what);
  const cuts = paths.filter(({ path, state }) => named.paths.includes(path.id) && state !== 'closed').flatMap(({ cut }) => cut ?? []);
  return [...cuts, ...mendItems(withChanges(configuration, cuts), named.items)];
}

/** Writes the input again with changes; 1 if a path is still open. What is written is read and judged again, so that nothing is promised that is not there. */
function fix({ source, input, judgements }: Judged, values: FlagValues, request: Request): number {
  const what = values.last('fix') ?? '';
  const changes = judgements.map((judgement) => changesFor(judgement, what, request));
  const { text, refused } = input.rewrite(changes);
  const output = values.last('output');
  if (output === undefined) process.stdout.write(text);
  else writeOut(output, text, 'output');
  for (const [index, list] of changes.entries()) {
    const name = judgements[index]?.configuration.name ?? '';
    for (const change of list) if (!refused.some((one) => one.change === change)) note(`${name}: ${describeChange(change)}`);
  }
  for (const { container, change, why } of refused) note(`${container}: not done: ${describeChange(change)}: ${why}`);
  const again = understand(source, () => readInput(text, input.kind === 'command' ? 'command' : kindOf(values)));
  const left = again.configurations.flatMap((configuration) => openPaths(judge(configuration, request.facts, request.under)).filter(({ severity }) => isAtLeast(severity, request.least)).map(({ path }) => `${configuration.name}: still open: ${path.title}`));
  if (what === '' || what === 'all') for (const line of left) note(line);
  return left.length > 0 ? 1 : 0;
}

function kindOf(values: FlagValues): (typeof KINDS)[number] | undefined {
  return oneOf(values, 'kind', KINDS);
}

/** What is printed at a terminal. */
function tableOf(judged: readonly Judged[], values: FlagValues, request: Request): (report: Report) => string {
  const judgements = judged.flatMap((one) => one.judgements);
  const names: readonly string[] = request.standards;
  if (names.length > 0) return () => controlsAsText(judgements, (standard) => names.includes(standard));
  return ({ findings, ignored }) => `${asText(judgements, findings, request.withAll, values.has('brief'))}${ignored.length === 0 ? '' : `${ignored.length} ignored\n`}`;
}

export async function auditCommand(args: readonly string[]): Promise<number> {
  return withErrorStatus(async () => {
    const start = commandStart(args);
    const command = args.slice(start);
    const own = args.slice(0, start).filter((word, index) => word !== '--' || index < start - 1);
    const values = await readCommand(command.length > 0 ? { ...AUDIT, words: [0, 0] } : AUDIT, own);
    if (values === undefined) return 0;
    const [options, request] = [new FindingOptions(values), requestOf(values)];
    const kind = command.length > 0 ? 'command' : kindOf(values);
    const sources = command.length > 0 ? [{ file: 'command line', text: commandText(command) }] : await Promise.all(values.command.map(readSource));
    if (values.has('fix') && sources.length > 1) throw new UserError('cannot use --fix with several files', 'give them one after another');
    if (values.has('output') && !values.has('fix')) throw new UserError('cannot use --output without --fix', 'the report has --report');
    if (values.has('fix')) namedRules(['', 'all'].includes(values.last('fix') ?? '') ? '' : values.last('fix') ?? '');
    const judged = sources.map((source): Judged => {
      const input = understand(source, () => readInput(source.text, kind));
      for (const text of input.notes) note(text);
      return { source, input, judgements: input.configurations.map((configuration) => judge(configuration, request.facts, request.under)) };
    });
    const graph = values.last('graph');
    if (graph !== undefined) writeGraph(graph, judged, request);
    const [first] = judged;
    if (values.has('fix') && first !== undefined) return fix(first, values, request);
    const report = options.sift(reportFor(judged, request), Date.now());
    return graph === '-' ? 0 : options.write(report, tableOf(judged, values, request));
  });
}
