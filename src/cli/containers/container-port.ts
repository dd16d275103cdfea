/** `port`: where the ports of a container are reached. */
import { LifecycleError } from '../../lifecycle/index.ts';
import { readCommand } from '../command.ts';
import { PORT } from './container-specs.ts';
import { withContainers } from './container-store.ts';
import { UserError } from '../errors.ts';
import { addressText, boundPorts } from '../networks/published-ports.ts';

/** `80` is `80/tcp`. @throws UserError */
function portOf(text: string): string {
  const match = /^(\d{1,5})(?:\/(tcp|udp))?$/.exec(text.toLowerCase());
  if (match === null) throw new UserError(`cannot find the port "${text}": it is PORT[/tcp|udp]`, 'such as 80 or 53/udp');
  return `${Number(match[1])}/${match[2] ?? 'tcp'}`;
}

export async function portCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(PORT, args);
  if (values === undefined) return 0;
  const [name = '', port] = values.command;
  const wanted = port === undefined ? undefined : portOf(port);
  return withContainers('show its ports', (containers) => {
    const lines = boundPorts(containers.find(name)).map((bound) => [`${bound.port}/${bound.protocol}`, `${addressText(bound.address)}:${bound.hostPort}`] as const);
    const found = wanted === undefined ? lines : lines.filter(([key]) => key === wanted);
    if (wanted !== undefined && found.length === 0) throw new LifecycleError(`No public port '${wanted}' published for ${name}`, 'see "caisson port NAME", and "caisson ps" whether it runs');
    process.stdout.write(found.map(([key, place]) => `${wanted === undefined ? `${key} -> ` : ''}${place}\n`).join(''));
    return 0;
  });
}
