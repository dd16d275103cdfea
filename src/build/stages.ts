/** A Dockerfile's stages: what stands before the first FROM, what each is based on, and which of them are needed. */
import { nearest } from '../image/nearest.ts';
import type { Dockerfile, Instruction } from './dockerfile.ts';
import { KEYWORDS } from './dockerfile.ts';
import { BuildError } from './errors.ts';
import { expandWord, splitRaw } from './expand.ts';
import type { Expander } from './expand.ts';
import { toText } from './text.ts';
import type { GlobalScope } from './variables.ts';
import { Flags } from './words.ts';

export interface StageDefinition {
  readonly index: number;
  /** In small letters, as given by AS. */
  readonly name: string | undefined;
  readonly from: Instruction;
  /** Image, earlier stage or `scratch`, expanded. */
  readonly base: string;
  readonly platform: string | undefined;
  /** Below FROM. */
  readonly instructions: readonly Instruction[];
}

const STAGE_NAME = /^[a-z][a-z0-9_.-]*$/;

/** `ARG A=1 B`: names with their values. */
export function argPairs(instruction: Instruction, expander: Expander): readonly (readonly [name: string, value: string | undefined])[] {
  const words = splitRaw(instruction.text, expander.escape);
  if (words.length === 0) throw new BuildError('cannot read ARG: it needs a name', { advice: 'write ARG NAME or ARG NAME=VALUE' });
  return words.map((word) => {
    const equals = word.indexOf('=');
    const name = equals < 0 ? word : word.slice(0, equals);
    if (!/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(name)) throw new BuildError(`cannot read ARG: "${toText(name)}" is no name`, { advice: 'names are letters, digits and _' });
    return [name, equals < 0 ? undefined : expandWord(word.slice(equals + 1), expander)];
  });
}

function stageOf(instruction: Instruction, index: number, expander: Expander): Omit<StageDefinition, 'instructions'> {
  const flags = new Flags(instruction, ['platform']);
  const words = splitRaw(instruction.text, expander.escape);
  const isNamed = words.length === 3 && words[1]!.toUpperCase() === 'AS';
  if (words.length !== 1 && !isNamed) throw new BuildError('cannot read FROM: it is FROM IMAGE, or FROM IMAGE AS NAME', { advice: 'check the number of words' });
  const name = isNamed ? words[2]!.toLowerCase() : undefined;
  if (name !== undefined && !STAGE_NAME.test(name)) throw new BuildError(`cannot name a stage "${toText(name)}"`, { advice: 'names begin with a letter, and have letters, digits, _ . and -' });
  const base = expandWord(words[0]!, expander);
  if (base === '') throw new BuildError(`cannot use FROM ${toText(words[0]!)}: it comes out empty`, { advice: 'give the variable a value with --build-arg, or declare it with ARG before the first FROM' });
  const platform = flags.text('platform');
  return { index, name, from: instruction, base, platform: platform === undefined ? undefined : expandWord(platform, expander) };
}

function checkKeyword({ keyword, lines }: Instruction): void {
  if (KEYWORDS.includes(keyword)) return;
  const guess = nearest(keyword, KEYWORDS);
  throw new BuildError(`cannot understand the instruction "${toText(keyword)}"`, { lines, advice: guess === undefined ? `there are ${KEYWORDS.join(', ')}` : `did you mean ${guess}?` });
}

/** Runs `body`; what it throws gets the instruction's place. */
export function atInstruction<Result>(instruction: Instruction, body: () => Result): Result {
  try {
    return body();
  } catch (error) {
    throw error instanceof BuildError ? error.at(instruction.lines) : error;
  }
}

/** @throws BuildError with the place. */
export function splitStages(dockerfile: Dockerfile, scope: GlobalScope): readonly StageDefinition[] {
  const { escape, instructions } = dockerfile;
  const expander: Expander = { escape, variables: scope };
  const stages: (Omit<StageDefinition, 'instructions'> & { readonly instructions: Instruction[] })[] = [];
  for (const instruction of instructions) {
    checkKeyword(instruction);
    if (instruction.keyword === 'FROM') {
      const stage = atInstruction(instruction, () => stageOf(instruction, stages.length, expander));
      stages.push({ ...stage, instructions: [] });
    } else if (stages.length > 0) stages.at(-1)!.instructions.push(instruction);
    else if (instruction.keyword === 'ARG') atInstruction(instruction, () => argPairs(instruction, expander).forEach(([name, value]) => scope.declare(name, value)));
    else throw new BuildError(`cannot use ${instruction.keyword} before FROM`, { lines: instruction.lines, advice: 'begin with FROM; only ARG may stand before it' });
  }
  if (stages.length === 0) throw new BuildError(`cannot build "${dockerfile.name}": it has no FROM`, { advice: 'begin with FROM IMAGE, or FROM scratch' });
  return stages;
}

/** By name or number; undefined: it is the name of an image, or one that comes later. */
export function findStage(stages: readonly StageDefinition[], text: string, before: number): StageDefinition | undefined {
  // Of two with one name the later one is meant.
  const byName = stages.slice(0, before).findLast(({ name }) => name === text.toLowerCase());
  if (byName !== undefined) return byName;
  return /^\d{1,4}$/.test(text) && Number(text) < before ? stages[Number(text)] : undefined;
}

/** @throws BuildError where there is no such stage. */
export function targetStage(stages: readonly StageDefinition[], target: string | undefined): StageDefinition {
  if (target === undefined) return stages.at(-1)!;
  const found = findStage(stages, target, stages.length);
  if (found !== undefined) return found;
  const names = stages.flatMap(({ name }) => (name === undefined ? [] : [name]));
  const guess = nearest(target, names);
  throw new BuildError(`cannot build the stage "${toText(target)}": there is none of that name`, { advice: guess === undefined ? `there are ${names.join(', ') || `0 to ${stages.length - 1}`}` : `did you mean ${toText(guess)}?` });
}
