/** `ps`: which containers there are. */
import type { ImageStore } from '../../image/index.ts';
import { shortId } from '../../lifecycle/index.ts';
import type { Containers, KeptContainer } from '../../lifecycle/index.ts';
import { toText } from '../bytes.ts';
import { readCommand } from '../command.ts';
import { commandOf, hasLabel, imageName, statusOf, statusText, networkNames } from './container-facts.ts';
import { PS } from './container-specs.ts';
import { withContainers } from './container-store.ts';
import { UserError } from '../errors.ts';
import { nearest } from '../flags.ts';
import type { FlagValues } from '../flags.ts';
import { need } from '../option-values.ts';
import { portFilter, portsText } from '../networks/published-ports.ts';
import { parseCount } from '../quantities.ts';
import { formatTable, humanAge, humanSize } from '../table.ts';
import { formatRows } from '../template.ts';
import type { TemplateValue } from '../template.ts';

const COMMAND_WIDTH = 20;
/** Docker's, of the column MOUNTS. */
const MOUNT_WIDTH = 15;
const STATUSES = ['created', 'restarting', 'running', 'removing', 'paused', 'exited', 'dead'];
const HEALTHS = ['starting', 'healthy', 'unhealthy', 'none'];
type Accepts = (container: KeptContainer) => boolean;

function matcher(text: string): (name: string) => boolean {
  try {
    const expression = new RegExp(text);
    return (name) => expression.test(name) || expression.test(`/${name}`);
  } catch {
    return (name) => name.includes(text);
  }
}

function usesVolume({ record }: KeptContainer, text: string): boolean {
  if (record?.volumes?.some(({ name, destination }) => name === text || toText(destination) === text) === true) return true;
  return record?.container.mounts.some((mount) => toText(mount.destination) === text || (mount.kind === 'bind' && toText(mount.source) === text)) === true;
}

/** A manifest's or image's digest, of an image by name or id. */
function isOfImage(store: ImageStore, text: string): Accepts {
  const image = store.find(text);
  return ({ record }) => record?.image.manifest === image.record.manifest.digest || (record !== undefined && image.config.diffIds.length > 0 && image.config.diffIds.every((diffId, index) => record.image.layers[index] === diffId));
}

const FILTERS: ReadonlyMap<string, (value: string, containers: Containers, store: ImageStore) => Accepts> = new Map<string, (value: string, containers: Containers, store: ImageStore) => Accepts>([
  ['id', (value) => ({ id }) => id.startsWith(value)],
  ['name', (value) => {
    const matches = matcher(value);
    return ({ name }) => matches(name);
  }],
  ['label', (value) => ({ record }) => hasLabel(record?.labels ?? {}, value)],
  ['status', (value) => {
    if (!STATUSES.includes(value)) throw new UserError(`cannot use --filter status=${value}: invalid filter 'status=${value}'`, `it is one of ${STATUSES.join(', ')}`);
    return (container) => statusOf(container) === value;
  }],
  ['exited', (value) => {
    const code = need(parseCount(value), 'filter', `exited=${value}`, 'it is not a number');
    return ({ state }) => state.status === 'exited' && state.exitCode === code;
  }],
  ['health', (value) => {
    if (!HEALTHS.includes(value)) throw new UserError(`cannot use --filter health=${value}: invalid filter 'health=${value}'`, `it is one of ${HEALTHS.join(', ')}`);
    return ({ state }) => (state.status === 'running' ? state.health?.status ?? 'none' : 'none') === value;
  }],
  ['ancestor', (value, _, store) => isOfImage(store, value)],
  ['before', (value, containers) => {
    const { id, record } = containers.find(value);
    return (other) => other.id !== id && (other.record?.createdMs ?? 0) <= (record?.createdMs ?? 0);
  }],
  ['since', (value, containers) => {
    const { id, record } = containers.find(value);
    return (other) => other.id !== id && (other.record?.createdMs ?? 0) > (record?.createdMs ?? 0);
  }],
  ['volume', (value) => (container) => usesVolume(container, value)],
  ['network', (value) => ({ record }) => record !== undefined && networkNames(record).includes(value)],
  ['publish', (value) => portFilter('publish', value)],
  ['expose', (value) => portFilter('expose', value)],
]);

