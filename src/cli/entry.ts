/** What `dist/caisson.js` runs. */
import { main } from './main.ts';
import { BUILD_WORKER } from './worker-word.ts';

if (process.argv[2] === BUILD_WORKER) void import('./build-worker.ts').then(({ buildWorker }) => buildWorker());
else void main(process.argv.slice(2));
