/** Patterns of a shell over any text, as fnmatch(3) without flags: `*`, `?`, `[a-z]`, `[!a-z]`, `\`. In time bounded by the product of both lengths. */

interface Step {
  readonly kind: 'one' | 'any' | 'many' | 'set';
  readonly character?: string;
  readonly ranges?: readonly (readonly [string, string])[];
  readonly isNegated?: boolean;
}

function readSet(pattern: string, start: number): { readonly step: Step; readonly next: number } | undefined {
  let at = start + 1;
  const isNegated = pattern[at] === '!' || pattern[at] === '^';
  if (isNegated) at++;
  const ranges: [string, string][] = [];
  for (let isFirst = true; at < pattern.length; isFirst = false) {
    if (pattern[at] === ']' && !isFirst) return { step: { kind: 'set', ranges, isNegated }, next: at + 1 };
    const low = pattern[at]!;
    const isRange = pattern[at + 1] === '-' && at + 2 < pattern.length && pattern[at + 2] !== ']';
    ranges.push([low, isRange ? pattern[at + 2]! : low]);
    at += isRange ? 3 : 1;
  }
  return undefined;
}

function readSteps(pattern: string): Step[] {
  const steps: Step[] = [];
  for (let at = 0; at < pattern.length;) {
    const character = pattern[at]!;
    const set = character === '[' ? readSet(pattern, at) : undefined;
    if (set !== undefined) {
      steps.push(set.step);
      at = set.next;
      continue;
    }
    if (character === '*') {
      if (steps.at(-1)?.kind !== 'many') steps.push({ kind: 'many' });
    } else if (character === '?') steps.push({ kind: 'any' });
    else if (character === '\\' && at + 1 < pattern.length) steps.push({ kind: 'one', character: pattern[++at]! });
    else steps.push({ kind: 'one', character });
    at++;
  }
  return steps;
}

function fits({ kind, character, ranges = [], isNegated = false }: Step, found: string): boolean {
  if (kind === 'any') return true;
  if (kind === 'one') return character === found;
  return ranges.some(([low, high]) => found >= low && found <= high) !== isNegated;
}

export function countStars(pattern: string): number {
  return readSteps(pattern).filter(({ kind }) => kind === 'many').length;
}

export function compileGlob(pattern: string): (text: string) => boolean {
  const steps = readSteps(pattern);
  return (text) => {
    let step = 0;
    let at = 0;
    let star = -1;
    let mark = 0;
    while (at < text.length) {
      const wanted = steps[step];
      if (wanted?.kind === 'many') {
        star = step++;
        mark = at;
      } else if (wanted !== undefined && fits(wanted, text[at]!)) {
        step++;
        at++;
      } else if (star >= 0) {
        step = star + 1;
        at = ++mark;
      } else return false;
    }
    while (steps[step]?.kind === 'many') step++;
    return step === steps.length;
  };
}
