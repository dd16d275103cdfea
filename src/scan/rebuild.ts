/** What building an image again on the newest version of its base would mend, in numbers. */
import { vulnerabilityKeys } from './family.ts';
import type { ScanResult } from './scan.ts';

export interface Rebuild {
  /** Of the newest version. */
  readonly base: string;
  /** Vulnerabilities of the image that its base brought and the newest version has no more. */
  readonly mends: number;
  /** Those that the newest version has as well. */
  readonly remains: number;
  /** Those of the newest version that the image does not have. */
  readonly adds: number;
}

/** `newest`: a scan of the base as its name stands now. */
export function rebuildOn(own: ScanResult, newest: ScanResult): Rebuild {
  const inherited = vulnerabilityKeys(own.vulnerabilities.filter(({ found }) => own.originOf(found.layer)?.from === 'base'));
  const [all, next] = [vulnerabilityKeys(own.vulnerabilities), vulnerabilityKeys(newest.vulnerabilities)];
  const remains = [...inherited].filter((key) => next.has(key)).length;
  return { base: newest.subject.target, mends: inherited.size - remains, remains, adds: [...next].filter((key) => !all.has(key)).length };
}
