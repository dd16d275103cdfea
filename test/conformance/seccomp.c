/* seccomp(2): actions, filters of all threads, and calls that another process answers (seccomp_unotify(2)). */
#include "check.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV 32
#endif

static int install(long number, unsigned action, unsigned flags) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, action), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  struct sock_fprog program = {4, code};
  OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

CHECK(notif_sizes) {
  struct seccomp_notif_sizes sizes;
  OK(syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes));
  EXPECT_EQ(sizeof(struct seccomp_notif), sizes.seccomp_notif);
  EXPECT_EQ(sizeof(struct seccomp_notif_resp), sizes.seccomp_notif_resp);
  EXPECT_EQ(sizeof(struct seccomp_data), sizes.seccomp_data);
  EXPECT_ERRNO(EINVAL, syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 1, &sizes));
  EXPECT_ERRNO(EFAULT, syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, 8));
}

CHECK(action_avail) {
  unsigned known[] = {SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD, SECCOMP_RET_TRAP, SECCOMP_RET_ERRNO, SECCOMP_RET_USER_NOTIF,
                      SECCOMP_RET_TRACE, SECCOMP_RET_LOG, SECCOMP_RET_ALLOW};
  for (unsigned i = 0; i < sizeof known / sizeof *known; i++) OK(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &known[i]));
  unsigned unknown = 0x7fb00000;
  EXPECT_ERRNO(EOPNOTSUPP, syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &unknown));
}

CHECK(flags_are_checked) {
  EXPECT_ERRNO(EINVAL, install(SYS_getppid, SECCOMP_RET_ALLOW, 1 << 10));
  EXPECT_ERRNO(EINVAL, install(SYS_getppid, SECCOMP_RET_ALLOW, SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_TSYNC));
  EXPECT_ERRNO(EINVAL, install(SYS_getppid, SECCOMP_RET_ALLOW, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV));
}

CHECK(log_lets_the_call_go_on) {
  OK(install(SYS_getppid, SECCOMP_RET_LOG, SECCOMP_FILTER_FLAG_LOG));
  EXPECT(syscall(SYS_getppid) > 0);
}

CHECK(kill_process_dumps) {
  pid_t pid = FORK();
  if (pid == 0) {
    OK(install(SYS_getppid, SECCOMP_RET_KILL_PROCESS, 0));
    syscall(SYS_getppid);
    _exit(0);
  }
  siginfo_t info;
  OK(waitid(P_PID, pid, &info, WEXITED));
  EXPECT(info.si_code == CLD_KILLED || info.si_code == CLD_DUMPED);
  EXPECT_EQ(SIGSYS, info.si_status);
}

static void *asks(void *argument) {
  (void)argument;
  OK(install(SYS_getppid, SECCOMP_RET_KILL_THREAD, 0));
  syscall(SYS_getppid);
  _exit(1);
}

/* The thread is gone without a word: nobody may join it. */
CHECK(kill_thread_spares_the_process) {
  pid_t pid = FORK();
  if (pid == 0) {
    pthread_t thread;
    pthread_create(&thread, NULL, asks, NULL);
    struct stat status;
    /* Until only this thread is left. */
    do OK(stat("/proc/self/task", &status));
    while (status.st_nlink > 3);
    _exit(5);
  }
  EXPECT_EQ(5 << 8, WAIT(pid));
}

static volatile int trapped_errno, trapped_call, trapped_code;
static void *volatile trapped_at;
static void on_trap(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)context;
  trapped_errno = info->si_errno;
  trapped_call = info->si_syscall;
  trapped_code = info->si_code;
  trapped_at = info->si_call_addr;
  EXPECT_EQ(AUDIT_ARCH_X86_64, info->si_arch);
}

CHECK(trap_tells_the_call) {
  struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
  OK(sigaction(SIGSYS, &action, NULL));
  OK(install(SYS_getppid, SECCOMP_RET_TRAP | 321, 0));
  syscall(SYS_getppid);
  EXPECT_EQ(321, trapped_errno);
  EXPECT_EQ(SYS_getppid, trapped_call);
  EXPECT_EQ(1, trapped_code);
  EXPECT(trapped_at != NULL);
}

