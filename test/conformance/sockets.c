/* Sockets: unix(7) with descriptors in messages, tcp(7) and udp(7) on loopback, options, netlink(7). */
#include "check.h"
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

static char data[300000];
static void do_nothing(int signal) { (void)signal; }
static int ends[2];

static void make_pair(int type) { OK(socketpair(AF_UNIX, type, 0, ends)); }

static int poll_one(int fd, int events, int ms) {
  struct pollfd poller = {fd, events, 0};
  return OK(poll(&poller, 1, ms)) == 0 ? 0 : poller.revents;
}

static struct sockaddr_in any_port(void) { return (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}}; }

static struct sockaddr_in name_of(int fd) {
  struct sockaddr_in name;
  socklen_t length = sizeof name;
  OK(getsockname(fd, (void *)&name, &length));
  EXPECT_EQ(16, length);
  return name;
}

static int listener(void) {
  struct sockaddr_in name = any_port();
  int fd = OK(socket(AF_INET, SOCK_STREAM, 0));
  OK(bind(fd, (void *)&name, sizeof name));
  OK(listen(fd, 8));
  return fd;
}

/* A connected pair of TCP sockets in `ends`. */
static void make_tcp_pair(void) {
  int server = listener();
  struct sockaddr_in name = name_of(server);
  ends[0] = OK(socket(AF_INET, SOCK_STREAM, 0));
  OK(connect(ends[0], (void *)&name, sizeof name));
  ends[1] = OK(accept(server, NULL, NULL));
  close(server);
}

CHECK(pair_streams_both_ways) {
  make_pair(SOCK_STREAM);
  OK(write(ends[0], "abc", 3));
  OK(write(ends[0], "def", 3));
  EXPECT_EQ(6, read(ends[1], data, 100));
  OK(write(ends[1], "x", 1));
  EXPECT_EQ(1, read(ends[0], data, 100));
}

CHECK(pair_datagrams_keep_boundaries) {
  make_pair(SOCK_DGRAM);
  OK(write(ends[0], "abc", 3));
  OK(write(ends[0], "defg", 4));
  EXPECT_EQ(3, read(ends[1], data, 100));
  EXPECT_EQ(2, read(ends[1], data, 2));
  EXPECT_ERRNO(EAGAIN, recv(ends[1], data, 100, MSG_DONTWAIT));
}

CHECK(pair_sequenced_packets_end) {
  make_pair(SOCK_SEQPACKET);
  OK(write(ends[0], "abc", 3));
  OK(write(ends[0], "d", 1));
  EXPECT_EQ(3, read(ends[1], data, 100));
  EXPECT_EQ(1, read(ends[1], data, 100));
  close(ends[0]);
  EXPECT_EQ(0, read(ends[1], data, 100));
}

CHECK(pair_close_gives_end_and_pipe_error) {
  make_pair(SOCK_STREAM);
  close(ends[0]);
  EXPECT_EQ(0, read(ends[1], data, 1));
  EXPECT_ERRNO(EPIPE, send(ends[1], "x", 1, MSG_NOSIGNAL));
  EXPECT_EQ(POLLIN | POLLHUP | POLLRDHUP | POLLOUT, poll_one(ends[1], POLLIN | POLLOUT | POLLRDHUP, 0));
}

CHECK(pair_unread_data_resets) {
  make_pair(SOCK_STREAM);
  OK(write(ends[1], "x", 1));
  close(ends[0]);
  EXPECT_ERRNO(ECONNRESET, read(ends[1], data, 1));
}

CHECK(shutdown_write_ends_reader) {
  make_pair(SOCK_STREAM);
  OK(shutdown(ends[0], SHUT_WR));
  EXPECT_EQ(0, read(ends[1], data, 1));
  OK(write(ends[1], "x", 1));
  EXPECT_EQ(1, read(ends[0], data, 1));
  EXPECT_EQ(POLLIN | POLLRDHUP, poll_one(ends[1], POLLIN | POLLRDHUP, 0));
}

