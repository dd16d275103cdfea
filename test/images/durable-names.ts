/** Host files that remember which names a power cut would take: those that were given since their directory was synced. */
import { nodeFiles } from '../../src/host/node/index.ts';
import { nodeAsyncFiles } from '../../src/host/node/async-files.ts';
import type { HostFiles, HostAsyncFiles } from '../../src/host/types.ts';

export interface DurableNames {
  readonly files: HostFiles;
  readonly serverFiles: HostAsyncFiles;
  /** Names that are not on the disk yet. */
  readonly unsynced: ReadonlySet<string>;
}

const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/'));

/** `onName`: a file gets this name now, and may have it on the disk at once. */
export function durableNames(onName: (path: string, unsynced: ReadonlySet<string>) => void): DurableNames {
  const unsynced = new Set<string>();
  const open = new Map<number, string>();
  const give = (path: string): void => {
    onName(path, unsynced);
    unsynced.add(path);
  };
  const synced = (handle: number, answer: number): number => {
    if (answer >= 0) for (const path of unsynced) if (parentOf(path) === open.get(handle)) unsynced.delete(path);
    return answer;
  };
  const files: HostFiles = {
    ...nodeFiles,
    open: (path, flags, mode) => {
      const isNew = typeof nodeFiles.lstat(path) === 'number';
      const handle = nodeFiles.open(path, flags, mode);
      if (handle >= 0) open.set(handle, path);
      if (handle >= 0 && isNew) give(path);
      return handle;
    },
    mkdir: (path, mode) => {
      const answer = nodeFiles.mkdir(path, mode);
      if (answer >= 0) give(path);
      return answer;
    },
    rename: (from, to) => {
      const answer = nodeFiles.rename(from, to);
      unsynced.delete(from);
      if (answer >= 0) give(to);
      return answer;
    },
    unlink: (path) => {
      unsynced.delete(path);
      return nodeFiles.unlink(path);
    },
    sync: (handle) => synced(handle, nodeFiles.sync(handle)),
  };
  return { files, unsynced, serverFiles: { ...nodeAsyncFiles, sync: async (handle) => synced(handle, await nodeAsyncFiles.sync(handle)) } };
}
