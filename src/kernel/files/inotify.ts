/** inotify(7), Linux fs/notify/inotify. */
import { EAGAIN, EEXIST, EINVAL, ENOSPC, ESPIPE } from '../../abi/errno.ts';
import {
  IN_ALL_EVENTS, IN_DELETE_SELF, IN_IGNORED, IN_ISDIR, IN_MASK_ADD, IN_MASK_CREATE, IN_ONESHOT, IN_Q_OVERFLOW, IN_UNMOUNT,
} from '../../abi/inotify.ts';
import { FIONREAD } from '../../abi/ioctl.ts';
import { POLLIN, POLLRDNORM } from '../../abi/poll.ts';
import { putU32, StreamFile } from '../../fs/stream-file.ts';
import type { GuestMemory, Inode, InodeWatch } from '../../fs/types.ts';
import { addMark, marksOf, removeMark } from './inode-marks.ts';
import { INOTIFY_QUEUED_EVENTS, INOTIFY_WATCHES } from './limits.ts';

interface QueuedEvent {
  readonly descriptor: number;
  readonly mask: number;
  readonly cookie: number;
  readonly name: string;
}

/** Bytes of `struct inotify_event` before the name; names are padded to a multiple of it. */
const HEADER = 16;

class InotifyWatch implements InodeWatch {
  readonly owner: InotifyFile;
  readonly inode: Inode;
  readonly descriptor: number;
  mask: number;

  constructor(owner: InotifyFile, inode: Inode, descriptor: number, mask: number) {
    this.owner = owner;
    this.inode = inode;
    this.descriptor = descriptor;
    this.mask = mask;
  }
  notify(mask: number, name: string | undefined, cookie: number): void {
    const asked = (mask & this.mask & IN_ALL_EVENTS) !== 0 || (mask & IN_UNMOUNT) !== 0;
    if (asked) this.owner.queue(this.descriptor, mask & (IN_ALL_EVENTS | IN_ISDIR | IN_UNMOUNT), cookie, name ?? '');
    const ended = name === undefined && (mask & (IN_DELETE_SELF | IN_UNMOUNT)) !== 0;
    if (ended || (asked && (this.mask & IN_ONESHOT) !== 0)) this.owner.drop(this);
  }
}

export class InotifyFile extends StreamFile {
  readonly #watches = new Map<number, InotifyWatch>();
  #nextDescriptor = 1;
  #events: QueuedEvent[] = [];

  constructor(inode: Inode, flags: number) {
    super(inode, 'anon_inode:inotify', flags);
  }

  /** inotify_add_watch(2) of an inode that was found already: the watch descriptor. */
  watch(inode: Inode, mask: number): number {
    if ((mask & IN_ALL_EVENTS) === 0) return -EINVAL;
    for (const watch of marksOf(inode)) {
      if (!(watch instanceof InotifyWatch) || watch.owner !== this) continue;
      if ((mask & IN_MASK_CREATE) !== 0) return -EEXIST;
      watch.mask = (mask & IN_MASK_ADD) !== 0 ? watch.mask | mask : mask;
      return watch.descriptor;
    }
    if (this.#watches.size >= INOTIFY_WATCHES) return -ENOSPC;
    const watch = new InotifyWatch(this, inode, this.#nextDescriptor++, mask);
    this.#watches.set(watch.descriptor, watch);
    addMark(inode, watch);
    return watch.descriptor;
  }

  unwatch(descriptor: number): number {
    const watch = this.#watches.get(descriptor);
    if (watch === undefined) return -EINVAL;
    this.drop(watch);
    return 0;
  }

  drop(watch: InotifyWatch): void {
    this.#watches.delete(watch.descriptor);
    removeMark(watch.inode, watch);
    this.queue(watch.descriptor, IN_IGNORED, 0, '');
  }
  queue(descriptor: number, mask: number, cookie: number, name: string): void {
    const last = this.#events.at(-1);
    if (last !== undefined && last.descriptor === descriptor && last.mask === mask && last.cookie === cookie && last.name === name) return;
    if (this.#events.length >= INOTIFY_QUEUED_EVENTS) {
      if (last?.mask !== IN_Q_OVERFLOW) this.#events.push({ descriptor: -1, mask: IN_Q_OVERFLOW, cookie: 0, name: '' });
      return;
    }
    this.#events.push({ descriptor, mask, cookie, name });
    this.waitQueue.wake(POLLIN | POLLRDNORM);
  }

  override read(buffer: Uint8Array, offset?: number): number {
    if (offset !== undefined) return -ESPIPE;
    let done = 0;
    let taken = 0;
    for (const event of this.#events) {
      const size = eventSize(event);
      if (done + size > buffer.length) break;
      storeEvent(buffer.subarray(done, done + size), event);
      done += size;
      taken++;
    }
    if (taken === 0) return this.#events.length > 0 ? -EINVAL : -EAGAIN;
    this.#events.splice(0, taken);
    return done;
  }
  poll(): number {
    return this.#events.length > 0 ? POLLIN | POLLRDNORM : 0;
  }
  override ioctl(request: number, argument: number, memory: GuestMemory): number {
    if (request !== FIONREAD) return super.ioctl(request, argument, memory);
    return putU32(memory, argument, this.#events.reduce((sum, event) => sum + eventSize(event), 0));
  }
  override release(): void {
    for (const watch of this.#watches.values()) removeMark(watch.inode, watch);
    this.#watches.clear();
  }
  fdInfo(): string {
    let text = '';
    for (const { descriptor, inode, mask } of this.#watches.values()) {
      text += `inotify wd:${descriptor.toString(16)} ino:${inode.ino.toString(16)} sdev:${inode.fileSystem.dev.toString(16)} mask:${(mask & IN_ALL_EVENTS).toString(16)} ignored_mask:0\n`;
    }
    return text;
  }
}

function eventSize(event: QueuedEvent): number {
  return event.name === '' ? HEADER : HEADER + Math.ceil((event.name.length + 1) / HEADER) * HEADER;
}

function storeEvent(target: Uint8Array, event: QueuedEvent): void {
  target.fill(0);
  const view = new DataView(target.buffer, target.byteOffset, target.byteLength);
  view.setInt32(0, event.descriptor, true);
  view.setUint32(4, event.mask >>> 0, true);
  view.setUint32(8, event.cookie, true);
  view.setUint32(12, target.length - HEADER, true);
  for (let index = 0; index < event.name.length; index++) target[HEADER + index] = event.name.charCodeAt(index);
}
