/*
 * An interpreter whose handlers end in an indirect jump each, and loops that are entered in the middle.
 * An argument chooses how much of the instruction set its program uses: prints the same for the same argument everywhere.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

static volatile sig_atomic_t ticks;
static void on_tick(int signal) {
  (void)signal;
  ticks++;
}

static __attribute__((noinline)) long called(long a, long b) {
  static long n;
  n += a ^ b;
  return n * 3 + a;
}
static __attribute__((noinline)) double averaged(double a) {
  static double n;
  n = n * 0.5 + a;
  return n;
}

/* Handlers with calls, floating point, loops, jumps to each other's middles, and flags that live across blocks. */
static long interpret(const unsigned char *code, long limit) {
  static void *const labels[] = {&&l0,  &&l1,  &&l2,  &&l3,  &&l4,  &&l5,  &&l6,  &&l7,  &&l8,  &&l9,  &&l10, &&l11,
                                 &&l12, &&l13, &&l14, &&l15, &&l16, &&l17, &&l18, &&l19, &&l20, &&l21, &&l22, &&l23};
  long stack[64], *top = stack, acc = 1, x = 2, y = 3, n = 0;
  double d = 1.5, e = 2.25;
  const unsigned char *pc = code;
  memset(stack, 0, sizeof stack);
#define NEXT do { if (++n >= limit) goto end; goto *labels[*pc++]; } while (0)
  NEXT;
l0: acc += x; NEXT;
l1: x ^= acc << 3; NEXT;
l2: y -= x; NEXT;
l3: *top++ = acc; if (top > stack + 50) top = stack; NEXT;
l4: if (top > stack) acc ^= *--top; NEXT;
l5: acc = called(acc, x); NEXT;
l6: d = d * 0.75 + (double)(acc % 7); NEXT;
l7: e = averaged(d); NEXT;
l8: if (acc & 1) { x++; goto l0; } NEXT;
l9: y = y * 33 + 7; NEXT;
l10: acc -= y >> 2; NEXT;
l11: for (int i = 0; i < 5; i++) { acc = acc * 3 + i; middle: if (acc & 64) y++; } NEXT;
l12: if (x > y) goto l14; acc++; NEXT;
l13: x = (long)((unsigned long)x << 7 | (unsigned long)x >> 57); NEXT;
l14: y ^= 0x55; if ((y & 15) == 3) goto middle; NEXT;
l15: d -= e * 0.25; NEXT;
l16: acc ^= (long)(d * 10); NEXT;
l17: pc = code; NEXT;
l18: if (n % 3 == 0) pc += 1; NEXT;
l19: x = -x; NEXT;
l20: acc = (acc & 0xff00) | (x & 0xff); NEXT;
l21: top[0] = x; top[1] = y; y = top[0] ^ top[1]; NEXT;
l22: acc += called(x, y) > 0 ? 1 : 2; NEXT;
l23: x = acc > y; NEXT;
end:
  printf("%ld %ld %ld %g %g %ld\n", acc, x, y, d, e, (long)(top - stack));
  return acc;
}

/* Two loops in each other that begin at any of three places. */
static __attribute__((noinline)) long entered(long n, int place) {
  long a = n, b = 0;
  int i = 0;
  switch (place) {
    case 0: goto first;
    case 1: goto second;
    default: goto third;
  }
  while (a > 0) {
  first:
    b += a & 3;
    for (i = 0; i < 3; i++) {
      b ^= a << i;
    second:
      a--;
      if (a % 5 == 0) break;
    }
  third:
    b = b * 7 + a;
    a -= 2;
  }
  return b;
}

/* Handlers that begin with the flags that the one before has set. */
long flags_between(const unsigned char *code, long limit);
#define HANDLER(k) "flags_handler_" #k ": adc $" #k ", %rax\n rol $" #k ", %rax\n dec %rsi\n jz 1f\n movzbl (%rdi), %ecx\n inc %rdi\n and $7, %ecx\n cmp $3, %ecx\n jmp *(%rdx,%rcx,8)\n1: ret\n"
__asm__(
    ".data\nflags_handlers: .quad flags_handler_0, flags_handler_1, flags_handler_2, flags_handler_3, flags_handler_4, flags_handler_5, flags_handler_6, flags_handler_7, flags_handler_8, flags_handler_9\n.text\n"
    "flags_between: lea flags_handlers(%rip), %rdx\n xor %eax, %eax\n jmp flags_handler_0\n"
    HANDLER(0) HANDLER(1) HANDLER(2) HANDLER(3) HANDLER(4) HANDLER(5) HANDLER(6) HANDLER(7) HANDLER(8) HANDLER(9));

int main(int argc, char **argv) {
  const int used = argc > 1 ? atoi(argv[1]) : 24;
  const struct itimerval often = {{0, 3000}, {0, 3000}};
  signal(SIGALRM, on_tick);
  setitimer(ITIMER_REAL, &often, 0);
  unsigned char code[4096];
  unsigned seed = 12345;
  for (int i = 0; i < 4093; i++) {
    seed = seed * 1103515245 + 12345;
    code[i] = (unsigned char)((seed >> 16) % (unsigned)used);
    if (code[i] == 17) code[i] = 9;
  }
  code[4093] = code[4094] = code[4095] = 17;
  long sum = 0;
  for (int i = 1; i < 6; i++) sum += interpret(code, 400000L * i);
  for (int i = 0; i < 60000; i++) sum = sum * 31 + entered(i % 97, i % 3);
  for (int i = 0; i < 200; i++) sum = sum * 31 + flags_between(code, 4000);
  printf("%ld\n", sum);
  return ticks == 0;
}
