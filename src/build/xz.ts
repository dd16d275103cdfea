/** xz (`xz-file-format.txt`) by `xz-decompress`: Lasse Collin's XZ Embedded as WebAssembly, which refuses what asks for more memory than it has. */
import { XzReadableStream } from 'xz-decompress';
import { BuildError } from './errors.ts';

/** `enum xz_ret` of XZ Embedded (`xz.h`). */
const REASONS: ReadonlyMap<string, string> = new Map([
  ['3', 'it asks for too much memory'], ['4', 'it asks for too much memory'], ['5', 'it is no xz file'], ['6', 'it has a filter or a check that is not known here (CRC32 and CRC64 are)'], ['7', 'it is spoiled'], ['8', 'it is cut short or spoiled'],
]);

/** The bytes as they come, in pieces that somebody asks for. */
function streamOf(source: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const { value, done } = await iterator.next();
      if (done === true) controller.close();
      // Whoever gave it may use the buffer again.
      else controller.enqueue(value.slice());
    },
    cancel: async () => void (await iterator.return?.()),
  }, { highWaterMark: 0 });
}

/** @throws BuildError where it is none */
export async function* unxz(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const reader = new XzReadableStream(streamOf(source)).getReader();
  let isOpen = true;
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) {
        isOpen = false;
        return;
      }
      yield value;
    }
  } catch (error) {
    isOpen = false;
    const code = /error code (\d+)/.exec((error as Error).message)?.[1];
    if (code === undefined) throw error;
    throw new BuildError(`cannot unpack the archive: ${REASONS.get(code) ?? `xz gives error ${code}`}`, { advice: 'make it again, or COPY it and unpack it with RUN tar', cause: error });
  } finally {
    // Of these streams one works at a time: who does not read to the end must say so.
    if (isOpen) await reader.cancel();
  }
}
