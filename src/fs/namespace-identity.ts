/** The files of namespaces (`nsfs`, /proc/PID/ns): they can be opened, compared by inode number, held, and entered with setns(2). */
import { NSFS_MAGIC } from '../abi/statfs.ts';
import { AnonymousFileSystem, AnonymousInode } from './anonymous-inode.ts';
import { Dentry, Mount, rootDentry } from './dentry.ts';
import type { Location } from './dentry.ts';
import type { IdMapping, Inode } from './types.ts';

export interface NamespaceIdentity {
  /** CLONE_NEW* of its kind. */
  readonly flag: number;
  readonly ino: number;
}

/** What a namespace belongs to: the kernel's user namespaces. */
export interface NamespaceOwner extends NamespaceIdentity, IdMapping {}

/** Inode numbers of the first of each kind (include/linux/proc_ns.h). */
export const IPC_NAMESPACE = 0xefff_ffff;
export const UTS_NAMESPACE = 0xefff_fffe;
export const USER_NAMESPACE = 0xefff_fffd;
export const PID_NAMESPACE = 0xefff_fffc;
export const CGROUP_NAMESPACE = 0xefff_fffb;
export const TIME_NAMESPACE = 0xefff_fffa;
export const NETWORK_NAMESPACE = 0xf000_0000;
export const MOUNT_NAMESPACE = 0xf000_0001;

let lastInode = MOUNT_NAMESPACE;

export function nextNamespaceInode(): number {
  return ++lastInode;
}

export class NamespaceInode extends AnonymousInode {
  readonly namespace: NamespaceIdentity;
  constructor(namespace: NamespaceIdentity) {
    super(files, namespace.ino, 0o100444);
    this.namespace = namespace;
  }
}

/** Whether it is the file of a namespace, which may be bound to a place although it is mounted nowhere. */
export function isNamespaceFile(inode: Inode): boolean {
  return inode instanceof NamespaceInode;
}

const files = new AnonymousFileSystem('nsfs', 4, NSFS_MAGIC);
const root = rootDentry(files);
const mount = new Mount(3, files, root, 0, 'nsfs');
mount.isInternal = true;
const dentries = new WeakMap<NamespaceIdentity, Dentry>();

/** Where the file of a namespace is; `name` is what its link shows, `uts:[4026531838]`. */
export function namespaceLocation(namespace: NamespaceIdentity, name: string): Location {
  let dentry = dentries.get(namespace);
  if (dentry === undefined) {
    dentry = new Dentry(name, undefined, new NamespaceInode(namespace), root.tree);
    dentries.set(namespace, dentry);
  }
  return { mount, dentry };
}
