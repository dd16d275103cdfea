/** open(2): Linux fs/namei.c:path_openat(), fs/open.c:do_dentry_open(). */
import {
  EACCES, EEXIST, EIO, EISDIR, ELOOP, ENOENT, ENOTDIR, ENXIO, EOPNOTSUPP, EPERM, EROFS, ETXTBSY,
} from '../abi/errno.ts';
import {
  O_ACCMODE, O_CREAT, O_DIRECTORY, O_EXCL, O_NOATIME, O_NOFOLLOW, O_PATH, O_RDONLY, O_RDWR, O_TMPFILE, O_TRUNC, O_WRONLY,
} from '../abi/fcntl.ts';
import { IN_CREATE, IN_MODIFY, IN_OPEN } from '../abi/inotify.ts';
import { MS_NODEV, MS_RDONLY } from '../abi/mount.ts';
import { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG, S_IFSOCK } from '../abi/stat.ts';
import { ANON_INODE_FS_MAGIC } from '../abi/statfs.ts';
import { AnonymousFileSystem } from './anonymous-inode.ts';
import { Dentry, DentryTree, Mount, addChild, lookupChild } from './dentry.ts';
import type { Location } from './dentry.ts';
import { notifyLocation, notifyName } from './notify.ts';
import { DirectoryFile, PlainFile } from './open-file.ts';
import { MAY_EXEC, MAY_READ, MAY_WRITE, initialOwner, inodePermission, ownerOrCapable } from './permission.ts';
import { makeAccess } from './landlock-rights.ts';
import type { Credentials, Inode, OpenFile } from './types.ts';
import { LAST_NORM, LOOKUP_DIRECTORY, LOOKUP_FOLLOW, LOOKUP_PARENT, Walk } from './walk.ts';
import type { PathContext } from './walk.ts';

/** Opens what has no behaviour of its own in the file system: FIFOs, and device nodes by number. */
export interface SpecialOpener {
  open(inode: Inode, flags: number, location: Location): OpenFile | number;
  /** Of a device node: false where the caller may not use it whatever its mode says. `mask` as for `inodePermission`. */
  mayUse(inode: Inode, mask: number): boolean;
}

/** Opens none of them. */
export const NO_SPECIAL_FILES: SpecialOpener = { open: () => -EIO, mayUse: () => true };

const MODE_OF_ACCESS = [MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE, MAY_READ | MAY_WRITE] as const;
/** O_TMPFILE without the O_DIRECTORY that it contains. */
const TMPFILE_BIT = O_TMPFILE & ~O_DIRECTORY;

export function mountIsReadOnly(mount: Mount): boolean {
  return (mount.flags & MS_RDONLY) !== 0 || mount.fileSystem.readOnly;
}

/** A request of open(2) on its way. `flags` are checked by the system call. */
export interface OpenRequest {
  readonly context: PathContext;
  readonly credentials: Credentials;
  readonly flags: number;
  /** Permission bits of a new file. */
  readonly mode: number;
  readonly resolve: number;
  readonly special: SpecialOpener;
}

/** Opens `path` from `start`: the open file with its location, or a negative errno. */
export function openPath(start: Location, path: string, request: OpenRequest): OpenFile | number {
  const { flags } = request;
  const walk = new Walk(request.context, request.credentials, start, request.resolve);
  if ((flags & O_CREAT) !== 0 && (flags & O_PATH) === 0) return openOrCreate(walk, path, request);
  const lookup = ((flags & O_NOFOLLOW) === 0 ? LOOKUP_FOLLOW : 0) | ((flags & O_DIRECTORY) === 0 ? 0 : LOOKUP_DIRECTORY);
  const error = walk.run(path, lookup);
  if (error !== 0) {
    return error === -ENOTDIR && (flags & O_NOFOLLOW) !== 0 && (walk.inode.mode & S_IFMT) === S_IFLNK && !walk.trailingSlash
      && (flags & O_PATH) === 0 && (flags & O_DIRECTORY) === 0 ? -ELOOP : error;
  }
  if ((flags & TMPFILE_BIT) !== 0) return openTemporary(walk, request);
  return openLocation(walk, request, false);
}

