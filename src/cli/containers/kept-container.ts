/** A container that is kept becomes one that runs, in this process. */
import { accountReader, processOf } from '../../container/index.ts';
import type { Container, LayerPaths, Membership, ProcessConfig } from '../../container/index.ts';
import type { ImageStore } from '../../image/index.ts';
import { bytesOf } from '../../lifecycle/index.ts';
import type { ContainerRecord } from '../../lifecycle/index.ts';
import { withAccounts } from '../accounts.ts';
import { toByteString, toText } from '../bytes.ts';
import { createContainer } from './launch.ts';
import { capabilitiesOf } from '../option-values.ts';
import type { TerminalFacts } from '../option-values.ts';

/** Where Docker puts what a container is called. */
const HOSTS = '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n';
/** Of a terminal whose size nobody knows. */
const DEFAULT_SIZE: TerminalFacts = { rows: 24, columns: 80 };

/** Of a machine without a network but its own (Debian's installer writes that). */
const NO_ADDRESS = '127.0.1.1';

/** What Docker writes into every container: not part of what a command changes. */
function writeOwnFiles(container: Container, hostname: string): void {
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  container.provideFile('/etc/hostname', encode(`${hostname}\n`));
  container.provideFile('/etc/hosts', encode(`${HOSTS}${container.address ?? NO_ADDRESS}\t${hostname}\n`));
}

/** What differs from the container's own process, as `exec` says it. */
export interface ProcessChanges {
  /** Instead of entrypoint and command. */
  readonly argv?: readonly string[];
  readonly user?: string | undefined;
  readonly workingDirectory?: string | undefined;
  /** `NAME=VALUE`, over the container's. */
  readonly env?: readonly string[];
  readonly terminal?: boolean;
}

/** `size`: of the terminal, where the process has one. @throws UserError */
export function processConfig(container: Container, record: ContainerRecord, size: TerminalFacts | undefined, changes: ProcessChanges = {}): ProcessConfig {
  const { process: inputs, defaults } = record;
  const terminal = changes.terminal ?? inputs.terminal;
  const made = withAccounts(() => processOf(defaults, {
    command: changes.argv ?? inputs.command, user: changes.user ?? inputs.user, hostname: record.container.hostname, terminal,
    workingDirectory: changes.workingDirectory ?? inputs.workingDirectory, entrypoint: changes.argv === undefined ? inputs.entrypoint : [],
  }, accountReader(container.files)));
  const variables = new Map([...made.env, ...inputs.env, ...(changes.env ?? [])].map((entry) => [entry.split('=', 1)[0], entry]));
  return {
    ...made, env: [...variables.values()], capabilities: capabilitiesOf(made.user, inputs.addCapabilities, inputs.dropCapabilities),
    rlimits: inputs.rlimits, umask: 0o022, ...(terminal ? { terminal: size ?? DEFAULT_SIZE } : {}),
  };
}

export interface OpenedContainer {
  readonly container: Container;
  readonly spec: ProcessConfig;
}

function depthOf(path: string): number {
  return path.split('/').length;
}

export interface OpenOptions {
  /** Absent: the store cannot be written, and it has no volumes. */
  readonly store: ImageStore | undefined;
  readonly layers: readonly LayerPaths[];
  /** Of its terminal, if it has one. */
  readonly size?: TerminalFacts | undefined;
  /** Of its network, where it is on one. */
  readonly membership?: Membership | undefined;
}

/** Its kernel and its tree, and what is to be run. @throws UserError */
export async function openContainer(record: ContainerRecord, { store, layers, size, membership }: OpenOptions): Promise<OpenedContainer> {
  const volumes = record.volumes === undefined || store === undefined ? [] : (await import('../volumes/volume-files.ts')).volumeMounts(store, record);
  // Those above come first, so that none covers another.
  const mounts = volumes.length === 0 ? record.container.mounts : [...record.container.mounts, ...volumes].sort((one, other) => depthOf(one.destination) - depthOf(other.destination));
  const limits = { ...record.container.limits, writtenBytes: store === undefined ? 0 : bytesOf(store.disk, layers.slice(record.image.layers.length)) };
  const container = await createContainer({ ...record.container, limits, mounts, layers }, membership);
  const spec = processConfig(container, record, size);
  if (!record.container.readOnly) for (const directory of [spec.cwd, ...record.defaults.volumes.map(toByteString)]) container.provideDirectory(directory);
  writeOwnFiles(container, toText(record.container.hostname));
  return { container, spec };
}
