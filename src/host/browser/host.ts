/** A browser page or worker as a `Host`: no files, no sockets. */
import type { Host } from '../types.ts';

/** `setTimeout` waits 4 ms in a browser; a message to oneself does not. */
function createImmediate(): (callback: () => void) => void {
  const channel = new MessageChannel();
  const waiting: (() => void)[] = [];
  channel.port1.onmessage = () => waiting.shift()?.();
  return (callback) => {
    waiting.push(callback);
    channel.port2.postMessage(0);
  };
}

/** `crypto.getRandomValues` takes 64 KiB at a time. */
function fillRandom(buffer: Uint8Array): void {
  for (let start = 0; start < buffer.length; start += 65_536) crypto.getRandomValues(buffer.subarray(start, start + 65_536));
}

export function createBrowserHost(): Host {
  const origin = BigInt(Math.round(performance.timeOrigin * 1e3)) * 1000n;
  return {
    clock: {
      monotonicNs: () => performance.now() * 1e6,
      realtimeNs: () => origin + BigInt(Math.round(performance.now() * 1e6)),
    },
    random: fillRandom,
    setImmediate: createImmediate(),
    setTimer: (callback, milliseconds) => {
      const timer = setTimeout(callback, Math.min(milliseconds, 0x7fff_ffff));
      return { cancel: () => clearTimeout(timer) };
    },
  };
}
