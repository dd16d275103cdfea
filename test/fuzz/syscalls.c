/*
 * Makes random system calls with random arguments: syscalls COUNT SEED [BATCH [FIRST LAST]].
 *
 * Each batch is a child with its own generator, seeded by SEED and the batch's number, that ends after some thousand
 * calls, by what one of them did to it, or because it makes no more progress. With BATCH only that one is run, and its calls
 * FIRST to LAST are printed before they are made. The calls and their argument kinds come from Caisson's own table.
 *
 * What is checked here: a result is a value or an errno of Linux, and a page that may not be written stays as it is. That the
 * kernel survives, the test sees. Only for a sandbox: as root on a real machine it would do harm.
 */
#define _GNU_SOURCE
#include "fuzz-objects.h"
#include "syscalls-table.h"
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

enum { CALLS_A_BATCH = 2000, STALLED_MS = 150, HIGHEST_ERRNO = 133 };

/* What the parent sees of a child. */
struct progress {
  volatile long calls, last;
  volatile long bad_call, bad_result;
  volatile long returned, failed;
};

static struct progress *progress;
static long first_printed = 1, last_printed;
static pid_t parent;
static long stalled;

static void say(const char *text) {
  long length = 0;
  while (text[length]) length++;
  raw(SYS_write, REPORT_FD, (long)text, length, 0, 0, 0);
}

static void say_hex(unsigned long value) {
  char text[20] = "0x";
  int length = 2, shift = 60;
  while (shift > 0 && value >> shift == 0) shift -= 4;
  for (; shift >= 0; shift -= 4) text[length++] = "0123456789abcdef"[value >> shift & 15];
  text[length] = 0;
  say(text);
}

static void print_call(const struct call *call, const long *args) {
  say(call->name);
  for (int i = 0; i < 6; i++) {
    say(i == 0 ? "(" : ", ");
    say_hex(args[i]);
  }
  say(")\n");
}

/* Calls that end the caller by themselves are made in a child of their own. */
static int ends_caller(long number) { return number == SYS_exit || number == SYS_exit_group || number == SYS_rt_sigreturn; }

static int names_process(long number) {
  switch (number) {
    case SYS_kill: case SYS_tkill: case SYS_tgkill: case SYS_rt_sigqueueinfo: case SYS_rt_tgsigqueueinfo: case SYS_prlimit64: case SYS_setpriority: case SYS_process_vm_writev:
    case SYS_pidfd_open: case SYS_ptrace: case SYS_setpgid: case SYS_fcntl: case SYS_ioctl: case SYS_sched_setscheduler: case SYS_sched_setaffinity: case SYS_sched_setparam:
      return 1;
  }
  return 0;
}

static int changes_memory(long number) {
  switch (number) {
    case SYS_mmap: case SYS_munmap: case SYS_mprotect: case SYS_mremap: case SYS_madvise: case SYS_brk: case SYS_shmat: case SYS_pkey_mprotect: case SYS_remap_file_pages:
      return 1;
  }
  return 0;
}

/* The parent, its group and "everyone" are not to be hit: it counts. */
static void spare_parent(long *args) {
  for (int i = 0; i < 6; i++) {
    int id = (int)args[i];
    if (id == parent || id == -parent || id == -1 || id == 1) args[i] = raw(SYS_getpid, 0, 0, 0, 0, 0, 0);
  }
}

static void choose_arguments(const struct call *call, long *args) {
  const char *kind = call->kinds;
  friendly = below(2);
  for (int i = 0; i < 6; i++) {
    char wanted = *kind ? *kind++ : 'l';
    if (wanted == 's' || wanted == 'p') shape_pointer();
    args[i] = one_in(16) && !friendly ? argument("fpsnlig"[below(7)]) : argument(wanted);
    /* Addresses for mmap(2) and its kin: mostly where nothing else is. */
    if (changes_memory(call->number) && i == 0 && !one_in(24)) args[i] = (long)arena + (below(ARENA_PAGES) << 12) + (one_in(8) ? below(4096) : 0);
    if (changes_memory(call->number) && i == 1 && !one_in(24)) args[i] = below(8) << 12;
  }
  /* Large pieces at address 0 or a fixed one take the place of the program itself too often. */
  if (call->number == SYS_mmap && !one_in(32)) args[3] &= ~0x10 | ((unsigned long)args[0] >= (unsigned long)arena && (unsigned long)args[0] < (unsigned long)arena + (ARENA_PAGES << 12) ? 0x10 : 0);
  if (names_process(call->number)) spare_parent(args);
  if (call->number == SYS_kill && !one_in(16)) args[1] = below(2) ? 0 : SIGCONT;
}

/* Signals stay deliverable and the timer goes on, so that calls that wait come back. */
static void recover(long number) {
  switch (number) {
    case SYS_rt_sigaction: case SYS_rt_sigprocmask: case SYS_setitimer: case SYS_alarm: case SYS_seccomp: case SYS_sigaltstack: case SYS_rt_sigsuspend: case SYS_ppoll: case SYS_pselect6:
      keep_ticking();
  }
}

