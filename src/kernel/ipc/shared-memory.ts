/** System V shared memory: shmget(2), shmop(2), Linux ipc/shm.c. The bytes are a `SharedObject` that processes map. */
import { EINVAL } from '../../abi/errno.ts';
import type { SharedObject, SharedObjects } from '../mm/shared.ts';
import type { Task } from '../types.ts';
import { IpcObject, IpcTable } from './ipc-table.ts';
import { SHMMAX, SHMMNI } from './limits.ts';

/** `struct shmid_kernel`. */
export class SharedSegment extends IpcObject {
  readonly size: number;
  readonly object: SharedObject;
  readonly creator: number;
  lastPid = 0;
  attachedSeconds = 0;
  detachedSeconds = 0;
  /** IPC_RMID: it goes with its last attachment (SHM_DEST). */
  doomed = false;
  locked = false;

  constructor(task: Task, key: number, mode: number, size: number, object: SharedObject) {
    super(task, key, mode);
    this.size = size;
    this.object = object;
    object.isKept = true;
    this.creator = task.process.pid;
  }
  /** Attachments of all processes: mappings that show the first page. */
  get attachments(): number {
    let count = 0;
    for (const { vmas } of this.object.mappers) {
      for (const vma of vmas) if (vma.shared === this.object && vma.offset === 0) count++;
    }
    return count;
  }
  /** As /proc/PID/maps shows it. */
  get name(): string {
    return `/SYSV${(this.key >>> 0).toString(16).padStart(8, '0')} (deleted)`;
  }
}

export class SharedSegments extends IpcTable<SharedSegment> {
  constructor() {
    super(SHMMNI);
  }
  create(task: Task, objects: SharedObjects, key: number, size: number, flags: number): number {
    this.sweep();
    return this.get(task, key, flags, (segment) => (size > segment.size ? -EINVAL : 0), () => {
      if (size < 1 || size > SHMMAX) return -EINVAL;
      return new SharedSegment(task, key, flags, size, objects.anonymous());
    });
  }
  doom(segment: SharedSegment): void {
    segment.doomed = true;
    // What it costs is given back with its last mapping, whenever the next call looks.
    segment.object.isKept = false;
    this.forgetKey(segment);
    this.sweep();
  }
  /** Segments that were removed and that nobody has attached any more go. */
  sweep(): void {
    for (const segment of [...this.values()]) {
      if (!segment.doomed || segment.attachments > 0) continue;
      segment.object.refund();
      this.remove(segment);
    }
  }
  findByObject(object: SharedObject | undefined): SharedSegment | undefined {
    if (object === undefined) return undefined;
    for (const segment of this.values()) if (segment.object === object) return segment;
    return undefined;
  }
}
