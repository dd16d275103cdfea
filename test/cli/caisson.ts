/** Runs the built command for tests. */
import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
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

export function spawnCaisson(args: readonly string[], settings: RunSettings = {}): ChildProcessWithoutNullStreams {
  const env = { PATH, HOME: process.env['HOME'] ?? '/', LANG: 'C.UTF-8', ...settings.env };
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
