/** Private mappings of a file that gets another size (mm/truncate.c: unmap_mapping_range() with `even_cows`). */
import type { Inode } from '../../fs/types.ts';
import type { Mm } from './mm.ts';
import { pageFlags, type Vma } from './vma.ts';

/** Behind the page of a mapping that shows the last byte of a file of that size. */
function endOf(vma: Vma, size: number): number {
  return Math.min(vma.end, vma.start + Math.ceil(Math.max(0, size - vma.offset) / 4096) * 4096);
}

/** Pages behind the file's end raise SIGBUS, and what was written there is gone, though it was the mapping's own; new ones show the file. */
export function resizePrivateMappings(mm: Mm, inode: Inode, before: number): void {
  const { space } = mm;
  for (const vma of mm.vmas) {
    const mapped = vma.file?.inode;
    if (mapped === undefined || vma.shared !== undefined || mapped.ino !== inode.ino || mapped.fileSystem.dev !== inode.fileSystem.dev) continue;
    const [old, end] = [endOf(vma, before), endOf(vma, inode.size)];
    if (end < old) {
      space.zero(end, old);
      space.protect(end, old, 0);
    } else if (end > old) mm.show(vma, old, end, pageFlags(vma.prot));
  }
}
