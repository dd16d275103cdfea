/** Layers from files of the host: an index read whole, and a tar that stays open. */
import { EINVAL, EIO } from '../abi/errno.ts';
import { O_CLOEXEC, O_RDONLY } from '../abi/fcntl.ts';
import type { HostFiles } from '../host/types.ts';
import { LayerTable } from './layer-format.ts';
import type { Layer } from './layerfs.ts';

/** Host paths, byte strings. */
export interface LayerPaths {
  readonly tar: string;
  readonly index: string;
}

export interface OpenLayer extends Layer {
  close(): void;
}

function readWhole(files: HostFiles, path: string): Uint8Array | number {
  const handle = files.open(path, O_RDONLY | O_CLOEXEC, 0);
  if (handle < 0) return handle;
  const stat = files.fstat(handle);
  const bytes = new Uint8Array(typeof stat === 'number' ? 0 : stat.size);
  let failed = typeof stat === 'number' ? stat : 0;
  for (let at = 0; at < bytes.length && failed === 0;) {
    const count = files.read(handle, bytes.subarray(at), at);
    if (count <= 0) failed = count === 0 ? -EIO : count;
    else at += count;
  }
  files.close(handle);
  return failed < 0 ? failed : bytes;
}

/** A negative errno where a file cannot be read; -EINVAL for an index that is none. */
export function openLayer(files: HostFiles, paths: LayerPaths): OpenLayer | number {
  const bytes = readWhole(files, paths.index);
  if (typeof bytes === 'number') return bytes;
  const table = LayerTable.read(bytes);
  if (table === undefined) return -EINVAL;
  const handle = files.open(paths.tar, O_RDONLY | O_CLOEXEC, 0);
  if (handle < 0) return handle;
  return { table, read: (buffer, position) => files.read(handle, buffer, position), close: () => files.close(handle) };
}
