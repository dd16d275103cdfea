/**
 * Flags as data: from the rows come the parser's configuration, the help text and "did you mean".
 *
 * Parsing is `node:util`'s parseArgs: it is strict, part of Node, and costs 1 ms at start where the
 * usual packages cost 2 to 6 (docs/dependencies.md).
 */
import { parseArgs } from 'node:util';
import { nearest } from '../image/nearest.ts';
import { UserError } from './errors.ts';

export interface Flag {
  readonly name: string;
  readonly short?: string;
  /** `optional`: `--strace` and `--strace=FILTER`. */
  readonly kind: 'boolean' | 'string' | 'optional';
  readonly multiple?: boolean;
  readonly placeholder?: string;
  readonly help: string;
  readonly group: string;
}

export const HELP_FLAG: Flag = { group: 'Other', name: 'help', short: 'h', kind: 'boolean', help: 'this text' };

/** Values by flag name; the last one wins where a flag may be given once. */
export class FlagValues {
  readonly #values: ReadonlyMap<string, readonly string[]>;
  /** The command and its arguments: what follows the flags, or `--`. */
  readonly command: readonly string[];

  constructor(values: ReadonlyMap<string, readonly string[]>, command: readonly string[]) {
    this.#values = values;
    this.command = command;
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }
  all(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }
  last(name: string): string | undefined {
    return this.#values.get(name)?.at(-1);
  }
}

interface Token {
  readonly kind: string;
  readonly index: number;
}

/** `--strace` alone is a boolean for parseArgs, `--strace=x` is taken out before. */
function toOptions(flags: readonly Flag[]): Record<string, { type: 'boolean' | 'string'; multiple: true; short?: string }> {
  const options: Record<string, { type: 'boolean' | 'string'; multiple: true; short?: string }> = {};
  for (const { name, kind, short } of flags) {
    options[name] = { type: kind === 'string' ? 'string' : 'boolean', multiple: true, ...(short === undefined ? {} : { short }) };
  }
  return options;
}

/** Everything from the first word that is no flag (or `--`) on belongs to the command. */
function splitCommand(args: readonly string[], options: ReturnType<typeof toOptions>): [own: string[], command: string[]] {
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
  const first = (tokens as readonly Token[]).find((token) => token.kind === 'positional' || token.kind === 'option-terminator');
  if (first === undefined) return [[...args], []];
  const start = first.kind === 'positional' ? first.index : first.index + 1;
  return [args.slice(0, first.index), args.slice(start)];
}

function explain(error: unknown, flags: readonly Flag[], commandName: string, absent: Readonly<Record<string, string>>): UserError {
  const { code, message } = error as { code?: string; message: string };
  const advice = `see "caisson ${commandName} --help"`;
  const unknown = /Unknown option '(-[^']*)'/.exec(message)?.[1];
  if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION' && unknown !== undefined) {
    const name = unknown.replace(/^-+/, '');
    if (Object.hasOwn(absent, name)) return new UserError(`cannot use ${unknown}: ${absent[name] ?? ''}`, advice);
    const guess = unknown.startsWith('--') ? nearest(unknown.slice(2), flags.map((flag) => flag.name)) : undefined;
    return new UserError(`cannot understand ${unknown}: no such flag`, guess === undefined ? advice : `did you mean --${guess}?`);
  }
  return new UserError(`cannot understand the flags: ${message.split(/[.\n]/)[0] ?? message}`, advice);
}

export interface ParseOptions {
  /** Flags may stand between and behind other words, as where these are no command to be run. */
  readonly interspersed?: boolean;
  /** What to do instead of flags that users may know from elsewhere. */
  readonly absent?: Readonly<Record<string, string>> | undefined;
}

/** Parses the words after a command's name. */
export function parseFlags(args: readonly string[], flags: readonly Flag[], commandName: string, { interspersed = false, absent = {} }: ParseOptions = {}): FlagValues {
  const options = toOptions(flags);
  const optional = flags.filter((flag) => flag.kind === 'optional');
  const values = new Map<string, string[]>();
  const [own, command] = interspersed ? [[...args], []] : splitCommand(args, options);
  const plain = own.filter((word) => {
    const flag = optional.find(({ name }) => word.startsWith(`--${name}=`));
    if (flag !== undefined) values.set(flag.name, [...(values.get(flag.name) ?? []), word.slice(flag.name.length + 3)]);
    return flag === undefined;
  });
  try {
    const parsed = parseArgs({ args: plain, options, strict: true, allowPositionals: interspersed });
    command.push(...parsed.positionals);
    for (const [name, given] of Object.entries(parsed.values)) {
      values.set(name, [...(values.get(name) ?? []), ...(given as (string | boolean)[]).map((value) => (value === true ? '' : String(value)))]);
    }
  } catch (error) {
    throw explain(error, flags, commandName, absent);
  }
  return new FlagValues(values, command);
}

export { nearest };
