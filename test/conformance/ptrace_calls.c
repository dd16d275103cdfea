/* ptrace(2): stops at calls, events of clone, exec and exit, threads, seccomp filters that ask the tracer. */
#include "ptrace.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <sys/prctl.h>
#include <time.h>

static int asks(void) { return syscall(SYS_getppid) == getppid() ? 3 : 4; }

#define CALL_STOP STOP_OF(SIGTRAP | 0x80)

/* To the next stop at a call, entry and exit. */
static int next_call(pid_t pid) {
  resume(pid, PTRACE_SYSCALL, 0);
  return wait_for(pid);
}

CHECK(entry_and_exit) {
  pid_t pid = traced_with(asks, PTRACE_O_TRACESYSGOOD);
  /* The end of the call that stopped it is behind; what follows are getppid twice. */
  for (int round = 0; round < 2; round++) {
    EXPECT_EQ(CALL_STOP, next_call(pid));
    while (registers_of(pid).orig_rax != SYS_getppid) {
      EXPECT_EQ(CALL_STOP, next_call(pid));
    }
    EXPECT_EQ(-ENOSYS, (long)registers_of(pid).rax);
    EXPECT_EQ(PTRACE_EVENTMSG_SYSCALL_ENTRY, message_of(pid));
    EXPECT_EQ(CALL_STOP, next_call(pid));
    EXPECT_EQ(SYS_getppid, registers_of(pid).orig_rax);
    EXPECT_EQ(getpid(), registers_of(pid).rax);
    EXPECT_EQ(PTRACE_EVENTMSG_SYSCALL_EXIT, message_of(pid));
  }
  ends_with(pid, 3);
}

CHECK(without_sysgood) {
  pid_t pid = traced(asks);
  EXPECT_EQ(STOP_OF(SIGTRAP), next_call(pid));
  siginfo_t info;
  OK(trace(PTRACE_GETSIGINFO, pid, 0, (unsigned long)&info));
  EXPECT_EQ(SIGTRAP, info.si_code);
  ends_with(pid, 3);
}

static void to_entry_of(pid_t pid, long number) {
  do EXPECT_EQ(CALL_STOP, next_call(pid));
  while ((long)registers_of(pid).orig_rax != number || (long)registers_of(pid).rax != -ENOSYS);
}

CHECK(syscall_info) {
  pid_t pid = traced_with(asks, PTRACE_O_TRACESYSGOOD);
  struct ptrace_syscall_info info;
  EXPECT_EQ(24, trace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, (unsigned long)&info));
  EXPECT_EQ(PTRACE_SYSCALL_INFO_NONE, info.op);
  EXPECT_EQ(AUDIT_ARCH_X86_64, info.arch);
  to_entry_of(pid, SYS_getppid);
  EXPECT_EQ(80, trace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, (unsigned long)&info));
  EXPECT_EQ(PTRACE_SYSCALL_INFO_ENTRY, info.op);
  EXPECT_EQ(SYS_getppid, info.entry.nr);
  EXPECT_EQ(registers_of(pid).rip, info.instruction_pointer);
  EXPECT_EQ(registers_of(pid).rsp, info.stack_pointer);
  EXPECT_EQ(CALL_STOP, next_call(pid));
  EXPECT_EQ(33, trace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, (unsigned long)&info));
  EXPECT_EQ(PTRACE_SYSCALL_INFO_EXIT, info.op);
  EXPECT_EQ(getpid(), info.exit.rval);
  EXPECT_EQ(0, info.exit.is_error);
  memset(&info, 0x55, sizeof info);
  EXPECT_EQ(33, trace(PTRACE_GET_SYSCALL_INFO, pid, 4, (unsigned long)&info));
  EXPECT_EQ(0x55555555, info.arch);
  ends_with(pid, 3);
}

static int closes(void) {
  errno = 0;
  int answer = syscall(SYS_close, 77);
  return answer == -1 ? errno : answer;
}

CHECK(call_is_skipped) {
  pid_t pid = traced_with(closes, PTRACE_O_TRACESYSGOOD);
  to_entry_of(pid, SYS_close);
  OK(trace(PTRACE_POKEUSR, pid, offsetof(struct user, regs.orig_rax), -1));
  EXPECT_EQ(CALL_STOP, next_call(pid));
  OK(trace(PTRACE_POKEUSR, pid, offsetof(struct user, regs.rax), 55));
  ends_with(pid, 55);
}

