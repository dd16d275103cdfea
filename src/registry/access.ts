/** Who may do what: rules per repository and action. What no rule allows is refused. */
import { Patterns } from './patterns.ts';

export type Action = 'pull' | 'push' | 'delete';
export const ACTIONS: readonly Action[] = ['pull', 'push', 'delete'];

export interface AccessRule {
  /** Patterns of names (`patterns.ts`). */
  readonly repositories: readonly string[];
  /** Names; `@GROUP`; `*` for everybody who has logged in. */
  readonly users: readonly string[];
  /** Also who has said no name. */
  readonly anonymous: boolean;
  readonly actions: readonly Action[];
}

export interface AccessConfig {
  readonly groups: ReadonlyMap<string, readonly string[]>;
  readonly rules: readonly AccessRule[];
}

interface CompiledRule {
  readonly patterns: Patterns;
  readonly users: ReadonlySet<string>;
  readonly anonymous: boolean;
  readonly actions: ReadonlySet<Action>;
}

export class Access {
  readonly #rules: readonly CompiledRule[];

  constructor({ groups, rules }: AccessConfig) {
    this.#rules = rules.map(({ repositories, users, anonymous, actions }) => ({
      patterns: new Patterns(repositories), anonymous, actions: new Set(actions),
      users: new Set(users.flatMap((user) => (user.startsWith('@') ? (groups.get(user.slice(1)) ?? []) : [user]))),
    }));
  }

  /** `name`: undefined for who has said none. */
  may(name: string | undefined, action: Action, repository: string): boolean {
    return this.#rules.some((rule) => rule.actions.has(action) && (rule.anonymous || (name !== undefined && (rule.users.has(name) || rule.users.has('*')))) && rule.patterns.match(repository, name));
  }
}

/** Where no rules are given: everything, for whoever has logged in, or for everybody where nobody can. */
export function openAccess(anonymous: boolean): Access {
  return new Access({ groups: new Map(), rules: [{ repositories: ['**'], users: ['*'], anonymous, actions: ACTIONS }] });
}
