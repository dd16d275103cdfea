/** fanotify(7) without permission events and file handles: events of files, with a descriptor for each (Linux fs/notify/fanotify). */
import { EAGAIN, EINVAL, ENOENT, ENOSPC } from '../../abi/errno.ts';
import { FAN_EVENT_METADATA_LEN, FAN_EVENT_ON_CHILD, FAN_EVENTS, FAN_MODIFY, FAN_NOFD, FAN_ONDIR, FAN_Q_OVERFLOW, FANOTIFY_METADATA_VERSION } from '../../abi/fanotify.ts';
import { FIONREAD } from '../../abi/ioctl.ts';
import { POLLIN, POLLRDNORM } from '../../abi/poll.ts';
import { S_IFDIR, S_IFMT } from '../../abi/stat.ts';
import type { DentryTree, Location, Mount, TreeWatch } from '../../fs/dentry.ts';
import { putU32, StreamFile } from '../../fs/stream-file.ts';
import type { FileSystem, GuestMemory, Inode } from '../../fs/types.ts';
import { FANOTIFY_MARKS, FANOTIFY_QUEUED_EVENTS, FANOTIFY_UNLIMITED_EVENTS } from './limits.ts';

/** What a mark is on. */
export type MarkedObject = Inode | Mount | FileSystem;

interface Mark {
  mask: number;
  ignored: number;
  /** What is ignored stays so when the file changes. */
  survives: boolean;
  readonly tree: DentryTree;
}

interface QueuedEvent {
  /** Undefined: events were lost. */
  readonly location: Location | undefined;
  mask: number;
  readonly pid: number;
}

export interface FanotifyOptions {
  readonly flags: number;
  readonly unlimited: boolean;
  /** Whose doing it is now: a process or thread id. */
  readonly currentId: () => number;
  /** The id as the reader sees it. */
  readonly numberOf: (id: number) => number;
  /** A new descriptor for the reader, or -errno. */
  readonly openEvent: (location: Location) => number;
}

export class FanotifyFile extends StreamFile implements TreeWatch {
  readonly #options: FanotifyOptions;
  readonly #marks = new Map<MarkedObject, Mark>();
  #events: QueuedEvent[] = [];

  constructor(inode: Inode, options: FanotifyOptions) {
    super(inode, 'anon_inode:[fanotify]', options.flags);
    this.#options = options;
  }

  /** Adds to the mark of an object, which lies in `tree`: 0 or -ENOSPC. */
  mark(object: MarkedObject, tree: DentryTree, mask: number, ignores: boolean, survives: boolean): number {
    let mark = this.#marks.get(object);
    if (mark === undefined) {
      if (this.#marks.size >= FANOTIFY_MARKS) return -ENOSPC;
      mark = { mask: 0, ignored: 0, survives: false, tree };
      this.#marks.set(object, mark);
      (tree.watches ??= new Set()).add(this);
    }
    if (ignores) {
      mark.ignored |= mask;
      if (survives) mark.survives = true;
    } else {
      mark.mask |= mask;
    }
    return 0;
  }

  /** Takes from a mark: 0 or -ENOENT. */
  unmark(object: MarkedObject, mask: number, ignores: boolean): number {
    const mark = this.#marks.get(object);
    if (mark === undefined) return -ENOENT;
    if (ignores) mark.ignored &= ~mask;
    else mark.mask &= ~mask;
    if (((mark.mask | mark.ignored) & FAN_EVENTS) === 0) this.#drop(object);
    return 0;
  }

  /** Drops all marks of a kind. */
  flush(isKind: (object: MarkedObject) => boolean): void {
    for (const object of [...this.#marks.keys()]) if (isKind(object)) this.#drop(object);
  }

  #drop(object: MarkedObject): void {
    const tree = this.#marks.get(object)?.tree;
    this.#marks.delete(object);
    if (tree === undefined) return;
    for (const mark of this.#marks.values()) if (mark.tree === tree) return;
    tree.watches?.delete(this);
    if (tree.watches?.size === 0) tree.watches = undefined;
  }

  notify(location: Location, mask: number): void {
    const { dentry, mount } = location;
    const { inode, parent } = dentry;
    const isDirectory = (inode.mode & S_IFMT) === S_IFDIR;
    let wanted = 0;
    let ignored = 0;
    for (const object of [inode, mount, inode.fileSystem]) {
      const mark = this.#marks.get(object);
      if (mark === undefined) continue;
      if ((mask & FAN_MODIFY) !== 0 && !mark.survives) mark.ignored = 0;
      if (!isDirectory || (mark.mask & FAN_ONDIR) !== 0) wanted |= mark.mask;
      ignored |= mark.ignored;
    }
    const above = parent === undefined || dentry.deleted ? undefined : this.#marks.get(parent.inode);
    if (above !== undefined && (above.mask & FAN_EVENT_ON_CHILD) !== 0 && (!isDirectory || (above.mask & FAN_ONDIR) !== 0)) wanted |= above.mask;
    const event = mask & wanted & ~ignored & FAN_EVENTS;
    if (event !== 0) this.#queue({ mount, dentry }, event);
  }

  #queue(location: Location, mask: number): void {
    const pid = this.#options.currentId();
    // Not merged with what came before the last: the order of different files stays.
    const last = this.#events.at(-1);
    if (last?.location?.dentry === location.dentry && last.location.mount === location.mount && last.pid === pid) {
      last.mask |= mask;
      return;
    }
    if (this.#events.length >= (this.#options.unlimited ? FANOTIFY_UNLIMITED_EVENTS : FANOTIFY_QUEUED_EVENTS)) {
      if (last?.location !== undefined) this.#events.push({ location: undefined, mask: FAN_Q_OVERFLOW, pid: 0 });
      return;
    }
    this.#events.push({ location, mask, pid });
    this.waitQueue.wake(POLLIN | POLLRDNORM);
  }

  /** `struct fanotify_event_metadata` of each event that fits. */
  override read(buffer: Uint8Array): number {
    if (this.#events.length === 0) return -EAGAIN;
    if (buffer.length < FAN_EVENT_METADATA_LEN) return -EINVAL;
    const view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
    let done = 0;
    while (done + FAN_EVENT_METADATA_LEN <= buffer.length) {
      const event = this.#events[0];
      if (event === undefined) break;
      const fd = event.location === undefined ? FAN_NOFD : this.#options.openEvent(event.location);
      if (fd < FAN_NOFD && done > 0) break;
      this.#events.shift();
      if (fd < FAN_NOFD) return fd;
      view.setUint32(done, FAN_EVENT_METADATA_LEN, true);
      view.setUint8(done + 4, FANOTIFY_METADATA_VERSION);
      view.setUint8(done + 5, 0);
      view.setUint16(done + 6, FAN_EVENT_METADATA_LEN, true);
      view.setBigUint64(done + 8, BigInt(event.mask), true);
      view.setInt32(done + 16, fd, true);
      view.setInt32(done + 20, this.#options.numberOf(event.pid), true);
      done += FAN_EVENT_METADATA_LEN;
    }
    return done;
  }

  poll(): number {
    return this.#events.length > 0 ? POLLIN | POLLRDNORM : 0;
  }

  override ioctl(request: number, argument: number, memory: GuestMemory): number {
    return request === FIONREAD ? putU32(memory, argument, this.#events.length * FAN_EVENT_METADATA_LEN) : super.ioctl(request, argument, memory);
  }

  override release(): void {
    this.flush(() => true);
    this.#events = [];
  }
}
