/** `caisson squat`: names of images that may be traps. */
import { InvalidReferenceError } from '../../image/index.ts';
import { BUILT_IN_NAMES, KINDS } from '../../squat/index.ts';
import type { Kind } from '../../squat/index.ts';
import { readCommand } from '../command.ts';
import { UserError, formatError } from '../errors.ts';
import { FindingOptions, withErrorStatus } from '../finding-flags.ts';
import type { FlagValues } from '../flags.ts';
import { nearest } from '../flags.ts';
import { toUserError } from '../images/image-store.ts';
import { findingOf, readNames, suspicionOf } from './squat-judge.ts';
import { linesOf, rateOf, squatReport } from './squat-run.ts';
import type { SquatRun } from './squat-run.ts';
import { squatSettings } from './squat-settings.ts';
import { SQUAT } from './squat-specs.ts';

/** References could not be read. */
const EXIT_ERROR = 2;
const MOST_LIST_BYTES = 64 * 2 ** 20;

function kindsOf(values: FlagValues): ReadonlySet<Kind> | undefined {
  const words = values.all('kind').flatMap((text) => text.split(','));
  if (words.length === 0) return undefined;
  return new Set(words.map((word) => {
    const kind = KINDS.find((known) => known === word);
    if (kind !== undefined) return kind;
    const guess = nearest(word, KINDS);
    throw new UserError(`cannot use --kind ${word}: there is no such kind`, guess === undefined ? `there are ${KINDS.join(', ')}` : `did you mean ${guess}?`);
  }));
}

/** Lines of standard input. */
async function readInput(): Promise<readonly string[]> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin) {
    const bytes = chunk as Buffer;
    size += bytes.length;
    if (size > MOST_LIST_BYTES) throw new UserError('cannot squat -: there are more than 64 MiB of names', 'give them in parts');
    chunks.push(bytes);
  }
  return linesOf(Buffer.concat(chunks).toString('utf8'));
}

async function judgeAll(texts: readonly string[], run: SquatRun): Promise<number> {
  const { names, allow, options, values } = run;
  const found: Parameters<typeof findingOf>[0][] = [];
  let unread = 0;
  for (const text of texts) {
    try {
      const suspicion = suspicionOf(text, names, allow);
      if (suspicion !== undefined && run.kinds?.has(suspicion.suspicion.kind) !== false) found.push(suspicion);
    } catch (error) {
      if (!(error instanceof InvalidReferenceError)) throw error;
      unread++;
      process.stderr.write(`${formatError(toUserError(error, `judge "${text}"`))}\n`);
    }
  }
  const lookup = values.has('lookup') ? await (await import('./squat-evidence.ts')).registryEvidence(found, values, rateOf(values)) : undefined;
  const findings = found.map((item, index) => {
    const finding = findingOf(item);
    return lookup === undefined ? finding : { ...finding, evidence: [...finding.evidence ?? [], ...lookup[index] ?? []] };
  });
  const target = texts.length === 1 ? texts[0] ?? '' : `${texts.length} names`;
  const status = options.finish(squatReport(target, findings, { nothing: `nothing is known against ${texts.length === 1 ? 'it' : 'them'}`, data: { judged: texts.length - unread } }));
  return unread > 0 ? EXIT_ERROR : status;
}

/** Exactly one of what can be asked for. */
function checkForm(values: FlagValues): void {
  const forms = ['scan', 'generate', 'watch'].filter((flag) => values.has(flag));
  if (forms.length > 1) throw new UserError(`cannot use --${forms[0] ?? ''} with --${forms[1] ?? ''}`, 'leave one of them out');
  const [form] = forms;
  if ((form === 'scan' || form === 'watch') && values.command.length > 0) throw new UserError(`cannot use --${form} with the name "${values.command[0] ?? ''}"`, 'leave one of them out');
  if (form !== 'scan' && form !== 'watch' && values.command.length === 0) throw new UserError('cannot squat: a name is missing', 'caisson squat REF..., or --scan DIR, or --watch FILE');
  for (const flag of ['state', 'most']) if (values.has(flag) && form !== 'watch') throw new UserError(`cannot use --${flag} without --watch`, 'leave it out');
  if (values.has('lookup') && form !== undefined) throw new UserError(`cannot use --lookup with --${form}`, 'leave one of them out');
}

export async function squatCommand(args: readonly string[]): Promise<number> {
  return withErrorStatus(async () => {
    const values = await readCommand(SQUAT, args);
    if (values === undefined) return 0;
    if (values.has('print-names')) {
      process.stdout.write(`${BUILT_IN_NAMES}\n`);
      return 0;
    }
    checkForm(values);
    const settings = squatSettings(values);
    const run: SquatRun = { values, options: new FindingOptions(values), names: readNames(values.last('names') ?? settings.names), allow: [...values.all('allow'), ...settings.allow], kinds: kindsOf(values) };
    if (values.has('scan')) return (await import('./squat-scan.ts')).scanCommand(values.last('scan') ?? '', run);
    if (values.has('watch')) return (await import('./squat-watch.ts')).watchCommand(values.last('watch') ?? '', run);
    const texts = (await Promise.all(values.command.map((word) => (word === '-' ? readInput() : [word])))).flat();
    if (values.has('generate')) return (await import('./squat-generate.ts')).generateCommand(texts, run);
    return judgeAll(texts, run);
  });
}
