/* Processes: fork(2), vfork(2), clone(2), execve(2), wait(2), groups and sessions, exit, pidfd. */
#include "check.h"
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static void script(const char *path, const char *text) {
  put_file(path, text);
  OK(chmod(path, 0755));
}

/* Output of a command that a child executes. */
static char *output_of(const char *path, char *const argv[], char *const envp[]) {
  static char text[65536];
  int ends[2];
  OK(pipe(ends));
  pid_t pid = FORK();
  if (pid == 0) {
    dup2(ends[1], 1);
    execve(path, argv, envp);
    FAIL("execve %s: errno %d", path, errno);
  }
  close(ends[1]);
  ssize_t used = 0, got;
  while ((got = read(ends[0], text + used, sizeof text - 1 - used)) > 0) used += got;
  text[used] = 0;
  close(ends[0]);
  EXPECT_EQ(0, WAIT(pid));
  return text;
}

static char *no_environment[] = {NULL};
static volatile int shared_by_vfork;

CHECK(fork_gives_new_id) {
  pid_t self = getpid();
  IN_CHILD {
    EXPECT(getpid() != self);
    EXPECT_EQ(self, getppid());
    EXPECT_EQ(getpid(), syscall(SYS_gettid));
  }
}

CHECK(exit_status_is_low_byte) {
  pid_t pid = FORK();
  if (pid == 0) _exit(0x1234);
  EXPECT_EQ(0x34 << 8, WAIT(pid));
}

CHECK(killed_status) {
  pid_t pid = FORK();
  if (pid == 0) for (;;) pause();
  OK(kill(pid, SIGTERM));
  EXPECT_EQ(SIGTERM, WAIT(pid));
}

CHECK(abort_status) {
  struct rlimit none = {0, 0};
  pid_t pid = FORK();
  if (pid == 0) {
    setrlimit(RLIMIT_CORE, &none);
    abort();
  }
  EXPECT_EQ(SIGABRT, WAIT(pid) & 0x7f);
}

CHECK(zombie_can_be_signalled_until_reaped) {
  pid_t pid = FORK();
  if (pid == 0) _exit(0);
  siginfo_t info;
  OK(waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
  EXPECT_EQ(CLD_EXITED, info.si_code);
  EXPECT_EQ(pid, info.si_pid);
  EXPECT_EQ(SIGCHLD, info.si_signo);
  OK(kill(pid, 0));
  EXPECT_EQ(0, WAIT(pid));
  EXPECT_ERRNO(ESRCH, kill(pid, 0));
}

CHECK(wnohang_without_event) {
  pid_t pid = FORK();
  siginfo_t info;
  if (pid == 0) for (;;) pause();
  EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG));
  memset(&info, 1, sizeof info);
  OK(waitid(P_PID, pid, &info, WEXITED | WNOHANG));
  EXPECT_EQ(0, info.si_pid);
  OK(kill(pid, SIGKILL));
  EXPECT_EQ(SIGKILL, WAIT(pid));
}

CHECK(stop_and_continue_are_reported) {
  int status;
  pid_t pid = FORK();
  if (pid == 0) for (;;) pause();
  OK(kill(pid, SIGSTOP));
  EXPECT_EQ(pid, waitpid(pid, &status, WUNTRACED));
  EXPECT(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
  EXPECT_EQ(0, waitpid(pid, &status, WUNTRACED | WNOHANG));
  OK(kill(pid, SIGCONT));
  EXPECT_EQ(pid, waitpid(pid, &status, WCONTINUED));
  EXPECT(WIFCONTINUED(status));
  OK(kill(pid, SIGKILL));
  EXPECT_EQ(SIGKILL, WAIT(pid));
}

CHECK(wait_for_process_group) {
  pid_t a = FORK();
  if (a == 0) {
    setpgid(0, 0);
    _exit(1);
  }
  setpgid(a, a);
  pid_t b = FORK();
  if (b == 0) _exit(2);
  int status;
  EXPECT_EQ(a, waitpid(-a, &status, 0));
  EXPECT_EQ(1 << 8, status);
  EXPECT_EQ(b, waitpid(0, &status, 0));
  EXPECT_ERRNO(ECHILD, waitpid(-a, &status, 0));
}

CHECK(ignored_child_signal_reaps) {
  signal(SIGCHLD, SIG_IGN);
  pid_t pid = FORK();
  if (pid == 0) _exit(0);
  EXPECT_ERRNO(ECHILD, waitpid(pid, NULL, 0));
}

CHECK(no_child_wait_flag_reaps) {
  struct sigaction action = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT};
  OK(sigaction(SIGCHLD, &action, NULL));
  pid_t pid = FORK();
  if (pid == 0) _exit(0);
  EXPECT_ERRNO(ECHILD, waitpid(pid, NULL, 0));
}

