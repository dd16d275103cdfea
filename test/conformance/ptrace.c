/* ptrace(2): who traces whom, stops, registers, memory, signals. Calls and events are in ptrace_calls.c. */
#include "ptrace.h"
#include <sched.h>
#include <sys/prctl.h>

static volatile long variable = 41;

static int seven(void) { return 7; }
static int shows_variable(void) { return (int)variable; }

CHECK(traceme_stops_at_signals) { ends_with(traced(seven), 7); }

CHECK(traceme_twice) {
  pid_t pid = OK(fork());
  if (pid == 0) {
    OK(trace(PTRACE_TRACEME, 0, 0, 0));
    EXPECT_ERRNO(EPERM, trace(PTRACE_TRACEME, 0, 0, 0));
    _exit(0);
  }
  EXPECT_EQ(0, wait_for(pid));
}

CHECK(stop_is_seen_without_wuntraced) {
  pid_t pid = traced(seven);
  EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG));
  ends_with(pid, 7);
}

CHECK(waitid_tells_trapped) {
  pid_t pid = OK(fork());
  if (pid == 0) {
    trace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGUSR1);
    _exit(0);
  }
  siginfo_t info = {0};
  OK(waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
  EXPECT_EQ(CLD_TRAPPED, info.si_code);
  EXPECT_EQ(SIGUSR1, info.si_status);
  EXPECT_EQ(pid, info.si_pid);
  EXPECT_EQ(SIGCHLD, info.si_signo);
  EXPECT_EQ(STOP_OF(SIGUSR1), wait_for(pid));
  ends_with(pid, 0);
}

static volatile sig_atomic_t child_code, child_status, children;
static void on_child(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)context;
  children++;
  child_code = info->si_code;
  child_status = info->si_status;
}

CHECK(tracer_gets_sigchld) {
  struct sigaction action = {.sa_sigaction = on_child, .sa_flags = SA_SIGINFO | SA_RESTART};
  OK(sigaction(SIGCHLD, &action, NULL));
  pid_t pid = traced(seven);
  EXPECT_EQ(CLD_TRAPPED, child_code);
  EXPECT_EQ(SIGSTOP, child_status);
  ends_with(pid, 7);
  EXPECT_EQ(CLD_EXITED, child_code);
  EXPECT_EQ(2, children);
}

CHECK(no_sigchld_with_nocldstop) {
  struct sigaction action = {.sa_sigaction = on_child, .sa_flags = SA_SIGINFO | SA_RESTART | SA_NOCLDSTOP};
  OK(sigaction(SIGCHLD, &action, NULL));
  pid_t pid = traced(seven);
  EXPECT_EQ(0, children);
  ends_with(pid, 7);
}

CHECK(peek_and_poke) {
  pid_t pid = traced(shows_variable);
  EXPECT_EQ(41, peek(pid, &variable));
  OK(trace(PTRACE_POKEDATA, pid, (unsigned long)&variable, 42));
  EXPECT_EQ(42, peek(pid, &variable));
  EXPECT_EQ(41, variable);
  ends_with(pid, 42);
}

CHECK(peek_unaligned_and_all_bits) {
  static volatile unsigned char bytes[24];
  pid_t pid = traced(seven);
  OK(trace(PTRACE_POKEDATA, pid, (unsigned long)bytes + 3, 0xfedcba9876543210));
  EXPECT(peek(pid, bytes + 3) == 0xfedcba9876543210);
  EXPECT(peek(pid, bytes) == 0x9876543210000000);
  EXPECT_EQ(0, peek(pid, bytes + 11));
  ends_with(pid, 7);
}

CHECK(peek_what_is_not_there) {
  pid_t pid = traced(seven);
  unsigned long word;
  EXPECT_ERRNO(EIO, trace(PTRACE_PEEKDATA, pid, 0, (unsigned long)&word));
  EXPECT_ERRNO(EIO, trace(PTRACE_POKEDATA, pid, 8, 1));
  EXPECT_ERRNO(EFAULT, trace(PTRACE_PEEKDATA, pid, (unsigned long)&variable, 8));
  ends_with(pid, 7);
}

CHECK(poke_into_read_only) {
  char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char *none = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  pid_t pid = traced(seven);
  OK(trace(PTRACE_POKEDATA, pid, (unsigned long)page + 16, 77));
  EXPECT_EQ(77, peek(pid, page + 16));
  EXPECT_EQ(0, page[16]);
  EXPECT_EQ(0, peek(pid, none));
  ends_with(pid, 7);
}

static int __attribute__((noinline)) five(void) {
  __asm__ volatile("nop; nop; nop; nop; nop; nop; nop; nop");
  return 5;
}
static int many_fives(void) {
  int sum = 0;
  for (int i = 0; i < 3; i++) sum += five();
  return sum;
}

