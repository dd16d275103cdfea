/* landlock(7): rulesets, rules, and what a restricted process may still do. */
#include "check.h"
#include <arpa/inet.h>
#include <linux/landlock.h>
#include <netinet/in.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ull << 14)
#endif
enum { BIND_TCP = 1, CONNECT_TCP = 2, NET_PORT = 2 };
#define FS(name) LANDLOCK_ACCESS_FS_##name
#define ALL_FS 0x7fffull

struct ruleset { unsigned long long fs, net; };
struct port_rule { unsigned long long access, port; };

static int make(unsigned long long fs, unsigned long long net) {
  struct ruleset attributes = {fs, net};
  return syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
}
static int allow_fd(int ruleset, int fd, unsigned long long access) {
  struct landlock_path_beneath_attr rule = {access, fd};
  return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}
static void allow(int ruleset, const char *path, unsigned long long access) {
  int fd = OK(open(path, O_PATH | O_CLOEXEC));
  OK(allow_fd(ruleset, fd, access));
  close(fd);
}
static int allow_port(int ruleset, unsigned long long port, unsigned long long access) {
  struct port_rule rule = {access, port};
  return syscall(SYS_landlock_add_rule, ruleset, NET_PORT, &rule, 0);
}
static void enforce(int ruleset) {
  OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  OK(syscall(SYS_landlock_restrict_self, ruleset, 0));
  close(ruleset);
}
static void need_abi(int wanted) {
  if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) < wanted) SKIP("needs a newer Landlock");
}
static void two_directories(void) {
  need_abi(1);
  OK(mkdir("a", 0700));
  OK(mkdir("b", 0700));
  put_file("a/file", "one");
  put_file("b/file", "two");
}
#define TRIES(wanted, call) ({ if ((wanted) == 0) OK(call); else EXPECT_ERRNO(wanted, call); })
#define OPENS(path, flags) ({ int fd_ = OK(open(path, flags, 0600)); close(fd_); })

CHECK(version) { EXPECT(syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) >= 4); }

CHECK(create_refuses) {
  struct { struct ruleset known; unsigned long long more[8]; } attributes = {{FS(EXECUTE), 0}, {0, 0, 0, 0, 0, 0, 0, 1}};
  EXPECT_ERRNO(EINVAL, syscall(SYS_landlock_create_ruleset, &attributes, 4, 0));
  EXPECT_ERRNO(EINVAL, syscall(SYS_landlock_create_ruleset, &attributes, 16, 1));
  EXPECT_ERRNO(EINVAL, syscall(SYS_landlock_create_ruleset, NULL, 0, 1 << 20));
  EXPECT_ERRNO(E2BIG, syscall(SYS_landlock_create_ruleset, &attributes, 5000, 0));
  EXPECT_ERRNO(E2BIG, syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0));
  EXPECT_ERRNO(EFAULT, syscall(SYS_landlock_create_ruleset, 8, 16, 0));
  EXPECT_ERRNO(EINVAL, make(1ull << 40, 0));
  EXPECT_ERRNO(EINVAL, make(FS(EXECUTE), 1ull << 40));
  EXPECT_ERRNO(ENOMSG, make(0, 0));
  attributes.more[7] = 0;
  int fd = OK(syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0));
  EXPECT_EQ(FD_CLOEXEC, OK(fcntl(fd, F_GETFD)));
}

