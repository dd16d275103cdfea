#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *left, const void *right) { return *(const int *)left - *(const int *)right; }

int main(int argc, char **argv) {
  int values[] = {9, 4, 7, 1, 8, 2};
  qsort(values, 6, sizeof values[0], compare);
  for (int i = 0; i < 6; i++) printf("%d ", values[i]);
  printf("%s %.6f %Lg\n", argc > 1 ? argv[1] : "none", sqrt(2.0), 1.0L / 3);
  return (int)strlen(argc > 1 ? argv[1] : "");
}
