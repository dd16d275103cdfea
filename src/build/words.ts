/** Forms that arguments come in: the JSON form, the shell form, `NAME=VALUE` pairs, durations, flags. */
import { nearest } from '../image/nearest.ts';
import type { Instruction } from './dockerfile.ts';
import { BuildError } from './errors.ts';
import { expandWord, splitRaw } from './expand.ts';
import type { Expander } from './expand.ts';
import { toBytes, toText } from './text.ts';

/** The JSON form (a list of texts), or undefined where it is none: then it is the shell form, as in Docker. */
export function jsonForm(text: string): readonly string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  try {
    const list: unknown = JSON.parse(toText(text));
    return Array.isArray(list) && list.every((item) => typeof item === 'string') ? list.map(toBytes) : undefined;
  } catch {
    return undefined;
  }
}

export function requireText({ keyword, text }: Instruction): string {
  if (text === '') throw new BuildError(`cannot read ${keyword}: it needs an argument`, { advice: 'see the Dockerfile reference' });
  return text;
}

/** Exactly one word. */
export function oneWord(instruction: Instruction, expander: Expander): string {
  const words = splitRaw(requireText(instruction), expander.escape);
  if (words.length !== 1) throw new BuildError(`cannot read ${instruction.keyword}: it takes one argument, not ${words.length}`, { advice: 'put it in quotes, or take the others away' });
  return expandWord(words[0]!, expander);
}

/** `A=b C="d e"`, or the old form `NAME the rest`. */
export function pairs(instruction: Instruction, expander: Expander): readonly (readonly [name: string, value: string])[] {
  const { keyword } = instruction;
  const text = requireText(instruction);
  const words = splitRaw(text, expander.escape);
  if (!words[0]!.includes('=')) {
    const value = text.slice(words[0]!.length).trim();
    if (value === '') throw new BuildError(`cannot read ${keyword}: it has a name and no value`, { advice: `write ${keyword} NAME=VALUE` });
    return [[expandWord(words[0]!, expander), expandWord(value, expander)]];
  }
  return words.map((word) => {
    const equals = word.indexOf('=');
    if (equals < 0) throw new BuildError(`cannot read ${keyword}: "${toText(word)}" has no =`, { advice: 'put values with spaces in quotes' });
    const name = expandWord(word.slice(0, equals), expander);
    if (name === '') throw new BuildError(`cannot read ${keyword}: a name is empty`, { advice: `write ${keyword} NAME=VALUE` });
    return [name, expandWord(word.slice(equals + 1), expander)];
  });
}

const UNITS: Readonly<Record<string, number>> = { ns: 1, us: 1e3, 'µs': 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

/** Go's durations (`1m30s`), in nanoseconds. */
export function duration(text: string, what: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)];
  if (text !== '0' && (parts.length === 0 || parts.map(([whole]) => whole).join('') !== text)) throw new BuildError(`cannot use ${what}=${text}: it is no duration`, { advice: 'such as 30s or 1m30s' });
  return parts.reduce((sum, [, number = '0', unit = 's']) => sum + Number(number) * (UNITS[unit] ?? 0), 0);
}

/** Flags by name, several values of those that may stand more than once. @throws BuildError for one that the instruction has not. */
export class Flags {
  readonly #values = new Map<string, (string | undefined)[]>();
  readonly #keyword: string;

  constructor(instruction: Instruction, known: readonly string[], repeatable: readonly string[] = []) {
    this.#keyword = instruction.keyword;
    for (const { name, value } of instruction.flags) {
      if (!known.includes(name) && !repeatable.includes(name)) {
        const guess = nearest(name, [...known, ...repeatable]);
        throw new BuildError(`cannot use --${name} with ${instruction.keyword}: there is no such flag`, { advice: guess === undefined ? 'see the Dockerfile reference' : `did you mean --${guess}?` });
      }
      if (this.#values.has(name) && !repeatable.includes(name)) throw new BuildError(`cannot use --${name} twice`, { advice: 'leave one out' });
      this.#values.set(name, [...(this.#values.get(name) ?? []), value]);
    }
  }

  text(name: string): string | undefined {
    const values = this.#values.get(name);
    if (values === undefined) return undefined;
    const value = values[0];
    if (value === undefined || value === '') throw new BuildError(`cannot use --${name} with ${this.#keyword}: its value is missing`, { advice: `write --${name}=VALUE` });
    return value;
  }
  all(name: string): readonly string[] {
    return (this.#values.get(name) ?? []).map((value) => value ?? '');
  }
  isSet(name: string): boolean {
    const values = this.#values.get(name);
    if (values === undefined) return false;
    const value = values[0] ?? 'true';
    if (value !== 'true' && value !== 'false' && value !== '') throw new BuildError(`cannot use --${name}=${value}: it is true or false`);
    return value !== 'false';
  }
}
