/** A Dockerfile as the checks see it: stages by what stands there, with nothing expanded and nothing refused. */
import type { Dockerfile, Instruction } from './dockerfile.ts';
import { splitRaw } from './expand.ts';
import { toText } from './text.ts';

export interface CheckedStage {
  readonly from: Instruction;
  /** As it is typed. */
  readonly base: string;
  readonly typedName: string | undefined;
  readonly asKeyword: string | undefined;
  readonly instructions: readonly Instruction[];
  /** An earlier stage that it is based on. */
  readonly parent: CheckedStage | undefined;
}

export class CheckedFile {
  readonly dockerfile: Dockerfile;
  /** ARG before the first FROM. */
  readonly globals: readonly Instruction[];
  readonly stages: readonly CheckedStage[];

  constructor(dockerfile: Dockerfile) {
    this.dockerfile = dockerfile;
    const { instructions, escape } = dockerfile;
    const first = instructions.findIndex(({ keyword }) => keyword === 'FROM');
    this.globals = instructions.slice(0, first < 0 ? instructions.length : first).filter(({ keyword }) => keyword === 'ARG');
    const stages: (CheckedStage & { readonly instructions: Instruction[] })[] = [];
    for (const instruction of first < 0 ? [] : instructions.slice(first)) {
      if (instruction.keyword !== 'FROM') {
        stages.at(-1)?.instructions.push(instruction);
        continue;
      }
      const words = splitRaw(instruction.text, escape).map(toText);
      const base = words[0] ?? '';
      const isNamed = words[1]?.toUpperCase() === 'AS' && words[2] !== undefined;
      const parent = stages.findLast(({ typedName }) => typedName !== undefined && typedName.toLowerCase() === base.toLowerCase());
      stages.push({ from: instruction, base, typedName: isNamed ? words[2] : undefined, asKeyword: isNamed ? words[1] : undefined, instructions: [], parent });
    }
    this.stages = stages;
  }
}
