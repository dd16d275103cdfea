/* Delivery of signals: information, masks, queues, the frame of a handler. */
#include "signals.h"
#include <pthread.h>
#include <sys/time.h>
#include <sys/ucontext.h>
#include <ucontext.h>

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

static void allow_page(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)context;
  seen = *info;
  count++;
  mprotect((void *)((uintptr_t)info->si_addr & ~4095UL), 4096, PROT_READ | PROT_WRITE);
}

/* Neighbours by way of one register, before and behind the end of a page. */
__attribute__((noinline)) static void touch_neighbours(volatile long *border) {
  border[-2] += 1;
  border[-1] = border[-2];
  border[0] += border[-1];
  border[1] = border[0];
}

CHECK(hot_code_faults_at_the_access_that_may_not_be) {
  struct sigaction action;
  char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  volatile long *border = (long *)(pages + 4096);
  static const int protections[] = {PROT_NONE, PROT_NONE, PROT_READ};
  memset(&action, 0, sizeof action);
  action.sa_sigaction = allow_page;
  action.sa_flags = SA_SIGINFO;
  OK(sigaction(SIGSEGV, &action, NULL));
  for (int i = 0; i < 3; i++) {
    for (int run = 0; run < 400000; run++) touch_neighbours(border);
    EXPECT_EQ(i, count);
    long steps = border[-2], sum = border[0];
    OK(mprotect(pages + 4096, 4096, protections[i]));
    touch_neighbours(border);
    EXPECT_EQ(i + 1, count);
    EXPECT_EQ((long)border, (long)seen.si_addr);
    EXPECT_EQ(SEGV_ACCERR, seen.si_code);
    EXPECT_EQ(steps + 1, border[-2]);
    EXPECT_EQ(steps + 1, border[-1]);
    EXPECT_EQ(sum + steps + 1, border[0]);
    EXPECT_EQ(border[0], border[1]);
  }
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

static volatile int waits_for_turn = 1;

static void do_nothing(int signal) { (void)signal; }

static void *signal_itself(void *argument) {
  (void)argument;
  while (waits_for_turn) raise(SIGUSR1);
  return NULL;
}

CHECK(thread_that_signals_itself_leaves_others_their_turn) {
  pthread_t thread;
  signal(SIGUSR1, do_nothing);
  EXPECT_EQ(0, pthread_create(&thread, NULL, signal_itself, NULL));
  sleep_ms(20);
  for (int turn = 0; turn < 20; turn++) sched_yield();
  waits_for_turn = 0;
  EXPECT_EQ(0, pthread_join(thread, NULL));
}
