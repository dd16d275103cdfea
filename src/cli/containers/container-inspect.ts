/** `inspect` of a container: fields as Docker names them (API 1.43, ContainerInspect), as far as there is something to say. */
import type { Containers, HealthCheck, HealthState, VolumeUse, WholeContainer } from '../../lifecycle/index.ts';
import { toText } from '../bytes.ts';
import { OWN_NETWORK, PUBLISHED6 } from '../../container/index.ts';
import type { LimitsConfig } from '../../container/index.ts';
import { commandOf, statusOf } from './container-facts.ts';
import { bindingFields, portFields } from '../networks/published-ports.ts';
import type { TemplateValue } from '../template.ts';

/** Docker's way of saying that there is no such time. */
const NEVER = '0001-01-01T00:00:00Z';

function time(milliseconds: number | undefined): string {
  return milliseconds === undefined ? NEVER : new Date(milliseconds).toISOString();
}

type Fields = { readonly [key: string]: TemplateValue };

function healthFields({ status, failingStreak, log }: HealthState): Fields {
  return { Status: status, FailingStreak: failingStreak, Log: log.map(({ startMs, endMs, exitCode, output }) => ({ Start: time(startMs), End: time(endMs), ExitCode: exitCode, Output: output })) };
}

function stateFields(container: WholeContainer): Fields {
  const { state } = container;
  return {
    Status: statusOf(container), Running: state.status === 'running', Paused: state.paused === true, Restarting: state.restarting === true, OOMKilled: state.oomKilled === true, Dead: false, Pid: state.pid ?? 0, ExitCode: state.exitCode, Error: state.error,
    StartedAt: time(state.startedMs), FinishedAt: time(state.status === 'running' && state.restarting !== true ? undefined : state.finishedMs),
    ...(state.health === undefined ? {} : { Health: healthFields(state.health) }),
  };
}

function volumeFields(containers: Containers, uses: readonly VolumeUse[]): readonly Fields[] {
  const dataPath = (name: string): string => toText(containers.store.disk.path('volumes', name, '_data'));
  return uses.map(({ name, destination, writable }) => ({ Type: 'volume', Name: name, Source: dataPath(name), Destination: toText(destination), Driver: 'local', Mode: '', RW: writable, Propagation: '' }));
}

function mountFields(containers: Containers, { record }: WholeContainer): readonly Fields[] {
  return [...volumeFields(containers, record.volumes ?? []), ...record.container.mounts.map((mount) => ({
    Type: mount.kind, Source: mount.kind === 'bind' ? toText(mount.source) : '', Destination: toText(mount.destination), Mode: '', RW: mount.kind !== 'bind' || mount.writable, Propagation: mount.kind === 'bind' ? 'rprivate' : '',
  }))];
}

/** In nanoseconds, as an image has them. */
function healthcheckFields({ test, intervalMs, timeoutMs, retries, startPeriodMs, startIntervalMs }: HealthCheck): Fields {
  const ns = (milliseconds: number): number => milliseconds * 1e6;
  return { Test: test, Interval: ns(intervalMs), Timeout: ns(timeoutMs), StartPeriod: ns(startPeriodMs), StartInterval: ns(startIntervalMs), Retries: retries };
}

/** `Config` of Docker's API, which `commit` begins with. */
export function configFields({ record }: WholeContainer): Fields {
  const { process: inputs, defaults, container, labels } = record;
  const entrypoint = inputs.entrypoint?.map(toText) ?? defaults.entrypoint;
  const command = inputs.command.length > 0 ? inputs.command.map(toText) : inputs.entrypoint === undefined ? defaults.cmd : [];
  const variables = new Map([...defaults.env, ...inputs.env.map(toText)].map((entry) => [entry.split('=', 1)[0], entry]));
  return {
    Hostname: toText(container.hostname), User: inputs.user ?? defaults.user, Tty: inputs.terminal, OpenStdin: inputs.input, Env: [...variables.values()], Cmd: command.length === 0 ? null : command,
    Image: record.image.name, WorkingDir: inputs.workingDirectory === undefined ? defaults.workingDirectory : toText(inputs.workingDirectory), Entrypoint: entrypoint.length === 0 ? null : entrypoint,
    Labels: labels, Volumes: Object.fromEntries(defaults.volumes.map((path) => [path, {}])), ExposedPorts: Object.fromEntries(defaults.exposedPorts.map((port) => [port, {}])),
    StopSignal: record.stopSignal ?? defaults.stopSignal ?? 'SIGTERM', ...(record.stopTimeoutS === undefined ? {} : { StopTimeout: record.stopTimeoutS }),
    ...(record.health === undefined ? {} : { Healthcheck: healthcheckFields(record.health) }),
  };
}