CHECK(add_refuses) {
  int ruleset = OK(make(FS(READ_FILE) | FS(READ_DIR), 0)), pipes[2], directory = OK(open(".", O_PATH)), file = OK(open("f", O_CREAT | O_RDWR, 0600));
  struct landlock_path_beneath_attr rule = {FS(READ_FILE), directory};
  OK(pipe(pipes));
  EXPECT_ERRNO(EINVAL, syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 1));
  EXPECT_ERRNO(EINVAL, syscall(SYS_landlock_add_rule, ruleset, 77, &rule, 0));
  EXPECT_ERRNO(EBADF, syscall(SYS_landlock_add_rule, -1, LANDLOCK_RULE_PATH_BENEATH, &rule, 0));
  EXPECT_ERRNO(EBADFD, syscall(SYS_landlock_add_rule, file, LANDLOCK_RULE_PATH_BENEATH, &rule, 0));
  EXPECT_ERRNO(EFAULT, syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, 8, 0));
  EXPECT_ERRNO(ENOMSG, allow_fd(ruleset, directory, 0));
  EXPECT_ERRNO(EINVAL, allow_fd(ruleset, directory, FS(EXECUTE)));
  EXPECT_ERRNO(EBADF, allow_fd(ruleset, 999, FS(READ_FILE)));
  EXPECT_ERRNO(EBADFD, allow_fd(ruleset, pipes[0], FS(READ_FILE)));
  EXPECT_ERRNO(EBADFD, allow_fd(ruleset, ruleset, FS(READ_FILE)));
  EXPECT_ERRNO(EINVAL, allow_fd(ruleset, file, FS(READ_DIR)));
  OK(allow_fd(ruleset, file, FS(READ_FILE)));
}

CHECK(port_rules_are_checked) {
  need_abi(4);
  int ruleset = OK(make(0, BIND_TCP));
  EXPECT_ERRNO(ENOMSG, allow_port(ruleset, 80, 0));
  EXPECT_ERRNO(EINVAL, allow_port(ruleset, 80, CONNECT_TCP));
  EXPECT_ERRNO(EINVAL, allow_port(ruleset, 65536, BIND_TCP));
  OK(allow_port(ruleset, 65535, BIND_TCP));
  EXPECT_ERRNO(EINVAL, allow_fd(ruleset, 0, FS(READ_FILE)));
}

CHECK_USER(restrict_refuses) {
  int ruleset = OK(make(FS(READ_FILE), 0));
  if (!has_capability(21)) EXPECT_ERRNO(EPERM, syscall(SYS_landlock_restrict_self, ruleset, 0));
  OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  EXPECT_ERRNO(EINVAL, syscall(SYS_landlock_restrict_self, ruleset, 1u << 30));
  EXPECT_ERRNO(EBADF, syscall(SYS_landlock_restrict_self, 999, 0));
  EXPECT_ERRNO(EBADFD, syscall(SYS_landlock_restrict_self, 9, 0));
  OK(syscall(SYS_landlock_restrict_self, ruleset, 0));
}

CHECK(layers_are_bounded) {
  int ruleset = OK(make(FS(MAKE_CHAR), 0));
  OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  for (int i = 0; i < 16; i++) OK(syscall(SYS_landlock_restrict_self, ruleset, 0));
  EXPECT_ERRNO(E2BIG, syscall(SYS_landlock_restrict_self, ruleset, 0));
}

CHECK(reading_and_writing) {
  two_directories();
  int ruleset = OK(make(FS(READ_FILE) | FS(WRITE_FILE) | FS(READ_DIR), 0));
  allow(ruleset, "a", FS(READ_FILE) | FS(READ_DIR));
  enforce(ruleset);
  OPENS("a/file", O_RDONLY);
  EXPECT_ERRNO(EACCES, open("a/file", O_WRONLY));
  EXPECT_ERRNO(EACCES, open("a/file", O_RDWR));
  EXPECT_ERRNO(EACCES, open("b/file", O_RDONLY));
  OPENS("a", O_RDONLY | O_DIRECTORY);
  EXPECT_ERRNO(EACCES, open("b", O_RDONLY | O_DIRECTORY));
  EXPECT_ERRNO(EACCES, open(".", O_RDONLY | O_DIRECTORY));
  OPENS("b/file", O_PATH);
  struct stat status;
  OK(stat("b/file", &status));
  OK(chdir("b"));
  EXPECT_ERRNO(EACCES, open("file", O_RDONLY));
  OPENS("../a/file", O_RDONLY);
}

CHECK(open_descriptors_stay) {
  two_directories();
  char text[8];
  int fd = OK(open("b/file", O_RDWR));
  int ruleset = OK(make(FS(READ_FILE) | FS(WRITE_FILE), 0));
  enforce(ruleset);
  EXPECT_EQ(3, read(fd, text, sizeof text));
  EXPECT_EQ(1, write(fd, "x", 1));
}

