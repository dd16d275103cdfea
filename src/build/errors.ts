/** Errors of the room. */

/** Lines of a Dockerfile, from 1 on, both included. */
export interface Lines {
  readonly start: number;
  readonly end: number;
}

/** A build that cannot go on: what is wrong, where, and what to do. */
export class BuildError extends Error {
  override readonly name = 'BuildError';
  readonly advice: string | undefined;
  readonly lines: Lines | undefined;
  /** The last lines that a failed command printed. */
  readonly output: string | undefined;

  constructor(message: string, options: ErrorOptions & { readonly advice?: string | undefined; readonly lines?: Lines | undefined; readonly output?: string | undefined } = {}) {
    super(message, options);
    this.advice = options.advice;
    this.lines = options.lines;
    this.output = options.output;
  }

  /** The same with the place, where it has none yet. */
  at(lines: Lines): BuildError {
    return this.lines !== undefined ? this : new BuildError(this.message, { advice: this.advice, lines, output: this.output, cause: this });
  }
}
