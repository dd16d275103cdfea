/** Bytes that come from elsewhere as the body of an answer. A slow reader holds the source back; one that goes away ends it. */
import type { ServerResponse } from 'node:http';

/** Resolves when the kernel has taken enough of what was written before, or the peer is gone. */
function roomIn(outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      outgoing.off('drain', settle);
      outgoing.off('close', settle);
      resolve();
    };
    outgoing.on('drain', settle);
    outgoing.on('close', settle);
  });
}

/** Sends all after a head that was written, and ends the answer. A source that fails ends the connection, and `onFailure` hears of it. */
export async function sendStream(outgoing: ServerResponse, source: AsyncIterable<Uint8Array>, onSent: (bytes: number) => void, onFailure: (error: unknown) => void): Promise<void> {
  const iterator = source[Symbol.asyncIterator]();
  // Also while nothing comes.
  outgoing.on('close', () => void iterator.return?.());
  try {
    for (let next = await iterator.next(); next.done !== true && !outgoing.destroyed; next = await iterator.next()) {
      if (!outgoing.write(next.value) && !outgoing.destroyed) await roomIn(outgoing);
      onSent(next.value.length);
    }
    outgoing.end();
  } catch (error) {
    if (!outgoing.destroyed) onFailure(error);
    outgoing.destroy();
  }
}
