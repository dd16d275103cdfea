/* Terminals: pty(7), termios(3), line editing, signals from keys, job control, window size: tty_ioctl(4). */
#include "check.h"
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>

static int master, slave;
static char data[8192];

static void open_pair(void) { OK(openpty(&master, &slave, NULL, NULL, NULL)); }

static void set_mode(int clear, int set) {
  struct termios mode;
  OK(tcgetattr(slave, &mode));
  mode.c_lflag &= ~clear;
  mode.c_lflag |= set;
  OK(tcsetattr(slave, TCSANOW, &mode));
}

static int readable(int fd, int ms) {
  struct pollfd poller = {fd, POLLIN, 0};
  return OK(poll(&poller, 1, ms)) > 0;
}

static char *read_text(int fd) {
  ssize_t got = OK(read(fd, data, sizeof data - 1));
  data[got] = 0;
  return data;
}

static void type(const char *text) { EXPECT_EQ(strlen(text), write(master, text, strlen(text))); }

CHECK(pair_has_names) {
  open_pair();
  EXPECT(strncmp(ttyname(slave), "/dev/pts/", 9) == 0);
  EXPECT_STR(ttyname(slave), ptsname(master));
  EXPECT(isatty(slave) && isatty(master));
  struct stat status;
  OK(fstat(slave, &status));
  EXPECT_EQ(136, status.st_rdev >> 8);
}

CHECK(locked_until_unlocked) {
  int fd = OK(open("/dev/ptmx", O_RDWR | O_NOCTTY));
  EXPECT_ERRNO(EIO, open(ptsname(fd), O_RDWR | O_NOCTTY));
  OK(grantpt(fd));
  OK(unlockpt(fd));
  OK(open(ptsname(fd), O_RDWR | O_NOCTTY));
}

CHECK(default_modes) {
  struct termios mode;
  open_pair();
  OK(tcgetattr(slave, &mode));
  EXPECT_EQ(ICRNL | IXON, mode.c_iflag & (ICRNL | IXON | INLCR | IGNCR | ISTRIP));
  EXPECT_EQ(OPOST | ONLCR, mode.c_oflag & (OPOST | ONLCR));
  EXPECT_EQ(ICANON | ECHO | ISIG | IEXTEN | ECHOE | ECHOK, mode.c_lflag & (ICANON | ECHO | ISIG | IEXTEN | ECHOE | ECHOK | NOFLSH | TOSTOP));
  EXPECT_EQ(3, mode.c_cc[VINTR]);
  EXPECT_EQ(4, mode.c_cc[VEOF]);
  EXPECT_EQ(127, mode.c_cc[VERASE]);
  EXPECT_EQ(B38400, cfgetospeed(&mode));
}

CHECK(lines_are_read_whole_and_echoed) {
  open_pair();
  type("hel");
  EXPECT(!readable(slave, 20));
  type("lo\r");
  EXPECT(readable(slave, 1000));
  EXPECT_STR("hello\n", read_text(slave));
  EXPECT_STR("hello\r\n", read_text(master));
}

CHECK(one_line_per_read) {
  open_pair();
  type("a\nb\n");
  EXPECT_STR("a\n", read_text(slave));
  EXPECT_STR("b\n", read_text(slave));
}

CHECK(short_read_leaves_rest_of_line) {
  open_pair();
  type("abcdef\n");
  EXPECT_EQ(2, read(slave, data, 2));
  EXPECT_STR("cdef\n", read_text(slave));
}

CHECK(erase_kill_and_literal) {
  open_pair();
  type("abx\177c\n");
  EXPECT_STR("abc\n", read_text(slave));
  type("junk\025good\n");
  EXPECT_STR("good\n", read_text(slave));
  type("one two\027three\n");
  EXPECT_STR("one three\n", read_text(slave));
  type("\026\003\n");
  EXPECT_STR("\003\n", read_text(slave));
}

CHECK(end_of_file_key) {
  open_pair();
  type("abc\004");
  EXPECT_STR("abc", read_text(slave));
  type("\004");
  EXPECT_EQ(0, read(slave, data, 10));
}

CHECK(output_is_processed) {
  open_pair();
  OK(write(slave, "a\nb\n", 4));
  EXPECT_STR("a\r\nb\r\n", read_text(master));
  struct termios mode;
  OK(tcgetattr(slave, &mode));
  mode.c_oflag &= ~OPOST;
  OK(tcsetattr(slave, TCSADRAIN, &mode));
  OK(write(slave, "a\nb\n", 4));
  EXPECT_STR("a\nb\n", read_text(master));
}

