/** A document in its long form to a project: names, defaults, what services need of each other, and everything that cannot be. */
import { nearest } from '../image/nearest.ts';
import { canonical } from './canonical.ts';
import { readEnvironmentFile } from './environment-file.ts';
import { ComposeError } from './errors.ts';
import { MOST_SCALE, MOST_SERVICES } from './limits.ts';
import { Loader } from './load.ts';
import type { LoadEnvironment } from './load.ts';
import type { Dependency, Project, ProjectFile, ProjectNetwork, ProjectVolume, Service, ServiceSettings } from './model.ts';
import { checkedName, normalizedName } from './names.ts';
import { inOrder } from './order.ts';
import { PROJECT, PULL_POLICY } from './project-shape.ts';
import { SERVICE } from './service-shape.ts';
import { isObject } from './shape.ts';
import type { Json, JsonObject } from './shape.ts';
import { unsupported } from './unsupported.ts';

export interface ProjectOptions extends LoadEnvironment {
  /** Compose files, absolute. */
  readonly files: readonly string[];
  /** Absolute: what relative paths are relative to. */
  readonly directory: string;
  /** `-p` and the like; otherwise the file or the directory says it. */
  readonly name?: string | undefined;
  readonly profiles: readonly string[];
  /** Named on the command line: their profiles are active. */
  readonly targets: readonly string[];
  /** Only what there is is asked for, nothing is made: files and variables that are not there matter to nobody. */
  readonly isForLooking?: boolean;
  /** Of the environment and of `.env`. */
  lookUp(name: string): string | undefined;
}

interface Context {
  readonly options: ProjectOptions;
  readonly name: string;
  readonly model: JsonObject;
}

function section(model: JsonObject, name: string): ReadonlyMap<string, JsonObject> {
  const items = model[name];
  return new Map(isObject(items) ? Object.entries(items).map(([key, item]) => [key, isObject(item) ? item : {}]) : []);
}

function must(known: ReadonlyMap<string, unknown>, name: string, what: string, where: string): void {
  if (known.has(name)) return;
  const guess = nearest(name.slice(0, 100), [...known.keys()]);
  throw new ComposeError(`${where} refers to undefined ${what} "${name}"`, guess === undefined ? `define it at the top, below "${what}s"` : `did you mean "${guess}"?`);
}

/** The environment of a service: its files, and over them what it says itself. Null: a variable that nobody has set. */
function environmentOf({ options }: Context, name: string, settings: JsonObject): JsonObject {
  const values = new Map<string, string | null>();
  const files = (settings['env_file'] ?? []) as unknown as readonly { readonly path: string; readonly required?: boolean; readonly format?: string }[];
  for (const { path, required = true, format } of files) {
    const text = options.read(path);
    if (text === undefined) {
      if (required && options.isForLooking !== true) throw new ComposeError(`services.${name}.env_file: cannot read "${path}": no such file`, 'make it, or write "required: false"');
      continue;
    }
    const lookUp = (variable: string): string | undefined => options.lookUp(variable) ?? values.get(variable) ?? undefined;
    for (const [variable, value] of format === 'raw' ? rawLines(text) : readEnvironmentFile({ path, text, lookUp })) values.set(variable, value);
  }
  for (const [variable, value] of Object.entries((settings['environment'] ?? {}) as Readonly<Record<string, string | null>>)) values.set(variable, value ?? options.lookUp(variable) ?? null);
  return Object.fromEntries(values);
}

