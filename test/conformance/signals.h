/* Handlers that count and keep what they are told, for the programs on signals. */
#ifndef SIGNALS_H
#define SIGNALS_H
#include "check.h"

static __attribute__((unused)) volatile sig_atomic_t count, last, order[64], nested;
static __attribute__((unused)) siginfo_t seen;
static __attribute__((unused)) void *volatile handler_stack;

static __attribute__((unused)) void count_it(int signal) {
  order[count++ % 64] = signal;
  last = signal;
  handler_stack = __builtin_frame_address(0);
}

static __attribute__((unused)) void keep_info(int signal, siginfo_t *info, void *context) {
  (void)context;
  count++;
  last = signal;
  seen = *info;
}

static __attribute__((unused)) void handle(int signal, void (*handler)(int), int flags) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  action.sa_flags = flags;
  OK(sigaction(signal, &action, NULL));
}

static __attribute__((unused)) void handle_info(int signal, int flags) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = keep_info;
  action.sa_flags = SA_SIGINFO | flags;
  OK(sigaction(signal, &action, NULL));
}

static __attribute__((unused)) sigset_t set_of(int a, int b) {
  sigset_t set;
  sigemptyset(&set);
  if (a) sigaddset(&set, a);
  if (b) sigaddset(&set, b);
  return set;
}

static __attribute__((unused)) void block(int a, int b) {
  sigset_t set = set_of(a, b);
  OK(sigprocmask(SIG_BLOCK, &set, NULL));
}

static __attribute__((unused)) void unblock(int a, int b) {
  sigset_t set = set_of(a, b);
  OK(sigprocmask(SIG_UNBLOCK, &set, NULL));
}
#endif
