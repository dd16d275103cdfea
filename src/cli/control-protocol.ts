/**
 * What is said on the socket in a container's directory: frames of a kind (1 byte), a length (4 bytes, little endian) and that many bytes. Who connects
 * says one request; the answers are documents, and for `exec` streams beside them.
 */
import { closeSync, openSync } from 'node:fs';

export const FRAME = { document: 0, stdout: 1, stderr: 2, stdin: 3, endOfInput: 4, resize: 5 } as const;
const HEADER_BYTES = 5;
/** No frame of ours is longer; a longer one is an error of the other side. */
const MOST_FRAME_BYTES = 1 << 24;

export interface ExecRequest {
  readonly op: 'exec';
  readonly argv: readonly string[];
  /** `NAME=VALUE`. */
  readonly env: readonly string[];
  readonly user: string | undefined;
  readonly workingDirectory: string | undefined;
  readonly terminal: { readonly rows: number; readonly columns: number } | undefined;
  readonly input: boolean;
  /** Nobody waits for its output. */
  readonly detached: boolean;
}

/** What its command prints from now on, and a way to type into it. */
export interface AttachRequest {
  readonly op: 'attach';
  readonly input: boolean;
  /** The end of what is typed is the end of the command's input. */
  readonly closesInput: boolean;
  readonly terminal: { readonly rows: number; readonly columns: number } | undefined;
}

export type Request =
  | ExecRequest
  | AttachRequest
  /** `stops`: it is to end by that, and is not to be started again. */
  | { readonly op: 'kill'; readonly signal: number; readonly stops: boolean }
  | { readonly op: 'pause' | 'unpause' | 'stats' }
  /** Its record has changed: these hold from now on. */
  | { readonly op: 'update'; readonly memoryBytes: number | undefined; readonly tasks: number | undefined }
  /** What it has changed so far, as a layer. */
  | { readonly op: 'snapshot' }
  /** Puts a tar, in a file of the store, into its tree. */
  | { readonly op: 'put'; readonly tar: string; readonly directory: string; readonly owner: { readonly uid: number; readonly gid: number } | undefined }
  | { readonly op: 'stat'; readonly path: string }
  | { readonly op: 'top' }
  /** Answered when it has ended, and what it changed is kept. */
  | { readonly op: 'wait' };

/** What a container has taken so far. */
export interface UsageSample {
  /** Of the processor, by its process on this machine. */
  readonly cpuMs: number;
  /** On a clock that only goes on. */
  readonly atMs: number;
  readonly memoryBytes: number;
  readonly memoryLimit: number;
  /** Of its process on this machine. */
  readonly residentBytes: number;
  readonly tasks: number;
  readonly received: number;
  readonly sent: number;
  readonly blockRead: number;
  readonly blockWritten: number;
}

export interface Answer {
  readonly error?: string;
  readonly advice?: string | undefined;
  /** For the shell, where there is an error. */
  readonly code?: number;
  readonly exitCode?: number;
  readonly isStarted?: boolean;
  readonly layer?: { readonly tar: string; readonly index: string } | null;
  readonly type?: string | null;
  readonly usage?: UsageSample;
  readonly rows?: readonly (readonly string[])[];
}

export function frame(kind: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + payload.length);
  bytes[0] = kind;
  new DataView(bytes.buffer).setUint32(1, payload.length, true);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

export function documentFrame(document: Request | Answer | { readonly rows: number; readonly columns: number }, kind: number = FRAME.document): Uint8Array {
  return frame(kind, new TextEncoder().encode(JSON.stringify(document)));
}

export function parseDocument<Document>(payload: Uint8Array): Document {
  return JSON.parse(new TextDecoder().decode(payload)) as Document;
}

/** Cuts a stream into frames. */
export class FrameReader {
  readonly #onFrame: (kind: number, payload: Uint8Array) => void;
  #pending: Uint8Array = new Uint8Array();

  constructor(onFrame: (kind: number, payload: Uint8Array) => void) {
    this.#onFrame = onFrame;
  }

  /** False: what comes is no stream of frames. */
  push(chunk: Uint8Array): boolean {
    let bytes = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    while (bytes.length >= HEADER_BYTES) {
      const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(1, true);
      if (length > MOST_FRAME_BYTES) return false;
      if (bytes.length < HEADER_BYTES + length) break;
      const [kind = 0] = bytes;
      this.#onFrame(kind, bytes.subarray(HEADER_BYTES, HEADER_BYTES + length));
      bytes = bytes.subarray(HEADER_BYTES + length);
    }
    this.#pending = bytes.slice();
    return true;
  }
}

export interface Endpoint {
  /** For connect(2) and bind(2). */
  readonly path: string;
  /** When the socket is there, or not wanted any more. */
  release(): void;
}

/** A socket's path has 108 bytes at most (unix(7)), and a store's directory may be longer: so it is named by way of an open directory. `directory`: a byte string. */
export function endpointIn(directory: string): Endpoint {
  const handle = openSync(Buffer.from(directory, 'latin1'), 'r');
  return { path: `/proc/self/fd/${handle}/control`, release: () => closeSync(handle) };
}