CHECK(control_characters_echo_with_caret) {
  open_pair();
  type("\001\t\n");
  EXPECT_STR("^A\t\r\n", read_text(master));
}

CHECK(raw_mode_gives_bytes_at_once) {
  struct termios mode;
  open_pair();
  OK(tcgetattr(slave, &mode));
  cfmakeraw(&mode);
  OK(tcsetattr(slave, TCSANOW, &mode));
  type("a\r\003");
  EXPECT_STR("a\r\003", read_text(slave));
  EXPECT(!readable(master, 0));
}

CHECK(minimum_and_time) {
  struct termios mode;
  open_pair();
  OK(tcgetattr(slave, &mode));
  cfmakeraw(&mode);
  mode.c_cc[VMIN] = 0, mode.c_cc[VTIME] = 1;
  OK(tcsetattr(slave, TCSANOW, &mode));
  long long started = now_ms();
  EXPECT_EQ(0, read(slave, data, 10));
  EXPECT(now_ms() - started >= 90);
  mode.c_cc[VMIN] = 3, mode.c_cc[VTIME] = 0;
  OK(tcsetattr(slave, TCSANOW, &mode));
  type("ab");
  EXPECT(!readable(slave, 20));
  type("c");
  EXPECT_STR("abc", read_text(slave));
}

CHECK(no_echo) {
  open_pair();
  set_mode(ECHO, 0);
  type("secret\n");
  EXPECT_STR("secret\n", read_text(slave));
  EXPECT(!readable(master, 10));
}

CHECK(input_flush_and_count) {
  int count = -1;
  open_pair();
  type("abc\n");
  EXPECT(readable(slave, 1000));
  OK(ioctl(slave, FIONREAD, &count));
  EXPECT_EQ(4, count);
  OK(tcflush(slave, TCIFLUSH));
  EXPECT(!readable(slave, 10));
}

CHECK(window_size) {
  struct winsize size = {30, 100, 1, 2}, got;
  open_pair();
  OK(ioctl(master, TIOCSWINSZ, &size));
  OK(ioctl(slave, TIOCGWINSZ, &got));
  EXPECT_EQ(30, got.ws_row);
  EXPECT_EQ(100, got.ws_col);
  EXPECT_EQ(2, got.ws_ypixel);
}

CHECK(hang_up_of_master) {
  open_pair();
  close(master);
  EXPECT_EQ(0, read(slave, data, 10));
  EXPECT_ERRNO(EIO, write(slave, "x", 1));
  EXPECT_ERRNO(EIO, tcgetattr(slave, &(struct termios){0}));
}

CHECK(hang_up_of_slave) {
  open_pair();
  OK(write(slave, "last", 4));
  close(slave);
  EXPECT_STR("last", read_text(master));
  EXPECT_ERRNO(EIO, read(master, data, 10));
  struct pollfd poller = {master, POLLIN, 0};
  EXPECT_EQ(1, poll(&poller, 1, 0));
  EXPECT(poller.revents & POLLHUP);
}

/* Starts a session on the terminal and runs the body there. */
static pid_t start_session(void (*body)(void)) {
  open_pair();
  pid_t pid = FORK();
  if (pid == 0) {
    close(master);
    OK(setsid());
    OK(ioctl(slave, TIOCSCTTY, 0));
    body();
    _exit(0);
  }
  return pid;
}

static void look_at_session(void) {
  pid_t session = -1;
  EXPECT_EQ(getpid(), tcgetpgrp(slave));
  OK(ioctl(slave, TIOCGSID, &session));
  EXPECT_EQ(getpid(), session);
  int fd = OK(open("/dev/tty", O_RDWR));
  EXPECT(isatty(fd));
  EXPECT_STR("/dev/tty", ttyname(fd) ? ttyname(fd) : "/dev/tty");
  OK(write(fd, "from tty", 8));
}

CHECK(controlling_terminal) {
  pid_t pid = start_session(look_at_session);
  EXPECT_STR("from tty", read_text(master));
  EXPECT_EQ(0, WAIT(pid));
}

static void wait_for_signal(void) {
  OK(write(slave, "!", 1));
  for (;;) pause();
}

CHECK(keys_send_signals) {
  static const struct { const char *key; int signal; } rows[] = {{"\003", SIGINT}, {"\034", SIGQUIT}};
  for (int at = 0; at < 2; at++) {
    pid_t pid = start_session(wait_for_signal);
    EXPECT_EQ(1, read(master, data, 1));
    type(rows[at].key);
    EXPECT_EQ(rows[at].signal, WAIT(pid) & 0x7f);
    close(master), close(slave);
  }
}

