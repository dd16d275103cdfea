/** `<sys/shm.h>`: shmop(2), shmctl(2). */

export const SHM_LOCK = 11;
export const SHM_UNLOCK = 12;
export const SHM_STAT = 13;
export const SHM_INFO = 14;
export const SHM_STAT_ANY = 15;
export const SHM_DEST = 0x200;
export const SHM_LOCKED = 0x400;
export const SHM_HUGETLB = 0x800;
export const SHM_NORESERVE = 0x1000;
export const SHM_RDONLY = 0x1000;
export const SHM_RND = 0x2000;
export const SHM_REMAP = 0x4000;
export const SHM_EXEC = 0x8000;
