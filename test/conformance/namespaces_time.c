/* time_namespaces(7): offsets of CLOCK_MONOTONIC and CLOCK_BOOTTIME, for the children of who made it. */
#include "check.h"
#include <pthread.h>
#include <sys/sysinfo.h>
#include <sys/timerfd.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

static int write_file(const char *path, const char *text) {
  int fd = open(path, O_WRONLY);
  if (fd < 0) return -1;
  int result = write(fd, text, strlen(text)), error = errno;
  close(fd);
  errno = error;
  return result;
}
static long seconds(int clock) {
  struct timespec now;
  OK(clock_gettime(clock, &now));
  return now.tv_sec;
}
static int about(long wanted, long got) { return got >= wanted - 2 && got <= wanted + 20; }

CHECK_ROOT(time_offsets_are_for_children) {
  NEED_ADMIN;
  long monotonic = seconds(CLOCK_MONOTONIC), boot = seconds(CLOCK_BOOTTIME), real = seconds(CLOCK_REALTIME);
  OK(unshare(CLONE_NEWTIME));
  OK(write_file("/proc/self/timens_offsets", "monotonic 1000 0\nboottime 5000 0\n"));
  EXPECT(about(monotonic, seconds(CLOCK_MONOTONIC)));
  IN_CHILD {
    EXPECT(about(monotonic + 1000, seconds(CLOCK_MONOTONIC)));
    EXPECT(about(monotonic + 1000, seconds(CLOCK_MONOTONIC_COARSE)));
    EXPECT(about(monotonic + 1000, seconds(CLOCK_MONOTONIC_RAW)));
    EXPECT(about(boot + 5000, seconds(CLOCK_BOOTTIME)));
    EXPECT(about(real, seconds(CLOCK_REALTIME)));
    struct sysinfo info;
    OK(sysinfo(&info));
    EXPECT(about(boot + 5000, info.uptime));
    EXPECT(about(boot + 5000, atol(get_file("/proc/uptime"))));
  }
}

CHECK_ROOT(time_offsets_text) {
  NEED_ADMIN;
  char wanted[128];
  OK(unshare(CLONE_NEWTIME));
  OK(write_file("/proc/self/timens_offsets", "1 7 5\n"));
  snprintf(wanted, sizeof wanted, "%-10s %10d %9d\n%-10s %10d %9d\n", "monotonic", 7, 5, "boottime", 0, 0);
  EXPECT_STR(wanted, get_file("/proc/self/timens_offsets"));
  IN_CHILD { EXPECT_STR(wanted, get_file("/proc/self/timens_offsets")); }
}

CHECK_ROOT(time_offsets_errors) {
  NEED_ADMIN;
  EXPECT_ERRNO(EACCES, write_file("/proc/self/timens_offsets", "monotonic 1 0\n"));
  OK(unshare(CLONE_NEWTIME));
  EXPECT_ERRNO(EINVAL, write_file("/proc/self/timens_offsets", "realtime 1 0\n"));
  EXPECT_ERRNO(EINVAL, write_file("/proc/self/timens_offsets", "monotonic 1\n"));
  EXPECT_ERRNO(EINVAL, write_file("/proc/self/timens_offsets", "monotonic 1 1000000000\n"));
  EXPECT_ERRNO(ERANGE, write_file("/proc/self/timens_offsets", "monotonic 9000000000000 0\n"));
  EXPECT_ERRNO(ERANGE, write_file("/proc/self/timens_offsets", "boottime -900000000 0\n"));
  OK(write_file("/proc/self/timens_offsets", "monotonic 1 0\n"));
  OK(write_file("/proc/self/timens_offsets", "monotonic 2 0\n"));
  IN_CHILD {}
  EXPECT_ERRNO(EACCES, write_file("/proc/self/timens_offsets", "monotonic 3 0\n"));
}

CHECK_ROOT(time_absolute_deadlines) {
  NEED_ADMIN;
  OK(unshare(CLONE_NEWTIME));
  OK(write_file("/proc/self/timens_offsets", "monotonic 100000 0\n"));
  IN_CHILD {
    struct timespec now;
    OK(clock_gettime(CLOCK_MONOTONIC, &now));
    EXPECT_RETURNS(0, clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &now, NULL));
    int fd = OK(timerfd_create(CLOCK_MONOTONIC, 0));
    struct itimerspec setting = {.it_value = now};
    OK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &setting, NULL));
    uint64_t count;
    EXPECT_EQ(8, read(fd, &count, 8));
    setting.it_value.tv_sec += 1000;
    OK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &setting, NULL));
    OK(timerfd_gettime(fd, &setting));
    EXPECT(setting.it_value.tv_sec >= 990 && setting.it_value.tv_sec <= 1000);
  }
}

CHECK_ROOT(time_links_and_setns) {
  NEED_ADMIN;
  struct stat own, children;
  int old = OK(open("/proc/self/ns/time", O_RDONLY));
  OK(unshare(CLONE_NEWTIME));
  OK(stat("/proc/self/ns/time", &own));
  OK(stat("/proc/self/ns/time_for_children", &children));
  EXPECT(own.st_ino != children.st_ino);
  long before = seconds(CLOCK_MONOTONIC);
  OK(write_file("/proc/self/timens_offsets", "monotonic 1000 0\n"));
  int new = OK(open("/proc/self/ns/time_for_children", O_RDONLY));
  OK(setns(new, CLONE_NEWTIME));
  EXPECT(about(before + 1000, seconds(CLOCK_MONOTONIC)));
  OK(setns(old, 0));
  EXPECT(about(before, seconds(CLOCK_MONOTONIC)));
}

static pthread_barrier_t barrier;
static void *waits(void *argument) {
  pthread_barrier_wait(&barrier);
  return argument;
}

CHECK_ROOT(time_and_threads) {
  NEED_ADMIN;
  pthread_t thread;
  int own = OK(open("/proc/self/ns/time", O_RDONLY));
  pthread_barrier_init(&barrier, NULL, 2);
  OK(unshare(CLONE_NEWTIME));
  EXPECT_RETURNS(0, pthread_create(&thread, NULL, waits, NULL));
  EXPECT_ERRNO(EUSERS, setns(own, CLONE_NEWTIME));
  pthread_barrier_wait(&barrier);
  EXPECT_RETURNS(0, pthread_join(thread, NULL));
}

CHECK_USER(time_needs_a_capability) { EXPECT_ERRNO(EPERM, unshare(CLONE_NEWTIME)); }
