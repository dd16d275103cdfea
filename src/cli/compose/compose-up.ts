/** `compose up` and `compose create`. */
import type { Project, Service } from '../../compose/index.ts';
import { MOST_SCALE, withDependencies } from '../../compose/index.ts';
import type { Containers } from '../../lifecycle/index.ts';
import { EXIT_FAILED, withContainers } from '../containers/container-store.ts';
import { UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import { need, oneOf } from '../option-values.ts';
import { parseCount } from '../quantities.ts';
import { secondsOf } from './compose-options.ts';
import { converge } from './converge.ts';
import type { ConvergeOptions } from './converge.ts';
import { Foreground } from './foreground.ts';
import { checkSupported, loadProject, warn } from './load.ts';
import { checkedServices, containersOf } from './project-containers.ts';
import { ensureImages, ensureNetworks, ensureVolumes } from './resources.ts';
import { awaitAll, startServices } from './starting.ts';
import { removeAll, stopAll } from './stopping.ts';

function scalesOf(values: FlagValues, project: Project): ReadonlyMap<string, number> {
  return new Map(values.all('scale').map((text) => {
    const [, name = '', digits] = /^([^=]+)=(\d{1,6})$/.exec(text) ?? [];
    const count = digits === undefined ? undefined : Number(digits);
    if (count === undefined || count > MOST_SCALE) throw new UserError(`cannot use --scale ${text}: it is SERVICE=N, with N from 0 to ${MOST_SCALE}`, 'such as web=3', EXIT_FAILED);
    checkedServices(project.services.map((service) => service.name), [name]);
    return [name, count];
  }));
}

function convergeOptions(values: FlagValues, project: Project): ConvergeOptions {
  if (values.has('force-recreate') && values.has('no-recreate')) throw new UserError('--force-recreate and --no-recreate are incompatible', 'leave one of them out', EXIT_FAILED);
  return { force: values.has('force-recreate'), never: values.has('no-recreate'), renewVolumes: values.has('renew-anon-volumes'), seconds: secondsOf(values), scales: scalesOf(values, project) };
}

/** Those that were named with what they need, or all. */
function chosen(project: Project, names: readonly string[], alone: boolean): readonly Service[] {
  checkedServices(project.services.map(({ name }) => name), names);
  if (names.length === 0) return project.services;
  return alone ? project.services.filter(({ name }) => names.includes(name)) : withDependencies(project.services, names);
}

async function tendOrphans(containers: Containers, project: Project, values: FlagValues): Promise<void> {
  const known = new Set([...project.services.map(({ name }) => name), ...project.disabled]);
  const orphans = containersOf(containers, project.name).filter(({ service, isOneOff }) => !isOneOff && !known.has(service));
  if (orphans.length === 0) return;
  if (!values.has('remove-orphans')) {
    warn(`Found orphan containers (${orphans.map(({ container }) => container.name).join(', ')}) for this project. If you removed or renamed this service in your compose file, you can run this command with the --remove-orphans flag to clean it up.`);
    return;
  }
  await stopAll(containers, orphans, project, { seconds: secondsOf(values) });
  await removeAll(containers, orphans, true);
}

/** Everything but the start. */
async function makeAll(containers: Containers, project: Project, services: readonly Service[], values: FlagValues): Promise<void> {
  const { store } = containers;
  const options = convergeOptions(values, project);
  const pull = oneOf(values, 'pull', ['always', 'missing', 'never']);
  if (values.has('build') && values.has('no-build')) throw new UserError('--build and --no-build are incompatible', 'leave one of them out', EXIT_FAILED);
  checkSupported(project, services);
  await ensureImages(store, project, services, { pull, build: values.has('build'), noBuild: values.has('no-build'), quiet: values.has('quiet-pull') });
  ensureNetworks(store, project, services);
  ensureVolumes(store, project, services);
  await tendOrphans(containers, project, values);
  for (const service of services) await converge(containers, project, service, options);
}

const BACKGROUND_CONFLICTS = ['abort-on-container-exit', 'abort-on-container-failure', 'exit-code-from', 'attach', 'no-attach', 'timestamps', 'no-log-prefix'];

function checkFlags(values: FlagValues): void {
  const other = values.has('detach') || values.has('wait') ? BACKGROUND_CONFLICTS.find((flag) => values.has(flag)) : undefined;
  if (other !== undefined) throw new UserError(`--${values.has('detach') ? 'detach' : 'wait'} and --${other} cannot be combined`, 'leave one of them out', EXIT_FAILED);
}

export async function up(values: FlagValues, globals: FlagValues): Promise<number> {
  checkFlags(values);
  const names = values.command;
  const project = loadProject(globals, names);
  const services = chosen(project, names, values.has('no-deps'));
  const timeout = values.last('wait-timeout');
  const untilMs = timeout === undefined ? undefined : Date.now() + need(parseCount(timeout), 'wait-timeout', timeout, 'it is not a number of seconds') * 1000;
  return withContainers('start the project', async (containers) => {
    await makeAll(containers, project, services, values);
    if (values.has('no-start')) return 0;
    if (!values.has('detach') && !values.has('wait')) return new Foreground(containers, project, services, names, values).run();
    await startServices(containers, project, services, { untilMs });
    if (values.has('wait')) {
      const chosenNames = new Set(services.map(({ name }) => name));
      await awaitAll(containers, project, containersOf(containers, project.name).filter(({ service, isOneOff }) => !isOneOff && chosenNames.has(service)), untilMs);
    }
    return 0;
  });
}

export async function create(values: FlagValues, globals: FlagValues): Promise<number> {
  const project = loadProject(globals, values.command);
  const services = chosen(project, values.command, false);
  return withContainers('make the project', async (containers) => {
    await makeAll(containers, project, services, values);
    return 0;
  });
}

/** For `run`: the services that one needs are there, and as far as it asks for. */
export async function startNeeded(containers: Containers, project: Project, service: Service): Promise<void> {
  const needed = withDependencies(project.services, [...service.dependencies.keys()]);
  checkSupported(project, [...needed, service]);
  await ensureImages(containers.store, project, needed, {});
  ensureNetworks(containers.store, project, [...needed, service]);
  ensureVolumes(containers.store, project, [...needed, service]);
  for (const one of needed) await converge(containers, project, one, {});
  await startServices(containers, project, needed);
}
