/** Addresses, `struct msghdr` and control messages of socket calls: cmsg(3), unix(7). */
import { EBADF, EFAULT, EINVAL, EMSGSIZE, ENOBUFS } from '../../abi/errno.ts';
import { MSG_CMSG_CLOEXEC, MSG_CTRUNC, SCM_CREDENTIALS, SCM_RIGHTS, SOL_SOCKET } from '../../abi/socket.ts';
import { UIO_MAXIOV } from '../../abi/limits.ts';
import { dropFile } from '../../fs/open-file.ts';
import type { OpenFile } from '../../fs/types.ts';
import { NO_ID } from '../namespaces/id-map.ts';
import type { PeerCredentials, ReceiveDetails } from '../../net/index.ts';
import type { Task } from '../types.ts';

/** Bytes of `struct sockaddr_storage`. */
const ADDRESS_LIMIT = 128;
/** Bytes of `struct cmsghdr`. */
const CMSG_HEADER = 16;
/** `sysctl_optmem_max`: most control bytes of one message. */
const CONTROL_LIMIT = 20_480;
export const MSGHDR_SIZE = 56;

/** The address argument of bind, connect and sendto: a copy, or -EINVAL, -EFAULT. */
export function readAddress(task: Task, address: number, length: number): Uint8Array | number {
  if (length < 0 || length > ADDRESS_LIMIT) return -EINVAL;
  return task.memory.copyIn(address, length) ?? -EFAULT;
}

/** Writes an address and its length where the caller gave room (net/socket.c:move_addr_to_user). */
export function writeAddress(task: Task, sockaddr: Uint8Array, address: number, lengthAddress: number): number {
  const room = task.memory.readI32(lengthAddress);
  if (room === undefined) return -EFAULT;
  if (room < 0) return -EINVAL;
  const count = Math.min(room, sockaddr.length);
  if (count > 0 && task.memory.copyOut(address, sockaddr.subarray(0, count)) !== 0) return -EFAULT;
  return task.memory.writeU32(lengthAddress, sockaddr.length);
}

/** `struct msghdr`, read from guest memory. */
export interface MessageHeader {
  readonly at: number;
  readonly name: number;
  readonly nameLength: number;
  readonly control: number;
  readonly controlLength: number;
  readonly views: Uint8Array[];
  readonly total: number;
}

export function readHeader(task: Task, at: number, access: 'readable' | 'writable'): MessageHeader | number {
  const { memory } = task;
  const name = memory.readI64(at);
  const nameLength = memory.readI32(at + 8);
  const vectors = memory.readI64(at + 16);
  const count = memory.readI64(at + 24);
  const control = memory.readI64(at + 32);
  const controlLength = memory.readI64(at + 40);
  if (name === undefined || nameLength === undefined || vectors === undefined || count === undefined) return -EFAULT;
  if (control === undefined || controlLength === undefined) return -EFAULT;
  if (nameLength < 0) return -EINVAL;
  if (count < 0 || count > UIO_MAXIOV) return -EMSGSIZE;
  const views = memory.iovec(vectors, count, access);
  if (typeof views === 'number') return views;
  const total = views.reduce((sum, view) => sum + view.length, 0);
  return { at, name, nameLength: Math.min(nameLength, ADDRESS_LIMIT), control, controlLength, views, total };
}

export function gather(views: readonly Uint8Array[], total: number): Uint8Array {
  if (views.length === 1) return views[0]!;
  const bytes = new Uint8Array(total);
  let at = 0;
  for (const view of views) {
    bytes.set(view, at);
    at += view.length;
  }
  return bytes;
}
export function scatter(bytes: Uint8Array, views: readonly Uint8Array[]): void {
  let at = 0;
  for (const view of views) {
    if (at >= bytes.length) return;
    view.set(bytes.subarray(at, at + view.length));
    at += view.length;
  }
}

/** What sendmsg(2) was given beside the bytes. */
export interface SentControl {
  readonly rights: readonly OpenFile[] | undefined;
  readonly credentials: PeerCredentials | undefined;
}

