/* user_namespaces(7): maps, capabilities, who may do what to whom. */
#include "check.h"
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <linux/netlink.h>
#include <linux/nsfs.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#define OVERFLOW_ID 65534
#define NEED_SETUID NEED_CAPABILITY(7)

/* As CHECK_USER, of a process that owns its files in /proc: one that has changed its ids does not. */
static uid_t me; /* who runs the check, before it is in another namespace */
static gid_t my_group;
#define CHECK_PLAIN(id)                  \
  static void plain_##id(void);          \
  CHECK_USER(id) {                       \
    OK(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)); \
    me = getuid(), my_group = getgid();  \
    plain_##id();                        \
  }                                      \
  static void plain_##id(void)

static int write_file(const char *path, const char *text) {
  int fd = open(path, O_WRONLY);
  if (fd < 0) return -1;
  int result = write(fd, text, strlen(text)), error = errno;
  close(fd);
  errno = error;
  return result;
}

static int write_of(pid_t pid, const char *name, const char *text) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
  return write_file(path, text);
}

static unsigned long long effective(void) {
  unsigned int header[2] = {0x20080522, 0}, data[6] = {0};
  OK(syscall(SYS_capget, header, data));
  return data[0] | (unsigned long long)data[3] << 32;
}

/* A child in a new user namespace whose maps the caller writes before it goes on. */
static int go[2], there[2];
static pid_t child_in_namespace(int flags) {
  OK(pipe(go));
  OK(pipe(there));
  pid_t pid = FORK();
  if (pid == 0) {
    char byte;
    OK(unshare(CLONE_NEWUSER | flags));
    OK(write(there[1], "x", 1));
    OK(read(go[0], &byte, 1));
    return 0;
  }
  char byte;
  EXPECT_EQ(1, read(there[0], &byte, 1));
  return pid;
}
static void let_go(void) { OK(write(go[1], "x", 1)); }

/* Into a new namespace that has one user and one group, the caller's own, under the number. */
static void enter_as(int id) {
  char text[32];
  uid_t uid = geteuid();
  gid_t gid = getegid();
  OK(unshare(CLONE_NEWUSER));
  snprintf(text, sizeof text, "%d %d 1\n", id, uid);
  OK(write_file("/proc/self/uid_map", text));
  OK(write_file("/proc/self/setgroups", "deny"));
  snprintf(text, sizeof text, "%d %d 1\n", id, gid);
  OK(write_file("/proc/self/gid_map", text));
}
static void enter_as_root(void) { enter_as(0); }

CHECK_PLAIN(user_without_maps_is_nobody) {
  OK(unshare(CLONE_NEWUSER));
  EXPECT_EQ(OVERFLOW_ID, getuid());
  EXPECT_EQ(OVERFLOW_ID, geteuid());
  EXPECT_EQ(OVERFLOW_ID, getgid());
  EXPECT_STR("", get_file("/proc/self/uid_map"));
  EXPECT_STR("", get_file("/proc/self/gid_map"));
  struct stat status;
  OK(stat(".", &status));
  EXPECT_EQ(OVERFLOW_ID, status.st_uid);
}

CHECK_PLAIN(user_has_all_capabilities) {
  EXPECT_EQ(0, effective());
  OK(unshare(CLONE_NEWUSER));
  EXPECT_EQ(0x1ffffffffffULL, effective());
  EXPECT_EQ(0, prctl(PR_GET_SECUREBITS));
}

CHECK_PLAIN(user_maps_itself) {
  char wanted[64];
  enter_as_root();
  EXPECT_EQ(0, getuid());
  EXPECT_EQ(0, getgid());
  snprintf(wanted, sizeof wanted, "%10d %10d %10d\n", 0, me, 1);
  EXPECT_STR(wanted, get_file("/proc/self/uid_map"));
  snprintf(wanted, sizeof wanted, "%10d %10d %10d\n", 0, my_group, 1);
  EXPECT_STR(wanted, get_file("/proc/self/gid_map"));
  EXPECT_STR("deny\n", get_file("/proc/self/setgroups"));
  struct stat status;
  OK(stat(".", &status));
  EXPECT_EQ(0, status.st_uid);
  EXPECT_EQ(0, status.st_gid);
  OK(stat("/", &status));
  EXPECT_EQ(OVERFLOW_ID, status.st_uid);
}