/** `format: raw`: nothing is taken apart. */
function rawLines(text: string): readonly (readonly [string, string])[] {
  return text.split(/\r?\n/).filter((line) => /^[^#=\s][^=]*=/.test(line)).map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]);
}

/** Arguments of a build without a value are variables. */
function argumentsOf({ options }: Context, { args }: JsonObject): JsonObject {
  return isObject(args) ? { args: Object.fromEntries(Object.entries(args).map(([name, value]) => [name, value ?? options.lookUp(name) ?? null])) } : {};
}

/** With what is meant where nothing is said. */
function withDefaults(context: Context, name: string, given: JsonObject): JsonObject {
  const { env_file: _, environment: __, extends: ___, ...rest } = given;
  const environment = environmentOf(context, name, given);
  const { build } = rest;
  const own = isObject(build) ? { context: context.options.directory, ...(build['dockerfile_inline'] === undefined ? { dockerfile: 'Dockerfile' } : {}), ...build, ...argumentsOf(context, build) } : undefined;
  const onDefault = rest['network_mode'] === undefined && (rest['networks'] === undefined || Object.keys(rest['networks'] as object).length === 0);
  const dependencies = isObject(rest['depends_on']) ? Object.fromEntries(Object.entries(rest['depends_on']).map(([other, item]) => [other, { required: true, ...(isObject(item) ? item : {}) }])) : undefined;
  return {
    ...rest, ...(own === undefined ? {} : { build: own }), ...(Object.keys(environment).length === 0 ? {} : { environment }), ...(onDefault ? { networks: { default: {} } } : {}),
    ...(dependencies === undefined ? {} : { depends_on: dependencies }),
  };
}

function dependenciesOf(name: string, { depends_on: own = {}, links = [] }: ServiceSettings): ReadonlyMap<string, Dependency> {
  const linked = links.map((link): readonly [string, Dependency] => {
    const [other = '', alias = other] = link.split(':');
    if (alias !== other) throw new ComposeError(`services.${name}.links: the name "${alias}" for "${other}" cannot be had for one service alone`, `write it below networks.NETWORK.aliases of "${other}"`);
    return [other, { condition: 'service_started', required: true, restart: true }];
  });
  return new Map([...linked, ...Object.entries(own)]);
}

const NETWORK_MODES = ['none', 'bridge', 'default', 'host', 'service:NAME', 'container:NAME'];

function checkNetworkMode(name: string, mode: string | undefined, hasNetworks: boolean): void {
  if (mode === undefined) return;
  if (hasNetworks) throw new ComposeError(`services.${name} has both "network_mode" and "networks"`, 'take one of them out');
  if (mode === 'none' || mode === 'bridge' || mode === 'default') return;
  const isOther = mode === 'host' || mode.startsWith('service:') || mode.startsWith('container:');
  if (!isOther) throw new ComposeError(`services.${name}.network_mode cannot be "${mode}"`, `it is one of ${NETWORK_MODES.join(', ')}`);
  throw new ComposeError(`services.${name}.network_mode cannot be "${mode}": ${mode === 'host' ? 'the network of this machine is never shared' : 'each container has a kernel and a network of its own'}`, mode === 'host' ? 'let connections in with "ports", and out with x-caisson: {network: outbound}' : 'put both on one network');
}

/** What a service refers to is there. */
function checkReferences({ model }: Context, name: string, settings: ServiceSettings): void {
  const where = `service "${name}"`;
  for (const network of Object.keys(settings.networks ?? {})) if (network !== 'default') must(section(model, 'networks'), network, 'network', where);
  for (const { type, source } of settings.volumes ?? []) if (type === 'volume' && source !== undefined) must(section(model, 'volumes'), source, 'volume', where);
  for (const { source } of settings.secrets ?? []) must(section(model, 'secrets'), source, 'secret', where);
  for (const { source } of settings.build?.secrets ?? []) must(section(model, 'secrets'), source, 'secret', where);
  for (const { source } of settings.configs ?? []) must(section(model, 'configs'), source, 'config', where);
}

function checkService(context: Context, name: string, settings: ServiceSettings): void {
  if (settings.image === undefined && settings.build === undefined) throw new ComposeError(`service "${name}" has neither an image nor a build context specified`, 'at least one must be provided');
  if (settings.build?.dockerfile_inline !== undefined && settings.build.dockerfile !== undefined) throw new ComposeError(`services.${name}.build has both "dockerfile" and "dockerfile_inline"`, 'take one of them out');
  checkNetworkMode(name, settings.network_mode, Object.keys(settings.networks ?? {}).length > 0);
  checkReferences(context, name, settings);
  if (settings.pull_policy !== undefined && !/^every_[\dsmhdw]+$/.test(settings.pull_policy)) canonical(PULL_POLICY, settings.pull_policy, `services.${name}.pull_policy`, { directory: '/', home: undefined });
  for (const { type, source, target } of settings.volumes ?? []) {
    if (!['bind', 'volume', 'tmpfs'].includes(type)) throw new ComposeError(`services.${name}.volumes: there are no mounts of type ${type}`, 'it is bind, volume or tmpfs');
    if (type === 'bind' && source === undefined) throw new ComposeError(`services.${name}.volumes: the mount on ${target} has no source`, 'name a directory of this machine');
  }
}

function scaleOf(name: string, { scale, deploy, container_name: own }: ServiceSettings): number {
  const count = scale ?? deploy?.replicas ?? 1;
  if (count < 0 || count > MOST_SCALE) throw new ComposeError(`services.${name}: cannot have ${count} containers`, `from 0 to ${MOST_SCALE}`);
  if (count > 1 && own !== undefined) throw new ComposeError(`services.${name}: ${count} containers cannot all be called "${own}"`, 'take container_name out');
  return count;
}

function serviceOf(context: Context, name: string, given: JsonObject): Service {
  const document = withDefaults(context, name, given);
  const settings = document as unknown as ServiceSettings;
  checkService(context, name, settings);
  return { name, settings, scale: scaleOf(name, settings), dependencies: dependenciesOf(name, settings), document, notes: unsupported(SERVICE, document, `services.${name}`) };
}

/** What is needed of a service that is not there, or not with these profiles. */
function checkDependencies(services: ReadonlyMap<string, Service>, disabled: readonly string[]): ReadonlyMap<string, Service> {
  return new Map([...services].map(([name, service]) => {
    const found = [...service.dependencies].filter(([other, { required }]) => {
      if (services.has(other)) return true;
      if (disabled.includes(other) && !required) return false;
      if (disabled.includes(other)) throw new ComposeError(`service "${name}" depends on "${other}", which no active profile has`, 'activate one with --profile');
      if (!required) return false;
      const guess = nearest(other.slice(0, 100), [...services.keys()].filter((known) => known !== name));
      throw new ComposeError(`service "${name}" depends on undefined service "${other}"`, guess === undefined ? 'check depends_on and links' : `did you mean "${guess}"?`);
    });
    return [name, { ...service, dependencies: new Map(found) }];
  }));
}

function networksOf({ name, model }: Context, used: ReadonlySet<string>): ReadonlyMap<string, ProjectNetwork> {
  const known = new Map([['default', {}] as const, ...section(model, 'networks')]);
  return new Map([...known].filter(([key]) => used.has(key)).map(([key, network]: readonly [string, JsonObject]) => {
    const external = network['external'] === true;
    const { config = [] } = (network['ipam'] ?? {}) as { readonly config?: readonly { readonly subnet?: string }[] };
    const subnets = config.flatMap(({ subnet }) => (subnet === undefined || subnet.includes(':') ? [] : [subnet]));
    if (subnets.length > 1) throw new ComposeError(`networks.${key}: a network has one subnet`, 'take the others out');
    return [key, { name: String(network['name'] ?? (external ? key : `${name}_${key}`)), external, internal: network['internal'] === true, subnet: subnets[0], labels: (network['labels'] ?? {}) as Record<string, string> }];
  }));
}

function volumesOf({ name, model }: Context): ReadonlyMap<string, ProjectVolume> {
  return new Map([...section(model, 'volumes')].map(([key, volume]) => {
    const external = volume['external'] === true;
    return [key, { name: String(volume['name'] ?? (external ? key : `${name}_${key}`)), external, labels: (volume['labels'] ?? {}) as Record<string, string> }];
  }));
}

function filesOf({ options, model }: Context, kind: 'secrets' | 'configs', used: ReadonlySet<string>): ReadonlyMap<string, ProjectFile> {
  return new Map([...section(model, kind)].filter(([key]) => used.has(key)).map(([key, { file, environment, content }]): readonly [string, ProjectFile] => {
    if (typeof file === 'string') return [key, { file }];
    if (typeof content === 'string') return [key, { content }];
    if (typeof environment !== 'string') throw new ComposeError(`${kind}.${key} does not say where it comes from`, 'write file, environment or content');
    const value = options.lookUp(environment);
    if (value === undefined && options.isForLooking !== true) throw new ComposeError(`${kind}.${key}: the variable ${environment} is not set`, 'set it in the environment, or in .env');
    return [key, { content: value ?? '' }];
  }));
}

/** Sorted, so that it can be compared. */
function sorted(value: Json): Json {
  if (Array.isArray(value)) return value.map(sorted);
  return isObject(value) ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)).map(([key, item]) => [key, sorted(item)])) : value;
}

