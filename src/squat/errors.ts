/** Errors of the room. */

export class SquatError extends Error {
  override readonly name = 'SquatError';
  readonly advice: string;

  constructor(message: string, advice: string, options?: ErrorOptions) {
    super(message, options);
    this.advice = advice;
  }
}
