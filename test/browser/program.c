// gcc: -static -O2 -pthread
/* Some of everything that a C program asks of its kernel, and enough work to be translated; output is the same on each run. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long sum;
static volatile sig_atomic_t alarms;

static void *add(void *argument) {
  for (long i = 0; i < 1000; i++) {
    pthread_mutex_lock(&lock);
    sum += (long)argument;
    pthread_mutex_unlock(&lock);
  }
  return NULL;
}

static void count_alarm(int number) { alarms += number == SIGALRM; }

int main(int argc, char **argv) {
  uint32_t hash = 2166136261u;
  double series = 0;
  for (int i = 1; i <= 3000000; i++) {
    hash = (hash ^ (i & 255)) * 16777619u;
    series += 1.0 / i;
  }
  printf("arguments %d %s, hash %08x, series %.12f, root %.15Lg\n", argc, argv[argc - 1], hash, series, sqrtl(2.0L));

  pthread_t threads[4];
  for (long i = 0; i < 4; i++) pthread_create(&threads[i], NULL, add, (void *)(i + 1));
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  printf("threads %ld\n", sum);

  unsigned char random[64] = {0}, zero[64] = {0};
  printf("random %zd, zero %d\n", getrandom(random, sizeof random, 0), memcmp(random, zero, sizeof zero) == 0);

  struct timespec before, after, pause = {0, 20000000};
  clock_gettime(CLOCK_MONOTONIC, &before);
  nanosleep(&pause, NULL);
  clock_gettime(CLOCK_MONOTONIC, &after);
  double slept = (after.tv_sec - before.tv_sec) + (after.tv_nsec - before.tv_nsec) / 1e9;
  printf("slept at least 20 ms: %d, this century: %d\n", slept >= 0.02, time(NULL) > 1700000000);

  signal(SIGALRM, count_alarm);
  kill(getpid(), SIGALRM);
  printf("alarms %d\n", (int)alarms);

  char name[] = "/tmp/browser-XXXXXX";
  int file = mkstemp(name), ends[2], status = 0;
  if (file < 0 || pipe(ends) != 0) return 1;
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    dprintf(file, "from the child\n");
    if (write(ends[1], "pipe", 4) != 4) _exit(2);
    _exit(7);
  }
  waitpid(child, &status, 0);
  char text[64] = {0};
  ssize_t length = pread(file, text, sizeof text - 1, 0);
  char *mapped = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 0);
  printf("child %d, file %zd %s", WEXITSTATUS(status), length, mapped);
  printf("pipe %zd, ", read(ends[0], text, sizeof text));
  unlink(name);
  errno = 0;
  int again = open(name, O_RDONLY);
  printf("gone %d %s\n", again, strerror(errno));
  fputs("to standard error\n", stderr);
  return 42;
}
