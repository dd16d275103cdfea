/**
 * gzip read by zlib on one of Node's own threads, into two pieces of memory that are used again and again.
 *
 * A stream of `node:zlib` gives each piece memory of its own: of 163 MiB the kernel had to make 43,000 pages, which took as long as half of
 * the inflating (docs/design-changes.md). What is used here is what those streams stand on; `createGunzip` serves where a Node does not give it away.
 */
import { nodeBinding } from './binding.ts';

/** The modes and flushes of zlib that Node hands through (`node_zlib.cc`, zlib.h). */
const GUNZIP = 4;
const Z_NO_FLUSH = 0;
const Z_FINISH = 4;
const MAX_WINDOW_BITS = 15;
const MEMORY_LEVEL = 8;
/** Compressed bytes that are given to the thread at once: each time costs this thread some 50 µs. */
const INPUT_BYTES = 1 << 20;
const PIECE_BYTES = 1 << 21;
/** Nodes that have it as it is written here. */
const KNOWN_MAJORS = { first: 20, last: 26 };

interface ZlibHandle {
  onerror: (message: string, errno: number, code: string) => void;
  init(windowBits: number, level: number, memoryLevel: number, strategy: number, state: Uint32Array, onWritten: () => void, dictionary: undefined): void;
  write(flush: number, input: Uint8Array, inputOffset: number, inputLength: number, output: Uint8Array, outputOffset: number, outputLength: number): void;
  close(): void;
}

type ZlibConstructor = new (mode: number) => ZlibHandle;

function zlibConstructor(): ZlibConstructor | undefined {
  const major = Number(process.versions.node.split('.')[0]);
  return major >= KNOWN_MAJORS.first && major <= KNOWN_MAJORS.last ? nodeBinding<{ readonly Zlib: ZlibConstructor }>('zlib')?.Zlib : undefined;
}

/** One stream of zlib. */
class Inflater {
  readonly #handle: ZlibHandle;
  /** What is left of output and input, after each write. */
  readonly #left = new Uint32Array(2);
  #settle: (error?: Error) => void = () => undefined;
  /** The thread has addresses only: this keeps what is there alive. */
  #lent: readonly Uint8Array[] = [];

  constructor(Handle: ZlibConstructor) {
    this.#handle = new Handle(GUNZIP);
    this.#handle.onerror = (message, errno, code) => this.#settle(Object.assign(new Error(message), { errno, code }));
    this.#handle.init(MAX_WINDOW_BITS, 0, MEMORY_LEVEL, 0, this.#left, () => this.#settle(), undefined);
  }

  /** Resolves to what went wrong, if anything did. `input` and `output` are the other thread's until then. */
  async inflate(flush: number, input: Uint8Array, output: Uint8Array): Promise<Error | undefined> {
    this.#lent = [input, output];
    const error = await new Promise<Error | undefined>((resolve) => {
      this.#settle = resolve;
      this.#handle.write(flush, input, 0, input.length, output, 0, output.length);
    });
    this.#lent = [];
    return error;
  }

  get outputLeft(): number {
    return this.#left[0]!;
  }
  get inputLeft(): number {
    return this.#left[1]!;
  }
  close(): void {
    this.#handle.close();
  }
}

/**
 * What is to be read next, in one piece: the rest of what the thread had, and behind it what the source gave meanwhile. Two buffers take turns;
 * the front of each is kept free for that rest.
 */
class Input {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #buffers = [new Uint8Array(2 * INPUT_BYTES), new Uint8Array(2 * INPUT_BYTES)] as const;
  #turn: 0 | 1 = 0;
  /** Of what the source gave last. */
  #unread: Uint8Array = new Uint8Array();
  #coming: Promise<number | Error> | undefined;
  #ended = false;

  constructor(source: AsyncIterator<Uint8Array>) {
    this.#source = source;
  }