CHECK(call_is_replaced) {
  pid_t pid = traced_with(closes, PTRACE_O_TRACESYSGOOD);
  to_entry_of(pid, SYS_close);
  struct user_regs_struct registers = registers_of(pid);
  registers.orig_rax = SYS_getpgid;
  registers.rdi = 0x7fffffff;
  OK(trace(PTRACE_SETREGS, pid, 0, (unsigned long)&registers));
  ends_with(pid, ESRCH);
}

CHECK(emulation) {
  pid_t pid = traced(closes);
  long number;
  do {
    RUNS_TO(STOP_OF(SIGTRAP), pid, PTRACE_SYSEMU, 0);
    number = registers_of(pid).orig_rax;
    if (number != SYS_close) {
      /* Not ours: done as the program says. */
      struct user_regs_struct registers = registers_of(pid);
      registers.rip -= 2;
      registers.rax = number;
      OK(trace(PTRACE_SETREGS, pid, 0, (unsigned long)&registers));
      RUNS_TO(STOP_OF(SIGTRAP), pid, PTRACE_SYSCALL, 0);
      RUNS_TO(STOP_OF(SIGTRAP), pid, PTRACE_SYSCALL, 0);
    }
  } while (number != SYS_close);
  OK(trace(PTRACE_POKEUSR, pid, offsetof(struct user, regs.rax), 21));
  ends_with(pid, 21);
}

CHECK(options_are_checked) {
  pid_t pid = traced(asks);
  EXPECT_ERRNO(EINVAL, trace(PTRACE_SETOPTIONS, pid, 0, 1 << 8));
  EXPECT_ERRNO(EINVAL, trace(PTRACE_SETOPTIONS, pid, 0, -1));
  ends_with(pid, 3);
}

/* ---- interrupted calls ---- */

static volatile sig_atomic_t handled;
static void on_usr1(int signal) { (void)signal, handled++; }

static int sleeps(void) {
  struct timespec pause = {0, 300000000}, before, after;
  clock_gettime(CLOCK_MONOTONIC, &before);
  int answer = syscall(SYS_nanosleep, &pause, NULL);
  clock_gettime(CLOCK_MONOTONIC, &after);
  long ms = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
  return answer != 0 ? 50 + errno : ms >= 299 && ms < 5000 ? 0 : 2;
}

/* ERESTART_RESTARTBLOCK at the exit, then restart_syscall, with what is left of the time. */
CHECK(interrupted_sleep_goes_on) {
  pid_t pid = traced_with(sleeps, PTRACE_O_TRACESYSGOOD);
  to_entry_of(pid, SYS_nanosleep);
  resume(pid, PTRACE_SYSCALL, 0);
  OK(kill(pid, SIGURG));
  EXPECT_EQ(CALL_STOP, wait_for(pid));
  EXPECT_EQ(-516, (long)registers_of(pid).rax);
  EXPECT_EQ(STOP_OF(SIGURG), next_call(pid));
  RUNS_TO(CALL_STOP, pid, PTRACE_SYSCALL, SIGURG);
  EXPECT_EQ(SYS_restart_syscall, registers_of(pid).orig_rax);
  EXPECT_EQ(CALL_STOP, next_call(pid));
  EXPECT_EQ(0, registers_of(pid).rax);
  ends_with(pid, 0);
}

static int ends_of_pipe[2], pipe_flags;
static int reads(void) {
  char byte;
  struct sigaction action = {.sa_handler = on_usr1, .sa_flags = pipe_flags};
  sigaction(SIGUSR1, &action, NULL);
  errno = 0;
  int answer = read(ends_of_pipe[0], &byte, 1);
  return (handled ? 10 : 0) + (answer == 1 ? 1 : errno == EINTR ? 2 : 3);
}