static void one_call(void) {
  const struct call *call = &calls[below(sizeof calls / sizeof *calls)];
  long args[6];
  if ((ends_caller(call->number) || !call->is_there) && !one_in(16)) return;
  if ((call->number == SYS_vhangup || call->number == SYS_chroot || call->number == SYS_umount2) && !one_in(16)) return;
  choose_arguments(call, args);
  if (progress->calls >= first_printed && progress->calls <= last_printed) print_call(call, args);
  progress->calls++;
  progress->last = call->number;
  if (ends_caller(call->number)) {
    if (raw(SYS_fork, 0, 0, 0, 0, 0, 0) != 0) return;
    raw(call->number, args[0], args[1], args[2], args[3], args[4], args[5]);
    raw(SYS_exit_group, 0, 0, 0, 0, 0, 0);
  }
  long result = makes_process(call->number) ? raw_process(call->number, args[0], args[1], args[2], args[3], args[4])
                                            : raw(call->number, args[0], args[1], args[2], args[3], args[4], args[5]);
  if (result < 0 && result >= -4095) progress->failed++;
  else progress->returned++;
  if (result < -HIGHEST_ERRNO && result >= -4095) {
    progress->bad_call = call->number;
    progress->bad_result = result;
    raw(SYS_exit_group, 3, 0, 0, 0, 0, 0);
  }
  if (changes_memory(call->number)) read_only_is_sure = 0;
  if (read_only_is_sure && read_only_changed()) {
    progress->bad_call = call->number;
    raw(SYS_exit_group, 4, 0, 0, 0, 0, 0);
  }
  recover(call->number);
}

static void __attribute__((noreturn)) run_batch(unsigned seed, unsigned batch) {
  start_random(seed, batch);
  setsid();
  struct rlimit processes = {64, 64}, none = {0, 0}, file = {64 << 20, 64 << 20};
  setrlimit(RLIMIT_CORE, &none);
  setrlimit(RLIMIT_FSIZE, &file);
  make_objects(batch);
  /* Three in four batches as an ordinary user, where root runs this. */
  if (batch % 4 != 0 && geteuid() == 0 && (setgid(1234) != 0 || setuid(1234) != 0)) _exit(5);
  setrlimit(RLIMIT_NPROC, &processes);
  keep_ticking();
  for (int i = 0; i < CALLS_A_BATCH; i++) {
    if (i % 64 == 63) renew_memory();
    one_call();
  }
  raw(SYS_exit_group, 0, 0, 0, 0, 0, 0);
  __builtin_unreachable();
}

/* Waits for the batch, and ends it when it makes no calls any more. Its status. */
static int watch(pid_t pid) {
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  int status;
  for (long seen = -1;;) {
    pid_t got = waitpid(pid, &status, WNOHANG);
    if (got == pid) return status;
    if (got < 0) {
      printf("a child is gone without a status: errno %d\n", errno);
      exit(1);
    }
    struct timespec time = {0, STALLED_MS * 1000000L};
    if (sigtimedwait(&child, NULL, &time) == -1 && errno == EAGAIN) {
      if (progress->calls == seen) {
        kill(pid, SIGKILL);
        stalled++;
      }
      seen = progress->calls;
    }
  }
}

static void end_group(pid_t pid) {
  int status;
  kill(-pid, SIGKILL);
  while (waitpid(-1, &status, WNOHANG) > 0) {
  }
}

int main(int argc, char **argv) {
  /* A random execve of this program itself comes here too. */
  if (argc < 3 || argc > 6) return 1;
  long count = atol(argv[1]), calls = 0, returned = 0, failed = 0, ended = 0, killed = 0, idle = 0;
  unsigned seed = atoi(argv[2]), batch = argc > 3 ? atoi(argv[3]) : 0;
  if (argc > 4) first_printed = atol(argv[4]);
  if (argc > 3) last_printed = argc > 5 ? atol(argv[5]) : LONG_MAX;
  if (argc == 4) first_printed = 0;
  parent = getpid();
  dup2(2, REPORT_FD);
  for (int signal = 1; signal < 65; signal++)
    if (signal != SIGINT && signal != SIGTERM) sigaction(signal, &(struct sigaction){.sa_handler = signal == SIGCHLD ? SIG_DFL : SIG_IGN}, NULL);
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child, NULL);
  progress = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  for (; calls < count; batch++) {
    progress->calls = progress->returned = progress->failed = progress->bad_call = progress->bad_result = 0;
    pid_t pid = fork();
    if (pid == 0) {
      sigprocmask(SIG_UNBLOCK, &child, NULL);
      run_batch(seed, batch);
    }
    if (pid < 0) return perror("fork"), 2;
    int status = watch(pid);
    end_group(pid);
    calls += progress->calls;
    returned += progress->returned;
    failed += progress->failed;
    if (WIFEXITED(status)) ended++;
    else killed++;
    if (WIFEXITED(status) && WEXITSTATUS(status) >= 3) {
      printf("batch %u: call %ld answered %ld (status %d)\n", batch, progress->bad_call, progress->bad_result, WEXITSTATUS(status));
      return 1;
    }
    dprintf(REPORT_FD, "batch %u of seed %u: %ld calls, last %ld, status 0x%x\n", batch, seed, progress->calls, progress->last, status);
    idle = progress->calls > 0 ? 0 : idle + 1;
    if (idle > 20) {
      printf("batch %u: the children make no calls any more\n", batch);
      return 1;
    }
    if (argc > 3) break;
  }
  printf("%ld calls: %ld succeeded, %ld failed; %ld batches ended, %ld died, %ld of them by the watch because they waited for ever\n", calls, returned, failed, ended, killed, stalled);
  return 0;
}