CHECK(orphan_gets_new_parent) {
  int ends[2];
  OK(pipe(ends));
  pid_t middle = FORK();
  if (middle == 0) {
    middle = getpid();
    if (fork() == 0) {
      while (getppid() == middle) usleep(1000);
      pid_t parent = getppid();
      OK(write(ends[1], &parent, sizeof parent));
    }
    _exit(0);
  }
  EXPECT_EQ(0, WAIT(middle));
  pid_t parent = -1;
  EXPECT_EQ(4, read(ends[0], &parent, 4));
  EXPECT(parent >= 0 && parent != middle);
}

CHECK(subreaper_adopts) {
  OK(prctl(PR_SET_CHILD_SUBREAPER, 1));
  pid_t middle = FORK();
  if (middle == 0) {
    if (fork() == 0) {
      sleep_ms(30);
      _exit(5);
    }
    _exit(0);
  }
  EXPECT_EQ(0, WAIT(middle));
  int status;
  OK(waitpid(-1, &status, 0));
  EXPECT_EQ(5 << 8, status);
}

CHECK(parent_death_signal) {
  int ends[2];
  char byte;
  OK(pipe(ends));
  pid_t middle = FORK();
  if (middle == 0) {
    if (fork() == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      OK(write(ends[1], "x", 1));
      for (;;) pause();
    }
    for (;;) pause();
  }
  close(ends[1]);
  EXPECT_EQ(1, read(ends[0], &byte, 1));
  OK(kill(middle, SIGKILL));
  EXPECT_EQ(SIGKILL, WAIT(middle));
  EXPECT_EQ(0, read(ends[0], &byte, 1));
}

CHECK(vfork_shares_memory_and_waits) {
  shared_by_vfork = 1;
  pid_t pid = vfork();
  if (pid == 0) {
    shared_by_vfork = 2;
    _exit(3);
  }
  EXPECT_EQ(2, shared_by_vfork);
  EXPECT_EQ(3 << 8, WAIT(pid));
}

static int clone_body(void *argument) {
  *(volatile int *)argument = 77;
  return 12;
}

CHECK(clone_shares_memory_when_asked) {
  static char stack[65536];
  volatile int value = 0;
  pid_t pid = OK(clone(clone_body, stack + sizeof stack, CLONE_VM | SIGCHLD, (void *)&value));
  EXPECT_EQ(12 << 8, WAIT(pid));
  EXPECT_EQ(77, value);
}

CHECK(clone_shares_files_when_asked) {
  pid_t pid = OK(syscall(SYS_clone, CLONE_FILES | CLONE_FS | SIGCHLD, NULL, NULL, NULL, NULL));
  if (pid == 0) {
    dup2(0, 60);
    mkdir("sub", 0755);
    chdir("sub");
    _exit(0);
  }
  EXPECT_EQ(0, WAIT(pid));
  EXPECT_EQ(0, fcntl(60, F_GETFD));
  OK(access("../sub", F_OK));
}

CHECK(clone_without_signal_needs_wclone) {
  pid_t pid = OK(syscall(SYS_clone, 0, NULL, NULL, NULL, NULL));
  if (pid == 0) _exit(4);
  EXPECT_ERRNO(ECHILD, waitpid(pid, NULL, 0));
  int status;
  EXPECT_EQ(pid, waitpid(pid, &status, __WALL));
  EXPECT_EQ(4 << 8, status);
}

CHECK(clone_writes_thread_ids) {
  static volatile int parent_tid, child_tid;
  pid_t pid = OK(syscall(SYS_clone, CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD, NULL, &parent_tid, &child_tid, NULL));
  if (pid == 0) _exit(child_tid == getpid() ? 1 : 2);
  EXPECT_EQ(1 << 8, WAIT(pid));
  EXPECT_EQ(pid, parent_tid);
}

