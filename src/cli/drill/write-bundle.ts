/** `drill --write-bundle DIR`: the programs, to be run under another engine on another machine. */
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { carriedBundle } from '../../drill/index.ts';
import type { Technique } from '../../drill/index.ts';
import { UserError, printable } from '../errors.ts';

/** @throws UserError where there is something already, or it cannot be written. */
export function writeBundle(directory: string, techniques: readonly Technique[]): void {
  const { files, count } = carriedBundle(techniques, `CAISSON-DRILL-${randomBytes(12).toString('hex')}`);
  if (count === 0) throw new UserError(`cannot use --write-bundle ${directory}: none of these techniques can be taken elsewhere`, 'leave --only away');
  try {
    mkdirSync(directory, { recursive: true });
    if (readdirSync(directory).length > 0) throw new UserError(`cannot use --write-bundle ${directory}: it is not empty`, 'name another directory');
    for (const { path, content, mode } of files) {
      const place = join(directory, path);
      mkdirSync(dirname(place), { recursive: true });
      writeFileSync(place, content);
      chmodSync(place, mode);
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`cannot use --write-bundle ${directory}: ${(error as Error).message}`, 'check the path', undefined, { cause: error });
  }
  process.stdout.write(`${count} techniques written; run them with ${printable(join(directory, 'run.sh'))} ENGINE\n`);
}
