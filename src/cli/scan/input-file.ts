/** Files that flags name. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { UserError } from '../errors.ts';

/** The whole of a file of at most `most` bytes. @throws UserError, also for what is no file: a pipe has no end that can be known */
export function readInputFile(flag: string, file: string, most: number): Buffer {
  const refuse = (why: string, advice: string, cause?: unknown): UserError => new UserError(`cannot use --${flag} ${file}: ${why}`, advice, undefined, { cause });
  try {
    const handle = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(handle);
      if (!stat.isFile()) throw refuse('it is no file', 'name a file');
      if (stat.size > most) throw refuse(`it is longer than ${most >> 20} MiB`, 'is it the right file?');
      const bytes = Buffer.alloc(stat.size);
      let done = 0;
      for (let count = 1; count > 0 && done < bytes.length; done += count) count = readSync(handle, bytes, done, bytes.length - done, done);
      return bytes.subarray(0, done);
    } finally {
      closeSync(handle);
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw refuse((error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (error as Error).message, 'check the path', error);
  }
}
