/* Files, descriptors and their data: open(2), read(2), lseek(2), fallocate(2), fcntl(2), sendfile(2), memfd_create(2). */
#include "check.h"
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <linux/falloc.h>

static char data[65536];

CHECK(open_lowest_descriptor) {
  int a = OK(open("a", O_CREAT | O_RDWR, 0644)), b = OK(open("b", O_CREAT | O_RDWR, 0644));
  EXPECT_EQ(a + 1, b);
  OK(close(a));
  EXPECT_EQ(a, open("c", O_CREAT | O_RDWR, 0644));
}

CHECK(open_truncates) {
  put_file("f", "some text");
  int fd = OK(open("f", O_RDWR | O_TRUNC));
  EXPECT_EQ(0, lseek(fd, 0, SEEK_END));
}

CHECK(open_applies_umask) {
  struct stat status;
  umask(027);
  int fd = OK(open("f", O_CREAT | O_RDWR, 0777));
  OK(fstat(fd, &status));
  EXPECT_EQ(S_IFREG | 0750, status.st_mode);
}

CHECK(create_read_only_keeps_writable_descriptor) {
  int fd = OK(open("f", O_CREAT | O_RDWR, 0));
  EXPECT_EQ(3, write(fd, "abc", 3));
}

CHECK(append_writes_at_end) {
  put_file("f", "0123");
  int fd = OK(open("f", O_RDWR | O_APPEND));
  OK(lseek(fd, 0, SEEK_SET));
  EXPECT_EQ(2, write(fd, "45", 2));
  EXPECT_STR("012345", get_file("f"));
  EXPECT_EQ(6, lseek(fd, 0, SEEK_CUR));
}

CHECK(append_ignores_pwrite_offset) {
  put_file("f", "0123");
  int fd = OK(open("f", O_RDWR | O_APPEND));
  EXPECT_EQ(1, pwrite(fd, "x", 1, 0));
  EXPECT_STR("0123x", get_file("f"));
}

CHECK(pread_keeps_position) {
  put_file("f", "0123456789");
  int fd = OK(open("f", O_RDWR));
  OK(lseek(fd, 3, SEEK_SET));
  EXPECT_EQ(2, pread(fd, data, 2, 7));
  EXPECT(memcmp(data, "78", 2) == 0);
  EXPECT_EQ(3, lseek(fd, 0, SEEK_CUR));
  EXPECT_EQ(2, pwrite(fd, "ab", 2, 1));
  EXPECT_EQ(3, lseek(fd, 0, SEEK_CUR));
  EXPECT_STR("0ab3456789", get_file("f"));
}

CHECK(dup_shares_position) {
  put_file("f", "0123456789");
  int fd = OK(open("f", O_RDONLY)), copy = OK(dup(fd)), other = OK(open("f", O_RDONLY));
  EXPECT_EQ(4, read(fd, data, 4));
  EXPECT_EQ(4, lseek(copy, 0, SEEK_CUR));
  EXPECT_EQ(0, lseek(other, 0, SEEK_CUR));
}

CHECK(fork_shares_position) {
  put_file("f", "0123456789");
  int fd = OK(open("f", O_RDONLY));
  IN_CHILD { EXPECT_EQ(5, read(fd, data, 5)); }
  EXPECT_EQ(5, lseek(fd, 0, SEEK_CUR));
}

CHECK(dup2_clears_close_on_exec) {
  int fd = OK(open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
  EXPECT_EQ(50, dup2(fd, 50));
  EXPECT_EQ(0, fcntl(50, F_GETFD));
  EXPECT_EQ(51, dup3(fd, 51, O_CLOEXEC));
  EXPECT_EQ(FD_CLOEXEC, fcntl(51, F_GETFD));
}

CHECK(fcntl_dupfd_from) {
  int fd = OK(open("/dev/null", O_RDONLY));
  EXPECT_EQ(70, fcntl(fd, F_DUPFD, 70));
  EXPECT_EQ(71, fcntl(fd, F_DUPFD_CLOEXEC, 70));
  EXPECT_EQ(0, fcntl(70, F_GETFD));
  EXPECT_EQ(FD_CLOEXEC, fcntl(71, F_GETFD));
}

CHECK(fcntl_getfl_access_mode) {
  EXPECT_EQ(O_WRONLY | O_APPEND | 0100000, fcntl(OK(open("f", O_CREAT | O_WRONLY | O_APPEND | O_TRUNC, 0644)), F_GETFL));
  int fd = OK(open("f", O_RDWR));
  OK(fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK | O_RDONLY));
  EXPECT_EQ(O_RDWR | O_APPEND | O_NONBLOCK | 0100000, fcntl(fd, F_GETFL));
}

