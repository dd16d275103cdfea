/* pid_namespaces(7): numbers by level, the first process, signals, waiting, and the procfs of a namespace. */
#include "check.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <linux/nsfs.h>


/* IN_NAMESPACE { ... } runs the body as the first process of a new PID namespace, and waits for its success. */
static pid_t fork_into(int flags) { return syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL); }
#define IN_NAMESPACE                                                                                       \
  for (pid_t child_ = OK(fork_into(CLONE_NEWPID)), once_ = 1; once_; once_ = 0, child_ ? wait_success(__FILE__, __LINE__, child_) : _exit(0)) \
    if (child_ == 0)

static int pipe_ends[2];
static void ready(void) { OK(write(pipe_ends[1], "x", 1)); }
static void wait_ready(void) { char byte; EXPECT_EQ(1, read(pipe_ends[0], &byte, 1)); }

/* The first process of a new PID namespace, which waits to be killed. */
static pid_t waiting_init(void) {
  OK(pipe(pipe_ends));
  pid_t child = OK(fork_into(CLONE_NEWPID));
  if (child == 0) {
    ready();
    for (;;) pause();
  }
  wait_ready();
  return child;
}

static long field_of(const char *path, const char *name) {
  char *line = strstr(get_file(path), name);
  if (line == NULL) FAIL("no %s in %s", name, path);
  return atol(line + strlen(name));
}

CHECK_ROOT(pid_first_process_is_1) {
  NEED_ADMIN;
  IN_NAMESPACE {
    EXPECT_EQ(1, getpid());
    EXPECT_EQ(1, syscall(SYS_gettid));
    EXPECT_EQ(0, getppid());
  }
}

CHECK_ROOT(pid_group_and_session_of_outside_are_0) {
  NEED_ADMIN;
  IN_NAMESPACE {
    EXPECT_EQ(0, getpgrp());
    EXPECT_EQ(0, getsid(0));
    EXPECT_EQ(1, OK(setsid()));
    EXPECT_EQ(1, getpgrp());
    EXPECT_EQ(1, getsid(0));
  }
}

CHECK_ROOT(pid_children_are_numbered_from_2) {
  NEED_ADMIN;
  IN_NAMESPACE {
    pid_t child = FORK();
    if (child == 0) _exit(getpid() == 2 && getppid() == 1 ? 0 : 1);
    EXPECT_EQ(2, child);
    EXPECT_EQ(0, WAIT(2));
    child = FORK();
    if (child == 0) _exit(0);
    EXPECT_EQ(3, child);
    EXPECT_EQ(0, WAIT(3));
  }
}

CHECK_ROOT(pid_outside_sees_its_own_number) {
  NEED_ADMIN;
  pid_t child = waiting_init();
  EXPECT(child > 1);
  OK(kill(child, SIGKILL));
  EXPECT_EQ(SIGKILL, WAIT(child));
}

CHECK_ROOT(pid_unshare_is_for_children) {
  NEED_ADMIN;
  pid_t before = getpid();
  OK(unshare(CLONE_NEWPID));
  EXPECT_EQ(before, getpid());
  pid_t child = FORK();
  if (child == 0) _exit(getpid() == 1 && getppid() == 0 ? 0 : 1);
  EXPECT_EQ(0, WAIT(child));
  /* Its first process is gone: nothing is made in it any more. */
  EXPECT_ERRNO(ENOMEM, fork());
}

CHECK_ROOT(pid_unshare_twice) {
  NEED_ADMIN;
  OK(unshare(CLONE_NEWPID));
  EXPECT_ERRNO(EINVAL, unshare(CLONE_NEWPID));
}


CHECK_ROOT(pid_threads_stay_in_one) {
  NEED_ADMIN;
  char stack[16384];
  EXPECT_ERRNO(EINVAL, syscall(SYS_clone, CLONE_NEWPID | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, stack + sizeof stack, NULL, NULL, NULL));
  OK(unshare(CLONE_NEWPID));
  EXPECT_ERRNO(EINVAL, syscall(SYS_clone, CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, stack + sizeof stack, NULL, NULL, NULL));
}

