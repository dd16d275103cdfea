/** `system check`, `system df`, `system prune`, `image prune`: the store as a whole. */
import { checkStore, prune, usageOf } from '../../image/index.ts';
import type { CheckReport, ImageStore } from '../../image/index.ts';
import { familiarReference } from '../../image/reference.ts';
import { checkContainers } from '../../lifecycle/check.ts';
import { Containers } from '../../lifecycle/index.ts';
import { Volumes } from '../../lifecycle/volumes.ts';
import { hasLabel as hasOwnLabel } from '../containers/container-facts.ts';
import { pruneContainers } from '../containers/container-remove.ts';
import { pruneNetworks } from '../networks/network-commands.ts';
import { pruneVolumes, usedVolumes } from '../volumes/volume-commands.ts';
import { pruneFilter } from '../containers/prune-filter.ts';
import type { Prunable } from '../containers/prune-filter.ts';
import { readCommand } from '../command.ts';
import type { CommandSpec } from '../command.ts';
import { confirmed } from '../confirm.ts';
import { UserError } from '../errors.ts';
import { createdMs, hasLabel, sizeOf } from '../images/image-facts.ts';
import { withStore } from '../images/image-store.ts';
import { IMAGE_PRUNE, SYSTEM_CHECK, SYSTEM_DF, SYSTEM_PRUNE } from './system-specs.ts';
import { formatTable, humanAge, humanSize } from '../table.ts';
import { compileTemplate } from '../template.ts';

function summary({ images, blobs, layers, problems, leftoverBytes, unusedBytes }: CheckReport, containers: number): string {
  const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;
  const wrong = problems.filter(({ mended }) => !mended).length;
  const mended = problems.length - wrong;
  const lines = [`${count(images, 'image')}, ${count(blobs, 'blob')}, ${count(layers, 'layer')}${containers === 0 ? '' : `, ${count(containers, 'container')}`}: ${wrong === 0 ? (mended === 0 ? 'clean' : 'mended') : count(wrong, 'problem')}`];
  if (unusedBytes > 0 || leftoverBytes > 0) lines.push(`${humanSize(unusedBytes + leftoverBytes)} are not used ("caisson system prune" frees them)`);
  return lines.map((line) => `${line}\n`).join('');
}

export async function systemCheckCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(SYSTEM_CHECK, args);
  if (values === undefined) return 0;
  const repair = values.has('repair');
  if (values.has('force') && !repair) throw new UserError('cannot use --force without --repair', 'add --repair');
  return withStore('check the store', async (store) => {
    const images = await checkStore(store, { repair, force: values.has('force'), quick: values.has('quick') });
    const kept = await checkContainers(new Containers(store), repair);
    const report = { ...images, problems: [...images.problems, ...kept.problems] };
    for (const { problem, mended } of report.problems) process.stdout.write(`${mended ? 'mended: ' : ''}${problem}\n`);
    process.stdout.write(summary(report, kept.containers));
    const isWrong = report.problems.some(({ mended }) => !mended);
    if (isWrong) process.stderr.write(repair ? 'get images that are not whole again with "caisson pull" or "caisson load", or remove them with --repair --force\n' : 'mend it with "caisson system check --repair"\n');
    return isWrong ? 1 : 0;
  });
}

