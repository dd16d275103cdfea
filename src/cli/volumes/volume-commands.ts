/** `volume create`, `ls`, `inspect`, `rm` and `prune`. */
import type { Containers } from '../../lifecycle/index.ts';
import { NoSuchVolumeError, removeUnused, Volumes } from '../../lifecycle/volumes.ts';
import type { VolumeRecord } from '../../lifecycle/volumes.ts';
import type { ImageStore } from '../../image/index.ts';
import { toText } from '../bytes.ts';
import { readCommand } from '../command.ts';
import type { CommandSpec } from '../command.ts';
import { confirmed } from '../confirm.ts';
import { hasLabel } from '../containers/container-facts.ts';
import { EXIT_FAILED, forEach, withContainers } from '../containers/container-store.ts';
import { UserError } from '../errors.ts';
import { nearest } from '../flags.ts';
import type { FlagValues } from '../flags.ts';
import { pruneFilter } from '../containers/prune-filter.ts';
import type { Prunable } from '../containers/prune-filter.ts';
import { labelsIn } from '../containers/run-record.ts';
import { formatTable, humanSize } from '../table.ts';
import { compileTemplate, formatRows } from '../template.ts';
import type { TemplateValue } from '../template.ts';
import { VOLUME_CREATE, VOLUME_INSPECT, VOLUME_LS, VOLUME_PRUNE, VOLUME_RM } from './volume-specs.ts';

type Fields = { readonly [key: string]: TemplateValue };

interface VolumeContext {
  readonly values: FlagValues;
  readonly volumes: Volumes;
  readonly containers: Containers;
}

async function onVolumes(spec: CommandSpec, args: readonly string[], what: string, body: (context: VolumeContext) => Promise<number> | number): Promise<number> {
  const values = await readCommand(spec, args);
  if (values === undefined) return 0;
  return withContainers(what, (containers, store) => body({ values, volumes: new Volumes(store), containers }));
}

export function volumeCreateCommand(args: readonly string[]): Promise<number> {
  return onVolumes(VOLUME_CREATE, args, 'make the volume', ({ values, volumes }) => {
    const driver = values.last('driver');
    if (driver !== undefined && driver !== 'local') throw new UserError(`cannot use --driver ${driver}: there is only local`, 'leave it out', EXIT_FAILED);
    process.stdout.write(`${volumes.create(values.command[0], labelsIn(values.all('label'))).name}\n`);
    return 0;
  });
}

type Accepts = (volume: VolumeRecord) => boolean;

const FILTERS: ReadonlyMap<string, (value: string, used: ReadonlySet<string>) => Accepts> = new Map<string, (value: string, used: ReadonlySet<string>) => Accepts>([
  ['name', (value) => ({ name }) => name.includes(value)],
  ['label', (value) => ({ labels }) => hasLabel(labels, value)],
  ['driver', (value) => () => value === 'local'],
  ['dangling', (value, used) => {
    if (!['true', 'false', '1', '0'].includes(value)) throw new UserError(`invalid filter 'dangling=${value}'`, 'it is true or false', EXIT_FAILED);
    return ({ name }) => used.has(name) !== ['true', '1'].includes(value);
  }],
]);

function filterOf(text: string, used: ReadonlySet<string>): Accepts {
  const [, key = text, value = ''] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  const filter = FILTERS.get(key);
  if (filter !== undefined) return filter(value, used);
  const guess = nearest(key, [...FILTERS.keys()]);
  throw new UserError(`invalid filter '${key}'`, guess === undefined ? `there are ${[...FILTERS.keys()].join(', ')}` : `did you mean ${guess}?`, EXIT_FAILED);
}

/** Names of those that a container has. */
export function usedVolumes(containers: Containers): ReadonlySet<string> {
  return new Set(containers.list().flatMap(({ record }) => (record?.volumes ?? []).map(({ name }) => name)));
}

