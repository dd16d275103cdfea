/** Which tags and manifests may stay: rules by number, age and pattern. The plan is made first, so that it can be looked at. */
import type { Digest } from '../image/index.ts';
import { readManifest } from './documents.ts';
import type { ManifestRecord } from './documents.ts';
import { RegistryFailure } from './errors.ts';
import { Patterns } from './patterns.ts';
import { mapParallel, pause } from './storage.ts';
import type { RegistryStorage, Repository } from './storage.ts';

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

async function tagRemovals(repository: Repository, { tags, keep, olderThanMs }: RetentionRule, now: number): Promise<Removal[]> {
  if (keep === undefined && olderThanMs === undefined) return [];
  const patterns = new Patterns(tags);
  const names = (await repository.tags()).filter((tag) => patterns.match(tag));
  const records = await mapParallel(names, (tag) => repository.tag(tag));
  const found = names.flatMap((tag, index) => (records[index] === undefined ? [] : [{ tag, ...records[index] }]));
  found.sort((left, right) => right.pushedMs - left.pushedMs);
  return found.slice(keep ?? 0).filter(({ pushedMs }) => olderThanMs === undefined || now - pushedMs > olderThanMs).map(({ tag, digest, pushedMs }) => ({
    repository: repository.name, tag, digest, pushedMs, why: `pushed ${ageOf(pushedMs, now)} ago${keep === undefined ? '' : `, and ${keep} that came later stay`}`,
  }));
}

/** Manifests that an index names, and those about a manifest that is here, are in use without a tag. */
async function untagged(repository: Repository, removed: ReadonlySet<string>): Promise<readonly (readonly [Digest, ManifestRecord])[]> {
  const kept = (await repository.tags()).filter((tag) => !removed.has(tag));
  const inUse = new Set(await mapParallel(kept, async (tag) => (await repository.tag(tag))?.digest));
  const digests = await repository.manifests();
  const found = await mapParallel(digests, (digest) => repository.manifest(digest));
  const records = digests.flatMap((digest, index) => (found[index] === undefined ? [] : [[digest, found[index]] as const]));
  const here = new Set(records.map(([digest]) => digest));
  const children = await mapParallel(records, ([digest, { mediaType }]) => childrenOf(repository, digest, mediaType));
  for (const child of children.flat()) inUse.add(child);
  return records.filter(([digest, { subject }]) => !inUse.has(digest) && (subject === undefined || !here.has(subject)));
}

async function childrenOf(repository: Repository, digest: Digest, mediaType: string): Promise<readonly Digest[]> {
  const bytes = await repository.manifestBytes(digest);
  if (bytes === undefined) return [];
  try {
    const document = readManifest(bytes, mediaType);
    return document.kind === 'index' ? document.needs.map((need) => need.digest) : [];
  } catch (error) {
    if (error instanceof RegistryFailure) return [];
    throw error;
  }
}

async function planFor(repository: Repository, rule: RetentionRule, now: number): Promise<readonly Removal[]> {
  const removals = await tagRemovals(repository, rule, now);
  const lastTag = new Set(removals.map(({ digest }) => digest));
  for (const [digest, { pushedMs }] of await untagged(repository, new Set(removals.map(({ tag }) => tag ?? '')))) {
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
  for (const name of await storage.repositories()) {
    const rule = compiled.find(({ patterns }) => patterns.match(name))?.rule;
    if (rule !== undefined) plan.push(...await planFor(storage.repository(name), rule, storage.now()));
    await pause();
  }
  return plan;
}

async function hasTag(repository: Repository, digest: Digest): Promise<boolean> {
  return (await mapParallel(await repository.tags(), (tag) => repository.tag(tag))).some((record) => record?.digest === digest);
}

/** A tag that was pushed again since the plan was made stays, and so does what it leads to. Answers how many went. */
export async function applyRetention(storage: RegistryStorage, plan: readonly Removal[]): Promise<number> {
  let removed = 0;
  for (const { repository: name, tag, digest, pushedMs } of plan) {
    const repository = storage.repository(name);
    const isThere = tag === undefined ? (await repository.manifest(digest))?.pushedMs === pushedMs && !await hasTag(repository, digest) : (await repository.tag(tag))?.pushedMs === pushedMs;
    if (isThere && await (tag === undefined ? repository.removeManifest(digest) : repository.removeTag(tag))) removed++;
  }
  return removed;
}
