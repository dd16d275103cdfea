/** MOUNT_ATTR_* of fsmount(2), mount_setattr(2) and statmount(2), and the MS_* flags that a mount keeps (fs/namespace.c). */
import { EINVAL } from '../../abi/errno.ts';
import { MS_NOATIME, MS_NODIRATIME, MS_NOSYMFOLLOW, MS_RELATIME } from '../../abi/mount.ts';
import {
  MOUNT_ATTR__ATIME, MOUNT_ATTR_NOATIME, MOUNT_ATTR_NODIRATIME, MOUNT_ATTR_NOSYMFOLLOW, MOUNT_ATTR_RELATIME, MOUNT_ATTR_STRICTATIME,
} from '../../abi/mount-api.ts';
import { ATTRIBUTES, SAME_ATTRIBUTES } from './mount-flags.ts';

/** Flags of a mount from all its attributes, or -EINVAL. */
export function flagsOfAttributes(attributes: number): number {
  if ((attributes & ~ATTRIBUTES) !== 0) return -EINVAL;
  const times = attributes & MOUNT_ATTR__ATIME;
  if (times !== MOUNT_ATTR_RELATIME && times !== MOUNT_ATTR_NOATIME && times !== MOUNT_ATTR_STRICTATIME) return -EINVAL;
  return (attributes & SAME_ATTRIBUTES) | (times === MOUNT_ATTR_RELATIME ? MS_RELATIME : 0) | (times === MOUNT_ATTR_NOATIME ? MS_NOATIME : 0)
    | ((attributes & MOUNT_ATTR_NODIRATIME) === 0 ? 0 : MS_NODIRATIME) | ((attributes & MOUNT_ATTR_NOSYMFOLLOW) === 0 ? 0 : MS_NOSYMFOLLOW);
}

export function attributesOfFlags(flags: number): number {
  const times = (flags & MS_NOATIME) !== 0 ? MOUNT_ATTR_NOATIME : (flags & MS_RELATIME) !== 0 ? MOUNT_ATTR_RELATIME : MOUNT_ATTR_STRICTATIME;
  return (flags & SAME_ATTRIBUTES) | times | ((flags & MS_NODIRATIME) === 0 ? 0 : MOUNT_ATTR_NODIRATIME) | ((flags & MS_NOSYMFOLLOW) === 0 ? 0 : MOUNT_ATTR_NOSYMFOLLOW);
}

/** What mount_setattr(2) sets and clears (build_mount_kattr); undefined: EINVAL. Times of access change as one. */
export function isAttributeChange(set: number, clear: number): boolean {
  if (((set | clear) & ~ATTRIBUTES) !== 0) return false;
  const cleared = clear & MOUNT_ATTR__ATIME;
  if (cleared !== 0 ? cleared !== MOUNT_ATTR__ATIME : (set & MOUNT_ATTR__ATIME) !== 0) return false;
  return flagsOfAttributes(set) >= 0;
}
