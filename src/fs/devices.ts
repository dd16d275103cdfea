/** The memory devices: null(4), full(4), random(4), by number so that any node of a file system opens them (Linux drivers/char/mem.c). */
import { EBADF, EFAULT, EINVAL, ENOSPC, ENOTTY } from '../abi/errno.ts';
import { O_ACCMODE, O_RDONLY, O_WRONLY } from '../abi/fcntl.ts';
import { POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from '../abi/poll.ts';
import type { Location } from './dentry.ts';
import { pathOf } from './path.ts';
import { WaitQueue } from './types.ts';
import type { GuestMemory, Inode, OpenFile } from './types.ts';

export const DEV_NULL = 0x103;
export const DEV_ZERO = 0x105;
export const DEV_FULL = 0x107;
export const DEV_RANDOM = 0x108;
export const DEV_URANDOM = 0x109;
export const DEV_TTY = 0x500;
export const DEV_CONSOLE = 0x501;
export const DEV_PTMX = 0x502;

/** `linux/random.h` */
const RNDGETENTCNT = 0x8004_5200;
/** Bits of entropy that /proc/sys/kernel/random/entropy_avail always has since Linux 5.18. */
const ENTROPY_BITS = 256;

const NEVER = new WaitQueue();

interface Behaviour {
  read(buffer: Uint8Array): number;
  write(buffer: Uint8Array): number;
}

const takeAll = (buffer: Uint8Array): number => buffer.length;

function zeros(buffer: Uint8Array): number {
  buffer.fill(0);
  return buffer.length;
}

function behaviourOf(rdev: number, random: (buffer: Uint8Array) => void): Behaviour | undefined {
  const randomBytes = (buffer: Uint8Array): number => {
    random(buffer);
    return buffer.length;
  };
  switch (rdev) {
    case DEV_NULL: return { read: () => 0, write: takeAll };
    case DEV_ZERO: return { read: zeros, write: takeAll };
    case DEV_FULL: return { read: zeros, write: () => -ENOSPC };
    case DEV_RANDOM:
    case DEV_URANDOM: return { read: randomBytes, write: takeAll };
    default: return undefined;
  }
}

/** Opens a memory device; undefined where the number is none. */
export function openMemoryDevice(inode: Inode, flags: number, random: (buffer: Uint8Array) => void): OpenFile | undefined {
  const behaviour = behaviourOf(inode.rdev, random);
  return behaviour === undefined ? undefined : new MemoryDevice(inode, flags, behaviour);
}

class MemoryDevice implements OpenFile {
  flags: number;
  position = 0;
  readonly inode: Inode;
  location: Location | undefined = undefined;
  readonly waitQueue = NEVER;
  readonly #behaviour: Behaviour;

  constructor(inode: Inode, flags: number, behaviour: Behaviour) {
    this.inode = inode;
    this.flags = flags;
    this.#behaviour = behaviour;
  }
  get description(): string {
    return this.location === undefined ? '' : pathOf(this.location);
  }
  read(buffer: Uint8Array): number {
    return (this.flags & O_ACCMODE) === O_WRONLY ? -EBADF : this.#behaviour.read(buffer);
  }
  write(buffer: Uint8Array): number {
    return (this.flags & O_ACCMODE) === O_RDONLY ? -EBADF : this.#behaviour.write(buffer);
  }
  /** They have no positions, but seeking is no error. */
  seek(): number {
    return 0;
  }
  poll(): number {
    return POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM;
  }
  ioctl(request: number, argument: number, memory: GuestMemory): number {
    const isRandom = this.inode.rdev === DEV_RANDOM || this.inode.rdev === DEV_URANDOM;
    if (!isRandom) return -ENOTTY;
    if (request !== RNDGETENTCNT) return -EINVAL;
    const view = memory.writable(argument, 4);
    if (view === undefined) return -EFAULT;
    view.set([ENTROPY_BITS & 255, ENTROPY_BITS >> 8, 0, 0]);
    return 0;
  }
  release(): void {}
}
