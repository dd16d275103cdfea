/** Worker threads for sandboxes, and the facts about the host's user that their defaults come from. */
import { readFileSync } from 'node:fs';
import { Worker, parentPort } from 'node:worker_threads';

/** A message channel, as the sandbox's protocol wants it. */
export interface MessagePortLike {
  post(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  onMessage(callback: (message: unknown) => void): void;
}

export interface SandboxWorker {
  readonly port: MessagePortLike;
  /** Calls back once, with the reason in words, when the worker ends by itself or is ended. */
  onExit(callback: (reason: string) => void): void;
  terminate(): Promise<void>;
}

/** Accounts of people, as login.defs has them. */
const FIRST_PERSON = 1000;
const NOBODY = 65_534;

let spare: SandboxWorker | undefined;
/** When the next spare is started: the first command of a sandbox has the processors for itself. */
const SPARE_DELAY_MS = 150;

/** Beside this file once it is built. */
function workerFile(): URL {
  return new URL('./worker.js', import.meta.url);
}

function startWorker(): SandboxWorker {
  const worker = new Worker(workerFile(), { stdin: false, execArgv: [], env: {} });
  worker.unref();
  const exitCallbacks: ((reason: string) => void)[] = [];
  let failure = 'its worker ended';
  worker.on('error', (error) => {
    failure = `its worker failed: ${error.message}`;
  });
  worker.on('exit', () => {
    for (const callback of exitCallbacks) callback(failure);
  });
  return {
    port: {
      post: (message, transfer = []) => worker.postMessage(message, transfer),
      onMessage: (callback) => {
        worker.on('message', callback);
        worker.ref();
      },
    },
    onExit: (callback) => void exitCallbacks.push(callback),
    terminate: async () => void (await worker.terminate()),
  };
}

/**
 * A worker that has loaded the engine: a spare one if there is, because starting takes 40 ms. The next
 * spare is started soon after.
 */
export function takeWorker(): SandboxWorker {
  const worker = spare ?? startWorker();
  spare = undefined;
  setTimeout(() => {
    spare ??= startWorker();
  }, SPARE_DELAY_MS).unref();
  return worker;
}

/** Inside a worker: the way out. */
export function workerPort(): MessagePortLike {
  if (parentPort === null) throw new Error('not in a worker');
  const port = parentPort;
  return {
    post: (message, transfer = []) => port.postMessage(message, transfer),
    onMessage: (callback) => void port.on('message', callback),
  };
}

/** Who runs us. */
export function currentUser(): { readonly uid: number; readonly gid: number; readonly groups: readonly number[] } {
  const gid = process.getgid?.() ?? 0;
  return { uid: process.getuid?.() ?? 0, gid, groups: process.getgroups?.() ?? [gid] };
}

/** Home directories of people on this host, as byte strings. */
export function homeDirectories(): readonly string[] {
  const own = process.env['HOME'];
  let lines: readonly string[] = [];
  try {
    lines = readFileSync('/etc/passwd', 'latin1').split('\n');
  } catch {
    // No such file on this host.
  }
  const homes = lines.map((line) => line.split(':')).filter(([, , uid]) => uid === '0' || (Number(uid) >= FIRST_PERSON && Number(uid) < NOBODY)).map((fields) => fields[5] ?? '');
  return [...new Set([...homes, ...(own === undefined ? [] : [Buffer.from(own).toString('latin1')])])].filter((home) => home !== '');
}
