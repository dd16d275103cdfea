/** name_to_handle_at(2) and open_by_handle_at(2): Linux fs/fhandle.c. */
import { CAP_DAC_READ_SEARCH } from '../../abi/capability.ts';
import { EBADF, EFAULT, EINVAL, EOPNOTSUPP, EOVERFLOW, EPERM } from '../../abi/errno.ts';
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_FOLLOW, AT_SYMLINK_NOFOLLOW, MAX_HANDLE_SZ, O_CLOEXEC, O_LARGEFILE } from '../../abi/fcntl.ts';
import { HANDLE_BYTES, HANDLE_TYPE, decodeHandle, encodeHandle, hasHandles } from '../../fs/file-handles.ts';
import { locationOf, openLocation } from '../../fs/open.ts';
import type { SyscallRow, Task } from '../types.ts';
import { locate, specialOpener } from './file-common.ts';

/** `struct file_handle`: two words, then the bytes. */
const HEADER = 8;

function nameToHandleAt(task: Task, directory: number, path: number, handle: number, mountId: number, flags: number): number {
  if ((flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  const follow = (flags & AT_SYMLINK_FOLLOW) === 0 ? AT_SYMLINK_NOFOLLOW : 0;
  const location = locate(task, directory, path, follow | (flags & AT_EMPTY_PATH));
  if (typeof location === 'number') return location;
  const { memory } = task;
  if (!hasHandles(location.dentry.inode.fileSystem)) return -EOPNOTSUPP;
  const room = memory.readU32(handle);
  if (room === undefined) return -EFAULT;
  if (room > MAX_HANDLE_SZ) return -EINVAL;
  const fits = room >= HANDLE_BYTES;
  const bytes = new Uint8Array(HEADER + (fits ? HANDLE_BYTES : 0));
  new DataView(bytes.buffer).setUint32(0, HANDLE_BYTES, true);
  new DataView(bytes.buffer).setInt32(4, fits ? HANDLE_TYPE : 0, true);
  if (fits) bytes.set(encodeHandle(location.dentry), HEADER);
  const error = memory.writeU32(mountId, location.mount.id) || memory.copyOut(handle, bytes);
  return error !== 0 ? error : fits ? 0 : -EOVERFLOW;
}

function openByHandleAt(task: Task, mountFd: number, handle: number, flags: number): number {
  const { memory } = task;
  if (!task.capable(CAP_DAC_READ_SEARCH)) return -EPERM;
  const size = memory.readU32(handle);
  const type = memory.readI32(handle + 4);
  if (size === undefined || type === undefined) return -EFAULT;
  if (size === 0 || size > MAX_HANDLE_SZ) return -EINVAL;
  const bytes = memory.readable(handle + HEADER, size);
  if (bytes === undefined) return -EFAULT;
  const file = mountFd === AT_FDCWD ? undefined : task.files.get(mountFd);
  if (mountFd !== AT_FDCWD && file === undefined) return -EBADF;
  const { mount } = file === undefined ? task.fs.cwd : locationOf(file);
  const dentry = decodeHandle(mount.fileSystem, type, bytes);
  if (typeof dentry === 'number') return dentry;
  const request = { context: task.fs, credentials: task.credentials, flags: (flags | O_LARGEFILE) & ~O_CLOEXEC, mode: 0, resolve: 0, special: specialOpener(task.kernel) };
  const opened = openLocation({ mount, dentry }, request, false);
  if (typeof opened === 'number') return opened;
  const fd = task.files.install(opened, (flags & O_CLOEXEC) !== 0);
  if (fd < 0) opened.release();
  return fd;
}

export const fileHandleRows: readonly SyscallRow[] = [
  {
    number: 303, name: 'name_to_handle_at', arguments: ['fd', 'path', 'pointer', 'pointer', 'flags'], support: 'partial',
    handler: nameToHandleAt, note: 'tmpfs and overlay; other file systems have no handles: EOPNOTSUPP',
  },
  {
    number: 304, name: 'open_by_handle_at', arguments: ['fd', 'pointer', 'flags:open'], support: 'partial', handler: openByHandleAt,
    note: 'handles that name_to_handle_at gave away',
  },
];
