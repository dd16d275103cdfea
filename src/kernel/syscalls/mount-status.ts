/** statmount(2), listmount(2): the mounts of the caller's namespace by number (Linux fs/namespace.c, since 6.8). */
import { E2BIG, EFAULT, EINVAL, ENOENT, EOVERFLOW, EPERM } from '../../abi/errno.ts';
import { CAP_SYS_ADMIN } from '../../abi/capability.ts';
import { MS_PRIVATE, MS_SHARED, MS_SLAVE, MS_UNBINDABLE } from '../../abi/mount.ts';
import {
  LSMT_ROOT, MNT_ID_REQ_SIZE_VER0, MNT_UNIQUE_ID_OFFSET, STATMOUNT_FS_TYPE, STATMOUNT_MNT_BASIC, STATMOUNT_MNT_POINT, STATMOUNT_MNT_ROOT, STATMOUNT_OFFSETS,
  STATMOUNT_PROPAGATE_FROM, STATMOUNT_SB_BASIC, STATMOUNT_SIZE,
} from '../../abi/mount-api.ts';
import type { Mount } from '../../fs/dentry.ts';
import { visiblePath } from '../../fs/path.ts';
import { attributesOfFlags } from '../mounts/mount-attributes.ts';
import type { UserNamespace } from '../namespaces/user-namespace.ts';
import type { SyscallRow, Task } from '../types.ts';
import { majorOf, minorOf, uniqueId, viewOf } from './file-common.ts';

const PAGE_SIZE = 4096;
const MOST_IDS = 1_000_000;

interface Request {
  readonly id: bigint;
  readonly parameter: bigint;
}

/** `struct mnt_id_req`: its size, what is not used, and two numbers (copy_mnt_id_req). */
function readRequest(task: Task, address: number): Request | number {
  const size = task.memory.readU32(address);
  if (size === undefined) return -EFAULT;
  if (size > PAGE_SIZE) return -E2BIG;
  if (size < MNT_ID_REQ_SIZE_VER0) return -EINVAL;
  const bytes = task.memory.copyIn(address, size);
  if (bytes === undefined) return -EFAULT;
  if (bytes.subarray(MNT_ID_REQ_SIZE_VER0).some((byte) => byte !== 0)) return -E2BIG;
  const view = viewOf(bytes);
  if (view.getUint32(4, true) !== 0) return -EINVAL;
  const id = view.getBigUint64(8, true);
  return id !== LSMT_ROOT && id <= BigInt(MNT_UNIQUE_ID_OFFSET) ? -EINVAL : { id, parameter: view.getBigUint64(16, true) };
}

function findMount(task: Task, id: bigint): Mount | undefined {
  return task.fs.namespace.byId(Number(id - BigInt(MNT_UNIQUE_ID_OFFSET)));
}

/** Where the mount is as the task sees it; undefined where it is outside of the task's root. */
function pathOfMount(task: Task, mount: Mount): string | undefined {
  return visiblePath({ mount, dentry: mount.root }, task.fs.root);
}

/** Mounts that the caller cannot reach are for who may mount in the namespace. */
function maySee(task: Task, mount: Mount): boolean {
  return pathOfMount(task, mount) !== undefined || task.capableIn(task.fs.namespace.user as UserNamespace, CAP_SYS_ADMIN);
}

function rootPath(mount: Mount): string {
  let path = '';
  for (let at = mount.root; at.parent !== undefined; at = at.parent) path = `/${at.name}${path}`;
  return path === '' ? '/' : path;
}

