/**
 * Path resolution: path_resolution(7), Linux fs/namei.c:link_path_walk().
 *
 * A walk starts at a location, follows components, symbolic links and mounts, and never leaves the root
 * of its context. It checks search permission on every directory that it goes through.
 */
import { EACCES, ELOOP, ENOENT, ENOTDIR, EXDEV } from '../abi/errno.ts';
import {
  RESOLVE_BENEATH, RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_SYMLINKS, RESOLVE_NO_XDEV,
} from '../abi/fcntl.ts';
import { MAXSYMLINKS } from '../abi/limits.ts';
import { MS_NOSYMFOLLOW } from '../abi/mount.ts';
import { S_IFDIR, S_IFLNK, S_IFMT, S_ISVTX } from '../abi/stat.ts';
import { lookupChild } from './dentry.ts';
import type { Dentry, Location, Mount } from './dentry.ts';
import { MAY_EXEC, inodePermission } from './permission.ts';
import type { Credentials, Inode } from './types.ts';

/** Where paths start and which root they cannot leave: what the VFS needs of `struct fs_struct`. */
export interface PathContext {
  readonly root: Location;
  readonly cwd: Location;
  readonly umask: number;
}

/** Follow a symbolic link in the last component. */
export const LOOKUP_FOLLOW = 1;
/** The result must be a directory. */
export const LOOKUP_DIRECTORY = 2;
/** Stop before the last component and leave it in `name`. */
export const LOOKUP_PARENT = 4;
/** An empty path means the start itself. */
export const LOOKUP_EMPTY = 8;

/** What the last component of a LOOKUP_PARENT walk is. */
export const LAST_NORM = 0;
export const LAST_ROOT = 1;
export const LAST_DOT = 2;
export const LAST_DOTDOT = 3;

const SLASH = 47;
const DOT = 46;

/** One path walk. After `run` answered 0: the place found, or its directory and last component. */
export class Walk implements Location {
  mount: Mount;
  dentry: Dentry;
  name = '';
  /** The last component had slashes behind it. */
  trailingSlash = false;
  last: number = LAST_ROOT;
  /** The last step went through a magic link of /proc. */
  jumped = false;

  readonly #root: Location;
  readonly #credentials: Credentials;
  readonly #resolve: number;
  readonly #start: Mount;
  #links = 0;

  constructor(context: PathContext, credentials: Credentials, start: Location, resolve = 0) {
    this.#root = (resolve & (RESOLVE_IN_ROOT | RESOLVE_BENEATH)) === 0 ? context.root : start;
    this.#credentials = credentials;
    this.#resolve = resolve;
    this.mount = start.mount;
    this.dentry = start.dentry;
    this.#start = start.mount;
  }

  /** The place where it stands, as a value of its own. */
  get location(): Location {
    return { mount: this.mount, dentry: this.dentry };
  }

  get inode(): Inode {
    return this.dentry.inode;
  }

  /** Walks `path` from where it stands. 0 or a negative errno. */
  run(path: string, flags: number): number {
    if (path.length === 0) return (flags & LOOKUP_EMPTY) === 0 ? -ENOENT : 0;
    let rest = path;
    let position = 0;
    if (rest.charCodeAt(0) === SLASH) {
      const error = this.#toRoot();
      if (error !== 0) return error;
    }
    this.jumped = false;
    for (;;) {
      while (rest.charCodeAt(position) === SLASH) position++;
      if (position >= rest.length) {
        this.last = LAST_ROOT;
        this.name = '';
        this.trailingSlash = true;
        return this.#checkDirectory(flags & LOOKUP_DIRECTORY);
      }
      const searchable = this.#search();
      if (searchable !== 0) return searchable;
      let end = rest.indexOf('/', position);
      if (end < 0) end = rest.length;
      const name = rest.slice(position, end);
      let next = end;
      while (rest.charCodeAt(next) === SLASH) next++;
      const isLast = next >= rest.length;
      this.trailingSlash = isLast && end < rest.length;
      const kind = classify(name);
      if (isLast && (flags & LOOKUP_PARENT) !== 0) {
        this.name = name;
        this.last = kind;
        return 0;
      }
      if (kind === LAST_NORM) {
        const follow = !isLast || this.trailingSlash || (flags & LOOKUP_FOLLOW) !== 0;
        const target = this.#step(name, follow);
        if (typeof target === 'number') {
          if (target !== 0) return target;
        } else {
          rest = isLast && !this.trailingSlash ? target : `${target}/${rest.slice(next)}`;
          position = 0;
          continue;
        }
      } else if (kind === LAST_DOTDOT) {
        const error = this.#up();
        if (error !== 0) return error;
      }
      if (isLast) {
        this.last = kind;
        return this.#checkDirectory((flags & LOOKUP_DIRECTORY) !== 0 || this.trailingSlash ? 1 : 0);
      }
      position = next;
    }
  }

  /** Search permission on the directory where it stands. */
  #search(): number {
    const { inode } = this.dentry;
    if ((inode.mode & S_IFMT) !== S_IFDIR) return -ENOTDIR;
    return (inode.mode & 0o111) === 0o111 ? 0 : inodePermission(inode, MAY_EXEC, this.#credentials);
  }

