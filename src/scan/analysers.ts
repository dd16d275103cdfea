/** All that look into files, beside the readers of packages. */
import { CONTENT_ANALYSERS, RULE_VARIABLES, YaraError, compileYara, contentAnalysers, parseDigestList } from './content/index.ts';
import type { DigestList, YaraRules } from './content/index.ts';
import { ScanInputError } from './errors.ts';
import type { Analyser } from './types.ts';

export const ANALYSERS: readonly Analyser[] = CONTENT_ANALYSERS;

/** Something with the text that it was read from, by which results that are kept are told apart. */
export interface Given<Meaning> {
  readonly meaning: Meaning;
  readonly text: string;
}

/** Rules in YARA's language. @throws ScanInputError for those that are not understood */
export function readRules(text: string): Given<YaraRules> {
  try {
    return { meaning: compileYara(text, { externals: RULE_VARIABLES }), text };
  } catch (error) {
    if (error instanceof YaraError) throw new ScanInputError(error.message, 'correct the rule, or leave its file out', { cause: error });
    throw error;
  }
}

/** Digests of files that are known to be bad. @throws ScanInputError for a text without any, or with too many */
export function readDigests(text: string): Given<DigestList> {
  return { meaning: parseDigestList(text), text };
}

/** What analysers get from outside. */
export interface AnalyserTools {
  readonly rules: Given<YaraRules> | undefined;
  readonly digests: Given<DigestList> | undefined;
  /** A digest in so many hexadecimal digits; undefined: of a kind that the host has not. */
  readonly digest: (bytes: Uint8Array, digits: number) => string | undefined;
}

/** The same with more rules and digests. */
export function analysersWith({ rules, digests, digest }: AnalyserTools): readonly Analyser[] {
  return contentAnalysers({
    malware: {
      digest, ...(rules !== undefined && { rules: rules.meaning }), ...(digests !== undefined && { digests: digests.meaning }),
      ...((rules !== undefined || digests !== undefined) && { identity: JSON.stringify([rules?.text, digests?.text]) }),
    },
  });
}
