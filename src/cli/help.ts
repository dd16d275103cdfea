/** Help and version texts, from the same rows that the parser uses. */
import { DO_EXAMPLES, DO_FLAGS } from './do/do-flags.ts';
import { AUDIT } from './audit/audit-specs.ts';
import { DRILL } from './drill/drill-specs.ts';
import { HELP_FLAG } from './flags.ts';
import type { Flag } from './flags.ts';
import type { CommandSpec } from './command.ts';
import { CONTAINER_COMMANDS } from './containers/container-specs.ts';
import { COMPOSE, COMPOSE_COMMANDS } from './compose/compose-specs.ts';
import { NETWORK_COMMANDS } from './networks/network-specs.ts';
import { VOLUME_COMMANDS } from './volumes/volume-specs.ts';
import { COPY_COMMANDS } from './images/copy-specs.ts';
import { UserError } from './errors.ts';
import { BUILD } from './build/build-specs.ts';
import { IMAGE_COMMANDS } from './images/image-specs.ts';
import { SYSTEM_COMMANDS } from './system/system-specs.ts';
import { REGISTRY_COMMANDS } from './registry/registry-specs.ts';
import { SCAN_COMMANDS } from './scan/scan-specs.ts';
import { SQUAT } from './squat/squat-specs.ts';
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

/** The text of a command that is data. */
export function commandHelp({ name, usage, summary, description, flags, examples }: CommandSpec): string {
  const sentence = `${summary[0]?.toUpperCase() ?? ''}${summary.slice(1)}.`;
  const shown = examples.map(([command, what]) => `  ${command}\n${what === '' ? '' : `      ${what}\n`}`).join('');
  return `${sentence}${description === undefined ? '' : `\n${description}`}

Usage: caisson ${name} ${usage}

${flagHelp([...flags, HELP_FLAG])}

Examples:
${shown}`;
}

const SPECS: readonly CommandSpec[] = [...CONTAINER_COMMANDS, COMPOSE, ...NETWORK_COMMANDS, ...VOLUME_COMMANDS, BUILD, ...IMAGE_COMMANDS, ...COPY_COMMANDS, ...SYSTEM_COMMANDS, SQUAT, AUDIT, DRILL, ...SCAN_COMMANDS, ...REGISTRY_COMMANDS];
const NAME_COLUMN = 18;

/** The text of a word that has commands of its own. */
export function groupHelp(name: string, commands: readonly CommandSpec[]): string {
  const lines = commands.map((spec) => `  ${spec.name.slice(name.length + 1).padEnd(12)} ${spec.summary}`);
  return `Usage: caisson ${name} COMMAND\n\nCommands:\n${lines.join('\n')}\n\n"caisson ${name} COMMAND --help" says more.\n`;
}

const GENERAL_HELP = `Caisson runs Linux programs in a sandbox with a kernel of its own, without root, a daemon or native code.

Usage: caisson COMMAND

Commands:
  ${'do'.padEnd(NAME_COLUMN)} run a command on a copy of this machine
${SPECS.map(({ name, summary }) => `  ${name.padEnd(NAME_COLUMN)} ${summary}`).join('\n')}
  ${'debug'.padEnd(NAME_COLUMN)} look inside: disassemble
  ${'help'.padEnd(NAME_COLUMN)} this text, or that of a command ("caisson help run")

Flags:
  -h, --help       this text
  -V, --version    the version

Examples:
  caisson do -- bash
  caisson do --changes -- sh ./install.sh
  caisson run -it debian bash
`;

export async function helpCommand(args: readonly string[]): Promise<number> {
  const topic = args.length === 0 ? undefined : args.join(' ');
  const spec = [...SPECS, ...COMPOSE_COMMANDS].find(({ name }) => name === topic);
  if (topic === undefined) process.stdout.write(GENERAL_HELP);
  else if (topic === 'do') process.stdout.write(doHelp());
  else if (topic === 'registry') process.stdout.write(groupHelp('registry', REGISTRY_COMMANDS));
  else if (topic === 'debug') process.stdout.write((await import('./debug.ts')).DEBUG_HELP);
  else if (spec !== undefined) process.stdout.write(commandHelp(spec));
  else throw new UserError(`cannot help with "${topic}": no such command`, 'see "caisson --help"');
  return 0;
}

/** A group's words; 0, as after any help. */
export function printGroupHelp(group: string, words: readonly string[], second: ReadonlyMap<string, string> | undefined): number {
  const find = (name: string): CommandSpec | undefined => SPECS.find((spec) => spec.name === name);
  const summary = (word: string): string => {
    const target = second?.get(word);
    const spec = find(`${group} ${word}`) ?? (target === word ? find(word) : undefined);
    return spec?.summary ?? `as "caisson ${target ?? word}"`;
  };
  const lines = words.map((word) => `  ${word.padEnd(NAME_COLUMN)} ${summary(word)}\n`);
  process.stdout.write(`Usage: caisson ${group} COMMAND\n\nCommands:\n${lines.join('')}`);
  return 0;
}

export function printVersion(): number {
  process.stdout.write(`caisson ${version}\n`);
  return 0;
}