  #checkDirectory(required: number): number {
    return required !== 0 && (this.dentry.inode.mode & S_IFMT) !== S_IFDIR ? -ENOTDIR : 0;
  }

  /** Goes to a child. 0, a negative errno, or the text of a symbolic link to go on with (it then stands where that starts). */
  #step(name: string, follow: boolean): number | string {
    const child = lookupChild(this.dentry, name);
    if (typeof child === 'number') return child;
    return this.enter(child, follow);
  }

  /** Goes to `child` of where it stands, as `#step`. */
  enter(child: Dentry, follow: boolean): number | string {
    if (child.mounts > 0) {
      const mount = this.#crossDown(this.mount, child);
      if (mount !== undefined) {
        if ((this.#resolve & RESOLVE_NO_XDEV) !== 0) return -EXDEV;
        this.mount = mount;
        this.dentry = mount.root;
        return 0;
      }
    }
    if (!follow || (child.inode.mode & S_IFMT) !== S_IFLNK) {
      this.dentry = child;
      this.jumped = false;
      return 0;
    }
    return this.#mayFollow(child.inode) ? this.#follow(child.inode) : -EACCES;
  }

  /** protected_symlinks of proc_sys_fs(5): in a sticky directory that all may write, only links of the follower or of the directory's owner. */
  #mayFollow(link: Inode): boolean {
    const directory = this.dentry.inode;
    if ((directory.mode & (S_ISVTX | 0o002)) !== (S_ISVTX | 0o002)) return true;
    return link.uid === this.#credentials.fsuid || link.uid === directory.uid;
  }

  #follow(link: Inode): number | string {
    if ((this.#resolve & RESOLVE_NO_SYMLINKS) !== 0) return -ELOOP;
    if (++this.#links > MAXSYMLINKS || (this.mount.flags & MS_NOSYMFOLLOW) !== 0) return -ELOOP;
    if (link.followLink !== undefined) {
      if ((this.#resolve & RESOLVE_NO_MAGICLINKS) !== 0) return -ELOOP;
      if ((this.#resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) !== 0) return -EXDEV;
      const target = link.followLink();
      if (typeof target === 'number') return target;
      if ((this.#resolve & RESOLVE_NO_XDEV) !== 0 && target.mount !== this.#start) return -EXDEV;
      this.mount = target.mount;
      this.dentry = target.dentry;
      this.jumped = true;
      return 0;
    }
    const target = link.readLink();
    if (typeof target === 'number') return target;
    if (target.length === 0) return -ENOENT;
    if (target.charCodeAt(0) === SLASH) {
      const error = this.#toRoot();
      if (error !== 0) return error;
    }
    return target;
  }

  #toRoot(): number {
    if ((this.#resolve & RESOLVE_BENEATH) !== 0) return -EXDEV;
    if ((this.#resolve & RESOLVE_NO_XDEV) !== 0 && this.#root.mount !== this.#start) return -EXDEV;
    this.mount = this.#root.mount;
    this.dentry = this.#root.dentry;
    return 0;
  }

  /** The topmost mount on a dentry of `mount`, or undefined. */
  #crossDown(mount: Mount, dentry: Dentry): Mount | undefined {
    let found = mount.children.get(dentry);
    if (found === undefined) return undefined;
    for (let next = found.children.get(found.root); next !== undefined; next = found.children.get(found.root)) found = next;
    return found;
  }

  /** `..`: fs/namei.c:follow_dotdot(). */
  #up(): number {
    for (;;) {
      if (this.dentry === this.#root.dentry && this.mount === this.#root.mount) {
        return (this.#resolve & RESOLVE_BENEATH) !== 0 ? -EXDEV : 0;
      }
      if (this.dentry !== this.mount.root) {
        if (this.dentry.parent === undefined) return 0;
        this.dentry = this.dentry.parent;
        break;
      }
      const { parent, mountpoint } = this.mount;
      if (parent === undefined || mountpoint === undefined) return 0;
      if ((this.#resolve & RESOLVE_NO_XDEV) !== 0) return -EXDEV;
      this.mount = parent;
      this.dentry = mountpoint;
    }
    if (this.dentry.mounts > 0) {
      const mount = this.#crossDown(this.mount, this.dentry);
      if (mount !== undefined) {
        if ((this.#resolve & RESOLVE_NO_XDEV) !== 0) return -EXDEV;
        this.mount = mount;
        this.dentry = mount.root;
      }
    }
    return 0;
  }
}

function classify(name: string): number {
  if (name.charCodeAt(0) !== DOT) return LAST_NORM;
  if (name.length === 1) return LAST_DOT;
  return name.length === 2 && name.charCodeAt(1) === DOT ? LAST_DOTDOT : LAST_NORM;
}

/** Finds what a path names: `user_path_at()`. */
export function walkPath(
  context: PathContext, credentials: Credentials, start: Location, path: string, flags: number, resolve = 0,
): Location | number {
  const walk = new Walk(context, credentials, start, resolve);
  const error = walk.run(path, flags);
  return error === 0 ? walk : error;
}

/** 0, or the errno where search of `location` itself is not allowed, for chdir and chroot. */
export function mayEnter(location: Location, credentials: Credentials): number {
  if ((location.dentry.inode.mode & S_IFMT) !== S_IFDIR) return -ENOTDIR;
  return inodePermission(location.dentry.inode, MAY_EXEC, credentials);
}
