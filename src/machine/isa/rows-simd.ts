/**
 * MMX, SSE to SSE4.2, AES-NI, PCLMULQDQ and SHA: SDM Vol. 2, Appendix A.3, tables.
 *
 * Keys of the semantics: an MMX form (no prefix) of an instruction that SSE has too is `<mnemonic>.mmx`;
 * shifts by an immediate are `<mnemonic>-imm`; `movd` and `movq` say what they move
 * (`movd-xmm-r` is to xmm from a general register or memory).
 */

import type { Feature, MandatoryPrefix } from './instruction.ts';
import { row } from './row.ts';
import type { RowDefinition, RowOptions } from './row.ts';

/** A 16-byte operand in memory (`Wdq`, `Wps`, `Mpd`, ...). */
function has16ByteMemory(operands: readonly string[]): boolean {
  return operands.some((code) => (code[0] === 'W' || code[0] === 'M') && /^.(dq|ps|pd)$/.test(code));
}

function simd(
  prefix: MandatoryPrefix,
  mnemonic: string,
  operands: string,
  opcode: number,
  feature: Feature,
  options: RowOptions = {},
): RowDefinition {
  const definition = row(mnemonic, operands, opcode, { prefix, feature, ...options });
  definition.aligned ??= has16ByteMemory(definition.operands);
  return definition;
}

const UNALIGNED = { aligned: false } as const;

/** Both forms: mmx without a prefix, xmm with 66. */
function pair(mnemonic: string, opcode: number, mmx: Feature, sse: Feature, mmxOperands = 'Pq,Qq', xmmOperands = 'Vdq,Wdq') {
  return [
    simd('none', mnemonic, mmxOperands, opcode, mmx, { semantics: `${mnemonic}.mmx` }),
    simd('66', mnemonic, xmmOperands, opcode, sse),
  ];
}

/** `opcode: mnemonic` lists, in opcode order from `first`; an empty name is skipped. */
function sequence(first: number, names: string, make: (mnemonic: string, opcode: number) => RowDefinition[]): RowDefinition[] {
  return names.split(' ').flatMap((name, index) => (name === '-' ? [] : make(name, first + index)));
}

const packedMmx = (mnemonic: string, opcode: number) => pair(mnemonic, opcode, 'mmx', 'sse2');
const packedSse = (mnemonic: string, opcode: number) => pair(mnemonic, opcode, 'sse', 'sse2');
const packedSsse3 = (mnemonic: string, opcode: number) => pair(mnemonic, opcode, 'ssse3', 'ssse3');

function packedIntegers(): RowDefinition[] {
  const low = (mnemonic: string, opcode: number) => pair(mnemonic, opcode, 'mmx', 'sse2', 'Pq,Qd');
  return [
    ...sequence(0x0f60, 'punpcklbw punpcklwd punpckldq', low),
    ...sequence(0x0f63, 'packsswb pcmpgtb pcmpgtw pcmpgtd packuswb punpckhbw punpckhwd punpckhdq packssdw', packedMmx),
    simd('66', 'punpcklqdq', 'Vdq,Wdq', 0x0f6c, 'sse2'),
    simd('66', 'punpckhqdq', 'Vdq,Wdq', 0x0f6d, 'sse2'),
    ...sequence(0x0f74, 'pcmpeqb pcmpeqw pcmpeqd', packedMmx),
    ...sequence(0x0fd1, 'psrlw psrld psrlq - pmullw - - psubusb psubusw - pand paddusb paddusw - pandn', packedMmx),
    ...sequence(0x0fe1, 'psraw psrad - - pmulhw - - psubsb psubsw - por paddsb paddsw - pxor', packedMmx),
    ...sequence(0x0ff1, 'psllw pslld psllq - pmaddwd - - psubb psubw psubd - paddb paddw paddd', packedMmx),
    ...sequence(0x0fda, 'pminub - - - pmaxub - pavgb - - pavgw pmulhuw', packedSse),
    ...sequence(0x0fea, 'pminsw - - - pmaxsw', packedSse),
    ...packedSse('psadbw', 0x0ff6),
    ...['paddq', 'pmuludq', 'psubq'].flatMap((name, index) =>
      pair(name, [0x0fd4, 0x0ff4, 0x0ffb][index]!, 'sse2', 'sse2'),
    ),
    ...sequence(0x0f3800, 'pshufb phaddw phaddd phaddsw pmaddubsw phsubw phsubd phsubsw psignb psignw psignd pmulhrsw', packedSsse3),
    ...sequence(0x0f381c, 'pabsb pabsw pabsd', packedSsse3),
    ...pair('palignr', 0x0f3a0f, 'ssse3', 'ssse3', 'Pq,Qq,Ib', 'Vdq,Wdq,Ib'),
  ];
}

