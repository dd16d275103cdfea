/** A service of a Compose file as flags of `run`, so that each setting means what the flag of its name means, and what no flag says. */
import { existsSync, mkdirSync } from 'node:fs';
import { timeOf } from '../../compose/index.ts';
import type { GrantSetting, MountSetting, PortSetting, Project, Service, ServiceSettings } from '../../compose/index.ts';
import type { ContainerRecord, GivenFile } from '../../lifecycle/index.ts';
import { toByteString } from '../bytes.ts';
import { UserError } from '../errors.ts';
import { FlagValues } from '../flags.ts';

/** Kept with each container, so it is no place for data. */
const MOST_CONTENT_BYTES = 500_000;
const SECRET_DIRECTORY = '/run/secrets';
const OWN_LOGS = ['json-file', 'local', 'none', ''];
const RESTARTS: Readonly<Record<string, string>> = { any: 'always', none: 'no' };

type Flags = readonly (readonly [name: string, value: string | number | boolean | undefined])[];

/** `[IP:][HOST:]CONTAINER/PROTOCOL`. */
function portText({ target, published, host_ip: address, protocol }: PortSetting): string {
  const place = address === undefined ? '' : address.includes(':') ? `[${address}]:` : `${address}:`;
  return `${place}${place !== '' || published !== undefined ? `${published ?? ''}:` : ''}${target}/${protocol}`;
}

/** A directory of this machine that is not there yet is made, as Docker does it. */
function bindText({ source = '', target, read_only: readOnly, bind }: MountSetting, where: string): string {
  if (source.includes(':') || target.includes(':')) throw new UserError(`${where}: cannot mount "${source}" on "${target}": there is a colon in it`, 'rename it');
  if (!existsSync(source)) {
    if (bind?.create_host_path === false) throw new UserError(`${where}: cannot mount "${source}": no such file or directory`, 'make it');
    try {
      mkdirSync(source, { recursive: true });
    } catch (error) {
      throw new UserError(`${where}: cannot make "${source}": ${(error as Error).message}`, 'make it yourself', undefined, { cause: error });
    }
  }
  return `${source}:${target}${readOnly === true ? ':ro' : ''}`;
}

function mountFlags(project: Project, { name, settings }: Service): Flags {
  return (settings.volumes ?? []).map((mount) => {
    const { type, source, target, read_only: readOnly } = mount;
    if (type === 'bind') return ['volume', bindText(mount, `services.${name}.volumes`)];
    if (type === 'tmpfs') return ['tmpfs', `${target}${mount.tmpfs?.size === undefined ? '' : `:size=${mount.tmpfs.size}`}`];
    const volume = source === undefined ? '' : `${project.volumes.get(source)?.name ?? source}:`;
    const modes = [...(readOnly === true ? ['ro'] : []), ...(mount.volume?.nocopy === true ? ['nocopy'] : [])];
    return ['volume', `${volume}${target}${modes.length === 0 ? '' : `:${modes.join(',')}`}`];
  });
}

/** Secrets and configs that are files of this machine. */
function grantFlags(project: Project, { settings }: Service): Flags {
  const flagsOf = (grants: readonly GrantSetting[] = [], files: Project['secrets'], directory: string): Flags => grants.flatMap(({ source, target }) => {
    const file = files.get(source)?.file;
    return file === undefined ? [] : [['volume', `${file}:${placeOf(target ?? source, directory)}:ro`] as const];
  });
  return [...flagsOf(settings.secrets, project.secrets, SECRET_DIRECTORY), ...flagsOf(settings.configs, project.configs, '')];
}

function placeOf(target: string, directory: string): string {
  return target.startsWith('/') ? target : `${directory}/${target}`;
}

/** Those that are not. */
function givenFiles(project: Project, { name, settings }: Service): readonly GivenFile[] {
  const filesOf = (grants: readonly GrantSetting[] = [], files: Project['secrets'], directory: string): readonly GivenFile[] => grants.flatMap(({ source, target, uid = '0', gid = '0', mode = String(0o444) }) => {
    const content = files.get(source)?.content;
    if (content === undefined) return [];
    const numbers = [uid, gid, mode].map((text) => (/^\d{1,9}$/.test(text) ? Number(text) : undefined));
    const [owner, group, bits] = numbers;
    if (owner === undefined || group === undefined || bits === undefined) throw new UserError(`services.${name}: uid, gid and mode of "${source}" must be numbers`, 'such as mode: 0440');
    const bytes = Buffer.from(content);
    if (bytes.length > MOST_CONTENT_BYTES) throw new UserError(`services.${name}: "${source}" is longer than ${MOST_CONTENT_BYTES} bytes`, 'put it into a file, and write "file:"');
    return [{ destination: toByteString(placeOf(target ?? source, directory)), base64: bytes.toString('base64'), mode: bits & 0o7777, uid: owner, gid: group }];
  });
  return [...filesOf(settings.secrets, project.secrets, SECRET_DIRECTORY), ...filesOf(settings.configs, project.configs, '')];
}

