/** How much repositories may hold: rules over the sum of what the repositories of a pattern have. A blob counts in each repository that has it. */
import { RegistryFailure } from './errors.ts';
import { Patterns } from './patterns.ts';
import type { Repository } from './repository.ts';
import type { RegistryStorage } from './storage.ts';
import type { Uploads } from './uploads.ts';

export interface QuotaRule {
  /** Patterns of names (`patterns.ts`). */
  readonly repositories: readonly string[];
  readonly bytes: number;
}

/** What other processes change (`registry gc`) is counted again after this. */
const COUNTED_MS = 60_000;

export class Quotas {
  readonly #rules: readonly { readonly patterns: Patterns; readonly rule: QuotaRule }[];
  readonly #storage: RegistryStorage;
  readonly #uploads: Uploads;
  readonly #counted = new Map<string, { bytes: number; readonly atMs: number }>();

  constructor(rules: readonly QuotaRule[], storage: RegistryStorage, uploads: Uploads) {
    this.#rules = rules.map((rule) => ({ rule, patterns: new Patterns(rule.repositories) }));
    this.#storage = storage;
    this.#uploads = uploads;
  }

  /** Bytes of the blobs and manifests of a repository. */
  bytesOf(repository: Repository): number {
    const now = this.#storage.disk.host.now();
    const known = this.#counted.get(repository.name);
    if (known !== undefined && now - known.atMs < COUNTED_MS) return known.bytes;
    let bytes = 0;
    for (const digest of repository.links()) bytes += this.#storage.blobs.sizeOf(digest) ?? 0;
    for (const digest of repository.manifests()) bytes += repository.manifest(digest)?.size ?? 0;
    this.#counted.set(repository.name, { bytes, atMs: now });
    return bytes;
  }

  /** Bytes that may still come to a repository; infinity where no rule is about it. */
  room(repository: Repository): number {
    let room = Infinity;
    for (const { patterns, rule } of this.#rules) {
      if (!patterns.match(repository.name)) continue;
      const names = new Set([...this.#storage.repositories().filter((name) => patterns.match(name)), repository.name]);
      let used = 0;
      for (const name of names) used += this.bytesOf(this.#storage.repository(name));
      room = Math.min(room, rule.bytes - used);
    }
    return room;
  }

  /** As `room`, less what is on its way. */
  roomForUploads(repository: Repository): number {
    const room = this.room(repository);
    return room === Infinity ? room : room - this.#uploads.bytesOf(repository.name);
  }

  /** @throws RegistryFailure DENIED */
  check(repository: Repository, bytes: number): void {
    if (this.#rules.length > 0 && bytes > this.room(repository)) throw quotaFailure(repository);
  }

  changed(repository: Repository, bytes: number): void {
    const known = this.#counted.get(repository.name);
    if (known !== undefined) known.bytes += bytes;
  }

  forget(repository: Repository): void {
    this.#counted.delete(repository.name);
  }
}

export function quotaFailure({ name }: Repository): RegistryFailure {
  return new RegistryFailure('DENIED', `there is no room for it: the quota of ${name} is used up`);
}
