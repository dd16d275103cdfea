/** A part of a file as the body of an answer. Two buffers for each: one is filled while the other is sent. */
import { close, read } from 'node:fs';
import type { ServerResponse } from 'node:http';

/** Four to eight times what one read of a socket or a pipe gives: few turns of the event loop, and little memory for each reader. */
const BUFFER_BYTES = 1 << 18;

function readInto(handle: number, buffer: Buffer, length: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => read(handle, buffer, 0, length, position, (error, count) => (error === null ? resolve(count) : reject(error))));
}

/** Resolves when the kernel has it and the buffer may be used again; rejects when the peer is gone. */
function send(outgoing: ServerResponse, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => outgoing.write(bytes, (error) => (error === null || error === undefined ? resolve() : reject(error))));
}

async function copy(outgoing: ServerResponse, handle: number, start: number, length: number, onSent: (bytes: number) => void): Promise<void> {
  const buffers = [0, 1].map(() => Buffer.allocUnsafeSlow(Math.min(BUFFER_BYTES, length)));
  const sending: Promise<void>[] = [Promise.resolve(), Promise.resolve()];
  for (let at = 0, turn = 0; at < length; turn = 1 - turn) {
    const buffer = buffers[turn]!;
    await sending[turn];
    const count = await readInto(handle, buffer, Math.min(buffer.length, length - at), start + at);
    // The file is shorter than was promised: only a broken connection says so now.
    if (count === 0) throw new Error('the file ends too early');
    const sent = send(outgoing, buffer.subarray(0, count));
    sent.catch(() => {});
    sending[turn] = sent;
    onSent(count);
    at += count;
  }
  await Promise.all(sending);
}

/** Sends `length` bytes after a head that was written, ends the answer, and closes the handle. A failure ends the connection. */
export async function sendFile(outgoing: ServerResponse, handle: number, start: number, length: number, onSent: (bytes: number) => void): Promise<void> {
  try {
    await copy(outgoing, handle, start, length, onSent);
    outgoing.end();
  } catch {
    outgoing.destroy();
  } finally {
    close(handle, () => {});
  }
}
