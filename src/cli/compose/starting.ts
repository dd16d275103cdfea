/** Starts containers of a project in their order, each when what it depends on is as far as it asks for. */
import type { Dependency, Project, Service } from '../../compose/index.ts';
import type { Containers, WholeContainer } from '../../lifecycle/index.ts';
import { EXIT_FAILED, toContainerError } from '../containers/container-store.ts';
import { startDetached } from '../containers/detached.ts';
import { UserError } from '../errors.ts';
import { warn } from './load.ts';
import { again, containersOf, say } from './project-containers.ts';
import type { ProjectContainer } from './project-containers.ts';

const PAUSE_MS = 50;

export interface StartOptions {
  /** Called before a container starts. */
  readonly beforeStart?: (item: ProjectContainer) => void;
  /** True: no more is started, and nothing waited for. */
  readonly isOver?: () => boolean;
  /** When what is waited for must be there: milliseconds since the epoch. */
  readonly untilMs?: number | undefined;
}

type Verdict = 'yes' | 'not yet' | { readonly never: string };

/** Whether a container is as far as a condition says. */
function verdict({ name, record, state }: WholeContainer, condition: Dependency['condition']): Verdict {
  if (condition === 'service_completed_successfully') {
    if (state.status !== 'exited') return 'not yet';
    return state.exitCode === 0 ? 'yes' : { never: `container ${name} exited (${state.exitCode})` };
  }
  if (state.status === 'exited') return { never: `container ${name} exited (${state.exitCode})` };
  if (condition === 'service_started') return state.status === 'running' ? 'yes' : 'not yet';
  if (record.health === undefined) return { never: `container ${name} has no healthcheck configured` };
  return state.health?.status === 'healthy' ? 'yes' : state.health?.status === 'unhealthy' ? { never: `container ${name} is unhealthy` } : 'not yet';
}

const DONE: Readonly<Record<Dependency['condition'], string>> = { service_started: 'Started', service_healthy: 'Healthy', service_completed_successfully: 'Exited' };

/** Until it is so. Answers why it never will be. */
async function reached(containers: Containers, item: ProjectContainer, condition: Dependency['condition'], { isOver, untilMs = Infinity }: StartOptions): Promise<string | undefined> {
  for (;;) {
    if (isOver?.() === true) return undefined;
    const container = again(containers, item);
    if (container === undefined) return `container ${item.container.name} was removed`;
    const found = verdict(container, condition);
    if (found === 'yes') {
      if (condition !== 'service_started') say('Container', container.name, DONE[condition]);
      return undefined;
    }
    if (found !== 'not yet') return found.never;
    if (Date.now() > untilMs) return `container ${container.name} is not ${condition === 'service_healthy' ? 'healthy' : 'ready'} in time`;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

async function awaitDependencies(containers: Containers, project: Project, service: Service, options: StartOptions): Promise<void> {
  for (const [name, { condition, required }] of service.dependencies) {
    for (const item of containersOf(containers, project.name).filter((one) => one.service === name && !one.isOneOff)) {
      if (condition === 'service_started') continue;
      const why = await reached(containers, item, condition, options);
      if (why === undefined) continue;
      if (required) throw new UserError(`dependency failed to start: ${why}`, `see "caisson compose logs ${name}"`, EXIT_FAILED);
      warn(`optional dependency ${name} of ${service.name} failed to start: ${why}`);
    }
  }
}

async function startOne(containers: Containers, item: ProjectContainer, { beforeStart }: StartOptions): Promise<void> {
  const container = again(containers, item);
  if (container === undefined) return;
  if (container.state.status === 'running') {
    say('Container', container.name, 'Running');
    return;
  }
  beforeStart?.(item);
  try {
    await startDetached(container.id);
  } catch (error) {
    const known = toContainerError(error, 'start it');
    throw known instanceof UserError ? new UserError(`cannot start ${container.name}: ${known.message}`, known.advice, EXIT_FAILED, { cause: error }) : known;
  }
  say('Container', container.name, 'Started');
}

/** Of these services, which are in their order. @throws UserError */
export async function startServices(containers: Containers, project: Project, services: readonly Service[], options: StartOptions = {}): Promise<void> {
  for (const service of services) {
    const items = containersOf(containers, project.name).filter((item) => item.service === service.name && !item.isOneOff);
    const isIdle = items.some((item) => again(containers, item)?.state.status !== 'running');
    if (isIdle) await awaitDependencies(containers, project, service, options);
    for (const item of items) if (options.isOver?.() !== true) await startOne(containers, item, options);
  }
}

/** `--wait`: until all run, or are healthy where they have a check, or have ended where another one waits for that. @throws UserError */
export async function awaitAll(containers: Containers, project: Project, items: readonly ProjectContainer[], untilMs: number | undefined): Promise<void> {
  const jobs = new Set(project.services.flatMap(({ dependencies }) => [...dependencies].flatMap(([name, { condition }]) => (condition === 'service_completed_successfully' ? [name] : []))));
  for (const item of items) {
    const why = await reached(containers, item, jobs.has(item.service) ? 'service_completed_successfully' : item.container.record.health === undefined ? 'service_started' : 'service_healthy', { untilMs });
    if (why !== undefined) throw new UserError(why, `see "caisson compose logs ${item.service}"`, EXIT_FAILED);
  }
}
