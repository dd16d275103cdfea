/** Runs the built command for tests. */
import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Another build than dist/'s can be tried. */
export const caissonPath = process.env['CAISSON_JS'] ?? fileURLToPath(new URL('../../dist/caisson.js', import.meta.url));

export interface RunResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface RunSettings {
  readonly input?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

const PATH = '/usr/sbin:/usr/bin:/sbin:/bin';
/** As `scripts/test-environment.mjs` has it. */
const CAISSON_BACKGROUND = 'off';

export function spawnCaisson(args: readonly string[], settings: RunSettings = {}): ChildProcessWithoutNullStreams {
  const env = { PATH, CAISSON_BACKGROUND, HOME: process.env['HOME'] ?? '/', LANG: 'C.UTF-8', ...settings.env };
  return spawn(process.execPath, [caissonPath, ...args], { env, ...(settings.cwd === undefined ? {} : { cwd: settings.cwd }) });
}

/** Ends it after a minute, whatever it does. */
export function caisson(args: readonly string[], settings: RunSettings = {}): Promise<RunResult> {
  const child = spawnCaisson(args, settings);
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) child[name].setEncoding('utf8').on('data', (text: string) => (output[name] += text));
  child.stdin.on('error', () => {});
  child.stdin.end(settings.input ?? '');
  const timer = setTimeout(() => child.kill('SIGKILL'), settings.timeoutMs ?? 60_000);
  return new Promise((resolve) => {
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      resolve({ ...output, status, signal });
    });
  });
}

/** `caisson do -- sh -c SCRIPT` with flags before. */
export function inSandbox(script: string, flags: readonly string[] = [], settings: RunSettings = {}): Promise<RunResult> {
  return caisson(['do', ...flags, '--', '/bin/sh', '-c', script], settings);
}

/** Processes of this command that have this word and this variable. */
export function ownProcesses(word: string, variable: string): readonly number[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((id) => {
    try {
      return readFileSync(`/proc/${id}/cmdline`, 'latin1').split('\0').includes(word) && readFileSync(`/proc/${id}/environ`, 'latin1').split('\0').includes(variable);
    } catch {
      return false; // It has ended, or is someone else's.
    }
  });
}

/** Waits for at most a minute. @throws Error */
export async function until(condition: () => boolean, what: string): Promise<void> {
  for (let attempt = 0; attempt < 2400; attempt++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(what);
}