CHECK(clone3_with_pidfd) {
  int pidfd = -1;
  struct clone_args arguments = {.flags = CLONE_PIDFD, .pidfd = (long)&pidfd, .exit_signal = SIGCHLD};
  pid_t pid = OK(syscall(SYS_clone3, &arguments, sizeof arguments));
  if (pid == 0) _exit(6);
  EXPECT_EQ(FD_CLOEXEC, fcntl(pidfd, F_GETFD));
  siginfo_t info;
  OK(waitid(3, pidfd, &info, WEXITED));
  EXPECT_EQ(6, info.si_status);
}

CHECK(directory_in_proc_is_a_pidfd_for_signals) {
  pid_t pid = fork();
  if (pid == 0) for (;;) pause();
  char path[32];
  snprintf(path, sizeof path, "/proc/%d", pid);
  int fd = OK(open(path, O_DIRECTORY | O_CLOEXEC));
  OK(syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
  OK(syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0));
  int status;
  EXPECT_EQ(pid, waitpid(pid, &status, 0));
  EXPECT_EQ(SIGKILL, WTERMSIG(status));
  EXPECT_ERRNO(ESRCH, syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
  int other = OK(open("/proc", O_DIRECTORY));
  EXPECT_ERRNO(EBADF, syscall(SYS_pidfd_send_signal, other, 0, NULL, 0));
}

CHECK(pidfd_polls_at_exit) {
  pid_t pid = FORK();
  if (pid == 0) for (;;) pause();
  int fd = OK(syscall(SYS_pidfd_open, pid, 0));
  struct pollfd poller = {fd, POLLIN, 0};
  EXPECT_EQ(0, poll(&poller, 1, 0));
  OK(syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0));
  EXPECT_EQ(1, poll(&poller, 1, 5000));
  EXPECT_EQ(SIGKILL, WAIT(pid));
  EXPECT_ERRNO(ESRCH, syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0));
}

CHECK(pidfd_getfd_copies) {
  int ends[2];
  OK(pipe(ends));
  pid_t pid = FORK();
  if (pid == 0) for (;;) pause();
  OK(write(ends[1], "x", 1));
  int fd = OK(syscall(SYS_pidfd_open, pid, 0));
  int copy = OK(syscall(SYS_pidfd_getfd, fd, ends[0], 0));
  char byte;
  EXPECT_EQ(1, read(copy, &byte, 1));
  OK(kill(pid, SIGKILL));
}

CHECK(exec_arguments_and_environment) {
  char *argv[] = {"name", "-c", "echo \"$0|$1|$2|$X\"", "zero", "a b", "", NULL}, *envp[] = {"X=y z", NULL};
  EXPECT_STR("zero|a b||y z\n", output_of("/bin/sh", argv, envp));
}

CHECK(exec_empty_argument_list) {
  char *argv[] = {NULL};
  pid_t pid = FORK();
  if (pid == 0) {
    execve("/bin/true", argv, no_environment);
    _exit(99);
  }
  EXPECT_EQ(0, WAIT(pid));
}

CHECK(exec_script) {
  script("s", "#!/bin/sh -e\necho \"$0 $1\"\n");
  char *argv[] = {"ignored", "one", NULL};
  EXPECT_STR("./s one\n", output_of("./s", argv, no_environment));
}

CHECK(exec_script_argument_is_one_word) {
  script("s", "#!/bin/echo  a  b \n");
  char *argv[] = {"ignored", "one", NULL};
  EXPECT_STR("a  b ./s one\n", output_of("./s", argv, no_environment));
}

CHECK(exec_script_of_script) {
  char text[PATH_MAX + 8], cwd[PATH_MAX];
  EXPECT(getcwd(cwd, sizeof cwd) != NULL);
  script("inner", "#!/bin/sh\necho inner \"$@\"\n");
  snprintf(text, sizeof text, "#!%s/inner\n", cwd);
  script("outer", text);
  char *argv[] = {"ignored", "x", NULL};
  EXPECT_STR("inner ./outer x\n", output_of("./outer", argv, no_environment));
}

CHECK(exec_script_recursion_ends) {
  char text[PATH_MAX + 8], cwd[PATH_MAX];
  EXPECT(getcwd(cwd, sizeof cwd) != NULL);
  snprintf(text, sizeof text, "#!%s/s\n", cwd);
  script("s", text);
  EXPECT_ERRNO(ELOOP, execve("./s", NULL, NULL));
}

CHECK(exec_script_without_interpreter) {
  script("s", "#!/no/such/interpreter\n");
  EXPECT_ERRNO(ENOENT, execve("./s", NULL, NULL));
  script("t", "#!\n");
  EXPECT_ERRNO(ENOEXEC, execve("./t", NULL, NULL));
}

