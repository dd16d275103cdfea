/** Names made, removed and moved: Linux fs/namei.c, in its order of checks. */
import {
  EBUSY, EEXIST, EINVAL, EISDIR, ELOOP, ENOENT, ENOTDIR, ENOTEMPTY, EPERM, EROFS, EXDEV,
} from '../abi/errno.ts';
import { CAP_DAC_READ_SEARCH, CAP_MKNOD } from '../abi/capability.ts';
import { RENAME_EXCHANGE, RENAME_NOREPLACE, RENAME_WHITEOUT } from '../abi/fcntl.ts';
import {
  IN_ATTRIB, IN_CREATE, IN_DELETE, IN_DELETE_SELF, IN_MOVED_FROM, IN_MOVED_TO, IN_MOVE_SELF,
} from '../abi/inotify.ts';
import { LANDLOCK_ACCESS_FS_REMOVE_DIR, LANDLOCK_ACCESS_FS_REMOVE_FILE } from '../abi/landlock.ts';
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK, S_ISGID, S_ISUID } from '../abi/stat.ts';
import { addChild, forgetChild, isBelow, lookupChild, moveChild } from './dentry.ts';
import type { Dentry, Location } from './dentry.ts';
import { notifyLocation, notifyName } from './notify.ts';
import { isDirectory } from './open-file.ts';
import { mountIsReadOnly } from './open.ts';
import { MAY_EXEC, MAY_READ, MAY_WRITE, capableInFirst, initialOwner, inodePermission, mayDelete, ownerOrCapable } from './permission.ts';
import { makeAccess } from './landlock-rights.ts';
import type { Credentials, Inode } from './types.ts';
import { LAST_DOT, LAST_DOTDOT, LAST_NORM, LOOKUP_PARENT, Walk } from './walk.ts';
import type { PathContext } from './walk.ts';

/** Who asks, and from where. */
export interface Actor {
  readonly context: PathContext;
  readonly credentials: Credentials;
}

let moveCookie = 0;

/** filename_create(): the walk stands at the directory; the name does not exist and may be made. */
function walkToNew(actor: Actor, start: Location, path: string, directory: boolean): Walk | number {
  const walk = new Walk(actor.context, actor.credentials, start);
  const error = walk.run(path, LOOKUP_PARENT);
  if (error !== 0) return error;
  if (walk.last !== LAST_NORM) return -EEXIST;
  const child = lookupChild(walk.dentry, walk.name);
  if (typeof child !== 'number') return -EEXIST;
  if (child !== -ENOENT) return child;
  if (walk.trailingSlash && !directory) return -ENOENT;
  // proc's own lookup fails, before anybody asks for permission (proc_root_lookup()).
  if (walk.inode.fileSystem.type === 'proc') return -ENOENT;
  if (mountIsReadOnly(walk.mount)) return -EROFS;
  if (walk.dentry.deleted) return -ENOENT;
  return walk;
}

/** The same, with permission to write to the directory (may_create()). */
function walkToCreate(actor: Actor, start: Location, path: string, directory: boolean): Walk | number {
  const walk = walkToNew(actor, start, path, directory);
  if (typeof walk === 'number') return walk;
  const denied = inodePermission(walk.inode, MAY_WRITE | MAY_EXEC, actor.credentials);
  return denied !== 0 ? denied : walk;
}

/** What Landlock says of something to be made in the directory, or removed from it. */
function restricted({ credentials }: Actor, directory: Location, access: number): number {
  return credentials.restriction?.check(directory, access) ?? 0;
}

function created(walk: Walk, inode: Inode | number): Location | number {
  if (typeof inode === 'number') return inode;
  const dentry = addChild(walk.dentry, walk.name, inode);
  notifyName(walk.dentry, walk.name, IN_CREATE, isDirectory(inode));
  return { mount: walk.mount, dentry };
}