CHECK(children_and_programs_are_restricted) {
  two_directories();
  int ruleset = OK(make(FS(READ_FILE), 0));
  allow(ruleset, "a", FS(READ_FILE));
  enforce(ruleset);
  pid_t pid = FORK();
  if (pid == 0) {
    OPENS("a/file", O_RDONLY);
    EXPECT_ERRNO(EACCES, open("b/file", O_RDONLY));
    _exit(0);
  }
  EXPECT_EQ(0, WAIT(pid));
}

CHECK(a_rule_for_a_file) {
  two_directories();
  int ruleset = OK(make(FS(READ_FILE), 0));
  allow(ruleset, "b/file", FS(READ_FILE));
  enforce(ruleset);
  OPENS("b/file", O_RDONLY);
  EXPECT_ERRNO(EACCES, open("a/file", O_RDONLY));
}

CHECK(layers_add_up) {
  two_directories();
  int first = OK(make(FS(READ_FILE), 0)), second = OK(make(FS(READ_FILE) | FS(WRITE_FILE), 0));
  allow(first, "a", FS(READ_FILE));
  allow(second, ".", FS(READ_FILE));
  allow(second, "a", FS(WRITE_FILE));
  enforce(first);
  OPENS("a/file", O_WRONLY);
  EXPECT_ERRNO(EACCES, open("b/file", O_RDONLY));
  OPENS("b/file", O_WRONLY);
  enforce(second);
  OPENS("a/file", O_RDWR);
  EXPECT_ERRNO(EACCES, open("b/file", O_RDONLY));
  EXPECT_ERRNO(EACCES, open("b/file", O_WRONLY));
}

CHECK(a_ruleset_in_force_does_not_change) {
  two_directories();
  int ruleset = OK(make(FS(READ_FILE), 0));
  OK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  OK(syscall(SYS_landlock_restrict_self, ruleset, 0));
  allow(ruleset, "a", FS(READ_FILE));
  EXPECT_ERRNO(EACCES, open("a/file", O_RDONLY));
}

CHECK(making_and_removing) {
  two_directories();
  OK(mkdir("b/d", 0700));
  int ruleset = OK(make(FS(MAKE_REG) | FS(MAKE_DIR) | FS(MAKE_SYM) | FS(MAKE_FIFO) | FS(MAKE_SOCK) | FS(REMOVE_FILE) | FS(REMOVE_DIR), 0));
  allow(ruleset, "a", FS(MAKE_REG) | FS(MAKE_DIR) | FS(MAKE_SYM) | FS(MAKE_FIFO) | FS(MAKE_SOCK) | FS(REMOVE_FILE) | FS(REMOVE_DIR));
  enforce(ruleset);
  for (int allowed = 1; allowed >= 0; allowed--) {
    int wanted = allowed ? 0 : EACCES;
    OK(chdir(allowed ? "a" : "../b"));
    TRIES(wanted, open("new", O_CREAT | O_WRONLY, 0600));
    TRIES(wanted, mkdir("directory", 0700));
    TRIES(wanted, symlink("x", "link"));
    TRIES(wanted, mkfifo("fifo", 0600));
    TRIES(wanted, mknod("socket", S_IFSOCK | 0600, 0));
    TRIES(wanted, mknod("regular", S_IFREG | 0600, 0));
    TRIES(wanted, unlink("file"));
    TRIES(wanted, rmdir(allowed ? "directory" : "d"));
  }
  /* Existing files are opened and written as before. */
  OPENS("file", O_CREAT | O_WRONLY);
}

CHECK(same_directory_moves) {
  two_directories();
  int ruleset = OK(make(FS(MAKE_REG) | FS(REMOVE_FILE), 0));
  allow(ruleset, "a", FS(MAKE_REG) | FS(REMOVE_FILE));
  enforce(ruleset);
  OK(rename("a/file", "a/moved"));
  OK(link("a/moved", "a/second"));
  EXPECT_ERRNO(EACCES, rename("b/file", "b/moved"));
  EXPECT_ERRNO(EACCES, link("b/file", "b/second"));
}

