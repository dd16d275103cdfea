/** A command as data: how it is used, its flags, examples; its help text and the check of its words come from that. */
import { UserError } from './errors.ts';
import { HELP_FLAG, parseFlags } from './flags.ts';
import type { Flag, FlagValues } from './flags.ts';

export interface CommandSpec {
  readonly name: string;
  /** Behind the name: `[FLAGS] IMAGE [COMMAND]`. */
  readonly usage: string;
  /** One line, as in the list of commands. */
  readonly summary: string;
  /** Paragraphs below the summary. */
  readonly description?: string;
  readonly flags: readonly Flag[];
  /** What Docker's command has and this one has not, long names and short ones: what to do instead. */
  readonly absent?: Readonly<Record<string, string>>;
  readonly examples: readonly (readonly [command: string, what: string])[];
  /** How many words that are no flags there may be. */
  readonly words: readonly [least: number, most: number];
  /** True: the words after the first one are a command to be run, flags and all. */
  readonly runs?: boolean;
}

/** The values, or undefined when help was asked for and printed. @throws UserError */
export async function readCommand(spec: CommandSpec, args: readonly string[]): Promise<FlagValues | undefined> {
  const values = parseFlags(args, [...spec.flags, HELP_FLAG], spec.name, { interspersed: spec.runs !== true, absent: spec.absent });
  if (values.has('help')) {
    process.stdout.write((await import('./help.ts')).commandHelp(spec));
    return undefined;
  }
  const [least, most] = spec.words;
  if (values.command.length < least) throw new UserError(`cannot ${spec.name}: ${least === 1 ? 'a word is' : 'words are'} missing`, `caisson ${spec.name} ${spec.usage}`);
  if (values.command.length > most) throw new UserError(`cannot ${spec.name}: "${values.command[most] ?? ''}" is one word too many`, `caisson ${spec.name} ${spec.usage}`);
  return values;
}
