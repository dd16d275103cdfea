/** A text that is no YAML, or is more than the bounds in `limits.ts`. The message is one line; `advice` says what to do. */
export class YamlError extends Error {
  override readonly name = 'YamlError';
  readonly advice: string;

  constructor(message: string, advice: string, options?: ErrorOptions) {
    super(`cannot read the YAML: ${message}`, options);
    this.advice = advice;
  }
}