CHECK(peek_leaves_data) {
  make_pair(SOCK_STREAM);
  OK(write(ends[0], "abc", 3));
  EXPECT_EQ(2, recv(ends[1], data, 2, MSG_PEEK));
  EXPECT_EQ(3, recv(ends[1], data, 100, 0));
}

CHECK(wait_all_waits) {
  make_pair(SOCK_STREAM);
  pid_t pid = FORK();
  if (pid == 0) {
    for (int at = 0; at < 5; at++) OK(write(ends[0], "ab", 2)), sleep_ms(5);
    _exit(0);
  }
  EXPECT_EQ(10, recv(ends[1], data, 10, MSG_WAITALL));
  EXPECT_EQ(0, WAIT(pid));
}

CHECK(truncated_datagram_is_told) {
  make_pair(SOCK_DGRAM);
  OK(write(ends[0], "abcdef", 6));
  struct iovec vector = {data, 2};
  struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
  EXPECT_EQ(6, recvmsg(ends[1], &message, MSG_TRUNC));
  EXPECT_EQ(MSG_TRUNC, message.msg_flags & MSG_TRUNC);
}

CHECK(receive_timeout) {
  struct timeval limit = {0, 30000};
  make_pair(SOCK_STREAM);
  OK(setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit));
  long long started = now_ms();
  EXPECT_ERRNO(EAGAIN, read(ends[0], data, 1));
  EXPECT(now_ms() - started >= 28);
}

CHECK(send_buffer_fills) {
  make_pair(SOCK_STREAM);
  long total = 0, got;
  while ((got = send(ends[0], data, 4096, MSG_DONTWAIT)) > 0) total += got;
  EXPECT_EQ(EAGAIN, errno);
  EXPECT(total >= 4096);
  EXPECT_EQ(0, poll_one(ends[0], POLLOUT, 0));
  while (total > 0) total -= OK(read(ends[1], data, sizeof data));
  EXPECT_EQ(POLLOUT, poll_one(ends[0], POLLOUT, 0));
}

static void send_descriptors(int fd, const int *fds, int count, const char *text) {
  char control[CMSG_SPACE(64 * sizeof(int))] = {0};
  struct iovec vector = {(void *)text, strlen(text)};
  struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(count * sizeof(int))};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET, header->cmsg_type = SCM_RIGHTS, header->cmsg_len = CMSG_LEN(count * sizeof(int));
  memcpy(CMSG_DATA(header), fds, count * sizeof(int));
  OK(sendmsg(fd, &message, 0));
}

static int receive_descriptors(int fd, int *fds, int room, int flags) {
  char control[CMSG_SPACE(64 * sizeof(int))];
  struct iovec vector = {data, 100};
  struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = room ? CMSG_LEN(room * sizeof(int)) : 0};
  OK(recvmsg(fd, &message, flags));
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (!header) return message.msg_flags & MSG_CTRUNC ? -2 : 0;
  EXPECT_EQ(SCM_RIGHTS, header->cmsg_type);
  int count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
  memcpy(fds, CMSG_DATA(header), count * sizeof(int));
  return count;
}

CHECK(descriptors_travel) {
  int inner[2], got[4];
  make_pair(SOCK_STREAM);
  OK(pipe(inner));
  send_descriptors(ends[0], inner, 2, "x");
  OK(write(inner[1], "hi", 2));
  close(inner[0]), close(inner[1]);
  EXPECT_EQ(2, receive_descriptors(ends[1], got, 4, 0));
  EXPECT_EQ(2, read(got[0], data, 10));
  EXPECT_EQ(0, fcntl(got[0], F_GETFD));
}

CHECK(descriptors_close_on_exec_when_asked) {
  int got[4], one = 0;
  make_pair(SOCK_STREAM);
  send_descriptors(ends[0], &one, 1, "x");
  EXPECT_EQ(1, receive_descriptors(ends[1], got, 4, MSG_CMSG_CLOEXEC));
  EXPECT_EQ(FD_CLOEXEC, fcntl(got[0], F_GETFD));
}

