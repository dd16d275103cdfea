/** `signal.h` of Linux x86-64 (asm/signal.h, asm-generic/siginfo.h, asm/sigcontext.h). */

export const SIGHUP = 1;
export const SIGINT = 2;
export const SIGQUIT = 3;
export const SIGILL = 4;
export const SIGTRAP = 5;
export const SIGABRT = 6;
export const SIGBUS = 7;
export const SIGFPE = 8;
export const SIGKILL = 9;
export const SIGUSR1 = 10;
export const SIGSEGV = 11;
export const SIGUSR2 = 12;
export const SIGPIPE = 13;
export const SIGALRM = 14;
export const SIGTERM = 15;
export const SIGSTKFLT = 16;
export const SIGCHLD = 17;
export const SIGCONT = 18;
export const SIGSTOP = 19;
export const SIGTSTP = 20;
export const SIGTTIN = 21;
export const SIGTTOU = 22;
export const SIGURG = 23;
export const SIGXCPU = 24;
export const SIGXFSZ = 25;
export const SIGVTALRM = 26;
export const SIGPROF = 27;
export const SIGWINCH = 28;
export const SIGIO = 29;
export const SIGPWR = 30;
export const SIGSYS = 31;
/** First real-time signal of the kernel (glibc keeps 32 and 33 to itself). */
export const SIGRTMIN = 32;
export const SIGRTMAX = 64;
/** Number of signals. */
export const NSIG = 64;

export const SA_NOCLDSTOP = 0x1;
export const SA_NOCLDWAIT = 0x2;
export const SA_SIGINFO = 0x4;
export const SA_UNSUPPORTED = 0x400;
export const SA_EXPOSE_TAGBITS = 0x800;
export const SA_RESTORER = 0x0400_0000;
export const SA_ONSTACK = 0x0800_0000;
export const SA_RESTART = 0x1000_0000;
export const SA_NODEFER = 0x4000_0000;
export const SA_RESETHAND = 0x8000_0000;

export const SIG_DFL = 0;
export const SIG_IGN = 1;

export const SIG_BLOCK = 0;
export const SIG_UNBLOCK = 1;
export const SIG_SETMASK = 2;

export const SS_ONSTACK = 1;
export const SS_DISABLE = 2;
export const SS_AUTODISARM = 0x8000_0000;
export const MINSIGSTKSZ = 2048;

// si_code
export const SI_USER = 0;
export const SI_KERNEL = 0x80;
export const SI_QUEUE = -1;
export const SI_TIMER = -2;
export const SI_MESGQ = -3;
export const SI_ASYNCIO = -4;
export const SI_SIGIO = -5;
export const SI_TKILL = -6;
export const ILL_ILLOPN = 2;
export const FPE_INTDIV = 1;
export const FPE_INTOVF = 2;
export const FPE_FLTDIV = 3;
export const FPE_FLTOVF = 4;
export const FPE_FLTUND = 5;
export const FPE_FLTRES = 6;
export const FPE_FLTINV = 7;
export const SEGV_MAPERR = 1;
export const SEGV_ACCERR = 2;
export const BUS_ADRALN = 1;
export const BUS_ADRERR = 2;
export const TRAP_BRKPT = 1;
export const TRAP_TRACE = 2;
export const CLD_EXITED = 1;
export const CLD_KILLED = 2;
export const CLD_DUMPED = 3;
export const CLD_TRAPPED = 4;
export const CLD_STOPPED = 5;
export const CLD_CONTINUED = 6;
export const POLL_IN = 1;
export const POLL_OUT = 2;
export const POLL_MSG = 3;
export const POLL_HUP = 6;
export const SYS_SECCOMP = 1;

export const SIGEV_SIGNAL = 0;
export const SIGEV_NONE = 1;
export const SIGEV_THREAD = 2;
export const SIGEV_THREAD_ID = 4;

/** Size of `siginfo_t`. */
export const SIGINFO_SIZE = 128;
/** Size of `struct sigaction` as the kernel sees it: handler, flags, restorer, mask. */
export const SIGACTION_SIZE = 32;

// struct rt_sigframe (arch/x86/include/asm/sigframe.h): pretcode, ucontext, siginfo.
export const SIGFRAME_PRETCODE = 0;
export const SIGFRAME_UCONTEXT = 8;
/** uc_flags 8, uc_link 8, uc_stack 24, uc_mcontext 256, uc_sigmask 8. */
export const UCONTEXT_SIZE = 304;
export const UCONTEXT_STACK = 16;
export const UCONTEXT_MCONTEXT = 40;
export const UCONTEXT_SIGMASK = 296;
export const SIGFRAME_SIGINFO = SIGFRAME_UCONTEXT + UCONTEXT_SIZE;
export const SIGFRAME_SIZE = SIGFRAME_SIGINFO + SIGINFO_SIZE;
// struct sigcontext_64, offsets in uc_mcontext: r8-r15, di, si, bp, bx, dx, ax, cx, sp, ip, flags, segments, err, trapno, oldmask, cr2, fpstate.
export const SIGCONTEXT_RIP = 128;
export const SIGCONTEXT_EFLAGS = 136;
export const SIGCONTEXT_SEGMENTS = 144;
export const SIGCONTEXT_ERR = 152;
export const SIGCONTEXT_TRAPNO = 160;
export const SIGCONTEXT_OLDMASK = 168;
export const SIGCONTEXT_CR2 = 176;
export const SIGCONTEXT_FPSTATE = 184;

export const UC_FP_XSTATE = 1;
export const UC_SIGCONTEXT_SS = 2;
export const UC_STRICT_RESTORE_SS = 4;
export const FP_XSTATE_MAGIC1 = 0x4650_5853;
export const FP_XSTATE_MAGIC2 = 0x4650_5845;

/** Names by number, for strace and messages; index 0 is unused. */
export const SIGNAL_NAMES: readonly string[] = [
  '', 'SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGILL', 'SIGTRAP', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGKILL', 'SIGUSR1',
  'SIGSEGV', 'SIGUSR2', 'SIGPIPE', 'SIGALRM', 'SIGTERM', 'SIGSTKFLT', 'SIGCHLD', 'SIGCONT', 'SIGSTOP', 'SIGTSTP',
  'SIGTTIN', 'SIGTTOU', 'SIGURG', 'SIGXCPU', 'SIGXFSZ', 'SIGVTALRM', 'SIGPROF', 'SIGWINCH', 'SIGIO', 'SIGPWR', 'SIGSYS',
];
