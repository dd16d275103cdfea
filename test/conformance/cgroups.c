/* cgroups(7), cgroup_namespaces(7), Documentation/admin-guide/cgroup-v2.rst: the tree, processes and threads in it, freezing and killing. */
#include "check.h"
#include <linux/sched.h>
#include <poll.h>
#include <pthread.h>
#include <sys/inotify.h>
#include <sys/vfs.h>

#define CGROUP2_MAGIC 0x63677270

static int write_text(const char *path, const char *text) {
  int fd = open(path, O_WRONLY);
  if (fd < 0) return -1;
  int wrote = write(fd, text, strlen(text)), saved = errno;
  close(fd);
  errno = saved;
  return wrote;
}

static int write_pid(const char *path, pid_t pid) {
  char text[16];
  snprintf(text, sizeof text, "%d", pid);
  return write_text(path, text);
}

static int try_read(const char *path) {
  char byte;
  int fd = open(path, O_RDONLY);
  if (fd < 0) return -1;
  int got = read(fd, &byte, 1), saved = errno;
  close(fd);
  errno = saved;
  return got;
}

static int has_line(const char *path, const char *line) {
  char text[4096], wanted[256];
  snprintf(text, sizeof text, "\n%s", get_file(path));
  snprintf(wanted, sizeof wanted, "\n%s\n", line);
  return strstr(text, wanted) != NULL;
}

/* Until a line of the file is so: its changes are events. */
static void await_line(const char *path, const char *line) {
  int fd = OK(open(path, O_RDONLY));
  char text[4096];
  for (;;) {
    struct pollfd event = {fd, POLLPRI, 0};
    lseek(fd, 0, SEEK_SET);
    if (read(fd, text, sizeof text - 1) < 0) FAIL("cannot read %s", path);
    if (has_line(path, line)) break;
    poll(&event, 1, 1000);
  }
  close(fd);
}

/* The line of version 2 in /proc/PID/cgroup. */
static const char *group_of(pid_t pid) {
  static char found[512];
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/cgroup", pid);
  char *line = strstr(get_file(path), "0::");
  if (line == NULL) FAIL("%s has no line 0::", path);
  snprintf(found, sizeof found, "%.*s", (int)strcspn(line, "\n"), line);
  return found + 3;
}

static int remove_group(const char *path, const struct stat *status, int type, struct FTW *walk) {
  (void)status, (void)walk;
  return type == FTW_DP && rmdir(path) != 0 ? -1 : 0;
}

/* Runs the check in a new group of a mount of its own; afterwards all that is in it goes. */
static void in_group(void (*body)(void)) {
  char name[64];
  NEED_ADMIN;
  private_mounts();
  OK(mkdir("tree", 0755));
  if (mount("none", "tree", "cgroup2", 0, NULL) != 0) SKIP("cgroup2 cannot be mounted here");
  snprintf(name, sizeof name, "caisson-check-%d", getpid());
  OK(chdir("tree"));
  OK(mkdir(name, 0755));
  pid_t pid = FORK();
  if (pid == 0) {
    OK(chdir(name));
    body();
    _exit(0);
  }
  int status;
  waitpid(pid, &status, 0);
  OK(chdir(name));
  write_text("cgroup.kill", "1");
  write_text("cgroup.freeze", "0");
  while (waitpid(-1, NULL, 0) > 0) {
  }
  await_line("cgroup.events", "populated 0");
  OK(chdir(".."));
  OK(nftw(name, remove_group, 8, FTW_DEPTH | FTW_PHYS));
  if (WIFEXITED(status)) {
    if (WEXITSTATUS(status) != 0) _exit(WEXITSTATUS(status));
  } else FAIL("ended by signal %d", WTERMSIG(status));
}

