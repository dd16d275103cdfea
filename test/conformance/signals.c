/* Signals: sigaction(2), sigaltstack(2), sigqueue(3), masks, restart, timers that signal: signal(7). */
#include "check.h"
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <pthread.h>
#include <setjmp.h>
#include <sys/time.h>
#include <sys/ucontext.h>
#include <ucontext.h>

static volatile sig_atomic_t count, last, order[64], nested;
static siginfo_t seen;
static void *volatile handler_stack;

static void count_it(int signal) {
  order[count++ % 64] = signal;
  last = signal;
  handler_stack = __builtin_frame_address(0);
}

static void keep_info(int signal, siginfo_t *info, void *context) {
  (void)context;
  count++;
  last = signal;
  seen = *info;
}

static void handle(int signal, void (*handler)(int), int flags) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  action.sa_flags = flags;
  OK(sigaction(signal, &action, NULL));
}

static void handle_info(int signal, int flags) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = keep_info;
  action.sa_flags = SA_SIGINFO | flags;
  OK(sigaction(signal, &action, NULL));
}

static sigset_t set_of(int a, int b) {
  sigset_t set;
  sigemptyset(&set);
  if (a) sigaddset(&set, a);
  if (b) sigaddset(&set, b);
  return set;
}

static void block(int a, int b) {
  sigset_t set = set_of(a, b);
  OK(sigprocmask(SIG_BLOCK, &set, NULL));
}

static void unblock(int a, int b) {
  sigset_t set = set_of(a, b);
  OK(sigprocmask(SIG_UNBLOCK, &set, NULL));
}

CHECK(raise_runs_handler) {
  handle(SIGUSR1, count_it, 0);
  OK(raise(SIGUSR1));
  EXPECT_EQ(1, count);
  EXPECT_EQ(SIGUSR1, last);
}

CHECK(kill_self_is_delivered_before_return) {
  handle(SIGUSR1, count_it, 0);
  for (int at = 1; at <= 10; at++) {
    OK(kill(getpid(), SIGUSR1));
    EXPECT_EQ(at, count);
  }
}

CHECK(info_of_kill) {
  handle_info(SIGUSR1, 0);
  OK(kill(getpid(), SIGUSR1));
  EXPECT_EQ(SI_USER, seen.si_code);
  EXPECT_EQ(getpid(), seen.si_pid);
  EXPECT_EQ(getuid(), seen.si_uid);
}

CHECK(info_of_raise_is_tkill) {
  handle_info(SIGUSR1, 0);
  OK(raise(SIGUSR1));
  EXPECT_EQ(SI_TKILL, seen.si_code);
}

CHECK(info_of_queue) {
  handle_info(SIGRTMIN, 0);
  OK(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 1234}));
  EXPECT_EQ(SI_QUEUE, seen.si_code);
  EXPECT_EQ(1234, seen.si_value.sival_int);
}

CHECK(info_of_child) {
  handle_info(SIGCHLD, 0);
  pid_t pid = FORK();
  if (pid == 0) _exit(9);
  while (count == 0) usleep(1000);
  EXPECT_EQ(CLD_EXITED, seen.si_code);
  EXPECT_EQ(pid, seen.si_pid);
  EXPECT_EQ(9, seen.si_status);
}

CHECK(info_of_killed_child) {
  handle_info(SIGCHLD, 0);
  pid_t pid = FORK();
  if (pid == 0) for (;;) pause();
  OK(kill(pid, SIGKILL));
  while (count == 0) usleep(1000);
  EXPECT_EQ(CLD_KILLED, seen.si_code);
  EXPECT_EQ(SIGKILL, seen.si_status);
}

