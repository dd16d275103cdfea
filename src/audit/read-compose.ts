/** Compose files (compose-spec): a configuration for each service. */
import { isObject } from '../image/index.ts';
import type { Json } from '../image/index.ts';
import { AuditInputError } from './errors.ts';
import { asText, field, fieldAt, isYes, listAt, numberAt, objectAt, pairsAt, textAt, textsAt } from './fields.ts';
import { rewriteTree } from './input.ts';
import type { AuditInput } from './input.ts';
import { MOST_CONTAINERS } from './limits.ts';
import { PLAIN } from './model.ts';
import type { Configuration, Mount, NamespaceUse, Port } from './model.ts';
import { shellCommands } from './shell-words.ts';
import type { Path, Tree } from './tree.ts';
import { capabilityList, namespaceUse, parseBytes, parseDevice, parsePort, parseRestart, parseSecurityOptions, parseVolume } from './values.ts';
import { changeCompose } from './write-compose.ts';

/** `${NAME:-default}` and `${NAME-default}`, as they are where NAME is not set (compose-spec 12-interpolation.md); other variables stay. */
export function withDefaults(text: string): string {
  return text.replace(/\$\{[A-Za-z_]\w*:?-([^{}]*)\}/g, '$1');
}

/** Of all texts of a value. */
function interpolated(value: Json): Json {
  if (typeof value === 'string') return withDefaults(value);
  if (Array.isArray(value)) return value.map(interpolated);
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, interpolated(item)])) : value;
}

/** A named volume may be a directory of the host in disguise: `driver_opts: {type: none, o: bind, device: /}`. */
function hostDirectory(volumes: Json, name: string): string | undefined {
  const options = objectAt(volumes, name, 'driver_opts');
  return /\bbind\b/.test(textAt(options, 'o')) || (textAt(options, 'type') === 'none' && textAt(options, 'device') !== '') ? textAt(options, 'device') : undefined;
}

function mountsOf(service: Json, volumes: Json): readonly Mount[] {
  const given = listAt(service, 'volumes').map((volume): Mount => {
    if (!isObject(volume)) return parseVolume(asText(volume));
    const type = textAt(volume, 'type');
    return {
      kind: type === 'bind' || type === 'tmpfs' || type === 'volume' ? type : 'other', source: textAt(volume, 'source'), destination: textAt(volume, 'target'),
      readOnly: isYes(field(volume, 'read_only')), propagation: textAt(volume, 'bind', 'propagation'), volumeType: '',
    };
  }).map((mount): Mount => {
    const directory = mount.kind === 'volume' ? hostDirectory(volumes, mount.source) : undefined;
    return directory === undefined ? mount : { ...mount, kind: 'bind', source: directory };
  });
  const temporary = (typeof field(service, 'tmpfs') === 'string' ? [textAt(service, 'tmpfs')] : textsAt(service, 'tmpfs')).map((text): Mount => ({ kind: 'tmpfs', source: '', destination: text.split(':')[0] ?? '', readOnly: false, propagation: '', volumeType: '' }));
  const socket = isYes(field(service, 'use_api_socket')) ? [parseVolume('/var/run/docker.sock:/var/run/docker.sock')] : [];
  return [...given, ...temporary, ...socket];
}

function portsOf(service: Json): readonly Port[] {
  return listAt(service, 'ports').map((port) => {
    if (!isObject(port)) return parsePort(asText(port));
    const published = textAt(port, 'published');
    return parsePort(`${textAt(port, 'host_ip') === '' ? '' : `${textAt(port, 'host_ip')}:`}${published === '' ? '' : published}:${textAt(port, 'target')}`.replace(/^:/, ''));
  });
}

function restartOf(service: Json): Configuration['restart'] {
  const policy = fieldAt(service, 'deploy', 'restart_policy');
  if (isObject(policy)) {
    const condition = textAt(policy, 'condition') || 'any';
    return { name: condition === 'any' ? 'always' : condition === 'none' ? 'no' : condition, retries: numberAt(policy, 'max_attempts') ?? 0 };
  }
  const restart = field(service, 'restart');
  return parseRestart(restart === false ? 'no' : asText(restart));
}

function healthOf(service: Json): Configuration['healthCheck'] {
  const check = field(service, 'healthcheck');
  if (!isObject(check)) return 'image';
  const test = field(check, 'test');
  const words = Array.isArray(test) ? textsAt(check, 'test') : [asText(test)];
  return isYes(field(check, 'disable')) || words[0] === 'NONE' ? 'off' : words[0] === undefined || words[0] === '' ? 'image' : 'on';
}

