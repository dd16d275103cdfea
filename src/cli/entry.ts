/** What `dist/caisson.js` runs. */
import { main } from './main.ts';
import { BUILD_WORKER, CONTAINER_PROCESS, OPTIMIZING_PROCESS, PREPARING_PROCESS, TRAINING_PROCESS, WAITS_FOR_READER } from './processes/worker-word.ts';

if (process.argv[2] === BUILD_WORKER) void import('./build/build-worker.ts').then(({ buildWorker }) => buildWorker());
else if (process.argv[2] === CONTAINER_PROCESS) void import('./containers/detached-process.ts').then(({ runDetached }) => runDetached(process.argv[3] ?? '', process.argv[4] === WAITS_FOR_READER));
else if (process.argv[2] === PREPARING_PROCESS) void import('./processes/preparing-process.ts').then(({ runPreparing }) => runPreparing());
else if (process.argv[2] === OPTIMIZING_PROCESS) void import('./processes/optimizing-process.ts').then(({ runOptimizing }) => runOptimizing(process.argv.slice(3)));
else if (process.argv[2] === TRAINING_PROCESS) void import('./processes/train-machine.ts').then(({ trainBuild }) => trainBuild(process.argv[3] ?? '')).then(() => process.exit(0));
else void main(process.argv.slice(2));