CHECK(descriptors_without_room_are_dropped) {
  int inner[2], got[4];
  make_pair(SOCK_STREAM);
  OK(pipe(inner));
  send_descriptors(ends[0], inner + 1, 1, "x");
  close(inner[1]);
  EXPECT_EQ(-2, receive_descriptors(ends[1], got, 0, 0));
  EXPECT_EQ(0, read(inner[0], data, 1));
}

CHECK(descriptors_between_processes) {
  int got[2];
  make_pair(SOCK_DGRAM);
  put_file("f", "content");
  pid_t pid = FORK();
  if (pid == 0) {
    int fd = OK(open("f", O_RDONLY));
    send_descriptors(ends[0], &fd, 1, "x");
    _exit(0);
  }
  EXPECT_EQ(1, receive_descriptors(ends[1], got, 2, 0));
  EXPECT_EQ(7, read(got[0], data, 100));
  EXPECT_EQ(0, WAIT(pid));
}

CHECK(descriptors_stop_a_stream_read) {
  int got[4], one = 0;
  make_pair(SOCK_STREAM);
  OK(write(ends[0], "before", 6));
  send_descriptors(ends[0], &one, 1, "with");
  OK(write(ends[0], "after", 5));
  struct iovec vector = {data, 100};
  char control[100];
  struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  ssize_t first = OK(recvmsg(ends[1], &message, 0));
  EXPECT(first == 6 || first == 10);
  if (first == 6) EXPECT_EQ(1, receive_descriptors(ends[1], got, 4, 0));
}

CHECK(peer_credentials) {
  struct ucred who;
  socklen_t length = sizeof who;
  make_pair(SOCK_STREAM);
  OK(getsockopt(ends[0], SOL_SOCKET, SO_PEERCRED, &who, &length));
  EXPECT_EQ(getpid(), who.pid);
  EXPECT_EQ(geteuid(), who.uid);
}

