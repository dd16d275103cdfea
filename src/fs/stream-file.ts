/** An open file without a position: what pipes, sockets, terminals and anonymous inode files have in common. */
import { EFAULT, EINVAL, ENOTTY, ESPIPE } from '../abi/errno.ts';
import { WaitQueue, type GuestMemory, type Inode, type OpenFile } from './types.ts';

export abstract class StreamFile implements OpenFile {
  flags: number;
  position = 0;
  references = 0;
  readonly inode: Inode;
  readonly #waitQueue: WaitQueue;
  description: string;

  constructor(inode: Inode, description: string, flags: number, waitQueue: WaitQueue = new WaitQueue()) {
    this.inode = inode;
    this.description = description;
    this.flags = flags;
    this.#waitQueue = waitQueue;
  }
  get waitQueue(): WaitQueue {
    return this.#waitQueue;
  }
  abstract poll(): number;
  read(_buffer: Uint8Array, _offset?: number): number {
    return -EINVAL;
  }
  write(_buffer: Uint8Array, _offset?: number): number {
    return -EINVAL;
  }
  seek(_offset: number, _whence: number): number {
    return -ESPIPE;
  }
  ioctl(_request: number, _argument: number, _memory: GuestMemory): number {
    return -ENOTTY;
  }
  release(): void {}
}

/** Writes a 32-bit result through an ioctl's pointer: 0 or -EFAULT. */
export function putU32(memory: GuestMemory, address: number, value: number): number {
  const view = memory.writable(address, 4);
  if (view === undefined) return -EFAULT;
  view[0] = value & 255;
  view[1] = (value >>> 8) & 255;
  view[2] = (value >>> 16) & 255;
  view[3] = value >>> 24;
  return 0;
}

/** Reads a signed 32-bit value through an ioctl's pointer. */
export function getI32(memory: GuestMemory, address: number): number | undefined {
  const view = memory.readable(address, 4);
  if (view === undefined) return undefined;
  return view[0]! | (view[1]! << 8) | (view[2]! << 16) | (view[3]! << 24);
}
