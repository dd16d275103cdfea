/** `update`: limits and the restart policy of containers that are there. */
import type { ContainerRecord, Containers, RestartPolicy } from '../lifecycle/index.ts';
import { readCommand } from './command.ts';
import { UPDATE } from './container-live-specs.ts';
import { EXIT_FAILED, forEach, withContainers } from './container-store.ts';
import { ask } from './control-client.ts';
import { UserError } from './errors.ts';
import { need } from './option-values.ts';
import { parseCount, parseSize } from './quantities.ts';
import { parseRestart } from './restart-option.ts';

interface Change {
  readonly memoryBytes: number | undefined;
  readonly tasks: number | undefined;
  readonly restart: RestartPolicy | undefined;
}

function changed(record: ContainerRecord, { memoryBytes, tasks, restart }: Change): ContainerRecord {
  const limits = { ...record.container.limits, ...(memoryBytes === undefined ? {} : { memoryBytes }), ...(tasks === undefined ? {} : { tasks }) };
  return { ...record, container: { ...record.container, limits }, ...(restart === undefined ? {} : { restart }) };
}

async function update(containers: Containers, word: string, change: Change): Promise<void> {
  const container = containers.findWhole(word);
  if (change.restart !== undefined && change.restart.name !== 'no' && container.record.autoRemove) throw new UserError('Restart policy cannot be updated because AutoRemove is enabled for the container', 'make a container without --rm', EXIT_FAILED);
  containers.locked(container.id, () => containers.writeRecord(changed(containers.findWhole(container.id).record, change)));
  const { memoryBytes, tasks } = change;
  // One that is between two starts reads it at the next.
  if (container.state.status === 'running' && container.state.restarting !== true) await ask(containers, container, { op: 'update', memoryBytes, tasks });
  containers.say('update', container);
}

export async function updateCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(UPDATE, args);
  if (values === undefined) return 0;
  const [memory, tasks, restart] = [values.last('memory'), values.last('pids-limit'), values.last('restart')];
  if (memory === undefined && tasks === undefined && restart === undefined) throw new UserError('you must provide one or more flags when using this command', 'see "caisson update --help"', EXIT_FAILED);
  const change: Change = {
    memoryBytes: memory === undefined ? undefined : need(parseSize(memory) || undefined, 'memory', memory, 'it is not a size such as 512m'),
    tasks: tasks === undefined ? undefined : need(parseCount(tasks) || undefined, 'pids-limit', tasks, 'it is not a number'),
    restart: restart === undefined ? undefined : parseRestart(restart),
  };
  return withContainers('update containers', (containers) => forEach(values.command, 'update the container', async (word) => {
    await update(containers, word, change);
    return word;
  }));
}
