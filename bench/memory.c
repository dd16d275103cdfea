/* Memory-heavy: a linked list walked in random order, copies, and a matrix product that does not fit the caches. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
enum { NODES = 1 << 20, N = 320 };
struct node { struct node *next; long value; };
static struct node nodes[NODES];
static int order[NODES];
static double a[N][N], b[N][N], c[N][N];
static char big[32 << 20];
int main(void) {
  unsigned seed = 3;
  for (int i = 0; i < NODES; i++) order[i] = i;
  for (int i = NODES - 1; i > 0; i--) { seed = seed * 1664525 + 1013904223; int j = seed % (i + 1), t = order[i]; order[i] = order[j]; order[j] = t; }
  for (int i = 0; i < NODES; i++) { nodes[order[i]].next = &nodes[order[(i + 1) % NODES]]; nodes[order[i]].value = i; }
  long sum = 0;
  struct node *at = &nodes[order[0]];
  for (long i = 0; i < 10L * NODES; i++) { sum += at->value; at = at->next; }
  for (int i = 0; i < N; i++) for (int j = 0; j < N; j++) { a[i][j] = i + j; b[i][j] = i - j; }
  for (int i = 0; i < N; i++) for (int j = 0; j < N; j++) { double s = 0; for (int k = 0; k < N; k++) s += a[i][k] * b[k][j]; c[i][j] = s; }
  for (int round = 0; round < 16; round++) { memset(big, round, sizeof big / 2); memcpy(big + sizeof big / 2, big, sizeof big / 2); sum += big[sizeof big - 1]; }
  printf("%ld %.0f\n", sum, c[17][200]);
}