static pid_t interrupted_read(int flags) {
  pipe_flags = flags;
  OK(pipe(ends_of_pipe));
  pid_t pid = traced_with(reads, PTRACE_O_TRACESYSGOOD);
  to_entry_of(pid, SYS_read);
  resume(pid, PTRACE_SYSCALL, 0);
  OK(kill(pid, SIGUSR1));
  EXPECT_EQ(CALL_STOP, wait_for(pid));
  EXPECT_EQ(-512, (long)registers_of(pid).rax);
  EXPECT_EQ(STOP_OF(SIGUSR1), next_call(pid));
  return pid;
}

CHECK(interrupted_read_fails) {
  pid_t pid = interrupted_read(0);
  RUNS_TO(EXIT_OF(12), pid, PTRACE_CONT, SIGUSR1);
}

CHECK(interrupted_read_starts_over) {
  pid_t pid = interrupted_read(SA_RESTART);
  resume(pid, PTRACE_CONT, SIGUSR1);
  EXPECT_EQ(1, write(ends_of_pipe[1], "x", 1));
  EXPECT_EQ(EXIT_OF(11), wait_for(pid));
}

CHECK(interrupted_read_without_its_signal) {
  pid_t pid = interrupted_read(0);
  resume(pid, PTRACE_CONT, 0);
  EXPECT_EQ(1, write(ends_of_pipe[1], "x", 1));
  EXPECT_EQ(EXIT_OF(1), wait_for(pid));
}

CHECK(detached_in_an_interrupted_read) {
  pid_t pid = interrupted_read(0);
  resume(pid, PTRACE_DETACH, 0);
  EXPECT_EQ(1, write(ends_of_pipe[1], "x", 1));
  EXPECT_EQ(EXIT_OF(1), wait_for(pid));
}

static int suspends(void) {
  struct sigaction action = {.sa_handler = on_usr1};
  sigset_t none, before, now;
  sigaction(SIGUSR1, &action, NULL);
  sigemptyset(&none);
  sigaddset(&none, SIGUSR2);
  sigprocmask(SIG_SETMASK, &none, NULL);
  sigprocmask(SIG_SETMASK, NULL, &before);
  sigemptyset(&none);
  int answer = sigsuspend(&none);
  sigprocmask(SIG_SETMASK, NULL, &now);
  return answer == -1 && errno == EINTR && handled == 1 && memcmp(&before, &now, 8) == 0 ? 5 : 6;
}

CHECK(suspend_goes_on_without_a_handler) {
  pid_t pid = traced_with(suspends, PTRACE_O_TRACESYSGOOD);
  to_entry_of(pid, SYS_rt_sigsuspend);
  resume(pid, PTRACE_SYSCALL, 0);
  OK(kill(pid, SIGURG));
  EXPECT_EQ(CALL_STOP, wait_for(pid));
  EXPECT_EQ(-514, (long)registers_of(pid).rax);
  EXPECT_EQ(STOP_OF(SIGURG), next_call(pid));
  EXPECT_EQ(CALL_STOP, next_call(pid));
  EXPECT_EQ(SYS_rt_sigsuspend, registers_of(pid).orig_rax);
  resume(pid, PTRACE_SYSCALL, 0);
  OK(kill(pid, SIGUSR1));
  EXPECT_EQ(CALL_STOP, wait_for(pid));
  EXPECT_EQ(STOP_OF(SIGUSR1), next_call(pid));
  RUNS_TO(EXIT_OF(5), pid, PTRACE_CONT, SIGUSR1);
}

/* ---- events ---- */

static int forks(void) {
  pid_t pid = fork();
  if (pid == 0) _exit(1);
  int status;
  waitpid(pid, &status, 0);
  return 10 + WEXITSTATUS(status);
}

CHECK(fork_event) {
  pid_t pid = traced_with(forks, PTRACE_O_TRACEFORK);
  RUNS_TO(EVENT_OF(PTRACE_EVENT_FORK), pid, PTRACE_CONT, 0);
  pid_t child = message_of(pid);
  EXPECT_EQ(STOP_OF(SIGSTOP), wait_for(child));
  resume(child, PTRACE_CONT, 0);
  resume(pid, PTRACE_CONT, 0);
  EXPECT_EQ(EXIT_OF(1), wait_for(child));
  EXPECT_EQ(STOP_OF(SIGCHLD), wait_for(pid));
  RUNS_TO(EXIT_OF(11), pid, PTRACE_CONT, SIGCHLD);
}

