import { openSync, readSync } from 'node:fs';

/** What `crypto.getRandomValues` takes at a time. */
const MOST_BYTES = 65_536;
let urandom: number | undefined;

/**
 * From /dev/urandom where there is one: loading Node's module for it costs milliseconds at start, which a short command
 * would pay for 16 bytes.
 */
export function fillRandom(buffer: Uint8Array): void {
  try {
    urandom ??= openSync('/dev/urandom', 'r');
    if (readSync(urandom, buffer, 0, buffer.length, null) === buffer.length) return;
  } catch {
    // Not Linux, or no such device.
  }
  for (let start = 0; start < buffer.length; start += MOST_BYTES) crypto.getRandomValues(buffer.subarray(start, start + MOST_BYTES));
}
