/* Waiting for events: pipe(7), fifo(7), poll(2), select(2), epoll(7), eventfd(2), timerfd_create(2), signalfd(2), inotify(7). */
#include "check.h"
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

static char data[200000];
static void do_nothing(int signal) { (void)signal; }
static int ends[2];

static void make_pipe(int flags) { OK(pipe2(ends, flags)); }

static int poll_one(int fd, int events, int ms) {
  struct pollfd poller = {fd, events, 0};
  int got = OK(poll(&poller, 1, ms));
  return got == 0 ? 0 : poller.revents;
}

/* A child that does something to the pipe after a while. */
static pid_t write_later(int fd, int ms) {
  pid_t pid = FORK();
  if (pid == 0) {
    sleep_ms(ms);
    OK(write(fd, "x", 1));
    _exit(0);
  }
  return pid;
}

CHECK(pipe_is_first_in_first_out) {
  make_pipe(0);
  OK(write(ends[1], "abc", 3));
  OK(write(ends[1], "def", 3));
  EXPECT_EQ(4, read(ends[0], data, 4));
  EXPECT(memcmp(data, "abcd", 4) == 0);
  EXPECT_EQ(2, read(ends[0], data, 100));
}

CHECK(pipe_end_of_file) {
  make_pipe(0);
  OK(write(ends[1], "abc", 3));
  close(ends[1]);
  EXPECT_EQ(3, read(ends[0], data, 10));
  EXPECT_EQ(0, read(ends[0], data, 10));
}

CHECK(pipe_capacity) {
  make_pipe(O_NONBLOCK);
  EXPECT_EQ(65536, fcntl(ends[1], F_GETPIPE_SZ));
  EXPECT_EQ(65536, write(ends[1], data, sizeof data));
  EXPECT_ERRNO(EAGAIN, write(ends[1], data, 1));
  EXPECT_EQ(0, poll_one(ends[1], POLLOUT, 0));
  EXPECT_EQ(4096, read(ends[0], data, 4096));
  EXPECT_EQ(POLLOUT, poll_one(ends[1], POLLOUT, 0));
}

CHECK(pipe_size_can_change) {
  make_pipe(O_NONBLOCK);
  EXPECT_EQ(8192, fcntl(ends[1], F_SETPIPE_SZ, 5000));
  EXPECT_EQ(8192, write(ends[1], data, sizeof data));
  EXPECT_ERRNO(EBUSY, fcntl(ends[1], F_SETPIPE_SZ, 4096));
  EXPECT_EQ(1 << 20, fcntl(ends[1], F_SETPIPE_SZ, 1 << 20));
}

CHECK(pipe_small_writes_are_atomic) {
  make_pipe(O_NONBLOCK);
  while (write(ends[1], data, 4000) == 4000) continue;
  EXPECT_EQ(EAGAIN, errno);
}

CHECK(pipe_blocking_write_of_much) {
  make_pipe(0);
  pid_t pid = FORK();
  if (pid == 0) {
    EXPECT_EQ(sizeof data, write(ends[1], data, sizeof data));
    _exit(0);
  }
  close(ends[1]);
  long total = 0, got;
  while ((got = OK(read(ends[0], data, 777))) > 0) total += got;
  EXPECT_EQ(sizeof data, total);
  EXPECT_EQ(0, WAIT(pid));
}

CHECK(pipe_packet_mode) {
  make_pipe(O_DIRECT);
  OK(write(ends[1], "abc", 3));
  OK(write(ends[1], "defg", 4));
  EXPECT_EQ(3, read(ends[0], data, 100));
  EXPECT_EQ(2, read(ends[0], data, 2));
  close(ends[1]);
  EXPECT_EQ(0, read(ends[0], data, 100));
}

