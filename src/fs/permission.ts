/** Discretionary access control: Linux fs/namei.c:generic_permission(), fs/attr.c, capabilities(7). */
import { CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_FSETID } from '../abi/capability.ts';
import { EACCES, EPERM } from '../abi/errno.ts';
import { S_IFDIR, S_IFMT, S_ISGID, S_ISUID, S_ISVTX } from '../abi/stat.ts';
import type { Credentials, Inode } from './types.ts';

export const MAY_EXEC = 1;
export const MAY_WRITE = 2;
export const MAY_READ = 4;

export function hasCapability(credentials: Credentials, capability: number): boolean {
  const word = capability < 32 ? credentials.capabilitiesLow : credentials.capabilitiesHigh;
  if (((word >>> (capability & 31)) & 1) === 0) return false;
  credentials.onCapability?.(capability);
  return true;
}

/** capable_wrt_inode_uidgid(): a capability counts for files whose owner and group the user namespace knows. */
export function capableOver(inode: Inode, credentials: Credentials, capability: number): boolean {
  if (!hasCapability(credentials, capability)) return false;
  const { idMapping } = credentials;
  return idMapping === undefined || (idMapping.mapsUid(inode.uid) && idMapping.mapsGid(inode.gid));
}

/** For what is the whole system's: no user namespace but the first gives it. */
export function capableInFirst(credentials: Credentials, capability: number): boolean {
  return credentials.idMapping === undefined && hasCapability(credentials, capability);
}

export function inGroup(credentials: Credentials, gid: number): boolean {
  return credentials.fsgid === gid || credentials.groups.includes(gid);
}

/** 0 or -EACCES. `mask` is MAY_*. */
export function inodePermission(inode: Inode, mask: number, credentials: Credentials): number {
  const { mode } = inode;
  const all = mask * 0o111;
  if ((mode & all) === all) return 0;
  const own = inode.permission?.();
  if (own !== undefined && (own < 0 || (mask & MAY_WRITE) === 0)) return own;
  let bits = mode;
  if (inode.uid === credentials.fsuid) bits >>= 6;
  else if (inGroup(credentials, inode.gid)) bits >>= 3;
  if ((bits & mask) === mask) return 0;
  if ((mode & S_IFMT) === S_IFDIR) {
    if ((mask & MAY_WRITE) === 0 && capableOver(inode, credentials, CAP_DAC_READ_SEARCH)) return 0;
    return capableOver(inode, credentials, CAP_DAC_OVERRIDE) ? 0 : -EACCES;
  }
  if (mask === MAY_READ && capableOver(inode, credentials, CAP_DAC_READ_SEARCH)) return 0;
  if ((mask & MAY_EXEC) !== 0 && (mode & 0o111) === 0) return -EACCES;
  return capableOver(inode, credentials, CAP_DAC_OVERRIDE) ? 0 : -EACCES;
}

/** Owner of the file, or CAP_FOWNER. */
export function ownerOrCapable(inode: Inode, credentials: Credentials): boolean {
  return inode.uid === credentials.fsuid || capableOwner(inode, credentials);
}

/** CAP_FOWNER for a file whose owner the user namespace knows (inode_owner_or_capable). */
function capableOwner(inode: Inode, credentials: Credentials): boolean {
  return hasCapability(credentials, CAP_FOWNER) && (credentials.idMapping === undefined || credentials.idMapping.mapsUid(inode.uid));
}

/** Whether a sticky directory forbids removing `victim` (fs/namei.c:check_sticky). */
export function stickyForbids(directory: Inode, victim: Inode, credentials: Credentials): boolean {
  if ((directory.mode & S_ISVTX) === 0) return false;
  if (victim.uid === credentials.fsuid || directory.uid === credentials.fsuid) return false;
  return !capableOver(victim, credentials, CAP_FOWNER);
}

/** fs/namei.c:may_delete(), without the checks on types: 0, -EACCES, -EPERM. */
export function mayDelete(directory: Inode, victim: Inode, credentials: Credentials): number {
  const error = inodePermission(directory, MAY_WRITE | MAY_EXEC, credentials);
  if (error !== 0) return error;
  return stickyForbids(directory, victim, credentials) ? -EPERM : 0;
}

/** Mode that a write or a change of owner leaves: set-user-ID is dropped, and set-group-ID where group execution is allowed. */
export function modeWithoutPrivileges(mode: number): number {
  let kept = mode & ~S_ISUID;
  if ((mode & 0o010) !== 0) kept &= ~S_ISGID;
  return kept;
}

/** file_remove_privs(): after a write by someone without CAP_FSETID. */
export function dropPrivileges(inode: Inode, credentials: Credentials): void {
  if ((inode.mode & (S_ISUID | S_ISGID)) === 0 || (inode.mode & S_IFMT) === S_IFDIR) return;
  if (capableOver(inode, credentials, CAP_FSETID)) return;
  const mode = modeWithoutPrivileges(inode.mode);
  if (mode !== inode.mode) inode.setAttributes({ mode: mode & 0o7777 });
}

/** Owner, group and mode of a new file in `directory` (fs/inode.c:inode_init_owner()). `mode` has its type. */
export function initialOwner(
  directory: Inode, mode: number, umask: number, credentials: Credentials,
): { mode: number; uid: number; gid: number } {
  let result = mode & ~umask;
  let gid = credentials.fsgid;
  if ((directory.mode & S_ISGID) !== 0) {
    gid = directory.gid;
    if ((mode & S_IFMT) === S_IFDIR) result |= S_ISGID;
    else if ((result & (S_ISGID | 0o010)) === (S_ISGID | 0o010) && !inGroup(credentials, gid)
      && !capableOver(directory, credentials, CAP_FSETID)) result &= ~S_ISGID;
  }
  return { mode: result, uid: credentials.fsuid, gid };
}
