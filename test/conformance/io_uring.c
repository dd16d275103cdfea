/* io_uring(7): requests and results in rings that both sides share. */
#include "uring.h"
#include <netinet/in.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>

static char data[8192];

CHECK(uring_parameters) {
  need_ring(5);
  EXPECT_EQ(8, ring.parameters.sq_entries);
  EXPECT_EQ(16, ring.parameters.cq_entries);
  EXPECT(ring.parameters.features & IORING_FEAT_SINGLE_MMAP);
  EXPECT(ring.parameters.features & IORING_FEAT_NODROP);
  EXPECT_EQ(FD_CLOEXEC, fcntl(ring.fd, F_GETFD));
  char name[64] = "", path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", ring.fd);
  OK(readlink(path, name, sizeof name - 1));
  EXPECT(strcmp(name, "anon_inode:[io_uring]") == 0);
}

CHECK(uring_does_nothing) {
  need_ring(4);
  request(IORING_OP_NOP, -1, NULL, 0, 0, 0x123456789abcdefULL);
  EXPECT_EQ(1, enter(1, 1));
  struct io_uring_cqe cqe = result();
  EXPECT_EQ(0x123456789abcdefULL, cqe.user_data);
  EXPECT_EQ(0, cqe.res);
  EXPECT_EQ(0, cqe.flags);
  EXPECT_EQ(1, *ring.sq_head);
}

CHECK(uring_enter_takes_no_more_than_there_are) {
  need_ring(4);
  request(IORING_OP_NOP, -1, NULL, 0, 0, 1);
  request(IORING_OP_NOP, -1, NULL, 0, 0, 2);
  EXPECT_EQ(2, enter(9, 0));
  EXPECT_EQ(2, waiting());
  EXPECT_EQ(0, enter(9, 0));
}

CHECK(uring_reads_and_writes_a_file) {
  need_ring(4);
  int fd = OK(open("f", O_RDWR | O_CREAT, 0644));
  request(IORING_OP_WRITE, fd, "hello", 5, 10, 1);
  EXPECT_EQ(5, done());
  request(IORING_OP_READ, fd, data, 100, 8, 1);
  EXPECT_EQ(7, done());
  EXPECT(memcmp(data, "\0\0hello", 7) == 0);
  EXPECT_EQ(0, lseek(fd, 0, SEEK_CUR));
  request(IORING_OP_READ, fd, data, 12, -1, 1);
  EXPECT_EQ(12, done());
  EXPECT_EQ(12, lseek(fd, 0, SEEK_CUR));
  request(IORING_OP_FSYNC, fd, NULL, 0, 0, 1);
  EXPECT_EQ(0, done());
}

CHECK(uring_vectors) {
  need_ring(4);
  int fd = OK(open("f", O_RDWR | O_CREAT, 0644));
  struct iovec out[2] = {{"abc", 3}, {"defg", 4}}, in[2] = {{data, 2}, {data + 100, 10}};
  request(IORING_OP_WRITEV, fd, out, 2, 0, 1);
  EXPECT_EQ(7, done());
  request(IORING_OP_READV, fd, in, 2, 1, 1);
  EXPECT_EQ(6, done());
  EXPECT(memcmp(data, "bc", 2) == 0 && memcmp(data + 100, "defg", 4) == 0);
}

CHECK(uring_fixed_buffers) {
  need_ring(4);
  int fd = OK(open("f", O_RDWR | O_CREAT, 0644));
  struct iovec buffer = {data, 4096};
  OK(syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_BUFFERS, &buffer, 1));
  EXPECT_ERRNO(EBUSY, syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_BUFFERS, &buffer, 1));
  strcpy(data, "fixed");
  request(IORING_OP_WRITE_FIXED, fd, data, 5, 0, 1);
  EXPECT_EQ(5, done());
  request(IORING_OP_READ_FIXED, fd, data + 100, 5, 0, 1);
  EXPECT_EQ(5, done());
  EXPECT(memcmp(data + 100, "fixed", 5) == 0);
  request(IORING_OP_READ_FIXED, fd, data + 4090, 10, 0, 1);
  EXPECT_EQ(-EFAULT, done());
  request(IORING_OP_READ_FIXED, fd, data, 5, 0, 1)->buf_index = 1;
  EXPECT_EQ(-EFAULT, done());
  OK(syscall(SYS_io_uring_register, ring.fd, IORING_UNREGISTER_BUFFERS, NULL, 0));
  EXPECT_ERRNO(ENXIO, syscall(SYS_io_uring_register, ring.fd, IORING_UNREGISTER_BUFFERS, NULL, 0));
}