CHECK(fork_event_of_seized) {
  int go[2];
  char byte;
  OK(pipe(go));
  pid_t pid = OK(fork());
  if (pid == 0) {
    if (read(go[0], &byte, 1) != 1) _exit(1);
    _exit(forks());
  }
  OK(trace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACEFORK));
  EXPECT_EQ(1, write(go[1], "x", 1));
  EXPECT_EQ(EVENT_OF(PTRACE_EVENT_FORK), wait_for(pid));
  pid_t child = message_of(pid);
  EXPECT_EQ(EVENT_OF(PTRACE_EVENT_STOP), wait_for(child));
  OK(trace(PTRACE_DETACH, child, 0, 0));
  RUNS_TO(STOP_OF(SIGCHLD), pid, PTRACE_CONT, 0);
  RUNS_TO(EXIT_OF(11), pid, PTRACE_CONT, 0);
}

static int vforks(void) {
  int status;
  pid_t pid = vfork();
  if (pid == 0) _exit(2);
  waitpid(pid, &status, 0);
  return 20 + WEXITSTATUS(status);
}

CHECK(vfork_events) {
  pid_t pid = traced_with(vforks, PTRACE_O_TRACEVFORK | PTRACE_O_TRACEVFORKDONE);
  RUNS_TO(EVENT_OF(PTRACE_EVENT_VFORK), pid, PTRACE_CONT, 0);
  pid_t child = message_of(pid);
  EXPECT_EQ(STOP_OF(SIGSTOP), wait_for(child));
  resume(pid, PTRACE_CONT, 0);
  EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG | __WALL));
  RUNS_TO(EXIT_OF(2), child, PTRACE_CONT, 0);
  EXPECT_EQ(EVENT_OF(PTRACE_EVENT_VFORK_DONE), wait_for(pid));
  EXPECT_EQ(child, message_of(pid));
  RUNS_TO(STOP_OF(SIGCHLD), pid, PTRACE_CONT, 0);
  RUNS_TO(EXIT_OF(22), pid, PTRACE_CONT, 0);
}

static void *thread_body(void *argument) {
  (void)argument;
  return (void *)5;
}
static int makes_thread(void) {
  pthread_t thread;
  void *value;
  if (pthread_create(&thread, NULL, thread_body, NULL) != 0) return 1;
  pthread_join(thread, &value);
  return 30 + (int)(long)value;
}

CHECK(clone_event_of_a_thread) {
  pid_t pid = traced_with(makes_thread, PTRACE_O_TRACECLONE);
  RUNS_TO(EVENT_OF(PTRACE_EVENT_CLONE), pid, PTRACE_CONT, 0);
  pid_t thread = message_of(pid);
  EXPECT(thread != pid);
  EXPECT_EQ(STOP_OF(SIGSTOP), wait_for(thread));
  EXPECT(registers_of(thread).rsp != registers_of(pid).rsp);
  EXPECT_EQ(0, registers_of(thread).rax);
  resume(pid, PTRACE_CONT, 0);
  resume(thread, PTRACE_CONT, 0);
  EXPECT(WIFEXITED(wait_for(thread)));
  EXPECT_EQ(EXIT_OF(35), wait_for(pid));
}

static int becomes_true(void) {
  execl("/bin/true", "true", NULL);
  return 1;
}

CHECK(exec_is_a_trap) {
  pid_t pid = traced(becomes_true);
  RUNS_TO(STOP_OF(SIGTRAP), pid, PTRACE_CONT, 0);
  siginfo_t info;
  OK(trace(PTRACE_GETSIGINFO, pid, 0, (unsigned long)&info));
  EXPECT_EQ(SI_USER, info.si_code);
  EXPECT_EQ(pid, info.si_pid);
  ends_with(pid, 0);
}

CHECK(exec_event) {
  pid_t pid = traced_with(becomes_true, PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD);
  RUNS_TO(EVENT_OF(PTRACE_EVENT_EXEC), pid, PTRACE_CONT, 0);
  EXPECT_EQ(pid, message_of(pid));
  EXPECT_EQ(CALL_STOP, next_call(pid));
  EXPECT_EQ(SYS_execve, registers_of(pid).orig_rax);
  EXPECT_EQ(0, registers_of(pid).rax);
  ends_with(pid, 0);
}

