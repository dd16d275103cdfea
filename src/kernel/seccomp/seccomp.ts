/** What seccomp(2) makes of a system call before its handler runs (kernel/seccomp.c). */
import { ENOSYS } from '../../abi/errno.ts';
import {
  AUDIT_ARCH_X86_64, SECCOMP_DATA_SIZE, SECCOMP_RET_ACTION_FULL, SECCOMP_RET_ALLOW, SECCOMP_RET_DATA, SECCOMP_RET_ERRNO, SECCOMP_RET_KILL_PROCESS,
  SECCOMP_RET_KILL_THREAD, SECCOMP_RET_LOG, SECCOMP_RET_TRACE, SECCOMP_RET_TRAP, SECCOMP_RET_USER_NOTIF,
} from '../../abi/seccomp.ts';
import { SIGKILL, SIGSYS, SYS_SECCOMP } from '../../abi/signal.ts';
import { R10, R8, R9, RDI, RDX, RSI, type AddressSpace } from '../../machine/index.ts';
import { forceSignal } from '../signals/send.ts';
import { writeResult } from '../task/call.ts';
import { exitGroup, exitTask } from '../task/exit.ts';
import type { KernelTask } from '../task/task.ts';
import { runFilter, type BpfInstruction } from './bpf.ts';
import type { SeccompListener } from './listener.ts';
import { waitForListener } from './notify.ts';

/** A thread's state: the strict mode, or filters, oldest first. Never changed in place: threads and children share it. */
export interface Seccomp {
  readonly strict: boolean;
  readonly filters: readonly Filter[];
}

/** One program, and who answers SECCOMP_RET_USER_NOTIF. */
export interface Filter {
  readonly program: readonly BpfInstruction[];
  readonly listener: SeccompListener | undefined;
}

const STRICT_ALLOWED = new Set([0, 1, 15, 60]);
const MAX_ERRNO = 4095;
const CORE_DUMPED = 0x80;
const ARGUMENTS = [RDI, RSI, RDX, R10, R8, R9];
const data = new Uint32Array(SECCOMP_DATA_SIZE / 4);

/** What the filters say of a call: an action and its data. */
export function filterAnswer(task: KernelTask, space: AddressSpace, number: number): number {
  fillData(space, number);
  return strictest(task.seccomp?.filters ?? []);
}

/** Whether a task may make a call that comes by another way than the gate (io_uring): only what its filters let through as it is. */
export function allowsCall(task: KernelTask, number: number, args: readonly number[]): boolean {
  const { seccomp } = task;
  if (seccomp === undefined) return true;
  if (seccomp.strict) return false;
  data.fill(0);
  data[0] = number;
  data[1] = AUDIT_ARCH_X86_64;
  args.forEach((value, index) => {
    data[4 + 2 * index] = value;
    data[5 + 2 * index] = Math.floor(value / 0x1_0000_0000);
  });
  const action = strictest(seccomp.filters) & SECCOMP_RET_ACTION_FULL;
  return action === SECCOMP_RET_ALLOW || action === SECCOMP_RET_LOG;
}

/** True: the call goes on. False: it is done, with its result in rax or the task ended. */
export function passesSeccomp(task: KernelTask, space: AddressSpace, number: number): boolean {
  const { seccomp } = task;
  if (seccomp === undefined) return true;
  if (seccomp.strict) {
    if (STRICT_ALLOWED.has(number)) return true;
    exitTask(task, SIGKILL);
    return false;
  }
  return obey(task, space, number, filterAnswer(task, space, number));
}

function fillData(space: AddressSpace, number: number): void {
  const { registers, rip } = space;
  data[0] = number;
  data[1] = AUDIT_ARCH_X86_64;
  data[2] = rip;
  data[3] = 0;
  ARGUMENTS.forEach((register, index) => {
    data[4 + 2 * index] = registers[2 * register]!;
    data[5 + 2 * index] = registers[2 * register + 1]!;
  });
}

/** The filter that gave the last answer of `strictest`. */
let decisive: Filter | undefined;

/** All filters run, the newest first; the strictest answer counts (seccomp_run_filters). */
function strictest(filters: Seccomp['filters']): number {
  let answer = SECCOMP_RET_ALLOW;
  decisive = undefined;
  for (let index = filters.length - 1; index >= 0; index--) {
    const filter = filters[index]!;
    const own = runFilter(filter.program, data);
    if ((own & SECCOMP_RET_ACTION_FULL) < (answer & SECCOMP_RET_ACTION_FULL)) {
      answer = own;
      decisive = filter;
    }
  }
  return answer;
}

