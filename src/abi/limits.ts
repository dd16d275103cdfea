/** `linux/limits.h`, `linux/uio.h`. */

export const NAME_MAX = 0xff;
export const PATH_MAX = 0x1000;
export const XATTR_NAME_MAX = 0xff;
export const XATTR_SIZE_MAX = 0x10000;
export const XATTR_LIST_MAX = 0x10000;

export const UIO_MAXIOV = 1024;
/** Symbolic links followed in one path resolution (`linux/namei.h`). */
export const MAXSYMLINKS = 40;
/** Most bytes of one read or write (`linux/fs.h`: MAX_RW_COUNT). */
export const MAX_RW_COUNT = 0x7fff_f000;