/* int3 into code that the child shares with its parent as a file, after it was run there. */
CHECK(breakpoint) {
  EXPECT_EQ(15, many_fives());
  pid_t pid = traced(many_fives);
  unsigned long place = (unsigned long)five, word = peek(pid, five);
  OK(trace(PTRACE_POKETEXT, pid, place, (word & ~0xfful) | 0xcc));
  for (int i = 0; i < 3; i++) {
    RUNS_TO(STOP_OF(SIGTRAP), pid, PTRACE_CONT, 0);
    struct user_regs_struct registers = registers_of(pid);
    EXPECT_EQ(place + 1, registers.rip);
    siginfo_t info;
    OK(trace(PTRACE_GETSIGINFO, pid, 0, (unsigned long)&info));
    EXPECT_EQ(SI_KERNEL, info.si_code);
    registers.rip = place;
    OK(trace(PTRACE_SETREGS, pid, 0, (unsigned long)&registers));
    OK(trace(PTRACE_POKETEXT, pid, place, word));
    RUNS_TO(STOP_OF(SIGTRAP), pid, PTRACE_SINGLESTEP, 0);
    OK(trace(PTRACE_POKETEXT, pid, place, (word & ~0xfful) | 0xcc));
  }
  OK(trace(PTRACE_POKETEXT, pid, place, word));
  EXPECT_EQ(15, many_fives());
  ends_with(pid, 15);
}

static volatile long enough;
static int hot_loop(void) {
  volatile unsigned sum = 0, rounds = 0;
  while (!enough) sum += five(), rounds++;
  return sum == 5 * rounds ? 1 : 2;
}

/* The code has long been translated when the breakpoint comes. */
CHECK(breakpoint_in_hot_code) {
  pid_t pid = traced(hot_loop);
  resume(pid, PTRACE_CONT, 0);
  struct timespec pause = {0, 100000000};
  nanosleep(&pause, NULL);
  OK(kill(pid, SIGUSR1));
  EXPECT_EQ(STOP_OF(SIGUSR1), wait_for(pid));
  unsigned long place = (unsigned long)five, word = peek(pid, five);
  OK(trace(PTRACE_POKETEXT, pid, place, (word & ~0xfful) | 0xcc));
  RUNS_TO(STOP_OF(SIGTRAP), pid, PTRACE_CONT, 0);
  struct user_regs_struct registers = registers_of(pid);
  EXPECT_EQ(place + 1, registers.rip);
  OK(trace(PTRACE_POKETEXT, pid, place, word));
  OK(trace(PTRACE_POKEDATA, pid, (unsigned long)&enough, 1));
  registers.rip = place;
  OK(trace(PTRACE_SETREGS, pid, 0, (unsigned long)&registers));
  ends_with(pid, 1);
}

/* Every instruction's address, in order. */
__asm__(".pushsection .text\n.globl steps_begin\nsteps_begin: mov $3, %eax\nsteps_loop: dec %eax\njnz steps_loop\ncall steps_leaf\nsteps_end: ret\nsteps_leaf: ret\n.popsection");
extern int steps_begin(void);
extern char steps_loop[], steps_end[], steps_leaf[];
static int takes_steps(void) {
  __asm__ volatile("int3; call steps_begin" ::: "rax", "memory");
  return 0;
}

CHECK(single_steps) {
  pid_t pid = traced(takes_steps);
  RUNS_TO(STOP_OF(SIGTRAP), pid, PTRACE_CONT, 0);
  unsigned long begin = (unsigned long)steps_begin, loop = (unsigned long)steps_loop;
  unsigned long wanted[] = {begin, loop, loop + 2, loop, loop + 2, loop, loop + 2, loop + 4, (unsigned long)steps_leaf, (unsigned long)steps_end};
  for (unsigned i = 0; i < sizeof wanted / sizeof *wanted; i++) {
    RUNS_TO(STOP_OF(SIGTRAP), pid, PTRACE_SINGLESTEP, 0);
    EXPECT_EQ((long)(wanted[i] - begin), (long)(registers_of(pid).rip - begin));
    siginfo_t info;
    OK(trace(PTRACE_GETSIGINFO, pid, 0, (unsigned long)&info));
    EXPECT_EQ(TRAP_TRACE, info.si_code);
    EXPECT_EQ(registers_of(pid).rip, (unsigned long)info.si_addr);
  }
  ends_with(pid, 0);
}

static int asks_for_pid(void) {
  long pid;
  __asm__ volatile("int3; syscall; nop" : "=a"(pid) : "a"(SYS_getpid) : "rcx", "r11", "memory");
  return pid == getpid() ? 0 : 1;
}

