/** The flags of `scan`, and what they mean for one subject. */
import { SEVERITIES } from '../../findings/index.ts';
import type { Severity } from '../../findings/index.ts';
import type { ImageStore } from '../../image/index.ts';
import { MOST_DIGEST_LIST_BYTES, MOST_KEYRING_BYTES, MOST_RULE_BYTES, MOST_SBOM_BYTES, ScanInputError, UsedFiles, analysersWith, findBase, readDigests, readRules, readVex } from '../../scan/index.ts';
import type { AdvisoryDatabase, Analyser, MirrorOptions, ScanOptions, Scanner, Subject, VexStatement } from '../../scan/index.ts';
import { NetworkRuleError } from '../../net/index.ts';
import { UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import { oneOf } from '../option-values.ts';
import { readInputFile } from './input-file.ts';
import type { ScanProgress } from './scan-progress.ts';
import { SCANNER_NAMES, SCAN_FORMATS } from './scan-specs.ts';
import { knownImages } from './scan-subject.ts';
import { MirrorReach } from './mirror-reach.ts';
import { READER_TOOLS, hostDigest, mirrorTools, openResultCache } from './scan-tools.ts';

const MOST_USED_BYTES = 64 << 20;

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

/** What a flag's files say. @throws UserError */
function understood<Meaning>(flag: string, files: string, read: () => Meaning): Meaning {
  try {
    return read();
  } catch (error) {
    if (error instanceof NetworkRuleError) throw new UserError(`cannot use --${flag} ${files}: ${error.message}`, 'such as mirror.example, 10.1.2.3:8080 or 10.0.0.0/8', undefined, { cause: error });
    if (!(error instanceof ScanInputError)) throw error;
    throw new UserError(`cannot use --${flag} ${files}: ${error.message}`, error.advice, undefined, { cause: error });
  }
}

function readStatements(values: FlagValues): readonly VexStatement[] {
  return values.all('vex').flatMap((file) => understood('vex', file, () => readVex(readInputFile('vex', file, MOST_SBOM_BYTES), file)));
}

function readUsed(file: string | undefined): UsedFiles | undefined {
  return file === undefined ? undefined : understood('used', file, () => new UsedFiles(readInputFile('used', file, MOST_USED_BYTES).toString('utf8')));
}

/** Files of rules or digests as one text; undefined without the flag. */
function readTexts<Meaning>(values: FlagValues, flag: string, most: number, read: (text: string) => Meaning): Meaning | undefined {
  const files = values.all(flag);
  if (files.length === 0) return undefined;
  const text = files.map((file) => readInputFile(flag, file, most).toString('utf8')).join('\n');
  return understood(flag, files.join(' '), () => read(text));
}

/** Those of ours, with what is given beside their own rules. */
function analysersOf(values: FlagValues): readonly Analyser[] {
  const rules = readTexts(values, 'yara', MOST_RULE_BYTES, readRules);
  const digests = readTexts(values, 'bad-digests', MOST_DIGEST_LIST_BYTES, readDigests);
  return analysersWith({ rules, digests, digest: hostDigest });
}

/** All that the flags say, with every mistake in them found before the work begins. */
export interface ScanRequest {
  readonly values: FlagValues;
  readonly format: (typeof SCAN_FORMATS)[number];
  readonly scanners: readonly Scanner[];
  readonly severities: readonly Severity[];
  readonly analysers: readonly Analyser[];
  readonly vex: readonly VexStatement[];
  /** Of `--used`. */
  readonly used: UsedFiles | undefined;
  /** What reading a mirror is told; undefined: none is asked. */
  readonly mirror: Omit<MirrorOptions, 'tools'> | undefined;
  readonly reach: MirrorReach;
}

/** @throws UserError */
export function requestOf(values: FlagValues): ScanRequest {
  const format = oneOf(values, 'format', SCAN_FORMATS) ?? 'table';
  const isBill = format === 'cyclonedx' || format === 'spdx';
  const scanners = listOf<Scanner>(values, 'scanners', SCANNER_NAMES) ?? (isBill ? [] : SCANNER_NAMES);
  const replaced = replacements(values);
  const reach = understood('allow-net', values.all('allow-net').join(' '), () => new MirrorReach(replaced.map(([, to]) => to), values.all('allow-net')));
  const keys = values.all('keyring').map((file) => readInputFile('keyring', file, MOST_KEYRING_BYTES));
  const mirror = values.has('updates') && scanners.includes('vuln') ? { replaced, keys, allowsUnsigned: values.has('allow-unsigned'), allowsExpired: values.has('allow-expired') } : undefined;
  return {
    values, format, scanners, severities: listOf(values, 'severity', SEVERITIES) ?? SEVERITIES, vex: readStatements(values), used: readUsed(values.last('used')), mirror, reach,
    analysers: isBill ? [] : analysersOf(values).filter(({ scanner }) => scanners.includes(scanner)),
  };
}

export function isBill({ format }: ScanRequest): boolean {
  return format === 'cyclonedx' || format === 'spdx';
}

/** Options for one subject. */
export function scanOptions(request: ScanRequest, subject: Subject, store: ImageStore | undefined, database: AdvisoryDatabase | undefined, progress: ScanProgress): ScanOptions {
  const { values, scanners, analysers, vex, mirror, reach } = request;
  const hasVulnerabilities = scanners.includes('vuln');
  const note = (text: string): void => progress.note(text);
  return {
    hasPackages: hasVulnerabilities || isBill(request) || values.has('packages'), hasVulnerabilities, analysers, tools: READER_TOOLS, advisories: database, vex, hasDevelopment: values.has('dev'), note,
    cache: values.has('no-cache') ? undefined : openResultCache(),
    mirror: mirror === undefined ? undefined : { tools: mirrorTools(note, reach), ...mirror },
    base: subject.kind !== 'image' ? undefined : findBase(subject.layers.map(({ diffId }) => diffId), subject.config, subject.annotations ?? {}, store === undefined ? [] : knownImages(store)),
  };
}
