/* Signals about changes in a directory: fcntl(2), F_NOTIFY. */
#include "check.h"
#include <poll.h>

static volatile int count, last_fd, last_code, last_band;
static void note(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)context;
  count++;
  last_fd = info->si_fd;
  last_code = info->si_code;
  last_band = info->si_band;
}

static int watched(int mask) {
  struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | SA_RESTART};
  OK(sigaction(SIGRTMIN, &action, NULL));
  OK(mkdir("watched", 0755));
  int fd = OK(open("watched", O_RDONLY | O_DIRECTORY));
  OK(fcntl(fd, F_SETSIG, SIGRTMIN));
  OK(fcntl(fd, F_NOTIFY, mask));
  return fd;
}

static void expect_signals(int wanted) {
  for (int tries = 0; count < wanted && tries < 100; tries++) usleep(1000);
  EXPECT_EQ(wanted, count);
}

static void make(const char *path) { close(OK(open(path, O_CREAT | O_WRONLY, 0644))); }

CHECK(dnotify_tells_of_new_names) {
  int fd = watched(DN_CREATE | DN_MULTISHOT);
  EXPECT_EQ(getpid(), fcntl(fd, F_GETOWN));
  make("watched/a");
  expect_signals(1);
  EXPECT_EQ(fd, last_fd);
  EXPECT_EQ(POLL_MSG, last_code);
  EXPECT_EQ(POLLIN | POLLRDNORM | POLLMSG, last_band);
  OK(mkdir("watched/b", 0755));
  expect_signals(2);
  OK(unlink("watched/a"));
  make("elsewhere");
  expect_signals(2);
  OK(rename("elsewhere", "watched/c"));
  expect_signals(3);
}

CHECK(dnotify_is_for_one_event_unless_asked) {
  watched(DN_CREATE);
  make("watched/a");
  make("watched/b");
  expect_signals(1);
}

CHECK(dnotify_tells_of_changes_and_removal) {
  int fd = watched(DN_MODIFY | DN_DELETE | DN_ATTRIB | DN_ACCESS | DN_MULTISHOT);
  char byte;
  make("watched/a");
  expect_signals(0);
  int file = OK(open("watched/a", O_RDWR));
  OK(write(file, "x", 1));
  expect_signals(1);
  EXPECT_EQ(1, pread(file, &byte, 1, 0));
  expect_signals(2);
  OK(fchmod(file, 0600));
  expect_signals(3);
  OK(rename("watched/a", "away"));
  expect_signals(4);
  OK(fcntl(fd, F_NOTIFY, 0));
  make("watched/b");
  OK(unlink("watched/b"));
  expect_signals(4);
}

CHECK(dnotify_tells_of_renames_within) {
  watched(DN_RENAME | DN_MULTISHOT);
  make("watched/a");
  make("elsewhere");
  OK(rename("elsewhere", "watched/b"));
  expect_signals(0);
  OK(rename("watched/a", "watched/c"));
  expect_signals(1);
}

CHECK(dnotify_sigio_without_setsig) {
  struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | SA_RESTART};
  int fd = watched(DN_CREATE);
  OK(sigaction(SIGIO, &action, NULL));
  OK(fcntl(fd, F_SETSIG, 0));
  make("watched/a");
  expect_signals(1);
  EXPECT_EQ(SI_KERNEL, last_code);
}

CHECK(dnotify_masks_add_up) {
  int fd = watched(DN_CREATE | DN_MULTISHOT);
  OK(fcntl(fd, F_NOTIFY, DN_DELETE | DN_MULTISHOT));
  make("watched/a");
  expect_signals(1);
  OK(unlink("watched/a"));
  expect_signals(2);
}

CHECK(dnotify_ends_with_the_descriptor) {
  int fd = watched(DN_CREATE | DN_MULTISHOT);
  close(fd);
  make("watched/a");
  usleep(10000);
  EXPECT_EQ(0, count);
}

CHECK(dnotify_needs_a_directory) {
  int file = OK(open("file", O_CREAT | O_RDWR, 0644));
  EXPECT_ERRNO(ENOTDIR, fcntl(file, F_NOTIFY, DN_CREATE));
  EXPECT_EQ(0, fcntl(file, F_NOTIFY, 0));
  EXPECT_EQ(0, fcntl(file, F_NOTIFY, DN_MULTISHOT));
}
