/*
 * Random sequences of what the interpreter has handlers for that do several instructions: a comparison and the branch behind it, and
 * pairs (src/machine/interpreter/pairs.ts). Prints sums of the registers and the memory after them; some end with a fault, some write
 * over the instruction behind them. Code and data are at the same addresses everywhere. gcc -O1 -no-pie.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#define CODE 0x20000000ul
/* Two pages that can be written between pages that cannot be accessed. */
#define DATA 0x21001000ul
#define DATA_SIZE 8192

static uint64_t state = 1;
static uint32_t below(uint32_t bound) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(state >> 33) % bound;
}

static uint64_t sum;
static void count(uint64_t value) { sum = (sum ^ value) * 0x9e3779b97f4a7c15u + (sum >> 29); }

/* rax, rcx, rdx, rbx, r8 to r13 hold data; rsi and rdi point to it; rbp is 0 or DATA for indexes. */
static const int data_registers[] = {0, 1, 2, 3, 8, 9, 10, 11, 12, 13};
static int data(void) { return data_registers[below(10)]; }
static int any(void) { return below(4) == 0 ? 6 + (int)below(2) : data(); }

static uint8_t *at;
static void bytes(int count, const uint8_t *from) {
  memcpy(at, from, (size_t)count);
  at += count;
}
#define BYTES(...) bytes(sizeof (uint8_t[]){__VA_ARGS__}, (uint8_t[]){__VA_ARGS__})

/* opcode with register operands */
static void registers(int wide, int opcode, int reg, int rm) {
  BYTES(0x40 | wide << 3 | (reg >> 3) << 2 | rm >> 3, opcode, 0xc0 | (reg & 7) << 3 | (rm & 7));
}
/* opcode with [rsi or rdi + disp8], or, scaled, [rsi or rdi + rbp * 1 + disp8] */
static void memory(int wide, int escape, int opcode, int reg, int scaled) {
  int base = 6 + (int)below(2);
  BYTES(0x40 | wide << 3 | (reg >> 3) << 2);
  if (escape) BYTES(0x0f);
  BYTES(opcode, 0x40 | (reg & 7) << 3 | (scaled ? 4 : base));
  if (scaled) BYTES(0x28 | base);
  BYTES(below(128));
}
static void immediate(int operation, int rm) { BYTES(0x48 | rm >> 3, 0x83, 0xc0 | operation << 3 | (rm & 7), below(256)); }
static void push(int reg) { BYTES(0x40 | reg >> 3, 0x50 | (reg & 7)); }
static void pop(int reg) { BYTES(0x40 | reg >> 3, 0x58 | (reg & 7)); }

static void simple(void) {
  switch (below(19)) {
    case 0: case 1: memory(1, 0, 0x8b, data(), 0); break;
    case 2: memory(1, 0, 0x8b, data(), 1); break;
    case 3: memory(0, 0, 0x8b, data(), 0); break;
    case 4: memory(0, 1, 0xb6, data(), 0); break;
    case 5: memory(1, 0, 0x89, any(), 0); break;
    case 6: memory(0, 0, 0x89, any(), 0); break;
    case 7: registers(1, 0x89, any(), data()); break;
    case 8: registers(0, 0x89, any(), data()); break;
    case 9: push(any()); break;
    case 10: pop(data()); break;
    case 11: memory(1, 0, 0x8d, data(), 0); break;
    case 12: immediate(below(2) ? 0 : 5, data()); break;
    case 13: immediate(4, data()); break;
    case 14: memory(1, 0, 0x8d, data(), 1); break;
    case 15: memory(0, 1, 0xb7, data(), 0); break;
    case 16: memory(1, 0, 0x63, data(), 1); break;
    case 17: /* movdqu xmm0, [rsi + disp8]; pxor xmm1, xmm1; pcmpeqb xmm1, xmm0; pmovmskb eax, xmm1 */
      BYTES(0xf3, 0x0f, 0x6f, 0x46, below(128), 0x66, 0x0f, 0xef, 0xc9, 0x66, 0x0f, 0x74, 0xc8, 0x66, 0x0f, 0xd7, 0xc1);
      break;
    default: registers(0, 0x31, data(), data());
  }
}

static void comparison(void) {
  static const uint8_t opcodes[] = {0x39, 0x3b, 0x85, 0x38, 0x3a, 0x84};
  int opcode = opcodes[below(6)];
  switch (below(6)) {
    case 0: memory((int)below(2), 0, opcode, any(), (int)below(2)); break;
    case 1: immediate(7, any()); break;
    case 2: BYTES(0x66, 0x83, 0xf8 | below(4), below(256)); break;
    case 3: BYTES(0x80, 0x7e, below(128), below(256)); break; /* cmp byte [rsi + disp8], imm8 */
    case 4: BYTES(below(2) ? 0x3c : 0xa8, below(256)); break; /* cmp or test al, imm8 */
    default: registers((int)below(2), opcode, any(), any());
  }
}

/* A branch over some of what follows: taken or not, control comes to the same place. Some of the flags are read there. */
static void branch(void) {
  comparison();
  BYTES(0x70 | below(16), 0);
  uint8_t *from = at;
  for (int skipped = (int)below(3); skipped > 0; skipped--) simple();
  from[-1] = (uint8_t)(at - from);
  for (int read = (int)below(3); read > 0; read--) BYTES(0x41, 0x0f, 0x90 | below(16), 0xc0 | below(6)); /* setcc r8b to r13b */
}