export function volumeLsCommand(args: readonly string[]): Promise<number> {
  return onVolumes(VOLUME_LS, args, 'list volumes', ({ values, volumes, containers }) => {
    const used = usedVolumes(containers);
    const filters = values.all('filter').map((text) => filterOf(text, used));
    const rows = volumes.list().filter((volume) => filters.every((filter) => filter(volume))).map(({ name, labels }): Fields => ({
      Name: name, Driver: 'local', Scope: 'local', Mountpoint: toText(volumes.dataPath(name)), Labels: Object.entries(labels).map(([key, value]) => `${key}=${value}`).join(','), Links: 'N/A', Size: 'N/A',
    }));
    const format = values.last('format');
    if (values.has('quiet')) process.stdout.write(rows.map(({ Name }) => `${String(Name)}\n`).join(''));
    else if (format !== undefined) process.stdout.write(formatRows(format, rows, { Name: 'VOLUME NAME' }));
    else process.stdout.write(formatTable([['DRIVER', 'VOLUME NAME'], ...rows.map(({ Driver, Name }) => [String(Driver), String(Name)])]));
    return 0;
  });
}

export function volumeInspectCommand(args: readonly string[]): Promise<number> {
  return onVolumes(VOLUME_INSPECT, args, 'inspect volumes', async ({ values, volumes }) => {
    const items: Fields[] = [];
    const status = await forEach(values.command, 'inspect the volume', (text) => {
      const { name, labels, createdMs, isAnonymous } = volumes.find(text);
      items.push({
        CreatedAt: new Date(createdMs).toISOString(), Driver: 'local', Labels: isAnonymous ? { ...labels, 'com.docker.volume.anonymous': '' } : labels, Mountpoint: toText(volumes.dataPath(name)), Name: name, Options: null, Scope: 'local',
      });
      return '';
    });
    const format = values.last('format');
    process.stdout.write(format === undefined ? `${JSON.stringify(items, undefined, 4)}\n` : items.map((item) => `${compileTemplate(format)(item)}\n`).join(''));
    return status;
  });
}

export function volumeRmCommand(args: readonly string[]): Promise<number> {
  return onVolumes(VOLUME_RM, args, 'remove volumes', ({ values, volumes, containers }) => forEach(values.command, 'remove the volume', (text) => {
    try {
      volumes.remove(containers, volumes.find(text).name);
    } catch (error) {
      if (!values.has('force') || !(error instanceof NoSuchVolumeError)) throw error;
    }
    return text;
  }));
}

/** Removes those that no container has. */
export function pruneVolumes(containers: Containers, store: ImageStore, all: boolean, accepts: (one: Prunable) => boolean): { readonly names: readonly string[]; readonly bytes: number } {
  const volumes = new Volumes(store);
  const used = usedVolumes(containers);
  const unused = volumes.list().filter(({ name, isAnonymous, labels, createdMs }) => (all || isAnonymous) && !used.has(name) && accepts({ createdMs, hasLabel: (text) => hasLabel(labels, text) }));
  volumes.removeRemnants();
  const removed = unused.map(({ name }) => ({ name, bytes: volumes.bytesOf(name) })).filter(({ name }) => removeUnused(volumes, containers, name));
  return { names: removed.map(({ name }) => name), bytes: removed.reduce((sum, { bytes }) => sum + bytes, 0) };
}

export async function volumePruneCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(VOLUME_PRUNE, args);
  if (values === undefined) return 0;
  const filters = values.all('filter').map(pruneFilter);
  const all = values.has('all');
  if (!values.has('force') && !(await confirmed(`WARNING! This will remove ${all ? 'all' : 'anonymous local'} volumes not used by at least one container.`))) return 0;
  return withContainers('remove volumes', (containers, store) => {
    const { names, bytes } = pruneVolumes(containers, store, all, (one) => filters.every((filter) => filter(one)));
    process.stdout.write(`${names.length === 0 ? '' : `Deleted Volumes:\n${names.join('\n')}\n\n`}Total reclaimed space: ${humanSize(bytes)}\n`);
    return 0;
  });
}
