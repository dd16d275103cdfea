/** `scan`: what is in an image, what is wrong with it, and who brought it. */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { asHtml, asJson, asMarkdown, asSarif } from '../../findings/index.ts';
import type { Report } from '../../findings/index.ts';
import { ImageError } from '../../image/index.ts';
import type { ImageStore } from '../../image/index.ts';
import { asPackageTable, markUsed, asScanTable, purlOf, rebuildOn, reportOf, scan, toCycloneDx, toSpdx } from '../../scan/index.ts';
import type { AdvisoryDatabase, Bill, Rebuild, ScanResult } from '../../scan/index.ts';
import { readCommand } from '../command.ts';
import { UserError, printable } from '../errors.ts';
import { FindingOptions, withErrorStatus } from '../finding-flags.ts';
import type { FlagValues } from '../flags.ts';
import { openStore } from '../images/image-store.ts';
import { openAdvisories } from './scan-database.ts';
import { drawGraph } from './scan-graph.ts';
import { guarded } from './scan-guard.ts';
import { isBill, requestOf, scanOptions } from './scan-options.ts';
import type { ScanRequest } from './scan-options.ts';
import { ScanProgress } from './scan-progress.ts';
import { SCAN, SCAN_FORMATS } from './scan-specs.ts';
import { openSubject, subjectOfImage } from './scan-subject.ts';
import type { OpenSubject } from './scan-subject.ts';
import { version } from '../version.ts';

function say(text: string): void {
  process.stderr.write(`caisson: ${printable(text)}\n`);
}

function billOf({ subject, merged, vulnerabilities }: ScanResult): Bill {
  return {
    name: subject.bill?.name === undefined || subject.bill.name === '' ? subject.target : subject.bill.name, kind: subject.kind, distribution: merged.distribution, packages: merged.packages, vulnerabilities,
    diffIds: subject.layers.map(({ diffId }) => diffId).filter((diffId) => diffId !== ''), ...(subject.id === undefined ? {} : { id: subject.id }),
  };
}

function writeBill(result: ScanResult, { format }: ScanRequest): string {
  const bill = billOf(result);
  const identifier = createHash('sha256').update(JSON.stringify([bill.name, bill.diffIds, bill.packages.map(({ package: one }) => purlOf(one, bill.distribution))])).digest('hex').slice(0, 32);
  return (format === 'spdx' ? toSpdx : toCycloneDx)(bill, { version, nowMs: Date.now(), identifier });
}

/** Notes that stand below the findings, and in JSON: what was not known. */
function notesOf(result: ScanResult, { scanners, values }: ScanRequest, database: AdvisoryDatabase | undefined, rebuild: Rebuild | undefined): readonly string[] {
  if (!scanners.includes('vuln')) return [];
  const { mirror, base } = result;
  const notes: string[] = [];
  if (database === undefined && mirror === undefined && result.merged.packages.length > 0) notes.push(`no advisories are here, so vulnerabilities are not known: ${values.has('updates') ? '"caisson db import" takes some' : '--updates asks the distribution\'s mirror, "caisson db import" takes some'}`);
  if (mirror !== undefined) {
    const security = mirror.updates.filter(({ isSecurity }) => isSecurity).length;
    notes.push(`${mirror.suites.join(', ')}: ${mirror.updates.length} packages have a newer version, ${security} of them for security`);
  }
  if (rebuild !== undefined) notes.push(`built again on ${rebuild.base} as it is now: ${rebuild.mends} vulnerabilities of the base are gone, ${rebuild.remains} remain, ${rebuild.adds} come`);
  if (base?.how === 'history') notes.push(`the base is told by the history: its first ${base.layers} layers`);
  return notes;
}