/** The fixed part and the strings behind it. */
function encode(task: Task, mount: Mount, wanted: number): Uint8Array {
  const at = STATMOUNT_OFFSETS;
  const strings: string[] = [];
  let length = 0;
  const put = (text: string): number => {
    const offset = length;
    strings.push(`${text}\0`);
    length += text.length + 1;
    return offset;
  };
  const fixed = new Uint8Array(STATMOUNT_SIZE);
  const view = viewOf(fixed);
  const { fileSystem, peers, master, isUnbindable } = mount;
  const known = STATMOUNT_SB_BASIC | STATMOUNT_MNT_BASIC | STATMOUNT_PROPAGATE_FROM | STATMOUNT_MNT_ROOT | STATMOUNT_MNT_POINT | STATMOUNT_FS_TYPE;
  view.setBigUint64(at.mask, BigInt(wanted & known), true);
  if ((wanted & STATMOUNT_SB_BASIC) !== 0) {
    view.setUint32(at.sbDevMajor, majorOf(fileSystem.dev), true);
    view.setUint32(at.sbDevMinor, minorOf(fileSystem.dev), true);
    view.setBigUint64(at.sbMagic, BigInt(fileSystem.statfs().type), true);
    view.setUint32(at.sbFlags, fileSystem.readOnly ? 1 : 0, true);
  }
  if ((wanted & STATMOUNT_MNT_BASIC) !== 0) {
    const parent = mount.parent ?? mount;
    view.setBigUint64(at.mntId, BigInt(uniqueId(mount)), true);
    view.setBigUint64(at.mntParentId, BigInt(uniqueId(parent)), true);
    view.setUint32(at.mntIdOld, mount.id, true);
    view.setUint32(at.mntParentIdOld, parent.id, true);
    view.setBigUint64(at.mntAttr, BigInt(attributesOfFlags(mount.flags)), true);
    const propagation = (peers === undefined ? 0 : MS_SHARED) | (master === undefined ? 0 : MS_SLAVE) | (isUnbindable ? MS_UNBINDABLE : 0);
    view.setBigUint64(at.mntPropagation, BigInt(propagation || MS_PRIVATE), true);
    view.setBigUint64(at.mntPeerGroup, BigInt(peers?.id ?? 0), true);
    view.setBigUint64(at.mntMaster, BigInt(master?.id ?? 0), true);
  }
  if ((wanted & STATMOUNT_FS_TYPE) !== 0) view.setUint32(at.fsType, put(fileSystem.type), true);
  if ((wanted & STATMOUNT_MNT_ROOT) !== 0) view.setUint32(at.mntRoot, put(rootPath(mount)), true);
  if ((wanted & STATMOUNT_MNT_POINT) !== 0) view.setUint32(at.mntPoint, put(pathOfMount(task, mount) ?? ''), true);
  const bytes = new Uint8Array(STATMOUNT_SIZE + length);
  bytes.set(fixed);
  const text = strings.join('');
  for (let index = 0; index < text.length; index++) bytes[STATMOUNT_SIZE + index] = text.charCodeAt(index);
  viewOf(bytes).setUint32(at.size, bytes.length, true);
  return bytes;
}

function statmount(task: Task, requestAddress: number, buffer: number, size: number, flags: number): number {
  if (flags !== 0) return -EINVAL;
  const request = readRequest(task, requestAddress);
  if (typeof request === 'number') return request;
  const mount = findMount(task, request.id);
  if (mount === undefined) return -ENOENT;
  if (!maySee(task, mount)) return -EPERM;
  const bytes = encode(task, mount, Number(request.parameter & 0xffff_ffffn));
  const isLong = bytes.length > STATMOUNT_SIZE;
  if (isLong && bytes.length > size) return -EOVERFLOW;
  return task.memory.copyOut(buffer, bytes.subarray(0, Math.min(size, bytes.length)));
}

/** The mounts below one, in the order of their numbers, after `parameter`. */
function listmount(task: Task, requestAddress: number, buffer: number, count: number, flags: number): number {
  if (flags !== 0) return -EINVAL;
  if (count < 0 || count > MOST_IDS) return -EOVERFLOW;
  if (count > 0 && task.memory.writable(buffer, 8 * count) === undefined) return -EFAULT;
  const request = readRequest(task, requestAddress);
  if (typeof request === 'number') return request;
  const { namespace, root } = task.fs;
  const from = request.id === LSMT_ROOT ? root.mount : findMount(task, request.id);
  if (from === undefined) return -ENOENT;
  if (request.id !== LSMT_ROOT && !maySee(task, from)) return -EPERM;
  const isUnder = (mount: Mount): boolean => {
    for (let at = mount.parent; at !== undefined; at = at.parent) if (at === from) return true;
    return false;
  };
  const after = Number(request.parameter);
  const found = [...namespace.mounts].filter((mount) => isUnder(mount) && uniqueId(mount) > after && maySee(task, mount)).sort((a, b) => a.id - b.id).slice(0, count);
  for (const [index, mount] of found.entries()) task.memory.writeU64Big(buffer + 8 * index, BigInt(uniqueId(mount)));
  return found.length;
}

export const mountStatusRows: readonly SyscallRow[] = [
  { number: 457, name: 'statmount', arguments: ['pointer', 'pointer', 'size', 'flags'], handler: statmount, support: 'full', note: 'as of Linux 6.8' },
  { number: 458, name: 'listmount', arguments: ['pointer', 'pointer', 'size', 'flags'], handler: listmount, support: 'full', note: 'as of Linux 6.8' },
];
