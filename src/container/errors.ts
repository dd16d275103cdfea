/** Errors of the room. */
import { ERRNO_NAMES } from '../abi/errno.ts';

/** A container cannot be made as configured: the path is the reason. */
export class ContainerError extends Error {
  override readonly name = 'ContainerError';
  readonly path: string;
  /** Linux errno, positive. */
  readonly errno: number;

  constructor(path: string, errno: number) {
    super(`cannot use ${path}: ${ERRNO_NAMES.get(errno) ?? `error ${errno}`}`);
    this.path = path;
    this.errno = errno;
  }
}
