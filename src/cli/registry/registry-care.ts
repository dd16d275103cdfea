/** `registry gc`, `prune`, `scrub`: looking after a registry's directory, whether the registry runs or not. */
import { applyRetention, planRetention } from '../../registry/index.ts';
import { readCommand } from '../command.ts';
import { UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import { toUserError } from '../images/image-store.ts';
import { formatSize } from '../quantities.ts';
import { readRegistryConfig } from './registry-config.ts';
import { graceOf, openStorage } from './registry-options.ts';
import { COLLECT, PRUNE, SCRUB } from './registry-specs.ts';
import { formatTable } from '../table.ts';
import { compileTemplate } from '../template.ts';
import type { TemplateValue } from '../template.ts';

/** `text`, unless a format was asked for. */
function print(values: FlagValues, record: TemplateValue, text: string): void {
  const format = values.last('format');
  process.stdout.write(format === undefined ? text : `${compileTemplate(format)(record)}\n`);
}

async function translated<Result>(what: string, body: () => Promise<Result>): Promise<Result> {
  try {
    return await body();
  } catch (error) {
    throw toUserError(error, what);
  }
}

export async function collectCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(COLLECT, args);
  if (values === undefined) return 0;
  const dryRun = values.has('dry-run');
  const storage = await openStorage(values, readRegistryConfig(values.last('config')));
  const report = await translated('collect garbage', () => storage.collectGarbage({ graceMs: graceOf(values), dryRun }));
  const { blobs, bytes, links, repositories, temporary } = report;
  print(values, { Blobs: blobs, Bytes: bytes, Links: links, Repositories: repositories, Temporary: temporary, DryRun: dryRun }, `${dryRun ? 'would remove' : 'removed'} ${blobs} blobs (${formatSize(bytes)}), ${links} links, ${repositories} empty repositories, ${temporary} temporary files\n`);
  return 0;
}

export async function pruneCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(PRUNE, args);
  if (values === undefined) return 0;
  const config = readRegistryConfig(values.last('config'));
  const { retention } = config;
  if (retention.length === 0) throw new UserError('cannot prune: there are no rules of retention', 'write them in the file that --config names');
  const storage = await openStorage(values, config);
  const plan = await translated('prune the registry', () => planRetention(storage, retention));
  const rows = plan.map(({ repository, tag, digest, why }) => [tag === undefined ? `${repository}@${digest.slice(0, 19)}` : `${repository}:${tag}`, why]);
  const removed = values.has('dry-run') ? 0 : await translated('prune the registry', () => applyRetention(storage, plan));
  const entries = plan.map(({ repository, tag, digest, pushedMs, why }) => ({ Repository: repository, Tag: tag ?? '', Digest: digest, Pushed: new Date(pushedMs).toISOString(), Why: why }));
  print(values, { Removals: entries, Removed: removed, DryRun: values.has('dry-run') }, `${formatTable(rows)}${values.has('dry-run') ? `would remove ${plan.length}` : `removed ${removed}`} tags and manifests\n`);
  return 0;
}

export async function scrubCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(SCRUB, args);
  if (values === undefined) return 0;
  const storage = await openStorage(values, readRegistryConfig(values.last('config')));
  const { blobs, bytes, spoiled } = await translated('scrub the registry', () => storage.scrub());
  const lines = spoiled.map((digest) => `${digest}: ${storage.kind === 'bucket' ? 'changed in the bucket' : 'changed on the disk'}, moved away\n`).join('');
  print(values, { Blobs: blobs, Bytes: bytes, Spoiled: spoiled }, `${lines}${blobs} blobs (${formatSize(bytes)}), ${spoiled.length} spoiled\n`);
  return spoiled.length === 0 ? 0 : 1;
}
