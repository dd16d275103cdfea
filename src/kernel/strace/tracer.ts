/** Watches system calls as they happen: the stream behind `--strace`, events and coverage. */
import type { GateEntry } from '../gate.ts';
import type { KernelTask } from '../task/task.ts';
import { BLOCKED, type SyscallRow } from '../types.ts';
import { formatArguments, formatResult } from './format.ts';

export interface SyscallTracerOptions {
  /** One line, without the newline. */
  readonly write: (task: KernelTask, line: string) => void;
  /** Names to show; all without. */
  readonly filter?: (name: string) => boolean;
}

export class SyscallTracer {
  readonly #write: (task: KernelTask, line: string) => void;
  readonly #filter: (name: string) => boolean;

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
    if (shown && never) this.#write(task, `${row.name}(${before}) = ?`);
    const result = handler(task, args[0]!, args[1]!, args[2]!, args[3]!, args[4]!, args[5]!);
    if (!shown || never) return result;
    if (result === BLOCKED) this.#write(task, `${row.name}(${before} <unfinished ...>`);
    else this.#write(task, `${row.name}(${formatArguments(task, row, args, result, before)}) = ${formatResult(row, result)}`);
    return result;
  }

  /** A call that had blocked ended. */
  exit(task: KernelTask, row: SyscallRow, args: readonly number[], result: number): void {
    if (!this.#filter(row.name)) return;
    this.#write(task, `<... ${row.name} resumed>${formatArguments(task, row, args, result)}) = ${formatResult(row, result)}`);
  }
}
