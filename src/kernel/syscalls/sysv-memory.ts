/** System V shared memory: shmget(2), shmat(2), shmdt(2), shmctl(2). */
import { CAP_IPC_LOCK } from '../../abi/capability.ts';
import { EEXIST, EFAULT, EINVAL, EPERM } from '../../abi/errno.ts';
import { IPC_INFO, IPC_RMID, IPC_SET, IPC_STAT } from '../../abi/ipc.ts';
import { MAP_ANONYMOUS, MAP_FIXED, MAP_FIXED_NOREPLACE, MAP_SHARED, PROT_EXEC, PROT_READ, PROT_WRITE } from '../../abi/mman.ts';
import {
  SHM_DEST, SHM_EXEC, SHM_INFO, SHM_LOCK, SHM_LOCKED, SHM_RDONLY, SHM_REMAP, SHM_RND, SHM_STAT, SHM_STAT_ANY, SHM_UNLOCK,
} from '../../abi/shm.ts';
import { ipcOwner, ipcPermission, loadPermission, nowSeconds, putU64, storePermission } from '../ipc/ipc-table.ts';
import { SHMMAX, SHMMNI } from '../ipc/limits.ts';
import type { SharedSegment } from '../ipc/shared-memory.ts';
import { pageUp } from '../mm/mm.ts';
import type { KernelTask } from '../task/task.ts';
import type { SyscallRow } from '../types.ts';
import { row } from './define.ts';

/** Bytes of `struct shmid64_ds`, `struct shminfo64`, `struct shm_info`. */
const SHMID_SIZE = 112;
const SHMINFO_SIZE = 72;
const SHM_INFO_SIZE = 48;
const PAGE = 4096;
const READ = 0o444;
const READ_WRITE = 0o666;

function shmget(task: KernelTask, key: number, size: number, flags: number): number {
  return task.namespaces.ipc.segments.create(task, task.kernel.memory.shared, key, size, flags);
}

function shmat(task: KernelTask, id: number, address: number, flags: number): number {
  const { segments } = task.namespaces.ipc;
  const segment = segments.find(id);
  if (typeof segment === 'number') return segment;
  let start = address;
  if (start !== 0 && start % PAGE !== 0) {
    if ((flags & SHM_RND) === 0) return -EINVAL;
    start -= start % PAGE;
    if (start === 0 && (flags & SHM_REMAP) !== 0) return -EINVAL;
  }
  if (start === 0 && (flags & SHM_REMAP) !== 0) return -EINVAL;
  const readOnly = (flags & SHM_RDONLY) !== 0;
  const denied = ipcPermission(task, segment, readOnly ? READ : READ_WRITE);
  if (denied !== 0) return denied;
  const prot = PROT_READ | (readOnly ? 0 : PROT_WRITE) | ((flags & SHM_EXEC) !== 0 ? PROT_EXEC : 0);
  const fixed = start === 0 ? 0 : (flags & SHM_REMAP) !== 0 ? MAP_FIXED : MAP_FIXED_NOREPLACE;
  const mapped = task.mm.map({
    address: start, length: pageUp(segment.size), prot, flags: MAP_SHARED | MAP_ANONYMOUS | fixed, shared: segment.object, name: segment.name,
  });
  if (mapped < 0) return mapped === -EEXIST ? -EINVAL : mapped;
  segment.attachedSeconds = nowSeconds(task);
  segment.lastPid = task.process.pid;
  return mapped;
}

function shmdt(task: KernelTask, address: number): number {
  if (address < 0 || address % PAGE !== 0) return -EINVAL;
  const { segments } = task.namespaces.ipc;
  const { mm } = task;
  const first = mm.vmas.find(address);
  const segment = segments.findByObject(first?.shared);
  if (first === undefined || segment === undefined || first.start !== address || first.offset !== 0) return -EINVAL;
  // mprotect may have split it: everything that shows the segment as attached here goes (ipc/shm.c:ksys_shmdt).
  for (const vma of mm.vmas.inRange(address, address + pageUp(segment.size))) {
    if (vma.shared === segment.object && vma.start - vma.offset === address) mm.unmap(vma.start, vma.length);
  }
  segment.detachedSeconds = nowSeconds(task);
  segment.lastPid = task.process.pid;
  segments.sweep();
  return 0;
}

