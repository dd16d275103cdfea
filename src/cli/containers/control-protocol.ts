/**
 * What is said on the socket in a container's directory: frames of a kind (1 byte), a length (4 bytes, little endian) and that many bytes. Who connects
 * says one request; the answers are documents, and for `exec` streams beside them.
 */
import { NSIG } from '../../abi/signal.ts';
import type { BoundPort, LimitsConfig, NetworkMembership, NetworkRules, UserConfig } from '../../container/index.ts';
import type { LiveSnapshot } from '../../detect/index.ts';
import { FRAME, frame } from '../../host/node/control-socket.ts';

export { FRAME, FrameReader, endpointIn, frame } from '../../host/node/control-socket.ts';
export type { Endpoint } from '../../host/node/control-socket.ts';

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

/** To see what it does; each message of kinds of rows is answered with how things are. */
export interface LiveRequest {
  readonly op: 'live';
  /** Files of rules; without a text, a set of our own. */
  readonly rules: readonly { readonly name: string; readonly text?: string }[];
}

export type Request =
  | LiveRequest
  | ExecRequest
  | AttachRequest
  /** `stops`: it is to end by that, and is not to be started again. */
  | { readonly op: 'kill'; readonly signal: number; readonly stops: boolean }
  | { readonly op: 'pause' | 'unpause' | 'stats' }
  /** From now on the socket is a sandbox's port: messages of `sandbox/protocol.ts`. */
  | { readonly op: 'sandbox' }
  /** Its record has changed: these hold from now on. */
  | { readonly op: 'update'; readonly limits: Partial<LimitsConfig>; readonly rules?: NetworkRules | undefined }
  /** It joins or leaves a network; its record says so already. */
  | { readonly op: 'connect'; readonly membership: NetworkMembership }
  | { readonly op: 'disconnect'; readonly network: string }
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
  /** How often something outside was refused. */
  readonly refused: number;
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
  readonly live?: LiveSnapshot;
  /** How programs start in it, for who uses it as a sandbox. */
  readonly defaults?: { readonly env: readonly string[]; readonly cwd: string; readonly user: UserConfig; readonly ports: readonly BoundPort[] };
  readonly rows?: readonly (readonly string[])[];
}

export function documentFrame(document: Request | Answer | { readonly rows: number; readonly columns: number }, kind: number = FRAME.document): Uint8Array {
  return frame(kind, new TextEncoder().encode(JSON.stringify(document)));
}

export function parseDocument<Document>(payload: Uint8Array): Document {
  return JSON.parse(new TextDecoder().decode(payload)) as Document;
}

const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every((text) => typeof text === 'string');
const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
/** What a request must have, beside its name, before it is believed. */
const FIELDS: { readonly [Op in Request['op']]?: Readonly<Record<string, (value: unknown) => boolean>> } = {
  exec: { argv: isTexts, env: isTexts },
  kill: { signal: (value) => Number.isInteger(value) && (value as number) >= 1 && (value as number) <= NSIG },
  update: { limits: isObject },
  put: { tar: (value) => typeof value === 'string', directory: (value) => typeof value === 'string' },
  stat: { path: (value) => typeof value === 'string' },
  live: { rules: (value) => Array.isArray(value) && value.every((file: unknown) => isObject(file) && 'name' in file && typeof file.name === 'string' && (!('text' in file) || typeof file.text === 'string')) },
};

/** Undefined: it is none that this version knows. */
export function parseRequest(payload: Uint8Array): Request | undefined {
  try {
    const request = parseDocument<Request & Readonly<Record<string, unknown>>>(payload);
    if (!isObject(request) || typeof request.op !== 'string') return undefined;
    const fields = Object.entries(Object.hasOwn(FIELDS, request.op) ? FIELDS[request.op] ?? {} : {});
    return fields.every(([name, isRight]) => isRight(request[name])) ? request : undefined;
  } catch {
    return undefined;
  }
}