function limitFields(limits: LimitsConfig): Fields {
  const { memoryBytes = 0, reservationBytes = 0, swapBytes = 0, cpuQuotaUs = 0, cpuPeriodUs = 0, cpuShares = 0, cpuset = '', oomScoreAdjust = 0, writableBytes, tasks } = limits;
  return {
    Memory: memoryBytes, MemoryReservation: reservationBytes, MemorySwap: memoryBytes + swapBytes, CpuQuota: cpuQuotaUs, CpuPeriod: cpuPeriodUs, NanoCpus: cpuPeriodUs === 0 ? 0 : Math.round((cpuQuotaUs / cpuPeriodUs) * 1e9),
    CpuShares: cpuShares, CpusetCpus: cpuset, OomScoreAdj: oomScoreAdjust, PidsLimit: tasks, CgroupnsMode: 'private', StorageOpt: writableBytes === undefined ? null : { size: String(writableBytes) },
  };
}

function hostFields({ record }: WholeContainer): Fields {
  const { container, process: inputs, autoRemove, log } = record;
  return {
    Binds: [...(record.volumes ?? []).filter(({ isAnonymous }) => !isAnonymous).map(({ name, destination, writable }) => `${name}:${toText(destination)}:${writable ? 'rw' : 'ro'}`), ...container.mounts.flatMap((mount) => (mount.kind === 'bind' ? [`${toText(mount.source)}:${toText(mount.destination)}${mount.writable ? '' : ':ro'}`] : []))],
    LogConfig: { Type: 'cri', Config: { 'max-size': String(log.maxBytes), 'max-file': String(log.maxFiles) } }, NetworkMode: container.network.members?.[0]?.network ?? container.network.mode, PortBindings: bindingFields(record), RestartPolicy: { Name: record.restart?.name ?? 'no', MaximumRetryCount: record.restart?.maximumRetries ?? 0 }, ...(record.init === undefined ? {} : { Init: true }), AutoRemove: autoRemove,
    CapAdd: inputs.addCapabilities.map((name) => `CAP_${name.toUpperCase()}`), CapDrop: inputs.dropCapabilities.map((name) => `CAP_${name.toUpperCase()}`), Privileged: false, ReadonlyRootfs: container.readOnly,
    ...limitFields(container.limits), Ulimits: inputs.rlimits.map(({ name, soft, hard }) => ({ Name: name, Soft: soft === Infinity ? -1 : soft, Hard: hard === Infinity ? -1 : hard })),
    Tmpfs: Object.fromEntries(container.mounts.flatMap((mount) => (mount.kind === 'tmpfs' ? [[toText(mount.destination), mount.sizeBytes === undefined ? '' : `size=${mount.sizeBytes}`]] : []))),
  };
}

/** The address inside, on a network of its own. This machine reaches it by ports only. */
function networkFields(container: WholeContainer): Fields {
  const { mode, allow, deny = [], ports = [], members = [] } = container.record.container.network;
  const isRunning = container.state.status === 'running';
  const joined = isRunning ? container.state.networks ?? [] : [];
  const own = isRunning && members.length === 0 && (mode === 'outbound' || ports.length > 0) ? OWN_NETWORK : undefined;
  const fieldsOf = (network: { readonly address: string; readonly prefix: number; readonly gateway: string; readonly id?: string; readonly address6?: string } | undefined, hasPorts: boolean): Fields => ({
    IPAddress: network?.address ?? '', IPPrefixLen: network?.prefix ?? 0, Gateway: network?.gateway ?? '', GlobalIPv6Address: network?.address6 ?? (isRunning && hasPorts && ports.length > 0 ? PUBLISHED6.address : ''),
  });
  const networks = members.length === 0
    ? { [mode]: { ...fieldsOf(own, true), NetworkID: '', Aliases: [] } }
    : Object.fromEntries(members.map(({ network, aliases, address }, index) => {
      const found = joined.find(({ name }) => name === network);
      return [network, { IPAMConfig: address === undefined ? null : { IPv4Address: address }, ...fieldsOf(found, index === 0), NetworkID: found?.id ?? '', Aliases: aliases }];
    }));
  return {
    Ports: portFields(container), Outbound: { Mode: mode, Allow: allow, Deny: deny }, Refusals: container.state.refusals ?? {}, ...(members.length === 0 ? fieldsOf(own, true) : { IPAddress: '', Gateway: '' }), Networks: networks,
  };
}

export function containerInspection(containers: Containers, container: WholeContainer): Fields {
  const { id, name, record } = container;
  const [path = '', ...args] = commandOf(record);
  return {
    Id: id, Created: time(record.createdMs), Path: path, Args: args, State: stateFields(container), Image: record.image.id, LogPath: containers.pathOf(id, 'log'), Name: `/${name}`, RestartCount: container.state.restarts ?? 0,
    Driver: 'layers', Platform: 'linux', HostConfig: hostFields(container), Mounts: mountFields(containers, container), Config: configFields(container), SizeRw: containers.bytesOf(id),
    NetworkSettings: networkFields(container),
  };
}
