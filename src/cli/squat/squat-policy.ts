/** What the commands that fetch or send images do about a name that may be a trap: say so and ask, or refuse. */
import { openSync } from 'node:fs';
import { ReadStream, isatty } from 'node:tty';
import { InvalidReferenceError } from '../../image/index.ts';
import { UserError, printable } from '../errors.ts';
import { isHint } from '../../squat/index.ts';
import { readNames, suspicionOf } from './squat-judge.ts';
import type { SquatSettings } from './squat-settings.ts';

/** A line of the terminal, which need not be standard input's alone: a container may read that afterwards. */
async function askTerminal(handle: number, question: string): Promise<string> {
  const terminal = new ReadStream(handle);
  process.stderr.write(question);
  try {
    let text = '';
    for await (const chunk of terminal) {
      text += String(chunk);
      if (text.includes('\n')) break;
    }
    return text.split('\n')[0]?.trim() ?? '';
  } finally {
    terminal.destroy();
  }
}

/** Undefined: there is nobody to ask. */
function openTerminal(): number | undefined {
  if (!isatty(0) || !isatty(2)) return undefined;
  try {
    return openSync('/dev/tty', 'r');
  } catch {
    return undefined;
  }
}

/** `verb`: `pull`. Ends well if it may go on. @throws UserError */
export async function judgeForUse(typed: string, verb: string, { policy, allow, names }: SquatSettings): Promise<void> {
  let found: ReturnType<typeof suspicionOf>;
  try {
    found = suspicionOf(typed, readNames(names), allow);
  } catch (error) {
    // Who was to fetch it says so better.
    if (error instanceof InvalidReferenceError) return;
    throw error;
  }
  if (found === undefined) return;
  const { meant, why, kind } = found.suspicion;
  const advice = `did you mean "${meant}"? If not, allow it with --squat-allow, or see "caisson squat ${typed}"`;
  const isTrap = !isHint(kind);
  if (policy === 'refuse' && isTrap) throw new UserError(`cannot ${verb} "${typed}": ${why} (${kind})`, advice);
  process.stderr.write(`caisson: ${isTrap ? 'warning: ' : ''}${printable(`did you mean "${meant}"? ${why} (${kind})`)}\n`);
  const terminal = isTrap ? openTerminal() : undefined;
  if (terminal === undefined) return;
  const answer = await askTerminal(terminal, `${verb[0]?.toUpperCase() ?? ''}${verb.slice(1)} ${printable(`"${typed}"`)} all the same? [y/N] `);
  if (!/^y(?:es)?$/i.test(answer)) throw new UserError(`did not ${verb} "${typed}"`, advice);
}
