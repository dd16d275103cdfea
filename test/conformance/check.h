/*
 * A small test harness for programs that must behave the same on Linux and inside Caisson.
 *
 *   CHECK(name) { EXPECT_EQ(3, dup(0)); }
 *
 * registers a check. Each runs in a child of its own, in a fresh directory, in a process group of its own and
 * with an alarm, so that one that crashes or hangs ends alone. A program prints "ok NAME", "skip NAME why" or
 * "not ok NAME file:line ..." for each, and a count at the end; it fails if a check failed.
 *
 * Usage: PROGRAM [SCRATCH-DIRECTORY [NAME-PREFIX]]
 */
#ifndef CHECK_H
#define CHECK_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { NEEDS_ROOT = 1, AS_USER = 2 };
enum { CHECK_SECONDS = 15, ORDINARY_ID = 1234, FAILED = 101, SKIPPED = 102 };

struct check {
  const char *name;
  void (*run)(void);
  int flags;
  struct check *next;
};

static struct check *check_first, **check_end = &check_first;
static const char *check_name = "";
static pid_t check_child;
static char check_scratch[PATH_MAX];

#define CHECK_WITH(id, wanted)                                                                  \
  static void check_##id(void);                                                                 \
  static struct check entry_##id = {#id, check_##id, wanted, NULL};                             \
  __attribute__((constructor)) static void register_##id(void) {                                \
    *check_end = &entry_##id;                                                                   \
    check_end = &entry_##id.next;                                                               \
  }                                                                                             \
  static void check_##id(void)

/* A check that any user may run, one that needs root, and one that runs as an ordinary user even when root starts it. */
#define CHECK(id) CHECK_WITH(id, 0)
#define CHECK_ROOT(id) CHECK_WITH(id, NEEDS_ROOT)
#define CHECK_USER(id) CHECK_WITH(id, AS_USER)

static void __attribute__((noreturn, format(printf, 3, 4), unused)) check_fail(const char *file, int line, const char *format, ...) {
  char text[1024];
  const char *base = strrchr(file, '/');
  int used = snprintf(text, sizeof text, "not ok %s %s:%d ", check_name, base ? base + 1 : file, line);
  va_list arguments;
  va_start(arguments, format);
  used += vsnprintf(text + used, sizeof text - used - 2, format, arguments);
  va_end(arguments);
  if (used > (int)sizeof text - 2) used = sizeof text - 2;
  text[used++] = '\n';
  if (write(9, text, used) < 0) _exit(FAILED + 2);
  _exit(FAILED);
}

static void __attribute__((noreturn, unused)) check_skip(const char *why) {
  char text[256];
  int used = snprintf(text, sizeof text, "skip %s %s\n", check_name, why);
  if (write(9, text, used) < 0) _exit(FAILED);
  _exit(SKIPPED);
}

#define SKIP(why) check_skip(why)

