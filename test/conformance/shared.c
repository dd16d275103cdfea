/* Memory that processes share, more of it than a kernel would compare: mmap(2) "MAP_SHARED". Processes take turns, and each must see all that others stored. */
#include "check.h"
#include <emmintrin.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <string.h>
#include <unistd.h>

enum { BYTES = 4 << 20, WORDS = BYTES / 8, ROUNDS = 12, MEMBERS = 3 };

typedef unsigned long word;
typedef void store(char *area, unsigned at, word value);

static char *shared_area(void) {
  return mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static word sum_of(const char *area) {
  word sum = 0;
  for (int i = 0; i < WORDS; i++) sum = (sum << 7 | sum >> 57) ^ ((const word *)area)[i];
  return sum;
}

/* The same places whoever stores, of any alignment: many lie across pages. */
static void store_many(char *area, store *how, unsigned round) {
  unsigned seed = round * 2654435761u + 1;
  for (int i = 0; i < 3000; i++) {
    seed = seed * 1664525 + 1013904223;
    unsigned at = (seed >> 8) % (BYTES - 64);
    if (i % 3 == 0) at = (at & ~8191u) + 8192 - i % 16;
    how(area, at % (BYTES - 64), (word)seed << 32 | round);
  }
}

/* Turn after turn another member stores. Each compares what it finds with a copy of its own, to which it stores the same. */
static int take_part(char *area, store *how, int member, int tokens[MEMBERS][2]) {
  char *copy = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  int wrong = 0, known = 0;
  char byte = 0;
  for (int turn = member; turn < ROUNDS * MEMBERS; turn += MEMBERS) {
    OK(read(tokens[member][0], &byte, 1));
    for (; known < turn; known++) store_many(copy, how, known);
    wrong += sum_of(area) != sum_of(copy);
    store_many(area, how, turn);
    OK(write(tokens[(member + 1) % MEMBERS][1], &byte, 1));
  }
  return wrong;
}

static void all_see_all(char *area, store *how) {
  int tokens[MEMBERS][2], status;
  pid_t pids[MEMBERS];
  char byte = 0;
  for (int i = 0; i < MEMBERS; i++) OK(pipe(tokens[i]));
  for (int member = 1; member < MEMBERS; member++) {
    pids[member] = FORK();
    if (pids[member] == 0) _exit(take_part(area, how, member, tokens));
  }
  OK(write(tokens[0][1], &byte, 1));
  EXPECT_EQ(0, take_part(area, how, 0, tokens));
  for (int member = 1; member < MEMBERS; member++) {
    OK(waitpid(pids[member], &status, 0));
    EXPECT_EQ(0, status);
  }
}

static void by_words(char *area, unsigned at, word value) { memcpy(area + at, &value, sizeof value); }
CHECK(shared_words) { all_see_all(shared_area(), by_words); }

static void by_bytes(char *area, unsigned at, word value) { area[at] = value >> 32; }
CHECK(shared_bytes) { all_see_all(shared_area(), by_bytes); }

static void by_vectors(char *area, unsigned at, word value) { _mm_storeu_si128((__m128i *)(area + at), _mm_set1_epi64x(value)); }
CHECK(shared_vectors) { all_see_all(shared_area(), by_vectors); }

static void by_floats(char *area, unsigned at, word value) {
  long double number = value;
  __asm__ volatile("fldt %1; fstpt %0" : "=m"(*(char(*)[10])(area + at)) : "m"(number));
}
CHECK(shared_x87) { all_see_all(shared_area(), by_floats); }

static void by_strings(char *area, unsigned at, word value) {
  void *to = area + at;
  long count = value >> 32 & 63;
  __asm__ volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(value >> 40) : "memory");
}
CHECK(shared_strings) { all_see_all(shared_area(), by_strings); }

static void by_exchange(char *area, unsigned at, word value) {
  unsigned *place = (unsigned *)(area + (at & ~7u));
  __atomic_fetch_add(place, value >> 32, __ATOMIC_SEQ_CST);
  unsigned old = *place;
  __atomic_compare_exchange_n(place, &old, old ^ 0x5a5a5a5a, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}
CHECK(shared_exchange) { all_see_all(shared_area(), by_exchange); }

/* On a stack that lies there. */
static void by_pushes(char *area, unsigned at, word value) {
  char *top = area + (at & ~7u) + 8;
  __asm__ volatile("mov %%rsp, %%rbx; mov %0, %%rsp; push %1; mov %%rbx, %%rsp" : : "r"(top), "r"(value) : "rbx", "memory");
}
CHECK(shared_stack) { all_see_all(shared_area(), by_pushes); }

/* What the kernel stores for a call. */
static void by_calls(char *area, unsigned at, word value) {
  static int ends[2];
  if (ends[1] == 0) OK(pipe(ends));
  if (value % 16 != 0) return;
  OK(write(ends[1], &value, sizeof value));
  OK(read(ends[0], area + at, sizeof value));
}
CHECK(shared_calls) { all_see_all(shared_area(), by_calls); }

/* A process that handles its faults runs code of another kind. */
static void on_fault(int signal) { _exit(signal); }
CHECK(shared_with_handler) {
  signal(SIGSEGV, on_fault);
  all_see_all(shared_area(), by_words);
}

CHECK(shared_file) {
  int fd = OK(open("file", O_CREAT | O_RDWR, 0644));
  OK(ftruncate(fd, BYTES));
  char *area = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  all_see_all(area, by_words);
  static char bytes[BYTES];
  EXPECT_EQ(BYTES, pread(fd, bytes, BYTES, 0));
  EXPECT_EQ(0, memcmp(bytes, area, BYTES));
}

/* Where two areas meet within 8 KiB, and one of them is mapped, made writable, cut and moved later than the other. */
CHECK(shared_neighbours) {
  char *place = mmap(NULL, 3 * BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char *middle = place + BYTES - 4096;
  char *area = mmap(place + 4096, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  all_see_all(area, by_words);
  OK(munmap(middle, 4096 * 2));
  char *page = mmap(middle, 4096 * 2, PROT_READ, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  OK(mprotect(page, 8192, PROT_READ | PROT_WRITE));
  for (int round = 0; round < 40; round++) {
    IN_CHILD {
      for (int i = 0; i < 8192; i++) page[i] += i % 7 + round;
      area[round * 8192 + 8191] = round;
    }
    page[4095] ^= 1;
    area[round * 8192 + 8191]++;
    IN_CHILD {
      EXPECT_EQ((char)(round + 1), area[round * 8192 + 8191]);
    }
  }
  char sums[8192] = {0};
  for (int round = 0; round < 40; round++) {
    for (int i = 0; i < 8192; i++) sums[i] += i % 7 + round;
    sums[4095] ^= 1;
  }
  EXPECT_EQ(0, memcmp(sums, page, 8192));
  char *moved = mremap(page, 8192, 8192, MREMAP_MAYMOVE | MREMAP_FIXED, place + 2 * BYTES);
  IN_CHILD moved[1] = 'x';
  EXPECT_EQ('x', moved[1]);
}
