/** System instructions of user mode: CPUID, the time stamp counter, and the state images of FXSAVE and XSAVE. */
import type { SemanticsTable } from './builder.ts';

export const system: SemanticsTable = {
  cpuid: (b) => b.helper('cpuid'),
  rdtsc: (b) => b.helper('rdtsc'),
  rdtscp: (b) => b.helper('rdtscp'),
  rdpid: (b) => b.helper('rdpid', 0),
  xgetbv: (b) => b.helper('xgetbv'),
  fxsave: (b) => b.helper('fxsave', 0),
  fxrstor: (b) => b.helper('fxrstor', undefined, 0),
  xsave: (b) => b.helper('xsave', 0, undefined, 0),
  xsavec: (b) => b.helper('xsave', 0, undefined, 1),
  xrstor: (b) => b.helper('xrstor', undefined, 0),
};
