/** RUNs of a build in threads of their own, where one runs in this one already: `build-worker.ts` is the other side. */
import { existsSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { BuildError } from '../../build/index.ts';
import type { RunMaker } from '../../build/index.ts';
import type { FromWorker, WorkerInput } from './build-worker.ts';
import { toText } from '../bytes.ts';
import { BUILD_WORKER } from '../processes/worker-word.ts';

/** The command: beside the bundle, or, from source, in `dist/`. */
function workerFile(): URL | undefined {
  return ['./caisson.js', '../../../dist/caisson.js'].map((place) => new URL(place, import.meta.url)).find((url) => existsSync(url));
}

/** `store`: its directory, a byte string. Undefined: there was no build. */
export function runsInThreads(store: string): RunMaker | undefined {
  const file = workerFile();
  if (file === undefined) return undefined;
  return (request, { onOutput, signal }) => new Promise((resolve, reject) => {
    const input: WorkerInput = { store, request };
    const worker = new Worker(file, { argv: [BUILD_WORKER], execArgv: [], workerData: input, stdin: false });
    const stop = (): void => worker.postMessage('stop');
    signal.addEventListener('abort', stop);
    worker.on('message', (message: FromWorker) => {
      if (message.kind === 'output') onOutput(message.fd, message.bytes);
      else if (message.kind === 'done') resolve(message.layer);
      else reject(new BuildError(message.message, { advice: message.advice, output: message.output }));
    });
    worker.on('error', (error) => reject(new Error(`the thread of ${toText(request.argv.join(' '))} failed: ${error.message}`, { cause: error })));
    worker.on('exit', () => {
      signal.removeEventListener('abort', stop);
      // Where it has not answered yet; otherwise this changes nothing.
      reject(new Error('the thread of a RUN ended'));
    });
  });
}
