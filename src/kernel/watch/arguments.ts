/** Arguments of programs, as far as they are kept. */
import { MOST_COMMAND_BYTES } from './limits.ts';

export function keptArguments(texts: readonly string[]): string[] {
  const kept: string[] = [];
  let room = MOST_COMMAND_BYTES;
  for (const text of texts) {
    if (room <= 0) break;
    kept.push(text.slice(0, room));
    room -= text.length + 1;
  }
  return kept;
}
