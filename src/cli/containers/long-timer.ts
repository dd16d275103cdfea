/** Timers of any length: Node's have 31 bits of milliseconds, which is 24.8 days, and fire at once where it is more. */

const LONGEST_MS = 2 ** 31 - 1;

export interface LongTimer {
  stop(): void;
}

/** Calls after so many milliseconds, unless it is stopped before. `keepsProcess`: who has nothing else to do waits for it. */
export function after(milliseconds: number, call: () => void, keepsProcess = true): LongTimer {
  let timer: ReturnType<typeof setTimeout>;
  const arm = (left: number): void => {
    timer = setTimeout(() => (left > LONGEST_MS ? arm(left - LONGEST_MS) : call()), Math.min(left, LONGEST_MS));
    if (!keepsProcess) timer.unref();
  };
  arm(milliseconds);
  return { stop: () => clearTimeout(timer) };
}
