/** For the unit tests: the same instructions on the host CPU, through `oracle.c`. */

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const REQUEST_SIZE = 344;
export const REQUEST_CODE = 4;
export const REQUEST_FSAVE = 16;
export const REQUEST_MEMORY = 144;
export const REQUEST_XMM = 272;
export const REQUEST_RAX = 320;
export const REQUEST_FLAGS = 328;
export const REQUEST_SIGNAL = 336;

const SOURCE = fileURLToPath(new URL('oracle.c', import.meta.url));
const FOLDER = fileURLToPath(new URL('../../.cache/machine/', import.meta.url));
const PROGRAM = `${FOLDER}oracle`;

/** Whether the host can be asked. */
export const hostIsOracle = process.arch === 'x64' && process.platform === 'linux';

function build(): void {
  if (existsSync(PROGRAM) && statSync(PROGRAM).mtimeMs > statSync(SOURCE).mtimeMs) return;
  mkdirSync(FOLDER, { recursive: true });
  execFileSync('gcc', ['-O1', '-mno-red-zone', '-o', PROGRAM, SOURCE]);
}

/** Answers the requests as the processor left them. */
export function askHost(requests: Uint8Array): Uint8Array {
  build();
  const run = spawnSync(PROGRAM, { input: requests, maxBuffer: requests.length + 1024 });
  if (run.status !== 0 || run.stdout.length !== requests.length) throw new Error(`oracle ended with ${run.status ?? run.signal}`);
  return new Uint8Array(run.stdout);
}
