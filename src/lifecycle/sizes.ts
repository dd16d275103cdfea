/** How much of the disk layers take. */
import type { LayerPaths } from '../container/index.ts';
import type { Disk } from '../image/index.ts';

/** Bytes of their contents. */
export function bytesOf(disk: Disk, layers: readonly LayerPaths[]): number {
  return layers.reduce((sum, { tar }) => sum + (disk.sizeOf(tar) ?? 0), 0);
}
