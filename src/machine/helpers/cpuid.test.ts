import assert from 'node:assert/strict';
import { test } from 'node:test';
import { STATE_GPR } from '../state.ts';
import { CPU_FAMILY, CPU_MODEL, CPU_VENDOR, cpuFlags, cpuHelpers, cpuidLeaf } from './cpuid.ts';
import { createContext } from './testing.test-support.ts';

function text(...words: readonly number[]): string {
  const bytes = words.flatMap((word) => [word & 255, (word >> 8) & 255, (word >> 16) & 255, (word >>> 24) & 255]);
  return String.fromCharCode(...bytes.filter((byte) => byte !== 0));
}

test('cpuidLeaf() names vendor and brand', () => {
  const [, ebx, ecx, edx] = cpuidLeaf(0, 0, 'v2');
  assert.equal(text(ebx, edx, ecx), CPU_VENDOR);
  assert.equal([2, 3, 4].map((leaf) => text(...cpuidLeaf((0x80000000 + leaf) | 0, 0, 'v2'))).join(''), 'Caisson virtual x86-64-v2 processor');
});

test('cpuidLeaf() reports exactly x86-64-v2 and what works beyond it', () => {
  const [signature, , ecx, edx] = cpuidLeaf(1, 0, 'v2');
  assert.equal((signature >> 8) & 15, CPU_FAMILY);
  assert.equal(((signature >> 12) & 0xf0) | ((signature >> 4) & 15), CPU_MODEL);
  // CX16, POPCNT, SSE3, SSE4.1, SSE4.2, SSSE3; CMOV, CX8, FPU, FXSR, MMX, SSE, SSE2; LAHF.
  const level2 = (1 << 13) | (1 << 23) | 1 | (1 << 19) | (1 << 20) | (1 << 9);
  assert.equal(ecx & level2, level2);
  // FMA, MOVBE, AVX, F16C, RDRAND.
  assert.equal(ecx & ((1 << 12) | (1 << 22) | (1 << 28) | (1 << 29) | (1 << 30)), 0);
  const baseline = (1 << 15) | (1 << 8) | 1 | (1 << 24) | (1 << 23) | (1 << 25) | (1 << 26);
  assert.equal(edx & baseline, baseline);
  assert.ok(cpuFlags('v2').includes('lahf_lm'));
  // BMI1, AVX2, BMI2, AVX512F, SHA.
  assert.equal(cpuidLeaf(7, 0, 'v2')[1] & ((1 << 3) | (1 << 5) | (1 << 8) | (1 << 16) | (1 << 29)), 0);
});

test('cpuidLeaf() ends its lists of caches and levels', () => {
  assert.deepEqual(cpuidLeaf(4, 4, 'v2'), [0, 0, 0, 0]);
  const sizes = [0, 1, 2, 3].map((subleaf) => {
    const [, ebx, ecx] = cpuidLeaf(4, subleaf, 'v2');
    return ((ebx >>> 22) + 1) * ((ebx & 0xfff) + 1) * (ecx + 1);
  });
  assert.deepEqual(sizes, [32 << 10, 32 << 10, 1 << 20, 32 << 20]);
  assert.equal(cpuidLeaf(0xb, 2, 'v2')[2] >> 8, 0);
  assert.deepEqual(cpuidLeaf(0x40000000, 0, 'v2'), [0, 0, 0, 0]);
});

test('cpuid() clears the upper halves', () => {
  const context = createContext();
  context.u8.fill(0xff, 0, 32);
  context.view.setBigUint64(STATE_GPR, 0xffffffff_80000001n, true);
  cpuHelpers['cpuid']?.(context, 0, 0, 0, 0);
  assert.equal(context.view.getBigUint64(STATE_GPR + 8, true) >> 32n, 0n);
  // LAHF in 64-bit mode.
  assert.equal(context.view.getUint32(STATE_GPR + 8, true), 1);
});