#define GROUP_CHECK(id)                                                                         \
  static void body_##id(void);                                                                  \
  CHECK_ROOT(id) { in_group(body_##id); }                                                       \
  static void body_##id(void)

/* A child that sleeps until it is killed. */
static pid_t sleeper(void) {
  pid_t pid = FORK();
  while (pid == 0) pause();
  return pid;
}

/* One in this group, which is frozen. */
static pid_t frozen_sleeper(void) {
  pid_t pid = sleeper();
  OK(write_pid("cgroup.procs", pid));
  OK(write_text("cgroup.freeze", "1"));
  await_line("cgroup.events", "frozen 1");
  return pid;
}

CHECK(cgroup_of_a_process_is_a_path) { EXPECT_EQ('/', group_of(getpid())[0]); }

CHECK(proc_cgroups_has_a_header) {
  EXPECT(strncmp(get_file("/proc/cgroups"), "#subsys_name\thierarchy\tnum_cgroups\tenabled\n", 43) == 0);
}

GROUP_CHECK(cgroup_filesystem) {
  struct statfs status;
  OK(statfs(".", &status));
  EXPECT_EQ(CGROUP2_MAGIC, status.f_type);
  EXPECT_EQ(255, status.f_namelen);
}

GROUP_CHECK(cgroup_new_group_is_empty) {
  EXPECT_STR("domain\n", get_file("cgroup.type"));
  EXPECT_STR("", get_file("cgroup.procs"));
  EXPECT_STR("", get_file("cgroup.threads"));
  EXPECT_STR("populated 0\nfrozen 0\n", get_file("cgroup.events"));
  EXPECT_STR("0\n", get_file("cgroup.freeze"));
  EXPECT_STR("max\n", get_file("cgroup.max.depth"));
  EXPECT_STR("max\n", get_file("cgroup.max.descendants"));
  EXPECT_STR("", get_file("cgroup.subtree_control"));
  EXPECT(has_line("cgroup.stat", "nr_descendants 0"));
  EXPECT(has_line("cpu.stat", "usage_usec 0"));
}

GROUP_CHECK(cgroup_modes_and_links) {
  struct stat status;
  OK(mkdir("a", 0700));
  OK(stat("a", &status));
  EXPECT_EQ(S_IFDIR | 0700, status.st_mode);
  EXPECT_EQ(2, status.st_nlink);
  OK(stat(".", &status));
  EXPECT_EQ(3, status.st_nlink);
  OK(stat("cgroup.procs", &status));
  EXPECT_EQ(S_IFREG | 0644, status.st_mode);
  OK(stat("cgroup.events", &status));
  EXPECT_EQ(S_IFREG | 0444, status.st_mode);
  OK(stat("cgroup.kill", &status));
  EXPECT_EQ(S_IFREG | 0200, status.st_mode);
}

GROUP_CHECK(cgroup_only_directories_are_made) {
  EXPECT_ERRNO(EACCES, open("x", O_CREAT | O_WRONLY, 0644));
  EXPECT_ERRNO(EACCES, mknod("x", S_IFREG | 0644, 0));
  EXPECT_ERRNO(EPERM, mknod("x", S_IFIFO | 0644, 0));
  EXPECT_ERRNO(EPERM, symlink("a", "x"));
  EXPECT_ERRNO(EPERM, link("cgroup.procs", "x"));
  EXPECT_ERRNO(EPERM, unlink("cgroup.procs"));
  EXPECT_ERRNO(ENOTDIR, rmdir("cgroup.procs"));
  OK(mkdir("a", 0755));
  EXPECT_ERRNO(EPERM, rename("a", "b"));
  EXPECT_ERRNO(EEXIST, mkdir("a", 0755));
  EXPECT_ERRNO(EEXIST, mkdir("cgroup.procs", 0755));
  EXPECT_ERRNO(EINVAL, mkdir("new\nline", 0755));
}

GROUP_CHECK(cgroup_chmod_and_chown_are_kept) {
  struct stat status;
  OK(chmod("cgroup.procs", 0600));
  OK(chown("cgroup.procs", 12, 34));
  OK(stat("cgroup.procs", &status));
  EXPECT_EQ(S_IFREG | 0600, status.st_mode);
  EXPECT_EQ(12, status.st_uid);
  EXPECT_EQ(34, status.st_gid);
  OK(truncate("cgroup.procs", 0));
}

GROUP_CHECK(cgroup_moves_a_process) {
  pid_t pid = sleeper();
  OK(mkdir("a", 0755));
  OK(write_pid("a/cgroup.procs", pid));
  EXPECT_EQ(pid, atoi(get_file("a/cgroup.procs")));
  EXPECT_EQ(pid, atoi(get_file("a/cgroup.threads")));
  const char *path = group_of(pid);
  EXPECT_STR("/a", path + strlen(path) - 2);
  EXPECT(has_line("a/cgroup.events", "populated 1"));
  EXPECT(has_line("cgroup.events", "populated 1"));
  EXPECT_ERRNO(EBUSY, rmdir("a"));
  kill(pid, SIGKILL);
  waitpid(pid, NULL, 0);
  EXPECT(has_line("cgroup.events", "populated 0"));
  OK(rmdir("a"));
}

GROUP_CHECK(cgroup_zero_is_the_writer) {
  OK(write_text("cgroup.procs", "0\n"));
  EXPECT_EQ(getpid(), atoi(get_file("cgroup.procs")));
  IN_CHILD { EXPECT(strstr(get_file("cgroup.procs"), "\n") != NULL); }
}

GROUP_CHECK(cgroup_children_begin_where_their_parent_is) {
  OK(write_text("cgroup.procs", "0"));
  pid_t pid = sleeper();
  char line[16];
  snprintf(line, sizeof line, "%d", pid);
  EXPECT(has_line("cgroup.procs", line));
}

GROUP_CHECK(cgroup_bad_process_numbers) {
  EXPECT_ERRNO(EINVAL, write_text("cgroup.procs", "x"));
  EXPECT_ERRNO(EINVAL, write_text("cgroup.procs", "-1"));
  EXPECT_ERRNO(EINVAL, write_text("cgroup.procs", "\n"));
  EXPECT_ERRNO(ESRCH, write_text("cgroup.procs", "4194000"));
  EXPECT_ERRNO(ESRCH, write_text("cgroup.threads", "4194000"));
}

GROUP_CHECK(cgroup_a_zombie_is_nowhere) {
  int ends[2];
  OK(pipe(ends));
  pid_t pid = FORK();
  if (pid == 0) {
    write_text("cgroup.procs", "0");
    _exit(0);
  }
  close(ends[1]);
  char byte;
  EXPECT_EQ(0, read(ends[0], &byte, 1));
  siginfo_t info;
  OK(waitid(P_PID, pid, &info, WEXITED | WNOWAIT));
  EXPECT_STR("", get_file("cgroup.procs"));
  EXPECT(has_line("cgroup.events", "populated 0"));
  OK(write_pid("cgroup.procs", pid));
  EXPECT_STR("", get_file("cgroup.procs"));
  waitpid(pid, NULL, 0);
  EXPECT_ERRNO(ESRCH, write_pid("cgroup.procs", pid));
}

GROUP_CHECK(cgroup_what_has_no_reader_or_writer) {
  EXPECT_ERRNO(EINVAL, try_read("cgroup.kill"));
  EXPECT_ERRNO(EINVAL, write_text("cgroup.events", "1"));
}

GROUP_CHECK(cgroup_bad_values) {
  EXPECT_ERRNO(EINVAL, write_text("cgroup.max.depth", "abc"));
  EXPECT_ERRNO(ERANGE, write_text("cgroup.max.depth", "-1"));
  EXPECT_ERRNO(ERANGE, write_text("cgroup.freeze", "2"));
  EXPECT_ERRNO(EINVAL, write_text("cgroup.freeze", "x"));
  EXPECT_ERRNO(ERANGE, write_text("cgroup.kill", "0"));
  EXPECT_ERRNO(EINVAL, write_text("cgroup.kill", "x"));
  EXPECT_ERRNO(EINVAL, write_text("cgroup.type", "domain"));
  EXPECT_ERRNO(EINVAL, write_text("cgroup.subtree_control", "cpu"));
  EXPECT_ERRNO(EINVAL, write_text("cgroup.subtree_control", "+nothing"));
}

GROUP_CHECK(cgroup_controllers_come_from_above) {
  OK(mkdir("a", 0755));
  EXPECT_STR("", get_file("a/cgroup.controllers"));
  EXPECT_ERRNO(ENOENT, write_text("a/cgroup.subtree_control", "+hugetlb +memory") >= 0 ? 0 : (errno = errno == EINVAL ? ENOENT : errno, -1));
  OK(write_text("cgroup.subtree_control", ""));
}

GROUP_CHECK(cgroup_max_depth) {
  OK(write_text("cgroup.max.depth", "1"));
  EXPECT_STR("1\n", get_file("cgroup.max.depth"));
  OK(mkdir("a", 0755));
  EXPECT_ERRNO(EAGAIN, mkdir("a/b", 0755));
  OK(write_text("cgroup.max.depth", "max"));
  OK(mkdir("a/b", 0755));
  EXPECT_ERRNO(EBUSY, rmdir("a"));
}

GROUP_CHECK(cgroup_max_descendants) {
  OK(write_text("cgroup.max.descendants", "2"));
  OK(mkdir("a", 0755));
  OK(mkdir("a/b", 0755));
  EXPECT_ERRNO(EAGAIN, mkdir("c", 0755));
  EXPECT(has_line("cgroup.stat", "nr_descendants 2"));
  OK(rmdir("a/b"));
  EXPECT(has_line("cgroup.stat", "nr_descendants 1"));
  OK(mkdir("c", 0755));
}

GROUP_CHECK(cgroup_freeze_stops_and_thaw_goes_on) {
  int ends[2];
  OK(pipe(ends));
  pid_t pid = FORK();
  if (pid == 0) {
    char byte = 0;
    for (;;) {
      if (write(ends[1], &byte, 1) != 1) _exit(1);
      sleep_ms(1);
    }
  }
  char bytes[4096];
  OK(write_pid("cgroup.procs", pid));
  OK(read(ends[0], bytes, 1));
  OK(write_text("cgroup.freeze", "1"));
  EXPECT_STR("1\n", get_file("cgroup.freeze"));
  await_line("cgroup.events", "frozen 1");
  OK(fcntl(ends[0], F_SETFL, O_NONBLOCK));
  while (read(ends[0], bytes, sizeof bytes) > 0) {
  }
  sleep_ms(20);
  EXPECT_ERRNO(EAGAIN, read(ends[0], bytes, 1));
  OK(write_text("cgroup.freeze", "0"));
  await_line("cgroup.events", "frozen 0");
  OK(fcntl(ends[0], F_SETFL, 0));
  EXPECT_EQ(1, read(ends[0], bytes, 1));
}

GROUP_CHECK(cgroup_freeze_reaches_down) {
  OK(mkdir("a", 0755));
  OK(write_text("cgroup.freeze", "1"));
  await_line("a/cgroup.events", "frozen 1");
  EXPECT_STR("0\n", get_file("a/cgroup.freeze"));
  OK(write_text("a/cgroup.freeze", "1"));
  OK(write_text("cgroup.freeze", "0"));
  EXPECT(has_line("a/cgroup.events", "frozen 1"));
  EXPECT(has_line("cgroup.events", "frozen 0"));
}

GROUP_CHECK(cgroup_a_process_freezes_by_moving_in) {
  OK(mkdir("a", 0755));
  OK(write_text("a/cgroup.freeze", "1"));
  pid_t pid = sleeper();
  OK(write_pid("a/cgroup.procs", pid));
  await_line("a/cgroup.events", "frozen 1");
  OK(write_pid("cgroup.procs", pid));
  kill(pid, SIGTERM);
  EXPECT_EQ(SIGTERM, WAIT(pid));
}

GROUP_CHECK(cgroup_a_frozen_process_can_be_killed) {
  pid_t pid = frozen_sleeper();
  kill(pid, SIGKILL);
  EXPECT_EQ(SIGKILL, WAIT(pid));
  EXPECT_STR("populated 0\nfrozen 1\n", get_file("cgroup.events"));
}

GROUP_CHECK(cgroup_a_frozen_process_ends_by_signals_that_end) {
  pid_t pid = frozen_sleeper();
  kill(pid, SIGTERM);
  EXPECT_EQ(SIGTERM, WAIT(pid));
}

static void end_by_handler(int signal) { _exit(signal); }

GROUP_CHECK(cgroup_a_frozen_process_handles_signals_later) {
  signal(SIGUSR1, end_by_handler);
  pid_t pid = frozen_sleeper();
  kill(pid, SIGUSR1);
  sleep_ms(20);
  EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG));
  OK(write_text("cgroup.freeze", "0"));
  EXPECT_EQ(SIGUSR1 << 8, WAIT(pid));
}

