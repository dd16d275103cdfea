/**
 * CPUID, RDTSC, RDTSCP, RDPID and XGETBV (SDM Vol. 2A and 2B). CPUID reports x86-64-v2 and what works
 * beyond it: AES, PCLMULQDQ, SHA, RDTSCP, XSAVE with x87 and SSE state. The vendor is AMD's: glibc,
 * OpenSSL, Go and Java then choose by feature bits alone.
 */
import { STATE_GPR } from '../state.ts';
import type { Helper, HelperContext, HelperTable } from './types.ts';

const RAX = STATE_GPR;
const RCX = STATE_GPR + 8;
const RDX = STATE_GPR + 16;
const RBX = STATE_GPR + 24;

type Leaf = readonly [eax: number, ebx: number, ecx: number, edx: number];

const bits = (...positions: readonly number[]): number => positions.reduce((word, position) => word | (1 << position), 0);

function words(text: string): number[] {
  const values: number[] = [];
  for (let at = 0; at < text.length; at += 4) {
    let value = 0;
    for (let byte = 0; byte < 4; byte++) value |= (text.charCodeAt(at + byte) || 0) << (8 * byte);
    values.push(value);
  }
  return values;
}

const VENDOR = words('AuthenticAMD'); // ebx, edx, ecx
const BRAND = words('Caisson virtual x86-64-v2 processor'.padEnd(48, '\0'));
/** Family 0x17, model 0x31, stepping 0: a processor that has all of v2. */
const SIGNATURE = 0x0083_0f10;
// Leaf 1: SSE3 PCLMULQDQ SSSE3 CX16 SSE4.1 SSE4.2 POPCNT AES XSAVE OSXSAVE HYPERVISOR.
const LEAF1_ECX = bits(0, 1, 9, 13, 19, 20, 23, 25, 26, 27, 31);
// FPU TSC MSR CX8 CMOV CLFSH MMX FXSR SSE SSE2, and PAE PGE and so on that kernels look at.
const LEAF1_EDX = bits(0, 4, 5, 6, 8, 13, 15, 19, 23, 24, 25, 26);
// Leaf 7: ERMS SHA.
const LEAF7_EBX = bits(9, 29);
/** x87 and SSE: legacy area and header only. */
const XSAVE_SIZE = 576;

const LEAVES: ReadonlyMap<number, Leaf> = new Map<number, Leaf>([
  [0, [0xd, VENDOR[0] ?? 0, VENDOR[2] ?? 0, VENDOR[1] ?? 0]],
  [1, [SIGNATURE, (1 << 16) | (8 << 8), LEAF1_ECX, LEAF1_EDX]],
  [7, [0, LEAF7_EBX, 0, 0]],
  [0xd, [3, XSAVE_SIZE, XSAVE_SIZE, 0]],
  [0x8000_0000, [-0x7fff_ffe2, VENDOR[0] ?? 0, VENDOR[2] ?? 0, VENDOR[1] ?? 0]],
  // LAHF-SAHF; SYSCALL NX RDTSCP LM.
  [0x8000_0001, [SIGNATURE, 0, bits(0), bits(11, 20, 27, 29)]],
  [0x8000_0002, [BRAND[0] ?? 0, BRAND[1] ?? 0, BRAND[2] ?? 0, BRAND[3] ?? 0]],
  [0x8000_0003, [BRAND[4] ?? 0, BRAND[5] ?? 0, BRAND[6] ?? 0, BRAND[7] ?? 0]],
  [0x8000_0004, [BRAND[8] ?? 0, BRAND[9] ?? 0, BRAND[10] ?? 0, BRAND[11] ?? 0]],
  // L1: 32 KiB, 8 ways, 64-byte lines; L2: 512 KiB, 8 ways; L3: 16 MiB, 16 ways.
  [0x8000_0005, [0, 0, 0x2008_0140, 0x2008_0140]],
  [0x8000_0006, [0, 0, 0x0200_6140, 0x0080_8140]],
  [0x8000_0007, [0, 0, 0, bits(8)]],
  // 48 bits of linear, 32 of physical address.
  [0x8000_0008, [0x3020, 0, 0, 0]],
]);

/** Leaf 4 and 0x8000001D are the same caches, by subleaf. */
const CACHES: readonly Leaf[] = [
  [0x0121, (7 << 22) | 63, 63, 0],
  [0x0122, (7 << 22) | 63, 63, 0],
  [0x0143, (7 << 22) | 63, 1023, 0],
  [0x0163, (15 << 22) | 63, 16383, 0],
];
const NOTHING: Leaf = [0, 0, 0, 0];

function leafOf(leaf: number, subleaf: number): Leaf {
  if (leaf === 0x8000_001d) return CACHES[subleaf] ?? NOTHING;
  if ((leaf === 7 || leaf === 0xd) && subleaf !== 0) return NOTHING;
  return LEAVES.get(leaf) ?? NOTHING;
}

function set(context: HelperContext, register: number, value: number): void {
  context.view.setUint32(register, value >>> 0, true);
  context.view.setUint32(register + 4, 0, true);
}

const cpuid: Helper = (context) => {
  const [eax, ebx, ecx, edx] = leafOf(context.view.getUint32(RAX, true), context.view.getUint32(RCX, true));
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

/** Only XCR0 exists: x87 and SSE. Other numbers are a general protection fault. */
const xgetbv: Helper = (context) => {
  if (context.view.getUint32(RCX, true) !== 0) return context.raise(13);
  set(context, RAX, 3);
  set(context, RDX, 0);
  return 0;
};

export const cpuHelpers: HelperTable = { cpuid, rdtsc, rdtscp, rdpid, xgetbv };
