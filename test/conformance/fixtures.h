/* What the tables of errno checks stand on: files, descriptors and names that each check finds in its directory. */
#ifndef FIXTURES_H
#define FIXTURES_H
#include "check.h"
#include <sys/socket.h>
#include <sys/un.h>

static int readable, writable, directory_fd, path_fd, pipe_read, pipe_write, socket_fd;
static char buffer[8192], long_name[300], long_path[5000];

static void __attribute__((unused)) make_fixtures(void) {
  int ends[2];
  put_file("file", "hello\n");
  OK(mkdir("dir", 0755));
  put_file("dir/child", "child\n");
  OK(symlink("file", "link"));
  OK(symlink("loop", "loop"));
  OK(symlink("nothing", "dangling"));
  OK(mkfifo("fifo", 0644));
  readable = OK(open("file", O_RDONLY));
  writable = OK(open("file", O_WRONLY));
  directory_fd = OK(open("dir", O_RDONLY | O_DIRECTORY));
  path_fd = OK(open("file", O_PATH));
  OK(pipe(ends));
  pipe_read = ends[0];
  pipe_write = ends[1];
  socket_fd = OK(socket(AF_UNIX, SOCK_STREAM, 0));
  memset(long_name, 'n', 256);
  for (int at = 0; at < 4998; at += 2) memcpy(long_path + at, "./", 2);
  signal(SIGPIPE, SIG_IGN);
}

/* A read-only page, a page without access, and the end of a readable page that is followed by nothing. */
static __attribute__((unused)) char *page_of(int protection) {
  void *page = mmap(NULL, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) FAIL("mmap: errno %d", errno);
  return page;
}

static __attribute__((unused)) char *page_end(void) {
  char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) FAIL("mmap: errno %d", errno);
  OK(munmap(pages + 4096, 4096));
  return pages + 4096;
}

#define S(name, ...) syscall(SYS_##name, ##__VA_ARGS__)
/* A row of the table: the call, as any user, answers the error. */
#define E(id, wanted, call)                                                                     \
  CHECK(id) {                                                                                   \
    make_fixtures();                                                                            \
    EXPECT_ERRNO(wanted, call);                                                                 \
  }
/* The same as an ordinary user. */
#define E_USER(id, wanted, call)                                                                \
  CHECK_USER(id) {                                                                              \
    make_fixtures();                                                                            \
    EXPECT_ERRNO(wanted, call);                                                                 \
  }
/* The same as an ordinary user whose parent is root's. */
#define E_ROOTS(id, wanted, call)                                                               \
  CHECK_ROOT(id) {                                                                              \
    become_ordinary_user();                                                                     \
    EXPECT_ERRNO(wanted, call);                                                                 \
  }
/* The same where kernels may be built without the call. */
#define E_REFUSED(id, call)                                                                     \
  CHECK_USER(id) {                                                                              \
    make_fixtures();                                                                            \
    EXPECT_EQ(-1, call);                                                                        \
    EXPECT(errno == EPERM || errno == ENOSYS);                                                  \
  }
/* The call answers the value (or: succeeds where an error might be thought of). */
#define V(id, value, call)                                                                      \
  CHECK(id) {                                                                                   \
    make_fixtures();                                                                            \
    EXPECT_EQ(value, call);                                                                     \
  }
#endif
