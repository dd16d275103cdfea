/**
 * Operations of io_uring as the system calls that they are: each goes through that call's row, as it stands in the kernel's own table,
 * so that rights, bounds, filters and rules are the call's (io_uring/opdef.c).
 */
import * as op from '../../abi/io_uring.ts';
import { EFAULT, EINVAL, EOPNOTSUPP } from '../../abi/errno.ts';
import { RWF_DSYNC, RWF_NOWAIT, RWF_SYNC, SEEK_CUR } from '../../abi/fcntl.ts';
import { MSG_NOSIGNAL } from '../../abi/socket.ts';
import { SYSCALL_NAMES } from '../../abi/unistd.ts';
import { PlainFile } from '../../fs/open-file.ts';
import type { OpenFile } from '../../fs/types.ts';
import type { Sqe } from './sqe.ts';

/** A system call: its name and arguments. */
export type Call = readonly [name: string, ...args: readonly number[]];

/** A registered buffer. */
export interface FixedBuffer {
  readonly address: number;
  readonly length: number;
}

export interface Operation {
  /** The call, or -errno. `file` is that of `fd`, where the operation takes one. */
  readonly call: (sqe: Sqe, file: OpenFile | undefined, buffers: readonly (FixedBuffer | undefined)[]) => Call | number;
  /** `fd` is a file that the request holds until it ends, and may be a registered one. */
  readonly takesFile: boolean;
}

const NUMBERS = new Map([...SYSCALL_NAMES].map(([number, name]) => [name, number]));

export function numberOfCall(name: string): number {
  return NUMBERS.get(name) ?? -1;
}

function isStream(file: OpenFile | undefined): boolean {
  return file !== undefined && !(file instanceof PlainFile) && file.seek(0, SEEK_CUR) < 0;
}

/** Read or write: at the file's own position where the offset is -1, and where there are no positions. */
function transfer(stream: string, positioned: string): Operation['call'] {
  return (sqe, file) => {
    if ((sqe.operationFlags & ~(RWF_DSYNC | RWF_SYNC | RWF_NOWAIT)) !== 0) return -EOPNOTSUPP;
    const { fd, address, length, offset } = sqe;
    return offset === -1 || isStream(file) ? [stream, fd, address, length] : [positioned, fd, address, length, offset];
  };
}

function vector(name: string): Operation['call'] {
  return ({ fd, address, length, offset, operationFlags }, file) => [name, fd, address, length, isStream(file) ? -1 : offset, 0, operationFlags];
}

/** io_import_fixed(): the range must lie in the registered buffer. */
function fixed(inner: Operation['call']): Operation['call'] {
  return (sqe, file, buffers) => {
    const buffer = buffers[sqe.bufferIndex];
    if (buffer === undefined) return -EFAULT;
    const { address, length } = sqe;
    return address < buffer.address || address + length > buffer.address + buffer.length ? -EFAULT : inner(sqe, file, buffers);
  };
}

/** Offsets come by value, which the call cannot take: only the files' own positions. */
function pipes(name: 'splice' | 'tee'): Operation['call'] {
  return ({ fd, otherFd, address, offset, length, operationFlags }) => {
    if (operationFlags >>> 31 !== 0) return -EINVAL;
    if (name === 'tee') return ['tee', otherFd, fd, length, operationFlags];
    return address === -1 && offset === -1 ? ['splice', otherFd, 0, fd, 0, length, operationFlags] : -EINVAL;
  };
}

const READ = transfer('read', 'pread64');
const WRITE = transfer('write', 'pwrite64');

function onFile(call: Operation['call']): Operation {
  return { call, takesFile: true };
}

/** Descriptors are looked up by the call itself: directories that paths begin in, and others. */
function plain(call: Operation['call']): Operation {
  return { call, takesFile: false };
}