CHECK_ROOT(pid_numbers_outside_do_not_exist) {
  NEED_ADMIN;
  pid_t outside = getpid();
  IN_NAMESPACE {
    if (outside > 5) {
      EXPECT_ERRNO(ESRCH, kill(outside, 0));
      EXPECT_ERRNO(ESRCH, getpgid(outside));
      EXPECT_ERRNO(ESRCH, getsid(outside));
      EXPECT_ERRNO(ESRCH, syscall(SYS_pidfd_open, outside, 0));
      EXPECT_ERRNO(ESRCH, sched_getscheduler(outside));
      EXPECT_ERRNO(ESRCH, syscall(SYS_tgkill, outside, outside, 0));
    }
    OK(kill(1, 0));
    EXPECT_EQ(0, getpgid(1));
    EXPECT_ERRNO(ESRCH, kill(-1, 0));
  }
}

static volatile sig_atomic_t handled;
static siginfo_t seen;
static void handler(int number, siginfo_t *info, void *context) { handled = number, seen = *info, (void)context; }
static void handle(int number) {
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
  OK(sigaction(number, &action, NULL));
}

CHECK_ROOT(pid_init_ignores_what_it_does_not_handle) {
  NEED_ADMIN;
  IN_NAMESPACE {
    OK(kill(1, SIGTERM));
    OK(kill(1, SIGKILL));
    OK(kill(1, SIGSTOP));
    IN_CHILD { OK(kill(1, SIGTERM)), OK(kill(1, SIGKILL)), OK(kill(1, SIGHUP)); }
    handle(SIGUSR1);
    IN_CHILD { OK(kill(1, SIGUSR1)); }
    EXPECT_EQ(SIGUSR1, handled);
    EXPECT_EQ(3, seen.si_pid);
  }
}

CHECK_ROOT(pid_init_from_outside) {
  NEED_ADMIN;
  OK(pipe(pipe_ends));
  pid_t child = OK(fork_into(CLONE_NEWPID));
  if (child == 0) {
    handle(SIGUSR1);
    ready();
    while (!handled) pause();
    _exit(seen.si_pid == 0 && seen.si_code == SI_USER ? 7 : 8);
  }
  wait_ready();
  OK(kill(child, SIGTERM));
  OK(kill(child, SIGUSR1));
  EXPECT_EQ(7 << 8, WAIT(child));
}

CHECK_ROOT(pid_end_of_init_ends_all) {
  NEED_ADMIN;
  OK(pipe(pipe_ends));
  int held[2];
  OK(pipe(held));
  pid_t child = OK(fork_into(CLONE_NEWPID));
  if (child == 0) {
    for (int i = 0; i < 3; i++)
      if (FORK() == 0) {
        close(held[0]);
        signal(SIGTERM, SIG_IGN);
        ready();
        for (;;) pause();
      }
    for (int i = 0; i < 3; i++) wait_ready();
    _exit(5);
  }
  close(held[1]);
  EXPECT_EQ(5 << 8, WAIT(child));
  char byte;
  EXPECT_EQ(0, read(held[0], &byte, 1));
}

CHECK_ROOT(pid_init_adopts_orphans) {
  NEED_ADMIN;
  OK(pipe(pipe_ends));
  IN_NAMESPACE {
    pid_t child = FORK();
    if (child == 0) {
      if (FORK() == 0) {
        while (getppid() != 1) sched_yield();
        ready();
        _exit(9);
      }
      _exit(0);
    }
    EXPECT_EQ(0, WAIT(child));
    wait_ready();
    int status;
    EXPECT_EQ(3, wait(&status));
    EXPECT_EQ(9 << 8, status);
    EXPECT_ERRNO(ECHILD, wait(NULL));
  }
}

CHECK_ROOT(pid_subreaper_outside_does_not_adopt) {
  NEED_ADMIN;
  OK(prctl(PR_SET_CHILD_SUBREAPER, 1));
  IN_NAMESPACE {
    if (FORK() == 0) {
      if (FORK() == 0) {
        while (getppid() != 1) sched_yield();
        _exit(0);
      }
      _exit(0);
    }
    EXPECT(wait(NULL) > 0);
    EXPECT(wait(NULL) > 0);
  }
  EXPECT_ERRNO(ECHILD, wait(NULL));
}