CHECK(fcntl_getfl_path) {
  EXPECT_EQ(O_PATH, fcntl(OK(open("/", O_PATH)), F_GETFL) & O_PATH);
}

CHECK(lseek_hole_and_data) {
  int fd = OK(open("f", O_CREAT | O_RDWR, 0644));
  OK(pwrite(fd, "x", 1, 65536));
  EXPECT_EQ(0, lseek(fd, 0, SEEK_HOLE));
  EXPECT_EQ(65536, lseek(fd, 0, SEEK_DATA));
  EXPECT_EQ(65537, lseek(fd, 65536, SEEK_HOLE));
}

CHECK(sparse_reads_zero) {
  int fd = OK(open("f", O_CREAT | O_RDWR, 0644));
  OK(pwrite(fd, "x", 1, 100000));
  memset(data, 1, sizeof data);
  EXPECT_EQ(4096, pread(fd, data, 4096, 50000));
  for (int at = 0; at < 4096; at++) EXPECT_EQ(0, data[at]);
}

CHECK(large_offset_file) {
  struct stat status;
  int fd = OK(open("f", O_CREAT | O_RDWR, 0644));
  OK(pwrite(fd, "end", 3, 5L << 32));
  OK(fstat(fd, &status));
  EXPECT_EQ((5L << 32) + 3, status.st_size);
  EXPECT_EQ(3, pread(fd, data, 100, 5L << 32));
  EXPECT_EQ(0, pread(fd, data, 100, 6L << 32));
}

CHECK(truncate_extends_with_zeros) {
  put_file("f", "abcdef");
  OK(truncate("f", 3));
  OK(truncate("f", 6));
  int fd = OK(open("f", O_RDONLY));
  EXPECT_EQ(6, read(fd, data, 10));
  EXPECT(memcmp(data, "abc\0\0\0", 6) == 0);
}

CHECK(read_at_end_is_zero) {
  put_file("f", "abc");
  int fd = OK(open("f", O_RDONLY));
  OK(lseek(fd, 100, SEEK_SET));
  EXPECT_EQ(0, read(fd, data, 10));
}

CHECK(readv_scatters) {
  put_file("f", "0123456789");
  char a[3], b[4], c[10];
  struct iovec vector[] = {{a, 3}, {NULL, 0}, {b, 4}, {c, 10}};
  int fd = OK(open("f", O_RDONLY));
  EXPECT_EQ(10, readv(fd, vector, 4));
  EXPECT(memcmp(a, "012", 3) == 0 && memcmp(b, "3456", 4) == 0 && memcmp(c, "789", 3) == 0);
}

CHECK(pwritev_gathers) {
  struct iovec vector[] = {{"ab", 2}, {"cde", 3}};
  int fd = OK(open("f", O_CREAT | O_RDWR, 0644));
  EXPECT_EQ(5, pwritev(fd, vector, 2, 1));
  EXPECT_EQ(6, pread(fd, data, 10, 0));
  EXPECT(memcmp(data, "\0abcde", 6) == 0);
  EXPECT_EQ(5, pwritev2(fd, vector, 2, -1, 0));
  EXPECT_EQ(5, lseek(fd, 0, SEEK_CUR));
}

CHECK(file_size_limit) {
  struct rlimit { unsigned long soft, hard; } limit = {10, 10};
  int fd = OK(open("f", O_CREAT | O_RDWR, 0644));
  signal(SIGXFSZ, SIG_IGN);
  OK(syscall(SYS_setrlimit, 1, &limit));
  EXPECT_EQ(10, write(fd, "0123456789abc", 13));
  EXPECT_ERRNO(EFBIG, write(fd, "x", 1));
}

