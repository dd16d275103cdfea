/** The machine room's only door: x86-64 user mode on WebAssembly. It knows nothing of Linux. */
export * from './layout.ts';
export type { UnitStorage } from './units/unit-store.ts';
export type { RegionCompiler } from './translator/index.ts';
export type { Exit, AddressSpace, Machine, MachineImage, MachineOptions, MachineStatistics } from './machine-types.ts';
export { createMachine } from './machine.ts';
export { CPU_FLAGS, cpuidLeaf } from './helpers/cpuid.ts';
