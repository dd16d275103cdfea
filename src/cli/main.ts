/** `caisson COMMAND`: finds the command and loads what it needs, no more: start-up time is a promise (SPECIFICATION.md). */
import { doCommand } from './do/do.ts';
import { EXIT_BROKEN_PIPE, EXIT_CAISSON, UserError, exitCodeOf, formatError } from './errors.ts';
import { nearest } from './flags.ts';

type Command = (args: readonly string[]) => Promise<number>;

/** All but `do`, which is what most start, are loaded on demand. The words are also what "did you mean" looks through. */
const COMMANDS: ReadonlyMap<string, () => Promise<Command>> = new Map([
  ['do', async () => doCommand],
  ['run', async () => (await import('./containers/run.ts')).runCommand],
  ['create', async () => (await import('./containers/run.ts')).createCommand],
  ['start', async () => (await import('./containers/container-start.ts')).startCommand],
  ['stop', async () => (await import('./containers/container-start.ts')).stopCommand],
  ['restart', async () => (await import('./containers/container-start.ts')).restartCommand],
  ['kill', async () => (await import('./containers/container-start.ts')).killCommand],
  ['wait', async () => (await import('./containers/container-start.ts')).waitCommand],
  ['logs', async () => (await import('./containers/container-logs.ts')).logsCommand],
  ['exec', async () => (await import('./containers/container-exec.ts')).execCommand],
  ['top', async () => (await import('./containers/container-exec.ts')).topCommand],
  ['port', async () => (await import('./containers/container-port.ts')).portCommand],
  ['diff', async () => (await import('./containers/container-changes.ts')).diffCommand],
  ['export', async () => (await import('./containers/container-changes.ts')).exportCommand],
  ['commit', async () => (await import('./containers/container-changes.ts')).commitCommand],
  ['cp', async () => (await import('./containers/container-copy.ts')).cpCommand],
  ['ps', async () => (await import('./containers/container-list.ts')).psCommand],
  ['rm', async () => (await import('./containers/container-remove.ts')).rmCommand],
  ['rename', async () => (await import('./containers/container-remove.ts')).renameCommand],
  ['attach', async () => (await import('./containers/container-attach.ts')).attachCommand],
  ['stats', async () => (await import('./containers/container-stats.ts')).statsCommand],
  ['pause', async () => (await import('./containers/container-pause.ts')).pauseCommand],
  ['unpause', async () => (await import('./containers/container-pause.ts')).unpauseCommand],
  ['update', async () => (await import('./containers/container-update.ts')).updateCommand],
  ['events', async () => (await import('./containers/events.ts')).eventsCommand],
  ['generate systemd', async () => (await import('./containers/generate.ts')).generateSystemdCommand],
  ['volume create', async () => (await import('./volumes/volume-commands.ts')).volumeCreateCommand],
  ['volume ls', async () => (await import('./volumes/volume-commands.ts')).volumeLsCommand],
  ['volume inspect', async () => (await import('./volumes/volume-commands.ts')).volumeInspectCommand],
  ['volume rm', async () => (await import('./volumes/volume-commands.ts')).volumeRmCommand],
  ['volume prune', async () => (await import('./volumes/volume-commands.ts')).volumePruneCommand],
  ['network create', async () => (await import('./networks/network-commands.ts')).networkCreateCommand],
  ['network connect', async () => (await import('./networks/connect.ts')).networkConnectCommand],
  ['network disconnect', async () => (await import('./networks/connect.ts')).networkDisconnectCommand],
  ['network ls', async () => (await import('./networks/network-commands.ts')).networkLsCommand],
  ['network inspect', async () => (await import('./networks/network-commands.ts')).networkInspectCommand],
  ['network rm', async () => (await import('./networks/network-commands.ts')).networkRmCommand],
  ['network prune', async () => (await import('./networks/network-commands.ts')).networkPruneCommand],
  ['compose', async () => (await import('./compose/compose.ts')).composeCommand],
  ['container prune', async () => (await import('./containers/container-remove.ts')).containerPruneCommand],
  ['container inspect', async () => (await import('./images/image-list.ts')).containerInspectCommand],
  ['image inspect', async () => (await import('./images/image-list.ts')).imageInspectCommand],
  ['build', async () => (await import('./build/build.ts')).buildCommand],
  ['pull', async () => (await import('./registry/registry-commands.ts')).pullCommand],
  ['push', async () => (await import('./registry/registry-commands.ts')).pushCommand],
  ['login', async () => (await import('./registry/registry-commands.ts')).loginCommand],
  ['logout', async () => (await import('./registry/registry-commands.ts')).logoutCommand],
  ['images', async () => (await import('./images/image-list.ts')).imagesCommand],
  ['load', async () => (await import('./images/image-archives.ts')).loadCommand],
  ['save', async () => (await import('./images/image-archives.ts')).saveCommand],
  ['import', async () => (await import('./images/image-archives.ts')).importCommand],
  ['inspect', async () => (await import('./images/image-list.ts')).inspectCommand],
  ['history', async () => (await import('./images/image-list.ts')).historyCommand],
  ['tag', async () => (await import('./images/image-names.ts')).tagCommand],
  ['rmi', async () => (await import('./images/image-names.ts')).rmiCommand],
  ['resolve', async () => (await import('./images/image-names.ts')).resolveCommand],
  ['copy', async () => (await import('./images/copy-commands.ts')).copyCommand],
  ['manifest inspect', async () => (await import('./images/copy-commands.ts')).manifestInspectCommand],
  ['image prune', async () => (await import('./system/system-commands.ts')).imagePruneCommand],
  ['system check', async () => (await import('./system/system-commands.ts')).systemCheckCommand],
  ['system df', async () => (await import('./system/system-commands.ts')).systemDfCommand],
  ['system prune', async () => (await import('./system/system-commands.ts')).systemPruneCommand],
  ['squat', async () => (await import('./squat/squat.ts')).squatCommand],
  ['registry', async () => (await import('./registry/registry.ts')).registryCommand],
  ['scan', async () => (await import('./scan/scan-commands.ts')).scanCommand],
  ['db update', async () => (await import('./scan/scan-commands.ts')).dbUpdateCommand],
  ['db import', async () => (await import('./scan/scan-commands.ts')).dbImportCommand],
  ['db push', async () => (await import('./scan/scan-commands.ts')).dbPushCommand],
  ['db info', async () => (await import('./scan/scan-commands.ts')).dbInfoCommand],
  ['audit', async () => (await import('./audit/audit.ts')).auditCommand],
  ['drill', async () => (await import('./drill/drill.ts')).drillCommand],
  ['debug', async () => (await import('./debug.ts')).debugCommand],
  ['help', async () => (await import('./help.ts')).helpCommand],
]);