/** Groups 12 to 14 (SDM table A-6). */
function shiftsByImmediate(): RowDefinition[] {
  const both = (mnemonic: string, opcode: number, group: number) => [
    simd('none', mnemonic, 'Nq,Ib', opcode, 'mmx', { group, semantics: `${mnemonic}-imm.mmx` }),
    simd('66', mnemonic, 'Udq,Ib', opcode, 'sse2', { group, semantics: `${mnemonic}-imm` }),
  ];
  return [
    ...both('psrlw', 0x0f71, 2),
    ...both('psraw', 0x0f71, 4),
    ...both('psllw', 0x0f71, 6),
    ...both('psrld', 0x0f72, 2),
    ...both('psrad', 0x0f72, 4),
    ...both('pslld', 0x0f72, 6),
    ...both('psrlq', 0x0f73, 2),
    ...both('psllq', 0x0f73, 6),
    simd('66', 'psrldq', 'Udq,Ib', 0x0f73, 'sse2', { group: 3 }),
    simd('66', 'pslldq', 'Udq,Ib', 0x0f73, 'sse2', { group: 7 }),
  ];
}

/** `addps`, `addpd`, `addss`, `addsd` and their like. */
function floatingPoint(mnemonic: string, opcode: number, extra = ''): RowDefinition[] {
  return [
    simd('none', `${mnemonic}ps`, `Vps,Wps${extra}`, opcode, 'sse'),
    simd('66', `${mnemonic}pd`, `Vpd,Wpd${extra}`, opcode, 'sse2'),
    simd('F3', `${mnemonic}ss`, `Vss,Wss${extra}`, opcode, 'sse'),
    simd('F2', `${mnemonic}sd`, `Vsd,Wsd${extra}`, opcode, 'sse2'),
  ];
}

function packedOnly(mnemonic: string, opcode: number, extra = ''): RowDefinition[] {
  return floatingPoint(mnemonic, opcode, extra).slice(0, 2);
}

function scalarCompare(mnemonic: string, opcode: number): RowDefinition[] {
  return [
    simd('none', `${mnemonic}ss`, 'Vss,Wss', opcode, 'sse'),
    simd('66', `${mnemonic}sd`, 'Vsd,Wsd', opcode, 'sse2'),
  ];
}

