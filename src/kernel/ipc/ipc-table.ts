/** Identifiers, keys and permissions of System V IPC: sysvipc(7), Linux ipc/util.c. */
import { CAP_IPC_OWNER, CAP_SYS_ADMIN } from '../../abi/capability.ts';
import { EACCES, EEXIST, EIDRM, EINVAL, ENOENT, ENOSPC, EPERM } from '../../abi/errno.ts';
import { IPC_CREAT, IPC_EXCL, IPC_PRIVATE } from '../../abi/ipc.ts';
import { NO_ID } from '../namespaces/id-map.ts';
import type { Task } from '../types.ts';

/** Bytes of `struct ipc64_perm`. */
export const IPC_PERM_SIZE = 48;
/** An identifier is a slot and a sequence number, so that a reused slot has another one (`IPCMNI_SHIFT`). */
const SLOTS = 32_768;
const SEQUENCES = 65_536;

/** `struct kern_ipc_perm`. */
export class IpcObject {
  readonly key: number;
  id = 0;
  uid: number;
  gid: number;
  readonly cuid: number;
  readonly cgid: number;
  mode: number;
  changedSeconds: number;

  constructor(task: Task, key: number, mode: number) {
    const { euid, egid } = task.credentials;
    this.key = key;
    this.uid = euid;
    this.gid = egid;
    this.cuid = euid;
    this.cgid = egid;
    this.mode = mode & 0o777;
    this.changedSeconds = nowSeconds(task);
  }
}

export function nowSeconds(task: Task): number {
  return Number(task.kernel.realtimeNs() / 1_000_000_000n);
}

/** ipc/util.c:ipcperms. `wanted` as in a mode's owner bits. */
export function ipcPermission(task: Task, object: IpcObject, wanted: number): number {
  const { euid, egid, groups } = task.credentials;
  let granted = object.mode;
  if (euid === object.cuid || euid === object.uid) granted >>= 6;
  else if ([egid, ...groups].some((group) => group === object.gid || group === object.cgid)) granted >>= 3;
  const asked = (wanted >> 6) | (wanted >> 3) | wanted;
  return (asked & ~granted & 7) === 0 || task.capableIn(task.namespaces.ipc.user, CAP_IPC_OWNER) ? 0 : -EACCES;
}

/** Who may change or remove it (ipcctl_obtain_check). */
export function ipcOwner(task: Task, object: IpcObject): number {
  const { euid } = task.credentials;
  return euid === object.cuid || euid === object.uid || task.capableIn(task.namespaces.ipc.user, CAP_SYS_ADMIN) ? 0 : -EPERM;
}

export class IpcTable<T extends IpcObject> {
  readonly #limit: number;
  readonly #slots = new Map<number, T>();
  readonly #keys = new Map<number, T>();
  #sequence = 0;
  #next = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** `msgget`, `semget`, `shmget`: the identifier. `check` looks at an object that exists, `create` makes one. */
  get(task: Task, key: number, flags: number, check: (object: T) => number, create: () => T | number): number {
    const existing = key === IPC_PRIVATE ? undefined : this.#keys.get(key);
    if (existing !== undefined) {
      if ((flags & IPC_CREAT) !== 0 && (flags & IPC_EXCL) !== 0) return -EEXIST;
      return check(existing) || ipcPermission(task, existing, flags & 0o777) || existing.id;
    }
    if (key !== IPC_PRIVATE && (flags & IPC_CREAT) === 0) return -ENOENT;
    if (this.#slots.size >= this.#limit) return -ENOSPC;
    const made = create();
    return typeof made === 'number' ? made : this.#add(made);
  }

  #add(object: T): number {
    while (this.#slots.has(this.#next)) this.#next = (this.#next + 1) % SLOTS;
    const slot = this.#next;
    this.#next = (slot + 1) % SLOTS;
    if (this.#next === 0) this.#sequence = (this.#sequence + 1) % SEQUENCES;
    object.id = this.#sequence * SLOTS + slot;
    this.#slots.set(slot, object);
    if (object.key !== IPC_PRIVATE) this.#keys.set(object.key, object);
    return object.id;
  }

  /** The object, or -EINVAL; -EIDRM for an identifier that was used up. */
  find(id: number): T | number {
    if (id < 0) return -EINVAL;
    const object = this.#slots.get(id % SLOTS);
    if (object === undefined) return -EINVAL;
    return object.id === id ? object : -EIDRM;
  }
  /** By index, as the *_STAT commands ask. */
  atIndex(index: number): T | number {
    return this.#slots.get(index) ?? -EINVAL;
  }
  /** Nobody finds it by its key any more. */
  forgetKey(object: T): void {
    if (this.#keys.get(object.key) === object) this.#keys.delete(object.key);
  }
  remove(object: T): void {
    this.forgetKey(object);
    this.#slots.delete(object.id % SLOTS);
  }
  get size(): number {
    return this.#slots.size;
  }
  get highestIndex(): number {
    return Math.max(0, ...this.#slots.keys());
  }
  values(): Iterable<T> {
    return this.#slots.values();
  }
}

/** `struct ipc64_perm`. */
export function storePermission(task: Task, view: DataView, object: IpcObject, extraMode = 0): void {
  view.setInt32(0, object.key, true);
  const { user } = task.credentials;
  view.setUint32(4, user.shownUid(object.uid), true);
  view.setUint32(8, user.shownGid(object.gid), true);
  view.setUint32(12, user.shownUid(object.cuid), true);
  view.setUint32(16, user.shownGid(object.cgid), true);
  view.setUint32(20, object.mode | extraMode, true);
  view.setUint16(24, Math.floor(object.id / SLOTS), true);
}
/** IPC_SET: 0, or -EINVAL for ids that the caller's user namespace does not have. */
export function loadPermission(task: Task, view: DataView, object: IpcObject): number {
  const { user } = task.credentials;
  const uid = user.kernelUid(view.getUint32(4, true));
  const gid = user.kernelGid(view.getUint32(8, true));
  if (uid === NO_ID || gid === NO_ID) return -EINVAL;
  object.uid = uid;
  object.gid = gid;
  object.mode = (object.mode & ~0o777) | (view.getUint32(20, true) & 0o777);
  object.changedSeconds = nowSeconds(task);
  return 0;
}
export function putU64(view: DataView, at: number, value: number): void {
  view.setBigUint64(at, BigInt(value), true);
}