CHECK_PLAIN(user_map_is_written_once) {
  enter_as_root();
  EXPECT_ERRNO(EPERM, write_file("/proc/self/uid_map", "0 0 1\n"));
  EXPECT_ERRNO(EPERM, write_file("/proc/self/gid_map", "0 0 1\n"));
}

CHECK_PLAIN(user_maps_nobody_else) {
  OK(unshare(CLONE_NEWUSER));
  EXPECT_ERRNO(EPERM, write_file("/proc/self/uid_map", "0 0 1\n"));
  EXPECT_ERRNO(EPERM, write_file("/proc/self/uid_map", "0 1234 2\n"));
  EXPECT_ERRNO(EPERM, write_file("/proc/self/uid_map", "0 1234 1\n1 1235 1\n"));
  EXPECT_ERRNO(EPERM, write_file("/proc/self/gid_map", "0 1234 1\n"));
  char text[32];
  snprintf(text, sizeof text, "5 %d 1", me);
  OK(write_file("/proc/self/uid_map", text));
  EXPECT_EQ(5, getuid());
}

CHECK_PLAIN(user_bad_maps) {
  OK(unshare(CLONE_NEWUSER));
  static const char *const bad[] = {"0 1234\n", "0 1234 0\n", "x\n", "0 1234 1 1\n", "-1 1234 1\n", "4294967295 1234 1\n", "0 4294967295 1\n", "0 1234 4294967295\n", "\n", "0 1234 1\n\n"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    int got = write_file("/proc/self/uid_map", bad[i]), error = errno;
    if (got != -1 || error != EINVAL) FAIL("map %zu: %d errno %d", i, got, error);
  }
  int fd = OK(open("/proc/self/uid_map", O_WRONLY));
  char page[5000];
  memset(page, ' ', sizeof page);
  EXPECT_ERRNO(EINVAL, write(fd, page, sizeof page));
}

CHECK_ROOT(user_maps_by_root) {
  NEED_SETUID;
  pid_t pid = child_in_namespace(0);
  if (pid == 0) {
    EXPECT_EQ(0, getuid());
    EXPECT_EQ(0, getgid());
    OK(setresgid(5, 5, 5));
    gid_t groups[2] = {7, 8};
    OK(setgroups(2, groups));
    EXPECT_EQ(2, getgroups(2, groups));
    EXPECT_EQ(7, groups[0]);
    OK(setresuid(9, 9, 9));
    EXPECT_EQ(9, getuid());
    EXPECT_ERRNO(EPERM, setuid(0));
    _exit(0);
  }
  EXPECT_ERRNO(EINVAL, write_of(pid, "uid_map", "0 0 10\n5 100 10\n"));
  EXPECT_ERRNO(EINVAL, write_of(pid, "uid_map", "0 0 10\n20 5 10\n"));
  OK(write_of(pid, "uid_map", "0 0 10\n10 100000 1000\n"));
  OK(write_of(pid, "gid_map", "0 0 65536\n"));
  EXPECT_ERRNO(EPERM, write_of(pid, "setgroups", "deny"));
  let_go();
  EXPECT_EQ(0, WAIT(pid));
}

