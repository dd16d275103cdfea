/** What a service's secrets and configs say: a change of them is a change of the service. */
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { Project, Service } from '../../compose/index.ts';
import { EXIT_FAILED } from '../containers/container-store.ts';
import { UserError } from '../errors.ts';

/** A digest for each, in the service's order. @throws UserError where a file is not there */
export function contentsOf(project: Project, { name, settings }: Service): readonly string[] {
  const digest = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex');
  const of = (source: string, files: Project['secrets'], kind: string): string => {
    const { file, content } = files.get(source) ?? {};
    if (file === undefined) return digest(content ?? '');
    try {
      if (!statSync(file).isFile()) throw new UserError(`services.${name}.${kind}: cannot use "${file}" for "${source}": it is no file`, 'name a file', EXIT_FAILED);
      return digest(readFileSync(file));
    } catch (error) {
      if (error instanceof UserError) throw error;
      const { code, message } = error as NodeJS.ErrnoException;
      throw new UserError(`services.${name}.${kind}: cannot read "${file}" for "${source}": ${code === 'ENOENT' ? 'no such file' : message}`, 'make it', EXIT_FAILED, { cause: error });
    }
  };
  return [...(settings.secrets ?? []).map(({ source }) => of(source, project.secrets, 'secrets')), ...(settings.configs ?? []).map(({ source }) => of(source, project.configs, 'configs'))];
}
