/** Errors of the room. */
import { ImageError } from '../image/index.ts';

/** Something about a container that the user can act on; `ImageError` gives message and advice their places. */
export class LifecycleError extends ImageError {
  override readonly name: string = 'LifecycleError';
}

/** No container of this name. Text as Docker's. */
export class NoSuchContainerError extends LifecycleError {
  override readonly name = 'NoSuchContainerError';

  constructor(text: string, nearest?: string) {
    super(`No such container: ${text}`, nearest === undefined ? 'see "caisson ps -a"' : `did you mean "${nearest}"?`);
  }
}

/** The name belongs to another container. Text as Docker's. */
export class NameConflictError extends LifecycleError {
  override readonly name = 'NameConflictError';

  constructor(name: string, id: string) {
    super(`Conflict. The container name "/${name}" is already in use by container "${id}"`, 'remove or rename that container, or use another name');
  }
}