/** A call as a filter has answered it. */
interface Answered {
  readonly task: KernelTask;
  readonly space: AddressSpace;
  readonly number: number;
  /** The 16 bits that the filter adds to the action. */
  readonly reason: number;
}

/** What an action of filters is: its row of COMPATIBILITY.md, and what is done. True: the call goes on. */
export interface SeccompAction {
  readonly name: string;
  readonly meaning: string;
  readonly obey: (call: Answered) => boolean;
}

const goOn = (): boolean => true;

const fail = ({ space, reason }: Answered): boolean => {
  writeResult(space.registers, -Math.min(reason, MAX_ERRNO));
  return false;
};

const trap = ({ task, space, number, reason }: Answered): boolean => {
  // The handler sees the registers as the call was made.
  writeResult(space.registers, number);
  forceSignal(task, { signal: SIGSYS, code: SYS_SECCOMP, raw: trapInfo(space.rip, number, reason) });
  return false;
};

const notify = ({ task, space, number }: Answered): boolean => {
  const listener = decisive?.listener;
  if (listener === undefined || listener.isClosed) writeResult(space.registers, -ENOSYS);
  else waitForListener(task, listener, number, new Uint8Array(data.slice().buffer));
  return false;
};

const withoutTracer = ({ space }: Answered): boolean => {
  writeResult(space.registers, -ENOSYS);
  return false;
};

const killProcess = ({ task }: Answered): boolean => {
  exitGroup(task, SIGSYS | CORE_DUMPED);
  return false;
};

const killThread = (call: Answered): boolean => {
  if (call.task.process.tasks.size === 1) return killProcess(call);
  exitTask(call.task, SIGSYS);
  return false;
};

/** The actions that there are, the strictest first; SECCOMP_GET_ACTION_AVAIL knows them. */
export const SECCOMP_ACTIONS: ReadonlyMap<number, SeccompAction> = new Map<number, SeccompAction>([
  [SECCOMP_RET_KILL_PROCESS, { name: 'SECCOMP_RET_KILL_PROCESS', meaning: 'all threads end, as by SIGSYS', obey: killProcess }],
  [SECCOMP_RET_KILL_THREAD, { name: 'SECCOMP_RET_KILL_THREAD', meaning: 'the thread ends; the process, where it was the last one', obey: killThread }],
  [SECCOMP_RET_TRAP, { name: 'SECCOMP_RET_TRAP', meaning: 'SIGSYS, which says which call it was', obey: trap }],
  [SECCOMP_RET_ERRNO, { name: 'SECCOMP_RET_ERRNO', meaning: 'the call fails with the errno given, 4095 at most', obey: fail }],
  [SECCOMP_RET_USER_NOTIF, { name: 'SECCOMP_RET_USER_NOTIF', meaning: 'another process answers: a value, an errno, a descriptor, or that the call goes on; ENOSYS where nobody listens', obey: notify }],
  [SECCOMP_RET_TRACE, { name: 'SECCOMP_RET_TRACE', meaning: 'the tracer is told; ENOSYS without one', obey: withoutTracer }],
  [SECCOMP_RET_LOG, { name: 'SECCOMP_RET_LOG', meaning: 'the call goes on; there is no log that it would be written to', obey: goOn }],
  [SECCOMP_RET_ALLOW, { name: 'SECCOMP_RET_ALLOW', meaning: 'the call goes on', obey: goOn }],
]);

/** What is no action kills, as the strictest one. */
function obey(task: KernelTask, space: AddressSpace, number: number, answer: number): boolean {
  if (answer === SECCOMP_RET_ALLOW) return true;
  const action = SECCOMP_ACTIONS.get(answer & SECCOMP_RET_ACTION_FULL)?.obey ?? killProcess;
  return action({ task, space, number, reason: answer & SECCOMP_RET_DATA });
}

/** `siginfo_t` of SIGSYS: call address, number and architecture (`_sigsys`). */
function trapInfo(rip: number, number: number, reason: number): Uint8Array {
  const bytes = new Uint8Array(128);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, SIGSYS, true);
  view.setInt32(4, reason, true);
  view.setInt32(8, SYS_SECCOMP, true);
  view.setUint32(16, rip, true);
  view.setInt32(24, number, true);
  view.setUint32(28, AUDIT_ARCH_X86_64, true);
  return bytes;
}
