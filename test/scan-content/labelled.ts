/** A case of the labelled set: what must be found in files, or that nothing must. */
import type { ScanConfig } from '../../src/scan/types.ts';
import type { TestFile } from './testing.ts';

export const KINDS = ['secret', 'setting', 'malware'] as const;

export interface Case {
  readonly kind: (typeof KINDS)[number];
  readonly name: string;
  /** Absent: a near miss, of which the analyser of its kind must say nothing. */
  readonly rule?: string;
  readonly files: readonly TestFile[];
  readonly config?: Partial<ScanConfig>;
}
