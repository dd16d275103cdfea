/** Memory mappings: mmap(2), munmap(2), mprotect(2), mremap(2), madvise(2), brk(2), mlock(2) and their kin. */
import { EACCES, EAGAIN, EBADF, EBUSY, EFAULT, EINVAL, ENODEV, ENOMEM, EOPNOTSUPP, ENOSPC, EOVERFLOW, EPERM } from '../../abi/errno.ts';
import {
  MAP_ANONYMOUS, MAP_FIXED, MAP_HUGETLB, MAP_LOCKED, MAP_PRIVATE, MAP_SHARED, MAP_SHARED_VALIDATE, MAP_SYNC, MAP_TYPE, MCL_CURRENT, MCL_FUTURE, MCL_ONFAULT, MLOCK_ONFAULT,
  MS_ASYNC, MS_INVALIDATE, MS_SYNC, PROT_EXEC, PROT_GROWSDOWN, PROT_GROWSUP, PROT_READ, PROT_WRITE,
} from '../../abi/mman.ts';
import { CAP_IPC_LOCK } from '../../abi/capability.ts';
import { F_SEAL_FUTURE_WRITE, F_SEAL_WRITE } from '../../abi/fcntl.ts';
import { MS_NOEXEC } from '../../abi/mount.ts';
import { RLIMIT_DATA, RLIMIT_MEMLOCK } from '../../abi/resource.ts';
import { SecretFile } from '../../fs/secret-file.ts';
import { pageUp, type MapRequest } from '../mm/mm.ts';
import { advise, remap } from '../mm/mm-remap.ts';
import type { MappedFile } from '../mm/vma.ts';
import type { KernelTask } from '../task/task.ts';
import type { SyscallRow } from '../types.ts';
import { IoUringFile } from '../uring/io-uring-file.ts';
import { row } from './define.ts';

const PROT_MASK = PROT_READ | PROT_WRITE | PROT_EXEC;
const S_IFMT = 0o170000;
const S_IFREG = 0o100000;
const S_IFCHR = 0o020000;
/** Keeps offsets exact. */
const MAXIMUM_PAGE_OFFSET = 2 ** 40;
const O_ACCMODE = 3;
const O_RDONLY = 0;
const O_WRONLY = 1;
const O_RDWR = 2;
const O_APPEND = 0o2000;
const O_PATH = 0o10000000;
/** /dev/zero: a private mapping of it is anonymous memory. */
const DEV_ZERO = 0x105;

/** The file of a mapping, with the checks of do_mmap; undefined for /dev/zero. */
function mappedFile(task: KernelTask, fd: number, prot: number, type: number): MappedFile | number | undefined {
  const file = task.files.get(fd);
  if (file === undefined || (file.flags & O_PATH) !== 0) return -EBADF;
  const access = file.flags & O_ACCMODE;
  if (access === O_WRONLY) return -EACCES;
  const shared = type !== MAP_PRIVATE;
  if (shared && (prot & PROT_WRITE) !== 0 && access !== O_RDWR) return -EACCES;
  if (shared && (prot & PROT_WRITE) !== 0 && ((file.inode.seals ?? 0) & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) !== 0) return -EPERM;
  if (shared && (prot & PROT_WRITE) !== 0 && (file.flags & O_APPEND) !== 0 && access === O_RDONLY) return -EACCES;
  const { inode } = file;
  const kind = inode.mode & S_IFMT;
  if (kind === S_IFCHR && inode.rdev === DEV_ZERO) return undefined;
  if (kind !== S_IFREG) return -ENODEV;
  const isSecret = file instanceof SecretFile;
  if (isSecret && (prot & PROT_EXEC) !== 0) return -EPERM;
  const noExec = ((file.location?.mount.flags ?? 0) & MS_NOEXEC) !== 0;
  if (noExec && (prot & PROT_EXEC) !== 0) return -EPERM;
  return { inode, path: file.description, writable: shared && access === O_RDWR, noExec, isSecret };
}