CHECK(pipe_poll_states) {
  make_pipe(0);
  EXPECT_EQ(0, poll_one(ends[0], POLLIN, 0));
  EXPECT_EQ(POLLOUT, poll_one(ends[1], POLLIN | POLLOUT, 0));
  OK(write(ends[1], "x", 1));
  EXPECT_EQ(POLLIN | POLLRDNORM, poll_one(ends[0], POLLIN | POLLRDNORM, 0));
  close(ends[1]);
  EXPECT_EQ(POLLIN | POLLHUP, poll_one(ends[0], POLLIN, 0));
  read(ends[0], data, 1);
  EXPECT_EQ(POLLHUP, poll_one(ends[0], POLLIN, 0));
  make_pipe(0);
  close(ends[0]);
  EXPECT_EQ(POLLOUT | POLLERR, poll_one(ends[1], POLLOUT, 0));
}

CHECK(fifo_open_waits_for_other_end) {
  OK(mkfifo("p", 0644));
  pid_t pid = FORK();
  if (pid == 0) {
    sleep_ms(20);
    int fd = OK(open("p", O_WRONLY));
    OK(write(fd, "hello", 5));
    _exit(0);
  }
  int fd = OK(open("p", O_RDONLY));
  EXPECT_EQ(5, read(fd, data, 10));
  EXPECT_EQ(0, read(fd, data, 10));
  EXPECT_EQ(0, WAIT(pid));
}

CHECK(fifo_non_blocking_and_read_write) {
  OK(mkfifo("p", 0644));
  int reader = OK(open("p", O_RDONLY | O_NONBLOCK));
  EXPECT_EQ(0, read(reader, data, 1));
  int writer = OK(open("p", O_WRONLY | O_NONBLOCK));
  EXPECT_ERRNO(EAGAIN, read(reader, data, 1));
  OK(write(writer, "x", 1));
  EXPECT_EQ(1, read(reader, data, 1));
  OK(mkfifo("q", 0644));
  int both = OK(open("q", O_RDWR));
  OK(write(both, "y", 1));
  EXPECT_EQ(1, read(both, data, 1));
}

CHECK(poll_times_out) {
  make_pipe(0);
  long long started = now_ms();
  EXPECT_EQ(0, poll_one(ends[0], POLLIN, 50));
  EXPECT(now_ms() - started >= 49 && now_ms() - started < 2000);
}

CHECK(poll_wakes) {
  make_pipe(0);
  pid_t pid = write_later(ends[1], 30);
  EXPECT_EQ(POLLIN, poll_one(ends[0], POLLIN, 10000));
  EXPECT_EQ(0, WAIT(pid));
}

CHECK(poll_negative_and_closed) {
  struct pollfd pollers[] = {{-1, POLLIN, 99}, {500, POLLIN, 0}};
  EXPECT_EQ(1, poll(pollers, 2, 0));
  EXPECT_EQ(0, pollers[0].revents);
  EXPECT_EQ(POLLNVAL, pollers[1].revents);
}

CHECK(poll_regular_file) {
  put_file("f", "");
  EXPECT_EQ(POLLIN | POLLOUT, poll_one(OK(open("f", O_RDONLY)), POLLIN | POLLOUT | POLLPRI, 0));
}

CHECK(ppoll_with_mask) {
  sigset_t set, none;
  sigemptyset(&set), sigemptyset(&none);
  sigaddset(&set, SIGUSR1);
  signal(SIGUSR1, do_nothing);
  OK(sigprocmask(SIG_BLOCK, &set, NULL));
  raise(SIGUSR1);
  struct timespec limit = {5, 0};
  EXPECT_ERRNO(EINTR, ppoll(NULL, 0, &limit, &none));
}

CHECK(select_sets_and_rest) {
  fd_set in, out;
  make_pipe(0);
  FD_ZERO(&in);
  FD_ZERO(&out);
  FD_SET(ends[0], &in);
  FD_SET(ends[1], &out);
  struct timeval limit = {5, 0};
  EXPECT_EQ(1, select(ends[1] + 1, &in, &out, NULL, &limit));
  EXPECT(!FD_ISSET(ends[0], &in) && FD_ISSET(ends[1], &out));
  limit = (struct timeval){0, 30000};
  FD_SET(ends[0], &in);
  EXPECT_EQ(0, select(ends[0] + 1, &in, NULL, NULL, &limit));
  EXPECT_EQ(0, limit.tv_usec);
  OK(write(ends[1], "x", 1));
  FD_SET(ends[0], &in);
  limit = (struct timeval){5, 0};
  EXPECT_EQ(1, select(ends[0] + 1, &in, NULL, NULL, &limit));
  EXPECT(limit.tv_sec == 4 || limit.tv_sec == 5);
}

