/** poll(2), select(2) and their forms with a signal mask. */
import { EBADF, EFAULT, EINTR, EINVAL } from '../../abi/errno.ts';
import { POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT, POLLPRI, POLLRDBAND, POLLRDNORM, POLLWRBAND, POLLWRNORM } from '../../abi/poll.ts';
import type { WaitQueue } from '../../fs/types.ts';
import { readTimespec, readTimeval, writeTimespec, writeTimeval } from '../files/timespec.ts';
import type { SyscallRow, Task } from '../types.ts';

const POLLFD_SIZE = 8;
const RLIMIT_NOFILE = 7;
const READ_SET = POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR;
const WRITE_SET = POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR;
const EXCEPT_SET = POLLPRI;

/** What a waiting call keeps: when it gives up, on CLOCK_MONOTONIC. */
interface Waiting {
  readonly deadlineNs: number;
}

/** Applies a `sigset_t` argument for the length of the call: 0, -EINVAL, -EFAULT. */
export function applySignalMask(task: Task, address: number, size: number): number {
  if (address === 0 || task.blocking !== undefined) return 0;
  if (size !== 8) return -EINVAL;
  const low = task.memory.readI32(address);
  const high = task.memory.readI32(address + 4);
  if (low === undefined || high === undefined) return -EFAULT;
  task.setTemporaryMask({ low, high });
  return 0;
}

/** Parks until a queue is woken or the deadline passes; `timeoutNs` counts from the first call, Infinity for ever. */
export function waitFor(task: Task, queues: readonly WaitQueue[], timeoutNs: number): number {
  const waiting = deadlineOf(task, timeoutNs);
  return waiting.deadlineNs === Infinity ? task.block(queues) : task.block(queues, waiting.deadlineNs);
}

function deadlineOf(task: Task, timeoutNs: number): Waiting {
  const waiting = (task.blocking as Waiting | undefined) ?? { deadlineNs: task.kernel.monotonicNs() + timeoutNs };
  task.blocking = waiting;
  return waiting;
}

/** One scan of the `struct pollfd` array: the number ready, or -EFAULT; `queues` collects where to wait. */
function scanPoll(task: Task, address: number, count: number, queues: WaitQueue[]): number {
  const memory = task.memory.writable(address, count * POLLFD_SIZE);
  if (memory === undefined) return -EFAULT;
  const view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
  let ready = 0;
  for (let at = 0; at < count * POLLFD_SIZE; at += POLLFD_SIZE) {
    const fd = view.getInt32(at, true);
    let events = 0;
    if (fd >= 0) {
      const file = task.files.get(fd);
      if (file === undefined) events = POLLNVAL;
      else {
        events = file.poll() & (view.getUint16(at + 4, true) | POLLERR | POLLHUP);
        if (events === 0) queues.push(file.waitQueue);
      }
    }
    view.setUint16(at + 6, events, true);
    if (events !== 0) ready++;
  }
  return ready;
}

function pollUntil(task: Task, address: number, count: number, timeoutNs: number): number {
  if (count > task.process.limit(RLIMIT_NOFILE) || count < 0) return -EINVAL;
  const queues: WaitQueue[] = [];
  const ready = count === 0 ? 0 : scanPoll(task, address, count, queues);
  if (ready !== 0 || timeoutNs === 0 || task.deadlinePassed) return ready;
  return waitFor(task, queues, timeoutNs);
}

function poll(task: Task, address: number, count: number, timeout: number): number {
  return pollUntil(task, address, count, timeout < 0 ? Infinity : timeout * 1e6);
}

/** The rest of the time goes back to the caller's `timeout`, also when a signal came (select(2), "the Linux kernel"). */
function writingBack(task: Task, address: number, write: typeof writeTimespec, timeoutNs: number, run: () => number): number {
  const finish = (): void => {
    const { deadlineNs } = deadlineOf(task, timeoutNs);
    if (deadlineNs !== Infinity) write(task.memory, address, deadlineNs - task.kernel.monotonicNs());
  };
  if (address !== 0 && task.blocking === undefined) deadlineOf(task, timeoutNs);
  const result = run();
  if (address === 0) return result;
  if (task.onInterrupt === undefined) {
    task.onInterrupt = () => {
      finish();
      return -EINTR;
    };
  }
  if (result >= 0) finish();
  return result;
}

function ppoll(task: Task, address: number, count: number, timeout: number, mask: number, maskSize: number): number {
  let timeoutNs = Infinity;
  if (timeout !== 0 && task.blocking === undefined) {
    timeoutNs = readTimespec(task.memory, timeout);
    if (timeoutNs < 0) return timeoutNs;
  }
  const masked = applySignalMask(task, mask, maskSize);
  if (masked < 0) return masked;
  return writingBack(task, timeout, writeTimespec, timeoutNs, () => pollUntil(task, address, count, timeoutNs));
}

