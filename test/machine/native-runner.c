/*
 * Runs single instructions on the host's processor and reports the state after them.
 *
 * Standard input is a file of cases, standard output one of as many results (layout: case-layout.ts). The processor's state
 * is loaded and stored by the kernel: each case ends with a signal (the byte behind it is HLT, which user
 * mode may not execute), and the handler reads the result from its ucontext and writes the next case
 * there, so that sigreturn(2) starts it.
 */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define DATA 0x01000000UL
#define DATA_SIZE 0x2000UL
#define READ_ONLY 0x01002000UL
#define CODE 0x01100000UL
#define CODE_SIZE 0x10000UL
#define SLOT 64
#define WINDOW 0x01000f80UL
#define WINDOW_SIZE 256
#define GS_BASE 0x01000800UL
#define HLT 0xf4
#define FX_SIZE 416
#define YMM_SIZE 256
/* Where a signal frame has the upper halves of the YMM registers: the standard form of XSAVE. */
#define FRAME_YMM 576
/* The components that the frame has, in its software bytes. */
#define FRAME_FEATURES 472

struct test_case {
  uint32_t length, slot;
  uint8_t code[32];
  uint64_t registers[16];
  uint64_t flags;
  uint8_t fx[FX_SIZE];
  uint8_t window[WINDOW_SIZE];
  uint8_t ymm[YMM_SIZE];
};

struct result {
  uint32_t vector, error;
  uint64_t fault_address, rip;
  uint64_t registers[16];
  uint64_t flags;
  uint8_t fx[FX_SIZE];
  uint8_t window[WINDOW_SIZE];
  uint64_t hash;
  uint8_t ymm[YMM_SIZE];
};

