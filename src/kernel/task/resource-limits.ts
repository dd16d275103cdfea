/** getrlimit(2): soft and hard limits of a process. */
import {
  RLIM_NLIMITS, RLIMIT_CORE, RLIMIT_MEMLOCK, RLIMIT_MSGQUEUE, RLIMIT_NICE, RLIMIT_NOFILE, RLIMIT_NPROC, RLIMIT_RTPRIO, RLIMIT_SIGPENDING, RLIMIT_STACK,
} from '../../abi/resource.ts';

export interface LimitPair {
  readonly soft: number;
  readonly hard: number;
}

const UNLIMITED: LimitPair = { soft: Infinity, hard: Infinity };

/** As a container engine sets them; numbers that Linux gives to init (include/asm-generic/resource.h). */
function defaultLimits(): LimitPair[] {
  const limits: LimitPair[] = Array.from({ length: RLIM_NLIMITS }, () => UNLIMITED);
  limits[RLIMIT_STACK] = { soft: 8 * 2 ** 20, hard: Infinity };
  limits[RLIMIT_CORE] = { soft: 0, hard: Infinity };
  limits[RLIMIT_NPROC] = { soft: 4096, hard: 4096 };
  limits[RLIMIT_NOFILE] = { soft: 1024, hard: 1_048_576 };
  limits[RLIMIT_MEMLOCK] = { soft: 8 * 2 ** 20, hard: 8 * 2 ** 20 };
  limits[RLIMIT_SIGPENDING] = { soft: 8192, hard: 8192 };
  limits[RLIMIT_MSGQUEUE] = { soft: 819_200, hard: 819_200 };
  limits[RLIMIT_NICE] = { soft: 0, hard: 0 };
  limits[RLIMIT_RTPRIO] = { soft: 0, hard: 0 };
  return limits;
}

export class ResourceLimits {
  readonly #limits: LimitPair[];

  constructor(limits: readonly LimitPair[] = defaultLimits()) {
    this.#limits = [...limits];
  }

  soft(resource: number): number {
    return this.get(resource).soft;
  }

  get(resource: number): LimitPair {
    return this.#limits[resource] ?? UNLIMITED;
  }

  set(resource: number, pair: LimitPair): void {
    this.#limits[resource] = pair;
  }

  clone(): ResourceLimits {
    return new ResourceLimits(this.#limits);
  }
}