/** mkdir(2). */
export function makeDirectory(actor: Actor, start: Location, path: string, mode: number): number {
  const walk = walkToCreate(actor, start, path, true);
  if (typeof walk === 'number') return walk;
  const refused = restricted(actor, walk, makeAccess(S_IFDIR));
  if (refused !== 0) return refused;
  const owner = initialOwner(walk.inode, S_IFDIR | (mode & 0o1777), actor.context.umask, actor.credentials);
  const result = created(walk, walk.inode.create(walk.name, owner.mode, owner.uid, owner.gid, 0));
  return typeof result === 'number' ? result : 0;
}

/** mknod(2); bind(2) of unix sockets makes its node with S_IFSOCK. The place made, or a negative errno. */
export function makeNode(actor: Actor, start: Location, path: string, mode: number, rdev: number): Location | number {
  const type = (mode & S_IFMT) === 0 ? S_IFREG : mode & S_IFMT;
  if (type === S_IFDIR) return -EPERM;
  if (![S_IFREG, S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK].includes(type)) return -EINVAL;
  const walk = walkToCreate(actor, start, path, false);
  if (typeof walk === 'number') return walk;
  const isDevice = type === S_IFCHR || type === S_IFBLK;
  if (isDevice && !(type === S_IFCHR && rdev === 0) && !capableInFirst(actor.credentials, CAP_MKNOD)) return -EPERM;
  const refused = restricted(actor, walk, makeAccess(type));
  if (refused !== 0) return refused;
  const owner = initialOwner(walk.inode, type | (mode & 0o7777), actor.context.umask, actor.credentials);
  return created(walk, walk.inode.create(walk.name, owner.mode, owner.uid, owner.gid, isDevice ? rdev : 0));
}

/** symlink(2). */
export function makeSymlink(actor: Actor, start: Location, path: string, target: string): number {
  const walk = walkToCreate(actor, start, path, false);
  if (typeof walk === 'number') return walk;
  const refused = restricted(actor, walk, makeAccess(S_IFLNK));
  if (refused !== 0) return refused;
  const owner = initialOwner(walk.inode, 0, 0, actor.credentials);
  const result = created(walk, walk.inode.symlink(walk.name, target, owner.uid, owner.gid));
  return typeof result === 'number' ? result : 0;
}

/** link(2): one more name for what is at `from`. */
export function makeLink(actor: Actor, from: Location, start: Location, path: string): number {
  const walk = walkToNew(actor, start, path, false);
  if (typeof walk === 'number') return walk;
  if (walk.mount !== from.mount) return -EXDEV;
  const { inode } = from.dentry;
  if (!mayLink(inode, actor.credentials)) return -EPERM;
  const denied = inodePermission(walk.inode, MAY_WRITE | MAY_EXEC, actor.credentials);
  if (denied !== 0) return denied;
  if (isDirectory(inode)) return -EPERM;
  const parent = from.dentry.parent ?? from.dentry;
  const refused = actor.credentials.restriction?.checkMove({
    from: { mount: from.mount, dentry: parent }, source: from.dentry, to: walk, target: undefined, removes: false, exchanges: false,
  }) ?? 0;
  if (refused !== 0) return refused;
  if (from.dentry.deleted && !from.dentry.linkable && inode.stat().nlink === 0) return -ENOENT;
  const error = walk.inode.link(walk.name, inode);
  if (error !== 0) return error;
  addChild(walk.dentry, walk.name, inode);
  inode.watch?.notify(IN_ATTRIB, undefined, 0);
  notifyName(walk.dentry, walk.name, IN_CREATE, false);
  return 0;
}

/** protected_hardlinks of proc_sys_fs(5): someone else's file only where it can be read and written and has no privileges. */
function mayLink(inode: Inode, credentials: Credentials): boolean {
  if (ownerOrCapable(inode, credentials)) return true;
  if ((inode.mode & S_IFMT) !== S_IFREG || (inode.mode & S_ISUID) !== 0 || (inode.mode & (S_ISGID | 0o010)) === (S_ISGID | 0o010)) return false;
  return inodePermission(inode, MAY_READ | MAY_WRITE, credentials) === 0;
}

/** Whether linkat's AT_EMPTY_PATH is allowed. */
export function mayLinkByDescriptor(credentials: Credentials): boolean {
  return capableInFirst(credentials, CAP_DAC_READ_SEARCH);
}

