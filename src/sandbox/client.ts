/** The caller's side of the protocol: calls as promises, programs as event targets. */
import { ERRNO_NAMES } from '../abi/errno.ts';
import { SIGKILL } from '../abi/signal.ts';
import type { ExitStatus } from '../container/index.ts';
import { WatchReader } from './watch.ts';
import type { SandboxWatch, Seen } from './watch.ts';
import type { CallName, Calls, FromWorker, Port, RemoteFailure, ToWorker } from './protocol.ts';

/** A call on a sandbox failed. `code` is a Linux errno name such as `ENOENT`. */
export class SandboxError extends Error {
  override readonly name = 'SandboxError';
  readonly code: string;

  constructor(message: string, code: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

function toError(what: string, { errno, message, place }: RemoteFailure): SandboxError {
  const code = ERRNO_NAMES.get(errno) ?? 'ESANDBOX';
  return new SandboxError(`cannot ${what}: ${place === undefined ? '' : `${place}: `}${errno === 0 ? message : code}`, code);
}

export interface ProcessEvents {
  onOutput(fd: number, bytes: Uint8Array): void;
  onEnded(status: ExitStatus): void;
}

interface Waiting {
  readonly what: string;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class Client {
  readonly #port: Port;
  readonly #waiting = new Map<number, Waiting>();
  readonly #processes = new Map<number, ProcessEvents>();
  #next = 1;
  #onSeen: ((seen: readonly Seen[]) => void) | undefined;
  #closed: string | undefined;

  constructor(port: Port) {
    this.#port = port;
    port.onMessage((message) => this.#receive(message as FromWorker));
  }

  /** `what` completes "cannot ...". */
  call<Name extends CallName>(what: string, name: Name, ...args: Parameters<Calls[Name]>): Promise<ReturnType<Calls[Name]>> {
    if (this.#closed !== undefined) return Promise.reject(new SandboxError(`cannot ${what}: ${this.#closed}`, 'ESANDBOX'));
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { what, resolve: resolve as (value: unknown) => void, reject });
      this.#post({ kind: 'call', id, name, arguments: args });
    });
  }

  /** What is watched goes there from now on. */
  watch(watch: SandboxWatch): void {
    const reader = new WatchReader(watch, (count) => this.#post({ kind: 'seen-taken', count }));
    this.#onSeen = (seen) => reader.receive(seen);
  }

  /** A number for a program that is about to be started. */
  addProcess(events: ProcessEvents): number {
    const handle = this.#next++;
    this.#processes.set(handle, events);
    return handle;
  }

  removeProcess(handle: number): void {
    this.#processes.delete(handle);
  }

  /** Everything that waits fails with the reason; programs count as killed. */
  close(reason: string): void {
    if (this.#closed !== undefined) return;
    this.#closed = reason;
    for (const { what, reject } of this.#waiting.values()) reject(new SandboxError(`cannot ${what}: ${reason}`, 'ESANDBOX'));
    this.#waiting.clear();
    for (const events of this.#processes.values()) events.onEnded({ signal: SIGKILL });
    this.#processes.clear();
  }

  #post(message: ToWorker): void {
    this.#port.post(message);
  }

  #receive(message: FromWorker): void {
    switch (message.kind) {
      case 'output':
        this.#processes.get(message.handle)?.onOutput(message.fd, message.bytes);
        this.#post({ kind: 'taken', handle: message.handle, bytes: message.bytes.length });
        break;
      case 'seen':
        this.#onSeen?.(message.seen);
        break;
      case 'ended':
        this.#processes.get(message.handle)?.onEnded(message.status);
        this.#processes.delete(message.handle);
        break;
      default: {
        const waiting = this.#waiting.get(message.id);
        this.#waiting.delete(message.id);
        if (message.kind === 'answer') waiting?.resolve(message.value);
        else waiting?.reject(toError(waiting.what, message.failure));
      }
    }
  }
}