const ARITHMETIC: readonly RowDefinition[] = [
  ...floatingPoint('sqrt', 0x0f51),
  simd('none', 'rsqrtps', 'Vps,Wps', 0x0f52, 'sse'),
  simd('F3', 'rsqrtss', 'Vss,Wss', 0x0f52, 'sse'),
  simd('none', 'rcpps', 'Vps,Wps', 0x0f53, 'sse'),
  simd('F3', 'rcpss', 'Vss,Wss', 0x0f53, 'sse'),
  ...packedOnly('and', 0x0f54),
  ...packedOnly('andn', 0x0f55),
  ...packedOnly('or', 0x0f56),
  ...packedOnly('xor', 0x0f57),
  ...floatingPoint('add', 0x0f58),
  ...floatingPoint('mul', 0x0f59),
  ...floatingPoint('sub', 0x0f5c),
  ...floatingPoint('min', 0x0f5d),
  ...floatingPoint('div', 0x0f5e),
  ...floatingPoint('max', 0x0f5f),
  ...floatingPoint('cmp', 0x0fc2, ',Ib'),
  ...packedOnly('shuf', 0x0fc6, ',Ib'),
  ...packedOnly('unpckl', 0x0f14),
  ...packedOnly('unpckh', 0x0f15),
  ...scalarCompare('ucomi', 0x0f2e),
  ...scalarCompare('comi', 0x0f2f),
  simd('66', 'haddpd', 'Vpd,Wpd', 0x0f7c, 'sse3'),
  simd('F2', 'haddps', 'Vps,Wps', 0x0f7c, 'sse3'),
  simd('66', 'hsubpd', 'Vpd,Wpd', 0x0f7d, 'sse3'),
  simd('F2', 'hsubps', 'Vps,Wps', 0x0f7d, 'sse3'),
  simd('66', 'addsubpd', 'Vpd,Wpd', 0x0fd0, 'sse3'),
  simd('F2', 'addsubps', 'Vps,Wps', 0x0fd0, 'sse3'),
];

const CONVERSIONS: readonly RowDefinition[] = [
  simd('none', 'cvtpi2ps', 'Vps,Qq', 0x0f2a, 'sse'),
  simd('66', 'cvtpi2pd', 'Vpd,Qq', 0x0f2a, 'sse2'),
  simd('F3', 'cvtsi2ss', 'Vss,Ey', 0x0f2a, 'sse'),
  simd('F2', 'cvtsi2sd', 'Vsd,Ey', 0x0f2a, 'sse2'),
  simd('none', 'cvttps2pi', 'Pq,Wq', 0x0f2c, 'sse'),
  simd('66', 'cvttpd2pi', 'Pq,Wpd', 0x0f2c, 'sse2'),
  simd('F3', 'cvttss2si', 'Gy,Wss', 0x0f2c, 'sse'),
  simd('F2', 'cvttsd2si', 'Gy,Wsd', 0x0f2c, 'sse2'),
  simd('none', 'cvtps2pi', 'Pq,Wq', 0x0f2d, 'sse'),
  simd('66', 'cvtpd2pi', 'Pq,Wpd', 0x0f2d, 'sse2'),
  simd('F3', 'cvtss2si', 'Gy,Wss', 0x0f2d, 'sse'),
  simd('F2', 'cvtsd2si', 'Gy,Wsd', 0x0f2d, 'sse2'),
  simd('none', 'cvtps2pd', 'Vpd,Wq', 0x0f5a, 'sse2'),
  simd('66', 'cvtpd2ps', 'Vps,Wpd', 0x0f5a, 'sse2'),
  simd('F3', 'cvtss2sd', 'Vsd,Wss', 0x0f5a, 'sse2'),
  simd('F2', 'cvtsd2ss', 'Vss,Wsd', 0x0f5a, 'sse2'),
  simd('none', 'cvtdq2ps', 'Vps,Wdq', 0x0f5b, 'sse2'),
  simd('66', 'cvtps2dq', 'Vdq,Wps', 0x0f5b, 'sse2'),
  simd('F3', 'cvttps2dq', 'Vdq,Wps', 0x0f5b, 'sse2'),
  simd('66', 'cvttpd2dq', 'Vdq,Wpd', 0x0fe6, 'sse2'),
  simd('F3', 'cvtdq2pd', 'Vpd,Wq', 0x0fe6, 'sse2'),
  simd('F2', 'cvtpd2dq', 'Vdq,Wpd', 0x0fe6, 'sse2'),
];