static void *exec_in_thread(void *argument) {
  (void)argument;
  becomes_true();
  return NULL;
}
static int execs_in_thread(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, exec_in_thread, NULL);
  pause();
  return 1;
}

/* The thread takes the leader's place: one event, for the process, with the id that the thread had. */
CHECK(exec_event_of_a_thread) {
  pid_t pid = traced_with(execs_in_thread, PTRACE_O_TRACEEXEC | PTRACE_O_TRACECLONE);
  RUNS_TO(EVENT_OF(PTRACE_EVENT_CLONE), pid, PTRACE_CONT, 0);
  pid_t thread = message_of(pid);
  EXPECT_EQ(STOP_OF(SIGSTOP), wait_for(thread));
  resume(pid, PTRACE_CONT, 0);
  resume(thread, PTRACE_CONT, 0);
  EXPECT_EQ(EVENT_OF(PTRACE_EVENT_EXEC), wait_for(pid));
  EXPECT_EQ(thread, message_of(pid));
  EXPECT_ERRNO(ESRCH, trace(PTRACE_CONT, thread, 0, 0));
  ends_with(pid, 0);
}

CHECK(exit_event) {
  pid_t pid = traced_with(asks, PTRACE_O_TRACEEXIT);
  RUNS_TO(EVENT_OF(PTRACE_EVENT_EXIT), pid, PTRACE_CONT, 0);
  EXPECT_EQ(EXIT_OF(3), message_of(pid));
  EXPECT_EQ(SYS_exit_group, registers_of(pid).orig_rax);
  ends_with(pid, 3);
}

static int kills_itself(void) {
  raise(SIGTERM);
  return 1;
}
CHECK(exit_event_of_a_signal) {
  pid_t pid = traced_with(kills_itself, PTRACE_O_TRACEEXIT);
  RUNS_TO(STOP_OF(SIGTERM), pid, PTRACE_CONT, 0);
  RUNS_TO(EVENT_OF(PTRACE_EVENT_EXIT), pid, PTRACE_CONT, SIGTERM);
  EXPECT_EQ(SIGTERM, message_of(pid));
  RUNS_TO(SIGTERM, pid, PTRACE_CONT, 0);
}

/* A thread of the tracer is not the tracer. */
static pid_t traced_by_main;
static void *asks_from_thread(void *argument) {
  (void)argument;
  errno = 0;
  long answer = trace(PTRACE_CONT, traced_by_main, 0, 0);
  return (void *)(answer == -1 ? (long)errno : 0);
}
CHECK(only_the_tracing_thread) {
  traced_by_main = traced(asks);
  pthread_t thread;
  void *value;
  EXPECT_RETURNS(0, pthread_create(&thread, NULL, asks_from_thread, NULL));
  EXPECT_RETURNS(0, pthread_join(thread, &value));
  EXPECT_EQ(ESRCH, (long)value);
  ends_with(traced_by_main, 3);
}

static volatile int spinning;
static void *spins(void *argument) {
  (void)argument;
  while (!spinning) sched_yield();
  return NULL;
}
static int two_threads_stop(void) {
  pthread_t thread;
  pthread_create(&thread, NULL, spins, NULL);
  raise(SIGSTOP);
  spinning = 1;
  pthread_join(thread, NULL);
  return 9;
}

CHECK(group_stop_stops_all_threads) {
  pid_t pid = traced_with(two_threads_stop, PTRACE_O_TRACECLONE);
  RUNS_TO(EVENT_OF(PTRACE_EVENT_CLONE), pid, PTRACE_CONT, 0);
  pid_t thread = message_of(pid);
  EXPECT_EQ(STOP_OF(SIGSTOP), wait_for(thread));
  resume(thread, PTRACE_CONT, 0);
  RUNS_TO(STOP_OF(SIGSTOP), pid, PTRACE_CONT, 0);
  RUNS_TO(STOP_OF(SIGSTOP), pid, PTRACE_CONT, SIGSTOP);
  EXPECT_EQ(STOP_OF(SIGSTOP), wait_for(thread));
  resume(thread, PTRACE_CONT, 0);
  resume(pid, PTRACE_CONT, 0);
  /* It may still be ending when the process does. */
  EXPECT(WIFEXITED(wait_for(thread)));
  EXPECT_EQ(EXIT_OF(9), wait_for(pid));
}

