/* The smallest useful program, to be mutated: data, bss and a system call. */
static int value = 3;
static char zeros[5000];
void _start(void) {
  zeros[4999] = (char)value;
  __asm__ volatile("syscall" ::"a"(231), "D"(zeros[4999] + zeros[0]) : "rcx", "r11", "memory");
  __builtin_unreachable();
}