const MOVES: readonly RowDefinition[] = [
  simd('none', 'movups', 'Vps,Wps', 0x0f10, 'sse', UNALIGNED),
  simd('66', 'movupd', 'Vpd,Wpd', 0x0f10, 'sse2', UNALIGNED),
  simd('F3', 'movss', 'Vss,Wss', 0x0f10, 'sse'),
  simd('F2', 'movsd', 'Vsd,Wsd', 0x0f10, 'sse2'),
  simd('none', 'movups', 'Wps,Vps', 0x0f11, 'sse', UNALIGNED),
  simd('66', 'movupd', 'Wpd,Vpd', 0x0f11, 'sse2', UNALIGNED),
  simd('F3', 'movss', 'Wss,Vss', 0x0f11, 'sse'),
  simd('F2', 'movsd', 'Wsd,Vsd', 0x0f11, 'sse2'),
  simd('none', 'movlps', 'Vq,Mq', 0x0f12, 'sse'),
  simd('none', 'movhlps', 'Vq,Uq', 0x0f12, 'sse'),
  simd('66', 'movlpd', 'Vq,Mq', 0x0f12, 'sse2'),
  simd('F3', 'movsldup', 'Vps,Wps', 0x0f12, 'sse3'),
  simd('F2', 'movddup', 'Vdq,Wq', 0x0f12, 'sse3'),
  simd('none', 'movlps', 'Mq,Vq', 0x0f13, 'sse'),
  simd('66', 'movlpd', 'Mq,Vq', 0x0f13, 'sse2'),
  simd('none', 'movhps', 'Vq,Mq', 0x0f16, 'sse'),
  simd('none', 'movlhps', 'Vq,Uq', 0x0f16, 'sse'),
  simd('66', 'movhpd', 'Vq,Mq', 0x0f16, 'sse2'),
  simd('F3', 'movshdup', 'Vps,Wps', 0x0f16, 'sse3'),
  simd('none', 'movhps', 'Mq,Vq', 0x0f17, 'sse'),
  simd('66', 'movhpd', 'Mq,Vq', 0x0f17, 'sse2'),
  simd('none', 'movaps', 'Vps,Wps', 0x0f28, 'sse'),
  simd('66', 'movapd', 'Vpd,Wpd', 0x0f28, 'sse2'),
  simd('none', 'movaps', 'Wps,Vps', 0x0f29, 'sse'),
  simd('66', 'movapd', 'Wpd,Vpd', 0x0f29, 'sse2'),
  simd('none', 'movntps', 'Mps,Vps', 0x0f2b, 'sse'),
  simd('66', 'movntpd', 'Mpd,Vpd', 0x0f2b, 'sse2'),
  simd('none', 'movmskps', 'Gd,Ups', 0x0f50, 'sse'),
  simd('66', 'movmskpd', 'Gd,Upd', 0x0f50, 'sse2'),
  simd('none', 'movd', 'Pd,Ed', 0x0f6e, 'mmx', { rexW: 0, semantics: 'movd-mm-r' }),
  simd('none', 'movq', 'Pq,Eq', 0x0f6e, 'mmx', { rexW: 1, semantics: 'movq-mm-r' }),
  simd('66', 'movd', 'Vd,Ed', 0x0f6e, 'sse2', { rexW: 0, semantics: 'movd-xmm-r' }),
  simd('66', 'movq', 'Vq,Eq', 0x0f6e, 'sse2', { rexW: 1, semantics: 'movq-xmm-r' }),
  simd('none', 'movd', 'Ed,Pd', 0x0f7e, 'mmx', { rexW: 0, semantics: 'movd-r-mm' }),
  simd('none', 'movq', 'Eq,Pq', 0x0f7e, 'mmx', { rexW: 1, semantics: 'movq-r-mm' }),
  simd('66', 'movd', 'Ed,Vd', 0x0f7e, 'sse2', { rexW: 0, semantics: 'movd-r-xmm' }),
  simd('66', 'movq', 'Eq,Vq', 0x0f7e, 'sse2', { rexW: 1, semantics: 'movq-r-xmm' }),
  simd('F3', 'movq', 'Vq,Wq', 0x0f7e, 'sse2', { semantics: 'movq-xmm-xmm' }),
  simd('66', 'movq', 'Wq,Vq', 0x0fd6, 'sse2', { semantics: 'movq-xmm-xmm' }),
  simd('none', 'movq', 'Pq,Qq', 0x0f6f, 'mmx', { semantics: 'movq-mm-mm' }),
  simd('none', 'movq', 'Qq,Pq', 0x0f7f, 'mmx', { semantics: 'movq-mm-mm' }),
  simd('66', 'movdqa', 'Vdq,Wdq', 0x0f6f, 'sse2'),
  simd('F3', 'movdqu', 'Vdq,Wdq', 0x0f6f, 'sse2', UNALIGNED),
  simd('66', 'movdqa', 'Wdq,Vdq', 0x0f7f, 'sse2'),
  simd('F3', 'movdqu', 'Wdq,Vdq', 0x0f7f, 'sse2', UNALIGNED),
  simd('F3', 'movq2dq', 'Vdq,Nq', 0x0fd6, 'sse2'),
  simd('F2', 'movdq2q', 'Pq,Uq', 0x0fd6, 'sse2'),
  ...pair('pmovmskb', 0x0fd7, 'sse', 'sse2', 'Gd,Nq', 'Gd,Udq'),
  simd('none', 'movntq', 'Mq,Pq', 0x0fe7, 'sse'),
  simd('66', 'movntdq', 'Mdq,Vdq', 0x0fe7, 'sse2'),
  simd('F2', 'lddqu', 'Vdq,Mdq', 0x0ff0, 'sse3', UNALIGNED),
  simd('none', 'maskmovq', 'Pq,Nq', 0x0ff7, 'sse'),
  simd('66', 'maskmovdqu', 'Vdq,Udq', 0x0ff7, 'sse2'),
  simd('66', 'movntdqa', 'Vdq,Mdq', 0x0f382a, 'sse41'),
];

