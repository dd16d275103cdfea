/* Time: clock_gettime(2), nanosleep(2), timer_create(2), times(2), getrusage(2): time(7). Also random numbers and the system's own figures. */
#include "check.h"
#include <pthread.h>
#include <sched.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>

static volatile int count;
static siginfo_t seen;
static void keep_info(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)context;
  seen = *info;
  count++;
}

static void handle(int signal) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = keep_info;
  action.sa_flags = SA_SIGINFO;
  OK(sigaction(signal, &action, NULL));
}

static long long ns_of(clockid_t clock) {
  struct timespec now;
  OK(clock_gettime(clock, &now));
  EXPECT(now.tv_nsec >= 0 && now.tv_nsec < 1000000000);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void burn(int ms) {
  long long started = ns_of(CLOCK_PROCESS_CPUTIME_ID);
  while (ns_of(CLOCK_PROCESS_CPUTIME_ID) - started < ms * 1000000LL) continue;
}

CHECK(monotonic_never_goes_back) {
  long long last = ns_of(CLOCK_MONOTONIC);
  for (int at = 0; at < 2000; at++) {
    long long now = ns_of(CLOCK_MONOTONIC);
    EXPECT(now >= last);
    last = now;
  }
}

CHECK(clocks_agree) {
  struct timeval day;
  OK(gettimeofday(&day, NULL));
  EXPECT(llabs(ns_of(CLOCK_REALTIME) / 1000000000 - day.tv_sec) <= 1);
  EXPECT(labs(time(NULL) - day.tv_sec) <= 1);
  EXPECT(llabs(ns_of(CLOCK_MONOTONIC_RAW) - ns_of(CLOCK_MONOTONIC)) < 3600000000000LL);
  EXPECT(ns_of(CLOCK_BOOTTIME) > 0);
  EXPECT(llabs(ns_of(CLOCK_REALTIME_COARSE) - ns_of(CLOCK_REALTIME)) < 100000000);
  EXPECT(llabs(ns_of(CLOCK_MONOTONIC_COARSE) - ns_of(CLOCK_MONOTONIC)) < 100000000);
  EXPECT(day.tv_sec > 1600000000);
}

CHECK(resolutions) {
  struct timespec resolution;
  OK(clock_getres(CLOCK_MONOTONIC, &resolution));
  EXPECT_EQ(0, resolution.tv_sec);
  EXPECT_EQ(1, resolution.tv_nsec);
}

CHECK(sleep_lasts) {
  long long started = now_ms();
  sleep_ms(60);
  EXPECT(now_ms() - started >= 59 && now_ms() - started < 5000);
}

CHECK(absolute_sleep) {
  struct timespec until;
  OK(clock_gettime(CLOCK_MONOTONIC, &until));
  long long started = now_ms();
  until.tv_nsec += 50000000;
  if (until.tv_nsec >= 1000000000) until.tv_nsec -= 1000000000, until.tv_sec++;
  EXPECT_RETURNS(0, clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL));
  EXPECT(now_ms() - started >= 48);
  until.tv_sec = 1;
  EXPECT_RETURNS(0, clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL));
}

CHECK(processor_clock_stands_while_asleep) {
  long long started = ns_of(CLOCK_PROCESS_CPUTIME_ID);
  sleep_ms(100);
  EXPECT(ns_of(CLOCK_PROCESS_CPUTIME_ID) - started < 80000000);
  burn(30);
  EXPECT(ns_of(CLOCK_PROCESS_CPUTIME_ID) - started >= 30000000);
}

static void *burn_elsewhere(void *argument) {
  burn(120);
  return argument;
}

CHECK(thread_clock_is_own) {
  pthread_t thread;
  long long own = ns_of(CLOCK_THREAD_CPUTIME_ID);
  EXPECT_RETURNS(0, pthread_create(&thread, NULL, burn_elsewhere, NULL));
  EXPECT_RETURNS(0, pthread_join(thread, NULL));
  EXPECT(ns_of(CLOCK_THREAD_CPUTIME_ID) - own < 100000000);
}

CHECK(usage_and_times) {
  struct rusage usage;
  struct tms tms;
  burn(60);
  OK(getrusage(RUSAGE_SELF, &usage));
  EXPECT(usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec + usage.ru_stime.tv_sec * 1000000 + usage.ru_stime.tv_usec >= 20000);
  EXPECT(usage.ru_maxrss > 0);
  EXPECT(times(&tms) != -1);
  EXPECT(tms.tms_utime + tms.tms_stime >= 1);
  EXPECT_EQ(100, sysconf(_SC_CLK_TCK));
  EXPECT(clock() > 0);
}

