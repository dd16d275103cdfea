/* Faults in hot code, where each access is looked at: what a handler sees, and what was done before. Prints the same on any machine. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { PAGE = 4096, ROUNDS = 60000, LATER = 40000 };

static sigjmp_buf back;
static char *area;
/* Of the last fault. */
static long fault_at, fault_rax, fault_rcx;
static int faults, opens;

static void on_fault(int number, siginfo_t *info, void *context) {
  const greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
  (void)number;
  faults++;
  fault_at = (char *)info->si_addr - area;
  fault_rax = registers[REG_RAX];
  fault_rcx = registers[REG_RCX];
  if (opens == 0) siglongjmp(back, 1);
  opens--;
  mprotect((void *)((uintptr_t)info->si_addr & -PAGE), PAGE, PROT_READ | PROT_WRITE);
}

static void report(const char *name, long value) {
  printf("%s: %ld, %d faults, at %ld\n", name, value, faults, fault_at);
  faults = 0;
  fault_at = 0;
}

struct record {
  long first, second[200], last;
};

/* Two fields, by way of one register; between them something is done. */
__attribute__((noinline)) static long both(struct record *record, long *done) {
  *done += record->first;
  long sum = record->first * 3;
  *done += 1;
  return sum + record->last;
}

/* The second of them only sometimes. */
__attribute__((noinline)) static long perhaps(struct record *record, int wanted) {
  long sum = record->first;
  if (wanted) sum += record->last;
  return sum + 1;
}

/* Starts with an access: where units are entered. */
__attribute__((noinline)) static long length(const char *text) {
  const char *end = text;
  while (*end) end++;
  return end - text;
}

__attribute__((noinline)) static uint64_t unaligned(const char *from, int count) {
  uint64_t sum = 0;
  for (int index = 0; index < count; index++) {
    uint64_t word;
    memcpy(&word, from + 13 * index, 8);
    sum = sum * 31 + word;
  }
  return sum;
}

__attribute__((noinline)) static void fill(char *to, int count, long value) {
  for (int index = 0; index < count; index++) memcpy(to + 13 * index, &value, 8);
}

/* A frame that is used in several blocks, and behind a call. */
__attribute__((noinline)) static long frame(long count) {
  volatile long slots[6] = {count, 1, 2, 3, 4, 5};
  if (count & 1) slots[1] += slots[0];
  else slots[2] -= slots[5];
  if (count % 7 == 0) slots[3] += length("seven");
  return slots[1] + slots[2] * slots[3] + slots[4];
}

/* Registers at a fault in the middle of a block; push and pop around it. */
__attribute__((noinline)) static long middle(char *at, long count) {
  long result;
  __asm__ volatile("mov %2, %%rcx\n\t xor %%eax, %%eax\n"
                   "1: add $5, %%rax\n\t push %%rax\n\t mov (%1), %%dl\n\t mov 8(%1), %%dl\n\t pop %%rax\n\t add $2, %%rax\n\t mov %%rax, 16(%1)\n\t dec %%rcx\n\t jnz 1b\n\t mov %%rax, %0"
                   : "=r"(result) : "r"(at), "r"(count) : "rax", "rcx", "rdx", "memory", "cc");
  return result;
}

static void protect(int page, int protection) {
  if (mprotect(area + page * PAGE, PAGE, protection) != 0) perror("mprotect");
}

int main(void) {
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGBUS, &action, NULL);
  area = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (int index = 0; index < 8 * PAGE; index++) area[index] = (char)(index * 7 + 1) | 1;
  /* The last page is never there. */
  protect(7, PROT_NONE);

  struct record *split = (struct record *)(area + PAGE - 800);
  split->first = 5;
  split->last = 7;
  volatile long sum = 0;
  long done = 0;
  for (int round = 0; round < ROUNDS; round++) {
    if (round == LATER) protect(1, PROT_NONE);
    if (sigsetjmp(back, 1) == 0) sum += both(split, &done);
    else {
      sum += 1000000;
      protect(1, PROT_READ);
    }
  }
  report("second field", sum + done);
  protect(1, PROT_READ | PROT_WRITE);

  sum = 0;
  protect(1, PROT_NONE);
  for (int round = 0; round < ROUNDS; round++) {
    if (sigsetjmp(back, 1) == 0) sum += perhaps(split, round % 5000 == 4999);
    else sum += 1000;
  }
  report("a field that is seldom read", sum);
  protect(1, PROT_READ | PROT_WRITE);

  memset(area + 6 * PAGE, 'x', PAGE);
  sum = 0;
  for (int round = 0; round < 300; round++) {
    if (sigsetjmp(back, 1) == 0) sum += length(area + 6 * PAGE + round);
    else sum += fault_at;
  }
  report("text without end", sum);

  sum = 0;
  for (int round = 0; round < 200; round++) sum ^= unaligned(area + round, 5 * PAGE / 13) >> 8;
  report("unaligned reads", sum);

  sum = 0;
  for (int round = 0; round < 200; round++) {
    if (round == 150) {
      protect(2, PROT_READ);
      protect(3, PROT_NONE);
      opens = 2;
    }
    fill(area, 5 * PAGE / 13, round * 0x0101010101L);
    sum += area[2 * PAGE + 100] + area[3 * PAGE - 3] + area[3 * PAGE + 5];
  }
  report("pages that are opened", sum);

  sum = 0;
  for (int round = 0; round < ROUNDS; round++) sum += frame(round);
  report("frames", sum);

  volatile long got = 0;
  for (int round = 0; round < 2000; round++) {
    if (round == 1500) protect(5, PROT_READ);
    if (sigsetjmp(back, 1) == 0) got += middle(area + 5 * PAGE, 40);
    else got += fault_rax * 100 + fault_rcx;
  }
  report("stores to a page that is only read", got);
  protect(5, PROT_READ | PROT_WRITE);
  for (int round = 0; round < 2000; round++) {
    if (sigsetjmp(back, 1) == 0) got += middle(area + 7 * PAGE - (round > 1000 ? 4 : 400), 40);
    else got += fault_rax * 100 + fault_rcx;
  }
  report("the second of two reads", got);

  sum = 0;
  for (int round = 0; round < 20000; round++) {
    const char *at = round % 1000 == 999 ? (const char *)0x123456789000 : area;
    if (sigsetjmp(back, 1) == 0) sum += length(at + PAGE) & 3;
    else sum += (long)(area + fault_at == (char *)0x123456789000 + PAGE);
    fault_at = 0;
  }
  report("addresses above 4 GiB", sum);

  unsigned char *code = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  sum = 0;
  for (int round = 0; round < 30000; round++) {
    if (round % 3000 == 0) {
      const unsigned char function[] = {0x8d, 0x87, (unsigned char)round, (unsigned char)(round >> 8), 0, 0, 0xc3}; /* lea eax, [rdi + round]; ret */
      memcpy(code, function, sizeof function);
    }
    code[PAGE - 1] += 1;
    sum += ((int (*)(int))code)(round) + code[PAGE - 1];
  }
  report("code that is written anew", sum);
  return 0;
}