CHECK_ROOT(user_files_have_mapped_ids) {
  NEED_SETUID;
  put_file("of0", ""), put_file("of100005", ""), put_file("of300000", "");
  OK(chown("of100005", 100005, 100006));
  OK(chown("of300000", 300000, 300000));
  pid_t pid = child_in_namespace(0);
  if (pid == 0) {
    struct stat status;
    OK(setresgid(0, 0, 0));
    OK(setresuid(0, 0, 0));
    OK(stat("of100005", &status));
    EXPECT_EQ(5, status.st_uid);
    EXPECT_EQ(6, status.st_gid);
    OK(stat("of300000", &status));
    EXPECT_EQ(OVERFLOW_ID, status.st_uid);
    /* Capabilities count for files whose ids the namespace has. */
    OK(chown("of100005", 7, 7));
    OK(chmod("of100005", 0600));
    OK(open("of100005", O_RDWR));
    EXPECT_ERRNO(EPERM, chown("of300000", 0, 0));
    EXPECT_ERRNO(EPERM, chmod("of300000", 0600));
    EXPECT_ERRNO(EACCES, open("of300000", O_RDWR));
    EXPECT_ERRNO(EPERM, chown("of0", 0, 0));
    EXPECT_ERRNO(EINVAL, chown("of100005", 70000, -1));
    EXPECT_ERRNO(EINVAL, setuid(70000));
    _exit(0);
  }
  OK(write_of(pid, "uid_map", "0 100000 65536\n"));
  OK(write_of(pid, "gid_map", "0 100000 65536\n"));
  OK(chmod(".", 0777));
  let_go();
  EXPECT_EQ(0, WAIT(pid));
  struct stat status;
  OK(stat("of100005", &status));
  EXPECT_EQ(100007, status.st_uid);
}

CHECK_ROOT(user_new_files_have_the_kernels_ids) {
  NEED_SETUID;
  OK(chmod(".", 0777));
  pid_t pid = child_in_namespace(0);
  if (pid == 0) {
    OK(setresgid(3, 3, 3));
    OK(setresuid(2, 2, 2));
    put_file("made", "");
    struct stat status;
    OK(stat("made", &status));
    EXPECT_EQ(2, status.st_uid);
    EXPECT_EQ(3, status.st_gid);
    _exit(0);
  }
  OK(write_of(pid, "uid_map", "0 100000 65536\n"));
  OK(write_of(pid, "gid_map", "0 200000 65536\n"));
  let_go();
  EXPECT_EQ(0, WAIT(pid));
  struct stat status;
  OK(stat("made", &status));
  EXPECT_EQ(100002, status.st_uid);
  EXPECT_EQ(200003, status.st_gid);
}

CHECK_ROOT(user_rights_end_at_the_namespace) {
  NEED_SETUID;
  pid_t pid = child_in_namespace(0);
  if (pid == 0) {
    EXPECT_ERRNO(EPERM, sethostname("x", 1));
    EXPECT_ERRNO(EPERM, mount("t", ".", "tmpfs", 0, NULL));
    struct timespec now = {0, 0};
    EXPECT_ERRNO(EPERM, clock_settime(CLOCK_REALTIME, &now));
    EXPECT_ERRNO(EPERM, mknod("dev", S_IFCHR | 0600, 0x103));
    _exit(0);
  }
  OK(write_of(pid, "uid_map", "0 0 65536\n"));
  OK(write_of(pid, "gid_map", "0 0 65536\n"));
  let_go();
  EXPECT_EQ(0, WAIT(pid));
}

CHECK_PLAIN(user_rights_in_its_own_namespaces) {
  enter_as_root();
  OK(unshare(CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNS | CLONE_NEWNET));
  OK(sethostname("inner", 5));
  OK(mkdir("m", 0755));
  OK(mount("t", "m", "tmpfs", 0, "size=1m,mode=700"));
  put_file("m/f", "text");
  struct stat status;
  OK(stat("m/f", &status));
  EXPECT_EQ(0, status.st_uid);
  EXPECT_ERRNO(EPERM, mknod("m/dev", S_IFCHR | 0600, 0x103));
  OK(umount("m"));
}

CHECK_PLAIN(user_and_others_at_once) {
  OK(unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWPID));
  OK(sethostname("inner", 5));
  pid_t child = FORK();
  if (child == 0) _exit(getpid() == 1 ? 0 : 1);
  EXPECT_EQ(0, WAIT(child));
}

CHECK_PLAIN(user_of_clone) {
  pid_t child = OK(syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWUTS | SIGCHLD, NULL, NULL, NULL, NULL));
  if (child == 0) _exit(sethostname("inner", 5) == 0 && getuid() == OVERFLOW_ID ? 0 : 1);
  EXPECT_EQ(0, WAIT(child));
  EXPECT_ERRNO(EINVAL, syscall(SYS_clone, CLONE_NEWUSER | CLONE_FS | SIGCHLD, NULL, NULL, NULL, NULL));
}

