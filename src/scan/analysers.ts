/** All that look into files, beside the readers of packages. */
import { CONTENT_ANALYSERS } from './content/index.ts';
import type { Analyser } from './types.ts';

export const ANALYSERS: readonly Analyser[] = CONTENT_ANALYSERS;