CHECK_ROOT(pid_kill_all_spares_init_and_outside) {
  NEED_ADMIN;
  OK(pipe(pipe_ends));
  pid_t other = FORK();
  if (other == 0) {
    ready();
    for (;;) pause();
  }
  wait_ready();
  IN_NAMESPACE {
    pid_t child = FORK();
    if (child == 0) {
      ready();
      for (;;) pause();
    }
    wait_ready();
    OK(kill(-1, SIGKILL));
    EXPECT_EQ(SIGKILL, WAIT(child));
  }
  OK(kill(other, 0));
  EXPECT_EQ(0, waitpid(other, NULL, WNOHANG));
  OK(kill(other, SIGKILL));
  EXPECT_EQ(SIGKILL, WAIT(other));
}

CHECK_ROOT(pid_signals_of_children_name_them) {
  NEED_ADMIN;
  IN_NAMESPACE {
    handle(SIGCHLD);
    pid_t child = FORK();
    if (child == 0) _exit(4);
    siginfo_t info;
    EXPECT_EQ(0, waitid(P_PID, 2, &info, WEXITED));
    EXPECT_EQ(2, info.si_pid);
    EXPECT_EQ(4, info.si_status);
    EXPECT_EQ(2, seen.si_pid);
  }
}

CHECK_ROOT(pid_process_groups) {
  NEED_ADMIN;
  IN_NAMESPACE {
    OK(setsid());
    OK(pipe(pipe_ends));
    pid_t child = FORK();
    if (child == 0) {
      for (;;) pause();
    }
    OK(setpgid(child, child));
    EXPECT_EQ(2, getpgid(2));
    EXPECT_EQ(1, getsid(2));
    EXPECT_ERRNO(EPERM, setpgid(child, 77));
    OK(killpg(2, SIGTERM));
    int status;
    EXPECT_EQ(2, waitpid(-2, &status, 0));
    EXPECT_EQ(SIGTERM, status);
    EXPECT_ERRNO(ESRCH, killpg(2, 0));
  }
}

CHECK_ROOT(pid_nested) {
  NEED_ADMIN;
  IN_NAMESPACE {
    pid_t child = OK(fork_into(CLONE_NEWPID));
    if (child == 0) {
      pid_t inner = FORK();
      if (inner == 0) _exit(getpid() == 2 ? 0 : 1);
      _exit(getpid() == 1 && inner == 2 && WAIT(2) == 0 ? 0 : 1);
    }
    EXPECT_EQ(2, child);
    EXPECT_EQ(0, WAIT(child));
  }
}

CHECK_ROOT(pid_nested_32_deep) {
  NEED_ADMIN;
  for (int level = 0; level < 32; level++) {
    pid_t child = fork_into(CLONE_NEWPID);
    if (child == -1) {
      /* The host's own namespace may be below another one. */
      EXPECT_EQ(ENOSPC, errno);
      EXPECT(level > 24);
      _exit(0);
    }
    if (child > 0) {
      EXPECT_EQ(0, WAIT(child));
      _exit(0);
    }
  }
  EXPECT_ERRNO(ENOSPC, fork_into(CLONE_NEWPID));
}

CHECK_ROOT(pid_setns) {
  NEED_ADMIN;
  char path[64];
  pid_t child = waiting_init();
  snprintf(path, sizeof path, "/proc/%d/ns/pid", child);
  int inner = OK(open(path, O_RDONLY)), outer = OK(open("/proc/self/ns/pid", O_RDONLY));
  EXPECT_ERRNO(EINVAL, setns(inner, CLONE_NEWUTS));
  OK(setns(inner, CLONE_NEWPID));
  pid_t entered = FORK();
  if (entered == 0) {
    EXPECT_EQ(2, getpid());
    EXPECT_EQ(0, getppid());
    /* Upwards is refused: it is in the inner one now. */
    EXPECT_ERRNO(EINVAL, setns(outer, CLONE_NEWPID));
    _exit(0);
  }
  EXPECT_EQ(0, WAIT(entered));
  OK(setns(outer, CLONE_NEWPID));
  OK(kill(child, SIGKILL));
  WAIT(child);
}

CHECK_ROOT(pid_links_of_proc) {
  NEED_ADMIN;
  struct stat own, children;
  OK(stat("/proc/self/ns/pid", &own));
  OK(stat("/proc/self/ns/pid_for_children", &children));
  EXPECT_EQ(own.st_ino, children.st_ino);
  OK(unshare(CLONE_NEWPID));
  pid_t child = FORK();
  if (child == 0) for (;;) pause();
  OK(stat("/proc/self/ns/pid_for_children", &children));
  EXPECT(own.st_ino != children.st_ino);
  OK(kill(child, SIGKILL));
  WAIT(child);
}

