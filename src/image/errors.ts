/** Errors of the room: each says what was wrong, with values; `advice` says what to do about it. */

export class ImageError extends Error {
  override readonly name: string = 'ImageError';
  readonly advice: string | undefined;

  constructor(message: string, advice?: string, options?: ErrorOptions) {
    super(message, options);
    this.advice = advice;
  }
}

/** A reference that cannot be read; `position` is the index of the first character that is wrong. */
export class InvalidReferenceError extends ImageError {
  override readonly name = 'InvalidReferenceError';
  readonly text: string;
  readonly position: number;
  readonly reason: string;

  constructor(text: string, position: number, reason: string, advice?: string) {
    super(`cannot read the reference "${text}": ${reason}${text === '' ? '' : ` at character ${position + 1}`}`, advice);
    this.text = text;
    this.position = position;
    this.reason = reason;
  }
}

/** What came has not the digest that was promised. */
export class DigestMismatchError extends ImageError {
  override readonly name = 'DigestMismatchError';
  readonly expected: string;
  readonly actual: string;

  constructor(what: string, expected: string, actual: string) {
    super(`${what} is not what it should be: it has the digest ${actual}, not ${expected}`, 'get it again; if that does not help, its source is spoiled or lies');
    this.expected = expected;
    this.actual = actual;
  }
}

/** A manifest, configuration, archive or layer that is not as its specification says. */
export class ImageFormatError extends ImageError {
  override readonly name = 'ImageFormatError';
}

/** A bound of `limits.ts` was reached. */
export class ImageLimitError extends ImageError {
  override readonly name = 'ImageLimitError';
}

/** No image of this name in the store. `nearest`: one that the user may have meant. */
export class NoSuchImageError extends ImageError {
  override readonly name = 'NoSuchImageError';
  readonly reference: string;
  readonly nearest: string | undefined;

  constructor(reference: string, nearest?: string) {
    super(`there is no image "${reference}" here`, nearest === undefined ? 'see "caisson images", or get it with "caisson pull" or "caisson load"' : `did you mean "${nearest}"?`);
    this.reference = reference;
    this.nearest = nearest;
  }
}

/** The store's directory cannot be read or written. `errno` is Linux's, positive. */
export class StoreError extends ImageError {
  override readonly name = 'StoreError';
  readonly path: string;
  readonly errno: number;

  constructor(what: string, path: string, errno: number, errnoName: string) {
    super(`cannot ${what} "${path}": ${errnoName}`, errnoName === 'ENOSPC' ? 'free some space, for example with "caisson rmi"' : 'check the directory; CAISSON_HOME names another');
    this.path = path;
    this.errno = errno;
  }
}