/* In the order of the encoding: rax rcx rdx rbx rsp rbp rsi rdi r8 to r15. */
static const int register_order[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                       REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

static struct test_case *cases;
static struct result *results;
static size_t count, next;
static int running;
static gregset_t saved_registers;
static uint8_t saved_fx[FX_SIZE];
static uint8_t pattern[DATA_SIZE];
/* Where the code can be written. */
static uint8_t *code;

/* FNV-1a over 8-byte words; 0 when nothing outside the window changed. */
static uint64_t outside_hash(void) {
  const uint8_t *data = (const uint8_t *)DATA;
  size_t before = WINDOW - DATA, after = before + WINDOW_SIZE;
  if (!memcmp(data, pattern, before) && !memcmp(data + after, pattern + after, DATA_SIZE - after)) return 0;
  uint64_t hash = 0xcbf29ce484222325UL;
  for (size_t at = 0; at < DATA_SIZE; at += 8) {
    uint64_t word;
    if (at == before) at = after;
    memcpy(&word, data + at, 8);
    hash = (hash ^ word) * 0x100000001b3UL;
  }
  return hash;
}

static void store(const ucontext_t *context) {
  struct result *result = &results[next];
  const greg_t *registers = context->uc_mcontext.gregs;
  result->vector = registers[REG_TRAPNO];
  result->error = registers[REG_ERR];
  result->fault_address = registers[REG_CR2];
  result->rip = registers[REG_RIP];
  for (int i = 0; i < 16; i++) result->registers[i] = registers[register_order[i]];
  result->flags = registers[REG_EFL];
  const uint8_t *fx = (const uint8_t *)context->uc_mcontext.fpregs;
  memcpy(result->fx, fx, FX_SIZE);
  /* What is in its initial state is not in the frame. */
  if (fx[512] & 4) memcpy(result->ymm, fx + FRAME_YMM, YMM_SIZE);
  else memset(result->ymm, 0, YMM_SIZE);
  memcpy(result->window, (void *)WINDOW, WINDOW_SIZE);
  result->hash = outside_hash();
  if (result->hash) memcpy((void *)DATA, pattern, DATA_SIZE);
  memset(code + cases[next].slot * SLOT, HLT, cases[next].length);
}

static void load(ucontext_t *context) {
  const struct test_case *test = &cases[next];
  greg_t *registers = context->uc_mcontext.gregs;
  uint8_t *fx = (uint8_t *)context->uc_mcontext.fpregs;
  uint64_t address = CODE + test->slot * SLOT;
  for (int i = 0; i < 16; i++) registers[register_order[i]] = test->registers[i];
  registers[REG_EFL] = test->flags;
  registers[REG_RIP] = address;
  memcpy(fx, test->fx, FX_SIZE);
  *(uint64_t *)(fx + 512) |= 3; /* XSTATE_BV: x87 and SSE are not in their initial state */
  /* The same of AVX, where the frame has it. */
  if (fx[FRAME_FEATURES] & 4) memcpy(fx + FRAME_YMM, test->ymm, YMM_SIZE), fx[512] |= 4;
  memcpy((void *)WINDOW, test->window, WINDOW_SIZE);
  memcpy(code + test->slot * SLOT, test->code, test->length);
}

static void handler(int signal, siginfo_t *info, void *argument) {
  ucontext_t *context = argument;
  (void)signal, (void)info;
  if (running) {
    store(context);
    next++;
  } else {
    memcpy(saved_registers, context->uc_mcontext.gregs, sizeof saved_registers);
    memcpy(saved_fx, context->uc_mcontext.fpregs, FX_SIZE);
    running = 1;
  }
  if (next < count) {
    load(context);
  } else {
    memcpy(context->uc_mcontext.gregs, saved_registers, sizeof saved_registers);
    memcpy(context->uc_mcontext.fpregs, saved_fx, FX_SIZE);
    running = 0;
  }
}

/* The code may not be written where it runs: a case that did would change another one. */
static void map_code(void) {
  int fd = syscall(SYS_memfd_create, "code", 0);
  if (fd < 0 || ftruncate(fd, CODE_SIZE)) perror("memfd"), exit(1);
  code = mmap(NULL, CODE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
  void *run = mmap((void *)CODE, CODE_SIZE, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_FIXED_NOREPLACE | MAP_POPULATE, fd, 0);
  if (code == MAP_FAILED || run == MAP_FAILED) perror("mmap of the code"), exit(1);
  memset(code, HLT, CODE_SIZE);
}

static void *map(unsigned long address, size_t size, int protection) {
  void *memory = mmap((void *)address, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_POPULATE, -1, 0);
  if (memory == MAP_FAILED) perror("mmap"), exit(1);
  return memory;
}

static void set_up(void) {
  static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
  static uint8_t stack[1 << 16];
  stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigaltstack(&alternate, NULL);
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) sigaction(signals[i], &action, NULL);

  map(DATA, DATA_SIZE, PROT_READ | PROT_WRITE);
  for (size_t i = 0; i < DATA_SIZE; i++) pattern[i] = i * 7 + (i >> 8);
  memcpy((void *)DATA, pattern, DATA_SIZE);
  memset(map(READ_ONLY, 4096, PROT_READ | PROT_WRITE), 0x5a, 4096);
  mprotect((void *)READ_ONLY, 4096, PROT_READ);
  map_code();
  syscall(SYS_arch_prctl, ARCH_SET_GS, GS_BASE);
}

/* The whole file, or exit. */
static void *map_file(int fd, size_t size) {
  void *memory = mmap(NULL, size, PROT_READ | (fd == 1 ? PROT_WRITE : 0), MAP_SHARED | MAP_POPULATE, fd, 0);
  if (memory == MAP_FAILED) perror("mmap of a file"), exit(1);
  return memory;
}

int main(void) {
  struct stat status;
  if (fstat(0, &status) != 0) return 1;
  count = status.st_size / sizeof *cases;
  if (count == 0) return 0;
  cases = map_file(0, status.st_size);
  results = map_file(1, count * sizeof *results);
  set_up();
  /* Of its own time: it may have to wait for the processor. */
  setrlimit(RLIMIT_CPU, &(struct rlimit){120, 120});
  raise(SIGTRAP);
  return 0;
}