CHECK(step_over_a_call) {
  pid_t pid = traced(asks_for_pid);
  RUNS_TO(STOP_OF(SIGTRAP), pid, PTRACE_CONT, 0);
  unsigned long before = registers_of(pid).rip;
  RUNS_TO(STOP_OF(SIGTRAP), pid, PTRACE_SINGLESTEP, 0);
  EXPECT_EQ(2, registers_of(pid).rip - before);
  EXPECT_EQ(pid, registers_of(pid).rax);
  ends_with(pid, 0);
}

CHECK(registers) {
  pid_t pid = traced(seven);
  struct user_regs_struct registers = registers_of(pid);
  EXPECT_EQ(0x33, registers.cs);
  EXPECT_EQ(0x2b, registers.ss);
  EXPECT_EQ(0, registers.rax);
  EXPECT_EQ(SYS_tgkill, registers.orig_rax);
  EXPECT_EQ(0x200, registers.eflags & 0x200);
  unsigned long word;
  OK(trace(PTRACE_PEEKUSR, pid, offsetof(struct user, regs.rsp), (unsigned long)&word));
  EXPECT_EQ(registers.rsp, word);
  OK(trace(PTRACE_PEEKUSR, pid, offsetof(struct user, regs.fs_base), (unsigned long)&word));
  EXPECT_EQ(registers.fs_base, word);
  EXPECT(word != 0);
  OK(trace(PTRACE_POKEUSR, pid, offsetof(struct user, regs.r15), 0x123456789abcdef0));
  EXPECT(registers_of(pid).r15 == 0x123456789abcdef0);
  OK(trace(PTRACE_POKEUSR, pid, offsetof(struct user, regs.r15), registers.r15));
  EXPECT_ERRNO(EIO, trace(PTRACE_PEEKUSR, pid, sizeof(struct user) + 16, (unsigned long)&word));
  EXPECT_ERRNO(EIO, trace(PTRACE_PEEKUSR, pid, 4, (unsigned long)&word));
  EXPECT_ERRNO(EIO, trace(PTRACE_POKEUSR, pid, offsetof(struct user, regs.cs), 0));
  EXPECT_ERRNO(EIO, trace(PTRACE_POKEUSR, pid, offsetof(struct user, regs.fs_base), 1ul << 63));
  OK(trace(PTRACE_PEEKUSR, pid, offsetof(struct user, u_debugreg[7]), (unsigned long)&word));
  EXPECT_EQ(0, word & 0xff);
  ends_with(pid, 7);
}

CHECK(flags_that_may_change) {
  pid_t pid = traced(seven);
  unsigned long before = registers_of(pid).eflags, after;
  OK(trace(PTRACE_POKEUSR, pid, offsetof(struct user, regs.eflags), 0x3000 | 0xc0000000 | 1));
  after = registers_of(pid).eflags;
  EXPECT_EQ(1, after & 1);
  EXPECT_EQ(0, after & 0x3000);
  EXPECT_EQ(0x200, after & 0x200);
  OK(trace(PTRACE_POKEUSR, pid, offsetof(struct user, regs.eflags), before));
  ends_with(pid, 7);
}

CHECK(register_sets) {
  pid_t pid = traced(seven);
  struct user_regs_struct registers, same = registers_of(pid);
  struct iovec vector = {&registers, 4096};
  OK(trace(PTRACE_GETREGSET, pid, NT_PRSTATUS, (unsigned long)&vector));
  EXPECT_EQ(sizeof registers, vector.iov_len);
  EXPECT_EQ(0, memcmp(&registers, &same, sizeof same));
  vector.iov_len = 16;
  registers.r14 = 5;
  OK(trace(PTRACE_SETREGSET, pid, NT_PRSTATUS, (unsigned long)&vector));
  EXPECT_EQ(16, vector.iov_len);
  EXPECT_EQ(5, registers_of(pid).r14);
  EXPECT_EQ(same.rbx, registers_of(pid).rbx);
  vector.iov_len = 12;
  EXPECT_ERRNO(EINVAL, trace(PTRACE_GETREGSET, pid, NT_PRSTATUS, (unsigned long)&vector));
  vector.iov_len = 16;
  EXPECT_ERRNO(EINVAL, trace(PTRACE_GETREGSET, pid, 12345, (unsigned long)&vector));
  EXPECT_ERRNO(EFAULT, trace(PTRACE_GETREGSET, pid, NT_PRSTATUS, 8));
  ends_with(pid, 7);
}

static volatile long watched[4];
static int changes(void) {
  for (int i = 0; i < 5; i++) watched[1] = i, watched[0] = i;
  watched[2] = 77;
  return five();
}

static void set_debug(pid_t pid, int index, unsigned long value) {
  OK(trace(PTRACE_POKEUSR, pid, offsetof(struct user, u_debugreg) + 8 * index, value));
}
static unsigned long debug(pid_t pid, int index) {
  unsigned long value;
  OK(trace(PTRACE_PEEKUSR, pid, offsetof(struct user, u_debugreg) + 8 * index, (unsigned long)&value));
  return value;
}

