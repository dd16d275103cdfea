/**
 * PID namespaces: pid_namespaces(7), Linux kernel/pid_namespace.c, kernel/pid.c. The kernel's own ids of tasks, process groups and
 * sessions are those of the first namespace; each one below has numbers of its own for what is in it.
 */
import { CLONE_NEWPID } from '../../abi/sched.ts';
import { nextNamespaceInode, PID_NAMESPACE, type NamespaceIdentity } from '../../fs/namespace-identity.ts';
import type { Process } from '../task/process.ts';
import type { UserNamespace } from './user-namespace.ts';

/** No task has this id. */
const NOBODY = -1;

/** `struct pid_namespace`. */
export class PidNamespace implements NamespaceIdentity {
  readonly flag = CLONE_NEWPID;
  readonly ino: number;
  readonly parent: PidNamespace | undefined;
  readonly level: number;
  readonly user: UserNamespace;
  /** The first process in it (`child_reaper`). */
  init: Process | undefined;
  /** Its first process has ended: nothing is made in it any more. */
  isOver = false;
  readonly #numbers = new Map<number, number>();
  readonly #ids = new Map<number, number>();
  #last = 0;

  constructor(user: UserNamespace, parent?: PidNamespace) {
    this.user = user;
    this.parent = parent;
    this.level = parent === undefined ? 0 : parent.level + 1;
    this.ino = parent === undefined ? PID_NAMESPACE : nextNamespaceInode();
  }

  /** The number here of one of the kernel's ids; 0 for what is not in here. */
  numberOf(id: number): number {
    return this.parent === undefined ? id : this.#numbers.get(id) ?? 0;
  }

  /** The kernel's id of a number here; one that nobody has where it is free. */
  idOf(number: number): number {
    return this.parent === undefined ? number : this.#ids.get(number) ?? NOBODY;
  }

  has(number: number): boolean {
    return this.#ids.has(number);
  }

  get lastNumber(): number {
    return this.#last;
  }

  /** Gives a task with the kernel's id a number in here and in those above, but the first. */
  enroll(id: number, pidMax: number, wanted: readonly number[] = []): void {
    if (this.parent === undefined) return;
    this.parent.enroll(id, pidMax, wanted.slice(1));
    const number = wanted[0] ?? this.#next(pidMax);
    this.#numbers.set(id, number);
    this.#ids.set(number, id);
  }

  #next(pidMax: number): number {
    do this.#last = this.#last >= pidMax - 1 ? 300 : this.#last + 1;
    while (this.#ids.has(this.#last));
    return this.#last;
  }

  /** Nothing has the id any more. */
  release(id: number): void {
    for (let at: PidNamespace = this; at.parent !== undefined; at = at.parent) {
      const number = at.#numbers.get(id);
      if (number === undefined) continue;
      at.#numbers.delete(id);
      at.#ids.delete(number);
    }
  }

  /** This one or one below it. */
  isWithin(ancestor: PidNamespace): boolean {
    for (let at: PidNamespace | undefined = this; at !== undefined && at.level >= ancestor.level; at = at.parent) if (at === ancestor) return true;
    return false;
  }

  /** Numbers of a kernel's id from here up to the namespace of a reader, the reader's first (`NSpid` of /proc/PID/status). */
  numbersBelow(reader: PidNamespace, id: number): number[] {
    const numbers: number[] = [];
    for (let at: PidNamespace | undefined = this; at !== undefined && at.level >= reader.level; at = at.parent) numbers.unshift(at.numberOf(id));
    return numbers;
  }
}