function printed(context: Context, services: readonly Service[], networks: ReadonlyMap<string, ProjectNetwork>, volumes: ReadonlyMap<string, ProjectVolume>): JsonObject {
  const { model, name } = context;
  const named = (kind: string, own: ReadonlyMap<string, { readonly name: string }>): JsonObject => Object.fromEntries([...own].map(([key, { name: whole }]) => [key, { ...section(model, kind).get(key), name: whole }]));
  const files = (kind: 'secrets' | 'configs'): JsonObject => Object.fromEntries([...section(model, kind)].map(([key, item]) => [key, { name: `${name}_${key}`, ...item }]));
  const parts: readonly (readonly [string, JsonObject])[] = [
    ['services', Object.fromEntries(services.map((service) => [service.name, service.document]))], ['networks', named('networks', networks)], ['volumes', named('volumes', volumes)], ['secrets', files('secrets')], ['configs', files('configs')],
  ];
  return {
    name, ...Object.fromEntries(parts.filter(([, part]) => Object.keys(part).length > 0).map(([key, part]) => [key, sorted(part)])), ...Object.fromEntries(Object.entries(model).filter(([key]) => key.startsWith('x-'))),
  };
}

/** By name: the option, the file, the directory. */
function nameOf({ name, directory }: ProjectOptions, model: JsonObject): string {
  const given = name ?? (typeof model['name'] === 'string' && model['name'] !== '' ? model['name'] : undefined);
  if (given !== undefined) return checkedName(given);
  const own = normalizedName(directory.slice(directory.lastIndexOf('/') + 1));
  if (own === '') throw new ComposeError('the project has no name: its directory has none that could be taken', 'give one with -p');
  return own;
}