function openOrCreate(walk: Walk, path: string, request: OpenRequest): OpenFile | number {
  const { flags, credentials } = request;
  let error = walk.run(path, LOOKUP_PARENT);
  for (;;) {
    if (error !== 0) return error;
    if (walk.last !== LAST_NORM || walk.trailingSlash) return (flags & O_EXCL) !== 0 && walk.last !== LAST_NORM ? -EEXIST : -EISDIR;
    const child = lookupChild(walk.dentry, walk.name);
    if (typeof child === 'number') {
      return child === -ENOENT ? createAndOpen(walk, request) : child;
    }
    if ((flags & O_EXCL) !== 0) return -EEXIST;
    if ((flags & O_NOFOLLOW) !== 0 && (child.inode.mode & S_IFMT) === S_IFLNK) return -ELOOP;
    const next = walk.enter(child, true);
    if (typeof next === 'string') {
      error = walk.run(next, LOOKUP_PARENT);
      continue;
    }
    if (next !== 0) return next;
    if ((walk.inode.mode & S_IFMT) === S_IFDIR) return -EISDIR;
    const denied = inodePermission(walk.inode, 0, credentials);
    return denied !== 0 ? denied : openLocation(walk, request, false);
  }
}

function createAndOpen(walk: Walk, request: OpenRequest): OpenFile | number {
  const directory = walk.dentry;
  // As in walkToNew().
  if (directory.inode.fileSystem.type === 'proc') return -ENOENT;
  if (mountIsReadOnly(walk.mount)) return -EROFS;
  const denied = inodePermission(directory.inode, MAY_WRITE | MAY_EXEC, request.credentials);
  if (denied !== 0) return denied;
  if (directory.deleted) return -ENOENT;
  const refused = request.credentials.restriction?.check(walk, makeAccess(S_IFREG)) ?? 0;
  if (refused !== 0) return refused;
  const owner = initialOwner(directory.inode, S_IFREG | (request.mode & 0o7777), request.context.umask, request.credentials);
  const inode = directory.inode.create(walk.name, owner.mode, owner.uid, owner.gid, 0);
  if (typeof inode === 'number') return inode;
  walk.dentry = addChild(directory, walk.name, inode);
  notifyName(directory, walk.name, IN_CREATE, false);
  return openLocation(walk, request, true);
}

function openTemporary(walk: Walk, request: OpenRequest): OpenFile | number {
  const directory = walk.dentry;
  if ((directory.inode.mode & S_IFMT) !== S_IFDIR) return -ENOTDIR;
  if (mountIsReadOnly(walk.mount)) return -EROFS;
  const denied = inodePermission(directory.inode, MAY_WRITE | MAY_EXEC, request.credentials);
  if (denied !== 0) return denied;
  const owner = initialOwner(directory.inode, S_IFREG | (request.mode & 0o7777), request.context.umask, request.credentials);
  const inode = directory.inode.createTemporary?.(owner.mode, owner.uid, owner.gid) ?? -EOPNOTSUPP;
  if (typeof inode === 'number') return inode;
  const dentry = new Dentry(`#${inode.ino}`, directory, inode, directory.tree);
  dentry.deleted = true;
  dentry.linkable = (request.flags & O_EXCL) === 0;
  const refused = request.credentials.restriction?.checkOpen({ mount: walk.mount, dentry }, request.flags & ~O_TRUNC) ?? 0;
  if (refused !== 0) {
    inode.hold?.();
    inode.drop?.();
    return refused;
  }
  return new PlainFile(inode, request.flags & ~(O_CREAT | O_EXCL | O_TRUNC), { mount: walk.mount, dentry });
}

