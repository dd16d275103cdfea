/** The machine room's door: x86-64 user mode on WebAssembly. It knows nothing of Linux. `disassembler.ts` is a second one. */
export * from './layout.ts';
export * from './machine-types.ts';
export { STATE_FS_BASE, STATE_GPR, THREAD_STATE_SIZE } from './state.ts';
export type { UnitStorage } from './units/unit-store.ts';
export type { RegionCompiler } from './translator/index.ts';
export { createMachine, optimizeKept, prepareMachine } from './machine.ts';
export { cpuFlags, cpuidLeaf } from './helpers/cpuid.ts';
