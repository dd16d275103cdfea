/** Runs cases on the host's processor. */

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, readFileSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCE = fileURLToPath(new URL('native-runner.c', import.meta.url));
const CACHE = fileURLToPath(new URL('../../.cache/machine', import.meta.url));

let flags: ReadonlySet<string> | undefined;

/** Whether the host's processor has a feature, by its name in /proc/cpuinfo. */
export function hostHas(flag: string): boolean {
  flags ??= new Set(existsSync('/proc/cpuinfo') ? (/^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'latin1'))?.[1] ?? '').split(' ') : []);
  return flags.has(flag);
}

/** True where cases can be run at all. */
export function hasNativeRunner(): boolean {
  return process.arch === 'x64' && process.platform === 'linux' && spawnSync('gcc', ['--version']).status === 0;
}

let runner: string | undefined;

/** Compiles the runner unless that was done before; returns its path. */
function nativeRunner(): string {
  return (runner ??= compileRunner());
}

function compileRunner(): string {
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

/** A file that only we have, and that goes when we end. */
function openScratch(): number {
  const path = join(mkdtempSync(join(tmpdir(), 'caisson-cases-')), 'file');
  const fd = openSync(path, 'w+');
  rmSync(dirname(path), { recursive: true });
  return fd;
}

let scratch: { readonly cases: number; readonly results: number } | undefined;

/** Writes the results of `cases`, which lie one after the other, to `results`. The runner maps both as files: pipes took longer than the cases. */
export function runNatively(cases: Uint8Array, results: Uint8Array): void {
  scratch ??= { cases: openScratch(), results: openScratch() };
  ftruncateSync(scratch.cases, cases.length);
  ftruncateSync(scratch.results, results.length);
  writeSync(scratch.cases, cases, 0, cases.length, 0);
  const result = spawnSync(nativeRunner(), [], { stdio: [scratch.cases, scratch.results, 'pipe'] });
  if (result.status !== 0 || readSync(scratch.results, results, 0, results.length, 0) !== results.length) {
    throw new Error(`the native runner ended with ${result.signal ?? result.status}: ${result.stderr.toString()}`);
  }
}
