/** Makes the containers of a project what its files say: those that are missing are made, those that differ are made again, those too many go. */
import type { Project, Service } from '../../compose/index.ts';
import { LifecycleError, shortId } from '../../lifecycle/index.ts';
import type { Containers, WholeContainer } from '../../lifecycle/index.ts';
import { toContainerError } from '../containers/container-store.ts';
import { createFrom } from '../containers/run.ts';
import { UserError } from '../errors.ts';
import { LABEL, containersOf, hashOf, imageNameOf, labelsOf, say } from './project-containers.ts';
import type { ProjectContainer } from './project-containers.ts';
import { contentsOf } from './service-files.ts';
import { findImage } from './resources.ts';
import { flagsOf, recordChange } from './service-flags.ts';
import type { ContainerChoice } from './service-flags.ts';
import { removeAll, stopAll } from './stopping.ts';

export interface ConvergeOptions {
  /** Also those that are as they should be. */
  readonly force?: boolean;
  /** Not even those that differ. */
  readonly never?: boolean;
  /** Volumes without a name are new ones, too. */
  readonly renewVolumes?: boolean;
  readonly seconds?: number | undefined;
  /** Of services whose scale is said on the command line. */
  readonly scales?: ReadonlyMap<string, number>;
}

/** What is to be made. */
interface Wanted {
  readonly project: Project;
  readonly service: Service;
  readonly image: string;
  readonly imageId: string;
  readonly hash: string;
}

function wantedOf(containers: Containers, project: Project, service: Service): Wanted {
  const image = imageNameOf(project, service);
  return { project, service, image, imageId: findImage(containers.store, image)?.id ?? '', hash: hashOf(service, contentsOf(project, service)) };
}

/** @throws UserError, which says which service */
async function create({ project, service, image }: Wanted, choice: ContainerChoice): Promise<string> {
  try {
    return await createFrom(flagsOf(project, service, image, choice), recordChange(project, service, choice));
  } catch (error) {
    const known = toContainerError(error, 'make its container');
    if (!(known instanceof UserError)) throw known;
    const message = known.message.startsWith('services.') ? known.message : `service "${service.name}": ${known.message}`;
    throw new UserError(message, known.advice, known.exitCode, { cause: error });
  }
}

function nameOf({ project, service }: Wanted, number: number): string {
  return service.settings.container_name ?? `${project.name}-${service.name}-${number}`;
}

/** A new container takes the old one's place, name and volumes once it is there. */
async function recreate(containers: Containers, wanted: Wanted, old: ProjectContainer, options: ConvergeOptions): Promise<void> {
  const { container, number } = old;
  const containerName = nameOf(wanted, number);
  const inherited = new Map(options.renewVolumes === true ? [] : (container.record.volumes ?? []).filter(({ isAnonymous }) => isAnonymous).map(({ destination, name }) => [destination, name]));
  const id = await create(wanted, {
    containerName, temporaryName: `${shortId(container.id)}_${containerName}`, labels: labelsOf(wanted.project, wanted.service, { number, oneOff: false, imageId: wanted.imageId, hash: wanted.hash }), withPorts: true, inherited,
  });
  try {
    await stopAll(containers, [old], wanted.project, options);
    containers.locked(container.id, () => {
      containers.checkFree(container.id);
      containers.remove(container.id);
    });
    containers.rename(containers.find(id), containerName);
  } catch (error) {
    if (containers.find(id).name !== containerName && error instanceof LifecycleError) throw new LifecycleError(`cannot put a new container in the place of ${container.name}: ${error.message}`, `remove the containers with "caisson compose rm -s ${wanted.service.name}"`, { cause: error });
    throw error;
  }
  say('Container', containerName, 'Recreated');
}

function differs({ hash, imageId }: Wanted, { record }: WholeContainer): boolean {
  return record.labels[LABEL.hash] !== hash || record.labels[LABEL.image] !== imageId;
}

/** The first number that no container of the service has. */
function freeNumber(taken: ReadonlySet<number>): number {
  let number = 1;
  while (taken.has(number)) number++;
  return number;
}

/** Of one service. @throws UserError */
export async function converge(containers: Containers, project: Project, service: Service, options: ConvergeOptions): Promise<void> {
  const wanted = wantedOf(containers, project, service);
  const scale = options.scales?.get(service.name) ?? service.scale;
  const own = containersOf(containers, project.name).filter((item) => item.service === service.name && !item.isOneOff);
  if (scale > 1 && service.settings.container_name !== undefined) throw new UserError(`service "${service.name}": ${scale} containers cannot all be called "${service.settings.container_name}"`, 'take container_name out');
  const surplus = own.slice(scale);
  await stopAll(containers, surplus, project, options);
  await removeAll(containers, surplus, true);
  const kept = own.slice(0, scale);
  for (const item of kept) {
    if (options.force === true || (options.never !== true && differs(wanted, item.container))) await recreate(containers, wanted, item, options);
  }
  const taken = new Set(kept.map(({ number }) => number));
  while (taken.size < scale) {
    const number = freeNumber(taken);
    taken.add(number);
    const containerName = nameOf(wanted, number);
    await create(wanted, { containerName, labels: labelsOf(project, service, { number, oneOff: false, imageId: wanted.imageId, hash: wanted.hash }), withPorts: true });
    say('Container', containerName, 'Created');
  }
}

/** One that is run once, beside the service. Answers its id. @throws UserError */
export async function createOneOff(containers: Containers, project: Project, service: Service, choice: Pick<ContainerChoice, 'containerName' | 'withPorts'>): Promise<string> {
  const wanted = wantedOf(containers, project, service);
  return create(wanted, { ...choice, labels: labelsOf(project, service, { number: 1, oneOff: true, imageId: wanted.imageId, hash: wanted.hash }) });
}
