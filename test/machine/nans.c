/*
 * What add, subtract, multiply, divide and square root make of NaNs, in loops that are worth translating: a hash of all
 * bits. Of the sum or product of two NaNs only that it is one of the two: see QUIRKS.md.
 */
#include <emmintrin.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static const uint64_t DOUBLES[] = {
  0x7ff8000000000001, 0xfff8000000000002, 0x7ff0000000000003, 0xfff0000000000004, 0x7ff0000000000000, 0xfff0000000000000,
  0, 0x8000000000000000, 0x3ff0000000000000, 0xc000000000000000, 1, 0x7fefffffffffffff};
static const uint32_t SINGLES[] = {
  0x7fc00001, 0xffc00002, 0x7f800003, 0xff800004, 0x7f800000, 0xff800000, 0, 0x80000000, 0x3f800000, 0xc0000000, 1, 0x7f7fffff};
enum { COUNT = sizeof DOUBLES / sizeof *DOUBLES };

static uint64_t hash;
static void note(const void *value, size_t size) {
  for (size_t i = 0; i < size; i += 4) {
    uint32_t word;
    memcpy(&word, (const char *)value + i, 4);
    hash = (hash ^ word) * 0x100000001b3;
  }
}

static uint64_t bits_of(const void *value, size_t size) {
  uint64_t bits = 0;
  memcpy(&bits, value, size);
  return bits;
}
static uint64_t quiet(size_t size) { return size == 8 ? 0x0008000000000000 : 0x00400000; }
static int is_nan(uint64_t bits, size_t size) {
  return size == 8 ? (bits & 0x7fffffffffffffff) > 0x7ff0000000000000 : (bits & 0x7fffffff) > 0x7f800000;
}

/* The result of an instruction on two values of `size` bytes. */
static void note_result(const void *result, const void *a, const void *b, size_t size, int commutes) {
  uint64_t x = bits_of(a, size), y = bits_of(b, size), z = bits_of(result, size);
  if (commutes && is_nan(x, size) && is_nan(y, size) && (z == (x | quiet(size)) || z == (y | quiet(size)))) z = 1;
  note(&z, sizeof z);
}

/* One loop an instruction, each operand from memory and from a register. */
#define SCALAR(name, type, instruction, table)                                                      \
  static void name(void) {                                                                          \
    for (int i = 0; i < COUNT; i++) for (int j = 0; j < COUNT; j++) {                               \
      type a, b;                                                                                    \
      memcpy(&a, &table[i], sizeof a);                                                              \
      memcpy(&b, &table[j], sizeof b);                                                              \
      type c = a, first = a;                                                                        \
      __asm__ volatile(instruction " %1, %0" : "+x"(a) : "m"(b));                                   \
      __asm__ volatile(instruction " %1, %0" : "+x"(c) : "x"(b));                                   \
      int commutes = instruction[0] == 'a' || instruction[0] == 'm';                                \
      note_result(&a, &first, &b, sizeof a, commutes);                                              \
      note_result(&c, &first, &b, sizeof c, commutes);                                              \
    }                                                                                               \
  }
SCALAR(addsd, double, "addsd", DOUBLES)
SCALAR(subsd, double, "subsd", DOUBLES)
SCALAR(mulsd, double, "mulsd", DOUBLES)
SCALAR(divsd, double, "divsd", DOUBLES)
SCALAR(sqrtsd, double, "sqrtsd", DOUBLES)
SCALAR(addss, float, "addss", SINGLES)
SCALAR(subss, float, "subss", SINGLES)
SCALAR(mulss, float, "mulss", SINGLES)
SCALAR(divss, float, "divss", SINGLES)

#define PACKED(name, size, instruction, table)                                                      \
  static void name(void) {                                                                          \
    for (int i = 0; i < COUNT; i++) for (int j = 0; j < COUNT; j++) {                               \
      __m128i a, b, first;                                                                          \
      for (int lane = 0; lane < 16 / size; lane++) {                                                \
        memcpy((char *)&a + size * lane, &table[(i + lane) % COUNT], size);                         \
        memcpy((char *)&b + size * lane, &table[(j + 5 * lane) % COUNT], size);                     \
      }                                                                                             \
      first = a;                                                                                    \
      __asm__ volatile(instruction " %1, %0" : "+x"(a) : "x"(b));                                   \
      for (int at = 0; at < 16; at += size)                                                         \
        note_result((char *)&a + at, (char *)&first + at, (char *)&b + at, size, instruction[0] == 'a' || instruction[0] == 'm'); \
    }                                                                                               \
  }
PACKED(addpd, 8, "addpd", DOUBLES)
PACKED(subpd, 8, "subpd", DOUBLES)
PACKED(mulpd, 8, "mulpd", DOUBLES)
PACKED(divpd, 8, "divpd", DOUBLES)
PACKED(addps, 4, "addps", SINGLES)
PACKED(subps, 4, "subps", SINGLES)
PACKED(mulps, 4, "mulps", SINGLES)
PACKED(divps, 4, "divps", SINGLES)

/* Constants on both sides are what a compiler folds. */
static void constants(void) {
  double a, b = 0;
  __asm__ volatile("pxor %0, %0\n\tdivsd %0, %0" : "=x"(a));
  __asm__ volatile("xorpd %0, %0\n\txorpd %1, %1\n\tsubsd %1, %0\n\tdivsd %0, %1" : "=x"(a), "+x"(b));
  note(&a, sizeof a);
  note(&b, sizeof b);
}

static void compares(void) {
  for (int i = 0; i < COUNT; i++) for (int j = 0; j < COUNT; j++) {
    double a, b;
    float c, d;
    memcpy(&a, &DOUBLES[i], 8), memcpy(&b, &DOUBLES[j], 8), memcpy(&c, &SINGLES[i], 4), memcpy(&d, &SINGLES[j], 4);
    uint32_t bits = (a < b) | (a <= b) << 1 | (a > b) << 2 | (a >= b) << 3 | (a == b) << 4 | (a != b) << 5 | __builtin_isunordered(a, b) << 6;
    bits |= ((c < d) | (c <= d) << 1 | (c > d) << 2 | (c >= d) << 3 | (c == d) << 4 | (c != d) << 5 | __builtin_isunordered(c, d) << 6) << 8;
    uint64_t flags;
    __asm__ volatile("ucomisd %2, %1\n\tpushfq\n\tpop %0" : "=r"(flags) : "x"(a), "x"(b) : "cc");
    bits |= (flags & 0x8d5) << 16;
    note(&bits, sizeof bits);
    if (a < b) note(&a, 8);
    else if (a > b) note(&b, 8);
    else if (a == b) note(&c, 4);
  }
}

int main(void) {
  for (int round = 0; round < 400; round++) {
    addsd(), subsd(), mulsd(), divsd(), sqrtsd(), addss(), subss(), mulss(), divss();
    addpd(), subpd(), mulpd(), divpd(), addps(), subps(), mulps(), divps(), constants(), compares();
  }
  printf("%016llx\n", (unsigned long long)hash);
}
