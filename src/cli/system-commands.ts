/** `system check`, `system df`, `system prune`, `image prune`: the store as a whole. */
import { checkStore, prune, usageOf } from '../image/index.ts';
import type { CheckReport, ImageStore, StoredImage } from '../image/index.ts';
import { familiarReference } from '../image/reference.ts';
import { readCommand } from './command.ts';
import type { CommandSpec } from './command.ts';
import { UserError } from './errors.ts';
import { nearest } from './flags.ts';
import { createdMs, hasLabel, sizeOf } from './image-facts.ts';
import { withStore } from './image-store.ts';
import { parseDuration } from './quantities.ts';
import { IMAGE_PRUNE, SYSTEM_CHECK, SYSTEM_DF, SYSTEM_PRUNE } from './system-specs.ts';
import { formatTable, humanAge, humanSize } from './table.ts';
import { compileTemplate } from './template.ts';

function summary({ images, blobs, layers, problems, leftoverBytes, unusedBytes }: CheckReport): string {
  const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;
  const wrong = problems.filter(({ mended }) => !mended).length;
  const mended = problems.length - wrong;
  const lines = [`${count(images, 'image')}, ${count(blobs, 'blob')}, ${count(layers, 'layer')}: ${wrong === 0 ? (mended === 0 ? 'clean' : 'mended') : count(wrong, 'problem')}`];
  if (unusedBytes > 0 || leftoverBytes > 0) lines.push(`${humanSize(unusedBytes + leftoverBytes)} are not used ("caisson system prune" frees them)`);
  return lines.map((line) => `${line}\n`).join('');
}

export async function systemCheckCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(SYSTEM_CHECK, args);
  if (values === undefined) return 0;
  const repair = values.has('repair');
  if (values.has('force') && !repair) throw new UserError('cannot use --force without --repair', 'add --repair');
  return withStore('check the store', async (store) => {
    const report = await checkStore(store, { repair, force: values.has('force'), quick: values.has('quick') });
    for (const { problem, mended } of report.problems) process.stdout.write(`${mended ? 'mended: ' : ''}${problem}\n`);
    process.stdout.write(summary(report));
    const isWrong = report.problems.some(({ mended }) => !mended);
    if (isWrong) process.stderr.write(repair ? 'get images that are not whole again with "caisson pull" or "caisson load", or remove them with --repair --force\n' : 'mend it with "caisson system check --repair"\n');
    return isWrong ? 1 : 0;
  });
}

export async function systemDfCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(SYSTEM_DF, args);
  if (values === undefined) return 0;
  return withStore('show what takes space', (store) => {
    const rows = usageOf(store).map(({ kind, total, active, bytes, reclaimableBytes }) => ({
      Type: kind, TotalCount: total, Active: active, Size: humanSize(bytes),
      Reclaimable: `${humanSize(reclaimableBytes)}${bytes === 0 ? '' : ` (${Math.round((reclaimableBytes / bytes) * 100)}%)`}`,
    }));
    const format = values.last('format');
    const fill = format === undefined ? undefined : compileTemplate(format);
    if (fill !== undefined) process.stdout.write(rows.map((row) => `${fill(row)}\n`).join(''));
    else process.stdout.write(formatTable([['TYPE', 'TOTAL', 'ACTIVE', 'SIZE', 'RECLAIMABLE'], ...rows.map((row) => [row.Type, String(row.TotalCount), String(row.Active), row.Size, row.Reclaimable])]));
    if (values.has('verbose')) process.stdout.write(`\n${imageTable(store)}\nThe store is in ${store.disk.root}\n`);
    return 0;
  });
}

function imageTable(store: ImageStore): string {
  const rows = store.list().map((image) => {
    const created = createdMs(image);
    const { reference, manifest } = image.record;
    return [reference === undefined ? '<none>' : familiarReference(reference), image.id.slice(7, 19), created === 0 ? 'N/A' : humanAge(Date.now() - created), humanSize(sizeOf(store, image)), store.claims.manifestsInUse().has(manifest.digest.slice(7)) ? 'yes' : 'no'];
  });
  return formatTable([['IMAGE', 'IMAGE ID', 'CREATED', 'SIZE', 'IN USE'], ...rows]);
}

const FILTERS = ['until', 'label', 'label!'];

/** @throws UserError */
function pruneFilter(text: string): (image: StoredImage) => boolean {
  const [, key = text, not = '', value = ''] = /^([^=!]+)(!?)=(.*)$/s.exec(text) ?? [];
  if (key === 'label') return (image) => hasLabel(image, value) !== (not === '!');
  if (key === 'until' && not === '') {
    const ageMs = parseDuration(value);
    const limit = ageMs === undefined ? Date.parse(value) : Date.now() - ageMs;
    if (Number.isNaN(limit)) throw new UserError(`cannot use --filter ${text}: "${value}" is no time`, 'such as 24h or 2026-01-31');
    return (image) => createdMs(image) < limit;
  }
  const guess = nearest(key, FILTERS);
  throw new UserError(`cannot use --filter ${text}: no filter is called "${key}${not}"`, guess === undefined ? `there are ${FILTERS.join(', ')}` : `did you mean ${guess}?`);
}

async function confirmed(question: string): Promise<boolean> {
  process.stdout.write(`${question}\nAre you sure you want to continue? [y/N] `);
  let text = '';
  for await (const chunk of process.stdin) {
    text += String(chunk);
    if (text.includes('\n')) break;
  }
  return /^y(?:es)?$/i.test(text.split('\n')[0]?.trim() ?? '');
}

async function pruneCommand(spec: CommandSpec, args: readonly string[]): Promise<number> {
  const values = await readCommand(spec, args);
  if (values === undefined) return 0;
  const all = values.has('all');
  const filters = values.all('filter').map(pruneFilter);
  const what = `WARNING! This removes all images ${all ? 'on which no container runs' : 'without a name'}, and what killed commands have left.`;
  if (!values.has('force') && !(await confirmed(what))) return 0;
  return withStore('remove what nothing uses', (store) => {
    const { lines, bytes } = prune(store, { all, caches: spec === SYSTEM_PRUNE, accepts: (image) => filters.every((filter) => filter(image)) });
    process.stdout.write(`${lines.length === 0 ? '' : `Deleted Images:\n${lines.join('\n')}\n\n`}Total reclaimed space: ${humanSize(bytes)}\n`);
    return 0;
  });
}

export function systemPruneCommand(args: readonly string[]): Promise<number> {
  return pruneCommand(SYSTEM_PRUNE, args);
}

export function imagePruneCommand(args: readonly string[]): Promise<number> {
  return pruneCommand(IMAGE_PRUNE, args);
}
