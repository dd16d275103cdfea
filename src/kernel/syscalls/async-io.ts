/** Signal-driven input and output: F_SETOWN, F_SETSIG, O_ASYNC (fcntl(2); fs/fcntl.c: send_sigio, fasync_helper). */
import { EFAULT, EINVAL, ESRCH } from '../../abi/errno.ts';
import { F_OWNER_PGRP, F_OWNER_PID, F_OWNER_TID, O_ASYNC } from '../../abi/fcntl.ts';
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLPRI, POLLRDNORM, POLLWRNORM } from '../../abi/poll.ts';
import { NSIG, POLL_IN, POLL_OUT, SI_KERNEL, SIGIO, SIGURG } from '../../abi/signal.ts';
import { PlainFile } from '../../fs/open-file.ts';
import type { OpenFile, Waiter } from '../../fs/types.ts';
import { Socket } from '../../net/index.ts';
import type { Kernel, Process, SignalInfo, Task } from '../types.ts';

/** `struct fown_struct`: whom a file tells, and in whose name. */
interface Owner {
  readonly type: number;
  readonly id: number;
  readonly uid: number;
  readonly euid: number;
}

const owners = new WeakMap<OpenFile, Owner>();
const signals = new WeakMap<OpenFile, number>();
const notifiers = new WeakMap<OpenFile, AsyncNotifier>();
const urgencies = new WeakMap<OpenFile, UrgencyNotifier>();

/** F_GETOWN: a process or thread, or a group as a negative number; 0 for nobody. */
export function getOwner(task: Task, file: OpenFile): number {
  const owner = owners.get(file);
  if (owner === undefined) return 0;
  const number = task.numberOf(owner.id);
  return owner.type === F_OWNER_PGRP ? -number : number;
}

export function setOwner(task: Task, file: OpenFile, type: number, id: number): void {
  const { uid, euid } = task.credentials;
  if (id === 0) owners.delete(file);
  else owners.set(file, { type, id, uid, euid });
  if (id !== 0 && file instanceof Socket && !urgencies.has(file)) {
    const notifier = new UrgencyNotifier(task.kernel, file);
    urgencies.set(file, notifier);
    file.waitQueue.add(notifier);
  }
}

/** F_SETOWN (f_setown): 0, or -ESRCH where nobody has the id. */
export function setOwnerId(task: Task, file: OpenFile, value: number): number {
  if (value === -0x8000_0000) return -EINVAL;
  const isGroup = value < 0;
  const id = value === 0 ? 0 : task.idOf(Math.abs(value));
  const exists = value === 0 || (isGroup ? task.kernel.signalProcessGroup(id, 0) > 0 : task.kernel.findTask(id) !== undefined || task.kernel.findProcess(id) !== undefined);
  if (!exists) return -ESRCH;
  setOwner(task, file, isGroup ? F_OWNER_PGRP : F_OWNER_PID, id);
  return 0;
}

export function setOwnerEx(task: Task, file: OpenFile, address: number): number {
  const type = task.memory.readI32(address);
  const number = task.memory.readI32(address + 4);
  if (type === undefined || number === undefined) return -EFAULT;
  if (type !== F_OWNER_TID && type !== F_OWNER_PID && type !== F_OWNER_PGRP) return -EINVAL;
  const { kernel } = task;
  const id = number === 0 ? 0 : task.idOf(number);
  if (id !== 0 && (type === F_OWNER_PGRP ? kernel.signalProcessGroup(id, 0) === 0 : kernel.findTask(id) === undefined)) return -ESRCH;
  setOwner(task, file, type, id);
  return 0;
}

export function getOwnerEx(task: Task, file: OpenFile, address: number): number {
  const owner = owners.get(file);
  const error = task.memory.writeU32(address, owner?.type ?? F_OWNER_PID);
  return error !== 0 ? error : task.memory.writeU32(address + 4, owner === undefined ? 0 : task.numberOf(owner.id));
}

export function setAsyncSignal(file: OpenFile, value: number): number {
  if (value < 0 || value > NSIG) return -EINVAL;
  signals.set(file, value);
  return 0;
}

export function getAsyncSignal(file: OpenFile): number {
  return signals.get(file) ?? 0;
}

/** After O_ASYNC may have been set; `fd` is what `si_fd` tells. */
export function updateAsync(task: Task, file: OpenFile, fd: number): void {
  // Plain files are always ready, and never tell.
  if ((file.flags & O_ASYNC) === 0 || file instanceof PlainFile) return;
  const known = notifiers.get(file);
  if (known !== undefined) known.start(fd);
  else {
    const made = new AsyncNotifier(task.kernel, file);
    notifiers.set(file, made);
    made.start(fd);
  }
}

class AsyncNotifier implements Waiter {
  readonly #kernel: Kernel;
  readonly #file: OpenFile;
  #fd = -1;

  constructor(kernel: Kernel, file: OpenFile) {
    this.#kernel = kernel;
    this.#file = file;
  }

  start(fd: number): void {
    this.#fd = fd;
    this.#file.waitQueue.add(this);
  }

  wake(events = 0): void {
    const file = this.#file;
    if ((file.flags & O_ASYNC) === 0 || file.references === 0) return;
    file.waitQueue.add(this);
    const ready = file.poll();
    if ((ready & (POLLIN | POLLPRI | POLLHUP | POLLERR)) !== 0) this.#send(POLL_IN, POLLIN | POLLRDNORM);
    // Room to write is told only where that is what changed.
    else if ((events & ready & POLLOUT) !== 0) this.#send(POLL_OUT, POLLOUT | POLLWRNORM);
  }

  #send(code: number, band: number): void {
    const chosen = getAsyncSignal(this.#file);
    tellOwner(this.#kernel, this.#file, chosen === 0 ? { signal: SIGIO, code: SI_KERNEL } : { signal: chosen, code, band, fd: this.#fd });
  }
}

/** SIGURG, which the owner gets without O_ASYNC, too (send_sigurg()). */
class UrgencyNotifier implements Waiter {
  readonly #kernel: Kernel;
  readonly #file: OpenFile;

  constructor(kernel: Kernel, file: OpenFile) {
    this.#kernel = kernel;
    this.#file = file;
  }

  wake(events = 0): void {
    if (this.#file.references === 0) return;
    this.#file.waitQueue.add(this);
    if ((events & POLLPRI) !== 0) tellOwner(this.#kernel, this.#file, { signal: SIGURG, code: SI_KERNEL });
  }
}

/** Sends a signal to whom the file belongs (send_sigio()). */
export function tellOwner(kernel: Kernel, file: OpenFile, info: SignalInfo): void {
  const owner = owners.get(file);
  if (owner === undefined) return;
  if (owner.type === F_OWNER_TID) {
    const thread = kernel.findTask(owner.id);
    if (thread !== undefined && allows(owner, thread.process)) thread.sendSignal(info);
    return;
  }
  for (const process of kernel.processes()) {
    const meant = owner.type === F_OWNER_PGRP ? process.processGroup === owner.id : process.pid === owner.id;
    if (meant && allows(owner, process)) process.sendSignal(info.signal, info);
  }
}

/** sigio_perm(). */
function allows({ uid, euid }: Owner, process: Process): boolean {
  const target = process.leader.credentials;
  return euid === 0 || [target.uid, target.suid].some((id) => id === uid || id === euid);
}
