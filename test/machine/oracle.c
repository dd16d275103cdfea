/*
 * Runs single instructions on the host CPU, for the unit tests of the helpers.
 *
 * Reads requests of SIZE bytes from stdin and writes them back as the processor left them:
 *   0 code length (4 bytes), 4 code (12 bytes; the memory operand is at [rdi]),
 *   16 FSAVE image (108 bytes), 144 memory operand (128 bytes), 272 xmm0 to xmm2,
 *   320 rax, 328 rflags, 336 signal number (0 none).
 */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define SIZE 344

static sigjmp_buf escape;
static _Alignas(16) unsigned char request[SIZE];
static unsigned char *code;

static void on_signal(int number) { siglongjmp(escape, number); }

static void execute(void) {
  unsigned char *data = request;
  __asm__ volatile(
      "push %%rbx\n\tpush %%rbp\n\tmov %[data], %%rbx\n\tmov %[code], %%rbp\n\t"
      "movdqu 272(%%rbx), %%xmm0\n\tmovdqu 288(%%rbx), %%xmm1\n\tmovdqu 304(%%rbx), %%xmm2\n\t"
      "pushq 328(%%rbx)\n\tpopfq\n\tmov 320(%%rbx), %%rax\n\tlea 144(%%rbx), %%rdi\n\t"
      "frstor 16(%%rbx)\n\tcall *%%rbp\n\tfnsave 16(%%rbx)\n\t"
      "mov %%rax, 320(%%rbx)\n\tpushfq\n\tpopq 328(%%rbx)\n\t"
      "movdqu %%xmm0, 272(%%rbx)\n\tmovdqu %%xmm1, 288(%%rbx)\n\tmovdqu %%xmm2, 304(%%rbx)\n\t"
      "pop %%rbp\n\tpop %%rbx\n\t"
      :
      : [data] "r"(data), [code] "r"(code)
      : "rax", "rcx", "rdx", "rdi", "rsi", "r8", "r9", "r10", "r11", "xmm0", "xmm1", "xmm2", "memory", "cc");
}

int main(void) {
  unsigned char last[16] = {0};
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_NODEFER};
  code = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (code == MAP_FAILED) return 1;
  sigaction(SIGFPE, &action, 0);
  sigaction(SIGILL, &action, 0);
  sigaction(SIGSEGV, &action, 0);
  while (fread(request, SIZE, 1, stdin) == 1) {
    uint32_t length;
    memcpy(&length, request, 4);
    if (memcmp(last, request, 16) != 0) {
      memcpy(code, request + 4, length);
      code[length] = 0xc3;
      memcpy(last, request, 16);
    }
    int number = sigsetjmp(escape, 1);
    if (number == 0) execute();
    __asm__ volatile("fninit");
    memcpy(request + 336, &number, 4);
    if (fwrite(request, SIZE, 1, stdout) != 1) return 1;
  }
  return 0;
}