/** One of several values of a key must fit, and one of each key. */
function accepts(values: FlagValues, containers: Containers, store: ImageStore): Accepts {
  const byKey = new Map<string, Accepts[]>();
  for (const text of values.all('filter')) {
    const equals = text.indexOf('=');
    const [key, value] = equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
    const filter = FILTERS.get(key);
    if (filter === undefined || equals < 0) {
      const guess = nearest(key, [...FILTERS.keys()]);
      throw new UserError(`cannot use --filter ${text}: invalid filter '${key}'`, guess === undefined || guess === key ? `it is KEY=VALUE, with ${[...FILTERS.keys()].join(', ')}` : `did you mean ${guess}?`);
    }
    byKey.set(key, [...(byKey.get(key) ?? []), filter(value, containers, store)]);
  }
  const isAll = (key: string): boolean => key === 'label';
  return (container) => [...byKey].every(([key, filters]) => (isAll(key) ? filters.every((filter) => filter(container)) : filters.some((filter) => filter(container))));
}

function chosen(values: FlagValues, containers: Containers, store: ImageStore): readonly KeptContainer[] {
  const last = values.has('latest') ? 1 : values.last('last') === undefined ? undefined : need(parseCount(values.last('last') ?? ''), 'last', values.last('last') ?? '', 'it is not a number');
  const fits = accepts(values, containers, store);
  const isAll = values.has('all') || last !== undefined || values.all('filter').some((text) => text.startsWith('status='));
  return containers.list().filter((container) => (isAll || container.state.status === 'running') && fits(container)).slice(0, last);
}

function row(container: KeptContainer, containers: Containers, store: ImageStore, whole: boolean): { readonly [key: string]: TemplateValue } {
  const { id, name, record } = container;
  const nowMs = Date.now();
  const command = record === undefined ? '' : commandOf(record).join(' ');
  const given = record?.labels ?? {};
  const labels = Object.entries(given).map(([key, value]) => `${key}=${value}`).sort();
  return {
    ID: whole ? id : shortId(id), Image: record === undefined ? '<unreadable>' : imageName(store, record),
    Command: `"${whole || command.length <= COMMAND_WIDTH ? command : `${command.slice(0, COMMAND_WIDTH - 1)}…`}"`,
    CreatedAt: new Date(record?.createdMs ?? 0).toISOString().replace('T', ' ').replace(/\.\d+Z$/, ' +0000 UTC'), RunningFor: humanAge(nowMs - (record?.createdMs ?? nowMs)),
    Ports: portsText(container), State: statusOf(container), Status: statusText(container, nowMs), Size: humanSize(containers.bytesOf(id)), Names: name, Labels: labels.join(','),
    Mounts: [...(record?.volumes ?? []).map((use) => (whole || use.name.length <= MOUNT_WIDTH ? use.name : `${use.name.slice(0, MOUNT_WIDTH - 1)}…`)), ...(record?.container.mounts ?? []).map((mount) => (mount.kind === 'bind' ? toText(mount.source) : mount.kind))].join(','),
    LocalVolumes: String(record?.volumes?.length ?? 0), Networks: record === undefined ? '' : networkNames(record).join(','),
    Label: (key) => (Object.hasOwn(given, key) ? given[key] : ''),
  };
}

const COLUMNS: readonly (readonly [field: string, title: string])[] = [
  ['ID', 'CONTAINER ID'], ['Image', 'IMAGE'], ['Command', 'COMMAND'], ['RunningFor', 'CREATED'], ['Status', 'STATUS'], ['Ports', 'PORTS'], ['Names', 'NAMES'],
];

export async function psCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(PS, args);
  if (values === undefined) return 0;
  return withContainers('list containers', (containers, store) => {
    const rows = chosen(values, containers, store).map((container) => row(container, containers, store, values.has('no-trunc')));
    const format = values.last('format');
    const columns = values.has('size') ? [...COLUMNS, ['Size', 'SIZE'] as const] : COLUMNS;
    if (values.has('quiet')) process.stdout.write(rows.map(({ ID }) => `${String(ID)}\n`).join(''));
    else if (format !== undefined) process.stdout.write(formatRows(format, rows, Object.fromEntries(COLUMNS)));
    else process.stdout.write(formatTable([columns.map(([, title]) => title), ...rows.map((item) => columns.map(([field]) => String(item[field])))]));
    return 0;
  });
}
