/** Every x86-64 system call as a row: what is implemented, and a name for what is not. */
import { SYSCALL_NAMES } from '../../abi/unistd.ts';
import { makeEntry, type GateEntry } from '../gate-entry.ts';
import type { SyscallRow } from '../types.ts';
import { adjtimexRows } from './adjtimex.ts';
import { aioRows } from './aio.ts';
import { cloneRows } from './clone.ts';
import { withCoherence } from './coherence.ts';
import { directoryRows } from './directory.ts';
import { epollRows } from './epoll.ts';
import { eventRows } from './event.ts';
import { execRows } from './exec.ts';
import { fanotifyRows } from './fanotify.ts';
import { fdRows } from './fd.ts';
import { fileAttributeRows } from './file-attributes.ts';
import { fileDataRows } from './file-data.ts';
import { fileHandleRows } from './file-handle.ts';
import { fileIoRows } from './file-io.ts';
import { fileOpenRows } from './file-open.ts';
import { fileStatRows } from './file-stat.ts';
import { futexRows } from './futex.ts';
import { identityRows } from './identity.ts';
import { inotifyRows } from './inotify.ts';
import { ioUringRows } from './io-uring.ts';
import { ioprioRows } from './ioprio.ts';
import { keyRows } from './keys.ts';
import { bpfRows } from './bpf.ts';
import { landlockRows, withoutMounting } from './landlock.ts';
import { memoryRows } from './memory.ts';
import { mountRows } from './mount.ts';
import { mountContextRows } from './mount-context.ts';
import { mountStatusRows } from './mount-status.ts';
import { mountTreeRows } from './mount-tree.ts';
import { mqueueRows } from './mqueue.ts';
import { namespaceRows } from './namespace.ts';
import { pidfdRows } from './pidfd.ts';
import { pipeRows } from './pipe.ts';
import { pollRows } from './poll.ts';
import { prctlRows } from './prctl.ts';
import { ptraceRows } from './ptrace.ts';
import { resourceRows } from './resource.ts';
import { processMemoryRows } from './process-memory.ts';
import { schedRows } from './sched.ts';
import { seccompRows } from './seccomp.ts';
import { sessionRows } from './session.ts';
import { signalRows } from './signal.ts';
import { socketRows } from './socket.ts';
import { socketTransferRows } from './socket-transfer.ts';
import { systemRows } from './system.ts';
import { sysvMemoryRows } from './sysv-memory.ts';
import { sysvMessageRows } from './sysv-message.ts';
import { sysvSemaphoreRows } from './sysv-semaphore.ts';
import { timeRows } from './time.ts';
import { timerRows } from './timer.ts';
import { waitRows } from './wait.ts';
import { xattrRows } from './xattr.ts';

const IMPLEMENTED: readonly SyscallRow[] = [
  ...adjtimexRows, ...aioRows, ...cloneRows, ...directoryRows, ...epollRows, ...eventRows, ...execRows, ...fanotifyRows, ...fdRows, ...fileAttributeRows, ...fileDataRows, ...fileHandleRows, ...fileIoRows, ...fileOpenRows,
  ...fileStatRows, ...futexRows, ...identityRows, ...inotifyRows, ...ioUringRows, ...ioprioRows, ...keyRows, ...landlockRows, ...memoryRows, ...withoutMounting([...mountRows, ...mountContextRows, ...mountTreeRows]), ...mountStatusRows, ...mqueueRows, ...namespaceRows, ...pidfdRows, ...pipeRows, ...pollRows, ...prctlRows, ...processMemoryRows, ...ptraceRows, ...resourceRows,
  ...schedRows, ...seccompRows, ...sessionRows, ...signalRows, ...socketRows, ...socketTransferRows, ...bpfRows, ...systemRows, ...sysvMemoryRows, ...sysvMessageRows, ...sysvSemaphoreRows, ...timeRows, ...timerRows, ...waitRows, ...xattrRows,
];

function allRows(): SyscallRow[] {
  const rows = new Map<number, SyscallRow>();
  for (const [number, name] of SYSCALL_NAMES) rows.set(number, { number, name, arguments: [], support: 'none' });
  for (const row of IMPLEMENTED) rows.set(row.number, withCoherence(row));
  return [...rows.values()].sort((a, b) => a.number - b.number);
}

/** All rows in the order of their numbers. */
export const SYSCALL_ROWS: readonly SyscallRow[] = allRows();

/** Rows that another room brings, such as sockets. */
export function gateEntries(more: readonly SyscallRow[] = []): (GateEntry | undefined)[] {
  const entries: (GateEntry | undefined)[] = [];
  for (const row of [...SYSCALL_ROWS, ...more]) entries[row.number] = row.handler === undefined ? undefined : makeEntry(row);
  return entries;
}
