/**
 * The runtime configuration of a container: plain data, so that it can be posted to a worker, written
 * to a file or made from an OCI configuration. Its words follow the OCI runtime-spec.
 *
 * Every path, name, argument and variable is a byte string (latin1), as in the kernel.
 */
import type { LayerPaths } from '../fs/layer-files.ts';
import type { OutboundLimits, PublishedPort } from '../net/index.ts';

export type { LayerPaths, OutboundLimits, PublishedPort };

export interface ContainerConfig {
  /** Host directory that becomes the lower layer of `/`. The container's writes go to memory above it. On a host without files, `/` is empty. */
  readonly root: string;
  /** Layers of an image, the lowest first: the lower layer of `/` instead of `root`. Host paths of their tars and indexes. */
  readonly layers?: readonly LayerPaths[];
  readonly mounts: readonly MountConfig[];
  /** Host paths that are not shown, wherever they would appear. */
  readonly hide: readonly string[];
  /** True: nothing can be written except tmpfs and writable mounts. */
  readonly readOnly: boolean;
  readonly hostname: string;
  readonly limits: LimitsConfig;
  /** `/sys/fs/cgroup` is not mounted read-only. */
  readonly writableCgroups?: boolean;
  readonly network: NetworkConfig;
  /** Its kernel has io_uring(7). Absent: its calls answer ENOSYS. */
  readonly ioUring?: boolean;
  /** Makes random numbers and addresses repeatable. */
  readonly seed?: number;
  readonly tier?: 'both' | 'interpreter' | 'translator';
  /** What CPUID reports: x86-64-v2 (default), or v3 with AVX2, BMI and FMA. */
  readonly cpu?: 'v2' | 'v3';
}

export type MountConfig =
  | {
    readonly kind: 'bind'; readonly source: string; readonly destination: string; readonly writable: boolean;
    /** Absent: owners are the host's. Otherwise they are kept in this file, and those of the host's user are root's. */
    readonly owners?: { readonly path: string; readonly uid: number; readonly gid: number };
  }
  | { readonly kind: 'tmpfs'; readonly destination: string; readonly sizeBytes?: number }
  /** A directory or file of an image's layers, the lowest first; none: an empty directory with these attributes. What is written stays in memory (`Container.changesOf`). */
  | {
    readonly kind: 'layers'; readonly layers: readonly LayerPaths[]; readonly source: string; readonly destination: string; readonly readOnly: boolean;
    readonly mode?: number; readonly uid?: number; readonly gid?: number;
  }
  /** One file in memory. */
  | { readonly kind: 'file'; readonly destination: string; readonly bytes: Uint8Array; readonly mode: number; readonly uid: number; readonly gid: number }
  /** A unix socket of the host, by its path: bytes go through. Whatever the network, who may open it inside talks with it. */
  | { readonly kind: 'socket'; readonly source: string; readonly destination: string; readonly mode: number; readonly uid: number; readonly gid: number };

export interface LimitsConfig {
  /** Memory that all processes and files in memory (tmpfs) may use together: memory.max. Who asks for more is killed. Absent: no bound, and 4 GiB are shown. */
  readonly memoryBytes?: number;
  /** What is written above the root, which stands for a disk. Absent: as `memoryBytes`, or 1 GiB. */
  readonly writableBytes?: number;
  /** What of that earlier starts have taken: what lies in their layers. */
  readonly writtenBytes?: number;
  /** memory.low */
  readonly reservationBytes?: number;
  /** memory.swap.max; there is no swap. */
  readonly swapBytes?: number;
  /** Processes and threads at a time: pids.max. */
  readonly tasks: number;
  /** cpu.max: microseconds of each period (default: 100000) that its processes may run. */
  readonly cpuQuotaUs?: number;
  readonly cpuPeriodUs?: number;
  /** 2 to 262144, where 1024 is the default; cpu.weight follows from it. Who runs the container also weighs its process so on the host. */
  readonly cpuShares?: number;
  /** cpuset.cpus */
  readonly cpuset?: string;
  /** io.max of its root: bytes and operations a second. */
  readonly io?: { readonly rbps?: number; readonly wbps?: number; readonly riops?: number; readonly wiops?: number };
  /** oom_score_adj of its programs, -1000 to 1000. */
  readonly oomScoreAdjust?: number;
}

export interface NetworkMembership {
  /** By name. */
  readonly network: string;
  /** What the others on it may call it, beside its own name; in lower case. */
  readonly aliases: readonly string[];
  /** IPv4. Absent: any free one at each start. */
  readonly address?: string;
}

export interface NetworkConfig {
  /** `none`: loopback and unix sockets only. `outbound`: the host's sockets for public addresses. */
  readonly mode: 'none' | 'outbound';
  /** Names, addresses and CIDR ranges, each with an optional `:PORT`. Where this is not empty, only these may be reached. */
  readonly allow: readonly string[];
  /** The same: these may not be reached, whatever is allowed. */
  readonly deny?: readonly string[];
  /** Of what goes out and comes back. */
  readonly limits?: OutboundLimits;
  /** Whom the gateway asks for names, `ADDRESS` or `ADDRESS:PORT`. Absent: the host's resolver. */
  readonly nameServers?: readonly string[];
  /** A file of the host for what is refused, a byte string: who runs the container writes it. */
  readonly log?: string;
  /** Headers for what goes to a host, as in `--inject-header`: who runs the container puts them in. */
  readonly headers?: readonly string[];
  /** Networks that it is on with others; who starts it joins them (`ContainerOptions.memberships`). The first one has the default route. */
  readonly members?: readonly NetworkMembership[];
  /** Ports of the host that lead in (`Container.publish`). Whatever the mode: connections come in by them, and none goes out. */
  readonly ports?: readonly PublishedPort[];
}

export interface UserConfig {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
}

/** One program to run. */
export interface ProcessConfig {
  readonly argv: readonly string[];
  /** `NAME=VALUE` */
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: UserConfig;
  /** Names as in capability.h without CAP_, lower case. */
  readonly capabilities: readonly string[];
  readonly rlimits: readonly RlimitConfig[];
  /** Present: the program gets a pseudo-terminal of this size as descriptors 0 to 2. */
  readonly terminal?: { readonly rows: number; readonly columns: number };
  readonly umask?: number;
}

export interface RlimitConfig {
  /** As in ulimit flags of Docker: `nofile`, `core`, `stack`, ... */
  readonly name: string;
  /** Infinity for no limit. */
  readonly soft: number;
  readonly hard: number;
}

/** How a program ended: an exit code, or a signal's number. */
export type ExitStatus = { readonly code: number; readonly signal?: undefined } | { readonly code?: undefined; readonly signal: number };

export const DEFAULT_LIMITS: LimitsConfig = { tasks: 4096 };

/** Docker's default set for uid 0: enough for package managers and servers, nothing that configures the system. */
export const DEFAULT_CAPABILITIES: readonly string[] = [
  'audit_write', 'chown', 'dac_override', 'fowner', 'fsetid', 'kill', 'mknod', 'net_bind_service', 'net_raw', 'setfcap', 'setgid', 'setpcap', 'setuid', 'sys_chroot',
];