CHECK(pselect_wakes) {
  fd_set in;
  make_pipe(0);
  FD_ZERO(&in);
  FD_SET(ends[0], &in);
  pid_t pid = write_later(ends[1], 20);
  struct timespec limit = {10, 0};
  EXPECT_EQ(1, pselect(ends[0] + 1, &in, NULL, NULL, &limit, NULL));
  EXPECT_EQ(0, WAIT(pid));
}

static int watch(int epoll, int fd, unsigned events, long value) {
  struct epoll_event event = {events, {.u64 = value}};
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static int epoll_now(int epoll, struct epoll_event *event) { return OK(epoll_wait(epoll, event, 1, 0)); }

CHECK(epoll_level_triggered) {
  struct epoll_event event;
  int epoll = OK(epoll_create1(EPOLL_CLOEXEC));
  make_pipe(0);
  OK(watch(epoll, ends[0], EPOLLIN, 0x1122334455667788));
  EXPECT_EQ(0, epoll_now(epoll, &event));
  OK(write(ends[1], "xy", 2));
  for (int at = 0; at < 3; at++) {
    EXPECT_EQ(1, epoll_now(epoll, &event));
    EXPECT_EQ(EPOLLIN, event.events);
    EXPECT_EQ(0x1122334455667788, event.data.u64);
  }
  read(ends[0], data, 2);
  EXPECT_EQ(0, epoll_now(epoll, &event));
}

CHECK(epoll_edge_triggered) {
  struct epoll_event event;
  int epoll = OK(epoll_create1(0));
  make_pipe(0);
  OK(watch(epoll, ends[0], EPOLLIN | EPOLLET, 1));
  OK(write(ends[1], "x", 1));
  EXPECT_EQ(1, epoll_now(epoll, &event));
  EXPECT_EQ(0, epoll_now(epoll, &event));
  OK(write(ends[1], "y", 1));
  EXPECT_EQ(1, epoll_now(epoll, &event));
}

CHECK(epoll_one_shot) {
  struct epoll_event event = {EPOLLIN | EPOLLONESHOT, {.fd = 3}};
  int epoll = OK(epoll_create1(0));
  make_pipe(0);
  OK(watch(epoll, ends[0], EPOLLIN | EPOLLONESHOT, 1));
  OK(write(ends[1], "x", 1));
  EXPECT_EQ(1, epoll_now(epoll, &event));
  EXPECT_EQ(0, epoll_now(epoll, &event));
  event.events = EPOLLIN | EPOLLONESHOT;
  OK(epoll_ctl(epoll, EPOLL_CTL_MOD, ends[0], &event));
  EXPECT_EQ(1, epoll_now(epoll, &event));
}

CHECK(epoll_reports_hangup_unasked) {
  struct epoll_event event;
  int epoll = OK(epoll_create1(0));
  make_pipe(0);
  OK(watch(epoll, ends[0], 0, 1));
  close(ends[1]);
  EXPECT_EQ(1, epoll_now(epoll, &event));
  EXPECT_EQ(EPOLLHUP, event.events);
}

CHECK(epoll_forgets_closed_file) {
  struct epoll_event event;
  int epoll = OK(epoll_create1(0));
  make_pipe(0);
  OK(write(ends[1], "x", 1));
  OK(watch(epoll, ends[0], EPOLLIN, 1));
  int copy = OK(dup(ends[0]));
  close(ends[0]);
  EXPECT_EQ(1, epoll_now(epoll, &event));
  close(copy);
  EXPECT_EQ(0, epoll_now(epoll, &event));
}

CHECK(epoll_takes_turns) {
  struct epoll_event events[2];
  int epoll = OK(epoll_create1(0)), a = OK(eventfd(1, 0)), b = OK(eventfd(1, 0)), first;
  OK(watch(epoll, a, EPOLLIN, 1));
  OK(watch(epoll, b, EPOLLIN, 2));
  EXPECT_EQ(1, epoll_wait(epoll, events, 1, 0));
  first = events[0].data.u32;
  EXPECT_EQ(1, epoll_wait(epoll, events, 1, 0));
  EXPECT_EQ(3 - first, events[0].data.u32);
  EXPECT_EQ(2, epoll_wait(epoll, events, 2, 0));
}

CHECK(epoll_nests) {
  struct epoll_event event;
  int inner = OK(epoll_create1(0)), outer = OK(epoll_create1(0));
  make_pipe(0);
  OK(watch(inner, ends[0], EPOLLIN, 1));
  OK(watch(outer, inner, EPOLLIN, 2));
  EXPECT_EQ(0, epoll_now(outer, &event));
  OK(write(ends[1], "x", 1));
  EXPECT_EQ(1, epoll_now(outer, &event));
  EXPECT_EQ(POLLIN, poll_one(outer, POLLIN, 0));
}

CHECK(epoll_waits_and_times_out) {
  struct epoll_event event;
  int epoll = OK(epoll_create1(0));
  make_pipe(0);
  OK(watch(epoll, ends[0], EPOLLIN, 1));
  long long started = now_ms();
  EXPECT_EQ(0, epoll_wait(epoll, &event, 1, 40));
  EXPECT(now_ms() - started >= 39);
  pid_t pid = write_later(ends[1], 20);
  EXPECT_EQ(1, epoll_wait(epoll, &event, 1, 10000));
  EXPECT_EQ(0, WAIT(pid));
}

CHECK(epoll_pwait2_takes_nanoseconds) {
  struct epoll_event event;
  struct timespec limit = {0, 20000000};
  int epoll = OK(epoll_create1(0));
  EXPECT_EQ(0, syscall(441, epoll, &event, 1, &limit, NULL, 0));
}

static void *add_to_epoll(void *argument) {
  sleep_ms(30);
  watch(*(int *)argument, ends[0], EPOLLIN, 7);
  return NULL;
}

CHECK(epoll_add_while_waiting) {
  struct epoll_event event;
  pthread_t thread;
  int epoll = OK(epoll_create1(0));
  make_pipe(0);
  OK(write(ends[1], "x", 1));
  EXPECT_RETURNS(0, pthread_create(&thread, NULL, add_to_epoll, &epoll));
  EXPECT_EQ(1, epoll_wait(epoll, &event, 1, 10000));
  EXPECT_EQ(7, event.data.u64);
  pthread_join(thread, NULL);
}

CHECK(eventfd_adds_and_takes) {
  uint64_t value;
  int fd = OK(eventfd(5, EFD_NONBLOCK));
  value = 7;
  EXPECT_EQ(8, write(fd, &value, 8));
  EXPECT_EQ(8, read(fd, &value, 8));
  EXPECT_EQ(12, value);
  EXPECT_ERRNO(EAGAIN, read(fd, &value, 8));
  EXPECT_EQ(POLLOUT, poll_one(fd, POLLIN | POLLOUT, 0));
  value = UINT64_MAX - 1;
  EXPECT_EQ(8, write(fd, &value, 8));
  EXPECT_EQ(POLLIN, poll_one(fd, POLLIN | POLLOUT, 0));
  value = 1;
  EXPECT_ERRNO(EAGAIN, write(fd, &value, 8));
}

CHECK(eventfd_semaphore) {
  uint64_t value;
  int fd = OK(eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK));
  EXPECT_EQ(8, read(fd, &value, 8));
  EXPECT_EQ(1, value);
  EXPECT_EQ(8, read(fd, &value, 8));
  EXPECT_ERRNO(EAGAIN, read(fd, &value, 8));
}