/** Where the base's name stands for a newer image by now. */
async function rebuildOf(result: ScanResult, request: ScanRequest, store: ImageStore | undefined, database: AdvisoryDatabase | undefined, progress: ScanProgress): Promise<Rebuild | undefined> {
  const { base, subject } = result;
  const name = subject.annotations?.['org.opencontainers.image.base.name'] ?? subject.config?.labels['org.opencontainers.image.base.name'] ?? base?.name;
  if (store === undefined || name === undefined || base === undefined || !request.scanners.includes('vuln')) return undefined;
  try {
    const newest = store.find(name);
    if (newest.config.diffIds.every((diffId, index) => subject.layers[index]?.diffId === diffId)) return undefined;
    const other = subjectOfImage(store, newest, name);
    return rebuildOn(result, await scan(other, { ...scanOptions({ ...request, analysers: [] }, other, store, database, progress) }));
  } catch (error) {
    if (error instanceof ImageError) return undefined;
    throw error;
  }
}

function writeOut(values: FlagValues, text: string): void {
  const file = values.last('output');
  if (file === undefined) {
    process.stdout.write(text);
    return;
  }
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new UserError(`cannot write --output ${file}: ${(error as Error).message}`, 'check the path', undefined, { cause: error });
  }
}

function textOf(report: Report, result: ScanResult, { format, values }: ScanRequest): string {
  if (format === 'table' && values.has('packages')) return asPackageTable(result);
  return { table: (one: Report) => asScanTable(result, one), json: asJson, sarif: asSarif, markdown: asMarkdown, html: asHtml, cyclonedx: asJson, spdx: asJson }[format](report);
}

async function scanWord(word: string, request: ScanRequest, options: FindingOptions, store: ImageStore | undefined): Promise<number> {
  const { values, used } = request;
  const progress = new ScanProgress(values.has('quiet'));
  const database = request.scanners.includes('vuln') ? openAdvisories(values) : undefined;
  let opened: OpenSubject | undefined;
  try {
    opened = await openSubject(word, { values, store, note: say });
    const result = await scan(opened.subject, scanOptions(request, opened.subject, store, database, progress));
    progress.end();
    for (const text of [...opened.notes, ...result.problems]) say(text);
    if (isBill(request)) {
      writeOut(values, writeBill(result, request));
      return 0;
    }
    const rebuild = await rebuildOf(result, request, store, database, progress);
    const notes = notesOf(result, request, database, rebuild);
    const made = reportOf(result, {
      version, analysers: request.analysers, severities: request.severities, ignoresUnfixed: values.has('ignore-unfixed'), hasPackages: values.has('packages'),
      data: { ...(database === undefined ? {} : { database: database.description }), ...(rebuild === undefined ? {} : { rebuild }), ...(notes.length === 0 ? {} : { notes }) },
    });
    const report = options.sift(used === undefined ? made : markUsed(made, result.merged.packages, used), Date.now());
    writeOut(values, textOf(report, result, request));
    return options.conclude(report);
  } finally {
    progress.end();
    database?.close();
    opened?.close();
  }
}

export async function scanCommand(args: readonly string[]): Promise<number> {
  return withErrorStatus(async () => {
    const values = await readCommand(SCAN, args);
    if (values === undefined) return 0;
    const [word] = values.command;
    const options = new FindingOptions(values, SCAN_FORMATS);
    const request = requestOf(values);
    const graph = values.last('graph');
    if (word === undefined && graph === undefined) throw new UserError('cannot scan: a word is missing', 'name an image, a directory, an archive or a bill of materials');
    const store = storeOrNone(graph !== undefined);
    if (graph !== undefined && store !== undefined) return guarded('draw the images', () => drawGraph(graph, word, request, store));
    return guarded(`scan "${word ?? ''}"`, () => scanWord(word ?? '', request, options, store));
  });
}

/** Directories and archives are looked at without a store, too. */
function storeOrNone(isNeeded: boolean): ImageStore | undefined {
  try {
    return openStore();
  } catch (error) {
    if (isNeeded || !(error instanceof UserError)) throw error;
    return undefined;
  }
}
