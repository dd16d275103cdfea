/** `sched.h` of Linux (linux/sched.h, linux/sched/types.h). */

export const CSIGNAL = 0xff;
export const CLONE_NEWTIME = 0x80;
export const CLONE_VM = 0x100;
export const CLONE_FS = 0x200;
export const CLONE_FILES = 0x400;
export const CLONE_SIGHAND = 0x800;
export const CLONE_PIDFD = 0x1000;
export const CLONE_PTRACE = 0x2000;
export const CLONE_VFORK = 0x4000;
export const CLONE_PARENT = 0x8000;
export const CLONE_THREAD = 0x1_0000;
export const CLONE_NEWNS = 0x2_0000;
export const CLONE_SYSVSEM = 0x4_0000;
export const CLONE_SETTLS = 0x8_0000;
export const CLONE_PARENT_SETTID = 0x10_0000;
export const CLONE_CHILD_CLEARTID = 0x20_0000;
export const CLONE_DETACHED = 0x40_0000;
export const CLONE_UNTRACED = 0x80_0000;
export const CLONE_CHILD_SETTID = 0x100_0000;
export const CLONE_NEWCGROUP = 0x200_0000;
export const CLONE_NEWUTS = 0x400_0000;
export const CLONE_NEWIPC = 0x800_0000;
export const CLONE_NEWUSER = 0x1000_0000;
export const CLONE_NEWPID = 0x2000_0000;
export const CLONE_NEWNET = 0x4000_0000;
export const CLONE_IO = 0x8000_0000;
/** clone3 only, above 32 bits. */
export const CLONE_CLEAR_SIGHAND = 0x1_0000_0000;
export const CLONE_INTO_CGROUP = 0x2_0000_0000;

/** `struct clone_args`: flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup. */
export const CLONE_ARGS_SIZE_VER0 = 64;
export const CLONE_ARGS_SIZE_VER2 = 88;

export const SCHED_OTHER = 0;
export const SCHED_FIFO = 1;
export const SCHED_RR = 2;
export const SCHED_BATCH = 3;
export const SCHED_IDLE = 5;
export const SCHED_DEADLINE = 6;
export const SCHED_RESET_ON_FORK = 0x4000_0000;
export const SCHED_ATTR_SIZE_VER0 = 48;