CHECK(exec_bad_elf) {
  script("e", "\177ELF garbage that is no program at all, but long enough to be read as a header of one .....");
  EXPECT_ERRNO(ENOEXEC, execve("./e", NULL, NULL));
}

CHECK(exec_empty_file) {
  script("e", "");
  EXPECT_ERRNO(ENOEXEC, execve("./e", NULL, NULL));
}

CHECK(exec_too_many_arguments) {
  static char *argv[40000];
  static char word[1000];
  memset(word, 'x', 999);
  for (int at = 0; at < 39999; at++) argv[at] = word;
  EXPECT_ERRNO(E2BIG, execve("/bin/true", argv, no_environment));
}

CHECK(exec_too_long_argument) {
  static char word[132000];
  memset(word, 'x', sizeof word - 1);
  char *argv[] = {"true", word, NULL};
  EXPECT_ERRNO(E2BIG, execve("/bin/true", argv, no_environment));
}

CHECK(exec_large_arguments_arrive) {
  static char word[100001];
  memset(word, 'x', 100000);
  char *argv[] = {"sh", "-c", "echo ${#1} ${#2} ${#3}", "zero", word, word, word, NULL};
  EXPECT_STR("100000 100000 100000\n", output_of("/bin/sh", argv, no_environment));
}

CHECK(exec_closes_marked_descriptors) {
  OK(dup3(0, 50, O_CLOEXEC));
  OK(dup3(0, 51, 0));
  char *argv[] = {"sh", "-c", "[ -e /proc/self/fd/50 ] || echo closed; [ -e /proc/self/fd/51 ] && echo open", NULL};
  EXPECT_STR("closed\nopen\n", output_of("/bin/sh", argv, no_environment));
}

CHECK(exec_resets_handlers_keeps_ignored) {
  signal(SIGUSR1, (void (*)(int))exit);
  signal(SIGUSR2, SIG_IGN);
  char *argv[] = {"sh", "-c", "while read k v; do case $k in SigIgn:|SigCgt:) echo $k$v;; esac; done < /proc/$$/status", NULL};
  char *text = output_of("/bin/sh", argv, no_environment);
  unsigned long ignored = 0, caught = 0;
  EXPECT_EQ(2, sscanf(text, "SigIgn:%lx SigCgt:%lx", &ignored, &caught));
  EXPECT_EQ(1UL << (SIGUSR2 - 1), ignored & (1UL << (SIGUSR2 - 1)));
  EXPECT_EQ(0, caught & (1UL << (SIGUSR1 - 1)));
}

CHECK(exec_keeps_signal_mask_and_pending) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  pid_t pid = FORK();
  if (pid == 0) {
    char *argv[] = {"sh", "-c", "while read k v; do case $k in SigBlk:) exit $((v % 1000)) ;; esac; done < /proc/self/status", NULL};
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGUSR1);
    execve("/bin/sh", argv, no_environment);
    _exit(99);
  }
  EXPECT_EQ(0200 << 8, WAIT(pid)); /* the digits, read in octal */
}

CHECK(execveat_descriptor) {
  int fd = OK(open("/bin/true", O_PATH | O_CLOEXEC));
  pid_t pid = FORK();
  if (pid == 0) {
    char *argv[] = {"true", NULL};
    syscall(SYS_execveat, fd, "", argv, no_environment, AT_EMPTY_PATH);
    _exit(99);
  }
  EXPECT_EQ(0, WAIT(pid));
}

CHECK(execve_memfd) {
  static char copy[1 << 20];
  int from = OK(open("/bin/true", O_RDONLY)), fd = OK(memfd_create("program", MFD_CLOEXEC));
  ssize_t got = OK(read(from, copy, sizeof copy));
  EXPECT_EQ(got, write(fd, copy, got));
  pid_t pid = FORK();
  if (pid == 0) {
    char *argv[] = {"true", NULL};
    fexecve(fd, argv, no_environment);
    _exit(99);
  }
  EXPECT_EQ(0, WAIT(pid));
}

CHECK(posix_spawn_and_error) {
  pid_t pid;
  char *argv[] = {"false", NULL};
  EXPECT_RETURNS(0, posix_spawn(&pid, "/bin/false", NULL, NULL, argv, no_environment));
  EXPECT_EQ(1 << 8, WAIT(pid));
  EXPECT_RETURNS(ENOENT, posix_spawn(&pid, "/no/such", NULL, NULL, argv, no_environment));
}

