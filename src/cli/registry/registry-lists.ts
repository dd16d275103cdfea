/** `registry tags`, `ls`, `referrers`: what a registry has, ours or any other. */
import { RegistryError, listReferrers, stringList } from '../../image/index.ts';
import type { RegistryClient } from '../../image/index.ts';
import { formatReference, nameOf, parseReference } from '../../image/reference.ts';
import type { Reference } from '../../image/reference.ts';
import { readCommand } from '../command.ts';
import type { FlagValues } from '../flags.ts';
import { toUserError } from '../images/image-store.ts';
import { BlobProgress } from '../progress.ts';
import { clientFor } from './registry-commands.ts';
import { LIST, REFERRERS, TAGS } from './registry-specs.ts';
import { formatTable, humanSize } from '../table.ts';
import { compileTemplate } from '../template.ts';
import type { TemplateValue } from '../template.ts';

/** A line for each; with a format, each by itself, as Docker's lists do. */
function print(values: FlagValues, records: readonly TemplateValue[], text: string): void {
  const format = values.last('format');
  process.stdout.write(format === undefined ? text : records.map((record) => `${compileTemplate(format)(record)}\n`).join(''));
}

async function namesIn(client: RegistryClient, path: string, field: string, missing: string): Promise<readonly string[]> {
  const names: string[] = [];
  let isThere = false;
  for await (const { document } of client.pages(path)) {
    isThere = true;
    names.push(...stringList(document, field));
  }
  if (!isThere) throw new RegistryError(missing, 404, 'NAME_UNKNOWN', 'check the name');
  return names;
}

/** @throws RegistryError, InvalidReferenceError */
export async function tagsOf(reference: Reference, values: FlagValues): Promise<readonly string[]> {
  return namesIn(clientFor(reference, values, new BlobProgress(false)), 'tags/list?n=1000', 'tags', `${reference.repository} is not in ${reference.registry}`);
}

/** `registry`: a host, perhaps with a port. @throws RegistryError, InvalidReferenceError */
export async function repositoriesOf(registry: string, values: FlagValues): Promise<readonly string[]> {
  // A name of a repository behind it makes a reference of it, whose registry is then checked.
  const reference = parseReference(`${registry}/any`);
  return namesIn(clientFor(reference, values, new BlobProgress(false)), '/_catalog?n=1000', 'repositories', `${registry} gives no list of its repositories`);
}

export async function tagsCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(TAGS, args);
  if (values === undefined) return 0;
  const [text = ''] = values.command;
  try {
    const reference = parseReference(text);
    const names = await tagsOf(reference, values);
    print(values, names.map((name) => ({ Repository: nameOf(reference), Tag: name })), names.map((name) => `${name}\n`).join(''));
  } catch (error) {
    throw toUserError(error, `list the tags of "${text}"`);
  }
  return 0;
}

export async function listCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(LIST, args);
  if (values === undefined) return 0;
  const [registry = ''] = values.command;
  try {
    const names = await repositoriesOf(registry, values);
    print(values, names.map((name) => ({ Repository: name })), names.map((name) => `${name}\n`).join(''));
  } catch (error) {
    throw toUserError(error, `list the repositories of ${registry}`);
  }
  return 0;
}

export async function referrersCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(REFERRERS, args);
  if (values === undefined) return 0;
  const [text = ''] = values.command;
  try {
    const reference = parseReference(text);
    const client = clientFor(reference, values, new BlobProgress(false));
    const digest = reference.digest ?? (await client.getManifest(reference.tag ?? '')).digest;
    const found = await listReferrers(client, digest, values.last('artifact-type'));
    const records = found.map((referrer) => ({ Digest: referrer.digest, ArtifactType: referrer.artifactType ?? '', MediaType: referrer.mediaType, Size: referrer.size, Annotations: referrer.annotations ?? {}, Subject: formatReference({ ...reference, tag: undefined, digest }) }));
    print(values, records, formatTable([['DIGEST', 'TYPE', 'SIZE'], ...found.map((referrer) => [referrer.digest, referrer.artifactType ?? '', humanSize(referrer.size)])]));
  } catch (error) {
    throw toUserError(error, `list what is about "${text}"`);
  }
  return 0;
}