CHECK(watchpoint) {
  pid_t pid = traced(changes);
  set_debug(pid, 0, (unsigned long)&watched[2]);
  set_debug(pid, 7, 1 | 0x9 << 16);
  EXPECT_EQ((long)&watched[2], debug(pid, 0));
  RUNS_TO(STOP_OF(SIGTRAP), pid, PTRACE_CONT, 0);
  siginfo_t info;
  OK(trace(PTRACE_GETSIGINFO, pid, 0, (unsigned long)&info));
  EXPECT_EQ(4, info.si_code);
  EXPECT_EQ(77, peek(pid, &watched[2]));
  EXPECT_EQ(4, peek(pid, &watched[1]));
  EXPECT_EQ(1, debug(pid, 6) & 15);
  set_debug(pid, 7, 0);
  ends_with(pid, 5);
}

CHECK(hardware_breakpoint) {
  pid_t pid = traced(many_fives);
  set_debug(pid, 2, (unsigned long)five);
  set_debug(pid, 7, 1 << 4);
  for (int i = 0; i < 3; i++) {
    RUNS_TO(STOP_OF(SIGTRAP), pid, PTRACE_CONT, 0);
    EXPECT_EQ((unsigned long)five, registers_of(pid).rip);
    EXPECT_EQ(4, debug(pid, 6) & 15);
    set_debug(pid, 6, 0);
  }
  ends_with(pid, 15);
}

CHECK(debug_registers_are_checked) {
  pid_t pid = traced(seven);
  set_debug(pid, 0, (unsigned long)&watched[2] + 1);
  EXPECT_ERRNO(EINVAL, trace(PTRACE_POKEUSR, pid, offsetof(struct user, u_debugreg[7]), 1 | 0x9 << 16));
  EXPECT_ERRNO(EINVAL, trace(PTRACE_POKEUSR, pid, offsetof(struct user, u_debugreg[7]), 1 | 0x4 << 16));
  EXPECT_ERRNO(EIO, trace(PTRACE_POKEUSR, pid, offsetof(struct user, u_debugreg[4]), 1));
  EXPECT_EQ(0, debug(pid, 7));
  ends_with(pid, 7);
}

static double half = 0.5;
static int doubles(void) {
  int answer;
  __asm__ volatile("movsd %1, %%xmm5; int3; addsd %%xmm5, %%xmm5; cvttsd2si %%xmm5, %0" : "=r"(answer) : "m"(half) : "xmm5");
  return answer;
}

CHECK(floating_point_registers) {
  pid_t pid = traced(doubles);
  RUNS_TO(STOP_OF(SIGTRAP), pid, PTRACE_CONT, 0);
  struct user_fpregs_struct fp;
  OK(trace(PTRACE_GETFPREGS, pid, 0, (unsigned long)&fp));
  double value;
  memcpy(&value, (char *)fp.xmm_space + 5 * 16, sizeof value);
  EXPECT(value == 0.5);
  EXPECT_EQ(0x37f, fp.cwd);
  EXPECT_EQ(0x1f80, fp.mxcsr & 0x1fc0);
  value = 4.5;
  memcpy((char *)fp.xmm_space + 5 * 16, &value, sizeof value);
  OK(trace(PTRACE_SETFPREGS, pid, 0, (unsigned long)&fp));
  unsigned char state[8192] __attribute__((aligned(64)));
  struct iovec vector = {state, sizeof state};
  OK(trace(PTRACE_GETREGSET, pid, NT_X86_XSTATE, (unsigned long)&vector));
  EXPECT(vector.iov_len >= 576);
  EXPECT_EQ(0, memcmp(state + 160 + 5 * 16, &value, sizeof value));
  EXPECT_EQ(3, state[464] & 3);
  value = 10.5;
  memcpy(state + 160 + 5 * 16, &value, sizeof value);
  OK(trace(PTRACE_SETREGSET, pid, NT_X86_XSTATE, (unsigned long)&vector));
  ends_with(pid, 21);
}

/* ---- signals ---- */

static volatile sig_atomic_t got, got_code, got_value;
static void on_signal(int signal, siginfo_t *info, void *context) {
  (void)context;
  got = signal;
  got_code = info->si_code;
  got_value = info->si_value.sival_int;
}
static int raises_usr1(void) {
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
  sigaction(SIGUSR1, &action, NULL);
  sigaction(SIGUSR2, &action, NULL);
  union sigval value = {.sival_int = 9};
  sigqueue(getpid(), SIGUSR1, value);
  if (got == SIGUSR1) return got_value;
  return got == SIGUSR2 ? 20 + (got_code == SI_USER) : 30 + got;
}
static pid_t at_usr1(void) {
  pid_t pid = traced(raises_usr1);
  RUNS_TO(STOP_OF(SIGUSR1), pid, PTRACE_CONT, 0);
  return pid;
}

