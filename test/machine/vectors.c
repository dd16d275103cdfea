/*
 * Loops that gcc -O3 -march=x86-64-v3 makes vectors of, and what the kernel has to do with the upper halves of the YMM registers:
 * all sums are printed, and must be those of the host. `vectors cpuid` prints what CPUID and XGETBV say.
 */
#include <cpuid.h>
#include <immintrin.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define COUNT 4096
static double doubles[3][COUNT];
static float singles[3][COUNT];
static int32_t integers[3][COUNT];
static uint8_t bytes[2][COUNT];
static uint32_t state = 12345;

static uint32_t next(void) { return state = state * 1664525 + 1013904223; }

static uint64_t hash(const void *data, size_t size) {
  const uint8_t *at = data;
  uint64_t value = 0xcbf29ce484222325;
  for (size_t i = 0; i < size; i++) value = (value ^ at[i]) * 0x100000001b3;
  return value;
}

static void fill(void) {
  for (int i = 0; i < COUNT; i++) {
    for (int k = 0; k < 3; k++) {
      doubles[k][i] = (int32_t)next() / 1024.0;
      singles[k][i] = (int32_t)next() / 65536.0f;
      integers[k][i] = next();
    }
    bytes[0][i] = next() >> 24, bytes[1][i] = next() >> 20;
  }
}

static void loops(void) {
  for (int i = 0; i < COUNT; i++) doubles[2][i] += doubles[0][i] * doubles[1][i];
  for (int i = 0; i < COUNT; i++) singles[2][i] = singles[0][i] * singles[1][i] - singles[2][i];
  for (int i = 0; i < COUNT; i++) integers[2][i] ^= integers[0][i] << (integers[1][i] & 31);
  for (int i = 0; i < COUNT; i++) integers[1][i] = integers[0][integers[2][i] & (COUNT - 1)] + (int)doubles[0][i];
  for (int i = 0; i < COUNT; i++) if (bytes[0][i] > 100) bytes[1][i] = (bytes[0][i] + bytes[1][i] + 1) / 2;
  for (int i = 0; i < COUNT; i++) singles[1][i] = sqrtf(fabsf(singles[0][i])) + (float)integers[0][i];
  for (int i = 0; i < COUNT; i++) if (integers[0][i] > 0) doubles[1][i] = fmax(doubles[0][i], (double)singles[0][i]);
}

static void scalars(void) {
  uint64_t sum = 0;
  for (int i = 0; i < COUNT; i++) {
    uint64_t value = (uint64_t)next() << 32 | next();
    sum += __builtin_ctzll(value | 1ull << 40) + __builtin_clzll(value | 1) * 3 + (value & -value) + (value & (value - 1));
    sum ^= _pext_u64(value, sum) + _pdep_u64(sum, value) + _bzhi_u64(value, i & 63) + __builtin_bswap64(value);
    sum += (uint64_t)((unsigned __int128)value * sum >> 64);
  }
  printf("scalars %016lx\n", sum);
}

static void halves(void) {
  uint64_t sum = 0;
  for (int i = 0; i + 8 <= COUNT; i += 8) {
    __m128i half = _mm256_cvtps_ph(_mm256_loadu_ps(&singles[0][i]), _MM_FROUND_TO_NEAREST_INT);
    __m256 back = _mm256_cvtph_ps(half);
    sum = sum * 31 + hash(&half, sizeof half) + hash(&back, sizeof back);
  }
  printf("halves %016lx\n", sum);
}

static volatile sig_atomic_t handled;
static int edits;

/* Uses the registers, and where it is told to changes the interrupted ones in the frame. */
static void handler(int signal, siginfo_t *info, void *argument) {
  (void)signal, (void)info;
  uint8_t *frame = (uint8_t *)((ucontext_t *)argument)->uc_mcontext.fpregs;
  __m256i value = _mm256_set1_epi8(0x55);
  __asm__ volatile("vmovdqa %0, %%ymm7\n\tvmovdqa %0, %%ymm8" : : "m"(value) : "xmm7", "xmm8");
  if (edits) memset(frame + 576 + 16 * 7, 0x77, 16);
  handled++;
}

