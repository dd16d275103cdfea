/** `linux/ptrace.h`, `asm/ptrace-abi.h`, `sys/user.h` and the notes of `linux/elf.h` that regsets are named by, of Linux x86-64. */

export const PTRACE_TRACEME = 0;
export const PTRACE_PEEKTEXT = 1;
export const PTRACE_PEEKDATA = 2;
export const PTRACE_PEEKUSR = 3;
export const PTRACE_POKETEXT = 4;
export const PTRACE_POKEDATA = 5;
export const PTRACE_POKEUSR = 6;
export const PTRACE_CONT = 7;
export const PTRACE_KILL = 8;
export const PTRACE_SINGLESTEP = 9;
export const PTRACE_GETREGS = 12;
export const PTRACE_SETREGS = 13;
export const PTRACE_GETFPREGS = 14;
export const PTRACE_SETFPREGS = 15;
export const PTRACE_ATTACH = 16;
export const PTRACE_DETACH = 17;
export const PTRACE_SYSCALL = 24;
export const PTRACE_GET_THREAD_AREA = 25;
export const PTRACE_SET_THREAD_AREA = 26;
export const PTRACE_ARCH_PRCTL = 30;
export const PTRACE_SYSEMU = 31;
export const PTRACE_SYSEMU_SINGLESTEP = 32;
export const PTRACE_SINGLEBLOCK = 33;
export const PTRACE_SETOPTIONS = 0x4200;
export const PTRACE_GETEVENTMSG = 0x4201;
export const PTRACE_GETSIGINFO = 0x4202;
export const PTRACE_SETSIGINFO = 0x4203;
export const PTRACE_GETREGSET = 0x4204;
export const PTRACE_SETREGSET = 0x4205;
export const PTRACE_SEIZE = 0x4206;
export const PTRACE_INTERRUPT = 0x4207;
export const PTRACE_LISTEN = 0x4208;
export const PTRACE_PEEKSIGINFO = 0x4209;
export const PTRACE_GETSIGMASK = 0x420a;
export const PTRACE_SETSIGMASK = 0x420b;
export const PTRACE_SECCOMP_GET_FILTER = 0x420c;
export const PTRACE_SECCOMP_GET_METADATA = 0x420d;
export const PTRACE_GET_SYSCALL_INFO = 0x420e;
export const PTRACE_GET_RSEQ_CONFIGURATION = 0x420f;
export const PTRACE_SET_SYSCALL_USER_DISPATCH_CONFIG = 0x4210;
export const PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG = 0x4211;

export const PTRACE_O_TRACESYSGOOD = 1;
export const PTRACE_O_TRACEFORK = 2;
export const PTRACE_O_TRACEVFORK = 4;
export const PTRACE_O_TRACECLONE = 8;
export const PTRACE_O_TRACEEXEC = 16;
export const PTRACE_O_TRACEVFORKDONE = 32;
export const PTRACE_O_TRACEEXIT = 64;
export const PTRACE_O_TRACESECCOMP = 128;
export const PTRACE_O_EXITKILL = 0x10_0000;
export const PTRACE_O_SUSPEND_SECCOMP = 0x20_0000;
export const PTRACE_O_MASK = 0x30_00ff;

export const PTRACE_EVENT_FORK = 1;
export const PTRACE_EVENT_VFORK = 2;
export const PTRACE_EVENT_CLONE = 3;
export const PTRACE_EVENT_EXEC = 4;
export const PTRACE_EVENT_VFORK_DONE = 5;
export const PTRACE_EVENT_EXIT = 6;
export const PTRACE_EVENT_SECCOMP = 7;
export const PTRACE_EVENT_STOP = 128;

/** What GETEVENTMSG answers in a stop at a call. */
export const PTRACE_EVENTMSG_SYSCALL_ENTRY = 1;
export const PTRACE_EVENTMSG_SYSCALL_EXIT = 2;

export const PTRACE_SYSCALL_INFO_NONE = 0;
export const PTRACE_SYSCALL_INFO_ENTRY = 1;
export const PTRACE_SYSCALL_INFO_EXIT = 2;
export const PTRACE_SYSCALL_INFO_SECCOMP = 3;
/** Bytes of `struct ptrace_syscall_info` that each kind fills. */
export const SYSCALL_INFO_SIZES: readonly number[] = [24, 80, 33, 84];
export const SYSCALL_INFO_SIZE = 88;

export const PTRACE_PEEKSIGINFO_SHARED = 1;

export const NT_PRSTATUS = 1;
export const NT_PRFPREG = 2;
export const NT_X86_XSTATE = 0x202;

/** `struct user_regs_struct`: 27 words. */
export const USER_REGS_SIZE = 216;
/** `struct user`: its size, and where the debug registers are. */
export const USER_SIZE = 928;
export const USER_DEBUGREG = 848;