/** Beyond its networks. */
function reachesOut({ network_mode: mode, 'x-caisson': own }: ServiceSettings): boolean {
  return mode !== 'none' && (own?.network === 'outbound' || (own?.['allow-net'] ?? []).length > 0);
}

/** What is said of name servers and not done. */
export function dnsNote({ name, settings }: Service): string | undefined {
  return (settings.dns ?? []).length === 0 || reachesOut(settings) ? undefined : `services.${name}.dns has no effect: nothing goes out (x-caisson: {network: outbound})`;
}

/** Which networks its containers are connected to (the first has the default route), and how far they reach beside that. */
function networkFlags(project: Project, { name, settings }: Service): Flags {
  const { networks = {}, network_mode: mode, 'x-caisson': own } = settings;
  const outward: Flags = [...(own?.network === undefined ? [] : [['network', own.network] as const]), ...(own?.['allow-net'] ?? []).map((host) => ['allow-net', host] as const), ...(reachesOut(settings) ? settings.dns ?? [] : []).map((server) => ['dns', server] as const)];
  if (mode === 'none') return [['network', 'none']];
  const joined = Object.entries(networks).sort(([, one], [, other]) => (other?.gw_priority ?? 0) - (one?.gw_priority ?? 0));
  return [
    ...joined.map(([key, there]) => ['network', [`name=${project.networks.get(key)?.name ?? key}`, ...[name, ...there?.aliases ?? []].map((alias) => `alias=${alias}`), ...(there?.ipv4_address === undefined ? [] : [`ip=${there.ipv4_address}`])].join(',')] as const),
    ...outward,
  ];
}

function healthFlags({ healthcheck }: ServiceSettings): Flags {
  if (healthcheck === undefined) return [];
  const { test, disable, interval, timeout, retries, start_period: startPeriod, start_interval: startInterval } = healthcheck;
  if (disable === true || test?.[0] === 'NONE') return [['no-healthcheck', true]];
  const time = (text: string | undefined): string | undefined => (text === undefined ? undefined : `${timeOf(text) ?? 0}ms`);
  return [
    ['health-cmd', test?.slice(1).join(' ')], ['health-interval', time(interval)], ['health-timeout', time(timeout)], ['health-retries', retries], ['health-start-period', time(startPeriod)], ['health-start-interval', time(startInterval)],
  ];
}

function limitFlags(settings: ServiceSettings): Flags {
  const { deploy: { resources } = {}, ulimits = {} } = settings;
  const unlimited = (bytes: string | undefined): string | undefined => (bytes === '0' ? undefined : bytes);
  const pids = resources?.limits?.pids ?? settings.pids_limit;
  return [
    ['memory', unlimited(resources?.limits?.memory ?? settings.mem_limit)], ['memory-reservation', unlimited(resources?.reservations?.memory ?? settings.mem_reservation)], ['memory-swap', unlimited(settings.memswap_limit)],
    ['cpus', resources?.limits?.cpus ?? (settings.cpus === 0 ? undefined : settings.cpus)], ['cpu-shares', settings.cpu_shares], ['cpu-quota', settings.cpu_quota], ['cpu-period', settings.cpu_period],
    ['pids-limit', pids === undefined || pids <= 0 ? undefined : pids], ['oom-score-adj', settings.oom_score_adj], ['storage-opt', settings.storage_opt?.size === undefined ? undefined : `size=${settings.storage_opt.size}`],
    ...Object.entries(ulimits).map(([limit, { soft, hard }]) => ['ulimit', `${limit}=${soft}:${hard}`] as const),
    ...(settings.cap_add ?? []).map((capability) => ['cap-add', capability] as const), ...(settings.cap_drop ?? []).map((capability) => ['cap-drop', capability] as const),
  ];
}

function restartOf({ restart, deploy }: ServiceSettings): string | undefined {
  const policy = deploy?.restart_policy;
  if (policy === undefined) return restart;
  const condition = policy.condition ?? 'any';
  return RESTARTS[condition] ?? `${condition}${policy.max_attempts === undefined ? '' : `:${policy.max_attempts}`}`;
}

/** Standard streams and the log. */
function streamFlags({ logging, tty, stdin_open: input }: ServiceSettings): Flags {
  const options = OWN_LOGS.includes(logging?.driver ?? '') ? Object.entries(logging?.options ?? {}).filter(([key]) => key === 'max-size' || key === 'max-file') : [];
  return [[tty === true ? 'tty' : 'no-tty', true], ['interactive', input === true ? true : undefined], ...options.map(([key, value]) => ['log-opt', `${key}=${value}`] as const)];
}