const SHUFFLES: readonly RowDefinition[] = [
  simd('none', 'pshufw', 'Pq,Qq,Ib', 0x0f70, 'sse'),
  simd('66', 'pshufd', 'Vdq,Wdq,Ib', 0x0f70, 'sse2'),
  simd('F3', 'pshufhw', 'Vdq,Wdq,Ib', 0x0f70, 'sse2'),
  simd('F2', 'pshuflw', 'Vdq,Wdq,Ib', 0x0f70, 'sse2'),
  row('emms', '', 0x0f77, { prefix: 'none', feature: 'mmx' }),
  ...pair('pinsrw', 0x0fc4, 'sse', 'sse2', 'Pq,Rd/Mw,Ib', 'Vdq,Rd/Mw,Ib'),
  ...pair('pextrw', 0x0fc5, 'sse', 'sse2', 'Gd,Nq,Ib', 'Gd,Udq,Ib'),
];

/** Register xmm0 is an implicit operand of the variable blends. */
function sse4(): RowDefinition[] {
  const xmm = (mnemonic: string, opcode: number) => [simd('66', mnemonic, 'Vdq,Wdq', opcode, 'sse41')];
  const widened = ['Wq', 'Wd', 'Ww', 'Wq', 'Wd', 'Wq'];
  const widen = (sign: string, first: number) =>
    ['bw', 'bd', 'bq', 'wd', 'wq', 'dq'].map((types, index) =>
      simd('66', `pmov${sign}${types}`, `Vdq,${widened[index]!}`, first + index, 'sse41'),
    );
  return [
    ...sequence(0x0f3810, 'pblendvb - - - blendvps blendvpd - ptest', xmm),
    ...widen('sx', 0x0f3820),
    ...sequence(0x0f3828, 'pmuldq pcmpeqq - packusdw', xmm),
    ...widen('zx', 0x0f3830),
    simd('66', 'pcmpgtq', 'Vdq,Wdq', 0x0f3837, 'sse42'),
    ...sequence(0x0f3838, 'pminsb pminsd pminuw pminud pmaxsb pmaxsd pmaxuw pmaxud pmulld phminposuw', xmm),
    simd('66', 'roundps', 'Vps,Wps,Ib', 0x0f3a08, 'sse41'),
    simd('66', 'roundpd', 'Vpd,Wpd,Ib', 0x0f3a09, 'sse41'),
    simd('66', 'roundss', 'Vss,Wss,Ib', 0x0f3a0a, 'sse41'),
    simd('66', 'roundsd', 'Vsd,Wsd,Ib', 0x0f3a0b, 'sse41'),
    simd('66', 'blendps', 'Vps,Wps,Ib', 0x0f3a0c, 'sse41'),
    simd('66', 'blendpd', 'Vpd,Wpd,Ib', 0x0f3a0d, 'sse41'),
    simd('66', 'pblendw', 'Vdq,Wdq,Ib', 0x0f3a0e, 'sse41'),
    simd('66', 'pextrb', 'Rd/Mb,Vdq,Ib', 0x0f3a14, 'sse41'),
    simd('66', 'pextrw', 'Rd/Mw,Vdq,Ib', 0x0f3a15, 'sse41'),
    simd('66', 'pextrd', 'Ed,Vdq,Ib', 0x0f3a16, 'sse41', { rexW: 0 }),
    simd('66', 'pextrq', 'Eq,Vdq,Ib', 0x0f3a16, 'sse41', { rexW: 1 }),
    simd('66', 'extractps', 'Ed,Vdq,Ib', 0x0f3a17, 'sse41'),
    simd('66', 'pinsrb', 'Vdq,Rd/Mb,Ib', 0x0f3a20, 'sse41'),
    simd('66', 'insertps', 'Vdq,Wd,Ib', 0x0f3a21, 'sse41'),
    simd('66', 'pinsrd', 'Vdq,Ed,Ib', 0x0f3a22, 'sse41', { rexW: 0 }),
    simd('66', 'pinsrq', 'Vdq,Eq,Ib', 0x0f3a22, 'sse41', { rexW: 1 }),
    simd('66', 'dpps', 'Vps,Wps,Ib', 0x0f3a40, 'sse41'),
    simd('66', 'dppd', 'Vpd,Wpd,Ib', 0x0f3a41, 'sse41'),
    simd('66', 'mpsadbw', 'Vdq,Wdq,Ib', 0x0f3a42, 'sse41'),
    simd('66', 'pcmpestrm', 'Vdq,Wdq,Ib', 0x0f3a60, 'sse42', UNALIGNED),
    simd('66', 'pcmpestri', 'Vdq,Wdq,Ib', 0x0f3a61, 'sse42', UNALIGNED),
    simd('66', 'pcmpistrm', 'Vdq,Wdq,Ib', 0x0f3a62, 'sse42', UNALIGNED),
    simd('66', 'pcmpistri', 'Vdq,Wdq,Ib', 0x0f3a63, 'sse42', UNALIGNED),
  ];
}

