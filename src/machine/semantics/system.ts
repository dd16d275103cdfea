/** System instructions of user mode: CPUID, the time stamp counter. */
import type { SemanticsTable } from './builder.ts';

export const system: SemanticsTable = {
  cpuid: (b) => b.helper('cpuid'),
  rdtsc: (b) => b.helper('rdtsc'),
  rdtscp: (b) => b.helper('rdtscp'),
  rdpid: (b) => b.helper('rdpid', 0),
  xgetbv: (b) => b.helper('xgetbv'),
};
