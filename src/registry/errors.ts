/** What the registry answers instead of what it was asked for (distribution-spec "Error Codes"). */

import { EDQUOT, EFBIG, ENOSPC } from '../abi/errno.ts';
import { StoreError } from '../image/index.ts';

/** Code to status, where the specification leaves no choice or docker-registry has made one. */
const STATUS = {
  BLOB_UNKNOWN: 404,
  BLOB_UPLOAD_INVALID: 400,
  BLOB_UPLOAD_UNKNOWN: 404,
  DIGEST_INVALID: 400,
  MANIFEST_BLOB_UNKNOWN: 404,
  MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  SIZE_INVALID: 400,
  UNAUTHORIZED: 401,
  DENIED: 403,
  UNSUPPORTED: 405,
  TOOMANYREQUESTS: 429,
  /** As docker-registry says it: where blobs are kept cannot be reached. */
  UNAVAILABLE: 503,
  /** Not of the specification: what is wrong is ours (5xx). */
  UNKNOWN: 500,
} as const;

/** No room: of the disk, of a quota, of the size of a file. */
const FULL: ReadonlySet<number> = new Set([ENOSPC, EDQUOT, EFBIG]);

export function isFull(error: unknown): boolean {
  return error instanceof StoreError && FULL.has(error.errno);
}

export type FailureCode = keyof typeof STATUS;

export interface FailureOptions extends ErrorOptions {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly detail?: unknown;
}

export class RegistryFailure extends Error {
  override readonly name = 'RegistryFailure';
  readonly code: FailureCode;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly detail: unknown;

  constructor(code: FailureCode, message: string, options: FailureOptions = {}) {
    super(message, options);
    this.code = code;
    this.status = options.status ?? STATUS[code];
    this.headers = options.headers ?? {};
    this.detail = options.detail;
  }

  toResponse(): Response {
    const error = { code: this.code, message: this.message, ...(this.detail === undefined ? {} : { detail: this.detail }) };
    return Response.json({ errors: [error] }, { status: this.status, headers: this.headers });
  }
}