CHECK(unlinked_file_lives_on) {
  struct stat status;
  int fd = OK(open("f", O_CREAT | O_RDWR, 0644));
  OK(write(fd, "text", 4));
  OK(unlink("f"));
  OK(fstat(fd, &status));
  EXPECT_EQ(0, status.st_nlink);
  EXPECT_EQ(4, pread(fd, data, 10, 0));
}

CHECK(tmpfile_can_be_linked) {
  struct stat status;
  char name[64];
  int fd = OK(open(".", O_TMPFILE | O_RDWR, 0600));
  OK(write(fd, "text", 4));
  OK(fstat(fd, &status));
  EXPECT_EQ(0, status.st_nlink);
  snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
  OK(linkat(AT_FDCWD, name, AT_FDCWD, "f", AT_SYMLINK_FOLLOW));
  EXPECT_STR("text", get_file("f"));
}

CHECK(fallocate_extends) {
  struct stat status;
  int fd = OK(open("f", O_CREAT | O_RDWR, 0644));
  OK(fallocate(fd, 0, 0, 8192));
  OK(fstat(fd, &status));
  EXPECT_EQ(8192, status.st_size);
  OK(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 16384));
  OK(fstat(fd, &status));
  EXPECT_EQ(8192, status.st_size);
}

CHECK(fallocate_punches_hole) {
  int fd = OK(open("f", O_CREAT | O_RDWR, 0644));
  memset(data, 'x', sizeof data);
  OK(write(fd, data, 12288));
  OK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096, 4096));
  EXPECT_EQ(1, pread(fd, data, 1, 4095));
  EXPECT_EQ('x', data[0]);
  EXPECT_EQ(1, pread(fd, data, 1, 4096));
  EXPECT_EQ(0, data[0]);
  EXPECT_EQ(1, pread(fd, data, 1, 8192));
  EXPECT_EQ('x', data[0]);
}

CHECK(sendfile_copies) {
  put_file("from", "0123456789");
  int from = OK(open("from", O_RDONLY)), to = OK(open("to", O_CREAT | O_RDWR, 0644));
  off_t offset = 4;
  EXPECT_EQ(3, sendfile(to, from, &offset, 3));
  EXPECT_EQ(7, offset);
  EXPECT_EQ(0, lseek(from, 0, SEEK_CUR));
  EXPECT_EQ(10, sendfile(to, from, NULL, 100));
  EXPECT_EQ(10, lseek(from, 0, SEEK_CUR));
  EXPECT_STR("4560123456789", get_file("to"));
}

CHECK(copy_file_range_copies) {
  put_file("from", "0123456789");
  int from = OK(open("from", O_RDONLY)), to = OK(open("to", O_CREAT | O_RDWR, 0644));
  off_t in = 2, out = 1;
  EXPECT_EQ(8, copy_file_range(from, &in, to, &out, 100, 0));
  EXPECT_EQ(10, in);
  EXPECT_EQ(9, out);
  EXPECT_EQ(9, pread(to, data, 20, 0));
  EXPECT(memcmp(data, "\00023456789", 9) == 0);
}

CHECK(splice_file_to_pipe_to_file) {
  int ends[2];
  put_file("from", "0123456789");
  OK(pipe(ends));
  int from = OK(open("from", O_RDONLY)), to = OK(open("to", O_CREAT | O_RDWR, 0644));
  loff_t offset = 5;
  EXPECT_EQ(5, splice(from, &offset, ends[1], NULL, 100, 0));
  EXPECT_EQ(10, offset);
  EXPECT_EQ(5, splice(ends[0], NULL, to, NULL, 100, 0));
  EXPECT_STR("56789", get_file("to"));
}

CHECK(tee_duplicates) {
  int a[2], b[2];
  OK(pipe(a));
  OK(pipe(b));
  OK(write(a[1], "hello", 5));
  EXPECT_EQ(5, tee(a[0], b[1], 100, 0));
  EXPECT_EQ(5, read(b[0], data, 100));
  EXPECT_EQ(5, read(a[0], data, 100));
}

