/** `linux/mount.h`: open_tree(2), move_mount(2), fsopen(2), fsconfig(2), fsmount(2), fspick(2), mount_setattr(2), statmount(2), listmount(2). */

export const OPEN_TREE_CLONE = 1;
export const OPEN_TREE_CLOEXEC = 0x8_0000;
export const AT_RECURSIVE = 0x8000;

export const MOVE_MOUNT_F_SYMLINKS = 1;
export const MOVE_MOUNT_F_AUTOMOUNTS = 2;
export const MOVE_MOUNT_F_EMPTY_PATH = 4;
export const MOVE_MOUNT_T_SYMLINKS = 0x10;
export const MOVE_MOUNT_T_AUTOMOUNTS = 0x20;
export const MOVE_MOUNT_T_EMPTY_PATH = 0x40;
export const MOVE_MOUNT_SET_GROUP = 0x100;

export const FSOPEN_CLOEXEC = 1;
export const FSMOUNT_CLOEXEC = 1;
export const FSPICK_CLOEXEC = 1;
export const FSPICK_SYMLINK_NOFOLLOW = 2;
export const FSPICK_NO_AUTOMOUNT = 4;
export const FSPICK_EMPTY_PATH = 8;

export const FSCONFIG_SET_FLAG = 0;
export const FSCONFIG_SET_STRING = 1;
export const FSCONFIG_SET_BINARY = 2;
export const FSCONFIG_SET_PATH = 3;
export const FSCONFIG_SET_PATH_EMPTY = 4;
export const FSCONFIG_SET_FD = 5;
export const FSCONFIG_CMD_CREATE = 6;
export const FSCONFIG_CMD_RECONFIGURE = 7;
export const FSCONFIG_CMD_CREATE_EXCL = 8;

export const MOUNT_ATTR_RDONLY = 1;
export const MOUNT_ATTR_NOSUID = 2;
export const MOUNT_ATTR_NODEV = 4;
export const MOUNT_ATTR_NOEXEC = 8;
export const MOUNT_ATTR__ATIME = 0x70;
export const MOUNT_ATTR_RELATIME = 0;
export const MOUNT_ATTR_NOATIME = 0x10;
export const MOUNT_ATTR_STRICTATIME = 0x20;
export const MOUNT_ATTR_NODIRATIME = 0x80;
export const MOUNT_ATTR_NOSYMFOLLOW = 0x20_0000;
/** `struct mount_attr`, first version. */
export const MOUNT_ATTR_SIZE_VER0 = 32;

/** `struct mnt_id_req`, first version. */
export const MNT_ID_REQ_SIZE_VER0 = 24;
export const STATMOUNT_SB_BASIC = 1;
export const STATMOUNT_MNT_BASIC = 2;
export const STATMOUNT_PROPAGATE_FROM = 4;
export const STATMOUNT_MNT_ROOT = 8;
export const STATMOUNT_MNT_POINT = 0x10;
export const STATMOUNT_FS_TYPE = 0x20;
/** Bytes of `struct statmount` before its strings. */
export const STATMOUNT_SIZE = 512;
export const STATMOUNT_OFFSETS = {
  size: 0, mask: 8, sbDevMajor: 16, sbDevMinor: 20, sbMagic: 24, sbFlags: 32, fsType: 36, mntId: 40, mntParentId: 48, mntIdOld: 56, mntParentIdOld: 60,
  mntAttr: 64, mntPropagation: 72, mntPeerGroup: 80, mntMaster: 88, propagateFrom: 96, mntRoot: 104, mntPoint: 108,
} as const;
/** Bits of an id where listmount(2) means the root of the namespace. */
export const LSMT_ROOT = 0xffff_ffff_ffff_ffffn;
/** Unique ids are above the old ones, so that they cannot be mistaken for them. */
export const MNT_UNIQUE_ID_OFFSET = 0x8000_0000;