GROUP_CHECK(cgroup_kill_takes_all) {
  OK(mkdir("a", 0755));
  pid_t first = sleeper(), second = sleeper();
  OK(write_pid("cgroup.procs", first));
  OK(write_pid("a/cgroup.procs", second));
  OK(write_text("cgroup.kill", "1"));
  EXPECT_EQ(SIGKILL, WAIT(first));
  EXPECT_EQ(SIGKILL, WAIT(second));
  EXPECT(has_line("cgroup.events", "populated 0"));
}

GROUP_CHECK(cgroup_events_are_polled) {
  int fd = OK(open("cgroup.events", O_RDONLY));
  char text[64];
  struct pollfd event = {fd, POLLPRI, 0};
  OK(read(fd, text, sizeof text));
  EXPECT_EQ(0, poll(&event, 1, 0));
  pid_t pid = sleeper();
  OK(write_pid("cgroup.procs", pid));
  EXPECT_EQ(1, poll(&event, 1, 5000));
  EXPECT_EQ(POLLPRI | POLLERR, event.revents);
  OK(lseek(fd, 0, SEEK_SET));
  OK(read(fd, text, sizeof text));
  EXPECT_EQ(0, poll(&event, 1, 0));
}

GROUP_CHECK(cgroup_events_are_watched) {
  int fd = OK(inotify_init1(IN_NONBLOCK));
  OK(inotify_add_watch(fd, "cgroup.events", IN_MODIFY));
  close(OK(open("cgroup.events", O_RDONLY)));
  get_file("cgroup.events");
  pid_t pid = sleeper();
  OK(write_pid("cgroup.procs", pid));
  struct pollfd event = {fd, POLLIN, 0};
  EXPECT_EQ(1, poll(&event, 1, 5000));
  struct inotify_event got;
  EXPECT_EQ(sizeof got, read(fd, &got, sizeof got));
  EXPECT_EQ(IN_MODIFY, got.mask);
}

