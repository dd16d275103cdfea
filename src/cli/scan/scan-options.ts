/** The flags of `scan`, and what they mean for one subject. */
import { readFileSync, statSync } from 'node:fs';
import { SEVERITIES } from '../../findings/index.ts';
import type { Severity } from '../../findings/index.ts';
import type { ImageStore } from '../../image/index.ts';
import { ANALYSERS, MOST_SBOM_BYTES, ScanInputError, analysersWith, findBase, readVex } from '../../scan/index.ts';
import type { AdvisoryDatabase, Analyser, ScanOptions, Scanner, Subject, VexStatement } from '../../scan/index.ts';
import { UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import { oneOf } from '../option-values.ts';
import type { ScanProgress } from './scan-progress.ts';
import { SCANNER_NAMES, SCAN_FORMATS } from './scan-specs.ts';
import { knownImages } from './scan-subject.ts';
import { READER_TOOLS, mirrorTools, openResultCache } from './scan-tools.ts';

/** Words of a list with commas, as `high,CRITICAL`. */
function listOf<Word extends string>(values: FlagValues, name: string, known: readonly Word[]): readonly Word[] | undefined {
  const text = values.last(name);
  if (text === undefined) return undefined;
  return text.split(',').map((word) => {
    const found = known.find((one) => one === word.trim().toLowerCase());
    if (found === undefined) throw new UserError(`cannot use --${name} ${text}: "${word}" is none`, `there are ${known.join(', ')}`);
    return found;
  });
}

function replacements(values: FlagValues): readonly (readonly [from: string, to: string])[] {
  return values.all('mirror').map((text) => {
    const equals = text.indexOf('=');
    const [from, to] = [text.slice(0, equals), text.slice(equals + 1)];
    if (equals <= 0 || !/^https?:\/\/\S+$/.test(to)) throw new UserError(`cannot use --mirror ${text}: it is no FROM=TO`, 'such as http://deb.debian.org/debian=http://mirror.example/debian');
    return [from, to];
  });
}

function readStatements(values: FlagValues): readonly VexStatement[] {
  return values.all('vex').flatMap((file) => {
    try {
      if (statSync(file).size > MOST_SBOM_BYTES) throw new ScanInputError(`it is longer than ${MOST_SBOM_BYTES >> 20} MiB`);
      return readVex(readFileSync(file), file);
    } catch (error) {
      const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (error as Error).message;
      throw new UserError(`cannot use --vex ${file}: ${why}`, error instanceof ScanInputError ? error.advice : 'check the path', undefined, { cause: error });
    }
  });
}

/** Files of rules or digests as one text; undefined without the flag. */
function readTexts(values: FlagValues, flag: string): string | undefined {
  const files = values.all(flag);
  if (files.length === 0) return undefined;
  return files.map((file) => {
    try {
      return readFileSync(file, 'utf8');
    } catch (error) {
      throw new UserError(`cannot read --${flag} ${file}: ${(error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (error as Error).message}`, 'check the path', undefined, { cause: error });
    }
  }).join('\n');
}

/** Those of ours, with what is given beside their own rules. */
function analysersOf(values: FlagValues): readonly Analyser[] {
  const [rules, digests] = [readTexts(values, 'yara'), readTexts(values, 'bad-digests')];
  if (rules === undefined && digests === undefined) return ANALYSERS;
  try {
    return analysersWith({ rules, digests });
  } catch (error) {
    if (!(error instanceof ScanInputError)) throw error;
    throw new UserError(`cannot use --yara ${values.all('yara').join(' ')}: ${error.message}`, error.advice, undefined, { cause: error });
  }
}

/** All that the flags say, with every mistake in them found before the work begins. */
export interface ScanRequest {
  readonly values: FlagValues;
  readonly format: (typeof SCAN_FORMATS)[number];
  readonly scanners: readonly Scanner[];
  readonly severities: readonly Severity[];
  readonly analysers: readonly Analyser[];
  readonly vex: readonly VexStatement[];
  readonly replaced: readonly (readonly [from: string, to: string])[];
}

/** @throws UserError */
export function requestOf(values: FlagValues): ScanRequest {
  const format = oneOf(values, 'format', SCAN_FORMATS) ?? 'table';
  const isBill = format === 'cyclonedx' || format === 'spdx';
  const scanners = listOf<Scanner>(values, 'scanners', SCANNER_NAMES) ?? (isBill ? [] : SCANNER_NAMES);
  return {
    values, format, scanners, severities: listOf(values, 'severity', SEVERITIES) ?? SEVERITIES, vex: readStatements(values), replaced: replacements(values),
    analysers: isBill ? [] : analysersOf(values).filter(({ scanner }) => scanners.includes(scanner)),
  };
}

export function isBill({ format }: ScanRequest): boolean {
  return format === 'cyclonedx' || format === 'spdx';
}

/** Options for one subject. */
export function scanOptions(request: ScanRequest, subject: Subject, store: ImageStore | undefined, database: AdvisoryDatabase | undefined, progress: ScanProgress): ScanOptions {
  const { values, scanners, analysers, vex, replaced } = request;
  const hasVulnerabilities = scanners.includes('vuln');
  const note = (text: string): void => progress.note(text);
  return {
    hasPackages: hasVulnerabilities || isBill(request) || values.has('packages'), hasVulnerabilities, analysers, tools: READER_TOOLS, advisories: database, vex, hasDevelopment: values.has('dev'), note,
    cache: values.has('no-cache') ? undefined : openResultCache(),
    mirror: values.has('updates') && hasVulnerabilities ? { tools: mirrorTools(note), replaced } : undefined,
    base: subject.kind !== 'image' ? undefined : findBase(subject.layers.map(({ diffId }) => diffId), subject.config, subject.annotations ?? {}, store === undefined ? [] : knownImages(store)),
  };
}