/** What is said of logging and not done. */
export function loggingNote({ name, settings: { logging } }: Service): string | undefined {
  if (logging === undefined) return undefined;
  const { driver = '', options = {} } = logging;
  if (!OWN_LOGS.includes(driver)) return `services.${name}.logging.driver has no effect: logs are kept with the container ("caisson compose logs")`;
  const other = Object.keys(options).find((key) => key !== 'max-size' && key !== 'max-file');
  return other === undefined ? undefined : `services.${name}.logging.options.${other} has no effect: there are max-size and max-file`;
}

/** What differs in one container from what its service says. */
export interface ContainerChoice {
  readonly containerName: string;
  /** Until another one gives the name up. */
  readonly temporaryName?: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly withPorts: boolean;
  /** Volumes without a name, of the container that it takes the place of: by their destinations, byte strings. */
  readonly inherited?: ReadonlyMap<string, string>;
}

/** @throws UserError */
export function flagsOf(project: Project, service: Service, image: string, choice: ContainerChoice): FlagValues {
  const { settings } = service;
  const graceMs = settings.stop_grace_period === undefined ? undefined : timeOf(settings.stop_grace_period);
  const flags: Flags = [
    ['name', choice.temporaryName ?? choice.containerName], ['hostname', settings.hostname ?? choice.containerName.slice(0, 63)], ['pull', 'never'], ['quiet', true], ['user', settings.user], ['workdir', settings.working_dir], ['entrypoint', settings.entrypoint === undefined ? undefined : settings.entrypoint[0] ?? ''],
    ['read-only', settings.read_only === true ? true : undefined], ['init', settings.init === true ? true : undefined], ['restart', restartOf(settings)], ['stop-signal', settings.stop_signal], ['stop-timeout', graceMs === undefined ? undefined : Math.ceil(graceMs / 1000)],
    ...Object.entries(settings.environment ?? {}).flatMap(([name, value]) => (value === null ? [] : [['env', `${name}=${value}`] as const])),
    ...Object.entries({ ...settings.labels, ...choice.labels }).map(([key, value]) => ['label', `${key}=${value}`] as const), ...(settings.label_file ?? []).map((file) => ['label-file', file] as const),
    ...(choice.withPorts ? settings.ports ?? [] : []).map((port) => ['publish', portText(port)] as const), ...(settings.expose ?? []).map((port) => ['expose', port] as const),
    ...mountFlags(project, service), ...grantFlags(project, service), ...(settings.tmpfs ?? []).map((text) => ['tmpfs', text] as const), ...networkFlags(project, service), ...healthFlags(settings), ...limitFlags(settings), ...streamFlags(settings),
  ];
  const values = new Map<string, string[]>();
  for (const [name, value] of flags) if (value !== undefined) values.set(name, [...values.get(name) ?? [], value === true ? '' : String(value)]);
  return new FlagValues(values, [image, ...(settings.entrypoint ?? []).slice(1), ...settings.command ?? []]);
}

/** `NAME=ADDRESS`. @throws UserError */
function hostsOf({ name, settings }: Service): readonly (readonly [string, string])[] {
  return (settings.extra_hosts ?? []).map((entry) => {
    const equals = entry.indexOf('=');
    const [host, address] = [entry.slice(0, equals), entry.slice(equals + 1)];
    if (!/^[A-Za-z0-9_.-]+$/.test(host) || !/^[0-9A-Fa-f.:]+$/.test(address)) throw new UserError(`services.${name}.extra_hosts: cannot use "${entry}": ${address === 'host-gateway' ? 'this machine has no address inside' : 'it is no NAME=ADDRESS'}`, 'such as db.example=10.0.0.5');
    return [host, address];
  });
}

/** What no flag says: words of a command that are no text for a shell, lines of /etc/hosts, files in memory, volumes that are kept. @throws UserError */
export function recordChange(project: Project, service: Service, { inherited }: ContainerChoice): (record: ContainerRecord) => ContainerRecord {
  const { entrypoint, command, healthcheck } = service.settings;
  const hosts = hostsOf(service);
  const files = givenFiles(project, service);
  const words = [...(entrypoint ?? []).slice(1), ...command ?? []].map(toByteString);
  const test = healthcheck?.test;
  return (record) => ({
    ...record, process: { ...record.process, command: words }, ...(hosts.length === 0 ? {} : { hosts }), ...(files.length === 0 ? {} : { files }),
    ...(record.health === undefined || test === undefined || test.length < 2 ? {} : { health: { ...record.health, test } }),
    ...(record.volumes === undefined ? {} : { volumes: record.volumes.map((use) => (use.isAnonymous ? { ...use, name: inherited?.get(use.destination) ?? use.name } : use)) }),
  });
}
