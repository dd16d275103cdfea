/** `rm`, `rename`, `container prune`. */
import { kill } from 'node:process';
import { LifecycleError } from '../../lifecycle/index.ts';
import type { Containers, KeptContainer } from '../../lifecycle/index.ts';
import { readCommand } from '../command.ts';
import { confirmed } from '../confirm.ts';
import { hasLabel } from './container-facts.ts';
import { CONTAINER_PRUNE, RENAME, RM } from './container-specs.ts';
import { forEach, withContainers } from './container-store.ts';
import { pruneFilter } from './prune-filter.ts';
import { humanSize } from '../table.ts';

const PAUSE_MS = 5;
/** A process that was sent SIGKILL ends at once, unless it waits for a disk that does not answer. */
const MOST_WAIT_MS = 10_000;

/** Ends the process that runs it, as nobody can refuse. */
export async function killHost(containers: Containers, { id, name, state }: KeptContainer): Promise<void> {
  const { pid, owner = '' } = state;
  const { host } = containers.store.disk;
  if (state.status !== 'running' || pid === undefined) return;
  if (host.hasEnded(owner) === undefined) throw new LifecycleError(`cannot kill the container ${name}: its process cannot be seen from here`, 'do it where the container was started');
  try {
    kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw new LifecycleError(`cannot kill the container ${name}: ${(error as Error).message}`, 'is it another user\'s?', { cause: error });
  }
  for (const since = performance.now(); host.hasEnded(owner) === false && performance.now() - since < MOST_WAIT_MS;) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  containers.stateOf(id);
}

/** @throws LifecycleError where it runs and `force` is false. */
async function remove(containers: Containers, text: string, { force, withVolumes }: { readonly force: boolean; readonly withVolumes: boolean }): Promise<string> {
  let container: KeptContainer;
  try {
    container = containers.find(text);
  } catch (error) {
    if (!force || !(error instanceof Error) || error.name !== 'NoSuchContainerError') throw error;
    process.stderr.write(`caisson: ${error.message}\n`);
    return '';
  }
  if (force) await killHost(containers, container);
  const { record } = container;
  // As Docker: what was made for a container that removes itself goes with it.
  const volumes = record !== undefined && (withVolumes || record.autoRemove) ? await import('../../lifecycle/volumes.ts') : undefined;
  containers.locked(container.id, () => {
    const { status, paused } = containers.stateOf(container.id);
    if (status === 'running') {
      throw paused === true ? new LifecycleError(`cannot remove container "/${container.name}": container is paused and must be unpaused first`, 'unpause and stop it, or use --force')
        : new LifecycleError(`cannot remove container "/${container.name}": container is running`, 'stop the container before removing or force remove');
    }
    if (!force) containers.checkFree(container.id);
    // Before it: of a command that is killed meanwhile something is there that names what is left.
    if (record !== undefined) volumes?.removeAnonymous(containers, record);
    containers.remove(container.id);
  });
  return text;
}

export async function rmCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(RM, args);
  if (values === undefined) return 0;
  return withContainers('remove containers', (containers) => forEach(values.command, 'remove the container', (text) => remove(containers, text, { force: values.has('force'), withVolumes: values.has('volumes') })));
}

export async function renameCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(RENAME, args);
  if (values === undefined) return 0;
  const [text = '', name = ''] = values.command;
  return withContainers(`rename the container "${text}"`, (containers) => {
    containers.rename(containers.find(text), name);
    return 0;
  });
}

/** Removes those that do not run. Answers their ids and the bytes that are free again. */
export function pruneContainers(containers: Containers, accepts: (container: KeptContainer) => boolean): { readonly ids: readonly string[]; readonly bytes: number } {
  const ids: string[] = [];
  let bytes = 0;
  containers.removeRemnants();
  for (const container of containers.list()) {
    if (container.state.status === 'running' || !accepts(container)) continue;
    const own = containers.bytesOf(container.id);
    const removed = containers.locked(container.id, () => {
      if (containers.stateOf(container.id).status === 'running') return false;
      containers.remove(container.id);
      return true;
    });
    if (!removed) continue;
    ids.push(container.id);
    bytes += own;
  }
  return { ids, bytes };
}

export async function containerPruneCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(CONTAINER_PRUNE, args);
  if (values === undefined) return 0;
  const filters = values.all('filter').map(pruneFilter);
  if (!values.has('force') && !(await confirmed('WARNING! This will remove all stopped containers.'))) return 0;
  return withContainers('remove containers', (containers) => {
    const { ids, bytes } = pruneContainers(containers, ({ record }) => filters.every((filter) => filter({ createdMs: record?.createdMs ?? 0, hasLabel: (text) => hasLabel(record?.labels ?? {}, text) })));
    process.stdout.write(`${ids.length === 0 ? '' : `Deleted Containers:\n${ids.join('\n')}\n\n`}Total reclaimed space: ${humanSize(bytes)}\n`);
    return 0;
  });
}