CHECK(stop_notifies_unless_no_child_stop) {
  handle_info(SIGCHLD, 0);
  pid_t pid = FORK();
  if (pid == 0) for (;;) pause();
  OK(kill(pid, SIGSTOP));
  while (count == 0) usleep(1000);
  EXPECT_EQ(CLD_STOPPED, seen.si_code);
  handle_info(SIGCHLD, SA_NOCLDSTOP);
  count = 0;
  OK(kill(pid, SIGCONT));
  sleep_ms(30);
  EXPECT_EQ(0, count);
  OK(kill(pid, SIGKILL));
}

static void exit_with_code(int signal, siginfo_t *info, void *context) {
  (void)context;
  _exit(signal * 10 + info->si_code);
}

CHECK(info_of_division) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = exit_with_code;
  action.sa_flags = SA_SIGINFO;
  pid_t pid = FORK();
  if (pid == 0) {
    OK(sigaction(SIGFPE, &action, NULL));
    __asm__ volatile("xor %%ecx, %%ecx\n\txor %%edx, %%edx\n\tidivl %%ecx" : : "a"(1) : "ecx", "edx");
  }
  EXPECT_EQ((SIGFPE * 10 + FPE_INTDIV) << 8, WAIT(pid));
}

static void skip_instruction(int signal, siginfo_t *info, void *context) {
  ucontext_t *frame = context;
  count++;
  last = signal;
  seen = *info;
  frame->uc_mcontext.gregs[REG_RIP] += 2;
}

CHECK(illegal_instruction_can_be_skipped) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = skip_instruction;
  action.sa_flags = SA_SIGINFO;
  OK(sigaction(SIGILL, &action, NULL));
  __asm__ volatile("ud2");
  EXPECT_EQ(1, count);
  EXPECT_EQ(ILL_ILLOPN, seen.si_code);
}

CHECK(privileged_instruction_faults) {
  pid_t pid = FORK();
  if (pid == 0) {
    handle(SIGSEGV, (void (*)(int))_exit, 0);
    __asm__ volatile("hlt");
    _exit(99);
  }
  EXPECT_EQ(SIGSEGV << 8, WAIT(pid));
}

CHECK(breakpoint_traps) {
  handle_info(SIGTRAP, 0);
  __asm__ volatile("int3");
  EXPECT_EQ(1, count);
  EXPECT_EQ(SI_KERNEL, seen.si_code);
}

static void set_register(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)info;
  ucontext_t *frame = context;
  frame->uc_mcontext.gregs[REG_RBX] = 0x123456789abcdefL;
}

CHECK(handler_changes_registers) {
  struct sigaction action;
  long value = 5;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = set_register;
  action.sa_flags = SA_SIGINFO;
  OK(sigaction(SIGTRAP, &action, NULL));
  __asm__ volatile("mov $7, %%rbx\n\tint3\n\tmov %%rbx, %0" : "=r"(value) : : "rbx");
  EXPECT_EQ(0x123456789abcdefL, value);
}

static void spoil_vectors(int signal) {
  (void)signal;
  __asm__ volatile("pxor %%xmm0, %%xmm0\n\tpxor %%xmm9, %%xmm9\n\tfldpi" : : : "xmm0", "xmm9");
}

CHECK(handler_preserves_vector_registers) {
  double value = 2.5, other = 0;
  handle(SIGTRAP, spoil_vectors, 0);
  __asm__ volatile("movsd %1, %%xmm9\n\tint3\n\tmovsd %%xmm9, %0" : "=m"(other) : "m"(value) : "xmm9");
  EXPECT(other == 2.5);
}

CHECK(handler_preserves_flags_and_registers) {
  long same = 0, carry = 0;
  handle(SIGTRAP, count_it, 0);
  __asm__ volatile("mov $0x55, %%r12\n\tstc\n\tint3\n\tsetc %b1\n\tmov %%r12, %0" : "=r"(same), "+r"(carry) : : "r12");
  EXPECT_EQ(0x55, same);
  EXPECT_EQ(1, carry);
}