/** A list, or one text as a shell takes it apart. */
function wordsOf(value: Json | undefined): readonly string[] {
  if (Array.isArray(value)) return value.map(asText);
  const text = asText(value);
  try {
    return shellCommands(text).flat().map((word) => word.text);
  } catch (error) {
    if (error instanceof AuditInputError) return text.split(/\s+/);
    throw error;
  }
}

function namespacesOf(service: Json): Configuration['namespaces'] {
  const use = (name: string): NamespaceUse => namespaceUse(textAt(service, name));
  return { pid: use('pid'), network: use('network_mode'), ipc: use('ipc'), uts: use('uts'), user: 'host', cgroup: textAt(service, 'cgroup') === '' ? 'unshown' : use('cgroup') };
}

function resourcesOf(service: Json): Pick<Configuration, 'memory' | 'cpuBounded' | 'pids' | 'ulimits' | 'cgroupParent'> {
  const limits = objectAt(service, 'deploy', 'resources', 'limits');
  const memory = textAt(limits, 'memory') || textAt(service, 'mem_limit');
  return {
    memory: memory === '' ? 0 : parseBytes(memory) ?? 0, cpuBounded: [textAt(limits, 'cpus'), ...['cpus', 'cpu_shares', 'cpu_quota', 'cpuset'].map((name) => textAt(service, name))].some((value) => value !== '' && value !== '0'),
    pids: numberAt(limits, 'pids') ?? numberAt(service, 'pids_limit') ?? 0, ulimits: Object.keys(objectAt(service, 'ulimits')), cgroupParent: textAt(service, 'cgroup_parent') || undefined,
  };
}

function configurationOf(name: string, service: Json, document: Json): Configuration {
  const gpus = listAt(service, 'deploy', 'resources', 'reservations', 'devices').some((device) => textsAt(device, 'capabilities').includes('gpu')) || field(service, 'gpus') !== undefined;
  const networks = field(service, 'networks');
  return {
    ...PLAIN, kind: 'compose', engine: 'docker', name, image: textAt(service, 'image') || undefined, privileged: isYes(field(service, 'privileged')),
    capabilities: { base: 'docker', add: capabilityList(textsAt(service, 'cap_add')), drop: capabilityList(textsAt(service, 'cap_drop')) }, user: textAt(service, 'user'), namespaces: namespacesOf(service),
    mounts: mountsOf(service, objectAt(document, 'volumes')),
    devices: listAt(service, 'devices').map((device) => (isObject(device) ? { path: textAt(device, 'source'), permissions: textAt(device, 'permissions') || 'rwm', isBlock: false } : parseDevice(asText(device)))),
    deviceRules: textsAt(service, 'device_cgroup_rules'), gpus: gpus || textAt(service, 'runtime') === 'nvidia', ...parseSecurityOptions(textsAt(service, 'security_opt')), readOnlyRoot: isYes(field(service, 'read_only')),
    ...resourcesOf(service), restart: restartOf(service), healthCheck: healthOf(service), ports: portsOf(service),
    // Compose makes a network for each project.
    defaultBridge: ['bridge', 'default'].includes(textAt(service, 'network_mode')) && networks === undefined, sysctls: pairsAt(service, 'sysctls'), environment: pairsAt(service, 'environment'),
    command: [...wordsOf(field(service, 'entrypoint')), ...wordsOf(field(service, 'command'))], workingDirectory: textAt(service, 'working_dir'), runtime: textAt(service, 'runtime'),
  };
}

export function isCompose(value: Json | undefined): boolean {
  return isObject(field(value, 'services'));
}

/** @throws AuditInputError where there is no service in it. */
export function readCompose(tree: Tree): AuditInput {
  const services = tree.documents.flatMap((written, number) => {
    const document = interpolated(written);
    return Object.entries(objectAt(document, 'services')).filter(([, service]) => isObject(service)).map(([name, service]) => ({ path: [number, 'services', name] as Path, name, service, document }));
  });
  if (services.length === 0) throw new AuditInputError('there is no service in it', 'give a Compose file with services');
  if (services.length > MOST_CONTAINERS) throw new AuditInputError(`cannot read it: it has more than ${MOST_CONTAINERS} services`, 'split it');
  const configurations = services.map(({ name, service, document }) => configurationOf(name, service, document));
  const notes = services.flatMap(({ name, service }) => [
    ...(field(service, 'extends') === undefined ? [] : [`what "${name}" takes from "extends" was not judged: give the output of "docker compose config"`]),
    ...(field(service, 'env_file') === undefined ? [] : [`the variables in "${name}"'s env_file were not judged`]),
  ]);
  return {
    kind: 'compose', configurations, lines: services.map(({ path }) => tree.lineOf(path)), notes,
    rewrite: (changes) => rewriteTree(tree, configurations, changes, (index, configuration, change) => changeCompose(tree, services[index]?.path ?? [], configuration, change)),
  };
}