static void signals(void) {
  sigaction(SIGUSR1, &(struct sigaction){.sa_sigaction = handler, .sa_flags = SA_SIGINFO}, NULL);
  for (edits = 0; edits < 2; edits++) {
    __m256i before = _mm256_set_epi64x(1, 2, 3, 4), after[2];
    /* The call itself saves nothing of these registers. */
    __asm__ volatile("vmovdqa %2, %%ymm7\n\tvpaddq %%ymm7, %%ymm7, %%ymm8\n\tsyscall\n\tvmovdqa %%ymm7, %0\n\tvmovdqa %%ymm8, %1"
                     : "=m"(after[0]), "=m"(after[1])
                     : "m"(before), "a"(62L), "D"((long)getpid()), "S"((long)SIGUSR1)
                     : "rcx", "r11", "xmm7", "xmm8", "memory");
    printf("signal %d: %016lx\n", (int)handled, hash(after, sizeof after));
  }
}

static void *thread(void *argument) {
  uint64_t sum = (uintptr_t)argument;
  __m256i value = _mm256_set1_epi64x((long)argument);
  for (int i = 0; i < 200; i++) {
    __asm__ volatile("vpaddq %0, %0, %0" : "+x"(value));
    if (i % 10 == 0) usleep(1);
    value = _mm256_xor_si256(value, _mm256_set1_epi64x(i * (long)argument));
  }
  return (void *)(sum + hash(&value, sizeof value));
}

static void tasks(void) {
  pthread_t threads[4];
  uint64_t sum = 0;
  for (long i = 0; i < 4; i++) pthread_create(&threads[i], NULL, thread, (void *)(i + 1));
  for (int i = 0; i < 4; i++) {
    void *result;
    pthread_join(threads[i], &result);
    sum = sum * 31 + (uintptr_t)result;
  }
  __m256i value = _mm256_set_epi64x(11, 12, 13, 14);
  __asm__ volatile("" : "+x"(value));
  fflush(stdout);
  int pid = fork(), status = 0;
  if (pid == 0) {
    __asm__ volatile("" : "+x"(value));
    _exit(hash(&value, sizeof value) & 127);
  }
  waitpid(pid, &status, 0);
  printf("threads %016lx child %d\n", sum, WEXITSTATUS(status));
}

static void cpuid(void) {
  unsigned eax, ebx, ecx, edx;
  __cpuid(1, eax, ebx, ecx, edx);
  printf("fma %d movbe %d avx %d f16c %d osxsave %d", ecx >> 12 & 1, ecx >> 22 & 1, ecx >> 28 & 1, ecx >> 29 & 1, ecx >> 27 & 1);
  __cpuid_count(7, 0, eax, ebx, ecx, edx);
  printf(" bmi1 %d avx2 %d bmi2 %d avx512 %d", ebx >> 3 & 1, ebx >> 5 & 1, ebx >> 8 & 1, ebx >> 16 & 1);
  __cpuid(0x80000001, eax, ebx, ecx, edx);
  printf(" lzcnt %d", ecx >> 5 & 1);
  __cpuid_count(13, 0, eax, ebx, ecx, edx);
  unsigned low, high, size = ebx;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  printf(" xcr0 %x size %u\n", low, size);
}

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "cpuid") == 0) return cpuid(), 0;
  fill();
  for (int round = 0; round < 60; round++) loops();
  printf("loops %016lx %016lx %016lx %016lx\n", hash(doubles, sizeof doubles), hash(singles, sizeof singles), hash(integers, sizeof integers), hash(bytes, sizeof bytes));
  scalars();
  halves();
  signals();
  tasks();
  return 0;
}