CHECK(eventfd_blocks_until_written) {
  uint64_t value = 3;
  int fd = OK(eventfd(0, 0));
  pid_t pid = FORK();
  if (pid == 0) {
    sleep_ms(20);
    OK(write(fd, &value, 8));
    _exit(0);
  }
  value = 0;
  EXPECT_EQ(8, read(fd, &value, 8));
  EXPECT_EQ(3, value);
  EXPECT_EQ(0, WAIT(pid));
}

CHECK(timerfd_once) {
  struct itimerspec when = {{0, 0}, {0, 20000000}}, now;
  uint64_t value;
  int fd = OK(timerfd_create(CLOCK_MONOTONIC, 0));
  OK(timerfd_settime(fd, 0, &when, NULL));
  OK(timerfd_gettime(fd, &now));
  EXPECT(now.it_value.tv_nsec > 0 && now.it_value.tv_nsec <= 20000000);
  EXPECT_EQ(8, read(fd, &value, 8));
  EXPECT_EQ(1, value);
  OK(timerfd_gettime(fd, &now));
  EXPECT_EQ(0, now.it_value.tv_nsec);
}

CHECK(timerfd_counts_expirations) {
  struct itimerspec when = {{0, 5000000}, {0, 5000000}};
  uint64_t value;
  int fd = OK(timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK));
  OK(timerfd_settime(fd, 0, &when, NULL));
  sleep_ms(60);
  EXPECT_EQ(8, read(fd, &value, 8));
  EXPECT(value >= 10);
  EXPECT_EQ(POLLIN, poll_one(fd, POLLIN, 1000));
}