CHECK(uring_fixed_files) {
  need_ring(4);
  int fds[2] = {OK(open("f", O_RDWR | O_CREAT, 0644)), -1};
  OK(syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_FILES, fds, 2));
  close(fds[0]);
  request(IORING_OP_WRITE, 0, "kept", 4, 0, 1)->flags = IOSQE_FIXED_FILE;
  EXPECT_EQ(4, done());
  request(IORING_OP_WRITE, 1, "none", 4, 0, 1)->flags = IOSQE_FIXED_FILE;
  EXPECT_EQ(-EBADF, done());
  int again = OK(open("f", O_RDONLY));
  struct io_uring_files_update update = {.offset = 1, .fds = (uintptr_t)&again};
  EXPECT_EQ(1, syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_FILES_UPDATE, &update, 1));
  request(IORING_OP_READ, 1, data, 9, 0, 1)->flags = IOSQE_FIXED_FILE;
  EXPECT_EQ(4, done());
  OK(syscall(SYS_io_uring_register, ring.fd, IORING_UNREGISTER_FILES, NULL, 0));
}

CHECK(uring_reads_a_pipe_when_there_is_something) {
  need_ring(4);
  int ends[2];
  OK(pipe(ends));
  request(IORING_OP_READ, ends[0], data, 10, -1, 7);
  EXPECT_EQ(1, enter(1, 0));
  EXPECT_EQ(0, waiting());
  EXPECT_EQ(3, write(ends[1], "abc", 3));
  struct io_uring_cqe cqe = result();
  EXPECT_EQ(7, cqe.user_data);
  EXPECT_EQ(3, cqe.res);
  EXPECT(memcmp(data, "abc", 3) == 0);
}

CHECK(uring_request_outlives_its_descriptor) {
  need_ring(4);
  int ends[2];
  OK(pipe(ends));
  request(IORING_OP_READ, ends[0], data, 10, -1, 7);
  EXPECT_EQ(1, enter(1, 0));
  close(ends[0]);
  EXPECT_EQ(3, write(ends[1], "abc", 3));
  EXPECT_EQ(3, result().res);
}

CHECK(uring_waits_also_where_the_file_does_not) {
  need_ring(4);
  int ends[2], pair[2];
  OK(pipe2(ends, O_NONBLOCK));
  OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair));
  request(IORING_OP_READ, ends[0], data, 10, -1, 7);
  request(IORING_OP_RECV, pair[0], data + 10, 10, 0, 8);
  EXPECT_EQ(2, enter(2, 0));
  EXPECT_EQ(0, waiting());
  EXPECT_EQ(1, write(ends[1], "x", 1));
  EXPECT_EQ(7, result().user_data);
  EXPECT_EQ(1, write(pair[1], "x", 1));
  EXPECT_EQ(8, result().user_data);
  request(IORING_OP_RECV, pair[0], data, 10, 0, 9)->msg_flags = MSG_DONTWAIT;
  EXPECT_EQ(-EAGAIN, done());
  EXPECT_ERRNO(EAGAIN, read(ends[0], data, 1));
}

