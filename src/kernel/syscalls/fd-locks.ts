/** POSIX record locks, open file description locks and flock(2): fcntl(2), Linux fs/locks.c. */
import { EAGAIN, EDEADLK } from '../../abi/errno.ts';
import { F_RDLCK, F_UNLCK, F_WRLCK, LOCK_EX, LOCK_SH, LOCK_UN } from '../../abi/fcntl.ts';
import { WaitQueue } from '../../fs/types.ts';
import type { Inode, OpenFile } from '../../fs/types.ts';

/** A locked range [start, end) of a file; `end` is Infinity for "to the end". */
export interface RecordLock {
  readonly type: number;
  readonly start: number;
  readonly end: number;
  /** Descriptor table (POSIX) or open file description (OFD). */
  readonly owner: object;
  /** For F_GETLK; -1 for OFD locks. */
  readonly pid: number;
}

/** Locks of one file. */
class FileLocks {
  records: RecordLock[] = [];
  readonly flocks = new Map<OpenFile, number>();
  readonly queue = new WaitQueue();
}

const locksOf = new WeakMap<Inode, FileLocks>();
/** Who waits for whom, among POSIX lock owners: for deadlock detection. */
const waitingFor = new Map<object, object>();

function fileLocks(inode: Inode): FileLocks {
  let locks = locksOf.get(inode);
  if (locks === undefined) {
    locks = new FileLocks();
    locksOf.set(inode, locks);
  }
  return locks;
}

export function lockQueue(inode: Inode): WaitQueue {
  return fileLocks(inode).queue;
}

function conflicts(held: RecordLock, wanted: RecordLock): boolean {
  return held.owner !== wanted.owner && held.start < wanted.end && wanted.start < held.end
    && (held.type === F_WRLCK || wanted.type === F_WRLCK);
}

/** The lock that stands in the way, if any (F_GETLK). */
export function conflictingLock(inode: Inode, wanted: RecordLock): RecordLock | undefined {
  return locksOf.get(inode)?.records.find((held) => conflicts(held, wanted));
}

/** Sets or clears a range for an owner, splitting and merging what it had: 0, or -EAGAIN where another's lock is in the way. */
export function setRecordLock(inode: Inode, wanted: RecordLock): number {
  const locks = fileLocks(inode);
  if (wanted.type !== F_UNLCK && locks.records.some((held) => conflicts(held, wanted))) return -EAGAIN;
  const kept: RecordLock[] = [];
  let { start, end } = wanted;
  for (const held of locks.records) {
    if (held.owner !== wanted.owner) {
      kept.push(held);
      continue;
    }
    const touches = held.type === wanted.type && held.start <= end && start <= held.end;
    if (touches) {
      start = Math.min(start, held.start);
      end = Math.max(end, held.end);
      continue;
    }
    if (held.end <= start || held.start >= end) kept.push(held);
    else {
      if (held.start < start) kept.push({ ...held, end: start });
      if (held.end > end) kept.push({ ...held, start: end });
    }
  }
  if (wanted.type !== F_UNLCK) kept.push({ ...wanted, start, end });
  locks.records = kept.sort((a, b) => a.start - b.start);
  locks.queue.wake();
  return 0;
}

/** A waiter is about to wait for `holder`: -EDEADLK where that closes a circle. */
export function beginWaiting(waiter: object, holder: object): number {
  const seen = new Set<object>();
  for (let at: object | undefined = holder; at !== undefined && !seen.has(at); at = waitingFor.get(at)) {
    if (at === waiter) return -EDEADLK;
    seen.add(at);
  }
  waitingFor.set(waiter, holder);
  return 0;
}

export function endWaiting(waiter: object): void {
  waitingFor.delete(waiter);
}

/** All record locks of an owner on a file end: a descriptor of it was closed, or the description is gone. */
export function releaseRecordLocks(inode: Inode, owner: object): void {
  const locks = locksOf.get(inode);
  if (locks === undefined || !locks.records.some((held) => held.owner === owner)) return;
  locks.records = locks.records.filter((held) => held.owner !== owner);
  locks.queue.wake();
}

/** flock(2): 0 or -EAGAIN. Converting a lock gives the old one up first. */
export function setFlock(file: OpenFile, operation: number): number {
  const locks = fileLocks(file.inode);
  const held = locks.flocks.get(file);
  if (operation === LOCK_UN) {
    if (locks.flocks.delete(file)) locks.queue.wake();
    return 0;
  }
  if (held === operation) return 0;
  if (held !== undefined) {
    locks.flocks.delete(file);
    locks.queue.wake();
  }
  for (const type of locks.flocks.values()) if (type === LOCK_EX || operation === LOCK_EX) return -EAGAIN;
  locks.flocks.set(file, operation);
  return 0;
}

/** The open file description is gone. */
export function releaseDescriptionLocks(file: OpenFile): void {
  const locks = locksOf.get(file.inode);
  if (locks === undefined) return;
  if (locks.flocks.delete(file)) locks.queue.wake();
  releaseRecordLocks(file.inode, file);
}

/** Locks of a file, for /proc/locks. */
export function* listLocks(inode: Inode): Iterable<RecordLock | { readonly flock: number }> {
  const locks = locksOf.get(inode);
  if (locks === undefined) return;
  yield* locks.records;
  for (const type of locks.flocks.values()) yield { flock: type };
}

export const LOCK_TYPES = [F_RDLCK, F_WRLCK, F_UNLCK] as const;
export const FLOCK_TYPES = [LOCK_SH, LOCK_EX, LOCK_UN] as const;
