/** Bounds of what a guest may ask for in this room, each with its Linux source. */

/** `/proc/sys/fs/pipe-max-size` (pipe(7)). */
export const PIPE_MAX_SIZE = 0x10_0000;
/** Default capacity: 16 pages (pipe(7)). */
export const PIPE_DEFAULT_SIZE = 0x1_0000;
/** Writes up to this many bytes are atomic (pipe(7)). */
export const PIPE_BUF = 4096;
/** Packets waiting in an O_DIRECT pipe: Linux holds one per page of capacity. */
export const PIPE_PACKETS = 16;
/** `/proc/sys/fs/epoll/max_user_watches` is larger on Linux; this bounds what one epoll file holds. */
export const EPOLL_WATCHES = 0x1_0000;
/** Depth of epoll files in each other (`EP_MAX_NESTS`, fs/eventpoll.c). */
export const EPOLL_NESTS = 4;
/** `/proc/sys/fs/inotify/max_queued_events`. */
export const INOTIFY_QUEUED_EVENTS = 16_384;
/** `/proc/sys/fs/inotify/max_user_watches`; bounds one instance here. */
export const INOTIFY_WATCHES = 65_536;
/** `N_TTY_BUF_SIZE` (drivers/tty/n_tty.c). */
export const TTY_BUFFER = 4096;
/** Bytes of output that wait for the master of a pty: Linux's tty_buffer limit. */
export const PTY_BUFFER = 0x1_0000;
/** `/proc/sys/kernel/pty/max`. */
export const PTY_MAX = 4096;
/** Bytes that a host may push ahead of what the guest reads. */
export const STREAM_BUFFER = 0x4_0000;
/** `/proc/sys/fs/aio-max-nr`: events that all contexts of io_setup(2) are made for. */
export const MAXIMUM_AIO_EVENTS = 0x1_0000;
/** `/proc/sys/fs/fanotify/max_queued_events`. */
export const FANOTIFY_QUEUED_EVENTS = 16_384;
/** The same with FAN_UNLIMITED_QUEUE, which is without a bound on Linux: what nobody reads takes the engine's own memory. */
export const FANOTIFY_UNLIMITED_EVENTS = 131_072;
/** `/proc/sys/fs/fanotify/max_user_marks`; bounds one group here. */
export const FANOTIFY_MARKS = 8192;
