/** What a registry answers instead of what it was asked for (distribution-spec "Error Codes"). */
import { ImageError } from './errors.ts';

export class RegistryError extends ImageError {
  override readonly name = 'RegistryError';
  /** HTTP status; 0 where there was no answer. */
  readonly status: number;
  /** `MANIFEST_UNKNOWN`, `DENIED`, ... or a code of the network. */
  readonly code: string;

  constructor(message: string, status: number, code: string, advice?: string, options?: ErrorOptions) {
    super(message, advice, options);
    this.status = status;
    this.code = code;
  }
}
