/** `caisson compose`: flags of the project, and the command behind them. */
import { readCommand } from '../command.ts';
import type { CommandSpec } from '../command.ts';
import { UserError } from '../errors.ts';
import { nearest } from '../flags.ts';
import type { FlagValues } from '../flags.ts';
import { COMPOSE, COMPOSE_COMMANDS } from './compose-specs.ts';

type Run = (values: FlagValues, globals: FlagValues) => Promise<number>;

/** Names are those of `compose-specs.ts`. */
const COMMANDS: ReadonlyMap<string, () => Promise<Run>> = new Map([
  ['up', async () => (await import('./compose-up.ts')).up],
  ['create', async () => (await import('./compose-up.ts')).create],
  ['down', async () => (await import('./compose-down.ts')).down],
  ['stop', async () => (await import('./compose-down.ts')).stop],
  ['start', async () => (await import('./compose-down.ts')).start],
  ['restart', async () => (await import('./compose-down.ts')).restart],
  ['kill', async () => (await import('./compose-down.ts')).kill],
  ['rm', async () => (await import('./compose-down.ts')).rm],
  ['pause', async () => (await import('./compose-down.ts')).pause],
  ['unpause', async () => (await import('./compose-down.ts')).unpause],
  ['wait', async () => (await import('./compose-down.ts')).wait],
  ['logs', async () => (await import('./compose-logs.ts')).logs],
  ['ps', async () => (await import('./compose-lists.ts')).ps],
  ['images', async () => (await import('./compose-lists.ts')).images],
  ['top', async () => (await import('./compose-lists.ts')).top],
  ['port', async () => (await import('./compose-lists.ts')).port],
  ['ls', async () => (await import('./compose-lists.ts')).ls],
  ['config', async () => (await import('./compose-lists.ts')).config],
  ['exec', async () => (await import('./compose-run.ts')).exec],
  ['run', async () => (await import('./compose-run.ts')).run],
  ['cp', async () => (await import('./compose-run.ts')).cp],
  ['build', async () => (await import('./compose-images.ts')).build],
  ['pull', async () => (await import('./compose-images.ts')).pull],
  ['version', async () => async (values) => (await import('./compose-version.ts')).printVersion(values)],
]);
/** Docker Compose's, and what to do instead. */
const ABSENT: ReadonlyMap<string, string> = new Map([
  ['watch', 'run "caisson compose up -d --build" when a file has changed'], ['push', 'use "caisson compose build --push"'], ['events', 'use "caisson events"'], ['stats', 'use "caisson stats"'], ['attach', 'use "caisson attach"'], ['scale', 'use "caisson compose up -d --scale SERVICE=N"'], ['commit', 'use "caisson commit"'],
  ['export', 'use "caisson export"'], ['volumes', 'use "caisson volume ls"'], ['publish', 'copy the Compose files'], ['bridge', 'write the manifests yourself'],
]);
const ALIASES: ReadonlyMap<string, string> = new Map([['convert', 'config']]);

function specOf(word: string): CommandSpec | undefined {
  return COMPOSE_COMMANDS.find(({ name }) => name === `compose ${word}`);
}

export async function composeCommand(args: readonly string[]): Promise<number> {
  const globals = await readCommand(COMPOSE, args);
  if (globals === undefined) return 0;
  const [typed = '', ...rest] = globals.command;
  const word = ALIASES.get(typed) ?? typed;
  const spec = specOf(word);
  const load = COMMANDS.get(word);
  if (spec === undefined || load === undefined) {
    const instead = ABSENT.get(word);
    if (instead !== undefined) throw new UserError(`cannot compose ${word}: it is not there yet`, instead);
    const guess = nearest(word.slice(0, 100), [...COMMANDS.keys()]);
    throw new UserError(`cannot compose ${word}: no such command`, guess === undefined ? 'see "caisson compose --help"' : `did you mean "caisson compose ${guess}"?`);
  }
  const values = await readCommand(spec, rest);
  if (values === undefined) return 0;
  return (await load())(values, globals);
}