CHECK(red_zone_is_spared) {
  long value = 0;
  handle(SIGTRAP, count_it, 0);
  __asm__ volatile("movq $0x77, -64(%%rsp)\n\tint3\n\tmovq -64(%%rsp), %0" : "=r"(value) : : "memory");
  EXPECT_EQ(0x77, value);
}

static void send_again(int signal) {
  order[count++ % 64] = signal;
  if (count == 1) {
    raise(signal);
    nested = count;
  }
}

CHECK(own_signal_is_blocked_in_handler) {
  handle(SIGUSR1, send_again, 0);
  raise(SIGUSR1);
  EXPECT_EQ(1, nested);
  EXPECT_EQ(2, count);
}

CHECK(no_defer_nests) {
  handle(SIGUSR1, send_again, SA_NODEFER);
  raise(SIGUSR1);
  EXPECT_EQ(2, nested);
}

CHECK(reset_hand_restores_default) {
  struct sigaction old;
  handle(SIGUSR1, count_it, SA_RESETHAND);
  raise(SIGUSR1);
  OK(sigaction(SIGUSR1, NULL, &old));
  EXPECT(old.sa_handler == SIG_DFL);
  EXPECT_EQ(1, count);
}

static void raise_other(int signal) {
  order[count++ % 64] = signal;
  raise(SIGUSR2);
  nested = count;
}

CHECK(handler_mask_defers_others) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = raise_other;
  action.sa_mask = set_of(SIGUSR2, 0);
  handle(SIGUSR2, count_it, 0);
  OK(sigaction(SIGUSR1, &action, NULL));
  raise(SIGUSR1);
  EXPECT_EQ(1, nested);
  EXPECT_EQ(2, count);
  EXPECT_EQ(SIGUSR2, last);
}

CHECK(blocked_signal_waits) {
  sigset_t pending;
  handle(SIGUSR1, count_it, 0);
  block(SIGUSR1, 0);
  raise(SIGUSR1);
  raise(SIGUSR1);
  EXPECT_EQ(0, count);
  OK(sigpending(&pending));
  EXPECT(sigismember(&pending, SIGUSR1));
  unblock(SIGUSR1, 0);
  EXPECT_EQ(1, count);
}

CHECK(real_time_signals_queue_in_order) {
  handle(SIGRTMIN, count_it, 0);
  handle(SIGRTMIN + 1, count_it, 0);
  block(SIGRTMIN, SIGRTMIN + 1);
  for (int at = 0; at < 3; at++) sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = at}), sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = at});
  sigset_t set = set_of(SIGRTMIN, SIGRTMIN + 1);
  siginfo_t info;
  for (int at = 0; at < 3; at++) {
    EXPECT_EQ(SIGRTMIN, sigwaitinfo(&set, &info));
    EXPECT_EQ(at, info.si_value.sival_int);
  }
  for (int at = 0; at < 3; at++) {
    EXPECT_EQ(SIGRTMIN + 1, sigwaitinfo(&set, &info));
    EXPECT_EQ(at, info.si_value.sival_int);
  }
}

CHECK(ignored_signal_is_dropped) {
  sigset_t pending;
  signal(SIGUSR1, SIG_IGN);
  block(SIGUSR1, 0);
  raise(SIGUSR1);
  handle(SIGUSR1, count_it, 0);
  unblock(SIGUSR1, 0);
  OK(sigpending(&pending));
  EXPECT(!sigismember(&pending, SIGUSR1));
}

CHECK(setting_ignore_discards_pending) {
  block(SIGUSR1, 0);
  raise(SIGUSR1);
  signal(SIGUSR1, SIG_IGN);
  handle(SIGUSR1, count_it, 0);
  unblock(SIGUSR1, 0);
  EXPECT_EQ(0, count);
}

CHECK(kill_and_stop_cannot_be_blocked) {
  sigset_t all, now;
  sigfillset(&all);
  OK(sigprocmask(SIG_SETMASK, &all, NULL));
  OK(sigprocmask(SIG_BLOCK, NULL, &now));
  EXPECT(!sigismember(&now, SIGKILL) && !sigismember(&now, SIGSTOP) && sigismember(&now, SIGTERM));
}

