/* Random values for system calls: descriptors, memory, paths and numbers that a call may take for what it wants, or not. */
#ifndef FUZZ_OBJECTS_H
#define FUZZ_OBJECTS_H
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

enum { REPORT_FD = 900, ARENA_PAGES = 64, BUFFERS = 16, BUFFER_BYTES = 4096, FIRST_FD = 3, LAST_FD = 48 };

struct call {
  long number;
  int is_there;
  const char *name, *kinds;
};

static char *arena, *buffers, *read_only, *no_access, *before_hole;
static int read_only_is_sure;

/* ---- calls without a library, which random calls could break ---- */

static inline long raw(long number, long a, long b, long c, long d, long e, long f) {
  register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
  long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
  return result;
}

static int makes_process(long number) { return number == SYS_fork || number == SYS_vfork || number == SYS_clone || number == SYS_clone3; }

/* A child, on whatever stack, ends at once. */
static inline long raw_process(long number, long a, long b, long c, long d, long e) {
  register long r10 __asm__("r10") = d, r8 __asm__("r8") = e;
  long result;
  __asm__ volatile(
      "syscall\n\ttest %%rax, %%rax\n\tjnz 1f\n\tmov $60, %%eax\n\txor %%edi, %%edi\n\tsyscall\n\thlt\n1:"
      : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8) : "rcx", "r11", "memory", "cc");
  return result;
}

/* ---- the generator (Marsaglia, "Xorshift RNGs") ---- */

static unsigned long random_state = 1;

static unsigned long next(void) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return random_state;
}

static unsigned long below(unsigned long limit) { return (next() >> 11) % limit; }
static int one_in(unsigned long n) { return below(n) == 0; }

static void start_random(unsigned seed, unsigned batch) {
  random_state = 0x9e3779b97f4a7c15ul * (seed + 1) ^ 0xbf58476d1ce4e5b9ul * (batch + 1);
  for (int i = 0; i < 8; i++) next();
}

/* ---- numbers ---- */

static unsigned long number(void) {
  switch (below(8)) {
    case 0: return below(32);
    case 1: return 1ul << below(64);
    case 2: return (1ul << below(64)) - 1;
    case 3: return -(1 + below(256));
    case 4: return 1ul << below(32) | 1ul << below(32) | below(8);
    case 5: return next() >> below(64);
    case 6: {
      static const unsigned long corners[] = {0x7fffffff, 0x80000000, 0xffffffff, 0x7fffffffffffffff, 0x8000000000000000, 4096, 4095, 4097, 65536, 1 << 20};
      return corners[below(10)];
    }
    default: return below(8);
  }
}

static unsigned long size(void) {
  static const unsigned long sizes[] = {0, 1, 2, 4, 7, 8, 12, 16, 20, 24, 28, 32, 48, 56, 64, 80, 88, 96, 100, 104, 112, 128, 256, 512, 1024, 4095, 4096, 4097, 8192, 65536};
  return one_in(6) ? number() : sizes[below(30)];
}

/* ---- pointers ---- */

static char *buffer(void) { return buffers + below(BUFFERS) * BUFFER_BYTES; }

static unsigned long pointer(void) {
  switch (below(20)) {
    case 0: return 0;
    case 1: return 8;
    case 2: return 0xffff800000001000ul;
    case 3: return (unsigned long)before_hole - below(64);
    case 4: return (unsigned long)read_only + below(64) * 8;
    case 5: return (unsigned long)no_access;
    case 6: return (unsigned long)buffer() + 1 + below(64);
    case 7: {
      static const unsigned long ends[] = {0xfffff000, 0xffffffff, 0x100000000, -4096ul, -1ul, 0x7ffffffff000, 0x8000000000000000, 0x7fffffff};
      return ends[below(8)];
    }
    case 8: return (unsigned long)arena + below(ARENA_PAGES * 4096ul);
    default: return (unsigned long)buffer();
  }
}

/* Fills the beginning of a buffer with what structures hold: small numbers, sizes, pointers. */
static void shape_pointer(void) {
  if (below(2)) return;
  unsigned long *words = (unsigned long *)buffer();
  int count = 1 + below(16);
  int style = below(5);
  for (int i = 0; i < count; i++) {
    if (style == 0) words[i] = i % 2 ? size() : pointer();
    else if (style == 1) words[i] = below(4) ? below(16) : number();
    else if (style == 2) words[i] = number() << 32 | (unsigned)number();
    else if (style == 3) words[i] = one_in(3) ? pointer() : one_in(2) ? size() : number();
    else words[i] = 0;
  }
}

