/* What the two tiers must agree on, in one program: prints a line a case. gcc -O1, dynamic. */
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

typedef uint64_t (*step)(uint64_t);

static __attribute__((noinline)) uint64_t add(uint64_t x) { return x + 0x9e3779b97f4a7c15u; }
static __attribute__((noinline)) uint64_t rotate(uint64_t x) { return x << 7 | x >> 57; }
static __attribute__((noinline)) uint64_t mix(uint64_t x) { return (x ^ x >> 29) * 0xbf58476d1ce4e5b9u; }
static __attribute__((noinline)) uint64_t swap(uint64_t x) { return __builtin_bswap64(x); }
static __attribute__((noinline)) uint64_t invert(uint64_t x) { return ~x; }

/* A loop that calls through a pointer: the first targets are known when it is translated, the others come later. */
static uint64_t pointers(step *steps, int count, int first, int last) {
  uint64_t x = 1;
  for (int i = 0; i < count; i++) x = steps[first + i % (last - first)](x);
  return x;
}

/* A switch with a case that comes only when the loop has long been hot. */
static __attribute__((noinline)) uint64_t dispatch(const unsigned char *code, int length) {
  uint64_t a = 1, b = 2;
  for (int i = 0; i < length; i++) {
    switch (code[i]) {
      case 0: a += b; break;
      case 1: b ^= a << 3; break;
      case 2: a = a * 5 + 1; break;
      case 3: b -= a; break;
      case 4: a ^= b >> 7; break;
      case 5: b = b * 3 + a; break;
      case 6: a = ~a; break;
      case 7: b += 77; break;
      default: a ^= b; b ^= a; a ^= b;
    }
  }
  return a ^ b;
}

/* Flags that are set before a jump through a table and read behind it, where no other way leads. */
uint64_t flags_across(uint64_t which, uint64_t value);
__asm__(
    ".data\nflags_table: .quad flags_0, flags_1, flags_2, flags_3\n.text\n"
    "flags_across: lea flags_table(%rip), %rdx\n xor %eax, %eax\n cmp $5, %rsi\n jmp *(%rdx,%rdi,8)\n"
    "flags_0: je 1f\n mov $3, %eax\n ret\n1: mov $7, %eax\n ret\n"
    "flags_1: jb 1f\n mov $11, %eax\n ret\n1: mov $13, %eax\n ret\n"
    "flags_2: jg 1f\n mov $17, %eax\n ret\n1: mov $19, %eax\n ret\n"
    "flags_3: setp %al\n adc $23, %eax\n ret\n");

static int deep(int n) { return n == 0 ? 0 : 1 + deep(n - 1); }

static jmp_buf again;
static void jump_back(int n) {
  if (n > 0) jump_back(n - 1);
  longjmp(again, 1);
}

/* Calls within calls within calls, by name, by pointer and to themselves, and a way out of the innermost one. */
static jmp_buf nest;
static __attribute__((noinline)) uint64_t innermost(uint64_t x, step then) {
  if (x % 1009 == 0) longjmp(nest, 1);
  return then(x) ^ (x & 1 ? rotate(x) : swap(x));
}
static __attribute__((noinline)) uint64_t within(uint64_t x, int again) {
  static const step steps[] = {add, mix, invert};
  uint64_t y = innermost(x, steps[x % 3]);
  return again > 0 ? within(y, again - 1) + x : y;
}
static __attribute__((noinline)) uint64_t around(uint64_t x) { return within(x, x & 1) + within(~x, 2) * 3; }
static uint64_t nested(int count, int *jumps) {
  volatile uint64_t sum = 1;
  for (volatile int i = 0; i < count; i++) {
    if (setjmp(nest) != 0) {
      ++*jumps;
      sum += i;
    } else sum = sum * 5 + around(sum ^ i);
  }
  return sum;
}

static int by_value(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

static volatile sig_atomic_t faults;
static char *volatile guard;
static sigjmp_buf out;
static void on_fault(int signal) {
  (void)signal;
  faults++;
  siglongjmp(out, 1);
}

/* A loop over two pages, the second of which is written anew when the loop is hot: what was made of both must go. */
static int patched(void) {
  unsigned char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  unsigned char *start = pages + 4096 - 10;
  static const unsigned char loop[] = {
    0x31, 0xc0,                     /* xor eax, eax */
    0x89, 0xc0, 0x90, 0x90,         /* loop: mov eax, eax; nops up to the second page */
    0x90, 0x90, 0x90, 0x90,
    0x83, 0xc0, 0x01,               /* add eax, 1 */
    0x83, 0xef, 0x01,               /* sub edi, 1 */
    0x75, 0xf0,                     /* jnz loop */
    0xc3};
  memcpy(start, loop, sizeof loop);
  int sum = 0;
  for (int step = 1; step < 5; step++) {
    pages[4096 + 2] = (unsigned char)step;
    mprotect(pages, 8192, PROT_READ | PROT_EXEC);
    for (int round = 0; round < 300; round++) sum += ((int (*)(int))start)(1000);
    mprotect(pages + 4096, 4096, PROT_READ | PROT_WRITE);
  }
  return sum;
}

int main(void) {
  step steps[] = {add, rotate, mix, swap, invert};
  printf("pointers %llx\n", (unsigned long long)pointers(steps, 200000, 0, 2));
  printf("more pointers %llx\n", (unsigned long long)pointers(steps, 200000, 0, 5));

  static unsigned char code[200000];
  for (int i = 0; i < 200000; i++) code[i] = (unsigned char)(i * 7 % (i < 150000 ? 4 : 9));
  printf("switch %llx\n", (unsigned long long)dispatch(code, 200000));

  uint64_t flags = 0;
  for (uint64_t i = 0; i < 300000; i++) flags = flags * 31 + flags_across(i % (i < 200000 ? 2 : 4), i / 4 % 11);
  printf("flags %llx\n", (unsigned long long)flags);

  int depth = 0;
  for (int i = 0; i < 200; i++) depth += deep(i * 20);
  printf("depth %d\n", depth);

  volatile int jumps = 0;
  if (setjmp(again) == 0 || jumps < 2000) {
    jumps++;
    jump_back(jumps % 50);
  }
  printf("jumps %d\n", jumps);

  int escapes = 0;
  uint64_t nests = nested(60000, &escapes);
  printf("nested %llx %d\n", (unsigned long long)nests, escapes);

  static uint32_t values[50000];
  for (uint32_t i = 0; i < 50000; i++) values[i] = i * 2654435761u;
  qsort(values, 50000, sizeof *values, by_value);
  uint64_t sum = 0;
  for (int i = 0; i < 50000; i++) sum = sum * 31 + values[i];
  printf("sorted %llx\n", (unsigned long long)sum);

  double x = 0.5, y = 0;
  for (int i = 0; i < 100000; i++) {
    x = x * 3.7 * (1 - x);
    y += sqrt(x) - floor(y);
  }
  long double z = 1;
  for (int i = 1; i < 3000; i++) z = z * 1.0001L + 1.0L / i;
  printf("numbers %.17g %.17g %.20Lg\n", x, y, z);

  char text[4096] = "";
  for (int i = 0; i < 400; i++) snprintf(text + strlen(text), sizeof text - strlen(text), "%d,", i * i % 97);
  printf("text %zu %s\n", strlen(text), text + 700);

  printf("patched %d\n", patched());

  signal(SIGSEGV, on_fault);
  for (int i = 0; i < 1000; i++) {
    if (sigsetjmp(out, 1) == 0) *guard = 1;
  }
  printf("faults %d\n", (int)faults);
  return (int)(sum & 63);
}
