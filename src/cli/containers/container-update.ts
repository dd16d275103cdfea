/** `update`: limits and the restart policy of containers that are there. */
import type { LimitsConfig } from '../../container/index.ts';
import type { ContainerRecord, Containers, RestartPolicy } from '../../lifecycle/index.ts';
import { readCommand } from '../command.ts';
import { UPDATE } from './container-live-specs.ts';
import { EXIT_FAILED, forEach, withContainers } from './container-store.ts';
import { ask } from './control-client.ts';
import { UserError } from '../errors.ts';
import { parseNewLimits } from './limit-options.ts';
import { parseRestart } from './restart-option.ts';

interface Change {
  readonly limits: Partial<LimitsConfig>;
  readonly restart: RestartPolicy | undefined;
}

function changed(record: ContainerRecord, { limits, restart }: Change): ContainerRecord {
  return { ...record, container: { ...record.container, limits: { ...record.container.limits, ...limits } }, ...(restart === undefined ? {} : { restart }) };
}

async function update(containers: Containers, word: string, change: Change): Promise<void> {
  const container = containers.findWhole(word);
  if (change.restart !== undefined && change.restart.name !== 'no' && container.record.autoRemove) throw new UserError('Restart policy cannot be updated because AutoRemove is enabled for the container', 'make a container without --rm', EXIT_FAILED);
  containers.locked(container.id, () => containers.writeRecord(changed(containers.findWhole(container.id).record, change)));
  // One that is between two starts reads it at the next.
  if (container.state.status === 'running' && container.state.restarting !== true) await ask(containers, container, { op: 'update', limits: change.limits });
  containers.say('update', container);
}

export async function updateCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(UPDATE, args);
  if (values === undefined) return 0;
  const limits = parseNewLimits(values);
  const restart = values.last('restart');
  if (Object.keys(limits).length === 0 && restart === undefined) throw new UserError('you must provide one or more flags when using this command', 'see "caisson update --help"', EXIT_FAILED);
  const change: Change = { limits, restart: restart === undefined ? undefined : parseRestart(restart) };
  return withContainers('update containers', (containers) => forEach(values.command, 'update the container', async (word) => {
    await update(containers, word, change);
    return word;
  }));
}