/* Containers give root fewer capabilities than the host does. */
static int __attribute__((unused)) has_capability(int number) {
  unsigned int header[2] = {0x20080522, 0}, data[6] = {0};
  syscall(SYS_capget, header, data);
  return data[number / 32 * 3] >> number % 32 & 1;
}
#define NEED_CAPABILITY(number) ((void)(has_capability(number) ? 0 : (check_skip("needs " #number), 0)))
/* CAP_SYS_ADMIN, for mounts and namespaces. */
#define NEED_ADMIN NEED_CAPABILITY(21)
#define FAIL(...) check_fail(__FILE__, __LINE__, __VA_ARGS__)
#define EXPECT(condition)                                                                       \
  ({                                                                                            \
    if (!(condition)) FAIL("expected %s (errno %d %s)", #condition, errno, strerror(errno));    \
  })
#define EXPECT_EQ(expected, actual)                                                             \
  ({                                                                                            \
    long long expected_ = (long long)(expected), actual_ = (long long)(actual);                 \
    if (expected_ != actual_)                                                                   \
      FAIL("%s: expected %lld got %lld (errno %d)", #actual, expected_, actual_, errno);        \
  })
#define EXPECT_STR(expected, actual)                                                            \
  ({                                                                                            \
    const char *expected_ = (expected), *actual_ = (actual);                                    \
    if (strcmp(expected_, actual_) != 0)                                                        \
      FAIL("%s: expected \"%s\" got \"%s\"", #actual, expected_, actual_);                      \
  })
/* The call answers anything but -1; the value is the macro's. */
#define OK(call)                                                                                \
  ({                                                                                            \
    long long value_ = (long long)(call);                                                       \
    if (value_ == -1) FAIL("%s: expected success got errno %d %s", #call, errno, strerror(errno)); \
    (long)value_;                                                                               \
  })
#define EXPECT_ERRNO(wanted, call)                                                              \
  ({                                                                                            \
    errno = 0;                                                                                  \
    long long value_ = (long long)(call);                                                       \
    int got_ = errno;                                                                           \
    if (value_ != -1)                                                                           \
      FAIL("%s: expected errno %d %s got value %lld", #call, wanted, strerror(wanted), value_); \
    if (got_ != (wanted))                                                                       \
      FAIL("%s: expected errno %d %s got %d %s", #call, wanted, strerror(wanted), got_, strerror(got_)); \
  })
/* The same for functions that return the error number (pthread_*, posix_*). */
#define EXPECT_RETURNS(wanted, call)                                                            \
  ({                                                                                            \
    int got_ = (call);                                                                          \
    if (got_ != (wanted)) FAIL("%s: expected %d %s got %d %s", #call, wanted, strerror(wanted), got_, strerror(got_)); \
  })

static pid_t __attribute__((unused)) fork_or_fail(const char *file, int line) {
  pid_t pid = fork();
  if (pid < 0) check_fail(file, line, "fork: errno %d", errno);
  return pid;
}

static int __attribute__((unused)) wait_status(const char *file, int line, pid_t pid) {
  int status;
  pid_t got;
  do got = waitpid(pid, &status, 0);
  while (got == -1 && errno == EINTR);
  if (got != pid) check_fail(file, line, "waitpid(%d) gave %d errno %d", pid, got, errno);
  if (WIFEXITED(status) && WEXITSTATUS(status) == FAILED) _exit(FAILED);
  return status;
}
#define WAIT(pid) wait_status(__FILE__, __LINE__, pid)
#define FORK() fork_or_fail(__FILE__, __LINE__)

static void __attribute__((unused)) wait_success(const char *file, int line, pid_t pid) {
  int status = wait_status(file, line, pid);
  if (status != 0) check_fail(file, line, "child ended with status 0x%x", status);
}

/* IN_CHILD { ... } runs the body in a child and waits for its success. */
#define IN_CHILD                                                                                \
  for (pid_t child_ = FORK(), once_ = 1; once_; once_ = 0, child_ ? wait_success(__FILE__, __LINE__, child_) : _exit(0)) \
    if (child_ == 0)

static void __attribute__((unused)) sleep_ms(int ms) {
  struct timespec left = {ms / 1000, ms % 1000 * 1000000L};
  while (nanosleep(&left, &left) == -1 && errno == EINTR) {
  }
}

static long long __attribute__((unused)) now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Makes a file with the text; returns nothing, leaves nothing open. */
static void __attribute__((unused)) put_file(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text)) FAIL("cannot write %s: errno %d", path, errno);
  close(fd);
}

/* The file's text, NUL-terminated, in a static buffer. */
static __attribute__((unused)) char *get_file(const char *path) {
  static char text[65536];
  int fd = open(path, O_RDONLY);
  if (fd < 0) FAIL("cannot open %s: errno %d", path, errno);
  ssize_t used = 0, got;
  while (used < (ssize_t)sizeof text - 1 && (got = read(fd, text + used, sizeof text - 1 - used)) > 0) used += got;
  text[used] = 0;
  close(fd);
  return text;
}

static void __attribute__((unused)) become_ordinary_user(void) {
  if (geteuid() != 0) return;
  if (setgroups(0, NULL) != 0 || setresgid(ORDINARY_ID, ORDINARY_ID, ORDINARY_ID) != 0 ||
      setresuid(ORDINARY_ID, ORDINARY_ID, ORDINARY_ID) != 0)
    FAIL("cannot become an ordinary user: errno %d", errno);
}

/* A mount namespace whose changes nobody else sees. */
static void __attribute__((unused)) private_mounts(void) {
  OK(unshare(CLONE_NEWNS));
  OK(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL));
}

/* Addresses that no process may use: in the first page, and in the kernel's half. */
#define NOWHERE ((void *)8)
#define KERNEL_ADDRESS ((void *)0xffff800000001000UL)

static int check_remove(const char *path, const struct stat *status, int type, struct FTW *walk) {
  (void)status, (void)walk;
  return type == FTW_DP ? rmdir(path) : unlink(path), 0;
}

static void check_on_alarm(int signal) {
  (void)signal;
  if (check_child > 0) kill(check_child, SIGKILL), kill(-check_child, SIGKILL);
}

static void check_run_child(const struct check *check) {
  char directory[PATH_MAX + 256];
  setpgid(0, 0);
  snprintf(directory, sizeof directory, "%s/%s", check_scratch, check->name);
  if (mkdir(directory, 0755) != 0 || chdir(directory) != 0) FAIL("no scratch directory %s: errno %d", directory, errno);
  if ((check->flags & AS_USER) && geteuid() == 0 && chown(directory, ORDINARY_ID, ORDINARY_ID) != 0) FAIL("chown: errno %d", errno);
  if (check->flags & AS_USER) become_ordinary_user();
  umask(022);
  check->run();
  _exit(0);
}

/* 0 passed, 1 failed, 2 skipped. */
static int check_run(const struct check *check) {
  int status = -1;
  char line[256] = "";
  check_name = check->name;
  if ((check->flags & NEEDS_ROOT) && geteuid() != 0) {
    printf("skip %s needs root\n", check->name);
    return 2;
  }
  long long started = now_ms();
  check_child = fork();
  if (check_child == 0) {
    signal(SIGALRM, SIG_DFL);
    check_run_child(check);
  }
  setpgid(check_child, check_child);
  alarm(CHECK_SECONDS);
  while (waitpid(check_child, &status, 0) == -1 && errno == EINTR) {
  }
  alarm(0);
  kill(-check_child, SIGKILL);
  if (status == 0) {
    printf("ok %s\n", check->name);
    return 0;
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED) return 2;
  if (WIFEXITED(status) && WEXITSTATUS(status) == FAILED) return 1;
  if (WIFSIGNALED(status))
    snprintf(line, sizeof line, now_ms() - started >= CHECK_SECONDS * 1000 - 500 ? "hangs" : "killed by signal %d", WTERMSIG(status));
  else
    snprintf(line, sizeof line, "ended with status 0x%x", status);
  printf("not ok %s %s\n", check->name, line);
  return 1;
}

int main(int argc, char **argv) {
  int counts[3] = {0, 0, 0};
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = check_on_alarm;
  sigaction(SIGALRM, &action, NULL);
  setvbuf(stdout, NULL, _IONBF, 0);
  dup3(1, 9, O_CLOEXEC);
  snprintf(check_scratch, sizeof check_scratch, "%s/conformance.XXXXXX", argc > 1 ? argv[1] : "/tmp");
  if (!mkdtemp(check_scratch)) return perror(check_scratch), 2;
  chmod(check_scratch, 0755);
  for (const struct check *check = check_first; check; check = check->next)
    if (argc < 3 || strncmp(check->name, argv[2], strlen(argv[2])) == 0) counts[check_run(check)]++;
  nftw(check_scratch, check_remove, 16, FTW_DEPTH | FTW_PHYS);
  printf("%d passed, %d failed, %d skipped\n", counts[0], counts[1], counts[2]);
  return counts[1] != 0;
}
#endif