CHECK(moves_between_directories_need_refer) {
  two_directories();
  int ruleset = OK(make(FS(MAKE_REG) | FS(REMOVE_FILE), 0));
  allow(ruleset, ".", FS(MAKE_REG) | FS(REMOVE_FILE));
  enforce(ruleset);
  EXPECT_ERRNO(EXDEV, rename("a/file", "b/moved"));
  EXPECT_ERRNO(EXDEV, link("a/file", "b/second"));
}

CHECK(refer_allows_moves) {
  two_directories();
  need_abi(2);
  OK(mkdir("c", 0700));
  int ruleset = OK(make(FS(MAKE_REG) | FS(REMOVE_FILE) | FS(REFER) | FS(EXECUTE), 0));
  allow(ruleset, "a", FS(MAKE_REG) | FS(REMOVE_FILE) | FS(REFER));
  allow(ruleset, "b", FS(MAKE_REG) | FS(REMOVE_FILE) | FS(REFER));
  allow(ruleset, "c", FS(MAKE_REG) | FS(REMOVE_FILE) | FS(REFER) | FS(EXECUTE));
  enforce(ruleset);
  OK(rename("a/file", "b/moved"));
  OK(link("b/moved", "a/second"));
  /* More could be done with it there. */
  EXPECT_ERRNO(EXDEV, rename("b/moved", "c/moved"));
  EXPECT_ERRNO(EXDEV, link("b/moved", "c/second"));
}

CHECK(move_without_the_right_to_remove) {
  two_directories();
  need_abi(2);
  int ruleset = OK(make(FS(MAKE_REG) | FS(REMOVE_FILE) | FS(REFER), 0));
  allow(ruleset, ".", FS(MAKE_REG) | FS(REFER));
  enforce(ruleset);
  EXPECT_ERRNO(EACCES, rename("a/file", "b/moved"));
  OK(link("a/file", "b/second"));
}

CHECK(truncation) {
  two_directories();
  need_abi(3);
  int before = OK(open("b/file", O_RDWR));
  int ruleset = OK(make(FS(TRUNCATE), 0));
  allow(ruleset, "a", FS(TRUNCATE));
  enforce(ruleset);
  OK(truncate("a/file", 1));
  OPENS("a/file", O_WRONLY | O_TRUNC);
  EXPECT_ERRNO(EACCES, truncate("b/file", 1));
  EXPECT_ERRNO(EACCES, open("b/file", O_WRONLY | O_TRUNC));
  int fd = OK(open("b/file", O_RDWR));
  EXPECT_ERRNO(EACCES, ftruncate(fd, 1));
  OK(ftruncate(before, 1));
  fd = OK(open("a/file", O_RDWR));
  OK(ftruncate(fd, 1));
}

CHECK(execution) {
  two_directories();
  int ruleset = OK(make(FS(EXECUTE), 0));
  allow(ruleset, "/usr", FS(EXECUTE));
  enforce(ruleset);
  put_file("script", "#!/bin/true\n");
  OK(chmod("script", 0700));
  pid_t pid = FORK();
  if (pid == 0) {
    execl("./script", "script", NULL);
    EXPECT_EQ(EACCES, errno);
    execl("/usr/bin/true", "true", NULL);
    _exit(1);
  }
  EXPECT_EQ(0, WAIT(pid));
}

CHECK(pipes_are_outside) {
  int pipes[2];
  char path[64];
  need_abi(1);
  OK(pipe(pipes));
  int ruleset = OK(make(FS(READ_FILE) | FS(WRITE_FILE), 0));
  enforce(ruleset);
  snprintf(path, sizeof path, "/proc/self/fd/%d", pipes[1]);
  OPENS(path, O_WRONLY);
}

CHECK(memory_files_are_outside) {
  char path[64];
  need_abi(1);
  int fd = OK(memfd_create("memory", 0));
  enforce(OK(make(FS(READ_FILE) | FS(WRITE_FILE), 0)));
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  OPENS(path, O_RDWR);
}

