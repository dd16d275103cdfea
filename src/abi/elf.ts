/** `elf.h` of Linux: what loading a 64-bit x86-64 program needs. */

export const EI_CLASS = 4;
export const EI_DATA = 5;
export const ELFCLASS64 = 2;
export const ELFDATA2LSB = 1;
export const ET_EXEC = 2;
export const ET_DYN = 3;
export const EM_X86_64 = 62;

export const PT_LOAD = 1;
export const PT_DYNAMIC = 2;
export const PT_INTERP = 3;
export const PT_PHDR = 6;
export const PT_GNU_STACK = 0x6474_e551;
export const PT_GNU_PROPERTY = 0x6474_e553;

export const PF_X = 1;
export const PF_W = 2;
export const PF_R = 4;

/** Sizes of `Elf64_Ehdr` and `Elf64_Phdr`. */
export const ELF_HEADER_SIZE = 64;
export const PROGRAM_HEADER_SIZE = 56;