/** Profiles that are active, with those of services that were named. */
function activeProfiles({ profiles, targets }: ProjectOptions, all: ReadonlyMap<string, JsonObject>): ReadonlySet<string> {
  return new Set([...profiles, ...targets.flatMap((target) => (all.get(target)?.['profiles'] ?? []) as readonly string[])]);
}

/** Reads a project. @throws ComposeError */
export function readProject(options: ProjectOptions): Project {
  const loader = new Loader(options);
  const model = loader.load(options.files, { directory: options.directory, home: options.home }, options.lookUp);
  const context: Context = { options, model, name: nameOf(options, model) };
  const all = section(model, 'services');
  if (all.size === 0) throw new ComposeError('no service selected: the project has none', 'write some below "services:"');
  if (all.size > MOST_SERVICES) throw new ComposeError(`the project has more than ${MOST_SERVICES} services`, 'split it');
  const active = activeProfiles(options, all);
  const isActive = (service: JsonObject): boolean => {
    const own = (service['profiles'] ?? []) as readonly string[];
    return own.length === 0 || active.has('*') || own.some((profile) => active.has(profile));
  };
  const disabled = [...all].filter(([, service]) => !isActive(service)).map(([name]) => name);
  const enabled = new Map([...all].filter(([, service]) => isActive(service)).map(([name, service]) => [name, serviceOf(context, name, service)]));
  const services = inOrder(checkDependencies(enabled, disabled));
  const settings = services.map((service) => service.settings);
  const networks = networksOf(context, new Set(settings.flatMap((one) => Object.keys(one.networks ?? {}))));
  const volumes = volumesOf(context);
  const { services: _, ...top } = model;
  return {
    name: context.name, directory: options.directory, files: loader.files, services, disabled, networks, volumes,
    secrets: filesOf(context, 'secrets', new Set(settings.flatMap((one) => [...one.secrets ?? [], ...one.build?.secrets ?? []].map(({ source }) => source)))), configs: filesOf(context, 'configs', new Set(settings.flatMap((one) => (one.configs ?? []).map(({ source }) => source)))),
    profiles: [...new Set([...all.values()].flatMap((service) => (service['profiles'] ?? []) as readonly string[]))].sort(), document: printed(context, services, networks, volumes), notes: unsupported(PROJECT, top, ''),
  };
}