  /** Begins to read on, where that has not begun: never rejects, so that nothing is lost while nobody waits. */
  readAhead(): void {
    this.#coming ??= this.#fill(this.#buffers[this.#turn]).catch((error: unknown) => (error instanceof Error ? error : new Error(String(error))));
  }

  async #fill(buffer: Uint8Array): Promise<number> {
    let end = INPUT_BYTES;
    while (end < buffer.length) {
      if (this.#unread.length === 0 && !this.#ended) {
        const { value, done } = await this.#source.next();
        this.#ended = done === true;
        if (done !== true) this.#unread = value;
      }
      if (this.#ended) break;
      const part = this.#unread.subarray(0, buffer.length - end);
      buffer.set(part, end);
      end += part.length;
      this.#unread = this.#unread.subarray(part.length);
    }
    return end;
  }

  /** `rest`, at most `INPUT_BYTES`, and more; no longer than `rest` where there is no more. It holds until the one after the next. */
  async next(rest: Uint8Array): Promise<Uint8Array> {
    this.readAhead();
    const end = await this.#coming!;
    this.#coming = undefined;
    if (end instanceof Error) throw end;
    const buffer = this.#buffers[this.#turn];
    this.#turn = this.#turn === 0 ? 1 : 0;
    buffer.set(rest, INPUT_BYTES - rest.length);
    return buffer.subarray(INPUT_BYTES - rest.length, end);
  }
}

async function* inflated(inflater: Inflater, source: AsyncIterator<Uint8Array>): AsyncIterable<Uint8Array> {
  const input = new Input(source);
  const buffers = [new Uint8Array(PIECE_BYTES), new Uint8Array(PIECE_BYTES)] as const;
  let turn: 0 | 1 = 0;
  let filled = 0;
  let full: Uint8Array | undefined;
  let given = await input.next(new Uint8Array());
  for (let isEnd = false, isLast = given.length === 0; !isEnd;) {
    const output = buffers[turn].subarray(filled);
    const writing = inflater.inflate(isLast ? Z_FINISH : Z_NO_FLUSH, given, output);
    input.readAhead();
    let error: Error | undefined;
    try {
      // The caller works on the one piece while the thread fills the other.
      if (full !== undefined) yield full;
    } finally {
      error = await writing;
    }
    if (error !== undefined) throw error;
    full = undefined;
    const { outputLeft, inputLeft } = inflater;
    filled += output.length - outputLeft;
    // Where there was room and something was left, it does not belong to the stream.
    isEnd = outputLeft > 0 && (isLast || inputLeft > 0);
    if (outputLeft === 0 || isEnd) {
      full = buffers[turn].subarray(0, filled);
      turn = turn === 0 ? 1 : 0;
      filled = 0;
    }
    given = given.subarray(given.length - inputLeft);
    if (isEnd || isLast || inputLeft > INPUT_BYTES) continue;
    given = await input.next(given);
    isLast = given.length === inputLeft;
  }
  if (full !== undefined && full.length > 0) yield full;
  // What comes next is not ours, but what went wrong with it is the caller's to know.
  await input.next(new Uint8Array());
}

async function* closing(inflater: Inflater, source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  let isWhole = false;
  try {
    yield* inflated(inflater, iterator);
    isWhole = true;
  } finally {
    inflater.close();
    // Nobody reads on. It may be waiting for bytes that never come: that is not waited for, and what it still says is of no interest.
    if (!isWhole) void iterator.return?.().catch(() => undefined);
  }
}

/**
 * The bytes behind gzip; undefined where this Node has no such thing. What follows the compressed stream ends the reading, and is left in the source but for
 * what was read ahead. A piece holds until the next is asked for. Throws an Error with a code of zlib (`Z_DATA_ERROR`, ...) where the bytes are spoiled or cut short.
 */
export function gunzipInPlace(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> | undefined {
  const Handle = zlibConstructor();
  return Handle === undefined ? undefined : closing(new Inflater(Handle), source);
}