/** io_uring_mmap(): one of a ring's two regions. */
function mapRing(task: KernelTask, ring: IoUringFile, request: Pick<MapRequest, 'address' | 'length' | 'prot'>, offset: number, flags: number): number {
  if ((flags & MAP_TYPE) === MAP_PRIVATE || (request.prot & PROT_EXEC) !== 0) return -EINVAL;
  const shared = ring.memory.mapped(offset, pageUp(request.length));
  return typeof shared === 'number' ? shared : task.mm.map({ ...request, flags: (flags & ~MAP_TYPE) | MAP_SHARED, shared, name: 'anon_inode:[io_uring]' });
}

function mmap(task: KernelTask, address: number, length: number, prot: number, flags: number, fd: number, offset: number): number {
  const type = flags & MAP_TYPE;
  if (offset % 4096 !== 0) return -EINVAL;
  if ((flags & MAP_ANONYMOUS) === 0 && task.files.get(fd) === undefined) return -EBADF;
  if (length === 0) return -EINVAL;
  if (length < 0 || length > 0x7fff_ffff_f000) return -ENOMEM;
  if (type !== MAP_SHARED && type !== MAP_PRIVATE && type !== MAP_SHARED_VALIDATE) return -EINVAL;
  if (type === MAP_SHARED_VALIDATE && (flags & MAP_SYNC) !== 0) return -EOPNOTSUPP;
  const anonymous = (flags & MAP_ANONYMOUS) !== 0;
  if (anonymous && (flags & MAP_HUGETLB) !== 0) return -ENOMEM;
  if ((flags & MAP_LOCKED) !== 0) {
    const refused = checkLocked(task, pageUp(length));
    if (refused !== 0) return refused === -ENOMEM ? -EAGAIN : refused;
  }
  const ring = anonymous ? undefined : task.files.get(fd);
  if (ring instanceof IoUringFile) return mapRing(task, ring, { address, length, prot: prot & PROT_MASK }, offset, flags);
  const file = anonymous ? undefined : mappedFile(task, fd, prot, type);
  if (typeof file === 'number') return file;
  // secretmem_mmap()
  if (file?.isSecret === true && (type === MAP_PRIVATE || checkLocked(task, pageUp(length)) !== 0)) return type === MAP_PRIVATE ? -EINVAL : -EAGAIN;
  if (file !== undefined && (offset < 0 || offset + length > Number.MAX_SAFE_INTEGER)) return -EOVERFLOW;
  const { mm } = task;
  const wanted = address < 0 || address >= 0x1_0000_0000 ? 0 : address;
  // What is fixed above 4 GiB is not there to be had.
  const fixedTooHigh = (flags & 0x10_0010) !== 0 && wanted !== address;
  if (fixedTooHigh) return -ENOMEM;
  return mm.map({
    address: wanted,
    length,
    prot: prot & PROT_MASK,
    flags: (type === MAP_PRIVATE ? flags : (flags & ~MAP_TYPE) | MAP_SHARED) | (file?.isSecret === true ? MAP_LOCKED : 0),
    file,
    offset: file === undefined ? 0 : offset,
  });
}

function munmap(task: KernelTask, address: number, length: number): number {
  return task.mm.unmap(address, length);
}

function mprotect(task: KernelTask, address: number, length: number, prot: number): number {
  const extra = prot & (PROT_GROWSDOWN | PROT_GROWSUP);
  if (extra === (PROT_GROWSDOWN | PROT_GROWSUP) || (prot & ~(PROT_MASK | PROT_GROWSDOWN | PROT_GROWSUP | 8)) !== 0) return -EINVAL;
  if (address % 4096 !== 0) return -EINVAL;
  if (length === 0) return 0;
  if (length < 0 || address < 0 || address + length > 0x1_0000_0000) return -ENOMEM;
  let start = address;
  const end = address + pageUp(length);
  if (extra === PROT_GROWSDOWN) {
    const vma = task.mm.vmas.find(address);
    if (vma === undefined) return -ENOMEM;
    if (vma.name !== '[stack]') return -EINVAL;
    start = vma.start;
  }
  return task.mm.protect(start, end, prot & PROT_MASK);
}

