/** `<linux/aio_abi.h>`: asynchronous input and output (io_submit(2)). */

export const IOCB_CMD_PREAD = 0;
export const IOCB_CMD_PWRITE = 1;
export const IOCB_CMD_FSYNC = 2;
export const IOCB_CMD_FDSYNC = 3;
export const IOCB_CMD_POLL = 5;
export const IOCB_CMD_PREADV = 7;
export const IOCB_CMD_PWRITEV = 8;

export const IOCB_FLAG_RESFD = 1;

/** `struct iocb`. */
export const IOCB_SIZE = 64;
export const IOCB_OFFSETS = {
  data: 0, key: 8, rwFlags: 12, opcode: 16, priority: 18, fd: 20, buffer: 24, bytes: 32, offset: 40, reserved: 48, flags: 56, resultFd: 60,
} as const;

/** `struct io_event`: data, obj, res, res2. */
export const IO_EVENT_SIZE = 32;

/** `struct aio_ring` (fs/aio.c), at the address that is the context's id. Events follow it. */
export const AIO_RING_SIZE = 32;
export const AIO_RING_OFFSETS = { id: 0, count: 4, head: 8, tail: 12, magic: 16, compatible: 20, incompatible: 24, headerLength: 28 } as const;
export const AIO_RING_MAGIC = 0xa10a_10a1;
