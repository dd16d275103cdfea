/** Help and version texts, from the same rows that the parser uses. */
import { DO_EXAMPLES, DO_FLAGS } from './do-flags.ts';
import type { Flag } from './flags.ts';
import { UserError } from './errors.ts';
import { version } from './version.ts';

const COLUMN = 34;

function flagLine({ name, short, kind, placeholder, help }: Flag): string {
  const value = placeholder === undefined ? '' : kind === 'optional' ? `[=${placeholder}]` : ` ${placeholder}`;
  const words = `  ${short === undefined ? '    ' : `-${short}, `}--${name}${value}`;
  return words.length < COLUMN ? `${words.padEnd(COLUMN)}${help}` : `${words}\n${' '.repeat(COLUMN)}${help}`;
}

export function flagHelp(flags: readonly Flag[]): string {
  const groups = [...new Set(flags.map((flag) => flag.group))];
  return groups.map((group) => `${group}:\n${flags.filter((flag) => flag.group === group).map(flagLine).join('\n')}`).join('\n\n');
}

export function doHelp(): string {
  const examples = DO_EXAMPLES.map(([command, what]) => `  ${command}\n      ${what}`).join('\n');
  return `Run a command in a sandbox that looks like this machine. It sees the host's files, but what it writes
stays in memory; it has a Linux kernel of its own, and no network unless you give it one.

Usage: caisson do [FLAGS] [--] COMMAND [ARGUMENTS]

${flagHelp(DO_FLAGS)}

Examples:
${examples}

Exit status: the command's own; 124 if --timeout ended it, 125 if Caisson failed, 126 if the command cannot be
executed, 127 if it was not found, 128 + N if signal N ended it.
`;
}

const GENERAL_HELP = `Caisson runs Linux programs in a sandbox with a kernel of its own, without root, a daemon or native code.

Usage: caisson COMMAND

Commands:
  do           run a command on a copy of this machine ("caisson do --help")
  debug        look inside: disassemble ("caisson debug --help")
  help         this text, or that of a command

Flags:
  -h, --help       this text
  -V, --version    the version

Examples:
  caisson do -- bash
  caisson do --changes -- sh ./install.sh
`;

export async function helpCommand(args: readonly string[]): Promise<number> {
  const [topic] = args;
  if (topic === undefined) process.stdout.write(GENERAL_HELP);
  else if (topic === 'do') process.stdout.write(doHelp());
  else if (topic === 'debug') process.stdout.write((await import('./debug.ts')).DEBUG_HELP);
  else throw new UserError(`cannot help with "${topic}": no such command`, 'see "caisson --help"');
  return 0;
}

export function printVersion(): number {
  process.stdout.write(`caisson ${version}\n`);
  return 0;
}
