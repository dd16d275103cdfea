/** Who watches an inode: what the VFS tells (`fsnotify_mark_connector`). */
import type { Inode, InodeWatch } from '../../fs/types.ts';

class InodeMarks implements InodeWatch {
  readonly watches = new Set<InodeWatch>();
  notify(mask: number, name: string | undefined, cookie: number): void {
    for (const watch of [...this.watches]) watch.notify(mask, name, cookie);
  }
}

export function marksOf(inode: Inode): ReadonlySet<InodeWatch> {
  return inode.watch instanceof InodeMarks ? inode.watch.watches : new Set();
}

export function addMark(inode: Inode, watch: InodeWatch): void {
  const marks = inode.watch instanceof InodeMarks ? inode.watch : new InodeMarks();
  marks.watches.add(watch);
  inode.watch = marks;
}

export function removeMark(inode: Inode, watch: InodeWatch): void {
  const marks = inode.watch;
  if (!(marks instanceof InodeMarks)) return;
  marks.watches.delete(watch);
  if (marks.watches.size === 0) inode.watch = undefined;
}
