/** Certificates and keys that flags name. */
import { readFileSync } from 'node:fs';
import { UserError } from './errors.ts';

/** @throws UserError that names the flag. */
export function readPemFile(flag: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UserError(`cannot use --${flag} ${file}: ${(error as Error).message}`, 'check the path', undefined, { cause: error });
  }
}
