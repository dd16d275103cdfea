/** fsopen(2), fsconfig(2), fsmount(2), fspick(2): a file system set up step by step (Linux fs/fsopen.c, fs/namespace.c). */
import { EBADF, EBUSY, EINVAL, ENAMETOOLONG, EOPNOTSUPP, EPERM } from '../../abi/errno.ts';
import { AT_EMPTY_PATH, AT_FDCWD, AT_SYMLINK_NOFOLLOW } from '../../abi/fcntl.ts';
import {
  FSCONFIG_CMD_CREATE, FSCONFIG_CMD_CREATE_EXCL, FSCONFIG_CMD_RECONFIGURE, FSCONFIG_SET_BINARY, FSCONFIG_SET_FD, FSCONFIG_SET_FLAG, FSCONFIG_SET_PATH,
  FSCONFIG_SET_PATH_EMPTY, FSCONFIG_SET_STRING, FSMOUNT_CLOEXEC, FSOPEN_CLOEXEC, FSPICK_CLOEXEC, FSPICK_EMPTY_PATH, FSPICK_NO_AUTOMOUNT, FSPICK_SYMLINK_NOFOLLOW,
} from '../../abi/mount-api.ts';
import { newMount } from '../../fs/mounts.ts';
import { TmpFs } from '../../fs/tmpfs.ts';
import { specialFilesOf } from '../files/special-files.ts';
import { flagsOfAttributes } from '../mounts/mount-attributes.ts';
import { findFileSystemType, isTooRevealing, makeFileSystem, mayMountType } from '../mounts/file-system-types.ts';
import { FsContextFile, openDetached } from '../mounts/mount-files.ts';
import { mayMount, mayReconfigure } from '../mounts/mount-rights.ts';
import type { SyscallRow, Task } from '../types.ts';
import { locate } from './file-common.ts';

const KEY_BYTES = 256;
const VALUE_BYTES = 4096;
/** Parameters of one context: more is no file system's need. */
const MOST_OPTIONS = 64;
const BINARY_BYTES = 2 ** 20;

function fsopen(task: Task, nameAddress: number, flags: number): number {
  if (!mayMount(task)) return -EPERM;
  if ((flags & ~FSOPEN_CLOEXEC) !== 0) return -EINVAL;
  const name = task.memory.readString(nameAddress, VALUE_BYTES);
  if (typeof name === 'number') return name;
  const type = findFileSystemType(task.kernel, name);
  if (typeof type === 'number') return type;
  return task.files.install(new FsContextFile(specialFilesOf(task.kernel).anonymousInode, name), (flags & FSOPEN_CLOEXEC) !== 0);
}

function fspick(task: Task, directory: number, path: number, flags: number): number {
  if (!mayMount(task)) return -EPERM;
  if ((flags & ~(FSPICK_CLOEXEC | FSPICK_SYMLINK_NOFOLLOW | FSPICK_NO_AUTOMOUNT | FSPICK_EMPTY_PATH)) !== 0) return -EINVAL;
  const at = ((flags & FSPICK_SYMLINK_NOFOLLOW) === 0 ? 0 : AT_SYMLINK_NOFOLLOW) | ((flags & FSPICK_EMPTY_PATH) === 0 ? 0 : AT_EMPTY_PATH);
  const found = locate(task, directory, path, at);
  if (typeof found === 'number') return found;
  if (found.dentry !== found.mount.root) return -EINVAL;
  return task.files.install(new FsContextFile(specialFilesOf(task.kernel).anonymousInode, found.mount.fileSystem.type, found.mount), (flags & FSPICK_CLOEXEC) !== 0);
}

/** Which of key, value and auxiliary number a command takes. */
function hasShape(command: number, key: number, value: number, auxiliary: number): boolean {
  switch (command) {
    case FSCONFIG_SET_FLAG:
      return key !== 0 && value === 0 && auxiliary === 0;
    case FSCONFIG_SET_STRING:
      return key !== 0 && value !== 0 && auxiliary === 0;
    case FSCONFIG_SET_BINARY:
      return key !== 0 && value !== 0 && auxiliary > 0 && auxiliary <= BINARY_BYTES;
    case FSCONFIG_SET_PATH:
    case FSCONFIG_SET_PATH_EMPTY:
      return key !== 0 && value !== 0 && (auxiliary === AT_FDCWD || auxiliary >= 0);
    case FSCONFIG_SET_FD:
      return key !== 0 && value === 0 && auxiliary >= 0;
    default:
      return key === 0 && value === 0 && auxiliary === 0;
  }
}

/** strndup_user(): what is too long is EINVAL. */
function readText(task: Task, address: number): string | number {
  const text = task.memory.readString(address, KEY_BYTES);
  return text === -ENAMETOOLONG ? -EINVAL : text;
}