CHECK(signal_passes) {
  pid_t pid = at_usr1();
  RUNS_TO(EXIT_OF(9), pid, PTRACE_CONT, SIGUSR1);
}

CHECK(signal_is_suppressed) { ends_with(at_usr1(), 30); }

CHECK(signal_is_replaced) {
  pid_t pid = at_usr1();
  RUNS_TO(EXIT_OF(21), pid, PTRACE_CONT, SIGUSR2);
}

CHECK(signal_kills) {
  pid_t pid = at_usr1();
  RUNS_TO(SIGTERM, pid, PTRACE_CONT, SIGTERM);
}

CHECK(signal_number_out_of_range) {
  pid_t pid = at_usr1();
  EXPECT_ERRNO(EIO, trace(PTRACE_CONT, pid, 0, 65));
  ends_with(pid, 30);
}

CHECK(signal_information) {
  pid_t pid = at_usr1();
  siginfo_t info;
  OK(trace(PTRACE_GETSIGINFO, pid, 0, (unsigned long)&info));
  EXPECT_EQ(SIGUSR1, info.si_signo);
  EXPECT_EQ(SI_QUEUE, info.si_code);
  EXPECT_EQ(pid, info.si_pid);
  EXPECT_EQ(9, info.si_value.sival_int);
  info.si_value.sival_int = 13;
  OK(trace(PTRACE_SETSIGINFO, pid, 0, (unsigned long)&info));
  RUNS_TO(EXIT_OF(13), pid, PTRACE_CONT, SIGUSR1);
}

CHECK(signal_mask) {
  pid_t pid = traced(raises_usr1);
  unsigned long mask = ~0ul;
  OK(trace(PTRACE_GETSIGMASK, pid, 8, (unsigned long)&mask));
  EXPECT_EQ(0, mask);
  mask = 1ul << (SIGUSR1 - 1) | 1ul << (SIGKILL - 1);
  OK(trace(PTRACE_SETSIGMASK, pid, 8, (unsigned long)&mask));
  OK(trace(PTRACE_GETSIGMASK, pid, 8, (unsigned long)&mask));
  EXPECT_EQ(1ul << (SIGUSR1 - 1), mask);
  EXPECT_ERRNO(EINVAL, trace(PTRACE_GETSIGMASK, pid, 4, (unsigned long)&mask));
  ends_with(pid, 30);
}

CHECK(signals_that_wait) {
  pid_t pid = traced(seven);
  union sigval value = {.sival_int = 3};
  OK(sigqueue(pid, SIGUSR1, value));
  OK(sigqueue(pid, SIGRTMIN, value));
  struct { unsigned long offset; unsigned flags; int count; } wanted = {0, 1, 4};
  siginfo_t infos[4];
  EXPECT_EQ(2, trace(PTRACE_PEEKSIGINFO, pid, (unsigned long)&wanted, (unsigned long)infos));
  EXPECT_EQ(SIGUSR1, infos[0].si_signo);
  EXPECT_EQ(SIGRTMIN, infos[1].si_signo);
  wanted.offset = 1;
  EXPECT_EQ(1, trace(PTRACE_PEEKSIGINFO, pid, (unsigned long)&wanted, (unsigned long)infos));
  wanted.flags = 0;
  wanted.offset = 0;
  EXPECT_EQ(0, trace(PTRACE_PEEKSIGINFO, pid, (unsigned long)&wanted, (unsigned long)infos));
  wanted.flags = 2;
  EXPECT_ERRNO(EINVAL, trace(PTRACE_PEEKSIGINFO, pid, (unsigned long)&wanted, (unsigned long)infos));
  OK(kill(pid, SIGKILL));
  EXPECT_EQ(SIGKILL, wait_for(pid));
}

static int ignores(void) {
  signal(SIGUSR1, SIG_IGN);
  raise(SIGUSR1);
  return 4;
}
CHECK(ignored_signals_are_seen) {
  pid_t pid = traced(ignores);
  RUNS_TO(STOP_OF(SIGUSR1), pid, PTRACE_CONT, 0);
  RUNS_TO(EXIT_OF(4), pid, PTRACE_CONT, SIGUSR1);
}

static int faults(void) {
  *(volatile int *)16 = 1;
  return 0;
}
CHECK(faults_are_seen) {
  pid_t pid = traced(faults);
  RUNS_TO(STOP_OF(SIGSEGV), pid, PTRACE_CONT, 0);
  siginfo_t info;
  OK(trace(PTRACE_GETSIGINFO, pid, 0, (unsigned long)&info));
  EXPECT_EQ(16, (long)info.si_addr);
  EXPECT_EQ(SEGV_MAPERR, info.si_code);
  resume(pid, PTRACE_CONT, SIGSEGV);
  EXPECT_EQ(SIGSEGV, wait_for(pid) & 0x7f);
}