export const OPERATIONS: ReadonlyMap<number, Operation> = new Map([
  [op.IORING_OP_READV, onFile(vector('preadv2'))],
  [op.IORING_OP_WRITEV, onFile(vector('pwritev2'))],
  [op.IORING_OP_READ, onFile(READ)],
  [op.IORING_OP_WRITE, onFile(WRITE)],
  [op.IORING_OP_READ_FIXED, onFile(fixed(READ))],
  [op.IORING_OP_WRITE_FIXED, onFile(fixed(WRITE))],
  [op.IORING_OP_FSYNC, onFile(({ fd, operationFlags }) => ((operationFlags & ~op.IORING_FSYNC_DATASYNC) !== 0 ? -EINVAL : [operationFlags === 0 ? 'fsync' : 'fdatasync', fd]))],
  [op.IORING_OP_SYNC_FILE_RANGE, onFile(({ fd, offset, length, operationFlags }) => ['sync_file_range', fd, offset, length, operationFlags])],
  [op.IORING_OP_FALLOCATE, onFile(({ fd, length, offset, address }) => ['fallocate', fd, length | 0, offset, address])],
  [op.IORING_OP_FADVISE, onFile(({ fd, offset, length, operationFlags }) => ['fadvise64', fd, offset, length, operationFlags])],
  [op.IORING_OP_SENDMSG, onFile(({ fd, address, operationFlags }) => ['sendmsg', fd, address, operationFlags | MSG_NOSIGNAL])],
  [op.IORING_OP_RECVMSG, onFile(({ fd, address, operationFlags }) => ['recvmsg', fd, address, operationFlags])],
  [op.IORING_OP_SEND, onFile(({ fd, address, length, operationFlags, offset, otherFd }) => ['sendto', fd, address, length, operationFlags | MSG_NOSIGNAL, offset, otherFd & 0xffff])],
  [op.IORING_OP_RECV, onFile(({ fd, address, length, operationFlags }) => ['recvfrom', fd, address, length, operationFlags, 0, 0])],
  [op.IORING_OP_ACCEPT, onFile(({ fd, address, offset, operationFlags, otherFd }) => (otherFd !== 0 ? -EINVAL : ['accept4', fd, address, offset, operationFlags]))],
  [op.IORING_OP_CONNECT, onFile(({ fd, address, offset }) => ['connect', fd, address, offset | 0])],
  [op.IORING_OP_SHUTDOWN, onFile(({ fd, length }) => ['shutdown', fd, length | 0])],
  [op.IORING_OP_SOCKET, plain(({ fd, offset, length, otherFd }) => (otherFd !== 0 ? -EINVAL : ['socket', fd, offset | 0, length | 0]))],
  [op.IORING_OP_FSETXATTR, onFile(({ fd, address, offset, length, operationFlags }) => ['fsetxattr', fd, address, offset, length, operationFlags | 0])],
  [op.IORING_OP_FGETXATTR, onFile(({ fd, address, offset, length }) => ['fgetxattr', fd, address, offset, length])],
  [op.IORING_OP_SETXATTR, plain(({ address, offset, address3, length, operationFlags }) => ['setxattr', address3, address, offset, length, operationFlags | 0])],
  [op.IORING_OP_GETXATTR, plain(({ address, offset, address3, length }) => ['getxattr', address3, address, offset, length])],
  [op.IORING_OP_MADVISE, plain(({ address, length, operationFlags }) => ['madvise', address, length, operationFlags | 0])],
  [op.IORING_OP_OPENAT, plain(({ fd, address, operationFlags, length, otherFd }) => (otherFd !== 0 ? -EINVAL : ['openat', fd, address, operationFlags | 0, length]))],
  [op.IORING_OP_OPENAT2, plain(({ fd, address, offset, length, otherFd }) => (otherFd !== 0 ? -EINVAL : ['openat2', fd, address, offset, length]))],
  [op.IORING_OP_CLOSE, plain(({ fd, otherFd }) => (otherFd !== 0 ? -EINVAL : ['close', fd]))],
  [op.IORING_OP_STATX, plain(({ fd, address, operationFlags, length, offset }) => ['statx', fd, address, operationFlags | 0, length, offset])],
  [op.IORING_OP_EPOLL_CTL, plain(({ fd, length, offset, address }) => ['epoll_ctl', fd, length | 0, offset | 0, address])],
  [op.IORING_OP_SPLICE, plain(pipes('splice'))],
  [op.IORING_OP_TEE, plain(pipes('tee'))],
  [op.IORING_OP_RENAMEAT, plain(({ fd, address, length, offset, operationFlags }) => ['renameat2', fd, address, length | 0, offset, operationFlags | 0])],
  [op.IORING_OP_UNLINKAT, plain(({ fd, address, operationFlags }) => ['unlinkat', fd, address, operationFlags | 0])],
  [op.IORING_OP_MKDIRAT, plain(({ fd, address, length }) => ['mkdirat', fd, address, length])],
  [op.IORING_OP_SYMLINKAT, plain(({ fd, address, offset }) => ['symlinkat', address, fd, offset])],
  [op.IORING_OP_LINKAT, plain(({ fd, address, length, offset, operationFlags }) => ['linkat', fd, address, length | 0, offset, operationFlags | 0])],
]);

/** Done by the ring itself. */
export const RING_OPERATIONS: ReadonlySet<number> = new Set([
  op.IORING_OP_NOP, op.IORING_OP_POLL_ADD, op.IORING_OP_POLL_REMOVE, op.IORING_OP_TIMEOUT, op.IORING_OP_TIMEOUT_REMOVE, op.IORING_OP_ASYNC_CANCEL, op.IORING_OP_LINK_TIMEOUT,
]);

const TRANSFERS = new Set([
  op.IORING_OP_READV, op.IORING_OP_WRITEV, op.IORING_OP_READ, op.IORING_OP_WRITE, op.IORING_OP_READ_FIXED, op.IORING_OP_WRITE_FIXED,
]);

/** A transfer that ends short breaks a chain. */
export function isShort({ operation, length }: Sqe, result: number): boolean {
  if (operation === op.IORING_OP_READV || operation === op.IORING_OP_WRITEV) return result === 0 && length !== 0;
  return TRANSFERS.has(operation) && result < length;
}