CHECK(continue_discards_pending_stop) {
  block(SIGTSTP, 0);
  raise(SIGTSTP);
  raise(SIGCONT);
  sigset_t pending;
  OK(sigpending(&pending));
  EXPECT(!sigismember(&pending, SIGTSTP));
}

CHECK(fork_clears_pending_keeps_mask) {
  block(SIGUSR1, 0);
  raise(SIGUSR1);
  IN_CHILD {
    sigset_t pending, mask;
    OK(sigpending(&pending));
    EXPECT(!sigismember(&pending, SIGUSR1));
    OK(sigprocmask(SIG_BLOCK, NULL, &mask));
    EXPECT(sigismember(&mask, SIGUSR1));
  }
}

static void alarm_in(int ms) {
  struct itimerval timer = {{0, 0}, {ms / 1000, ms % 1000 * 1000}};
  OK(setitimer(ITIMER_REAL, &timer, NULL));
}

CHECK(read_is_interrupted) {
  int ends[2];
  char byte;
  OK(pipe(ends));
  handle(SIGALRM, count_it, 0);
  alarm_in(30);
  EXPECT_ERRNO(EINTR, read(ends[0], &byte, 1));
  EXPECT_EQ(1, count);
}

static int write_end;
static void write_byte(int signal) {
  (void)signal;
  count++;
  OK(write(write_end, "x", 1));
}

CHECK(read_is_restarted) {
  int ends[2];
  char byte;
  OK(pipe(ends));
  write_end = ends[1];
  handle(SIGALRM, write_byte, SA_RESTART);
  alarm_in(30);
  EXPECT_EQ(1, read(ends[0], &byte, 1));
}

CHECK(wait_is_restarted) {
  handle(SIGALRM, count_it, SA_RESTART);
  pid_t pid = FORK();
  if (pid == 0) {
    sleep_ms(100);
    _exit(3);
  }
  alarm_in(30);
  int status;
  EXPECT_EQ(pid, waitpid(pid, &status, 0));
  EXPECT_EQ(1, count);
}

CHECK(sleep_is_never_restarted_and_tells_rest) {
  struct timespec want = {5, 0}, left = {0, 0};
  handle(SIGALRM, count_it, SA_RESTART);
  alarm_in(50);
  EXPECT_ERRNO(EINTR, nanosleep(&want, &left));
  EXPECT(left.tv_sec == 4 && left.tv_nsec > 500000000);
}

CHECK(sleep_continues_after_stop) {
  long long started = now_ms();
  pid_t pid = FORK();
  if (pid == 0) {
    struct timespec want = {0, 200000000};
    _exit(nanosleep(&want, NULL) == 0 ? 1 : 2);
  }
  sleep_ms(20);
  OK(kill(pid, SIGSTOP));
  OK(kill(pid, SIGCONT));
  EXPECT_EQ(1 << 8, WAIT(pid));
  EXPECT(now_ms() - started >= 195);
}

CHECK(poll_is_never_restarted) {
  handle(SIGALRM, count_it, SA_RESTART);
  alarm_in(30);
  EXPECT_ERRNO(EINTR, syscall(SYS_poll, NULL, 0, 5000));
}

CHECK(pause_returns_after_handler) {
  handle(SIGALRM, count_it, SA_RESTART);
  alarm_in(30);
  EXPECT_ERRNO(EINTR, pause());
  EXPECT_EQ(1, count);
}

CHECK(suspend_swaps_mask) {
  sigset_t none, now;
  sigemptyset(&none);
  handle(SIGUSR1, count_it, 0);
  block(SIGUSR1, 0);
  raise(SIGUSR1);
  EXPECT_ERRNO(EINTR, sigsuspend(&none));
  EXPECT_EQ(1, count);
  OK(sigprocmask(SIG_BLOCK, NULL, &now));
  EXPECT(sigismember(&now, SIGUSR1));
}

