/**
 * Jumps, calls, traps, system instructions, fences and hints: SDM Vol. 2, Appendix A.3.
 *
 * Instructions that user mode may not execute decode, with the semantics `privileged` (#GP).
 */

import { CONDITION_NAMES, prefixed, row } from './row.ts';
import type { RowDefinition, RowOptions } from './row.ts';

/** Near branches: the operand size is 64 bits and 66 has no effect (SDM "f64"). */
function branch(
  mnemonic: string,
  operands: string,
  opcode: number,
  flow: RowDefinition['flow'],
  options: RowOptions = {},
): RowDefinition {
  return row(mnemonic, operands, opcode, { default64: true, flow, ...options });
}

function privileged(mnemonic: string, operands: string, opcode: number, options: RowOptions = {}): RowDefinition {
  return row(mnemonic, operands, opcode, { semantics: 'privileged', flow: 'trap', ...options });
}

function hint(mnemonic: string, operands: string, opcode: number, options: RowOptions = {}): RowDefinition {
  return row(mnemonic, operands, opcode, { semantics: 'nop', ...options });
}

function conditionalJumps(): RowDefinition[] {
  return CONDITION_NAMES.flatMap((name, code) => [
    branch(`j${name}`, 'Jb', 0x70 + code, 'branch', { semantics: 'jcc' }),
    branch(`j${name}`, 'Jz', 0x0f80 + code, 'branch', { semantics: 'jcc' }),
  ]);
}

const BRANCHES: readonly RowDefinition[] = [
  branch('jmp', 'Jz', 0xe9, 'jump'),
  branch('jmp', 'Jb', 0xeb, 'jump'),
  branch('call', 'Jz', 0xe8, 'call'),
  branch('call', 'Ev', 0xff, 'indirect-call', { group: 2, semantics: 'call-indirect' }),
  branch('jmp', 'Ev', 0xff, 'indirect-jump', { group: 4, semantics: 'jmp-indirect' }),
  branch('ret', 'Iw', 0xc2, 'return'),
  branch('ret', '', 0xc3, 'return'),
  branch('loopne', 'Jb', 0xe0, 'branch'),
  branch('loope', 'Jb', 0xe1, 'branch'),
  branch('loop', 'Jb', 0xe2, 'branch'),
  branch('jrcxz', 'Jb', 0xe3, 'branch'),
];

const TRAPS: readonly RowDefinition[] = [
  row('syscall', '', 0x0f05, { flow: 'syscall' }),
  row('int3', '', 0xcc, { flow: 'trap' }),
  row('int', 'Ib', 0xcd, { flow: 'trap' }),
  row('int1', '', 0xf1, { flow: 'trap' }),
  row('ud2', '', 0x0f0b, { flow: 'trap', semantics: 'ud' }),
  row('ud1', 'Gv,Ev', 0x0fb9, { flow: 'trap', semantics: 'ud' }),
  row('ud0', 'Gv,Ev', 0x0fff, { flow: 'trap', semantics: 'ud' }),
];

/** Far transfers and segment loads are legal in user mode, but no program of a 64-bit system makes them. */
const PRIVILEGED: readonly RowDefinition[] = [
  privileged('hlt', '', 0xf4),
  privileged('cli', '', 0xfa),
  privileged('sti', '', 0xfb),
  privileged('ins', '', 0x6c, { byte: true, repeat: 'rep' }),
  privileged('ins', '', 0x6d, { repeat: 'rep' }),
  privileged('outs', '', 0x6e, { byte: true, repeat: 'rep' }),
  privileged('outs', '', 0x6f, { repeat: 'rep' }),
  privileged('in', 'AL,Ib', 0xe4),
  privileged('in', 'eAX,Ib', 0xe5),
  privileged('out', 'Ib,AL', 0xe6),
  privileged('out', 'Ib,eAX', 0xe7),
  privileged('in', 'AL,DX', 0xec),
  privileged('in', 'eAX,DX', 0xed),
  privileged('out', 'DX,AL', 0xee),
  privileged('out', 'DX,eAX', 0xef),
  privileged('retf', 'Iw', 0xca),
  privileged('retf', '', 0xcb),
  privileged('iret', '', 0xcf),
  privileged('call', 'Mp', 0xff, { group: 3 }),
  privileged('jmp', 'Mp', 0xff, { group: 5 }),
  privileged('lss', 'Gv,Mp', 0x0fb2),
  privileged('lfs', 'Gv,Mp', 0x0fb4),
  privileged('lgs', 'Gv,Mp', 0x0fb5),
  privileged('sldt', 'Rv/Mw', 0x0f00, { group: 0 }),
  privileged('str', 'Rv/Mw', 0x0f00, { group: 1 }),
  privileged('lldt', 'Ew', 0x0f00, { group: 2 }),
  privileged('ltr', 'Ew', 0x0f00, { group: 3 }),
  privileged('sgdt', 'M', 0x0f01, { group: 0 }),
  privileged('sidt', 'M', 0x0f01, { group: 1 }),
  privileged('lgdt', 'M', 0x0f01, { group: 2 }),
  privileged('lidt', 'M', 0x0f01, { group: 3 }),
  privileged('smsw', 'Rv/Mw', 0x0f01, { group: 4 }),
  privileged('lmsw', 'Ew', 0x0f01, { group: 6 }),
  privileged('invlpg', 'Mb', 0x0f01, { group: 7 }),
  privileged('swapgs', '', 0x0f01, { group: 7, modrm: 'reg', rm: 0 }),
  privileged('xsetbv', '', 0x0f01, { group: 2, modrm: 'reg', rm: 1 }),
  privileged('clts', '', 0x0f06),
  privileged('sysret', '', 0x0f07),
  privileged('invd', '', 0x0f08),
  privileged('wbinvd', '', 0x0f09),
  privileged('mov', 'Rq,Cq', 0x0f20),
  privileged('mov', 'Rq,Dq', 0x0f21),
  privileged('mov', 'Cq,Rq', 0x0f22),
  privileged('mov', 'Dq,Rq', 0x0f23),
  privileged('wrmsr', '', 0x0f30),
  privileged('rdmsr', '', 0x0f32),
  privileged('rdpmc', '', 0x0f33),
];

