/** Prints a C file of about 300 lines for the compiler figure. */
const lines = ['#include <stdio.h>', '#include <stdlib.h>', '#include <string.h>', 'struct item { int key; double weight; char name[16]; struct item *next; };'];
for (let index = 0; index < 36; index++) {
  lines.push(
    `static int work${index}(struct item *list, int n) {`,
    '  int total = 0;',
    '  for (struct item *at = list; at; at = at->next) {',
    `    if (at->key % ${index + 2} == 0) total += at->key * n; else total -= (int)(at->weight * ${index + 1}.5);`,
    `    switch (at->key & 7) { case 0: total ^= ${index}; break; case 3: total += strlen(at->name); break; default: total <<= 1; }`,
    `    for (int i = 0; i < n; i++) total += (i * ${index + 3}) % 11;`,
    '  }',
    '  return total; }',
  );
}
lines.push('int main(void) {', '  struct item items[3] = {{1, 2.0, "a", 0}, {2, 3.0, "b", items}, {3, 4.0, "c", items + 1}};', '  int sum = 0;');
for (let index = 0; index < 36; index++) lines.push(`  sum += work${index}(items + 2, ${index});`);
lines.push('  printf("%d\\n", sum);', '  return 0; }');
console.log(lines.join('\n'));