CHECK(timed_wait_takes_signal) {
  sigset_t set = set_of(SIGUSR1, 0);
  struct timespec limit = {5, 0};
  siginfo_t info;
  block(SIGUSR1, 0);
  pid_t parent = getpid(), pid = FORK();
  if (pid == 0) {
    sleep_ms(20);
    kill(parent, SIGUSR1);
    _exit(0);
  }
  EXPECT_EQ(SIGUSR1, sigtimedwait(&set, &info, &limit));
  EXPECT_EQ(pid, info.si_pid);
}

static char alternate[65536];

CHECK(alternate_stack_is_used) {
  stack_t stack = {alternate, 0, sizeof alternate}, now;
  OK(sigaltstack(&stack, NULL));
  handle(SIGUSR1, count_it, SA_ONSTACK);
  raise(SIGUSR1);
  EXPECT((char *)handler_stack >= alternate && (char *)handler_stack < alternate + sizeof alternate);
  OK(sigaltstack(NULL, &now));
  EXPECT_EQ(0, now.ss_flags);
  handle(SIGUSR2, count_it, 0);
  raise(SIGUSR2);
  EXPECT(!((char *)handler_stack >= alternate && (char *)handler_stack < alternate + sizeof alternate));
}

static volatile int on_stack_flag, change_error;
static void look_at_stack(int signal) {
  stack_t now, off = {NULL, SS_DISABLE, 0};
  (void)signal;
  sigaltstack(NULL, &now);
  on_stack_flag = now.ss_flags;
  change_error = sigaltstack(&off, NULL) == -1 ? errno : 0;
}

CHECK(alternate_stack_cannot_change_while_in_use) {
  stack_t stack = {alternate, 0, sizeof alternate}, now;
  OK(sigaltstack(&stack, NULL));
  handle(SIGUSR1, look_at_stack, SA_ONSTACK);
  raise(SIGUSR1);
  EXPECT_EQ(SS_ONSTACK, on_stack_flag);
  EXPECT_EQ(EPERM, change_error);
  stack.ss_flags = SS_DISABLE;
  OK(sigaltstack(&stack, NULL));
  OK(sigaltstack(NULL, &now));
  EXPECT_EQ(SS_DISABLE, now.ss_flags);
}

static sigjmp_buf place;
static void jump_out(int signal) { siglongjmp(place, signal); }

CHECK(jump_out_of_handler_restores_mask) {
  sigset_t now;
  handle(SIGUSR1, jump_out, 0);
  for (int at = 0; at < 20; at++) {
    int value = sigsetjmp(place, 1);
    if (value == 0) raise(SIGUSR1), FAIL("no jump");
    EXPECT_EQ(SIGUSR1, value);
  }
  OK(sigprocmask(SIG_BLOCK, NULL, &now));
  EXPECT(!sigismember(&now, SIGUSR1));
}

static ucontext_t main_context, other_context;
static void run_other(void) {
  count = 5;
  swapcontext(&other_context, &main_context);
  count = 6;
}

CHECK(contexts_switch) {
  static char stack[65536];
  OK(getcontext(&other_context));
  other_context.uc_stack.ss_sp = stack;
  other_context.uc_stack.ss_size = sizeof stack;
  other_context.uc_link = &main_context;
  makecontext(&other_context, run_other, 0);
  OK(swapcontext(&main_context, &other_context));
  EXPECT_EQ(5, count);
  OK(swapcontext(&main_context, &other_context));
  EXPECT_EQ(6, count);
}