/** Register xmm0 is an implicit operand of `sha256rnds2`. Processors do not ask for alignment in the SHA group. */
function cryptography(): RowDefinition[] {
  const aes = (mnemonic: string, opcode: number) => [simd('66', mnemonic, 'Vdq,Wdq', opcode, 'aes')];
  const sha = (mnemonic: string, opcode: number) => [simd('none', mnemonic, 'Vdq,Wdq', opcode, 'sha', UNALIGNED)];
  return [
    ...sequence(0x0f38db, 'aesimc aesenc aesenclast aesdec aesdeclast', aes),
    simd('66', 'aeskeygenassist', 'Vdq,Wdq,Ib', 0x0f3adf, 'aes'),
    simd('66', 'pclmulqdq', 'Vdq,Wdq,Ib', 0x0f3a44, 'pclmul'),
    ...sequence(0x0f38c8, 'sha1nexte sha1msg1 sha1msg2 sha256rnds2 sha256msg1 sha256msg2', sha),
    simd('none', 'sha1rnds4', 'Vdq,Wdq,Ib', 0x0f3acc, 'sha', UNALIGNED),
  ];
}

export const SIMD_ROWS: readonly RowDefinition[] = [
  ...packedIntegers(),
  ...shiftsByImmediate(),
  ...ARITHMETIC,
  ...CONVERSIONS,
  ...MOVES,
  ...SHUFFLES,
  ...sse4(),
  ...cryptography(),
];
