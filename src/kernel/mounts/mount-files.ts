/** Descriptors of the newer mount calls: trees of mounts that are attached nowhere yet, and file systems that are being set up (fs/fsopen.c). */
import { ENODATA } from '../../abi/errno.ts';
import { O_PATH, O_RDWR } from '../../abi/fcntl.ts';
import { POLLIN, POLLOUT } from '../../abi/poll.ts';
import type { Mount } from '../../fs/dentry.ts';
import { dissolveTree } from '../../fs/mounts.ts';
import { DirectoryFile, isDirectory, PlainFile } from '../../fs/open-file.ts';
import { StreamFile } from '../../fs/stream-file.ts';
import type { FileSystem, Inode, OpenFile } from '../../fs/types.ts';

/** The tree goes with its last descriptor, unless it was attached. */
function dissolveDetached(tree: Mount): void {
  if (tree.namespace === undefined && tree.parent === undefined) dissolveTree(tree);
}

class DetachedDirectory extends DirectoryFile {
  override release(): void {
    super.release();
    if (this.location !== undefined) dissolveDetached(this.location.mount);
  }
}

class DetachedFile extends PlainFile {
  override release(): void {
    super.release();
    if (this.location !== undefined) dissolveDetached(this.location.mount);
  }
}

/** What fsmount(2) and open_tree(2) with OPEN_TREE_CLONE answer: an O_PATH file of the tree's root. */
export function openDetached(tree: Mount): OpenFile {
  const { root } = tree;
  const location = { mount: tree, dentry: root };
  return isDirectory(root.inode) ? new DetachedDirectory(root.inode, O_PATH, location) : new DetachedFile(root.inode, O_PATH, location);
}

/** `struct fs_context` behind a descriptor of fsopen(2) or fspick(2). */
export class FsContextFile extends StreamFile {
  readonly type: string;
  /** Comma-separated, as the data of mount(2). */
  readonly options: string[] = [];
  source: string | undefined;
  isReadOnly = false;
  /** Made by FSCONFIG_CMD_CREATE, and taken by fsmount(2). */
  created: FileSystem | undefined;
  /** fspick(2): the mounted one that is to be changed. */
  readonly picked: Mount | undefined;
  phase: 'parameters' | 'created' | 'mounted' | 'failed' = 'parameters';

  constructor(inode: Inode, type: string, picked?: Mount) {
    super(inode, 'anon_inode:[fscontext]', O_RDWR);
    this.type = type;
    this.picked = picked;
  }
  poll(): number {
    return POLLIN | POLLOUT;
  }
  /** Messages of the file system: there are none. */
  override read(): number {
    return -ENODATA;
  }
}