CHECK(interval_timer_repeats) {
  struct itimerval timer = {{0, 10000}, {0, 10000}}, now;
  handle(SIGALRM, count_it, 0);
  OK(setitimer(ITIMER_REAL, &timer, NULL));
  while (count < 5) pause();
  OK(getitimer(ITIMER_REAL, &now));
  EXPECT_EQ(10000, now.it_interval.tv_usec);
  memset(&timer, 0, sizeof timer);
  OK(setitimer(ITIMER_REAL, &timer, &now));
  EXPECT_EQ(10000, now.it_interval.tv_usec);
  count = 0;
  sleep_ms(30);
  EXPECT_EQ(0, count);
}

CHECK(virtual_timer_counts_processor_time) {
  struct itimerval timer = {{0, 0}, {0, 20000}};
  handle(SIGVTALRM, count_it, 0);
  OK(setitimer(ITIMER_VIRTUAL, &timer, NULL));
  while (count == 0) continue;
  EXPECT_EQ(SIGVTALRM, last);
}

CHECK(alarm_returns_rest) {
  EXPECT_EQ(0, alarm(100));
  unsigned rest = alarm(0);
  EXPECT(rest == 100 || rest == 99);
}

CHECK(busy_loop_is_interrupted) {
  handle(SIGALRM, count_it, 0);
  alarm_in(30);
  while (count == 0) continue;
  EXPECT_EQ(1, count);
}

CHECK(default_actions) {
  static const struct { int signal, status; } rows[] = {
      {SIGHUP, SIGHUP}, {SIGINT, SIGINT}, {SIGPIPE, SIGPIPE}, {SIGALRM, SIGALRM}, {SIGTERM, SIGTERM}, {SIGUSR1, SIGUSR1},
      {SIGVTALRM, SIGVTALRM}, {SIGPROF, SIGPROF}, {SIGIO, SIGIO}, {SIGPWR, SIGPWR}, {SIGSTKFLT, SIGSTKFLT}, {SIGCHLD, 0},
      {SIGURG, 0}, {SIGWINCH, 0}, {SIGCONT, 0}};
  for (unsigned at = 0; at < sizeof rows / sizeof *rows; at++) {
    pid_t pid = FORK();
    if (pid == 0) {
      signal(rows[at].signal, SIG_DFL);
      raise(rows[at].signal);
      _exit(0);
    }
    EXPECT_EQ(rows[at].status, WAIT(pid));
  }
}

CHECK(broken_pipe_signals) {
  int ends[2];
  OK(pipe(ends));
  close(ends[0]);
  handle(SIGPIPE, count_it, 0);
  EXPECT_ERRNO(EPIPE, write(ends[1], "x", 1));
  EXPECT_EQ(1, count);
}

CHECK(signal_to_group) {
  handle(SIGUSR1, count_it, 0);
  pid_t pid = FORK();
  if (pid == 0) {
    while (count == 0) usleep(1000);
    _exit(4);
  }
  OK(kill(0, SIGUSR1));
  EXPECT_EQ(1, count);
  EXPECT_EQ(4 << 8, WAIT(pid));
}

CHECK(async_io_signal) {
  int ends[2];
  OK(pipe(ends));
  handle_info(SIGIO, 0);
  handle_info(SIGRTMIN + 3, 0);
  OK(fcntl(ends[0], F_SETOWN, getpid()));
  OK(fcntl(ends[0], F_SETSIG, SIGRTMIN + 3));
  OK(fcntl(ends[0], F_SETFL, O_ASYNC | O_NONBLOCK));
  EXPECT_EQ(getpid(), fcntl(ends[0], F_GETOWN));
  OK(write(ends[1], "x", 1));
  for (int at = 0; at < 200 && count == 0; at++) usleep(1000);
  EXPECT_EQ(SIGRTMIN + 3, last);
  EXPECT_EQ(ends[0], seen.si_fd);
}

