/* unshare(2), setns(2), clone(2) with CLONE_NEW*: what is shared, and what is not. */
#include "check.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/msg.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/utsname.h>


/* The inode number of a namespace of a process. */
static ino_t namespace_of(const char *process, const char *kind) {
  char path[64];
  struct stat status;
  snprintf(path, sizeof path, "/proc/%s/ns/%s", process, kind);
  OK(stat(path, &status));
  return status.st_ino;
}

static int open_namespace(const char *kind) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/ns/%s", kind);
  return OK(open(path, O_RDONLY | O_CLOEXEC));
}

static const char *host_name(void) {
  static struct utsname name;
  OK(uname(&name));
  return name.nodename;
}

CHECK(namespace_links_name_their_number) {
  char link[64] = "", wanted[64];
  OK(readlink("/proc/self/ns/uts", link, sizeof link - 1));
  snprintf(wanted, sizeof wanted, "uts:[%lu]", (unsigned long)namespace_of("self", "uts"));
  EXPECT_STR(wanted, link);
  int fd = open_namespace("uts");
  struct stat status;
  OK(fstat(fd, &status));
  EXPECT_EQ(namespace_of("self", "uts"), status.st_ino);
  EXPECT(S_ISREG(status.st_mode));
}

CHECK(namespace_files_take_the_requests_of_all_files) {
  int fd = OK(open("/proc/self/ns/net", O_RDONLY));
  OK(ioctl(fd, FIOCLEX));
  EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
  OK(ioctl(fd, FIONCLEX));
  EXPECT_EQ(0, fcntl(fd, F_GETFD));
}

CHECK(namespaces_are_inherited) {
  ino_t uts = namespace_of("self", "uts"), mnt = namespace_of("self", "mnt");
  IN_CHILD {
    EXPECT_EQ(uts, namespace_of("self", "uts"));
    EXPECT_EQ(mnt, namespace_of("self", "mnt"));
  }
}

CHECK(unshare_nothing) { OK(unshare(0)); }

CHECK(unshare_files) {
  int fd = OK(open("/dev/null", O_RDONLY));
  int shared = 0;
  char stack[16384];
  int close_it(void *argument) { return close(*(int *)argument), 0; }
  int unshare_first(void *argument) { return unshare(CLONE_FILES) == 0 && close(*(int *)argument) == 0 ? 7 : 8; }
  pid_t pid = OK(clone(unshare_first, stack + sizeof stack, CLONE_VM | CLONE_FILES | SIGCHLD, &fd));
  EXPECT_EQ(7 << 8, WAIT(pid));
  OK(fcntl(fd, F_GETFD));
  shared = OK(clone(close_it, stack + sizeof stack, CLONE_VM | CLONE_FILES | SIGCHLD, &fd));
  EXPECT_EQ(0, WAIT(shared));
  EXPECT_ERRNO(EBADF, fcntl(fd, F_GETFD));
}

static int unshare_and_move(void *unshares) { return (unshares ? unshare(CLONE_FS) : 0) == 0 && chdir("/") == 0 ? 7 : 8; }

CHECK(unshare_working_directory) {
  char stack[16384], before[PATH_MAX], after[PATH_MAX];
  EXPECT(getcwd(before, sizeof before) != NULL);
  EXPECT_EQ(7 << 8, WAIT(OK(clone(unshare_and_move, stack + sizeof stack, CLONE_VM | CLONE_FS | SIGCHLD, "yes"))));
  EXPECT_STR(before, getcwd(after, sizeof after));
  EXPECT_EQ(7 << 8, WAIT(OK(clone(unshare_and_move, stack + sizeof stack, CLONE_VM | CLONE_FS | SIGCHLD, NULL))));
  EXPECT_STR("/", getcwd(after, sizeof after));
}

static void *try_unshare(void *flags) { return (void *)(long)(unshare((int)(long)flags) == 0 ? 0 : errno); }

CHECK(unshare_of_threads_is_refused) {
  OK(unshare(CLONE_THREAD | CLONE_SIGHAND | CLONE_VM));
  pthread_t thread;
  void *result;
  EXPECT_RETURNS(0, pthread_create(&thread, NULL, try_unshare, (void *)CLONE_VM));
  EXPECT_RETURNS(0, pthread_join(thread, &result));
  EXPECT_EQ(EINVAL, (long)result);
}

CHECK_ROOT(unshare_host_name) {
  NEED_ADMIN;
  char before[65];
  strcpy(before, host_name());
  ino_t number = namespace_of("self", "uts");
  IN_CHILD {
    OK(unshare(CLONE_NEWUTS));
    EXPECT(namespace_of("self", "uts") != number);
    EXPECT_STR(before, host_name());
    OK(sethostname("other", 5));
    EXPECT_STR("other", host_name());
    EXPECT_STR("other\n", get_file("/proc/sys/kernel/hostname"));
  }
  EXPECT_STR(before, host_name());
  EXPECT_EQ(number, namespace_of("self", "uts"));
}

static int child_sets_name(void *argument) {
  (void)argument;
  return sethostname("cloned", 6) == 0 && strcmp(host_name(), "cloned") == 0 ? 7 : 8;
}

CHECK_ROOT(clone_host_name) {
  NEED_ADMIN;
  char stack[32768], before[65];
  strcpy(before, host_name());
  EXPECT_EQ(7 << 8, WAIT(OK(clone(child_sets_name, stack + sizeof stack, CLONE_NEWUTS | SIGCHLD, NULL))));
  EXPECT_STR(before, host_name());
}