/** Docker's second names: `image ls` is `images`, `container ls` is `ps`. */
const ALIASES: ReadonlyMap<string, ReadonlyMap<string, string>> = new Map([
  ['image', new Map([
    ['ls', 'images'], ['list', 'images'], ['rm', 'rmi'], ['remove', 'rmi'], ['inspect', 'image inspect'],
    ...['pull', 'push', 'load', 'save', 'import', 'history', 'tag', 'build'].map((word) => [word, word] as const),
  ])],
  ['system', new Map([['events', 'events']])],
  ['volume', new Map([['list', 'volume ls'], ['remove', 'volume rm']])],
  ['network', new Map([['list', 'network ls'], ['remove', 'network rm']])],
  ['container', new Map([
    ['ls', 'ps'], ['list', 'ps'], ['ps', 'ps'], ['remove', 'rm'], ['inspect', 'container inspect'],
    ...['run', 'create', 'start', 'stop', 'restart', 'kill', 'wait', 'logs', 'exec', 'top', 'port', 'rm', 'rename', 'diff', 'export', 'commit', 'cp', 'attach', 'stats', 'pause', 'unpause', 'update'].map((word) => [word, word] as const),
  ])],
]);

/** `image ls` and `system df`: groups have a second word. */
async function dispatchGroup(group: string, args: readonly string[]): Promise<number> {
  const [word, ...rest] = args;
  const aliases = ALIASES.get(group);
  const alias = aliases?.get(word ?? '');
  const load = COMMANDS.get(alias ?? `${group} ${word ?? ''}`);
  if (load !== undefined) return (await load())(rest);
  const words = [...new Set([...(aliases?.keys() ?? []), ...[...COMMANDS.keys()].filter((name) => name.startsWith(`${group} `)).map((name) => name.slice(group.length + 1))])];
  if (word === undefined || word === '--help' || word === '-h') return (await import('./help.ts')).printGroupHelp(group, words, aliases);
  const guess = nearest(word, words);
  throw new UserError(`cannot ${group} ${word}: no such command`, guess === undefined ? `it is one of ${words.join(', ')}` : `did you mean "caisson ${group} ${guess}"?`);
}

async function dispatch(args: readonly string[]): Promise<number> {
  const [word, ...rest] = args;
  if (word === undefined || word === '--help' || word === '-h') return (await import('./help.ts')).helpCommand(rest);
  if (word === '--version' || word === '-V') return (await import('./help.ts')).printVersion();
  const load = COMMANDS.get(word);
  if (load !== undefined) return (await load())(rest);
  const names = [...COMMANDS.keys()].map((name) => name.split(' ')[0] ?? '');
  if (names.includes(word)) return dispatchGroup(word, rest);
  const guess = nearest(word, names);
  throw new UserError(`cannot ${word}: no such command`, guess === undefined ? 'see "caisson --help"' : `did you mean "caisson ${guess}"?`);
}

/** Says what went wrong in one line. The stack is for those who ask. */
function report(error: unknown): void {
  const detail = process.env['CAISSON_DEBUG'] === '1' && error instanceof Error ? `${error.stack ?? ''}\n` : '';
  process.stderr.write(`${formatError(error)}\n${detail}`);
}

/** A reader that went away ends us as it ends any program: silently. (Handlers on the streams would make them, which takes 5 ms.) */
function endIfUnread(error: unknown): void {
  if (error instanceof Error && 'code' in error && error.code === 'EPIPE') process.exit(EXIT_BROKEN_PIPE);
}

function fail(error: unknown): never {
  endIfUnread(error);
  report(error);
  process.exit(exitCodeOf(error));
}

/**
 * What does not fit into a pipe waits in this process, and leaving throws it away: a reader that is slow got the first 64 KB. Asked for without a look at the streams, which
 * would make them.
 */
async function outputWritten(): Promise<void> {
  if (!process.getActiveResourcesInfo().some((name) => name.endsWith('WriteWrap'))) return;
  await Promise.all([process.stdout, process.stderr].map((stream) => new Promise<void>((resolve) => stream.write('', () => resolve()))));
}

/** Runs the command line and ends the process with its exit status. */
export async function main(args: readonly string[]): Promise<void> {
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  // What Node answers with if it runs out of things to do before we have an answer: that would be a fault of ours.
  process.exitCode = EXIT_CAISSON;
  let code: number;
  try {
    code = await dispatch(args);
  } catch (error) {
    endIfUnread(error);
    report(error);
    code = exitCodeOf(error);
  }
  await outputWritten();
  // Standard input may still be open, and would keep us here.
  process.exit(code);
}
