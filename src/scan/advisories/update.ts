/** A new database from an old one and what came. */
import type { FeedPart } from './read-feed.ts';
import type { AdvisoryDatabase, FeedDescription } from './database.ts';
import type { Advisory } from './types.ts';

export interface Merged {
  readonly advisories: readonly Advisory[];
  readonly feeds: readonly FeedDescription[];
}

/** The feed of each advisory is kept with it, so that the next import of the feed replaces it. */
interface KeptAdvisory extends Advisory {
  readonly feed?: string;
}

function idsOf({ id, aliases = [] }: Advisory): readonly string[] {
  return [id, ...aliases];
}

/** Parts of one feed are put together; they replace what the old database has of the feed. */
export function mergeFeeds(before: AdvisoryDatabase | undefined, parts: readonly FeedPart[]): Merged {
  const names = new Set(parts.map(({ feed }) => feed));
  const epss = new Map(parts.flatMap((part) => [...(part.epss ?? [])]));
  const exploited = new Set(parts.flatMap((part) => [...(part.exploited ?? [])]));
  const rated = (advisory: KeptAdvisory): KeptAdvisory => {
    if (!names.has('epss') && !names.has('kev')) return advisory;
    const ids = idsOf(advisory);
    const probability = ids.map((id) => epss.get(id)).find((value) => value !== undefined) ?? advisory.epss;
    const isExploited = names.has('kev') ? ids.some((id) => exploited.has(id)) : advisory.isExploited === true;
    return { ...advisory, ...(probability === undefined ? {} : { epss: probability }), ...(isExploited ? { isExploited } : {}) };
  };
  const kept = [...((before?.all() ?? []) as Iterable<KeptAdvisory>)].filter(({ feed }) => feed === undefined || !names.has(feed));
  const known = ratingsOf(kept);
  const added = parts.flatMap(({ feed, advisories }) => advisories.map((advisory): KeptAdvisory => ({ ...known(advisory), feed })));
  const feeds = new Map((before?.description.feeds ?? []).map((feed) => [feed.name, feed]));
  for (const name of names) {
    const own = parts.filter(({ feed }) => feed === name);
    const date = own.flatMap((part) => part.date ?? []).sort().at(-1);
    feeds.set(name, { name, ...(date === undefined ? {} : { date }), advisories: name === 'epss' ? epss.size : name === 'kev' ? exploited.size : own.reduce((sum, { advisories }) => sum + advisories.length, 0) });
  }
  return { advisories: [...kept, ...added].map(rated), feeds: [...feeds.values()].sort((left, right) => (left.name < right.name ? -1 : 1)) };
}

/** What older imports know of the same vulnerability: how likely it is exploited, and that it is. */
function ratingsOf(kept: readonly Advisory[]): (advisory: Advisory) => Advisory {
  const rated = new Map<string, Advisory>();
  for (const advisory of kept) if (advisory.epss !== undefined || advisory.isExploited === true) for (const id of idsOf(advisory)) rated.set(id, advisory);
  return (advisory) => {
    const other = rated.size === 0 ? undefined : idsOf(advisory).map((id) => rated.get(id)).find((one) => one !== undefined);
    return other === undefined ? advisory : { ...advisory, ...(other.epss === undefined ? {} : { epss: other.epss }), ...(other.isExploited === true ? { isExploited: true } : {}) };
  };
}
