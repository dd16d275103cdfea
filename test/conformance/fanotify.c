/* fanotify(7): events with descriptors on files, directories, mounts and file systems. */
#include "check.h"
#include <poll.h>
#include <sys/fanotify.h>
#include <sys/ioctl.h>

static int group;
static char events[4096];
static int left, at;

static void start(unsigned flags) {
  NEED_CAPABILITY(21);
  group = OK(fanotify_init(FAN_CLOEXEC | FAN_NONBLOCK | flags, O_RDONLY | O_CLOEXEC));
}
static void get(const char *path) {
  char byte;
  int fd = OK(open(path, O_RDONLY));
  EXPECT_EQ(1, read(fd, &byte, 1));
  close(fd);
}
static void mark(unsigned flags, unsigned long long mask, const char *path) { OK(fanotify_mark(group, flags, mask, AT_FDCWD, path)); }

/* All that came since the last time, of one file: the masks together. */
static unsigned long long seen(const char *path) {
  unsigned long long mask = 0;
  struct stat wanted, got;
  OK(stat(path, &wanted));
  while ((left = read(group, events, sizeof events)) > 0) {
    for (at = 0; at < left;) {
      struct fanotify_event_metadata *event = (void *)(events + at);
      EXPECT_EQ(FANOTIFY_METADATA_VERSION, event->vers);
      EXPECT_EQ(24, event->event_len);
      EXPECT_EQ(getpid(), event->pid);
      OK(fstat(event->fd, &got));
      if (got.st_ino == wanted.st_ino) mask |= event->mask;
      close(event->fd);
      at += event->event_len;
    }
  }
  EXPECT_EQ(EAGAIN, errno);
  return mask;
}

CHECK_ROOT(a_file) {
  start(0);
  put_file("file", "one");
  put_file("other", "two");
  mark(FAN_MARK_ADD, FAN_OPEN | FAN_ACCESS | FAN_MODIFY | FAN_CLOSE, "file");
  EXPECT_EQ(0, seen("file"));
  get("file");
  get("other");
  EXPECT_EQ(FAN_OPEN | FAN_ACCESS | FAN_CLOSE_NOWRITE, seen("file"));
  put_file("file", "x");
  EXPECT_EQ(FAN_OPEN | FAN_MODIFY | FAN_CLOSE_WRITE, seen("file"));
}

CHECK_ROOT(a_directory_and_its_children) {
  start(0);
  OK(mkdir("d", 0700));
  OK(mkdir("d/sub", 0700));
  put_file("d/file", "one");
  put_file("d/sub/deep", "two");
  mark(FAN_MARK_ADD | FAN_MARK_ONLYDIR, FAN_OPEN | FAN_CLOSE_WRITE | FAN_EVENT_ON_CHILD, "d");
  put_file("d/file", "x");
  EXPECT_EQ(FAN_OPEN | FAN_CLOSE_WRITE, seen("d/file"));
  get("d/sub/deep");
  EXPECT_EQ(0, seen("d/sub/deep"));
  int fd = OK(open("d", O_RDONLY | O_DIRECTORY));
  EXPECT_EQ(0, seen("d"));
  mark(FAN_MARK_ADD, FAN_ONDIR | FAN_OPEN, "d");
  close(fd);
  fd = OK(open("d", O_RDONLY | O_DIRECTORY));
  EXPECT_EQ(FAN_OPEN, seen("d") & ~FAN_ONDIR);
}

CHECK_ROOT(a_mount) {
  start(0);
  OK(mkdir("d", 0700));
  put_file("d/file", "one");
  mark(FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_ACCESS, ".");
  get("d/file");
  EXPECT_EQ(FAN_ACCESS, seen("d/file"));
  mark(FAN_MARK_REMOVE | FAN_MARK_MOUNT, FAN_ACCESS, ".");
  get("d/file");
  EXPECT_EQ(0, seen("d/file"));
}

CHECK_ROOT(a_file_system) {
  start(0);
  put_file("file", "one");
  mark(FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_MODIFY, ".");
  put_file("file", "x");
  EXPECT_EQ(FAN_MODIFY, seen("file"));
  OK(fanotify_mark(group, FAN_MARK_FLUSH | FAN_MARK_FILESYSTEM, 0, AT_FDCWD, NULL));
  put_file("file", "x");
  EXPECT_EQ(0, seen("file"));
}

