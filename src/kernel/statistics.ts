/** What a kernel counts, for `--stats` and the compatibility page. */
const SYSCALL_SLOTS = 512;
/** Distinct unknown numbers that are remembered. */
const UNKNOWN_LIMIT = 1024;

export class SyscallCounts {
  /** Calls by number. */
  readonly syscallCounts = new Float64Array(SYSCALL_SLOTS);
  /** Calls that the table does not have. */
  readonly unknown = new Map<number, number>();
  tasksCreated = 0;
  taskSwitches = 0;
  execs = 0;

  get syscalls(): number {
    let total = 0;
    for (const count of this.syscallCounts) total += count;
    return total;
  }

  /** True the first time. */
  countUnknown(number: number): boolean {
    const count = this.unknown.get(number);
    if (count === undefined && this.unknown.size >= UNKNOWN_LIMIT) return false;
    this.unknown.set(number, (count ?? 0) + 1);
    return count === undefined;
  }
}
