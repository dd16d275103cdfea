/** The user's store of images, and what its errors say at a terminal. */
import { createImageHost, storeDirectory } from '../../host/node/image-host.ts';
import { ImageError, ImageStore, InvalidReferenceError } from '../../image/index.ts';
import { toByteString } from '../bytes.ts';
import { UserError, printable } from '../errors.ts';

/** @throws UserError */
export function openStore(): ImageStore {
  const directory = storeDirectory();
  if (directory === undefined) throw new UserError('cannot find a place for images: HOME is not set', 'set HOME or CAISSON_HOME');
  return translate('open the store', () => ImageStore.open(createImageHost(), toByteString(directory)));
}

/** `what` completes "cannot ..." where the error does not say it itself. */
export function toUserError(error: unknown, what: string): unknown {
  if (!(error instanceof ImageError)) return error;
  const message = error.message.startsWith('cannot ') ? error.message : `cannot ${what}: ${error.message}`;
  const detail = error instanceof InvalidReferenceError && error.text !== '' && printable(error.text) === error.text ? `  ${error.text}\n  ${' '.repeat(error.position)}^` : undefined;
  return new UserError(message, error.advice, undefined, { cause: error, ...(detail === undefined ? {} : { detail }) });
}

function translate<Result>(what: string, body: () => Result): Result {
  try {
    return body();
  } catch (error) {
    throw toUserError(error, what);
  }
}

/** Runs what asks the store. @throws UserError */
export async function withStore<Result>(what: string, body: (store: ImageStore) => Promise<Result> | Result): Promise<Result> {
  const store = openStore();
  try {
    return await body(store);
  } catch (error) {
    throw toUserError(error, what);
  }
}