CHECK(vmsplice_fills_pipe) {
  int ends[2];
  struct iovec vector[] = {{"abc", 3}, {"def", 3}};
  OK(pipe(ends));
  EXPECT_EQ(6, vmsplice(ends[1], vector, 2, 0));
  EXPECT_EQ(6, read(ends[0], data, 100));
  EXPECT(memcmp(data, "abcdef", 6) == 0);
}

CHECK(fionread_of_file_and_pipe) {
  int ends[2], count = -1;
  put_file("f", "0123456789");
  int fd = OK(open("f", O_RDONLY));
  OK(read(fd, data, 3));
  OK(ioctl(fd, FIONREAD, &count));
  EXPECT_EQ(7, count);
  OK(pipe(ends));
  OK(write(ends[1], "abc", 3));
  OK(ioctl(ends[0], FIONREAD, &count));
  EXPECT_EQ(3, count);
}

CHECK(fionbio_and_fioclex) {
  int ends[2], on = 1;
  OK(pipe(ends));
  OK(ioctl(ends[0], FIONBIO, &on));
  EXPECT_ERRNO(EAGAIN, read(ends[0], data, 1));
  OK(ioctl(ends[0], FIOCLEX));
  EXPECT_EQ(FD_CLOEXEC, fcntl(ends[0], F_GETFD));
  OK(ioctl(ends[0], FIONCLEX));
  EXPECT_EQ(0, fcntl(ends[0], F_GETFD));
}

CHECK(close_range_closes_and_marks) {
  int fd = OK(open("/dev/null", O_RDONLY));
  OK(dup2(fd, 40));
  OK(dup2(fd, 41));
  OK(dup2(fd, 42));
  OK(syscall(SYS_close_range, 41, 41, 0));
  EXPECT_ERRNO(EBADF, fcntl(41, F_GETFD));
  OK(syscall(SYS_close_range, 42, 100, 4));
  EXPECT_EQ(FD_CLOEXEC, fcntl(42, F_GETFD));
  EXPECT_EQ(0, fcntl(40, F_GETFD));
}

CHECK(descriptor_limit) {
  struct { unsigned long soft, hard; } limit = {20, 20};
  OK(syscall(SYS_setrlimit, 7, &limit));
  while (dup(0) >= 0) {
  }
  EXPECT_EQ(EMFILE, errno);
  EXPECT_ERRNO(EBADF, dup2(0, 20));
  EXPECT_ERRNO(EINVAL, fcntl(0, F_DUPFD, 20));
}

CHECK(memfd_seals) {
  int fd = OK(memfd_create("name", MFD_ALLOW_SEALING));
  OK(ftruncate(fd, 4096));
  EXPECT_EQ(0, fcntl(fd, F_GET_SEALS));
  OK(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW));
  EXPECT_ERRNO(EPERM, ftruncate(fd, 100));
  EXPECT_ERRNO(EPERM, ftruncate(fd, 8192));
  OK(write(fd, "x", 1));
  OK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
  EXPECT_ERRNO(EPERM, write(fd, "x", 1));
  OK(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL));
  EXPECT_ERRNO(EPERM, fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
  EXPECT_EQ(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE, fcntl(fd, F_GET_SEALS));
}