CHECK_ROOT(pid_procfs_shows_its_namespace) {
  NEED_ADMIN;
  private_mounts();
  OK(mkdir("proc", 0755));
  IN_NAMESPACE {
    OK(mount("proc", "proc", "proc", 0, NULL));
    char link[16] = "";
    EXPECT_EQ(1, readlink("proc/self", link, sizeof link));
    EXPECT_STR("1", link);
    EXPECT_EQ(1, field_of("proc/self/status", "Pid:\t"));
    EXPECT_EQ(0, field_of("proc/self/status", "PPid:\t"));
    EXPECT_EQ(1, field_of("proc/self/status", "NSpid:\t"));
    EXPECT_EQ(1, atol(get_file("proc/1/stat")));
    EXPECT_ERRNO(ENOENT, access("proc/4000", F_OK));
    OK(umount("proc"));
  }
}

CHECK_ROOT(pid_procfs_of_outside_shows_all_numbers) {
  NEED_ADMIN;
  char path[64], wanted[64];
  pid_t child = waiting_init();
  snprintf(path, sizeof path, "/proc/%d/status", child);
  EXPECT_EQ(child, field_of(path, "\nPid:\t"));
  snprintf(wanted, sizeof wanted, "NSpid:\t%d\t1\n", child);
  EXPECT(strstr(get_file(path), wanted) != NULL);
  OK(kill(child, SIGKILL));
  WAIT(child);
}

CHECK_ROOT(pid_self_of_a_foreign_procfs_is_nothing) {
  NEED_ADMIN;
  private_mounts();
  OK(mkdir("proc", 0755));
  OK(pipe(pipe_ends));
  int go[2];
  OK(pipe(go));
  pid_t child = OK(fork_into(CLONE_NEWPID));
  if (child == 0) {
    OK(mount("proc", "proc", "proc", 0, NULL));
    ready();
    char byte;
    OK(read(go[0], &byte, 1));
    _exit(0);
  }
  wait_ready();
  char link[16];
  EXPECT_ERRNO(ENOENT, readlink("proc/self", link, sizeof link));
  OK(access("proc/1/status", F_OK));
  OK(write(go[1], "x", 1));
  EXPECT_EQ(0, WAIT(child));
  OK(umount2("proc", MNT_DETACH));
}