/* ---- paths ---- */

static const char *const paths[] = {
  "", ".", "..", "/", "a", "b", "c", "d", "d/a", "d/b", "d/../a", "link", "loop", "dangling", "fifo", "socket", "new", "d/new", "a/", "a/b", "./././a", "/proc/self/stat",
  "/proc/self/maps", "/proc/self/fd/3", "/proc/self/exe", "/proc/self/ns/mnt", "/proc/self/status", "/proc/self/task", "/proc/self/comm", "/proc/self/oom_score_adj", "/proc/meminfo",
  "/proc/self/fd", "/proc/sys/kernel/hostname", "/proc/self/mountinfo", "/proc/self/environ", "/sys/devices/system/cpu/online", "/dev/null", "/dev/zero", "/dev/full",
  "/dev/random", "/dev/tty", "/dev/ptmx", "/dev/pts", "/dev/shm/q", "tmpfs", "proc", "user.name", "trusted.name", "security.capability", "system.posix_acl_access", "/queue", "ramfs",
};
static char long_path[5000], long_name[300];

static unsigned long path(void) {
  switch (below(16)) {
    case 0: return pointer();
    case 1: return (unsigned long)long_path;
    case 2: return (unsigned long)long_name;
    case 3: return (unsigned long)before_hole - 3;
    default: return (unsigned long)paths[below(sizeof paths / sizeof *paths)];
  }
}

/* ---- descriptors ---- */

static unsigned long descriptor(void) {
  switch (below(12)) {
    case 0: return -1;
    case 1: return AT_FDCWD;
    case 2: return number();
    case 3: return LAST_FD + below(16);
    default: return FIRST_FD + below(LAST_FD - FIRST_FD);
  }
}

/* Half of all calls get arguments that are likely to be taken. */
static int friendly;

static unsigned long friendly_argument(char kind) {
  switch (kind) {
    case 'f': return FIRST_FD + below(LAST_FD - FIRST_FD);
    case 'p': return (unsigned long)(below(4) ? buffer() : NULL);
    case 's': return (unsigned long)paths[below(sizeof paths / sizeof *paths)];
    case 'n': return below(4) ? 8 * below(16) : 4096;
    case 'g': return below(66);
    default: return below(3) == 0 ? 1ul << below(12) : below(2) ? 0 : below(10);
  }
}

static unsigned long argument(char kind) {
  if (friendly) return friendly_argument(kind);
  switch (kind) {
    case 'f': return descriptor();
    case 'p': return pointer();
    case 's': return path();
    case 'n': return size();
    case 'g': return one_in(8) ? number() : below(66);
    default: return one_in(8) ? pointer() : one_in(8) ? descriptor() : number();
  }
}

/* ---- what there is ---- */