CHECK(kill_in_a_stop) {
  pid_t pid = traced(seven);
  OK(kill(pid, SIGKILL));
  EXPECT_EQ(SIGKILL, wait_for(pid));
}

CHECK(ptrace_kill) {
  pid_t pid = traced(seven);
  OK(trace(PTRACE_KILL, pid, 0, 0));
  EXPECT_EQ(SIGKILL, wait_for(pid));
}

CHECK(step_into_a_handler) {
  pid_t pid = at_usr1();
  RUNS_TO(STOP_OF(SIGTRAP), pid, PTRACE_SINGLESTEP, SIGUSR1);
  EXPECT_EQ((unsigned long)on_signal, registers_of(pid).rip);
  ends_with(pid, 9);
}

/* ---- attaching ---- */

static void wait_in_pipe(int fd) {
  char byte;
  while (read(fd, &byte, 1) < 0) {}
}
/* A child that reads a pipe until the parent writes; it ends with 6. */
static pid_t reader(int *fd) {
  int ends[2];
  OK(pipe(ends));
  pid_t pid = OK(fork());
  if (pid == 0) {
    /* Where Yama restricts tracing to descendants: by anybody. */
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
    close(ends[1]);
    wait_in_pipe(ends[0]);
    _exit(6);
  }
  close(ends[0]);
  *fd = ends[1];
  return pid;
}
static void goes_on(int fd) { EXPECT_EQ(1, write(fd, "x", 1)); }

static char state_of(pid_t pid) {
  char path[64], text[4096];
  snprintf(path, sizeof path, "/proc/%d/status", pid);
  int fd = OK(open(path, O_RDONLY));
  text[OK(read(fd, text, sizeof text - 1))] = 0;
  close(fd);
  return strstr(text, "State:\t")[7];
}
static int tracer_of(pid_t pid) {
  char path[64], text[4096];
  snprintf(path, sizeof path, "/proc/%d/status", pid);
  int fd = OK(open(path, O_RDONLY));
  text[OK(read(fd, text, sizeof text - 1))] = 0;
  close(fd);
  return atoi(strstr(text, "TracerPid:\t") + 11);
}

CHECK(attach_and_detach) {
  int fd;
  pid_t pid = reader(&fd);
  OK(trace(PTRACE_ATTACH, pid, 0, 0));
  EXPECT_EQ(STOP_OF(SIGSTOP), wait_for(pid));
  EXPECT_EQ('t', state_of(pid));
  EXPECT_EQ(getpid(), tracer_of(pid));
  OK(trace(PTRACE_DETACH, pid, 0, 0));
  EXPECT_EQ(0, tracer_of(pid));
  goes_on(fd);
  EXPECT_EQ(EXIT_OF(6), wait_for(pid));
}

CHECK(detach_with_a_signal) {
  int fd;
  pid_t pid = reader(&fd);
  OK(trace(PTRACE_ATTACH, pid, 0, 0));
  EXPECT_EQ(STOP_OF(SIGSTOP), wait_for(pid));
  OK(trace(PTRACE_DETACH, pid, 0, SIGTERM));
  EXPECT_EQ(SIGTERM, wait_for(pid));
}

CHECK(attach_refused) {
  EXPECT_ERRNO(EPERM, trace(PTRACE_ATTACH, getpid(), 0, 0));
  EXPECT_ERRNO(ESRCH, trace(PTRACE_ATTACH, 0x3ffffff, 0, 0));
  pid_t pid = traced(seven);
  EXPECT_ERRNO(EPERM, trace(PTRACE_ATTACH, pid, 0, 0));
  EXPECT_ERRNO(EPERM, trace(PTRACE_SEIZE, pid, 0, 0));
  ends_with(pid, 7);
}

CHECK(requests_need_a_stop) {
  int fd;
  unsigned long word;
  pid_t pid = reader(&fd);
  EXPECT_ERRNO(ESRCH, trace(PTRACE_CONT, pid, 0, 0));
  OK(trace(PTRACE_SEIZE, pid, 0, 0));
  EXPECT_ERRNO(ESRCH, trace(PTRACE_PEEKDATA, pid, (unsigned long)&variable, (unsigned long)&word));
  EXPECT_ERRNO(ESRCH, trace(PTRACE_CONT, pid, 0, 0));
  EXPECT_ERRNO(ESRCH, trace(PTRACE_DETACH, pid, 0, 0));
  goes_on(fd);
  EXPECT_EQ(EXIT_OF(6), wait_for(pid));
}

