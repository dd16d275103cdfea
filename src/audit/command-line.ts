/** Finds `docker run` and its like among the commands of a script, and takes their flags apart with the places of each. */
import { nearest } from '../image/nearest.ts';
import { AuditInputError } from './errors.ts';
import { MOST_WORDS } from './limits.ts';
import { EXEC_SWITCHES, EXEC_VALUES, FLAG_ALIASES, SHORT_FLAGS, SWITCH_FLAGS, VALUE_FLAGS } from './run-flags.ts';
import type { SimpleCommand, Word } from './shell-words.ts';

export interface GivenFlag {
  /** Long, and the first of its names. */
  readonly name: string;
  /** As it was typed before its value: `-v `, `--volume=`. */
  readonly written: string;
  /** `true` or `false` for a switch. */
  readonly value: string;
  /** The words that it takes up. Undefined: it shares its word with others (`-it`), or comes from a variable. */
  readonly place: { readonly start: number; readonly end: number } | undefined;
}

export interface CommandLine {
  readonly engine: 'docker' | 'podman' | 'caisson';
  readonly verb: 'run' | 'exec';
  readonly flags: readonly GivenFlag[];
  /** The image, or for exec the container; then the command. */
  readonly words: readonly string[];
  /** Where one more flag may be put: behind `run`. */
  readonly flagsAt: number;
  /** Parts whose value only running the script would show. */
  readonly unknown: readonly string[];
}

const ENGINES: ReadonlyMap<string, CommandLine['engine']> = new Map([['docker', 'docker'], ['nerdctl', 'docker'], ['podman', 'podman'], ['caisson', 'caisson']]);
/** Words that may stand before the command itself. */
const PREFIXES: ReadonlySet<string> = new Set(['sudo', 'doas', 'exec', 'env', 'time', 'nohup', 'command', 'eval', 'if', 'then', 'else', 'do', 'while', 'until', '!', 'ssh', 'timeout', 'nice']);
const GLOBAL_VALUES: ReadonlySet<string> = new Set(['-H', '--host', '-c', '--context', '-l', '--log-level', '--config', '--tlscacert', '--tlscert', '--tlskey', '--root', '--runroot', '--storage-driver', '--storage-opt', '--cgroup-manager', '--runtime', '--url', '--connection', '--identity', '--namespace', '-n', '--address', '-a', '--tmpdir', '--network-cmd-path', '--conmon', '--log-driver']);

interface Found {
  readonly engine: CommandLine['engine'];
  readonly verb: CommandLine['verb'];
  readonly rest: SimpleCommand;
  readonly flagsAt: number;
}

/** The index of the engine's name, or -1. */
function engineIndex(command: SimpleCommand): number {
  const nameOf = ({ text }: Word): string => text.slice(text.lastIndexOf('/') + 1);
  const first = command.findIndex((word) => ENGINES.has(nameOf(word)));
  if (first <= 0) return first;
  const before = command.slice(0, first).map(({ text }) => text);
  return PREFIXES.has(before[0] ?? '') ? first : -1;
}

function findRun(command: SimpleCommand): Found | undefined {
  const index = engineIndex(command);
  const name = command[index]?.text;
  if (name === undefined) return undefined;
  const engine = ENGINES.get(name.slice(name.lastIndexOf('/') + 1)) ?? 'docker';
  let at = index + 1;
  for (let word = command[at]?.text; word?.startsWith('-') === true; word = command[at]?.text) at += GLOBAL_VALUES.has(word) ? 2 : 1;
  if (command[at]?.text === 'container') at++;
  const verb = command[at];
  if (verb === undefined || !['run', 'create', 'exec'].includes(verb.text)) return undefined;
  return { engine, verb: verb.text === 'exec' ? 'exec' : 'run', rest: command.slice(at + 1), flagsAt: verb.end };
}

class FlagReader {
  readonly flags: GivenFlag[] = [];
  readonly #words: SimpleCommand;
  readonly #isExec: boolean;
  readonly #what: string;
  #at = 0;

  constructor({ engine, verb, rest }: Found) {
    this.#words = rest;
    this.#isExec = verb === 'exec';
    this.#what = `${engine} ${verb}`;
  }