/* ---- seccomp ---- */

static void filter_call(long number, unsigned action) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, action), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  struct sock_fprog program = {4, code};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) _exit(98);
}

static int filtered(void) {
  filter_call(SYS_getppid, SECCOMP_RET_TRACE | 77);
  errno = 0;
  int answer = syscall(SYS_getppid);
  return answer == -1 ? errno : answer > 0 ? 2 : 1;
}

CHECK(seccomp_event) {
  pid_t pid = traced_with(filtered, PTRACE_O_TRACESECCOMP);
  RUNS_TO(EVENT_OF(PTRACE_EVENT_SECCOMP), pid, PTRACE_CONT, 0);
  EXPECT_EQ(77, message_of(pid));
  struct ptrace_syscall_info info;
  EXPECT_EQ(84, trace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, (unsigned long)&info));
  EXPECT_EQ(PTRACE_SYSCALL_INFO_SECCOMP, info.op);
  EXPECT_EQ(SYS_getppid, info.seccomp.nr);
  EXPECT_EQ(77, info.seccomp.ret_data);
  ends_with(pid, 2);
}

CHECK(seccomp_event_skips_the_call) {
  pid_t pid = traced_with(filtered, PTRACE_O_TRACESECCOMP);
  RUNS_TO(EVENT_OF(PTRACE_EVENT_SECCOMP), pid, PTRACE_CONT, 0);
  struct user_regs_struct registers = registers_of(pid);
  registers.orig_rax = -1;
  registers.rax = -EXDEV;
  OK(trace(PTRACE_SETREGS, pid, 0, (unsigned long)&registers));
  ends_with(pid, EXDEV);
}

CHECK(seccomp_trace_without_the_option) { ends_with(traced(filtered), ENOSYS); }

CHECK(seccomp_trace_without_a_tracer) {
  pid_t pid = OK(fork());
  if (pid == 0) _exit(filtered());
  EXPECT_EQ(EXIT_OF(ENOSYS), wait_for(pid));
}

CHECK_ROOT(seccomp_filter_is_read) {
  NEED_CAPABILITY(21);
  pid_t pid = traced_with(filtered, PTRACE_O_TRACESECCOMP);
  EXPECT_ERRNO(EINVAL, trace(PTRACE_SECCOMP_GET_FILTER, pid, 0, 0));
  RUNS_TO(EVENT_OF(PTRACE_EVENT_SECCOMP), pid, PTRACE_CONT, 0);
  struct sock_filter code[4];
  EXPECT_EQ(4, trace(PTRACE_SECCOMP_GET_FILTER, pid, 0, 0));
  EXPECT_EQ(4, trace(PTRACE_SECCOMP_GET_FILTER, pid, 0, (unsigned long)code));
  EXPECT_EQ(SYS_getppid, code[1].k);
  EXPECT(code[2].k == (SECCOMP_RET_TRACE | 77));
  EXPECT_ERRNO(ENOENT, trace(PTRACE_SECCOMP_GET_FILTER, pid, 1, 0));
  ends_with(pid, 2);
}

/* A program that gains rights does not gain them while somebody without any traces it. */
CHECK_USER(setuid_program_under_a_tracer) {
  pid_t pid = OK(fork());
  if (pid == 0) {
    OK(trace(PTRACE_TRACEME, 0, 0, 0));
    OK(dup2(OK(open("/dev/null", O_WRONLY)), 1));
    execl("/bin/su", "su", "--version", NULL);
    _exit(1);
  }
  EXPECT_EQ(STOP_OF(SIGTRAP), wait_for(pid));
  char path[64], text[4096];
  unsigned real, effective;
  snprintf(path, sizeof path, "/proc/%d/status", pid);
  int fd = OK(open(path, O_RDONLY));
  text[OK(read(fd, text, sizeof text - 1))] = 0;
  EXPECT_EQ(2, sscanf(strstr(text, "Uid:"), "Uid: %u %u", &real, &effective));
  EXPECT_EQ(getuid(), effective);
  ends_with(pid, 0);
}
