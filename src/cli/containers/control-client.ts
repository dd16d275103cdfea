/** The side of the socket that asks. */
import type { Socket } from 'node:net';
import { connectOnce } from '../../host/node/control-socket.ts';
import type { LayerPaths } from '../../container/index.ts';
import { LifecycleError } from '../../lifecycle/index.ts';
import type { Containers, KeptContainer } from '../../lifecycle/index.ts';
import { FrameReader, FRAME, documentFrame, endpointIn, parseDocument } from './control-protocol.ts';
import type { Answer, Request } from './control-protocol.ts';
import { UserError } from '../errors.ts';

/** A container in the foreground listens a moment after its start. */
const MOST_WAIT_MS = 5000;
const PAUSE_MS = 20;

/** Undefined: it does not run (any more). @throws LifecycleError where nobody answers. */
export async function connectTo(containers: Containers, { id, name }: KeptContainer): Promise<Socket | undefined> {
  for (const since = performance.now(); ;) {
    if (containers.stateOf(id).status !== 'running') return undefined;
    const endpoint = endpointIn(containers.pathOf(id));
    const socket = await connectOnce(endpoint.path);
    endpoint.release();
    if (socket !== undefined) return socket;
    if (performance.now() - since > MOST_WAIT_MS) throw doesNotAnswer(name);
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

/** Asks, and hands over what comes until the other side closes. */
export function converse(socket: Socket, request: Request, onFrame: (kind: number, payload: Uint8Array) => void): Promise<void> {
  return new Promise((resolve) => {
    const reader = new FrameReader(onFrame);
    socket.on('data', (chunk: Uint8Array) => {
      if (!reader.push(chunk)) socket.destroy();
    });
    socket.on('error', () => resolve());
    socket.on('close', () => resolve());
    socket.on('end', () => socket.end());
    socket.write(documentFrame(request));
  });
}

function doesNotAnswer(name: string): LifecycleError {
  return new LifecycleError(`the container ${name} does not answer`, 'wait for its end, or end it with "caisson rm -f"');
}

/** One question, one answer, within `mostMs`. Undefined: it does not run (any more). @throws UserError as the other side says, LifecycleError where nobody answers */
export async function ask(containers: Containers, container: KeptContainer, request: Request, mostMs?: number): Promise<Answer | undefined> {
  const socket = await connectTo(containers, container);
  if (socket === undefined) return undefined;
  let answer: Answer | undefined;
  let isLate = false;
  const timer = mostMs === undefined ? undefined : setTimeout(() => {
    isLate = true;
    socket.destroy();
  }, mostMs);
  await converse(socket, request, (kind, payload) => {
    if (kind === FRAME.document) answer = parseDocument<Answer>(payload);
  });
  clearTimeout(timer);
  if (isLate) throw doesNotAnswer(container.name);
  if (answer?.error !== undefined) throw new UserError(answer.error, answer.advice, answer.code);
  return answer;
}

/** What a container that runs has changed so far: layers above those that it has mounted. */
export async function snapshotOf(containers: Containers, container: KeptContainer): Promise<{ readonly layers: readonly LayerPaths[]; remove(): void }> {
  const layer = container.state.status === 'running' ? (await ask(containers, container, { op: 'snapshot' }))?.layer : undefined;
  const { disk } = containers.store;
  if (layer === undefined || layer === null) return { layers: [], remove: () => {} };
  return {
    layers: [layer],
    remove: () => {
      disk.remove(layer.tar);
      disk.remove(layer.index);
    },
  };
}
