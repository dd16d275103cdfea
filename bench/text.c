/* Text: a word count with strings, qsort with a callback, and printf. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
enum { WORDS = 4096, TEXT = 8 << 20 };
static char text[TEXT + 1];
struct entry { char word[16]; int count; };
static struct entry table[WORDS * 4];
static int used;
static int compare(const void *x, const void *y) { const struct entry *a = x, *b = y; return a->count != b->count ? b->count - a->count : strcmp(a->word, b->word); }
int main(void) {
  unsigned seed = 5;
  for (int i = 0; i < TEXT; i++) { seed = seed * 1664525 + 1013904223; unsigned r = seed >> 24; text[i] = r < 60 ? ' ' : 'a' + r % 5; }
  char *at = text;
  while (*at) {
    while (*at && !isalpha((unsigned char)*at)) at++;
    char word[16] = {0};
    int length = 0;
    while (isalpha((unsigned char)*at)) { if (length < 5) word[length++] = toupper((unsigned char)*at); at++; }
    if (length == 0) break;
    unsigned hash = 5381;
    for (int i = 0; i < length; i++) hash = hash * 33 + word[i];
    unsigned slot = hash % (WORDS * 4);
    while (table[slot].count && strcmp(table[slot].word, word)) slot = (slot + 1) % (WORDS * 4);
    if (!table[slot].count) { strcpy(table[slot].word, word); used++; }
    table[slot].count++;
  }
  char buffer[64];
  unsigned long check = 0;
  qsort(table, WORDS * 4, sizeof table[0], compare);
  for (int round = 0; round < 4500; round++) for (int i = 0; i < used; i++) { snprintf(buffer, sizeof buffer, "%-6s %05d", table[i].word, table[i].count + round); check = check * 31 + buffer[3] + buffer[10]; }
  printf("%d %s %d %lu\n", used, table[0].word, table[0].count, check);
}
