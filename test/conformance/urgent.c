/* Urgent data of TCP: tcp(7), "Out-of-band data". */
#include "check.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static char data[100];
static int ends[2];

static void make_tcp_pair(void) {
  struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t length = sizeof name;
  int server = OK(socket(AF_INET, SOCK_STREAM, 0));
  OK(bind(server, (void *)&name, sizeof name));
  OK(listen(server, 1));
  OK(getsockname(server, (void *)&name, &length));
  ends[0] = OK(socket(AF_INET, SOCK_STREAM, 0));
  OK(connect(ends[0], (void *)&name, sizeof name));
  ends[1] = OK(accept(server, NULL, NULL));
  close(server);
}

static int events_of(int fd) {
  struct pollfd poller = {fd, POLLIN | POLLPRI, 0};
  return OK(poll(&poller, 1, 0)) == 0 ? 0 : poller.revents;
}

static int at_mark(int fd) {
  int answer = -1;
  OK(ioctl(fd, SIOCATMARK, &answer));
  return answer;
}

static int waiting(int fd) {
  int answer = -1;
  OK(ioctl(fd, FIONREAD, &answer));
  return answer;
}

CHECK(urgent_byte_is_read_apart) {
  make_tcp_pair();
  EXPECT_EQ(3, send(ends[0], "ab!", 3, MSG_OOB));
  EXPECT_EQ(2, send(ends[0], "cd", 2, 0));
  EXPECT_EQ(POLLIN | POLLPRI, events_of(ends[1]));
  EXPECT_EQ(1, recv(ends[1], data, 10, MSG_OOB | MSG_PEEK));
  EXPECT_EQ(1, recv(ends[1], data, 10, MSG_OOB));
  EXPECT_EQ('!', data[0]);
  EXPECT_ERRNO(EINVAL, recv(ends[1], data, 10, MSG_OOB));
  EXPECT_EQ(POLLIN, events_of(ends[1]));
  EXPECT_EQ(0, at_mark(ends[1]));
  EXPECT_EQ(2, waiting(ends[1]));
  EXPECT_EQ(2, recv(ends[1], data, 10, 0));
  EXPECT_EQ(1, at_mark(ends[1]));
  EXPECT_EQ(2, recv(ends[1], data, 10, 0));
  EXPECT(!memcmp(data, "cd", 2));
  EXPECT_EQ(0, at_mark(ends[1]));
}

CHECK(urgent_byte_alone_is_no_input) {
  make_tcp_pair();
  EXPECT_EQ(1, send(ends[0], "!", 1, MSG_OOB));
  EXPECT_EQ(POLLPRI, events_of(ends[1]));
  EXPECT_EQ(1, at_mark(ends[1]));
  EXPECT_ERRNO(EAGAIN, recv(ends[1], data, 10, MSG_DONTWAIT));
  EXPECT_EQ(0, events_of(ends[1]) & POLLIN);
}

CHECK(urgent_byte_that_was_passed_is_lost) {
  make_tcp_pair();
  EXPECT_EQ(2, send(ends[0], "a!", 2, MSG_OOB));
  EXPECT_EQ(1, send(ends[0], "b", 1, 0));
  EXPECT_EQ(1, recv(ends[1], data, 10, 0));
  EXPECT_EQ(1, recv(ends[1], data, 10, 0));
  EXPECT_EQ('b', data[0]);
  EXPECT_ERRNO(EINVAL, recv(ends[1], data, 10, MSG_OOB));
  EXPECT_EQ(0, events_of(ends[1]));
}

CHECK(second_urgent_byte_makes_the_first_data) {
  make_tcp_pair();
  EXPECT_EQ(2, send(ends[0], "a1", 2, MSG_OOB));
  EXPECT_EQ(2, send(ends[0], "b2", 2, MSG_OOB));
  EXPECT_EQ(1, recv(ends[1], data, 10, MSG_OOB));
  EXPECT_EQ('2', data[0]);
  EXPECT_EQ(3, recv(ends[1], data, 10, 0));
  EXPECT(!memcmp(data, "a1b", 3));
}

CHECK(urgent_byte_in_line) {
  int on = 1;
  make_tcp_pair();
  OK(setsockopt(ends[1], SOL_SOCKET, SO_OOBINLINE, &on, sizeof on));
  EXPECT_EQ(2, send(ends[0], "a!", 2, MSG_OOB));
  EXPECT_EQ(1, send(ends[0], "b", 1, 0));
  EXPECT_EQ(POLLIN | POLLPRI, events_of(ends[1]));
  EXPECT_ERRNO(EINVAL, recv(ends[1], data, 10, MSG_OOB));
  EXPECT_EQ(3, waiting(ends[1]));
  EXPECT_EQ(1, recv(ends[1], data, 10, 0));
  EXPECT_EQ(1, at_mark(ends[1]));
  EXPECT_EQ(2, recv(ends[1], data, 10, 0));
  EXPECT(!memcmp(data, "!b", 2));
}

CHECK(no_urgent_data) {
  make_tcp_pair();
  EXPECT_ERRNO(EINVAL, recv(ends[1], data, 10, MSG_OOB));
  EXPECT_EQ(1, send(ends[0], "a", 1, 0));
  EXPECT_ERRNO(EINVAL, recv(ends[1], data, 10, MSG_OOB));
  EXPECT_EQ(0, at_mark(ends[1]));
}

static volatile int urgent;
static void note_urgent(int signal) { urgent += signal == SIGURG; }

CHECK(owner_is_sent_sigurg) {
  struct sigaction action = {.sa_handler = note_urgent};
  OK(sigaction(SIGURG, &action, NULL));
  make_tcp_pair();
  EXPECT_EQ(1, send(ends[0], "1", 1, MSG_OOB));
  usleep(20000);
  EXPECT_EQ(0, urgent);
  OK(fcntl(ends[1], F_SETOWN, getpid()));
  EXPECT_EQ(1, send(ends[0], "a", 1, 0));
  EXPECT_EQ(1, send(ends[0], "2", 1, MSG_OOB));
  for (int tries = 0; urgent == 0 && tries < 100; tries++) usleep(10000);
  EXPECT_EQ(1, urgent);
}