CHECK_PLAIN(user_setgroups_needs_a_map) {
  OK(unshare(CLONE_NEWUSER));
  gid_t group = 0;
  EXPECT_ERRNO(EPERM, setgroups(1, &group));
  EXPECT_STR("allow\n", get_file("/proc/self/setgroups"));
  EXPECT_ERRNO(EINVAL, write_file("/proc/self/setgroups", "maybe"));
  OK(write_file("/proc/self/setgroups", "deny\n"));
  EXPECT_ERRNO(EPERM, write_file("/proc/self/setgroups", "allow"));
  char text[32];
  snprintf(text, sizeof text, "0 %d 1\n", my_group);
  OK(write_file("/proc/self/gid_map", text));
  EXPECT_ERRNO(EPERM, setgroups(1, &group));
}

CHECK_PLAIN(user_nested) {
  enter_as_root();
  enter_as_root();
  EXPECT_EQ(0, getuid());
  char wanted[64];
  snprintf(wanted, sizeof wanted, "%10d %10d %10d\n", 0, 0, 1);
  EXPECT_STR(wanted, get_file("/proc/self/uid_map"));
}

CHECK_PLAIN(user_nested_without_maps) {
  OK(unshare(CLONE_NEWUSER));
  EXPECT_ERRNO(EPERM, unshare(CLONE_NEWUSER));
}

CHECK_PLAIN(user_nested_deep) {
  int level = 0;
  for (; level < 40; level++) {
    char text[32];
    uid_t uid = geteuid();
    if (unshare(CLONE_NEWUSER) == -1) break;
    snprintf(text, sizeof text, "0 %d 1\n", uid);
    OK(write_file("/proc/self/uid_map", text));
    OK(write_file("/proc/self/setgroups", "deny"));
    snprintf(text, sizeof text, "0 %d 1\n", level == 0 ? (int)my_group : 0);
    OK(write_file("/proc/self/gid_map", text));
  }
  EXPECT_EQ(ENOSPC, errno);
  EXPECT(level >= 30 && level <= 33);
}

CHECK_PLAIN(user_threads_do_not_leave_alone) {
  char stack[16384];
  OK(syscall(SYS_unshare, 0));
  EXPECT_ERRNO(EINVAL, syscall(SYS_clone, CLONE_NEWUSER | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, stack + sizeof stack, NULL, NULL, NULL));
}

CHECK_PLAIN(user_setns) {
  int own = OK(open("/proc/self/ns/user", O_RDONLY));
  pid_t pid = child_in_namespace(0);
  char path[64];
  if (pid == 0) _exit(0);
  snprintf(path, sizeof path, "/proc/%d/ns/user", pid);
  int inner = OK(open(path, O_RDONLY));
  EXPECT_ERRNO(EINVAL, setns(own, CLONE_NEWUSER));
  OK(setns(inner, CLONE_NEWUSER));
  EXPECT_EQ(0x1ffffffffffULL, effective());
  EXPECT_EQ(OVERFLOW_ID, getuid());
  EXPECT_ERRNO(EPERM, setns(own, CLONE_NEWUSER));
  EXPECT_ERRNO(EINVAL, setns(inner, CLONE_NEWUSER));
  let_go();
  EXPECT_EQ(0, WAIT(pid));
}

