/** A Compose file that cannot be used. The message is one line, and says where; `advice` says what to do. */
export class ComposeError extends Error {
  override readonly name = 'ComposeError';
  readonly advice: string;

  constructor(message: string, advice: string, options?: ErrorOptions) {
    super(message, options);
    this.advice = advice;
  }
}
