/** The file system of POSIX message queues (mq_overview(7), "Mounting the message queue filesystem"; Linux ipc/mqueue.c). */
import { EACCES, ENOENT, EPERM } from '../../abi/errno.ts';
import { S_IFMT, S_ISVTX } from '../../abi/stat.ts';
import { MQUEUE_MAGIC } from '../../abi/statfs.ts';
import { PseudoDirectory, PseudoFile, PseudoFs } from '../../fs/pseudo.ts';
import type { DirectoryEntry, Inode } from '../../fs/types.ts';
import type { IpcNamespace } from './ipc-namespace.ts';
import type { PosixQueue } from './posix-queue.ts';

/** The queues of a namespace by name: they can be looked at and removed. Only mq_open(3) makes them here. */
class QueueDirectory extends PseudoDirectory {
  readonly #namespace: IpcNamespace;
  readonly #files = new WeakMap<PosixQueue, PseudoFile>();

  constructor(fileSystem: PseudoFs, namespace: IpcNamespace) {
    super(fileSystem, undefined, S_ISVTX | 0o777);
    this.#namespace = namespace;
  }
  #fileOf(queue: PosixQueue): PseudoFile {
    let file = this.#files.get(queue);
    if (file === undefined) {
      const { uid, gid, mode } = queue;
      file = new PseudoFile(this.fileSystem, () => queue.statusText(), mode, () => -EACCES, () => ({ uid, gid }));
      this.#files.set(queue, file);
    }
    return file;
  }
  override lookup(name: string): Inode | number {
    const queue = this.#namespace.queues.get(name);
    return queue === undefined ? -ENOENT : this.#fileOf(queue);
  }
  override create(): number {
    return -EPERM;
  }
  override unlink(name: string): number {
    return this.#namespace.queues.delete(name) ? 0 : -ENOENT;
  }
  override readDirectory(): readonly DirectoryEntry[] {
    return [...this.#namespace.queues].map(([name, queue]) => {
      const file = this.#fileOf(queue);
      return { name, ino: file.ino, type: file.mode & S_IFMT };
    });
  }
}

export function createMqueueFs(dev: number, now: () => bigint, namespace: IpcNamespace): PseudoFs {
  const fileSystem = new PseudoFs('mqueue', dev, MQUEUE_MAGIC, now);
  fileSystem.root = new QueueDirectory(fileSystem, namespace);
  return fileSystem;
}