CHECK_PLAIN(user_of_a_namespace) {
  int before = OK(open("/proc/self/ns/user", O_RDONLY));
  pid_t pid = child_in_namespace(CLONE_NEWUTS);
  char path[64];
  if (pid == 0) _exit(0);
  snprintf(path, sizeof path, "/proc/%d/ns/uts", pid);
  int uts = OK(open(path, O_RDONLY));
  int user = OK(ioctl(uts, NS_GET_USERNS));
  struct stat wanted, got;
  snprintf(path, sizeof path, "/proc/%d/ns/user", pid);
  OK(stat(path, &wanted));
  OK(fstat(user, &got));
  EXPECT_EQ(wanted.st_ino, got.st_ino);
  EXPECT_EQ(CLONE_NEWUSER, ioctl(user, NS_GET_NSTYPE));
  EXPECT_EQ(CLONE_NEWUTS, ioctl(uts, NS_GET_NSTYPE));
  uid_t owner = 77;
  OK(ioctl(user, NS_GET_OWNER_UID, &owner));
  EXPECT_EQ(me, owner);
  EXPECT_ERRNO(EINVAL, ioctl(uts, NS_GET_OWNER_UID, &owner));
  EXPECT_ERRNO(EINVAL, ioctl(uts, NS_GET_PARENT));
  int parent = OK(ioctl(user, NS_GET_PARENT));
  OK(fstat(before, &wanted));
  OK(fstat(parent, &got));
  EXPECT_EQ(wanted.st_ino, got.st_ino);
  EXPECT_ERRNO(ENOTTY, ioctl(uts, 0xb7ff));
  let_go();
  EXPECT_EQ(0, WAIT(pid));
}

CHECK_PLAIN(user_owner_may_enter_and_signal) {
  pid_t pid = child_in_namespace(0);
  if (pid == 0) {
    for (;;) pause();
  }
  char text[32];
  snprintf(text, sizeof text, "0 %d 1\n", me);
  OK(write_of(pid, "uid_map", text));
  let_go();
  OK(kill(pid, SIGTERM));
  EXPECT_EQ(SIGTERM, WAIT(pid));
}

CHECK_ROOT(user_signals_stay_inside) {
  NEED_SETUID;
  pid_t victim = FORK();
  if (victim == 0) {
    for (;;) pause();
  }
  pid_t pid = child_in_namespace(0);
  if (pid == 0) {
    OK(setresuid(0, 0, 0));
    EXPECT_ERRNO(EPERM, kill(victim, SIGTERM));
    _exit(0);
  }
  OK(write_of(pid, "uid_map", "0 100000 10\n"));
  let_go();
  EXPECT_EQ(0, WAIT(pid));
  OK(kill(victim, SIGKILL));
  WAIT(victim);
}

CHECK_ROOT(user_set_user_id_programs) {
  NEED_SETUID;
  char copy[] = "cp /bin/sleep ./sleeper && chown 300000 sleeper && chmod 4755 sleeper";
  EXPECT_EQ(0, system(copy));
  OK(chmod(".", 0777));
  OK(pipe(go));
  OK(pipe(there));
  pid_t pid = child_in_namespace(0);
  if (pid == 0) {
    OK(setresuid(1, 1, 1));
    execl("./sleeper", "sleeper", "0", NULL);
    _exit(99);
  }
  OK(write_of(pid, "uid_map", "0 100000 65536\n"));
  let_go();
  /* Its owner has no id in there: it runs as who starts it, which is all right. */
  EXPECT_EQ(0, WAIT(pid));
}

