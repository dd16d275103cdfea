/** Extended attributes: xattr(7), Linux fs/xattr.c. */
import { E2BIG, EBADF, EFAULT, EINVAL, ENAMETOOLONG, ERANGE } from '../../abi/errno.ts';
import { AT_FDCWD, AT_SYMLINK_NOFOLLOW, XATTR_CREATE, XATTR_REPLACE } from '../../abi/fcntl.ts';
import { XATTR_NAME_MAX, XATTR_SIZE_MAX } from '../../abi/limits.ts';
import { getAttribute, listAttributes, removeAttribute, setAttribute } from '../../fs/attributes.ts';
import type { Location } from '../../fs/dentry.ts';
import { locationOf } from '../../fs/open.ts';
import type { SyscallRow, Task } from '../types.ts';
import { locate, usableFile } from './file-common.ts';

type Place = (task: Task, where: number) => Location | number;

const byPath: Place = (task, path) => locate(task, AT_FDCWD, path, 0);
const byLink: Place = (task, path) => locate(task, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW);
const byDescriptor: Place = (task, fd) => {
  const file = usableFile(task, fd);
  return file === undefined ? -EBADF : locationOf(file);
};

/** An attribute's name: -ERANGE where it is empty or too long. */
function readName(task: Task, address: number): string | number {
  const name = task.memory.readString(address, XATTR_NAME_MAX + 1);
  if (name === -ENAMETOOLONG || name === '') return -ERANGE;
  return name;
}

/** Copies out, or answers the length where `size` is 0. */
function answer(task: Task, value: Uint8Array, address: number, size: number): number {
  if (size === 0) return value.length;
  if (value.length > size) return -ERANGE;
  return task.memory.copyOut(address, value) === 0 ? value.length : -EFAULT;
}

function get(place: Place) {
  return (task: Task, where: number, nameAddress: number, address: number, size: number): number => {
    const location = place(task, where);
    if (typeof location === 'number') return location;
    const name = readName(task, nameAddress);
    if (typeof name === 'number') return name;
    const value = getAttribute(location, name, task.credentials);
    return typeof value === 'number' ? value : answer(task, value, address, size);
  };
}

function set(place: Place) {
  return (task: Task, where: number, nameAddress: number, address: number, size: number, flags: number): number => {
    if ((flags & ~(XATTR_CREATE | XATTR_REPLACE)) !== 0) return -EINVAL;
    const name = readName(task, nameAddress);
    if (typeof name === 'number') return name;
    if (size < 0 || size > XATTR_SIZE_MAX) return -E2BIG;
    const value = task.memory.readable(address, size);
    if (value === undefined) return -EFAULT;
    const location = place(task, where);
    return typeof location === 'number' ? location : setAttribute(location, name, value, flags, task.credentials);
  };
}

function list(place: Place) {
  return (task: Task, where: number, address: number, size: number): number => {
    const location = place(task, where);
    if (typeof location === 'number') return location;
    const text = listAttributes(location.dentry.inode, task.credentials).map((name) => `${name}\0`).join('');
    const bytes = new Uint8Array(text.length);
    for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
    return answer(task, bytes, address, size);
  };
}

function remove(place: Place) {
  return (task: Task, where: number, nameAddress: number): number => {
    const name = readName(task, nameAddress);
    if (typeof name === 'number') return name;
    const location = place(task, where);
    return typeof location === 'number' ? location : removeAttribute(location, name, task.credentials);
  };
}

export const xattrRows: readonly SyscallRow[] = [
  { number: 188, name: 'setxattr', arguments: ['path', 'pointer:string', 'buffer', 'size', 'flags:xattr'], handler: set(byPath), support: 'full' },
  { number: 189, name: 'lsetxattr', arguments: ['path', 'pointer:string', 'buffer', 'size', 'flags:xattr'], handler: set(byLink), support: 'full' },
  { number: 190, name: 'fsetxattr', arguments: ['fd', 'pointer:string', 'buffer', 'size', 'flags:xattr'], handler: set(byDescriptor), support: 'full' },
  { number: 191, name: 'getxattr', arguments: ['path', 'pointer:string', 'buffer', 'size'], handler: get(byPath), support: 'full' },
  { number: 192, name: 'lgetxattr', arguments: ['path', 'pointer:string', 'buffer', 'size'], handler: get(byLink), support: 'full' },
  { number: 193, name: 'fgetxattr', arguments: ['fd', 'pointer:string', 'buffer', 'size'], handler: get(byDescriptor), support: 'full' },
  { number: 194, name: 'listxattr', arguments: ['path', 'buffer', 'size'], handler: list(byPath), support: 'full' },
  { number: 195, name: 'llistxattr', arguments: ['path', 'buffer', 'size'], handler: list(byLink), support: 'full' },
  { number: 196, name: 'flistxattr', arguments: ['fd', 'buffer', 'size'], handler: list(byDescriptor), support: 'full' },
  { number: 197, name: 'removexattr', arguments: ['path', 'pointer:string'], handler: remove(byPath), support: 'full' },
  { number: 198, name: 'lremovexattr', arguments: ['path', 'pointer:string'], handler: remove(byLink), support: 'full' },
  { number: 199, name: 'fremovexattr', arguments: ['fd', 'pointer:string'], handler: remove(byDescriptor), support: 'full' },
];