/** The three sets of select(2) in guest memory; 0 for a set that was not given. */
interface SelectSets {
  readonly count: number;
  readonly read: number;
  readonly write: number;
  readonly except: number;
}

function scanSelect(task: Task, sets: SelectSets, queues: WaitQueue[]): number {
  const { memory } = task;
  const bytes = Math.ceil(sets.count / 64) * 8;
  const inputs: (Uint8Array | undefined)[] = [];
  for (const address of [sets.read, sets.write, sets.except]) {
    const copy = address === 0 ? undefined : memory.copyIn(address, bytes);
    if (address !== 0 && copy === undefined) return -EFAULT;
    inputs.push(copy);
  }
  const outputs = inputs.map((input) => input && new Uint8Array(bytes));
  const masks = [READ_SET, WRITE_SET, EXCEPT_SET];
  let ready = 0;
  for (let fd = 0; fd < sets.count; fd++) {
    const bit = 1 << (fd & 7);
    const index = fd >> 3;
    if (inputs.every((input) => input === undefined || (input[index]! & bit) === 0)) {
      if ((fd & 7) === 0 && inputs.every((input) => input === undefined || input[index] === 0)) fd += 7;
      continue;
    }
    const file = task.files.get(fd);
    if (file === undefined) return -EBADF;
    const events = file.poll();
    let hits = 0;
    inputs.forEach((input, set) => {
      if (input === undefined || (input[index]! & bit) === 0 || (events & masks[set]!) === 0) return;
      outputs[set]![index]! |= bit;
      hits++;
    });
    ready += hits;
    if (hits === 0) queues.push(file.waitQueue);
  }
  if (ready === 0 && queues.length > 0 && !task.deadlinePassed) return 0;
  return storeSets(task, sets, outputs) || ready;
}

function storeSets(task: Task, sets: SelectSets, outputs: readonly (Uint8Array | undefined)[]): number {
  const addresses = [sets.read, sets.write, sets.except];
  for (const [set, output] of outputs.entries()) {
    if (output !== undefined && task.memory.copyOut(addresses[set]!, output) !== 0) return -EFAULT;
  }
  return 0;
}

function selectUntil(task: Task, sets: SelectSets, timeoutNs: number): number {
  if (sets.count < 0) return -EINVAL;
  const limit = Math.min(sets.count, Math.max(task.process.limit(RLIMIT_NOFILE), 64), 0x10_0000);
  const bounded = { ...sets, count: limit };
  const queues: WaitQueue[] = [];
  const ready = scanSelect(task, bounded, queues);
  if (ready !== 0) return ready;
  if (timeoutNs === 0 || task.deadlinePassed) {
    const bytes = Math.ceil(limit / 64) * 8;
    const empty = [sets.read, sets.write, sets.except].map((address) => (address === 0 ? undefined : new Uint8Array(bytes)));
    return storeSets(task, bounded, empty);
  }
  return waitFor(task, queues, timeoutNs);
}

function select(task: Task, count: number, read: number, write: number, except: number, timeout: number): number {
  let timeoutNs = Infinity;
  if (timeout !== 0 && task.blocking === undefined) {
    timeoutNs = readTimeval(task.memory, timeout);
    if (timeoutNs < 0) return timeoutNs;
  }
  return writingBack(task, timeout, writeTimeval, timeoutNs, () => selectUntil(task, { count, read, write, except }, timeoutNs));
}

function pselect6(task: Task, count: number, read: number, write: number, except: number, timeout: number, maskPair: number): number {
  let timeoutNs = Infinity;
  if (timeout !== 0 && task.blocking === undefined) {
    timeoutNs = readTimespec(task.memory, timeout);
    if (timeoutNs < 0) return timeoutNs;
  }
  if (maskPair !== 0) {
    const mask = task.memory.readI64(maskPair);
    const size = task.memory.readI64(maskPair + 8);
    if (mask === undefined || size === undefined) return -EFAULT;
    const masked = applySignalMask(task, mask, size);
    if (masked < 0) return masked;
  }
  return writingBack(task, timeout, writeTimespec, timeoutNs, () => selectUntil(task, { count, read, write, except }, timeoutNs));
}

export const pollRows: readonly SyscallRow[] = [
  { number: 7, name: 'poll', arguments: ['pointer:pollfd', 'uint', 'int'], handler: poll, support: 'full' },
  { number: 23, name: 'select', arguments: ['int', 'pointer:fd_set', 'pointer:fd_set', 'pointer:fd_set', 'pointer:timeval'], handler: select, support: 'full' },
  {
    number: 270, name: 'pselect6', support: 'full', handler: pselect6,
    arguments: ['int', 'pointer:fd_set', 'pointer:fd_set', 'pointer:fd_set', 'pointer:timespec', 'pointer'],
  },
  { number: 271, name: 'ppoll', arguments: ['pointer:pollfd', 'uint', 'pointer:timespec', 'pointer:sigset', 'size'], handler: ppoll, support: 'full' },
];
