/* Recursive quicksort of integers: calls and unpredictable branches. */
#include <stdio.h>
#include <stdlib.h>
enum { N = 2000000 };
static int values[N];
static void sort(int *left, int *right) {
  while (left < right) {
    int pivot = left[(right - left) / 2], *i = left, *j = right;
    while (i <= j) {
      while (*i < pivot) i++;
      while (*j > pivot) j--;
      if (i <= j) { int t = *i; *i++ = *j; *j-- = t; }
    }
    if (j - left < right - i) { sort(left, j); left = i; } else { sort(i, right); right = j; }
  }
}
int main(void) {
  unsigned seed = 1;
  long sum = 0;
  for (int round = 0; round < 12; round++) {
    for (int i = 0; i < N; i++) { seed = seed * 1664525 + 1013904223; values[i] = seed >> 4; }
    sort(values, values + N - 1);
    sum += values[N / 2] % 1000;
  }
  printf("%ld\n", sum);
}