CHECK(uring_completes_while_the_submitter_computes) {
  need_ring(4);
  int ends[2];
  OK(pipe(ends));
  request(IORING_OP_READ, ends[0], data, 10, -1, 7);
  EXPECT_EQ(1, enter(1, 0));
  if (fork() == 0) {
    usleep(20000);
    _exit(write(ends[1], "x", 1) == 1 ? 0 : 1);
  }
  while (waiting() == 0) sched_yield();
  EXPECT_EQ(1, result().res);
  EXPECT_EQ('x', data[0]);
}

CHECK(uring_polls) {
  need_ring(4);
  int ends[2];
  OK(pipe(ends));
  request(IORING_OP_POLL_ADD, ends[1], NULL, 0, 0, 1)->poll32_events = POLLOUT;
  EXPECT_EQ(POLLOUT, done());
  request(IORING_OP_POLL_ADD, ends[0], NULL, 0, 0, 2)->poll32_events = POLLIN;
  EXPECT_EQ(1, enter(1, 0));
  EXPECT_EQ(0, waiting());
  EXPECT_EQ(1, write(ends[1], "x", 1));
  EXPECT_EQ(POLLIN, result().res);
}

CHECK(uring_polls_again_and_again) {
  need_ring(4);
  int ends[2];
  OK(pipe(ends));
  struct io_uring_sqe *sqe = request(IORING_OP_POLL_ADD, ends[0], NULL, IORING_POLL_ADD_MULTI, 0, 2);
  sqe->poll32_events = POLLIN;
  EXPECT_EQ(1, enter(1, 0));
  for (int round = 0; round < 3; round++) {
    EXPECT_EQ(1, write(ends[1], "x", 1));
    struct io_uring_cqe cqe = result();
    EXPECT_EQ(POLLIN, cqe.res);
    EXPECT_EQ(IORING_CQE_F_MORE, cqe.flags);
    EXPECT_EQ(1, read(ends[0], data, 1));
  }
  request(IORING_OP_POLL_REMOVE, -1, (void *)2, 0, 0, 3);
  EXPECT_EQ(1, enter(1, 2));
  int ended = 0, removed = 0;
  for (int round = 0; round < 2; round++) {
    struct io_uring_cqe cqe = result();
    if (cqe.user_data == 2) ended = cqe.res == -ECANCELED && cqe.flags == 0;
    else removed = cqe.res == 0;
  }
  EXPECT(ended && removed);
  request(IORING_OP_POLL_REMOVE, -1, (void *)2, 0, 0, 3);
  EXPECT_EQ(-ENOENT, done());
}

CHECK(uring_sockets) {
  need_ring(8);
  int ends[2];
  OK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
  request(IORING_OP_SEND, ends[0], "hello", 5, 0, 1);
  EXPECT_EQ(5, done());
  request(IORING_OP_RECV, ends[1], data, 10, 0, 1);
  EXPECT_EQ(5, done());
  struct iovec part = {"message", 7}, room = {data, 100};
  struct msghdr out = {.msg_iov = &part, .msg_iovlen = 1}, in = {.msg_iov = &room, .msg_iovlen = 1};
  request(IORING_OP_RECVMSG, ends[1], &in, 1, 0, 1);
  EXPECT_EQ(1, enter(1, 0));
  request(IORING_OP_SENDMSG, ends[0], &out, 1, 0, 2);
  EXPECT_EQ(1, enter(1, 2));
  EXPECT_EQ(7, result().res);
  EXPECT_EQ(7, result().res);
  request(IORING_OP_SHUTDOWN, ends[0], NULL, SHUT_WR, 0, 1);
  EXPECT_EQ(0, done());
  request(IORING_OP_RECV, ends[1], data, 10, 0, 1);
  EXPECT_EQ(0, done());
  close(ends[1]);
  request(IORING_OP_SEND, ends[0], "x", 1, 0, 1);
  EXPECT_EQ(-EPIPE, done());
}