CHECK(timer_signals_once) {
  timer_t timer;
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN, .sigev_value = {.sival_int = 77}};
  struct itimerspec when = {{0, 0}, {0, 20000000}}, left;
  handle(SIGRTMIN);
  OK(timer_create(CLOCK_MONOTONIC, &event, &timer));
  OK(timer_settime(timer, 0, &when, NULL));
  OK(timer_gettime(timer, &left));
  EXPECT(left.it_value.tv_nsec > 0);
  for (int at = 0; at < 1000 && !count; at++) sleep_ms(2);
  EXPECT_EQ(1, count);
  EXPECT_EQ(SI_TIMER, seen.si_code);
  EXPECT_EQ(77, seen.si_value.sival_int);
  OK(timer_delete(timer));
  EXPECT_ERRNO(EINVAL, timer_gettime(timer, &left));
}

CHECK(timer_repeats_and_overruns) {
  timer_t timer;
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
  struct itimerspec when = {{0, 5000000}, {0, 5000000}};
  sigset_t set;
  siginfo_t info;
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN);
  OK(sigprocmask(SIG_BLOCK, &set, NULL));
  OK(timer_create(CLOCK_MONOTONIC, &event, &timer));
  OK(timer_settime(timer, 0, &when, NULL));
  sleep_ms(60);
  EXPECT_EQ(SIGRTMIN, sigwaitinfo(&set, &info));
  EXPECT(info.si_overrun >= 8);
  EXPECT(timer_getoverrun(timer) >= 8);
}

CHECK(timer_without_signal) {
  timer_t timer;
  struct sigevent event = {.sigev_notify = SIGEV_NONE};
  struct itimerspec when = {{0, 0}, {100, 0}}, old;
  OK(timer_create(CLOCK_REALTIME, &event, &timer));
  OK(timer_settime(timer, 0, &when, NULL));
  when.it_value.tv_sec = 0;
  OK(timer_settime(timer, 0, &when, &old));
  EXPECT(old.it_value.tv_sec >= 98);
}

static void *_Atomic notified;
static void notify(union sigval value) { notified = value.sival_ptr; }

CHECK(timer_notifies_by_thread) {
  timer_t timer;
  struct sigevent event = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = notify, .sigev_value = {.sival_ptr = (void *)&count}};
  struct itimerspec when = {{0, 0}, {0, 10000000}};
  OK(timer_create(CLOCK_MONOTONIC, &event, &timer));
  OK(timer_settime(timer, 0, &when, NULL));
  for (int at = 0; at < 1000 && !notified; at++) sleep_ms(2);
  EXPECT(notified == (void *)&count);
}

CHECK(processor_timer) {
  timer_t timer;
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
  struct itimerspec when = {{0, 0}, {0, 20000000}};
  handle(SIGUSR1);
  OK(timer_create(CLOCK_PROCESS_CPUTIME_ID, &event, &timer));
  OK(timer_settime(timer, 0, &when, NULL));
  while (!count) continue;
  EXPECT(ns_of(CLOCK_PROCESS_CPUTIME_ID) >= 20000000);
}

CHECK(timers_are_not_inherited) {
  struct itimerval real = {{0, 0}, {100, 0}}, got;
  OK(setitimer(ITIMER_REAL, &real, NULL));
  IN_CHILD {
    OK(getitimer(ITIMER_REAL, &got));
    EXPECT_EQ(0, got.it_value.tv_sec);
  }
}

CHECK(clock_of_other_process) {
  clockid_t clock;
  pid_t pid = FORK();
  if (pid == 0) for (;;) pause();
  EXPECT_RETURNS(0, clock_getcpuclockid(pid, &clock));
  EXPECT(ns_of(clock) >= 0);
  OK(kill(pid, SIGKILL));
}

CHECK(random_bytes_differ) {
  unsigned char a[64], b[64];
  EXPECT_EQ(64, getrandom(a, 64, 0));
  EXPECT_EQ(64, getrandom(b, 64, GRND_NONBLOCK));
  EXPECT(memcmp(a, b, 64) != 0);
  EXPECT_EQ(0, getentropy(a, 64));
}

CHECK(system_figures) {
  struct sysinfo info;
  OK(sysinfo(&info));
  EXPECT(info.uptime >= 0 && info.totalram > 0 && info.freeram <= info.totalram && info.procs > 0);
  EXPECT(sysconf(_SC_NPROCESSORS_ONLN) >= 1);
  EXPECT_EQ(4096, sysconf(_SC_PAGESIZE));
  EXPECT(sysconf(_SC_ARG_MAX) >= 131072);
}

CHECK(time_slices_are_shared) {
  volatile int *counters = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pid_t pids[2];
  for (int at = 0; at < 2; at++)
    if ((pids[at] = FORK()) == 0) for (;;) counters[at * 64]++;
  sleep_ms(300);
  for (int at = 0; at < 2; at++) OK(kill(pids[at], SIGKILL));
  EXPECT(counters[0] > 0 && counters[64] > 0);
}
