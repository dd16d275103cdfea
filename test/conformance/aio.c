/* Asynchronous input and output: io_setup(2), io_submit(2), io_getevents(2), io_cancel(2), io_destroy(2). */
#include "check.h"
#include <linux/aio_abi.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/time.h>
#include <sys/uio.h>

static aio_context_t context;
static struct io_event events[64];
static char data[8192];

static long submit(struct iocb *control) { return syscall(SYS_io_submit, context, 1L, &control); }

static long get_events(long least, long most, struct timespec *timeout) { return syscall(SYS_io_getevents, context, least, most, events, timeout); }

static void set_up(int count) { OK(syscall(SYS_io_setup, count, &context)); }

static struct iocb control(int operation, int fd, void *buffer, size_t size, long offset) {
  struct iocb made = {.aio_data = 77, .aio_lio_opcode = operation, .aio_fildes = fd, .aio_buf = (uintptr_t)buffer, .aio_nbytes = size, .aio_offset = offset};
  return made;
}

/* Result of one request that is done at once. */
static long result_of(struct iocb *one) {
  EXPECT_EQ(1, submit(one));
  EXPECT_EQ(1, get_events(1, 1, NULL));
  EXPECT_EQ((uintptr_t)one, events[0].obj);
  EXPECT_EQ(77, events[0].data);
  EXPECT_EQ(0, events[0].res2);
  return events[0].res;
}

CHECK(aio_reads_and_writes_a_file) {
  set_up(4);
  int fd = OK(open("f", O_RDWR | O_CREAT, 0644));
  struct iocb writing = control(IOCB_CMD_PWRITE, fd, "hello", 5, 10), reading = control(IOCB_CMD_PREAD, fd, data, 100, 8);
  EXPECT_EQ(5, result_of(&writing));
  EXPECT_EQ(7, result_of(&reading));
  EXPECT(memcmp(data, "\0\0hello", 7) == 0);
  EXPECT_EQ(0, lseek(fd, 0, SEEK_CUR));
}

CHECK(aio_vectors) {
  set_up(4);
  int fd = OK(open("f", O_RDWR | O_CREAT, 0644));
  struct iovec out[2] = {{"abc", 3}, {"defg", 4}}, in[2] = {{data, 2}, {data + 100, 10}};
  struct iocb writing = control(IOCB_CMD_PWRITEV, fd, out, 2, 0), reading = control(IOCB_CMD_PREADV, fd, in, 2, 1);
  EXPECT_EQ(7, result_of(&writing));
  EXPECT_EQ(6, result_of(&reading));
  EXPECT(memcmp(data, "bc", 2) == 0 && memcmp(data + 100, "defg", 4) == 0);
}

CHECK(aio_synchronises) {
  set_up(4);
  int fd = OK(open("f", O_RDWR | O_CREAT, 0644));
  struct iocb all = control(IOCB_CMD_FSYNC, fd, NULL, 0, 0), contents = control(IOCB_CMD_FDSYNC, fd, NULL, 0, 0);
  EXPECT_EQ(0, result_of(&all));
  EXPECT_EQ(0, result_of(&contents));
}

CHECK(aio_errors_of_a_transfer_are_in_its_event) {
  set_up(4);
  put_file("f", "text");
  int fd = OK(open("f", O_RDONLY));
  struct iocb reading = control(IOCB_CMD_PREAD, fd, (void *)8, 4, 0);
  EXPECT_EQ(-EFAULT, result_of(&reading));
  struct iocb directory = control(IOCB_CMD_PREAD, OK(open(".", O_RDONLY)), data, 4, 0);
  EXPECT(submit(&directory) == -1 && errno == EINVAL);
}

CHECK(aio_several_at_once) {
  struct iocb made[10], *list[10];
  set_up(10);
  int fd = OK(open("f", O_RDWR | O_CREAT, 0644));
  for (int i = 0; i < 10; i++) made[i] = control(IOCB_CMD_PWRITE, fd, "0123456789", i + 1, 100 * i), list[i] = &made[i];
  EXPECT_EQ(10, syscall(SYS_io_submit, context, 10L, list));
  EXPECT_EQ(4, get_events(0, 4, NULL));
  for (int i = 0; i < 4; i++) EXPECT_EQ(i + 1, events[i].res);
  EXPECT_EQ(6, get_events(6, 64, NULL));
  EXPECT_EQ(0, get_events(0, 64, NULL));
}

CHECK(aio_stops_at_the_first_that_is_wrong) {
  set_up(4);
  int fd = OK(open("f", O_RDWR | O_CREAT, 0644));
  struct iocb good = control(IOCB_CMD_PWRITE, fd, "abc", 3, 0), bad = control(99, fd, "abc", 3, 0), *list[3] = {&good, &bad, &good};
  EXPECT_EQ(1, syscall(SYS_io_submit, context, 3L, list));
  EXPECT_EQ(1, get_events(0, 64, NULL));
}

