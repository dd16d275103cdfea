/** `update`: limits, the restart policy, and what may be reached, of containers that are there. */
import type { LimitsConfig, NetworkRules } from '../../container/index.ts';
import { Networks } from '../../lifecycle/index.ts';
import type { ContainerRecord, Containers, RestartPolicy, WholeContainer } from '../../lifecycle/index.ts';
import { readCommand } from '../command.ts';
import { UPDATE } from './container-live-specs.ts';
import { EXIT_FAILED, forEach, withContainers } from './container-store.ts';
import { ask } from './control-client.ts';
import { UserError } from '../errors.ts';
import { parseNewLimits } from './limit-options.ts';
import { refuseInternal } from '../networks/network-options.ts';
import { newRules, withRules } from '../networks/rule-update.ts';
import { parseRestart } from './restart-option.ts';

interface Change {
  readonly limits: Partial<LimitsConfig>;
  readonly restart: RestartPolicy | undefined;
  readonly rules: NetworkRules | undefined;
}

function changed(record: ContainerRecord, { limits, restart, rules }: Change, isRunning: boolean): ContainerRecord {
  const { container } = record;
  const network = rules === undefined ? container.network : withRules(container.network, rules, isRunning);
  return { ...record, container: { ...container, limits: { ...container.limits, ...limits }, network }, ...(restart === undefined ? {} : { restart }) };
}

/** @throws UserError where its networks have no way out */
function checkNetwork(containers: Containers, { record: { container: { network } } }: WholeContainer, { rules }: Change): void {
  const networks = new Networks(containers.store);
  if (rules !== undefined) refuseInternal((network.members ?? []).map((member) => networks.find(member.network)), { ...network, mode: 'outbound' });
}

async function update(containers: Containers, word: string, change: Change): Promise<void> {
  const container = containers.findWhole(word);
  if (change.restart !== undefined && change.restart.name !== 'no' && container.record.autoRemove) throw new UserError('Restart policy cannot be updated because AutoRemove is enabled for the container', 'make a container without --rm', EXIT_FAILED);
  checkNetwork(containers, container, change);
  const isRunning = container.state.status === 'running';
  containers.locked(container.id, () => containers.writeRecord(changed(containers.findWhole(container.id).record, change, isRunning)));
  // One that is between two starts reads it at the next.
  if (isRunning && container.state.restarting !== true) await ask(containers, container, { op: 'update', limits: change.limits, rules: change.rules });
  containers.say('update', container);
}

export async function updateCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(UPDATE, args);
  if (values === undefined) return 0;
  const limits = parseNewLimits(values);
  const restart = values.last('restart');
  const rules = newRules(values);
  if (Object.keys(limits).length === 0 && restart === undefined && rules === undefined) throw new UserError('you must provide one or more flags when using this command', 'see "caisson update --help"', EXIT_FAILED);
  const change: Change = { limits, restart: restart === undefined ? undefined : parseRestart(restart), rules };
  return withContainers('update containers', (containers) => forEach(values.command, 'update the container', async (word) => {
    await update(containers, word, change);
    return word;
  }));
}