CHECK(credentials_in_messages) {
  int on = 1;
  char control[100];
  struct iovec vector = {data, 100};
  struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  make_pair(SOCK_DGRAM);
  OK(setsockopt(ends[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
  OK(write(ends[0], "x", 1));
  OK(recvmsg(ends[1], &message, 0));
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  EXPECT(header && header->cmsg_type == SCM_CREDENTIALS);
  EXPECT_EQ(getpid(), ((struct ucred *)CMSG_DATA(header))->pid);
}

CHECK(named_stream_server) {
  struct sockaddr_un name = {AF_UNIX, "server"}, peer;
  socklen_t length = sizeof peer;
  struct stat status;
  int server = OK(socket(AF_UNIX, SOCK_STREAM, 0));
  OK(bind(server, (void *)&name, sizeof name));
  OK(stat("server", &status));
  EXPECT_EQ(S_IFSOCK | 0755, status.st_mode);
  OK(listen(server, 5));
  IN_CHILD {
    int fd = OK(socket(AF_UNIX, SOCK_STREAM, 0));
    OK(connect(fd, (void *)&name, sizeof name));
    OK(write(fd, "hello", 5));
    struct sockaddr_un other;
    socklen_t size = sizeof other;
    OK(getpeername(fd, (void *)&other, &size));
    EXPECT_STR("server", other.sun_path);
  }
  int fd = OK(accept4(server, (void *)&peer, &length, SOCK_CLOEXEC | SOCK_NONBLOCK));
  EXPECT_EQ(2, length);
  EXPECT_EQ(FD_CLOEXEC, fcntl(fd, F_GETFD));
  EXPECT_EQ(5, read(fd, data, 100));
  EXPECT_ERRNO(EADDRINUSE, bind(OK(socket(AF_UNIX, SOCK_STREAM, 0)), (void *)&name, sizeof name));
}

CHECK(abstract_names) {
  struct sockaddr_un name = {AF_UNIX, ""}, got;
  socklen_t size = offsetof(struct sockaddr_un, sun_path) + 20, length = sizeof got;
  snprintf(name.sun_path + 1, 30, "abstract-%d", getpid());
  int server = OK(socket(AF_UNIX, SOCK_DGRAM, 0)), fd = OK(socket(AF_UNIX, SOCK_DGRAM, 0));
  OK(bind(server, (void *)&name, size));
  OK(getsockname(server, (void *)&got, &length));
  EXPECT_EQ(size, length);
  EXPECT(memcmp(name.sun_path, got.sun_path, 20) == 0);
  EXPECT_EQ(1, sendto(fd, "x", 1, 0, (void *)&name, size));
  EXPECT_EQ(1, read(server, data, 10));
  close(server);
  EXPECT_ERRNO(ECONNREFUSED, sendto(fd, "x", 1, 0, (void *)&name, size));
}

CHECK(autobind) {
  struct sockaddr_un name = {AF_UNIX, ""};
  socklen_t length = sizeof name;
  int fd = OK(socket(AF_UNIX, SOCK_DGRAM, 0));
  OK(bind(fd, (void *)&name, sizeof(sa_family_t)));
  OK(getsockname(fd, (void *)&name, &length));
  EXPECT_EQ(8, length);
  EXPECT_EQ(0, name.sun_path[0]);
}

CHECK(datagram_sender_is_named) {
  struct sockaddr_un a = {AF_UNIX, "a"}, b = {AF_UNIX, "b"}, from;
  socklen_t length = sizeof from;
  int first = OK(socket(AF_UNIX, SOCK_DGRAM, 0)), second = OK(socket(AF_UNIX, SOCK_DGRAM, 0));
  OK(bind(first, (void *)&a, sizeof a));
  OK(bind(second, (void *)&b, sizeof b));
  OK(sendto(first, "x", 1, 0, (void *)&b, sizeof b));
  OK(recvfrom(second, data, 10, 0, (void *)&from, &length));
  EXPECT_STR("a", from.sun_path);
}

CHECK(unix_listen_backlog_refuses_non_blocking) {
  struct sockaddr_un name = {AF_UNIX, "server"};
  int server = OK(socket(AF_UNIX, SOCK_STREAM, 0));
  OK(bind(server, (void *)&name, sizeof name));
  OK(listen(server, 0));
  OK(connect(OK(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0)), (void *)&name, sizeof name));
  EXPECT_ERRNO(EAGAIN, connect(OK(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0)), (void *)&name, sizeof name));
}

/* Whether the process waits in a call. */
static int is_waiting(int pid) {
  char path[64], text[256] = "";
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  int file = OK(open(path, O_RDONLY));
  OK(read(file, text, sizeof text - 1));
  close(file);
  char *state = strrchr(text, ')');
  return state != NULL && state[2] == 'S';
}

CHECK(address_of_a_connect_that_waits_stays) {
  struct sockaddr_un *name = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  struct sockaddr_un full = {AF_UNIX, "full"}, empty = {AF_UNIX, "empty"};
  int servers[2];
  for (int i = 0; i < 2; i++) {
    servers[i] = OK(socket(AF_UNIX, SOCK_STREAM, 0));
    OK(bind(servers[i], (void *)(i == 0 ? &full : &empty), sizeof full));
    OK(listen(servers[i], 0));
  }
  OK(connect(OK(socket(AF_UNIX, SOCK_STREAM, 0)), (void *)&full, sizeof full));
  *name = full;
  int pid = FORK();
  if (pid == 0) {
    struct sockaddr_un peer = {0};
    socklen_t length = sizeof peer;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(fd, (void *)name, sizeof *name) != 0 || getpeername(fd, (void *)&peer, &length) != 0) _exit(2);
    _exit(strcmp(peer.sun_path, "full") != 0);
  }
  while (!is_waiting(pid)) sched_yield();
  *name = empty;
  OK(accept(servers[0], NULL, NULL));
  EXPECT_EQ(0, WAIT(pid));
}