CHECK(errno_is_bounded) {
  OK(install(SYS_getppid, SECCOMP_RET_ERRNO | 0xffff, 0));
  EXPECT_ERRNO(4095, syscall(SYS_getppid));
}

static pthread_barrier_t barrier;
static void *asks_later(void *argument) {
  (void)argument;
  pthread_barrier_wait(&barrier);
  pthread_barrier_wait(&barrier);
  errno = 0;
  return (void *)(syscall(SYS_getppid) == -1 ? (long)errno : 0);
}

CHECK(all_threads_at_once) {
  pthread_t thread;
  void *value;
  pthread_barrier_init(&barrier, NULL, 2);
  EXPECT_RETURNS(0, pthread_create(&thread, NULL, asks_later, NULL));
  pthread_barrier_wait(&barrier);
  EXPECT_EQ(0, install(SYS_getppid, SECCOMP_RET_ERRNO | 33, SECCOMP_FILTER_FLAG_TSYNC));
  pthread_barrier_wait(&barrier);
  EXPECT_RETURNS(0, pthread_join(thread, &value));
  EXPECT_EQ(33, (long)value);
}

static volatile pid_t other_thread;
static void *filters_alone(void *argument) {
  (void)argument;
  other_thread = syscall(SYS_gettid);
  OK(install(SYS_getpgid, SECCOMP_RET_ERRNO | 1, 0));
  pthread_barrier_wait(&barrier);
  pthread_barrier_wait(&barrier);
  return NULL;
}

CHECK(threads_that_differ) {
  pthread_t thread;
  pthread_barrier_init(&barrier, NULL, 2);
  EXPECT_RETURNS(0, pthread_create(&thread, NULL, filters_alone, NULL));
  pthread_barrier_wait(&barrier);
  EXPECT_EQ(other_thread, install(SYS_getppid, SECCOMP_RET_ERRNO | 33, SECCOMP_FILTER_FLAG_TSYNC));
  EXPECT_ERRNO(ESRCH, install(SYS_getppid, SECCOMP_RET_ERRNO | 33, SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH));
  EXPECT(syscall(SYS_getppid) > 0);
  pthread_barrier_wait(&barrier);
  EXPECT_RETURNS(0, pthread_join(thread, NULL));
}

static void *mode_later(void *argument) {
  (void)argument;
  pthread_barrier_wait(&barrier);
  return (void *)(long)prctl(PR_GET_SECCOMP);
}

CHECK(no_thread_changes_without_room_for_a_listener) {
  pthread_t thread;
  void *mode;
  struct rlimit none = {0, 0};
  pthread_barrier_init(&barrier, NULL, 2);
  EXPECT_RETURNS(0, pthread_create(&thread, NULL, mode_later, NULL));
  OK(setrlimit(RLIMIT_NOFILE, &none));
  EXPECT_ERRNO(EMFILE, install(SYS_getppid, SECCOMP_RET_ALLOW, SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH));
  pthread_barrier_wait(&barrier);
  EXPECT_RETURNS(0, pthread_join(thread, &mode));
  EXPECT_EQ(0, (long)mode);
  EXPECT_EQ(0, prctl(PR_GET_SECCOMP));
}

CHECK_ROOT(thread_that_differs_has_the_number_of_its_namespace) {
  NEED_ADMIN;
  OK(unshare(CLONE_NEWPID));
  IN_CHILD {
    pthread_t thread;
    pthread_barrier_init(&barrier, NULL, 2);
    EXPECT_RETURNS(0, pthread_create(&thread, NULL, filters_alone, NULL));
    pthread_barrier_wait(&barrier);
    EXPECT_EQ(2, other_thread);
    EXPECT_EQ(other_thread, install(SYS_getppid, SECCOMP_RET_ERRNO | 33, SECCOMP_FILTER_FLAG_TSYNC));
    pthread_barrier_wait(&barrier);
    EXPECT_RETURNS(0, pthread_join(thread, NULL));
  }
}

