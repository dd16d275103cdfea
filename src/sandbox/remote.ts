/** Containers that run in processes of their own, as sandboxes: found in the user's store, reached over the sockets in their directories. */
import type { BoundPort, UserConfig } from '../container/index.ts';
import { FRAME, FrameReader, connectOnce, endpointIn, frame, messagePort } from '../host/node/control-socket.ts';
import { createImageHost, storeDirectory } from '../host/node/image-host.ts';
import { ImageError, ImageStore } from '../image/index.ts';
import { Containers } from '../lifecycle/index.ts';
import type { KeptContainer, LifeEvent } from '../lifecycle/index.ts';
import { SandboxError } from './client.ts';
import type { Port } from './protocol.ts';
import { toByteString, toText } from './text.ts';

/** One that has just been started listens a moment later. */
const MOST_WAIT_MS = 5000;
const PAUSE_MS = 20;
/** Between two looks for events. */
const EVENTS_MS = 100;

/** A container of the user's store that runs. */
export interface SandboxInfo {
  readonly id: string;
  readonly name: string;
  /** As it was named when the container was made. */
  readonly image: string;
  readonly status: 'running' | 'paused' | 'restarting';
  readonly startedAt: Date;
  readonly labels: Readonly<Record<string, string>>;
}

/** Something that has happened to a container: `start`, `die`, `pause`, `health_status: healthy`, ... as `caisson events` shows it. */
export interface SandboxEvent {
  readonly action: string;
  readonly id: string;
  readonly time: Date;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface EventOptions {
  /** Default: from now on. */
  readonly since?: Date;
  /** Ends it when aborted. */
  readonly signal?: AbortSignal;
}

interface RemoteDefaults {
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: UserConfig;
  readonly ports: readonly BoundPort[];
}

export interface RemoteContainer {
  readonly id: string;
  readonly name: string;
  readonly port: Port;
  readonly defaults: RemoteDefaults;
  /** Calls back once, with the reason in words. */
  onExit(callback: (reason: string) => void): void;
  /** Leaves it as it is. */
  disconnect(): void;
  /** Ends it. */
  kill(): Promise<void>;
}

function openContainers(): Containers {
  const directory = storeDirectory();
  if (directory === undefined) throw new SandboxError('cannot find a place for containers: HOME is not set', 'ENOENT');
  return new Containers(ImageStore.open(createImageHost(), toByteString(directory)));
}

/** The latest first. */
export function runningContainers(): readonly SandboxInfo[] {
  return openContainers().list().flatMap(({ id, name, record, state }) => (record === undefined || state.status !== 'running' ? [] : [{
    id, name, image: record.image.name, status: state.paused === true ? 'paused' as const : state.restarting === true ? 'restarting' as const : 'running' as const, startedAt: new Date(state.startedMs ?? 0), labels: record.labels,
  }]));
}

type Socket = NonNullable<Awaited<ReturnType<typeof connectOnce>>>;

async function socketOf(containers: Containers, { id, name }: KeptContainer): Promise<Socket> {
  for (const since = Date.now(); ;) {
    if (containers.stateOf(id).status !== 'running') throw new SandboxError(`cannot connect to "${name}": it does not run`, 'ESRCH');
    const endpoint = endpointIn(containers.pathOf(id));
    const socket = await connectOnce(endpoint.path);
    endpoint.release();
    if (socket !== undefined) return socket;
    if (Date.now() - since > MOST_WAIT_MS) throw new SandboxError(`cannot connect to "${name}": it does not answer`, 'ETIMEDOUT');
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

function say(socket: Socket, request: object): void {
  socket.write(frame(FRAME.document, new TextEncoder().encode(JSON.stringify(request))));
}

/** Asks for its end by SIGKILL, and waits for that. @throws SandboxError: ETIMEDOUT where it does not end. */
async function killContainer(containers: Containers, container: KeptContainer): Promise<void> {
  const socket = await socketOf(containers, container);
  const isClosed = new Promise((resolve) => socket.once('close', resolve));
  socket.on('error', () => {}).on('end', () => socket.end()).resume();
  say(socket, { op: 'kill', signal: 9, stops: true });
  await isClosed;
  for (const since = Date.now(); containers.stateOf(container.id).status === 'running';) {
    if (Date.now() - since > MOST_WAIT_MS) throw new SandboxError(`cannot end "${container.name}": it still runs`, 'ETIMEDOUT');
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

/** @throws SandboxError: ENOENT where there is none of the name, ESRCH where it does not run. */
export async function connectContainer(text: string): Promise<RemoteContainer> {
  const containers = openContainers();
  const container = find(containers, text);
  const socket = await socketOf(containers, container);
  const { port, receive } = messagePort(socket);
  const exits: ((reason: string) => void)[] = [];
  const defaults = await new Promise<RemoteDefaults>((resolve, reject) => {
    const reader = new FrameReader((kind, payload) => {
      if (kind === FRAME.message) return receive(payload);
      if (kind !== FRAME.document) return;
      const answer = JSON.parse(new TextDecoder().decode(payload)) as { readonly defaults?: RemoteDefaults; readonly error?: string };
      if (answer.defaults !== undefined) resolve(answer.defaults);
      else if (answer.error !== undefined) reject(new SandboxError(`cannot connect to "${container.name}": ${answer.error}`, 'EAGAIN'));
    });
    socket.on('data', (chunk: Uint8Array) => {
      if (!reader.push(chunk)) socket.destroy();
    });
    socket.on('error', () => socket.destroy());
    socket.on('end', () => socket.end());
    socket.on('close', () => {
      reject(new SandboxError(`cannot connect to "${container.name}": it has ended`, 'ESRCH'));
      for (const callback of exits) callback('the container has ended');
    });
    say(socket, { op: 'sandbox' });
  });
  return {
    id: container.id, name: container.name, port, defaults,
    onExit: (callback) => void exits.push(callback), disconnect: () => socket.destroy(), kill: () => killContainer(containers, container),
  };
}

function find(containers: Containers, text: string): KeptContainer {
  try {
    return containers.find(text);
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    throw new SandboxError(`cannot connect to "${text}": ${error.message}`, 'ENOENT', { cause: error });
  }
}

function toEvent({ action, id, attributes, timeMs }: LifeEvent): SandboxEvent {
  return { action, id, attributes, time: new Date(timeMs) };
}

/** Of containers; `id`: of one. Until it is aborted. */
export async function* containerEvents({ since = new Date(), signal }: EventOptions, id?: string): AsyncIterable<SandboxEvent> {
  const reader = openContainers().events.reader();
  const fits = (event: LifeEvent): boolean => event.type === 'container' && event.timeMs >= since.getTime() && (id === undefined || event.id === id);
  try {
    for (const event of reader.all()) if (fits(event)) yield toEvent(event);
    while (signal?.aborted !== true) {
      await new Promise<void>((resolve) => {
        const end = (): void => {
          clearTimeout(timer);
          signal?.removeEventListener('abort', end);
          resolve();
        };
        const timer = setTimeout(end, EVENTS_MS);
        signal?.addEventListener('abort', end);
      });
      for (const event of reader.more()) if (fits(event)) yield toEvent(event);
    }
  } finally {
    reader.end();
  }
}

/** `NAME=VALUE` texts as a record. */
export function environmentOf(env: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(env.map(toText).map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]));
}
