/** What a user reads when something went wrong: what was being done, to what, why, and what to do. Exit codes are Docker's. */
import { printable } from '../findings/printable.ts';

export { printable };

/** Caisson itself failed, before or beside the command. */
export const EXIT_CAISSON = 125;
/** The command was found but cannot be executed. */
export const EXIT_NOT_EXECUTABLE = 126;
export const EXIT_NOT_FOUND = 127;
/** Added to the number of the signal that ended the command. */
export const EXIT_SIGNAL_BASE = 128;
/** 128 + SIGPIPE: whoever read our output is gone. */
export const EXIT_BROKEN_PIPE = 141;
/** As timeout(1). */
export const EXIT_TIMEOUT = 124;

export class UserError extends Error {
  override readonly name = 'UserError';
  readonly exitCode: number;
  /** What to do, as a short imperative clause. */
  readonly advice: string | undefined;
  /** Lines below, such as a text with the place marked. */
  readonly detail: string | undefined;

  constructor(message: string, advice?: string, exitCode: number = EXIT_CAISSON, options?: ErrorOptions & { readonly detail?: string }) {
    super(message, options);
    this.detail = options?.detail;
    this.advice = advice;
    this.exitCode = exitCode;
  }
}

/** `caisson: cannot read "x": no such file (check the path)` */
export function formatError(error: unknown): string {
  if (error instanceof UserError) {
    const advice = error.advice === undefined ? '' : ` (${error.advice})`;
    return `caisson: ${printable(`${error.message}${advice}`)}${error.detail === undefined ? '' : `\n${error.detail}`}`;
  }
  const message = error instanceof Error ? error.message : String(error);
  return `caisson: internal error: ${printable(message.split('\n')[0] ?? '')} (set CAISSON_DEBUG=1 to see where, and please report it)`;
}

export function exitCodeOf(error: unknown): number {
  return error instanceof UserError ? error.exitCode : EXIT_CAISSON;
}
