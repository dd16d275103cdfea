/** `linux/magic.h`, `sys/statfs.h`. */

export const TMPFS_MAGIC = 0x1021994;
export const PROC_SUPER_MAGIC = 0x9fa0;
export const SYSFS_MAGIC = 0x62656572;
export const OVERLAYFS_SUPER_MAGIC = 0x794c7630;
export const DEVPTS_SUPER_MAGIC = 0x1cd1;
export const EXT4_SUPER_MAGIC = 0xef53;
export const CGROUP2_SUPER_MAGIC = 0x63677270;
export const ANON_INODE_FS_MAGIC = 0x9041934;
export const PIPEFS_MAGIC = 0x50495045;
export const SOCKFS_MAGIC = 0x534f434b;
export const DEVMEM_MAGIC = 0x454d444d;
export const NSFS_MAGIC = 0x6e736673;
export const V9FS_MAGIC = 0x1021997;

/** `struct statfs` of x86-64, 120 bytes. */
export const STATFS_SIZE = 120;
export const STATFS_OFFSETS = {
  type: 0, bsize: 8, blocks: 16, bfree: 24, bavail: 32, files: 40, ffree: 48, fsid: 56, namelen: 64, frsize: 72, flags: 80,
} as const;

export const ST_RDONLY = 1;
export const ST_NOSUID = 2;
export const ST_NODEV = 4;
export const ST_NOEXEC = 8;
export const ST_VALID = 0x20;
export const ST_NOATIME = 0x400;
export const ST_RELATIME = 0x1000;
export const MQUEUE_MAGIC = 0x1980_0202;