/* ---- listeners ---- */

static int listener;
static pid_t supervised;

/* A child that makes calls under a filter whose listener this process has; `run` makes them. */
static void supervise(long number, unsigned flags, int (*run)(void)) {
  listener = OK(install(number, SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER | flags));
  supervised = FORK();
  if (supervised == 0) {
    close(listener);
    _exit(run());
  }
}

static struct seccomp_notif received(void) {
  struct seccomp_notif request;
  memset(&request, 0, sizeof request);
  OK(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request));
  return request;
}

static int answer(unsigned long long id, long long value, int error, unsigned flags) {
  struct seccomp_notif_resp response = {id, value, error, flags};
  return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
}

static void ends(int code) { EXPECT_EQ(code << 8, WAIT(supervised)); }

static int sends_signal_0(void) {
  errno = 0;
  int value = syscall(SYS_tgkill, 11, 22, 0, 44, 55, 66);
  return value == -1 ? errno : value;
}

CHECK(listener_is_close_on_exec) {
  listener = OK(install(SYS_tgkill, SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER));
  EXPECT_EQ(FD_CLOEXEC, OK(fcntl(listener, F_GETFD)));
  EXPECT_ERRNO(EBUSY, install(SYS_getpgid, SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER));
  EXPECT_ERRNO(EINVAL, ioctl(listener, 0x21ff, 0));
}

CHECK(answer_with_a_value) {
  supervise(SYS_tgkill, 0, sends_signal_0);
  struct seccomp_notif request = received();
  EXPECT_EQ(supervised, request.pid);
  EXPECT_EQ(0, request.flags);
  EXPECT_EQ(SYS_tgkill, request.data.nr);
  EXPECT_EQ(AUDIT_ARCH_X86_64, request.data.arch);
  EXPECT(request.data.instruction_pointer != 0);
  EXPECT_EQ(11, request.data.args[0]);
  EXPECT_EQ(22, request.data.args[1]);
  EXPECT_EQ(44, request.data.args[3]);
  EXPECT_EQ(66, request.data.args[5]);
  OK(answer(request.id, 17, 0, 0));
  ends(17);
}

CHECK(answer_with_an_error) {
  supervise(SYS_tgkill, 0, sends_signal_0);
  OK(answer(received().id, 0, -EXDEV, 0));
  ends(EXDEV);
}

CHECK(answer_to_go_on) {
  supervise(SYS_tgkill, 0, sends_signal_0);
  struct seccomp_notif request = received();
  EXPECT_ERRNO(EINVAL, answer(request.id, 1, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE));
  EXPECT_ERRNO(EINVAL, answer(request.id, 0, -1, SECCOMP_USER_NOTIF_FLAG_CONTINUE));
  EXPECT_ERRNO(EINVAL, answer(request.id, 0, 0, 2));
  OK(answer(request.id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE));
  ends(ESRCH);
}

static int sleeps(void) {
  struct timespec pause = {0, 20000000};
  return nanosleep(&pause, NULL) == 0 ? 4 : 1;
}

/* A call that blocks, after the listener let it. */
CHECK(answer_to_go_on_and_wait) {
  supervise(SYS_clock_nanosleep, 0, sleeps);
  OK(answer(received().id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE));
  ends(4);
}

static int becomes_true(void) {
  execl("/bin/true", "true", NULL);
  return 1;
}

CHECK(answer_to_exec) {
  supervise(SYS_execve, 0, becomes_true);
  OK(answer(received().id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE));
  ends(0);
}

CHECK(request_must_be_zero) {
  supervise(SYS_tgkill, 0, sends_signal_0);
  struct seccomp_notif request;
  memset(&request, 1, sizeof request);
  EXPECT_ERRNO(EINVAL, ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request));
  EXPECT_ERRNO(EFAULT, ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, 8));
  OK(answer(received().id, 3, 0, 0));
  ends(3);
}

