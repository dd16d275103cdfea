/** What a sandbox is made of, as its user says it, and as a container's configuration. */
import * as capabilityNumbers from '../abi/capability.ts';
import { DEFAULT_CAPABILITIES, DEFAULT_LIMITS, parseAddress } from '../container/index.ts';
import type { ContainerConfig, LayerPaths, MountConfig, PublishedPort, UserConfig } from '../container/index.ts';
import { SandboxError } from './client.ts';
import { hiddenPaths } from './hidden-paths.ts';
import type { SandboxWatch } from './watch.ts';
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

/** A port of this machine that leads to one of the sandbox's, to what listens there outside of loopback. */
export interface SandboxPort {
  /** The sandbox's. */
  readonly port: number;
  /** Default `'tcp'`. */
  readonly protocol?: 'tcp' | 'udp';
  /** Of this machine. Default: any free one. */
  readonly hostPort?: number;
  /** An IP address of this machine. Default: 127.0.0.1 and, where there is IPv6, ::1. */
  readonly address?: string;
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
  /**
   * Default `'none'`. Rules are names, `*.NAME`, addresses and CIDR ranges, each with an optional `:PORT`: where there is `allow`, only that may be reached, and
   * never what `deny` names.
   */
  readonly net?: 'none' | 'outbound' | { readonly allow?: readonly string[]; readonly deny?: readonly string[] };
  /** Connections and datagrams come in by these, whatever `net` is; `Sandbox.ports` says where. Default: none. */
  readonly ports?: readonly SandboxPort[];
  readonly limits?: { readonly memoryBytes?: number; readonly tasks?: number };
  readonly hostname?: string;
  /** Default for commands: uid 0 with Docker's default capabilities if this process is root, else its own user. */
  readonly user?: UserConfig;
  /** Default for commands. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly seed?: number;
  readonly tier?: 'both' | 'interpreter' | 'translator';
  /** The processor that programs see: x86-64-v2 (default), or v3 with AVX2, BMI and FMA. */
  readonly cpu?: 'v2' | 'v3';
  /** Puts what its programs do before rules, and tells of it. Default: nobody watches, and it costs nothing. */
  readonly watch?: SandboxWatch;
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

const LAST_PORT = 65_535;

/** @throws RangeError for what is no port or no address. */
function toPublished({ port, protocol = 'tcp', hostPort = 0, address }: SandboxPort): PublishedPort {
  const isPort = (number: number, first: number): boolean => Number.isInteger(number) && number >= first && number <= LAST_PORT;
  if (!isPort(port, 1)) throw new RangeError(`the port ${port} is not a number from 1 to ${LAST_PORT}`);
  if (!isPort(hostPort, 0)) throw new RangeError(`the host's port ${hostPort} is not a number from 0 to ${LAST_PORT}`);
  if (address !== undefined && parseAddress(address) === undefined) throw new RangeError(`"${address}" is not an IP address`);
  return { port, protocol, hostPorts: [hostPort, hostPort], ...(address === undefined ? {} : { address }) };
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
    network: { ...(typeof net === 'string' ? { mode: net, allow: [] } : { mode: 'outbound', allow: net.allow ?? [], deny: net.deny ?? [] }), ports: (options.ports ?? []).map(toPublished) },
    ...(options.seed === undefined ? {} : { seed: options.seed }),
    ...(options.tier === undefined ? {} : { tier: options.tier }),
    ...(options.cpu === undefined ? {} : { cpu: options.cpu }),
  };
}

const KNOWN_CAPABILITIES = new Set(Object.entries(capabilityNumbers).flatMap(([name, value]) => (name.startsWith('CAP_') && typeof value === 'number' ? [name.slice(4).toLowerCase()] : [])));

/**
 * Capabilities that a user starts with, or those that are named.
 *
 * @throws SandboxError: EINVAL for a name that there is not.
 */
export function capabilitiesOf(user: UserConfig, named?: readonly string[]): readonly string[] {
  if (named === undefined) return user.uid === 0 ? DEFAULT_CAPABILITIES : [];
  return named.map((text) => {
    const name = text.toLowerCase().replace(/^cap_/, '');
    if (!KNOWN_CAPABILITIES.has(name)) throw new SandboxError(`cannot give the capability "${text}": there is none of that name`, 'EINVAL');
    return name;
  });
}
