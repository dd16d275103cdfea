/** Further processes of this command that outlive it and its terminal. */
import { spawn } from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { storeDirectory } from '../../host/node/image-host.ts';

/** The command: beside the bundle, or, from source, in `dist/`. Undefined: it has not been built. */
export function commandFile(): string | undefined {
  return ['./caisson.js', '../../../dist/caisson.js'].map((place) => fileURLToPath(new URL(place, import.meta.url))).find((path) => existsSync(path));
}

/** In a session of its own. Undefined: it cannot be started (no more processes or descriptors), or the command itself is not found. */
export function spawnOwn(words: readonly string[], stdio: StdioOptions): ChildProcess | undefined {
  const file = commandFile();
  if (file === undefined) return undefined;
  // It stands elsewhere, so a store that is named from here is named from the top.
  const env = process.env['CAISSON_HOME'] === undefined ? process.env : { ...process.env, CAISSON_HOME: storeDirectory() };
  const child = spawn(process.execPath, [...process.execArgv, file, ...words], { cwd: '/', env, detached: true, stdio });
  // That it could not be started is said twice; without a process there may be no streams, either.
  child.on('error', () => undefined);
  return child.pid === undefined ? undefined : child;
}
