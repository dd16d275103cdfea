/** `caisson COMMAND`: finds the command and loads what it needs, no more: start-up time is a promise (SPECIFICATION.md). */
import { doCommand } from './do.ts';
import { EXIT_CAISSON, UserError, exitCodeOf, formatError } from './errors.ts';
import { nearest } from './flags.ts';

type Command = (args: readonly string[]) => Promise<number>;

/** All but `do`, which is what most start, are loaded on demand. The words are also what "did you mean" looks through. */
const COMMANDS: ReadonlyMap<string, () => Promise<Command>> = new Map([
  ['do', async () => doCommand],
  ['run', async () => (await import('./run.ts')).runCommand],
  ['build', async () => (await import('./build.ts')).buildCommand],
  ['pull', async () => (await import('./registry-commands.ts')).pullCommand],
  ['push', async () => (await import('./registry-commands.ts')).pushCommand],
  ['login', async () => (await import('./registry-commands.ts')).loginCommand],
  ['logout', async () => (await import('./registry-commands.ts')).logoutCommand],
  ['images', async () => (await import('./image-list.ts')).imagesCommand],
  ['load', async () => (await import('./image-archives.ts')).loadCommand],
  ['save', async () => (await import('./image-archives.ts')).saveCommand],
  ['import', async () => (await import('./image-archives.ts')).importCommand],
  ['inspect', async () => (await import('./image-list.ts')).inspectCommand],
  ['history', async () => (await import('./image-list.ts')).historyCommand],
  ['tag', async () => (await import('./image-names.ts')).tagCommand],
  ['rmi', async () => (await import('./image-names.ts')).rmiCommand],
  ['resolve', async () => (await import('./image-names.ts')).resolveCommand],
  ['copy', async () => (await import('./copy-commands.ts')).copyCommand],
  ['manifest inspect', async () => (await import('./copy-commands.ts')).manifestInspectCommand],
  ['image prune', async () => (await import('./system-commands.ts')).imagePruneCommand],
  ['system check', async () => (await import('./system-commands.ts')).systemCheckCommand],
  ['system df', async () => (await import('./system-commands.ts')).systemDfCommand],
  ['system prune', async () => (await import('./system-commands.ts')).systemPruneCommand],
  ['registry', async () => (await import('./registry.ts')).registryCommand],
  ['debug', async () => (await import('./debug.ts')).debugCommand],
  ['help', async () => (await import('./help.ts')).helpCommand],
]);

/** Docker's second names: `image ls` is `images`. */
const IMAGE_ALIASES: ReadonlyMap<string, string> = new Map([
  ['ls', 'images'], ['list', 'images'], ['rm', 'rmi'], ['remove', 'rmi'],
  ...['pull', 'push', 'load', 'save', 'import', 'inspect', 'history', 'tag'].map((word) => [word, word] as const),
]);

/** `image ls` and `system df`: groups have a second word. */
async function dispatchGroup(group: string, args: readonly string[]): Promise<number> {
  const [word, ...rest] = args;
  const alias = group === 'image' ? IMAGE_ALIASES.get(word ?? '') : undefined;
  const load = COMMANDS.get(alias ?? `${group} ${word ?? ''}`);
  if (load !== undefined) return (await load())(rest);
  const words = [...(group === 'image' ? IMAGE_ALIASES.keys() : []), ...[...COMMANDS.keys()].filter((name) => name.startsWith(`${group} `)).map((name) => name.slice(group.length + 1))];
  if (word === undefined || word === '--help' || word === '-h') return (await import('./help.ts')).printGroupHelp(group, words);
  const guess = nearest(word, words);
  throw new UserError(`cannot ${group} ${word}: no such command`, guess === undefined ? `it is one of ${words.join(', ')}` : `did you mean "caisson ${group} ${guess}"?`);
}

async function dispatch(args: readonly string[]): Promise<number> {
  const [word, ...rest] = args;
  if (word === undefined || word === '--help' || word === '-h') return (await import('./help.ts')).helpCommand(rest);
  if (word === '--version' || word === '-V') return (await import('./help.ts')).printVersion();
  const load = COMMANDS.get(word);
  if (load !== undefined) return (await load())(rest);
  if (word === 'commit' || word === 'diff' || word === 'export') throw new UserError(`cannot ${word}: containers are not kept yet`, 'use "caisson run" with --changes or --export-changes');
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

function fail(error: unknown): never {
  // A reader that went away ends us as it ends any program: silently. (Handlers on the streams would make them, which takes 5 ms.)
  if (error instanceof Error && 'code' in error && error.code === 'EPIPE') process.exit(EXIT_BROKEN_PIPE);
  report(error);
  process.exit(exitCodeOf(error));
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
    report(error);
    code = exitCodeOf(error);
  }
  // Standard input may still be open, and would keep us here.
  process.exit(code);
}

/** 128 + SIGPIPE. */
const EXIT_BROKEN_PIPE = 141;
