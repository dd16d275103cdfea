/** The flags of mount(2) and umount2(2), and the attributes of the newer calls that mean the same (linux/mount.h), a row each. */
import * as api from '../../abi/mount-api.ts';
import * as abi from '../../abi/mount.ts';

export interface MountFlagRow {
  readonly name: string;
  readonly flag: number;
  /** `mount`: each mount has it or not; `call`: says what the call does; `propagation`: a type of it; `ignored`: taken, without effect; `refused`: EINVAL. */
  readonly kind: 'mount' | 'call' | 'propagation' | 'ignored' | 'refused';
  readonly meaning: string;
  /** MOUNT_ATTR_* of fsmount(2) and mount_setattr(2). */
  readonly attribute?: number;
}

export const MOUNT_FLAG_ROWS: readonly MountFlagRow[] = [
  { name: 'MS_RDONLY', flag: abi.MS_RDONLY, kind: 'mount', meaning: 'nothing is written', attribute: api.MOUNT_ATTR_RDONLY },
  { name: 'MS_NOSUID', flag: abi.MS_NOSUID, kind: 'mount', meaning: 'execve(2) takes no ids and capabilities from files', attribute: api.MOUNT_ATTR_NOSUID },
  { name: 'MS_NODEV', flag: abi.MS_NODEV, kind: 'mount', meaning: 'devices are not opened', attribute: api.MOUNT_ATTR_NODEV },
  { name: 'MS_NOEXEC', flag: abi.MS_NOEXEC, kind: 'mount', meaning: 'nothing is executed, or mapped to be', attribute: api.MOUNT_ATTR_NOEXEC },
  { name: 'MS_NOSYMFOLLOW', flag: abi.MS_NOSYMFOLLOW, kind: 'mount', meaning: 'symbolic links are not followed', attribute: api.MOUNT_ATTR_NOSYMFOLLOW },
  { name: 'MS_NOATIME', flag: abi.MS_NOATIME, kind: 'mount', meaning: 'shown; times of access are as with MS_RELATIME', attribute: api.MOUNT_ATTR_NOATIME },
  { name: 'MS_NODIRATIME', flag: abi.MS_NODIRATIME, kind: 'mount', meaning: 'shown, without effect', attribute: api.MOUNT_ATTR_NODIRATIME },
  { name: 'MS_RELATIME', flag: abi.MS_RELATIME, kind: 'mount', meaning: 'what mounts begin with' },
  { name: 'MS_STRICTATIME', flag: abi.MS_STRICTATIME, kind: 'call', meaning: 'takes MS_RELATIME and MS_NOATIME away; times of access are as with MS_RELATIME', attribute: api.MOUNT_ATTR_STRICTATIME },
  { name: 'MS_BIND', flag: abi.MS_BIND, kind: 'call', meaning: 'what is at one place is at another, too' },
  { name: 'MS_MOVE', flag: abi.MS_MOVE, kind: 'call', meaning: 'a mount is somewhere else from now on' },
  { name: 'MS_REC', flag: abi.MS_REC, kind: 'call', meaning: 'with the mounts below' },
  { name: 'MS_REMOUNT', flag: abi.MS_REMOUNT, kind: 'call', meaning: 'other flags of the mount, and other options of proc; those of other file systems stay as they are' },
  { name: 'MS_SHARED', flag: abi.MS_SHARED, kind: 'propagation', meaning: 'mounts below come and go with those of its peers' },
  { name: 'MS_SLAVE', flag: abi.MS_SLAVE, kind: 'propagation', meaning: 'they come from its master, and do not go there' },
  { name: 'MS_PRIVATE', flag: abi.MS_PRIVATE, kind: 'propagation', meaning: 'neither' },
  { name: 'MS_UNBINDABLE', flag: abi.MS_UNBINDABLE, kind: 'propagation', meaning: 'neither, and it is not bound elsewhere' },
  { name: 'MS_SYNCHRONOUS', flag: abi.MS_SYNCHRONOUS, kind: 'ignored', meaning: 'there is no block device' },
  { name: 'MS_DIRSYNC', flag: abi.MS_DIRSYNC, kind: 'ignored', meaning: 'there is no block device' },
  { name: 'MS_MANDLOCK', flag: abi.MS_MANDLOCK, kind: 'ignored', meaning: 'Linux has it no more' },
  { name: 'MS_LAZYTIME', flag: abi.MS_LAZYTIME, kind: 'ignored', meaning: 'there is no block device' },
  { name: 'MS_SILENT', flag: abi.MS_SILENT, kind: 'ignored', meaning: 'there is no log' },
];

export const UMOUNT_FLAG_ROWS: readonly MountFlagRow[] = [
  { name: 'MNT_DETACH', flag: abi.MNT_DETACH, kind: 'call', meaning: 'at once, whoever still uses it' },
  { name: 'UMOUNT_NOFOLLOW', flag: abi.UMOUNT_NOFOLLOW, kind: 'call', meaning: 'not where a symbolic link leads' },
  { name: 'MNT_FORCE', flag: abi.MNT_FORCE, kind: 'ignored', meaning: 'there is no remote file system' },
  { name: 'MNT_EXPIRE', flag: abi.MNT_EXPIRE, kind: 'refused', meaning: 'mounts do not expire' },
];

function bitsOf(rows: readonly MountFlagRow[], bit: (row: MountFlagRow) => number): number {
  return rows.reduce((bits, row) => bits | bit(row), 0);
}

function flagsOfKind(rows: readonly MountFlagRow[], kind: MountFlagRow['kind']): number {
  return bitsOf(rows.filter((row) => row.kind === kind), ({ flag }) => flag);
}

/** Flags of a mount, not of its file system. */
export const MOUNT_FLAGS = flagsOfKind(MOUNT_FLAG_ROWS, 'mount');
export const PROPAGATION_FLAGS = flagsOfKind(MOUNT_FLAG_ROWS, 'propagation');
export const UMOUNT_FLAGS = bitsOf(UMOUNT_FLAG_ROWS, ({ flag }) => flag);
export const REFUSED_UMOUNT_FLAGS = flagsOfKind(UMOUNT_FLAG_ROWS, 'refused');
/** MOUNT_ATTR_* that there are. */
export const ATTRIBUTES = bitsOf(MOUNT_FLAG_ROWS, ({ attribute = 0 }) => attribute) | api.MOUNT_ATTR__ATIME;
/** Those with the same bits as the flags. */
export const SAME_ATTRIBUTES = bitsOf(MOUNT_FLAG_ROWS, ({ flag, attribute = 0 }) => (flag === attribute ? flag : 0));