function mremap(task: KernelTask, old: number, oldLength: number, newLength: number, flags: number, target: number): number {
  if (newLength > 0xffff_0000 || newLength < 0 || oldLength < 0) return newLength === 0 ? -EINVAL : -ENOMEM;
  return remap(task.mm, old, oldLength, newLength, flags, target);
}

function brk(task: KernelTask, address: number): number {
  return task.mm.setBrk(address, task.process.limit(RLIMIT_DATA));
}

function msync(task: KernelTask, address: number, length: number, flags: number): number {
  if ((flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) !== 0 || (flags & (MS_ASYNC | MS_SYNC)) === (MS_ASYNC | MS_SYNC)) return -EINVAL;
  if (address % 4096 !== 0 || length < 0) return -EINVAL;
  const end = address + pageUp(length);
  if (end > 0x1_0000_0000) return -ENOMEM;
  if (length === 0) return 0;
  const { mm } = task;
  for (const vma of mm.vmas.inRange(address, end)) {
    if ((flags & MS_INVALIDATE) !== 0 && (vma.flags & MAP_LOCKED) !== 0) return -EBUSY;
    vma.shared?.flush(mm, address, end);
  }
  return mm.vmas.covers(address, end) ? 0 : -ENOMEM;
}

function mincore(task: KernelTask, address: number, length: number, vector: number): number {
  if (address % 4096 !== 0) return -EINVAL;
  if (length < 0 || address + length > 0x1_0000_0000) return -ENOMEM;
  const pages = pageUp(length) / 4096;
  if (pages > 0 && !task.mm.vmas.covers(address, address + pages * 4096)) return -ENOMEM;
  const target = task.memory.writable(vector, pages);
  if (target === undefined) return -EFAULT;
  for (let i = 0; i < pages; i++) target[i] = task.mm.vmas.find(address + i * 4096)?.touched === true ? 1 : 0;
  return 0;
}

/** Since Linux 4.0 an mmap(2) of what is mapped there already, at another place of it (mm/mmap.c: remap_file_pages()). */
function remapFilePages(task: KernelTask, address: number, size: number, prot: number, pageOffset: number): number {
  const start = address - (address % 4096);
  const length = size - (size % 4096);
  if (prot !== 0 || start < 0 || length <= 0 || pageOffset < 0 || pageOffset > MAXIMUM_PAGE_OFFSET) return -EINVAL;
  const { mm } = task;
  const vma = mm.vmas.find(start);
  if (vma?.shared === undefined) return -EINVAL;
  const end = start + length;
  const others = mm.vmas.inRange(start, end);
  const isOne = others.every((other) => other.shared === vma.shared && other.flags === vma.flags && other.prot === vma.prot);
  if (!isOne || !mm.vmas.covers(start, end)) return -EINVAL;
  const { file, shared } = vma;
  const flags = MAP_SHARED | MAP_FIXED | (vma.flags & MAP_LOCKED);
  return Math.min(mm.map({ address: start, length, prot: vma.prot, flags, file, shared, offset: pageOffset * 4096 }), 0);
}

// ---- locking: accounting only, nothing is ever swapped out ----

function checkLocked(task: KernelTask, more: number): number {
  if (task.capable(CAP_IPC_LOCK)) return 0;
  const limit = task.process.limit(RLIMIT_MEMLOCK);
  if (limit === 0) return -EPERM;
  return task.mm.lockedBytes + more > limit ? -ENOMEM : 0;
}

