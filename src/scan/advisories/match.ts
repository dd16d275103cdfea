/** Packages against advisories. */
import type { Severity } from '../../findings/index.ts';
import type { FoundPackage } from '../merge.ts';
import type { Distribution } from '../packages/types.ts';
import { COMPARE } from '../versions/index.ts';
import { judgeVersion } from './affected.ts';
import { severityOfScore } from './cvss.ts';
import { lookupsOf } from './ecosystem.ts';
import type { Advisory, Status } from './types.ts';

/** A package that a vulnerability affects. */
export interface Vulnerability {
  readonly found: FoundPackage;
  /** The CVE where there is one. */
  readonly id: string;
  readonly aliases: readonly string[];
  readonly severity: Severity;
  /** `none`: nobody says how bad it is; it counts as medium. */
  readonly severitySource: string;
  readonly status: Status;
  readonly fixed: string | undefined;
  readonly advisory: Advisory;
}

export interface AdvisorySource {
  find(ecosystem: string, name: string): readonly Advisory[];
}

/** The distribution's own word goes before what others gathered. */
const SOURCES = ['mirror', 'debian-tracker', 'secdb', 'osv'];

function rankOf({ source }: Advisory): number {
  const rank = SOURCES.indexOf(source);
  return rank < 0 ? SOURCES.length : rank;
}

function cveOf({ id, aliases = [] }: Advisory): string {
  return id.startsWith('CVE-') ? id : (aliases.find((alias) => alias.startsWith('CVE-')) ?? id);
}

export function vulnerabilityOf(found: FoundPackage, advisory: Advisory, fixed: string | undefined): Vulnerability {
  const id = cveOf(advisory);
  return {
    found, id, aliases: [advisory.id, ...(advisory.aliases ?? [])].filter((alias) => alias !== id), advisory, fixed,
    severity: advisory.severity ?? (advisory.score === undefined ? 'medium' : severityOfScore(advisory.score)), severitySource: advisory.severitySource ?? (advisory.score === undefined ? 'none' : 'cvss'),
    status: fixed === undefined && advisory.status === 'fixed' ? 'affected' : fixed !== undefined && advisory.status === 'affected' ? 'fixed' : advisory.status,
  };
}

/** One verdict a vulnerability and package: of the best source that has one, be it "not affected". What others know of severity fills what that one leaves out. */
export function matchPackages(packages: readonly FoundPackage[], distribution: Distribution | undefined, source: AdvisorySource): readonly Vulnerability[] {
  return packages.flatMap((found) => {
    const compare = COMPARE[found.package.type];
    const candidates = lookupsOf(found.package, distribution).flatMap(({ ecosystem, name, version }) => source.find(ecosystem, name).map((advisory) => ({ advisory, version })));
    const judged = new Map<string, Vulnerability | undefined>();
    for (const { advisory, version } of candidates.sort((left, right) => rankOf(left.advisory) - rankOf(right.advisory))) {
      const id = cveOf(advisory);
      const { isAffected, fixed } = judgeVersion(advisory, version, compare);
      const before = judged.get(id);
      if (before !== undefined) judged.set(id, withRating(before, advisory));
      else if (!judged.has(id)) judged.set(id, isAffected ? vulnerabilityOf(found, advisory, fixed) : undefined);
    }
    return [...judged.values()].filter((one) => one !== undefined);
  });
}

function withRating(vulnerability: Vulnerability, { severity, severitySource, score, vector, epss, isExploited, title }: Advisory): Vulnerability {
  const own = vulnerability.advisory;
  const advisory: Advisory = {
    ...own, ...(own.score !== undefined || score === undefined ? {} : { score }), ...(own.vector !== undefined || vector === undefined ? {} : { vector }), ...(own.epss !== undefined || epss === undefined ? {} : { epss }),
    ...(own.isExploited === true || isExploited !== true ? {} : { isExploited }), ...(own.title !== undefined || title === undefined ? {} : { title }),
  };
  return vulnerability.severitySource === 'none' && severity !== undefined ? { ...vulnerability, advisory, severity, severitySource: severitySource ?? 'publisher' } : { ...vulnerability, advisory };
}
