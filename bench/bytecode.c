/* A byte-code interpreter: a switch in a loop, as script engines have. */
#include <stdio.h>
enum { PUSH, ADD, SUB, LT, JZ, JMP, LOAD, STORE, MUL, MOD, HALT };
int main(void) {
  static const int code[] = {PUSH, 0, STORE, 0, PUSH, 0, STORE, 1, LOAD, 0, PUSH, 80000000, LT, JZ, 37, LOAD, 1, LOAD, 0, PUSH, 7, MUL, ADD, PUSH, 1000003, MOD, STORE, 1, LOAD, 0, PUSH, 1, ADD, STORE, 0, JMP, 8, HALT};
  long stack[16], variables[4] = {0};
  int pc = 0, sp = 0;
  for (;;) {
    switch (code[pc++]) {
      case PUSH: stack[sp++] = code[pc++]; break;
      case ADD: sp--; stack[sp - 1] += stack[sp]; break;
      case SUB: sp--; stack[sp - 1] -= stack[sp]; break;
      case MUL: sp--; stack[sp - 1] *= stack[sp]; break;
      case MOD: sp--; stack[sp - 1] %= stack[sp]; break;
      case LT: sp--; stack[sp - 1] = stack[sp - 1] < stack[sp]; break;
      case JZ: if (!stack[--sp]) pc = code[pc]; else pc++; break;
      case JMP: pc = code[pc]; break;
      case LOAD: stack[sp++] = variables[code[pc++]]; break;
      case STORE: variables[code[pc++]] = stack[--sp]; break;
      case HALT: printf("%ld\n", variables[1]); return 0;
    }
  }
}
