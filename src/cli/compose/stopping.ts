/** Ends and removes containers of a project: those that others need come last. */
import type { Project } from '../../compose/index.ts';
import type { Containers } from '../../lifecycle/index.ts';
import { DEFAULT_STOP_TIMEOUT_S } from '../../lifecycle/index.ts';
import { removeContainer } from '../containers/container-remove.ts';
import { killContainer, stopContainer } from '../containers/container-start.ts';
import { stopSignalOf } from '../containers/stop-signal.ts';
import { again, inLevels, say } from './project-containers.ts';
import type { ProjectContainer } from './project-containers.ts';

export interface StopOptions {
  /** Undefined: what each was made with. */
  readonly seconds?: number | undefined;
}

async function stopOne(containers: Containers, item: ProjectContainer, { seconds }: StopOptions): Promise<void> {
  const container = again(containers, item);
  if (container === undefined || container.state.status !== 'running') return;
  await stopContainer(containers, container, stopSignalOf(container.record), seconds ?? container.record.stopTimeoutS ?? DEFAULT_STOP_TIMEOUT_S);
  containers.say('stop', container);
  say('Container', container.name, 'Stopped');
}

/** All of a group at once, group after group. */
export async function stopAll(containers: Containers, items: readonly ProjectContainer[], project: Project | undefined, options: StopOptions): Promise<void> {
  for (const group of [...inLevels(items, project)].reverse()) await Promise.all(group.map((item) => stopOne(containers, item, options)));
}

export async function killAll(containers: Containers, items: readonly ProjectContainer[], signal: number): Promise<void> {
  for (const item of items) {
    const container = again(containers, item);
    if (container?.state.status !== 'running') continue;
    await killContainer(containers, container, signal);
    say('Container', container.name, 'Killed');
  }
}

/** They do not run. `withVolumes`: also those that have no name. */
export async function removeAll(containers: Containers, items: readonly ProjectContainer[], withVolumes: boolean): Promise<void> {
  for (const item of items) {
    const container = again(containers, item);
    if (container === undefined) continue;
    await removeContainer(containers, container.id, { force: false, withVolumes });
    say('Container', container.name, 'Removed');
  }
}
