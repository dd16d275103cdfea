/** A program started from outside, and its standard streams: a terminal's, or three of pipes. */
import { O_RDWR } from '../abi/fcntl.ts';
import type { OpenFile } from '../fs/types.ts';
import type { HostTerminal } from '../kernel/files/pty.ts';
import type { SpecialFiles } from '../kernel/files/special-files.ts';
import { StreamSink, StreamSource } from '../kernel/files/stream-ends.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { sendToProcess } from '../kernel/signals/send.ts';
import type { Process } from '../kernel/task/process.ts';
import type { ExitStatus } from './config.ts';
import type { ProcessIo, RunningProcess } from './types.ts';

/** What differs between a terminal and pipes. */
export interface StandardStreams {
  /** Descriptors 0 to 2. */
  readonly files: readonly OpenFile[];
  readonly terminal: HostTerminal | undefined;
  pushInput(bytes: Uint8Array): boolean;
  endInput(): void;
  outputDrained(fd: number): void;
  breakOutput(fd: number): void;
}

/** Terminal driver answers VEOF: end of input typed by nobody. */
const END_OF_TRANSMISSION = new Uint8Array([4]);

export function pipeStreams(special: SpecialFiles, io: ProcessIo): StandardStreams {
  const input = new StreamSource(special.pipeInode(), { onWant: () => io.onInputWanted(), onDrain: () => io.onInputRoom() });
  const outputs = [1, 2].map((fd) => new StreamSink(special.pipeInode(), (bytes) => io.onOutput(fd, bytes)));
  return {
    files: [input, ...outputs],
    terminal: undefined,
    pushInput: (bytes) => input.push(bytes),
    endInput: () => input.end(),
    outputDrained: (fd) => outputs[fd - 1]?.drained(),
    breakOutput: (fd) => outputs[fd - 1]?.break(),
  };
}

/** -errno where no terminal is free. */
export function terminalStreams(special: SpecialFiles, io: ProcessIo, size: { readonly rows: number; readonly columns: number }): StandardStreams | number {
  const terminal = special.ptys.createHostTerminal({ onOutput: (bytes) => io.onOutput(1, bytes) });
  if (typeof terminal === 'number') return terminal;
  terminal.resize(size.rows, size.columns);
  const files = [0, 1, 2].map(() => terminal.open(O_RDWR));
  const failed = files.find((file) => typeof file === 'number');
  if (typeof failed === 'number') return failed;
  return {
    files: files as OpenFile[],
    terminal,
    pushInput: (bytes) => {
      terminal.input(bytes);
      return true;
    },
    endInput: () => terminal.input(END_OF_TRANSMISSION),
    outputDrained: () => terminal.drained(),
    breakOutput: () => terminal.hangUp(),
  };
}

/** `wait` status to what ended it. */
export function exitStatusOf(waitStatus: number): ExitStatus {
  const signal = waitStatus & 0x7f;
  return signal === 0 ? { code: (waitStatus >> 8) & 0xff } : { signal };
}

/** Resolves when the process ends; the others of the container may go on. */
function whenEnded(process: Process): Promise<ExitStatus> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (process.state === 'alive' || process.state === 'exiting') process.exitQueue.add({ wake: look });
      else resolve(exitStatusOf(process.exitStatus));
    };
    look();
  });
}

/** `main`: the container ends with it; everything in it has ended before the promise resolves. */
export function runningProcess(kernel: Kernel, process: Process, streams: StandardStreams, main: boolean): RunningProcess {
  return {
    pid: process.pid,
    ended: main ? kernel.run().then(exitStatusOf) : whenEnded(process),
    pushInput: (bytes) => streams.pushInput(bytes),
    endInput: () => streams.endInput(),
    outputDrained: (fd) => streams.outputDrained(fd),
    breakOutput: (fd) => streams.breakOutput(fd),
    resize: (rows, columns) => streams.terminal?.resize(rows, columns),
    hangUp: () => streams.terminal?.hangUp(),
    signal: (signal) => {
      if (process.state === 'alive') sendToProcess(process, { signal, code: 0, pid: 0, uid: 0 });
    },
  };
}
