/** Starts a container in a process of its own, which outlives this one and its terminal. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { storeDirectory } from '../host/node/image-host.ts';
import { UserError } from './errors.ts';
import { CONTAINER_PROCESS } from './worker-word.ts';

/** What that process says before anybody can ask for it: on its descriptor 3, as JSON. */
export interface StartReport {
  readonly error?: string;
  readonly advice?: string | undefined;
  readonly code?: number;
}
export const REPORT_FD = 3;

/** The command: beside the bundle, or, from source, in `dist/`. */
function commandFile(): string {
  const file = ['./caisson.js', '../../dist/caisson.js'].map((place) => fileURLToPath(new URL(place, import.meta.url))).find((path) => existsSync(path));
  if (file === undefined) throw new UserError('cannot start a container in the background: the command itself is not found', 'build it first');
  return file;
}

/** Waits until its command runs. @throws UserError where it could not be started */
export async function startDetached(id: string): Promise<void> {
  // It stands elsewhere, so a store that is named from here is named from the top.
  const env = process.env['CAISSON_HOME'] === undefined ? process.env : { ...process.env, CAISSON_HOME: storeDirectory() };
  const child = spawn(process.execPath, [...process.execArgv, commandFile(), CONTAINER_PROCESS, id], { cwd: '/', env, detached: true, stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
  let text = '';
  const reports = child.stdio[REPORT_FD] as NodeJS.ReadableStream;
  await new Promise<void>((resolve, reject) => {
    child.once('error', (error) => reject(new UserError(`cannot start a process for the container: ${error.message}`, 'too many processes, perhaps', undefined, { cause: error })));
    reports.on('data', (chunk: Uint8Array) => (text += Buffer.from(chunk).toString()));
    reports.on('end', resolve);
  });
  child.unref();
  const report = text === '' ? { error: 'its process ended before the command ran' } : (JSON.parse(text) as StartReport);
  if (report.error !== undefined) throw new UserError(report.error, report.advice, report.code);
}