CHECK(address_of_a_datagram_that_waits_stays) {
  struct sockaddr_un *name = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  struct sockaddr_un full = {AF_UNIX, "full"}, empty = {AF_UNIX, "empty"};
  int first = OK(socket(AF_UNIX, SOCK_DGRAM, 0)), second = OK(socket(AF_UNIX, SOCK_DGRAM, 0)), sender = OK(socket(AF_UNIX, SOCK_DGRAM, 0));
  OK(bind(first, (void *)&full, sizeof full));
  OK(bind(second, (void *)&empty, sizeof empty));
  int count = 0;
  while (sendto(sender, "x", 1, MSG_DONTWAIT, (void *)&full, sizeof full) == 1) count++;
  EXPECT(count > 0);
  *name = full;
  int pid = FORK();
  if (pid == 0) _exit(sendto(sender, "y", 1, 0, (void *)name, sizeof *name) != 1);
  while (!is_waiting(pid)) sched_yield();
  *name = empty;
  for (int i = 0; i < count; i++) EXPECT_EQ(1, recv(first, data, 1, 0));
  EXPECT_EQ(0, WAIT(pid));
  EXPECT_EQ(1, recv(first, data, 1, MSG_DONTWAIT));
  EXPECT_EQ('y', data[0]);
  EXPECT_ERRNO(EAGAIN, recv(second, data, 1, MSG_DONTWAIT));
}

CHECK(message_without_an_address_that_waits_gets_none) {
  struct { struct msghdr header; struct iovec part; struct sockaddr_un name; char byte; } *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  struct sockaddr_un full = {AF_UNIX, "full"}, empty = {AF_UNIX, "empty"};
  int first = OK(socket(AF_UNIX, SOCK_DGRAM, 0)), second = OK(socket(AF_UNIX, SOCK_DGRAM, 0)), sender = OK(socket(AF_UNIX, SOCK_DGRAM, 0));
  OK(bind(first, (void *)&full, sizeof full));
  OK(bind(second, (void *)&empty, sizeof empty));
  OK(connect(sender, (void *)&full, sizeof full));
  int count = 0;
  while (send(sender, "x", 1, MSG_DONTWAIT) == 1) count++;
  shared->name = empty;
  shared->part = (struct iovec){&shared->byte, 1};
  shared->header = (struct msghdr){.msg_iov = &shared->part, .msg_iovlen = 1};
  int pid = FORK();
  if (pid == 0) _exit(sendmsg(sender, &shared->header, 0) != 1);
  while (!is_waiting(pid)) sched_yield();
  shared->header.msg_name = &shared->name;
  shared->header.msg_namelen = sizeof empty;
  for (int i = 0; i <= count; i++) EXPECT_EQ(1, recv(first, data, 1, 0));
  EXPECT_EQ(0, WAIT(pid));
  EXPECT_ERRNO(EAGAIN, recv(second, data, 1, MSG_DONTWAIT));
}

CHECK(tcp_both_ways) {
  make_tcp_pair();
  OK(write(ends[0], "hello", 5));
  EXPECT_EQ(5, read(ends[1], data, 100));
  OK(write(ends[1], "back", 4));
  EXPECT_EQ(4, read(ends[0], data, 100));
  close(ends[0]);
  EXPECT_EQ(0, read(ends[1], data, 100));
}

CHECK(tcp_addresses_agree) {
  make_tcp_pair();
  struct sockaddr_in peer, own = name_of(ends[0]);
  socklen_t length = sizeof peer;
  OK(getpeername(ends[1], (void *)&peer, &length));
  EXPECT_EQ(own.sin_port, peer.sin_port);
  EXPECT_EQ(htonl(INADDR_LOOPBACK), peer.sin_addr.s_addr);
  EXPECT(own.sin_port != 0);
}

CHECK(tcp_much_data) {
  make_tcp_pair();
  pid_t pid = FORK();
  if (pid == 0) {
    close(ends[1]);
    for (size_t at = 0; at < sizeof data; at++) data[at] = at * 7;
    for (size_t at = 0; at < sizeof data;) at += OK(write(ends[0], data + at, sizeof data - at));
    _exit(0);
  }
  close(ends[0]);
  size_t total = 0, got;
  while ((got = OK(read(ends[1], data + total, sizeof data - total))) > 0) total += got;
  EXPECT_EQ(sizeof data, total);
  for (size_t at = 0; at < sizeof data; at++) EXPECT_EQ((char)(at * 7), data[at]);
  EXPECT_EQ(0, WAIT(pid));
}

