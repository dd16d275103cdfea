/** Bounds of System V IPC and POSIX queues, as Linux's defaults have them (/proc/sys/kernel, /proc/sys/fs/mqueue). */

/** `kernel.msgmax`, `kernel.msgmnb`, `kernel.msgmni`. */
export const MSGMAX = 8192;
export const MSGMNB = 16_384;
export const MSGMNI = 32_000;
/** `kernel.sem`: SEMMSL, SEMMNS, SEMOPM, SEMMNI. SEMMNS is smaller than Linux's 1024000000: the kernel keeps them in memory. */
export const SEMMSL = 32_000;
export const SEMMNS = 1_000_000;
export const SEMOPM = 500;
export const SEMMNI = 32_000;
export const SEMVMX = 32_767;
/** `kernel.shmmni`, and the largest segment: half of the address space here, more than any guest can map. */
export const SHMMNI = 4096;
export const SHMMAX = 0x8000_0000;
/** `fs.mqueue.*`: queues, messages and sizes, by default and at most (for root). */
export const MQ_QUEUES = 256;
export const MQ_MESSAGES = 10;
export const MQ_MESSAGE_SIZE = 8192;
export const MQ_MESSAGES_HARD = 65_536;
export const MQ_MESSAGE_SIZE_HARD = 16_777_216;
/** RLIMIT_MSGQUEUE's default for one queue, unless privileged. */
export const MQ_BYTES = 819_200;
/** `MQ_PRIO_MAX`. */
export const MQ_PRIORITIES = 32_768;