CHECK(popen_and_system) {
  char text[20] = "";
  FILE *stream = popen("echo hello", "r");
  EXPECT(stream && fgets(text, sizeof text, stream));
  EXPECT_EQ(0, pclose(stream));
  EXPECT_STR("hello\n", text);
  EXPECT_EQ(3 << 8, system("exit 3"));
}

CHECK(process_groups) {
  EXPECT_EQ(getpid(), getpgrp());
  pid_t pid = FORK();
  if (pid == 0) for (;;) pause();
  EXPECT_EQ(getpgrp(), getpgid(pid));
  OK(setpgid(pid, pid));
  EXPECT_EQ(pid, getpgid(pid));
  OK(killpg(pid, SIGKILL));
  EXPECT_EQ(SIGKILL, WAIT(pid));
}

CHECK(setpgid_after_exec_is_refused) {
  int ends[2];
  char byte;
  OK(pipe2(ends, O_CLOEXEC));
  pid_t pid = FORK();
  if (pid == 0) {
    char *argv[] = {"sleep", "100", NULL};
    execve("/bin/sleep", argv, no_environment);
    _exit(99);
  }
  close(ends[1]);
  EXPECT_EQ(0, read(ends[0], &byte, 1));
  EXPECT_ERRNO(EACCES, setpgid(pid, pid));
  OK(kill(pid, SIGKILL));
}

CHECK(new_session) {
  IN_CHILD {
    EXPECT_EQ(getpid(), setsid());
    EXPECT_EQ(getpid(), getsid(0));
    EXPECT_EQ(getpid(), getpgrp());
    EXPECT_ERRNO(EPERM, setsid());
    EXPECT_ERRNO(EPERM, setpgid(0, 0));
    EXPECT_ERRNO(ENXIO, open("/dev/tty", O_RDWR));
  }
}

CHECK(orphaned_stopped_group_gets_hangup) {
  int ends[2];
  char byte;
  OK(pipe(ends));
  pid_t middle = FORK();
  if (middle == 0) {
    pid_t child = fork();
    if (child == 0) {
      setpgid(0, 0);
      close(ends[0]);
      raise(SIGSTOP);
      _exit(0);
    }
    waitpid(child, NULL, WUNTRACED);
    _exit(0);
  }
  close(ends[1]);
  EXPECT_EQ(0, WAIT(middle));
  EXPECT_EQ(0, read(ends[0], &byte, 1));
}

CHECK(resource_usage_of_children) {
  struct rusage usage;
  IN_CHILD { for (volatile int at = 0; at < 30000000; at++) continue; }
  OK(getrusage(RUSAGE_CHILDREN, &usage));
  EXPECT(usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec > 1000);
}

CHECK(process_limit) {
  struct rlimit limit = {0, 0};
  become_ordinary_user();
  OK(setrlimit(RLIMIT_NPROC, &limit));
  EXPECT_ERRNO(EAGAIN, fork());
}

CHECK(exit_runs_handlers_in_reverse) {
  int ends[2];
  char text[10] = "";
  OK(pipe(ends));
  pid_t pid = FORK();
  if (pid == 0) {
    dup2(ends[1], 1);
    char *argv[] = {"sh", "-c", "trap 'echo bye' EXIT; echo hi; exit 4", NULL};
    execve("/bin/sh", argv, no_environment);
  }
  EXPECT_EQ(4 << 8, WAIT(pid));
  EXPECT_EQ(7, read(ends[0], text, 9));
  EXPECT_STR("hi\nbye\n", text);
}

CHECK(many_children) {
  for (int at = 0; at < 40; at++)
    if (FORK() == 0) _exit(at);
  int sum = 0, status;
  for (int at = 0; at < 40; at++) OK(wait(&status)), sum += WEXITSTATUS(status);
  EXPECT_EQ(780, sum);
  EXPECT_ERRNO(ECHILD, wait(NULL));
}

CHECK(pipeline) {
  char *argv[] = {"sh", "-c", "seq 1 1000 | sort -rn | head -n 3 | tr '\\n' ' '", NULL}, *envp[] = {"PATH=/usr/bin:/bin", NULL};
  EXPECT_STR("1000 999 998 ", output_of("/bin/sh", argv, envp));
}
