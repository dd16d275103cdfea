/** Watches system calls as they happen: the stream behind `--strace`, events and coverage. */
import { SIGKILL } from '../../abi/signal.ts';
import type { GateEntry } from '../gate-entry.ts';
import type { KernelTask } from '../task/task.ts';
import { BLOCKED, type SignalInfo, type SyscallRow } from '../types.ts';
import { formatArguments, formatResult } from './format.ts';
import { formatEnd, formatSignal } from './signals.ts';

export interface SyscallTracerOptions {
  /** One line, without the newline, in two parts: the call, and what it answered if that is known yet. */
  readonly write: (task: KernelTask, call: string, result?: string) => void;
  /** Names to show; all without. */
  readonly filter?: (name: string) => boolean;
}

/** strace(1), `-a`: the column in which the answer begins, one further than here. */
const RESULT_COLUMN = 39;

/** A call and its answer as strace prints them. */
export function traceLine(call: string, result: string | undefined): string {
  return result === undefined ? call : `${call.padEnd(RESULT_COLUMN)} = ${result}`;
}

export class SyscallTracer {
  readonly #write: SyscallTracerOptions['write'];
  readonly #filter: (name: string) => boolean;
  /** Of tasks that are in a call: signals to be shown behind it. */
  readonly #waiting = new WeakMap<KernelTask, SignalInfo[]>();

  constructor(options: SyscallTracerOptions) {
    this.#write = options.write;
    this.#filter = options.filter ?? (() => true);
  }

  /** Calls the handler; the line appears when the call ends, or marked as unfinished when it blocks or never returns. */
  enter(task: KernelTask, entry: GateEntry, args: readonly number[]): number {
    const { row, handler } = entry;
    const shown = this.#filter(row.name);
    const never = row.name === 'exit' || row.name === 'exit_group' || row.name === 'rt_sigreturn';
    // What a call is given is shown as it was before the call; what it gives, after it.
    const before = shown ? formatArguments(task, row, args, undefined) : '';
    if (shown && never) this.#write(task, `${row.name}(${before})`, '?');
    const result = handler(task, args[0]!, args[1]!, args[2]!, args[3]!, args[4]!, args[5]!);
    if (!shown || never) return result;
    if (result === BLOCKED) this.#write(task, `${row.name}(${before} <unfinished ...>`);
    else this.#write(task, `${row.name}(${formatArguments(task, row, args, result, before)})`, formatResult(row, result));
    return result;
  }

  /** A call that had blocked ended. */
  exit(task: KernelTask, row: SyscallRow, args: readonly number[], result: number): void {
    if (this.#filter(row.name)) this.#write(task, `<... ${row.name} resumed>${formatArguments(task, row, args, result)})`, formatResult(row, result));
    this.#showWaiting(task);
  }

  #showWaiting(task: KernelTask): void {
    for (const info of this.#waiting.get(task) ?? []) this.#write(task, formatSignal(info));
    this.#waiting.delete(task);
  }

  /** A signal is delivered, or came and is ignored: who is traced sees both. That of SIGKILL nobody sees. */
  signal(task: KernelTask, info: SignalInfo): void {
    if (info.signal === SIGKILL) return;
    const waiting = this.#waiting.get(task) ?? [];
    if (waiting.every(({ signal }) => signal !== info.signal)) waiting.push(info);
    this.#waiting.set(task, waiting);
    if (task.callRow === undefined) this.#showWaiting(task);
  }

  /** A task ended; `status` as wait(2) shows it. */
  end(task: KernelTask, status: number): void {
    this.#showWaiting(task);
    this.#write(task, formatEnd(status));
  }
}