const SYSTEM: readonly RowDefinition[] = [
  row('verr', 'Ew', 0x0f00, { group: 4 }),
  row('verw', 'Ew', 0x0f00, { group: 5 }),
  row('lar', 'Gv,Rv/Mw', 0x0f02),
  row('lsl', 'Gv,Rv/Mw', 0x0f03),
  row('rdtsc', '', 0x0f31),
  row('rdtscp', '', 0x0f01, { group: 7, modrm: 'reg', rm: 1, feature: 'rdtscp' }),
  row('xgetbv', '', 0x0f01, { group: 2, modrm: 'reg', rm: 0, feature: 'xsave' }),
  row('cpuid', '', 0x0fa2),
  prefixed('F3', 'rdpid', 'Rq', 0x0fc7, { group: 7 }),
  prefixed('none', 'fxsave', 'M', 0x0fae, { group: 0, rexW: 0, feature: 'fxsr' }),
  prefixed('none', 'fxsave64', 'M', 0x0fae, { semantics: 'fxsave', group: 0, rexW: 1, feature: 'fxsr' }),
  prefixed('none', 'fxrstor', 'M', 0x0fae, { group: 1, rexW: 0, feature: 'fxsr' }),
  prefixed('none', 'fxrstor64', 'M', 0x0fae, { semantics: 'fxrstor', group: 1, rexW: 1, feature: 'fxsr' }),
  prefixed('none', 'ldmxcsr', 'Md', 0x0fae, { group: 2, feature: 'sse' }),
  prefixed('none', 'stmxcsr', 'Md', 0x0fae, { group: 3, feature: 'sse' }),
  prefixed('none', 'xsave', 'M', 0x0fae, { group: 4, rexW: 0, feature: 'xsave' }),
  prefixed('none', 'xsave64', 'M', 0x0fae, { semantics: 'xsave', group: 4, rexW: 1, feature: 'xsave' }),
  prefixed('none', 'xsaveopt', 'M', 0x0fae, { semantics: 'xsave', group: 6, rexW: 0, feature: 'xsave' }),
  prefixed('none', 'xsaveopt64', 'M', 0x0fae, { semantics: 'xsave', group: 6, rexW: 1, feature: 'xsave' }),
  prefixed('none', 'xsavec', 'M', 0x0fc7, { group: 4, rexW: 0, feature: 'xsave' }),
  prefixed('none', 'xsavec64', 'M', 0x0fc7, { semantics: 'xsavec', group: 4, rexW: 1, feature: 'xsave' }),
  prefixed('none', 'xrstor', 'M', 0x0fae, { group: 5, rexW: 0, feature: 'xsave' }),
  prefixed('none', 'xrstor64', 'M', 0x0fae, { semantics: 'xrstor', group: 5, rexW: 1, feature: 'xsave' }),
];

/** What has no effect that a program can see here. */
const HINTS: readonly RowDefinition[] = [
  // Taken by the decoder in place of `xchg` when REX.B is not there.
  hint('nop', '', 0x90),
  prefixed('F3', 'pause', '', 0x90, { semantics: 'nop' }),
  hint('prefetch', 'Mb', 0x0f0d, { group: 0 }),
  hint('prefetchw', 'Mb', 0x0f0d, { group: 1 }),
  hint('prefetchwt1', 'Mb', 0x0f0d, { group: 2 }),
  ...[3, 4, 5, 6, 7].map((group) => hint('prefetch', 'Mb', 0x0f0d, { group })),
  hint('nop', 'Ev', 0x0f0d, { modrm: 'reg' }),
  hint('prefetchnta', 'Mb', 0x0f18, { group: 0 }),
  hint('prefetcht0', 'Mb', 0x0f18, { group: 1 }),
  hint('prefetcht1', 'Mb', 0x0f18, { group: 2 }),
  hint('prefetcht2', 'Mb', 0x0f18, { group: 3 }),
  ...[4, 5, 6, 7].map((group) => hint('nop', 'Ev', 0x0f18, { group, modrm: 'mem' })),
  hint('nop', 'Ev', 0x0f18, { modrm: 'reg' }),
  ...[0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f].map((opcode) => hint('nop', 'Ev', 0x0f00 + opcode)),
  prefixed('F3', 'endbr64', '', 0x0f1e, { semantics: 'nop', group: 7, modrm: 'reg', rm: 2 }),
  prefixed('F3', 'endbr32', '', 0x0f1e, { semantics: 'nop', group: 7, modrm: 'reg', rm: 3 }),
  prefixed('none', 'lfence', '', 0x0fae, { semantics: 'nop', group: 5, modrm: 'reg', feature: 'sse2' }),
  prefixed('none', 'mfence', '', 0x0fae, { semantics: 'nop', group: 6, modrm: 'reg', feature: 'sse2' }),
  prefixed('none', 'sfence', '', 0x0fae, { semantics: 'nop', group: 7, modrm: 'reg', feature: 'sse' }),
  prefixed('none', 'clflush', 'Mb', 0x0fae, { semantics: 'nop', group: 7, feature: 'sse2' }),
];

export const CONTROL_ROWS: readonly RowDefinition[] = [
  ...conditionalJumps(),
  ...BRANCHES,
  ...TRAPS,
  ...SYSTEM,
  ...HINTS,
  ...PRIVILEGED,
];
