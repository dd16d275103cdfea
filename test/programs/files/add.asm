section .data
text: db "from nasm", 10
section .text
global _start
_start:
  mov rax, 1
  mov rdi, 1
  lea rsi, [rel text]
  mov rdx, 10
  syscall
  mov rax, 60
  mov rdi, 7
  syscall
