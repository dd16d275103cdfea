/* ptrace(2), "Ptrace access mode checking": who may look into whom, by whatever call. */
#include "check.h"
#include <linux/capability.h>
#include <linux/kcmp.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

static char secret[] = "secret";

/* A child that waits to be killed; the pipe of `ready` is open in it. */
static int ready[2];
static pid_t bystander(int dumpable) {
  char byte;
  OK(pipe(ready));
  pid_t pid = FORK();
  if (pid == 0) {
    OK(prctl(PR_SET_DUMPABLE, dumpable));
    OK(write(ready[1], "x", 1));
    for (;;) pause();
  }
  EXPECT_EQ(1, read(ready[0], &byte, 1));
  return pid;
}
static void end(pid_t pid) {
  OK(kill(pid, SIGKILL));
  EXPECT_EQ(SIGKILL, WAIT(pid));
}

static int open_of(pid_t pid, const char *name, int flags) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
  return open(path, flags);
}
static long taken_descriptor(pid_t pid) {
  int pidfd = OK(syscall(SYS_pidfd_open, pid, 0)), fd = syscall(SYS_pidfd_getfd, pidfd, ready[0], 0), error = errno;
  close(pidfd);
  errno = error;
  return fd;
}
static long robust_list(pid_t pid) {
  void *head;
  size_t length;
  return syscall(SYS_get_robust_list, pid, &head, &length);
}
static long memory_of(pid_t pid) {
  char text[sizeof secret];
  struct iovec here = {text, sizeof text}, there = {secret, sizeof secret};
  return process_vm_readv(pid, &here, 1, &there, 1, 0);
}
static long compared(pid_t pid) { return syscall(SYS_kcmp, pid, pid, KCMP_VM, 0, 0); }

static void gives_nothing(pid_t pid) {
  EXPECT_ERRNO(EPERM, ptrace(PTRACE_ATTACH, pid, NULL, NULL));
  EXPECT_ERRNO(EPERM, taken_descriptor(pid));
  EXPECT_ERRNO(EPERM, compared(pid));
  EXPECT_ERRNO(EPERM, robust_list(pid));
  EXPECT_ERRNO(EPERM, memory_of(pid));
  EXPECT_ERRNO(EACCES, open_of(pid, "mem", O_RDWR));
  /* CAP_PERFMON may read on newer kernels. */
  if (!has_capability(38)) EXPECT_ERRNO(EACCES, open_of(pid, "environ", O_RDONLY));
  if (!has_capability(38)) EXPECT_ERRNO(EACCES, open_of(pid, "maps", O_RDONLY));
  static const char *const links[] = {"exe", "cwd", "ns/net"};
  char path[64], target[64];
  for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
    snprintf(path, sizeof path, "/proc/%d/%s", pid, links[i]);
    EXPECT_ERRNO(EACCES, readlink(path, target, sizeof target));
  }
}

CHECK_USER(access_to_its_own_children) {
  OK(prctl(PR_SET_DUMPABLE, 1));
  pid_t pid = bystander(1);
  close(OK(taken_descriptor(pid)));
  EXPECT_EQ(0, compared(pid));
  OK(robust_list(pid));
  EXPECT_EQ(sizeof secret, memory_of(pid));
  close(OK(open_of(pid, "mem", O_RDWR)));
  close(OK(open_of(pid, "environ", O_RDONLY)));
  end(pid);
}

CHECK_USER(access_to_what_is_not_dumpable) {
  pid_t pid = bystander(0);
  gives_nothing(pid);
  end(pid);
}

/* security/landlock/ptrace.c: whoever is restricted reaches nobody who is less so, even as root and whatever the ruleset is about. */
static void restricted_ones_reach_nobody_outside(void) {
  struct { unsigned long long fs, net; } attributes = {LANDLOCK_ACCESS_FS_MAKE_SYM, 0};
  pid_t pid = bystander(1);
  int ruleset = syscall(SYS_landlock_create_ruleset, &attributes, 8, 0);
  if (ruleset < 0) SKIP("needs Landlock");
  OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  OK(syscall(SYS_landlock_restrict_self, ruleset, 0));
  gives_nothing(pid);
  end(pid);
  pid_t inside = bystander(1);
  close(OK(taken_descriptor(inside)));
  close(OK(open_of(inside, "mem", O_RDWR)));
  end(inside);
}
CHECK_ROOT(access_from_a_restricted_root) { restricted_ones_reach_nobody_outside(); }
CHECK_USER(access_from_a_restricted_user) {
  OK(prctl(PR_SET_DUMPABLE, 1));
  restricted_ones_reach_nobody_outside();
}