CHECK(ids) {
  supervise(SYS_tgkill, 0, sends_signal_0);
  struct seccomp_notif request = received();
  unsigned long long other = request.id + 12345;
  OK(ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &request.id));
  EXPECT_ERRNO(ENOENT, ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &other));
  EXPECT_ERRNO(ENOENT, answer(other, 0, 0, 0));
  OK(answer(request.id, 3, 0, 0));
  ends(3);
  EXPECT_ERRNO(ENOENT, ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &request.id));
  EXPECT_ERRNO(ENOENT, answer(request.id, 0, 0, 0));
}

CHECK(listener_polls) {
  listener = OK(install(SYS_tgkill, SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER));
  struct pollfd poller = {listener, POLLIN | POLLOUT, 0};
  EXPECT_EQ(0, poll(&poller, 1, 0));
  supervised = FORK();
  if (supervised == 0) _exit(sends_signal_0());
  poller.events = POLLIN;
  EXPECT_EQ(1, poll(&poller, 1, -1));
  EXPECT_EQ(POLLIN, poller.revents);
  struct seccomp_notif request = received();
  poller.events = POLLIN | POLLOUT;
  EXPECT_EQ(1, poll(&poller, 1, 0));
  EXPECT_EQ(POLLOUT, poller.revents);
  OK(answer(request.id, 1, 0, 0));
  ends(1);
  EXPECT_EQ(0, poll(&poller, 1, 0));
}

/* A descriptor made by a child, whose filter nobody has once it is gone. */
CHECK(listener_hangs_up) {
  int ends_of_pipe[2];
  OK(pipe(ends_of_pipe));
  pid_t pid = FORK();
  if (pid == 0) {
    int fd = OK(install(SYS_tgkill, SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER));
    EXPECT_EQ((long)sizeof fd, write(ends_of_pipe[1], &fd, sizeof fd));
    pause();
    _exit(0);
  }
  int fd;
  EXPECT_EQ((long)sizeof fd, read(ends_of_pipe[0], &fd, sizeof fd));
  int pidfd = OK(syscall(SYS_pidfd_open, pid, 0));
  listener = syscall(SYS_pidfd_getfd, pidfd, fd, 0);
  if (listener == -1) SKIP("needs CAP_SYS_PTRACE");
  OK(kill(pid, SIGKILL));
  EXPECT_EQ(SIGKILL, WAIT(pid));
  struct pollfd poller = {listener, POLLIN, 0};
  EXPECT_EQ(1, poll(&poller, 1, -1));
  EXPECT_EQ(POLLHUP, poller.revents);
  struct seccomp_notif request;
  memset(&request, 0, sizeof request);
  EXPECT_ERRNO(ENOENT, ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request));
}

CHECK(listener_is_closed) {
  supervise(SYS_tgkill, 0, sends_signal_0);
  received();
  OK(close(listener));
  ends(ENOSYS);
}

CHECK(nobody_listens) {
  OK(install(SYS_tgkill, SECCOMP_RET_USER_NOTIF, 0));
  EXPECT_EQ(ENOSYS, sends_signal_0());
}

static int writes_answer(void) {
  int fd = syscall(SYS_tgkill, 1, 2, 3);
  if (fd < 0) return 1;
  return write(fd, "hello", 5) == 5 ? fd : 2;
}

CHECK(descriptor_is_given) {
  int ends_of_pipe[2];
  char text[8] = "";
  OK(pipe(ends_of_pipe));
  supervise(SYS_tgkill, 0, writes_answer);
  struct seccomp_notif request = received();
  struct seccomp_notif_addfd add = {request.id, 0, ends_of_pipe[1], 0, 0};
  int fd = OK(ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add));
  OK(answer(request.id, fd, 0, 0));
  EXPECT_EQ(5, read(ends_of_pipe[0], text, sizeof text));
  EXPECT_STR("hello", text);
  ends(fd);
}

