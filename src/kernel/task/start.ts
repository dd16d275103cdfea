/** The first process of a container, and further ones that come from outside (as `docker exec`). */
import { ENOMEM } from '../../abi/errno.ts';
import { loadFirstProgram } from '../exec/exec.ts';
import type { Kernel } from '../kernel.ts';
import { Mm } from '../mm/mm.ts';
import { SignalActions } from '../signals/signal-actions.ts';
import type { FdTable, FsContext } from '../types.ts';
import { memoryUser, withinUserNamespace, type Identity } from './credentials.ts';
import { Process } from './process.ts';
import { ResourceLimits } from './resource-limits.ts';
import { SharedRef } from './shared-ref.ts';
import { KernelTask } from './task.ts';

const AT_FDCWD = -100;

export interface StartRequest {
  /** Byte string; relative to the working directory of `fs`. */
  readonly path: string;
  readonly arguments: readonly string[];
  readonly environment: readonly string[];
  readonly files: FdTable;
  readonly fs: FsContext;
  readonly credentials: Identity;
  readonly limits?: ResourceLimits;
  /** What the new session's terminal is, as the tty code keeps it. */
  readonly terminal?: unknown;
  /** False: the container outlives it. Default: the first program is the one that the container ends with. */
  readonly main?: boolean;
}

/** Loads the program into a process of its own session and lets it run; or -errno. The first one is the container's main process. */
export function startProcess(kernel: Kernel, request: StartRequest): Process | number {
  if (kernel.memory.addressSpaces >= kernel.limits.addressSpaces) return -ENOMEM;
  const { container } = kernel.cgroups;
  const refused = container.pids.charge();
  if (refused !== 0) return refused;
  const pid = kernel.allocatePid();
  const process = new Process({
    pid, pidNamespace: kernel.namespaces.pidForChildren, kernel, parent: undefined, processGroup: pid,
    session: { id: pid, terminal: request.terminal },
    actions: new SharedRef(new SignalActions()),
    limits: request.limits ?? new ResourceLimits(),
  });
  const credentials = withinUserNamespace(request.credentials, kernel.namespaces.uts.user);
  const mm = new Mm(kernel.machine.createAddressSpace(memoryUser(credentials)), kernel.memory, container.memory);
  const task = new KernelTask({
    tid: pid, kernel, process, mm,
    files: new SharedRef(request.files), fs: new SharedRef(request.fs), credentials, namespaces: kernel.namespaces, name: '',
    cgroup: container,
  });
  process.setLeader(task);
  process.tasks.add(task);
  const answer = loadFirstProgram(task, { directory: AT_FDCWD, path: request.path, flags: 0, arguments: request.arguments, environment: request.environment });
  if (answer < 0) {
    container.pids.uncharge();
    mm.drop();
    return answer;
  }
  kernel.addTask(task);
  kernel.cgroups.add(task, container);
  if (kernel.main === undefined && request.main !== false) {
    kernel.main = process;
    if (kernel.protectsInit) {
      kernel.reaper = process;
      process.isUnkillable = true;
    }
  }
  kernel.scheduler.enqueue(task);
  return process;
}
