/** memfd_create(2): files in memory without a name, which can be sealed (Linux mm/memfd.c). */
import { O_RDWR } from '../abi/fcntl.ts';
import { S_IFREG } from '../abi/stat.ts';
import { Dentry, Mount, rootDentry } from './dentry.ts';
import type { MemoryPayer } from './file-data.ts';
import { PlainFile } from './open-file.ts';
import { TmpFs } from './tmpfs.ts';
import type { Credentials } from './types.ts';

/** Bytes that all memfds of a container may hold together. */
const MEMFD_BYTES = 2 ** 30;
const SHM_DEV = 5;

/** What a memfd needs of its kernel. */
export interface MemfdOwner {
  readonly realtimeNs: () => bigint;
  /** Whose memory a file is that gets its first bytes now. */
  memoryPayer?(): MemoryPayer | undefined;
}

const stores = new WeakMap<MemfdOwner, { readonly fileSystem: TmpFs; readonly mount: Mount }>();

/** The file system of files without names. */
export function memoryStore(kernel: MemfdOwner): { readonly fileSystem: TmpFs; readonly mount: Mount } {
  let store = stores.get(kernel);
  if (store === undefined) {
    const fileSystem = new TmpFs({ dev: SHM_DEV, now: kernel.realtimeNs, maxBytes: MEMFD_BYTES, payer: () => kernel.memoryPayer?.() });
    store = { fileSystem, mount: new Mount(2, fileSystem, rootDentry(fileSystem), 0, 'tmpfs') };
    store.mount.isInternal = true;
    stores.set(kernel, store);
  }
  return store;
}

/** An open file, or -ENOSPC. /proc/self/fd shows it as `/memfd:NAME (deleted)`. */
export function createMemfd(kernel: MemfdOwner, name: string, mode: number, seals: number, credentials: Credentials): PlainFile | number {
  const { fileSystem, mount } = memoryStore(kernel);
  const inode = fileSystem.createNode(S_IFREG | mode, credentials.fsuid, credentials.fsgid, 0);
  if (typeof inode === 'number') return inode;
  inode.seals = seals;
  const root = rootDentry(fileSystem);
  const dentry = new Dentry(`memfd:${name}`, root, inode, root.tree);
  dentry.deleted = true;
  const file = new PlainFile(inode, O_RDWR, { mount, dentry });
  // Linux makes it without counting a writer, so that it can be executed while it is open (mm/memfd.c, fexecve(3)).
  inode.writers = (inode.writers ?? 1) - 1;
  return file;
}
