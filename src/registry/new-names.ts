/** New repositories whose names are easily mistaken for others, if the registry is told to refuse them. */
import { BUILT_IN_NAMES, Names, nearRepository, nearWellKnown } from '../squat/index.ts';
import { RegistryFailure } from './errors.ts';
import { Patterns } from './patterns.ts';
import type { Repository, RegistryStorage } from './storage.ts';

export interface NewNameRule {
  /** Patterns of names that are taken whatever they are near to. */
  readonly allow: readonly string[];
  /** True: also those near well-known names of elsewhere. */
  readonly wellKnown: boolean;
}

/** The list of repositories is some seconds old: names that were taken since are remembered so long. */
const REMEMBERED_MS = 60_000;

export class NewNames {
  readonly #rule: NewNameRule;
  readonly #allowed: Patterns;
  readonly #storage: RegistryStorage;
  /** Names that were taken, the oldest first. */
  readonly #taken = new Map<string, number>();
  #names: Names | undefined;

  constructor(rule: NewNameRule, storage: RegistryStorage) {
    this.#rule = rule;
    this.#allowed = new Patterns(rule.allow);
    this.#storage = storage;
  }

  /** Repositories that are there go on as they are. @throws RegistryFailure DENIED */
  async check(repository: Repository): Promise<void> {
    const { name } = repository;
    if (this.#taken.has(name) || this.#allowed.match(name) || await repository.exists()) return;
    const listed = await this.#storage.repositories();
    this.#forget();
    const near = nearRepository(name, listed) ?? nearRepository(name, this.#taken.keys());
    if (near !== undefined) throw this.#failure(name, `"${near.name}", which is here`, near.kind);
    if (this.#rule.wellKnown) this.#holdAgainstKnown(name);
    this.#taken.set(name, this.#storage.now());
  }

  #holdAgainstKnown(name: string): void {
    this.#names ??= Names.parse(BUILT_IN_NAMES);
    const known = nearWellKnown(name, this.#names);
    if (known !== undefined) throw this.#failure(name, `"${known.name}", which is well known`, known.kind);
  }

  #forget(): void {
    const before = this.#storage.now() - REMEMBERED_MS;
    for (const [name, atMs] of this.#taken) {
      if (atMs >= before) return;
      this.#taken.delete(name);
    }
  }

  #failure(name: string, near: string, kind: string): RegistryFailure {
    return new RegistryFailure('DENIED', `a new repository "${name}" would be too near to ${near} (${kind})`, { detail: { name, kind } });
  }
}
