/** An instruction on one line, as it is shown and kept in the history. */
import type { Instruction } from './dockerfile.ts';
import { toText } from './text.ts';

const MOST_SHOWN = 4000;

export function oneLine({ keyword, flags, text }: Instruction): string {
  const given = flags.map(({ name, value }) => ` --${name}${value === undefined ? '' : `=${value}`}`).join('');
  return toText(`${keyword}${given} ${text}`.replace(/[\x00-\x1f\x7f]+/g, ' ').trim().slice(0, MOST_SHOWN));
}
