/** Networks and volumes of a project, and images of its services. */
import { NoSuchImageError } from '../../image/index.ts';
import type { ImageStore, StoredImage } from '../../image/index.ts';
import type { Project, Service } from '../../compose/index.ts';
import { LifecycleError, Networks } from '../../lifecycle/index.ts';
import { NoSuchVolumeError, Volumes } from '../../lifecycle/volumes.ts';
import { EXIT_FAILED } from '../containers/container-store.ts';
import { UserError } from '../errors.ts';
import { FlagValues } from '../flags.ts';
import { warn } from './load.ts';
import { LABEL, imageNameOf, say } from './project-containers.ts';

/** Makes those that its services are on. @throws UserError, LifecycleError */
export function ensureNetworks(store: ImageStore, project: Project, services: readonly Service[]): void {
  const networks = new Networks(store);
  const used = new Set(services.flatMap(({ settings }) => Object.keys(settings.networks ?? {})));
  for (const [key, { name, external, internal, subnet, labels }] of project.networks) {
    if (!used.has(key)) continue;
    const there = networks.list().find((network) => network.name === name);
    if (external && there === undefined) throw new UserError(`network ${name} declared as external, but could not be found`, `make it with "caisson network create ${name}"`, EXIT_FAILED);
    if (there === undefined) {
      networks.create({ name, subnet, internal, labels: { ...labels, [LABEL.project]: project.name, [LABEL.network]: key } });
      say('Network', name, 'Created');
    } else if (!external && there.labels[LABEL.project] !== project.name) warn(`the network ${name} exists but was not created for project "${project.name}"; set \`external: true\` to use an existing one`);
  }
}

/** Makes those that its services have. @throws UserError, LifecycleError */
export function ensureVolumes(store: ImageStore, project: Project, services: readonly Service[]): void {
  const volumes = new Volumes(store);
  const used = new Set(services.flatMap(({ settings }) => (settings.volumes ?? []).flatMap(({ type, source }) => (type === 'volume' && source !== undefined ? [source] : []))));
  for (const key of used) {
    const volume = project.volumes.get(key);
    if (volume === undefined) continue;
    const { name, external, labels } = volume;
    if (external && !volumes.has(name)) throw new UserError(`volume ${name} declared as external, but could not be found`, `make it with "caisson volume create ${name}"`, EXIT_FAILED);
    if (!volumes.has(name)) {
      volumes.create(name, { ...labels, [LABEL.project]: project.name, [LABEL.volume]: key });
      say('Volume', name, 'Created');
    } else if (!external && volumes.find(name).labels[LABEL.project] !== project.name) warn(`the volume ${name} exists but was not created for project "${project.name}"; set \`external: true\` to use an existing one`);
  }
}

export function removeNetworks(store: ImageStore, projectName: string): void {
  const networks = new Networks(store);
  for (const network of networks.list().filter(({ labels }) => labels[LABEL.project] === projectName)) {
    try {
      networks.remove(network);
      say('Network', network.name, 'Removed');
    } catch (error) {
      if (!(error instanceof LifecycleError)) throw error;
      warn(`the network ${network.name} stays: ${error.message}`);
    }
  }
}

export function removeVolumes(store: ImageStore, containers: Parameters<Volumes['remove']>[0], projectName: string): void {
  const volumes = new Volumes(store);
  for (const { name } of volumes.list().filter(({ labels }) => labels[LABEL.project] === projectName)) {
    try {
      volumes.remove(containers, name);
      say('Volume', name, 'Removed');
    } catch (error) {
      if (!(error instanceof LifecycleError) || error instanceof NoSuchVolumeError) throw error;
      warn(`the volume ${name} stays: ${error.message}`);
    }
  }
}

export function findImage(store: ImageStore, name: string): StoredImage | undefined {
  try {
    return store.find(name);
  } catch (error) {
    if (error instanceof NoSuchImageError) return undefined;
    throw error;
  }
}

/** How images are fetched and built, from the command line. */
export interface ImageOptions {
  /** Instead of `pull_policy`. */
  readonly pull?: string | undefined;
  /** Also those that are there. */
  readonly build?: boolean;
  readonly noBuild?: boolean;
  readonly quiet?: boolean;
}

export async function pullOne(store: ImageStore, name: string, quiet: boolean): Promise<void> {
  await (await import('../registry/registry-commands.ts')).pull(store, name, new FlagValues(new Map(), []), { quiet });
}

/** Before containers are made: each service's image is here. @throws UserError */
export async function ensureImages(store: ImageStore, project: Project, services: readonly Service[], options: ImageOptions): Promise<void> {
  // What one builds may be what another one runs.
  const builtFirst = [...services].sort((one, other) => Number(one.settings.build === undefined) - Number(other.settings.build === undefined));
  for (const service of builtFirst) {
    const { settings: { build, pull_policy: own } } = service;
    const name = imageNameOf(project, service);
    const policy = options.pull ?? own ?? 'missing';
    const isHere = findImage(store, name) !== undefined;
    const isBuilt = build !== undefined && options.noBuild !== true && (options.build === true || policy === 'build' || !isHere);
    if (isBuilt) await (await import('./compose-building.ts')).buildService(project, service, {});
    else if (build === undefined && (policy === 'always' || policy === 'daily' || policy === 'weekly' || policy.startsWith('every_') || (!isHere && policy !== 'never'))) await pullOne(store, name, options.quiet === true);
    else if (!isHere) throw new UserError(`the image "${name}" of service "${service.name}" is not here`, build === undefined ? 'pull it, or take --pull never out' : 'build it with "caisson compose build"', EXIT_FAILED);
  }
}