CHECK_USER(access_from_another_user_namespace) {
  OK(prctl(PR_SET_DUMPABLE, 1));
  pid_t pid = bystander(1);
  OK(unshare(CLONE_NEWUSER));
  gives_nothing(pid);
  end(pid);
}

CHECK_ROOT(access_from_another_user) {
  pid_t pid = bystander(1);
  IN_CHILD {
    become_ordinary_user();
    gives_nothing(pid);
  }
  end(pid);
}

/* cap_ptrace_access_check(): for files of /proc, rights that are laid down do not count; for system calls they do. */
CHECK_ROOT(access_with_rights_laid_down) {
  pid_t pid = bystander(1);
  IN_CHILD {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    OK(syscall(SYS_capget, &header, data));
    data[0].effective = data[1].effective = 0;
    OK(syscall(SYS_capset, &header, data));
    EXPECT_ERRNO(EACCES, open_of(pid, "mem", O_RDONLY));
    EXPECT_ERRNO(EACCES, open_of(pid, "environ", O_RDONLY));
    EXPECT_EQ(sizeof secret, memory_of(pid));
  }
  end(pid);
}

/* cap_ptrace_traceme(): the one who asks to be traced has no more rights than who would trace it. */
CHECK_ROOT(access_by_a_parent_that_may_less) {
  int ends[2];
  OK(pipe(ends));
  IN_CHILD {
    pid_t pid = FORK();
    if (pid == 0) {
      char byte;
      EXPECT_EQ(1, read(ends[0], &byte, 1));
      EXPECT_ERRNO(EPERM, ptrace(PTRACE_TRACEME, 0, NULL, NULL));
      _exit(0);
    }
    become_ordinary_user();
    OK(write(ends[1], "x", 1));
    EXPECT_EQ(0, WAIT(pid));
  }
}

/* What a program has after execve(2) is not reached by what was opened before; so none can be made to write into itself. */
CHECK(access_ends_with_exec) {
  char path[64], text[64];
  int running[2];
  OK(pipe2(running, O_CLOEXEC));
  int output[2], input[2];
  OK(pipe(output)), OK(pipe(input));
  pid_t pid = FORK();
  if (pid == 0) {
    OK(dup2(input[0], 0)), OK(dup2(output[1], 1));
    EXPECT_EQ(1, read(running[0], text, 1));
    close(input[1]);
    execl("/bin/cat", "cat", NULL);
    _exit(1);
  }
  close(output[1]);
  snprintf(path, sizeof path, "/proc/%d/mem", pid);
  int memory = OK(open(path, O_RDWR));
  int environment = OK(open_of(pid, "environ", O_RDONLY));
  EXPECT_EQ(sizeof secret, pread(memory, text, sizeof secret, (off_t)secret));
  OK(write(running[1], "x", 1));
  OK(write(input[1], "y", 1));
  EXPECT_EQ(1, read(output[0], text, 1));
  EXPECT_EQ(0, pread(memory, text, sizeof secret, (off_t)secret));
  EXPECT_EQ(0, pwrite(memory, text, sizeof secret, (off_t)secret));
  EXPECT_EQ(0, read(environment, text, sizeof text));
  close(input[1]);
  EXPECT_EQ(0, WAIT(pid));
}

CHECK(access_to_the_memory_that_a_file_was_opened_for) {
  int memory = OK(open("/proc/self/mem", O_RDWR));
  pid_t pid = FORK();
  if (pid == 0) {
    /* The memory of the parent, which is what it was opened for. */
    OK(dup2(memory, 1));
    OK(lseek(1, (off_t)secret, SEEK_SET));
    execl("/bin/echo", "echo", "-n", "SECRET", NULL);
    _exit(1);
  }
  EXPECT_EQ(0, WAIT(pid));
  EXPECT_STR("SECRET", secret);
}
