/** What is known of vulnerabilities: one form for all sources. */
import type { Severity } from '../../findings/index.ts';

/** What whoever publishes the package says. */
export const STATUSES = ['fixed', 'affected', 'will not fix', 'end of life', 'under investigation', 'not affected'] as const;
export type Status = (typeof STATUSES)[number];

/** From `introduced` on (undefined: from the first version on), before `fixed`, up to `lastAffected`. */
export interface Interval {
  readonly introduced?: string;
  readonly fixed?: string;
  readonly lastAffected?: string;
}

export interface Advisory {
  /** `CVE-2024-1234`, `GHSA-...`. */
  readonly id: string;
  readonly aliases?: readonly string[];
  /** `debian:12`, `alpine:3.20`, `npm`: `ecosystem.ts`. */
  readonly ecosystem: string;
  /** As the ecosystem writes it; of a distribution, what others are built from. */
  readonly package: string;
  /** Any of them, or a version of the list. Neither: every version. */
  readonly intervals?: readonly Interval[];
  readonly versions?: readonly string[];
  readonly status: Status;
  readonly severity?: Severity;
  /** Who says so: `debian`, `cvss`, `ghsa`. */
  readonly severitySource?: string;
  readonly vector?: string;
  /** CVSS, 0 to 10. */
  readonly score?: number;
  readonly title?: string;
  readonly url?: string;
  /** The feed that it is from: `osv`, `debian-tracker`, `secdb`, `mirror`. */
  readonly source: string;
  /** Probability that it is exploited within 30 days (EPSS), 0 to 1. */
  readonly epss?: number;
  /** It is in CISA's list of those that are exploited. */
  readonly isExploited?: boolean;
}

/** What an import brings. */
export interface Feed {
  /** What it replaces: `osv/npm`, `debian-tracker`. */
  readonly name: string;
  readonly advisories: readonly Advisory[];
}
