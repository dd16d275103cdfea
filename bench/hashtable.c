/* An open-addressing hash table larger than the caches. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
enum { BITS = 20, SIZE = 1 << BITS };
static uint64_t keys[SIZE], counts[SIZE];
int main(void) {
  uint64_t seed = 88172645463325252u, total = 0;
  for (long i = 0; i < 90000000; i++) {
    seed ^= seed << 13; seed ^= seed >> 7; seed ^= seed << 17;
    uint64_t key = seed % 600000 + 1, slot = key * 0x9E3779B97F4A7C15u >> (64 - BITS);
    while (keys[slot] != 0 && keys[slot] != key) slot = (slot + 1) & (SIZE - 1);
    keys[slot] = key;
    total += ++counts[slot];
  }
  printf("%lu\n", (unsigned long)total);
}