CHECK_ROOT(user_credentials_of_sockets) {
  NEED_SETUID;
  int ends[2], on = 1;
  OK(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends));
  OK(setsockopt(ends[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
  pid_t pid = child_in_namespace(0);
  char byte = 'x', control[64];
  struct iovec piece = {&byte, 1};
  struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  if (pid == 0) {
    OK(setresgid(4, 4, 4));
    OK(setresuid(3, 3, 3));
    OK(send(ends[1], "c", 1, 0));
    _exit(0);
  }
  OK(write_of(pid, "uid_map", "0 100000 65536\n"));
  OK(write_of(pid, "gid_map", "0 200000 65536\n"));
  let_go();
  OK(recvmsg(ends[0], &message, 0));
  struct ucred *from = (struct ucred *)CMSG_DATA(CMSG_FIRSTHDR(&message));
  EXPECT_EQ(pid, from->pid);
  EXPECT_EQ(100003, from->uid);
  EXPECT_EQ(200004, from->gid);
  EXPECT_EQ(0, WAIT(pid));
}

CHECK_PLAIN(user_fs_ids) {
  enter_as_root();
  EXPECT_EQ(0, setfsuid(5));
  EXPECT_EQ(0, setfsuid(0));
  EXPECT_EQ(0, setfsuid(-1));
}

CHECK_PLAIN(user_bounds_are_shown) {
  static const char *const kinds[] = {"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"};
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    char path[64];
    snprintf(path, sizeof path, "/proc/sys/user/max_%s_namespaces", kinds[i]);
    EXPECT(atol(get_file(path)) > 100);
  }
}

CHECK_PLAIN(user_project_ids) {
  OK(unshare(CLONE_NEWUSER));
  OK(write_file("/proc/self/projid_map", "0 0 10\n"));
  char wanted[64];
  snprintf(wanted, sizeof wanted, "%10d %10d %10d\n", 0, 0, 10);
  EXPECT_STR(wanted, get_file("/proc/self/projid_map"));
}

CHECK_ROOT(user_chrooted_makes_none) {
  NEED_SETUID;
  OK(mkdir("r", 0755));
  OK(chroot("r"));
  EXPECT_ERRNO(EPERM, unshare(CLONE_NEWUSER));
}

CHECK_PLAIN(user_does_not_reconfigure_what_its_parent_mounted) {
  enter_as_root();
  OK(unshare(CLONE_NEWNS));
  OK(mkdir("m", 0755));
  OK(mount("t", "m", "tmpfs", 0, NULL));
  IN_CHILD {
    enter_as_root();
    OK(unshare(CLONE_NEWNS));
    int fd = OK(syscall(SYS_fspick, AT_FDCWD, "m", 0));
    OK(syscall(SYS_fsconfig, fd, 0, "ro", NULL, 0));
    EXPECT_ERRNO(EPERM, syscall(SYS_fsconfig, fd, 7, NULL, NULL, 0));
    EXPECT_ERRNO(EPERM, mount("t", "m", NULL, MS_REMOUNT | MS_RDONLY, "size=4k"));
  }
  put_file("m/f", "text");
}

/* Only the arguments that a call has are ids. */
CHECK_PLAIN(user_without_root_sets_its_ids) {
  enter_as(1000);
  OK(syscall(SYS_setuid, 1000, 5, 6));
  OK(syscall(SYS_setgid, 1000, 5, 6));
  OK(syscall(SYS_setreuid, 1000, 1000, 6));
  OK(syscall(SYS_setregid, 1000, 1000, 6));
  OK(syscall(SYS_setresuid, 1000, 1000, 1000));
  OK(syscall(SYS_setresgid, 1000, 1000, 1000));
  EXPECT_ERRNO(EINVAL, syscall(SYS_setuid, 5));
  EXPECT_ERRNO(EINVAL, syscall(SYS_setresgid, 1000, 5, 1000));
}

CHECK_PLAIN(user_many_mounts_on_one_place_end) {
  OK(mkdir("m", 0755));
  IN_CHILD {
    enter_as_root();
    OK(unshare(CLONE_NEWNS));
    for (int i = 0; i < 6000; i++) OK(mount("t", "m", "tmpfs", 0, NULL));
  }
}

CHECK_PLAIN(user_own_network) {
  enter_as_root();
  OK(unshare(CLONE_NEWNET));
  int fd = OK(socket(AF_INET, SOCK_DGRAM, 0)), link = OK(socket(AF_NETLINK, SOCK_RAW, 0));
  struct ifreq interface = {.ifr_name = "nope"};
  interface.ifr_flags = IFF_UP;
  EXPECT_ERRNO(ENODEV, ioctl(fd, SIOCSIFFLAGS, &interface));
  /* Shorter than a struct ifinfomsg. */
  struct { struct nlmsghdr header; int words[2]; } request = {{sizeof request, RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK, 1, 0}, {0, 1}};
  struct { struct nlmsghdr header; struct nlmsgerr error; char more[64]; } answer;
  EXPECT_EQ(sizeof request, send(link, &request, sizeof request, 0));
  OK(recv(link, &answer, sizeof answer, 0));
  EXPECT_EQ(NLMSG_ERROR, answer.header.nlmsg_type);
  EXPECT_EQ(-EINVAL, answer.error.error);
  strcpy(interface.ifr_name, "lo");
  OK(ioctl(fd, SIOCGIFFLAGS, &interface));
  EXPECT_EQ(0, interface.ifr_flags & IFF_UP);
}