/* A call of the next instruction, or a return to it. */
static void call(void) {
  if (below(2)) BYTES(0xe8, 0, 0, 0, 0);
  else if (below(2)) BYTES(0x48, 0x8d, 0x05, 2, 0, 0, 0, 0x50, 0xc3); /* lea rax, [rip + 2]; push rax; ret */
  else BYTES(0x48, 0x8d, 0x05, 4, 0, 0, 0, 0x50, 0x51, 0x59, 0xc3); /* push rcx; pop rcx between them */
}

/* mov [rip], rax of the eight bytes behind it, which add to rdx before, and subtract from it after that. */
static void patch(void) {
  BYTES(0x48, 0xb8, 0x48, 0x83, 0xea, 7, 0x90, 0x90, 0x90, 0x90); /* mov rax, sub rdx, 7 and nops */
  BYTES(0x48, 0x89, 0x05, 0, 0, 0, 0, 0x48, 0x83, 0xc2, 5, 0x90, 0x90, 0x90, 0x90);
}

uint64_t before[16], after[16];
static uint64_t stack;
static sigjmp_buf out;

static void on_fault(int signal, siginfo_t *info, void *context) {
  static const int order[] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI, REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13};
  greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
  for (int index = 0; index < 14; index++) count((uint64_t)registers[order[index]]);
  count((uint64_t)registers[REG_RIP]);
  count((uint64_t)info->si_addr);
  siglongjmp(out, signal);
}

static __attribute__((noinline)) void run(void) {
  asm volatile(
      "push %%rbp\n push %%rbx\n mov %%rsp, %[stack]\n"
      "mov before+8(%%rip), %%rcx\n mov before+16(%%rip), %%rdx\n mov before+24(%%rip), %%rbx\n mov before+32(%%rip), %%rsp\n"
      "mov before+40(%%rip), %%rbp\n mov before+48(%%rip), %%rsi\n mov before+56(%%rip), %%rdi\n mov before+64(%%rip), %%r8\n"
      "mov before+72(%%rip), %%r9\n mov before+80(%%rip), %%r10\n mov before+88(%%rip), %%r11\n mov before+96(%%rip), %%r12\n"
      "mov before+104(%%rip), %%r13\n mov before(%%rip), %%rax\n mov $0x20000000, %%r14d\n jmp *%%r14\n"
      ".globl back\nback:\n"
      "mov %%rsp, after+32(%%rip)\n mov %[stack], %%rsp\n"
      "mov %%rax, after(%%rip)\n mov %%rcx, after+8(%%rip)\n mov %%rdx, after+16(%%rip)\n mov %%rbx, after+24(%%rip)\n mov %%rbp, after+40(%%rip)\n"
      "mov %%rsi, after+48(%%rip)\n mov %%rdi, after+56(%%rip)\n mov %%r8, after+64(%%rip)\n mov %%r9, after+72(%%rip)\n mov %%r10, after+80(%%rip)\n"
      "mov %%r11, after+88(%%rip)\n mov %%r12, after+96(%%rip)\n mov %%r13, after+104(%%rip)\n pop %%rbx\n pop %%rbp\n"
      : [stack] "+m"(stack)
      :: "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "memory", "cc");
}
extern char back[];

static void make(int patched) {
  at = (uint8_t *)CODE;
  for (int length = 4 + (int)below(24); length > 0; length--) {
    switch (below(patched ? 7 : 6)) {
      case 0: case 1: branch(); break;
      case 2: call(); break;
      case 6: patch(); break;
      default: simple();
    }
  }
  uint64_t target = (uint64_t)back;
  BYTES(0x49, 0xbe); /* mov r14, back; jmp r14 */
  bytes(8, (uint8_t *)&target);
  BYTES(0x41, 0xff, 0xe6);
}

/* Near an end of the pages now and then. */
static uint64_t place(void) { return DATA + (below(20) == 0 ? DATA_SIZE - 128 + below(64) : 64 + below(DATA_SIZE - 400)); }

static void prepare(void) {
  for (int index = 0; index < 16; index++) before[index] = below(3) == 0 ? (uint64_t)(int64_t)((int)below(7) - 3) : state;
  before[4] = (place() & ~7ul) + 64;
  before[5] = below(2) * 8;
  before[6] = place();
  before[7] = place();
}

int main(void) {
  mmap((void *)(DATA - 4096), DATA_SIZE + 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  mprotect((void *)DATA, DATA_SIZE, PROT_READ | PROT_WRITE);
  static char alternate[65536];
  sigaltstack(&(stack_t){.ss_sp = alternate, .ss_size = sizeof alternate}, NULL);
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGBUS, &action, NULL);
  volatile int faults = 0;
  for (volatile int round = 0; round < 6000; round++) {
    int patched = round % 10 == 0;
    mmap((void *)CODE, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    make(patched);
    mprotect((void *)CODE, 4096, patched ? PROT_READ | PROT_WRITE | PROT_EXEC : PROT_READ | PROT_EXEC);
    for (volatile int again = 0; again < 3; again++) {
      prepare();
      if (sigsetjmp(out, 1) == 0) {
        run();
        for (int index = 0; index < 14; index++) count(after[index]);
      } else faults++;
    }
    if (round % 500 == 499) {
      for (int word = 0; word < DATA_SIZE / 8; word++) count(((uint64_t *)DATA)[word]);
      printf("%d %llx\n", round, (unsigned long long)sum);
    }
  }
  printf("faults %d\n", (int)faults);
}
