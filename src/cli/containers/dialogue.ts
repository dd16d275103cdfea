/** Our streams and those of a program in a container that another process runs. */
import type { Socket } from 'node:net';
import { StandardInput, StandardOutput, isTerminal } from '../../host/node/stdio.ts';
import type { RawTerminal } from '../../host/node/terminal.ts';
import { converse } from './control-client.ts';
import { FRAME, documentFrame, frame, parseDocument } from './control-protocol.ts';
import type { Answer, AttachRequest, ExecRequest } from './control-protocol.ts';
import { DetachKeys } from './detach-keys.ts';

/** What is said when the keys were typed, as Docker says it. The program goes on. */
export function saidDetached(): number {
  process.stderr.write('read escape sequence\n');
  return 0;
}

/** Until the program ends, or we do. */
export class Dialogue {
  /** Why it ended before the program: our reader is gone, or the keys were typed. */
  end: 'unread' | 'detached' | undefined;
  readonly #socket: Socket;
  readonly #request: ExecRequest | AttachRequest;
  readonly #outputs: readonly StandardOutput[];
  readonly #input: StandardInput;
  readonly #keys: DetachKeys;
  #terminal: RawTerminal | undefined;
  #last: Answer | undefined;

  constructor(socket: Socket, request: ExecRequest | AttachRequest, detachKeys: readonly number[]) {
    this.#socket = socket;
    this.#request = request;
    this.#keys = new DetachKeys(detachKeys);
    this.#outputs = [1, 2].map((fd) => new StandardOutput(fd, { onDrain: () => socket.resume(), onBroken: () => this.#leave('unread') }));
    this.#input = new StandardInput({ onBytes: (bytes) => this.#typed(bytes), onEnd: () => void socket.write(frame(FRAME.endOfInput, new Uint8Array())) });
    socket.on('drain', () => {
      this.#input.resume();
      this.#input.want();
    });
  }

  #typed(bytes: Uint8Array): boolean {
    // Only who types at a terminal can be heard saying that this is enough.
    const { passed, isDetached } = this.#terminal === undefined ? { passed: bytes, isDetached: false } : this.#keys.feed(bytes);
    const hasRoom = this.#socket.write(frame(FRAME.stdin, passed));
    if (isDetached) this.#leave('detached');
    // Files are read on demand: whoever took a piece asks for the next one.
    else if (hasRoom) setImmediate(() => this.#input.want());
    return hasRoom;
  }

  /** Where whoever read our output is gone, so are we, and the output of a program of ours is a broken pipe. */
  #leave(end: 'unread' | 'detached'): void {
    this.end = end;
    if (end === 'unread') this.#socket.destroy();
    else this.#socket.end(() => this.#socket.destroy());
  }

  async run(): Promise<Answer | undefined> {
    try {
      await converse(this.#socket, this.#request, (kind, payload) => this.#onFrame(kind, payload));
    } finally {
      this.#input.stop();
      this.#terminal?.restore();
      for (const output of this.#outputs) output.flush();
    }
    return this.#last;
  }

  #onFrame(kind: number, payload: Uint8Array): void {
    if (kind === FRAME.stdout || kind === FRAME.stderr) {
      this.#terminal?.observe(payload);
      if (this.#outputs[kind === FRAME.stderr ? 1 : 0]?.write(payload) === false) this.#socket.pause();
      return;
    }
    if (kind !== FRAME.document) return;
    this.#last = parseDocument<Answer>(payload);
    if (this.#last.isStarted !== true) return;
    if (this.#request.input) void this.#takeInput();
  }

  async #takeInput(): Promise<void> {
    if (this.#request.terminal !== undefined && (await isTerminal(0))) {
      const { RawTerminal: Terminal } = await import('../../host/node/terminal.ts');
      this.#terminal = new Terminal(process.stdin, process.stdout);
      this.#terminal.enter();
      this.#terminal.onResize((size) => this.#socket.write(documentFrame(size, FRAME.resize)));
    }
    this.#input.want();
  }
}