CHECK(async_io_of_a_socket_to_a_group) {
  int ends[2], on = 1;
  OK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
  handle_info(SIGIO, 0);
  EXPECT_ERRNO(ESRCH, fcntl(ends[0], F_SETOWN, 4000000));
  EXPECT_EQ(0, fcntl(ends[0], F_GETOWN));
  OK(fcntl(ends[0], F_SETOWN, -getpgrp()));
  EXPECT_EQ(-getpgrp(), fcntl(ends[0], F_GETOWN));
  OK(ioctl(ends[0], FIOASYNC, &on));
  EXPECT_EQ(O_ASYNC, fcntl(ends[0], F_GETFL) & O_ASYNC);
  OK(write(ends[1], "x", 1));
  for (int at = 0; at < 200 && count == 0; at++) usleep(1000);
  EXPECT_EQ(SIGIO, last);
  on = 0;
  OK(ioctl(ends[0], FIOASYNC, &on));
  count = 0;
  OK(write(ends[1], "x", 1));
  usleep(5000);
  EXPECT_EQ(0, count);
}

static void *wait_for_signal(void *argument) {
  (void)argument;
  sigset_t set = set_of(SIGUSR2, 0);
  int signal;
  pthread_sigmask(SIG_BLOCK, &set, NULL);
  sigwait(&set, &signal);
  return (void *)(long)signal;
}

CHECK(thread_directed_signal) {
  pthread_t thread;
  void *result;
  block(SIGUSR2, 0);
  EXPECT_RETURNS(0, pthread_create(&thread, NULL, wait_for_signal, NULL));
  EXPECT_RETURNS(0, pthread_kill(thread, SIGUSR2));
  EXPECT_RETURNS(0, pthread_join(thread, &result));
  EXPECT_EQ(SIGUSR2, (long)result);
}

static void *sleep_blocked(void *argument) {
  sleep_ms(50);
  return argument;
}

CHECK(process_signal_goes_to_unblocked_thread) {
  pthread_t thread;
  handle(SIGUSR1, count_it, 0);
  EXPECT_RETURNS(0, pthread_create(&thread, NULL, sleep_blocked, NULL));
  block(SIGUSR1, 0);
  OK(kill(getpid(), SIGUSR1));
  EXPECT_RETURNS(0, pthread_join(thread, NULL));
  EXPECT_EQ(1, count);
}

/* A handler whose stack is nowhere ends the process, whatever numbers say where it is. */
static int signal_on_stack(void *address, size_t size) {
  pid_t pid = FORK();
  if (pid == 0) {
    stack_t stack = {.ss_sp = address, .ss_size = size};
    OK(sigaltstack(&stack, NULL));
    handle(SIGUSR1, count_it, SA_ONSTACK);
    raise(SIGUSR1);
    _exit(0);
  }
  return WAIT(pid) & 0x7f;
}

CHECK(alternate_stack_nowhere) {
  EXPECT_EQ(0, signal_on_stack((void *)0x1000, 1UL << 62)); /* we are on it already */
  EXPECT_EQ(SIGSEGV, signal_on_stack((void *)0x7fffffffffffff00UL, 1UL << 62));
  EXPECT_EQ(SIGSEGV, signal_on_stack((void *)0x1000, 8192));
  EXPECT_EQ(SIGSEGV, signal_on_stack(KERNEL_ADDRESS, 8192));
}

CHECK(stack_pointer_nowhere) {
  for (unsigned long shift = 0; shift < 5; shift++) {
    pid_t pid = FORK();
    if (pid == 0) {
      handle(SIGUSR1, count_it, 0);
      long self = getpid();
      unsigned long where = (const unsigned long[]){-8UL, 1UL << 63, 1UL << 62, 64, 0xfffffffffffff000UL}[shift];
      __asm__ volatile("mov %0, %%rsp\n\tsyscall" : : "r"(where), "a"(SYS_kill), "D"(self), "S"((long)SIGUSR1) : "rcx", "r11", "memory");
      _exit(0);
    }
    EXPECT_EQ(SIGSEGV, WAIT(pid) & 0x7f);
  }
}
