/** All that look into files, beside the readers of packages. */
import type { Analyser } from './types.ts';

export const ANALYSERS: readonly Analyser[] = [];
