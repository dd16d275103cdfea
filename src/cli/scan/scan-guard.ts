/** Errors of scans, in words for a user. */
import { ImageError } from '../../image/index.ts';
import { ScanInputError } from '../../scan/index.ts';
import { UserError } from '../errors.ts';
import { toUserError } from '../images/image-store.ts';

/** What is wrong with a subject, in words for a user. */
export async function guarded<Result>(what: string, body: () => Promise<Result>): Promise<Result> {
  try {
    return await body();
  } catch (error) {
    if (error instanceof ScanInputError) throw new UserError(`cannot ${what}: ${error.message}`, error.advice, undefined, { cause: error });
    if (error instanceof ImageError) throw toUserError(error, what);
    throw error;
  }
}