CHECK(memfd_write_seal_refused_while_mapped) {
  int fd = OK(memfd_create("name", MFD_ALLOW_SEALING));
  OK(ftruncate(fd, 4096));
  char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  EXPECT_ERRNO(EBUSY, fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
  OK(munmap(page, 4096));
  OK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
  EXPECT(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EPERM);
}

CHECK(memfd_without_sealing_is_sealed) {
  EXPECT_EQ(F_SEAL_SEAL, fcntl(OK(memfd_create("name", 0)), F_GET_SEALS));
}

CHECK(memfd_link_name) {
  char name[64], target[100] = "";
  int fd = OK(memfd_create("thing", MFD_CLOEXEC));
  snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
  OK(readlink(name, target, sizeof target - 1));
  EXPECT_STR("/memfd:thing (deleted)", target);
  EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
}

static int lock_in_child(int command, struct flock *lock, const char *path) {
  int result[2];
  OK(pipe(result));
  IN_CHILD {
    int fd = OK(open(path, O_RDWR)), answer = fcntl(fd, command, lock) == 0 ? 0 : errno;
    if (command == F_GETLK || command == F_OFD_GETLK) OK(write(result[1], lock, sizeof *lock));
    OK(write(result[1], &answer, sizeof answer));
  }
  int answer;
  if (command == F_GETLK || command == F_OFD_GETLK) OK(read(result[0], lock, sizeof *lock));
  OK(read(result[0], &answer, sizeof answer));
  close(result[0]);
  close(result[1]);
  return answer;
}

CHECK(posix_lock_conflicts_between_processes) {
  put_file("f", "0123456789");
  int fd = OK(open("f", O_RDWR));
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 2, .l_len = 4};
  OK(fcntl(fd, F_SETLK, &lock));
  OK(fcntl(fd, F_SETLK, &lock));
  EXPECT_EQ(EAGAIN, lock_in_child(F_SETLK, &lock, "f"));
  struct flock beside = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 6, .l_len = 0};
  EXPECT_EQ(0, lock_in_child(F_SETLK, &beside, "f"));
  struct flock question = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 0};
  EXPECT_EQ(0, lock_in_child(F_GETLK, &question, "f"));
  EXPECT_EQ(F_WRLCK, question.l_type);
  EXPECT_EQ(2, question.l_start);
  EXPECT_EQ(4, question.l_len);
  EXPECT_EQ(getpid(), question.l_pid);
}

CHECK(posix_lock_shared_readers) {
  put_file("f", "0123456789");
  int fd = OK(open("f", O_RDWR));
  struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
  OK(fcntl(fd, F_SETLK, &lock));
  EXPECT_EQ(0, lock_in_child(F_SETLK, &lock, "f"));
  lock.l_type = F_WRLCK;
  EXPECT_EQ(EAGAIN, lock_in_child(F_SETLK, &lock, "f"));
}

CHECK(posix_lock_released_by_any_close) {
  put_file("f", "0123456789");
  int fd = OK(open("f", O_RDWR));
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  OK(fcntl(fd, F_SETLK, &lock));
  OK(close(OK(open("f", O_RDONLY))));
  EXPECT_EQ(0, lock_in_child(F_SETLK, &lock, "f"));
}

CHECK(posix_lock_split) {
  put_file("f", "0123456789");
  int fd = OK(open("f", O_RDWR));
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 10};
  OK(fcntl(fd, F_SETLK, &lock));
  struct flock middle = {.l_type = F_UNLCK, .l_whence = SEEK_SET, .l_start = 4, .l_len = 2};
  OK(fcntl(fd, F_SETLK, &middle));
  middle.l_type = F_WRLCK;
  EXPECT_EQ(0, lock_in_child(F_SETLK, &middle, "f"));
  struct flock before = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 3, .l_len = 1};
  EXPECT_EQ(EAGAIN, lock_in_child(F_SETLK, &before, "f"));
}

CHECK(posix_lock_waits) {
  put_file("f", "0123456789");
  int fd = OK(open("f", O_RDWR));
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  OK(fcntl(fd, F_SETLK, &lock));
  pid_t pid = FORK();
  if (pid == 0) {
    int own = OK(open("f", O_RDWR));
    OK(fcntl(own, F_SETLKW, &lock));
    _exit(7);
  }
  sleep_ms(50);
  EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG));
  lock.l_type = F_UNLCK;
  OK(fcntl(fd, F_SETLK, &lock));
  EXPECT_EQ(7 << 8, WAIT(pid));
}

CHECK(posix_lock_deadlock) {
  put_file("f", "0123456789");
  int fd = OK(open("f", O_RDWR));
  struct flock first = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 1};
  struct flock second = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 1, .l_len = 1};
  OK(fcntl(fd, F_SETLK, &first));
  pid_t pid = FORK();
  if (pid == 0) {
    OK(fcntl(fd, F_SETLK, &second));
    OK(fcntl(fd, F_SETLKW, &first));
    _exit(0);
  }
  sleep_ms(100);
  EXPECT_ERRNO(EDEADLK, fcntl(fd, F_SETLKW, &second));
  first.l_type = F_UNLCK;
  OK(fcntl(fd, F_SETLK, &first));
  EXPECT_EQ(0, WAIT(pid));
}