CHECK(aio_tells_an_eventfd) {
  uint64_t count = 0;
  set_up(4);
  int fd = OK(open("f", O_RDWR | O_CREAT, 0644)), told = OK(eventfd(0, 0));
  struct iocb writing = control(IOCB_CMD_PWRITE, fd, "abc", 3, 0);
  writing.aio_flags = IOCB_FLAG_RESFD;
  writing.aio_resfd = told;
  EXPECT_EQ(3, result_of(&writing));
  OK(read(told, &count, 8));
  EXPECT_EQ(1, count);
}

CHECK(aio_polls_in_the_background) {
  int ends[2];
  set_up(4);
  OK(pipe(ends));
  struct iocb polling = control(IOCB_CMD_POLL, ends[0], (void *)POLLIN, 0, 0);
  struct timespec soon = {0, 20000000};
  EXPECT_EQ(1, submit(&polling));
  EXPECT_EQ(0, get_events(1, 1, &soon));
  OK(write(ends[1], "x", 1));
  EXPECT_EQ(1, get_events(1, 1, NULL));
  EXPECT(events[0].res & POLLIN);
}

CHECK(aio_poll_can_be_cancelled) {
  int ends[2];
  set_up(4);
  OK(pipe(ends));
  struct iocb polling = control(IOCB_CMD_POLL, ends[0], (void *)POLLIN, 0, 0);
  EXPECT_EQ(1, submit(&polling));
  EXPECT_ERRNO(EINPROGRESS, syscall(SYS_io_cancel, context, &polling, events));
  EXPECT_EQ(1, get_events(1, 1, NULL));
  EXPECT_ERRNO(EINVAL, syscall(SYS_io_cancel, context, &polling, events));
}

static void *write_after_a_while(void *end) {
  sleep_ms(30);
  OK(write(*(int *)end, "late", 4));
  return NULL;
}

CHECK(aio_read_of_a_pipe) {
  int ends[2];
  pthread_t thread;
  set_up(4);
  OK(pipe(ends));
  EXPECT_EQ(0, pthread_create(&thread, NULL, write_after_a_while, &ends[1]));
  struct iocb reading = control(IOCB_CMD_PREAD, ends[0], data, 10, 0);
  EXPECT_EQ(4, result_of(&reading));
  EXPECT(memcmp(data, "late", 4) == 0);
  EXPECT_EQ(0, pthread_join(thread, NULL));
}

static void do_nothing(int signal) { (void)signal; }

CHECK(aio_wait_ends_with_a_signal) {
  struct sigaction action = {.sa_handler = do_nothing};
  struct itimerval soon = {{0, 0}, {0, 20000}};
  set_up(4);
  OK(sigaction(SIGALRM, &action, NULL));
  OK(setitimer(ITIMER_REAL, &soon, NULL));
  EXPECT_ERRNO(EINTR, get_events(1, 1, NULL));
}

CHECK(aio_ring_is_in_memory) {
  set_up(10);
  const unsigned *ring = (const unsigned *)context;
  EXPECT_EQ(127, ring[1]);
  EXPECT_EQ(0, ring[2]);
  EXPECT_EQ(0, ring[3]);
  EXPECT_EQ(0xa10a10a1, ring[4]);
  EXPECT_EQ(32, ring[7]);
  int fd = OK(open("f", O_RDWR | O_CREAT, 0644));
  struct iocb writing = control(IOCB_CMD_PWRITE, fd, "abc", 3, 0);
  EXPECT_EQ(1, submit(&writing));
  EXPECT_EQ(1, ring[3]);
  struct io_event *event = (struct io_event *)(context + 32);
  EXPECT_EQ(3, event->res);
  EXPECT_EQ(1, get_events(1, 1, NULL));
  EXPECT_EQ(1, ring[2]);
}

CHECK(aio_has_room_for_so_many) {
  static struct iocb polling;
  int ends[2], count = 0;
  set_up(1);
  OK(pipe(ends));
  polling = control(IOCB_CMD_POLL, ends[0], (void *)POLLIN, 0, 0);
  while (count < 10000 && submit(&polling) == 1) count++;
  EXPECT_EQ(EAGAIN, errno);
  EXPECT(count >= 1 && count < 10000);
}

CHECK(aio_context_is_gone_when_destroyed) {
  set_up(4);
  OK(syscall(SYS_io_destroy, context));
  EXPECT_ERRNO(EINVAL, syscall(SYS_io_destroy, context));
  EXPECT_ERRNO(EINVAL, get_events(0, 1, NULL));
}

CHECK(aio_child_has_no_context) {
  set_up(4);
  pid_t pid = FORK();
  if (pid == 0) _exit(get_events(0, 1, NULL) == -1 && errno == EINVAL ? 0 : 1);
  int status;
  OK(waitpid(pid, &status, 0));
  EXPECT_EQ(0, status);
}

CHECK(aio_process_may_end_while_it_polls) {
  int ends[2];
  OK(pipe(ends));
  pid_t pid = FORK();
  if (pid == 0) {
    set_up(4);
    struct iocb polling = control(IOCB_CMD_POLL, ends[0], (void *)POLLIN, 0, 0);
    _exit(submit(&polling) == 1 ? 0 : 1);
  }
  int status;
  OK(waitpid(pid, &status, 0));
  EXPECT_EQ(0, status);
  OK(write(ends[1], "x", 1));
}