CHECK(tcp_non_blocking_connect) {
  int server = listener(), error = -1;
  socklen_t length = sizeof error;
  struct sockaddr_in name = name_of(server);
  int fd = OK(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
  EXPECT(connect(fd, (void *)&name, sizeof name) == 0 || errno == EINPROGRESS);
  EXPECT_EQ(POLLOUT, poll_one(fd, POLLOUT, 1000));
  OK(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length));
  EXPECT_EQ(0, error);
}

CHECK(tcp_refused_connect_is_polled) {
  int server = listener(), error = 0;
  socklen_t length = sizeof error;
  struct sockaddr_in name = name_of(server);
  close(server);
  int fd = OK(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
  if (connect(fd, (void *)&name, sizeof name) == -1 && errno == ECONNREFUSED) return;
  EXPECT_EQ(EINPROGRESS, errno);
  EXPECT(poll_one(fd, POLLOUT, 1000) & POLLERR);
  OK(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length));
  EXPECT_EQ(ECONNREFUSED, error);
}

CHECK(tcp_listener_polls_readable) {
  int server = listener();
  struct sockaddr_in name = name_of(server);
  EXPECT_EQ(0, poll_one(server, POLLIN, 0));
  OK(connect(OK(socket(AF_INET, SOCK_STREAM, 0)), (void *)&name, sizeof name));
  EXPECT_EQ(POLLIN, poll_one(server, POLLIN, 1000));
}

CHECK(tcp_port_in_use) {
  struct sockaddr_in name = name_of(listener());
  EXPECT_ERRNO(EADDRINUSE, bind(OK(socket(AF_INET, SOCK_STREAM, 0)), (void *)&name, sizeof name));
}

CHECK(tcp_reuse_port) {
  int on = 1, a = OK(socket(AF_INET, SOCK_STREAM, 0)), b = OK(socket(AF_INET, SOCK_STREAM, 0));
  OK(setsockopt(a, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on));
  OK(setsockopt(b, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on));
  struct sockaddr_in name = any_port();
  OK(bind(a, (void *)&name, sizeof name));
  name = name_of(a);
  OK(bind(b, (void *)&name, sizeof name));
}

CHECK(tcp_write_after_peer_closed) {
  make_tcp_pair();
  close(ends[1]);
  OK(send(ends[0], "x", 1, MSG_NOSIGNAL));
  sleep_ms(30);
  EXPECT_ERRNO(EPIPE, send(ends[0], "x", 1, MSG_NOSIGNAL));
}

