/** Time namespaces: time_namespaces(7), Linux kernel/time/namespace.c. */
import { CAP_SYS_TIME } from '../../abi/capability.ts';
import { EACCES, EINVAL, EPERM, ERANGE } from '../../abi/errno.ts';
import { CLONE_NEWTIME } from '../../abi/sched.ts';
import { CLOCK_BOOTTIME, CLOCK_MONOTONIC } from '../../abi/time.ts';
import { nextNamespaceInode, TIME_NAMESPACE, type NamespaceIdentity } from '../../fs/namespace-identity.ts';
import type { TaskCredentials } from '../task/credentials.ts';
import { capableIn, type UserNamespace } from './user-namespace.ts';

/** KTIME_SEC_MAX / 2: no clock may be set further on. */
const MOST_SECONDS = 4_611_686_018;

/** `struct timens_offset`, written and shown as seconds and nanoseconds. */
interface Offset {
  readonly seconds: number;
  readonly nanoseconds: number;
}

const NONE: Offset = { seconds: 0, nanoseconds: 0 };

function nanoseconds({ seconds, nanoseconds }: Offset): number {
  return seconds * 1e9 + nanoseconds;
}

/** `struct time_namespace`. */
export class TimeNamespace implements NamespaceIdentity {
  readonly flag = CLONE_NEWTIME;
  readonly ino: number;
  readonly user: UserNamespace;
  readonly #isFirst: boolean;
  #monotonic: Offset;
  #boottime: Offset;
  /** A task runs in it: the offsets stay as they are. */
  isFrozen = false;

  constructor(user: UserNamespace, old?: TimeNamespace) {
    this.user = user;
    this.#isFirst = old === undefined;
    this.ino = old === undefined ? TIME_NAMESPACE : nextNamespaceInode();
    this.#monotonic = old === undefined ? NONE : old.#monotonic;
    this.#boottime = old === undefined ? NONE : old.#boottime;
  }

  /** Nanoseconds that CLOCK_MONOTONIC is ahead in here. */
  get monotonicNs(): number {
    return nanoseconds(this.#monotonic);
  }

  get boottimeNs(): number {
    return nanoseconds(this.#boottime);
  }

  /** The text of /proc/PID/timens_offsets. */
  get text(): string {
    const line = (name: string, { seconds, nanoseconds }: Offset): string => `${name.padEnd(10)} ${String(seconds).padStart(10)} ${String(nanoseconds).padStart(9)}\n`;
    return line('monotonic', this.#monotonic) + line('boottime', this.#boottime);
  }

  /** proc_timens_set_offset(): `nowNs` is CLOCK_MONOTONIC of the kernel. 0 or -errno. */
  write(text: string, writer: TaskCredentials, nowNs: number): number {
    const wanted = new Map<number, Offset>();
    for (const line of text.replace(/\n$/, '').split('\n')) {
      const match = /^(monotonic|boottime|\d{1,3})\s+(-?\d{1,19})\s+(\d{1,9})\s*$/.exec(line);
      if (match === null || wanted.size === 2) return -EINVAL;
      const clock = match[1] === 'monotonic' ? CLOCK_MONOTONIC : match[1] === 'boottime' ? CLOCK_BOOTTIME : Number(match[1]);
      if (clock !== CLOCK_MONOTONIC && clock !== CLOCK_BOOTTIME) return -EINVAL;
      wanted.set(clock, { seconds: Number(match[2]), nanoseconds: Number(match[3]) });
    }
    if (!capableIn(writer, this.user, CAP_SYS_TIME)) return -EPERM;
    for (const { seconds } of wanted.values()) {
      const after = seconds + Math.floor(nowNs / 1e9);
      if (Math.abs(seconds) > 2 * MOST_SECONDS || after < 0 || after > MOST_SECONDS) return -ERANGE;
    }
    if (this.#isFirst || this.isFrozen) return -EACCES;
    this.#monotonic = wanted.get(CLOCK_MONOTONIC) ?? this.#monotonic;
    this.#boottime = wanted.get(CLOCK_BOOTTIME) ?? this.#boottime;
    return 0;
  }
}
