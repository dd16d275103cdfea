/** What several commands say about containers. */
import { parseReference } from '../../image/reference.ts';
import type { ImageStore } from '../../image/index.ts';
import { shortId } from '../../lifecycle/index.ts';
import type { ContainerRecord, KeptContainer } from '../../lifecycle/index.ts';
import { toText } from '../bytes.ts';
import { humanAge } from '../table.ts';

/** The name that it was made with, or the image's id where the name has gone to another. */
export function imageName(store: ImageStore, { image }: ContainerRecord): string {
  try {
    const record = store.records.get(parseReference(image.name));
    if (record !== undefined) return record.manifest.digest === image.manifest ? image.name : shortId(image.id.slice(7));
    return parseReference(image.name).digest === undefined ? shortId(image.id.slice(7)) : image.name;
  } catch {
    return image.name;
  }
}

/** Entrypoint and command, as text. */
export function commandOf({ process, defaults }: ContainerRecord): readonly string[] {
  const entrypoint = process.entrypoint?.map(toText) ?? defaults.entrypoint;
  const command = process.command.length > 0 ? process.command.map(toText) : process.entrypoint === undefined ? defaults.cmd : [];
  return [...entrypoint, ...command];
}

/** Docker's words: created, running, paused, restarting, exited; dead for one that cannot be read. */
export function statusOf({ record, state }: KeptContainer): string {
  if (record === undefined) return 'dead';
  return state.status !== 'running' ? state.status : state.paused === true ? 'paused' : state.restarting === true ? 'restarting' : 'running';
}

/** As the column STATUS has it behind the time. */
function healthText({ state: { health } }: KeptContainer): string {
  return health === undefined ? '' : health.status === 'starting' ? ' (health: starting)' : ` (${health.status})`;
}

/** As in the column STATUS. */
export function statusText(container: KeptContainer, nowMs: number): string {
  const { state } = container;
  if (container.record === undefined) return 'Dead';
  if (state.status === 'created') return 'Created';
  if (state.status === 'running' && state.restarting === true) return `Restarting (${state.exitCode}) ${humanAge(nowMs - (state.finishedMs ?? nowMs))}`;
  if (state.status === 'running') return `Up ${humanAge(nowMs - (state.startedMs ?? nowMs)).replace(/ ago$/, '')}${state.paused === true ? ' (Paused)' : healthText(container)}`;
  return `Exited (${state.exitCode})${state.finishedMs === undefined ? '' : ` ${humanAge(nowMs - state.finishedMs)}`}`;
}

export function hasLabel(labels: Readonly<Record<string, string>>, text: string): boolean {
  const equals = text.indexOf('=');
  const key = equals < 0 ? text : text.slice(0, equals);
  return Object.hasOwn(labels, key) && (equals < 0 || labels[key] === text.slice(equals + 1));
}

/** The networks that it is made for; where there are none, `outbound` or `none`. */
export function networkNames({ container: { network: { members = [], mode } } }: Pick<ContainerRecord, 'container'>): readonly string[] {
  return members.length === 0 ? [mode] : members.map(({ network }) => network);
}
