/** How the rows of the kernel's core are written down. */
import type { KernelTask } from '../task/task.ts';
import type { ArgumentKind, Handler, SyscallRow } from '../types.ts';

/** As `Handler`, for calls that need more of a task than files do. */
export type CoreHandler = (task: KernelTask, a0: number, a1: number, a2: number, a3: number, a4: number, a5: number) => number;

export interface RowOptions {
  readonly support?: 'full' | 'partial' | 'none';
  readonly note?: string;
  readonly restart?: boolean;
}

/** A row of the table. Every task of a kernel is a `KernelTask`, so the handler may say so. */
export function row(number: number, name: string, kinds: readonly ArgumentKind[], handler: CoreHandler, options: RowOptions = {}): SyscallRow {
  return { number, name, arguments: kinds, handler: handler as Handler, support: 'full', ...options };
}
