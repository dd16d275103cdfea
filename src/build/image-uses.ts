/** The images that a Dockerfile names, without building it: FROM, COPY --from, RUN --mount=from=, and the frontend of `# syntax=`. */
import { argNames, tryExpand } from './check-arguments.ts';
import { CheckedFile } from './checked-file.ts';
import type { Dockerfile, Instruction } from './dockerfile.ts';
import type { Lines } from './errors.ts';
import { toText } from './text.ts';
import { PLATFORM_ARGS } from './variables.ts';

export interface ImageUse {
  /** As text, with the defaults of ARG put in. */
  readonly text: string;
  readonly lines: Lines;
  readonly how: 'FROM' | 'COPY --from' | 'RUN --mount' | 'syntax';
}

function fromsOf({ keyword, flags }: Instruction): readonly (readonly [how: ImageUse['how'], text: string])[] {
  if (keyword === 'COPY' || keyword === 'ADD') return flags.flatMap(({ name, value }) => (name === 'from' && value !== undefined ? [['COPY --from', value] as const] : []));
  if (keyword !== 'RUN') return [];
  return flags.flatMap(({ name, value }) => (name === 'mount' ? (value ?? '').split(',').filter((field) => field.startsWith('from=')).map((field) => ['RUN --mount', field.slice('from='.length)] as const) : []));
}

/** In the order of the lines. Stages, `scratch`, and what an argument without a default names are left out. */
export function imageUses(dockerfile: Dockerfile): readonly ImageUse[] {
  const { escape } = dockerfile;
  const { globals, stages } = new CheckedFile(dockerfile);
  const values = new Map<string, string | undefined>(PLATFORM_ARGS);
  for (const instruction of globals) for (const [name, value] of argNames(instruction, escape)) values.set(name, value === undefined ? values.get(name) : tryExpand(value, escape, values));
  const uses: ImageUse[] = [];
  const syntax = dockerfile.directives.get('syntax');
  if (syntax !== undefined) uses.push({ text: toText(syntax), lines: { start: 1, end: 1 }, how: 'syntax' });
  const earlier = new Set<string>(['scratch']);
  const add = (how: ImageUse['how'], word: string, lines: Lines): void => {
    let isUnset = false;
    const text = toText(tryExpand(word, escape, values, () => {
      isUnset = true;
    }));
    if (!isUnset && text !== '' && !text.includes('$') && !/^\d+$/.test(text) && !earlier.has(text.toLowerCase())) uses.push({ text, lines, how });
  };
  for (const { from, base, typedName, instructions } of stages) {
    add('FROM', base, from.lines);
    for (const instruction of instructions) for (const [how, text] of fromsOf(instruction)) add(how, text, instruction.lines);
    if (typedName !== undefined) earlier.add(typedName.toLowerCase());
  }
  return uses;
}
