/** What the container of this process takes at the moment, as its process can tell. */
import { readFileSync } from 'node:fs';
import type { Container } from '../../container/index.ts';
import type { UsageSample } from './control-protocol.ts';
import { networkCounters } from './launch.ts';

/** Bytes that went to and from disks (proc(5), `/proc/PID/io`); 0 where the machine does not say. */
function blockBytes(): { readonly blockRead: number; readonly blockWritten: number } {
  let text = '';
  try {
    text = readFileSync('/proc/self/io', 'latin1');
  } catch {
    // A kernel without task accounting, or a /proc that shows little.
  }
  const field = (name: string): number => Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
  return { blockRead: field('read_bytes'), blockWritten: field('write_bytes') };
}

export function usageSample(container: Container): UsageSample {
  const { user, system } = process.cpuUsage();
  return {
    ...container.usage(), ...blockBytes(), ...networkCounters, refused: [...container.refusals.values()].reduce((sum, count) => sum + count, 0), cpuMs: (user + system) / 1000, atMs: performance.now(), residentBytes: process.memoryUsage.rss(),
  };
}
