/* A traced child, and what its tracer asks of it. */
#ifndef PTRACE_H
#define PTRACE_H
#include "check.h"
#include <elf.h>
#include <linux/ptrace.h>
#include <stddef.h>
#include <sys/uio.h>
#include <sys/user.h>

/* glibc's sys/ptrace.h and linux/ptrace.h exclude each other; the call itself is wanted here anyway. */
static long __attribute__((unused)) trace(long request, pid_t pid, unsigned long address, unsigned long data) {
  return syscall(SYS_ptrace, request, pid, address, data);
}

static int __attribute__((unused)) wait_for(pid_t pid) {
  int status;
  OK(waitpid(pid, &status, __WALL));
  return status;
}

#define STOP_OF(code) ((code) << 8 | 0x7f)
#define EVENT_OF(event) STOP_OF(SIGTRAP | (event) << 8)
#define EXIT_OF(code) ((code) << 8)

/* A child that asked to be traced and stopped itself; it goes on with `run` and ends with what that answers. */
static pid_t __attribute__((unused)) traced(int (*run)(void)) {
  pid_t pid = OK(fork());
  if (pid == 0) {
    if (trace(PTRACE_TRACEME, 0, 0, 0) != 0) _exit(99);
    raise(SIGSTOP);
    _exit(run());
  }
  EXPECT_EQ(STOP_OF(SIGSTOP), wait_for(pid));
  return pid;
}

static pid_t __attribute__((unused)) traced_with(int (*run)(void), long options) {
  pid_t pid = traced(run);
  OK(trace(PTRACE_SETOPTIONS, pid, 0, options));
  return pid;
}

static unsigned long __attribute__((unused)) peek(pid_t pid, const volatile void *address) {
  unsigned long word = 0;
  OK(trace(PTRACE_PEEKDATA, pid, (unsigned long)address, (unsigned long)&word));
  return word;
}

static struct user_regs_struct __attribute__((unused)) registers_of(pid_t pid) {
  struct user_regs_struct registers;
  OK(trace(PTRACE_GETREGS, pid, 0, (unsigned long)&registers));
  return registers;
}

static void __attribute__((unused)) resume(pid_t pid, long request, int signal) { OK(trace(request, pid, 0, signal)); }

/* It goes on, and the next that is heard of it is the status. */
#define RUNS_TO(status, pid, request, signal)                                                   \
  ({                                                                                            \
    resume(pid, request, signal);                                                               \
    EXPECT_EQ(status, wait_for(pid));                                                           \
  })

static void __attribute__((unused)) ends_with(pid_t pid, int code) { RUNS_TO(EXIT_OF(code), pid, PTRACE_CONT, 0); }

static unsigned long __attribute__((unused)) message_of(pid_t pid) {
  unsigned long message = 0;
  OK(trace(PTRACE_GETEVENTMSG, pid, 0, (unsigned long)&message));
  return message;
}
#endif