CHECK(uring_connects_and_accepts) {
  need_ring(8);
  int server = OK(socket(AF_INET, SOCK_STREAM, 0));
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  OK(bind(server, (struct sockaddr *)&address, size));
  OK(listen(server, 5));
  OK(getsockname(server, (struct sockaddr *)&address, &size));
  request(IORING_OP_ACCEPT, server, NULL, 0, 0, 1);
  EXPECT_EQ(1, enter(1, 0));
  request(IORING_OP_SOCKET, AF_INET, NULL, 0, SOCK_STREAM, 2);
  int client = done();
  EXPECT(client >= 0);
  request(IORING_OP_CONNECT, client, &address, 0, size, 3);
  EXPECT_EQ(1, enter(1, 2));
  int accepted = -1;
  for (int round = 0; round < 2; round++) {
    struct io_uring_cqe cqe = result();
    if (cqe.user_data == 1) accepted = cqe.res;
    else EXPECT_EQ(0, cqe.res);
  }
  EXPECT_EQ(2, write(accepted, "ok", 2));
  request(IORING_OP_RECV, client, data, 10, 0, 1);
  EXPECT_EQ(2, done());
}

CHECK(uring_accepts_again_and_again) {
  need_ring(8);
  int server = OK(socket(AF_UNIX, SOCK_STREAM, 0));
  struct sockaddr address = {.sa_family = AF_UNIX, .sa_data = "s"};
  OK(bind(server, &address, sizeof address));
  OK(listen(server, 5));
  request(IORING_OP_ACCEPT, server, NULL, 0, 0, 1)->ioprio = IORING_ACCEPT_MULTISHOT;
  EXPECT_EQ(1, enter(1, 0));
  for (int round = 0; round < 3; round++) {
    int client = OK(socket(AF_UNIX, SOCK_STREAM, 0));
    OK(connect(client, &address, sizeof address));
    struct io_uring_cqe cqe = result();
    EXPECT(cqe.res >= 0);
    EXPECT_EQ(IORING_CQE_F_MORE, cqe.flags & IORING_CQE_F_MORE);
  }
}

CHECK(uring_paths) {
  need_ring(8);
  request(IORING_OP_MKDIRAT, AT_FDCWD, "d", 0755, 0, 1);
  EXPECT_EQ(0, done());
  request(IORING_OP_OPENAT, AT_FDCWD, "d/f", 0644, 0, 1)->open_flags = O_RDWR | O_CREAT;
  int fd = done();
  EXPECT(fd >= 0);
  request(IORING_OP_FALLOCATE, fd, (void *)100, 0, 0, 1);
  EXPECT_EQ(0, done());
  struct statx facts;
  request(IORING_OP_STATX, AT_FDCWD, "d/f", STATX_SIZE, (uintptr_t)&facts, 1);
  EXPECT_EQ(0, done());
  EXPECT_EQ(100, facts.stx_size);
  request(IORING_OP_RENAMEAT, AT_FDCWD, "d/f", AT_FDCWD, (uintptr_t)"d/g", 1);
  EXPECT_EQ(0, done());
  request(IORING_OP_LINKAT, AT_FDCWD, "d/g", AT_FDCWD, (uintptr_t)"d/h", 1);
  EXPECT_EQ(0, done());
  request(IORING_OP_SYMLINKAT, AT_FDCWD, "h", 0, (uintptr_t)"d/s", 1);
  EXPECT_EQ(0, done());
  OK(access("d/s", R_OK));
  request(IORING_OP_UNLINKAT, AT_FDCWD, "d/g", 0, 0, 1);
  EXPECT_EQ(0, done());
  EXPECT_ERRNO(ENOENT, access("d/g", F_OK));
  request(IORING_OP_CLOSE, fd, NULL, 0, 0, 1);
  EXPECT_EQ(0, done());
  EXPECT_ERRNO(EBADF, fcntl(fd, F_GETFD));
  request(IORING_OP_CLOSE, ring.fd, NULL, 0, 0, 1);
  EXPECT_EQ(-EBADF, done());
}

