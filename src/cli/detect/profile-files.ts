/** Files of profiles: read before anything runs, and written whole. */
import { accessSync, constants, existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { profileText, readProfile } from '../../detect/index.ts';
import type { Profile } from '../../detect/index.ts';
import { UserError } from '../errors.ts';
import { asUserError } from './ready-rules.ts';

const MOST_BYTES = 8 << 20;

/** @throws UserError */
export function parseProfile(name: string, text: string): Profile {
  try {
    return readProfile(name, text);
  } catch (error) {
    throw asUserError(error, 'use the profile');
  }
}

/** What a file has that is to be added to; undefined where there is none yet. That it can be written is known as well. @throws UserError */
export function learnedBefore(path: string): Profile | undefined {
  let text: string | undefined;
  try {
    const isThere = existsSync(path);
    accessSync(isThere ? path : dirname(path), constants.W_OK);
    if (isThere && statSync(path).size > MOST_BYTES) throw new Error(`it has more than ${MOST_BYTES >> 20} MB`);
    if (isThere) text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserError(`cannot write the profile "${path}": ${(error as Error).message}`, 'check --learn', undefined, { cause: error });
  }
  return text === undefined || text === '' ? undefined : parseProfile(path, text);
}

/** In one step: whoever reads it has the old one or the new one. @throws UserError */
export function writeProfile(path: string, profile: Profile): void {
  const temporary = `${path}.${process.pid}.new`;
  try {
    // A pipe or a device is written as it is.
    if (existsSync(path) && !statSync(path).isFile()) writeFileSync(path, profileText(profile));
    else {
      writeFileSync(temporary, profileText(profile), { mode: 0o644, flag: 'wx' });
      renameSync(temporary, path);
    }
  } catch (error) {
    rmSync(temporary, { force: true });
    throw new UserError(`cannot write the profile "${path}": ${(error as Error).message}`, 'check --learn', undefined, { cause: error });
  }
}
