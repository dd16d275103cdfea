/** An input that is no configuration of a container, or is more than the bounds in `limits.ts`. The message is one line; `advice` says what to do. */
export class AuditInputError extends Error {
  override readonly name = 'AuditInputError';
  readonly advice: string;

  constructor(message: string, advice: string, options?: ErrorOptions) {
    super(message, options);
    this.advice = advice;
  }
}
