/* Signals and calls: interruption, timers, alternate stacks, groups, threads, signals of files. */
#include "signals.h"
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <pthread.h>
#include <setjmp.h>
#include <sys/time.h>
#include <sys/ucontext.h>
#include <ucontext.h>

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
