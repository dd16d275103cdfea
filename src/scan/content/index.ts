/** Analysers of what is in files: secrets, weak settings, malware. */
import type { Analyser } from '../types.ts';
import { malwareAnalyser } from './malware/analyser.ts';
import type { MalwareOptions } from './malware/analyser.ts';
import { secretsAnalyser } from './secrets/analyser.ts';
import { settingsAnalyser } from './settings/analyser.ts';
import type { SettingsOptions } from './settings/analyser.ts';

export { MOST_DIGEST_LIST_BYTES, MOST_RULE_BYTES } from './limits.ts';
export { RULE_VARIABLES } from './malware/analyser.ts';
export { changedFiles, hexDigest, parseDigestList, parseMd5sums } from './malware/checksums.ts';
export type { DigestList, FileChecksum } from './malware/checksums.ts';
export { misspellingOf } from './malware/package-spelling.ts';
export type { PackageIndex } from './malware/package-spelling.ts';
export { YaraError, compileYara } from './malware/yara/index.ts';
export type { YaraRules } from './malware/yara/index.ts';

export interface ContentOptions extends SettingsOptions {
  readonly malware?: MalwareOptions;
}

/** With their bounds as they are, and no rules but their own. */
export function contentAnalysers(options: ContentOptions = {}): readonly Analyser[] {
  return [secretsAnalyser, settingsAnalyser(options), malwareAnalyser(options.malware)];
}

export const CONTENT_ANALYSERS: readonly Analyser[] = contentAnalysers();
