/** What a sandbox is made of, as its user says it, and as a container's configuration. */
import { DEFAULT_CAPABILITIES, DEFAULT_LIMITS } from '../container/index.ts';
import type { ContainerConfig, LayerPaths, MountConfig, UserConfig } from '../container/index.ts';
import { hiddenPaths } from './hidden-paths.ts';
import { toByteString } from './text.ts';

export interface SandboxMount {
  /** A host directory or file. Without it: an empty directory in memory. */
  readonly source?: string;
  readonly destination: string;
  /** Default false: read-only. Always true for memory. */
  readonly writable?: boolean;
  /** Of a directory in memory. */
  readonly sizeBytes?: number;
}

export interface SandboxOptions {
  /** Host directory that is seen as `/`, read-only with a copy in memory above. Default: `/`. */
  readonly root?: string;
  /**
   * An image of the user's store instead of a directory (`caisson pull` and `caisson load` fill it): its environment, working directory and user are the
   * defaults for commands, and nothing of the host is seen except mounts.
   */
  readonly image?: string;
  readonly mounts?: readonly SandboxMount[];
  /** Paths below the root that are not shown, beside the places where credentials live. */
  readonly hide?: readonly string[];
  /** Of those places, the ones that are shown. */
  readonly show?: readonly string[];
  readonly readOnly?: boolean;
  /** Default `'none'`. A list of names, addresses and CIDR ranges: only these may be reached. */
  readonly net?: 'none' | 'outbound' | { readonly allow: readonly string[] };
  readonly limits?: { readonly memoryBytes?: number; readonly tasks?: number };
  readonly hostname?: string;
  /** Default for commands: uid 0 with Docker's default capabilities if this process is root, else its own user. */
  readonly user?: UserConfig;
  /** Default for commands. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly seed?: number;
  readonly tier?: 'both' | 'interpreter' | 'translator';
}

export const DEFAULT_ENVIRONMENT: Readonly<Record<string, string>> = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
  LANG: 'C.UTF-8',
};

function toMount({ source, destination, writable, sizeBytes }: SandboxMount): MountConfig {
  if (source !== undefined) return { kind: 'bind', source: toByteString(source), destination: toByteString(destination), writable: writable === true };
  return { kind: 'tmpfs', destination: toByteString(destination), ...(sizeBytes === undefined ? {} : { sizeBytes }) };
}

/** `homes`: the home directories on the host, in which credentials are looked for. */
export function toContainerConfig(options: SandboxOptions, homes: readonly string[], layers?: readonly LayerPaths[]): ContainerConfig {
  const root = toByteString(options.root ?? '/');
  const net = options.net ?? 'none';
  return {
    root,
    ...(layers === undefined ? {} : { layers }),
    mounts: (options.mounts ?? []).map(toMount),
    hide: hiddenPaths(root, homes, (options.hide ?? []).map(toByteString), (options.show ?? []).map(toByteString)),
    readOnly: options.readOnly === true,
    hostname: toByteString(options.hostname ?? 'sandbox'),
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    network: typeof net === 'string' ? { mode: net, allow: [] } : { mode: 'outbound', allow: net.allow },
    ...(options.seed === undefined ? {} : { seed: options.seed }),
    ...(options.tier === undefined ? {} : { tier: options.tier }),
  };
}

/** Capabilities that a user starts with. */
export function capabilitiesOf(user: UserConfig): readonly string[] {
  return user.uid === 0 ? DEFAULT_CAPABILITIES : [];
}