CHECK(uring_advises_and_watches) {
  need_ring(8);
  int fd = OK(open("f", O_RDWR | O_CREAT, 0644)), epoll = OK(epoll_create1(0)), event = OK(eventfd(1, 0));
  request(IORING_OP_FADVISE, fd, NULL, 0, 0, 1)->fadvise_advice = POSIX_FADV_WILLNEED;
  EXPECT_EQ(0, done());
  char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  page[0] = 1;
  request(IORING_OP_MADVISE, -1, page, 4096, 0, 1)->fadvise_advice = MADV_DONTNEED;
  EXPECT_EQ(0, done());
  EXPECT_EQ(0, page[0]);
  struct epoll_event wanted = {.events = EPOLLIN, .data.u64 = 5}, got;
  request(IORING_OP_EPOLL_CTL, epoll, &wanted, EPOLL_CTL_ADD, event, 1);
  EXPECT_EQ(0, done());
  EXPECT_EQ(1, epoll_wait(epoll, &got, 1, 0));
  EXPECT_EQ(5, got.data.u64);
}

CHECK(uring_splices) {
  need_ring(8);
  int first[2], second[2];
  OK(pipe(first));
  OK(pipe(second));
  EXPECT_EQ(4, write(first[1], "abcd", 4));
  struct io_uring_sqe *sqe = request(IORING_OP_SPLICE, second[1], (void *)-1, 3, -1, 1);
  sqe->splice_fd_in = first[0];
  EXPECT_EQ(3, done());
  EXPECT_EQ(3, read(second[0], data, 10));
}

CHECK(uring_links) {
  need_ring(8);
  int fd = OK(open("f", O_RDWR | O_CREAT, 0644));
  request(IORING_OP_WRITE, fd, "linked", 6, 0, 1)->flags = IOSQE_IO_LINK;
  request(IORING_OP_READ, fd, data, 6, 0, 2)->flags = IOSQE_IO_LINK;
  request(IORING_OP_NOP, -1, NULL, 0, 0, 3);
  EXPECT_EQ(3, enter(3, 3));
  for (unsigned want = 1; want <= 3; want++) EXPECT_EQ(want, result().user_data);
  EXPECT(memcmp(data, "linked", 6) == 0);
}

CHECK(uring_links_break) {
  need_ring(8);
  request(IORING_OP_READ, 99, data, 6, 0, 1)->flags = IOSQE_IO_LINK;
  request(IORING_OP_NOP, -1, NULL, 0, 0, 2)->flags = IOSQE_IO_LINK;
  request(IORING_OP_NOP, -1, NULL, 0, 0, 3);
  request(IORING_OP_NOP, -1, NULL, 0, 0, 4);
  EXPECT_EQ(4, enter(4, 4));
  int results[5] = {0};
  for (int round = 0; round < 4; round++) {
    struct io_uring_cqe cqe = result();
    results[cqe.user_data] = cqe.res;
  }
  EXPECT_EQ(-EBADF, results[1]);
  EXPECT_EQ(-ECANCELED, results[2]);
  EXPECT_EQ(-ECANCELED, results[3]);
  EXPECT_EQ(0, results[4]);
}

CHECK(uring_short_read_breaks_a_link) {
  need_ring(8);
  int fd = OK(open("f", O_RDWR | O_CREAT, 0644));
  EXPECT_EQ(3, write(fd, "abc", 3));
  request(IORING_OP_READ, fd, data, 6, 0, 1)->flags = IOSQE_IO_LINK;
  request(IORING_OP_NOP, -1, NULL, 0, 0, 2);
  EXPECT_EQ(2, enter(2, 2));
  EXPECT_EQ(3, result().res);
  EXPECT_EQ(-ECANCELED, result().res);
}

CHECK(uring_hard_links_hold) {
  need_ring(8);
  request(IORING_OP_TIMEOUT, -1, &(struct __kernel_timespec){.tv_nsec = 1000000}, 1, 0, 1)->flags = IOSQE_IO_HARDLINK;
  request(IORING_OP_NOP, -1, NULL, 0, 0, 2);
  EXPECT_EQ(2, enter(2, 2));
  EXPECT_EQ(-ETIME, result().res);
  EXPECT_EQ(0, result().res);
}

