/** `<sys/sem.h>`: semop(2), semctl(2). */

export const GETALL = 13;
export const GETNCNT = 14;
export const GETPID = 11;
export const GETVAL = 12;
export const GETZCNT = 15;
export const SEM_STAT = 18;
export const SEM_INFO = 19;
export const SEM_STAT_ANY = 20;
export const SEM_UNDO = 0x1000;
export const SETALL = 17;
export const SETVAL = 0x10;
