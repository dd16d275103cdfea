/** The user's containers, and what errors about them say at a terminal. */
import type { ImageStore } from '../../image/index.ts';
import { Containers } from '../../lifecycle/index.ts';
import { UserError, printable } from '../errors.ts';
import { openStore, toUserError } from '../images/image-store.ts';

/** What Docker's client answers with where a command on containers fails. */
export const EXIT_FAILED = 1;

export function notRunning({ id }: { readonly id: string }): UserError {
  return new UserError(`container ${id} is not running`, 'start it with "caisson start"', EXIT_FAILED);
}

/** `what` completes "cannot ..." where the error does not say it itself. */
export function toContainerError(error: unknown, what: string): unknown {
  const known = toUserError(error, what);
  if (!(known instanceof UserError)) return known;
  return new UserError(known.message, known.advice, known === error ? known.exitCode : EXIT_FAILED, { cause: error, ...(known.detail === undefined ? {} : { detail: known.detail }) });
}

/** Runs what asks for containers. @throws UserError */
export async function withContainers<Result>(what: string, body: (containers: Containers, store: ImageStore) => Promise<Result> | Result): Promise<Result> {
  try {
    const store = openStore();
    return await body(new Containers(store), store);
  } catch (error) {
    throw toContainerError(error, what);
  }
}

/** Does the same with each; one that fails does not keep the others from it. Answers the exit status. */
export async function forEach(words: readonly string[], what: string, body: (word: string) => Promise<string> | string): Promise<number> {
  let failed = false;
  for (const word of words) {
    try {
      const line = await body(word);
      if (line !== '') process.stdout.write(`${line}\n`);
    } catch (error) {
      const known = toContainerError(error, `${what} "${word}"`);
      if (!(known instanceof UserError)) throw known;
      failed = true;
      process.stderr.write(`caisson: ${printable(`${known.message}${known.advice === undefined ? '' : ` (${known.advice})`}`)}\n`);
    }
  }
  return failed ? EXIT_FAILED : 0;
}
