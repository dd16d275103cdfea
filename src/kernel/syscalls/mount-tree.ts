/** open_tree(2), move_mount(2), mount_setattr(2): trees of mounts by descriptor (Linux fs/namespace.c). */
import { E2BIG, EFAULT, EINVAL, EPERM } from '../../abi/errno.ts';
import { AT_EMPTY_PATH, AT_NO_AUTOMOUNT, AT_SYMLINK_NOFOLLOW, O_PATH } from '../../abi/fcntl.ts';
import { MS_SHARED } from '../../abi/mount.ts';
import {
  AT_RECURSIVE, MOUNT_ATTR_SIZE_VER0, MOVE_MOUNT_F_AUTOMOUNTS, MOVE_MOUNT_F_EMPTY_PATH, MOVE_MOUNT_F_SYMLINKS, MOVE_MOUNT_SET_GROUP, MOVE_MOUNT_T_AUTOMOUNTS,
  MOVE_MOUNT_T_EMPTY_PATH, MOVE_MOUNT_T_SYMLINKS, OPEN_TREE_CLOEXEC, OPEN_TREE_CLONE,
} from '../../abi/mount-api.ts';
import type { Location, Mount } from '../../fs/dentry.ts';
import { isBelow } from '../../fs/dentry.ts';
import { changePropagation, followMaster, isPropagationType, joinPeers } from '../../fs/mount-propagation.ts';
import { dissolveTree, mountTree } from '../../fs/mounts.ts';
import { DirectoryFile, isDirectory, PlainFile } from '../../fs/open-file.ts';
import { attributesOfFlags, flagsOfAttributes, isAttributeChange } from '../mounts/mount-attributes.ts';
import { openDetached } from '../mounts/mount-files.ts';
import { mayChangeFlags, mayMount } from '../mounts/mount-rights.ts';
import type { SyscallRow, Task } from '../types.ts';
import { locate } from './file-common.ts';
import { move } from './mount.ts';

const PAGE_SIZE = 4096;
const PLACE_FLAGS = AT_EMPTY_PATH | AT_NO_AUTOMOUNT | AT_SYMLINK_NOFOLLOW;

function openTree(task: Task, directory: number, path: number, flags: number): number {
  if ((flags & ~(PLACE_FLAGS | AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)) !== 0) return -EINVAL;
  if ((flags & (AT_RECURSIVE | OPEN_TREE_CLONE)) === AT_RECURSIVE) return -EINVAL;
  const clones = (flags & OPEN_TREE_CLONE) !== 0;
  if (clones && !mayMount(task)) return -EPERM;
  const found = locate(task, directory, path, flags & (AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW));
  if (typeof found === 'number') return found;
  const closeOnExec = (flags & OPEN_TREE_CLOEXEC) !== 0;
  const location = { mount: found.mount, dentry: found.dentry };
  const { inode } = location.dentry;
  if (!clones) return task.files.install(isDirectory(inode) ? new DirectoryFile(inode, O_PATH, location) : new PlainFile(inode, O_PATH, location), closeOnExec);
  const copy = task.fs.namespace.copyOf(location, (flags & AT_RECURSIVE) !== 0);
  if (typeof copy === 'number') return copy;
  const fd = task.files.install(openDetached(copy), closeOnExec);
  if (fd < 0) dissolveTree(copy);
  return fd;
}

const MOVE_FLAGS = MOVE_MOUNT_F_SYMLINKS | MOVE_MOUNT_F_AUTOMOUNTS | MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS | MOVE_MOUNT_T_AUTOMOUNTS
  | MOVE_MOUNT_T_EMPTY_PATH | MOVE_MOUNT_SET_GROUP;

function placeOf(task: Task, directory: number, path: number, follows: boolean, mayBeEmpty: boolean): Location | number {
  const found = locate(task, directory, path, (follows ? 0 : AT_SYMLINK_NOFOLLOW) | (mayBeEmpty ? AT_EMPTY_PATH : 0));
  return typeof found === 'number' ? found : { mount: found.mount, dentry: found.dentry };
}

