/** Runs cases on the host's processor. */

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { CASE_SIZE, RESULT_SIZE } from './case-layout.ts';

const SOURCE = fileURLToPath(new URL('native-runner.c', import.meta.url));
const CACHE = fileURLToPath(new URL('../../.cache/machine', import.meta.url));

/** True where cases can be run at all. */
export function hasNativeRunner(): boolean {
  return process.arch === 'x64' && process.platform === 'linux' && spawnSync('gcc', ['--version']).status === 0;
}

/** Compiles the runner unless that was done before; returns its path. */
function nativeRunner(): string {
  const digest = createHash('sha256').update(readFileSync(SOURCE)).digest('hex').slice(0, 16);
  const path = join(CACHE, `native-runner-${digest}`);
  if (existsSync(path)) return path;
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}`;
  const result = spawnSync('gcc', ['-O2', '-o', temporary, SOURCE], { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`gcc ${SOURCE} failed: ${result.stderr}`);
  renameSync(temporary, path);
  return path;
}

/** Results of `cases`, which lie one after the other. */
export function runNatively(cases: Uint8Array): Uint8Array {
  const count = cases.length / CASE_SIZE;
  const result = spawnSync(nativeRunner(), [], { input: cases, maxBuffer: count * RESULT_SIZE + 1 });
  if (result.status !== 0 || result.stdout.length !== count * RESULT_SIZE) {
    throw new Error(`the native runner ended with ${result.signal ?? result.status}: ${result.stderr.toString()}`);
  }
  return result.stdout;
}
