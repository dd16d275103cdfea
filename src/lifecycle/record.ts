/** What a container was made with: `config.json` in its directory. Only `update` writes it again. */
import type { ContainerConfig, NetworkMembership, RlimitConfig } from '../container/index.ts';
import type { DiffId, Digest, ProcessDefaults } from '../image/index.ts';
import type { HealthCheck } from './health.ts';
import type { RestartPolicy } from './restart.ts';

/** Raised when a later Caisson writes what an earlier one cannot read. */
const VERSION = 1;

/** What the caller said of the process; texts are byte strings. Users are looked up again at each start, in the container as it is then. */
export interface ProcessInputs {
  readonly command: readonly string[];
  readonly entrypoint: readonly string[] | undefined;
  readonly user: string | undefined;
  readonly workingDirectory: string | undefined;
  /** `NAME=VALUE`, over the image's. */
  readonly env: readonly string[];
  /** Names of capability.h in lower case. */
  readonly addCapabilities: readonly string[];
  readonly dropCapabilities: readonly string[];
  readonly rlimits: readonly RlimitConfig[];
  readonly terminal: boolean;
  /** Standard input is passed on, or kept open. */
  readonly input: boolean;
}

/** A volume in a container. */
export interface VolumeUse {
  readonly name: string;
  /** A byte string. */
  readonly destination: string;
  readonly writable: boolean;
  /** It goes with the container, where that is asked for. */
  readonly isAnonymous: boolean;
}

/** Not part of what a container changes. */
export interface GivenFile {
  /** A byte string. */
  readonly destination: string;
  readonly base64: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** How what it does is watched, at each start. */
export interface WatchRecord {
  /** Files of rules as they were then; without a text, the set of our own. */
  readonly rules: readonly { readonly name: string; readonly text?: string }[];
  /** `--on-rule` */
  readonly onRule: readonly string[];
  /** Where the stream goes: a path, `-` for standard error, `unix:`, `tcp:`, or a URL of a webhook. */
  readonly events?: string;
  readonly alerts?: string;
  readonly use?: string;
  /** Of the stream and of alerts. Default: our own. */
  readonly format?: 'ocsf';
  /** Where a profile of what it does is written, or added to. */
  readonly learn?: string;
  /** The profile that it is held to, as its file was then. */
  readonly profile?: { readonly name: string; readonly text: string; readonly mode: 'enforce' | 'complain' };
  /** A second, of each rule. */
  readonly alertRate?: number;
}

export interface ContainerRecord {
  /** 64 hexadecimal digits. */
  readonly id: string;
  readonly createdMs: number;
  readonly image: {
    /** As it was typed. */
    readonly name: string;
    readonly id: Digest;
    readonly manifest: Digest;
    readonly layers: readonly DiffId[];
  };
  readonly defaults: ProcessDefaults;
  readonly process: ProcessInputs;
  readonly container: Omit<ContainerConfig, 'layers'>;
  /** The image's and its own. */
  readonly labels: Readonly<Record<string, string>>;
  /** It goes when it ends. */
  readonly autoRemove: boolean;
  /** Absent: the image's, or SIGTERM. */
  readonly stopSignal: string | undefined;
  readonly stopTimeoutS: number | undefined;
  readonly log: { readonly maxBytes: number; readonly maxFiles: number };
  readonly timeoutMs: number | undefined;
  /** Absent: it is not started again. */
  readonly restart?: RestartPolicy;
  /** Absent: nobody looks. */
  readonly health?: HealthCheck | undefined;
  /** `--init`. */
  readonly init?: boolean;
  readonly volumes?: readonly VolumeUse[];
  /** Lines of `/etc/hosts` beside its own: a name, and its address. */
  readonly hosts?: readonly (readonly [name: string, address: string])[];
  /** Files in memory that it finds at each start: secrets and configurations that are no files of this machine. */
  readonly files?: readonly GivenFile[];
  /** Absent: nobody watches. */
  readonly watch?: WatchRecord;
}

/** JSON has no infinity, which a limit may be. */
const UNLIMITED = 'unlimited';

export function encodeRecord(record: ContainerRecord): Uint8Array {
  const text = JSON.stringify({ version: VERSION, ...record }, (_, value: unknown) => (value === Infinity ? UNLIMITED : value));
  return new TextEncoder().encode(`${text}\n`);
}

function isRecord(value: unknown): value is ContainerRecord & { readonly version: number } {
  if (typeof value !== 'object' || value === null) return false;
  const { version, id, createdMs, image, defaults, process, container, labels } = value as Partial<Record<string, unknown>>;
  if (version !== VERSION || typeof id !== 'string' || typeof createdMs !== 'number') return false;
  if (![image, defaults, process, container, labels].every((part) => typeof part === 'object' && part !== null)) return false;
  const { layers, manifest } = image as Partial<ContainerRecord['image']>;
  return Array.isArray(layers) && typeof manifest === 'string' && Array.isArray((process as Partial<ProcessInputs>).command);
}

/** One that was made when a container was on one network at most. */
function withMembers(record: ContainerRecord): ContainerRecord {
  const { member, ...network } = record.container.network as ContainerConfig['network'] & { readonly member?: NetworkMembership };
  return member === undefined ? record : { ...record, container: { ...record.container, network: { ...network, members: [member] } } };
}

/** Undefined: it is cut short, spoiled or of another version. */
export function decodeRecord(bytes: Uint8Array, id: string): ContainerRecord | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes), (key, item: unknown) => (item === UNLIMITED && (key === 'soft' || key === 'hard') ? Infinity : item));
    return isRecord(value) && value.id === id ? withMembers(value) : undefined;
  } catch {
    return undefined;
  }
}