static void *wait_for_byte(void *argument) {
  char byte;
  return (void *)read(*(int *)argument, &byte, 1);
}

GROUP_CHECK(cgroup_a_process_takes_its_threads_along) {
  int ends[2];
  pthread_t thread;
  OK(pipe(ends));
  EXPECT_EQ(0, pthread_create(&thread, NULL, wait_for_byte, &ends[0]));
  OK(write_text("cgroup.procs", "0"));
  int lines = 0;
  for (char *at = get_file("cgroup.threads"); *at; at++) lines += *at == '\n';
  EXPECT_EQ(2, lines);
  EXPECT_EQ(getpid(), atoi(get_file("cgroup.procs")));
}

GROUP_CHECK(cgroup_threaded_types) {
  OK(mkdir("a", 0755));
  OK(mkdir("a/b", 0755));
  OK(mkdir("c", 0755));
  OK(write_text("a/cgroup.type", "threaded"));
  EXPECT_STR("domain threaded\n", get_file("cgroup.type"));
  EXPECT_STR("threaded\n", get_file("a/cgroup.type"));
  EXPECT_STR("domain invalid\n", get_file("a/b/cgroup.type"));
  EXPECT_STR("domain invalid\n", get_file("c/cgroup.type"));
  OK(write_text("a/cgroup.type", "threaded"));
  OK(write_text("a/b/cgroup.type", "threaded"));
  EXPECT_STR("threaded\n", get_file("a/b/cgroup.type"));
  EXPECT_ERRNO(EOPNOTSUPP, write_text("c/cgroup.procs", "0"));
  EXPECT_ERRNO(EOPNOTSUPP, try_read("a/cgroup.procs"));
  EXPECT_ERRNO(EOPNOTSUPP, write_text("a/cgroup.kill", "1"));
}

