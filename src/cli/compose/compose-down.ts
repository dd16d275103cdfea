/** `compose down`, `stop`, `start`, `restart`, `kill`, `rm`, `pause`, `unpause`, `wait`: containers that are there. */
import { SIGKILL } from '../../abi/signal.ts';
import type { Project } from '../../compose/index.ts';
import { removeImage } from '../../image/index.ts';
import type { Containers } from '../../lifecycle/index.ts';
import { confirmed } from '../confirm.ts';
import { pauseCommand, unpauseCommand } from '../containers/container-pause.ts';
import { EXIT_FAILED, withContainers } from '../containers/container-store.ts';
import { startDetached } from '../containers/detached.ts';
import { parseSignal } from '../containers/run-record.ts';
import { UserError } from '../errors.ts';
import { FlagValues } from '../flags.ts';
import { oneOf } from '../option-values.ts';
import { secondsOf } from './compose-options.ts';
import { findProject, loadProject, projectName, warn } from './load.ts';
import { LABEL, again, checkedServices, containersOf, inLevels, say } from './project-containers.ts';
import type { ProjectContainer } from './project-containers.ts';
import { findImage, removeNetworks, removeVolumes } from './resources.ts';
import { startServices } from './starting.ts';
import { killAll, removeAll, stopAll } from './stopping.ts';

const PAUSE_MS = 50;

/** The files' project, where there are some; otherwise its name and its containers have to do. */
export interface KnownProject {
  readonly name: string;
  readonly project: Project | undefined;
}

export function knownProject(globals: FlagValues, targets: readonly string[] = []): KnownProject {
  if (findProject(globals).files.length === 0) return { name: projectName(globals), project: undefined };
  const project = loadProject(globals, targets, true);
  return { name: project.name, project };
}

/** Containers of the services that were named, or of all. `oneOffs`: also those of `run`. @throws UserError */
export function itemsOf(containers: Containers, { name, project }: KnownProject, services: readonly string[], oneOffs = false): readonly ProjectContainer[] {
  const all = containersOf(containers, name);
  checkedServices([...new Set([...project?.services.map((service) => service.name) ?? [], ...project?.disabled ?? [], ...all.map(({ service }) => service)])], services);
  return all.filter(({ service, isOneOff }) => (oneOffs || !isOneOff) && (services.length === 0 || services.includes(service)));
}

type Body = (containers: Containers, items: readonly ProjectContainer[], known: KnownProject) => Promise<number>;

function onItems(values: FlagValues, globals: FlagValues, what: string, body: Body): Promise<number> {
  const known = knownProject(globals, values.command);
  return withContainers(what, (containers) => body(containers, itemsOf(containers, known, values.command), known));
}

/** Images of a project: `local` are those that its services did not name. */
function removeImages(containers: Containers, items: readonly ProjectContainer[], { name, project }: KnownProject, which: 'all' | 'local'): void {
  const own = new Set(project?.services.filter(({ settings }) => settings.image === undefined).map((service) => `${name}-${service.name}`) ?? []);
  const names = new Set([...items.map(({ container }) => container.record.image.name), ...own, ...(which === 'all' ? project?.services.map(({ settings }) => settings.image ?? '') ?? [] : [])]);
  for (const image of names) {
    if (image === '' || (which === 'local' && !own.has(image)) || findImage(containers.store, image) === undefined) continue;
    try {
      removeImage(containers.store, image, { force: false, keepBlobs: false });
      say('Image', image, 'Removed');
    } catch (error) {
      warn(`the image ${image} stays: ${(error as Error).message}`);
    }
  }
}

export async function down(values: FlagValues, globals: FlagValues): Promise<number> {
  const known = knownProject(globals);
  const images = oneOf(values, 'rmi', ['all', 'local']);
  const seconds = secondsOf(values);
  return withContainers('take the project down', async (containers) => {
    const services = values.command;
    const isAll = services.length === 0;
    const of = new Set([...known.project?.services.map(({ name }) => name) ?? [], ...known.project?.disabled ?? []]);
    const items = itemsOf(containers, known, services, true).filter(({ service }) => known.project === undefined || values.has('remove-orphans') || of.has(service));
    await stopAll(containers, items, known.project, { seconds });
    await removeAll(containers, items, values.has('volumes'));
    if (images !== undefined) removeImages(containers, items, known, images);
    if (!isAll) return 0;
    const orphans = containersOf(containers, known.name);
    if (orphans.length > 0) warn(`Found orphan containers (${orphans.map(({ container }) => container.name).join(', ')}) for this project: --remove-orphans removes them`);
    if (values.has('volumes')) removeVolumes(containers.store, containers, known.name);
    removeNetworks(containers.store, known.name);
    return 0;
  });
}

