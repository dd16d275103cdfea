/**
 * What a task has given up for itself and its children: Landlock (Linux security/landlock/fs.c). A restriction is a stack of
 * rulesets, all of which must allow what is done. A ruleset handles some kinds of access, and allows them beneath the places
 * that its rules name.
 */
import { EACCES, EXDEV } from '../abi/errno.ts';
import { O_ACCMODE, O_RDONLY, O_TRUNC, O_WRONLY } from '../abi/fcntl.ts';
import {
  LANDLOCK_ACCESS_FS_READ_DIR, LANDLOCK_ACCESS_FS_READ_FILE, LANDLOCK_ACCESS_FS_REFER, LANDLOCK_ACCESS_FS_REMOVE_DIR, LANDLOCK_ACCESS_FS_REMOVE_FILE,
  LANDLOCK_ACCESS_FS_TRUNCATE, LANDLOCK_ACCESS_FS_WRITE_FILE,
} from '../abi/landlock.ts';
import { S_IFDIR, S_IFMT } from '../abi/stat.ts';
import { LANDLOCK_ACCESS_FILE, LANDLOCK_ACCESS_FS, makeAccess } from './landlock-rights.ts';
import type { Dentry, Location } from './dentry.ts';
import type { FileSystem, Inode } from './types.ts';

/** A ruleset as its makers fill it, and one layer of a restriction once it is in force. */
export class Ruleset {
  readonly handledPaths: number;
  readonly handledPorts: number;
  /** By file system and inode number: what is allowed there and beneath. */
  readonly #paths = new Map<FileSystem, Map<number, number>>();
  readonly #ports = new Map<number, number>();
  #rules = 0;

  constructor(handledPaths: number, handledPorts: number) {
    this.handledPaths = handledPaths;
    this.handledPorts = handledPorts;
  }

  get rules(): number {
    return this.#rules;
  }

  allowBeneath({ fileSystem, ino }: Inode, access: number): void {
    let places = this.#paths.get(fileSystem);
    if (places === undefined) this.#paths.set(fileSystem, (places = new Map()));
    if (!places.has(ino)) this.#rules++;
    places.set(ino, (places.get(ino) ?? 0) | access);
  }