CHECK_ROOT(pid_credentials_of_sockets) {
  NEED_ADMIN;
  int ends[2], on = 1;
  OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends));
  OK(setsockopt(ends[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
  OK(setsockopt(ends[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
  pid_t child = OK(fork_into(CLONE_NEWPID));
  char byte = 'x', control[64];
  struct iovec piece = {&byte, 1};
  struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  if (child == 0) {
    OK(send(ends[1], "c", 1, 0));
    OK(recvmsg(ends[1], &message, 0));
    struct ucred *from = (struct ucred *)CMSG_DATA(CMSG_FIRSTHDR(&message));
    _exit(from->pid == 0 ? 0 : 1);
  }
  OK(recvmsg(ends[0], &message, 0));
  struct ucred *from = (struct ucred *)CMSG_DATA(CMSG_FIRSTHDR(&message));
  EXPECT_EQ(child, from->pid);
  OK(send(ends[0], "p", 1, 0));
  EXPECT_EQ(0, WAIT(child));
}

CHECK_ROOT(pid_owner_of_a_file) {
  NEED_ADMIN;
  int ends[2];
  OK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
  OK(fcntl(ends[0], F_SETOWN, getpid()));
  IN_NAMESPACE {
    EXPECT_EQ(0, fcntl(ends[0], F_GETOWN));
    OK(fcntl(ends[1], F_SETOWN, getpid()));
    EXPECT_EQ(1, fcntl(ends[1], F_GETOWN));
    EXPECT_ERRNO(ESRCH, fcntl(ends[1], F_SETOWN, 4000));
  }
}

CHECK_ROOT(pid_locks_name_their_owner) {
  NEED_ADMIN;
  int fd = OK(open("f", O_RDWR | O_CREAT, 0644));
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
  OK(fcntl(fd, F_SETLK, &lock));
  IN_NAMESPACE {
    struct flock found = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
    OK(fcntl(fd, F_GETLK, &found));
    EXPECT_EQ(F_WRLCK, found.l_type);
    EXPECT_EQ(0, found.l_pid);
    struct flock own = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 5, .l_len = 1};
    OK(fcntl(fd, F_SETLK, &own));
    IN_CHILD {
      struct flock other = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 5, .l_len = 1};
      OK(fcntl(fd, F_GETLK, &other));
      EXPECT_EQ(1, other.l_pid);
    }
  }
}

CHECK_ROOT(pid_descriptors_of_processes) {
  NEED_ADMIN;
  IN_NAMESPACE {
    pid_t child = FORK();
    if (child == 0) for (;;) pause();
    int fd = OK(syscall(SYS_pidfd_open, 2, 0));
    OK(syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0));
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    EXPECT_EQ(1, poll(&poll_fd, 1, 5000));
    EXPECT_EQ(SIGKILL, WAIT(2));
  }
}

CHECK_ROOT(pid_wanted_numbers) {
  NEED_ADMIN;
  struct {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size;
  } arguments = {.exit_signal = SIGCHLD};
  IN_NAMESPACE {
    pid_t wanted[2] = {31, 0};
    arguments.set_tid = (uintptr_t)wanted;
    arguments.set_tid_size = 1;
    pid_t child = OK(syscall(SYS_clone3, &arguments, sizeof arguments));
    if (child == 0) _exit(getpid() == 31 ? 0 : 1);
    EXPECT_EQ(31, child);
    EXPECT_EQ(0, WAIT(31));
    wanted[0] = 1;
    EXPECT_ERRNO(EEXIST, syscall(SYS_clone3, &arguments, sizeof arguments));
    wanted[0] = 0;
    EXPECT_ERRNO(EINVAL, syscall(SYS_clone3, &arguments, sizeof arguments));
    arguments.flags = CLONE_NEWPID;
    wanted[0] = 2;
    EXPECT_ERRNO(EINVAL, syscall(SYS_clone3, &arguments, sizeof arguments));
    wanted[0] = 1, wanted[1] = 42;
    arguments.set_tid_size = 2;
    child = OK(syscall(SYS_clone3, &arguments, sizeof arguments));
    if (child == 0) _exit(getpid() == 1 ? 0 : 1);
    EXPECT_EQ(42, child);
    EXPECT_EQ(0, WAIT(42));
    arguments.set_tid_size = 40;
    EXPECT_ERRNO(EINVAL, syscall(SYS_clone3, &arguments, sizeof arguments));
  }
}

CHECK_ROOT(pid_ids_that_clone_writes) {
  NEED_ADMIN;
  static volatile pid_t in_parent, in_child;
  pid_t child = OK(syscall(SYS_clone, CLONE_NEWPID | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD, NULL, &in_parent, &in_child, 0));
  if (child == 0) _exit(in_child == 1 ? 0 : 1);
  EXPECT_EQ(0, WAIT(child));
  EXPECT_EQ(child, in_parent);
}

CHECK_ROOT(pid_parent_of_a_namespace) {
  NEED_ADMIN;
  char path[64];
  pid_t child = waiting_init();
  snprintf(path, sizeof path, "/proc/%d/ns/pid", child);
  int inner = OK(open(path, O_RDONLY));
  struct stat own, parent;
  int above = OK(ioctl(inner, NS_GET_PARENT));
  OK(fstat(above, &parent));
  OK(stat("/proc/self/ns/pid", &own));
  EXPECT_EQ(own.st_ino, parent.st_ino);
  EXPECT_EQ(CLONE_NEWPID, ioctl(inner, NS_GET_NSTYPE));
  /* What is above the caller's own is not shown. */
  EXPECT_ERRNO(EPERM, ioctl(above, NS_GET_PARENT));
  OK(kill(child, SIGKILL));
  WAIT(child);
}

CHECK_USER(pid_needs_a_capability) {
  EXPECT_ERRNO(EPERM, unshare(CLONE_NEWPID));
  EXPECT_ERRNO(EPERM, fork_into(CLONE_NEWPID));
}