CHECK(timerfd_absolute_past_fires_at_once) {
  struct itimerspec when = {{0, 0}, {1, 0}};
  int fd = OK(timerfd_create(CLOCK_REALTIME, 0));
  OK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &when, NULL));
  EXPECT_EQ(POLLIN, poll_one(fd, POLLIN, 1000));
  memset(&when, 0, sizeof when);
  OK(timerfd_settime(fd, 0, &when, NULL));
  EXPECT_EQ(0, poll_one(fd, POLLIN, 0));
}

CHECK(signalfd_reads_signals) {
  sigset_t set;
  struct signalfd_siginfo info[2];
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1), sigaddset(&set, SIGRTMIN);
  OK(sigprocmask(SIG_BLOCK, &set, NULL));
  int fd = OK(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  EXPECT_EQ(0, poll_one(fd, POLLIN, 0));
  OK(kill(getpid(), SIGUSR1));
  OK(sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 66}));
  EXPECT_EQ(POLLIN, poll_one(fd, POLLIN, 0));
  EXPECT_EQ(2 * sizeof *info, read(fd, info, sizeof info));
  EXPECT_EQ(SIGUSR1, info[0].ssi_signo);
  EXPECT_EQ(getpid(), info[0].ssi_pid);
  EXPECT_EQ(66, info[1].ssi_int);
  EXPECT_EQ(SI_QUEUE, info[1].ssi_code);
}

CHECK(signalfd_wakes_for_child) {
  sigset_t set;
  struct signalfd_siginfo info;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  OK(sigprocmask(SIG_BLOCK, &set, NULL));
  int fd = OK(signalfd(-1, &set, 0));
  pid_t pid = FORK();
  if (pid == 0) {
    sleep_ms(20);
    _exit(6);
  }
  EXPECT_EQ(sizeof info, read(fd, &info, sizeof info));
  EXPECT_EQ(pid, info.ssi_pid);
  EXPECT_EQ(6, info.ssi_status);
}

/* Reads one event; its name is in `data`. */
static struct inotify_event event_of(int fd) {
  static char buffer[8192];
  static ssize_t used, at;
  if (at >= used) used = OK(read(fd, buffer, sizeof buffer)), at = 0;
  struct inotify_event event;
  memcpy(&event, buffer + at, sizeof event);
  memcpy(data, buffer + at + sizeof event, event.len);
  data[event.len] = 0;
  at += sizeof event + event.len;
  return event;
}

