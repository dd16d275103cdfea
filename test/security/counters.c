/*
 * Tries never to come back: overwrites the machine's own tables in its memory from a hot loop. What lies there is no
 * page of the guest, so that Linux would kill it; code that does not check pages can write it.
 */
#include <stdint.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  long way = argc > 1 ? atol(argv[1]) : 0;
  volatile uint32_t *state = (volatile uint32_t *)0x10000;
  volatile uint32_t *records = (volatile uint32_t *)0x0c000000;
  static volatile uint32_t mine[1024];
  volatile uint32_t *target = mine;
  for (uint64_t i = 0;; i++) {
    if (i == 3000000) target = way == 0 ? state : records;
    if (way == 0 || i < 3000000) {
      /* Beyond the registers: reasons, faults, counters. */
      target[160 + i % 64] = 0x7fffffff;
    } else {
      /* The counters of blocks, where they begin: 32 bytes a record. */
      for (uint32_t at = 0; at < 4096; at += 8) target[at] = way == 1 ? 0x7fffffff : 0x80000000u + at;
    }
  }
}
