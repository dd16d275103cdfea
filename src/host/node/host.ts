/** The Node.js side of the door. */
import type { Host, HostClock, HostNetwork } from '../types.ts';
import { nodeFiles } from './files.ts';
import { fillRandom } from './random.ts';

/** `performance.timeOrigin` is milliseconds with a fraction: exact enough as the start, and `hrtime` counts on from there. */
function createClock(): HostClock {
  let lastMillisecond = 0;
  let base = 0n;
  let baseMonotonic = 0;
  const monotonicNs = (): number => {
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1e9 + nanoseconds;
  };
  /** The wall clock has milliseconds in JavaScript; the monotonic clock fills in the rest, and never runs past the next tick. */
  const realtimeNs = (): bigint => {
    const millisecond = Date.now();
    if (millisecond !== lastMillisecond) {
      const expected = base + BigInt(Math.round(monotonicNs() - baseMonotonic));
      const low = BigInt(millisecond) * 1_000_000n;
      lastMillisecond = millisecond;
      baseMonotonic = monotonicNs();
      base = expected >= low && expected < low + 1_000_000n ? expected : low;
      return base;
    }
    const now = base + BigInt(Math.round(monotonicNs() - baseMonotonic));
    const limit = BigInt(millisecond) * 1_000_000n + 999_999n;
    return now > limit ? limit : now;
  };
  return { monotonicNs, realtimeNs };
}

export interface NodeHostOptions {
  /** Given only where a sandbox may reach the network: `nodeNetwork` of `network.ts`, which is loaded on demand. */
  readonly network?: HostNetwork;
}

/**
 * Node.js as a `Host`.
 *
 * @example
 * const host = createNodeHost();
 * host.clock.monotonicNs();
 */
export function createNodeHost(options: NodeHostOptions = {}): Host {
  return {
    clock: createClock(),
    random: fillRandom,
    setImmediate: (callback) => void setImmediate(callback),
    setTimer: (callback, milliseconds) => {
      const timer = setTimeout(callback, Math.min(milliseconds, 0x7fff_ffff));
      return { cancel: () => clearTimeout(timer) };
    },
    files: nodeFiles,
    ...(options.network === undefined ? {} : { network: options.network }),
  };
}
