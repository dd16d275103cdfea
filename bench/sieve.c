/* Sieve of Eratosthenes over bytes: loads, stores, predictable branches. */
#include <stdio.h>
#include <string.h>
enum { N = 4000000 };
static unsigned char composite[N + 1];
int main(void) {
  long total = 0;
  for (int round = 0; round < 300; round++) {
    memset(composite, 0, sizeof composite);
    for (int i = 2; i * i <= N; i++)
      if (!composite[i])
        for (int j = i * i; j <= N; j += i) composite[j] = 1;
    for (int i = 2; i <= N; i++) total += !composite[i];
  }
  printf("%ld\n", total);
}