/** unlink(2). */
export function removeFile(actor: Actor, start: Location, path: string): number {
  const walk = new Walk(actor.context, actor.credentials, start);
  const error = walk.run(path, LOOKUP_PARENT);
  if (error !== 0) return error;
  if (walk.last !== LAST_NORM) return -EISDIR;
  if (mountIsReadOnly(walk.mount)) return -EROFS;
  const directory = walk.dentry;
  const child = lookupChild(directory, walk.name);
  if (typeof child === 'number') return child;
  if (walk.trailingSlash) return isDirectory(child.inode) ? -EISDIR : -ENOTDIR;
  const denied = mayDelete(directory.inode, child.inode, actor.credentials);
  if (denied !== 0) return denied;
  if (isDirectory(child.inode)) return -EISDIR;
  if (child.mounts > 0) return -EBUSY;
  const refused = restricted(actor, walk, LANDLOCK_ACCESS_FS_REMOVE_FILE);
  if (refused !== 0) return refused;
  const failed = directory.inode.unlink(walk.name);
  if (failed !== 0) return failed;
  removed(directory, child, false);
  return 0;
}

/** rmdir(2). */
export function removeDirectory(actor: Actor, start: Location, path: string): number {
  const walk = new Walk(actor.context, actor.credentials, start);
  const error = walk.run(path, LOOKUP_PARENT);
  if (error !== 0) return error;
  if (walk.last === LAST_DOTDOT) return -ENOTEMPTY;
  if (walk.last === LAST_DOT) return -EINVAL;
  if (walk.last !== LAST_NORM) return -EBUSY;
  if (mountIsReadOnly(walk.mount)) return -EROFS;
  const directory = walk.dentry;
  const child = lookupChild(directory, walk.name);
  if (typeof child === 'number') return child;
  const denied = mayDelete(directory.inode, child.inode, actor.credentials);
  if (denied !== 0) return denied;
  if (!isDirectory(child.inode)) return -ENOTDIR;
  if (child.mounts > 0) return -EBUSY;
  const refused = restricted(actor, walk, LANDLOCK_ACCESS_FS_REMOVE_DIR);
  if (refused !== 0) return refused;
  const failed = directory.inode.rmdir(walk.name);
  if (failed !== 0) return failed;
  removed(directory, child, true);
  return 0;
}

function removed(directory: Dentry, child: Dentry, wasDirectory: boolean): void {
  forgetChild(directory, child);
  notifyName(directory, child.name, IN_DELETE, wasDirectory);
  const { watch } = child.inode;
  if (watch === undefined) return;
  // The link count changed, and then the file may be gone (fs/namei.c:vfs_unlink, fs/dcache.c:dentry_unlink_inode).
  if (!wasDirectory) watch.notify(IN_ATTRIB, undefined, 0);
  if (wasDirectory || child.inode.stat().nlink === 0) watch.notify(IN_DELETE_SELF, undefined, 0);
}

