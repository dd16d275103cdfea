/** Starts a container in a process of its own, which outlives this one and its terminal. */
import { UserError } from '../errors.ts';
import { spawnOwn } from '../processes/own-process.ts';
import { CONTAINER_PROCESS, WAITS_FOR_READER } from '../processes/worker-word.ts';

/** What that process says before anybody can ask for it: on its descriptor 3, as JSON. */
export interface StartReport {
  readonly error?: string;
  readonly advice?: string | undefined;
  readonly code?: number;
}
export const REPORT_FD = 3;

/** Waits until its command runs; `waits`: until it can be attached to, and its command begins then. @throws UserError where it could not be started */
export async function startDetached(id: string, waits = false): Promise<void> {
  const child = spawnOwn([CONTAINER_PROCESS, id, ...(waits ? [WAITS_FOR_READER] : [])], ['ignore', 'ignore', 'ignore', 'pipe']);
  if (child === undefined) throw new UserError('cannot start a process for the container', 'too many processes or open files, perhaps; from source, build it first');
  let text = '';
  const reports = child.stdio[REPORT_FD] as NodeJS.ReadableStream;
  await new Promise<void>((resolve) => {
    reports.on('data', (chunk: Uint8Array) => (text += Buffer.from(chunk).toString()));
    reports.on('end', resolve);
  });
  child.unref();
  const report = text === '' ? { error: 'its process ended before the command ran' } : (JSON.parse(text) as StartReport);
  if (report.error !== undefined) throw new UserError(report.error, report.advice, report.code);
}