CHECK(tcp_reset_by_linger) {
  struct linger linger = {1, 0};
  make_tcp_pair();
  OK(setsockopt(ends[1], SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
  close(ends[1]);
  EXPECT_ERRNO(ECONNRESET, read(ends[0], data, 1));
}

CHECK(tcp_half_close) {
  make_tcp_pair();
  OK(shutdown(ends[0], SHUT_WR));
  EXPECT_EQ(0, read(ends[1], data, 1));
  OK(write(ends[1], "x", 1));
  EXPECT_EQ(1, read(ends[0], data, 1));
  EXPECT_ERRNO(EPIPE, send(ends[0], "x", 1, MSG_NOSIGNAL));
}

CHECK(tcp_options) {
  int value = 1, got = 0;
  socklen_t length = sizeof got;
  make_tcp_pair();
  OK(getsockopt(ends[0], IPPROTO_TCP, TCP_NODELAY, &got, &length));
  EXPECT_EQ(0, got);
  OK(setsockopt(ends[0], IPPROTO_TCP, TCP_NODELAY, &value, sizeof value));
  OK(getsockopt(ends[0], IPPROTO_TCP, TCP_NODELAY, &got, &length));
  EXPECT_EQ(1, got);
  OK(setsockopt(ends[0], SOL_SOCKET, SO_KEEPALIVE, &value, sizeof value));
  value = 30;
  OK(setsockopt(ends[0], IPPROTO_TCP, TCP_KEEPIDLE, &value, sizeof value));
  OK(getsockopt(ends[0], IPPROTO_TCP, TCP_KEEPIDLE, &got, &length));
  EXPECT_EQ(30, got);
  struct tcp_info info;
  length = sizeof info;
  OK(getsockopt(ends[0], IPPROTO_TCP, TCP_INFO, &info, &length));
  EXPECT_EQ(TCP_ESTABLISHED, info.tcpi_state);
}

CHECK(socket_options_tell) {
  int got;
  socklen_t length = sizeof got;
  int fd = listener();
  OK(getsockopt(fd, SOL_SOCKET, SO_TYPE, &got, &length));
  EXPECT_EQ(SOCK_STREAM, got);
  OK(getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &got, &length));
  EXPECT_EQ(AF_INET, got);
  OK(getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &got, &length));
  EXPECT_EQ(IPPROTO_TCP, got);
  OK(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &got, &length));
  EXPECT_EQ(1, got);
  got = 20000;
  OK(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &got, sizeof got));
  OK(getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &got, &length));
  EXPECT_EQ(40000, got);
}

CHECK(udp_send_and_receive) {
  struct sockaddr_in name = any_port(), from;
  socklen_t length = sizeof from;
  int a = OK(socket(AF_INET, SOCK_DGRAM, 0)), b = OK(socket(AF_INET, SOCK_DGRAM, 0));
  OK(bind(a, (void *)&name, sizeof name));
  name = name_of(a);
  EXPECT_EQ(3, sendto(b, "abc", 3, 0, (void *)&name, sizeof name));
  EXPECT_EQ(3, recvfrom(a, data, 100, 0, (void *)&from, &length));
  EXPECT_EQ(name_of(b).sin_port, from.sin_port);
  EXPECT_EQ(0, sendto(a, "", 0, 0, (void *)&from, length));
  EXPECT_EQ(0, recv(b, data, 100, 0));
}

CHECK(udp_connected_filters_and_refuses) {
  struct sockaddr_in name = any_port();
  int a = OK(socket(AF_INET, SOCK_DGRAM, 0)), b = OK(socket(AF_INET, SOCK_DGRAM, 0));
  OK(bind(a, (void *)&name, sizeof name));
  name = name_of(a);
  OK(connect(b, (void *)&name, sizeof name));
  OK(write(b, "x", 1));
  EXPECT_EQ(1, read(a, data, 10));
  close(a);
  OK(write(b, "x", 1));
  EXPECT_ERRNO(ECONNREFUSED, recv(b, data, 10, 0));
}

CHECK(udp_many_messages) {
  struct mmsghdr messages[4];
  struct iovec vectors[4];
  struct sockaddr_in name = any_port();
  int a = OK(socket(AF_INET, SOCK_DGRAM, 0)), b = OK(socket(AF_INET, SOCK_DGRAM, 0));
  OK(bind(a, (void *)&name, sizeof name));
  name = name_of(a);
  OK(connect(b, (void *)&name, sizeof name));
  memset(messages, 0, sizeof messages);
  for (int at = 0; at < 4; at++) vectors[at] = (struct iovec){data + 100 * at, at + 1}, messages[at].msg_hdr.msg_iov = vectors + at, messages[at].msg_hdr.msg_iovlen = 1;
  EXPECT_EQ(4, sendmmsg(b, messages, 4, 0));
  for (int at = 0; at < 4; at++) vectors[at].iov_len = 100;
  EXPECT_EQ(4, recvmmsg(a, messages, 4, 0, NULL));
  EXPECT_EQ(3, messages[2].msg_len);
}