GROUP_CHECK(cgroup_threads_of_one_process_in_two_groups) {
  OK(mkdir("a", 0755));
  OK(write_text("a/cgroup.type", "threaded"));
  int ends[2];
  pthread_t thread;
  OK(pipe(ends));
  EXPECT_EQ(0, pthread_create(&thread, NULL, wait_for_byte, &ends[0]));
  EXPECT_ERRNO(EOPNOTSUPP, write_text("a/cgroup.threads", "0"));
  OK(write_text("cgroup.procs", "0"));
  OK(write_pid("a/cgroup.threads", getpid()));
  EXPECT_EQ(getpid(), atoi(get_file("a/cgroup.threads")));
  EXPECT(atoi(get_file("cgroup.threads")) > getpid());
  EXPECT_EQ(getpid(), atoi(get_file("cgroup.procs")));
}

GROUP_CHECK(cgroup_populated_groups_do_not_become_threaded) {
  OK(mkdir("a", 0755));
  pid_t pid = sleeper();
  OK(write_pid("a/cgroup.procs", pid));
  EXPECT_ERRNO(EOPNOTSUPP, write_text("a/cgroup.type", "threaded"));
}

static long clone_into(int fd, unsigned long long flags) {
  struct clone_args arguments = {.flags = CLONE_INTO_CGROUP | flags, .exit_signal = SIGCHLD, .cgroup = fd};
  return syscall(SYS_clone3, &arguments, sizeof arguments);
}

GROUP_CHECK(cgroup_clone_into) {
  OK(mkdir("a", 0755));
  int fd = OK(open("a", O_RDONLY | O_DIRECTORY));
  pid_t pid = OK(clone_into(fd, 0));
  while (pid == 0) pause();
  EXPECT_EQ(pid, atoi(get_file("a/cgroup.procs")));
}

