/** chmod, chown, utimes, truncate, xattrs on what a walk found: Linux fs/attr.c, fs/open.c, fs/xattr.c. */
import { CAP_CHOWN, CAP_FSETID, CAP_SETFCAP, CAP_SYS_ADMIN } from '../abi/capability.ts';
import { EACCES, EINVAL, EISDIR, ENODATA, EOPNOTSUPP, EPERM, EROFS, ETXTBSY } from '../abi/errno.ts';
import { IN_ATTRIB, IN_MODIFY } from '../abi/inotify.ts';
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG, S_ISGID, S_ISVTX } from '../abi/stat.ts';
import type { Location } from './dentry.ts';
import { notifyLocation } from './notify.ts';
import { isDirectory } from './open-file.ts';
import { mountIsReadOnly } from './open.ts';
import { MAY_READ, MAY_WRITE, capableInFirst, capableOver, dropPrivileges, inGroup, inodePermission, modeWithoutPrivileges, ownerOrCapable } from './permission.ts';
import type { Credentials, Inode } from './types.ts';

function changed(at: Location, error: number): number {
  if (error === 0) notifyLocation(at, IN_ATTRIB);
  return error;
}

/** chmod(2). */
export function changeMode(at: Location, mode: number, credentials: Credentials): number {
  const { inode } = at.dentry;
  if (mountIsReadOnly(at.mount)) return -EROFS;
  if ((inode.mode & S_IFMT) === S_IFLNK) return -EOPNOTSUPP;
  if (!ownerOrCapable(inode, credentials)) return -EPERM;
  let bits = mode & 0o7777;
  if (!inGroup(credentials, inode.gid) && !capableOver(inode, credentials, CAP_FSETID)) bits &= ~S_ISGID;
  return changed(at, inode.setAttributes({ mode: bits }));
}

/** chown(2); -1 keeps. */
export function changeOwner(at: Location, uid: number, gid: number, credentials: Credentials): number {
  const { inode } = at.dentry;
  if (mountIsReadOnly(at.mount)) return -EROFS;
  const capable = capableOver(inode, credentials, CAP_CHOWN);
  if (uid !== -1 && !capable && (inode.uid !== credentials.fsuid || uid !== inode.uid)) return -EPERM;
  if (gid !== -1 && !capable && (inode.uid !== credentials.fsuid || (gid !== inode.gid && !inGroup(credentials, gid)))) return -EPERM;
  const attributes: { uid?: number; gid?: number; mode?: number } = {};
  if (uid !== -1) attributes.uid = uid;
  if (gid !== -1) attributes.gid = gid;
  if (!isDirectory(inode) && (inode.mode & S_IFMT) !== S_IFLNK) {
    const mode = modeWithoutPrivileges(inode.mode);
    if (mode !== inode.mode) attributes.mode = mode & 0o7777;
  }
  return changed(at, inode.setAttributes(attributes));
}

/** A time to set: nanoseconds, the present, or left alone. */
export type TimeChange = bigint | 'now' | 'keep';

/** utimensat(2). `now` is the present. */
export function changeTimes(at: Location, atime: TimeChange, mtime: TimeChange, now: bigint, credentials: Credentials): number {
  if (atime === 'keep' && mtime === 'keep') return 0;
  const { inode } = at.dentry;
  if (mountIsReadOnly(at.mount)) return -EROFS;
  const bothNow = atime === 'now' && mtime === 'now';
  if (!ownerOrCapable(inode, credentials)) {
    if (!bothNow) return -EPERM;
    if (inodePermission(inode, MAY_WRITE, credentials) !== 0) return -EACCES;
  }
  const attributes: { atimeNs?: bigint; mtimeNs?: bigint } = {};
  if (atime !== 'keep') attributes.atimeNs = atime === 'now' ? now : atime;
  if (mtime !== 'keep') attributes.mtimeNs = mtime === 'now' ? now : mtime;
  return changed(at, inode.setAttributes(attributes));
}

/** truncate(2) by path. */
export function truncatePath(at: Location, size: number, credentials: Credentials): number {
  const { inode } = at.dentry;
  const type = inode.mode & S_IFMT;
  if (type === S_IFDIR) return -EISDIR;
  if (type !== S_IFREG) return -EINVAL;
  if (mountIsReadOnly(at.mount)) return -EROFS;
  const denied = inodePermission(inode, MAY_WRITE, credentials);
  if (denied !== 0) return denied;
  return (inode.programs ?? 0) > 0 ? -ETXTBSY : truncateInode(at, size, credentials);
}

/** The part that ftruncate(2) shares. */
export function truncateInode(at: Location, size: number, credentials: Credentials): number {
  const { inode } = at.dentry;
  const error = inode.setAttributes({ size });
  if (error !== 0) return error;
  dropPrivileges(inode, credentials);
  notifyLocation(at, IN_MODIFY);
  return 0;
}

// ---- extended attributes: xattr(7) ----

/** xattr_permission(): 0 or a negative errno. */
function xattrPermission(inode: Inode, name: string, mask: number, credentials: Credentials): number {
  if (/^(user|trusted|security)\.$/.test(name)) return -EINVAL;
  if (name.startsWith('security.')) {
    if ((mask & MAY_WRITE) === 0) return 0;
    return (name === 'security.capability' ? capableOver(inode, credentials, CAP_SETFCAP) : capableInFirst(credentials, CAP_SYS_ADMIN)) ? 0 : -EPERM;
  }
  if (name.startsWith('system.')) return -EOPNOTSUPP;
  if (name.startsWith('trusted.')) {
    if (capableInFirst(credentials, CAP_SYS_ADMIN)) return 0;
    return (mask & MAY_WRITE) !== 0 ? -EPERM : -ENODATA;
  }
  if (!name.startsWith('user.')) return -EOPNOTSUPP;
  const type = inode.mode & S_IFMT;
  if (type !== S_IFREG && type !== S_IFDIR) return (mask & MAY_WRITE) !== 0 ? -EPERM : -ENODATA;
  if (type === S_IFDIR && (inode.mode & S_ISVTX) !== 0 && (mask & MAY_WRITE) !== 0
    && inode.uid !== credentials.fsuid && !ownerOrCapable(inode, credentials)) return -EPERM;
  return inodePermission(inode, mask, credentials);
}

export function getAttribute(at: Location, name: string, credentials: Credentials): Uint8Array | number {
  const { inode } = at.dentry;
  const denied = xattrPermission(inode, name, MAY_READ, credentials);
  return denied !== 0 ? denied : inode.getXattr(name);
}

export function setAttribute(at: Location, name: string, value: Uint8Array, flags: number, credentials: Credentials): number {
  const { inode } = at.dentry;
  if (mountIsReadOnly(at.mount)) return -EROFS;
  const denied = xattrPermission(inode, name, MAY_WRITE, credentials);
  return denied !== 0 ? denied : changed(at, inode.setXattr(name, value, flags));
}

export function removeAttribute(at: Location, name: string, credentials: Credentials): number {
  const { inode } = at.dentry;
  if (mountIsReadOnly(at.mount)) return -EROFS;
  const denied = xattrPermission(inode, name, MAY_WRITE, credentials);
  return denied !== 0 ? denied : changed(at, inode.removeXattr(name));
}

/** Names that the caller may see: `trusted.` ones only with CAP_SYS_ADMIN. */
export function listAttributes(inode: Inode, credentials: Credentials): readonly string[] {
  const names = inode.listXattr();
  return capableInFirst(credentials, CAP_SYS_ADMIN) ? names : names.filter((name) => !name.startsWith('trusted.'));
}