static int listens(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = OK(socket(AF_INET, SOCK_STREAM, 0)), one = 1;
  OK(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one));
  if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0) return -1;
  OK(listen(fd, 4));
  return fd;
}
static int connects(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = OK(socket(AF_INET, SOCK_STREAM, 0));
  return connect(fd, (struct sockaddr *)&address, sizeof address);
}
static int port_of(int fd) {
  struct sockaddr_in address;
  socklen_t length = sizeof address;
  OK(getsockname(fd, (struct sockaddr *)&address, &length));
  return ntohs(address.sin_port);
}

CHECK(tcp_ports) {
  need_abi(4);
  int first = OK(listens(0)), second = OK(listens(0)), port = port_of(first), other = port_of(second);
  int ruleset = OK(make(0, BIND_TCP | CONNECT_TCP));
  OK(allow_port(ruleset, port, CONNECT_TCP));
  OK(allow_port(ruleset, 0, BIND_TCP));
  enforce(ruleset);
  OK(connects(port));
  EXPECT_ERRNO(EACCES, connects(other));
  EXPECT_ERRNO(EACCES, listens(port));
  OK(listens(0));
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int udp = OK(socket(AF_INET, SOCK_DGRAM, 0));
  OK(bind(udp, (struct sockaddr *)&address, sizeof address));
  address.sin_port = htons(other);
  OK(connect(udp, (struct sockaddr *)&address, sizeof address));
}

CHECK(ports_only_leave_files_alone) {
  two_directories();
  need_abi(4);
  enforce(OK(make(0, BIND_TCP | CONNECT_TCP)));
  OK(rename("a/file", "b/moved"));
  OK(link("b/moved", "a/second"));
}

CHECK(scope_of_tracing) {
  int ends[2];
  char byte;
  need_abi(1);
  OK(pipe(ends));
  pid_t pid = FORK();
  if (pid == 0) {
    close(ends[1]);
    _exit(read(ends[0], &byte, 1) != 0);
  }
  enforce(OK(make(FS(EXECUTE), 0)));
  EXPECT_ERRNO(EPERM, syscall(SYS_ptrace, 16, pid, 0, 0));
  pid_t inside = FORK();
  if (inside == 0) {
    close(ends[1]);
    _exit(read(ends[0], &byte, 1) != 0);
  }
  OK(syscall(SYS_ptrace, 0x4206, inside, 0, 0));
  close(ends[1]);
  EXPECT_EQ(0, WAIT(inside));
  EXPECT_EQ(0, WAIT(pid));
}

CHECK_ROOT(mounts_stay) {
  NEED_CAPABILITY(21);
  need_abi(1);
  enforce(OK(make(FS(EXECUTE), 0)));
  EXPECT_ERRNO(EPERM, mount("none", ".", "tmpfs", 0, NULL));
  EXPECT_ERRNO(EPERM, umount2("/proc", MNT_DETACH));
}

CHECK_ROOT(ports_only_leave_mounts_alone) {
  NEED_ADMIN;
  need_abi(4);
  private_mounts();
  enforce(OK(make(0, BIND_TCP)));
  OK(mount("none", ".", "tmpfs", 0, NULL));
  OK(umount("."));
}

CHECK_ROOT(refused_temporary_files_leave_nothing) {
  NEED_ADMIN;
  need_abi(1);
  private_mounts();
  OK(mkdir("t", 0755));
  OK(mount("none", "t", "tmpfs", 0, "nr_inodes=50"));
  IN_CHILD {
    enforce(OK(make(FS(WRITE_FILE), 0)));
    for (int i = 0; i < 100; i++) EXPECT_ERRNO(EACCES, open("t", O_TMPFILE | O_RDWR, 0600));
  }
  put_file("t/file", "text");
}

CHECK_USER(restricted_in_a_user_namespace) {
  OK(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
  int ruleset = OK(make(FS(READ_FILE), 0));
  OK(unshare(CLONE_NEWUSER));
  OK(syscall(SYS_landlock_restrict_self, ruleset, 0));
}