CHECK(suspend_key_is_ignored_by_orphaned_session) {
  pid_t pid = start_session(wait_for_signal);
  EXPECT_EQ(1, read(master, data, 1));
  type("\032");
  sleep_ms(30);
  EXPECT_EQ(0, waitpid(pid, NULL, WNOHANG | WUNTRACED));
  OK(kill(pid, SIGKILL));
}

CHECK(close_of_master_hangs_up_session) {
  pid_t pid = start_session(wait_for_signal);
  EXPECT_EQ(1, read(master, data, 1));
  close(slave);
  close(master);
  EXPECT_EQ(SIGHUP, WAIT(pid));
}

static void read_in_background(void) {
  signal(SIGTTOU, SIG_IGN);
  pid_t pid = FORK();
  if (pid == 0) {
    setpgid(0, 0);
    signal(SIGTTOU, SIG_DFL);
    read(slave, data, 10);
    _exit(42);
  }
  setpgid(pid, pid);
  int status;
  EXPECT_EQ(pid, waitpid(pid, &status, WUNTRACED));
  EXPECT(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTIN);
  OK(tcsetpgrp(slave, pid));
  EXPECT_EQ(pid, tcgetpgrp(slave));
  OK(kill(-pid, SIGCONT));
  OK(write(slave, "!", 1));
  EXPECT_EQ(42 << 8, WAIT(pid));
  OK(tcsetpgrp(slave, getpid()));
}

CHECK(background_reader_is_stopped) {
  pid_t pid = start_session(read_in_background);
  EXPECT_EQ(1, read(master, data, 1));
  type("line\n");
  EXPECT_EQ(0, WAIT(pid));
}

static void write_in_background(void) {
  int status;
  struct termios mode;
  pid_t pid = FORK();
  if (pid == 0) {
    setpgid(0, 0);
    OK(write(slave, "allowed", 7));
    OK(tcgetattr(slave, &mode));
    tcsetattr(slave, TCSANOW, &mode);
    _exit(1);
  }
  setpgid(pid, pid);
  EXPECT_EQ(pid, waitpid(pid, &status, WUNTRACED));
  EXPECT(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTOU);
  OK(kill(pid, SIGKILL));
}

CHECK(background_mode_change_is_stopped) {
  pid_t pid = start_session(write_in_background);
  EXPECT_STR("allowed", read_text(master));
  EXPECT_EQ(0, WAIT(pid));
}

static volatile int resized;
static void on_resize(int signal) { resized = signal; }
static void wait_for_resize(void) {
  signal(SIGWINCH, on_resize);
  OK(write(slave, "!", 1));
  while (!resized) usleep(1000);
}

CHECK(resize_signals_foreground) {
  struct winsize size = {10, 20, 0, 0};
  pid_t pid = start_session(wait_for_resize);
  EXPECT_EQ(1, read(master, data, 1));
  OK(ioctl(master, TIOCSWINSZ, &size));
  EXPECT_EQ(0, WAIT(pid));
}

static void give_up_terminal(void) {
  signal(SIGHUP, SIG_IGN);
  OK(ioctl(slave, TIOCNOTTY));
  EXPECT_ERRNO(ENXIO, open("/dev/tty", O_RDWR));
}

CHECK(terminal_can_be_given_up) { EXPECT_EQ(0, WAIT(start_session(give_up_terminal))); }

CHECK(other_session_cannot_control) {
  open_pair();
  EXPECT_ERRNO(ENOTTY, tcsetpgrp(slave, getpid()));
  EXPECT_ERRNO(ENOTTY, tcgetpgrp(slave));
}

CHECK(packet_mode) {
  int on = 1;
  open_pair();
  OK(ioctl(master, TIOCPKT, &on));
  OK(write(slave, "x", 1));
  EXPECT_EQ(2, read(master, data, 10));
  EXPECT_EQ(0, data[0]);
  EXPECT_EQ('x', data[1]);
}

CHECK(shell_on_a_terminal) {
  int fd;
  pid_t pid = forkpty(&fd, NULL, NULL, NULL);
  if (pid == 0) {
    char *argv[] = {"sh", "-c", "read x; echo \"got $x\"; stty size 2>/dev/null || echo 0 0", NULL};
    execv("/bin/sh", argv);
    _exit(99);
  }
  OK(write(fd, "hello\n", 6));
  char text[1000] = "";
  ssize_t used = 0, got;
  while ((got = read(fd, text + used, sizeof text - 1 - used)) > 0) used += got;
  EXPECT(strstr(text, "got hello\r\n") != NULL);
  EXPECT(strstr(text, "0 0\r\n") != NULL);
  EXPECT_EQ(0, WAIT(pid));
}
