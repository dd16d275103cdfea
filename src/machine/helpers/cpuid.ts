/**
 * What CPUID reports (SDM Vol. 2A): x86-64-v2 or v3 and what works beyond it, on one processor. All instructions work whatever it says.
 *
 * The vendor and model are Intel's Westmere, the processor that is nearest to x86-64-v2 with AES and PCLMULQDQ. What
 * that chooses:
 * - glibc takes its `sse2_unaligned` string functions, and REP MOVSB and STOSB, which are one bulk copy here, from
 *   2 KiB on. (For AMD's or an unknown vendor it would take `ssse3` ones, with their jump tables.)
 * - OpenBLAS has kernels for it; an unknown vendor gets the slowest.
 * - Caches are found by leaf 4 (leaf 2 refers to it), topology by leaf 11.
 * OpenSSL, Go and Java choose by feature bits, and take the same ways for either vendor.
 */

import { STATE_GPR } from '../state.ts';
import type { CpuLevel } from '../machine-types.ts';
import { featuresOf, XSAVE_SIZES } from './fxsave.ts';
import type { Helper, HelperContext, HelperTable } from './types.ts';

const RAX = STATE_GPR;
const RCX = STATE_GPR + 8;
const RDX = STATE_GPR + 16;
const RBX = STATE_GPR + 24;

type Leaf = readonly [eax: number, ebx: number, ecx: number, edx: number];

const NOTHING: Leaf = [0, 0, 0, 0];

export const CPU_VENDOR = 'GenuineIntel';
const brandOf = (cpu: CpuLevel): string => `Caisson virtual x86-64-${cpu} processor`;
export const CPU_FAMILY = 6;
export const CPU_MODEL = 0x2c;
export const CPU_STEPPING = 2;

/** Names of the features as in /proc/cpuinfo (Linux arch/x86/include/asm/cpufeatures.h), by leaf, register and bit. */
const FEATURES_1_EDX = {
  fpu: 0, tsc: 4, msr: 5, pae: 6, cx8: 8, pge: 13, cmov: 15, clflush: 19, mmx: 23, fxsr: 24, sse: 25, sse2: 26,
} as const;
const FEATURES_EXTENDED_EDX = { syscall: 11, nx: 20, rdtscp: 27, lm: 29 } as const;
const FEATURES_1_ECX = {
  pni: 0, pclmulqdq: 1, ssse3: 9, cx16: 13, sse4_1: 19, sse4_2: 20, popcnt: 23, aes: 25, xsave: 26,
} as const;
const FEATURES_EXTENDED_ECX = { lahf_lm: 0 } as const;
/** The SHA instructions work, but the vector code that programs have without them runs several times faster here. */
const FEATURES_7_EBX = { erms: 9 } as const;
const FEATURES_7_ECX = { rdpid: 22 } as const;
const FEATURES_13_EAX = { xsaveopt: 0, xsavec: 1 } as const;
/** What x86-64-v3 adds (System V ABI, AMD64 supplement, 3.1.1). */
const FEATURES_1_ECX_V3 = { fma: 12, movbe: 22, avx: 28, f16c: 29 } as const;
const FEATURES_EXTENDED_ECX_V3 = { abm: 5 } as const;
const FEATURES_7_EBX_V3 = { bmi1: 3, avx2: 5, bmi2: 8 } as const;
const OSXSAVE = 1 << 27;
const INVARIANT_TSC = 1 << 8;

/** The feature flags, as /proc/cpuinfo lists them. */
export function cpuFlags(cpu: CpuLevel): readonly string[] {
  return cpu === 'v2' ? BASE_FLAGS : [...BASE_FLAGS, ...Object.keys(FEATURES_1_ECX_V3), ...Object.keys(FEATURES_EXTENDED_ECX_V3), ...Object.keys(FEATURES_7_EBX_V3)];
}

const BASE_FLAGS: readonly string[] = [
  ...Object.keys(FEATURES_1_EDX),
  ...Object.keys(FEATURES_EXTENDED_EDX),
  'constant_tsc', 'rep_good', 'nopl', 'nonstop_tsc', 'cpuid',
  ...Object.keys(FEATURES_1_ECX),
  ...Object.keys(FEATURES_EXTENDED_ECX),
  ...Object.keys(FEATURES_7_EBX),
  ...Object.keys(FEATURES_13_EAX),
  ...Object.keys(FEATURES_7_ECX),
];

function mask(features: Readonly<Record<string, number>>): number {
  return Object.values(features).reduce((word, bit) => word | (1 << bit), 0);
}

/** Little-endian words of a text, padded with zeros. */
function words(text: string, count: number): number[] {
  return Array.from({ length: count }, (_, index) => {
    let value = 0;
    for (let byte = 0; byte < 4; byte++) value |= (text.charCodeAt(4 * index + byte) || 0) << (8 * byte);
    return value;
  });
}

const [vendor0 = 0, vendor1 = 0, vendor2 = 0] = words(CPU_VENDOR, 3);
const SIGNATURE = ((CPU_MODEL >> 4) << 16) | (CPU_FAMILY << 8) | ((CPU_MODEL & 15) << 4) | CPU_STEPPING;
const CACHE_LINE = 64;
const MAXIMUM_LEAF = 0x16;
const MAXIMUM_EXTENDED_LEAF = 0x8000_0008 | 0;
/** The time stamp counter counts nanoseconds: 25 MHz times 40 (leaf 0x15), 1000 MHz (leaf 0x16). */
const CRYSTAL_HZ = 25_000_000;
const TSC_RATIO = 40;

