/** The thread of one RUN: it has an engine and the store of its own, and answers with the layer. */
import { parentPort, workerData } from 'node:worker_threads';
import { BuildError, runMaker } from '../../build/index.ts';
import type { RunRequest } from '../../build/index.ts';
import { createImageHost } from '../../host/node/image-host.ts';
import { ImageError, ImageStore } from '../../image/index.ts';
import { UserError } from '../errors.ts';
import { createContainer } from '../containers/launch.ts';

export interface WorkerInput {
  /** Directory of the store, a byte string. */
  readonly store: string;
  readonly request: RunRequest;
}

export type FromWorker =
  | { readonly kind: 'output'; readonly fd: number; readonly bytes: Uint8Array }
  | { readonly kind: 'done'; readonly layer: Awaited<ReturnType<ReturnType<typeof runMaker>>> }
  | { readonly kind: 'failed'; readonly message: string; readonly advice: string | undefined; readonly output: string | undefined };

/** Runs what the thread was given. `stop` as a message ends it. */
export async function buildWorker(): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error('not in a worker');
  const post = (message: FromWorker): void => port.postMessage(message);
  const stop = new AbortController();
  port.on('message', () => stop.abort());
  const { store, request } = workerData as WorkerInput;
  try {
    const make = runMaker(ImageStore.open(createImageHost(), store), createContainer);
    post({ kind: 'done', layer: await make(request, { onOutput: (fd, bytes) => post({ kind: 'output', fd, bytes: bytes.slice() }), signal: stop.signal }) });
  } catch (error) {
    if (error instanceof BuildError || error instanceof ImageError || error instanceof UserError) post({ kind: 'failed', message: error.message, advice: error.advice, output: error instanceof BuildError ? error.output : undefined });
    else if (stop.signal.aborted) post({ kind: 'failed', message: 'it was stopped', advice: undefined, output: undefined });
    else throw error;
  } finally {
    port.close();
  }
}