export function stop(values: FlagValues, globals: FlagValues): Promise<number> {
  return onItems(values, globals, 'stop the project', async (containers, items, { project }) => {
    await stopAll(containers, items, project, { seconds: secondsOf(values) });
    return 0;
  });
}

/** Without files: as their labels say it. */
async function startItems(containers: Containers, items: readonly ProjectContainer[], { project }: KnownProject): Promise<void> {
  if (project !== undefined) {
    const names = new Set(items.map(({ service }) => service));
    return startServices(containers, project, project.services.filter(({ name }) => names.has(name)));
  }
  for (const item of inLevels(items, undefined).flat()) {
    if (again(containers, item)?.state.status === 'running') continue;
    await startDetached(item.container.id);
    say('Container', item.container.name, 'Started');
  }
}

export function start(values: FlagValues, globals: FlagValues): Promise<number> {
  return onItems(values, globals, 'start the project', async (containers, items, known) => {
    if (items.length === 0) throw new UserError(`no container found for project "${known.name}"`, 'make them with "caisson compose up"', EXIT_FAILED);
    await startItems(containers, items, known);
    return 0;
  });
}

/** Also those that want to be started again with them (`depends_on.restart`). */
export function restart(values: FlagValues, globals: FlagValues): Promise<number> {
  return onItems(values, globals, 'restart the project', async (containers, items, known) => {
    const names = new Set(items.map(({ service }) => service));
    const followers = values.has('no-deps') ? [] : itemsOf(containers, known, []).filter(({ service, container }) => !names.has(service) && (container.record.labels[LABEL.dependsOn] ?? '').split(',').some((text) => {
      const [name = '', , restarts] = text.split(':');
      return restarts === 'true' && names.has(name);
    }));
    const all = [...items, ...followers.filter(({ container }) => container.state.status === 'running')];
    await stopAll(containers, all, known.project, { seconds: secondsOf(values) });
    await startItems(containers, all, known);
    return 0;
  });
}

export function kill(values: FlagValues, globals: FlagValues): Promise<number> {
  const text = values.last('signal');
  const signal = text === undefined ? SIGKILL : parseSignal(text, 'signal');
  return onItems(values, globals, 'kill the project', async (containers, items, { project }) => {
    const known = new Set(project?.services.map(({ name }) => name));
    await killAll(containers, project === undefined || values.has('remove-orphans') || values.command.length > 0 ? items : items.filter(({ service }) => known.has(service)), signal);
    return 0;
  });
}

export function rm(values: FlagValues, globals: FlagValues): Promise<number> {
  return onItems(values, globals, 'remove containers of the project', async (containers, items, { project }) => {
    if (values.has('stop')) await stopAll(containers, items, project, {});
    const ended = items.filter((item) => {
      const status = again(containers, item)?.state.status;
      return status !== undefined && status !== 'running';
    });
    if (ended.length === 0) {
      process.stderr.write('No stopped containers\n');
      return 0;
    }
    if (!values.has('force') && !(await confirmed(`Going to remove ${ended.map(({ container }) => container.name).join(', ')}`))) return 0;
    await removeAll(containers, ended, values.has('volumes'));
    return 0;
  });
}

function namesOf(items: readonly ProjectContainer[]): readonly string[] {
  return items.filter(({ container }) => container.state.status === 'running').map(({ container }) => container.name);
}

export function pause(values: FlagValues, globals: FlagValues): Promise<number> {
  return onItems(values, globals, 'pause the project', async (_, items) => (namesOf(items).length === 0 ? 0 : pauseCommand(namesOf(items))));
}

export function unpause(values: FlagValues, globals: FlagValues): Promise<number> {
  return onItems(values, globals, 'unpause the project', async (_, items) => (namesOf(items).length === 0 ? 0 : unpauseCommand(namesOf(items))));
}

/** Answers the status of the first that ends, as Docker Compose. */
export async function wait(values: FlagValues, globals: FlagValues): Promise<number> {
  if (values.command.length === 0) throw new UserError('cannot compose wait: a word is missing', 'caisson compose wait SERVICE', EXIT_FAILED);
  const code = await onItems(values, globals, 'wait for the project', async (containers, items) => {
    const waited = items.filter(({ container }) => container.state.status !== 'created');
    if (waited.length === 0) throw new UserError(`no container of ${values.command.join(', ')} has been started`, 'see "caisson compose ps -a"', EXIT_FAILED);
    for (;;) {
      const ended = waited.map((item) => again(containers, item)).find((container) => container?.state.status !== 'running');
      if (waited.some((item) => again(containers, item)?.state.status !== 'running')) return ended?.state.exitCode ?? 0;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  });
  process.stderr.write(`container of ${values.command.join(', ')} exited with code ${code}\n`);
  if (values.has('down-project')) {
    await down(new FlagValues(new Map(), []), globals);
  }
  return code;
}