static void renew_memory(void) {
  raw(SYS_mmap, (long)arena, ARENA_PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

static int read_only_changed(void) {
  for (int i = 0; i < 128; i++) if (((unsigned long *)read_only)[i] != 0x5a5a5a5a5a5a5a5aul) return 1;
  return 0;
}

static void make_memory(void) {
  /* With room behind it for calls that reach further. */
  arena = mmap(NULL, (ARENA_PAGES + 16) * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  buffers = mmap(NULL, BUFFERS * BUFFER_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char *pages = mmap(NULL, 5 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  read_only = pages;
  memset(read_only, 0x5a, 4096);
  mprotect(read_only, 4096, PROT_READ);
  no_access = pages + 4096;
  mprotect(no_access, 4096, PROT_NONE);
  before_hole = pages + 3 * 4096;
  munmap(before_hole, 4096);
  memset(before_hole - 3, 'x', 3);
  read_only_is_sure = 1;
  memset(long_name, 'n', 256);
  memset(long_path, '/', 4998);
}

static int on_loopback(int type, int listens) {
  int fd = socket(AF_INET, type, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listens) listen(fd, 4);
  return fd;
}

static void make_descriptors(void) {
  int ends[2], fd;
  close(0), close(1), close(2);
  open("/dev/null", O_RDWR), dup(0), dup(0);
  open("a", O_RDWR | O_CREAT, 0644), open("b", O_RDONLY | O_CREAT, 0644), open("c", O_WRONLY | O_CREAT | O_APPEND, 0644);
  open(".", O_RDONLY | O_DIRECTORY), open("d", O_RDONLY | O_DIRECTORY), open("a", O_PATH);
  if (pipe(ends) == 0) fd = write(ends[1], "some bytes", 10);
  if (pipe2(ends, O_NONBLOCK) == 0) dup(ends[0]);
  socketpair(AF_UNIX, SOCK_STREAM, 0, ends), socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends), socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends);
  on_loopback(SOCK_STREAM, 1), on_loopback(SOCK_STREAM | SOCK_NONBLOCK, 0), on_loopback(SOCK_DGRAM, 0);
  socket(AF_NETLINK, SOCK_RAW, 0), socket(AF_INET6, SOCK_STREAM, 0), socket(AF_UNIX, SOCK_STREAM, 0);
  fd = epoll_create1(0);
  epoll_ctl(fd, EPOLL_CTL_ADD, ends[0], &(struct epoll_event){.events = EPOLLIN});
  eventfd(3, 0), eventfd(0, EFD_SEMAPHORE | EFD_NONBLOCK), timerfd_create(CLOCK_MONOTONIC, 0);
  sigset_t set;
  sigemptyset(&set), sigaddset(&set, SIGUSR2);
  signalfd(-1, &set, SFD_NONBLOCK);
  inotify_add_watch(inotify_init1(IN_NONBLOCK), ".", IN_ALL_EVENTS);
  fd = memfd_create("memory", MFD_ALLOW_SEALING);
  if (ftruncate(fd, 8192) == 0) mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  fd = posix_openpt(O_RDWR | O_NOCTTY);
  grantpt(fd), unlockpt(fd);
  char name[64];
  if (ptsname_r(fd, name, sizeof name) == 0) open(name, O_RDWR | O_NOCTTY);
  syscall(SYS_pidfd_open, getpid(), 0), open("/proc/self/stat", O_RDONLY), open("fifo", O_RDWR | O_NONBLOCK), open("/proc/self/ns/uts", O_RDONLY);
  syscall(SYS_mq_open, "queue", O_RDWR | O_CREAT | O_NONBLOCK, 0600, NULL);
}

static void on_tick(int signal) { (void)signal; }

extern void restore(void);
__asm__(".text\nrestore:\n\tmov $15, %eax\n\tsyscall");

/* An alarm every millisecond interrupts what waits. */
static void keep_ticking(void) {
  struct { void (*handler)(int); unsigned long flags; void (*restorer)(void); unsigned long mask; } action = {on_tick, 0x04000000, restore, 0};
  unsigned long none = 0;
  struct itimerval tick = {{0, 1000}, {0, 1000}};
  raw(SYS_rt_sigaction, SIGALRM, (long)&action, 0, 8, 0, 0);
  raw(SYS_rt_sigprocmask, SIG_SETMASK, (long)&none, 0, 8, 0, 0);
  raw(SYS_setitimer, ITIMER_REAL, (long)&tick, 0, 0, 0, 0);
}

static void make_objects(unsigned batch) {
  char directory[64];
  snprintf(directory, sizeof directory, "/tmp/fuzz-%u", batch % 64);
  if (chdir("/tmp") != 0 || (mkdir(directory, 0777) != 0 && errno != EEXIST) || chdir(directory) != 0) chdir("/");
  chmod(".", 0777);
  mkdir("d", 0777), chmod("d", 0777), symlink("a", "link"), symlink("loop", "loop"), symlink("nothing", "dangling"), mkfifo("fifo", 0666);
  make_memory();
  make_descriptors();
  for (int signal = 1; signal < 32; signal++)
    if (signal != SIGSEGV && signal != SIGBUS && signal != SIGILL && signal != SIGFPE && signal != SIGTRAP)
      sigaction(signal, &(struct sigaction){.sa_handler = signal == SIGCHLD || signal == SIGPIPE ? SIG_IGN : on_tick}, NULL);
}
#endif
