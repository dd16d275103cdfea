/** `<sys/signalfd.h>`: signalfd(2). */

export const SFD_NONBLOCK = 0x800;
export const SFD_CLOEXEC = 0x80000;
