/** epoll(7), Linux fs/eventpoll.c. */
import { EEXIST, EINVAL, ELOOP, ENOENT, ENOSPC } from '../../abi/errno.ts';
import {
  EPOLLERR, EPOLLET, EPOLLEXCLUSIVE, EPOLLHUP, EPOLLIN, EPOLLONESHOT, EPOLLOUT, EPOLLRDNORM, EPOLLWAKEUP,
} from '../../abi/epoll.ts';
import { POLLIN, POLLRDNORM } from '../../abi/poll.ts';
import { StreamFile } from '../../fs/stream-file.ts';
import type { Inode, OpenFile, Waiter, WaitQueue } from '../../fs/types.ts';
import { EPOLL_NESTS, EPOLL_WATCHES } from './limits.ts';

/** `struct epoll_event`: `data` as its two halves. */
export interface EpollEvent {
  readonly events: number;
  readonly dataLow: number;
  readonly dataHigh: number;
}

/** Always reported, asked for or not. */
const UNASKED = EPOLLERR | EPOLLHUP;
const PRIVATE = (EPOLLET | EPOLLONESHOT | EPOLLEXCLUSIVE | EPOLLWAKEUP) >>> 0;
const WITH_EXCLUSIVE = (EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE) >>> 0;

function withUnasked(event: EpollEvent): EpollEvent {
  return { ...event, events: (event.events | UNASKED) >>> 0 };
}

/** `struct epitem`: one descriptor watched. */
class EpollItem implements Waiter {
  readonly epoll: EpollFile;
  readonly file: OpenFile;
  readonly fd: number;
  event: EpollEvent;
  readonly #queue: WaitQueue;
  #removed = false;

  constructor(epoll: EpollFile, file: OpenFile, fd: number, event: EpollEvent) {
    this.epoll = epoll;
    this.file = file;
    this.fd = fd;
    this.event = event;
    this.#queue = file.waitQueue;
    this.#queue.add(this);
  }
  get disabled(): boolean {
    return (this.event.events & ~PRIVATE) === 0;
  }
  /** The file was closed everywhere: the item is gone by itself (epoll(7), question 6). */
  get dead(): boolean {
    return this.file.references === 0;
  }
  ready(): number {
    if (this.dead) return 0;
    return this.file.poll() & (this.event.events | UNASKED) & ~PRIVATE;
  }
  wake(events = 0): void {
    if (this.#removed) return;
    if (this.dead) {
      this.epoll.remove(this);
      return;
    }
    this.#queue.add(this);
    if (this.disabled) return;
    if (events !== 0 && (events & (this.event.events | UNASKED)) === 0) return;
    this.epoll.becameReady(this);
  }
  detach(): void {
    this.#removed = true;
    this.#queue.remove(this);
  }
}

export class EpollFile extends StreamFile {
  readonly #items = new Map<OpenFile, Map<number, EpollItem>>();
  #count = 0;
  /** `rdllist`: items that may be ready, in order. */
  #ready = new Set<EpollItem>();

  constructor(inode: Inode, flags: number) {
    super(inode, 'anon_inode:[eventpoll]', flags);
  }

  becameReady(item: EpollItem): void {
    this.#ready.add(item);
    this.waitQueue.wake(POLLIN | POLLRDNORM);
  }

  add(file: OpenFile, fd: number, event: EpollEvent): number {
    const exclusive = (event.events & EPOLLEXCLUSIVE) !== 0;
    if (exclusive && ((event.events & ~WITH_EXCLUSIVE) !== 0 || file instanceof EpollFile)) return -EINVAL;
    const byFd = this.#items.get(file) ?? new Map<number, EpollItem>();
    if (byFd.has(fd)) return -EEXIST;
    if (file instanceof EpollFile && (file.reaches(this, 0) || this.#depthBelow(file) >= EPOLL_NESTS)) return -ELOOP;
    if (this.#count >= EPOLL_WATCHES) return -ENOSPC;
    const item = new EpollItem(this, file, fd, withUnasked(event));
    byFd.set(fd, item);
    this.#items.set(file, byFd);
    this.#count++;
    if (item.ready() !== 0) this.becameReady(item);
    return 0;
  }

  modify(file: OpenFile, fd: number, event: EpollEvent): number {
    const item = this.#items.get(file)?.get(fd);
    if (item === undefined) return -ENOENT;
    if (((item.event.events | event.events) & EPOLLEXCLUSIVE) !== 0) return -EINVAL;
    item.event = withUnasked(event);
    if (item.ready() !== 0) this.becameReady(item);
    return 0;
  }

  delete(file: OpenFile, fd: number): number {
    const item = this.#items.get(file)?.get(fd);
    if (item === undefined) return -ENOENT;
    this.remove(item);
    return 0;
  }

  remove(item: EpollItem): void {
    item.detach();
    this.#ready.delete(item);
    const byFd = this.#items.get(item.file);
    if (byFd?.delete(item.fd) !== true) return;
    this.#count--;
    if (byFd.size === 0) this.#items.delete(item.file);
  }

  /** Reports up to `maximum` events through `put`, which answers false where guest memory ends; the number reported. */
  collect(maximum: number, put: (index: number, events: number, event: EpollEvent) => boolean): number {
    let count = 0;
    const candidates = [...this.#ready];
    for (const item of candidates) {
      if (count === maximum) break;
      this.#ready.delete(item);
      if (item.dead) {
        this.remove(item);
        continue;
      }
      const events = item.ready();
      if (events === 0) continue;
      if (!put(count, events, item.event)) {
        this.#ready.add(item);
        break;
      }
      count++;
      if ((item.event.events & EPOLLONESHOT) !== 0) item.event = { ...item.event, events: (item.event.events & PRIVATE) >>> 0 };
      else if ((item.event.events & EPOLLET) === 0) this.#ready.add(item);
    }
    return count;
  }

  poll(): number {
    for (const item of this.#ready) {
      if (item.ready() !== 0) return EPOLLIN | EPOLLRDNORM;
      this.#ready.delete(item);
    }
    return 0;
  }

  /** Whether `target` is watched by this, directly or through others. */
  reaches(target: EpollFile, depth: number): boolean {
    if (this === target || depth > EPOLL_NESTS) return true;
    for (const file of this.#items.keys()) if (file instanceof EpollFile && file.reaches(target, depth + 1)) return true;
    return false;
  }
  #depthBelow(file: EpollFile): number {
    let deepest = 0;
    for (const inner of file.#items.keys()) if (inner instanceof EpollFile) deepest = Math.max(deepest, this.#depthBelow(inner));
    return deepest + 1;
  }

  fdInfo(): string {
    let text = '';
    for (const byFd of this.#items.values()) {
      for (const { fd, event } of byFd.values()) {
        const data = ((BigInt(event.dataHigh >>> 0) << 32n) | BigInt(event.dataLow >>> 0)).toString(16);
        text += `tfd: ${String(fd).padStart(8)} events: ${(event.events >>> 0).toString(16).padStart(8)} data: ${data.padStart(16)}\n`;
      }
    }
    return text;
  }

  override release(): void {
    for (const byFd of this.#items.values()) for (const item of byFd.values()) item.detach();
    this.#items.clear();
    this.#ready.clear();
  }
}
