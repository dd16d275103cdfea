/* Executes mutated copies of an ELF file: elf FILE COUNT SEED. Each must be refused by execve or run to some end. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned state;
static unsigned next(void) {
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

static void mutate(unsigned char *bytes, size_t size) {
  static const unsigned long corners[] = {0, 1, 0x7f, 0xff, 0x1000, 0x7fffffff, 0x80000000, 0xffffffff, 0x7fffffffffffffff, ~0ul};
  int changes = 1 + next() % 4;
  for (int i = 0; i < changes; i++) {
    /* Mostly the ELF header and the program headers. */
    size_t at = next() % (next() % 8 == 0 ? size - 8 : 64 + 56 * 6);
    switch (next() % 3) {
      case 0: bytes[at] = next(); break;
      case 1: bytes[at] ^= 1 << (next() % 8); break;
      default: memcpy(bytes + (at & ~7ul), &corners[next() % 10], 8); break;
    }
  }
}

int main(int argc, char **argv) {
  static unsigned char original[1 << 20], copy[1 << 20];
  int fd = open(argv[1], O_RDONLY);
  ssize_t size = read(fd, original, sizeof original);
  close(fd);
  int count = atoi(argv[2]), refused = 0, exited = 0, killed = 0;
  state = atoi(argv[3]);
  for (int run = 0; run < count; run++) {
    size_t length = next() % 16 == 0 ? next() % size : (size_t)size;
    memcpy(copy, original, size);
    mutate(copy, size);
    unlink("mutated");
    fd = open("mutated", O_CREAT | O_WRONLY | O_TRUNC, 0755);
    if (write(fd, copy, length) != (ssize_t)length) return 2;
    close(fd);
    pid_t pid = fork();
    if (pid == 0) {
      struct rlimit cpu = {1, 1}, none = {0, 0};
      setrlimit(RLIMIT_CPU, &cpu);
      setrlimit(RLIMIT_CORE, &none);
      alarm(2);
      execl("./mutated", "mutated", (char *)0);
      _exit(200);
    }
    int status;
    if (waitpid(pid, &status, 0) != pid) return 3;
    if (WIFSIGNALED(status)) killed++;
    else if (WEXITSTATUS(status) == 200) refused++;
    else exited++;
  }
  printf("%d runs: %s\n", refused + exited + killed, refused > 0 && exited > 0 && killed > 0 ? "refused, ended, killed" : "one-sided");
  fprintf(stderr, "refused %d, ended %d, killed %d\n", refused, exited, killed);
  return 0;
}
