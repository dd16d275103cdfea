/** The checks about variables: which are used without being there, which hold secrets, which leave FROM without an image. */
import { nearest } from '../image/nearest.ts';
import { parseReference } from '../image/reference.ts';
import type { CheckedFile, CheckedStage } from './checked-file.ts';
import type { Report } from './checks.ts';
import type { Instruction } from './dockerfile.ts';
import { expandWord, splitRaw } from './expand.ts';
import type { Variables } from './expand.ts';
import { toText } from './text.ts';
import { BUILDER_ARGS, PLATFORM_ARGS, PREDEFINED_ARGS } from './variables.ts';

/** BuildKit's words for what is a secret, and what is not. */
const SECRET = /(?:_|^)(?:apikey|auth|credentials?|key|password|pword|passwd|secret|token)(?:_|$)/i;
const NO_SECRET = /(?:_|^)public(?:_|$)/i;
/** Instructions whose words have variables of the build. */
const EXPANDED = new Set(['ADD', 'COPY', 'ENV', 'EXPOSE', 'LABEL', 'STOPSIGNAL', 'USER', 'VOLUME', 'WORKDIR', 'ARG']);

export function argNames({ text }: Instruction, escape: string): readonly (readonly [name: string, value: string | undefined])[] {
  return splitRaw(text, escape).map((word) => {
    const equals = word.indexOf('=');
    return equals < 0 ? [word, undefined] : [word.slice(0, equals), word.slice(equals + 1)];
  });
}

function envNames({ text }: Instruction, escape: string): readonly string[] {
  const words = splitRaw(text, escape);
  return words[0]?.includes('=') === false ? words.slice(0, 1) : words.map((word) => word.split('=', 1)[0] ?? '');
}

/** The text with what can be expanded; what cannot is left to the build. */
export function tryExpand(text: string, escape: string, variables: Variables, onUnset?: (name: string) => void): string {
  try {
    return expandWord(text, { escape, variables, ...(onUnset === undefined ? {} : { onUnset }) });
  } catch {
    return text;
  }
}

function checkSecrets({ instructions }: Pick<CheckedStage, 'instructions'>, escape: string, report: Report): void {
  for (const instruction of instructions) {
    const { keyword, lines } = instruction;
    const names = keyword === 'ARG' ? argNames(instruction, escape).map(([name]) => name) : keyword === 'ENV' ? envNames(instruction, escape) : [];
    for (const name of names) {
      if (SECRET.test(name) && !NO_SECRET.test(name)) report('SecretsUsedInArgOrEnv', lines, `Do not use ARG or ENV instructions for sensitive data (${keyword} "${toText(name)}")`);
    }
  }
}

/** Global arguments with their defaults. */
function checkFrom({ dockerfile, globals, stages }: CheckedFile, report: Report): ReadonlyMap<string, string | undefined> {
  const { escape } = dockerfile;
  const values = new Map<string, string | undefined>(PLATFORM_ARGS);
  for (const instruction of globals) for (const [name, value] of argNames(instruction, escape)) values.set(name, value === undefined ? values.get(name) : tryExpand(value, escape, values));
  for (const { from, base } of stages) {
    const undeclared = new Set<string>();
    const unset: string[] = [];
    const onUnset = (name: string): void => void (values.has(name) ? unset.push(name) : undeclared.add(name));
    const image = tryExpand(base, escape, values, onUnset);
    const platform = from.flags.find(({ name }) => name === 'platform')?.value;
    if (platform !== undefined) tryExpand(platform, escape, values, onUnset);
    for (const name of undeclared) {
      const guess = nearest(name, [...values.keys()]);
      report('UndefinedArgInFrom', from.lines, `FROM argument '${name}' is not declared${guess === undefined ? '' : ` (did you mean ${guess}?)`}`);
    }
    if (undeclared.size === 0 && base.includes('$') && !isImageName(image)) report('InvalidDefaultArgInFrom', from.lines, `Default value for ARG ${base} results in empty or invalid base image name`);
  }
  return values;
}

function isImageName(text: string): boolean {
  try {
    return text === 'scratch' || parseReference(text) !== undefined;
  } catch {
    return false;
  }
}

/** What a stage has before its first instruction; undefined: its image is not known. */
class Environment {
  readonly names: Set<string>;
  readonly isKnown: boolean;

  constructor(names: Iterable<string>, isKnown: boolean) {
    this.names = new Set(names);
    this.isKnown = isKnown;
  }
}

function checkVariables(file: CheckedFile, environmentOf: (image: string) => readonly string[] | undefined, globals: ReadonlyMap<string, string | undefined>, report: Report): void {
  const { escape } = file.dockerfile;
  const known = new Map<CheckedStage, Environment>();
  for (const stage of file.stages) {
    const parent = stage.parent === undefined ? undefined : known.get(stage.parent);
    const image = parent === undefined && stage.base !== 'scratch' ? environmentOf(tryExpand(stage.base, escape, globals)) : [];
    const environment = new Environment(['PATH', ...PREDEFINED_ARGS, ...BUILDER_ARGS, ...(parent?.names ?? []), ...(image ?? []).map((entry) => entry.split('=', 1)[0] ?? '')], parent?.isKnown ?? image !== undefined);
    known.set(stage, environment);
    for (const instruction of stage.instructions) checkUse(instruction, escape, environment, report);
  }
}

function checkUse(instruction: Instruction, escape: string, { names, isKnown }: Environment, report: Report): void {
  const { keyword, text, lines, flags } = instruction;
  const unset = new Set<string>();
  const variables: Variables = { get: (name) => (names.has(name) ? 'x' : undefined) };
  const look = (word: string): void => void tryExpand(word, escape, variables, (name) => unset.add(name));
  if (EXPANDED.has(keyword)) for (const word of splitRaw(text, escape)) look(word);
  for (const { value } of flags) if (value !== undefined) look(value);
  for (const name of isKnown ? unset : []) {
    const guess = nearest(name, [...names]);
    report('UndefinedVar', lines, `Usage of undefined variable '$${toText(name)}'${guess === undefined ? '' : ` (did you mean $${toText(guess)}?)`}`);
  }
  if (keyword === 'ARG') for (const [name] of argNames(instruction, escape)) names.add(name);
  if (keyword === 'ENV') for (const name of envNames(instruction, escape)) names.add(name);
}

export function argumentChecks(file: CheckedFile, environmentOf: (image: string) => readonly string[] | undefined, report: Report): void {
  const { escape } = file.dockerfile;
  const globals = checkFrom(file, report);
  checkSecrets({ instructions: file.globals }, escape, report);
  for (const stage of file.stages) checkSecrets(stage, escape, report);
  checkVariables(file, environmentOf, globals, report);
}