CHECK(uring_drains) {
  need_ring(8);
  int ends[2];
  OK(pipe(ends));
  request(IORING_OP_READ, ends[0], data, 1, -1, 1);
  request(IORING_OP_NOP, -1, NULL, 0, 0, 2)->flags = IOSQE_IO_DRAIN;
  request(IORING_OP_NOP, -1, NULL, 0, 0, 3);
  EXPECT_EQ(3, enter(3, 0));
  EXPECT_EQ(0, waiting());
  EXPECT_EQ(1, write(ends[1], "x", 1));
  for (unsigned want = 1; want <= 3; want++) EXPECT_EQ(want, result().user_data);
}

CHECK(uring_skips_results_of_success) {
  need_ring(8);
  request(IORING_OP_NOP, -1, NULL, 0, 0, 1)->flags = IOSQE_CQE_SKIP_SUCCESS;
  request(IORING_OP_READ, 99, data, 1, 0, 2)->flags = IOSQE_CQE_SKIP_SUCCESS;
  EXPECT_EQ(2, enter(2, 1));
  EXPECT_EQ(1, waiting());
  EXPECT_EQ(2, result().user_data);
}

CHECK(uring_timeouts) {
  need_ring(8);
  struct __kernel_timespec soon = {.tv_nsec = 5000000}, late = {.tv_sec = 100};
  request(IORING_OP_TIMEOUT, -1, &soon, 1, 0, 1);
  EXPECT_EQ(-ETIME, done());
  request(IORING_OP_TIMEOUT, -1, &late, 1, 1, 2);
  request(IORING_OP_NOP, -1, NULL, 0, 0, 3);
  EXPECT_EQ(2, enter(2, 2));
  int counted = -1;
  for (int round = 0; round < 2; round++) {
    struct io_uring_cqe cqe = result();
    if (cqe.user_data == 2) counted = cqe.res;
  }
  EXPECT_EQ(0, counted);
  request(IORING_OP_TIMEOUT, -1, &late, 1, 0, 4);
  EXPECT_EQ(1, enter(1, 0));
  request(IORING_OP_TIMEOUT_REMOVE, -1, (void *)4, 0, 0, 5);
  EXPECT_EQ(1, enter(1, 2));
  int ended = 0, removed = -1;
  for (int round = 0; round < 2; round++) {
    struct io_uring_cqe cqe = result();
    if (cqe.user_data == 4) ended = cqe.res;
    else removed = cqe.res;
  }
  EXPECT_EQ(-ECANCELED, ended);
  EXPECT_EQ(0, removed);
  request(IORING_OP_TIMEOUT_REMOVE, -1, (void *)4, 0, 0, 5);
  EXPECT_EQ(-ENOENT, done());
}

CHECK(uring_link_timeout_ends_a_read) {
  need_ring(8);
  int ends[2];
  OK(pipe(ends));
  struct __kernel_timespec soon = {.tv_nsec = 5000000}, late = {.tv_sec = 100};
  request(IORING_OP_READ, ends[0], data, 1, -1, 1)->flags = IOSQE_IO_LINK;
  request(IORING_OP_LINK_TIMEOUT, -1, &soon, 1, 0, 2);
  EXPECT_EQ(2, enter(2, 2));
  int results[3] = {0};
  for (int round = 0; round < 2; round++) {
    struct io_uring_cqe cqe = result();
    results[cqe.user_data] = cqe.res;
  }
  EXPECT(results[1] == -ECANCELED || results[1] == -EINTR);
  EXPECT_EQ(-ETIME, results[2]);
  EXPECT_EQ(1, write(ends[1], "x", 1));
  request(IORING_OP_READ, ends[0], data, 1, -1, 1)->flags = IOSQE_IO_LINK;
  request(IORING_OP_LINK_TIMEOUT, -1, &late, 1, 0, 2);
  EXPECT_EQ(2, enter(2, 2));
  for (int round = 0; round < 2; round++) {
    struct io_uring_cqe cqe = result();
    results[cqe.user_data] = cqe.res;
  }
  EXPECT_EQ(1, results[1]);
  EXPECT_EQ(-ECANCELED, results[2]);
}

