/** `resolve`, `tag`, `rmi`: names of images. */
import { explainReference, formatReference } from '../../image/reference.ts';
import { removeImage } from '../../image/index.ts';
import { readCommand } from '../command.ts';
import { RESOLVE, RMI, TAG_COMMAND } from './image-specs.ts';
import { toUserError, withStore } from './image-store.ts';
import { UserError } from '../errors.ts';
import { formatTable } from '../table.ts';
import { compileTemplate } from '../template.ts';

export async function resolveCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(RESOLVE, args);
  if (values === undefined) return 0;
  const [text = ''] = values.command;
  const format = values.last('format');
  try {
    const { reference, parts } = explainReference(text);
    const record = { Reference: formatReference(reference), Typed: text, Registry: reference.registry, Repository: reference.repository, Tag: reference.tag ?? '', Digest: reference.digest ?? '', Parts: parts.map(({ part, value, why }) => ({ Part: part, Value: value, Why: why })) };
    process.stdout.write(format === undefined ? `${record.Reference}\n${formatTable(parts.map(({ part, value, why }) => [`  ${part}`, value, why]))}` : `${compileTemplate(format)(record)}\n`);
  } catch (error) {
    throw toUserError(error, `resolve "${text}"`);
  }
  return 0;
}

export async function tagCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(TAG_COMMAND, args);
  if (values === undefined) return 0;
  const [source = '', name = ''] = values.command;
  await withStore(`tag "${source}"`, (store) => store.tag(store.find(source), name));
  return 0;
}

export async function rmiCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(RMI, args);
  if (values === undefined) return 0;
  const force = values.has('force');
  return withStore('remove images', (store) => {
    let failed: unknown;
    for (const text of values.command) {
      try {
        for (const line of removeImage(store, text, { force, keepBlobs: values.has('no-prune') })) process.stdout.write(`${line}\n`);
      } catch (error) {
        const known = toUserError(error, `remove "${text}"`);
        if (!(known instanceof UserError)) throw known;
        if (force && error instanceof Error && error.name === 'NoSuchImageError') continue;
        failed ??= known;
        if (values.command.length > 1 && failed !== known) process.stderr.write(`caisson: ${known.message}\n`);
      }
    }
    if (failed !== undefined) throw failed;
    return 0;
  });
}
