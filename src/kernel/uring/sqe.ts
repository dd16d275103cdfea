/** A `struct io_uring_sqe` that was copied from the ring: what its members mean depends on the operation. */
import { viewOf } from '../syscalls/file-common.ts';

export interface Sqe {
  readonly operation: number;
  readonly flags: number;
  readonly priority: number;
  readonly fd: number;
  /** `off`, `addr2`. -1 for the file's own position. */
  readonly offset: number;
  readonly address: number;
  /** `addr` where it is the `user_data` of another request. */
  readonly target: bigint;
  readonly length: number;
  /** `rw_flags` and its other names. */
  readonly operationFlags: number;
  readonly data: bigint;
  readonly bufferIndex: number;
  readonly personality: number;
  /** `splice_fd_in`, `file_index`. */
  readonly otherFd: number;
  readonly address3: number;
}

export function readSqe(bytes: Uint8Array): Sqe {
  const view = viewOf(bytes);
  return {
    operation: view.getUint8(0), flags: view.getUint8(1), priority: view.getUint16(2, true), fd: view.getInt32(4, true),
    offset: Number(view.getBigInt64(8, true)), address: Number(view.getBigInt64(16, true)), target: view.getBigUint64(16, true), length: view.getUint32(24, true),
    operationFlags: view.getUint32(28, true), data: view.getBigUint64(32, true), bufferIndex: view.getUint16(40, true), personality: view.getUint16(42, true),
    otherFd: view.getInt32(44, true), address3: Number(view.getBigInt64(48, true)),
  };
}
