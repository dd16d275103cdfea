/** Values of flags that several commands of `compose` have. */
import type { FlagValues } from '../flags.ts';
import { need } from '../option-values.ts';
import { parseCount } from '../quantities.ts';

/** `-t`: seconds that each container may take to end. @throws UserError */
export function secondsOf(values: FlagValues): number | undefined {
  const text = values.last('timeout');
  return text === undefined ? undefined : need(parseCount(text), 'timeout', text, 'it is not a number of seconds');
}
