/** For whom sendmsg(2) and sendmmsg(2) are, where their headers say so. */
import { UIO_MAXIOV } from '../../abi/limits.ts';
import { readAddress } from '../syscalls/socket-message.ts';
import type { KernelTask } from '../task/task.ts';

/** Bytes of `struct mmsghdr`. */
const MMSGHDR_SIZE = 64;

export interface SentAddresses {
  /** The first that there is. */
  readonly address: Uint8Array | undefined;
  readonly isMixed: boolean;
}

const NONE: SentAddresses = { address: undefined, isMixed: false };

function addressAt(task: KernelTask, header: number): Uint8Array | undefined {
  const name = task.memory.readI64(header);
  const length = task.memory.readI32(header + 8);
  if (name === undefined || name === 0 || length === undefined || length === 0) return undefined;
  const address = readAddress(task, name, length);
  return typeof address === 'number' ? undefined : address;
}

const isSame = (one: Uint8Array, other: Uint8Array): boolean => one.length === other.length && one.every((byte, index) => byte === other[index]);

export function sentAddresses(task: KernelTask, call: string, args: readonly number[]): SentAddresses {
  if (call !== 'sendmsg' && call !== 'sendmmsg') return NONE;
  const count = call === 'sendmsg' ? 1 : Math.min(Math.max(0, args[2]!), UIO_MAXIOV);
  let address: Uint8Array | undefined;
  let isMixed = false;
  for (let index = 0; index < count; index++) {
    const each = addressAt(task, args[1]! + index * MMSGHDR_SIZE);
    if (each === undefined) continue;
    if (address === undefined) address = each;
    else isMixed ||= !isSame(address, each);
  }
  return { address, isMixed };
}
