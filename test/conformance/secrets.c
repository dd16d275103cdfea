/* Memory that only its mappings show: memfd_secret(2). */
#include "check.h"
#include <sys/uio.h>

static int make_secret(void) {
  int fd = syscall(SYS_memfd_secret, O_CLOEXEC);
  if (fd < 0 && errno == ENOSYS) SKIP("needs secretmem");
  return OK(fd);
}

static char *map_secret(int fd) {
  OK(ftruncate(fd, 8192));
  char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  EXPECT(pages != MAP_FAILED);
  strcpy(pages, "secret");
  return pages;
}

CHECK(secret_file) {
  char target[64] = "", name[64];
  struct stat status;
  int fd = make_secret();
  OK(fstat(fd, &status));
  EXPECT_EQ(S_IFREG | 0600, status.st_mode);
  EXPECT_EQ(0, status.st_size);
  EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
  snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
  OK(readlink(name, target, 63));
  EXPECT_STR("/secretmem (deleted)", target);
  EXPECT_ERRNO(ENXIO, open(name, O_RDWR));
}

CHECK(secret_file_is_not_read_or_written) {
  char bytes[4] = "";
  int fd = make_secret();
  EXPECT_ERRNO(EINVAL, write(fd, "abc", 3));
  EXPECT_ERRNO(EINVAL, read(fd, bytes, 3));
  EXPECT_ERRNO(ESPIPE, pread(fd, bytes, 3, 0));
  EXPECT_ERRNO(ESPIPE, lseek(fd, 0, SEEK_SET));
  EXPECT_ERRNO(EOPNOTSUPP, fallocate(fd, 0, 0, 4096));
  EXPECT_ERRNO(EINVAL, fsync(fd));
  EXPECT_ERRNO(EINVAL, fcntl(fd, F_GET_SEALS));
}

CHECK(secret_file_has_one_size) {
  int fd = make_secret();
  OK(ftruncate(fd, 8192));
  EXPECT_ERRNO(EINVAL, ftruncate(fd, 4096));
  EXPECT_ERRNO(EINVAL, ftruncate(fd, 16384));
}

CHECK(secret_mapping_is_shared) {
  int fd = make_secret(), status;
  char *pages = map_secret(fd);
  pid_t pid = FORK();
  if (pid == 0) {
    pages[0] = 'S';
    _exit(0);
  }
  OK(waitpid(pid, &status, 0));
  EXPECT_STR("Secret", pages);
  OK(munmap(pages, 8192));
  EXPECT_STR("Secret", mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0));
  EXPECT(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED && errno == EINVAL);
  EXPECT(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EPERM);
}

CHECK(secret_is_not_seen_from_outside) {
  char bytes[8];
  char *pages = map_secret(make_secret());
  EXPECT_ERRNO(EIO, pread(OK(open("/proc/self/mem", O_RDONLY)), bytes, 6, (long)pages));
  struct iovec here = {bytes, 6}, there = {pages, 6};
  EXPECT_ERRNO(EFAULT, process_vm_readv(getpid(), &here, 1, &there, 1, 0));
  int ends[2];
  OK(pipe(ends));
  EXPECT_EQ(6, write(ends[1], pages, 6));
}

CHECK_USER(secret_counts_as_locked) {
  int fd = make_secret();
  OK(ftruncate(fd, 1 << 30));
  EXPECT(mmap(NULL, 1 << 30, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EAGAIN);
}
