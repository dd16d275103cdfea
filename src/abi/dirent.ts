/** `dirent.h`: getdents64(2). */

export const DT_UNKNOWN = 0;
export const DT_FIFO = 1;
export const DT_CHR = 2;
export const DT_DIR = 4;
export const DT_BLK = 6;
export const DT_REG = 8;
export const DT_LNK = 10;
export const DT_SOCK = 12;

/** `struct linux_dirent64`: d_ino u64, d_off i64, d_reclen u16, d_type u8, d_name. */
export const DIRENT64_OFFSETS = { ino: 0, off: 8, reclen: 16, type: 18, name: 19 } as const;
/** `struct linux_dirent`: d_ino u64, d_off u64, d_reclen u16, d_name, padding, d_type in the last byte. */
export const DIRENT_OFFSETS = { ino: 0, off: 8, reclen: 16, name: 18 } as const;
