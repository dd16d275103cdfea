/** Files of a container, from outside: what the API's `files` does, as root, synchronously. Answers are values or negative errno. */
import { O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY } from '../abi/fcntl.ts';
import { EIO } from '../abi/errno.ts';
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../abi/stat.ts';
import { dropFile, holdFile } from '../fs/open-file.ts';
import { NO_SPECIAL_FILES, openPath } from '../fs/open.ts';
import { makeDirectory, removeDirectory, removeFile, renamePath } from '../fs/operations.ts';
import type { Actor } from '../fs/operations.ts';
import type { Inode, OpenFile } from '../fs/types.ts';
import { LOOKUP_FOLLOW, walkPath } from '../fs/walk.ts';
import type { HostView } from '../kernel/host-view.ts';

export interface ContainerFileInfo {
  /** Last component, or the whole path for `stat`. Byte string. */
  readonly name: string;
  readonly type: 'file' | 'directory' | 'symlink' | 'other';
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeMs: number;
}

export interface ContainerFiles {
  readFile(path: string): Uint8Array | number;
  writeFile(path: string, bytes: Uint8Array, mode: number): number;
  list(path: string): readonly ContainerFileInfo[] | number;
  stat(path: string): ContainerFileInfo | number;
  /** A directory with all that is in it. */
  remove(path: string): number;
  rename(from: string, to: string): number;
  makeDirectory(path: string): number;
}

const ROOT = { fsuid: 0, fsgid: 0, groups: [], capabilitiesLow: -1, capabilitiesHigh: -1 } as const;

function infoOf(name: string, inode: Inode): ContainerFileInfo {
  const { mode, size, uid, gid, mtimeNs } = inode.stat();
  const format = mode & S_IFMT;
  const type = format === S_IFREG ? 'file' : format === S_IFDIR ? 'directory' : format === S_IFLNK ? 'symlink' : 'other';
  return { name, type, size, mode: mode & 0o7777, uid, gid, mtimeMs: Number(mtimeNs / 1_000_000n) };
}

export class Files implements ContainerFiles {
  readonly #view: HostView;

  constructor(view: HostView) {
    this.#view = view;
  }

  get #actor(): Actor {
    return this.actor;
  }

  /** Root, from outside. */
  get actor(): Actor {
    const root = this.#view.namespace.rootLocation;
    return { context: { root, cwd: root, umask: 0 }, credentials: ROOT };
  }

  #find(path: string, flags: number): Inode | number {
    const { context } = this.#actor;
    const found = walkPath(context, ROOT, context.root, path, flags);
    return typeof found === 'number' ? found : found.dentry.inode;
  }

  #open(path: string, flags: number, mode: number): OpenFile | number {
    const { context } = this.#actor;
    // Devices and FIFOs are the guest's: opening one from outside could wait for ever.
    const file = openPath(context.root, path, { context, credentials: ROOT, flags, mode, resolve: 0, special: NO_SPECIAL_FILES });
    return typeof file === 'number' ? file : holdFile(file);
  }

  readFile(path: string): Uint8Array | number {
    const file = this.#open(path, O_RDONLY, 0);
    if (typeof file === 'number') return file;
    const chunks: Uint8Array[] = [];
    let failed = 0;
    for (;;) {
      const buffer = new Uint8Array(Math.max(65_536, file.inode.size - file.position));
      const count = file.read(buffer);
      if (count <= 0) {
        failed = count;
        break;
      }
      chunks.push(buffer.subarray(0, count));
    }
    dropFile(file);
    return failed < 0 ? failed : concatenate(chunks);
  }

  writeFile(path: string, bytes: Uint8Array, mode: number): number {
    const file = this.#open(path, O_WRONLY | O_CREAT | O_TRUNC, mode);
    if (typeof file === 'number') return file;
    let rest = bytes;
    let answer = 0;
    while (rest.length > 0) {
      const count = file.write(rest);
      if (count <= 0) {
        answer = count === 0 ? -EIO : count;
        break;
      }
      rest = rest.subarray(count);
    }
    dropFile(file);
    return answer;
  }

  list(path: string): readonly ContainerFileInfo[] | number {
    const inode = this.#find(path, LOOKUP_FOLLOW);
    if (typeof inode === 'number') return inode;
    const entries = inode.readDirectory();
    if (typeof entries === 'number') return entries;
    return entries.flatMap(({ name }) => {
      const child = this.#find(`${path}/${name}`, 0);
      return typeof child === 'number' ? [] : [infoOf(name, child)];
    });
  }

  stat(path: string): ContainerFileInfo | number {
    const inode = this.#find(path, 0);
    return typeof inode === 'number' ? inode : infoOf(path, inode);
  }

  remove(path: string): number {
    const inode = this.#find(path, 0);
    if (typeof inode === 'number') return inode;
    const actor = this.#actor;
    if ((inode.mode & S_IFMT) !== S_IFDIR) return removeFile(actor, actor.context.root, path);
    const entries = inode.readDirectory();
    if (typeof entries === 'number') return entries;
    for (const { name } of entries) {
      const failed = this.remove(`${path}/${name}`);
      if (failed !== 0) return failed;
    }
    return removeDirectory(actor, actor.context.root, path);
  }

  rename(from: string, to: string): number {
    const actor = this.#actor;
    return renamePath(actor, actor.context.root, from, actor.context.root, to, 0);
  }

  makeDirectory(path: string): number {
    const actor = this.#actor;
    return makeDirectory(actor, actor.context.root, path, 0o755);
  }
}

function concatenate(chunks: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    result.set(chunk, at);
    at += chunk.length;
  }
  return result;
}
