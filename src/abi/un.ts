/** `<sys/un.h>`: unix(7). */

export const UNIX_PATH_MAX = 108;
/** Bytes of `struct sockaddr_un`. */
export const SIZEOF_SOCKADDR_UN = 110;