CHECK(ofd_lock_belongs_to_open_file) {
  put_file("f", "0123456789");
  int fd = OK(open("f", O_RDWR)), other = OK(open("f", O_RDWR));
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  OK(fcntl(fd, F_OFD_SETLK, &lock));
  EXPECT_ERRNO(EAGAIN, fcntl(other, F_OFD_SETLK, &lock));
  EXPECT_ERRNO(EAGAIN, fcntl(other, F_SETLK, &lock));
  struct flock question = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  OK(fcntl(other, F_OFD_GETLK, &question));
  EXPECT_EQ(F_WRLCK, question.l_type);
  EXPECT_EQ(-1, question.l_pid);
  int copy = OK(dup(fd));
  OK(close(fd));
  EXPECT_ERRNO(EAGAIN, fcntl(other, F_OFD_SETLK, &lock));
  OK(close(copy));
  OK(fcntl(other, F_OFD_SETLK, &lock));
}

CHECK(flock_exclusive_and_shared) {
  put_file("f", "");
  int a = OK(open("f", O_RDONLY)), b = OK(open("f", O_RDONLY));
  OK(flock(a, LOCK_SH));
  OK(flock(b, LOCK_SH | LOCK_NB));
  EXPECT_ERRNO(EAGAIN, flock(b, LOCK_EX | LOCK_NB));
  OK(flock(a, LOCK_UN));
  OK(flock(b, LOCK_EX | LOCK_NB));
  EXPECT_ERRNO(EAGAIN, flock(a, LOCK_SH | LOCK_NB));
  IN_CHILD { OK(flock(b, LOCK_UN)); }
  OK(flock(a, LOCK_SH | LOCK_NB));
}

CHECK(flock_waits) {
  put_file("f", "");
  int a = OK(open("f", O_RDONLY));
  OK(flock(a, LOCK_EX));
  pid_t pid = FORK();
  if (pid == 0) _exit(flock(OK(open("f", O_RDONLY)), LOCK_EX) == 0 ? 3 : 4);
  sleep_ms(50);
  EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG));
  OK(flock(a, LOCK_UN));
  EXPECT_EQ(3 << 8, WAIT(pid));
}

CHECK(dev_null_zero_full_random) {
  EXPECT_EQ(0, read(OK(open("/dev/null", O_RDONLY)), data, 10));
  EXPECT_EQ(10, write(OK(open("/dev/null", O_WRONLY)), data, 10));
  data[5] = 1;
  EXPECT_EQ(10, read(OK(open("/dev/zero", O_RDONLY)), data, 10));
  EXPECT_EQ(0, data[5]);
  EXPECT_ERRNO(ENOSPC, write(OK(open("/dev/full", O_WRONLY)), data, 1));
  EXPECT_EQ(16, read(OK(open("/dev/urandom", O_RDONLY)), data, 16));
  EXPECT_EQ(16, read(OK(open("/dev/random", O_RDONLY)), data, 16));
  struct stat status;
  OK(stat("/dev/null", &status));
  EXPECT_EQ(0x103, status.st_rdev);
  EXPECT_EQ(S_IFCHR | 0666, status.st_mode);
}

CHECK(proc_self_fd_reopens) {
  char name[64];
  put_file("f", "0123456789");
  int fd = OK(open("f", O_RDONLY));
  OK(read(fd, data, 4));
  snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
  int again = OK(open(name, O_RDWR));
  EXPECT_EQ(0, lseek(again, 0, SEEK_CUR));
  OK(write(again, "x", 1));
}

CHECK(dev_fd_and_stdin_links) {
  char target[100] = "";
  OK(readlink("/dev/fd", target, 99));
  EXPECT_STR("/proc/self/fd", target);
  memset(target, 0, 100);
  OK(readlink("/dev/stdin", target, 99));
  EXPECT_STR("/proc/self/fd/0", target);
}
