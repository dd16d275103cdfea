/** All that look into files, beside the readers of packages. */
import { CONTENT_ANALYSERS, RULE_VARIABLES, YaraError, compileYara, contentAnalysers, parseDigestList } from './content/index.ts';
import { ScanInputError } from './errors.ts';
import type { Analyser } from './types.ts';

export const ANALYSERS: readonly Analyser[] = CONTENT_ANALYSERS;

/** The same with more rules in YARA's language, and digests of files that are known to be bad, as texts. @throws ScanInputError for rules that are not understood */
export function analysersWith({ rules, digests }: { readonly rules: string | undefined; readonly digests: string | undefined }): readonly Analyser[] {
  try {
    return contentAnalysers({
      malware: { ...(rules !== undefined && { rules: compileYara(rules, { externals: RULE_VARIABLES }) }), ...(digests !== undefined && { digests: parseDigestList(digests) }), identity: `${rules ?? ''}\n${digests ?? ''}` },
    });
  } catch (error) {
    if (error instanceof YaraError) throw new ScanInputError(error.message, 'correct the rule, or leave its file out', { cause: error });
    throw error;
  }
}