/** Opens what a walk found. `created`: just made by this call, so its mode does not matter. */
export function openLocation(found: Location, request: OpenRequest, created: boolean): OpenFile | number {
  const { flags, credentials } = request;
  const location: Location = found.isSilent === true ? found : { mount: found.mount, dentry: found.dentry };
  const { inode } = location.dentry;
  const type = inode.mode & S_IFMT;
  if ((flags & O_PATH) !== 0) {
    const kept = flags & (O_PATH | O_DIRECTORY | O_NOFOLLOW);
    return type === S_IFDIR ? new DirectoryFile(inode, kept, location) : new PlainFile(inode, kept, location);
  }
  if (type === S_IFLNK) return -ELOOP;
  const wantsWrite = (flags & O_ACCMODE) !== O_RDONLY;
  if (type === S_IFDIR && (wantsWrite || (flags & O_TRUNC) !== 0)) return -EISDIR;
  const isDevice = type === S_IFCHR || type === S_IFBLK;
  if (isDevice && ((location.mount.flags & MS_NODEV) !== 0 || location.mount.fileSystem.owner !== undefined)) return -EACCES;
  if (!created) {
    const error = mayOpen(location, request, type === S_IFREG);
    if (error !== 0) return error;
  }
  const { restriction } = credentials;
  const refused = restriction?.checkOpen(location, created ? flags & ~O_TRUNC : flags) ?? 0;
  if (refused !== 0) return refused;
  const kept = flags & ~(O_CREAT | O_EXCL | O_TRUNC);
  const file = openInode(location, kept, type, request.special);
  if (typeof file === 'number') return file;
  file.location ??= location;
  if (restriction !== undefined) file.mayTruncate = restriction.mayTruncate(location);
  if ((flags & O_TRUNC) !== 0 && type === S_IFREG && !created && (inode.size !== 0 || wantsWrite)) {
    const error = inode.setAttributes({ size: 0 });
    if (error !== 0) {
      file.release();
      return error;
    }
    notifyLocation(location, IN_MODIFY);
  }
  notifyLocation(location, IN_OPEN);
  return file;

  function mayOpen(at: Location, { flags: wanted, special }: OpenRequest, regular: boolean): number {
    let mask = MODE_OF_ACCESS[wanted & O_ACCMODE]!;
    if ((wanted & O_TRUNC) !== 0 && regular) mask |= MAY_WRITE;
    const writes = (mask & MAY_WRITE) !== 0 && (regular || type === S_IFDIR);
    if (writes && at.mount.fileSystem.readOnly) return -EROFS;
    const denied = inodePermission(inode, mask, credentials);
    if (denied !== 0) return denied;
    if (isDevice && !special.mayUse(inode, mask)) return -EPERM;
    if ((wanted & O_NOATIME) !== 0 && !ownerOrCapable(inode, credentials)) return -EPERM;
    if (writes && mountIsReadOnly(at.mount)) return -EROFS;
    return writes && (inode.programs ?? 0) > 0 ? -ETXTBSY : 0;
  }
}

function openInode(location: Location, flags: number, type: number, special: SpecialOpener): OpenFile | number {
  const { dentry } = location;
  const { inode } = dentry;
  if (type === S_IFDIR) return new DirectoryFile(inode, flags, location);
  if (type === S_IFSOCK) return -ENXIO;
  const file = inode.open?.(flags);
  if (file !== undefined) return file;
  if (dentry instanceof AnonymousDentry && type !== S_IFREG) return dentry.file;
  if (type === S_IFIFO || type === S_IFCHR || type === S_IFBLK) return special.open(inode, flags, location);
  const error = inode.prepareOpen?.(flags) ?? 0;
  return error !== 0 ? error : new PlainFile(inode, flags, location);
}

/** The name of an open file that was never in a directory. */
class AnonymousDentry extends Dentry {
  readonly file: OpenFile;
  constructor(file: OpenFile, tree: DentryTree) {
    super(file.description, undefined, file.inode, tree);
    this.file = file;
  }
}

const nowhere = new AnonymousFileSystem('anon_inodefs', 1, ANON_INODE_FS_MAGIC);
const nowhereTree = new DentryTree(nowhere.root);
const nowhereMount = new Mount(1, nowhere, nowhereTree.root, 0, 'none');
nowhereMount.isInternal = true;

/** Where a file is, for /proc/self/fd and the calls that take a descriptor as a place. */
export function locationOf(file: OpenFile): Location {
  file.location ??= { mount: nowhereMount, dentry: new AnonymousDentry(file, nowhereTree) };
  return file.location;
}

/** True for pipes, sockets and so on: no path leads to it. */
export function isAnonymous(location: Location): boolean {
  return location.mount === nowhereMount;
}

/** Whether O_RDWR or O_WRONLY was asked for. */
export function opensForWriting(flags: number): boolean {
  const access = flags & O_ACCMODE;
  return access === O_WRONLY || access === O_RDWR;
}
