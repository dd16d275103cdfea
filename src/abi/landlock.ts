/** `linux/landlock.h` of Linux, up to ABI 4. */

export const LANDLOCK_ABI = 4;
export const LANDLOCK_CREATE_RULESET_VERSION = 1;
export const LANDLOCK_RULE_PATH_BENEATH = 1;
export const LANDLOCK_RULE_NET_PORT = 2;

export const LANDLOCK_ACCESS_FS_EXECUTE = 0x1;
export const LANDLOCK_ACCESS_FS_WRITE_FILE = 0x2;
export const LANDLOCK_ACCESS_FS_READ_FILE = 0x4;
export const LANDLOCK_ACCESS_FS_READ_DIR = 0x8;
export const LANDLOCK_ACCESS_FS_REMOVE_DIR = 0x10;
export const LANDLOCK_ACCESS_FS_REMOVE_FILE = 0x20;
export const LANDLOCK_ACCESS_FS_MAKE_CHAR = 0x40;
export const LANDLOCK_ACCESS_FS_MAKE_DIR = 0x80;
export const LANDLOCK_ACCESS_FS_MAKE_REG = 0x100;
export const LANDLOCK_ACCESS_FS_MAKE_SOCK = 0x200;
export const LANDLOCK_ACCESS_FS_MAKE_FIFO = 0x400;
export const LANDLOCK_ACCESS_FS_MAKE_BLOCK = 0x800;
export const LANDLOCK_ACCESS_FS_MAKE_SYM = 0x1000;
export const LANDLOCK_ACCESS_FS_REFER = 0x2000;
export const LANDLOCK_ACCESS_FS_TRUNCATE = 0x4000;

export const LANDLOCK_ACCESS_NET_BIND_TCP = 1;
export const LANDLOCK_ACCESS_NET_CONNECT_TCP = 2;

/** `struct landlock_ruleset_attr` and `struct landlock_net_port_attr`: two words each; `struct landlock_path_beneath_attr` is packed. */
export const RULESET_ATTR_SIZE = 16;
export const RULESET_ATTR_SIZE_VER0 = 8;
export const PATH_BENEATH_ATTR_SIZE = 12;
export const NET_PORT_ATTR_SIZE = 16;

/** Rulesets that a task may stack. */
export const LANDLOCK_MAX_NUM_LAYERS = 16;