GROUP_CHECK(cgroup_clone_into_what_is_none) {
  EXPECT_ERRNO(EBADF, clone_into(999, 0));
  EXPECT_ERRNO(EBADF, clone_into(OK(open("/", O_RDONLY)), 0));
  OK(mkdir("a", 0755));
  int fd = OK(open("a", O_RDONLY | O_DIRECTORY));
  OK(rmdir("a"));
  EXPECT_ERRNO(ENOENT, clone_into(fd, 0));
}

GROUP_CHECK(cgroup_namespace_begins_at_the_caller) {
  OK(write_text("cgroup.procs", "0"));
  OK(mkdir("a", 0755));
  pid_t pid = sleeper();
  OK(write_pid("a/cgroup.procs", pid));
  int old = OK(open("/proc/self/ns/cgroup", O_RDONLY));
  OK(unshare(CLONE_NEWCGROUP));
  EXPECT_STR("/", group_of(getpid()));
  EXPECT_STR("/a", group_of(pid));
  EXPECT_STR("/..", group_of(getppid()));
  OK(setns(old, CLONE_NEWCGROUP));
  EXPECT(strcmp("/", group_of(getpid())) != 0);
}

GROUP_CHECK(cgroup_namespace_mounts_its_root) {
  OK(write_text("cgroup.procs", "0"));
  OK(mkdir("inner", 0755));
  OK(unshare(CLONE_NEWCGROUP));
  OK(mount("none", "inner", "cgroup2", 0, NULL));
  EXPECT_EQ(getpid(), atoi(get_file("inner/cgroup.procs")));
  EXPECT_STR("", get_file("inner/inner/cgroup.procs"));
  OK(umount2("inner", MNT_DETACH));
}

GROUP_CHECK(cgroup_delegated_to_a_user) {
  OK(mkdir("a", 0755));
  OK(mkdir("a/b", 0755));
  OK(mkdir("c", 0755));
  for (int i = 0; i < 4; i++) {
    static const char *const given[] = {"a", "a/cgroup.procs", "a/b", "a/b/cgroup.procs"};
    OK(chown(given[i], ORDINARY_ID, ORDINARY_ID));
  }
  pid_t pid = sleeper();
  OK(write_pid("a/cgroup.procs", pid));
  IN_CHILD {
    become_ordinary_user();
    OK(write_pid("a/b/cgroup.procs", pid));
    OK(mkdir("a/d", 0755));
    struct stat status;
    OK(stat("a/d/cgroup.procs", &status));
    EXPECT_EQ(ORDINARY_ID, status.st_uid);
    OK(write_pid("a/d/cgroup.procs", pid));
    EXPECT_ERRNO(EACCES, write_pid("c/cgroup.procs", pid));
    EXPECT_ERRNO(EACCES, write_pid("a/cgroup.procs", getpid()));
    EXPECT_ERRNO(EACCES, mkdir("e", 0755));
    EXPECT_ERRNO(EACCES, write_text("a/cgroup.freeze", "1"));
  }
}

GROUP_CHECK(cgroup_a_removed_group) {
  OK(mkdir("a", 0755));
  int fd = OK(open("a/cgroup.procs", O_RDWR));
  OK(rmdir("a"));
  EXPECT_ERRNO(ENODEV, write(fd, "0", 1));
  EXPECT_ERRNO(ENOENT, rmdir("a"));
  EXPECT_ERRNO(ENOENT, open("a/cgroup.procs", O_RDONLY));
}

GROUP_CHECK(cgroup_usage_is_counted) {
  OK(write_text("cgroup.procs", "0"));
  unsigned long long usage = 0;
  for (long long since = now_ms(); usage == 0 && now_ms() < since + 5000;) sscanf(get_file("cpu.stat"), "usage_usec %llu", &usage);
  EXPECT(usage > 0);
}

GROUP_CHECK(cgroup_usage_of_removed_groups_stays) {
  unsigned long long usage = 0;
  OK(mkdir("a", 0755));
  IN_CHILD {
    OK(write_text("a/cgroup.procs", "0"));
    for (long long since = now_ms(); usage == 0 && now_ms() < since + 5000;) sscanf(get_file("a/cpu.stat"), "usage_usec %llu", &usage);
  }
  OK(rmdir("a"));
  sscanf(get_file("cpu.stat"), "usage_usec %llu", &usage);
  EXPECT(usage > 0);
}
