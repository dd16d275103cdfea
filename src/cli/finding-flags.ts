/** What the commands that judge something have in common: formats, what counts as a failure, ignore files, a report to send, exit statuses. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { IgnoreFileError, MOST_IGNORE_BYTES, SEVERITIES, asHtml, asJson, asMarkdown, asSarif, asTable, isAtLeast, parseIgnoreFile, siftFindings } from '../findings/index.ts';
import type { IgnoreEntry, Report, Severity } from '../findings/index.ts';
import { UserError, printable } from './errors.ts';
import type { Flag, FlagValues } from './flags.ts';
import { oneOf } from './option-values.ts';

const FINDINGS = 'Findings';
const FORMATS = ['table', 'json', 'sarif', 'markdown'] as const;
/** Found something; could not look. Nothing found is 0. */
const EXIT_FOUND = 1;
const EXIT_ERROR = 2;

/** For the `flags` of a command. */
export const FINDING_FLAGS: readonly Flag[] = [
  { group: FINDINGS, name: 'format', kind: 'string', placeholder: FORMATS.join('|'), help: 'how it is printed (default: table)' },
  { group: FINDINGS, name: 'fail-on', kind: 'string', placeholder: `${SEVERITIES.join('|')}|never`, help: 'exit status 1 from this severity on (default: low)' },
  { group: FINDINGS, name: 'ignore-file', kind: 'string', placeholder: 'FILE', help: 'what is known and accepted: lines RULE SUBJECT [until YYYY-MM-DD] -- REASON' },
  { group: FINDINGS, name: 'report', kind: 'string', placeholder: 'FILE.html', help: 'write it as one page of HTML as well' },
];
/** For the `description` of a command. */
export const FINDING_STATUS = 'Exit status: 0 if nothing is found, 1 if something is, at or above --fail-on, 2 if it could not look.';

/** Runs a command whose errors have the exit status 2. */
export async function withErrorStatus(body: () => Promise<number>): Promise<number> {
  try {
    return await body();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(error.message, error.advice, EXIT_ERROR, { cause: error, ...(error.detail === undefined ? {} : { detail: error.detail }) });
  }
}

function readIgnoreFile(file: string | undefined): readonly IgnoreEntry[] {
  if (file === undefined) return [];
  try {
    if (statSync(file).size > MOST_IGNORE_BYTES) throw new UserError(`cannot use --ignore-file ${file}: it is larger than ${MOST_IGNORE_BYTES} bytes`, 'join entries with *');
    return parseIgnoreFile(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof UserError) throw error;
    if (error instanceof IgnoreFileError) throw new UserError(`cannot use --ignore-file ${file}: line ${error.line}: ${error.message}`, error.advice, undefined, { cause: error });
    throw new UserError(`cannot read --ignore-file ${file}: ${(error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (error as Error).message}`, 'check the path', undefined, { cause: error });
  }
}

function note(text: string): void {
  process.stderr.write(`caisson: ${printable(text)}\n`);
}

/** All that the flags say, with every mistake in them found before the work begins. */
export class FindingOptions {
  readonly format: (typeof FORMATS)[number];
  readonly #failOn: Severity | 'never';
  readonly #entries: readonly IgnoreEntry[];
  readonly #ignoreFile: string;
  readonly #htmlFile: string | undefined;

  /** `formats`: those of a command that has more; it writes those itself, and calls `conclude`. @throws UserError */
  constructor(values: FlagValues, formats: readonly string[] = FORMATS) {
    const format = oneOf(values, 'format', formats) ?? 'table';
    this.format = FORMATS.find((one) => one === format) ?? 'table';
    this.#failOn = oneOf(values, 'fail-on', [...SEVERITIES, 'never'] as const) ?? 'low';
    this.#ignoreFile = values.last('ignore-file') ?? '';
    this.#entries = readIgnoreFile(values.last('ignore-file'));
    this.#htmlFile = values.last('report');
  }

  /** The report without what the ignore file takes out; says which of its entries have expired or are for nothing. `nowMs`: since 1970. */
  sift(report: Report, nowMs: number): Report {
    const { findings, ignored, expired, unused } = siftFindings(report.findings, this.#entries, nowMs);
    for (const { line, until } of expired) note(`${this.#ignoreFile}:${line}: expired on ${until ?? ''}; its findings are back`);
    for (const { line, rule, subject } of unused) note(`${this.#ignoreFile}:${line}: "${rule} ${subject}" is for nothing that was found`);
    return { ...report, findings, ignored: [...report.ignored, ...ignored] };
  }

  /** Prints a sifted report and writes the HTML; answers the exit status. `table`: for those with a form of their own at the terminal. @throws UserError */
  write(report: Report, table: (report: Report) => string = asTable): number {
    process.stdout.write({ table, json: asJson, sarif: asSarif, markdown: asMarkdown }[this.format](report));
    return this.conclude(report);
  }

  /** Writes the HTML of a report that is printed; answers the exit status. @throws UserError */
  conclude(report: Report): number {
    if (this.#htmlFile !== undefined) {
      try {
        writeFileSync(this.#htmlFile, asHtml(report));
      } catch (error) {
        throw new UserError(`cannot write --report ${this.#htmlFile}: ${(error as Error).message}`, 'check the path', undefined, { cause: error });
      }
    }
    const least = this.#failOn;
    return least !== 'never' && report.findings.some(({ severity }) => isAtLeast(severity, least)) ? EXIT_FOUND : 0;
  }

  /** `sift` and `write`. */
  finish(report: Report, table?: (report: Report) => string): number {
    return this.write(this.sift(report, Date.now()), table);
  }
}
