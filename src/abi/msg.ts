/** `<sys/msg.h>`: msgop(2), msgctl(2). */

export const MSG_STAT = 11;
export const MSG_INFO = 12;
export const MSG_STAT_ANY = 13;
export const MSG_NOERROR = 0x1000;
export const MSG_EXCEPT = 0x2000;
export const MSG_COPY = 0x4000;