CHECK_ROOT(setns_goes_back) {
  NEED_ADMIN;
  char before[65];
  strcpy(before, host_name());
  int old = open_namespace("uts");
  OK(unshare(CLONE_NEWUTS));
  OK(sethostname("other", 5));
  int new = open_namespace("uts");
  OK(setns(old, CLONE_NEWUTS));
  EXPECT_STR(before, host_name());
  OK(setns(new, 0));
  EXPECT_STR("other", host_name());
  EXPECT_ERRNO(EINVAL, setns(old, CLONE_NEWIPC));
  EXPECT_STR("other", host_name());
}

CHECK_ROOT(setns_of_another_process) {
  NEED_ADMIN;
  int ready[2];
  char byte, path[64];
  OK(pipe(ready));
  pid_t pid = FORK();
  if (pid == 0) {
    OK(unshare(CLONE_NEWUTS | CLONE_NEWIPC));
    OK(sethostname("theirs", 6));
    OK(write(ready[1], "x", 1));
    pause();
  }
  OK(read(ready[0], &byte, 1));
  int pidfd = OK(syscall(SYS_pidfd_open, pid, 0));
  EXPECT_ERRNO(EINVAL, setns(pidfd, 0));
  OK(setns(pidfd, CLONE_NEWUTS | CLONE_NEWIPC));
  EXPECT_STR("theirs", host_name());
  snprintf(path, sizeof path, "%d", pid);
  EXPECT_EQ(namespace_of(path, "ipc"), namespace_of("self", "ipc"));
  OK(kill(pid, SIGKILL));
  WAIT(pid);
}

CHECK_USER(setns_needs_a_capability) {
  EXPECT_ERRNO(EPERM, setns(open_namespace("uts"), 0));
  EXPECT_ERRNO(EPERM, setns(open_namespace("ipc"), 0));
  EXPECT_ERRNO(EPERM, setns(open_namespace("net"), 0));
  EXPECT_ERRNO(EPERM, setns(open_namespace("mnt"), 0));
  EXPECT_ERRNO(EINVAL, setns(open_namespace("user"), 0));
}

CHECK_ROOT(unshare_ipc) {
  NEED_ADMIN;
  int key = 0x7a7a0000 + (getpid() & 0xffff);
  int segment = OK(shmget(key, 4096, IPC_CREAT | 0600)), queue = OK(msgget(key, IPC_CREAT | 0600));
  IN_CHILD {
    OK(unshare(CLONE_NEWIPC));
    EXPECT_ERRNO(ENOENT, shmget(key, 4096, 0));
    EXPECT_ERRNO(ENOENT, msgget(key, 0));
    EXPECT_ERRNO(EINVAL, shmctl(segment, IPC_RMID, NULL));
    OK(shmget(key, 8192, IPC_CREAT | 0600));
  }
  EXPECT_EQ(segment, shmget(key, 4096, 0));
  OK(shmctl(segment, IPC_RMID, NULL));
  OK(msgctl(queue, IPC_RMID, NULL));
}

static int listening(const char *name) {
  int fd = OK(socket(AF_UNIX, SOCK_STREAM, 0));
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strcpy(address.sun_path + 1, name);
  OK(bind(fd, (struct sockaddr *)&address, sizeof address));
  OK(listen(fd, 1));
  return fd;
}

static int connects(const char *name) {
  int fd = OK(socket(AF_UNIX, SOCK_STREAM, 0));
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strcpy(address.sun_path + 1, name);
  int result = connect(fd, (struct sockaddr *)&address, sizeof address);
  int error = errno;
  close(fd);
  errno = error;
  return result;
}

CHECK_ROOT(unshare_network) {
  NEED_ADMIN;
  char name[32];
  snprintf(name, sizeof name, "check-%d", getpid());
  listening(name);
  int tcp = OK(socket(AF_INET, SOCK_STREAM, 0));
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  OK(bind(tcp, (struct sockaddr *)&address, sizeof address));
  OK(listen(tcp, 1));
  OK(getsockname(tcp, (struct sockaddr *)&address, &length));
  OK(connects(name));
  IN_CHILD {
    OK(unshare(CLONE_NEWNET));
    EXPECT_ERRNO(ECONNREFUSED, connects(name));
    listening(name);
    OK(connects(name));
    int fd = OK(socket(AF_INET, SOCK_STREAM, 0));
    EXPECT_EQ(-1, connect(fd, (struct sockaddr *)&address, sizeof address));
    EXPECT_EQ(1, if_nametoindex("lo"));
    EXPECT_EQ(0, if_nametoindex("eth0"));
  }
  OK(connects(name));
}

CHECK_ROOT(unshare_mounts) {
  NEED_ADMIN;
  OK(mkdir("m", 0755));
  int old = open_namespace("mnt");
  char here[PATH_MAX];
  EXPECT(getcwd(here, sizeof here) != NULL);
  private_mounts();
  OK(mount("t", "m", "tmpfs", 0, NULL));
  put_file("m/f", "");
  OK(setns(old, CLONE_NEWNS));
  char now[PATH_MAX];
  EXPECT_STR("/", getcwd(now, sizeof now));
  OK(chdir(here));
  EXPECT_ERRNO(ENOENT, access("m/f", F_OK));
}

CHECK_ROOT(mounts_of_clone) {
  NEED_ADMIN;
  ino_t before = namespace_of("self", "mnt");
  pid_t pid = OK(syscall(SYS_clone, CLONE_NEWNS | SIGCHLD, NULL, NULL, NULL, NULL));
  if (pid == 0) _exit(namespace_of("self", "mnt") == before ? 8 : 7);
  EXPECT_EQ(7 << 8, WAIT(pid));
}

CHECK_ROOT(unshare_control_groups) {
  NEED_ADMIN;
  ino_t before = namespace_of("self", "cgroup");
  OK(unshare(CLONE_NEWCGROUP));
  EXPECT(namespace_of("self", "cgroup") != before);
}