CHECK(inotify_directory_events) {
  int fd = OK(inotify_init1(IN_NONBLOCK)), watch = OK(inotify_add_watch(fd, ".", IN_CREATE | IN_DELETE | IN_MOVE | IN_CLOSE_WRITE));
  put_file("f", "x");
  struct inotify_event event = event_of(fd);
  EXPECT_EQ(IN_CREATE, event.mask);
  EXPECT_EQ(watch, event.wd);
  EXPECT_STR("f", data);
  EXPECT_EQ(16, event.len);
  EXPECT_EQ(IN_CLOSE_WRITE, event_of(fd).mask);
  OK(mkdir("d", 0755));
  EXPECT_EQ(IN_CREATE | IN_ISDIR, event_of(fd).mask);
  OK(rename("f", "g"));
  event = event_of(fd);
  EXPECT_EQ(IN_MOVED_FROM, event.mask);
  struct inotify_event to = event_of(fd);
  EXPECT_EQ(IN_MOVED_TO, to.mask);
  EXPECT_EQ(event.cookie, to.cookie);
  EXPECT_STR("g", data);
  OK(unlink("g"));
  EXPECT_EQ(IN_DELETE, event_of(fd).mask);
}

CHECK(inotify_file_events) {
  put_file("f", "hello");
  int fd = OK(inotify_init1(IN_NONBLOCK));
  OK(inotify_add_watch(fd, "f", IN_ALL_EVENTS));
  int file = OK(open("f", O_RDWR));
  EXPECT_EQ(IN_OPEN, event_of(fd).mask);
  OK(read(file, data, 2));
  EXPECT_EQ(IN_ACCESS, event_of(fd).mask);
  OK(write(file, "x", 1));
  EXPECT_EQ(IN_MODIFY, event_of(fd).mask);
  OK(fchmod(file, 0600));
  EXPECT_EQ(IN_ATTRIB, event_of(fd).mask);
  close(file);
  EXPECT_EQ(IN_CLOSE_WRITE, event_of(fd).mask);
  OK(unlink("f"));
  EXPECT_EQ(IN_ATTRIB, event_of(fd).mask);
  EXPECT_EQ(IN_DELETE_SELF, event_of(fd).mask);
  EXPECT_EQ(IN_IGNORED, event_of(fd).mask);
}

CHECK(inotify_merges_equal_events) {
  put_file("f", "");
  int fd = OK(inotify_init1(IN_NONBLOCK)), file = OK(open("f", O_WRONLY));
  OK(inotify_add_watch(fd, "f", IN_MODIFY));
  OK(write(file, "x", 1));
  OK(write(file, "y", 1));
  EXPECT_EQ(16, read(fd, data, 1000));
  EXPECT_ERRNO(EAGAIN, read(fd, data, 1000));
}

CHECK(inotify_same_watch_and_removal) {
  put_file("f", "");
  int fd = OK(inotify_init1(IN_NONBLOCK)), first = OK(inotify_add_watch(fd, "f", IN_MODIFY));
  EXPECT_EQ(first, inotify_add_watch(fd, "f", IN_OPEN));
  EXPECT_ERRNO(EEXIST, inotify_add_watch(fd, "f", IN_OPEN | 0x10000000));
  OK(inotify_rm_watch(fd, first));
  EXPECT_EQ(IN_IGNORED, event_of(fd).mask);
  EXPECT_ERRNO(EINVAL, inotify_rm_watch(fd, first));
}

CHECK(inotify_polls) {
  int fd = OK(inotify_init1(0));
  OK(inotify_add_watch(fd, ".", IN_CREATE));
  EXPECT_EQ(0, poll_one(fd, POLLIN, 0));
  put_file("f", "");
  EXPECT_EQ(POLLIN, poll_one(fd, POLLIN, 0));
}
