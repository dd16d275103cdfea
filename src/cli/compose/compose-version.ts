/** `compose version`. */
import type { FlagValues } from '../flags.ts';
import { oneOf } from '../option-values.ts';
import { version } from '../version.ts';

export function printVersion(values: FlagValues): number {
  const format = oneOf(values, 'format', ['pretty', 'json']);
  process.stdout.write(values.has('short') ? `${version}\n` : format === 'json' ? `${JSON.stringify({ version })}\n` : `Caisson Compose version ${version}\n`);
  return 0;
}