CHECK(uring_cancels) {
  need_ring(8);
  int ends[2];
  OK(pipe(ends));
  request(IORING_OP_READ, ends[0], data, 1, -1, 1);
  EXPECT_EQ(1, enter(1, 0));
  request(IORING_OP_ASYNC_CANCEL, -1, (void *)1, 0, 0, 2);
  EXPECT_EQ(1, enter(1, 2));
  int results[3] = {0};
  for (int round = 0; round < 2; round++) {
    struct io_uring_cqe cqe = result();
    results[cqe.user_data] = cqe.res;
  }
  EXPECT_EQ(-ECANCELED, results[1]);
  EXPECT_EQ(0, results[2]);
  request(IORING_OP_ASYNC_CANCEL, -1, (void *)1, 0, 0, 2);
  EXPECT_EQ(-ENOENT, done());
}

CHECK(uring_results_are_not_lost) {
  int made = ring_setup(4, IORING_SETUP_CQSIZE, 4);
  if (made == -ENOSYS || made == -EPERM) check_skip("io_uring is off");
  for (int round = 0; round < 3; round++) {
    for (int index = 0; index < 4; index++) request(IORING_OP_NOP, -1, NULL, 0, 0, 4 * round + index);
    EXPECT_EQ(4, enter(4, 0));
  }
  EXPECT_EQ(4, waiting());
  EXPECT(*ring.sq_flags & IORING_SQ_CQ_OVERFLOW);
  for (unsigned want = 0; want < 12; want++) EXPECT_EQ(want, result().user_data);
  EXPECT_EQ(0, *ring.sq_flags & IORING_SQ_CQ_OVERFLOW);
}

CHECK(uring_tells_an_eventfd) {
  need_ring(4);
  int event = OK(eventfd(0, EFD_NONBLOCK));
  OK(syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_EVENTFD, &event, 1));
  request(IORING_OP_NOP, -1, NULL, 0, 0, 1);
  EXPECT_EQ(1, enter(1, 0));
  uint64_t count = 0;
  EXPECT_EQ(8, read(event, &count, 8));
  EXPECT_EQ(1, count);
  OK(syscall(SYS_io_uring_register, ring.fd, IORING_UNREGISTER_EVENTFD, NULL, 0));
}

CHECK(uring_is_polled) {
  need_ring(4);
  struct pollfd one = {.fd = ring.fd, .events = POLLIN | POLLOUT};
  EXPECT_EQ(1, poll(&one, 1, 0));
  EXPECT_EQ(POLLOUT, one.revents);
  request(IORING_OP_NOP, -1, NULL, 0, 0, 1);
  EXPECT_EQ(1, enter(1, 0));
  EXPECT_EQ(1, poll(&one, 1, 0));
  EXPECT_EQ(POLLIN | POLLOUT, one.revents);
}

CHECK(uring_probe) {
  need_ring(4);
  struct io_uring_probe *probe = calloc(1, sizeof *probe + 64 * sizeof probe->ops[0]);
  OK(syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_PROBE, probe, 64));
  EXPECT(probe->last_op >= IORING_OP_LINKAT);
  for (int operation = IORING_OP_NOP; operation <= IORING_OP_POLL_REMOVE; operation++) EXPECT(probe->ops[operation].flags & IO_URING_OP_SUPPORTED);
}

CHECK(uring_starts_disabled) {
  int made = ring_setup(4, IORING_SETUP_R_DISABLED, 0);
  if (made == -ENOSYS || made == -EPERM) check_skip("io_uring is off");
  request(IORING_OP_NOP, -1, NULL, 0, 0, 1);
  EXPECT_ERRNO(EBADFD, enter(1, 0));
  OK(syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0));
  EXPECT_EQ(1, enter(1, 0));
  EXPECT_ERRNO(EBADFD, syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_ENABLE_RINGS, NULL, 0));
}