function brandLeaf(part: number, cpu: CpuLevel): Leaf {
  const [a = 0, b = 0, c = 0, d = 0] = words(brandOf(cpu).slice(16 * part), 4);
  return [a, b, c, d];
}

interface Leaves {
  readonly plain: ReadonlyMap<number, Leaf>;
  /** Leaves that have subleaves, each by subleaf. */
  readonly indexed: ReadonlyMap<number, readonly Leaf[]>;
}

function plainLeaves(cpu: CpuLevel): Map<number, Leaf> {
  const isV3 = cpu === 'v3';
  return new Map<number, Leaf>([
    [0, [MAXIMUM_LEAF, vendor0, vendor2, vendor1]],
    [1, [SIGNATURE, (1 << 16) | ((CACHE_LINE / 8) << 8), mask(FEATURES_1_ECX) | OSXSAVE | (isV3 ? mask(FEATURES_1_ECX_V3) : 0), mask(FEATURES_1_EDX)]],
    // Descriptor FF: see leaf 4. F0: prefetches fetch 64 bytes.
    [2, [0x00ff_0001, 0xf0, 0, 0]],
    [0x15, [1, TSC_RATIO, CRYSTAL_HZ, 0]],
    [0x16, [1000, 1000, 25, 0]],
    [0x8000_0000 | 0, [MAXIMUM_EXTENDED_LEAF, 0, 0, 0]],
    [0x8000_0001 | 0, [0, 0, mask(FEATURES_EXTENDED_ECX) | (isV3 ? mask(FEATURES_EXTENDED_ECX_V3) : 0), mask(FEATURES_EXTENDED_EDX)]],
    [0x8000_0002 | 0, brandLeaf(0, cpu)],
    [0x8000_0003 | 0, brandLeaf(1, cpu)],
    [0x8000_0004 | 0, brandLeaf(2, cpu)],
    // L2: 1 MiB, 16 ways, 64-byte lines.
    [0x8000_0006 | 0, [0, 0, 0x0400_8040, 0]],
    [0x8000_0007 | 0, [0, 0, 0, INVARIANT_TSC]],
    // 32 bits of physical and 48 of linear address.
    [0x8000_0008 | 0, [0x3020, 0, 0, 0]],
  ]);
}

function cache(type: number, level: number, ways: number, sets: number): Leaf {
  return [0x100 | (level << 5) | type, ((ways - 1) << 22) | (CACHE_LINE - 1), sets - 1, 0];
}

function indexedLeaves(cpu: CpuLevel): Map<number, readonly Leaf[]> {
  const size = XSAVE_SIZES[cpu];
  const isV3 = cpu === 'v3';
  return new Map<number, readonly Leaf[]>([
    // L1 32 KiB each, L2 1 MiB, L3 32 MiB.
    [4, [cache(1, 1, 8, 64), cache(2, 1, 8, 64), cache(3, 2, 16, 1024), cache(3, 3, 16, 32768)]],
    [7, [[0, mask(FEATURES_7_EBX) | (isV3 ? mask(FEATURES_7_EBX_V3) : 0), mask(FEATURES_7_ECX), 0]]],
    // One thread in one core.
    [0xb, [[0, 1, 0x100, 0], [0, 1, 0x201, 0]]],
    // The third one: the upper halves of the YMM registers.
    [0xd, [[featuresOf(cpu), size, size, 0], [mask(FEATURES_13_EAX), size, 0, 0], ...(isV3 ? [[256, 576, 0, 0] as const] : [])]],
  ]);
}

const LEAVES = new Map<CpuLevel, Leaves>();

function leavesOf(cpu: CpuLevel): Leaves {
  let leaves = LEAVES.get(cpu);
  if (leaves === undefined) LEAVES.set(cpu, (leaves = { plain: plainLeaves(cpu), indexed: indexedLeaves(cpu) }));
  return leaves;
}

/** The four words of a leaf; zeros where there is none. */
export function cpuidLeaf(leaf: number, subleaf: number, cpu: CpuLevel): Leaf {
  const { plain, indexed } = leavesOf(cpu);
  const list = indexed.get(leaf);
  if (list === undefined) return plain.get(leaf) ?? NOTHING;
  return list[subleaf] ?? (leaf === 0xb ? [0, 0, subleaf & 0xff, 0] : NOTHING);
}

function set(context: HelperContext, register: number, value: number): void {
  context.view.setInt32(register, value, true);
  context.view.setInt32(register + 4, 0, true);
}

const cpuid: Helper = (context) => {
  const [eax, ebx, ecx, edx] = cpuidLeaf(context.view.getInt32(RAX, true), context.view.getInt32(RCX, true), context.cpu);
  set(context, RAX, eax);
  set(context, RBX, ebx);
  set(context, RCX, ecx);
  set(context, RDX, edx);
  return 0;
};

const rdtsc: Helper = (context) => {
  const [low, high] = context.timestamp();
  set(context, RAX, low);
  set(context, RDX, high);
  return 0;
};

const rdtscp: Helper = (context, destination, source, immediate, forms) => {
  rdtsc(context, destination, source, immediate, forms);
  set(context, RCX, context.processor);
  return 0;
};

const rdpid: Helper = (context, destination) => {
  set(context, destination, context.processor);
  return 0;
};

/** Only XCR0 exists. Other numbers are a general protection fault. */
const xgetbv: Helper = (context) => {
  if (context.view.getUint32(RCX, true) !== 0) return context.raise(13);
  set(context, RAX, featuresOf(context.cpu));
  set(context, RDX, 0);
  return 0;
};

export const cpuHelpers: HelperTable = { cpuid, rdtsc, rdtscp, rdpid, xgetbv };
