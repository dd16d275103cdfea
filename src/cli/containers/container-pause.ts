/** `pause` and `unpause`: nothing in a container runs for a while. */
import { readCommand } from '../command.ts';
import { PAUSE, UNPAUSE } from './container-live-specs.ts';
import { EXIT_FAILED, forEach, withContainers } from './container-store.ts';
import { ask } from './control-client.ts';
import { UserError } from '../errors.ts';

async function onEach(op: 'pause' | 'unpause', args: readonly string[]): Promise<number> {
  const values = await readCommand(op === 'pause' ? PAUSE : UNPAUSE, args);
  if (values === undefined) return 0;
  return withContainers(`${op} containers`, (containers) => forEach(values.command, `${op} the container`, async (word) => {
    const container = containers.find(word);
    const answer = await ask(containers, container, { op });
    // Docker says the one of both, in capitals.
    if (answer === undefined) throw new UserError(op === 'pause' ? `Container ${container.id} is not running` : `Container ${container.id} is not paused`, 'see "caisson ps -a"', EXIT_FAILED);
    return word;
  }));
}

export function pauseCommand(args: readonly string[]): Promise<number> {
  return onEach('pause', args);
}

export function unpauseCommand(args: readonly string[]): Promise<number> {
  return onEach('unpause', args);
}
