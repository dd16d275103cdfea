/** A project in its long form: what the loader answers, once it has been checked against the shapes. */
import type { JsonObject } from '../image/index.ts';

export interface PortSetting {
  readonly target: number;
  /** A port or a range of this machine. Absent: any free one. */
  readonly published?: string;
  readonly host_ip?: string;
  readonly protocol: string;
}

export interface MountSetting {
  readonly type: string;
  readonly source?: string;
  readonly target: string;
  readonly read_only?: boolean;
  readonly bind?: { readonly create_host_path?: boolean };
  readonly volume?: { readonly nocopy?: boolean };
  readonly tmpfs?: { readonly size?: string };
}

/** A secret or a config in a service. */
export interface GrantSetting {
  readonly source: string;
  readonly target?: string;
  readonly uid?: string;
  readonly gid?: string;
  readonly mode?: string;
}

export interface BuildSetting {
  readonly context?: string;
  readonly dockerfile?: string;
  readonly dockerfile_inline?: string;
  readonly args?: Readonly<Record<string, string | null>>;
  readonly target?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly tags?: readonly string[];
  readonly no_cache?: boolean;
  readonly pull?: boolean;
  readonly additional_contexts?: Readonly<Record<string, string>>;
  readonly cache_from?: readonly string[];
  readonly cache_to?: readonly string[];
  readonly no_cache_filter?: readonly string[];
  readonly ssh?: Readonly<Record<string, string | null>>;
  readonly network?: string;
  readonly platforms?: readonly string[];
  readonly provenance?: string;
  readonly secrets?: readonly GrantSetting[];
}

export type DependencyCondition = 'service_started' | 'service_healthy' | 'service_completed_successfully';

export interface Dependency {
  readonly condition: DependencyCondition;
  readonly required: boolean;
  /** It is started again when that one is. */
  readonly restart?: boolean;
}

export interface HealthSetting {
  readonly test?: readonly string[];
  readonly interval?: string;
  readonly timeout?: string;
  readonly retries?: number;
  readonly start_period?: string;
  readonly start_interval?: string;
  readonly disable?: boolean;
}

/** Names are the specification's. Sizes are texts of bytes, times as Go writes them, paths absolute. */
export interface ServiceSettings {
  readonly image?: string;
  readonly build?: BuildSetting;
  readonly container_name?: string;
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  /** Null: a variable of whoever starts it. */
  readonly environment?: Readonly<Record<string, string | null>>;
  readonly ports?: readonly PortSetting[];
  readonly expose?: readonly string[];
  readonly volumes?: readonly MountSetting[];
  readonly tmpfs?: readonly string[];
  readonly networks?: Readonly<Record<string, { readonly aliases?: readonly string[]; readonly ipv4_address?: string; readonly gw_priority?: number } | null>>;
  readonly network_mode?: string;
  readonly depends_on?: Readonly<Record<string, Dependency>>;
  readonly links?: readonly string[];
  readonly healthcheck?: HealthSetting;
  readonly restart?: string;
  readonly deploy?: {
    readonly mode?: string;
    readonly replicas?: number;
    readonly resources?: { readonly limits?: { readonly cpus?: number; readonly memory?: string; readonly pids?: number }; readonly reservations?: { readonly memory?: string } };
    readonly restart_policy?: { readonly condition?: string; readonly max_attempts?: number };
  };
  readonly scale?: number;
  readonly profiles?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly label_file?: readonly string[];
  readonly user?: string;
  readonly working_dir?: string;
  readonly hostname?: string;
  readonly tty?: boolean;
  readonly stdin_open?: boolean;
  readonly init?: boolean;
  readonly read_only?: boolean;
  readonly cap_add?: readonly string[];
  readonly cap_drop?: readonly string[];
  readonly ulimits?: Readonly<Record<string, { readonly soft: number; readonly hard: number }>>;
  readonly stop_signal?: string;
  readonly stop_grace_period?: string;
  readonly mem_limit?: string;
  readonly mem_reservation?: string;
  readonly memswap_limit?: string;
  readonly cpus?: number;
  readonly cpu_shares?: string;
  readonly cpu_quota?: string;
  readonly cpu_period?: string;
  readonly pids_limit?: number;
  readonly oom_score_adj?: number;
  readonly storage_opt?: { readonly size?: string };
  readonly secrets?: readonly GrantSetting[];
  readonly configs?: readonly GrantSetting[];
  readonly logging?: { readonly driver?: string; readonly options?: Readonly<Record<string, string>> };
  readonly extra_hosts?: readonly string[];
  readonly dns?: readonly string[];
  readonly pull_policy?: string;
  readonly attach?: boolean;
  readonly 'x-caisson'?: { readonly network?: 'none' | 'outbound'; readonly 'allow-net'?: readonly string[] };
}

/** What a file says and is not done here. */
export interface Note {
  /** A line: where it is, and why. */
  readonly text: string;
  /** Leaving it out would mean something else than what was asked for. */
  readonly isRefused: boolean;
}

export interface Service {
  readonly name: string;
  readonly settings: ServiceSettings;
  /** How many containers it has. */
  readonly scale: number;
  /** Of the services that it waits for. */
  readonly dependencies: ReadonlyMap<string, Dependency>;
  /** As it is printed, and what its containers are compared by. */
  readonly document: JsonObject;
  readonly notes: readonly Note[];
}

export interface ProjectNetwork {
  /** On this machine: with the project's name, unless it is external. */
  readonly name: string;
  readonly external: boolean;
  readonly internal: boolean;
  readonly subnet: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

export interface ProjectVolume {
  readonly name: string;
  readonly external: boolean;
  readonly labels: Readonly<Record<string, string>>;
}

/** A secret or a config: where its bytes are. */
export interface ProjectFile {
  readonly file?: string;
  /** What the variable, or the file itself, says. */
  readonly content?: string;
}

export interface Project {
  readonly name: string;
  readonly directory: string;
  readonly files: readonly string[];
  /** In the order in which they can be started. */
  readonly services: readonly Service[];
  /** Those of which no profile is active. */
  readonly disabled: readonly string[];
  readonly networks: ReadonlyMap<string, ProjectNetwork>;
  readonly volumes: ReadonlyMap<string, ProjectVolume>;
  readonly secrets: ReadonlyMap<string, ProjectFile>;
  readonly configs: ReadonlyMap<string, ProjectFile>;
  readonly profiles: readonly string[];
  /** Everything in its long form, as `config` prints it. */
  readonly document: JsonObject;
  /** Of what the files say beside services. */
  readonly notes: readonly Note[];
}