export function readControl(task: Task, { control, controlLength }: MessageHeader): SentControl | number {
  if (control === 0 || controlLength === 0) return { rights: undefined, credentials: undefined };
  if (controlLength < 0 || controlLength > CONTROL_LIMIT) return -ENOBUFS;
  const bytes = task.memory.copyIn(control, controlLength);
  if (bytes === undefined) return -EFAULT;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let rights: OpenFile[] | undefined;
  let credentials: PeerCredentials | undefined;
  for (let at = 0; at + CMSG_HEADER <= bytes.length;) {
    const length = Number(view.getBigUint64(at, true));
    if (length < CMSG_HEADER || at + length > bytes.length) return -EINVAL;
    const data = at + CMSG_HEADER;
    if (view.getInt32(at + 8, true) === SOL_SOCKET) {
      const type = view.getInt32(at + 12, true);
      if (type === SCM_RIGHTS) {
        rights ??= [];
        for (let fd = data; fd + 4 <= at + length; fd += 4) {
          const file = task.files.get(view.getInt32(fd, true));
          if (file === undefined) return -EBADF;
          rights.push(file);
        }
      } else if (type === SCM_CREDENTIALS) {
        if (length !== CMSG_HEADER + 12) return -EINVAL;
        const { user } = task.credentials;
        credentials = { pid: task.idOf(view.getInt32(data, true)), uid: user.kernelUid(view.getUint32(data + 4, true)), gid: user.kernelGid(view.getUint32(data + 8, true)) };
        if (credentials.uid === NO_ID || credentials.gid === NO_ID) return -EINVAL;
      } else return -EINVAL;
    }
    at += (length + 7) & ~7;
  }
  return { rights: rights?.length === 0 ? undefined : rights, credentials };
}

/** Lays control messages out in the caller's buffer. */
class ControlWriter {
  readonly #task: Task;
  readonly #address: number;
  readonly #room: number;
  used = 0;
  truncated = false;

  constructor(task: Task, address: number, room: number) {
    this.#task = task;
    this.#address = address;
    this.#room = address === 0 ? 0 : room;
  }
  /** Bytes of data that the next message may have. */
  get room(): number {
    return this.#room - this.used - CMSG_HEADER;
  }
  put(level: number, type: number, data: Uint8Array): void {
    if (this.room < 0) {
      this.truncated = true;
      return;
    }
    const count = Math.min(data.length, this.room);
    if (count < data.length) this.truncated = true;
    const message = new Uint8Array(CMSG_HEADER + count);
    const view = new DataView(message.buffer);
    view.setBigUint64(0, BigInt(CMSG_HEADER + count), true);
    view.setInt32(8, level, true);
    view.setInt32(12, type, true);
    message.set(data.subarray(0, count), CMSG_HEADER);
    this.#task.memory.copyOut(this.#address + this.used, message);
    this.used = Math.min(this.#room, this.used + ((message.length + 7) & ~7));
  }
}

/** Installs descriptors and writes control messages, name, lengths and flags of a received message: 0 or a negative errno. */
export function writeDetails(task: Task, header: MessageHeader, details: ReceiveDetails, flags: number): number {
  const writer = new ControlWriter(task, header.control, header.controlLength);
  if (details.credentials !== undefined) {
    const { pid, uid, gid } = details.credentials;
    writer.put(SOL_SOCKET, SCM_CREDENTIALS, new Uint8Array(Int32Array.of(pid, uid, gid).buffer));
  }
  for (const { level, type, data } of details.control ?? []) writer.put(level, type, data);
  if (details.rights !== undefined) receiveRights(task, writer, details.rights, (flags & MSG_CMSG_CLOEXEC) !== 0);
  const { memory } = task;
  if (header.name !== 0) {
    const name = details.address ?? new Uint8Array(0);
    const count = Math.min(name.length, header.nameLength);
    if (count > 0 && memory.copyOut(header.name, name.subarray(0, count)) !== 0) return -EFAULT;
    memory.writeU32(header.at + 8, name.length);
  }
  memory.writeI64(header.at + 40, writer.used);
  memory.writeU32(header.at + 48, details.flags | (writer.truncated ? MSG_CTRUNC : 0) | (flags & MSG_CMSG_CLOEXEC));
  return 0;
}

/** net/core/scm.c:scm_detach_fds: as many as there is room and descriptors for; the others are closed. */
function receiveRights(task: Task, writer: ControlWriter, rights: readonly OpenFile[], closeOnExec: boolean): void {
  const fits = Math.max(0, Math.floor(writer.room / 4));
  const fds: number[] = [];
  for (const file of rights) {
    const fd = fds.length < fits ? task.files.install(file, closeOnExec) : -1;
    if (fd >= 0) fds.push(fd);
    else writer.truncated = true;
    dropFile(file);
  }
  if (fds.length > 0) writer.put(SOL_SOCKET, SCM_RIGHTS, new Uint8Array(Int32Array.from(fds).buffer));
}
