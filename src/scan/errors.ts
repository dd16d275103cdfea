/** What is wrong with something that was to be looked at, and what to do. */
export class ScanInputError extends Error {
  readonly advice: string | undefined;

  /** `message` completes "cannot scan X: ...". */
  constructor(message: string, advice?: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ScanInputError';
    this.advice = advice;
  }
}
