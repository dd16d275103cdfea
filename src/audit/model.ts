/**
 * One model of a container's configuration, whatever it was written in: what was declared, before what the engine makes of it
 * (`effective.ts` says that). Changes are made to what was declared, so that a corrected configuration can be judged again.
 */

export type InputKind = 'command' | 'docker-inspect' | 'podman-inspect' | 'compose' | 'kubernetes' | 'oci' | 'caisson' | 'image';

export type NamespaceName = 'pid' | 'network' | 'ipc' | 'uts' | 'user' | 'cgroup';
/** `own`: one of its own. `shared`: that of another container or of its pod. `unshown`: this kind of input does not say. */
export type NamespaceUse = 'own' | 'host' | 'shared' | 'unshown';

/** `default`: the engine's own profile. `unset`: nothing was said, which means none in Kubernetes. `custom`: one that was named. */
export type Confinement = 'default' | 'unset' | 'unconfined' | 'custom';

export interface Mount {
  readonly kind: 'bind' | 'volume' | 'tmpfs' | 'other';
  /** Host path of a bind mount; name of a volume; empty for others. */
  readonly source: string;
  readonly destination: string;
  readonly readOnly: boolean;
  /** As in mount(8): `rprivate`, `rslave`, `rshared` and those without r; empty where it is the default. */
  readonly propagation: string;
  /** For a volume of Kubernetes: its type (`emptyDir`, `nfs`, …). */
  readonly volumeType: string;
}

export interface Device {
  /** On the host. `all`: every device. */
  readonly path: string;
  /** Of r, w, m. */
  readonly permissions: string;
  /** It is known to be a block device, whatever its name. */
  readonly isBlock: boolean;
}

export interface Port {
  /** Empty: every address. */
  readonly hostAddress: string;
  /** 0: one that the engine picks. */
  readonly hostPort: number;
  readonly containerPort: number;
}

export interface RestartPolicy {
  readonly name: string;
  /** 0: no bound. */
  readonly retries: number;
}

/** Commands run in a container beside its own: `docker exec`. */
export interface ExecUse {
  readonly privileged: boolean;
  readonly user: string;
}

/** What an input does not show is undefined, and no rule judges it. */
export interface Configuration {
  readonly kind: InputKind;
  /** Whose defaults apply. */
  readonly engine: 'docker' | 'podman' | 'kubernetes' | 'oci' | 'caisson' | 'image';
  readonly name: string;
  readonly image: string | undefined;
  readonly privileged: boolean;
  /** What there is before `add` and `drop`: the engine's default set, or nothing where all are listed. */
  readonly capabilities: { readonly base: 'docker' | 'podman' | 'none'; readonly add: readonly string[]; readonly drop: readonly string[] };
  /** Empty: the image's own, which is root unless `imageUser` says otherwise. */
  readonly user: string;
  /** Kubernetes: `runAsNonRoot`. */
  readonly mustBeNonRoot: boolean;
  readonly namespaces: Readonly<Record<NamespaceName, NamespaceUse>>;
  readonly mounts: readonly Mount[];
  readonly devices: readonly Device[];
  /** `b 8:* rwm` and the like. */
  readonly deviceRules: readonly string[];
  readonly gpus: boolean;
  readonly seccomp: Confinement;
  readonly apparmor: Confinement;
  /** `disabled`: no label at all; otherwise the type that was asked for. */
  readonly selinux: { readonly state: 'default' | 'disabled' | 'custom'; readonly type: string; readonly user: string; readonly role: string };
  readonly noNewPrivileges: boolean;
  /** The parts of /proc and /sys that engines cover are open. */
  readonly unmaskedPaths: boolean;
  readonly readOnlyRoot: boolean;
  /** Bytes; 0: no bound. */
  readonly memory: number | undefined;
  /** A share or a bound was set. */
  readonly cpuBounded: boolean | undefined;
  /** 0 or below: no bound. */
  readonly pids: number | undefined;
  readonly ulimits: readonly string[] | undefined;
  readonly restart: RestartPolicy | undefined;
  /** `off`: switched off here. `none`: there is none, in the image neither. `image`: what the image says. */
  readonly healthCheck: 'on' | 'off' | 'none' | 'image' | undefined;
  readonly ports: readonly Port[];
  readonly publishAll: boolean;
  /** The default bridge is used, as opposed to a network that was made. */
  readonly defaultBridge: boolean;
  /** Undefined: there is no parent of its own. */
  readonly cgroupParent: string | undefined;
  readonly sysctls: ReadonlyMap<string, string>;
  readonly environment: ReadonlyMap<string, string>;
  readonly command: readonly string[];
  readonly workingDirectory: string;
  /** `runsc`, `kata`, …; empty: the engine's own. */
  readonly runtime: string;
  /** `--disable-content-trust=false` was asked for; undefined: nothing was said. */
  readonly contentTrust: boolean | undefined;
  readonly execs: readonly ExecUse[];
  /** Kubernetes only. */
  readonly serviceAccountToken: boolean;
  readonly windowsHostProcess: boolean;
  /** A probe or hook of Kubernetes that names a host of its own. */
  readonly probeHosts: readonly string[];
  /** Images only: what made each layer, as their history says. */
  readonly steps: readonly string[] | undefined;
  /** Caisson only: `none`, `outbound`. */
  readonly reach: 'none' | 'outbound' | undefined;
}

const OWN: Configuration['namespaces'] = { pid: 'own', network: 'own', ipc: 'own', uts: 'own', user: 'host', cgroup: 'own' };

/** A container of which nothing but its kind was said, with Docker's defaults. */
export const PLAIN: Omit<Configuration, 'kind' | 'engine' | 'name'> = {
  image: undefined, privileged: false, capabilities: { base: 'docker', add: [], drop: [] }, user: '', mustBeNonRoot: false, namespaces: OWN, mounts: [], devices: [], deviceRules: [], gpus: false,
  seccomp: 'default', apparmor: 'default', selinux: { state: 'default', type: '', user: '', role: '' }, noNewPrivileges: false, unmaskedPaths: false, readOnlyRoot: false,
  memory: 0, cpuBounded: false, pids: 0, ulimits: [], restart: { name: 'no', retries: 0 }, healthCheck: 'image', ports: [], publishAll: false, defaultBridge: true, cgroupParent: undefined,
  sysctls: new Map(), environment: new Map(), command: [], workingDirectory: '', runtime: '', contentTrust: undefined, execs: [], serviceAccountToken: false, windowsHostProcess: false, probeHosts: [], steps: undefined, reach: undefined,
};