/** renameat2(2). */
export function renamePath(
  actor: Actor, fromStart: Location, fromPath: string, toStart: Location, toPath: string, flags: number,
): number {
  if ((flags & ~(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT)) !== 0) return -EINVAL;
  if ((flags & RENAME_EXCHANGE) !== 0 && (flags & (RENAME_NOREPLACE | RENAME_WHITEOUT)) !== 0) return -EINVAL;
  const from = new Walk(actor.context, actor.credentials, fromStart);
  const to = new Walk(actor.context, actor.credentials, toStart);
  const error = from.run(fromPath, LOOKUP_PARENT) || to.run(toPath, LOOKUP_PARENT);
  if (error !== 0) return error;
  if (from.mount !== to.mount) return -EXDEV;
  if (from.last !== LAST_NORM) return -EBUSY;
  if (to.last !== LAST_NORM) return (flags & RENAME_NOREPLACE) !== 0 ? -EEXIST : -EBUSY;
  if (mountIsReadOnly(from.mount)) return -EROFS;
  const source = lookupChild(from.dentry, from.name);
  if (typeof source === 'number') return source;
  const found = lookupChild(to.dentry, to.name);
  if (typeof found === 'number' && found !== -ENOENT) return found;
  const target = typeof found === 'number' ? undefined : found;
  const exchange = (flags & RENAME_EXCHANGE) !== 0;
  if (target !== undefined && (flags & RENAME_NOREPLACE) !== 0) return -EEXIST;
  if (exchange && target === undefined) return -ENOENT;
  if (exchange && target !== undefined && !isDirectory(target.inode) && to.trailingSlash) return -ENOTDIR;
  if (!isDirectory(source.inode) && (from.trailingSlash || (!exchange && to.trailingSlash))) return -ENOTDIR;
  if (isBelow(to.dentry, source)) return -EINVAL;
  if (target !== undefined && isBelow(from.dentry, target)) return exchange ? -EINVAL : -ENOTEMPTY;
  const denied = actor.credentials.restriction?.checkMove({ from, source, to, target, removes: true, exchanges: exchange }) ||
    mayRename(actor.credentials, from.dentry, source, to.dentry, target, exchange);
  if (denied !== 0) return denied;
  if (target !== undefined && target.inode === source.inode) return 0;
  if (source.mounts > 0 || (target?.mounts ?? 0) > 0) return -EBUSY;
  const failed = from.inode.rename(from.name, to.inode, to.name, flags);
  if (failed !== 0) return failed;
  renamed(from, source, to, target, exchange);
  return 0;
}

function mayRename(
  credentials: Credentials, fromDirectory: Dentry, source: Dentry, toDirectory: Dentry, target: Dentry | undefined, exchange: boolean,
): number {
  const sourceIsDirectory = isDirectory(source.inode);
  let denied = mayDelete(fromDirectory.inode, source.inode, credentials);
  if (denied !== 0) return denied;
  if (toDirectory.deleted) return -ENOENT;
  if (target === undefined) denied = inodePermission(toDirectory.inode, MAY_WRITE | MAY_EXEC, credentials);
  else {
    denied = mayDelete(toDirectory.inode, target.inode, credentials);
    const targetIsDirectory = isDirectory(target.inode);
    if (denied === 0 && !exchange && sourceIsDirectory !== targetIsDirectory) return sourceIsDirectory ? -ENOTDIR : -EISDIR;
    if (denied === 0 && exchange && targetIsDirectory && fromDirectory !== toDirectory) denied = inodePermission(target.inode, MAY_WRITE, credentials);
  }
  if (denied === 0 && sourceIsDirectory && fromDirectory !== toDirectory) denied = inodePermission(source.inode, MAY_WRITE, credentials);
  return denied;
}

function renamed(from: Walk, source: Dentry, to: Walk, target: Dentry | undefined, exchange: boolean): void {
  if (target !== undefined && !exchange) forgetChild(to.dentry, target);
  if (target !== undefined && exchange) moveChild(target, from.dentry, `${from.name}\0`);
  moveChild(source, to.dentry, to.name);
  if (target !== undefined && exchange) moveChild(target, from.dentry, from.name);
  moveCookie = (moveCookie + 1) >>> 0;
  const directory = isDirectory(source.inode);
  notifyName(from.dentry, from.name, IN_MOVED_FROM, directory, moveCookie);
  notifyName(to.dentry, to.name, IN_MOVED_TO, directory, moveCookie);
  source.inode.watch?.notify(IN_MOVE_SELF, undefined, 0);
  if (target !== undefined && !exchange) {
    if (!isDirectory(target.inode)) target.inode.watch?.notify(IN_ATTRIB, undefined, 0);
    if (target.inode.stat().nlink === 0) target.inode.watch?.notify(IN_DELETE_SELF, undefined, 0);
  }
}

/** A change of metadata was made. */
export function notifyAttributes(location: Location): void {
  notifyLocation(location, IN_ATTRIB);
}

/** readlink(2) on what was found. */
export function readLinkOf(inode: Inode): string | number {
  const target = inode.readLink();
  return target === -ELOOP ? -EINVAL : target;
}
