/**
 * Every quantity that a guest controls and the kernel keeps memory for, with its bound, the reason for
 * the default, and what the guest is told when it gets there.
 */

export interface KernelLimits {
  /** Tasks (threads) in the container: pids.max. A task costs about 10 KB of kernel state. EAGAIN. */
  readonly tasks: number;
  /** Private writable bytes mapped by all processes: memory.max. A host page is used only once touched, so this is generous. ENOMEM. */
  readonly mappedBytes: number;
  /** Address spaces at once: each reserves 4 GiB of the host's virtual addresses, of which V8 has about 1 TiB. ENOMEM. */
  readonly addressSpaces: number;
  /** Mappings of a process: vm.max_map_count. ENOMEM. */
  readonly mapCount: number;
  /** Bytes of arguments and environment: MAX_ARG_STRLEN * 16, a quarter of the stack limit as Linux. E2BIG. */
  readonly argumentBytes: number;
  /** One argument: MAX_ARG_STRLEN. E2BIG. */
  readonly argumentLength: number;
  /** Interpreters of interpreters of scripts: BINPRM_MAX_RECURSION. ELOOP. */
  readonly scriptDepth: number;
  /** Program headers read: 64 KiB of them, as fs/binfmt_elf.c. ENOEXEC. */
  readonly programHeaderBytes: number;
  /** Queued real-time signals of the container: RLIMIT_SIGPENDING. EAGAIN. */
  readonly queuedSignals: number;
  /** POSIX timers of a process: they count against RLIMIT_SIGPENDING in Linux. EAGAIN. */
  readonly timers: number;
  /** Bytes that shared anonymous mappings hold in the kernel. ENOMEM. */
  readonly sharedBytes: number;
  /** Nested signal frames need no bound: they live on the guest's stack. */
  /** Entries of a `struct iovec` array: UIO_MAXIOV. EINVAL. */
  readonly iovecCount: number;
  /** Bytes of one transfer: MAX_RW_COUNT. Silently shortened. */
  readonly transferBytes: number;
  /** Stack of a process: RLIMIT_STACK's default. Reserved at the bottom of the mmap area. */
  readonly stackBytes: number;
  /** Namespaces of each kind: user.max_*_namespaces. ENOSPC. */
  readonly namespaces: number;
  /** Highest process id: kernel.pid_max. */
  readonly pidMax: number;
  /** Blocks (about 5 instructions) before another task's turn: some 2 ms of translated code. */
  readonly timeSlice: number;
  /** Milliseconds that the kernel runs before the host's event loop has its turn. */
  readonly yieldMs: number;
}

export const DEFAULT_LIMITS: KernelLimits = {
  tasks: 4096,
  mappedBytes: 64 * 2 ** 30,
  addressSpaces: 200,
  mapCount: 65_530,
  argumentBytes: 2 * 2 ** 20,
  argumentLength: 128 * 1024,
  scriptDepth: 5,
  programHeaderBytes: 65_536,
  queuedSignals: 8192,
  timers: 4096,
  sharedBytes: 2 ** 30,
  iovecCount: 1024,
  transferBytes: 0x7fff_f000,
  stackBytes: 8 * 2 ** 20,
  namespaces: 1024,
  pidMax: 32_768,
  timeSlice: 200_000,
  yieldMs: 5,
};