function fsconfig(task: Task, fd: number, command: number, keyAddress: number, valueAddress: number, auxiliary: number): number {
  if (fd < 0) return -EINVAL;
  if (command < FSCONFIG_SET_FLAG || command > FSCONFIG_CMD_CREATE_EXCL) return -EOPNOTSUPP;
  if (!hasShape(command, keyAddress, valueAddress, auxiliary)) return -EINVAL;
  const file = task.files.get(fd);
  if (file === undefined) return -EBADF;
  if (!(file instanceof FsContextFile)) return -EINVAL;
  if (command === FSCONFIG_CMD_CREATE || command === FSCONFIG_CMD_CREATE_EXCL) return create(task, file);
  if (command === FSCONFIG_CMD_RECONFIGURE) return reconfigure(task, file);
  // No file system here takes blobs, paths or descriptors.
  if (command !== FSCONFIG_SET_FLAG && command !== FSCONFIG_SET_STRING) return -EOPNOTSUPP;
  const key = readText(task, keyAddress);
  if (typeof key === 'number') return key;
  const value = command === FSCONFIG_SET_FLAG ? undefined : readText(task, valueAddress);
  if (typeof value === 'number') return value;
  return setParameter(task, file, key, value);
}

/** vfs_parse_fs_param(). */
function setParameter(task: Task, file: FsContextFile, key: string, value: string | undefined): number {
  if (file.phase !== 'parameters') return -EBUSY;
  if (value === undefined && (key === 'ro' || key === 'rw')) {
    file.isReadOnly = key === 'ro';
    return 0;
  }
  if (value === undefined && ['sync', 'async', 'dirsync', 'lazytime', 'nolazytime', 'mand', 'nomand'].includes(key)) return 0;
  if (key === 'source') {
    if (value === undefined || file.source !== undefined) return -EINVAL;
    file.source = value;
    return 0;
  }
  if (file.options.length >= MOST_OPTIONS || /,/.test(key + (value ?? ''))) return -EINVAL;
  const option = value === undefined ? key : `${key}=${value}`;
  const type = findFileSystemType(task.kernel, file.type);
  const refused = typeof type === 'number' ? type : type.check?.(task, option) ?? 0;
  if (refused !== 0) return refused;
  file.options.push(option);
  return 0;
}

function create(task: Task, file: FsContextFile): number {
  if (file.picked !== undefined || file.phase !== 'parameters') return -EBUSY;
  const type = findFileSystemType(task.kernel, file.type);
  if (typeof type === 'number') return type;
  if (!mayMountType(task, type)) return -EPERM;
  const made = makeFileSystem(task, file.type, file.options.join(','));
  if (typeof made === 'number') {
    file.phase = 'failed';
    return made;
  }
  if (file.isReadOnly && made instanceof TmpFs) made.readOnly = true;
  file.created = made;
  file.phase = 'created';
  return 0;
}

/** Whether it may be written is what can be changed of a file system in memory; of others what their type lets change. */
function reconfigure(task: Task, file: FsContextFile): number {
  if (file.picked === undefined) return -EBUSY;
  const { fileSystem } = file.picked;
  if (!mayReconfigure(task, fileSystem)) return -EPERM;
  if (fileSystem instanceof TmpFs && file.options.length === 0) {
    fileSystem.readOnly = file.isReadOnly;
    return 0;
  }
  const type = findFileSystemType(task.kernel, file.type);
  if (typeof type !== 'number' && type.reconfigure !== undefined) return type.reconfigure(task, fileSystem, file.options.join(','));
  return file.options.length > 0 || file.isReadOnly !== fileSystem.readOnly ? -EINVAL : 0;
}

function fsmount(task: Task, fd: number, flags: number, attributes: number): number {
  if (!mayMount(task)) return -EPERM;
  if ((flags & ~FSMOUNT_CLOEXEC) !== 0) return -EINVAL;
  const mountFlags = flagsOfAttributes(attributes);
  if (mountFlags < 0) return mountFlags;
  const file = task.files.get(fd);
  if (file === undefined) return -EBADF;
  if (!(file instanceof FsContextFile)) return -EINVAL;
  const { created } = file;
  if (created === undefined) return -EINVAL;
  if (file.phase !== 'created') return -EBUSY;
  const type = findFileSystemType(task.kernel, file.type);
  if (typeof type === 'number') return type;
  if (isTooRevealing(task.fs.namespace, type, file.type, mountFlags)) return -EPERM;
  const opened = task.files.install(openDetached(newMount(created, mountFlags, file.source ?? 'none')), (flags & FSMOUNT_CLOEXEC) !== 0);
  if (opened >= 0) file.phase = 'mounted';
  return opened;
}

export const mountContextRows: readonly SyscallRow[] = [
  { number: 430, name: 'fsopen', arguments: ['path', 'flags'], handler: fsopen, support: 'full' },
  {
    number: 431, name: 'fsconfig', arguments: ['fd', 'uint', 'pointer:string', 'pointer', 'int'], handler: fsconfig, support: 'partial',
    note: 'no blobs, paths or descriptors as values (EOPNOTSUPP); reconfiguring makes a tmpfs read-only or writable',
  },
  { number: 432, name: 'fsmount', arguments: ['fd', 'flags', 'flags'], handler: fsmount, support: 'full' },
  { number: 433, name: 'fspick', arguments: ['fd', 'path', 'flags'], handler: fspick, support: 'full' },
];