export async function systemDfCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(SYSTEM_DF, args);
  if (values === undefined) return 0;
  return withStore('show what takes space', (store) => {
    const [images, ...others] = usageOf(store);
    const rows = [...(images === undefined ? [] : [images]), usageOfContainers(new Containers(store)), usageOfVolumes(new Containers(store), store), ...others].map(({ kind, total, active, bytes, reclaimableBytes }) => ({
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

function usageOfContainers(containers: Containers): { readonly kind: string; readonly total: number; readonly active: number; readonly bytes: number; readonly reclaimableBytes: number } {
  const all = containers.list().map(({ id, state }) => ({ isRunning: state.status === 'running', bytes: containers.bytesOf(id) }));
  const sum = (some: typeof all): number => some.reduce((total, { bytes }) => total + bytes, 0);
  return { kind: 'Containers', total: all.length, active: all.filter(({ isRunning }) => isRunning).length, bytes: sum(all), reclaimableBytes: sum(all.filter(({ isRunning }) => !isRunning)) };
}

function usageOfVolumes(containers: Containers, store: ImageStore): ReturnType<typeof usageOfContainers> {
  const volumes = new Volumes(store);
  const used = usedVolumes(containers);
  const all = volumes.list().map(({ name }) => ({ isUsed: used.has(name), bytes: volumes.bytesOf(name) }));
  const sum = (some: typeof all): number => some.reduce((total, { bytes }) => total + bytes, 0);
  return { kind: 'Local Volumes', total: all.length, active: all.filter(({ isUsed }) => isUsed).length, bytes: sum(all), reclaimableBytes: sum(all.filter(({ isUsed }) => !isUsed)) };
}

function imageTable(store: ImageStore): string {
  const rows = store.list().map((image) => {
    const created = createdMs(image);
    const { reference, manifest } = image.record;
    return [reference === undefined ? '<none>' : familiarReference(reference), image.id.slice(7, 19), created === 0 ? 'N/A' : humanAge(Date.now() - created), humanSize(sizeOf(store, image)), store.claims.manifestsInUse().has(manifest.digest.slice(7)) ? 'yes' : 'no'];
  });
  return formatTable([['IMAGE', 'IMAGE ID', 'CREATED', 'SIZE', 'IN USE'], ...rows]);
}

async function pruneCommand(spec: CommandSpec, args: readonly string[]): Promise<number> {
  const values = await readCommand(spec, args);
  if (values === undefined) return 0;
  const all = values.has('all');
  const filters = values.all('filter').map(pruneFilter);
  const isSystem = spec === SYSTEM_PRUNE;
  const what = `WARNING! This removes ${isSystem ? `all stopped containers, all networks that no container is made for, ${values.has('volumes') ? 'all volumes without a name that no container has, ' : ''}` : ''}all images ${all ? 'without a container' : 'without a name'}, and what killed commands have left.`;
  if (!values.has('force') && !(await confirmed(what))) return 0;
  return withStore('remove what nothing uses', (store) => {
    const accepts = (one: Prunable): boolean => filters.every((filter) => filter(one));
    const gone = isSystem
      ? pruneContainers(new Containers(store), ({ record }) => accepts({ createdMs: record?.createdMs ?? 0, hasLabel: (text) => hasOwnLabel(record?.labels ?? {}, text) })) : { ids: [], bytes: 0 };
    const networks = isSystem ? pruneNetworks(new Containers(store), store, accepts) : [];
    const volumes = isSystem && values.has('volumes') ? pruneVolumes(new Containers(store), store, false, accepts) : { names: [], bytes: 0 };
    const { lines, bytes } = prune(store, { all, caches: isSystem, accepts: (image) => accepts({ createdMs: createdMs(image), hasLabel: (text) => hasLabel(image, text) }) });
    const section = (title: string, of: readonly string[]): string => (of.length === 0 ? '' : `${title}:\n${of.join('\n')}\n\n`);
    process.stdout.write(`${section('Deleted Containers', gone.ids)}${section('Deleted Networks', networks)}${section('Deleted Volumes', volumes.names)}${section('Deleted Images', lines)}Total reclaimed space: ${humanSize(gone.bytes + volumes.bytes + bytes)}\n`);
    return 0;
  });
}

export function systemPruneCommand(args: readonly string[]): Promise<number> {
  return pruneCommand(SYSTEM_PRUNE, args);
}

export function imagePruneCommand(args: readonly string[]): Promise<number> {
  return pruneCommand(IMAGE_PRUNE, args);
}