function moveMount(task: Task, fromDirectory: number, fromPath: number, toDirectory: number, toPath: number, flags: number): number {
  if (!mayMount(task)) return -EPERM;
  if ((flags & ~MOVE_FLAGS) !== 0) return -EINVAL;
  const from = placeOf(task, fromDirectory, fromPath, (flags & MOVE_MOUNT_F_SYMLINKS) !== 0, (flags & MOVE_MOUNT_F_EMPTY_PATH) !== 0);
  if (typeof from === 'number') return from;
  const to = placeOf(task, toDirectory, toPath, (flags & MOVE_MOUNT_T_SYMLINKS) !== 0, (flags & MOVE_MOUNT_T_EMPTY_PATH) !== 0);
  if (typeof to === 'number') return to;
  if ((flags & MOVE_MOUNT_SET_GROUP) !== 0) return setGroup(task, from, to);
  const tree = from.mount;
  if (tree.namespace !== undefined) return move(task, from, to);
  // A tree that is attached nowhere.
  if (from.dentry !== tree.root || tree.parent !== undefined) return -EINVAL;
  if (isDirectory(from.dentry.inode) !== isDirectory(to.dentry.inode)) return -EINVAL;
  if (to.mount.peers !== undefined && mountTree(tree).some(({ isUnbindable }) => isUnbindable)) return -EINVAL;
  return task.fs.namespace.attach(tree, to);
}

/** do_set_group(): a private mount becomes a peer of another mount of the same file system. */
function setGroup(task: Task, { mount: from, dentry }: Location, { mount: to, dentry: toDentry }: Location): number {
  const { namespace } = task.fs;
  if (dentry !== from.root || toDentry !== to.root || !namespace.has(from) || !namespace.has(to)) return -EINVAL;
  if (from.peers === undefined && from.master === undefined) return -EINVAL;
  if (from.fileSystem !== to.fileSystem || !isBelow(to.root, from.root) || to.peers !== undefined || to.master !== undefined) return -EINVAL;
  if (from.peers !== undefined) joinPeers(to, from.peers);
  if (from.master !== undefined) followMaster(to, from.master);
  return 0;
}

interface Change {
  readonly set: number;
  readonly clear: number;
  /** MS_SHARED and so on, or 0. */
  readonly propagation: number;
}

function readChange(task: Task, address: number, size: number): Change | number {
  if (size > PAGE_SIZE) return -E2BIG;
  if (size < MOUNT_ATTR_SIZE_VER0) return -EINVAL;
  const bytes = task.memory.copyIn(address, size);
  if (bytes === undefined) return -EFAULT;
  if (bytes.subarray(MOUNT_ATTR_SIZE_VER0).some((byte) => byte !== 0)) return -E2BIG;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [set, clear, propagation] = [0, 8, 16].map((at) => Number(view.getBigUint64(at, true))) as [number, number, number];
  return { set, clear, propagation };
}

function mountSetattr(task: Task, directory: number, path: number, flags: number, address: number, size: number): number {
  if ((flags & ~(PLACE_FLAGS | AT_RECURSIVE)) !== 0) return -EINVAL;
  if (size > PAGE_SIZE) return -E2BIG;
  if (size < MOUNT_ATTR_SIZE_VER0) return -EINVAL;
  if (!mayMount(task)) return -EPERM;
  const change = readChange(task, address, size);
  if (typeof change === 'number') return change;
  const { set, clear, propagation } = change;
  if (set === 0 && clear === 0 && propagation === 0) return 0;
  if (set > 0xffff_ffff || clear > 0xffff_ffff || !isAttributeChange(set, clear) || (propagation !== 0 && !isPropagationType(propagation))) return -EINVAL;
  const found = locate(task, directory, path, flags & (AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW));
  if (typeof found === 'number') return found;
  const top = found.mount;
  if (found.dentry !== top.root) return -EINVAL;
  if (!task.fs.namespace.has(top) && (top.namespace !== undefined || top.parent !== undefined)) return -EINVAL;
  const all = (flags & AT_RECURSIVE) !== 0 ? mountTree(top) : [top];
  const next = all.map((mount) => changedFlags(mount, change));
  if (all.some((mount, index) => !mayChangeFlags(mount, next[index]!))) return -EPERM;
  for (const [index, mount] of all.entries()) {
    mount.flags = next[index]!;
    if (propagation !== 0 && !(propagation === MS_SHARED && mount.peers !== undefined)) changePropagation(mount, propagation);
  }
  return 0;
}

function changedFlags(mount: Mount, { set, clear }: Change): number {
  return flagsOfAttributes((attributesOfFlags(mount.flags) & ~clear) | set);
}

export const mountTreeRows: readonly SyscallRow[] = [
  { number: 428, name: 'open_tree', arguments: ['fd', 'path', 'flags'], handler: openTree, support: 'full' },
  {
    number: 429, name: 'move_mount', arguments: ['fd', 'path', 'fd', 'path', 'flags'], handler: moveMount, support: 'partial', note: 'no MOVE_MOUNT_BENEATH (EINVAL)',
  },
  {
    number: 442, name: 'mount_setattr', arguments: ['fd', 'path', 'flags', 'pointer', 'size'], handler: mountSetattr, support: 'partial', note: 'no mounts with other ids (EINVAL)',
  },
];
