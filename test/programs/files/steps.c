/* For debuggers: a call to step into, a variable to watch, a fault, a child and a thread. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int total;

static int square(int x) {
  int result = x * x;
  return result;
}

static void *body(void *argument) {
  total += square(*(int *)argument);
  return NULL;
}

int main(int argc, char **argv) {
  for (int i = 1; i <= 3; i++) total += square(i);
  printf("%d %d\n", argc, total);
  if (argc > 1 && strcmp(argv[1], "fault") == 0) *(volatile int *)8 = total;
  if (argc > 1 && strcmp(argv[1], "fork") == 0) {
    int status;
    pid_t pid = fork();
    if (pid == 0) _exit(square(5));
    waitpid(pid, &status, 0);
    return WEXITSTATUS(status);
  }
  if (argc > 1 && strcmp(argv[1], "thread") == 0) {
    pthread_t thread;
    int value = 4;
    pthread_create(&thread, NULL, body, &value);
    pthread_join(thread, NULL);
    printf("%d\n", total);
  }
  return total & 7;
}