function store(task: KernelTask, segment: SharedSegment, address: number): number {
  const bytes = new Uint8Array(SHMID_SIZE);
  const view = new DataView(bytes.buffer);
  storePermission(task, view, segment, (segment.doomed ? SHM_DEST : 0) | (segment.locked ? SHM_LOCKED : 0));
  [segment.size, segment.attachedSeconds, segment.detachedSeconds, segment.changedSeconds].forEach((value, index) => putU64(view, 48 + 8 * index, value));
  view.setInt32(80, task.numberOf(segment.creator), true);
  view.setInt32(84, task.numberOf(segment.lastPid), true);
  putU64(view, 88, segment.attachments);
  return task.memory.copyOut(address, bytes);
}

function information(task: KernelTask, address: number, command: number): number {
  const { segments } = task.namespaces.ipc;
  const bytes = new Uint8Array(command === IPC_INFO ? SHMINFO_SIZE : SHM_INFO_SIZE);
  const view = new DataView(bytes.buffer);
  if (command === IPC_INFO) {
    [SHMMAX, 1, SHMMNI, SHMMNI, SHMMAX / PAGE].forEach((value, index) => putU64(view, 8 * index, value));
  } else {
    const pages = [...segments.values()].reduce((sum, { size }) => sum + pageUp(size) / PAGE, 0);
    view.setInt32(0, segments.size, true);
    putU64(view, 8, pages);
    putU64(view, 16, pages);
  }
  return task.memory.copyOut(address, bytes) || segments.highestIndex;
}

function change(task: KernelTask, segment: SharedSegment, command: number, address: number): number {
  if (command === SHM_LOCK || command === SHM_UNLOCK) {
    if (!task.capableIn(task.namespaces.ipc.user, CAP_IPC_LOCK) && ipcOwner(task, segment) !== 0) return -EPERM;
    segment.locked = command === SHM_LOCK;
    return 0;
  }
  const bytes = command === IPC_SET ? task.memory.copyIn(address, SHMID_SIZE) : undefined;
  if (command === IPC_SET && bytes === undefined) return -EFAULT;
  const denied = ipcOwner(task, segment);
  if (denied !== 0) return denied;
  if (bytes !== undefined) return loadPermission(task, new DataView(bytes.buffer, bytes.byteOffset), segment);
  task.namespaces.ipc.segments.doom(segment);
  return 0;
}

const CHANGES = new Set([SHM_LOCK, SHM_UNLOCK, IPC_SET, IPC_RMID]);

function shmctl(task: KernelTask, id: number, command: number, address: number): number {
  if (id < 0 || command < 0) return -EINVAL;
  const { segments } = task.namespaces.ipc;
  segments.sweep();
  if (command === IPC_INFO || command === SHM_INFO) return information(task, address, command);
  const byIndex = command === SHM_STAT || command === SHM_STAT_ANY;
  if (!byIndex && command !== IPC_STAT && !CHANGES.has(command)) return -EINVAL;
  const segment = byIndex ? segments.atIndex(id) : segments.find(id);
  if (typeof segment === 'number') return segment;
  if (CHANGES.has(command)) return change(task, segment, command, address);
  const denied = command === SHM_STAT_ANY ? 0 : ipcPermission(task, segment, READ);
  return denied || store(task, segment, address) || (byIndex ? segment.id : 0);
}

export const sysvMemoryRows: readonly SyscallRow[] = [
  row(29, 'shmget', ['int', 'size', 'flags:ipc'], shmget),
  row(30, 'shmat', ['int', 'pointer', 'flags:shm'], shmat),
  row(31, 'shmctl', ['int', 'int', 'pointer'], shmctl),
  row(67, 'shmdt', ['pointer'], shmdt),
];
