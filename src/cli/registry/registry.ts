/** `registry`: a word with commands of its own. */
import { UserError } from '../errors.ts';
import { nearest } from '../flags.ts';
import { groupHelp } from '../help.ts';
import { collectCommand, pruneCommand, scrubCommand } from './registry-care.ts';
import { listCommand, referrersCommand, tagsCommand } from './registry-lists.ts';
import { serveCommand } from './registry-serve.ts';
import { REGISTRY_COMMANDS } from './registry-specs.ts';

const COMMANDS: ReadonlyMap<string, (args: readonly string[]) => Promise<number>> = new Map([
  ['serve', serveCommand], ['ls', listCommand], ['tags', tagsCommand], ['referrers', referrersCommand], ['gc', collectCommand], ['prune', pruneCommand], ['scrub', scrubCommand],
]);

export async function registryCommand(args: readonly string[]): Promise<number> {
  const [word, ...rest] = args;
  if (word === undefined || word === '--help' || word === '-h') {
    process.stdout.write(groupHelp('registry', REGISTRY_COMMANDS));
    return 0;
  }
  const command = COMMANDS.get(word);
  if (command !== undefined) return command(rest);
  const guess = nearest(word, [...COMMANDS.keys()]);
  throw new UserError(`cannot registry ${word}: no such command`, guess === undefined ? 'see "caisson registry --help"' : `did you mean "caisson registry ${guess}"?`);
}