CHECK_ROOT(what_is_ignored) {
  start(0);
  put_file("file", "one");
  mark(FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_ACCESS | FAN_OPEN, ".");
  mark(FAN_MARK_ADD | FAN_MARK_IGNORED_MASK, FAN_ACCESS, "file");
  get("file");
  EXPECT_EQ(FAN_OPEN, seen("file"));
  put_file("file", "x");
  get("file");
  EXPECT_EQ(FAN_OPEN | FAN_ACCESS, seen("file"));
  mark(FAN_MARK_ADD | FAN_MARK_IGNORED_MASK | FAN_MARK_IGNORED_SURV_MODIFY, FAN_ACCESS, "file");
  put_file("file", "x");
  get("file");
  EXPECT_EQ(FAN_OPEN, seen("file"));
}

CHECK_ROOT(its_own_descriptors_are_silent) {
  char byte;
  start(0);
  put_file("file", "one");
  mark(FAN_MARK_ADD, FAN_OPEN | FAN_ACCESS | FAN_CLOSE, "file");
  get("file");
  struct fanotify_event_metadata *event = (void *)events;
  EXPECT(read(group, events, sizeof events) >= 24);
  EXPECT_EQ(1, read(event->fd, &byte, 1));
  EXPECT_EQ('o', byte);
  EXPECT_EQ(FD_CLOEXEC, OK(fcntl(event->fd, F_GETFD)));
  close(event->fd);
  EXPECT_EQ(0, seen("file"));
}

CHECK_ROOT(waiting) {
  start(0);
  put_file("file", "one");
  mark(FAN_MARK_ADD, FAN_OPEN, "file");
  struct pollfd poller = {group, POLLIN, 0};
  EXPECT_EQ(0, poll(&poller, 1, 0));
  EXPECT_ERRNO(EAGAIN, read(group, events, sizeof events));
  pid_t pid = FORK();
  if (pid == 0) {
    get("file");
    _exit(0);
  }
  EXPECT_EQ(1, poll(&poller, 1, -1));
  int bytes = 0;
  OK(ioctl(group, FIONREAD, &bytes));
  EXPECT_EQ(24, bytes);
  EXPECT_ERRNO(EINVAL, read(group, events, 8));
  EXPECT_EQ(24, read(group, events, sizeof events));
  EXPECT_EQ(pid, ((struct fanotify_event_metadata *)events)->pid);
  EXPECT_EQ(0, WAIT(pid));
}

CHECK_ROOT(refused) {
  start(0);
  put_file("file", "one");
  EXPECT_ERRNO(EINVAL, fanotify_init(0x40000000, 0));
  EXPECT_ERRNO(EINVAL, fanotify_init(FAN_CLASS_CONTENT | FAN_CLASS_PRE_CONTENT, 0));
  EXPECT_ERRNO(EINVAL, fanotify_init(0, O_CREAT));
  EXPECT_ERRNO(EINVAL, fanotify_init(0, 3));
  EXPECT_ERRNO(EINVAL, fanotify_mark(group, FAN_MARK_ADD | FAN_MARK_REMOVE, FAN_OPEN, AT_FDCWD, "file"));
  EXPECT_ERRNO(EINVAL, fanotify_mark(group, 0, FAN_OPEN, AT_FDCWD, "file"));
  EXPECT_ERRNO(EINVAL, fanotify_mark(group, FAN_MARK_ADD, 0, AT_FDCWD, "file"));
  EXPECT_ERRNO(EINVAL, fanotify_mark(group, FAN_MARK_ADD, 1ull << 40, AT_FDCWD, "file"));
  EXPECT_ERRNO(EINVAL, fanotify_mark(group, FAN_MARK_ADD, FAN_ATTRIB, AT_FDCWD, "file"));
  EXPECT_ERRNO(ENOTDIR, fanotify_mark(group, FAN_MARK_ADD | FAN_MARK_ONLYDIR, FAN_OPEN, AT_FDCWD, "file"));
  EXPECT_ERRNO(ENOENT, fanotify_mark(group, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "none"));
  EXPECT_ERRNO(ENOENT, fanotify_mark(group, FAN_MARK_REMOVE, FAN_OPEN, AT_FDCWD, "file"));
  EXPECT_ERRNO(EBADF, fanotify_mark(-1, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "file"));
  EXPECT_ERRNO(EINVAL, fanotify_mark(0, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "file"));
}

CHECK_USER(needs_the_capability) { EXPECT_ERRNO(EPERM, fanotify_init(FAN_CLASS_NOTIF, O_RDONLY)); }