  allowPort(port: number, access: number): void {
    if (!this.#ports.has(port)) this.#rules++;
    this.#ports.set(port, (this.#ports.get(port) ?? 0) | access);
  }

  /** As it is now: later rules do not change what is in force. */
  freeze(): Ruleset {
    const copy = new Ruleset(this.handledPaths, this.handledPorts);
    for (const [fileSystem, places] of this.#paths) copy.#paths.set(fileSystem, new Map(places));
    for (const [port, access] of this.#ports) copy.#ports.set(port, access);
    copy.#rules = this.#rules;
    return copy;
  }

  allowedAt({ fileSystem, ino }: Inode): number {
    return this.#paths.get(fileSystem)?.get(ino) ?? 0;
  }

  allowsPort(port: number, access: number): boolean {
    const needed = access & this.handledPorts;
    return (needed & ~(this.#ports.get(port) ?? 0)) === 0;
  }

  /** What of all that it handles is not allowed at `location`. Reparenting is refused by every ruleset that does not allow it. */
  deniedAt(location: Location): number {
    let denied = this.handledPaths | LANDLOCK_ACCESS_FS_REFER;
    for (const dentry of ancestors(location)) {
      denied &= ~this.allowedAt(dentry.inode);
      if (denied === 0) break;
    }
    return denied;
  }
}

/** The place itself and all above it, across mounts. */
function* ancestors({ mount, dentry }: Location): Iterable<Dentry> {
  let at: Dentry | undefined = dentry;
  let on: Location['mount'] | undefined = mount;
  while (at !== undefined && on !== undefined) {
    yield at;
    if (at === on.root) {
      at = on.mountpoint;
      on = on.parent;
    } else {
      at = at.parent;
    }
  }
}

function isDirectory(inode: Inode): boolean {
  return (inode.mode & S_IFMT) === S_IFDIR;
}

function removeAccess(dentry: Dentry | undefined): number {
  if (dentry === undefined) return 0;
  return isDirectory(dentry.inode) ? LANDLOCK_ACCESS_FS_REMOVE_DIR : LANDLOCK_ACCESS_FS_REMOVE_FILE;
}

/** What open(2) with these flags takes. */
function openAccess(inode: Inode, flags: number): number {
  const mode = flags & O_ACCMODE;
  let access = mode === O_RDONLY ? 0 : LANDLOCK_ACCESS_FS_WRITE_FILE;
  if (mode !== O_WRONLY) access |= isDirectory(inode) ? LANDLOCK_ACCESS_FS_READ_DIR : LANDLOCK_ACCESS_FS_READ_FILE;
  return (flags & O_TRUNC) !== 0 ? access | LANDLOCK_ACCESS_FS_TRUNCATE : access;
}

/** A name that moves, or a further name of a file. */
export interface Reparenting {
  readonly from: Location;
  readonly source: Dentry;
  readonly to: Location;
  /** What has the new name already. */
  readonly target: Dentry | undefined;
  readonly removes: boolean;
  readonly exchanges: boolean;
}

export class Restriction {
  readonly layers: readonly Ruleset[];
  /** Some ruleset is about files. Otherwise files and mounts are as without any (get_fs_domain()). */
  readonly handlesPaths: boolean;

  constructor(layers: readonly Ruleset[]) {
    this.layers = layers;
    this.handlesPaths = layers.some(({ handledPaths }) => handledPaths !== 0);
  }

  with(ruleset: Ruleset): Restriction {
    return new Restriction([...this.layers, ruleset.freeze()]);
  }

  /** 0 or -EACCES. */
  check(location: Location, access: number): number {
    // Mounted nowhere: pipes, sockets, memory files.
    if (location.mount.isInternal) return 0;
    for (const layer of this.layers) if ((access & layer.handledPaths) !== 0 && (layer.deniedAt(location) & access) !== 0) return -EACCES;
    return 0;
  }

  checkOpen(location: Location, flags: number): number {
    return this.check(location, openAccess(location.dentry.inode, flags));
  }

  mayTruncate(location: Location): boolean {
    return this.check(location, LANDLOCK_ACCESS_FS_TRUNCATE) === 0;
  }

  /** 0, -EACCES or -EXDEV for rename(2) and link(2) (current_check_refer_path). */
  checkMove({ from, source, to, target, removes, exchanges }: Reparenting): number {
    if (!this.handlesPaths) return 0;
    let atSource = exchanges && target !== undefined ? makeAccess(target.inode.mode) : 0;
    let atTarget = makeAccess(source.inode.mode);
    if (removes) {
      atSource |= removeAccess(source);
      atTarget |= removeAccess(target);
    }
    if (from.dentry === to.dentry) return this.check(to, atSource | atTarget);
    let answer = 0;
    for (const layer of this.layers) {
      const deniedSource = layer.deniedAt(from);
      const deniedTarget = layer.deniedAt(to);
      if ((deniedSource & atSource) !== 0 || (deniedTarget & atTarget) !== 0) return -EACCES;
      const gains = gained(layer, source, deniedSource, deniedTarget) || (exchanges && target !== undefined && gained(layer, target, deniedTarget, deniedSource));
      if (((deniedSource | deniedTarget) & LANDLOCK_ACCESS_FS_REFER) !== 0 || gains) answer = -EXDEV;
    }
    return answer;
  }

  /** 0 or -EACCES: bind(2) and connect(2) of TCP sockets. */
  checkPort(port: number, access: number): number {
    return this.layers.every((layer) => layer.allowsPort(port, access)) ? 0 : -EACCES;
  }

  /** `other` is restricted by all of this and perhaps more: a child's, or that of the same task later. */
  isWithin(other: Restriction | undefined): boolean {
    return this.layers.every((layer, index) => other?.layers[index] === layer);
  }
}

/** Whether a file could be used in ways in its new directory that it cannot be used in now. */
function gained(layer: Ruleset, { inode }: Dentry, deniedBefore: number, deniedAfter: number): boolean {
  const kinds = isDirectory(inode) ? LANDLOCK_ACCESS_FS : LANDLOCK_ACCESS_FILE;
  return (deniedBefore & ~deniedAfter & kinds & ~layer.allowedAt(inode) & ~LANDLOCK_ACCESS_FS_REFER) !== 0;
}
