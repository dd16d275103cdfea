/* System calls and processes, in nanoseconds each: getppid, a byte through a pipe, open and close, fork, fork and exec. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1e9 + t.tv_nsec; }
static void show(const char *name, double start, int count) { printf("%s %.1f\n", name, (now() - start) / count); fflush(stdout); }
int main(int argc, char **argv) {
  if (argc > 1) return 0;
  int calls = 300000, files = 20000, forks = 60, ends[2];
  char byte = 'x';
  double start;
  for (int warm = 0; warm < 50000; warm++) syscall(SYS_getppid);
  start = now();
  for (int i = 0; i < calls; i++) syscall(SYS_getppid);
  show("getppid", start, calls);
  if (pipe(ends) != 0) return 1;
  for (int i = 0; i < 5000; i++) { if (write(ends[1], &byte, 1) != 1 || read(ends[0], &byte, 1) != 1) return 1; }
  start = now();
  for (int i = 0; i < files * 4; i++) { if (write(ends[1], &byte, 1) != 1 || read(ends[0], &byte, 1) != 1) return 1; }
  show("pipe", start, files * 4);
  for (int i = 0; i < 2000; i++) close(open("/etc/passwd", O_RDONLY));
  start = now();
  for (int i = 0; i < files; i++) close(open("/etc/passwd", O_RDONLY));
  show("open-close", start, files);
  start = now();
  for (int i = 0; i < forks; i++) { pid_t child = fork(); if (child == 0) _exit(0); waitpid(child, 0, 0); }
  show("fork", start, forks);
  start = now();
  for (int i = 0; i < forks / 2; i++) { pid_t child = fork(); if (child == 0) { execl(argv[0], argv[0], "child", (char *)0); _exit(1); } waitpid(child, 0, 0); }
  show("fork-exec", start, forks / 2);
}
