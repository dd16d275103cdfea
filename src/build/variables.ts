/** Which variables an instruction sees: ARG with its scopes, ENV above them (Dockerfile reference "ARG", "Scope", "Using ARG variables"). */
import type { Variables } from './expand.ts';

/** Usable in RUN without ARG; they are no part of a step's key and of the history. */
export const PREDEFINED_ARGS: readonly string[] = [
  'HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'FTP_PROXY', 'ftp_proxy', 'NO_PROXY', 'no_proxy', 'ALL_PROXY', 'all_proxy',
];
/** Known to the builder itself. */
export const BUILDER_ARGS: readonly string[] = ['SOURCE_DATE_EPOCH', 'BUILDKIT_SYNTAX', 'BUILDKIT_INLINE_CACHE', 'BUILDKIT_MULTI_PLATFORM', 'BUILDKIT_CONTEXT_KEEP_GIT_DIR', 'BUILDKIT_SANDBOX_HOSTNAME', 'BUILDKIT_DOCKERFILE_CHECK'];

/** There is one platform that this engine runs. */
export const PLATFORM_ARGS: ReadonlyMap<string, string> = new Map([
  ['TARGETPLATFORM', 'linux/amd64'], ['TARGETOS', 'linux'], ['TARGETARCH', 'amd64'], ['TARGETVARIANT', ''],
  ['BUILDPLATFORM', 'linux/amd64'], ['BUILDOS', 'linux'], ['BUILDARCH', 'amd64'], ['BUILDVARIANT', ''],
]);

/** What ARG declares before the first FROM, and what the caller gives. */
export class GlobalScope implements Variables {
  readonly #given: ReadonlyMap<string, string>;
  readonly #target: string | undefined;
  readonly #declared = new Map<string, string | undefined>();
  readonly used = new Set<string>();

  constructor(given: ReadonlyMap<string, string>, target: string | undefined) {
    this.#given = given;
    this.#target = target;
  }

  given(name: string): string | undefined {
    const value = this.#given.get(name);
    if (value !== undefined) this.used.add(name);
    return value;
  }
  platform(name: string): string | undefined {
    return name === 'TARGETSTAGE' ? this.#target ?? 'default' : PLATFORM_ARGS.get(name);
  }
  declare(name: string, fallback: string | undefined): void {
    this.#declared.set(name, this.given(name) ?? fallback ?? this.platform(name));
  }
  isDeclared(name: string): boolean {
    return this.#declared.has(name);
  }
  /** For FROM. */
  get(name: string): string | undefined {
    return this.#declared.has(name) ? this.#declared.get(name) : this.platform(name);
  }
  get names(): readonly string[] {
    return [...this.#declared.keys()];
  }
}

/** A stage's: ends with it. */
export class StageScope implements Variables {
  readonly #global: GlobalScope;
  readonly #env: () => ReadonlyMap<string, string>;
  readonly #args = new Map<string, string | undefined>();

  constructor(global: GlobalScope, env: () => ReadonlyMap<string, string>, inherited?: StageScope) {
    this.#global = global;
    this.#env = env;
    if (inherited !== undefined) for (const [name, value] of inherited.#args) this.#args.set(name, value);
  }

  /** `ARG NAME` takes the global value where there is one. */
  declare(name: string, fallback: string | undefined): void {
    const outer = fallback === undefined && this.#global.isDeclared(name) ? this.#global.get(name) : undefined;
    this.#args.set(name, this.#global.given(name) ?? fallback ?? outer ?? this.#global.platform(name));
  }
  get(name: string): string | undefined {
    return this.#env().get(name) ?? this.#args.get(name);
  }
  isDeclared(name: string): boolean {
    return this.#args.has(name) || this.#env().has(name);
  }
  get names(): readonly string[] {
    return [...this.#args.keys(), ...this.#env().keys()];
  }

  /** Arguments with a value, for a command's environment and the history. */
  get arguments(): ReadonlyMap<string, string> {
    return new Map([...this.#args].filter((entry): entry is [string, string] => entry[1] !== undefined));
  }
  /** Proxies and the like, which the caller gave and no ARG names. */
  get silent(): ReadonlyMap<string, string> {
    return new Map(PREDEFINED_ARGS.flatMap((name) => {
      const value = this.#args.has(name) ? undefined : this.#global.given(name);
      return value === undefined ? [] : [[name, value] as const];
    }));
  }
}