CHECK(ipv6_loopback) {
  struct sockaddr_in6 name = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  socklen_t length = sizeof name;
  int server = OK(socket(AF_INET6, SOCK_STREAM, 0)), fd = OK(socket(AF_INET6, SOCK_STREAM, 0));
  OK(bind(server, (void *)&name, sizeof name));
  OK(listen(server, 1));
  OK(getsockname(server, (void *)&name, &length));
  OK(connect(fd, (void *)&name, sizeof name));
  int peer = OK(accept(server, NULL, NULL));
  OK(write(fd, "x", 1));
  EXPECT_EQ(1, read(peer, data, 1));
}

CHECK(ipv4_reaches_dual_stack_server) {
  struct sockaddr_in6 any = {.sin6_family = AF_INET6}, from;
  socklen_t length = sizeof any;
  int server = OK(socket(AF_INET6, SOCK_STREAM, 0)), fd = OK(socket(AF_INET, SOCK_STREAM, 0));
  OK(bind(server, (void *)&any, sizeof any));
  OK(listen(server, 1));
  OK(getsockname(server, (void *)&any, &length));
  struct sockaddr_in name = any_port();
  name.sin_port = any.sin6_port;
  OK(connect(fd, (void *)&name, sizeof name));
  OK(accept(server, (void *)&from, &length));
  EXPECT(IN6_IS_ADDR_V4MAPPED(&from.sin6_addr));
}

CHECK(interfaces_are_listed) {
  struct ifaddrs *list, *at;
  int loopback = 0;
  OK(getifaddrs(&list));
  for (at = list; at; at = at->ifa_next)
    if (!strcmp(at->ifa_name, "lo") && at->ifa_addr && at->ifa_addr->sa_family == AF_INET) {
      loopback++;
      EXPECT_EQ(htonl(INADDR_LOOPBACK), ((struct sockaddr_in *)at->ifa_addr)->sin_addr.s_addr);
      EXPECT(at->ifa_flags & IFF_LOOPBACK && at->ifa_flags & IFF_UP);
    }
  EXPECT_EQ(1, loopback);
  EXPECT(if_nametoindex("lo") == 1);
}

CHECK(name_resolution_of_localhost) {
  struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *list;
  EXPECT_EQ(0, getaddrinfo("127.0.0.1", "80", &hints, &list));
  EXPECT_EQ(htons(80), ((struct sockaddr_in *)list->ai_addr)->sin_port);
}

CHECK(outgoing_queue_and_input_count) {
  int count = -1;
  make_pair(SOCK_STREAM);
  OK(write(ends[0], "abc", 3));
  OK(ioctl(ends[1], FIONREAD, &count));
  EXPECT_EQ(3, count);
}

CHECK(blocked_accept_is_interrupted_by_signal) {
  int server = listener();
  struct sigaction action = {.sa_handler = do_nothing};
  OK(sigaction(SIGALRM, &action, NULL));
  alarm(1);
  EXPECT_ERRNO(EINTR, accept(server, NULL, NULL));
}

CHECK(tcp_accepted_socket_has_its_listeners_receive_buffer) {
  static char much[65536];
  int server = listener(), client = OK(socket(AF_INET, SOCK_STREAM, 0)), small = 4096, sent = 0, done;
  struct sockaddr_in name = name_of(server);
  OK(setsockopt(server, SOL_SOCKET, SO_RCVBUF, &small, sizeof small));
  OK(setsockopt(client, SOL_SOCKET, SO_SNDBUF, &small, sizeof small));
  OK(connect(client, (struct sockaddr *)&name, sizeof name));
  OK(accept(server, NULL, NULL));
  while ((done = send(client, much, sizeof much, MSG_DONTWAIT)) > 0) sent += done;
  EXPECT_EQ(EAGAIN, errno);
  EXPECT(sent >= 4096 && sent < 65536);
}

CHECK(tcp_send_of_much_to_a_closed_peer_ends) {
  static char much[1 << 20];
  make_tcp_pair();
  close(ends[1]);
  signal(SIGPIPE, SIG_IGN);
  EXPECT(send(ends[0], much, sizeof much, 0) < (long)sizeof much);
}
