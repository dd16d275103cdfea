/** `caisson drill`: known ways out, tried. */
import { constants } from 'node:os';
import { KINDS, TECHNIQUES, asFindings, drillTable, isProven, listTable, techniqueAsData } from '../../drill/index.ts';
import type { DrillReport, Result, Technique } from '../../drill/index.ts';
import { printableJson } from '../../findings/printable.ts';
import { SandboxError } from '../../sandbox/index.ts';
import { readCommand } from '../command.ts';
import { EXIT_SIGNAL_BASE, UserError, printable } from '../errors.ts';
import { FindingOptions, withErrorStatus } from '../finding-flags.ts';
import type { FlagValues } from '../flags.ts';
import { nearest } from '../flags.ts';
import { version } from '../version.ts';
import { DRILL } from './drill-specs.ts';
import { Drill } from './run.ts';
import { readRuntime } from './runtime.ts';
import type { Runtime } from './runtime.ts';
import { writeBundle } from './write-bundle.ts';

const EXIT_UNPROVEN = 2;

function chosen(values: FlagValues): readonly Technique[] {
  const words = values.all('only').flatMap((text) => text.split(',')).map((word) => word.trim()).filter((word) => word !== '');
  if (words.length === 0) return TECHNIQUES;
  const wanted = new Set(words.flatMap((word) => {
    const found = TECHNIQUES.filter(({ name, kind }) => name === word || kind === word.toUpperCase() || KINDS[kind] === word);
    if (found.length > 0) return found;
    const guess = nearest(word, [...Object.values(KINDS), ...TECHNIQUES.map(({ name }) => name)]);
    throw new UserError(`cannot use --only ${word}: there is no such technique or kind`, guess === undefined ? 'see caisson drill --list' : `did you mean ${guess}?`);
  }));
  return TECHNIQUES.filter((technique) => wanted.has(technique));
}

/** A line at the terminal that says what is tried. */
class Progress {
  readonly #isTerminal = process.stderr.isTTY === true;
  readonly #total: number;
  #number = 0;

  constructor(total: number) {
    this.#total = total;
  }
  next({ name }: Technique): void {
    this.#number++;
    if (this.#isTerminal) process.stderr.write(`\r\x1b[2K${this.#number}/${this.#total} ${name}`);
  }
  end(): void {
    if (this.#isTerminal) process.stderr.write('\r\x1b[2K');
  }
}

/** Whatever ends it early, nothing of it stays. */
function endOnSignals(drill: Drill): () => void {
  const listeners = (['SIGINT', 'SIGTERM'] as const).map((signal) => {
    const listener = (): void => void drill.end().finally(() => process.exit(EXIT_SIGNAL_BASE + constants.signals[signal]));
    process.once(signal, listener);
    return () => void process.off(signal, listener);
  });
  return () => listeners.forEach((remove) => remove());
}

async function tryAll(techniques: readonly Technique[], drill: Drill, withTwins: boolean, runtime: Runtime | undefined): Promise<readonly Result[]> {
  const progress = new Progress(techniques.length);
  const results: Result[] = [];
  const removeListeners = endOnSignals(drill);
  try {
    for (const technique of techniques) {
      progress.next(technique);
      const outcome = await drill.tryTechnique(technique);
      const other = runtime === undefined ? undefined : await drill.tryRuntime(technique, runtime);
      results.push({ technique, outcome, ...(withTwins ? { twin: await drill.tryTwin(technique) } : {}), ...(other === undefined ? {} : { other }) });
    }
  } finally {
    progress.end();
    await drill.end();
    removeListeners();
  }
  return results;
}

function listTechniques(techniques: readonly Technique[], { format }: FindingOptions): number {
  if (format === 'sarif' || format === 'markdown') throw new UserError(`cannot use --format ${format} with --list`, 'use table or json');
  process.stdout.write(format === 'json' ? printableJson(techniques.map(techniqueAsData)) : listTable(techniques));
  return 0;
}

export async function drillCommand(args: readonly string[]): Promise<number> {
  return withErrorStatus(async () => {
    const values = await readCommand(DRILL, args);
    if (values === undefined) return 0;
    const [options, techniques, image] = [new FindingOptions(values), chosen(values), values.command[0]];
    if (values.has('list')) return listTechniques(techniques, options);
    const bundle = values.last('write-bundle');
    if (bundle !== undefined) {
      writeBundle(bundle, techniques);
      return 0;
    }
    const runtimeText = values.last('runtime');
    const runtime = runtimeText === undefined ? undefined : readRuntime(runtimeText);
    const results = await tryAll(techniques, new Drill(image), values.has('twins'), runtime).catch((error: unknown) => {
      if (error instanceof SandboxError) throw new UserError(`cannot drill${image === undefined ? '' : ` "${image}"`}: ${error.message}`, 'check that the image is there: caisson images', undefined, { cause: error });
      throw error;
    });
    const report: DrillReport = { version, target: image ?? 'an empty root directory', results, withTwins: values.has('twins'), ...(runtime === undefined ? {} : { other: runtime.name }) };
    const status = options.finish(asFindings(report), () => drillTable(report));
    const unproven = results.filter((result) => !isProven(result));
    for (const { technique, outcome, twin } of unproven) process.stderr.write(`caisson: ${printable(outcome?.verdict === 'unfinished' ? `${technique.name} was not tried to its end: ${outcome.ending ?? 'it stopped half-way'}` : `${technique.name} did not get out where the defence is missing (${technique.twin.what}): ${twin?.ending ?? 'it held'}`)}\n`);
    return status === 0 && unproven.length > 0 ? EXIT_UNPROVEN : status;
  });
}
