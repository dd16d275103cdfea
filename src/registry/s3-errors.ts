/** What a bucket says, or does not, instead of what it was asked for. */
import { ImageError } from '../image/index.ts';

/** A request to a bucket that did not succeed, also after it was made again. `code`: S3's, or that of the network. */
export class BucketError extends ImageError {
  override readonly name = 'BucketError';
  readonly code: string;
  /** Undefined: there was no answer. */
  readonly status: number | undefined;

  constructor(message: string, code: string, status: number | undefined, advice?: string, options?: ErrorOptions) {
    super(message, advice, options);
    this.code = code;
    this.status = status;
  }
}

const ADVICE: ReadonlyMap<string, string> = new Map([
  ['NoSuchBucket', 'make the bucket first'],
  ['AccessDenied', 'the keys must allow to list, get, put and delete objects of the bucket'],
  ['InvalidAccessKeyId', 'check AWS_ACCESS_KEY_ID'],
  ['SignatureDoesNotMatch', 'check AWS_SECRET_ACCESS_KEY, and --s3-region'],
  ['ExpiredToken', 'get new credentials, and start again with them'],
  ['AuthorizationHeaderMalformed', 'check --s3-region'],
  ['PermanentRedirect', 'check --s3-region and --s3-endpoint'],
  ['ECONNREFUSED', 'check --s3-endpoint'],
  ['ENOTFOUND', 'check --s3-endpoint'],
]);

export function adviceFor(code: string): string | undefined {
  return ADVICE.get(code);
}