  /** The index of the first word that is no flag. */
  read(): number {
    for (let word = this.#words[this.#at]; word !== undefined; word = this.#words[this.#at]) {
      if (word.text === '--') return this.#at + 1;
      if (!word.text.startsWith('-') || word.text === '-') return this.#at;
      if (word.text.startsWith('--')) this.#long(word);
      else this.#short(word);
    }
    return this.#at;
  }

  #isSwitch(name: string): boolean {
    if ((this.#isExec ? EXEC_SWITCHES : SWITCH_FLAGS).has(name)) return true;
    const values = this.#isExec ? EXEC_VALUES : VALUE_FLAGS;
    if (values.has(name)) return false;
    const guess = nearest(name, [...values, ...(this.#isExec ? EXEC_SWITCHES : SWITCH_FLAGS)]);
    throw new AuditInputError(`cannot understand --${name}: "${this.#what}" has no such flag`, guess === undefined ? 'check its spelling' : `did you mean --${guess}?`);
  }

  #push(name: string, value: string, written: string, from: Word, to: Word = from): void {
    this.flags.push({ name: FLAG_ALIASES.get(name) ?? name, value, written, place: from.expanded || to.expanded ? undefined : { start: from.start, end: to.end } });
  }

  #long(word: Word): void {
    const equals = word.text.indexOf('=');
    const name = word.text.slice(2, equals < 0 ? undefined : equals);
    this.#at++;
    if (this.#isSwitch(name)) return this.#push(name, equals < 0 ? 'true' : word.text.slice(equals + 1), `--${name}=`, word);
    if (equals >= 0) return this.#push(name, word.text.slice(equals + 1), `--${name}=`, word);
    this.#push(name, this.#value(name).text, `--${name} `, word, this.#words[this.#at - 1]);
  }

  #value(name: string): Word {
    const value = this.#words[this.#at++];
    if (value === undefined) throw new AuditInputError(`cannot understand --${name}: no value follows it`, `check the words behind "${this.#what}"`);
    return value;
  }

  /** `-it`, `-p80:80`, `-p 80:80`, `-u=0`. */
  #short(word: Word): void {
    this.#at++;
    for (let index = 1; index < word.text.length; index++) {
      const name = SHORT_FLAGS.get(word.text[index] ?? '');
      if (name === undefined) throw new AuditInputError(`cannot understand -${word.text[index] ?? ''}: "${this.#what}" has no such flag`, 'check its spelling');
      const alone = index === 1;
      if (this.#isSwitch(name)) {
        const given = word.text[index + 1] === '=' ? word.text.slice(index + 2) : undefined;
        this.flags.push({ name, value: given ?? 'true', written: `--${name}=`, place: alone && word.text.length === 2 && !word.expanded ? { start: word.start, end: word.end } : undefined });
        if (given !== undefined) return;
        continue;
      }
      const rest = word.text.slice(index + 1).replace(/^=/, '');
      const value = rest === '' ? this.#value(name) : undefined;
      if (alone) this.#push(name, value?.text ?? rest, value === undefined ? word.text.slice(0, 2) : `${word.text} `, word, value ?? word);
      else this.flags.push({ name, value: value?.text ?? rest, written: `--${name}=`, place: undefined });
      return;
    }
  }
}

/** Every `run`, `create` and `exec` of Docker, Podman, nerdctl and Caisson. @throws AuditInputError */
export function commandLines(commands: readonly SimpleCommand[]): readonly CommandLine[] {
  return commands.flatMap((command) => {
    const found = findRun(command);
    if (found === undefined) return [];
    if (command.length > MOST_WORDS) throw new AuditInputError(`cannot read the command line: it has more than ${MOST_WORDS} words`, 'give a shorter one');
    const reader = new FlagReader(found);
    const first = reader.read();
    const words = found.rest.slice(first).map(({ text }) => text);
    if (words.length === 0) throw new AuditInputError(`cannot read "${found.engine} ${found.verb}": it names no ${found.verb === 'run' ? 'image' : 'container'}`, 'give the whole command line');
    const unknown = found.rest.slice(0, first + 1).filter((word) => word.unknown).map(({ text }) => text);
    return [{ engine: found.engine, verb: found.verb, flags: reader.flags, words, flagsAt: found.flagsAt, unknown }];
  });
}
