/** Streams of bytes: a look at the beginning, and a count. */

export interface Peeked {
  /** At least as many bytes as were asked for, or all that there are. */
  readonly first: Uint8Array;
  /** The whole stream. */
  readonly all: AsyncIterable<Uint8Array>;
}

export async function peek(source: AsyncIterable<Uint8Array>, bytes: number): Promise<Peeked> {
  const iterator = source[Symbol.asyncIterator]();
  const pieces: Uint8Array[] = [];
  let size = 0;
  while (size < bytes) {
    const step = await iterator.next();
    if (step.done === true) break;
    pieces.push(step.value);
    size += step.value.length;
  }
  const first = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    first.set(piece, at);
    at += piece.length;
  }
  async function* all(): AsyncIterable<Uint8Array> {
    try {
      if (size > 0) yield first;
      for (let step = await iterator.next(); step.done !== true; step = await iterator.next()) yield step.value;
    } finally {
      await iterator.return?.();
    }
  }
  return { first, all: all() };
}

export async function* counted(source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, count: (bytes: number) => void): AsyncIterable<Uint8Array> {
  for await (const chunk of source) {
    count(chunk.length);
    yield chunk;
  }
}
