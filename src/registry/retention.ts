/** Which tags and manifests may stay: rules by number, age and pattern. The plan is made first, so that it can be looked at. */
import type { Digest } from '../image/index.ts';
import { readManifest } from './documents.ts';
import type { ManifestRecord } from './documents.ts';
import { RegistryFailure } from './errors.ts';
import { pause } from './garbage.ts';
import { Patterns } from './patterns.ts';
import type { Repository } from './repository.ts';
import type { RegistryStorage } from './storage.ts';

export interface RetentionRule {
  /** Patterns of names (`patterns.ts`); for each repository the first rule counts. */
  readonly repositories: readonly string[];
  /** Tags that the rule is about; others stay. */
  readonly tags: readonly string[];
  /** So many, the latest pushed, stay whatever their age. */
  readonly keep: number | undefined;
  /** What was pushed longer ago goes. Absent: all beyond `keep`. */
  readonly olderThanMs: number | undefined;
  /** Manifests without a tag, that nothing refers to, go after this. Absent: they stay. */
  readonly untaggedMs: number | undefined;
}

export interface Removal {
  readonly repository: string;
  /** Absent: a manifest without a tag. */
  readonly tag: string | undefined;
  readonly digest: Digest;
  readonly pushedMs: number;
  readonly why: string;
}

const DAY_MS = 86_400_000;

function ageOf(pushedMs: number, now: number): string {
  const days = (now - pushedMs) / DAY_MS;
  return days >= 1 ? `${Math.floor(days)} days` : `${Math.max(0, Math.floor(days * 24))} hours`;
}

function tagRemovals(repository: Repository, { tags, keep, olderThanMs }: RetentionRule, now: number): Removal[] {
  if (keep === undefined && olderThanMs === undefined) return [];
  const patterns = new Patterns(tags);
  const found = repository.tags().filter((tag) => patterns.match(tag)).flatMap((tag) => {
    const record = repository.tag(tag);
    return record === undefined ? [] : [{ tag, ...record }];
  });
  found.sort((left, right) => right.pushedMs - left.pushedMs);
  return found.slice(keep ?? 0).filter(({ pushedMs }) => olderThanMs === undefined || now - pushedMs > olderThanMs).map(({ tag, digest, pushedMs }) => ({
    repository: repository.name, tag, digest, pushedMs, why: `pushed ${ageOf(pushedMs, now)} ago${keep === undefined ? '' : `, and ${keep} that came later stay`}`,
  }));
}

/** Manifests that an index names, and those about a manifest that is here, are in use without a tag. */
function untagged(repository: Repository, removed: ReadonlySet<string>): readonly (readonly [Digest, ManifestRecord])[] {
  const inUse = new Set<Digest>();
  for (const tag of repository.tags()) if (!removed.has(tag)) inUse.add(repository.tag(tag)?.digest ?? 'sha256:');
  const records = repository.manifests().flatMap((digest) => {
    const record = repository.manifest(digest);
    return record === undefined ? [] : [[digest, record] as const];
  });
  const here = new Set(records.map(([digest]) => digest));
  for (const [digest, { mediaType }] of records) for (const child of childrenOf(repository, digest, mediaType)) inUse.add(child);
  return records.filter(([digest, { subject }]) => !inUse.has(digest) && (subject === undefined || !here.has(subject)));
}

function childrenOf(repository: Repository, digest: Digest, mediaType: string): readonly Digest[] {
  const bytes = repository.manifestBytes(digest);
  if (bytes === undefined) return [];
  try {
    const document = readManifest(bytes, mediaType);
    return document.kind === 'index' ? document.needs.map((need) => need.digest) : [];
  } catch (error) {
    if (error instanceof RegistryFailure) return [];
    throw error;
  }
}

function planFor(repository: Repository, rule: RetentionRule, now: number): readonly Removal[] {
  const removals = tagRemovals(repository, rule, now);
  const lastTag = new Set(removals.map(({ digest }) => digest));
  for (const [digest, { pushedMs }] of untagged(repository, new Set(removals.map(({ tag }) => tag ?? '')))) {
    const hadTag = lastTag.has(digest);
    if (!hadTag && (rule.untaggedMs === undefined || now - pushedMs <= rule.untaggedMs)) continue;
    removals.push({ repository: repository.name, tag: undefined, digest, pushedMs, why: hadTag ? 'its last tag goes' : `without a tag, pushed ${ageOf(pushedMs, now)} ago` });
  }
  return removals;
}

/** What the rules would take away now. */
export async function planRetention(storage: RegistryStorage, rules: readonly RetentionRule[]): Promise<readonly Removal[]> {
  const compiled = rules.map((rule) => ({ rule, patterns: new Patterns(rule.repositories) }));
  const plan: Removal[] = [];
  for (const name of storage.repositories()) {
    const rule = compiled.find(({ patterns }) => patterns.match(name))?.rule;
    if (rule !== undefined) plan.push(...planFor(storage.repository(name), rule, storage.disk.host.now()));
    await pause();
  }
  return plan;
}

/** A tag that was pushed again since the plan was made stays, and so does what it leads to. Answers how many went. */
export function applyRetention(storage: RegistryStorage, plan: readonly Removal[]): number {
  let removed = 0;
  for (const { repository: name, tag, digest, pushedMs } of plan) {
    const repository = storage.repository(name);
    const isThere = tag === undefined ? repository.manifest(digest)?.pushedMs === pushedMs && !repository.tags().some((other) => repository.tag(other)?.digest === digest) : repository.tag(tag)?.pushedMs === pushedMs;
    if (isThere && (tag === undefined ? repository.removeManifest(digest) : repository.removeTag(tag))) removed++;
  }
  return removed;
}
