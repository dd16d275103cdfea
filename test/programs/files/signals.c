#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static sigjmp_buf back;
static volatile sig_atomic_t seen;
static void on_fault(int signal) { siglongjmp(back, signal); }
static void on_usr(int signal, siginfo_t *info, void *context) { seen += signal == SIGUSR1 && info->si_code == SI_USER; (void)context; }

int main(void) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_fault;
  action.sa_flags = SA_NODEFER;
  sigaction(SIGSEGV, &action, 0);
  sigaction(SIGFPE, &action, 0);
  int signal = sigsetjmp(back, 1);
  if (signal == 0) *(volatile int *)16 = 1;
  printf("fault %d\n", signal);
  volatile int zero = 0;
  signal = sigsetjmp(back, 1);
  if (signal == 0) printf("%d\n", 5 / zero);
  printf("fault %d\n", signal);
  action.sa_sigaction = on_usr;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGUSR1, &action, 0);
  for (int i = 0; i < 5; i++) kill(getpid(), SIGUSR1);
  printf("usr1 %d\n", (int)seen);
  fflush(stdout);
  if (fork() == 0) abort();
  int status;
  wait(&status);
  printf("child signal %d\n", WTERMSIG(status));
  raise(SIGKILL);
}
