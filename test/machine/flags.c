/* Flags that are a function's result, or what it is given: compilers make no such code, others do. With "handler": where faults are handled, code may be anything. gcc -O1 -no-pie. */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

__asm__(
    ".text\n"
    "compare: cmp %esi, %edi\n ret\n"
    "difference: mov %edi, %eax\n sub %esi, %eax\n ret\n"
    "within: call compare\n ret\n"
    "tested: call difference\n test %eax, %eax\n ret\n"
    "framed: sub $24, %rsp\n call difference\n add $24, %rsp\n cmp %esi, %edi\n ret\n"
    "decremented: cmp %esi, %edi\n setge %al\n dec %al\n ret\n"
    "carried: mov %edi, %eax\n shr $1, %eax\n bt $3, %esi\n ret\n"
    "either: test $1, %edi\n jne 1f\n cmp %esi, %edi\n ret\n1: cmp %rdi, %rsi\n ret\n"
    "words: cmp %dil, %sil\n jne 1f\n cmp %esi, %edi\n1: ret\n"
    /* Behind other instructions, in other blocks. */
    "moved: cmp %dil, %sil\n jne 1f\n cmp %esi, %edi\n1: mov %rdi, %rax\n ret\n"
    "given: mov $0, %eax\n setl %al\n setz %ah\n ret\n"
    "gives: push %rbx\n cmp %esi, %edi\n lea given(%rip), %rbx\n call *%rbx\n pop %rbx\n cmp $256, %eax\n ret\n"
    "gives_direct: cmp %esi, %edi\n call given\n cmp $1, %eax\n ret\n");

/* How a comparison went, by its flags. */
#define ASK(name, a, b) \
  ({ \
    uint64_t seen; \
    __asm__ volatile("call " #name "\n mov $0, %%eax\n jge 1f\n or $1, %%eax\n 1:" : "=a"(seen) : "D"(a), "S"(b) : "cc", "memory"); \
    uint64_t other; \
    __asm__ volatile("call " #name "\n setc %%al\n setz %%ah\n movzwl %%ax, %%eax" : "=a"(other) : "D"(a), "S"(b) : "cc", "memory"); \
    seen * 7 + other; \
  })
#define SHOW(name) \
  do { \
    uint64_t sum = 0; \
    uint32_t seed = 1; \
    for (int i = 0; i < 60000; i++) { \
      seed = seed * 1664525 + 1013904223; \
      uint64_t a = seed >> 8 & 63, b = seed >> 16 & (i % 3 == 0 ? 63 : 255); \
      sum = sum * 31 + ASK(name, a, b); \
    } \
    printf(#name " %llx\n", (unsigned long long)sum); \
  } while (0)

static void on_fault(int signal) { exit(signal); }

int main(int count, char **words) {
  (void)words;
  if (count > 1) signal(SIGSEGV, on_fault);
  SHOW(compare);
  SHOW(within);
  SHOW(tested);
  SHOW(framed);
  SHOW(decremented);
  SHOW(carried);
  SHOW(either);
  SHOW(words);
  if (count == 1) return 0;
  SHOW(moved);
  SHOW(gives);
  SHOW(gives_direct);
  return 0;
}