CHECK(unknown_request) {
  pid_t pid = traced(seven);
  EXPECT_ERRNO(EIO, trace(0x4300, pid, 0, 0));
  ends_with(pid, 7);
}

CHECK(seize_and_interrupt) {
  int fd;
  pid_t pid = reader(&fd);
  EXPECT_ERRNO(EIO, trace(PTRACE_SEIZE, pid, 8, 0));
  EXPECT_ERRNO(EIO, trace(PTRACE_SEIZE, pid, 0, 1 << 12));
  OK(trace(PTRACE_SEIZE, pid, 0, 0));
  EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG));
  OK(trace(PTRACE_INTERRUPT, pid, 0, 0));
  EXPECT_EQ(EVENT_OF(PTRACE_EVENT_STOP), wait_for(pid));
  siginfo_t info;
  OK(trace(PTRACE_GETSIGINFO, pid, 0, (unsigned long)&info));
  EXPECT_EQ(SIGTRAP, info.si_signo);
  EXPECT_EQ(SIGTRAP | PTRACE_EVENT_STOP << 8, info.si_code);
  resume(pid, PTRACE_CONT, 0);
  goes_on(fd);
  EXPECT_EQ(EXIT_OF(6), wait_for(pid));
}

CHECK(interrupt_needs_seize) {
  pid_t pid = traced(seven);
  EXPECT_ERRNO(EIO, trace(PTRACE_INTERRUPT, pid, 0, 0));
  EXPECT_ERRNO(EIO, trace(PTRACE_LISTEN, pid, 0, 0));
  ends_with(pid, 7);
}

static int stops_itself(void) {
  raise(SIGSTOP);
  return 8;
}

CHECK(group_stop_of_attached) {
  pid_t pid = traced(stops_itself);
  RUNS_TO(STOP_OF(SIGSTOP), pid, PTRACE_CONT, 0);
  siginfo_t info;
  OK(trace(PTRACE_GETSIGINFO, pid, 0, (unsigned long)&info));
  RUNS_TO(STOP_OF(SIGSTOP), pid, PTRACE_CONT, SIGSTOP);
  EXPECT_ERRNO(EINVAL, trace(PTRACE_GETSIGINFO, pid, 0, (unsigned long)&info));
  ends_with(pid, 8);
}

CHECK(group_stop_of_seized) {
  int fd;
  pid_t pid = reader(&fd);
  OK(trace(PTRACE_SEIZE, pid, 0, 0));
  OK(kill(pid, SIGTSTP));
  EXPECT_EQ(STOP_OF(SIGTSTP), wait_for(pid));
  resume(pid, PTRACE_CONT, SIGTSTP);
  int status = wait_for(pid);
  /* An orphaned group does not stop at SIGTSTP. */
  if (status != STOP_OF(SIGTSTP | PTRACE_EVENT_STOP << 8)) FAIL("status %x", status);
  resume(pid, PTRACE_LISTEN, 0);
  EXPECT_EQ('t', state_of(pid));
  EXPECT_ERRNO(ESRCH, trace(PTRACE_CONT, pid, 0, 0));
  OK(kill(pid, SIGCONT));
  EXPECT_EQ(EVENT_OF(PTRACE_EVENT_STOP), wait_for(pid));
  RUNS_TO(STOP_OF(SIGCONT), pid, PTRACE_CONT, 0);
  resume(pid, PTRACE_CONT, SIGCONT);
  goes_on(fd);
  EXPECT_EQ(EXIT_OF(6), wait_for(pid));
}

CHECK(seize_a_stopped_process) {
  int fd, status;
  pid_t pid = reader(&fd);
  OK(kill(pid, SIGSTOP));
  EXPECT_EQ(pid, waitpid(pid, &status, WUNTRACED));
  EXPECT_EQ(STOP_OF(SIGSTOP), status);
  OK(trace(PTRACE_SEIZE, pid, 0, 0));
  EXPECT_EQ(STOP_OF(SIGSTOP | PTRACE_EVENT_STOP << 8), wait_for(pid));
  OK(trace(PTRACE_DETACH, pid, 0, 0));
  while (state_of(pid) != 'T') sched_yield();
  OK(kill(pid, SIGCONT));
  goes_on(fd);
  EXPECT_EQ(EXIT_OF(6), wait_for(pid));
}

CHECK(tracer_ends) {
  int fd, ready[2];
  char byte;
  pid_t pid = reader(&fd);
  OK(pipe(ready));
  pid_t tracer = OK(fork());
  if (tracer == 0) {
    OK(trace(PTRACE_ATTACH, pid, 0, 0));
    EXPECT_EQ(STOP_OF(SIGSTOP), wait_for(pid));
    EXPECT_EQ(1, write(ready[1], "x", 1));
    _exit(0);
  }
  EXPECT_EQ(1, read(ready[0], &byte, 1));
  EXPECT_EQ(0, wait_for(tracer));
  EXPECT_EQ(0, tracer_of(pid));
  goes_on(fd);
  EXPECT_EQ(EXIT_OF(6), wait_for(pid));
}

