/** How much repositories may hold: rules over the sum of what the repositories of a pattern have. A blob counts in each repository that has it. */
import { RegistryFailure } from './errors.ts';
import { Patterns } from './patterns.ts';
import type { RegistryStorage, Repository, Uploads } from './storage.ts';

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
  async bytesOf(repository: Repository): Promise<number> {
    const now = this.#storage.host.now();
    const known = this.#counted.get(repository.name);
    if (known !== undefined && now - known.atMs < COUNTED_MS) return known.bytes;
    const bytes = await repository.countBytes();
    this.#counted.set(repository.name, { bytes, atMs: now });
    return bytes;
  }

  /** Counts what must be counted; what it answers says how many bytes may still come to a repository: infinity where no rule is about it. */
  async #counting(repository: Repository): Promise<() => number> {
    const rules = this.#rules.filter(({ patterns }) => patterns.match(repository.name));
    if (rules.length === 0) return () => Infinity;
    const names = new Set([...await this.#storage.repositories(), repository.name]);
    const groups = rules.map(({ patterns, rule }) => ({ rule, names: [...names].filter((name) => patterns.match(name)) }));
    for (const name of new Set(groups.flatMap((group) => group.names))) await this.bytesOf(this.#storage.repository(name));
    const usedBy = (group: readonly string[]): number => group.reduce((sum, name) => sum + (this.#counted.get(name)?.bytes ?? 0), 0);
    return () => Math.min(...groups.map((group) => group.rule.bytes - usedBy(group.names)));
  }

  /** Bytes that may still come to a repository beside what is on its way; infinity where no rule is about it. */
  async roomForUploads(repository: Repository): Promise<number> {
    const room = await this.#counting(repository);
    if (room() === Infinity) return Infinity;
    const onTheirWay = await this.#uploads.bytesOf(repository.name);
    return room() - onTheirWay;
  }

  /** Counts bytes as there that are about to come. @throws RegistryFailure DENIED */
  async claim(repository: Repository, bytes: number): Promise<void> {
    const room = await this.#counting(repository);
    // Looked at and taken at one moment, so that nobody else takes it as well.
    if (bytes > room()) throw quotaFailure(repository);
    this.giveBack(repository, -bytes);
  }

  /** They did not come. */
  giveBack(repository: Repository, bytes: number): void {
    const known = this.#counted.get(repository.name);
    if (known !== undefined) known.bytes -= bytes;
  }

  forget(repository: Repository): void {
    this.#counted.delete(repository.name);
  }
}

export function quotaFailure({ name }: Repository): RegistryFailure {
  return new RegistryFailure('DENIED', `there is no room for it: the quota of ${name} is used up`);
}