CHECK(uring_waits_for_so_long) {
  need_ring(4);
  struct __kernel_timespec soon = {.tv_nsec = 5000000};
  struct io_uring_getevents_arg argument = {.ts = (uintptr_t)&soon};
  EXPECT_ERRNO(ETIME, syscall(SYS_io_uring_enter, ring.fd, 0, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, &argument, sizeof argument));
}

static void on_alarm(int number) { (void)number; }

CHECK(uring_wait_is_interrupted) {
  need_ring(4);
  struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
  OK(sigaction(SIGUSR1, &action, NULL));
  pid_t parent = getpid();
  if (fork() == 0) {
    usleep(20000);
    kill(parent, SIGUSR1);
    _exit(0);
  }
  EXPECT_ERRNO(EINTR, enter(0, 1));
}

CHECK(uring_index_that_is_not_there) {
  need_ring(4);
  request(IORING_OP_NOP, -1, NULL, 0, 0, 1);
  ring.sq_array[0] = 99;
  enter(1, 0);
  EXPECT_EQ(0, waiting());
  EXPECT_EQ(1, *ring.dropped);
}

CHECK(uring_bad_requests) {
  need_ring(4);
  request(200, -1, NULL, 0, 0, 1);
  EXPECT_EQ(-EINVAL, done());
  request(IORING_OP_NOP, -1, NULL, 0, 0, 1)->flags = 0x80;
  EXPECT_EQ(-EINVAL, done());
  request(IORING_OP_READ, OK(open("/dev/zero", O_RDONLY)), (void *)16, 10, 0, 1);
  EXPECT_EQ(-EFAULT, done());
  struct __kernel_timespec time = {.tv_sec = 1};
  request(IORING_OP_LINK_TIMEOUT, -1, &time, 1, 0, 1);
  EXPECT_EQ(-EINVAL, done());
  request(IORING_OP_TIMEOUT, -1, &time, 2, 0, 1);
  EXPECT_EQ(-EINVAL, done());
}

CHECK(uring_bad_request_stops_the_rest) {
  need_ring(4);
  request(200, -1, NULL, 0, 0, 1);
  request(IORING_OP_NOP, -1, NULL, 0, 0, 2);
  EXPECT_EQ(1, enter(2, 0));
  EXPECT_EQ(1, waiting());
  EXPECT_EQ(1, enter(1, 0));
  EXPECT_EQ(2, waiting());
}

static void *submit_and_leave(void *ends) {
  request(IORING_OP_READ, *(int *)ends, data, 1, -1, 1);
  return enter(1, 0) == 1 ? ends : NULL;
}

CHECK(uring_is_shared_by_threads) {
  need_ring(4);
  int file = OK(open("/dev/zero", O_RDONLY));
  pthread_t thread;
  void *answer;
  EXPECT_EQ(0, pthread_create(&thread, NULL, submit_and_leave, &file));
  pthread_join(thread, &answer);
  EXPECT(answer != NULL);
  EXPECT_EQ(1, result().res);
}

CHECK(uring_ring_is_shared_with_a_child) {
  need_ring(4);
  pid_t child = OK(fork());
  if (child == 0) {
    request(IORING_OP_NOP, -1, NULL, 0, 0, 9);
    _exit(enter(1, 0) == 1 ? 0 : 1);
  }
  int status;
  OK(waitpid(child, &status, 0));
  EXPECT_EQ(0, status);
  EXPECT_EQ(1, waiting());
  EXPECT_EQ(9, result().user_data);
}

CHECK(uring_maps_only_what_is_there) {
  need_ring(4);
  EXPECT(mmap(NULL, 4096, PROT_READ, MAP_SHARED, ring.fd, 0x20000000) == MAP_FAILED);
}