CHECK(tracer_ends_with_exitkill) {
  int fd;
  pid_t pid = reader(&fd);
  pid_t tracer = OK(fork());
  if (tracer == 0) {
    OK(trace(PTRACE_SEIZE, pid, 0, PTRACE_O_EXITKILL));
    _exit(0);
  }
  EXPECT_EQ(0, wait_for(tracer));
  EXPECT_EQ(SIGKILL, wait_for(pid));
}

/* The real parent hears of the end only after the tracer. */
CHECK(tracer_waits_before_the_parent) {
  int fd, order[2];
  char byte;
  pid_t pid = reader(&fd);
  OK(pipe(order));
  pid_t tracer = OK(fork());
  if (tracer == 0) {
    OK(trace(PTRACE_SEIZE, pid, 0, 0));
    goes_on(fd);
    siginfo_t info;
    OK(waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
    EXPECT_EQ(1, write(order[1], "x", 1));
    struct timespec pause = {0, 50000000};
    nanosleep(&pause, NULL);
    EXPECT_EQ(EXIT_OF(6), wait_for(pid));
    EXPECT_ERRNO(ECHILD, waitpid(pid, NULL, 0));
    _exit(0);
  }
  EXPECT_EQ(1, read(order[0], &byte, 1));
  EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG));
  EXPECT_EQ(EXIT_OF(6), wait_for(pid));
  EXPECT_EQ(0, wait_for(tracer));
}

CHECK_ROOT(user_must_not_trace_root) {
  int fd;
  pid_t pid = reader(&fd);
  pid_t user = OK(fork());
  if (user == 0) {
    OK(setgid(ORDINARY_ID));
    OK(setuid(ORDINARY_ID));
    EXPECT_ERRNO(EPERM, trace(PTRACE_ATTACH, pid, 0, 0));
    EXPECT_ERRNO(EPERM, trace(PTRACE_SEIZE, pid, 0, 0));
    _exit(0);
  }
  EXPECT_EQ(0, wait_for(user));
  goes_on(fd);
  EXPECT_EQ(EXIT_OF(6), wait_for(pid));
}

CHECK_USER(undumpable_is_not_traced) {
  int ready[2];
  char byte;
  OK(pipe(ready));
  pid_t pid = OK(fork());
  if (pid == 0) {
    OK(prctl(PR_SET_DUMPABLE, 0));
    EXPECT_EQ(1, write(ready[1], "x", 1));
    pause();
    _exit(0);
  }
  EXPECT_EQ(1, read(ready[0], &byte, 1));
  EXPECT_ERRNO(EPERM, trace(PTRACE_ATTACH, pid, 0, 0));
  OK(kill(pid, SIGKILL));
  EXPECT_EQ(SIGKILL, wait_for(pid));
}

CHECK(proc_mem_writes_code) {
  pid_t pid = traced(many_fives);
  char path[64];
  unsigned char byte = 0xcc, old;
  snprintf(path, sizeof path, "/proc/%d/mem", pid);
  int fd = OK(open(path, O_RDWR));
  EXPECT_EQ(1, pread(fd, &old, 1, (long)five));
  EXPECT_EQ(1, pwrite(fd, &byte, 1, (long)five));
  RUNS_TO(STOP_OF(SIGTRAP), pid, PTRACE_CONT, 0);
  EXPECT_EQ((unsigned long)five + 1, registers_of(pid).rip);
  OK(kill(pid, SIGKILL));
  EXPECT_EQ(SIGKILL, wait_for(pid));
}

CHECK(proc_syscall) {
  int fd;
  char path[64], text[256];
  pid_t pid = reader(&fd);
  OK(trace(PTRACE_ATTACH, pid, 0, 0));
  EXPECT_EQ(STOP_OF(SIGSTOP), wait_for(pid));
  OK(trace(PTRACE_DETACH, pid, 0, 0));
  snprintf(path, sizeof path, "/proc/%d/syscall", pid);
  for (;;) {
    int file = OK(open(path, O_RDONLY));
    text[OK(read(file, text, sizeof text - 1))] = 0;
    close(file);
    if (strncmp(text, "running", 7) != 0) break;
    sched_yield();
  }
  long number;
  unsigned long first, count;
  EXPECT_EQ(3, sscanf(text, "%ld 0x%lx 0x%*x 0x%lx", &number, &first, &count));
  EXPECT_EQ(SYS_read, number);
  EXPECT_EQ(1, count);
  goes_on(fd);
  EXPECT_EQ(EXIT_OF(6), wait_for(pid));
}