CHECK(descriptor_is_the_answer) {
  int ends_of_pipe[2];
  char text[8] = "";
  OK(pipe(ends_of_pipe));
  supervise(SYS_tgkill, 0, writes_answer);
  struct seccomp_notif request = received();
  struct seccomp_notif_addfd add = {request.id, SECCOMP_ADDFD_FLAG_SETFD | SECCOMP_ADDFD_FLAG_SEND, ends_of_pipe[1], 40, O_CLOEXEC};
  EXPECT_EQ(40, ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add));
  EXPECT_ERRNO(ENOENT, (errno = 0, answer(request.id + 1, 0, 0, 0)));
  EXPECT_EQ(5, read(ends_of_pipe[0], text, sizeof text));
  ends(40);
}

CHECK(descriptor_is_refused) {
  supervise(SYS_tgkill, 0, sends_signal_0);
  struct seccomp_notif request = received();
  struct seccomp_notif_addfd add = {request.id, 8, 1, 0, 0};
  EXPECT_ERRNO(EINVAL, ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add));
  add.flags = 0;
  add.newfd = 5;
  EXPECT_ERRNO(EINVAL, ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add));
  add.newfd = 0;
  add.newfd_flags = O_NONBLOCK;
  EXPECT_ERRNO(EINVAL, ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add));
  add.newfd_flags = 0;
  add.srcfd = 999;
  EXPECT_ERRNO(EBADF, ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add));
  add.srcfd = 0;
  add.id++;
  EXPECT_ERRNO(ENOENT, ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add));
  OK(answer(request.id, 2, 0, 0));
  ends(2);
}

static volatile sig_atomic_t handled;
static void on_usr1(int signal) { (void)signal, handled++; }
static int with_flags;
static int is_interrupted(void) {
  struct sigaction action = {.sa_handler = on_usr1, .sa_flags = with_flags};
  OK(sigaction(SIGUSR1, &action, NULL));
  int value = sends_signal_0();
  return value + 100 * handled;
}

CHECK(signal_interrupts_the_wait) {
  supervise(SYS_tgkill, 0, is_interrupted);
  struct seccomp_notif request = received();
  OK(kill(supervised, SIGUSR1));
  ends(EINTR + 100);
  EXPECT_ERRNO(ENOENT, ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &request.id));
}

CHECK(interrupted_call_asks_again) {
  with_flags = SA_RESTART;
  supervise(SYS_tgkill, 0, is_interrupted);
  struct seccomp_notif request = received();
  OK(kill(supervised, SIGUSR1));
  struct seccomp_notif again = received();
  EXPECT(again.id != request.id);
  OK(answer(again.id, 7, 0, 0));
  ends(107);
}

CHECK(killable_wait_is_not_interrupted) {
  listener = install(SYS_tgkill, SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV);
  if (listener == -1) SKIP("needs Linux 5.19");
  supervised = FORK();
  if (supervised == 0) _exit(is_interrupted());
  struct seccomp_notif request = received();
  OK(kill(supervised, SIGUSR1));
  OK(ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &request.id));
  OK(answer(request.id, 9, 0, 0));
  ends(109);
}

CHECK(killed_while_waiting) {
  supervise(SYS_tgkill, 0, sends_signal_0);
  struct seccomp_notif request = received();
  OK(kill(supervised, SIGKILL));
  EXPECT_EQ(SIGKILL, WAIT(supervised));
  EXPECT_ERRNO(ENOENT, answer(request.id, 0, 0, 0));
}

static void *supervises(void *argument) {
  (void)argument;
  OK(answer(received().id, 77, 0, 0));
  return NULL;
}

CHECK(a_thread_answers_another) {
  pthread_t thread;
  listener = OK(install(SYS_tgkill, SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER));
  EXPECT_RETURNS(0, pthread_create(&thread, NULL, supervises, NULL));
  EXPECT_EQ(77, sends_signal_0());
  EXPECT_RETURNS(0, pthread_join(thread, NULL));
}
