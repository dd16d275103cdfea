/** The socket in a container's directory, and how what is said on it is cut into frames: a kind (1 byte), a length (4 bytes, little endian) and that many bytes. */
import { closeSync, openSync } from 'node:fs';
import type { Socket } from 'node:net';
import { deserialize, serialize } from 'node:v8';
import type { MessagePortLike } from './worker.ts';

export const FRAME = { document: 0, stdout: 1, stderr: 2, stdin: 3, endOfInput: 4, resize: 5, message: 6 } as const;
const HEADER_BYTES = 5;
/** No frame of ours is longer; a longer one is an error of the other side. */
const MOST_FRAME_BYTES = 1 << 24;

export function frame(kind: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + payload.length);
  bytes[0] = kind;
  new DataView(bytes.buffer).setUint32(1, payload.length, true);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
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

/** Undefined: nobody listens. Most programs with sandboxes never ask for a network, so that is loaded here. */
export async function connectOnce(path: string): Promise<Socket | undefined> {
  const { connect } = await import('node:net');
  return new Promise((resolve) => {
    const socket = connect({ path, allowHalfOpen: true });
    socket.once('connect', () => resolve(socket));
    socket.once('error', () => resolve(undefined));
  });
}

/** Messages as frames: both sides are processes of one user. `receive` gets the frames of that kind. */
export function messagePort(socket: Socket): { readonly port: MessagePortLike; receive(payload: Uint8Array): void } {
  let onMessage: (message: unknown) => void = () => {};
  return {
    port: {
      post: (message) => void socket.write(frame(FRAME.message, serialize(message))),
      onMessage: (callback) => (onMessage = callback),
    },
    receive: (payload) => onMessage(deserialize(payload)),
  };
}