function setLocked(task: KernelTask, address: number, length: number, locked: boolean): number {
  if (length < 0 || address < 0) return -EINVAL;
  const start = Math.floor(address / 4096) * 4096;
  const end = pageUp(address + length);
  if (end > 0x1_0000_0000) return end - start > 0x1_0000_0000 ? -EINVAL : -ENOMEM;
  const { mm } = task;
  if (locked) {
    const refused = checkLocked(task, end - start);
    if (refused !== 0) return refused;
  }
  if (start === end) return 0;
  if (!mm.vmas.covers(start, end)) return -ENOMEM;
  markLocked(task, start, end, locked);
  return 0;
}

function markLocked(task: KernelTask, start: number, end: number, locked: boolean): void {
  const { mm } = task;
  mm.cut(start, end);
  for (const vma of mm.vmas.inRange(start, end)) {
    if (((vma.flags & MAP_LOCKED) !== 0) === locked) continue;
    vma.flags ^= MAP_LOCKED;
    mm.lockedBytes += locked ? vma.length : -vma.length;
  }
}

function mlockall(task: KernelTask, flags: number): number {
  if (flags === 0 || (flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) !== 0 || flags === MCL_ONFAULT) return -EINVAL;
  const { mm } = task;
  const limit = task.process.limit(RLIMIT_MEMLOCK);
  if (!task.capable(CAP_IPC_LOCK)) {
    if (limit === 0) return -EPERM;
    if ((flags & MCL_CURRENT) !== 0 && mm.totalBytes > limit) return -ENOMEM;
  }
  mm.lockFuture = (flags & MCL_FUTURE) !== 0;
  if ((flags & MCL_CURRENT) !== 0) markLocked(task, 0, 0x1_0000_0000, true);
  return 0;
}

function munlockall(task: KernelTask): number {
  task.mm.lockFuture = false;
  markLocked(task, 0, 0x1_0000_0000, false);
  return 0;
}

export const memoryRows: readonly SyscallRow[] = [
  row(9, 'mmap', ['pointer', 'size', 'flags:mmap-prot', 'flags:mmap-flags', 'fd', 'offset'], mmap, {
    support: 'partial', note: 'Addresses stay below 4 GiB; file pages are read when they are mapped; MAP_HUGETLB has no pages to give.',
  }),
  row(10, 'mprotect', ['pointer', 'size', 'flags:mmap-prot'], mprotect),
  row(11, 'munmap', ['pointer', 'size'], munmap),
  row(12, 'brk', ['pointer'], brk),
  row(25, 'mremap', ['pointer', 'size', 'size', 'flags:mremap-flags', 'pointer'], mremap),
  row(26, 'msync', ['pointer', 'size', 'flags:msync-flags'], msync),
  row(27, 'mincore', ['pointer', 'size', 'pointer'], mincore),
  row(28, 'madvise', ['pointer', 'size', 'flags:madvise'], (task, address, length, advice) => advise(task.mm, address, length, advice)),
  row(149, 'mlock', ['pointer', 'size'], (task, address, length) => setLocked(task, address, length, true)),
  row(150, 'munlock', ['pointer', 'size'], (task, address, length) => setLocked(task, address, length, false)),
  row(151, 'mlockall', ['flags:mlockall-flags'], mlockall),
  row(152, 'munlockall', [], munlockall),
  row(216, 'remap_file_pages', ['pointer', 'size', 'int', 'size', 'flags'], remapFilePages),
  row(325, 'mlock2', ['pointer', 'size', 'flags'], (task, address, length, flags) => ((flags & ~MLOCK_ONFAULT) !== 0 ? -EINVAL : setLocked(task, address, length, true))),
  row(329, 'pkey_mprotect', ['pointer', 'size', 'flags:mmap-prot', 'int'], (task, address, length, prot, key) => (key === -1 ? mprotect(task, address, length, prot) : -EINVAL)),
  row(330, 'pkey_alloc', ['flags', 'flags'], (_task, flags, rights) => (flags !== 0 || (rights & ~3) !== 0 ? -EINVAL : -ENOSPC), { note: 'ENOSPC, as on processors without protection keys.' }),
  row(331, 'pkey_free', ['int'], () => -EINVAL),
];
