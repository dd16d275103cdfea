/* What rules look for, and the like of it: a deed for each word. Linked statically, so that it runs in any root. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef AF_PACKET
#define AF_PACKET 17
#endif

static int listening(int port) {
  int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, 1) != 0) perror("listen");
  return fd;
}

/* A connection to ourselves, at an address that is none of the loopback's. */
static int connected(const char *address, int port) {
  int server = listening(port), fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
  inet_pton(AF_INET, address, &to.sin_addr);
  if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0) perror("connect");
  close(server);
  return fd;
}

static int run_at_terminal(int uid, char **command) {
  int master = posix_openpt(O_RDWR | O_NOCTTY), status = 0;
  grantpt(master);
  unlockpt(master);
  pid_t child = fork();
  if (child == 0) {
    setsid();
    int slave = open(ptsname(master), O_RDWR);
    ioctl(slave, TIOCSCTTY, 0);
    if (setuid(uid) != 0) perror("setuid");
    execv(command[0], command);
    _exit(127);
  }
  waitpid(child, &status, 0);
  return WEXITSTATUS(status);
}

static int from_memory(const char *program, char **args) {
  char buffer[65536];
  ssize_t got;
  int from = open(program, O_RDONLY), fd = memfd_create("deed", MFD_CLOEXEC);
  while ((got = read(from, buffer, sizeof buffer)) > 0)
    if (write(fd, buffer, got) != got) return 1;
  fexecve(fd, args, environ);
  perror("fexecve");
  return 1;
}

static int attach(void) {
  pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  if (ptrace(PTRACE_ATTACH, child, 0, 0) != 0) perror("attach");
  kill(child, SIGKILL);
  waitpid(child, 0, 0);
  return 0;
}

/* Opens a path that another process changes all the time: how often it was made, and how often refused. */
static int flip(const char *directory) {
  int made = 0, refused = 0;
  volatile char *path = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int length = snprintf((char *)path, 4096, "%s/", directory);
  memcpy((char *)path + length, "good", 5);
  pid_t child = fork();
  for (unsigned i = 0; child == 0; i++) memcpy((char *)path + length, i & 1 ? "evil" : "good", 4);
  for (int i = 0; i < 20000 || ((made == 0 || refused == 0) && i < 2000000); i++) {
    int fd = open((char *)path, O_RDWR | O_CREAT, 0644);
    if (fd >= 0) made++;
    else if (errno == EACCES) refused++;
    close(fd);
    if (i % 50 == 0) sched_yield();
  }
  kill(child, SIGKILL);
  waitpid(child, 0, 0);
  printf("%s\n", made > 0 && refused > 0 ? "both" : "one only");
  return 0;
}

/* Connections to ports where nobody is. */
static int knock(int count) {
  for (int port = 1; port <= count; port++) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0) return 1;
    close(fd);
  }
  return 0;
}

/* A datagram to an address, by the call of that name; of two in one call, the second goes there. */
static int tell(const char *call, const char *address, const char *first) {
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  struct sockaddr_in to[2] = {{.sin_family = AF_INET, .sin_port = htons(5300)}, {.sin_family = AF_INET, .sin_port = htons(5300)}};
  struct iovec text = {"x", 1};
  struct mmsghdr both[2] = {{{.msg_name = &to[0], .msg_namelen = sizeof to[0], .msg_iov = &text, .msg_iovlen = 1}, 0}, {{.msg_name = &to[1], .msg_namelen = sizeof to[1], .msg_iov = &text, .msg_iovlen = 1}, 0}};
  long result;
  inet_pton(AF_INET, first ? first : address, &to[0].sin_addr);
  inet_pton(AF_INET, address, &to[1].sin_addr);
  if (!strcmp(call, "sendto")) result = sendto(fd, "x", 1, 0, (struct sockaddr *)&to[1], sizeof to[1]);
  else if (!strcmp(call, "sendmsg")) result = sendmsg(fd, &both[1].msg_hdr, 0);
  else result = sendmmsg(fd, both, 2, 0);
  printf("%d\n", result < 0 ? errno : 0);
  return 0;
}

int main(int argc, char **argv) {
  const char *deed = argc > 1 ? argv[1] : "";
  const char *word = argc > 2 ? argv[2] : "";
  if (!strcmp(deed, "nothing")) return 0;
  if (!strcmp(deed, "packet")) return socket(atoi(word), SOCK_RAW, 0) < -1;
  if (!strcmp(deed, "connect")) return connected(word, atoi(argv[3])) < 0;
  if (!strcmp(deed, "redirect")) return dup2(connected(word, 4444), atoi(argv[3])) < 0;
  if (!strcmp(deed, "knock")) return knock(atoi(word));
  if (!strcmp(deed, "tell")) return tell(word, argv[3], argv[4]);
  if (!strcmp(deed, "module")) return syscall(SYS_init_module, 0, 0, "") != -1;
  if (!strcmp(deed, "bpf")) return syscall(SYS_bpf, 0, 0, 0) != -1;
  if (!strcmp(deed, "faults")) return setuid(1000) != 0 || syscall(SYS_userfaultfd, 0) != -1;
  if (!strcmp(deed, "attach")) return attach();
  if (!strcmp(deed, "traceme")) return ptrace(PTRACE_TRACEME, 0, 0, 0) != 0;
  if (!strcmp(deed, "look")) return ptrace(PTRACE_PEEKTEXT, getppid(), 0, 0) == 0;
  if (!strcmp(deed, "setns")) return setns(open("/proc/self/ns/uts", O_RDONLY), CLONE_NEWUTS) < -1;
  if (!strcmp(deed, "terminal")) return run_at_terminal(atoi(word), argv + 3);
  if (!strcmp(deed, "memory")) return from_memory(word, argv + 2);
  if (!strcmp(deed, "flip")) return flip(word);
  if (!strcmp(deed, "many"))
    for (int left = atoi(word); left > 0; left--) close(open("/etc/hostname", O_RDONLY));
  if (!strcmp(deed, "made")) {
    int why = open(word, O_RDWR | O_CREAT, 0644) < 0 ? errno : 0;
    printf("%d %d\n", why, access(word, F_OK));
  }
  return 0;
}
